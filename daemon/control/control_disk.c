/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control_disk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- in the thread ---- */

static int64_t mtime_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? 0 : st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / 1000;
}

/* What cannot be seen from here is as it was. */
static bool has_changed(const struct disk_file *file)
{
	int64_t mtime = mtime_of(file->path);

	return mtime != file->mtime_real_us && (mtime || errno == ENOENT);
}

static void look(void *arg)
{
	struct disk *disk = arg;

	disk->seen_mtime_real_us = mtime_of(disk->files[0].path);
	disk->saw_changes = false;
	for (uint32_t i = 1; i < disk->n && !disk->saw_changes; i++)
		disk->saw_changes = has_changed(&disk->files[i]);
}

/* ---- in the process ---- */

static void on_looked(int fd, uint32_t events, void *arg)
{
	struct disk *disk = arg;

	(void)fd;
	(void)events;
	if (!worker_take(&disk->worker))
		return;
	disk->begun = disk->sent;
	disk->file_mtime_real_us = disk->seen_mtime_real_us;
	disk->has_changed_origins = disk->saw_changes;
	disk->looked(disk->arg);
}

/* Without a thread the process looks itself. */
static void start_worker(struct disk *disk)
{
	if (worker_start(&disk->worker, 0) < 0)
		return;
	disk->io = loop_io_add(disk->loop, worker_fd(&disk->worker), EPOLLIN, on_looked, disk);
	if (!disk->io)
		worker_end(&disk->worker);
}

void disk_init(struct disk *disk, struct loop *loop, void (*looked)(void *arg), void *arg)
{
	*disk = (struct disk){.loop = loop, .looked = looked, .arg = arg, .begun = MONO_NEVER};
	worker_init(&disk->worker, look, disk);
}

/* Which of them are looked at: the configuration may be another one before the thread is back. */
static bool make_list(struct disk *disk, const char *file, const struct conf *conf)
{
	uint32_t n = conf->n_origins < DISK_ORIGINS_MAX ? conf->n_origins : DISK_ORIGINS_MAX;
	size_t size = strlen(file) + 1;
	char *at;

	for (uint32_t i = 0; i < n; i++)
		size += strlen(conf_string(conf, conf->origins[i].path)) + 1;
	free(disk->files);
	free(disk->text);
	disk->files = calloc(n + 1, sizeof(*disk->files));
	disk->text = at = malloc(size);
	disk->n = 1;
	if (!disk->files || !at)
		return false;
	disk->files[0].path = at;
	at = stpcpy(at, file) + 1;
	for (uint32_t i = 0; i < n; i++) {
		const struct conf_origin *origin = &conf->origins[i];

		/* It is asked for by its own name: another file may be in use for now. */
		if (origin->is_file)
			continue;
		disk->files[disk->n++] = (struct disk_file){at, origin->mtime_real_us};
		at = stpcpy(at, conf_string(conf, origin->path)) + 1;
	}
	return true;
}

void disk_look(struct disk *disk, const char *file, const struct conf *conf)
{
	if (disk->worker.is_out || !make_list(disk, file, conf))
		return;
	if (!disk->io)
		start_worker(disk);
	disk->sent = mono_now();
	worker_send(&disk->worker);
	if (!disk->worker.has_thread)
		on_looked(-1, 0, disk);
}
