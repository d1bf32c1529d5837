/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files for a process that must not wait for a file system: opened, and read, by threads. One that does not answer (a
 * file server that is away, a disk that hangs) costs a thread for each folder that is asked for, and what is asked of
 * other folders goes on while a thread is left. */
#ifndef POISE_FETCH_H
#define POISE_FETCH_H

#include "loop.h"
#include <stdbool.h>
#include <stddef.h>

/* Folders that may be waited for at once. */
#define FETCH_LANES 8
/* Of a file no more is read. */
#define FETCH_TEXT_SIZE 512

/* What came of it. */
struct fetched {
	int error;        /* 0 or -errno; -ENOTSUP: not a regular file */
	int fd;           /* FETCH_OPEN: valid during the call only, else -1 */
	const char *text; /* FETCH_READ: its first bytes, without an end mark */
	size_t length;
};

enum fetch_kind {
	FETCH_READ,
	FETCH_OPEN,
};

struct fetcher;
struct fetch;
typedef void fetch_done_fn(void *arg, const struct fetched *file);

/* NULL when out of memory. Threads are started when there is work for them. */
struct fetcher *fetcher_new(struct loop *loop);
/* Nobody is told any more. Threads that still wait for a file system are left alone: the process is to end. */
void fetcher_free(struct fetcher *fetcher);

/* Asks for a file; fd: it is open already and becomes ours (it is closed in any case), -1 = by its path. done is called
 * once, later, unless fetch_cancel() comes before. Returns NULL when out of memory. */
struct fetch *fetch_begin(
	struct fetcher *fetcher, enum fetch_kind kind, const char *path, int fd, fetch_done_fn *done, void *arg);
/* Nobody waits for it any more. */
void fetch_cancel(struct fetch *fetch);

/* Whether two files lie in one folder, by their names. */
bool fetch_is_same_folder(const char *a, const char *b);

#endif
