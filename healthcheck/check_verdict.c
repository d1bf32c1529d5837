/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rise and fall of a check, and the sum over a server's checks. Runs in poise-healthcheck; pure: it never logs, never
 * allocates and never asks a clock. */
#include "check_verdict.h"

static void count(uint32_t *counter)
{
	if (*counter < UINT32_MAX)
		(*counter)++;
}

static struct verdict_step take_success(const struct verdict_rule *rule, struct verdict *v)
{
	struct verdict_step step = {.from = v->health, .to = v->health};
	uint32_t needed = v->health == HEALTH_DOWN && rule->rise > 1 ? rule->rise : 1;

	count(&v->successes);
	v->failures = 0;
	step.tries = v->successes;
	step.tries_needed = needed;
	if (v->health != HEALTH_UP && v->successes >= needed)
		step.to = HEALTH_UP;
	return step;
}

static struct verdict_step take_failure(const struct verdict_rule *rule, struct verdict *v)
{
	struct verdict_step step = {.from = v->health, .to = v->health};
	uint32_t needed = 1;

	if (v->health == HEALTH_UP)
		needed = rule->retry < UINT32_MAX ? rule->retry + 1 : UINT32_MAX;
	count(&v->failures);
	v->successes = 0;
	step.tries = v->failures;
	step.tries_needed = needed;
	if (v->health != HEALTH_DOWN && v->failures >= needed)
		step.to = HEALTH_DOWN;
	step.is_doubt = step.to == HEALTH_UP;
	return step;
}

struct verdict_step verdict_take(const struct verdict_rule *rule, struct verdict *v, bool passed)
{
	struct verdict_step step = passed ? take_success(rule, v) : take_failure(rule, v);

	step.is_changed = step.from != step.to;
	v->health = step.to;
	return step;
}

struct verdict_wait verdict_wait(const struct verdict_pace *pace, const struct verdict_step *step, bool passed)
{
	if (step->is_doubt)
		return (struct verdict_wait){
			pace->fast_interval_us ? pace->fast_interval_us : pace->delay_before_retry_us, true};
	if (step->to != HEALTH_DOWN)
		return (struct verdict_wait){pace->interval_us, false};
	if (passed && pace->fast_interval_us)
		return (struct verdict_wait){pace->fast_interval_us, true};
	if (!passed && pace->down_interval_us)
		return (struct verdict_wait){pace->down_interval_us, false};
	return (struct verdict_wait){pace->interval_us, false};
}

enum health verdict_join(enum health so_far, enum health next)
{
	if (so_far == HEALTH_DOWN || next == HEALTH_DOWN)
		return HEALTH_DOWN;
	if (so_far == HEALTH_UNKNOWN || next == HEALTH_UNKNOWN)
		return HEALTH_UNKNOWN;
	return HEALTH_UP;
}
