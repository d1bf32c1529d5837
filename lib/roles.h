/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes of one poised, and their names in logs, status and messages. */
#ifndef POISE_ROLES_H
#define POISE_ROLES_H

#include <stdint.h>

enum role {
	ROLE_PARENT,
	ROLE_VRRP,
	ROLE_IPVS,
	ROLE_HEALTHCHECK,
	ROLE_CONTROL,
	ROLE_SNMP,
	ROLE_SCRIPT,
	ROLE_PAIR,
	/* Further health checkers (check_processes). Behind the others, whose numbers SNMP managers know. */
	ROLE_HEALTHCHECK_2,
	ROLE_HEALTHCHECK_3,
	ROLE_HEALTHCHECK_4,
	ROLE_HEALTHCHECK_5,
	ROLE_HEALTHCHECK_6,
	ROLE_HEALTHCHECK_7,
	ROLE_HEALTHCHECK_8,
	ROLE_COUNT
};

#define ROLE_BIT(role) (1u << (role))
/* The health checkers: one program, several processes of it. */
#define CHECKERS_MAX 8
#define ROLES_CHECKERS (ROLE_BIT(ROLE_HEALTHCHECK) | (ROLE_BIT(ROLE_COUNT) - ROLE_BIT(ROLE_HEALTHCHECK_2)))
#define ROLES_ALL_CHILDREN                                                                                             \
	(ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS) | ROLES_CHECKERS | ROLE_BIT(ROLE_CONTROL) | ROLE_BIT(ROLE_SNMP) |   \
		ROLE_BIT(ROLE_SCRIPT) | ROLE_BIT(ROLE_PAIR))

/* "parent", "vrrp", "healthcheck", "healthcheck2", ... */
const char *role_name(enum role role);
/* What a process is: the health checkers are all ROLE_HEALTHCHECK. */
enum role role_kind(enum role role);
/* The checker of a number below CHECKERS_MAX, and the number of a checker. */
enum role role_checker(unsigned number);
unsigned role_checker_number(enum role role);
/* The roles whose board a role reads (a mask of ROLE_BIT). The parent passes those descriptors on. */
uint32_t role_reads_boards(enum role role);
/* The configuration tables a role may see, a mask of CONF_BIT(table) (conf.h). */
uint64_t role_conf_tables(enum role role);

#endif
