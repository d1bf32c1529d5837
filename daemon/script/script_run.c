/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watches the process of a check: its end, its time limit, and its removal when it does not go by itself; part of the
 * script process. What the result means is its owner's business. */
#include "script_run.h"

#include <stdio.h>
#include <stdlib.h>

/* Between SIGTERM and SIGKILL. */
#define GRACE_US US_PER_S

struct run {
	struct run_owner owner;
	struct loop *loop;
	struct spawn spawn;
	struct timer limit;
	struct mono started;
	int64_t limit_us;
	bool is_late; /* the result has been given, the process is to go */
	bool is_unwanted;
};

static void on_end(pid_t pid, const siginfo_t *info, void *arg)
{
	struct run *run = arg;
	char why[SPAWN_WHY_SIZE];
	int result;

	if (run->is_late)
		kill(-pid, SIGKILL); /* what it started and did not end */
	loop_timer_cancel(run->loop, &run->limit);
	result = spawn_finish(&run->spawn, info, why);
	if (!run->is_unwanted && !run->is_late)
		run->owner.judge(run->owner.arg, result, why);
	if (!run->is_unwanted)
		run->owner.ended(run->owner.arg);
	free(run);
}

static void tell_to_end(struct run *run)
{
	run->is_late = true;
	spawn_signal(&run->spawn, SIGTERM);
	loop_timer_set(run->loop, &run->limit, mono_add(mono_now(), GRACE_US));
}

static void on_limit(struct timer *timer, void *arg)
{
	struct run *run = arg;
	char why[SPAWN_WHY_SIZE];

	(void)timer;
	if (run->is_late) {
		spawn_signal(&run->spawn, SIGKILL);
		return;
	}
	/* The result does not wait for the process to die. */
	tell_to_end(run);
	snprintf(why, sizeof(why), "no result within %lld ms", (long long)(run->limit_us / US_PER_MS));
	run->owner.judge(run->owner.arg, SPAWN_EXIT_TIMEOUT, why);
}

struct run *run_start(struct loop *loop, const struct conf *conf, const struct conf_command *command, int64_t limit_us,
	const struct run_owner *owner, char *why)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run) {
		snprintf(why, SPAWN_WHY_SIZE, "out of memory");
		return NULL;
	}
	if (spawn_start(&run->spawn, conf, command, NULL, true, why) < 0) {
		free(run);
		return NULL;
	}
	*run = (struct run){.owner = *owner, .loop = loop, .spawn = run->spawn, .started = mono_now()};
	run->limit.fire = on_limit;
	run->limit.arg = run;
	if (loop_child_add(loop, run->spawn.pid, on_end, run) < 0) {
		spawn_abandon(&run->spawn);
		free(run);
		snprintf(why, SPAWN_WHY_SIZE, "out of descriptors");
		return NULL;
	}
	run->limit_us = limit_us;
	loop_timer_set(loop, &run->limit, mono_add(run->started, limit_us));
	return run;
}

void run_hand_over(struct run *run, const struct run_owner *owner, int64_t limit_us)
{
	run->owner = *owner;
	run->limit_us = limit_us;
	if (!run->is_late)
		loop_timer_set(run->loop, &run->limit, mono_add(run->started, limit_us));
}

void run_abandon(struct run *run)
{
	run->is_unwanted = true;
	if (!run->is_late)
		tell_to_end(run);
}
