/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way out for notifications: the events of all roles, gathered and paced, built, and handed to whoever sends. There
 * are two, the AgentX master and the receivers of snmp_trap_to; neither waits for the other. */
#ifndef POISE_SNMP_OUTLET_H
#define POISE_SNMP_OUTLET_H

#include "trap.h"
#include "trap_level.h"
#include "trap_roll.h"

#define OUTLET_ABOUT 128

struct outlet_ops {
	/* Can one be sent now? If not, outlet_pump() returns, to be called again. */
	bool (*can_send)(void *arg);
	/* False: it was not sent; it is tried again. about: the object, for people. */
	bool (*send)(void *arg, const struct trap *trap, const char *about);
	/* What time is it? NULL: mono_now(). */
	struct mono (*now)(void *arg);
};

struct outlet {
	const struct outlet_ops *ops;
	void *arg;
	struct trap_feed feed;
	struct trap_level level;
	struct trap_roll roll;
	struct trap_list list; /* of the event under way, sent up to `at` */
	uint32_t at;
	char about[OUTLET_ABOUT];
	uint64_t sent;
};

void outlet_init(struct outlet *o, const struct outlet_ops *ops, void *arg);
void outlet_free(struct outlet *o);
/* Reads the events that are there and sends what may be sent now. Returns when there will be more to do without a new
 * event; not set = never. *is_blocked: can_send() or send() said no. */
struct mono outlet_pump(struct outlet *o, const struct mib_view *view, struct board *const boards[], bool *is_blocked);
/* The same at the end of the process: nothing waits, whatever the rate; at most `most` notifications. */
void outlet_flush(struct outlet *o, const struct mib_view *view, struct board *const boards[], uint32_t most);
/* Nobody wants to be told: what is there is forgotten. */
void outlet_skip(struct outlet *o, struct board *const boards[]);

#endif
