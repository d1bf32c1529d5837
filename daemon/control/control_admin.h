/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes that a person asked for: words are resolved to servers of the current generation, every server becomes one
 * `command` message to the parent, and when all are answered the result goes back to the client. A generation that
 * changes in between makes a job look its servers up again; all commands can be repeated without harm. */
#ifndef POISE_CONTROL_ADMIN_H
#define POISE_CONTROL_ADMIN_H

#include "control_access.h"
#include "control_request.h"
#include "control_writer.h"
#include "role.h"

struct admin_job;

/* The whole answer line of a finished job (malloc'ed, the callee frees; NULL when memory ran out). client is the number
 * that was given to admin_start(). */
typedef void admin_done_fn(void *ctx, uint64_t client, char *answer, size_t length);

struct administration {
	struct role_process *process;
	const struct conf *conf; /* the generation that numbers refer to */
	struct admin_job *jobs;
	unsigned n_jobs;
	uint64_t last_id;
	admin_done_fn *done;
	void *ctx;
};

/* Begins a job; done() is called later, never from here. Returns 0, or -1 and a sentence in error
 * (MATCH_ERROR_SIZE bytes) when nothing was begun. */
int admin_start(struct administration *admin, const struct request *request, const struct access_peer *peer,
	uint64_t client, char *error);
/* The parent's answer to a command. Answers that belong to nothing any more are ignored. */
void admin_answer(struct administration *admin, const struct msg_answer *answer);
/* The table that a plan asked for (taken over; NULL when it was not one). */
void admin_candidate(struct administration *admin, const struct msg_candidate *message, struct conf *to);
/* Numbers now refer to `next` (never NULL). */
void admin_switch(struct administration *admin, const struct conf *next);

/* Writes {"ok": false, "reason": ..., "error": ...}; returns the line like writer_take(). */
char *admin_error(const char *reason, const char *error, size_t *length);

#endif
