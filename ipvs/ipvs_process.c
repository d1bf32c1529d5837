/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-ipvs: keeps the kernel's IPVS table as configuration, health and administration want it. Holds CAP_NET_ADMIN
 * and parses only the kernel's answers and fixed-size messages. This file is the wiring: generations, boards,
 * doorbells, timers; what is to be done is decided in ipvs_state.c and done in ipvs_reconcile.c. */
#include "ipvs_process.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PEER_BUDGET 256
#define MEMORY_US (5 * US_PER_S) /* a health checker that takes longer to start is not waited for */
#define PEER_PRIORITY (-10)      /* health results before anything else */

static void on_reconcile(struct timer *timer, void *arg)
{
	(void)timer;
	ipvs_reconcile(arg);
}

/* ---- generations ---- */

static int prepare(struct role_process *p, const struct conf *next, char *why)
{
	struct ipvs *v = p->ctx;
	char name[CONF_NAME_SIZE];
	conf_index_t service = 0;
	const char *problem = ipvs_desired_check(next, &service);
	char text[WHY_SIZE];

	if (problem) {
		snprintf(why, 240, "%.100s: %s",
			service < next->n_services ? conf_service_name(next, service, name) : "the configuration",
			problem);
		return -1;
	}
	/* A first start goes on without, loudly: virtual addresses matter more. */
	if (v->now && ipvs_protect_check(v, next, text)) {
		snprintf(why, 240, "%s", text);
		return -1;
	}
	v->next = ipvs_generation_new(next, v->now);
	if (!v->next) {
		snprintf(why, 240, "out of memory");
		return -1;
	}
	return 0;
}

static void abort_prepared(struct role_process *p)
{
	struct ipvs *v = p->ctx;

	ipvs_generation_free(v->next);
	v->next = NULL;
}

/* What the generation before knew, or what a predecessor that died left on its board. */
static void carry_over(struct ipvs *v, struct ipvs_generation *g)
{
	const struct board *predecessor = v->p->boards[ROLE_IPVS];
	struct status_ipvs left;

	if (v->now) {
		ipvs_generation_carry(g, v->now);
		if (!g->takes_over)
			ipvs_report_carry(g, v->p->board, false);
		ipvs_generation_forget_old(g);
		return;
	}
	v->flush_at_first = g->conf->global->lvs_flush && !predecessor;
	if (predecessor && board_generation(predecessor) == g->conf->generation) {
		ipvs_generation_restore(g, predecessor);
		ipvs_report_carry(g, predecessor, true);
		/* One that died before it had programmed anything leaves a start to be summed up, not changes. */
		v->settled = board_load(predecessor, IPVS_TABLE_ROLE, 0, &left, sizeof(left)) == 0 && left.is_settled;
	}
}

static void publish(struct ipvs *v, struct ipvs_generation *g)
{
	struct board *board = g->board;

	if (g->takes_over) {
		role_renumber_board(v->p, g->conf->generation);
		return;
	}
	if (v->p->board)
		board_beat(v->p->board); /* the new one is not watched yet */
	board_store(board, IPVS_TABLE_ROLE, 0, &v->status, sizeof(v->status));
	ipvs_resync_carry(v, board, v->p->board ? v->p->board : v->p->boards[ROLE_IPVS]);
	g->board = NULL;
	role_publish_board(v->p, board);
}

static void commit(struct role_process *p, const struct conf *next)
{
	struct ipvs *v = p->ctx;
	struct ipvs_generation *g = v->next;

	(void)next;
	v->next = NULL;
	carry_over(v, g);
	publish(v, g);
	if (v->now)
		ipvs_owned_give_over(&v->now->configured, &v->ledger);
	ipvs_generation_free(v->now);
	v->now = g;
	/* Reloads in quick succession make nobody wait for longer. */
	if (!v->unread)
		v->memory_ends = mono_add(mono_now(), MEMORY_US);
	v->unread = true;
	/* With the same services and servers nothing can have been left behind, and the same is ours. */
	v->switched |= !g->takes_over;
	v->ledger_stale |= !g->takes_over;
	/* The rest in the next round, when the skeleton has switched too: events and notifications carry its
	 * generation.
	 */
	ipvs_protect_step(v);
	ipvs_reconcile_soon(v);
	ipvs_audit_start(v);
}

/* ---- doorbells ---- */

/* An instance may have changed its state. True when services come or go with it. */
static bool on_vrrp(struct ipvs *v)
{
	if (v->now->conf->global->sync_interface)
		ipvs_sync_step(v);
	return ipvs_place_step(v);
}

static void changed(struct role_process *p, enum role role, uint32_t table, uint32_t record)
{
	struct ipvs *v = p->ctx;
	bool is_new = false;

	if (p->stopping)
		return;
	if (role_kind(role) == ROLE_HEALTHCHECK && (table == HEALTH_TABLE_SERVER || table == UINT32_MAX))
		is_new = ipvs_state_read_health(v, record);
	else if (role == ROLE_PARENT && (table == PARENT_TABLE_ADMIN || table == UINT32_MAX))
		is_new = ipvs_state_read_admin(v, record);
	else if (role == ROLE_VRRP)
		is_new = on_vrrp(v);
	ipvs_resync_step(v);
	if (is_new)
		ipvs_reconcile_soon(v);
}

static void on_peer_changed(void *ctx, const struct msg_changed *m, int fd)
{
	struct ipvs_peer *peer = ctx;
	struct ipvs *v = peer->v;

	(void)fd;
	if (!v->now || m->role != (uint32_t)peer->channel.peer || m->generation != v->now->conf->generation)
		return;
	changed(v->p, peer->channel.peer, m->table, m->record);
}

