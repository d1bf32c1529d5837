/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When is a role hung, and when is it started again: pure decisions of the parent. */
#ifndef POISE_SUPERVISE_H
#define POISE_SUPERVISE_H

#include "conf.h"
#include "mono.h"
#include "roles.h"
#include <stdbool.h>
#include <stdint.h>

/* What the parent remembers of one role; zero at first. */
struct supervise {
	struct mono started;
	struct mono beat_seen; /* when the counter was last seen to move (or the start) */
	uint64_t beats;
	uint32_t quick_deaths;   /* deaths in a row that came soon after the start, or before its end */
	bool is_killed;          /* its end is on the way */
	struct mono usage_since; /* of processor time */
	uint64_t usage_us;       /* used up to then */
	bool is_excused;         /* it is beyond its limit, and waits for a processor: said */
	struct mono looked_at;   /* since when it is late, as seen; not set = it is not */
	int64_t run_us;          /* what it had run by then */
};

/* What the kernel says of the main thread of a role. */
struct supervise_look {
	char state;     /* as /proc/PID/stat has it: R = it runs, or would if it had a processor */
	int64_t run_us; /* processor time so far */
};

/* The shortest time after which a peer takes over from one of our instances: the smallest master-down interval of a
 * neighbour with our own timers (RFC 9568, 6.1), in microseconds; a default of 3.6 s without instances. */
int64_t supervise_patience_us(const struct conf *conf);
/* How long the role's beat may stand still. A vrrp role is given a quarter of the patience, but no less than a quarter
 * of a second, the others a third of it within bounds, snmp more, because the library that it uses may wait for a
 * second. */
int64_t supervise_beat_limit_us(enum role role, int64_t patience_us);
/* The same for a role at this moment: while it is starting (it has not beaten yet), and in the first seconds of its
 * life, it has more time, because kernel modules are loaded for it and whole tables programmed, and a kill would only
 * begin that anew. A start after others that failed has twice the time of the one before, up to eight times: on a
 * machine that is that slow, a limit that stays would kill the role for ever. */
int64_t supervise_limit_us(
	const struct supervise *s, enum role role, int64_t patience_us, bool is_starting, struct mono now);
/* How often a role has to beat for that limit. */
int64_t supervise_beat_period_us(int64_t limit_us);

void supervise_started(struct supervise *s, struct mono now);
/* Looks at the counter. True when it has stood still for longer than limit_us. tick_us is the time since the parent
 * last looked: a parent that slept itself blames nobody and counts from now. */
bool supervise_is_hung(struct supervise *s, uint64_t beats, struct mono now, int64_t limit_us, int64_t tick_us);
/* True when the beat has been late for half of limit_us: something is wrong, with the role or with the machine. */
bool supervise_is_late(const struct supervise *s, uint64_t beats, struct mono now, int64_t limit_us);
/* Whether a role that is late could go on and is not let: it is runnable, and had next to no processor time since it
 * was first looked at. To be asked with every look at a late role; look NULL: it is not late. A kill would only add to
 * what such a machine has to do. */
bool supervise_waits(struct supervise *s, const struct supervise_look *look, struct mono now);
/* What the limit is multiplied with for one that waits: it ends at a neighbour's patience. */
#define SUPERVISE_WAITING 4
/* What the limit is multiplied with when `late` of `running` roles are late at once: many at a time do not hang, they
 * wait for the same machine, and to kill them would make its work more. */
int supervise_tolerance(unsigned late, unsigned running);
/* How much of a core the role has used, in percent: once a minute, -1 in between. cpu_us: its processor time so far. */
int supervise_usage(struct supervise *s, uint64_t cpu_us, struct mono now);
/* The role has ended: returns how long to wait before the next start: nothing for the first two times, then 100 ms
 * doubling to 5 s while it keeps dying within 10 s of its start, or (was_starting) before it was ready. */
int64_t supervise_restart_delay_us(struct supervise *s, bool was_starting, struct mono now);

#endif
