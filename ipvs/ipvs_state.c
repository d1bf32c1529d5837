/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ipvs process knows of its services and servers: inputs from the boards of healthcheck and parent, decisions
 * through the pure cores, and what is told of them (log, events, notifications). It never speaks to the kernel. */
#include "ipvs_process.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- generations ---- */

void ipvs_generation_forget_old(struct ipvs_generation *g)
{
	free(g->old_services);
	free(g->old_servers);
	g->old_services = g->old_servers = NULL;
}

void ipvs_generation_free(struct ipvs_generation *g)
{
	if (!g)
		return;
	free(g->services);
	free(g->servers);
	free(g->drains);
	free(g->weights);
	free(g->absent);
	ipvs_generation_forget_old(g);
	ipvs_owned_clear(&g->configured);
	board_close(g->board);
	free(g);
}

const struct ipvs_server_drain *ipvs_generation_drain(const struct ipvs_generation *g, conf_index_t server)
{
	static const struct ipvs_server_drain none;

	return g->servers[server].has_drain ? &g->drains[server] : &none;
}

void ipvs_generation_set_drain(struct ipvs_generation *g, conf_index_t server, const struct ipvs_server_drain *drain)
{
	bool is_any = drain->drain.active || drain->drain.done || drain->drain.over || drain->drain.cut ||
		      drain->until.until_real_us || drain->end || drain->keep_known;

	if (is_any)
		g->drains[server] = *drain;
	g->servers[server].has_drain = is_any;
}

static bool match_old(struct ipvs_generation *g, const struct conf *conf, const struct conf *old)
{
	/* Never an allocation of 0. */
	g->old_services = calloc(conf->n_services + 1, sizeof(*g->old_services));
	g->old_servers = calloc(conf->n_servers + 1, sizeof(*g->old_servers));
	return g->old_services && g->old_servers && conf_match_services(conf, old, g->old_services) == 0 &&
	       conf_match_servers(conf, old, g->old_servers) == 0;
}

struct ipvs_generation *ipvs_generation_new(const struct conf *conf, const struct ipvs_generation *old)
{
	struct ipvs_generation *g = calloc(1, sizeof(*g));
	size_t n_services = conf->n_services + 1, n_servers = conf->n_servers + 1; /* never an allocation of 0 */

	if (!g)
		return NULL;
	g->conf = conf;
	g->takes_over = old && conf_same_services(conf, old->conf);
	if (g->takes_over)
		return g;
	g->services = calloc(n_services, sizeof(*g->services));
	g->servers = calloc(n_servers, sizeof(*g->servers));
	g->drains = calloc(n_servers, sizeof(*g->drains));
	g->weights = calloc(n_servers, sizeof(*g->weights));
	g->absent = calloc(n_services, sizeof(*g->absent));
	g->board = ipvs_report_new_board(conf);
	if (!g->services || !g->servers || !g->drains || !g->weights || !g->absent || !g->board ||
		(old && !match_old(g, conf, old->conf)) || ipvs_owned_from_conf(&g->configured, conf) < 0) {
		ipvs_generation_free(g);
		return NULL;
	}
	for (uint32_t i = 0; i < conf->n_servers; i++) {
		g->servers[i].override = -1;
		g->servers[i].percent = 100;
		/* Nobody checks it, and nobody would ever say so. */
		if (conf->servers[i].checks.count == 0)
			g->servers[i].health = HEALTH_UP;
		g->servers[i].dynamic = g->servers[i].decided_dynamic = -1;
	}
	return g;
}

static void take_over(struct ipvs_generation *g, struct ipvs_generation *old)
{
	const struct conf *conf = g->conf;

	*g = *old;
	g->conf = conf;
	g->takes_over = true;
	*old = (struct ipvs_generation){.conf = old->conf};
}

