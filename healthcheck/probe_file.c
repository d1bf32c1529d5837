/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FILE_CHECK: a file on this machine says how a server is. Runs in poise-healthcheck, which asks the parent for what
 * its user may not read; it never waits for a file system, and never reads more than the first bytes of regular files.
 */
#include "probe.h"
#include "reply.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Whoever has to open it, and read it. */
#define FILE_TIME_S 2

struct file_probe {
	struct probe p;
	struct fetch *fetch; /* NULL: none is under way */
};

_Static_assert(FETCH_TEXT_SIZE == REPLY_LINE_MAX, "a file is judged as a line is");

static void judge_text(struct probe *p, const char *text, size_t length)
{
	const struct conf_check *check = check_spec_conf(p->spec);

	if (check->track_file)
		track_file_judge(text, length, check->file_weight, check->misc_dynamic,
			p->spec->conf->servers[check->server].weight, &p->result);
	else
		state_file_judge(text, length, &p->result);
}

static void judge_absence(struct probe *p)
{
	if (check_spec_conf(p->spec)->track_file) {
		judge_text(p, "", 0);
		return;
	}
	p->result.has_percent = true;
	p->result.percent = 100;
	result_set(&p->result, REASON_OK, "there is no file");
}

static void on_fetched(void *arg, const struct fetched *file)
{
	struct file_probe *h = arg;
	struct probe *p = &h->p;

	h->fetch = NULL;
	probe_tick(p);
	if (file->error == -EACCES) {
		/* For root's eyes: the parent opens it. */
		probe_borrow(p);
		return;
	}
	if (file->error == -ENOENT)
		judge_absence(p);
	else if (file->error == -ENOTSUP)
		result_set(&p->result, REASON_FILE, "the file is no regular file");
	else if (file->error)
		result_set(&p->result, REASON_FILE, "the file cannot be read: %s", strerror(-file->error));
	else
		judge_text(p, file->text, file->length);
	probe_finish(p);
}

static void fetch(struct probe *p, int fd)
{
	struct file_probe *h = (struct file_probe *)p;

	h->fetch = probe_fetch(p, fd, on_fetched);
	if (h->fetch)
		return;
	result_set(&p->result, REASON_MEMORY, "our own trouble: out of memory");
	probe_finish(p);
}

static void start(struct probe *p)
{
	probe_deadline(p, mono_add(p->started, FILE_TIME_S * US_PER_S));
	fetch(p, -1);
}

static void io(struct probe *p, uint32_t events)
{
	(void)p;
	(void)events;
}

static void timeout(struct probe *p)
{
	result_set(&p->result, REASON_FILE_SYSTEM,
		"our own trouble, not the server's: the file system has not answered for %d s", FILE_TIME_S);
	probe_finish(p);
}

static void release(struct probe *p)
{
	struct file_probe *h = (struct file_probe *)p;

	if (h->fetch)
		fetch_cancel(h->fetch);
	h->fetch = NULL;
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)step;
	snprintf(buf, size, "FILE_CHECK %s", conf_string(spec->conf, check_spec_conf(spec)->name));
}

const struct probe_kind probe_kind_file = {.name = "FILE_CHECK",
	.size = sizeof(struct file_probe),
	.start = start,
	.io = io,
	.timeout = timeout,
	.lent = fetch,
	.release = release,
	.describe = describe};
