/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are watched: inotify on the file and on its folder tells of every change, also of a file that is moved
 * into place or that appears later, even in a folder that does not exist yet. */
#ifndef POISE_SCRIPT_WATCH_H
#define POISE_SCRIPT_WATCH_H

#include "loop.h"

struct script_watch;

struct script_watch_owner {
	/* Of the file with this number; it stays where it is as long as the watch lives. */
	const char *(*path)(void *arg, uint32_t index);
	/* It was written, made, moved or removed, or may have been; several changes at once are told once. */
	void (*changed)(void *arg, uint32_t index);
	void *arg;
};

/* Watches the files 0 to count - 1 from now on. Returns NULL with errno. */
struct script_watch *script_watch_new(struct loop *loop, uint32_t count, const struct script_watch_owner *owner);
void script_watch_free(struct script_watch *watch); /* NULL is allowed */

/* The first bytes of a file, size of them at most: how many, or -errno (-ENOTSUP: it is no plain file; a device or a
 * pipe could answer anything, or never). */
ssize_t script_watch_read(const char *path, char *contents, size_t size);

#endif
