/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two users of libnetsnmp in this process (the subagent and the sender of direct notifications) share. Only
 * they include this. */
#ifndef POISE_SNMP_LIBRARY_H
#define POISE_SNMP_LIBRARY_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "trap_build.h"

#define LIBRARY_NAME "poise"

/* Prepares the library, once in the life of the process; connects to nobody, reads and writes no file. */
void library_start(void);

/* Returns the number of sub-identifiers. */
size_t library_oid(oid to[MIB_OID_MAX], const struct mib_oid *from);

void library_to_oid(struct mib_oid *to, const oid *from, size_t n);

/* A value as the library wants it. */
struct library_value {
	u_char type;
	const void *data;
	size_t size;
	union {
		long integer;
		u_long number;
		struct counter64 counter64;
	} room;
};
/* The result points into itself and into v. */
void library_value(struct library_value *to, const struct mib_value *v);

/* snmpTrapOID.0 and all variables of the notification. NULL when memory is short. To be freed with
 * snmp_free_varbind(). */
netsnmp_variable_list *library_variables(const struct trap *trap);

#endif
