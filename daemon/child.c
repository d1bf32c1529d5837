/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One child of the parent: starting its program, handing it what it needs, noticing its end. Runs in the parent; never
 * waits for a child. */
#include "needed.h"
#include "parent.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DISPATCH_BUDGET 64

void child_set_state(struct child *c, enum role_state state, const char *fmt, ...)
{
	struct event event = {.kind = EVENT_ROLE, .object = c->role, .from = c->status.state, .to = state};
	bool changed = c->status.state != state;
	va_list args;

	c->status.state = state;
	c->status.pid = c->pid;
	c->status.since_real_us = real_now_us();
	va_start(args, fmt);
	vsnprintf(c->status.why, sizeof(c->status.why), fmt, args);
	va_end(args);
	parent_store(c->parent, PARENT_TABLE_ROLE, c->role, &c->status, sizeof(c->status));
	if (!changed)
		return;
	snprintf(event.name, sizeof(event.name), "%s", role_name(c->role));
	snprintf(event.why, sizeof(event.why), "%.150s", c->status.why);
	parent_event(c->parent, &event);
}

/* ---- messages from the child ---- */

/* Passes a doorbell on to every role that reads the sender's board. */
static void forward(struct parent *p, enum role from, enum msg_type type, const void *m, size_t size)
{
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		parent_tell(&p->children[r], from, type, m, size);
}

static void on_board(void *ctx, const struct msg_board *m, int fd)
{
	struct child *c = ctx;
	struct board *board = board_open(fd, c->role);

	if (!board) {
		child_kill(c, "its board is not one of this version");
		return;
	}
	board_close(c->board);
	c->board = board;
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		parent_give_board(c->parent, &c->parent->children[r], c->role);
	if (c->status.state != ROLE_STARTING)
		return;
	/* Not before: one that cannot get ready holds nothing that the neighbour waits for. */
	if (c->role == ROLE_VRRP)
		loop_timer_cancel(c->parent->loop, &c->parent->give_up);
	child_set_state(
		c, ROLE_RUNNING, "process %d serves generation %llu", c->pid, (unsigned long long)m->generation);
}

static void on_changed(void *ctx, const struct msg_changed *m, int fd)
{
	struct child *c = ctx;
	struct msg_changed pass = *m;

	(void)fd;
	pass.role = c->role;
	forward(c->parent, c->role, MSG_changed, &pass, sizeof(pass));
}

static void on_events(void *ctx, const struct msg_events *m, int fd)
{
	struct child *c = ctx;
	struct msg_events pass = *m;

	(void)fd;
	pass.role = c->role;
	forward(c->parent, c->role, MSG_events, &pass, sizeof(pass));
}

static void on_vote(void *ctx, const struct msg_vote *m, int fd)
{
	(void)fd;
	reload_vote(ctx, m);
}

static void on_weighed(void *ctx, const struct msg_weighed *m, int fd)
{
	struct child *c = ctx;

	(void)fd;
	reload_weighed(c->parent, m);
}

static void on_command(void *ctx, const struct msg_command *m, int fd)
{
	struct child *c = ctx;

	(void)fd;
	admin_command(c->parent, m);
}

static void on_notify(void *ctx, const struct msg_notify *m, int fd)
{
	struct child *c = ctx;
	struct child *script = &c->parent->children[ROLE_SCRIPT];

	(void)fd;
	if (!script->pid || msg_send_notify(&script->channel, m, -1) < 0)
		log_error("script: a notification of %s is not run: %s", role_name(c->role),
			script->pid ? "too many are waiting" : "the script role is not running");
}

/* What vrrp was asked on behalf of a client. */
static void on_answer(void *ctx, const struct msg_answer *m, int fd)
{
	struct child *c = ctx;
	struct child *control = &c->parent->children[ROLE_CONTROL];

	(void)fd;
	if (control->pid)
		msg_send_answer(&control->channel, m, -1);
}

