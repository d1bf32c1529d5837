/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a child role: arguments, privileges, generations in two phases, boards in and out, the beat, the end.
 * Runs in every child; never waits for anybody. A doorbell that does not fit is owed and rung with the next beat. */
#include "role.h"
#include "log.h"
#include "sandbox.h"
#include "status.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NO_RECORD (UINT32_MAX - 1)
#define ALL_RECORDS UINT32_MAX
#define DISPATCH_BUDGET 64

/* What role_main() keeps beside the public part. */
struct role_private {
	struct role_process p;
	struct conf *prepared;
	int64_t prepared_beat_us;
	struct timer beat, doorbell;
	int64_t beat_us;
	uint32_t dirty[BOARD_TABLES]; /* NO_RECORD, one record, or ALL_RECORDS */
	bool events_owed, board_owed;
	struct msg_handlers handlers;
	struct loop_io *io;
	const char *user;
};

static struct role_private *private_of(struct role_process *p)
{
	return (struct role_private *)p;
}

void role_exit(struct role_process *p, int code)
{
	loop_exit(p->loop, code);
}

/* Sends what is owed; what does not fit now stays owed. */
static void ring(struct role_private *r)
{
	struct role_process *p = &r->p;
	uint64_t generation = board_generation(p->board);

	if (r->board_owed) {
		struct msg_board m = {.role = p->role, .generation = generation};

		if (msg_send_board(&p->parent, &m, board_fd(p->board)) < 0)
			return;
		r->board_owed = false;
	}
	for (unsigned t = 0; t < BOARD_TABLES; t++) {
		struct msg_changed m = {.role = p->role, .table = t, .generation = generation, .record = r->dirty[t]};

		if (r->dirty[t] == NO_RECORD)
			continue;
		if (msg_send_changed(&p->parent, &m, -1) < 0)
			return;
		r->dirty[t] = NO_RECORD;
	}
	if (r->events_owed) {
		struct msg_events m = {.role = p->role, .seq = board_last_event(p->board)};

		if (msg_send_events(&p->parent, &m, -1) < 0)
			return;
		r->events_owed = false;
	}
}

static void on_doorbell(struct timer *timer, void *arg)
{
	struct role_private *r = arg;

	(void)timer;
	if (r->p.board)
		ring(r);
}

/* Rings once a loop round, however many records were stored in it. */
static void ring_soon(struct role_private *r)
{
	if (!r->doorbell.slot)
		loop_timer_set(r->p.loop, &r->doorbell, mono_now());
}

/* All threads together. */
static uint64_t processor_time_us(void)
{
	struct timespec ts = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * US_PER_S + (uint64_t)ts.tv_nsec / 1000;
}

static void on_beat(struct timer *timer, void *arg)
{
	struct role_private *r = arg;

	sandbox_tell_refused();
	if (r->p.board) {
		board_beat(r->p.board);
		board_tell_cpu(r->p.board, processor_time_us());
		ring(r);
	}
	loop_timer_set(r->p.loop, timer, mono_add(mono_now(), r->beat_us));
}

void role_publish_board(struct role_process *p, struct board *board)
{
	struct role_private *r = private_of(p);
	struct board *old = p->board ? p->board : p->boards[p->role];

	if (old) {
		board_continue(board, old);
		board_close(old);
	}
	p->boards[p->role] = NULL;
	p->board = board;
	board_beat(board);
	for (unsigned t = 0; t < BOARD_TABLES; t++)
		r->dirty[t] = NO_RECORD;
	r->board_owed = true;
	ring(r);
}

void role_renumber_board(struct role_process *p, uint64_t generation)
{
	struct role_private *r = private_of(p);

	board_renumber(p->board, generation);
	board_beat(p->board);
	/* Who gets it reads all of it. */
	for (unsigned t = 0; t < BOARD_TABLES; t++)
		r->dirty[t] = NO_RECORD;
	r->board_owed = true;
	ring(r);
}

void role_store_quiet(struct role_process *p, unsigned table, uint32_t index, const void *record, size_t size)
{
	if (p->board)
		board_store(p->board, table, index, record, size);
}

void role_store(struct role_process *p, unsigned table, uint32_t index, const void *record, size_t size)
{
	struct role_private *r = private_of(p);

	if (!p->board || !board_store(p->board, table, index, record, size))
		return;
	if (r->dirty[table] != index)
		r->dirty[table] = r->dirty[table] == NO_RECORD ? index : ALL_RECORDS;
	ring_soon(r);
}

void role_event(struct role_process *p, struct event *event)
{
	if (!p->board)
		return;
	event->generation = board_generation(p->board);
	board_event(p->board, event);
	private_of(p)->events_owed = true;
	ring_soon(private_of(p));
}

