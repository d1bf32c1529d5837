/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the pair process makes of the boards of the others and of what the other node said: the own state, coverage, the
 * differences of the configurations, the board. It decides by pair_cover.c and pair_conf.c and sends nothing. */
#include "config.h"
#include "pair_process.h"
#include <stdio.h>
#include <string.h>

/* ---- the own side ---- */

struct own_facts {
	bool is_active, is_standby;
	struct mono active_since, standby_since; /* the youngest */
	uint64_t wish;                           /* of an operator who takes mastership back */
	struct status_sync sync;                 /* zero while not known */
};

static void look_at_instances(const struct pair *pair, struct own_facts *facts)
{
	const struct board *board = pair->p->boards[ROLE_VRRP];
	struct status_instance status;

	for (uint32_t i = 0; board && i < board_count(board, VRRP_TABLE_INSTANCE); i++) {
		if (board_load(board, VRRP_TABLE_INSTANCE, i, &status, sizeof(status)) < 0)
			continue;
		facts->is_active |= status.state == VRRP_MASTER;
		if (status.state == VRRP_MASTER && mono_before(facts->active_since, status.since))
			facts->active_since = status.since;
		if (status.state != VRRP_BACKUP)
			continue;
		facts->is_standby = true;
		if (status.resync_wish > facts->wish)
			facts->wish = status.resync_wish;
		if (mono_before(facts->standby_since, status.since))
			facts->standby_since = status.since;
	}
}

static struct own_facts own_facts(const struct pair *pair)
{
	const struct board *board = pair->p->boards[ROLE_IPVS];
	struct own_facts facts = {0};

	look_at_instances(pair, &facts);
	if (!board || board_load(board, IPVS_TABLE_SYNC, 0, &facts.sync, sizeof(facts.sync)) < 0)
		memset(&facts.sync, 0, sizeof(facts.sync));
	return facts;
}

/* Number of the digest of what this node is master for; 0 while there is none. One from an earlier time as master says
 * nothing of the connections of today. */
static uint64_t own_walk(const struct own_facts *facts)
{
	return facts->is_active && !mono_before(facts->sync.last_send, facts->active_since) ? facts->sync.sends : 0;
}

void pair_look_state(const struct pair *pair, struct pair_state *out)
{
	struct own_facts facts = own_facts(pair);

	memset(out, 0, sizeof(*out));
	snprintf(out->node, sizeof(out->node), "%s", conf_string(pair->conf, pair->conf->global->node));
	snprintf(out->software, sizeof(out->software), "%s", PACKAGE_VERSION);
	out->flags = (facts.is_active ? PAIR_ACTIVE : 0) | (facts.sync.is_ready ? PAIR_READY : 0);
	out->want = pair->cover.want;
	out->answered = facts.sync.answered;
	out->walk = own_walk(&facts);
	out->own = facts.sync.own;
	out->taken_known = facts.sync.last_taken > 0;
	out->taken = status_sync_taken(&facts.sync);
	out->have = pair->cover.complete;
	out->held_known = pair->status.coverage_known;
	out->held = pair->status.coverage;
	out->config = pair->own.whole;
	out->objects = pair->own.n;
	out->config_have = pair->other.list.is_complete ? pair->other.list.config : 0;
	out->clock = (uint64_t)real_now_us();
	out->layout = CONF_LAYOUT;
}

/* ---- coverage ---- */

/* A connection that came before its server stood in the table is not bound to it: it has to be told again. */
static void look_at_servers(struct pair *pair)
{
	const struct board *board = pair->p->boards[ROLE_IPVS];
	struct status_server status;
	uint32_t standing = 0;

	for (uint32_t i = 0; board && i < board_count(board, IPVS_TABLE_SERVER); i++)
		standing += status_load_server(board, i, &status) == 0 && status.is_programmed;
	if (standing > pair->standing)
		pair->standing_since = mono_now();
	pair->standing = standing;
}

static void compare(struct pair *pair, uint64_t count)
{
	static struct status_bucket ours[DIGEST_BUCKETS];
	const struct board *board = pair->p->boards[ROLE_IPVS];
	struct status_digest record;

	for (uint32_t i = 0; i < DIGEST_RECORDS; i++) {
		if (board_load(board, IPVS_TABLE_DIGEST, DIGEST_RECORDS + i, &record, sizeof(record)) < 0)
			return;
		memcpy(ours + (size_t)i * DIGEST_RECORD_BUCKETS, record.buckets, sizeof(record.buckets));
	}
	pair_cover_compare(&pair->cover, ours, count,
		pair->other.state.taken_known && pair->other.state.walk == pair->cover.complete
			? pair->other.state.taken
			: 0,
		mono_now());
	log_debug("pair: %u.%u %% of %u connections of %s are held here", pair->cover.held / 10, pair->cover.held % 10,
		pair->cover.total, pair->other.state.node);
}

