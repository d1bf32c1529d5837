/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to tell which event: bursts are gathered, so that a dead rack becomes one notification that lists its servers,
 * and never more than so many notifications a second go out. Pure; one for each way out.
 *
 * Every event is told twice: by a notification of POISE-MIB, alone or in a list, and by those of the older MIBs, which
 * know no lists. The latter wait their turn when there are many: VRRP before servers. */
#ifndef POISE_SNMP_TRAP_ROLL_H
#define POISE_SNMP_TRAP_ROLL_H

#include "mono.h"
#include "status.h"
#include "trap_build.h"

/* The first of a kind waits this long for others, those after it so long that there is one list a second. */
#define ROLL_FIRST_US (40 * US_PER_MS)
#define ROLL_NEXT_US US_PER_S
#define ROLL_ALONE_MAX 3 /* up to so many are told one by one */
#define ROLL_RATE_MAX 1000
#define ROLL_SLOTS 13
#define ROLL_EVENTS_MAX 16384 /* of a kind in a list, and of those that wait for their turn alone */

struct roll_item {
	struct event ev;
	struct mono since;
	uint32_t parts; /* enum trap_part */
};

/* Items from `first` on are waiting. */
struct roll_queue {
	struct roll_item *item;
	uint32_t first, n, room;
};

struct roll_slot {
	struct roll_queue queue;
	struct mono due, last; /* when it is to be told, when the last list was */
	bool is_sorted;
};

enum roll_what {
	ROLL_NOTHING,
	ROLL_ONE,  /* tell item[0] by its parts */
	ROLL_LIST, /* tell as many of the items as fit into one list */
	ROLL_HELD, /* tell that notifications were held back: `held`, `left_out`, `lost` */
};

struct roll_work {
	enum roll_what what;
	const struct roll_item *item;
	uint32_t n;
	uint32_t held, left_out, lost;
	struct roll_queue *from; /* for trap_roll_done() */
};

struct trap_roll {
	uint32_t rate;
	struct mono sent[ROLL_RATE_MAX]; /* the last `rate` of them */
	uint32_t next_sent;
	struct roll_queue soon, later; /* what is told alone; `later`: of servers, by the older MIBs */
	struct roll_slot slots[ROLL_SLOTS];
	struct roll_queue after; /* not before what their objects did earlier, which is in a slot */
	bool is_hurried;
	uint64_t held, rolled, left_out;                 /* since ever */
	uint32_t burst_held, burst_left_out, burst_lost; /* since they were told */
};

void trap_roll_init(struct trap_roll *roll, uint32_t rate);
/* Forgets what waits. */
void trap_roll_clear(struct trap_roll *roll);
/* Another rate from now on, 1 to ROLL_RATE_MAX. */
void trap_roll_rate(struct trap_roll *roll, uint32_t rate);

/* An event that is to be told. with_older: the older MIBs have a notification for it, too. */
void trap_roll_add(struct trap_roll *roll, const struct event *ev, bool with_older, struct mono now);
/* So many events were lost before they could be added: that is told. */
void trap_roll_lost(struct trap_roll *roll, uint32_t n);
/* What is to be told now. The items stay until trap_roll_done(), and nothing may be added before. */
struct roll_work trap_roll_next(struct trap_roll *roll, struct mono now);
/* The first n items of the work were told (of ROLL_HELD: 1). */
void trap_roll_done(struct trap_roll *roll, const struct roll_work *work, uint32_t n, struct mono now);
/* When trap_roll_next() will have something; not set = never without another event. */
struct mono trap_roll_due(const struct trap_roll *roll);
bool trap_roll_is_empty(const struct trap_roll *roll);
/* All lists are due from now on, because this is the end. */
void trap_roll_hurry(struct trap_roll *roll, struct mono now);

/* May another notification be sent? If not, *when is when. */
bool trap_roll_may_send(const struct trap_roll *roll, struct mono now, struct mono *when);
/* One was. */
void trap_roll_sent(struct trap_roll *roll, struct mono now);

#endif