void role_notify(struct role_process *p, conf_index_t notify, enum conf_notify_event event, uint32_t priority)
{
	struct msg_notify m = {
		.generation = p->conf->generation, .notify = notify, .event = event, .priority = priority};

	if (msg_send_notify(&p->parent, &m, -1) < 0)
		log_error("%s: a notification script is not run: the parent takes no message", role_name(p->role));
}

/* ---- messages from the parent ---- */

static void vote(struct role_private *r, uint64_t generation, bool accept, const char *why)
{
	struct msg_vote m = {.generation = generation, .accept = accept};

	strncpy(m.why, why, sizeof(m.why) - 1);
	if (msg_send_vote(&r->p.parent, &m, -1) < 0)
		log_error("%s: the vote on configuration %llu could not be sent", role_name(r->p.role),
			(unsigned long long)generation);
}

static void forget_prepared(struct role_private *r)
{
	if (!r->prepared)
		return;
	if (r->p.ops->abort)
		r->p.ops->abort(&r->p);
	conf_close(r->prepared);
	r->prepared = NULL;
}

static void on_generation(void *ctx, const struct msg_generation *m, int fd)
{
	struct role_private *r = ctx;
	struct conf *next = conf_open_checked(fd);
	char why[240] = "";

	forget_prepared(r);
	/* Checking a large table took its time, and preparing for it takes more. */
	if (r->p.board)
		board_beat(r->p.board);
	if (!next || next->generation != m->generation) {
		vote(r, m->generation, false, "the configuration table is not one of this version");
		conf_close(next);
		return;
	}
	if ((role_reads_boards(r->p.role) & ROLES_CHECKERS) && conf_spread(next) < 0) {
		vote(r, m->generation, false, "not enough memory for the servers of several health checkers");
		conf_close(next);
		return;
	}
	if (r->p.ops->prepare && r->p.ops->prepare(&r->p, next, why) < 0) {
		vote(r, m->generation, false, why);
		conf_close(next);
		return;
	}
	r->prepared = next;
	r->prepared_beat_us = m->beat_us;
	vote(r, m->generation, true, "");
}

static void on_decide(void *ctx, const struct msg_decide *m, int fd)
{
	struct role_private *r = ctx;
	struct conf *old = r->p.conf;

	(void)fd;
	if (!r->prepared || r->prepared->generation != m->generation)
		return;
	if (!m->commit) {
		forget_prepared(r);
		return;
	}
	r->p.ops->commit(&r->p, r->prepared);
	r->p.conf = r->prepared;
	r->prepared = NULL;
	conf_close(old);
	if (r->prepared_beat_us > 0)
		r->beat_us = r->prepared_beat_us;
	loop_timer_set(r->p.loop, &r->beat, mono_now());
}

static void on_board(void *ctx, const struct msg_board *m, int fd)
{
	struct role_private *r = ctx;
	struct board *board;

	if (m->role >= ROLE_COUNT) {
		close(fd);
		return;
	}
	board = board_open(fd, (enum role)m->role);
	if (!board) {
		log_error("%s: the board of %s is not one of this version", role_name(r->p.role),
			role_name((enum role)m->role));
		return;
	}
	board_close(r->p.boards[m->role]);
	r->p.boards[m->role] = board;
	if (m->role == r->p.role || !r->p.conf)
		return;
	if (r->p.ops->changed)
		r->p.ops->changed(&r->p, (enum role)m->role, UINT32_MAX, UINT32_MAX);
	if (r->p.ops->events)
		r->p.ops->events(&r->p, (enum role)m->role);
}

static void on_changed(void *ctx, const struct msg_changed *m, int fd)
{
	struct role_private *r = ctx;

	(void)fd;
	if (r->p.conf && r->p.ops->changed && m->role < ROLE_COUNT)
		r->p.ops->changed(&r->p, (enum role)m->role, m->table, m->record);
}

static void on_events(void *ctx, const struct msg_events *m, int fd)
{
	struct role_private *r = ctx;

	(void)fd;
	if (r->p.conf && r->p.ops->events && m->role < ROLE_COUNT)
		r->p.ops->events(&r->p, (enum role)m->role);
}

static void on_file(void *ctx, const struct msg_file *m, int fd)
{
	struct role_private *r = ctx;

	if (r->p.ops->file && m->purpose < MSG_PURPOSE_COUNT)
		r->p.ops->file(&r->p, (enum msg_purpose)m->purpose, m->index, fd);
	else
		close(fd);
}

static void stop(struct role_private *r, bool keep)
{
	if (r->p.stopping)
		return;
	r->p.stopping = true;
	if (r->p.ops->stop)
		r->p.ops->stop(&r->p, keep);
	else
		role_exit(&r->p, 0);
}

