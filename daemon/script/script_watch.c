/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches files for the script role, which may see what only root may, and reads their first bytes. What these mean is
 * known to others. */
#include "script_watch.h"

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
/* A file that was just emptied is about to be written; one that is written without an end is read all the same. */
#define FOLDER_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_DELETE_SELF | IN_MOVE_SELF)

struct watched {
	int folder, file; /* -1 = not watched */
	bool has_changed;
};

struct script_watch {
	struct loop *loop;
	struct script_watch_owner owner;
	struct watched *watched;
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
static void on_audit(struct timer *timer, void *arg)
{
	struct script_watch *w = arg;

	for (uint32_t i = 0; i < w->count; i++) {
		struct watched *one = &w->watched[i], before = *one;

		one->folder = one->file = -1;
		add(w, i);
		one->has_changed |= one->folder != before.folder || one->file != before.file;
		if (one->folder != before.folder && before.folder >= 0)
			inotify_rm_watch(w->fd, before.folder);
		if (one->file != before.file && before.file >= 0)
			inotify_rm_watch(w->fd, before.file);
	}
	tell(w);
	loop_timer_set(w->loop, timer, mono_add(mono_now(), AUDIT_US));
}

static void on_retry(struct timer *timer, void *arg)
{
	struct script_watch *w = arg;

	(void)timer;
	for (uint32_t i = 0; i < w->count; i++)
		w->watched[i].has_changed |= w->watched[i].folder < 0;
	tell(w);
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
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd >= 0)
		w->io = loop_io_add(loop, w->fd, EPOLLIN, on_events, w);
	if (!w->watched || !w->io) {
		script_watch_free(w);
		return NULL;
	}
	w->count = count;
	for (uint32_t i = 0; i < count; i++) {
		w->watched[i] = (struct watched){-1, -1, false};
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