void ipvs_generation_carry(struct ipvs_generation *g, struct ipvs_generation *old)
{
	if (g->takes_over) {
		take_over(g, old);
		return;
	}
	for (uint32_t i = 0; i < g->conf->n_services; i++) {
		if (g->old_services[i] == CONF_NONE)
			continue;
		g->services[i] = old->services[g->old_services[i]];
		g->absent[i] = old->absent[g->old_services[i]];
	}
	for (uint32_t i = 0; i < g->conf->n_servers; i++) {
		if (g->old_servers[i] == CONF_NONE)
			continue;
		g->servers[i] = old->servers[g->old_servers[i]];
		ipvs_generation_set_drain(g, i, ipvs_generation_drain(old, g->old_servers[i]));
		g->weights[i] = old->weights[g->old_servers[i]];
	}
}

/* Does the server begin as down (also before a health checker is there to say so)? Without a check nobody would ever
 * say that it is up. */
static bool is_alpha(const struct conf *conf, conf_index_t server)
{
	const struct conf_server *r = &conf->servers[server];
	bool alpha = r->alpha || conf->services[r->service].alpha;

	for (uint32_t i = r->checks.first; i < r->checks.first + r->checks.count; i++)
		alpha |= conf->checks[i].alpha || conf->checks[i].initial == CONF_CHECK_INITIAL_DOWN;
	return alpha && r->checks.count > 0;
}

void ipvs_generation_restore(struct ipvs_generation *g, const struct board *predecessor)
{
	for (uint32_t i = 0; i < g->conf->n_services; i++) {
		struct status_service s;

		if (board_load(predecessor, IPVS_TABLE_SERVICE, i, &s, sizeof(s)) < 0 || !s.since_real_us)
			continue;
		g->services[i] = (struct ipvs_service_state){.quorum = {.known = true, .met = s.quorum_met},
			.n_up = s.servers_up,
			.sorry_active = s.sorry_active,
			.since_real_us = s.since_real_us};
	}
	for (uint32_t i = 0; i < g->conf->n_servers; i++) {
		struct ipvs_server_state *state = &g->servers[i];
		struct status_server s;

		if (status_load_server(predecessor, i, &s) < 0 || !s.since_real_us)
			continue;
		state->health = s.health <= HEALTH_DOWN ? (uint8_t)s.health : HEALTH_UNKNOWN;
		state->admin = s.admin <= ADMIN_MAINT ? (uint8_t)s.admin : ADMIN_NORMAL;
		state->known = true;
		state->up = ipvs_weight_is_up((enum health)state->health, is_alpha(g->conf, i));
		state->configured = g->conf->servers[i].weight;
		state->decided_percent = 100;
		state->decided_health = state->health;
		state->since_real_us = s.since_real_us;
		ipvs_generation_set_drain(g, i,
			&(struct ipvs_server_drain){.drain = {.active = state->admin != ADMIN_NORMAL,
							    .done = s.is_drained,
							    .over = s.drain_over,
							    .cut = s.drain_cut}});
		g->weights[i] = (struct ipvs_weight){.listed = s.is_programmed, .weight = s.effective_weight};
	}
}

/* ---- inputs ---- */

/* The board of another role, when it is one of the generation in use. */
static const struct board *current_board(const struct ipvs *v, enum role role)
{
	const struct board *board = v->p->boards[role];

	return board && board_generation(board) == v->now->conf->generation ? board : NULL;
}

/* Looked at once for all servers that are read: not every machine has a clock that costs nothing. */
struct moment {
	struct mono now;
	int64_t real_us;
};

static void read_health(struct ipvs *v, const struct board *board, conf_index_t server, const struct moment *moment)
{
	struct ipvs_server_state *state = &v->now->servers[server];
	struct status_health health;

	(void)moment;
	if (board_load(board, HEALTH_TABLE_SERVER, server, &health, sizeof(health)) < 0)
		return;
	/* A health checker that has not looked yet knows less than its predecessor did. */
	if (health.health == HEALTH_UNKNOWN && state->known)
		return;
	state->health = health.health <= HEALTH_DOWN ? (uint8_t)health.health : HEALTH_UNKNOWN;
	/* Too many of its pool are down: it serves on. */
	if (health.is_held)
		state->health = HEALTH_UP;
	state->percent = health.weight_percent >= 0 ? health.weight_percent : 100;
	state->dynamic = health.weight;
}

