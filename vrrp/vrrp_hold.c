/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The coverage hold: preemption waits until the connections are here, or the time for it is over. Decided for the vrrp
 * process from the pair role's record; touches nothing. */
#include "vrrp_hold.h"
#include <stdio.h>

bool vrrp_hold_is_configured(const struct conf_global *global)
{
	return global->connection_sync == CONF_SYNC_FULL && global->preempt_coverage > 0 &&
	       addr_is_set(&global->pair_peer);
}

static void tell_coverage(const struct status_pair *pair, char *text)
{
	if (!pair || pair->state != PAIR_UP)
		snprintf(text, VRRP_HOLD_SIZE, "the other node's daemon is not heard");
	else if (!pair->coverage_known)
		snprintf(text, VRRP_HOLD_SIZE, "its connections were not counted here yet");
	else
		snprintf(text, VRRP_HOLD_SIZE, "holding %u.%u %% of its %u connections", pair->coverage / 10,
			pair->coverage % 10, pair->coverage_total);
}

struct vrrp_hold vrrp_hold_decide(const struct conf_global *global, uint32_t state, struct mono since,
	const struct status_pair *pair, struct mono now)
{
	struct vrrp_hold hold = {.is_held = true};
	struct mono end = mono_add(since, global->preempt_coverage_timeout_us);
	char what[VRRP_HOLD_SIZE];

	if (!vrrp_hold_is_configured(global)) {
		hold.is_held = false;
		return hold;
	}
	tell_coverage(pair, hold.text);
	if (state != VRRP_BACKUP)
		return hold;
	/* A count from before does not tell what the master has taken since. */
	if (pair && pair->state == PAIR_UP && pair->coverage_known && !mono_before(pair->coverage_at, since) &&
		pair->coverage >= global->preempt_coverage * 10) {
		hold.is_held = false;
		return hold;
	}
	if (mono_before(now, end)) {
		hold.look_again = end;
		return hold;
	}
	hold.is_held = false;
	snprintf(what, sizeof(what), "%s", hold.text);
	snprintf(hold.text, sizeof(hold.text), "waited %lld s, %.48s",
		(long long)(global->preempt_coverage_timeout_us / US_PER_S), what);
	return hold;
}

/* What is in the way of knowing, or NULL. */
static const char *unknown_because(const struct status_pair *pair, bool syncs)
{
	if (!pair || pair->state != PAIR_UP)
		return "the other node's daemon is not heard";
	if (!syncs)
		return "connection_sync is not in force here";
	return pair->peer_ready ? NULL : "connection_sync is not in force on the other node";
}

/* Returns whether it is enough. */
static bool tell_handover(const struct conf_global *global, bool back, const struct status_pair *pair, char *text)
{
	uint32_t known = back ? pair->coverage_known : pair->peer_coverage_known;
	uint32_t held = back ? pair->coverage : pair->peer_coverage;
	const char *holder = back ? "this node" : pair->peer_node;

	if (!known)
		snprintf(text, VRRP_HOLD_SIZE, "the connections that %.30s holds are not counted", holder);
	else
		snprintf(text, VRRP_HOLD_SIZE, "%.30s holds %u.%u %% of the connections", holder, held / 10, held % 10);
	return known && held >= global->preempt_coverage * 10;
}

struct vrrp_hold vrrp_hold_handover(const struct conf_global *global, bool back, bool syncs, struct mono asked,
	const struct status_pair *pair, struct mono now)
{
	int64_t longest = global->preempt_coverage_timeout_us < VRRP_HANDOVER_WAIT_US
				  ? global->preempt_coverage_timeout_us
				  : VRRP_HANDOVER_WAIT_US;
	struct mono end = mono_add(asked, longest);
	struct vrrp_hold hold = {.is_held = false};
	const char *unknown = unknown_because(pair, syncs);
	char what[VRRP_HOLD_SIZE];

	if (!vrrp_hold_is_configured(global))
		return hold;
	if (unknown) {
		snprintf(hold.text, sizeof(hold.text), "coverage unknown, %.60s", unknown);
		return hold;
	}
	if (tell_handover(global, back, pair, hold.text))
		return hold;
	hold.is_held = mono_before(now, end);
	if (hold.is_held) {
		hold.look_again = end;
		return hold;
	}
	snprintf(what, sizeof(what), "%s", hold.text);
	snprintf(hold.text, sizeof(hold.text), "waited %lld s, %.54s", (long long)(longest / US_PER_S), what);
	return hold;
}