static void look_at_coverage(struct pair *pair, const struct own_facts *own)
{
	const struct pair_other *other = &pair->other;
	struct pair_cover *cover = &pair->cover;
	struct pair_cover_facts facts = {.now = mono_now(),
		.can = other->is_heard && (other->state.flags & PAIR_ACTIVE) && (other->state.flags & PAIR_READY) &&
		       own->is_standby && own->sync.is_ready,
		.not_before = own->standby_since,
		.enough = pair->conf->global->preempt_coverage * 10,
		.answered = other->state.answered,
		.taken_known = other->state.taken_known,
		.taken = other->state.taken,
		.total = other->state.own,
		.counted = own->sync.counted};
	struct mono again;
	/* What came before a server stood in the table, or while the kernel's receiver did not run. */
	struct mono complete_since = mono_before(pair->standing_since, own->sync.receiving_since)
					     ? own->sync.receiving_since
					     : pair->standing_since;

	if (mono_before(facts.not_before, complete_since))
		facts.not_before = complete_since;
	if (own->wish != 0 && own->wish != pair->wish_seen)
		pair_cover_hurry(cover);
	pair->wish_seen = own->wish;
	if (facts.can && cover->count != 0 && facts.counted == cover->count && cover->compared != cover->count)
		compare(pair, cover->count);
	again = pair_cover_step(cover, &facts);
	if (mono_is_set(again))
		loop_timer_set(pair->p->loop, &pair->cover_due, again);
	/* Of a master that is none any more nothing is held that would matter. */
	pair->status.coverage_known = facts.can && cover->known;
	pair->status.coverage = cover->held;
	pair->status.coverage_total = cover->total;
	pair->status.coverage_at = cover->at;
	if (mono_before(cover->at, complete_since))
		pair->status.coverage_known = 0;
	pair->status.count_request = cover->count;
	if (!other->is_heard)
		pair->status.send_request = 0;
	else if (other->state.want != 0)
		pair->status.send_request = other->state.want;
}

static void tell_coverage(struct pair *pair)
{
	const struct status_pair *st = &pair->status;
	uint32_t enough = pair->conf->global->preempt_coverage;
	struct event event = {.kind = EVENT_COVERAGE};
	enum pair_cover_news news = pair_cover_judge(&pair->is_covered, st->coverage_known, st->coverage, enough * 10);

	if (news == PAIR_COVER_SAME)
		return;
	event.to = news == PAIR_COVER_REACHED;
	event.from = !event.to;
	snprintf(event.name, sizeof(event.name), "%.63s", pair->other.state.node);
	snprintf(event.why, sizeof(event.why),
		"%u.%u %% of its %u connections are held here, %s %u %% (preempt_coverage)", st->coverage / 10,
		st->coverage % 10, st->coverage_total, event.to ? "at least" : "less than", enough);
	if (event.to)
		log_info("pair: coverage of %s: %s", event.name, event.why);
	else
		log_warning("pair: coverage of %s is lost: %s", event.name, event.why);
	role_event(pair->p, &event);
}

/* ---- configurations ---- */

struct listing {
	struct pair *pair;
	uint32_t n;
};

static void list_difference(void *arg, enum pair_difference kind, const char *name)
{
	struct listing *listing = arg;
	struct status_difference record = {.is_used = 1, .kind = kind};

	if (listing->n >= PAIR_DIFFERENCES)
		return;
	snprintf(record.name, sizeof(record.name), "%s", name);
	role_store(listing->pair->p, PAIR_TABLE_DIFFERENCE, listing->n++, &record, sizeof(record));
}

void pair_look_config(struct pair *pair)
{
	const struct pair_other *other = &pair->other;
	const struct status_difference none = {0};
	struct listing listing = {.pair = pair};
	/* Digests of another version's tables say nothing about the files. */
	bool comparable = other->is_heard && other->state.layout == CONF_LAYOUT;
	bool equal = comparable && other->state.config == pair->own.whole;
	bool complete = comparable && other->list.is_complete && other->list.config == other->state.config;
	uint32_t before = pair->status.config_known ? pair->status.config_differs : 0;

	pair->status.config_known = equal || complete;
	pair->status.config_differs = 0;
	if (!equal && complete)
		pair->status.config_differs = pair_conf_compare(
			pair->own.objects, pair->own.n, other->list.objects, other->list.n, list_difference, &listing);
	while (listing.n < PAIR_DIFFERENCES)
		role_store(pair->p, PAIR_TABLE_DIFFERENCE, listing.n++, &none, sizeof(none));
	if (pair->status.config_differs && pair->status.config_differs != before)
		log_warning("pair: the configuration differs from that of %s in %u objects: see poisectl status",
			other->state.node, pair->status.config_differs);
}

