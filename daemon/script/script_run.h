/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One process of a check with a time limit: the result comes when it ends or when its time is up, whichever is first,
 * and the end of the process is told separately. */
#ifndef POISE_SCRIPT_RUN_H
#define POISE_SCRIPT_RUN_H

#include "loop.h"
#include "script_spawn.h"

struct run;

struct run_owner {
	/* The result: status_script.last_exit, and why. Once for each run. */
	void (*judge)(void *arg, int result, const char *why);
	/* The process is gone and the run with it: another may begin. */
	void (*ended)(void *arg);
	void *arg;
};

/* Starts a command that has limit_us for its result. NULL with the reason in why (SPAWN_WHY_SIZE bytes). */
struct run *run_start(struct loop *loop, const struct conf *conf, const struct conf_command *command, int64_t limit_us,
	const struct run_owner *owner, char *why);
/* Another owner takes it over, with another time limit (counted from the start). */
void run_hand_over(struct run *run, const struct run_owner *owner, int64_t limit_us);
/* Nobody wants the result any more: the process is ended; it is reaped by itself. */
void run_abandon(struct run *run);

#endif