static void read_admin(struct ipvs *v, const struct board *board, conf_index_t server, const struct moment *moment)
{
	struct ipvs_server_state *state = &v->now->servers[server];
	struct ipvs_server_drain drain = *ipvs_generation_drain(v->now, server);
	struct ipvs_drain_end before = drain.until;
	struct status_admin admin;

	if (status_load_admin(board, server, &admin) < 0)
		return;
	ipvs_drain_end_at(&drain.until, admin.until_real_us, moment->now, moment->real_us);
	admin.admin = admin.admin <= ADMIN_MAINT ? admin.admin : ADMIN_NORMAL;
	if (!state->tell_admin)
		state->old_admin = state->admin;
	state->tell_admin |= state->admin != admin.admin || (state->known && state->override != admin.weight);
	/* Asked for again with another end: judged anew. */
	if (before.until_real_us != drain.until.until_real_us || drain.end != admin.drain_end) {
		drain.drain.done &= !ipvs_drain_takes_out(&drain.drain, (enum drain_end)drain.end);
		drain.drain.over &= before.until_real_us == 0 || ipvs_drain_end_is_over(&drain.until, moment->now);
	}
	state->admin = (uint8_t)admin.admin;
	state->override = admin.weight;
	drain.end = admin.drain_end <= DRAIN_REMOVE ? (uint8_t)admin.drain_end : DRAIN_KEEP;
	drain.keep_known = admin.keep_known;
	ipvs_generation_set_drain(v->now, server, &drain);
}

typedef void read_fn(struct ipvs *v, const struct board *board, conf_index_t server, const struct moment *moment);

/* Each server has a health checker of its own. Returns whether any board was there. */
static bool read_inputs(struct ipvs *v, bool is_health, conf_index_t server, read_fn *fn)
{
	const struct moment moment = {mono_now(), real_now_us()};
	const struct conf *conf = v->now->conf;
	bool is_one = server < conf->n_servers, any = false;
	uint32_t first = is_one ? server : 0, end = is_one ? server + 1 : conf->n_servers;

	for (uint32_t i = first; i < end; i++) {
		const struct board *board = current_board(v, is_health ? conf_checker(conf, i) : ROLE_PARENT);

		if (board)
			fn(v, board, i, &moment);
		any |= board != NULL;
	}
	return any;
}

bool ipvs_state_read_health(struct ipvs *v, conf_index_t server)
{
	return read_inputs(v, true, server, read_health);
}

bool ipvs_state_read_admin(struct ipvs *v, conf_index_t server)
{
	return read_inputs(v, false, server, read_admin);
}

bool ipvs_state_awaits_memory(const struct ipvs *v)
{
	const struct conf *conf = v->now->conf;

	for (uint32_t i = 0; i < conf->n_checks; i++) {
		conf_index_t server = conf->checks[i].server;

		if (conf->checks[i].initial == CONF_CHECK_INITIAL_LAST && !v->now->servers[server].known &&
			!current_board(v, conf_checker(conf, server)))
			return true;
	}
	return false;
}

/* ---- causes ---- */

static void cause_of_health(const struct ipvs *v, conf_index_t server, char *why)
{
	const struct board *board = current_board(v, conf_checker(v->now->conf, server));
	struct status_health health;

	if (board && board_load(board, HEALTH_TABLE_SERVER, server, &health, sizeof(health)) == 0 && health.why[0])
		snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, health.why);
	else
		snprintf(why, WHY_SIZE, "its health is %s", health_name((enum health)v->now->servers[server].health));
}

static void cause_of_admin(const struct ipvs *v, conf_index_t server, char *why)
{
	const struct board *board = current_board(v, ROLE_PARENT);
	struct status_admin admin;

	if (board && status_load_admin(board, server, &admin) == 0 && admin.why[0])
		snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, admin.why);
	else
		snprintf(why, WHY_SIZE, "administration is back to normal");
}

