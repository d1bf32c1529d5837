/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the checks of a generation, carries state over from the one before or from a predecessor's board, and sums up
 * servers. Runs in poise-healthcheck; it never starts a probe and never arms a timer. */
#include "check_set.h"
#include "check_schedule.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A check whose start fell into the time without a process is caught up with within this time. */
#define CATCH_UP_US (1 * US_PER_S)

static const struct conf_url *url_of(const struct check *c, uint32_t i)
{
	return &c->spec.conf->urls[check_spec_conf(&c->spec)->urls.first + i];
}

static void check_free(struct check *c)
{
	if (!c)
		return;
	if (c->spec.bodies)
		for (uint32_t i = 0; i < check_spec_conf(&c->spec)->urls.count; i++)
			body_rule_free(&c->spec.bodies[i]);
	free(c->spec.bodies);
	free(c->broken);
	free(c);
}

/* Finds out whether this check can run at all. Returns a sentence, or NULL when it can. */
static const char *find_fault(struct check *c, struct tls_world *tls, char *why)
{
	const struct conf_check *check = check_spec_conf(&c->spec);
	char reason[WHY_SIZE];

	if (!probe_kind_of(check->kind))
		return "not run: this version does not run checks of this kind";
	if (check->kind == CONF_CHECK_TCP)
		return NULL;
	if (check->urls.count == 0)
		return "not run: it has no url";
	if (check->kind == CONF_CHECK_SSL && !tls)
		return "not run: OpenSSL did not start, see the log";
	if (check->kind == CONF_CHECK_SSL && check->tls_verify && tls_world_trust(tls, reason) < 0) {
		snprintf(why, WHY_SIZE, "not run: %.140s", reason);
		return why;
	}
	for (uint32_t i = 0; i < check->urls.count; i++) {
		const struct conf_url *url = url_of(c, i);

		if (body_rule_compile(&c->spec.bodies[i], conf_string(c->spec.conf, url->digest),
			    conf_string(c->spec.conf, url->regex), reason) < 0) {
			snprintf(why, WHY_SIZE, "not run: %.140s", reason);
			return why;
		}
	}
	return NULL;
}

static struct check *check_new(const struct conf *conf, conf_index_t index, struct tls_world *tls)
{
	struct check *c = calloc(1, sizeof(*c));
	char why[WHY_SIZE];
	const char *fault;

	if (!c)
		return NULL;
	c->spec.conf = conf;
	c->spec.index = index;
	c->spec.bodies = calloc(conf->checks[index].urls.count + 1, sizeof(*c->spec.bodies));
	if (!c->spec.bodies) {
		free(c);
		return NULL;
	}
	fault = find_fault(c, tls, why);
	if (fault) {
		c->broken = strdup(fault);
		if (!c->broken) {
			check_free(c);
			return NULL;
		}
	}
	c->spec.broken = c->broken;
	c->is_dead = fault != NULL;
	c->first_span_us = schedule_warmup(conf->checks[index].warmup_us, conf->n_checks);
	c->status.weight_percent = 100;
	return c;
}

void check_set_free(struct check_set *set)
{
	if (!set)
		return;
	for (uint32_t i = 0; set->checks && i < set->n_checks; i++)
		check_free(set->checks[i]);
	free(set->checks);
	free(set->servers);
	free(set->origins);
	free(set->server_from);
	free(set->before);
	free(set);
}

struct check_set *check_set_new(const struct conf *next, const struct check_set *old, struct tls_world *tls)
{
	struct check_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->conf = next;
	set->n_checks = next->n_checks;
	set->n_servers = next->n_servers;
	/* One more than needed: a count of 0 must not look like a failure. */
	set->checks = calloc(set->n_checks + 1, sizeof(struct check *));
	set->servers = calloc(set->n_servers + 1, sizeof(*set->servers));
	set->origins = calloc(set->n_checks + 1, sizeof(*set->origins));
	set->server_from = calloc(set->n_servers + 1, sizeof(*set->server_from));
	set->before = calloc(set->n_servers + 1, sizeof(*set->before));
	if (!set->checks || !set->servers || !set->origins || !set->server_from || !set->before ||
		check_match(next, old ? old->conf : NULL, set->origins, set->server_from) < 0) {
		check_set_free(set);
		return NULL;
	}
	for (uint32_t i = 0; i < set->n_checks; i++) {
		if (set->origins[i].kind == CHECK_IS_SAME)
			continue;
		set->checks[i] = check_new(next, i, tls);
		if (!set->checks[i]) {
			check_set_free(set);
			return NULL;
		}
	}
	return set;
}

/* The first state of a check that did not exist: what its server was, for nothing is known against that. */
static void begin_state(struct check *c, const struct status_health *server)
{
	c->status.since_real_us = real_now_us();
	if (c->is_dead) {
		snprintf(c->status.why, WHY_SIZE, "%s", c->broken);
		c->status.last_reason = REASON_NOT_RUN;
		return;
	}
	if (server && server->health != HEALTH_UNKNOWN) {
		c->verdict.health = server->health;
		snprintf(c->status.why, WHY_SIZE, "not checked yet since the configuration changed: %s as before",
			health_name(server->health));
	} else {
		snprintf(c->status.why, WHY_SIZE, "not checked yet");
	}
	c->status.health = c->verdict.health;
}

