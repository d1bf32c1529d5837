/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries verdicts out of the process: records on the board, the doorbell of ipvs on the short way, events, log lines.
 * Runs in poise-healthcheck; it decides nothing, and never waits for a listener. */
#include "health_report.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RING_AGAIN_US (20 * US_PER_MS)
#define OWN_TROUBLE_LINES_US (60 * US_PER_S)
#define EXPIRY_LINES_US (86400 * US_PER_S)

/* ---- ipvs ---- */

static void ring_ipvs(struct health_report *r, uint64_t generation, uint32_t record)
{
	struct msg_changed m = {
		.role = r->p->role, .table = HEALTH_TABLE_SERVER, .generation = generation, .record = record};
	int rc;

	if (r->ipvs.fd < 0)
		return;
	if (r->is_owed)
		m.record = UINT32_MAX;
	rc = msg_send_changed(&r->ipvs, &m, -1);
	r->is_owed = rc == -EAGAIN;
	if (r->is_owed) {
		loop_timer_set(r->p->loop, &r->again, mono_add(mono_now(), RING_AGAIN_US));
	} else if (rc < 0) {
		/* ipvs is gone; its successor gets a new pair from the parent and looks at the whole board. */
		close(r->ipvs.fd);
		r->ipvs.fd = -1;
	}
}

static void on_again(struct timer *timer, void *arg)
{
	struct health_report *r = arg;

	(void)timer;
	if (r->p->board)
		ring_ipvs(r, board_generation(r->p->board), UINT32_MAX);
}

void health_report_init(struct health_report *r, struct role_process *p)
{
	memset(r, 0, sizeof(*r));
	r->p = p;
	r->ipvs = (struct channel){.fd = -1, .self = p->role, .peer = ROLE_IPVS};
	r->again.fire = on_again;
	r->again.arg = r;
}

void health_report_set_peer(struct health_report *r, int fd)
{
	if (r->ipvs.fd >= 0)
		close(r->ipvs.fd);
	r->ipvs.fd = fd;
	r->is_owed = false;
	if (r->p->board)
		ring_ipvs(r, board_generation(r->p->board), UINT32_MAX);
}

/* ---- servers ---- */

static const char *object_name(const struct conf *conf, conf_index_t server, char *buf, size_t size)
{
	char service_name[CONF_NAME_SIZE], server_name[CONF_NAME_SIZE];

	conf_service_name(conf, conf->servers[server].service, service_name);
	conf_server_name(conf, server, server_name);
	if (snprintf(buf, size, "%s %s", service_name, server_name) >= (int)size)
		buf[size - 1] = '\0';
	return buf;
}

static void log_server(const struct conf *conf, conf_index_t server, enum health from, const struct status_health *to)
{
	char name[2 * CONF_NAME_SIZE];
	enum log_level level = to->health == HEALTH_DOWN ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;

	log_write(level, "server %s: %s -> %s: %s", object_name(conf, server, name, sizeof(name)), health_name(from),
		health_name((enum health)to->health), to->why);
}

static void log_draining(const struct conf *conf, conf_index_t server, const struct status_health *s)
{
	char name[2 * CONF_NAME_SIZE];

	log_info("server %s: %s: %s", object_name(conf, server, name, sizeof(name)),
		s->is_draining ? "drains" : "drains no more", s->why);
}

static void announce(struct health_report *r, const struct check_set *set, conf_index_t server, enum health from)
{
	const struct status_health *s = &set->servers[server];
	struct event event = {.kind = EVENT_SERVER, .object = server, .from = from, .to = s->health};

	object_name(set->conf, server, event.name, sizeof(event.name));
	memcpy(event.why, s->why, sizeof(event.why));
	role_event(r->p, &event);
}

/* Many servers of a pool serve on though they are down, or no longer do: everybody is told. */
static void announce_panic(struct health_report *r, struct check_set *set, conf_index_t service)
{
	const struct conf_service *s = &set->conf->services[service];
	uint32_t down = check_set_count_down(set, service);
	struct event event = {.kind = EVENT_PANIC, .object = service, .to = set->panics[service]};
	char name[CONF_NAME_SIZE];

	event.from = !event.to;
	conf_service_name(set->conf, service, name);
	snprintf(event.name, sizeof(event.name), "%.63s", name);
	if (event.to) {
		snprintf(event.why, sizeof(event.why),
			"%u of %u servers are down, more than %u %% (panic_threshold): all of them serve on", down,
			s->servers.count, s->panic_threshold);
		log_error("service %s: PANIC: %s", name, event.why);
	} else {
		snprintf(event.why, sizeof(event.why), "%u of %u servers are down: only those that are up serve again",
			down, s->servers.count);
		log_info("service %s: panic is over: %s", name, event.why);
	}
	role_event(r->p, &event);
}

