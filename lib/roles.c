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
} role_table[ROLE_COUNT] = {
	[ROLE_PARENT] = {"parent", ROLES_ALL_CHILDREN, CONF_ALL_TABLES},
	[ROLE_VRRP] = {"vrrp", ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_IPVS) | ROLE_BIT(ROLE_PAIR),
		CONF_OPEN | CONF_BIT(CONF_TABLE_SECRET) | CONF_BIT(CONF_TABLE_HMAC_KEY)},
	[ROLE_IPVS] = {"ipvs", ROLE_BIT(ROLE_HEALTHCHECK) | ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) |
			      ROLE_BIT(ROLE_PAIR),
		CONF_OPEN},
	[ROLE_HEALTHCHECK] = {"healthcheck", ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_IPVS) |
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
	return (unsigned)role < ROLE_COUNT ? role_table[role].name : "?";
}

uint32_t role_reads_boards(enum role role)
{
	return role_table[role].boards & ~ROLE_BIT(role);
}

uint64_t role_conf_tables(enum role role)
{
	return role_table[role].tables;
}
