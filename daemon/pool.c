/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers added and removed at run time: from the client's command to the table that is voted on, and to the intent
 * file once it is in use. Runs in the parent. */
#include "conf_pool.h"
#include "parent.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was said of a server is remembered this long when it asks for nothing any more: the other node may have been
 * away as long, and would bring its older word back. */
#define MEMORY_US (30 * 86400 * US_PER_S)
/* A node that meets the other one is told everything at once: it is written, and brought into use, together. */
#define GATHER_US (200 * US_PER_MS)
/* Nobody changes more servers by hand; more comes from a node that is broken. */
#define PEER_LIMIT 20000

static bool to_change(const struct pool_intent *intent, struct conf_pool_change *change)
{
	*change = (struct conf_pool_change){
		.service = intent->service, .is_removed = intent->is_removed, .weight = intent->weight};
	return addr_parse_port(intent->server, &change->addr, &change->port) == 0;
}

/* The intents with the order's change, as a list of their own. */
static int copy_pool(const struct parent *p, const struct reload_order *order, struct intents *copy)
{
	size_t n = p->intents.n_pool;

	*copy = (struct intents){.pool = malloc((n + 1) * sizeof(*copy->pool)), .n_pool = n};
	if (!copy->pool)
		return -ENOMEM;
	if (n > 0)
		memcpy(copy->pool, p->intents.pool, n * sizeof(*copy->pool));
	return order->goal == RELOAD_POOL && order->change.service[0] ? intents_change_pool(copy, &order->change) : 0;
}

struct conf *pool_build(const struct parent *p, struct conf *base, uint64_t generation, const struct reload_order *order,
	bool **stale)
{
	struct intents copy;
	struct conf_pool_change *changes;
	int rc = copy_pool(p, order, &copy);
	size_t *places = NULL; /* in copy.pool, of the changes */
	bool *applied = NULL;
	size_t n = 0;

	free(*stale);
	*stale = NULL;
	if (rc == 0 && copy.n_pool == 0 && base->generation == generation) {
		free(copy.pool);
		return conf_share(base);
	}
	if (rc < 0) {
		free(copy.pool);
		errno = -rc;
		return NULL;
	}
	changes = calloc(copy.n_pool + 1, sizeof(*changes));
	places = calloc(copy.n_pool + 1, sizeof(*places));
	applied = calloc(copy.n_pool + 1, sizeof(*applied));
	*stale = calloc(copy.n_pool + 1, sizeof(**stale));
	if (changes && places && applied && *stale) {
		for (size_t i = 0; i < copy.n_pool; i++) {
			places[n] = i;
			n += !copy.pool[i].is_settled && to_change(&copy.pool[i], &changes[n]);
		}
		rc = conf_pool_apply(base, generation, changes, n, applied);
		for (size_t k = 0; k < n; k++)
			(*stale)[places[k]] = !applied[k];
	} else {
		rc = -ENOMEM;
	}
	free(changes);
	free(places);
	free(applied);
	free(copy.pool);
	errno = rc < 0 ? -rc : 0;
	return rc < 0 ? NULL : conf_open(rc);
}

void pool_committed(struct parent *p, const struct reload_order *order, const bool *stale)
{
	size_t before = p->intents.n_pool;
	bool is_settled_any = false;

	if (order->goal == RELOAD_POOL && order->change.service[0]) {
		if (intents_change_pool(&p->intents, &order->change) < 0)
			log_error("%s %s: no memory to remember that it was %s", order->change.service,
				order->change.server, order->change.is_removed ? "removed" : "added");
		admin_write_intents(p);
	}
	for (size_t i = 0; order->goal == RELOAD_FILE && stale && i < before; i++) {
		struct pool_intent *c = &p->intents.pool[i];

		if (!stale[i])
			continue;
		log_info("%s %s: %s at run time: the file says so by now, or has no such service", c->service,
			c->server, c->is_removed ? "removed" : "added");
		c->is_settled = is_settled_any = true;
	}
	intents_prune(&p->intents, real_now_us() - MEMORY_US);
	if (is_settled_any)
		admin_write_intents(p);
	p->daemon.pool_changes = (uint32_t)intents_count_pool(&p->intents);
}

