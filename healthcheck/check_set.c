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

static void check_free(struct check *c)
{
	if (!c)
		return;
	check_spec_free(&c->spec);
	free(c->broken);
	free(c);
}

/* Finds out whether this check can run at all. Returns a sentence, or NULL when it can. */
static const char *find_fault(struct check *c, struct tls_world *tls, char *why)
{
	const struct conf_check *check = check_spec_conf(&c->spec);
	const struct probe_kind *kind = probe_kind_of(check->kind);
	char reason[WHY_SIZE];

	if (check_is_told(check))
		return NULL;
	if (!kind)
		return "not run: this version does not run checks of this kind";
	if (kind->prepare && kind->prepare(&c->spec, tls, reason) < 0) {
		snprintf(why, WHY_SIZE, "not run: %.140s", reason);
		return why;
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
	c->status.weight = -1;
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
	free(set->states);
	free(set->panics);
	free(set->origins);
	free(set->server_from);
	free(set->before);
	free(set);
}

bool check_set_owns(const struct check_set *set, conf_index_t server)
{
	return conf_checker(set->conf, server) == set->checker;
}

struct check_set *check_set_new(
	const struct conf *next, enum role checker, const struct check_set *old, struct tls_world *tls)
{
	struct check_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->conf = next;
	set->checker = checker;
	set->n_checks = next->n_checks;
	set->n_servers = next->n_servers;
	/* One more than needed: a count of 0 must not look like a failure. */
	set->checks = calloc(set->n_checks + 1, sizeof(struct check *));
	set->servers = calloc(set->n_servers + 1, sizeof(*set->servers));
	set->states = calloc(set->n_servers + 1, sizeof(*set->states));
	set->panics = calloc(next->n_services + 1, sizeof(*set->panics));
	set->origins = calloc(set->n_checks + 1, sizeof(*set->origins));
	set->server_from = calloc(set->n_servers + 1, sizeof(*set->server_from));
	set->before = calloc(set->n_servers + 1, sizeof(*set->before));
	if (!set->checks || !set->servers || !set->states || !set->panics || !set->origins || !set->server_from ||
		!set->before || check_match(next, old ? old->conf : NULL, set->origins, set->server_from) < 0) {
		check_set_free(set);
		return NULL;
	}
	for (uint32_t i = 0; i < set->n_checks; i++) {
		const struct check_origin *origin = &set->origins[i];

		if (!check_set_owns(set, next->checks[i].server))
			continue;
		set->n_own++;
		if (origin->kind == CHECK_IS_SAME && old->checks[origin->check])
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
	} else if (check_spec_conf(&c->spec)->initial == CONF_CHECK_INITIAL_UP ||
		   check_spec_conf(&c->spec)->initial == CONF_CHECK_INITIAL_DOWN) {
		c->verdict.health =
			check_spec_conf(&c->spec)->initial == CONF_CHECK_INITIAL_UP ? HEALTH_UP : HEALTH_DOWN;
		snprintf(c->status.why, WHY_SIZE, "not checked yet: %s by initial_state",
			health_name(c->verdict.health));
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
	c->flap = from->flap;
	c->status = from->status;
	if (span_us > CATCH_UP_US)
		c->first_span_us = CATCH_UP_US;
}

static void take_over_check(struct check_set *set, uint32_t i, struct check_set *old)
{
	const struct check_origin *origin = &set->origins[i];
	struct check *was = origin->kind == CHECK_IS_NEW ? NULL : old->checks[origin->check];

	if (was && origin->kind == CHECK_IS_SAME) {
		set->checks[i] = was;
		old->checks[origin->check] = NULL;
		was->spec.conf = set->conf;
		was->spec.index = i;
	} else if (was) {
		inherit_state(set->checks[i], was);
	} else {
		/* New, or another checker's until now. */
		begin_state(set->checks[i], origin->server == CONF_NONE ? NULL : &old->servers[origin->server]);
	}
}

/* What a server is, as the checker says that has it in this generation. */
static bool hear_server(const struct conf *conf, enum role from, struct board *const *boards, conf_index_t server,
	struct status_health *out)
{
	const struct board *board = boards ? boards[from] : NULL;
	struct status_health heard;

	if (!board || board_generation(board) != conf->generation ||
		board_load(board, HEALTH_TABLE_SERVER, server, &heard, sizeof(heard)) < 0 ||
		heard.health == HEALTH_UNKNOWN || heard.health > HEALTH_DOWN)
		return false;
	heard.why[WHY_SIZE - 1] = '\0';
	*out = heard;
	return true;
}

static void take_over_server(struct check_set *set, conf_index_t i, const struct check_set *old)
{
	conf_index_t from = set->server_from[i];

	if (from != CONF_NONE) {
		set->servers[i] = old->servers[from];
		if (check_set_owns(set, i) && check_set_owns(old, from))
			set->states[i] = old->states[from];
	} else {
		set->servers[i].since_real_us = real_now_us();
		set->servers[i].weight_percent = 100;
		set->servers[i].weight = -1;
	}
	set->before[i] = (uint8_t)set->servers[i].health;
}

void check_set_take_over(struct check_set *set, struct check_set *old, struct board *const *boards)
{
	for (uint32_t i = 0; old && i < old->n_servers; i++)
		if (!check_set_owns(old, i))
			hear_server(old->conf, conf_checker(old->conf, i), boards, i, &old->servers[i]);
	for (uint32_t i = 0; i < set->n_checks; i++)
		if (check_set_owns(set, set->conf->checks[i].server))
			take_over_check(set, i, old);
	for (uint32_t i = 0; i < set->n_servers; i++) {
		conf_index_t from = set->server_from[i];

		if (check_set_owns(set, i) || (from != CONF_NONE && check_set_owns(old, from)))
			take_over_server(set, i, old);
	}
}

/* Whether all other checkers have switched to this generation, as far as they are there. */
static bool others_have_switched(const struct check_set *set, struct board *const *boards)
{
	for (unsigned n = 0; boards && n < CHECKERS_MAX; n++) {
		const struct board *board = boards[role_checker(n)];

		if (role_checker(n) != set->checker && board && board_generation(board) != set->conf->generation)
			return false;
	}
	return true;
}

static bool nothing_is_known(const struct check_set *set, conf_index_t server)
{
	const struct conf_range *checks = &set->conf->servers[server].checks;

	for (uint32_t i = checks->first; i < checks->first + checks->count; i++)
		if (set->checks[i]->status.runs > 0)
			return false;
	return checks->count > 0 && set->servers[server].health == HEALTH_UNKNOWN;
}

bool check_set_learn(struct check_set *set, conf_index_t server, struct board *const *boards)
{
	const struct conf_range *checks = &set->conf->servers[server].checks;
	bool found = false, switched = others_have_switched(set, boards);

	if (!check_set_owns(set, server) || !nothing_is_known(set, server))
		return false;
	for (unsigned n = 0; n < CHECKERS_MAX && !found; n++)
		found = role_checker(n) != set->checker &&
			hear_server(set->conf, role_checker(n), boards, server, &set->servers[server]);
	for (uint32_t i = checks->first; i < checks->first + checks->count; i++) {
		begin_state(set->checks[i], found ? &set->servers[server] : NULL);
		/* Somebody may know better than initial_state, and is about to say so. */
		if (!found && !switched)
			set->checks[i]->verdict.health = set->checks[i]->status.health = HEALTH_UNKNOWN;
	}
	set->before[server] = (uint8_t)set->servers[server].health;
	return found || switched;
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

		if (!c || c->is_dead || board_load(board, HEALTH_TABLE_CHECK, i, &was, sizeof(was)) < 0 ||
			was.health > HEALTH_DOWN)
			continue;
		was.why[WHY_SIZE - 1] = '\0';
		c->status = was;
		c->verdict = (struct verdict){(enum health)was.health, was.failures, was.successes};
		if (mono_before(now, was.next_start) && mono_before(was.next_start, latest_start(c, now)))
			c->planned = was.next_start;
		else if (c->first_span_us > CATCH_UP_US)
			c->first_span_us = CATCH_UP_US;
		adopted++;
	}
	for (uint32_t i = 0; i < set->n_servers; i++) {
		struct status_health was;

		if (!check_set_owns(set, i) || board_load(board, HEALTH_TABLE_SERVER, i, &was, sizeof(was)) < 0 ||
			was.health > HEALTH_DOWN)
			continue;
		was.why[WHY_SIZE - 1] = '\0';
		set->servers[i] = was;
		set->before[i] = (uint8_t)was.health;
	}
	return adopted;
}
