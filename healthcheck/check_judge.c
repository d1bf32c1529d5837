/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdicts over servers and pools: what the checks of a server say together, its share of its weight, and whether
 * so many are down that they serve on. Runs in poise-healthcheck; it never starts a probe and never reports. */
#include "check_set.h"
#include <stdio.h>
#include <string.h>

/* The check that a server's verdict is explained by: the first one with that health. */
static const struct check *find_witness(
	const struct check_set *set, const struct conf_range *range, enum health health, bool count_dead)
{
	for (uint32_t i = range->first; i < range->first + range->count; i++)
		if (set->checks[i]->verdict.health == health && (count_dead || !set->checks[i]->is_dead))
			return set->checks[i];
	return NULL;
}

/* The first check that says why a server that is up gets less than its weight. */
static const struct check *find_drainer(const struct check_set *set, const struct conf_range *range)
{
	for (uint32_t i = range->first; i < range->first + range->count; i++)
		if (!set->checks[i]->is_dead && set->checks[i]->status.is_draining)
			return set->checks[i];
	return NULL;
}

/* All checks together: the worst health, the last weight that was set, the smallest share. */
struct sum {
	enum health health;
	uint32_t running;
	int32_t weight, percent;
};

static struct sum sum_up(const struct check_set *set, const struct conf_range *range)
{
	struct sum sum = {HEALTH_UP, 0, -1, 100};

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct check *c = set->checks[i];

		if (c->is_dead)
			continue;
		sum.running++;
		sum.health = verdict_join(sum.health, c->verdict.health);
		if (c->status.weight >= 0)
			sum.weight = c->status.weight;
		if (c->status.weight_percent < sum.percent || (sum.percent == 100 && c->status.weight_percent > 100))
			sum.percent = c->status.weight_percent;
	}
	if (range->count > 0 && sum.running == 0)
		sum.health = HEALTH_UNKNOWN;
	return sum;
}

static const struct conf_service *service_of(const struct check_set *set, conf_index_t server)
{
	conf_index_t service = set->conf->servers[server].service;

	return service < set->conf->n_services ? &set->conf->services[service] : NULL;
}

/* A server that comes back begins with a small share; one that is seen for the first time does not. */
static int32_t ramp(struct check_set *set, conf_index_t server, enum health from, struct mono now)
{
	struct server_state *state = &set->states[server];
	const struct conf_service *service = service_of(set, server);
	int32_t percent;

	if (set->servers[server].health != HEALTH_UP || !service || !service->slow_start_us)
		state->ramp_began = MONO_NEVER;
	else if (from == HEALTH_DOWN)
		state->ramp_began = now;
	if (!mono_is_set(state->ramp_began))
		return 100;
	percent = pool_ramp_percent(mono_diff_us(now, state->ramp_began), service->slow_start_us);
	if (percent >= 100)
		state->ramp_began = MONO_NEVER;
	return percent;
}

static void explain(struct check_set *set, conf_index_t server, const struct sum *sum)
{
	const struct conf_range *range = &set->conf->servers[server].checks;
	struct status_health *s = &set->servers[server];
	const struct check *drainer = s->is_draining ? find_drainer(set, range) : NULL;
	const struct check *witness = find_witness(set, range, (enum health)s->health, sum->running == 0);

	if (range->count == 0)
		snprintf(s->why, WHY_SIZE, "no check is configured");
	else if (drainer && s->health == HEALTH_UP)
		memcpy(s->why, drainer->status.why, WHY_SIZE);
	else if (s->health == HEALTH_UP && sum->running > 1)
		snprintf(s->why, WHY_SIZE, "all %u checks pass", sum->running);
	else if (witness)
		memcpy(s->why, witness->status.why, WHY_SIZE);
	if (s->is_held) {
		char why[WHY_SIZE];

		memcpy(why, s->why, WHY_SIZE);
		snprintf(s->why, WHY_SIZE, "down, but serves on (panic_threshold %u): %.100s",
			service_of(set, server)->panic_threshold, why);
	}
}

bool check_set_judge_server(struct check_set *set, conf_index_t server, struct mono now)
{
	const struct conf_range *range = &set->conf->servers[server].checks;
	struct status_health *s = &set->servers[server];
	struct sum sum = sum_up(set, range);
	enum health from = (enum health)s->health;
	int64_t percent = sum.percent;

	s->health = sum.health;
	if (from != sum.health)
		s->since_real_us = real_now_us();
	s->is_draining = find_drainer(set, range) != NULL;
	s->weight = sum.weight;
	s->response_us = (uint32_t)set->states[server].member.response_us;
	percent = percent * ramp(set, server, from, now) / 100;
	if (set->states[server].member.percent)
		percent = percent * set->states[server].member.percent / 100;
	/* Small is not nothing: only who says so is drained. */
	if (percent < 1 && sum.percent > 0)
		percent = 1;
	s->weight_percent = s->is_draining ? 0 : (int32_t)percent;
	if (s->health != HEALTH_DOWN)
		s->is_held = 0;
	explain(set, server, &sum);
	return from != sum.health;
}

uint32_t check_set_count_down(const struct check_set *set, conf_index_t service)
{
	const struct conf_range *range = &set->conf->services[service].servers;
	uint32_t down = 0;

	for (uint32_t i = range->first; i < range->first + range->count; i++)
		down += set->servers[i].health == HEALTH_DOWN;
	return down;
}

bool check_set_judge_pool(struct check_set *set, conf_index_t service)
{
	const struct conf_service *s = &set->conf->services[service];
	bool was = set->panics[service];
	bool is = s->panic_threshold && check_set_owns(set, s->servers.first) &&
		  pool_is_in_panic(s->servers.count, check_set_count_down(set, service), s->panic_threshold);

	set->panics[service] = is;
	for (uint32_t i = s->servers.first; (is || was) && i < s->servers.first + s->servers.count; i++) {
		uint32_t held = is && set->servers[i].health == HEALTH_DOWN;
		struct sum sum;

		if (set->servers[i].is_held == held)
			continue;
		set->servers[i].is_held = held;
		sum = sum_up(set, &set->conf->servers[i].checks);
		explain(set, i, &sum);
	}
	return is != was;
}