/* Returns true when the panic of the server's pool has begun or ended; its servers are stored then. */
static bool judge_pool(struct health_report *r, struct check_set *set, conf_index_t server)
{
	conf_index_t service = server < set->n_servers ? set->conf->servers[server].service : CONF_NONE;
	const struct conf_range *range;

	if (service >= set->conf->n_services || !check_set_judge_pool(set, service))
		return false;
	range = &set->conf->services[service].servers;
	for (uint32_t i = range->first; i < range->first + range->count; i++)
		role_store(r->p, HEALTH_TABLE_SERVER, i, &set->servers[i], sizeof(set->servers[i]));
	announce_panic(r, set, service);
	return true;
}

void health_report_judge(struct health_report *r, struct check_set *set, conf_index_t server)
{
	struct status_health *s = &set->servers[server], was = *s;
	bool changed = check_set_judge_server(set, server, mono_now());
	bool panicked = changed && judge_pool(r, set, server);

	if (!changed && was.weight_percent == s->weight_percent && was.weight == s->weight &&
		was.is_draining == s->is_draining && was.is_held == s->is_held) {
		role_store_quiet(r->p, HEALTH_TABLE_SERVER, server, s, sizeof(*s));
		return;
	}
	role_store(r->p, HEALTH_TABLE_SERVER, server, s, sizeof(*s));
	ring_ipvs(r, set->conf->generation, panicked ? UINT32_MAX : server);
	if (was.is_draining != s->is_draining)
		log_draining(set->conf, server, s);
	if (!changed)
		return;
	announce(r, set, server, (enum health)was.health);
	if (set->conf->servers[server].checks.count > 1)
		log_server(set->conf, server, (enum health)was.health, s);
}

void health_report_learn(struct health_report *r, struct check_set *set)
{
	bool any = false;

	for (uint32_t i = 0; set && i < set->n_servers; i++) {
		if (!check_set_learn(set, i, r->p->boards))
			continue;
		health_report_judge(r, set, i);
		any = true;
	}
	for (uint32_t i = 0; any && i < set->conf->n_services; i++)
		judge_pool(r, set, set->conf->services[i].servers.first);
}

/* ---- a run ---- */

static void log_change(const struct check_set *set, const struct check *check, const struct verdict_step *step,
	const struct probe_result *result)
{
	enum log_level level = step->to == HEALTH_DOWN ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO;
	char name[2 * CONF_NAME_SIZE], what[CHECK_TEXT_SIZE];

	log_write(level, "check %s: %s -> %s: %s (%s, %u of %u tries %s)",
		object_name(set->conf, check_spec_conf(&check->spec)->server, name, sizeof(name)),
		health_name(step->from), health_name(step->to), result->why,
		checker_describe(check, result->step, what), step->tries, step->tries_needed,
		step->to == HEALTH_DOWN ? "failed" : "passed");
}

static void log_own_trouble(const struct check_set *set, struct check *check, const struct probe_result *result)
{
	char name[2 * CONF_NAME_SIZE], what[CHECK_TEXT_SIZE];
	uint32_t held_back;

	if (!log_limit_pass(&check->limit, OWN_TROUBLE_LINES_US, &held_back))
		return;
	log_warning("check %s: stays %s: %s (%s)",
		object_name(set->conf, check_spec_conf(&check->spec)->server, name, sizeof(name)),
		health_name(check->verdict.health), result->why, checker_describe(check, result->step, what));
}

