/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keeper: the thread of the parent that writes the intent file, because a disk may take its time and nobody looks
 * after the roles meanwhile. Usually the parent waits for it, since what a client was told to be done shall be on the
 * disk. */
#ifndef POISE_KEEPER_H
#define POISE_KEEPER_H

#include "intent.h"
#include "worker.h"
#include <limits.h>
#include <stdbool.h>

struct keeper {
	struct worker worker;
	struct intents copy; /* what is being written */
	char path[PATH_MAX];
	int result;   /* the thread's */
	bool is_owed; /* there is more to write than what is under way */
};

/* Without a thread (-errno) everything is written at once, however long that takes. */
int keeper_start(struct keeper *keeper, const char *path);
/* Writes the file. Returns 0, -errno, or -EINPROGRESS when that takes longer than anybody should wait: the descriptor
 * of keeper_fd() becomes readable then. */
int keeper_write(struct keeper *keeper, const struct intents *all);
int keeper_fd(const struct keeper *keeper);
/* What took its time has come to its end: *result as of keeper_write(). Returns false when it has not. */
bool keeper_take(struct keeper *keeper, int *result);
/* Ends the thread, when what it writes ends within patience_us; what is owed can be written then, at once. Returns
 * false when it does not end: it may be lost with the process. */
bool keeper_end(struct keeper *keeper, int64_t patience_us);

#endif
