/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the builders of notifications have in common. */
#ifndef POISE_SNMP_TRAP_PARTS_H
#define POISE_SNMP_TRAP_PARTS_H

#include "trap_build.h"

/* The next notification of the list; the caller fills the variables. */
struct trap *trap_add(struct trap_list *list, const struct mib_oid *oid);
/* The next variable of the notification; the caller fills the value. */
struct mib_value *trap_bind_add(struct trap *trap, const struct mib_oid *name);

#define TRAP(list, ...) trap_add(list, &(struct mib_oid)MIB_OID(__VA_ARGS__))
#define BIND(trap, ...) trap_bind_add(trap, &(struct mib_oid)MIB_OID(__VA_ARGS__))

/* The notification of POISE-MIB for the event (trap_poise.c). */
void trap_poise(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list);

#endif