/* ---- the board ---- */

static bool is_recent(struct mono at)
{
	return mono_is_set(at) && mono_diff_us(mono_now(), at) < 2 * PAIR_PATIENCE_US;
}

static void set_why(struct pair *pair, enum pair_state_kind state)
{
	struct status_pair *status = &pair->status;
	const struct pair_other *other = &pair->other;

	memset(status->why, 0, sizeof(status->why));
	switch (state) {
	case PAIR_OFF:
		snprintf(status->why, sizeof(status->why), "no pair_peer is configured");
		break;
	case PAIR_NO_KEY:
		snprintf(status->why, sizeof(status->why), "pair_key is missing: without a key the nodes do not talk");
		break;
	case PAIR_SILENT:
		if (pair->sock < 0)
			snprintf(status->why, sizeof(status->why), "no socket on pair_address yet");
		else if (is_recent(pair->last_unknown))
			snprintf(status->why, sizeof(status->why),
				"the other node speaks another version: install the same release on both");
		else if (is_recent(pair->last_forged))
			snprintf(status->why, sizeof(status->why),
				"the other node's messages are not signed with our pair_key");
		else
			snprintf(status->why, sizeof(status->why), "the other node is not heard");
		break;
	case PAIR_UP:
		snprintf(status->why, sizeof(status->why), "%.40s (poise %s) is heard%s", other->state.node,
			other->state.software,
			other->state.layout == CONF_LAYOUT
				? ""
				: "; its version differs, so the configurations are not compared");
		break;
	}
}

static void tell(const struct pair *pair, enum pair_state_kind before)
{
	if (pair->status.state == PAIR_UP)
		log_info("pair: %s", pair->status.why);
	else if (before == PAIR_UP || pair->status.state == PAIR_NO_KEY)
		log_warning("pair: %s", pair->status.why);
}

/* Counters and the time of the last message move with every beat: nobody is woken for them. */
static void store(struct pair *pair)
{
	struct status_pair before, now = pair->status;

	if (board_load(pair->p->board, PAIR_TABLE_PEER, 0, &before, sizeof(before)) < 0)
		memset(&before, 0, sizeof(before));
	before.sent = now.sent;
	before.received = now.received;
	before.forged = now.forged;
	before.stale = now.stale;
	before.last_heard = now.last_heard;
	if (before.clock_ahead_us != 0 && now.clock_ahead_us != 0)
		before.clock_ahead_us = now.clock_ahead_us;
	if (memcmp(&before, &now, sizeof(now)) == 0)
		role_store_quiet(pair->p, PAIR_TABLE_PEER, 0, &now, sizeof(now));
	else
		role_store(pair->p, PAIR_TABLE_PEER, 0, &now, sizeof(now));
}

static void publish(struct pair *pair)
{
	struct status_pair *status = &pair->status;
	const struct pair_other *other = &pair->other;
	enum pair_state_kind before = (enum pair_state_kind)status->state, now = PAIR_UP;

	if (!addr_is_set(&pair->conf->global->pair_peer))
		now = PAIR_OFF;
	else if (pair->key_size == 0)
		now = PAIR_NO_KEY;
	else if (!other->is_heard)
		now = PAIR_SILENT;
	status->state = now;
	set_why(pair, now);
	if (now != before || status->since_real_us == 0) {
		status->since_real_us = real_now_us();
		tell(pair, before);
	}
	status->peer_active = other->is_heard && (other->state.flags & PAIR_ACTIVE);
	status->peer_ready = other->is_heard && (other->state.flags & PAIR_READY);
	status->peer_coverage_known = other->is_heard && other->state.held_known;
	status->peer_coverage = other->state.held;
	status->last_heard = other->last_heard;
	status->clock_known &= other->is_heard;
	memcpy(status->peer_node, other->state.node, sizeof(status->peer_node));
	memcpy(status->peer_version, other->state.software, sizeof(status->peer_version));
	store(pair);
}

bool pair_look(struct pair *pair)
{
	struct pair_other *other = &pair->other;
	struct own_facts own = own_facts(pair);
	uint64_t want = pair->cover.want, have = pair->cover.complete;

	if (!pair->conf)
		return false;
	if (other->is_heard && mono_diff_us(mono_now(), other->last_heard) > PAIR_PATIENCE_US) {
		other->is_heard = false;
		pair_cover_forget(&pair->cover);
	}
	look_at_servers(pair);
	look_at_coverage(pair, &own);
	tell_coverage(pair);
	publish(pair);
	return pair->sock >= 0 &&
	       (want != pair->cover.want || have != pair->cover.complete || pair->told_answered != own.sync.answered ||
		       pair->told_walk != own_walk(&own));
}
