/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The board of the ipvs process: what stands in the kernel for each configured service and server, with counters and
 * causes, and its events. It reads images and decisions and changes neither. */
#include "ipvs_error.h"
#include "ipvs_process.h"
#include <stdio.h>
#include <string.h>

/* After so many servers it is time for a sign of life. */
#define BEAT_SERVERS 1000

struct board *ipvs_report_new_board(const struct conf *conf)
{
	const struct board_shape shape = {
		.record_size = {[IPVS_TABLE_SERVICE] = sizeof(struct status_service),
			[IPVS_TABLE_SERVER] = STATUS_SERVER_SIZE,
			[IPVS_TABLE_TRAFFIC] = STATUS_TRAFFIC_SIZE,
			[IPVS_TABLE_CAUSE] = STATUS_CAUSE_SIZE,
			[IPVS_TABLE_ROLE] = sizeof(struct status_ipvs),
			[IPVS_TABLE_SYNC] = sizeof(struct status_sync),
			[IPVS_TABLE_DIGEST] = sizeof(struct status_digest),
			[IPVS_TABLE_GUARD] = sizeof(struct status_guard),
			[IPVS_TABLE_SYSCTL] = sizeof(struct status_sysctl),
			[IPVS_TABLE_MEMBER] = sizeof(struct status_member)},
		.count = {[IPVS_TABLE_SERVICE] = conf->n_services,
			[IPVS_TABLE_SERVER] = conf->n_servers,
			[IPVS_TABLE_TRAFFIC] = conf->n_servers,
			[IPVS_TABLE_CAUSE] = conf->n_servers,
			[IPVS_TABLE_ROLE] = 1,
			[IPVS_TABLE_SYNC] = 1,
			[IPVS_TABLE_DIGEST] = 2 * DIGEST_RECORDS,
			[IPVS_TABLE_GUARD] = conf->n_services,
			[IPVS_TABLE_SYSCTL] = SYSCTLS,
			[IPVS_TABLE_MEMBER] = conf->n_group_entries},
	};

	return board_create(ROLE_IPVS, conf->generation, &shape);
}

void ipvs_report_carry(struct ipvs_generation *g, const struct board *old, bool same_numbers)
{
	struct status_service service;
	struct status_server server;

	for (uint32_t i = 0; i < g->conf->n_services; i++) {
		uint32_t from = same_numbers ? i : g->old_services[i];

		if (from != CONF_NONE && board_load(old, IPVS_TABLE_SERVICE, from, &service, sizeof(service)) == 0)
			board_store(g->board, IPVS_TABLE_SERVICE, i, &service, sizeof(service));
	}
	for (uint32_t i = 0; i < g->conf->n_servers; i++) {
		uint32_t from = same_numbers ? i : g->old_servers[i];

		if (from != CONF_NONE && status_load_server(old, from, &server) == 0)
			status_store_server(g->board, i, &server);
	}
}

static void store(struct ipvs *v, bool quiet, unsigned table, uint32_t index, const void *record, size_t size)
{
	if (quiet)
		role_store_quiet(v->p, table, index, record, size);
	else
		role_store(v->p, table, index, record, size);
}

static void store_server(struct ipvs *v, bool quiet, conf_index_t server, const struct status_server *s)
{
	const struct status_server stored = status_server_stored(s);

	for (unsigned i = 0; i < STATUS_SERVER_PARTS; i++)
		store(v, quiet || status_server_parts[i].table == IPVS_TABLE_TRAFFIC, status_server_parts[i].table,
			server, (const char *)&stored + status_server_parts[i].offset, status_server_parts[i].size);
}

static void add_counters(struct ipvs_counters *sum, const struct ipvs_counters *counters)
{
	sum->connections += counters->connections;
	sum->packets_in += counters->packets_in;
	sum->packets_out += counters->packets_out;
	sum->bytes_in += counters->bytes_in;
	sum->bytes_out += counters->bytes_out;
	sum->connections_rate += counters->connections_rate;
	sum->packets_in_rate += counters->packets_in_rate;
	sum->packets_out_rate += counters->packets_out_rate;
	sum->bytes_in_rate += counters->bytes_in_rate;
	sum->bytes_out_rate += counters->bytes_out_rate;
}

static struct status_rates rates_of(const struct ipvs_counters *sum)
{
	return (struct status_rates){.connections = sum->connections_rate,
		.packets_in = sum->packets_in_rate,
		.packets_out = sum->packets_out_rate,
		.bytes_in = sum->bytes_in_rate,
		.bytes_out = sum->bytes_out_rate};
}

