/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was told last of each server's health, so that what a ring lost can be made good: events say how a state came
 * about, but the state itself stands on the board. One for each way out. */
#ifndef POISE_SNMP_TRAP_LEVEL_H
#define POISE_SNMP_TRAP_LEVEL_H

#include "mib.h"

struct trap_level {
	uint8_t *told; /* of each server: enum health, LEVEL_* */
	uint32_t n;
	uint64_t generation;
};

void trap_level_free(struct trap_level *l);
/* Begins anew with what the boards say now, when it is not about this configuration yet: nothing is told of how it came
 * to that. Without memory nothing can be made good. */
void trap_level_follow(struct trap_level *l, const struct mib_view *view);
/* An event that was read. False: the board had it told already. */
bool trap_level_hear(struct trap_level *l, const struct conf *conf, const struct event *ev);
/* After something was overwritten: the next server from *server on of which the board says something else than was told
 * last, as the event that is to be told. False when there is none left. */
bool trap_level_next(struct trap_level *l, const struct mib_view *view, conf_index_t *server, struct event *ev);

#endif
