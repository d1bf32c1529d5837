/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which walk through the table of connections the ipvs role begins next. Pure: time and facts come in. */
#include "ipvs_resync_plan.h"

bool ipvs_resync_is_asked(const struct ipvs_resync_facts *facts)
{
	return facts->send_request != facts->answered || (facts->own_wish != 0 && facts->own_wish != facts->own_done);
}

struct ipvs_resync_verdict ipvs_resync_decide(const struct ipvs_resync_facts *facts)
{
	struct ipvs_resync_verdict verdict = {.scan = SYNC_SCAN_NONE};

	if (facts->is_master && facts->is_leaving) {
		struct mono next = mono_add(facts->last_end, IPVS_LEAVING_PAUSE_US);

		verdict.scan = mono_before(facts->now, next) ? SYNC_SCAN_NONE : SYNC_SCAN_SEND;
		verdict.look_again = next;
		return verdict;
	}
	/* A node that has come back waits for this, or an operator. */
	if (facts->is_master && ipvs_resync_is_asked(facts)) {
		verdict.scan = SYNC_SCAN_SEND;
		verdict.is_recall = facts->has_recall && facts->send_request != facts->answered &&
				    facts->send_request != facts->recalled;
		return verdict;
	}
	if (facts->is_standby && facts->count_request != facts->counted) {
		verdict.scan = SYNC_SCAN_COUNT;
		return verdict;
	}
	if (!facts->is_master || !mono_is_set(facts->next_sweep))
		return verdict;
	if (mono_before(facts->now, facts->next_sweep)) {
		verdict.look_again = facts->next_sweep;
		return verdict;
	}
	verdict.scan = SYNC_SCAN_SEND;
	verdict.is_sweep = true;
	return verdict;
}

bool ipvs_resync_is_answered(uint32_t held, uint32_t enough, int64_t walk_us, int64_t patience_us)
{
	return held >= 1000 || (held >= enough && walk_us >= patience_us);
}

struct mono ipvs_resync_next_sweep(struct mono now, int64_t interval_us, int64_t cpu_us)
{
	int64_t pause_us = cpu_us * IPVS_SWEEP_CPU_SHARE;

	if (interval_us <= 0)
		return MONO_NEVER;
	return mono_add(now, pause_us > interval_us ? pause_us : interval_us);
}
