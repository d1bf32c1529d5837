/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent: opens what needs privilege, starts the roles, watches their beats, keeps its own board and routes the
 * boards of others. Runs as root; it never parses foreign bytes and never waits for anybody. */
#include "parent.h"
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <unistd.h>

/* At the end, for the last log lines. */
#define LOG_PATIENCE_US (2 * US_PER_S)
/* And for the last words of operators. */
#define DISK_PATIENCE_US (5 * US_PER_S)

/* ---- boards to their readers ---- */

static bool is_reader(const struct child *to, enum role of)
{
	return to->pid && (role_reads_boards(to->role) & ROLE_BIT(of));
}

/* Who has gone away owes nothing to anybody: its successor gets everything at its start. */
static void note_debt(struct child *to, enum role about, int rc)
{
	if (rc < 0 && rc != -EPIPE)
		to->owed |= ROLE_BIT(about);
}

void parent_tell(struct child *to, enum role about, enum msg_type type, const void *m, size_t size)
{
	if (is_reader(to, about))
		note_debt(to, about, channel_send(&to->channel, type, m, size, -1));
}

void parent_give_board(struct parent *p, struct child *to, enum role of)
{
	const struct board *board = of == ROLE_PARENT ? p->board : p->children[of].board;
	struct msg_board m = {.role = of};

	if (!board || !is_reader(to, of))
		return;
	m.generation = board_generation(board);
	to->owed &= ~ROLE_BIT(of);
	note_debt(to, of, msg_send_board(&to->channel, &m, board_fd(board)));
}

void parent_send_boards(struct parent *p, struct child *to)
{
	for (enum role r = ROLE_PARENT; r < ROLE_COUNT; r++)
		parent_give_board(p, to, r);
}

/* A queue that was full may have room by now. */
static void settle_debts(struct parent *p, struct child *to)
{
	for (enum role r = ROLE_PARENT; to->owed && r < ROLE_COUNT; r++)
		if (to->owed & ROLE_BIT(r))
			parent_give_board(p, to, r);
}

/* ---- the own board ---- */

void parent_store(struct parent *p, unsigned table, uint32_t index, const void *record, size_t size)
{
	struct msg_changed m = {.role = ROLE_PARENT, .table = table, .record = index};

	if (!p->board || !board_store(p->board, table, index, record, size))
		return;
	m.generation = board_generation(p->board);
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		parent_tell(&p->children[r], ROLE_PARENT, MSG_changed, &m, sizeof(m));
}

void parent_event(struct parent *p, struct event *event)
{
	struct msg_events m = {.role = ROLE_PARENT};

	if (!p->board)
		return;
	event->generation = board_generation(p->board);
	m.seq = board_event(p->board, event);
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		parent_tell(&p->children[r], ROLE_PARENT, MSG_events, &m, sizeof(m));
}

void parent_publish_board(struct parent *p)
{
	struct board_shape shape = {.record_size = {sizeof(struct status_role), sizeof(struct status_admin),
					    sizeof(struct status_daemon), sizeof(struct status_pool)},
		.count = {ROLE_COUNT, p->conf->n_servers, 1, (uint32_t)p->intents.n_pool}};
	struct board *board = board_create(ROLE_PARENT, p->conf->generation, &shape);

	if (!board) {
		log_error("poised: no memory for its board: status stays at the former generation");
		return;
	}
	if (p->board)
		board_continue(board, p->board);
	for (enum role r = ROLE_PARENT; r < ROLE_COUNT; r++)
		board_store(board, PARENT_TABLE_ROLE, r, &p->children[r].status, sizeof(struct status_role));
	admin_fill_board(p, board);
	pool_fill_board(p, board);
	board_store(board, PARENT_TABLE_DAEMON, 0, &p->daemon, sizeof(p->daemon));
	board_close(p->board);
	p->board = board;
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		parent_give_board(p, &p->children[r], ROLE_PARENT);
}

/* ---- watching ---- */

static int64_t watch_period_us(const struct parent *p)
{
	return supervise_beat_limit_us(ROLE_VRRP, p->patience_us) / 4;
}

/* A role that beats, or should. */
static bool is_watched(const struct child *c)
{
	return c->pid && c->board && c->status.state != ROLE_STARTING;
}

