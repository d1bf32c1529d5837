/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-pair: what the two nodes of a pair tell each other, over one UDP socket on the sync network. It holds no
 * capability, believes nothing that is not signed and fresh, and waits for nobody. This file is the wiring. */
#include "pair_process.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define TROUBLE_LOG_US (60 * US_PER_S)

uint64_t pair_random(void)
{
	uint64_t value = 0;

	while (value == 0 && getrandom(&value, sizeof(value), 0) != (ssize_t)sizeof(value))
		value = 0;
	return value;
}

/* ---- the socket ---- */

static void close_socket(struct pair *pair)
{
	if (pair->io)
		loop_io_remove(pair->io);
	if (pair->sock >= 0)
		close(pair->sock);
	pair->io = NULL;
	pair->sock = -1;
}

static void on_datagram(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	pair_talk_receive(arg);
}

/* Connected to the other node: what comes from anybody else is not even read. */
static int open_socket(struct pair *pair)
{
	const struct conf_global *global = pair->conf->global;
	struct sockaddr_storage own, peer;
	socklen_t own_size = addr_to_sockaddr(&global->pair_address, (uint16_t)global->pair_port, 0, &own);
	socklen_t peer_size = addr_to_sockaddr(&global->pair_peer, (uint16_t)global->pair_port, 0, &peer);
	int error;

	pair->sock = socket(global->pair_address.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (pair->sock < 0)
		return -errno;
	if (bind(pair->sock, (struct sockaddr *)&own, own_size) == 0 &&
		connect(pair->sock, (struct sockaddr *)&peer, peer_size) == 0)
		pair->io = loop_io_add(pair->p->loop, pair->sock, EPOLLIN, on_datagram, pair);
	if (pair->io) {
		pair->bound = global->pair_address;
		pair->bound_port = global->pair_port;
		return 0;
	}
	error = errno ? -errno : -ENOMEM;
	close_socket(pair);
	return error;
}

/* The address may come later than the daemon, so this is tried with every beat. */
static void keep_socket(struct pair *pair)
{
	char address[ADDR_TEXT];
	uint32_t held_back;
	int rc;

	if (!addr_is_set(&pair->conf->global->pair_peer) || pair->key_size == 0) {
		close_socket(pair);
		return;
	}
	if (pair->sock >= 0)
		return;
	rc = open_socket(pair);
	if (rc == 0)
		return;
	if (log_limit_pass(&pair->trouble, TROUBLE_LOG_US, &held_back))
		log_error("pair: no socket on %s: %s: the other node is not heard",
			addr_format_port(
				&pair->conf->global->pair_address, (uint16_t)pair->conf->global->pair_port, address),
			strerror(-rc));
}

/* ---- the round ---- */

static void on_beat(struct timer *timer, void *arg)
{
	struct pair *pair = arg;

	keep_socket(pair);
	pair_ear_keep(&pair->ear, pair->conf);
	pair_look(pair);
	pair_talk_beat(pair);
	pair->beats++;
	loop_timer_set(pair->p->loop, timer, mono_add(mono_now(), PAIR_BEAT_US));
}

static void on_soon(struct timer *timer, void *arg)
{
	struct pair *pair = arg;

	(void)timer;
	if (pair_look(pair))
		pair_talk_news(pair);
	pair_talk_admin(pair);
}

void pair_look_soon(struct pair *pair)
{
	if (!pair->soon.slot)
		loop_timer_set(pair->p->loop, &pair->soon, mono_now());
}

/* ---- generations ---- */

static int prepare(struct role_process *p, const struct conf *next, char *why)
{
	struct pair *pair = p->ctx;
	const struct board_shape shape = {.record_size = {sizeof(struct status_pair), sizeof(struct status_difference)},
		.count = {1, PAIR_DIFFERENCES}};

	pair->next_board = board_create(ROLE_PAIR, next->generation, &shape);
	if (pair->next_board && pair_conf_build(&pair->next_own, next) == 0)
		return 0;
	board_close(pair->next_board);
	pair->next_board = NULL;
	snprintf(why, 240, "pair: out of memory");
	return -1;
}

static void abort_prepared(struct role_process *p)
{
	struct pair *pair = p->ctx;

	board_close(pair->next_board);
	pair->next_board = NULL;
	pair_conf_free(&pair->next_own);
}

/* A changed address or key is a new channel; anything else leaves it alone. */
static void take_channel(struct pair *pair, const struct conf *before)
{
	const struct conf_global *global = pair->conf->global;
	const struct conf_secret *key = pair->conf->n_pair_keys ? &pair->conf->pair_keys[0] : NULL;
	bool is_new = !before || !addr_equal(&before->global->pair_peer, &global->pair_peer) ||
		      !addr_equal(&pair->bound, &global->pair_address) || pair->bound_port != global->pair_port;

	is_new |= pair->key_size != (key ? key->length : 0) || (key && memcmp(pair->key, key->bytes, key->length) != 0);
	if (!is_new)
		return;
	explicit_bzero(pair->key, sizeof(pair->key));
	pair->key_size = key ? key->length : 0;
	if (key)
		memcpy(pair->key, key->bytes, key->length);
	close_socket(pair);
	memset(&pair->session, 0, sizeof(pair->session));
	pair->session.own = pair_random();
	pair->session.challenge = pair_random();
	pair->other.is_heard = false;
	pair->other.list.is_complete = false;
}

static void commit(struct role_process *p, const struct conf *next)
{
	struct pair *pair = p->ctx;
	const struct conf *before = pair->conf;

	pair->conf = next;
	pair_conf_free(&pair->own);
	pair->own = pair->next_own;
	memset(&pair->next_own, 0, sizeof(pair->next_own));
	take_channel(pair, before);
	board_store(pair->next_board, PAIR_TABLE_PEER, 0, &pair->status, sizeof(pair->status));
	role_publish_board(p, pair->next_board);
	pair->next_board = NULL;
	loop_timer_set(p->loop, &pair->beat, mono_now());
}

static void changed(struct role_process *p, enum role role, uint32_t table, uint32_t record)
{
	(void)role;
	(void)table;
	(void)record;
	pair_look_soon(p->ctx);
}

static void stop(struct role_process *p, bool keep)
{
	struct pair *pair = p->ctx;

	(void)keep;
	loop_timer_cancel(p->loop, &pair->beat);
	loop_timer_cancel(p->loop, &pair->soon);
	loop_timer_cancel(p->loop, &pair->cover_due);
	pair_ear_close(&pair->ear);
	close_socket(pair);
	role_exit(p, 0);
}

static int open_role(struct role_process *p)
{
	struct pair *pair = p->ctx;

	pair->p = p;
	pair_ear_init(&pair->ear, p->loop);
	pair->beat = (struct timer){.fire = on_beat, .arg = pair};
	pair->soon = (struct timer){.fire = on_soon, .arg = pair};
	pair->cover_due = (struct timer){.fire = on_soon, .arg = pair};
	/* Larger than any number of a predecessor on this machine. */
	pair_cover_begin(&pair->cover, (uint64_t)real_now_us());
	return loop_timer_reserve(p->loop, 8);
}

int main(int argc, char **argv)
{
	static const struct role_ops ops = {.role = ROLE_PAIR,
		.open = open_role,
		.prepare = prepare,
		.commit = commit,
		.abort = abort_prepared,
		.changed = changed,
		.stop = stop};
	static struct pair pair = {.sock = -1};

	return role_main(&ops, &pair, argc, argv);
}