static void on_stop(void *ctx, const struct msg_stop *m, int fd)
{
	(void)fd;
	stop(ctx, m->keep);
}

static void on_parent(int fd, uint32_t events, void *arg)
{
	struct role_private *r = arg;
	int rc = channel_dispatch(&r->p.parent, &r->handlers, r, DISPATCH_BUDGET);

	(void)fd;
	(void)events;
	if (rc >= 0)
		return;
	loop_io_remove(r->io);
	r->io = NULL;
	close(r->p.parent.fd);
	r->p.parent.fd = -1;
	log_error("%s: the parent process is gone (%s): stopping", role_name(r->p.role), strerror(-rc));
	/* Mastership is handed over; the kernel's IPVS table stays, because connections run through it and the next
	 * parent adopts it. */
	stop(r, r->p.role == ROLE_IPVS);
}

static void on_sigterm(int signo, void *arg)
{
	(void)signo;
	stop(arg, false);
}

/* ---- start ---- */

static int parse_arguments(struct role_private *r, int argc, char **argv)
{
	static const struct option options[] = {{"channel", required_argument, NULL, 'c'},
		{"log", required_argument, NULL, 'l'}, {"user", required_argument, NULL, 'u'},
		{"level", required_argument, NULL, 'v'}, {"beat-us", required_argument, NULL, 'b'},
		{"role", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
	int role = (int)r->p.role;
	int log_fd = -1;
	int option;

	r->p.parent.fd = -1;
	r->beat_us = 500 * US_PER_MS;
	while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		if (option == 'c')
			r->p.parent.fd = atoi(optarg);
		else if (option == 'l')
			log_fd = atoi(optarg);
		else if (option == 'u')
			r->user = optarg;
		else if (option == 'v')
			log_set_level((enum log_level)atoi(optarg));
		else if (option == 'b')
			r->beat_us = atoll(optarg);
		else if (option == 'r')
			role = atoi(optarg);
		else
			return -EINVAL;
	}
	if (r->p.parent.fd < 0 || log_fd < 0 || !r->user || r->beat_us <= 0 || role < 0 || role >= ROLE_COUNT ||
		role_kind((enum role)role) != r->p.ops->role)
		return -EINVAL;
	r->p.role = r->p.parent.self = (enum role)role;
	log_to_parent(role_name(r->p.role), log_fd);
	return 0;
}

static void merge_handlers(struct role_private *r)
{
	r->handlers = (struct msg_handlers){.generation = on_generation,
		.decide = on_decide,
		.board = on_board,
		.changed = on_changed,
		.events = on_events,
		.file = on_file,
		.stop = on_stop};
	if (!r->p.ops->handlers)
		return;
		/* Every message that is in nobody's list is refused, and its sender taken for broken. */
#define MSG(name, from, to, fds, ...)                                                                                  \
	if (!r->handlers.name)                                                                                         \
		r->handlers.name = r->p.ops->handlers->name;
#include "msg.def"
#undef MSG
}

static int start(struct role_private *r)
{
	struct role_process *p = &r->p;
	int rc;

	p->loop = loop_new();
	if (!p->loop)
		return -errno;
	rc = p->ops->open ? p->ops->open(p) : 0;
	if (rc < 0)
		return rc;
	rc = sandbox_enter(p->role, r->user);
	if (rc < 0) {
		log_error(
			"%s: privileges cannot be dropped to user %s: %s", role_name(p->role), r->user, strerror(-rc));
		return rc;
	}
	r->io = loop_io_add(p->loop, p->parent.fd, EPOLLIN, on_parent, r);
	if (!r->io)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	rc = loop_signal_add(p->loop, SIGTERM, on_sigterm, r);
	if (rc < 0)
		return rc;
	r->beat.fire = on_beat;
	r->beat.arg = r;
	r->doorbell.fire = on_doorbell;
	r->doorbell.arg = r;
	loop_timer_set(p->loop, &r->beat, mono_now());
	return 0;
}

int role_main(const struct role_ops *ops, void *ctx, int argc, char **argv)
{
	struct role_private *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return 1;
	r->p.role = ops->role;
	r->p.ops = ops;
	r->p.ctx = ctx;
	r->p.parent.self = ops->role;
	r->p.parent.peer = ROLE_PARENT;
	if (parse_arguments(r, argc, argv) < 0) {
		log_error("%s: this program is started by poised, not by hand", argv[0]);
		return 2;
	}
	merge_handlers(r);
	rc = start(r);
	if (rc < 0) {
		log_error("%s: cannot start: %s", role_name(r->p.role), strerror(-rc));
		return 1;
	}
	rc = loop_run(r->p.loop);
	return rc < 0 ? 1 : rc;
}