/* A role that runs in a circle beats all the same. */
static void watch_usage(struct child *c, struct mono now)
{
	int percent = supervise_usage(&c->supervise, board_cpu_us(c->board), now);
	bool was_busy = c->status.cpu_percent >= STATUS_BUSY_PERCENT;

	if (percent < 0)
		return;
	c->status.cpu_percent = (uint32_t)percent;
	parent_store(c->parent, PARENT_TABLE_ROLE, c->role, &c->status, sizeof(c->status));
	if (percent >= STATUS_BUSY_PERCENT && !was_busy)
		log_warning("%s: used %d %% of a core in the last minute: %s", role_name(c->role), percent,
			role_kind(c->role) == ROLE_HEALTHCHECK
				? "raise check_processes or the intervals"
				: "it has too much to do, or has an error: please report it");
	else if (percent < STATUS_BUSY_PERCENT && was_busy)
		log_info(
			"%s: used %d %% of a core in the last minute, no longer too much", role_name(c->role), percent);
}

/* Reads what the kernel says of a process; false when it says nothing. */
static bool look_at_process(pid_t pid, struct supervise_look *look)
{
	unsigned long long run_ns;
	char path[40], name[64];
	bool known = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)pid);
	file = fopen(path, "re");
	known = file && fscanf(file, "%llu", &run_ns) == 1;
	if (file)
		fclose(file);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = known ? fopen(path, "re") : NULL;
	/* Names of roles have neither blanks nor parentheses. */
	known = file && fscanf(file, "%*d %63s %c", name, &look->state) == 2;
	if (file)
		fclose(file);
	look->run_us = known ? (int64_t)(run_ns / 1000) : 0;
	return known;
}

/* Whether it is late because the machine lets it wait. */
static bool waits_for_processor(struct child *c, bool is_late, struct mono now)
{
	struct supervise_look look;

	return supervise_waits(&c->supervise, is_late && look_at_process(c->pid, &look) ? &look : NULL, now);
}

/* It is left alone, which somebody should know. */
static void excuse(struct child *c, struct mono now, int64_t limit_us)
{
	int64_t late_us = mono_diff_us(now, c->supervise.beat_seen);

	if (c->supervise.is_excused || late_us <= limit_us)
		return;
	c->supervise.is_excused = true;
	log_warning("%s: waits for a processor since %lld ms: the machine has too much to do, or was stopped",
		role_name(c->role), (long long)(late_us / US_PER_MS));
}

static void watch_child(struct child *c, struct mono now, int64_t tick_us, int64_t limit_us)
{
	char why[80];

	if (!c->pid)
		return;
	/* Until it has a board of its own it is starting up. */
	if (c->status.state == ROLE_STARTING) {
		if (mono_diff_us(now, c->supervise.started) > limit_us)
			child_kill(c, "it did not get ready after its start");
		return;
	}
	if (c->board)
		watch_usage(c, now);
	if (!c->board || !supervise_is_hung(&c->supervise, board_beats(c->board), now, limit_us, tick_us))
		return;
	snprintf(why, sizeof(why), "its beat stood still for %lld ms",
		(long long)(mono_diff_us(now, c->supervise.beat_seen) / US_PER_MS));
	child_kill(c, why);
}

static void on_watch(struct timer *timer, void *arg)
{
	struct parent *p = arg;
	struct mono now = mono_now();
	int64_t tick = mono_is_set(p->last_watch) ? mono_diff_us(now, p->last_watch) : 0;
	int64_t limits[ROLE_COUNT] = {0};
	unsigned late = 0, running = 0;
	int times;

	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++) {
		struct child *c = &p->children[r];
		bool is_late;

		limits[r] = supervise_limit_us(&c->supervise, r, p->patience_us, c->status.state == ROLE_STARTING, now);
		if (!is_watched(c))
			continue;
		running++;
		is_late = supervise_is_late(&c->supervise, board_beats(c->board), now, limits[r]);
		late += is_late;
		if (waits_for_processor(c, is_late, now)) {
			excuse(c, now, limits[r]);
			limits[r] *= SUPERVISE_WAITING;
		}
	}
	times = supervise_tolerance(late, running);
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT && p->stop_phase == STOP_NOT; r++)
		watch_child(&p->children[r], now, tick, limits[r] * times);
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		settle_debts(p, &p->children[r]);
	p->last_watch = now;
	loop_timer_set(p->loop, timer, mono_add(now, watch_period_us(p)));
}

static void on_give_up(struct timer *timer, void *arg)
{
	struct parent *p = arg;

	(void)timer;
	log_error("vrrp: not running for %lld ms: a neighbour takes over, our virtual addresses are taken away",
		(long long)(p->patience_us / US_PER_MS));
	child_release_addresses(p);
}

