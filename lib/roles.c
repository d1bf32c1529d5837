/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The roles as a table: names, whose boards each reads, which configuration tables each may see. */
#include "roles.h"
#include "conf.h"

#define CONF_ALL_TABLES (CONF_BIT(CONF_TABLE_COUNT) - 1)
/* Keys lie in them. */
#define CONF_SECRETS                                                                                                   \
	(CONF_BIT(CONF_TABLE_SECRET) | CONF_BIT(CONF_TABLE_HMAC_KEY) | CONF_BIT(CONF_TABLE_BLOB) |                     \
		CONF_BIT(CONF_TABLE_TRAP_SECRET) | CONF_BIT(CONF_TABLE_PAIR_KEY))
/* What is no secret all roles read in the same memory; each secret has one reader. */
#define CONF_OPEN (CONF_ALL_TABLES & ~CONF_SECRETS)

static const struct {
	const char *name;
	uint32_t boards;
	uint64_t tables;
} kinds[] = {
	[ROLE_PARENT] = {"parent", ROLES_ALL_CHILDREN, CONF_ALL_TABLES},
	[ROLE_VRRP] = {"vrrp", ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_IPVS) | ROLE_BIT(ROLE_PAIR),
		CONF_OPEN | CONF_BIT(CONF_TABLE_SECRET) | CONF_BIT(CONF_TABLE_HMAC_KEY)},
	[ROLE_IPVS] = {"ipvs", ROLES_CHECKERS | ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_PAIR),
		CONF_OPEN},
	/* Each other's, for servers that move from one to another. */
	[ROLE_HEALTHCHECK] = {"healthcheck",
		ROLES_CHECKERS | ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_IPVS) |
			ROLE_BIT(ROLE_VRRP),
		CONF_OPEN | CONF_BIT(CONF_TABLE_BLOB)},
	[ROLE_CONTROL] = {"control", ROLES_ALL_CHILDREN | ROLE_BIT(ROLE_PARENT), CONF_OPEN},
	[ROLE_SNMP] = {"snmp", ROLES_ALL_CHILDREN | ROLE_BIT(ROLE_PARENT),
		CONF_OPEN | CONF_BIT(CONF_TABLE_TRAP_SECRET)},
	[ROLE_SCRIPT] = {"script", ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS), CONF_OPEN},
	[ROLE_PAIR] = {"pair", ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS),
		CONF_OPEN | CONF_BIT(CONF_TABLE_PAIR_KEY)},
};

const char *role_name(enum role role)
{
	static const char *const more[] = {"healthcheck2", "healthcheck3", "healthcheck4", "healthcheck5",
		"healthcheck6", "healthcheck7", "healthcheck8"};

	if ((unsigned)role >= ROLE_COUNT)
		return "?";
	return role < ROLE_HEALTHCHECK_2 ? kinds[role].name : more[role - ROLE_HEALTHCHECK_2];
}

enum role role_kind(enum role role)
{
	return role < ROLE_HEALTHCHECK_2 ? role : ROLE_HEALTHCHECK;
}

enum role role_checker(unsigned number)
{
	return number == 0 ? ROLE_HEALTHCHECK : (enum role)(ROLE_HEALTHCHECK_2 + number - 1);
}

unsigned role_checker_number(enum role role)
{
	return role == ROLE_HEALTHCHECK ? 0 : role - ROLE_HEALTHCHECK_2 + 1;
}

uint32_t role_reads_boards(enum role role)
{
	return kinds[role_kind(role)].boards & ~ROLE_BIT(role);
}

uint64_t role_conf_tables(enum role role)
{
	return kinds[role_kind(role)].tables;
}
