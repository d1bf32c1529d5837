/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The roles as a table: names, whose boards each reads, which configuration tables each may see. */
#include "roles.h"
#include "conf.h"

#define CONF_ALL_TABLES (CONF_BIT(CONF_TABLE_COUNT) - 1)
#define CONF_BASE (CONF_BIT(CONF_TABLE_GLOBAL) | CONF_BIT(CONF_TABLE_STRINGS))
#define CONF_VRRP                                                                                                      \
	(CONF_BIT(CONF_TABLE_INSTANCE) | CONF_BIT(CONF_TABLE_ADDRESS) | CONF_BIT(CONF_TABLE_PEER) |                    \
		CONF_BIT(CONF_TABLE_TRACK) | CONF_BIT(CONF_TABLE_GROUP) | CONF_BIT(CONF_TABLE_GROUP_MEMBER) |          \
		CONF_BIT(CONF_TABLE_SCRIPT) | CONF_BIT(CONF_TABLE_PROCESS) | CONF_BIT(CONF_TABLE_FILE) |               \
		CONF_BIT(CONF_TABLE_ROUTE) | CONF_BIT(CONF_TABLE_NEXTHOP) | CONF_BIT(CONF_TABLE_RULE) |          \
		CONF_BIT(CONF_TABLE_BFD))
#define CONF_SERVICES                                                                                                  \
	(CONF_BIT(CONF_TABLE_SERVICE_GROUP) | CONF_BIT(CONF_TABLE_GROUP_ENTRY) | CONF_BIT(CONF_TABLE_SERVICE) |        \
		CONF_BIT(CONF_TABLE_SERVER))
#define CONF_CHECKS                                                                                                    \
	(CONF_BIT(CONF_TABLE_CHECK) | CONF_BIT(CONF_TABLE_URL) | CONF_BIT(CONF_TABLE_STATUS_RANGE) |                   \
		CONF_BIT(CONF_TABLE_STEP))
/* Keys lie in them. */
#define CONF_SECRETS                                                                                                   \
	(CONF_BIT(CONF_TABLE_SECRET) | CONF_BIT(CONF_TABLE_HMAC_KEY) | CONF_BIT(CONF_TABLE_BLOB) |                     \
		CONF_BIT(CONF_TABLE_TRAP_SECRET) | CONF_BIT(CONF_TABLE_PAIR_KEY))

static const struct {
	const char *name;
	uint32_t boards;
	uint64_t tables;
} role_table[ROLE_COUNT] = {
	[ROLE_PARENT] = {"parent", ROLES_ALL_CHILDREN, CONF_ALL_TABLES},
	[ROLE_VRRP] = {"vrrp", ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_IPVS) | ROLE_BIT(ROLE_PAIR),
		CONF_BASE | CONF_VRRP | CONF_SERVICES | CONF_BIT(CONF_TABLE_NOTIFY) | CONF_BIT(CONF_TABLE_SECRET) |
			CONF_BIT(CONF_TABLE_HMAC_KEY)},
	[ROLE_IPVS] = {"ipvs", ROLE_BIT(ROLE_HEALTHCHECK) | ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) |
			      ROLE_BIT(ROLE_PAIR),
		CONF_BASE | CONF_VRRP | CONF_SERVICES | CONF_BIT(CONF_TABLE_CLIENTS) | CONF_BIT(CONF_TABLE_SYSCTL) |
			CONF_BIT(CONF_TABLE_CHECK) | CONF_BIT(CONF_TABLE_NOTIFY)},
	[ROLE_HEALTHCHECK] = {"healthcheck", ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_IPVS) |
				     ROLE_BIT(ROLE_VRRP),
		CONF_BASE | CONF_SERVICES | CONF_CHECKS | CONF_BIT(CONF_TABLE_BLOB) | CONF_BIT(CONF_TABLE_BFD)},
	[ROLE_CONTROL] = {"control", ROLES_ALL_CHILDREN | ROLE_BIT(ROLE_PARENT), CONF_ALL_TABLES & ~CONF_SECRETS},
	[ROLE_SNMP] = {"snmp", ROLES_ALL_CHILDREN | ROLE_BIT(ROLE_PARENT),
		(CONF_ALL_TABLES & ~CONF_SECRETS) | CONF_BIT(CONF_TABLE_TRAP_SECRET)},
	[ROLE_SCRIPT] = {"script", ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS),
		CONF_ALL_TABLES & ~CONF_SECRETS & ~CONF_BIT(CONF_TABLE_TRAP_TARGET)},
	[ROLE_PAIR] = {"pair", ROLE_BIT(ROLE_PARENT) | ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS),
		CONF_BASE | CONF_VRRP | CONF_SERVICES | CONF_CHECKS | CONF_BIT(CONF_TABLE_PAIR_KEY)},
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