/* ---- start ---- */

static int run_file(const struct parent *p, const char *name, char buf[PATH_MAX])
{
	return snprintf(buf, PATH_MAX, "%s/%s", p->options.run_dir, name) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Opens and locks the pid file. A poised that is just ending may remove the file between the two: then once more. One
 * that ended without a stop has left it with its number. */
static int open_pid_file(const char *path, bool *is_left_over)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
		struct stat opened, present;

		if (fd < 0) {
			log_error("%s: cannot be opened: %s: poised runs as root", path, strerror(errno));
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			char text[32];
			ssize_t n = read(fd, text, sizeof(text) - 1);

			text[n > 0 ? n : 0] = '\0';
			log_error("%s: held by a running poised (process %d): stop it, or use another -r", path,
				atoi(text));
			close(fd);
			return -1;
		}
		if (fstat(fd, &opened) == 0 && stat(path, &present) == 0 && opened.st_ino == present.st_ino) {
			*is_left_over = opened.st_size > 0;
			return fd;
		}
		close(fd);
	}
}

static int lock_run_dir(struct parent *p)
{
	char path[PATH_MAX];
	char text[32];
	int n;

	if (mkdir(p->options.run_dir, 0755) == 0) {
		/* The umask takes more; clients of any user look for the socket in here. */
		if (chmod(p->options.run_dir, 0755) < 0)
			log_warning(
				"%s: only root can reach poisectl's socket: %s", p->options.run_dir, strerror(errno));
	} else if (errno != EEXIST) {
		log_error("%s: cannot be made: %s", p->options.run_dir, strerror(errno));
		return -1;
	}
	if (run_file(p, "poised.pid", path) < 0)
		return -1;
	p->pid_fd = open_pid_file(path, &p->has_crashed);
	if (p->pid_fd < 0)
		return -1;
	n = snprintf(text, sizeof(text), "%d\n", getpid());
	if (fchmod(p->pid_fd, 0644) < 0 || ftruncate(p->pid_fd, 0) < 0 || pwrite(p->pid_fd, text, (size_t)n, 0) != n)
		log_warning("%s: the process number could not be written: %s", path, strerror(errno));
	return 0;
}

static int open_ledger(const struct parent *p, const char *name)
{
	char path[PATH_MAX] = "";
	int fd = run_file(p, name, path) == 0 ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0)
		log_error("%s: cannot be opened: %s: what a crash leaves behind will not be recognised", path,
			strerror(errno));
	return fd;
}

/* What the health checker knew is to be known after a restart of the machine, too. */
static int open_memory(const struct parent *p)
{
	char path[PATH_MAX];
	int fd;

	admin_file(p, path);
	snprintf(strrchr(path, '/'), sizeof("/health"), "/health");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		log_warning(
			"%s: cannot be opened: %s: initial_state last_known will know nothing", path, strerror(errno));
	return fd;
}

static void open_ledgers(struct parent *p)
{
	for (enum role r = 0; r < ROLE_COUNT; r++)
		p->ledger_fds[r] = -1;
	p->ledger_fds[ROLE_VRRP] = open_ledger(p, "ledger.vrrp");
	p->ledger_fds[ROLE_IPVS] = open_ledger(p, "ledger.ipvs");
	p->ledger_fds[ROLE_HEALTHCHECK] = open_memory(p);
	p->marks_fd = open_ledger(p, "ledger.marks");
	p->heart_fd = open_ledger(p, "heart");
	p->paths_fd = open_ledger(p, "ledger.vrrp.paths");
}

/* Members of group poise may look (without that group, root alone); what a client may change is decided by the control
 * role, which sees who it is. */
static int set_access(const char *path)
{
	const struct group *group = getgrnam("poise");

	if (group && chown(path, 0, group->gr_gid) < 0)
		return -1;
	return chmod(path, group ? 0660 : 0600);
}

static int open_listener(struct parent *p)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char path[PATH_MAX];

	p->listener_fd = -1;
	if (run_file(p, "control.sock", path) < 0 || strlen(path) >= sizeof(address.sun_path)) {
		log_error("%s: the path is too long for a socket: poisectl will not reach this poised", path);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	/* The directory is locked, so what lies there is a leftover. */
	unlink(path);
	p->listener_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->listener_fd < 0 || bind(p->listener_fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		set_access(path) < 0 || listen(p->listener_fd, 64) < 0) {
		log_error("%s: poisectl will not reach this poised: %s", path, strerror(errno));
		return -1;
	}
	return 0;
}

