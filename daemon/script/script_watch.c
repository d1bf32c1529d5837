/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches files for the script role, which may see what only root may, and reads their first bytes. What these mean is
 * known to others. A file system that stops answering is noticed by a thread, which looks first. */
#include "script_watch.h"

#include "fetch.h"
#include "log.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_US (1 * US_PER_S)
/* A folder above that is renamed, or a link on the way that leads elsewhere, tells nobody: now and then all is looked
 * for again by name. */
#define AUDIT_US (5 * US_PER_S)
/* A file system that has not answered for so long is told of. */
#define PATIENCE_US (2 * US_PER_S)
/* A file that was just emptied is about to be written; one that is written without an end is read all the same. */
#define FOLDER_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF)

struct watched {
	struct script_watch *watch;
	struct fetch *scout; /* asks whether the file system answers; NULL: none is under way */
	struct mono asked;
	int folder, file; /* -1 = not watched */
	bool has_changed, is_silent;
};

struct script_watch {
	struct loop *loop;
	struct script_watch_owner owner;
	struct watched *watched;
	struct fetcher *fetcher;
	uint32_t count;
	int fd;
	struct loop_io *io;
	struct timer retry, audit;
};

static const char *path_of(const struct script_watch *w, uint32_t index)
{
	return w->owner.path(w->owner.arg, index);
}

/* Watches again what is not watched; a folder that does not exist is asked for again and again. */
static void add(struct script_watch *w, uint32_t index)
{
	struct watched *one = &w->watched[index];
	char folder[PATH_MAX];

	if (one->file < 0)
		one->file = inotify_add_watch(w->fd, path_of(w, index), FILE_EVENTS);
	if (one->folder >= 0)
		return;
	snprintf(folder, sizeof(folder), "%s", path_of(w, index));
	one->folder = inotify_add_watch(w->fd, dirname(folder), FOLDER_EVENTS);
	if (one->folder < 0 && !w->retry.slot)
		loop_timer_set(w->loop, &w->retry, mono_add(mono_now(), RETRY_US));
}

static void tell(struct script_watch *w)
{
	for (uint32_t i = 0; i < w->count; i++) {
		if (!w->watched[i].has_changed)
			continue;
		w->watched[i].has_changed = false;
		add(w, i);
		w->owner.changed(w->owner.arg, i);
	}
}

/* Watching what is watched already gives the same number. */
static void audit(struct script_watch *w, uint32_t index)
{
	struct watched *one = &w->watched[index], before = *one;

	one->folder = one->file = -1;
	add(w, index);
	one->has_changed |= one->folder != before.folder || one->file != before.file;
	if (one->folder != before.folder && before.folder >= 0)
		inotify_rm_watch(w->fd, before.folder);
	if (one->file != before.file && before.file >= 0)
		inotify_rm_watch(w->fd, before.file);
}

static void on_answer(void *arg, const struct fetched *file)
{
	struct watched *one = arg;
	struct script_watch *w = one->watch;
	uint32_t index = (uint32_t)(one - w->watched);

	(void)file;
	one->scout = NULL;
	if (one->is_silent)
		log_info("script: %s: its file system answers again", path_of(w, index));
	/* It may have changed unheard. */
	one->has_changed |= one->is_silent || one->folder < 0;
	one->is_silent = false;
	audit(w, index);
	tell(w);
}

/* Everything that is asked for by name is asked for by a thread first: a file server that is away, a disk that hangs
 * would stop all scripts. What it said last counts meanwhile. */
static void ask(struct script_watch *w, uint32_t index)
{
	struct watched *one = &w->watched[index];

	if (!one->scout) {
		one->scout = fetch_begin(w->fetcher, FETCH_READ, path_of(w, index), -1, on_answer, one);
		one->asked = mono_now();
		return;
	}
	if (one->is_silent || mono_diff_us(mono_now(), one->asked) < PATIENCE_US)
		return;
	one->is_silent = true;
	log_warning("script: %s: its file system does not answer: what it said last counts", path_of(w, index));
}

static void on_audit(struct timer *timer, void *arg)
{
	struct script_watch *w = arg;

	for (uint32_t i = 0; i < w->count; i++)
		ask(w, i);
	loop_timer_set(w->loop, timer, mono_add(mono_now(), AUDIT_US));
}

static void on_retry(struct timer *timer, void *arg)
{
	struct script_watch *w = arg;

	(void)timer;
	for (uint32_t i = 0; i < w->count; i++)
		if (w->watched[i].folder < 0)
			ask(w, i);
}

static void take_event(struct script_watch *w, const struct inotify_event *event)
{
	for (uint32_t i = 0; i < w->count; i++) {
		struct watched *one = &w->watched[i];
		const char *path = path_of(w, i), *name = strrchr(path, '/');

		if (event->mask & IN_Q_OVERFLOW) {
			one->has_changed = true;
			continue;
		}
		if (event->wd == one->folder && event->len > 0 && name && strcmp(event->name, name + 1) == 0) {
			one->has_changed = true;
			/* Another file may have the name now. */
			if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
				if (one->file >= 0)
					inotify_rm_watch(w->fd, one->file);
				one->file = -1;
			}
		}
		if (event->wd == one->file) {
			one->has_changed = true;
			if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
				one->file = -1;
		}
		if (event->wd == one->folder && event->mask & IN_IGNORED) {
			one->folder = -1;
			one->has_changed = true;
		}
	}
}

static void on_events(int fd, uint32_t events, void *arg)
{
	char buffer[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct script_watch *w = arg;
	ssize_t n = read(fd, buffer, sizeof(buffer));

	(void)events;
	for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
		const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

		take_event(w, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	tell(w);
}

struct script_watch *script_watch_new(struct loop *loop, uint32_t count, const struct script_watch_owner *owner)
{
	struct script_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->loop = loop;
	w->owner = *owner;
	w->retry = (struct timer){.fire = on_retry, .arg = w};
	w->audit = (struct timer){.fire = on_audit, .arg = w};
	w->watched = calloc(count, sizeof(*w->watched));
	w->fetcher = fetcher_new(loop);
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd >= 0)
		w->io = loop_io_add(loop, w->fd, EPOLLIN, on_events, w);
	if (!w->watched || !w->fetcher || !w->io) {
		script_watch_free(w);
		return NULL;
	}
	w->count = count;
	for (uint32_t i = 0; i < count; i++) {
		w->watched[i] = (struct watched){.watch = w, .folder = -1, .file = -1};
		add(w, i);
	}
	loop_timer_set(loop, &w->audit, mono_add(mono_now(), AUDIT_US));
	return w;
}

void script_watch_free(struct script_watch *w)
{
	if (!w)
		return;
	loop_timer_cancel(w->loop, &w->retry);
	loop_timer_cancel(w->loop, &w->audit);
	if (w->io)
		loop_io_remove(w->io);
	if (w->fd >= 0)
		close(w->fd);
	for (uint32_t i = 0; i < w->count; i++) {
		if (w->watched[i].scout)
			fetch_cancel(w->watched[i].scout);
	}
	fetcher_free(w->fetcher);
	free(w->watched);
	free(w);
}

ssize_t script_watch_read(const char *path, char *contents, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = -ENOTSUP;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		n = read(fd, contents, size);
		n = n < 0 ? -errno : n;
	}
	close(fd);
	return n;
}
