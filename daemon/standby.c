/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The config role that stands by: started while nobody waits, its libraries loaded and its privileges dropped, so that
 * a reload begins with the first byte of the file. Each reads once. Runs in the parent; when none is there that can be
 * relied on, reader.c starts one as if this file were not. */
#include "parent.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* After a load: the roles have work to do that is more urgent. */
#define DELAY_US (2 * US_PER_S)
#define WORDS_MAX 32

/* The pid is forgotten first, so that its end, which follows, means nothing. */
static void send_away(struct standby *s)
{
	if (!s->pid)
		return;
	s->pid = 0;
	close(s->fd);
}

static void start(struct parent *p)
{
	struct standby *s = &p->standby;
	char path[PATH_MAX];
	const char *argv[] = {path, "--stand-by", "--user", p->user, NULL};
	struct reader_move move = {.to = STDIN_FILENO};
	int fds[2];
	int rc;

	if (program_path("daemon/config", "poise-config", path) < 0 || stat(path, &s->program) < 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return;
	move.from = fds[1];
	rc = reader_spawn(path, argv, &move, 1, &s->pid);
	close(fds[1]);
	if (rc < 0) {
		s->pid = 0;
		close(fds[0]);
		return;
	}
	s->fd = fds[0];
	/* Nobody would hear of its end, which for one that reads is what is waited for. */
	if (loop_child_add(p->loop, s->pid, reader_ended, p) < 0)
		send_away(s);
}

static void on_due(struct timer *timer, void *arg)
{
	struct parent *p = arg;

	(void)timer;
	if (p->reload.phase == RELOAD_IDLE && !p->standby.pid)
		start(p);
}

void standby_init(struct parent *p)
{
	p->standby.due = (struct timer){.fire = on_due, .arg = p};
}

void standby_prepare(struct parent *p)
{
	loop_timer_set(p->loop, &p->standby.due, mono_add(mono_now(), DELAY_US));
}

/* One that has ended unnoticed would take the order all the same; one of a package that was replaced meanwhile might
 * write another table than the one that is there now. */
static bool can_be_relied_on(const struct standby *s, const char *path)
{
	siginfo_t info = {0};
	struct stat now;

	return waitid(P_PID, (id_t)s->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0 &&
	       stat(path, &now) == 0 && now.st_dev == s->program.st_dev && now.st_ino == s->program.st_ino &&
	       now.st_size == s->program.st_size && now.st_mtim.tv_sec == s->program.st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == s->program.st_mtim.tv_nsec;
}

/* The words in one message, each with its zero, and the descriptors; see conf_order.c. */
static bool send_order(int fd, const char *const *argv, int table, int findings)
{
	union {
		char data[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	const int fds[] = {table, findings};
	struct iovec words[WORDS_MAX];
	struct msghdr message = {.msg_iov = words, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	for (; argv[message.msg_iovlen]; message.msg_iovlen++) {
		if (message.msg_iovlen == WORDS_MAX)
			return false;
		words[message.msg_iovlen] = (struct iovec){
			(void *)(uintptr_t)argv[message.msg_iovlen], strlen(argv[message.msg_iovlen]) + 1};
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

pid_t standby_take(struct parent *p, const char *path, const char *const *argv, int table, int findings)
{
	struct standby *s = &p->standby;
	pid_t pid = s->pid;
	bool has_order = pid && can_be_relied_on(s, path) && send_order(s->fd, argv, table, findings);

	loop_timer_cancel(p->loop, &s->due);
	send_away(s);
	return has_order ? pid : 0;
}

void standby_ended(struct parent *p, pid_t pid)
{
	if (pid == p->standby.pid)
		send_away(&p->standby);
}

void standby_dismiss(struct parent *p)
{
	loop_timer_cancel(p->loop, &p->standby.due);
	send_away(&p->standby);
}
