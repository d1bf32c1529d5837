/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the programs of MISC_CHECKs and publishes how they ended; part of the script process. It knows nothing of
 * servers being up or down: it only looks again sooner or later, as the check is configured. */
#include "script_misc.h"

#include "log.h"
#include "script_run.h"
#include "script_verdict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct misc {
	struct script_miscs *miscs;
	conf_index_t check; /* conf->checks */
	uint32_t number;    /* record of SCRIPT_TABLE_MISC */
	struct status_script status;
	struct script_misc_pace pace;
	struct timer start;
	struct run *run; /* NULL while it does not run */
};

struct script_miscs {
	struct role_process *process;
	const struct conf *conf;
	struct misc *miscs;
	uint32_t count;
	/* for the switch: the record of the old generation that this one continues, CONF_NONE = none */
	uint32_t *origin;
};

static const struct conf_check *configured(const struct misc *m)
{
	return &m->miscs->conf->checks[m->check];
}

static int64_t limit_us(const struct misc *m)
{
	const struct conf_check *c = configured(m);

	return c->misc_timeout_us ? c->misc_timeout_us : c->interval_us;
}

static void arm(struct misc *m, int64_t at_us)
{
	m->status.next_start = (struct mono){at_us};
	loop_timer_set(m->miscs->process->loop, &m->start, m->status.next_start);
}

/* A run that says the same as the one before is no reason to wake anybody; the record is read every now and then. */
static void publish(struct misc *m, bool is_news)
{
	if (is_news)
		role_store(m->miscs->process, SCRIPT_TABLE_MISC, m->number, &m->status, sizeof(m->status));
	else
		role_store_quiet(m->miscs->process, SCRIPT_TABLE_MISC, m->number, &m->status, sizeof(m->status));
}

static void judge(void *arg, int result, const char *why)
{
	struct misc *m = arg;
	bool good = script_misc_is_good(result, configured(m)->misc_dynamic);
	bool is_news =
		script_misc_step(&m->pace, good) <= configured(m)->rise || !good || m->status.last_exit != result;

	m->status.result = good ? SCRIPT_GOOD : SCRIPT_BAD;
	m->status.last_exit = result;
	m->status.last_end = mono_now();
	m->status.runs++;
	snprintf(m->status.why, sizeof(m->status.why), "%s", why);
	publish(m, is_news);
}

static void arm_next(struct misc *m)
{
	arm(m, script_misc_next_us(&m->pace, configured(m), m->status.last_start.us, mono_now().us));
}

static void on_ended(void *arg)
{
	struct misc *m = arg;

	m->run = NULL;
	arm_next(m);
}

static void on_start(struct timer *timer, void *arg)
{
	struct misc *m = arg;
	const struct run_owner owner = {judge, on_ended, m};
	char why[SPAWN_WHY_SIZE];

	(void)timer;
	m->status.last_start = mono_now();
	m->run = run_start(m->miscs->process->loop, m->miscs->conf, &configured(m)->command, limit_us(m), &owner, why);
	if (m->run)
		return;
	judge(m, SPAWN_EXIT_NOT_RUN, why);
	arm_next(m);
}

/* ---- generations ---- */

static uint32_t count_miscs(const struct conf *conf)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < conf->n_checks; i++)
		n += conf->checks[i].kind == CONF_CHECK_MISC;
	return n;
}

static bool same_text(const struct conf *a, conf_string_t s, const struct conf *b, conf_string_t t)
{
	return strcmp(conf_string(a, s), conf_string(b, t)) == 0;
}

static bool is_same(const struct conf *a, const struct conf_check *x, const struct conf *b, const struct conf_check *y)
{
	const char *wx = conf_string(a, x->command.argv), *wy = conf_string(b, y->command.argv);

	if (x->command.argc != y->command.argc || x->misc_dynamic != y->misc_dynamic ||
		!same_text(a, x->command.user, b, y->command.user) ||
		!same_text(a, x->command.group, b, y->command.group))
		return false;
	for (uint32_t i = 0; i < x->command.argc; i++) {
		if (strcmp(wx, wy) != 0)
			return false;
		wx += strlen(wx) + 1;
		wy += strlen(wy) + 1;
	}
	return true;
}