/* Once a day for each check. */
static void log_expiry(const struct check_set *set, struct check *check)
{
	const struct conf_check *conf = check_spec_conf(&check->spec);
	char name[2 * CONF_NAME_SIZE], what[CHECK_TEXT_SIZE];
	uint32_t held_back;

	if (!conf->cert_expiry_warning || !check->status.cert_days ||
		check->status.cert_days > conf->cert_expiry_warning ||
		!log_limit_pass(&check->expiry_limit, EXPIRY_LINES_US, &held_back))
		return;
	log_warning("check %s: the certificate expires in %u days (%s): renew it",
		object_name(set->conf, conf->server, name, sizeof(name)), check->status.cert_days - 1,
		checker_describe(check, 0, what));
}

void health_report_run(struct health_report *r, struct check_set *set, struct check *check,
	const struct verdict_step *step, const struct probe_result *result)
{
	conf_index_t server = check_spec_conf(&check->spec)->server;
	const struct conf_server *conf = &set->conf->servers[server];
	bool is_word =
		result->has_percent || result->has_weight || result->is_draining || set->servers[server].is_draining;
	bool is_news = !step || step->is_changed || result->reason != REASON_OK || step->tries <= step->tries_needed ||
		       is_word;

	if (step && step->is_changed)
		role_store(r->p, HEALTH_TABLE_CHECK, check->spec.index, &check->status, sizeof(check->status));
	else
		role_store_quiet(r->p, HEALTH_TABLE_CHECK, check->spec.index, &check->status, sizeof(check->status));
	if (!step)
		log_own_trouble(set, check, result);
	else if (step->is_changed)
		log_change(set, check, step, result);
	if (result->reason == REASON_OK && check->spec.index == conf->checks.first)
		pool_take_time(&set->states[server].member, check->status.last_duration_us);
	if (step)
		log_expiry(set, check);
	/* A check that goes on passing changes nothing about its server. */
	if (is_news)
		health_report_judge(r, set, server);
}

/* ---- a generation ---- */

struct board *health_report_board(const struct conf *conf, enum role checker)
{
	struct board_shape shape = {0};

	shape.record_size[HEALTH_TABLE_CHECK] = sizeof(struct status_check);
	shape.count[HEALTH_TABLE_CHECK] = conf->n_checks;
	shape.record_size[HEALTH_TABLE_SERVER] = sizeof(struct status_health);
	shape.count[HEALTH_TABLE_SERVER] = conf->n_servers;
	shape.record_size[HEALTH_TABLE_ROLE] = sizeof(struct status_checks);
	shape.count[HEALTH_TABLE_ROLE] = 1;
	return board_create(checker, conf->generation, &shape);
}

static void log_dead(const struct check_set *set)
{
	char name[2 * CONF_NAME_SIZE], what[CHECK_TEXT_SIZE];

	for (uint32_t i = 0; i < set->n_checks; i++) {
		const struct check *c = set->checks[i];

		if (c && c->is_dead)
			log_warning("check %s: %s (%s): it does not count",
				object_name(set->conf, check_spec_conf(&c->spec)->server, name, sizeof(name)),
				c->status.why, checker_describe(c, 0, what));
	}
}

void health_report_switch(struct health_report *r, struct check_set *set, struct board *board)
{
	struct mono now = mono_now();

	for (uint32_t i = 0; i < set->n_checks; i++)
		if (set->checks[i])
			board_store(board, HEALTH_TABLE_CHECK, i, &set->checks[i]->status, sizeof(struct status_check));
	for (uint32_t i = 0; i < set->n_servers; i++)
		if (check_set_owns(set, i))
			check_set_judge_server(set, i, now);
	for (uint32_t i = 0; i < set->conf->n_services; i++)
		check_set_judge_pool(set, i);
	for (uint32_t i = 0; i < set->n_servers; i++)
		if (set->servers[i].since_real_us)
			board_store(board, HEALTH_TABLE_SERVER, i, &set->servers[i], sizeof(struct status_health));
	role_publish_board(r->p, board);
	for (uint32_t i = 0; i < set->conf->n_services; i++)
		if (set->panics[i])
			announce_panic(r, set, i);
	for (uint32_t i = 0; i < set->n_servers; i++) {
		enum health from = (enum health)set->before[i];

		if (!check_set_owns(set, i) || from == HEALTH_UNKNOWN || from == (enum health)set->servers[i].health)
			continue;
		announce(r, set, i, from);
		log_server(set->conf, i, from, &set->servers[i]);
	}
	log_dead(set);
	ring_ipvs(r, set->conf->generation, UINT32_MAX);
}