void pool_fill_board(const struct parent *p, struct board *board)
{
	for (size_t i = 0; i < p->intents.n_pool; i++) {
		const struct pool_intent *c = &p->intents.pool[i];
		struct status_pool record = {.is_removed = c->is_removed,
			.is_settled = c->is_settled,
			.weight = c->weight,
			.since_real_us = c->since_real_us};

		snprintf(record.service, sizeof(record.service), "%s", c->service);
		snprintf(record.server, sizeof(record.server), "%.63s", c->server);
		snprintf(record.why, sizeof(record.why), "%s", c->why);
		board_store(board, PARENT_TABLE_POOL, (uint32_t)i, &record, sizeof(record));
	}
}

static const struct conf_server *find_server(
	const struct conf *conf, conf_index_t service, const struct addr *addr, uint16_t port)
{
	const struct conf_range *r = &conf->services[service].servers;

	for (uint32_t i = r->first; i < r->first + r->count; i++)
		if (conf->servers[i].port == port && addr_equal(&conf->servers[i].addr, addr))
			return &conf->servers[i];
	return NULL;
}

/* The file's word for a server that was taken out at run time, when another weight is asked for now. The pool changes
 * which servers there are; a weight is an administrator's wish, which has a command, and is remembered, of its own. */
static const struct conf_server *contradicted(
	const struct parent *p, const struct msg_command *m, const struct addr *addr, uint16_t port)
{
	const struct conf_server *file = m->value < 0 ? NULL : find_server(p->base, m->service, addr, port);

	return file && file->weight != m->value ? file : NULL;
}

/* Never before what was said last, whatever the clocks of the two nodes say. */
static int64_t time_of_word(const struct parent *p, const struct pool_intent *change)
{
	const struct pool_intent *last = intents_find_pool(&p->intents, change->service, change->server);
	int64_t now = real_now_us();

	return last && last->since_real_us >= now ? last->since_real_us + 1 : now;
}

void pool_command(struct parent *p, const struct msg_command *m, const char *who)
{
	struct reload_order order = {.goal = RELOAD_POOL, .request = m->request};
	struct pool_intent *change = &order.change;
	bool is_removed = m->verb == MSG_VERB_SERVER_REMOVE, is_there;
	char name[sizeof(m->server_name)], text[ADDR_TEXT];
	const struct conf_server *file;
	struct addr addr;
	uint16_t port;

	snprintf(name, sizeof(name), "%.*s", (int)sizeof(name) - 1, m->server_name);
	if (!p->conf || m->generation != p->conf->generation) {
		admin_answer(p, m->request, MSG_STATUS_STALE, "the configuration has changed meanwhile: try again");
		return;
	}
	if (m->service >= p->conf->n_services || addr_parse_port(name, &addr, &port) < 0 || m->value < -1 ||
		m->value > 65535) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED, "%s: no ADDRESS:PORT, or no such service", name);
		return;
	}
	conf_service_name(p->conf, m->service, change->service);
	snprintf(change->server, sizeof(change->server), "%s", addr_format_port(&addr, port, text));
	is_there = find_server(p->conf, m->service, &addr, port);
	if (is_there != is_removed) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED, "%s: service %s %s", change->server, change->service,
			is_there ? "has this server already" : "has no such server");
		return;
	}
	file = is_removed ? NULL : contradicted(p, m, &addr, port);
	if (file) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED,
			"%s: the file has this server, with weight %d: add it without a weight, then 'poisectl weight "
			"%s %d'",
			change->server, file->weight, change->server, m->value);
		return;
	}
	change->is_removed = is_removed;
	change->weight = is_removed ? -1 : m->value;
	change->since_real_us = time_of_word(p, change);
	snprintf(change->why, sizeof(change->why), "%s by %s", is_removed ? "removed" : "added", who);
	snprintf(order.who, sizeof(order.who), "%s", who);
	if (reload_begin(p, &order) < 0)
		admin_answer(p, m->request, MSG_STATUS_BUSY, "a configuration is being loaded");
	else
		log_info("%s %s: %s", change->service, change->server, change->why);
}

