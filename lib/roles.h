/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of one poised, and their names in logs, status and messages. */
#ifndef POISE_ROLES_H
#define POISE_ROLES_H

#include <stdint.h>

enum role { ROLE_PARENT, ROLE_VRRP, ROLE_IPVS, ROLE_HEALTHCHECK, ROLE_CONTROL, ROLE_SNMP, ROLE_SCRIPT, ROLE_PAIR, ROLE_COUNT };

#define ROLE_BIT(role) (1u << (role))
#define ROLES_ALL_CHILDREN                                                                                             \
	(ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS) | ROLE_BIT(ROLE_HEALTHCHECK) | ROLE_BIT(ROLE_CONTROL) |             \
		ROLE_BIT(ROLE_SNMP) | ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_PAIR))

/* "parent", "vrrp", ... */
const char *role_name(enum role role);
/* The roles whose board a role reads (a mask of ROLE_BIT). The parent passes those descriptors on. */
uint32_t role_reads_boards(enum role role);
/* The configuration tables a role may see, a mask of CONF_BIT(table) (conf.h). */
uint64_t role_conf_tables(enum role role);

#endif
