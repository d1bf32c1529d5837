/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the files of the configuration stand on disk. They are looked at by a thread: a file server may be away, and who
 * looks then waits for it, perhaps for ever. Runs in the control process. */
#ifndef POISE_CONTROL_DISK_H
#define POISE_CONTROL_DISK_H

#include "conf.h"
#include "loop.h"
#include "worker.h"

/* Included files and folders that one look takes in, at most. */
#define DISK_ORIGINS_MAX 1000

struct disk_file {
	const char *path; /* in `text` */
	int64_t mtime_real_us;
};

struct disk {
	struct loop *loop;
	void (*looked)(void *arg); /* a look is over */
	void *arg;
	struct mono begun;          /* the last look that is over; MONO_NEVER = none */
	int64_t file_mtime_real_us; /* what it saw: when the configuration file was written, 0 = cannot be seen */
	bool has_changed_origins;   /* a file that it includes is not the one that was read */

	/* private; the thread's while it is out */
	struct worker worker;
	struct loop_io *io;
	struct mono sent;
	char *text;
	struct disk_file *files; /* the first is the configuration file */
	uint32_t n;
	int64_t seen_mtime_real_us;
	bool saw_changes;
};

void disk_init(struct disk *disk, struct loop *loop, void (*looked)(void *arg), void *arg);
/* Begins a look at the file and at what it includes, unless one is under way. May call looked() before it returns.
 * Without memory nothing is begun. */
void disk_look(struct disk *disk, const char *file, const struct conf *conf);

#endif