/* ---- the other node's changes ---- */

static void on_due(struct timer *timer, void *arg)
{
	struct parent *p = arg;

	admin_write_intents(p);
	if (!p->peer_changed_pool || p->stop_phase != STOP_NOT)
		return;
	if (reload_begin(p, &(struct reload_order){.goal = RELOAD_POOL}) < 0)
		loop_timer_set(p->loop, timer, mono_add(mono_now(), US_PER_S));
	else
		p->peer_changed_pool = false;
}

void pool_init(struct parent *p)
{
	p->peer_due = (struct timer){.fire = on_due, .arg = p};
}

void pool_owe(struct parent *p)
{
	if (!p->peer_due.slot)
		loop_timer_set(p->loop, &p->peer_due, mono_add(mono_now(), GATHER_US));
}

/* Its text comes from a process that parses what a stranger says. */
static void copy_printable(char *out, size_t room, const char *text, size_t size)
{
	size_t n = 0;

	for (; n < size && n < room - 1 && text[n]; n++)
		out[n] = (unsigned char)text[n] < ' ' || text[n] == 0x7f ? '?' : text[n];
	memset(out + n, 0, room - n);
}

static conf_index_t find_service(const struct conf *conf, const char *wanted)
{
	char name[CONF_NAME_SIZE];

	for (conf_index_t i = 0; i < conf->n_services; i++)
		if (strcmp(conf_service_name(conf, i, name), wanted) == 0)
			return i;
	return CONF_NONE;
}

/* True when the table in use has to change; what asks for nothing here is settled. */
static bool judge(const struct parent *p, struct pool_intent *change, const struct pool_intent *last,
	conf_index_t service, const struct addr *addr, uint16_t port)
{
	bool is_there = find_server(p->conf, service, addr, port);

	/* "As my file says" takes back what both had changed; our own file may say something else. */
	if (change->is_settled)
		return last && !last->is_settled && last->is_removed != change->is_removed;
	change->is_settled = is_there != change->is_removed;
	return !change->is_settled;
}

void pool_hear_peer(struct parent *p, const struct msg_peer_pool *m)
{
	struct pool_intent change = {.is_removed = m->is_removed != 0,
		.is_settled = m->is_settled != 0,
		.weight = m->is_removed ? -1 : m->weight,
		.since_real_us = m->since_real_us};
	const struct pool_intent *last;
	conf_index_t service;
	struct addr addr;
	uint16_t port;
	bool is_new;

	/* A table under way was built from what is known now: it is told again. */
	if (!p->conf || p->reload.phase != RELOAD_IDLE || p->stop_phase != STOP_NOT)
		return;
	copy_printable(change.service, sizeof(change.service), m->service, sizeof(m->service));
	copy_printable(change.server, sizeof(change.server), m->server, sizeof(m->server));
	copy_printable(change.why, sizeof(change.why), m->why, sizeof(m->why));
	service = find_service(p->conf, change.service);
	last = intents_find_pool(&p->intents, change.service, change.server);
	if (!last && p->intents.n_pool >= PEER_LIMIT)
		return;
	if (service == CONF_NONE || addr_parse_port(change.server, &addr, &port) < 0 || m->weight < -1 ||
		m->weight > 65535 || m->since_real_us <= 0 || (last && last->since_real_us >= m->since_real_us))
		return;
	is_new = judge(p, &change, last, service, &addr, port);
	if (intents_change_pool(&p->intents, &change) < 0)
		return;
	pool_owe(p);
	if (!is_new)
		return;
	log_info("%s %s: %s, on the other node", change.service, change.server, change.why);
	p->peer_changed_pool = true;
}