static void on_signal(int signo, void *arg)
{
	struct parent *p = arg;

	if (signo == SIGHUP) {
		log_info("configuration: reload asked for by signal");
		reload_begin(p, &(struct reload_order){.goal = RELOAD_FILE, .must_not_cut = true});
		return;
	}
	if (signo == SIGUSR1 || signo == SIGUSR2) {
		log_info("poised: %s: nothing is dumped: poisectl status --json shows everything", strsignal(signo));
		return;
	}
	stop_begin(p);
}

/* What makes keepalived write its data or statistics is sent by monitoring that knows no better, and is no reason to
 * die: some of it has a number that only keepalived gives a meaning. */
static int watch_signals(struct parent *p)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};

	signal(SIGPIPE, SIG_IGN);
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++)
		signal(signo, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (loop_signal_add(p->loop, signals[i], on_signal, p) < 0)
			return -1;
	return 0;
}

static int start(struct parent *p)
{
	p->loop = loop_new();
	if (!p->loop || watch_signals(p) < 0)
		return -1;
	sd_event_set_watchdog(loop_sd_event(p->loop), 1);
	open_ledgers(p);
	open_listener(p);
	admin_read_intents(p);
	admin_keep_intents(p);
	for (enum role r = ROLE_PARENT; r < ROLE_COUNT; r++)
		child_init(p, r);
	p->children[ROLE_PARENT].status.state = ROLE_RUNNING;
	p->children[ROLE_PARENT].status.pid = getpid();
	p->children[ROLE_PARENT].status.since_real_us = real_now_us();
	snprintf(p->children[ROLE_PARENT].status.why, WHY_SIZE, "poised %s", PACKAGE_VERSION);
	p->watch = (struct timer){.fire = on_watch, .arg = p};
	p->give_up = (struct timer){.fire = on_give_up, .arg = p};
	pool_init(p);
	standby_init(p);
	p->patience_us = supervise_patience_us(NULL);
	return 0;
}

static void tidy_up(struct parent *p)
{
	static const char *const files[] = {"control.sock", "poised.pid"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (run_file(p, files[i], path) == 0)
			unlink(path);
	if (!keeper_end(&p->keeper, DISK_PATIENCE_US))
		log_error("%s: the disk does not write what poisectl was told", p->keeper.path);
	else if (p->keeper.is_owed)
		admin_write_intents(p);
	intents_free(&p->intents);
	apply_free(p);
	conf_close(p->base);
	conf_close(p->conf);
	board_close(p->board);
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		board_close(p->children[r].board);
}

static int run(struct parent *p)
{
	int rc;

	if (strcmp(p->user_name, "poise") != 0)
		log_info("poised: no user poise on this machine: the roles run as %s", p->user_name);
	if (lock_run_dir(p) < 0)
		return 1;
	if (start(p) < 0) {
		log_error("poised: cannot start: %s", strerror(errno));
		return 1;
	}
	p->daemon.started_real_us = real_now_us();
	p->daemon.started = mono_now();
	snprintf(p->daemon.version, sizeof(p->daemon.version), "%s", PACKAGE_VERSION);
	snprintf(p->daemon.config_file, sizeof(p->daemon.config_file), "%s", p->options.config_file);
	log_info("poised %s: starting with %s, state in %s, roles run as %s", PACKAGE_VERSION, p->options.config_file,
		p->options.run_dir, p->user_name);
	loop_timer_set(p->loop, &p->watch, mono_now());
	reload_begin(p, &(struct reload_order){.goal = RELOAD_FILE});
	rc = loop_run(p->loop);
	/* A refused first configuration leaves nothing to tidy but the lock. */
	tidy_up(p);
	log_info("poised: stopped");
	return rc < 0 ? 1 : rc;
}

int parent_run(const struct options *options, const struct passwd *user)
{
	static struct parent p;
	int rc;

	p.options = *options;
	snprintf(p.user_name, sizeof(p.user_name), "%s", user->pw_name);
	snprintf(p.user, sizeof(p.user), "%u:%u", user->pw_uid, user->pw_gid);
	rc = scribe_start(&p.scribe);
	if (rc < 0) {
		log_error("poised: cannot start: no thread for the log: %s", strerror(-rc));
		return 1;
	}
	rc = run(&p);
	scribe_end(&p.scribe, LOG_PATIENCE_US);
	return rc;
}
