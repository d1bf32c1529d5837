/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events of all roles, in order, each once, for notifications. The rings on the boards are the queue: while nobody
 * can be told, events wait there, and those that are overwritten meanwhile are counted. */
#ifndef POISE_SNMP_TRAP_H
#define POISE_SNMP_TRAP_H

#include "trap_build.h"

/* Events that happened before this role was there are told if they are not older than this, so that a transition at
 * boot or during a restart is not lost. */
#define TRAP_MAX_AGE_US (30 * US_PER_S)

struct trap_feed {
	uint64_t seq[ROLE_COUNT]; /* dealt with up to here */
	bool is_primed[ROLE_COUNT];
	int64_t not_before_real_us; /* for rings seen the first time */
	uint64_t dropped;
};

/* A feed that begins now. seq: where a predecessor stopped, or NULL. */
void trap_feed_init(struct trap_feed *feed, int64_t now_real_us, const uint64_t *seq);
/* Takes the oldest event that is not dealt with. *role is whose it is. False when there is none. */
bool trap_feed_next(struct trap_feed *feed, struct board *const boards[], struct event *ev, enum role *role);
/* Forgets what is in the rings: nobody wants to be told. */
void trap_feed_skip(struct trap_feed *feed, struct board *const boards[]);

/* What the boards say about the event's object now. */
void trap_facts_collect(const struct mib_view *view, const struct event *ev, struct trap_facts *facts);

#endif
