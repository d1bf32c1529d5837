/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The slow round of poise-healthcheck: slow starts and adaptive weights move on, overdue checks are said loudly. It
 * never starts a probe and never blocks. */
#include "health_watch.h"
#include "health_misc.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUND_US (1 * US_PER_S)
#define DOUBT_LINES_US (10 * US_PER_S)
/* Adaptive weights move every so many rounds. */
#define ADAPT_ROUNDS 3

/* A stopped or starved process finds everything late at once; one look later the truth is known. */
static void tell_late(struct health_watch *w, const struct status_checks *status)
{
	struct event event = {.kind = EVENT_CHECKS, .from = w->late > 0, .to = status->late > 0, .name = "checks"};
	char time[REASON_TIME_SIZE];

	if ((status->late > 0) == (w->late > 0)) {
		w->late = status->late;
		return;
	}
	w->late = status->late;
	if (status->late > 0) {
		snprintf(event.why, sizeof(event.why),
			"%u of %u checks have not run for %d intervals: this process gets too little time, or waits "
			"for "
			"descriptors or scripts",
			status->late, status->checks, SCHEDULE_LATE);
		log_error("checks: %s", event.why);
	} else {
		snprintf(event.why, sizeof(event.why), "all checks run in time again (99 %% start within %s)",
			reason_time(status->lateness_p99_us, time));
		log_info("checks: %s", event.why);
	}
	role_event(w->p, &event);
}

static void watch_lateness(struct health_watch *w, struct check_set *set, struct mono now)
{
	struct status_checks status;
	char p99[REASON_TIME_SIZE];

	checker_watch(w->checker, now, &status);
	for (uint32_t i = 0; i < set->conf->n_services; i++)
		status.pools_in_panic += set->panics[i];
	if (status.late)
		snprintf(status.why, WHY_SIZE, "%u checks have not run for %d intervals", status.late, SCHEDULE_LATE);
	else
		snprintf(status.why, WHY_SIZE, "99 %% of the checks start within %s of their time",
			reason_time(status.lateness_p99_us, p99));
	tell_late(w, &status);
	role_store_quiet(w->p, HEALTH_TABLE_ROLE, 0, &status, sizeof(status));
}

static void watch_ramps(struct health_watch *w, struct check_set *set)
{
	for (uint32_t i = 0; i < set->n_servers; i++)
		if (mono_is_set(set->states[i].ramp_began))
			health_report_judge(w->report, set, i);
}

static void adapt_pool(struct health_watch *w, struct check_set *set, const struct conf_service *service)
{
	uint32_t first = service->servers.first, n = 0;

	/* Only those that are up compare. */
	for (uint32_t i = 0; i < service->servers.count; i++) {
		w->members[i] = set->states[first + i].member;
		if (set->servers[first + i].health != HEALTH_UP)
			w->members[i].response_us = 0;
	}
	if (service->adaptive_weight)
		n = pool_adapt(w->members, service->servers.count, service->adaptive_weight, w->scratch);
	for (uint32_t i = 0; i < service->servers.count; i++) {
		struct pool_member *member = &set->states[first + i].member;
		bool moved = member->percent != w->members[i].percent && n > 0;

		member->percent = w->members[i].percent;
		member->streak = w->members[i].streak;
		if (moved)
			health_report_judge(w->report, set, first + i);
	}
}

static bool is_nat(const struct conf *conf, const struct conf_server *server)
{
	if (server->service >= conf->n_services)
		return false;
	if (server->forward != CONF_FORWARD_INHERIT)
		return server->forward == CONF_FORWARD_NAT;
	return conf->services[server->service].forward == CONF_FORWARD_NAT;
}

/* A server that swallows what it is sent is probed at once, instead of at its next turn. */
static void doubt(struct health_watch *w, struct check_set *set, conf_index_t server, uint64_t packets)
{
	const struct conf_range *checks = &set->conf->servers[server].checks;
	char service[CONF_NAME_SIZE], name[CONF_NAME_SIZE];
	uint32_t held_back;

	for (uint32_t i = checks->first; i < checks->first + checks->count; i++)
		checker_run_now(set->checks[i]);
	if (log_limit_pass(&w->doubt_limit, DOUBT_LINES_US, &held_back))
		log_info("server %s %s: %llu packets went to it and none came back: it is probed at once",
			conf_service_name(set->conf, set->conf->servers[server].service, service),
			conf_server_name(set->conf, server, name), (unsigned long long)packets);
}

static void watch_silence(struct health_watch *w, struct check_set *set)
{
	const struct board *board = w->p->boards[ROLE_IPVS];
	struct status_server s;

	if (!board || board_generation(board) != set->conf->generation)
		return;
	for (uint32_t i = 0; i < set->n_servers; i++) {
		struct passive *passive = &set->states[i].passive;

		if (!check_set_owns(set, i) || set->conf->servers[i].checks.count == 0 ||
			!is_nat(set->conf, &set->conf->servers[i]) || status_load_server(board, i, &s) < 0)
			continue;
		if (passive_look(passive, s.connections, s.packets_in, s.packets_out) &&
			set->servers[i].health != HEALTH_DOWN)
			doubt(w, set, i, passive->silent);
	}
}

static void on_round(struct timer *timer, void *arg)
{
	struct health_watch *w = arg;
	struct check_set *set = checker_set(w->checker);
	struct mono now = mono_now();

	loop_timer_set(w->p->loop, timer, mono_add(now, ROUND_US));
	if (!set)
		return;
	health_misc_look(set, w->p->boards[ROLE_SCRIPT], UINT32_MAX);
	watch_ramps(w, set);
	watch_silence(w, set);
	if (++w->rounds % ADAPT_ROUNDS == 0)
		for (uint32_t i = 0; i < set->conf->n_services; i++)
			if (set->conf->services[i].adaptive_weight && set->conf->services[i].servers.count <= w->room &&
				check_set_owns(set, set->conf->services[i].servers.first))
				adapt_pool(w, set, &set->conf->services[i]);
	watch_lateness(w, set, now);
	check_memory_store(checker_memory(w->checker), set, w->p->boards);
}

void health_watch_init(
	struct health_watch *w, struct role_process *p, struct checker *checker, struct health_report *report)
{
	*w = (struct health_watch){.p = p, .checker = checker, .report = report};
	w->timer.fire = on_round;
	w->timer.arg = w;
}

int health_watch_reserve(struct health_watch *w, const struct conf *conf)
{
	uint32_t most = 1;
	struct pool_member *members;
	int64_t *scratch;

	for (uint32_t i = 0; i < conf->n_services; i++)
		if (conf->services[i].servers.count > most)
			most = conf->services[i].servers.count;
	if (most <= w->room)
		return 0;
	members = realloc(w->members, most * sizeof(*members));
	if (members)
		w->members = members;
	scratch = realloc(w->scratch, most * sizeof(*scratch));
	if (scratch)
		w->scratch = scratch;
	if (!members || !scratch)
		return -ENOMEM;
	w->room = most;
	return 0;
}

void health_watch_begin(struct health_watch *w)
{
	if (!w->timer.slot)
		loop_timer_set(w->p->loop, &w->timer, mono_add(mono_now(), ROUND_US));
	health_misc_look(checker_set(w->checker), w->p->boards[ROLE_SCRIPT], UINT32_MAX);
}

void health_watch_stop(struct health_watch *w)
{
	loop_timer_cancel(w->p->loop, &w->timer);
	free(w->members);
	free(w->scratch);
	w->members = NULL;
	w->scratch = NULL;
	w->room = 0;
}