static void on_peer_admin(void *ctx, const struct msg_peer_admin *m, int fd)
{
	struct child *c = ctx;

	(void)fd;
	admin_hear_peer(c->parent, m);
}

static void on_peer_pool(void *ctx, const struct msg_peer_pool *m, int fd)
{
	struct child *c = ctx;

	(void)fd;
	pool_hear_peer(c->parent, m);
}

static void on_want_file(void *ctx, const struct msg_want_file *m, int fd)
{
	(void)fd;
	lend_wanted(ctx, m);
}

static void on_hook_done(void *ctx, const struct msg_hook_done *m, int fd)
{
	struct child *c = ctx;

	(void)fd;
	hook_done(c->parent, m);
}

static void on_reload_due(void *ctx, const struct msg_reload_due *m, int fd)
{
	struct child *c = ctx;

	(void)m;
	(void)fd;
	log_info("configuration: reload asked for by reload_time_file");
	reload_begin(c->parent, &(struct reload_order){.goal = RELOAD_FILE, .must_not_cut = true});
}

static const struct msg_handlers handlers = {.board = on_board,
	.hook_done = on_hook_done,
	.reload_due = on_reload_due,
	.want_file = on_want_file,
	.changed = on_changed,
	.events = on_events,
	.vote = on_vote,
	.weighed = on_weighed,
	.command = on_command,
	.answer = on_answer,
	.peer_admin = on_peer_admin,
	.peer_pool = on_peer_pool,
	.notify = on_notify};

static void on_channel(int fd, uint32_t events, void *arg)
{
	struct child *c = arg;
	int rc = channel_dispatch(&c->channel, &handlers, c, DISPATCH_BUDGET);

	(void)fd;
	(void)events;
	if (rc == -EPROTO)
		child_kill(c, "it sent a message that it may not send");
	if (rc >= 0)
		return;
	/* The end of the process follows and is handled there. */
	loop_io_remove(c->io);
	c->io = NULL;
}

/* ---- the end ---- */

void child_kill(struct child *c, const char *why)
{
	if (!c->pid || c->supervise.is_killed)
		return;
	c->supervise.is_killed = true; /* a loaded machine takes its time to report the end */
	log_error("%s: killed: %s", role_name(c->role), why);
	kill(c->pid, SIGKILL);
}

static void describe_end(const siginfo_t *info, char *buf, size_t size)
{
	if (info->si_code == CLD_EXITED && info->si_status == 127)
		snprintf(buf, size, "its program cannot be run");
	else if (info->si_code == CLD_EXITED)
		snprintf(buf, size, "exit status %d", info->si_status);
	else
		snprintf(buf, size, "killed by signal %d (%s)", info->si_status, strsignal(info->si_status));
}

static void close_channel(struct child *c)
{
	loop_io_remove(c->io);
	c->io = NULL;
	if (c->channel.fd >= 0)
		close(c->channel.fd);
	c->channel.fd = -1;
}

static void on_end(pid_t pid, const siginfo_t *info, void *arg)
{
	struct child *c = arg;
	struct parent *p = c->parent;
	int64_t delay;
	char end[80];

	(void)pid;
	/* What it said last (its board, its events) is still in the socket. */
	if (c->io)
		channel_dispatch(&c->channel, &handlers, c, 1024);
	close_channel(c);
	c->pid = 0;
	c->vote = VOTE_NOT_ASKED;
	describe_end(info, end, sizeof(end));
	if (p->stop_phase != STOP_NOT) {
		child_set_state(c, ROLE_ABSENT, "stopped (%s)", end);
		if (c->role == ROLE_SCRIPT && p->hook.holds_stop)
			hook_lost(p);
		else
			stop_advance(p);
		return;
	}
	delay = supervise_restart_delay_us(&c->supervise, c->status.state == ROLE_STARTING, mono_now());
	c->status.restarts++;
	log_error("%s: ended: %s: starting again%s", role_name(c->role), end, delay ? " after a pause" : "");
	child_set_state(c, ROLE_BACKOFF, "ended: %s", end);
	if (c->role == ROLE_VRRP && !p->give_up.slot)
		loop_timer_set(p->loop, &p->give_up, mono_add(mono_now(), p->patience_us));
	reload_absent(p);
	loop_timer_set(p->loop, &c->restart, mono_add(mono_now(), delay));
	if (c->role == ROLE_SCRIPT)
		hook_lost(p);
}

