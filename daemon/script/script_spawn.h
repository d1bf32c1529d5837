/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a configured command as its user and says afterwards how it went. The command gets a process group of its own,
 * /dev/null as input and output, a small environment, no descriptor of ours, and no shell.
 * What it writes to standard error is kept for the reason of a failure, in a file of bounded size that nobody has to
 * empty: a program that stays in the background may go on writing without harm. */
#ifndef POISE_SCRIPT_SPAWN_H
#define POISE_SCRIPT_SPAWN_H

#include "conf.h"
#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#define SPAWN_ARGS 64
#define SPAWN_WHY_SIZE 160

/* status_script.last_exit for what is no exit */
#define SPAWN_EXIT_NOT_RUN (-1000)
#define SPAWN_EXIT_TIMEOUT (-1001)

struct spawn {
	pid_t pid;  /* 0 = not running */
	int report; /* pipe: why the program could not be executed */
	int errors; /* the file behind standard error */
};

/* Starts the command with further arguments (ended by NULL; may be NULL). with_parent: it gets SIGTERM when this
 * process dies. Returns 0, or -1 and the reason in why (SPAWN_WHY_SIZE bytes). */
int spawn_start(struct spawn *spawn, const struct conf *conf, const struct conf_command *command,
	const char *const *further, bool with_parent, char *why);
/* Starts a program of ours, by its path and as this user, with `input` as its standard input; it gives up what it does
 * not need itself. argv ends with NULL. Returns like spawn_start(). */
int spawn_own(struct spawn *spawn, const char *path, const char *const *argv, int input, char *why);
/* After its end: releases everything; returns status_script.last_exit and puts the reason into why: "exit status 1:
 * connect: refused", "killed by signal 9", "/x/y: Permission denied"; "exit status 0" for success. */
int spawn_finish(struct spawn *spawn, const siginfo_t *info, char *why);
/* Kills it, waits for its end, and releases everything: for a process that cannot be watched. */
void spawn_abandon(struct spawn *spawn);
/* Sends a signal to the whole process group. */
void spawn_signal(const struct spawn *spawn, int signo);

#endif
