/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the event rings of the other roles for notifications: which event is next, and what is known of its object.
 * Runs in the snmp role; only reads boards, never sends. */
#include "trap.h"
#include <string.h>

void trap_feed_init(struct trap_feed *feed, int64_t now_real_us, const uint64_t *seq)
{
	*feed = (struct trap_feed){.not_before_real_us = now_real_us - TRAP_MAX_AGE_US};
	for (unsigned role = 0; seq && role < ROLE_COUNT; role++) {
		feed->seq[role] = seq[role];
		feed->is_primed[role] = seq[role] > 0;
	}
}

/* The next event of one ring, without taking it: *seq is where the reader stands afterwards. */
static bool feed_peek(
	struct trap_feed *feed, enum role role, const struct board *board, uint64_t *seq, struct event *ev)
{
	int rc;

	if (board_last_event(board) < feed->seq[role])
		feed->seq[role] = 0; /* a ring that began anew */
	*seq = feed->seq[role];
	while ((rc = board_next_event(board, seq, ev)) != 0) {
		if (rc < 0) {
			/* An old ring that is read for the first time has lost events that nobody waited for. */
			if (feed->is_primed[role])
				feed->dropped += (uint64_t)-rc;
		} else if (feed->is_primed[role] || ev->real_us >= feed->not_before_real_us) {
			return true;
		}
		feed->seq[role] = *seq;
	}
	feed->is_primed[role] = true;
	return false;
}

/* The oldest event of all rings that is not dealt with. */
static bool feed_take(struct trap_feed *feed, struct board *const boards[], struct event *ev, enum role *role)
{
	uint64_t seq, best_seq = 0;
	struct event candidate;
	bool have = false;

	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if (!boards[r] || !feed_peek(feed, r, boards[r], &seq, &candidate))
			continue;
		if (have && candidate.real_us >= ev->real_us)
			continue;
		have = true;
		*ev = candidate;
		*role = r;
		best_seq = seq;
	}
	if (have) {
		feed->seq[*role] = best_seq;
		feed->is_primed[*role] = true;
	}
	return have;
}

bool trap_feed_next(struct trap_feed *feed, struct board *const boards[], struct event *ev, enum role *role)
{
	while (feed_take(feed, boards, ev, role)) {
		/* The parent says that an operator drained a server, and who; that ipvs acted on it is not told again.
		 */
		if (ev->kind != EVENT_ADMIN || *role != ROLE_IPVS)
			return true;
	}
	return false;
}

void trap_feed_skip(struct trap_feed *feed, struct board *const boards[])
{
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if (!boards[r])
			continue;
		feed->seq[r] = board_last_event(boards[r]);
		feed->is_primed[r] = true;
	}
}

static conf_index_t object_service(const struct conf *conf, const struct event *ev, conf_index_t object)
{
	switch (ev->kind) {
	case EVENT_SERVER:
		return conf->servers[object].service;
	case EVENT_QUORUM:
		return object;
	}
	return CONF_NONE;
}

void trap_facts_collect(const struct mib_view *view, const struct event *ev, struct trap_facts *facts)
{
	struct status_instance st;
	conf_index_t service;

	*facts = (struct trap_facts){.object = trap_find_object(view->conf, ev)};
	if (facts->object == CONF_NONE)
		return;
	if ((ev->kind == EVENT_INSTANCE || ev->kind == EVENT_PROTOCOL) && mib_load_instance(view, facts->object, &st)) {
		facts->ifindex = st.ifindex;
		facts->master = st.master;
		facts->new_master_reason = st.new_master_reason;
		facts->error_source = st.error_source;
	}
	service = object_service(view->conf, ev, facts->object);
	if (service != CONF_NONE)
		facts->servers_up = mib_servers_up(view, service);
}
