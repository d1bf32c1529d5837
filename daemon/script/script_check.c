/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs tracked scripts and says on the board what their exits mean; part of the script process. It decides nothing
 * about virtual routers: who tracks a script reads the board. */
#include "script_check.h"

#include "log.h"
#include "script_run.h"
#include "script_verdict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script {
	struct script_checks *checks;
	conf_index_t index;
	struct script_verdict verdict;
	struct status_script status;
	struct timer start;
	struct mono last_start;
	struct run *run; /* NULL while it does not run */
	bool is_tracked;
};

struct script_checks {
	struct role_process *process;
	const struct conf *conf;
	struct script *scripts;
	uint32_t count;
};

static const struct conf_script *configured(const struct script *s)
{
	return &s->checks->conf->scripts[s->index];
}

static const char *name_of(const struct script *s)
{
	return conf_string(s->checks->conf, configured(s)->name);
}

static const char *result_word(enum script_result result)
{
	return result == SCRIPT_GOOD ? "good" : result == SCRIPT_BAD ? "bad" : "unknown";
}

/* Takes the result of a run into account and tells the board. */
static void judge(void *arg, int result, const char *why)
{
	struct script *s = arg;
	const struct conf_script *c = configured(s);
	enum script_result before = s->verdict.result;
	bool changed = script_verdict_step(&s->verdict, c->rise, c->fall, result == 0);

	s->status.result = s->verdict.result;
	s->status.last_exit = result;
	s->status.last_end = mono_now();
	s->status.runs++;
	snprintf(s->status.why, sizeof(s->status.why), "%s", why);
	if (changed) {
		s->status.since_real_us = real_now_us();
		if (s->verdict.result == SCRIPT_GOOD)
			log_info("script %s: %s -> good: %s", name_of(s), result_word(before), why);
		else
			log_warning("script %s: %s -> bad: %s", name_of(s), result_word(before), why);
	} else if (result != 0) {
		log_debug("script %s: %s", name_of(s), why);
	}
	/* Only a change is worth a doorbell; the counters can be read at any time. */
	if (changed)
		role_store(s->checks->process, SCRIPT_TABLE_SCRIPT, s->index, &s->status, sizeof(s->status));
	else
		role_store_quiet(s->checks->process, SCRIPT_TABLE_SCRIPT, s->index, &s->status, sizeof(s->status));
}

static void arm_start(struct script *s)
{
	struct mono now = mono_now();
	int64_t at_us = now.us;

	if (mono_is_set(s->last_start))
		at_us = script_next_start_us(s->last_start.us, configured(s)->interval_us, now.us);
	loop_timer_set(s->checks->process->loop, &s->start, (struct mono){at_us});
}

static int64_t limit_us(const struct script *s)
{
	const struct conf_script *c = configured(s);

	return c->timeout_us ? c->timeout_us : c->interval_us;
}

static void on_ended(void *arg)
{
	struct script *s = arg;

	s->run = NULL;
	arm_start(s);
}

static void on_start(struct timer *timer, void *arg)
{
	struct script *s = arg;
	const struct run_owner owner = {judge, on_ended, s};
	char why[SPAWN_WHY_SIZE];

	(void)timer;
	s->last_start = mono_now();
	s->run =
		run_start(s->checks->process->loop, s->checks->conf, &configured(s)->command, limit_us(s), &owner, why);
	if (s->run)
		return;
	judge(s, SPAWN_EXIT_NOT_RUN, why);
	arm_start(s);
}

static bool is_tracked(const struct conf *conf, conf_index_t script)
{
	for (uint32_t i = 0; i < conf->n_tracks; i++) {
		if (conf->tracks[i].kind == CONF_TRACK_SCRIPT && conf->tracks[i].script == script)
			return true;
	}
	return false;
}

struct script_checks *script_checks_prepare(struct role_process *p, const struct conf *next)
{
	struct script_checks *checks = calloc(1, sizeof(*checks));