/* ---- the start ---- */

void child_keep_only(const int *fds, unsigned n)
{
	unsigned from = STDERR_FILENO + 1, next;

	for (;; from = next + 1) {
		next = UINT_MAX;
		for (unsigned i = 0; i < n; i++) {
			if ((unsigned)fds[i] >= from && (unsigned)fds[i] < next)
				next = (unsigned)fds[i];
		}
		if (next > from)
			close_range(from, next - 1, 0);
		if (next == UINT_MAX)
			return;
	}
}

/* In the child. A fork, not vfork, with which the parent would stand still until the program has been read: a disk that
 * hangs would take the one away that looks after all roles. */
static void __attribute__((noreturn)) exec_child(char *const argv[], int channel, int log, int network)
{
	static const int ignored[] = {SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
	const int kept[] = {channel, log};
	sigset_t none;

	/* What a role ignores must not end it before it gets to say so: a signal may go to all processes of this name.
	 */
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (network >= 0 && setns(network, CLONE_NEWNET) < 0)
		_exit(126);
	child_keep_only(kept, 2);
	if (channel >= 0)
		fcntl(channel, F_SETFD, 0);
	fcntl(log, F_SETFD, 0);
	execv(argv[0], argv);
	_exit(127);
}

static pid_t spawn(struct child *c, int channel)
{
	char path[PATH_MAX];
	char channel_arg[16], log_arg[16], level_arg[16], beat_arg[24], role_arg[16];
	int64_t limit = supervise_beat_limit_us(c->role, c->parent->patience_us);
	bool is_further = role_kind(c->role) != c->role; /* of several checkers; all others know what they are */
	const char *through = c->role == ROLE_SCRIPT ? c->parent->options.script_socket : NULL;
	char *argv[] = {path, (char *)"--through", (char *)(uintptr_t)through, (char *)"--channel", channel_arg,
		(char *)"--log", log_arg, (char *)"--user", c->parent->user, (char *)"--level", level_arg,
		(char *)"--beat-us", beat_arg, is_further ? (char *)"--role" : NULL, role_arg, NULL};
	/* A role that is no relay to a unit gets neither of the two words. */
	char **args = through ? argv : argv + 2;
	pid_t pid;

	if (program_path_role(c->role, path) < 0)
		return -1;
	snprintf(channel_arg, sizeof(channel_arg), "%d", channel);
	snprintf(log_arg, sizeof(log_arg), "%d", c->parent->scribe.queue[1]);
	snprintf(level_arg, sizeof(level_arg), "%d", (int)log_get_level());
	snprintf(beat_arg, sizeof(beat_arg), "%lld", (long long)supervise_beat_period_us(limit));
	snprintf(role_arg, sizeof(role_arg), "%d", (int)c->role);
	args[0] = path;
	pid = fork();
	if (pid == 0)
		exec_child(args, channel, c->parent->scribe.queue[1],
			c->role == ROLE_IPVS ? c->parent->ipvs_namespace_fd : -1);
	return pid;
}

static void send_indexed_file(struct child *c, enum msg_purpose purpose, uint32_t index, int fd)
{
	struct msg_file m = {.purpose = purpose, .index = index};

	if (c->pid && fd >= 0 && msg_send_file(&c->channel, &m, fd) < 0)
		log_error("%s: a descriptor could not be handed over", role_name(c->role));
}

static void send_file(struct child *c, enum msg_purpose purpose, int fd)
{
	send_indexed_file(c, purpose, 0, fd);
}

/* The short path from a health result to the kernel: a socket pair of their own for each health checker, made anew when
 * either of them starts. */
static void connect_pair(struct child *checker, struct child *ipvs)
{
	int fds[2];

	if (!checker->pid || !ipvs->pid || channel_pair(fds) < 0)
		return;
	send_file(checker, MSG_PURPOSE_PEER, fds[0]);
	send_indexed_file(ipvs, MSG_PURPOSE_PEER, role_checker_number(checker->role), fds[1]);
	close(fds[0]);
	close(fds[1]);
}

static void connect_pairs(struct child *started)
{
	struct child *children = started->parent->children;

	for (unsigned i = 0; i < CHECKERS_MAX; i++) {
		struct child *checker = &children[role_checker(i)];

		if (started == checker || started->role == ROLE_IPVS)
			connect_pair(checker, &children[ROLE_IPVS]);
	}
}

/* An order is no doorbell: a queue that is full of those is made larger for it. */
static int send_order(struct child *c, enum msg_type type, const void *m, size_t size, int fd)
{
	int rc = channel_send(&c->channel, type, m, size, fd);

	if (rc != -EAGAIN)
		return rc;
	channel_enlarge(c->channel.fd);
	return channel_send(&c->channel, type, m, size, fd);
}

void child_send_decide(struct child *c, uint64_t generation, bool commit)
{
	struct msg_decide m = {.generation = generation, .commit = commit};

	if (send_order(c, MSG_decide, &m, sizeof(m), -1) < 0)
		child_kill(c, "it takes no message");
}

void child_send_generation(struct child *c, const struct conf *conf, bool is_first)
{
	struct msg_generation m = {.generation = conf->generation, .is_first = is_first};
	int fd;

	m.beat_us = (uint32_t)supervise_beat_period_us(
		supervise_beat_limit_us(c->role, is_first ? c->parent->patience_us : supervise_patience_us(conf)));
	fd = share_table(c->parent, conf, c->role);
	if (fd < 0 || send_order(c, MSG_generation, &m, sizeof(m), fd) < 0)
		child_kill(c, "it could not be given the configuration");
	else if (is_first)
		child_send_decide(c, conf->generation, true);
}

static void hand_over(struct child *c)
{
	struct parent *p = c->parent;

	send_file(c, MSG_PURPOSE_LEDGER, p->ledger_fds[c->role]);
	if (c->role == ROLE_VRRP) {
		send_file(c, MSG_PURPOSE_MARKS, p->marks_fd);
		send_file(c, MSG_PURPOSE_HEART, p->heart_fd);
		send_file(c, MSG_PURPOSE_PATHS, p->paths_fd);
	}
	if (c->role == ROLE_CONTROL)
		send_file(c, MSG_PURPOSE_LISTENER, p->listener_fd);
	connect_pairs(c);
	if (c->board) {
		struct msg_board m = {.role = c->role, .is_predecessor = 1, .generation = board_generation(c->board)};

		msg_send_board(&c->channel, &m, board_fd(c->board));
	}
	parent_send_boards(p, c);
	if (p->conf)
		child_send_generation(c, p->conf, true);
}

static void try_again_later(struct child *c)
{
	loop_timer_set(c->parent->loop, &c->restart,
		mono_add(mono_now(), supervise_restart_delay_us(&c->supervise, true, mono_now())));
}

/* A process whose end would not be heard of is ended. That it has, is found out at the next try, and then it is as with
 * any other. */
static bool watch_end(struct child *c)
{
	int rc = loop_child_add(c->parent->loop, c->pid, on_end, c);
	char why[80];

	if (rc == 0)
		return true;
	snprintf(why, sizeof(why), "its end cannot be watched for: %s: trying again", strerror(-rc));
	child_kill(c, why);
	child_set_state(c, ROLE_BACKOFF, "%s", why);
	try_again_later(c);
	return false;
}

void child_start(struct child *c)
{
	struct parent *p = c->parent;
	int fds[2];
	int rc = channel_pair(fds);

	if (rc == 0) {
		/* Many things may move at once, and each may have a notification. Doorbells are owed where they do not
		 * fit. */
		channel_enlarge(fds[1]);
		if (c->role == ROLE_SCRIPT)
			channel_enlarge(fds[0]);
		c->pid = spawn(c, fds[1]);
		close(fds[1]);
		if (c->pid < 0)
			close(fds[0]);
	}
	if (rc < 0 || c->pid < 0) {
		c->pid = 0;
		log_error("%s: cannot be started: %s", role_name(c->role), strerror(rc < 0 ? -rc : errno));
		try_again_later(c);
		return;
	}
	c->channel = (struct channel){.fd = fds[0], .self = ROLE_PARENT, .peer = c->role};
	c->owed = 0;
	supervise_started(&c->supervise, mono_now());
	c->status.cpu_percent = 0;
	c->io = loop_io_add(p->loop, c->channel.fd, EPOLLIN, on_channel, c);
	if (!watch_end(c))
		return;
	if (!c->io) {
		child_kill(c, "no memory to listen to it");
		return;
	}
	child_set_state(c, ROLE_STARTING, "process %d started", c->pid);
	hand_over(c);
}

/* vrrp takes away what a former life has left, whatever the configuration says by now. */
bool child_has_past(const struct child *c)
{
	const struct parent *p = c->parent;
	const int fds[] = {p->ledger_fds[ROLE_VRRP], p->paths_fd};
	struct stat st;

	for (size_t i = 0; c->role == ROLE_VRRP && i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0 && fstat(fds[i], &st) == 0 && st.st_size > 0)
			return true;
	return false;
}

void child_start_if_needed(struct child *c)
{
	const char *why_not = needed_why_not(c->parent->conf, c->role);

	/* One that has died waits for its timer. */
	if (c->restart.slot)
		return;
	if (hook_holds(c->parent, c->role))
		child_set_state(c, ROLE_ABSENT, "waits for startup_script");
	else if (!why_not || child_has_past(c))
		child_start(c);
	else
		child_set_state(c, ROLE_ABSENT, "not needed: %s", why_not);
}

static void on_restart(struct timer *timer, void *arg)
{
	struct child *c = arg;

	(void)timer;
	if (c->pid)
		watch_end(c);
	else
		child_start(c);
}

void child_init(struct parent *p, enum role role)
{
	struct child *c = &p->children[role];

	c->parent = p;
	c->role = role;
	c->channel.fd = -1;
	c->restart.fire = on_restart;
	c->restart.arg = c;
	snprintf(c->status.why, sizeof(c->status.why), "not started yet");
}

static void on_released(pid_t pid, const siginfo_t *info, void *arg)
{
	(void)pid;
	(void)arg;
	if (info->si_code != CLD_EXITED || info->si_status != 0)
		log_error("vrrp: virtual addresses could not be taken away: they go when their lifetime ends");
}

void child_release_addresses(struct parent *p)
{
	char path[PATH_MAX];
	char ledger[PATH_MAX];
	char *argv[] = {path, (char *)"--release", (char *)"--ledger", ledger, NULL};
	pid_t pid;

	if (program_path_role(ROLE_VRRP, path) < 0)
		return;
	snprintf(ledger, sizeof(ledger), "%s/ledger.vrrp", p->options.run_dir);
	pid = fork();
	if (pid == 0)
		exec_child(argv, -1, p->scribe.queue[1], -1);
	if (pid < 0 || loop_child_add(p->loop, pid, on_released, p) < 0)
		log_error("vrrp: virtual addresses could not be taken away: %s", strerror(errno));
}
