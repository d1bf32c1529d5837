/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the event rings to notifications, in the order and at the rate that trap_roll decides. Runs in the snmp role;
 * knows nothing of how they are sent. */
#include "outlet.h"
#include "trap_list.h"
#include <stdio.h>
#include <string.h>

#define SEND_AT_ONCE 32 /* then others of this process have their turn */

void outlet_init(struct outlet *o, const struct outlet_ops *ops, void *arg)
{
	*o = (struct outlet){.ops = ops, .arg = arg};
}

void outlet_free(struct outlet *o)
{
	trap_roll_clear(&o->roll);
	trap_level_free(&o->level);
}

static void event_add(struct outlet *o, const struct mib_view *view, const struct event *ev)
{
	if (trap_is_wanted(view->conf, ev))
		trap_roll_add(&o->roll, ev, trap_has_older(view->conf, ev), view->now);
}

/* Servers that stand otherwise on the board than was told: of these an event was overwritten. What cannot be found so
 * is counted. */
static void events_repair(struct outlet *o, const struct mib_view *view, uint64_t lost)
{
	conf_index_t server = 0;
	struct event ev;

	while (trap_level_next(&o->level, view, &server, &ev)) {
		event_add(o, view, &ev);
		lost -= lost > 0;
	}
	o->feed.dropped += lost;
	trap_roll_lost(&o->roll, (uint32_t)lost);
}

static void events_read(struct outlet *o, const struct mib_view *view, struct board *const boards[])
{
	uint64_t dropped = o->feed.dropped, lost;
	struct event ev;
	enum role role;

	for (uint32_t i = 0; i < BOARD_EVENTS * ROLE_COUNT && trap_feed_next(&o->feed, boards, &ev, &role); i++) {
		if (trap_level_hear(&o->level, view->conf, &ev))
			event_add(o, view, &ev);
	}
	lost = o->feed.dropped - dropped;
	o->feed.dropped = dropped;
	if (lost > 0)
		events_repair(o, view, lost);
	trap_level_follow(&o->level, view);
}

static void build_one(struct outlet *o, const struct mib_view *view, const struct roll_item *item)
{
	struct trap_facts facts;

	trap_facts_collect(view, &item->ev, &facts);
	trap_build(view->conf, &item->ev, &facts, item->parts, &o->list);
	snprintf(o->about, sizeof(o->about), "%.*s", (int)sizeof(item->ev.name), item->ev.name);
}

/* Fills o->list with what is next; false when nothing is due. */
static bool build_next(struct outlet *o, const struct mib_view *view)
{
	struct roll_work work = trap_roll_next(&o->roll, view->now);
	uint32_t told = 1;

	o->list.n = o->at = 0;
	switch (work.what) {
	case ROLL_NOTHING:
		return false;
	case ROLL_ONE:
		build_one(o, view, work.item);
		break;
	case ROLL_LIST:
		o->list.n = 1;
		told = trap_build_list(view->conf, work.item, work.n, &o->list.trap[0]);
		snprintf(o->about, sizeof(o->about), "a list of %u, from %.*s", told, (int)sizeof(work.item->ev.name),
			work.item->ev.name);
		break;
	case ROLL_HELD:
		o->list.n = 1;
		trap_build_held(view->conf, &work, real_now_us(), &o->list.trap[0]);
		snprintf(o->about, sizeof(o->about), "that others were held back");
		break;
	}
	trap_roll_done(&o->roll, &work, told, view->now);
	return true;
}

/* Sends the next notification of o->list. The rate counts from the moment after: this process may have stood still
 * since it was decided that one may be sent. */
static bool send_next(struct outlet *o)
{
	if (!o->ops->can_send(o->arg) || !o->ops->send(o->arg, &o->list.trap[o->at], o->about))
		return false;
	o->at++;
	o->sent++;
	trap_roll_sent(&o->roll, o->ops->now ? o->ops->now(o->arg) : mono_now());
	return true;
}

struct mono outlet_pump(struct outlet *o, const struct mib_view *view, struct board *const boards[], bool *is_blocked)
{
	struct mono when = view->now;

	*is_blocked = !o->ops->can_send(o->arg); /* then the rings keep what there is */
	if (*is_blocked)
		return MONO_NEVER;
	events_read(o, view, boards);
	for (uint32_t n = 0; n < SEND_AT_ONCE;) {
		if (o->at >= o->list.n) {
			if (!build_next(o, view))
				return trap_roll_due(&o->roll);
			continue;
		}
		if (!trap_roll_may_send(&o->roll, view->now, &when))
			return when;
		if (!send_next(o)) {
			*is_blocked = true;
			return MONO_NEVER;
		}
		n++;
	}
	return view->now;
}

void outlet_flush(struct outlet *o, const struct mib_view *view, struct board *const boards[], uint32_t most)
{
	events_read(o, view, boards);
	trap_roll_hurry(&o->roll, view->now);
	while (most > 0) {
		if (o->at >= o->list.n) {
			if (!build_next(o, view))
				return;
			continue;
		}
		if (!send_next(o))
			return;
		most--;
	}
}

void outlet_skip(struct outlet *o, struct board *const boards[])
{
	trap_feed_skip(&o->feed, boards);
	trap_level_free(&o->level);
	trap_roll_clear(&o->roll);
	o->at = o->list.n = 0;
}
