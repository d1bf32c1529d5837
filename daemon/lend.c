/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lends the health checker what it has no privilege to open itself: marked sockets, low source ports, files that only
 * root may read. Runs in the parent; it opens nothing but what a check of the committed configuration names, reads
 * nothing, and answers every request. */
#include "check_socket.h"
#include "parent.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void refuse(struct child *c, const struct msg_want_file *m, enum reason reason, const char *why)
{
	struct msg_no_file answer = {.generation = m->generation, .check = m->check, .reason = reason};

	snprintf(answer.why, sizeof(answer.why), "%.159s", why);
	msg_send_no_file(&c->channel, &answer, -1);
}

static int open_file(const char *path, enum reason *reason, char *why)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	*reason = REASON_FILE;
	if (fd < 0) {
		snprintf(why, WHY_SIZE, "the file cannot be read: %s", strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	snprintf(why, WHY_SIZE, "the file is no regular file");
	close(fd);
	return -1;
}

void lend_wanted(struct child *c, const struct msg_want_file *m)
{
	const struct conf *conf = c->parent->conf;
	struct msg_file answer = {.purpose = MSG_PURPOSE_CHECK, .index = m->check};
	const struct conf_check *check;
	enum reason reason = REASON_NO_SOCKET;
	char why[WHY_SIZE] = "";
	int fd = -1;

	/* It asks again for the check that this has become. */
	if (!conf || m->generation != conf->generation || m->check >= conf->n_checks) {
		refuse(c, m, reason, "our own trouble, not the server's: the configuration has just changed");
		return;
	}
	check = &conf->checks[m->check];
	if (check->kind == CONF_CHECK_FILE)
		fd = open_file(conf_string(conf, check->name), &reason, why);
	else if (check_socket_needs_lender(check))
		fd = check_socket_open(conf, check, &reason, why);
	else
		snprintf(why, sizeof(why),
			"our own trouble, not the server's: this check needs nothing from the parent");
	if (fd < 0)
		refuse(c, m, reason, why);
	else if (msg_send_file(&c->channel, &answer, fd) < 0)
		log_error("%s: a descriptor could not be handed over", role_name(c->role));
	if (fd >= 0)
		close(fd);
}