/* What was changed since the last decision, the strongest cause first. */
struct change {
	bool health, rises, falls, admin, override, percent, configured, sorry;
};

static void cause_of_change(
	const struct ipvs *v, conf_index_t service, conf_index_t server, const struct change *change, char *why)
{
	const struct ipvs_service_state *state = &v->now->services[service];

	if (change->admin || change->override)
		cause_of_admin(v, server, why);
	else if (change->health || change->rises || (change->percent && !change->configured))
		cause_of_health(v, server, why);
	else if (change->sorry)
		snprintf(why, WHY_SIZE, "%s",
			state->sorry_active ? "quorum lost: the sorry server takes over"
					    : "quorum met: the sorry server is not needed");
	else
		snprintf(why, WHY_SIZE, "the configuration says so");
}

/* ---- decisions ---- */

static struct ipvs_weight_facts facts_of(const struct ipvs *v, conf_index_t service, conf_index_t server)
{
	const struct conf *conf = v->now->conf;
	const struct conf_service *s = &conf->services[service];
	const struct conf_server *r = &conf->servers[server];
	const struct ipvs_server_state *state = &v->now->servers[server];
	const struct ipvs_server_drain *drain = ipvs_generation_drain(v->now, server);

	return (struct ipvs_weight_facts){
		.configured = r->weight,
		.override = state->override,
		.dynamic = state->dynamic,
		.percent = state->percent,
		.up = r->is_sorry || ipvs_weight_is_up((enum health)state->health, is_alpha(conf, server)),
		.inhibit = r->is_sorry ? s->sorry_inhibit : r->inhibit_on_failure || s->inhibit_on_failure,
		.is_sorry = r->is_sorry,
		.sorry_active = v->now->services[service].sorry_active,
		.persistent = s->persistence_us > 0,
		.standing = v->now->weights[server].listed,
		.zero_safe = ipvs_weight_zero_is_safe(conf_string(conf, s->scheduler), s->scheduler_flags),
		.admin = (enum admin)state->admin,
		.taken_out = ipvs_drain_takes_out(&drain->drain, (enum drain_end)drain->end),
	};
}

static void notify(struct ipvs *v, const struct conf_range *notifies, enum conf_notify_event event)
{
	for (uint32_t i = notifies->first; i < notifies->first + notifies->count; i++)
		if (v->now->conf->notifies[i].event == event)
			role_notify(v->p, i, event, 0);
}

/* Is the server up before anybody has looked at it? One whose checks begin with a word of their own is as they say. */
static bool begins_up(const struct ipvs *v, conf_index_t server)
{
	const struct conf *conf = v->now->conf;
	const struct conf_server *r = &conf->servers[server];
	enum health health = r->checks.count ? HEALTH_UNKNOWN : HEALTH_UP;

	for (uint32_t i = r->checks.first; i < r->checks.first + r->checks.count; i++)
		if (conf->checks[i].initial != CONF_CHECK_INITIAL_UNKNOWN)
			health = (enum health)v->now->servers[server].health;
	return ipvs_weight_is_up(health, is_alpha(conf, server));
}

/* What takes part; at_start: as it is assumed before any server was looked at. */
static struct ipvs_quorum_event weigh(const struct ipvs *v, conf_index_t service, bool at_start, uint32_t *n_up)
{
	const struct conf *conf = v->now->conf;
	const struct conf_service *s = &conf->services[service];
	struct ipvs_quorum_event event = {.quorum = s->quorum, .hysteresis = s->hysteresis};

