/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches files with numbers for the script role, which may read what only root may: inotify on the file and on its
 * folder tells of every change, also of a file that is moved into place. Of a file only its first bytes are read. It
 * decides nothing about priorities. */
#include "script_files.h"

#include "log.h"
#include "script_match.h"
#include "status.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
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
#define CONTENTS_SIZE 256

struct watched {
	int folder, file; /* watches; -1 = none */
	bool needs_look;
	struct status_watch status;
};

struct script_files {
	struct role_process *role;
	const struct conf *conf;
	struct watched *watched;
	int fd;
	struct loop_io *io;
	struct timer retry, audit;
};

static const char *path_of(const struct script_files *files, uint32_t index)
{
	return conf_string(files->conf, files->conf->files[index].path);
}

/* ---- contents ---- */

static void read_number(const char *path, struct status_watch *status)
{
	char contents[CONTENTS_SIZE];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = errno;
	ssize_t n = 0;
	struct stat st;

	status->value = 0;
	status->is_up = 1;
	if (fd < 0) {
		status->is_up = error == ENOENT;
		snprintf(status->why, sizeof(status->why), "%.100s: %s, counts as 0", path, strerror(error));
		return;
	}
	/* A device or a pipe could answer anything, or never. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		snprintf(status->why, sizeof(status->why), "%.100s is not a file, counts as 0", path);
		status->is_up = 0;
		close(fd);
		return;
	}
	n = read(fd, contents, sizeof(contents));
	close(fd);
	if (script_match_number(contents, n > 0 ? (size_t)n : 0, &status->value))
		snprintf(status->why, sizeof(status->why), "%.100s holds %d", path, status->value);
	else
		snprintf(status->why, sizeof(status->why), "%.100s holds no number, counts as 0", path);
}

static bool look_at(struct script_files *files, uint32_t index)
{
	struct watched *w = &files->watched[index];
	struct status_watch now = {.is_known = 1, .since_real_us = w->status.since_real_us};

	w->needs_look = false;
	read_number(path_of(files, index), &now);
	if (!w->status.is_known || now.value != w->status.value || now.is_up != w->status.is_up)
		now.since_real_us = real_now_us();
	if (memcmp(&now, &w->status, sizeof(now)) == 0)
		return false;
	w->status = now;
	return true;
}

/* What the configuration wants to stand in it at the start. */
static void initialise(const struct script_files *files, uint32_t index)
{
	const struct conf_file *c = &files->conf->files[index];
	const char *path = path_of(files, index);
	bool is_new = c->init == CONF_FILE_CREATE;
	int fd;

	if (c->init == CONF_FILE_LEAVE)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (is_new ? O_EXCL : O_TRUNC), 0644);
	if (fd < 0) {
		if (!is_new || errno != EEXIST)
			log_warning("script: track_file %s: %s cannot be written: %s",
				conf_string(files->conf, c->name), path, strerror(errno));
		return;
	}
	if (dprintf(fd, "%d\n", c->init_value) < 0)
		log_warning("script: track_file %s: %s cannot be written: %s", conf_string(files->conf, c->name), path,
			strerror(errno));
	close(fd);
}

/* ---- watches ---- */

/* Watches again what is not watched; a folder that does not exist is asked for again and again. */
static void watch(struct script_files *files, uint32_t index)
{
	struct watched *w = &files->watched[index];
	char folder[PATH_MAX];

	if (w->file < 0)
		w->file = inotify_add_watch(files->fd, path_of(files, index), FILE_EVENTS);
	if (w->folder >= 0)
		return;
	snprintf(folder, sizeof(folder), "%s", path_of(files, index));
	w->folder = inotify_add_watch(files->fd, dirname(folder), FOLDER_EVENTS);
	if (w->folder < 0 && !files->retry.slot)
		loop_timer_set(files->role->loop, &files->retry, mono_add(mono_now(), RETRY_US));
}

static void look_again(struct script_files *files)
{
	for (uint32_t i = 0; i < files->conf->n_files; i++) {
		struct watched *w = &files->watched[i];

		if (!w->needs_look)
			continue;
		watch(files, i);
		if (look_at(files, i))
			role_store(files->role, SCRIPT_TABLE_FILE, i, &w->status, sizeof(w->status));
	}
}

