/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to and from the other node. Runs in the pair process. Every message tells a state, not a change: one that is
 * lost is made good by the next beat, one that comes twice does no harm. */
#include "pair_process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_BUDGET 128
#define CLOCK_NEAR_US (2 * US_PER_S)
#define ADMIN_EVERY_BEATS 10
/* What an operator wishes of servers: as many messages as the other one's socket holds. */
#define WISHES_IN_A_BEAT 100
/* Messages of objects in a beat: a file with ten thousand servers takes some seconds. */
#define OBJECT_MESSAGES 64

static void send_message(struct pair *pair, struct pair_message *m)
{
	uint8_t buf[PAIR_SIZE];
	size_t size;

	if (pair->sock < 0)
		return;
	m->session = pair->session.own;
	m->number = ++pair->session.sent;
	m->challenge = pair->session.challenge;
	m->echo = pair->session.echo;
	size = pair_message_encode(m, pair->key, pair->key_size, buf);
	/* What cannot be sent is told again with the next beat. */
	if (send(pair->sock, buf, size, MSG_NOSIGNAL) == (ssize_t)size)
		pair->status.sent++;
}

/* ---- out ---- */

void pair_talk_state(struct pair *pair)
{
	struct pair_message m = {.type = PAIR_STATE};

	pair_look_state(pair, &m.u.state);
	pair->told_answered = m.u.state.answered;
	pair->told_walk = m.u.state.walk;
	send_message(pair, &m);
}

/* All parts of the digest of the last walk that sent. */
static void talk_digest(struct pair *pair)
{
	const struct board *board = pair->p->boards[ROLE_IPVS];
	struct status_digest record;

	for (uint32_t i = 0; board && i < DIGEST_RECORDS; i++) {
		struct pair_message m = {.type = PAIR_DIGEST};

		if (board_load(board, IPVS_TABLE_DIGEST, i, &record, sizeof(record)) < 0 || record.number == 0)
			return;
		m.u.digest.walk = record.number;
		m.u.digest.part = i;
		memcpy(m.u.digest.buckets, record.buckets, sizeof(record.buckets));
		send_message(pair, &m);
	}
}

static void talk_objects(struct pair *pair)
{
	struct pair_message m = {.type = PAIR_OBJECTS};

	for (int i = 0; i < OBJECT_MESSAGES; i++) {
		pair_list_next(&pair->teller, pair->own.objects, pair->own.n, pair->own.whole, &m.u.objects);
		send_message(pair, &m);
		if (!pair_list_told(&pair->teller, pair->own.n, &m.u.objects))
			return;
	}
}

/* Everything of a list is told when any of it has changed, and now and then. A long list takes several beats, from
 * where the last one ended, so that what gets lost is not always the same. */
static void begin_cycle(struct pair_cycle *c, uint64_t sum, bool again, uint32_t n)
{
	if (again || sum != c->sum)
		c->left = n;
	if (c->left > n)
		c->left = n;
	c->sum = sum;
}

static uint32_t next_in_cycle(struct pair_cycle *c, uint32_t n)
{
	c->left--;
	c->at = c->at + 1 < n ? c->at + 1 : 0;
	return c->at;
}

/* Servers added and removed at run time, also what is settled by now. */
static void talk_pool(struct pair *pair, bool again)
{
	const struct board *board = pair->p->boards[ROLE_PARENT];
	uint32_t n = board ? board_count(board, PARENT_TABLE_POOL) : 0;
	struct pair_message m = {.type = PAIR_POOL};
	struct status_pool *pool = &m.u.pool.pool;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		if (board_load(board, PARENT_TABLE_POOL, i, pool, sizeof(*pool)) == 0)
			sum += (uint64_t)pool->since_real_us * (i + 1) + pool->is_settled;
	begin_cycle(&pair->pool_cycle, sum, again, n);
	for (uint32_t sent = 0; sent < WISHES_IN_A_BEAT && pair->pool_cycle.left > 0;) {
		uint32_t i = next_in_cycle(&pair->pool_cycle, n);

		if (board_load(board, PARENT_TABLE_POOL, i, pool, sizeof(*pool)) < 0)
			continue;
		memcpy(m.u.pool.service, pool->service, sizeof(m.u.pool.service));
		memcpy(m.u.pool.server, pool->server, sizeof(m.u.pool.server));
		send_message(pair, &m);
		sent++;
	}
}