	*n_up = 0;
	for (uint32_t i = s->servers.first; i < s->servers.first + s->servers.count; i++) {
		struct ipvs_weight_facts facts = facts_of(v, service, i);
		struct ipvs_weight weight;

		facts.sorry_active = false;
		if (at_start)
			facts.up = begins_up(v, i);
		weight = ipvs_weight_decide(&facts);
		event.total += conf->servers[i].weight > 0 ? conf->servers[i].weight : 0;
		event.capacity += weight.capacity;
		*n_up += weight.listed && weight.weight > 0;
	}
	return event;
}

static void tell_quorum(
	struct ipvs *v, conf_index_t service, const struct ipvs_quorum_event *event, bool is_gained, bool known)
{
	const struct conf_service *s = &v->now->conf->services[service];
	char name[CONF_NAME_SIZE], why[WHY_SIZE];

	snprintf(why, sizeof(why), "weight %lld of %lld is up, the quorum is %u", (long long)event->capacity,
		(long long)event->total, s->quorum);
	if (known || !is_gained) {
		log_write(is_gained ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "ipvs %s: quorum %s: %s%s",
			conf_service_name(v->now->conf, service, name),
			is_gained ? "met"
			: known   ? "lost"
				  : "not met at the start",
			why, !is_gained && s->sorry != CONF_NONE ? "; the sorry server takes over" : "");
		ipvs_report_event(v, EVENT_QUORUM, service, CONF_NONE, known && !is_gained, is_gained, why);
	}
	/* At the start too, as keepalived does: the scripts may announce routes. One that has not been met yet (alpha)
	 * is nothing to tell them of, unless the sorry server begins. */
	if (is_gained || known || s->sorry != CONF_NONE)
		notify(v, &s->notifies, is_gained ? CONF_NOTIFY_QUORUM_UP : CONF_NOTIFY_QUORUM_DOWN);
}

static void step_quorum(struct ipvs *v, conf_index_t service, bool at_start, int64_t real_us)
{
	struct ipvs_service_state *state = &v->now->services[service];
	struct ipvs_quorum_event event = weigh(v, service, at_start, &state->n_up);
	bool known = state->quorum.known;
	enum ipvs_quorum_action action = ipvs_quorum_step(&state->quorum, &event);

	if (action == IPVS_QUORUM_NOTHING)
		return;
	state->since_real_us = real_us;
	tell_quorum(v, service, &event, action == IPVS_QUORUM_GAINED, known);
}

/* Weighs the servers against the quorum. Returns true when the sorry server comes or goes. */
static bool decide_quorum(struct ipvs *v, conf_index_t service, int64_t real_us)
{
	struct ipvs_service_state *state = &v->now->services[service];
	bool was_active = state->sorry_active;

	/* A first result that was quicker than the first decision is a change like any other: scripts hear of both. */
	if (!state->quorum.known)
		step_quorum(v, service, true, real_us);
	step_quorum(v, service, false, real_us);
	state->sorry_active = !state->quorum.met && v->now->conf->services[service].sorry != CONF_NONE;
	return was_active != state->sorry_active;
}

/* One line: what happens to the server, why, and what is left. */
static void tell_weight(struct ipvs *v, conf_index_t service, conf_index_t server, const struct ipvs_weight *old,
	const struct ipvs_weight *new, const char *why)
{
	const struct conf *conf = v->now->conf;
	char service_name[CONF_NAME_SIZE], server_name[CONF_NAME_SIZE], what[48];

	if (!new->listed)
		snprintf(what, sizeof(what), "removed");
	else if (!old->listed)
		snprintf(what, sizeof(what), "added with weight %d", new->weight);
	else
		snprintf(what, sizeof(what), "weight %d -> %d", old->weight, new->weight);
	log_info("ipvs %s: %s %s %s: %s (%u of %u servers %s)", conf_service_name(conf, service, service_name),
		conf->servers[server].is_sorry ? "sorry server" : "server", conf_server_name(conf, server, server_name),
		what, why, v->now->services[service].n_up, conf->services[service].servers.count,
		new->listed &&new->weight >= old->weight ? "in use" : "left");
}