/* Watching what is watched already gives the same number. */
static void on_audit(struct timer *timer, void *arg)
{
	struct script_files *files = arg;

	for (uint32_t i = 0; i < files->conf->n_files; i++) {
		struct watched *w = &files->watched[i], before = *w;

		w->folder = w->file = -1;
		watch(files, i);
		w->needs_look |= w->folder != before.folder || w->file != before.file;
		if (w->folder != before.folder && before.folder >= 0)
			inotify_rm_watch(files->fd, before.folder);
		if (w->file != before.file && before.file >= 0)
			inotify_rm_watch(files->fd, before.file);
	}
	look_again(files);
	loop_timer_set(files->role->loop, timer, mono_add(mono_now(), AUDIT_US));
}

static void on_retry(struct timer *timer, void *arg)
{
	struct script_files *files = arg;

	(void)timer;
	for (uint32_t i = 0; i < files->conf->n_files; i++)
		files->watched[i].needs_look |= files->watched[i].folder < 0;
	look_again(files);
}

static void take_event(struct script_files *files, const struct inotify_event *event)
{
	for (uint32_t i = 0; i < files->conf->n_files; i++) {
		struct watched *w = &files->watched[i];
		const char *path = path_of(files, i), *name = strrchr(path, '/');

		if (event->mask & IN_Q_OVERFLOW) {
			w->needs_look = true;
			continue;
		}
		if (event->wd == w->folder && event->len > 0 && name && strcmp(event->name, name + 1) == 0) {
			w->needs_look = true;
			/* Another file may have the name now. */
			if (event->mask & (IN_CREATE | IN_MOVED_TO)) {
				if (w->file >= 0)
					inotify_rm_watch(files->fd, w->file);
				w->file = -1;
			}
		}
		if (event->wd == w->file) {
			w->needs_look = true;
			if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED))
				w->file = -1;
		}
		if (event->wd == w->folder && event->mask & IN_IGNORED) {
			w->folder = -1;
			w->needs_look = true;
		}
	}
}

static void on_events(int fd, uint32_t events, void *arg)
{
	char buffer[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct script_files *files = arg;
	ssize_t n = read(fd, buffer, sizeof(buffer));

	(void)events;
	for (ssize_t at = 0; at + (ssize_t)sizeof(struct inotify_event) <= n;) {
		const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

		take_event(files, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	look_again(files);
}

/* ---- life ---- */

static struct script_files *files_new(struct role_process *role, const struct conf *conf)
{
	struct script_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	files->role = role;
	files->conf = conf;
	files->retry = (struct timer){.fire = on_retry, .arg = files};
	files->audit = (struct timer){.fire = on_audit, .arg = files};
	files->watched = calloc(conf->n_files, sizeof(*files->watched));
	files->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (files->fd >= 0)
		files->io = loop_io_add(role->loop, files->fd, EPOLLIN, on_events, files);
	if (files->watched && files->io)
		return files;
	script_files_free(files);
	return NULL;
}

struct script_files *script_files_begin(
	struct role_process *role, const struct conf *conf, struct board *fresh, bool is_first)
{
	struct script_files *files;

	if (conf->n_files == 0)
		return NULL;
	files = files_new(role, conf);
	if (!files) {
		log_error("script: files are not tracked: %s", strerror(errno));
		return NULL;
	}
	for (uint32_t i = 0; i < conf->n_files; i++) {
		struct watched *w = &files->watched[i];

		w->folder = w->file = -1;
		if (is_first)
			initialise(files, i);
		watch(files, i);
		look_at(files, i);
		board_store(fresh, SCRIPT_TABLE_FILE, i, &w->status, sizeof(w->status));
	}
	loop_timer_set(role->loop, &files->audit, mono_add(mono_now(), AUDIT_US));
	return files;
}

void script_files_free(struct script_files *files)
{
	if (!files)
		return;
	loop_timer_cancel(files->role->loop, &files->retry);
	loop_timer_cancel(files->role->loop, &files->audit);
	if (files->io)
		loop_io_remove(files->io);
	if (files->fd >= 0)
		close(files->fd);
	free(files->watched);
	free(files);
}
