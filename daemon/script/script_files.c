/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads files with numbers for the script role, which may read what only root may. Of a file only its first bytes are
 * read. It decides nothing about priorities. */
#include "script_files.h"

#include "log.h"
#include "script_match.h"
#include "script_watch.h"
#include "status.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTENTS_SIZE 256

struct script_files {
	struct role_process *role;
	const struct conf *conf;
	struct status_watch *status; /* of each file */
	struct script_watch *watch;
};

static const char *path_of(const struct script_files *files, uint32_t index)
{
	return conf_string(files->conf, files->conf->files[index].path);
}

/* ---- contents ---- */

static void read_number(const char *path, struct status_watch *status)
{
	char contents[CONTENTS_SIZE];
	ssize_t n = script_watch_read(path, contents, sizeof(contents));

	status->value = 0;
	status->is_up = n >= 0 || n == -ENOENT;
	if (n == -ENOTSUP)
		snprintf(status->why, sizeof(status->why), "%.100s is not a file, counts as 0", path);
	else if (n < 0)
		snprintf(status->why, sizeof(status->why), "%.100s: %s, counts as 0", path, strerror((int)-n));
	else if (script_match_number(contents, (size_t)n, &status->value))
		snprintf(status->why, sizeof(status->why), "%.100s holds %d", path, status->value);
	else
		snprintf(status->why, sizeof(status->why), "%.100s holds no number, counts as 0", path);
}

static bool look_at(struct script_files *files, uint32_t index)
{
	struct status_watch *status = &files->status[index];
	struct status_watch now = {.is_known = 1, .since_real_us = status->since_real_us};

	read_number(path_of(files, index), &now);
	if (!status->is_known || now.value != status->value || now.is_up != status->is_up)
		now.since_real_us = real_now_us();
	if (memcmp(&now, status, sizeof(now)) == 0)
		return false;
	*status = now;
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

static const char *watched_path(void *arg, uint32_t index)
{
	return path_of(arg, index);
}

static void on_change(void *arg, uint32_t index)
{
	struct script_files *files = arg;

	if (look_at(files, index))
		role_store(files->role, SCRIPT_TABLE_FILE, index, &files->status[index], sizeof(files->status[index]));
}

/* ---- life ---- */

static struct script_files *files_new(struct role_process *role, const struct conf *conf)
{
	struct script_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	files->role = role;
	files->conf = conf;
	files->status = calloc(conf->n_files, sizeof(*files->status));
	if (files->status)
		return files;
	free(files);
	return NULL;
}

struct script_files *script_files_begin(
	struct role_process *role, const struct conf *conf, struct board *fresh, bool is_first)
{
	struct script_files *files = conf->n_files ? files_new(role, conf) : NULL;
	struct script_watch_owner owner = {.path = watched_path, .changed = on_change, .arg = files};

	if (conf->n_files == 0)
		return NULL;
	for (uint32_t i = 0; files && is_first && i < conf->n_files; i++)
		initialise(files, i);
	if (files)
		files->watch = script_watch_new(role->loop, conf->n_files, &owner);
	if (!files || !files->watch) {
		log_error("script: files are not tracked: %s", strerror(errno));
		script_files_free(files);
		return NULL;
	}
	for (uint32_t i = 0; i < conf->n_files; i++) {
		look_at(files, i);
		board_store(fresh, SCRIPT_TABLE_FILE, i, &files->status[i], sizeof(files->status[i]));
	}
	return files;
}

void script_files_free(struct script_files *files)
{
	if (!files)
		return;
	script_watch_free(files->watch);
	free(files->status);
	free(files);
}