/* The record of the old generation for each of the new one: the same program for the same server. */
static int find_origins(struct script_miscs *miscs, const struct conf *old)
{
	const struct conf *next = miscs->conf;
	conf_index_t *server_from = calloc(next->n_servers + 1, sizeof(*server_from));
	uint32_t *number_of = calloc(old->n_checks + 1, sizeof(*number_of));
	bool *taken = calloc(old->n_checks + 1, sizeof(*taken));
	uint32_t n = 0;
	int rc = server_from && number_of && taken ? conf_match_servers(next, old, server_from) : -1;

	for (uint32_t i = 0; rc == 0 && i < old->n_checks; i++)
		number_of[i] = old->checks[i].kind == CONF_CHECK_MISC ? n++ : CONF_NONE;
	for (uint32_t i = 0; rc == 0 && i < miscs->count; i++) {
		const struct conf_check *c = &next->checks[miscs->miscs[i].check];
		conf_index_t from = c->server < next->n_servers ? server_from[c->server] : CONF_NONE;
		const struct conf_range *range = from == CONF_NONE ? NULL : &old->servers[from].checks;

		for (uint32_t j = range ? range->first : 0; range && j < range->first + range->count; j++) {
			if (number_of[j] == CONF_NONE || taken[j] || !is_same(next, c, old, &old->checks[j]))
				continue;
			taken[j] = true;
			miscs->origin[i] = number_of[j];
			break;
		}
	}
	free(server_from);
	free(number_of);
	free(taken);
	return rc;
}

static void init_misc(struct script_miscs *miscs, uint32_t number, conf_index_t check)
{
	struct misc *m = &miscs->miscs[number];

	m->miscs = miscs;
	m->check = check;
	m->number = number;
	m->start.fire = on_start;
	m->start.arg = m;
	m->status.since_real_us = real_now_us();
	snprintf(m->status.why, sizeof(m->status.why), "has not run yet");
	miscs->origin[number] = CONF_NONE;
}

struct script_miscs *script_miscs_prepare(struct role_process *p, const struct conf *next, const struct conf *old)
{
	struct script_miscs *miscs = calloc(1, sizeof(*miscs));
	uint32_t n = 0;

	if (!miscs)
		return NULL;
	miscs->process = p;
	miscs->conf = next;
	miscs->count = count_miscs(next);
	miscs->miscs = calloc(miscs->count + 1, sizeof(*miscs->miscs));
	miscs->origin = calloc(miscs->count + 1, sizeof(*miscs->origin));
	if (miscs->miscs && miscs->origin && loop_timer_reserve(p->loop, 64 + 4 * (size_t)miscs->count) == 0) {
		for (uint32_t i = 0; i < next->n_checks; i++)
			if (next->checks[i].kind == CONF_CHECK_MISC)
				init_misc(miscs, n++, i);
		if (!old || find_origins(miscs, old) == 0)
			return miscs;
	}
	script_miscs_free(miscs);
	return NULL;
}

uint32_t script_miscs_count(const struct script_miscs *miscs)
{
	return miscs->count;
}

static void take_over(struct misc *m, struct misc *old)
{
	const struct run_owner owner = {judge, on_ended, m};

	m->status = old->status;
	m->pace = old->pace;
	m->run = old->run;
	old->run = NULL;
	if (m->run)
		run_hand_over(m->run, &owner, limit_us(m));
}

void script_miscs_switch(struct script_miscs *miscs, struct script_miscs *old, struct board *fresh)
{
	for (uint32_t i = 0; i < miscs->count; i++) {
		struct misc *m = &miscs->miscs[i];

		if (old && miscs->origin[i] < old->count)
			take_over(m, &old->miscs[miscs->origin[i]]);
		board_store(fresh, SCRIPT_TABLE_MISC, i, &m->status, sizeof(m->status));
	}
	script_miscs_free(old);
}

void script_miscs_begin(struct script_miscs *miscs)
{
	int64_t now_us = mono_now().us;

	for (uint32_t i = 0; i < miscs->count; i++) {
		struct misc *m = &miscs->miscs[i];

		if (m->run)
			continue;
		if (m->status.runs)
			arm_next(m);
		else
			/* Spread evenly, so that a thousand programs do not start together. */
			arm(m, now_us + script_misc_spread_us(configured(m)->warmup_us, i, miscs->count));
		publish(m, false);
	}
}

void script_miscs_free(struct script_miscs *miscs)
{
	if (!miscs)
		return;
	for (uint32_t i = 0; miscs->miscs && i < miscs->count; i++) {
		loop_timer_cancel(miscs->process->loop, &miscs->miscs[i].start);
		if (miscs->miscs[i].run)
			run_abandon(miscs->miscs[i].run);
	}
	free(miscs->miscs);
	free(miscs->origin);
	free(miscs);
}