	if (!checks)
		return NULL;
	checks->process = p;
	checks->conf = next;
	checks->count = next->n_scripts;
	checks->scripts = calloc(next->n_scripts ? next->n_scripts : 1, sizeof(*checks->scripts));
	if (!checks->scripts || loop_timer_reserve(p->loop, 64 + 4 * (size_t)next->n_scripts) < 0) {
		script_checks_free(checks);
		return NULL;
	}
	for (uint32_t i = 0; i < next->n_scripts; i++) {
		struct script *s = &checks->scripts[i];

		s->checks = checks;
		s->index = i;
		s->is_tracked = is_tracked(next, i);
		s->start.fire = on_start;
		s->start.arg = s;
		s->verdict = script_verdict_initial(next->scripts[i].init_fail);
		s->status.result = s->verdict.result;
		s->status.since_real_us = real_now_us();
		snprintf(s->status.why, sizeof(s->status.why), "%s",
			!s->is_tracked               ? "nothing tracks it, so it is not run"
			: next->scripts[i].init_fail ? "has not run yet, bad until then (init_fail)"
						     : "has not run yet");
	}
	return checks;
}

static bool same_command(
	const struct conf *a, const struct conf_command *x, const struct conf *b, const struct conf_command *y)
{
	const char *words_a[SPAWN_ARGS], *words_b[SPAWN_ARGS];
	int n = conf_argv(a, x, words_a, SPAWN_ARGS), m = conf_argv(b, y, words_b, SPAWN_ARGS);

	if (n != m || n < 0)
		return false;
	for (int i = 0; i < n; i++) {
		if (strcmp(words_a[i], words_b[i]) != 0)
			return false;
	}
	return true;
}

static struct script *find_same(struct script_checks *old, const struct conf *old_conf, const struct script *s)
{
	for (uint32_t i = 0; i < old->count; i++) {
		struct script *o = &old->scripts[i];
		const struct conf_script *c = &old_conf->scripts[i];

		if (strcmp(conf_string(old_conf, c->name), name_of(s)) == 0)
			return same_command(old_conf, &c->command, s->checks->conf, &configured(s)->command) ? o : NULL;
	}
	return NULL;
}

static void take_over(struct script *s, struct script *old)
{
	const struct run_owner owner = {judge, on_ended, s};

	if (!old->verdict.has_run || !s->is_tracked)
		return;
	s->verdict = old->verdict;
	s->status = old->status;
	s->last_start = old->last_start;
	/* The process under way reports to the new record, within the new time limit. */
	s->run = old->run;
	old->run = NULL;
	if (s->run)
		run_hand_over(s->run, &owner, limit_us(s));
}

/* After a crash: results of the process that died, when they are of the same generation. */
static void take_over_board(struct script_checks *checks, const struct board *board)
{
	struct status_script status;

	if (!board || board_generation(board) != checks->conf->generation)
		return;
	for (uint32_t i = 0; i < checks->count; i++) {
		struct script *s = &checks->scripts[i];

		if (!s->is_tracked || board_load(board, SCRIPT_TABLE_SCRIPT, i, &status, sizeof(status)) < 0 ||
			status.result > SCRIPT_BAD || status.runs == 0)
			continue;
		status.why[sizeof(status.why) - 1] = '\0';
		s->status = status;
		s->verdict = (struct script_verdict){.result = (enum script_result)status.result, .has_run = true};
	}
}

void script_checks_switch(struct script_checks *checks, struct script_checks *old, const struct conf *old_conf,
	const struct board *board, struct board *fresh)
{
	if (!old)
		take_over_board(checks, board);
	for (uint32_t i = 0; i < checks->count; i++) {
		struct script *s = &checks->scripts[i];
		struct script *same = old ? find_same(old, old_conf, s) : NULL;

		if (same)
			take_over(s, same);
		board_store(fresh, SCRIPT_TABLE_SCRIPT, i, &s->status, sizeof(s->status));
	}
	script_checks_free(old);
}

void script_checks_begin(struct script_checks *checks)
{
	for (uint32_t i = 0; i < checks->count; i++) {
		if (checks->scripts[i].is_tracked && !checks->scripts[i].run)
			arm_start(&checks->scripts[i]);
	}
}

void script_checks_free(struct script_checks *checks)
{
	if (!checks)
		return;
	for (uint32_t i = 0; checks->scripts && i < checks->count; i++) {
		struct script *s = &checks->scripts[i];

		loop_timer_cancel(checks->process->loop, &s->start);
		if (s->run)
			run_abandon(s->run);
	}
	free(checks->scripts);
	free(checks);
}