static void close_peer(struct ipvs_peer *peer)
{
	if (peer->io)
		loop_io_remove(peer->io);
	if (peer->channel.fd >= 0)
		close(peer->channel.fd);
	peer->io = NULL;
	peer->channel.fd = -1;
}

static void on_peer(int fd, uint32_t events, void *arg)
{
	static const struct msg_handlers handlers = {.changed = on_peer_changed};
	struct ipvs_peer *peer = arg;
	struct ipvs *v = peer->v;
	int rc = channel_dispatch(&peer->channel, &handlers, peer, PEER_BUDGET);

	(void)fd;
	(void)events;
	if (rc < 0)
		close_peer(peer); /* the parent sends a new pair when the health checker is back */
	if (v->reconcile.slot)
		ipvs_reconcile(v); /* at once, not in the next round */
}

static void open_peer(struct ipvs *v, uint32_t number, int fd)
{
	struct ipvs_peer *peer;

	if (number >= CHECKERS_MAX) {
		close(fd);
		return;
	}
	peer = &v->peers[number];
	close_peer(peer);
	peer->v = v;
	peer->channel = (struct channel){.fd = fd, .self = ROLE_IPVS, .peer = role_checker(number)};
	peer->io = loop_io_add(v->p->loop, fd, EPOLLIN, on_peer, peer);
	if (!peer->io)
		close_peer(peer);
	else
		loop_io_priority(peer->io, PEER_PRIORITY);
}

static void file(struct role_process *p, enum msg_purpose purpose, uint32_t index, int fd)
{
	struct ipvs *v = p->ctx;
	int rc;

	if (purpose == MSG_PURPOSE_PEER) {
		open_peer(v, index, fd);
		return;
	}
	if (purpose != MSG_PURPOSE_LEDGER) {
		close(fd);
		return;
	}
	if (v->ledger_fd >= 0)
		close(v->ledger_fd);
	v->ledger_fd = fd;
	rc = ipvs_owned_load(&v->ledger, fd);
	if (rc < 0)
		log_error("ipvs: the ledger cannot be read: %s; services of a former run are taken for foreign ones",
			strerror(-rc));
	ipvs_sysctl_load(v);
	ipvs_protect_load(v);
}

/* ---- begin and end ---- */

static void set_timer(struct timer *timer, void (*fire)(struct timer *, void *), void *arg)
{
	timer->fire = fire;
	timer->arg = arg;
}

/* Before privileges are dropped: the socket keeps what it was opened with, but commands need CAP_NET_ADMIN anyway. */
static int open_role(struct role_process *p)
{
	struct ipvs *v = p->ctx;

	v->p = p;
	/* Said once, it does not move: tables and dumps lie in mappings of their own, which grow without a copy and are
	 * given back when they are freed. */
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	v->kernel = ipvs_kernel_open();
	if (!v->kernel)
		return -errno;
	set_timer(&v->reconcile, on_reconcile, v);
	set_timer(&v->retry, on_reconcile, v);
	set_timer(&v->audit, ipvs_audit_on_timer, v);
	set_timer(&v->poll, ipvs_follow_on_poll, v);
	ipvs_resync_init(v);
	ipvs_protect_init(v);
	return loop_timer_reserve(p->loop, 16);
}

/* omega_mode: the end of the service is told like its fall. */
static void notify_end(struct ipvs *v)
{
	const struct conf *conf = v->now->conf;

	for (uint32_t i = 0; i < conf->n_notifies; i++) {
		const struct conf_notify *n = &conf->notifies[i];

		if (n->owner == CONF_OWNER_SERVICE && n->event == CONF_NOTIFY_QUORUM_DOWN &&
			n->object < conf->n_services && conf->services[n->object].omega &&
			v->now->services[n->object].quorum.met)
			role_notify(v->p, i, CONF_NOTIFY_QUORUM_DOWN, 0);
		if (n->owner == CONF_OWNER_SERVER && n->event == CONF_NOTIFY_DOWN && n->object < conf->n_servers &&
			conf->services[conf->servers[n->object].service].omega && v->now->servers[n->object].up)
			role_notify(v->p, i, CONF_NOTIFY_DOWN, 0);
	}
}

static void stop(struct role_process *p, bool keep)
{
	struct ipvs *v = p->ctx;

	loop_timer_cancel(p->loop, &v->reconcile);
	loop_timer_cancel(p->loop, &v->audit);
	loop_timer_cancel(p->loop, &v->poll);
	loop_timer_cancel(p->loop, &v->retry);
	for (unsigned i = 0; i < CHECKERS_MAX; i++)
		close_peer(&v->peers[i]);
	ipvs_resync_stop(v);
	if (!keep && v->now) {
		notify_end(v);
		ipvs_sync_stop(v);
		ipvs_sysctl_stop(v);
		ipvs_reconcile_remove(v, v->now->conf->global->lvs_flush_on_stop);
	}
	ipvs_protect_stop(v, keep);
}

static const struct role_ops ops = {.role = ROLE_IPVS,
	.open = open_role,
	.prepare = prepare,
	.commit = commit,
	.abort = abort_prepared,
	.changed = changed,
	.file = file,
	.stop = stop};

int main(int argc, char **argv)
{
	static struct ipvs v = {.ledger_fd = -1};

	if (argc > 1 && strcmp(argv[1], "--release") == 0)
		return ipvs_release_main(argc, argv);
	for (unsigned i = 0; i < CHECKERS_MAX; i++)
		v.peers[i].channel.fd = -1;
	return role_main(&ops, &v, argc, argv);
}