/* ---- services ---- */

struct service_sum {
	const struct ipvs *v;
	struct ipvs_counters counters;
	uint32_t wanted, standing;
	char failure[IPVS_ERROR_TEXT];
};

static int sum_service(void *arg, const struct ipvs_key *key)
{
	struct service_sum *sum = arg;
	const struct ipvs_service *want = ipvs_image_find(&sum->v->desired, key);
	const struct ipvs_service *have = ipvs_image_find(&sum->v->actual, key);

	sum->wanted++;
	if (!sum->failure[0])
		ipvs_reconcile_failure(sum->v, key, NULL, sum->failure);
	if (!have)
		return 0;
	sum->standing += want && ipvs_service_equal(want, have);
	add_counters(&sum->counters, &ipvs_service_tally(&sum->v->actual, have)->counters);
	return 0;
}

static void service_why(const struct ipvs *v, conf_index_t i, const struct service_sum *sum, char *why)
{
	const struct ipvs_service_state *state = &v->now->services[i];
	uint32_t total = v->now->conf->services[i].servers.count;

	if (sum->failure[0])
		snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, sum->failure);
	else if (v->now->absent[i])
		ipvs_place_why(v, i, why);
	else if (!v->usable)
		snprintf(why, WHY_SIZE, "%s", v->status.why);
	else if (state->quorum.met)
		snprintf(why, WHY_SIZE, "%u of %u servers take connections", state->n_up, total);
	else
		snprintf(why, WHY_SIZE, "quorum lost: %u of %u servers take part%s", state->n_up, total,
			state->sorry_active ? "; the sorry server works" : "");
}

static void report_service(struct ipvs *v, conf_index_t i, bool quiet)
{
	struct service_sum sum = {.v = v};
	const struct ipvs_service_state *state = &v->now->services[i];
	struct status_service s = {0};

	ipvs_desired_each_key(v->now->conf, i, sum_service, &sum);
	s.is_programmed = v->usable && v->image_valid && sum.standing == sum.wanted;
	s.is_absent = state->misplaced;
	s.rates = rates_of(&sum.counters);
	s.quorum_met = state->quorum.met;
	s.servers_up = state->n_up;
	s.sorry_active = state->sorry_active;
	s.connections = sum.counters.connections;
	s.packets_in = sum.counters.packets_in;
	s.packets_out = sum.counters.packets_out;
	s.bytes_in = sum.counters.bytes_in;
	s.bytes_out = sum.counters.bytes_out;
	s.since_real_us = state->since_real_us;
	service_why(v, i, &sum, s.why);
	store(v, quiet, IPVS_TABLE_SERVICE, i, &s, sizeof(s));
}

/* ---- members of groups ---- */

struct member_sum {
	const struct ipvs *v;
	uint64_t active;
};

static int sum_member(void *arg, const struct ipvs_key *key)
{
	struct member_sum *sum = arg;
	const struct ipvs_service *have = ipvs_image_find(&sum->v->actual, key);

	for (uint32_t i = 0; have && i < have->n_dests; i++)
		sum->active += ipvs_dest_tally(have, &have->dests[i])->active;
	return 0;
}

/* What would be cut with each member, for a plan. Those that are folded into a mark are not services of the kernel. */
static void report_members(struct ipvs *v, const struct conf_service *s)
{
	const struct conf_range *entries;

	if (s->kind != CONF_SERVICE_GROUP || s->group == CONF_NONE || s->fwmark)
		return;
	entries = &v->now->conf->service_groups[s->group].entries;
	for (uint32_t i = entries->first; i < entries->first + entries->count; i++) {
		struct member_sum sum = {.v = v};
		struct status_member member = {0};
		uint64_t *active = status_member_of(&member, s->protocol);

		board_load(v->p->board, IPVS_TABLE_MEMBER, i, &member, sizeof(member));
		ipvs_desired_each_member_key(s, &v->now->conf->group_entries[i], sum_member, &sum);
		if (active)
			*active = sum.active;
		role_store_quiet(v->p, IPVS_TABLE_MEMBER, i, &member, sizeof(member));
	}
}

/* ---- servers ---- */

struct server_sum {
	const struct ipvs *v;
	struct ipvs_dest_key dest;
	struct ipvs_counters counters;
	uint32_t wanted, standing, active, inactive, persistent;
	char failure[IPVS_ERROR_TEXT];
};