/* Everything that was ever wished of a server, also that nothing is wished any more. */
static void talk_admin(struct pair *pair, bool again)
{
	const struct board *board = pair->p->boards[ROLE_PARENT];
	const struct conf *conf = pair->conf;
	struct pair_message m = {.type = PAIR_ADMIN};
	struct status_admin *admin = &m.u.admin.admin;
	uint64_t sum = 0;

	if (!board || board_generation(board) != conf->generation)
		return;
	for (uint32_t i = 0; i < conf->n_servers; i++)
		if (status_load_admin(board, i, admin) == 0)
			sum += (uint64_t)admin->asked_real_us * (i + 1);
	begin_cycle(&pair->admin_cycle, sum, again, conf->n_servers);
	for (uint32_t sent = 0; sent < WISHES_IN_A_BEAT && pair->admin_cycle.left > 0;) {
		uint32_t i = next_in_cycle(&pair->admin_cycle, conf->n_servers);

		if (status_load_admin(board, i, admin) < 0 || admin->since_real_us == 0)
			continue;
		conf_service_name(conf, conf->servers[i].service, m.u.admin.service);
		conf_server_name(conf, i, m.u.admin.server);
		send_message(pair, &m);
		sent++;
	}
}

void pair_talk_admin(struct pair *pair)
{
	if (!pair->other.is_heard)
		return;
	talk_admin(pair, false);
	talk_pool(pair, false);
}

void pair_talk_news(struct pair *pair)
{
	uint64_t walked = pair->told_walk;

	pair_talk_state(pair);
	if (pair->other.is_heard && pair->told_walk != 0 && pair->told_walk != walked &&
		pair->told_walk != pair->other.state.have)
		talk_digest(pair);
}

void pair_talk_beat(struct pair *pair)
{
	const struct pair_other *other = &pair->other;
	struct pair_state own;

	pair_talk_state(pair);
	if (!other->is_heard)
		return;
	pair_look_state(pair, &own);
	if (own.walk != 0 && other->state.have != own.walk)
		talk_digest(pair);
	if (other->state.layout == own.layout && other->state.config != own.config &&
		other->state.config_have != own.config)
		talk_objects(pair);
	talk_admin(pair, pair->beats % ADMIN_EVERY_BEATS == 0);
	talk_pool(pair, pair->beats % ADMIN_EVERY_BEATS == 0);
}

/* ---- in ---- */

static void hear_state(struct pair *pair, const struct pair_state *state)
{
	struct pair_other *other = &pair->other;

	other->state = *state;
	other->last_heard = mono_now();
	other->is_heard = true;
	pair_cover_meet(&pair->cover, state->walk);
	/* What is under way for less than a second is no difference of clocks. */
	pair->status.clock_known = state->clock != 0 && state->clock < INT64_MAX;
	pair->status.clock_ahead_us = pair->status.clock_known ? (int64_t)state->clock - real_now_us() : 0;
	if (llabs((long long)pair->status.clock_ahead_us) < CLOCK_NEAR_US)
		pair->status.clock_ahead_us = 0;
	pair_look_config(pair);
}

static void hear_objects(struct pair *pair, const struct pair_objects *objects)
{
	const struct pair_state *state = &pair->other.state;

	if (pair_list_take(&pair->other.list, objects, state->config, state->objects))
		pair_look_config(pair);
}

