/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Quorum of a virtual service; used by the ipvs role. Pure: it knows weights, not servers. */
#include "ipvs_quorum.h"

static int64_t at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

enum ipvs_quorum_action ipvs_quorum_step(struct ipvs_quorum *state, const struct ipvs_quorum_event *event)
{
	int64_t total = event->total > 1 ? event->total : 1;
	int64_t quorum = at_most(event->quorum > 1 ? event->quorum : 1, total);
	int64_t gain = at_most(quorum + event->hysteresis, total);
	int64_t keep = quorum - event->hysteresis > 1 ? quorum - event->hysteresis : 1;
	int64_t threshold = !state->known ? quorum : state->met ? keep : gain;
	bool met = event->capacity >= threshold;

	if (state->known && state->met == met)
		return IPVS_QUORUM_NOTHING;
	state->known = true;
	state->met = met;
	return met ? IPVS_QUORUM_GAINED : IPVS_QUORUM_LOST;
}
