/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes notification FIFOs for the script role. Nobody waits: a line that does not fit stays in memory, in order, and
 * when too many do, the oldest go. The FIFO is open for reading, too, so that it keeps its contents while nobody reads
 * it, as keepalived's does. */
#include "script_fifo.h"

#include "log.h"
#include "script_spawn.h"
#include "script_text.h"
#include "script_user.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX 1024
#define RESTART_US (2 * US_PER_S)
/* One that could not be started may be there by then. */
#define TRY_AGAIN_US (5 * US_PER_S)

/* The program that reads it; it may outlive the pipe. */
struct reader {
	struct script_fifo_pipe *pipe; /* NULL = nobody thinks of it any more */
	struct spawn spawn;
};

struct script_fifo_pipe {
	struct role_process *role;
	struct conf *conf; /* mapped for ourselves: the program may be started again under it */
	struct conf_fifo fifo;
	int fd;
	bool made_it;
	struct loop_io *io; /* while lines wait */
	char *lines[LINES_MAX];
	uint32_t first, n;
	uint64_t dropped;
	struct log_limit limit, start_limit;
	struct reader *reader; /* NULL = none runs */
	struct timer restart;
};

static const char *path_of(const struct script_fifo_pipe *pipe)
{
	return conf_string(pipe->conf, pipe->fifo.path);
}

/* ---- lines ---- */

static bool write_first(struct script_fifo_pipe *pipe)
{
	char *line = pipe->lines[pipe->first];

	/* At most PIPE_BUF bytes: all of it or nothing. */
	if (write(pipe->fd, line, strlen(line)) < 0 && errno == EAGAIN)
		return false;
	free(line);
	pipe->first = (pipe->first + 1) % LINES_MAX;
	pipe->n--;
	return true;
}

static void on_writable(int fd, uint32_t events, void *arg)
{
	struct script_fifo_pipe *pipe = arg;

	(void)fd;
	(void)events;
	while (pipe->n > 0 && write_first(pipe))
		;
	if (pipe->n > 0)
		return;
	loop_io_remove(pipe->io);
	pipe->io = NULL;
}

static void drop_oldest(struct script_fifo_pipe *pipe)
{
	uint32_t held_back;

	free(pipe->lines[pipe->first]);
	pipe->first = (pipe->first + 1) % LINES_MAX;
	pipe->n--;
	pipe->dropped++;
	if (log_limit_pass(&pipe->limit, 60 * US_PER_S, &held_back))
		log_warning("fifo %s: nobody reads it: %llu lines were dropped so far", path_of(pipe),
			(unsigned long long)pipe->dropped);
}

void script_fifo_write(struct script_fifo_pipe *pipe, const char *line)
{
	char *copy;

	if (!pipe)
		return;
	copy = strdup(line);
	if (!copy)
		return;
	if (pipe->n == LINES_MAX)
		drop_oldest(pipe);
	pipe->lines[(pipe->first + pipe->n++) % LINES_MAX] = copy;
	while (!pipe->io && pipe->n > 0) {
		if (write_first(pipe))
			continue;
		pipe->io = loop_io_add(pipe->role->loop, pipe->fd, EPOLLOUT, on_writable, pipe);
		if (!pipe->io)
			return;
	}
}

/* ---- the program ---- */

static void on_end(pid_t pid, const siginfo_t *info, void *arg)
{
	struct reader *reader = arg;
	struct script_fifo_pipe *pipe = reader->pipe;
	char why[SPAWN_WHY_SIZE];

	(void)pid;
	spawn_finish(&reader->spawn, info, why);
	free(reader);
	if (!pipe)
		return;
	pipe->reader = NULL;
	log_warning("fifo %s: its program %s has ended (%s): starting it again", path_of(pipe),
		conf_string(pipe->conf, pipe->fifo.script.argv), why);
	loop_timer_set(pipe->role->loop, &pipe->restart, mono_add(mono_now(), RESTART_US));
}

static void start_failed(struct script_fifo_pipe *pipe, const char *why)
{
	uint32_t held_back;

	if (log_limit_pass(&pipe->start_limit, 60 * US_PER_S, &held_back))
		log_error("fifo %s: its program is not started: %s; trying again", path_of(pipe), why);
	loop_timer_set(pipe->role->loop, &pipe->restart, mono_add(mono_now(), TRY_AGAIN_US));
}

static void start_program(struct script_fifo_pipe *pipe)
{
	const char *further[] = {path_of(pipe), NULL};
	struct reader *reader;
	char why[SPAWN_WHY_SIZE];

	if (pipe->fifo.script.argc == 0)
		return;
	reader = calloc(1, sizeof(*reader));
	if (!reader) {
		start_failed(pipe, "out of memory");
		return;
	}
	reader->pipe = pipe;
	if (spawn_start(&reader->spawn, pipe->conf, &pipe->fifo.script, further, true, why) < 0) {
		start_failed(pipe, why);
		free(reader);
		return;
	}
	if (loop_child_add(pipe->role->loop, reader->spawn.pid, on_end, reader) == 0) {
		pipe->reader = reader;
		return;
	}
	spawn_abandon(&reader->spawn);
	free(reader);
	start_failed(pipe, "out of descriptors");
}