/* The parent decides whether it is newer. */
static void hear_admin(struct pair *pair, const struct pair_admin *a)
{
	struct msg_peer_admin m = {.admin = a->admin.admin,
		.weight = a->admin.weight,
		.drain_end = a->admin.drain_end,
		.keep_known = a->admin.keep_known,
		.since_real_us = a->admin.since_real_us,
		.asked_real_us = a->admin.asked_real_us ? a->admin.asked_real_us : a->admin.since_real_us,
		.until_real_us = a->admin.until_real_us};

	if (!a->service[0] || !a->server[0] || a->admin.since_real_us <= 0)
		return;
	/* An end is a moment for both, whatever their clocks call it. */
	if (m.until_real_us > 0 && pair->status.clock_known)
		m.until_real_us -= pair->status.clock_ahead_us;
	memcpy(m.service, a->service, sizeof(m.service));
	memcpy(m.server, a->server, sizeof(m.server));
	memcpy(m.why, a->admin.why, sizeof(m.why));
	/* It is told again in ten beats. */
	msg_send_peer_admin(&pair->p->parent, &m, -1);
}

static void hear_pool(struct pair *pair, const struct pair_pool *heard)
{
	struct msg_peer_pool m = {.is_removed = heard->pool.is_removed,
		.is_settled = heard->pool.is_settled,
		.weight = heard->pool.weight,
		.since_real_us = heard->pool.since_real_us};

	if (!heard->service[0] || !heard->server[0] || heard->pool.since_real_us <= 0)
		return;
	memcpy(m.service, heard->service, sizeof(m.service));
	memcpy(m.server, heard->server, sizeof(m.server));
	memcpy(m.why, heard->pool.why, sizeof(m.why));
	msg_send_peer_pool(&pair->p->parent, &m, -1);
}

static void hear(struct pair *pair, const struct pair_message *m)
{
	switch ((enum pair_type)m->type) {
	case PAIR_STATE:
		hear_state(pair, &m->u.state);
		break;
	case PAIR_DIGEST:
		pair_cover_take_part(&pair->cover, &m->u.digest, mono_now());
		break;
	case PAIR_OBJECTS:
		hear_objects(pair, &m->u.objects);
		break;
	case PAIR_ADMIN:
		hear_admin(pair, &m->u.admin);
		break;
	case PAIR_POOL:
		hear_pool(pair, &m->u.pool);
		break;
	}
}

static void receive_one(struct pair *pair, const uint8_t *data, size_t size)
{
	struct pair_message m;
	enum pair_verdict verdict = pair_message_decode(data, size, pair->key, pair->key_size, &m);

	if (verdict == PAIR_VERSION_UNKNOWN)
		pair->last_unknown = mono_now();
	if (verdict != PAIR_GOOD) {
		pair->last_forged = mono_now();
		pair->status.forged++;
		return;
	}
	switch (pair_session_hear(&pair->session, m.session, m.number, m.challenge, m.echo, pair_random())) {
	case PAIR_REPLAYED:
		pair->status.stale++;
		return;
	case PAIR_STALE:
		/* Whoever does not know our challenge yet is told it at once; everybody else waits for the next beat,
		 * so that two nodes cannot wind each other up. */
		pair->status.stale++;
		if (m.type == PAIR_STATE && m.echo == 0)
			pair_talk_state(pair);
		return;
	case PAIR_FRESH_BOUND:
		pair_cover_forget(&pair->cover);
		pair->other.is_heard = false;
		pair->other.list.is_complete = false;
		pair->admin_cycle.sum = pair->pool_cycle.sum = 0;
		break;
	case PAIR_FRESH:
		break;
	}
	pair->status.received++;
	hear(pair, &m);
}

void pair_talk_receive(struct pair *pair)
{
	uint8_t buf[PAIR_SIZE + 1];

	for (int i = 0; i < RECEIVE_BUDGET && pair->sock >= 0; i++) {
		ssize_t n = recv(pair->sock, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0)
			break;
		receive_one(pair, buf, (size_t)n);
	}
	pair_look_soon(pair);
}
