/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows servers that take no new connections until they are empty: drains, maintenance, and servers that left the
 * configuration. Runs in the ipvs process once a second while there are any. It reads counters, and the connection list
 * where the counters cannot tell; what ends is decided in ipvs_drain.c. */
#include "ipvs_conn.h"
#include "ipvs_process.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POLL_US US_PER_S
#define CONNECTIONS_PATH "/proc/net/ip_vs_conn"
/* The kernel walks its whole table anew for every 4 KiB of that file: not with more entries than this. */
#define CENSUS_MAX 20000u

/* A server of one kernel service whose counters say: nothing established, but something listed. */
struct doubtful {
	const struct ipvs_key *service;
	const struct ipvs_dest_key *dest;
	uint64_t live; /* connections that are not over */
};

struct census {
	struct doubtful *list;
	size_t n, room;
	bool taken;
};

static bool is_doubtful(const struct ipvs_tally *tally)
{
	return tally->active == 0 && tally->persistent == 0 && tally->inactive > 0;
}

static void add_doubtful(struct census *census, const struct ipvs_service *service, const struct ipvs_dest *dest)
{
	if (census->n == census->room) {
		size_t room = census->room * 2 + 8;
		struct doubtful *list = reallocarray(census->list, room, sizeof(*list));

		if (!list)
			return; /* the counters decide, later */
		census->list = list;
		census->room = room;
	}
	census->list[census->n++] = (struct doubtful){.service = &service->key, .dest = &dest->key};
}

static uint64_t count_all(const struct ipvs_image *image)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < image->n_services; i++)
		for (uint32_t t = 0; t < image->services[i].tallies.n; t++)
			n += ipvs_tally_connections(&image->services[i].tallies.list[t]);
	return n;
}

/* Looks once through the connection list for all doubtful servers. */
static void take_census(const struct ipvs *v, struct census *census)
{
	struct ipvs_conn conn;
	char line[512];
	FILE *file;

	if (census->n == 0 || count_all(&v->actual) > CENSUS_MAX)
		return;
	file = fopen(CONNECTIONS_PATH, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (ipvs_conn_parse(line, &conn) < 0 || conn.is_template || conn.is_over)
			continue;
		for (size_t i = 0; i < census->n; i++)
			census->list[i].live += ipvs_conn_belongs(&conn, census->list[i].service, census->list[i].dest);
	}
	census->taken = !ferror(file);
	fclose(file);
}

/* Connections that are not over, as far as it is known; templates of persistence only when they count. */
static uint64_t connections_of(const struct census *census, const struct ipvs_service *service,
	const struct ipvs_dest *dest, bool with_templates)
{
	const struct ipvs_tally *tally = ipvs_dest_tally(service, dest);

	for (size_t i = 0; census->taken && i < census->n; i++)
		if (census->list[i].service == &service->key && census->list[i].dest == &dest->key)
			return census->list[i].live;
	return with_templates ? ipvs_tally_connections(tally) : (uint64_t)tally->active + tally->inactive;
}

/* ---- drains ---- */

struct counting {
	struct ipvs *v;
	struct census *census;
	struct ipvs_dest_key dest; /* of the server that is looked at */
	uint64_t connections;
	bool applied, counted, with_templates;
	int drift;
};

static int count_drain(void *arg, const struct ipvs_key *key)
{
	struct counting *c = arg;
	const struct ipvs_service *service = ipvs_image_find(&c->v->actual, key);
	const struct ipvs_dest *dest = service ? ipvs_service_find(service, &c->dest) : NULL;

	if (!dest)
		return 0;
	c->applied &= dest->weight == 0;
	c->connections += connections_of(c->census, service, dest, c->with_templates);
	return 0;
}

static int doubt_drain(void *arg, const struct ipvs_key *key)
{
	struct counting *c = arg;
	const struct ipvs_service *service = ipvs_image_find(&c->v->actual, key);
	const struct ipvs_dest *dest = service ? ipvs_service_find(service, &c->dest) : NULL;

	if (dest && is_doubtful(ipvs_dest_tally(service, dest)))
		add_doubtful(c->census, service, dest);
	return 0;
}

