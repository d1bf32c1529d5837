/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers added and removed at run time: from the client's command to the table that is voted on, and to the intent
 * file once it is in use. Runs in the parent. */
#include "conf_pool.h"
#include "parent.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	return order->goal == RELOAD_POOL ? intents_change_pool(copy, &order->change) : 0;
}

int pool_build(const struct parent *p, const struct conf *base, uint64_t generation, const struct reload_order *order,
	bool **stale)
{
	struct intents copy;
	struct conf_pool_change *changes;
	int rc = copy_pool(p, order, &copy);
	size_t n = 0;

	free(*stale);
	*stale = NULL;
	if (rc < 0)
		return rc;
	changes = calloc(copy.n_pool + 1, sizeof(*changes));
	*stale = calloc(copy.n_pool + 1, sizeof(**stale));
	if (changes && *stale) {
		for (size_t i = 0; i < copy.n_pool; i++)
			if (to_change(&copy.pool[i], &changes[n]))
				n++;
		rc = conf_pool_apply(base, generation, changes, n, *stale);
		/* Every address was parsed before it became an intent; what a damaged file holds stays untouched. */
		for (size_t i = 0; i < copy.n_pool; i++)
			(*stale)[i] = n == copy.n_pool && !(*stale)[i];
	} else {
		rc = -ENOMEM;
	}
	free(changes);
	free(copy.pool);
	return rc;
}

void pool_committed(struct parent *p, const struct reload_order *order, const bool *stale)
{
	size_t before = p->intents.n_pool;

	if (order->goal == RELOAD_POOL) {
		if (intents_change_pool(&p->intents, &order->change) < 0)
			log_error("%s %s: no memory to remember that it was %s", order->change.service,
				order->change.server, order->change.is_removed ? "removed" : "added");
		admin_write_intents(p);
	}
	for (size_t i = before; order->goal == RELOAD_FILE && stale && i > 0; i--) {
		const struct pool_intent *c = &p->intents.pool[i - 1];

		if (!stale[i - 1])
			continue;
		log_info("%s %s: %s at run time: the file says so by now, or has no such service", c->service,
			c->server, c->is_removed ? "removed" : "added");
		intents_forget_pool(&p->intents, i - 1);
	}
	if (order->goal == RELOAD_FILE && p->intents.n_pool != before)
		admin_write_intents(p);
	p->daemon.pool_changes = (uint32_t)p->intents.n_pool;
}

void pool_fill_board(const struct parent *p, struct board *board)
{
	for (size_t i = 0; i < p->intents.n_pool; i++) {
		const struct pool_intent *c = &p->intents.pool[i];
		struct status_pool record = {
			.is_removed = c->is_removed, .weight = c->weight, .since_real_us = c->since_real_us};

		snprintf(record.service, sizeof(record.service), "%s", c->service);
		snprintf(record.server, sizeof(record.server), "%.63s", c->server);
		snprintf(record.why, sizeof(record.why), "%s", c->why);
		board_store(board, PARENT_TABLE_POOL, (uint32_t)i, &record, sizeof(record));
	}
}

static bool has_server(const struct conf *conf, conf_index_t service, const struct addr *addr, uint16_t port)
{
	const struct conf_range *r = &conf->services[service].servers;

	for (uint32_t i = r->first; i < r->first + r->count; i++)
		if (conf->servers[i].port == port && addr_equal(&conf->servers[i].addr, addr))
			return true;
	return false;
}

void pool_command(struct parent *p, const struct msg_command *m, const char *who)
{
	struct reload_order order = {.goal = RELOAD_POOL, .request = m->request};
	struct pool_intent *change = &order.change;
	bool is_removed = m->verb == MSG_VERB_SERVER_REMOVE, is_there;
	char name[sizeof(m->server_name)], text[ADDR_TEXT];
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
	is_there = has_server(p->conf, m->service, &addr, port);
	if (is_there != is_removed) {
		admin_answer(p, m->request, MSG_STATUS_REFUSED, "%s: service %s %s", change->server, change->service,
			is_there ? "has this server already" : "has no such server");
		return;
	}
	change->is_removed = is_removed;
	change->weight = is_removed ? -1 : m->value;
	change->since_real_us = real_now_us();
	snprintf(change->why, sizeof(change->why), "%s by %s", is_removed ? "removed" : "added", who);
	snprintf(order.who, sizeof(order.who), "%s", who);
	if (reload_begin(p, &order) < 0)
		admin_answer(p, m->request, MSG_STATUS_BUSY, "a configuration is being loaded");
	else
		log_info("%s %s: %s", change->service, change->server, change->why);
}