static void inherit_state(struct check *c, const struct check *from)
{
	int64_t span_us = c->first_span_us;

	if (c->is_dead || from->is_dead) {
		begin_state(c, NULL);
		return;
	}
	c->verdict = from->verdict;
	c->status = from->status;
	if (span_us > CATCH_UP_US)
		c->first_span_us = CATCH_UP_US;
}

void check_set_take_over(struct check_set *set, struct check_set *old)
{
	for (uint32_t i = 0; i < set->n_checks; i++) {
		const struct check_origin *origin = &set->origins[i];

		switch (origin->kind) {
		case CHECK_IS_SAME:
			set->checks[i] = old->checks[origin->check];
			old->checks[origin->check] = NULL;
			set->checks[i]->spec.conf = set->conf;
			set->checks[i]->spec.index = i;
			break;
		case CHECK_IS_AKIN:
			inherit_state(set->checks[i], old->checks[origin->check]);
			break;
		case CHECK_IS_NEW:
			begin_state(set->checks[i], origin->server == CONF_NONE ? NULL : &old->servers[origin->server]);
			break;
		}
	}
	for (uint32_t i = 0; i < set->n_servers; i++) {
		if (set->server_from[i] != CONF_NONE)
			set->servers[i] = old->servers[set->server_from[i]];
		else
			set->servers[i].since_real_us = real_now_us();
		set->servers[i].weight_percent = 100;
		set->before[i] = (uint8_t)set->servers[i].health;
	}
}

/* No sane plan lies later than this. */
static struct mono latest_start(const struct check *c, struct mono now)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);

	return mono_add(now, 2 * (conf->interval_us > conf->delay_before_retry_us ? conf->interval_us
										  : conf->delay_before_retry_us));
}

uint32_t check_set_adopt(struct check_set *set, const struct board *board)
{
	struct mono now = mono_now();
	uint32_t adopted = 0;

	if (!board || board_generation(board) != set->conf->generation)
		return 0;
	for (uint32_t i = 0; i < set->n_checks; i++) {
		struct check *c = set->checks[i];
		struct status_check was;

		if (c->is_dead || board_load(board, HEALTH_TABLE_CHECK, i, &was, sizeof(was)) < 0 ||
			was.health > HEALTH_DOWN)
			continue;
		was.why[WHY_SIZE - 1] = '\0';
		c->status = was;
		c->verdict = (struct verdict){(enum health)was.health, was.failures, was.successes};
		c->status.weight_percent = 100;
		if (mono_before(now, was.next_start) && mono_before(was.next_start, latest_start(c, now)))
			c->planned = was.next_start;
		else if (c->first_span_us > CATCH_UP_US)
			c->first_span_us = CATCH_UP_US;
		adopted++;
	}
	for (uint32_t i = 0; i < set->n_servers; i++) {
		struct status_health was;

		if (board_load(board, HEALTH_TABLE_SERVER, i, &was, sizeof(was)) < 0 || was.health > HEALTH_DOWN)
			continue;
		was.why[WHY_SIZE - 1] = '\0';
		was.weight_percent = 100;
		set->servers[i] = was;
		set->before[i] = (uint8_t)was.health;
	}
	return adopted;
}

/* The check that a server's verdict is explained by: the first one with that health. */
static const struct check *find_witness(
	const struct check_set *set, const struct conf_range *range, enum health health, bool count_dead)
{
	for (uint32_t i = range->first; i < range->first + range->count; i++)
		if (set->checks[i]->verdict.health == health && (count_dead || !set->checks[i]->is_dead))
			return set->checks[i];
	return NULL;
}

bool check_set_judge_server(struct check_set *set, conf_index_t server)
{
	const struct conf_range *range = &set->conf->servers[server].checks;
	struct status_health *s = &set->servers[server];
	const struct check *witness;
	enum health health = HEALTH_UP;
	uint32_t running = 0;
	bool changed;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		if (set->checks[i]->is_dead)
			continue;
		health = verdict_join(health, set->checks[i]->verdict.health);
		running++;
	}
	if (range->count > 0 && running == 0)
		health = HEALTH_UNKNOWN;
	changed = s->health != health;
	s->health = health;
	if (changed)
		s->since_real_us = real_now_us();
	witness = find_witness(set, range, health, running == 0);
	if (range->count == 0)
		snprintf(s->why, WHY_SIZE, "no check is configured");
	else if (health == HEALTH_UP && running > 1)
		snprintf(s->why, WHY_SIZE, "all %u checks pass", running);
	else if (witness)
		memcpy(s->why, witness->status.why, WHY_SIZE);
	return changed;
}