static bool is_followed(const struct ipvs *v, conf_index_t server)
{
	return v->now->servers[server].admin != ADMIN_NORMAL && !ipvs_generation_drain(v->now, server)->drain.done;
}

/* "its time is over: 3 connections are cut": what became of how many. */
static void end_of_drain(
	const struct ipvs_drain *drain, const struct ipvs_drain_actions *actions, uint64_t left, char why[WHY_SIZE])
{
	unsigned long long cut = drain->cut, going_on = left;

	if (actions->over && cut > 0)
		snprintf(why, WHY_SIZE, "its time is over: %llu connection%s cut", cut, cut == 1 ? " is" : "s are");
	else if (actions->over && !actions->drained)
		snprintf(why, WHY_SIZE, "its time is over: %llu connection%s left and go%s on", going_on,
			going_on == 1 ? " is" : "s are", going_on == 1 ? "es" : "");
	else if (cut > 0)
		snprintf(why, WHY_SIZE, "no connection is left, the last %llu %s cut", cut, cut == 1 ? "was" : "were");
	else
		snprintf(why, WHY_SIZE, "no connection is left");
}

static void tell_drain(struct ipvs *v, conf_index_t server, const struct ipvs_drain_actions *actions, uint64_t left)
{
	const struct ipvs_drain *drain = &ipvs_generation_drain(v->now, server)->drain;
	conf_index_t service = v->now->conf->servers[server].service;
	char service_name[CONF_NAME_SIZE], name[CONF_NAME_SIZE], why[WHY_SIZE];

	conf_service_name(v->now->conf, service, service_name);
	conf_server_name(v->now->conf, server, name);
	end_of_drain(drain, actions, left, why);
	log_info("ipvs %s: server %s %s: %s", service_name, name,
		actions->drained || drain->cut > 0 ? "is drained" : "is draining", why);
	ipvs_report_server_why(v, server, why);
	if (actions->drained)
		ipvs_report_event(v, EVENT_DRAINED, service, server, 0, 1, why);
}

/* Returns true while the drain of a server has to be followed; *takes_out: it just came to an end that takes the server
 * out of the kernel's table. */
static bool follow_drain(struct ipvs *v, conf_index_t server, struct census *census, bool counted, bool *takes_out)
{
	const struct ipvs_server_state *state = &v->now->servers[server];
	struct ipvs_server_drain drain = *ipvs_generation_drain(v->now, server);
	struct counting c = {.v = v,
		.census = census,
		.dest = ipvs_desired_dest_key(v->now->conf, server),
		.applied = true,
		.with_templates = state->admin != ADMIN_DRAIN || drain.keep_known};
	struct ipvs_drain_event event = {.admin = (enum admin)state->admin,
		.end = (enum drain_end)drain.end,
		.counted = counted,
		.time_is_over = ipvs_drain_end_is_over(&drain.until, mono_now())};
	conf_index_t service = v->now->conf->servers[server].service;
	struct ipvs_drain_actions actions;

	ipvs_desired_each_key(v->now->conf, service, count_drain, &c);
	event.applied = c.applied;
	event.connections = c.connections;
	actions = ipvs_drain_step(&drain.drain, &event);
	ipvs_generation_set_drain(v->now, server, &drain);
	if (actions.drained || actions.over)
		tell_drain(v, server, &actions, c.connections);
	*takes_out |=
		(actions.drained || actions.over) && ipvs_drain_takes_out(&drain.drain, (enum drain_end)drain.end);
	return actions.poll;
}

/* ---- leftovers ---- */

/* Ends those whose time has come; returns true when there was one. */
static bool end_leftovers(struct ipvs *v, const struct census *census)
{
	struct mono now = mono_now();
	size_t n = 0, before = v->n_leftovers;

	for (size_t i = 0; i < before; i++) {
		struct ipvs_leftover *l = &v->leftovers[i];
		const struct ipvs_service *service = ipvs_image_find(&v->actual, &l->service);
		const struct ipvs_dest *dest = service ? ipvs_service_find(service, &l->dest.key) : NULL;
		uint64_t connections = dest ? connections_of(census, service, dest, true) : 0;
		char key[IPVS_KEY_TEXT], text[ADDR_TEXT];

		if (!ipvs_drain_leftover_ends(now, l->until, connections)) {
			v->leftovers[n++] = *l;
			continue;
		}
		log_info("ipvs %s: server %s, no longer configured, is removed: %s", ipvs_key_format(&l->service, key),
			ipvs_dest_format(&l->dest.key, text), connections ? "drain_timeout is over" : "it is drained");
	}
	v->n_leftovers = n;
	v->ledger_stale |= n != before;
	return n != before;
}

