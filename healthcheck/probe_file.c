/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FILE_CHECK: a file on this machine says how a server is. Runs in poise-healthcheck, which asks the
 * parent for what its user may not read; it never reads more than its first bytes, and nothing but regular files, which
 * do not block. */
#include "probe.h"
#include "reply.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEND_TIME_US (2 * US_PER_S)

static void judge_text(struct probe *p, const char *text, size_t length)
{
	const struct conf_check *check = check_spec_conf(p->spec);

	if (check->track_file)
		track_file_judge(text, length, check->file_weight, check->misc_dynamic,
			p->spec->conf->servers[check->server].weight, &p->result);
	else
		state_file_judge(text, length, &p->result);
}

static void judge(struct probe *p, int fd)
{
	char text[REPLY_LINE_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		result_set(&p->result, REASON_FILE, "the file is no regular file");
		return;
	}
	n = read(fd, text, sizeof(text));
	if (n < 0)
		result_set(&p->result, REASON_FILE, "the file cannot be read: %s", strerror(errno));
	else
		judge_text(p, text, (size_t)n);
}

static void start(struct probe *p)
{
	int fd = open(conf_string(p->spec->conf, check_spec_conf(p->spec)->name), O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		judge(p, fd);
		close(fd);
	} else if (errno == EACCES) {
		/* For root's eyes: the parent opens it. */
		probe_deadline(p, mono_add(p->started, LEND_TIME_US));
		probe_borrow(p);
		return;
	} else if (errno == ENOENT && check_spec_conf(p->spec)->track_file) {
		judge_text(p, "", 0);
	} else if (errno == ENOENT) {
		p->result.has_percent = true;
		p->result.percent = 100;
		result_set(&p->result, REASON_OK, "there is no file");
	} else {
		result_set(&p->result, REASON_FILE, "the file cannot be read: %s", strerror(errno));
	}
	probe_finish(p);
}

static void lent(struct probe *p, int fd)
{
	judge(p, fd);
	close(fd);
	probe_finish(p);
}

static void io(struct probe *p, uint32_t events)
{
	(void)p;
	(void)events;
}

static void timeout(struct probe *p)
{
	(void)p;
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)step;
	snprintf(buf, size, "FILE_CHECK %s", conf_string(spec->conf, check_spec_conf(spec)->name));
}

const struct probe_kind probe_kind_file = {.name = "FILE_CHECK",
	.size = sizeof(struct probe),
	.start = start,
	.io = io,
	.timeout = timeout,
	.lent = lent,
	.describe = describe};
