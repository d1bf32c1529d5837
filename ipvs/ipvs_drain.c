/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The progress of drains; used by the ipvs role. Pure: counters in, what to do out. */
#include "ipvs_drain.h"

void ipvs_drain_end_at(struct ipvs_drain_end *end, int64_t until_real_us, struct mono now, int64_t real_us)
{
	if (until_real_us == end->until_real_us)
		return;
	*end = (struct ipvs_drain_end){.until_real_us = until_real_us};
	if (until_real_us != 0)
		end->until = until_real_us > real_us ? mono_add(now, until_real_us - real_us) : now;
}

bool ipvs_drain_end_is_over(const struct ipvs_drain_end *end, struct mono now)
{
	return end->until_real_us != 0 && !mono_before(now, end->until);
}

struct ipvs_drain_actions ipvs_drain_step(struct ipvs_drain *drain, const struct ipvs_drain_event *event)
{
	struct ipvs_drain_actions actions = {0};

	if (event->admin == ADMIN_NORMAL) {
		*drain = (struct ipvs_drain){0};
		return actions;
	}
	drain->active = true;
	if (drain->done)
		return actions;
	if (event->admin == ADMIN_DRAIN && event->time_is_over && event->counted && !drain->over) {
		drain->over = true;
		drain->cut = event->end == DRAIN_KEEP ? 0 : event->connections;
		actions.over = true;
	}
	if (event->applied && event->counted && event->connections == 0) {
		drain->done = true;
		actions.drained = true;
		return actions;
	}
	actions.poll = true;
	return actions;
}

bool ipvs_drain_takes_out(const struct ipvs_drain *drain, enum drain_end end)
{
	return (drain->over && end != DRAIN_KEEP) || (drain->done && end == DRAIN_REMOVE);
}

bool ipvs_drain_leftover_ends(struct mono now, struct mono until, uint64_t connections)
{
	return connections == 0 || !mono_before(now, until);
}
