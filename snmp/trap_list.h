/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifications about many events at once. Pure. */
#ifndef POISE_SNMP_TRAP_LIST_H
#define POISE_SNMP_TRAP_LIST_H

#include "trap_roll.h"

/* Fills *trap with one notification about as many of the events (all of one kind and way, in the order of the
 * configuration) as fit into its list. Returns how many, at least 1. A line of the list has the object, its server or
 * servers, and the cause that they share. */
uint32_t trap_build_list(const struct conf *conf, const struct roll_item *items, uint32_t n, struct trap *trap);
/* A notification that so many were held back by the rate limit, and so many left out or lost (work: ROLL_HELD). */
void trap_build_held(const struct conf *conf, const struct roll_work *work, int64_t real_us, struct trap *trap);

#endif