static void on_restart(struct timer *timer, void *arg)
{
	(void)timer;
	start_program(arg);
}

static void end_program(struct script_fifo_pipe *pipe)
{
	loop_timer_cancel(pipe->role->loop, &pipe->restart);
	if (!pipe->reader)
		return;
	spawn_signal(&pipe->reader->spawn, SIGTERM);
	pipe->reader->pipe = NULL;
	pipe->reader = NULL;
}

/* ---- opening ---- */

/* The FIFO belongs to the configured user, who may then read it without being root. */
static void give_away(const struct script_fifo_pipe *pipe)
{
	const struct conf_command owner = {.user = pipe->fifo.user, .group = pipe->fifo.group};
	char why[USER_WHY_SIZE];
	struct script_user user;

	if (!pipe->fifo.user)
		return;
	if (script_user_resolve(pipe->conf, &owner, &user, why) < 0)
		log_error("fifo %s: it stays root's: %s", path_of(pipe), why);
	else if (user.is_switched && fchown(pipe->fd, user.uid, user.gid) < 0)
		log_error("fifo %s: it stays root's: %s", path_of(pipe), strerror(errno));
}

static int open_fifo(struct script_fifo_pipe *pipe)
{
	const char *path = path_of(pipe);
	struct stat st;

	if (mkfifo(path, 0600) == 0)
		pipe->made_it = true;
	else if (errno != EEXIST)
		return -errno;
	/* For both, so that it neither waits for a reader nor loses its contents with one. */
	pipe->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (pipe->fd < 0)
		return -errno;
	if (fstat(pipe->fd, &st) < 0 || !S_ISFIFO(st.st_mode))
		return -ENOTSUP;
	if (pipe->made_it)
		give_away(pipe);
	return 0;
}

struct script_fifo_pipe *script_fifo_open(struct role_process *p, const struct conf *conf, const struct conf_fifo *fifo)
{
	struct script_fifo_pipe *pipe;
	int error;

	if (!fifo->path)
		return NULL;
	pipe = calloc(1, sizeof(*pipe));
	if (!pipe)
		return NULL;
	pipe->role = p;
	pipe->fd = -1;
	pipe->fifo = *fifo;
	pipe->restart = (struct timer){.fire = on_restart, .arg = pipe};
	pipe->conf = conf_open_checked(fcntl(conf->fd, F_DUPFD_CLOEXEC, 3));
	error = pipe->conf ? open_fifo(pipe) : -ENOMEM;
	if (error) {
		log_error("fifo %s: nothing is written to it: %s", conf_string(conf, fifo->path),
			error == -ENOTSUP ? "it is not a FIFO" : strerror(-error));
		script_fifo_close(pipe);
		return NULL;
	}
	start_program(pipe);
	return pipe;
}

static bool is_same_text(const struct conf *a, conf_string_t x, const struct conf *b, conf_string_t y)
{
	return strcmp(conf_string(a, x), conf_string(b, y)) == 0;
}

static bool is_same_command(
	const struct conf *a, const struct conf_command *x, const struct conf *b, const struct conf_command *y)
{
	const char *left[SPAWN_ARGS], *right[SPAWN_ARGS];
	int n = conf_argv(a, x, left, SPAWN_ARGS), m = conf_argv(b, y, right, SPAWN_ARGS);

	if (n != m || !is_same_text(a, x->user, b, y->user) || !is_same_text(a, x->group, b, y->group))
		return false;
	for (int i = 0; i < n; i++) {
		if (strcmp(left[i], right[i]) != 0)
			return false;
	}
	return true;
}

bool script_fifo_keep(struct script_fifo_pipe *pipe, const struct conf *conf, const struct conf_fifo *fifo)
{
	struct conf *mapped;

	if (!pipe || !fifo->path || !is_same_text(pipe->conf, pipe->fifo.path, conf, fifo->path) ||
		!is_same_text(pipe->conf, pipe->fifo.user, conf, fifo->user) ||
		!is_same_text(pipe->conf, pipe->fifo.group, conf, fifo->group) ||
		!is_same_command(pipe->conf, &pipe->fifo.script, conf, &fifo->script))
		return false;
	mapped = conf_open_checked(fcntl(conf->fd, F_DUPFD_CLOEXEC, 3));
	if (!mapped)
		return true; /* the old one serves as well */
	conf_close(pipe->conf);
	pipe->conf = mapped;
	pipe->fifo = *fifo;
	return true;
}

void script_fifo_close(struct script_fifo_pipe *pipe)
{
	if (!pipe)
		return;
	end_program(pipe);
	if (pipe->io)
		loop_io_remove(pipe->io);
	while (pipe->n > 0)
		free(pipe->lines[(pipe->first + --pipe->n) % LINES_MAX]);
	if (pipe->made_it)
		unlink(path_of(pipe));
	if (pipe->fd >= 0)
		close(pipe->fd);
	conf_close(pipe->conf);
	free(pipe);
}
