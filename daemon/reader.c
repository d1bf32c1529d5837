/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the config role once: starts the program with a file for its table, passes on what it finds, and keeps its first
 * error for whoever asked. Runs in the parent; what becomes of the table is decided in reload.c. */
#include "parent.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* In one turn: more than a pipe holds, so that what is left of a config role that has ended is read at once. */
#define READ_BUDGET 128
#define EXEC_PATIENCE_S 30

/* Takes a severity out of the middle of a line, because the log has its own. */
static bool cut_severity(char *line, const char *severity)
{
	char *at = strstr(line, severity);
	size_t length = strlen(severity);

	if (!at)
		return false;
	memmove(at + 2, at + length, strlen(at + length) + 1);
	return true;
}

/* A line of the config role: FILE:LINE:COLUMN: error|warning: text. */
static void report_line(struct parent *p, char *line)
{
	if (cut_severity(line, ": error: ")) {
		if (!p->reload.order.is_quiet)
			log_error("%s", line);
		if (!p->reload.first_error[0])
			snprintf(p->reload.first_error, sizeof(p->reload.first_error), "%.159s", line);
	} else if (cut_severity(line, ": warning: ")) {
		if (!p->reload.order.is_quiet)
			log_warning("%s", line);
		if (p->reload.n_warnings++ == 0)
			snprintf(p->reload.first_warning, sizeof(p->reload.first_warning), "%.159s", line);
	} else if (*line) {
		log_info("%s", line);
	}
}

/* False when there may be more: a config role that has no end of things to say must not keep the parent. */
static bool read_findings(struct parent *p)
{
	struct reload *r = &p->reload;

	for (int i = 0; i < READ_BUDGET; i++) {
		ssize_t n = read(
			r->findings_fd, r->findings + r->findings_used, sizeof(r->findings) - 1 - r->findings_used);
		char *begin = r->findings;
		char *end;

		if (n <= 0)
			return true;
		r->findings_used += (size_t)n;
		r->findings[r->findings_used] = '\0';
		while ((end = strchr(begin, '\n'))) {
			*end = '\0';
			report_line(p, begin);
			begin = end + 1;
		}
		r->findings_used -= (size_t)(begin - r->findings);
		memmove(r->findings, begin, r->findings_used);
		if (r->findings_used == sizeof(r->findings) - 1)
			r->findings_used = 0;
	}
	return false;
}

static void on_findings(int fd, uint32_t events, void *arg)
{
	struct parent *p = arg;

	(void)fd;
	if (read_findings(p) && (events & (EPOLLHUP | EPOLLERR))) {
		loop_io_remove(p->reload.findings_io);
		p->reload.findings_io = NULL;
	}
}

void reader_close(struct parent *p)
{
	struct reload *r = &p->reload;

	read_findings(p);
	loop_io_remove(r->findings_io);
	r->findings_io = NULL;
	close(r->findings_fd);
}

/* In the child. Descriptors that go where they are stay open; none of the targets is a source. */
static void __attribute__((noreturn))
exec_reader(const char *path, const char *const *argv, const struct reader_move *moves, unsigned n)
{
	int kept[READER_MOVES];
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (unsigned i = 0; i < n; i++) {
		kept[i] = moves[i].to;
		if (moves[i].from == moves[i].to)
			fcntl(moves[i].to, F_SETFD, 0);
		else
			dup2(moves[i].from, moves[i].to);
	}
	child_keep_only(kept, n);
	/* The program may be on a file server that does not answer. When it runs it sets a limit of its own. */
	alarm(EXEC_PATIENCE_S);
	execv(path, (char *const *)(uintptr_t)argv);
	_exit(127);
}

/* The parent does not wait until the program has been read, as posix_spawn() would: see child.c. */
int reader_spawn(const char *path, const char *const *argv, const struct reader_move *moves, unsigned n, pid_t *pid)
{
	if (n > READER_MOVES)
		return -EINVAL;
	*pid = fork();
	if (*pid == 0)
		exec_reader(path, argv, moves, n);
	return *pid < 0 ? -errno : 0;
}

/* The one that stands by, else one that is started now. */
static int run_config(struct parent *p, const char *path, int table, int findings)
{
	const struct options *o = &p->options;
	const struct reload_order *order = &p->reload.order;
	/* The table stays where it is. */
	const struct reader_move moves[] = {{table, table}, {findings, STDERR_FILENO}, {findings, STDOUT_FILENO}};
	char table_arg[16], generation_arg[24];
	const char *argv[20] = {path, "--brief", "--out-fd", table_arg, "--generation", generation_arg, "-f",
		order->file[0] ? order->file : o->config_file, "--user", p->user};
	int n = 10;
	int rc;

	snprintf(table_arg, sizeof(table_arg), "%d", table);
	snprintf(generation_arg, sizeof(generation_arg), "%llu", (unsigned long long)p->generation);
	if (o->dialect) {
		argv[n++] = "--dialect";
		argv[n++] = o->dialect;
	} else if (order->file[0] && p->conf) {
		/* A file under any name is read as the one in use was. */
		argv[n++] = "--dialect";
		argv[n++] = p->conf->global->dialect == CONF_DIALECT_POISE ? "poise" : "keepalived";
	}
	if (o->config_id) {
		argv[n++] = "--config-id";
		argv[n++] = o->config_id;
	}
	p->reload.reader = standby_take(p, path, argv, table, findings);
	if (p->reload.reader)
		return 0;
	rc = reader_spawn(path, argv, moves, sizeof(moves) / sizeof(moves[0]), &p->reload.reader);
	return rc < 0 ? rc : loop_child_add(p->loop, p->reload.reader, reader_ended, p);
}

void reader_ended(pid_t pid, const siginfo_t *info, void *arg)
{
	struct parent *p = arg;

	if (pid != p->reload.reader) {
		standby_ended(p, pid);
		return;
	}
	p->reload.reader = 0;
	p->reload.done(pid, info, p);
}

int reader_start(struct parent *p, loop_child_fn *done)
{
	struct reload *r = &p->reload;
	char path[PATH_MAX];
	int pipe_fds[2];
	int rc = program_path("daemon/config", "poise-config", path);

	if (rc < 0)
		return rc;
	r->table_fd = memfd_create("configuration", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (r->table_fd < 0)
		return -errno;
	fchmod(r->table_fd, 0600);
	/* It may wait for us, and we do not for it. */
	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK) < 0) {
		close(r->table_fd);
		return -errno;
	}
	p->generation++;
	r->done = done;
	rc = run_config(p, path, r->table_fd, pipe_fds[1]);
	close(pipe_fds[1]);
	r->findings_fd = pipe_fds[0];
	r->findings_used = 0;
	r->findings_io = loop_io_add(p->loop, r->findings_fd, EPOLLIN, on_findings, p);
	if (rc < 0) {
		reader_close(p);
		close(r->table_fd);
	}
	return rc;
}
