/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When is a server empty? Pure. */
#ifndef POISE_IPVS_DRAIN_H
#define POISE_IPVS_DRAIN_H

#include "mono.h"
#include "status.h"
#include <stdbool.h>
#include <stdint.h>

struct ipvs_drain {
	bool active; /* drain or maintenance is on */
	bool done;   /* and no connection is left */
};

struct ipvs_drain_event {
	enum admin admin;
	bool applied; /* the kernel has acknowledged that no new connection goes there: weight 0, or not listed */
	bool counted; /* `connections` was read after that */
	uint64_t connections; /* not over yet, and templates of persistence */
};

struct ipvs_drain_actions {
	bool poll;    /* go on counting, once a second */
	bool drained; /* just now: tell it */
};

/* Done once, it stays done until the administration changes: a straggler of the connection table does not undo it. */
struct ipvs_drain_actions ipvs_drain_step(struct ipvs_drain *drain, const struct ipvs_drain_event *event);

/* A server that left the configuration stands with weight 0 until its last connection is gone or its time is over. */
bool ipvs_drain_leftover_ends(struct mono now, struct mono until, uint64_t connections);

#endif