/* What this decision was based on, to see later what has changed. */
static void remember(struct ipvs *v, conf_index_t server, const struct ipvs_weight_facts *facts)
{
	struct ipvs_server_state *state = &v->now->servers[server];
	struct ipvs_server_drain drain = *ipvs_generation_drain(v->now, server);

	state->known = true;
	state->up = facts->up;
	state->configured = facts->configured;
	state->decided_percent = facts->percent;
	state->decided_dynamic = facts->dynamic;
	state->decided_health = state->health;
	if (facts->admin == ADMIN_NORMAL)
		drain.drain = (struct ipvs_drain){0};
	else
		drain.drain.active = true;
	ipvs_generation_set_drain(v->now, server, &drain);
}

/* was_up: as last decided, or as it began. */
static struct change find_changes(const struct ipvs *v, conf_index_t server, const struct ipvs_weight_facts *facts,
	bool was_up, bool sorry_changed)
{
	const struct ipvs_server_state *state = &v->now->servers[server];

	return (struct change){.health = state->known && state->decided_health != state->health,
		.rises = !was_up && facts->up,
		/* In alpha mode the first verdict may confirm what was assumed; scripts are told it all the same. So
		 * they are when it comes before the first decision. */
		.falls = state->health == HEALTH_DOWN && (!state->known || state->decided_health != HEALTH_DOWN),
		.admin = ipvs_generation_drain(v->now, server)->drain.active != (facts->admin != ADMIN_NORMAL),
		.override = state->tell_admin,
		.percent = state->known &&
			   (state->decided_percent != facts->percent || state->decided_dynamic != facts->dynamic),
		.configured = state->known && state->configured != facts->configured,
		.sorry = sorry_changed};
}

/* One that began as up and was found down before the first decision is told of as both, in that order. */
static void tell_server(struct ipvs *v, const struct conf_range *notifies, bool up, bool down)
{
	if (up)
		notify(v, notifies, CONF_NOTIFY_UP);
	if (down)
		notify(v, notifies, CONF_NOTIFY_DOWN);
}

static void decide_server(
	struct ipvs *v, conf_index_t service, conf_index_t server, bool sorry_changed, int64_t real_us)
{
	const struct conf *conf = v->now->conf;
	const struct conf_server *r = &conf->servers[server];
	struct ipvs_server_state *state = &v->now->servers[server];
	struct ipvs_weight_facts facts = facts_of(v, service, server);
	bool known = state->known, was_up = known ? state->up : begins_up(v, server);
	struct change change = find_changes(v, server, &facts, was_up, sorry_changed);
	struct ipvs_weight old = v->now->weights[server], new = ipvs_weight_decide(&facts);
	bool changed = old.listed != new.listed || old.weight != new.weight;
	char why[WHY_SIZE];

	v->now->weights[server] = new;
	remember(v, server, &facts);
	if (!r->is_sorry)
		tell_server(v, &r->notifies, change.rises || (!known && was_up && conf->global->rs_init_notifies),
			change.falls);
	if (known && !changed && !change.health)
		return;
	if (known || change.admin)
		cause_of_change(v, service, server, &change, why);
	else
		strcpy(why, facts.up ? STATUS_AS_CONFIGURED : "not checked yet");
	state->since_real_us = real_us;
	ipvs_report_server_why(v, server, why);
	/* At the start one line sums up all; later each change has its own. */
	if (changed && (known || v->settled || change.admin))
		tell_weight(v, service, server, &old, &new, why);
}

void ipvs_state_decide(struct ipvs *v)
{
	const struct conf *conf = v->now->conf;
	int64_t real_us = real_now_us(); /* of all: not every machine has a clock that costs nothing */

	for (uint32_t s = 0; s < conf->n_services; s++) {
		bool sorry_changed = decide_quorum(v, s, real_us);

		board_beat(v->p->board); /* each service is a sign of life, however many there are */
		for (uint32_t i = 0; i < ipvs_desired_n_servers(conf, s); i++)
			decide_server(v, s, ipvs_desired_server(conf, s, i), sorry_changed, real_us);
	}
}
