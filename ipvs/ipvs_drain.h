/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When is a server empty? Pure. */
#ifndef POISE_IPVS_DRAIN_H
#define POISE_IPVS_DRAIN_H

#include "mono.h"
#include "status.h"
#include <stdbool.h>
#include <stdint.h>

struct ipvs_drain {
	bool active;  /* drain or maintenance is on */
	bool done;    /* and no connection is left */
	bool over;    /* its time is over: what is left is cut, or goes on when it was asked to be kept */
	uint64_t cut; /* connections that were cut then */
};

/* When a drain ends. It was asked for on the wall clock, which outlives restarts; it is judged on the clock that nobody
 * sets, so a step of the wall clock neither cuts connections early nor keeps them. */
struct ipvs_drain_end {
	int64_t until_real_us; /* as asked for, 0 = never */
	struct mono until;     /* the same moment */
};

struct ipvs_drain_event {
	enum admin admin;
	enum drain_end end;
	bool time_is_over;
	bool applied; /* the kernel has acknowledged that no new connection goes there: weight 0, or not listed */
	bool counted; /* `connections` was read after that */
	uint64_t connections; /* not over yet, and templates of persistence where known clients still come */
};

struct ipvs_drain_actions {
	bool poll;    /* go on counting, once a second */
	bool drained; /* just now: tell it */
	bool over;    /* its time is over just now: tell it; unless it keeps them, what is left is to be cut */
};

/* Takes over what was asked for. The clocks are compared only when that is news: at the request, and once more after a
 * restart of the role. */
void ipvs_drain_end_at(struct ipvs_drain_end *end, int64_t until_real_us, struct mono now, int64_t real_us);
bool ipvs_drain_end_is_over(const struct ipvs_drain_end *end, struct mono now);

/* Done once, it stays done until the administration changes: a straggler of the connection table does not undo it. */
struct ipvs_drain_actions ipvs_drain_step(struct ipvs_drain *drain, const struct ipvs_drain_event *event);

/* Does the drain take the server out of the kernel's table altogether? */
bool ipvs_drain_takes_out(const struct ipvs_drain *drain, enum drain_end end);

/* A server that left the configuration stands with weight 0 until its last connection is gone or its time is over. */
bool ipvs_drain_leftover_ends(struct mono now, struct mono until, uint64_t connections);

#endif