static int sum_server(void *arg, const struct ipvs_key *key)
{
	struct server_sum *sum = arg;
	const struct ipvs_service *have = ipvs_image_find(&sum->v->actual, key);
	const struct ipvs_dest *dest = have ? ipvs_service_find(have, &sum->dest) : NULL;
	const struct ipvs_tally *tally;

	sum->wanted++;
	if (!sum->failure[0])
		ipvs_reconcile_failure(sum->v, key, &sum->dest, sum->failure);
	if (!dest)
		return 0;
	sum->standing++;
	tally = ipvs_dest_tally(have, dest);
	sum->active += tally->active;
	sum->inactive += tally->inactive;
	sum->persistent += tally->persistent;
	add_counters(&sum->counters, &tally->counters);
	return 0;
}

void ipvs_report_server_why(struct ipvs *v, conf_index_t server, const char *why)
{
	struct status_server s = {0};

	status_load_server(v->p->board, server, &s);
	strncpy(s.why, why, sizeof(s.why) - 1); /* what is behind the text is zero, too: records are compared */
	store_server(v, true, server, &s);
}

/* The cause stays as it was told, unless the kernel refuses the server. */
static void server_why(struct ipvs_server_state *state, const char *failure, char *why)
{
	if (failure[0] || state->failed) {
		memset(why, 0, WHY_SIZE);
		snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1,
			failure[0] ? failure : "the kernel has accepted it after an error");
	}
	state->failed = failure[0];
}

static void report_server(struct ipvs *v, conf_index_t i, bool quiet)
{
	struct ipvs_server_state *state = &v->now->servers[i];
	const struct ipvs_server_drain *drain = ipvs_generation_drain(v->now, i);
	struct server_sum sum = {.v = v, .dest = ipvs_desired_dest_key(v->now->conf, i)};
	struct status_server s = {0};
	char why[WHY_SIZE];

	status_load_server(v->p->board, i, &s);
	memcpy(why, s.why, sizeof(why));
	ipvs_desired_each_key(v->now->conf, v->now->conf->servers[i].service, sum_server, &sum);
	server_why(state, sum.failure, why);
	s = (struct status_server){
		.is_programmed = v->usable && v->image_valid && sum.wanted > 0 && sum.standing == sum.wanted,
		.effective_weight = v->now->weights[i].listed ? v->now->weights[i].weight : 0,
		.health = state->health,
		.admin = state->admin,
		.active = sum.active,
		.inactive = sum.inactive,
		.persistent = sum.persistent,
		.is_drained = drain->drain.done,
		.drain_over = drain->drain.over,
		.drain_cut = drain->drain.cut,
		.drain_until_real_us = drain->until.until_real_us,
		.connections = sum.counters.connections,
		.packets_in = sum.counters.packets_in,
		.packets_out = sum.counters.packets_out,
		.bytes_in = sum.counters.bytes_in,
		.bytes_out = sum.counters.bytes_out,
		.rates = rates_of(&sum.counters),
		.since_real_us = state->since_real_us,
	};
	memcpy(s.why, why, sizeof(s.why));
	store_server(v, quiet, i, &s);
}

void ipvs_report(struct ipvs *v, bool quiet)
{
	if (!v->p->board)
		return;
	for (uint32_t i = 0; i < v->now->conf->n_services; i++) {
		report_service(v, i, quiet);
		report_members(v, &v->now->conf->services[i]);
	}
	for (uint32_t i = 0; i < v->now->conf->n_servers; i++) {
		if (i % BEAT_SERVERS == 0)
			board_beat(v->p->board);
		report_server(v, i, quiet);
	}
	store(v, quiet, IPVS_TABLE_ROLE, 0, &v->status, sizeof(v->status));
}

/* ---- events ---- */

void ipvs_report_event(struct ipvs *v, enum event_kind kind, conf_index_t service, conf_index_t server, uint32_t from,
	uint32_t to, const char *why)
{
	const struct conf *conf = v->now->conf;
	struct event event = {.kind = kind, .object = server != CONF_NONE ? server : service, .from = from, .to = to};
	char service_name[CONF_NAME_SIZE], server_name[CONF_NAME_SIZE];

	conf_service_name(conf, service, service_name);
	if (server != CONF_NONE)
		snprintf(event.name, sizeof(event.name), "%.31s %.31s", service_name,
			conf_server_name(conf, server, server_name));
	else
		snprintf(event.name, sizeof(event.name), "%.63s", service_name);
	snprintf(event.why, sizeof(event.why), "%.159s", why);
	role_event(v->p, &event);
}