/* ---- the poll ---- */

static int read_key(void *arg, const struct ipvs_key *key)
{
	struct counting *c = arg;
	const struct ipvs_service *service = ipvs_image_find(&c->v->actual, key);
	int drift;

	if (!service)
		return 0;
	drift = ipvs_audit_refresh(c->v, (uint32_t)(service - c->v->actual.services));
	board_beat(c->v->p->board); /* each of a thousand services is a sign of life */
	c->counted &= drift >= 0;
	c->drift += drift > 0 ? drift : 0;
	return 0;
}

/* Reads the servers of every service that has something to follow. Returns the number of differences found. */
static int read_counters(struct ipvs *v, bool *counted)
{
	struct counting c = {.v = v, .counted = true};
	const struct conf *conf = v->now->conf;

	for (uint32_t s = 0; s < conf->n_services; s++) {
		bool wanted = false;

		for (uint32_t i = 0; i < ipvs_desired_n_servers(conf, s) && !wanted; i++)
			wanted = is_followed(v, ipvs_desired_server(conf, s, i));
		if (wanted)
			ipvs_desired_each_key(conf, s, read_key, &c);
	}
	/* One look shows all servers of a service, and its leftovers stand one behind the other. */
	for (size_t i = 0; i < v->n_leftovers; i++)
		if (i == 0 || ipvs_key_compare(&v->leftovers[i].service, &v->leftovers[i - 1].service) != 0)
			read_key(&c, &v->leftovers[i].service);
	*counted = c.counted;
	return c.drift;
}

/* Everything whose counters cannot tell whether it is empty. */
static void collect_doubtful(struct ipvs *v, struct census *census)
{
	struct counting c = {.v = v, .census = census};

	for (uint32_t i = 0; i < v->now->conf->n_servers; i++) {
		if (!is_followed(v, i))
			continue;
		c.dest = ipvs_desired_dest_key(v->now->conf, i);
		ipvs_desired_each_key(v->now->conf, v->now->conf->servers[i].service, doubt_drain, &c);
	}
	for (size_t i = 0; i < v->n_leftovers; i++) {
		c.dest = v->leftovers[i].dest.key;
		doubt_drain(&c, &v->leftovers[i].service);
	}
}

void ipvs_follow_on_poll(struct timer *timer, void *arg)
{
	struct ipvs *v = arg;
	struct census census = {0};
	bool counted = false, again = false, ended = false;
	int drift;

	(void)timer;
	if (!v->usable || !v->image_valid)
		return; /* a reconciliation is due, which arms the poll again */
	drift = read_counters(v, &counted);
	collect_doubtful(v, &census);
	take_census(v, &census);
	for (uint32_t i = 0; i < v->now->conf->n_servers; i++)
		if (is_followed(v, i))
			again |= follow_drain(v, i, &census, counted, &ended);
	ended |= end_leftovers(v, &census);
	free(census.list);
	if (drift > 0)
		ipvs_audit_on_drift(v, drift);
	else if (ended)
		ipvs_reconcile(v);
	else
		ipvs_report(v, false);
	if (again || v->n_leftovers)
		loop_timer_set(v->p->loop, &v->poll, mono_add(mono_now(), POLL_US));
}

void ipvs_follow_drains(struct ipvs *v)
{
	bool wanted = v->n_leftovers > 0;

	for (uint32_t i = 0; i < v->now->conf->n_servers && !wanted; i++)
		wanted = is_followed(v, i);
	if (wanted && !v->poll.slot)
		loop_timer_set(v->p->loop, &v->poll, mono_now());
}
