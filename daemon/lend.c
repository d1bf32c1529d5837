/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lends the health checker what it has no privilege to open itself: marked sockets, low source ports, files that only
 * root may read. Runs in the parent; it opens nothing but what a check of the committed configuration names, reads
 * nothing, and answers every request. */
#include "check_socket.h"
#include "parent.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char just_changed[] = "our own trouble, not the server's: the configuration has just changed";

/* A file that somebody waits for: opened by a thread, since a file system may hang, and the parent looks after the
 * heartbeat. */
struct loan {
	struct loan *next;
	struct child *to;
	pid_t pid;                  /* of who asked last */
	struct msg_want_file asked; /* last */
	char path[];
};

static void refuse(struct child *c, const struct msg_want_file *m, enum reason reason, const char *why)
{
	struct msg_no_file answer = {.generation = m->generation, .check = m->check, .reason = reason};

	snprintf(answer.why, sizeof(answer.why), "%.159s", why);
	msg_send_no_file(&c->channel, &answer, -1);
}

static void hand_over(struct child *c, uint32_t check, int fd)
{
	struct msg_file answer = {.purpose = MSG_PURPOSE_CHECK, .index = check};

	if (msg_send_file(&c->channel, &answer, fd) < 0)
		log_error("%s: a descriptor could not be handed over", role_name(c->role));
}

static void answer_file(const struct loan *loan, const struct fetched *file)
{
	const struct conf *conf = loan->to->parent->conf;
	char why[WHY_SIZE];

	if (loan->to->pid != loan->pid)
		return;
	/* Its number may be that of another check by now. */
	if (!conf || loan->asked.generation != conf->generation) {
		refuse(loan->to, &loan->asked, REASON_NO_SOCKET, just_changed);
	} else if (!file->error) {
		hand_over(loan->to, loan->asked.check, file->fd);
	} else if (file->error == -ENOTSUP) {
		refuse(loan->to, &loan->asked, REASON_FILE, "the file is no regular file");
	} else {
		snprintf(why, sizeof(why), "the file cannot be read: %s", strerror(-file->error));
		refuse(loan->to, &loan->asked, REASON_FILE, why);
	}
}

static void on_opened(void *arg, const struct fetched *file)
{
	struct loan *loan = arg, **at = &loan->to->parent->loans;

	while (*at != loan)
		at = &(*at)->next;
	*at = loan->next;
	answer_file(loan, file);
	free(loan);
}

/* Of what is asked for again and again while it is waited for, one answer comes. */
static void lend_file(struct child *c, const struct msg_want_file *m, const char *path)
{
	struct parent *p = c->parent;
	size_t size = strlen(path) + 1;
	struct loan *loan = p->loans;

	while (loan && (loan->to != c || loan->asked.check != m->check || strcmp(loan->path, path) != 0))
		loan = loan->next;
	if (!p->fetcher)
		p->fetcher = fetcher_new(p->loop);
	if (!loan) {
		loan = calloc(1, sizeof(*loan) + size);
		if (!loan || !fetch_begin(p->fetcher, FETCH_OPEN, path, -1, on_opened, loan)) {
			free(loan);
			refuse(c, m, REASON_MEMORY, "our own trouble: out of memory");
			return;
		}
		memcpy(loan->path, path, size);
		loan->to = c;
		loan->next = p->loans;
		p->loans = loan;
	}
	loan->pid = c->pid;
	loan->asked = *m;
}

void lend_wanted(struct child *c, const struct msg_want_file *m)
{
	const struct conf *conf = c->parent->conf;
	const struct conf_check *check;
	enum reason reason = REASON_NO_SOCKET;
	char why[WHY_SIZE] = "";
	int fd = -1;

	/* It asks again for the check that this has become. */
	if (!conf || m->generation != conf->generation || m->check >= conf->n_checks) {
		refuse(c, m, reason, just_changed);
		return;
	}
	check = &conf->checks[m->check];
	if (check->kind == CONF_CHECK_FILE) {
		lend_file(c, m, conf_string(conf, check->name));
		return;
	}
	if (check_socket_needs_lender(check))
		fd = check_socket_open(conf, check, &reason, why);
	else
		snprintf(why, sizeof(why),
			"our own trouble, not the server's: this check needs nothing from the parent");
	if (fd < 0) {
		refuse(c, m, reason, why);
		return;
	}
	hand_over(c, m->check, fd);
	close(fd);
}
