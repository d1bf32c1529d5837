/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guard rails and folded groups as data, from the configuration; used by the ipvs role. Pure. */
#include "ipvs_guard.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BEGIN 14695981039346656037u
#define GUARD_GROUP_NAME 70 /* longer names of groups are cut */

/* ---- lists ---- */

static int compare_ranges(const void *a, const void *b)
{
	const struct guard_range *x = a, *y = b;
	int order = (x->first.family > y->first.family) - (x->first.family < y->first.family);

	if (order == 0)
		order = addr_compare(&x->first, &y->first);
	return order ? order : addr_compare(&x->last, &y->last);
}

/* Does `next` begin within the range, or right behind it? */
static bool touches(const struct guard_range *range, const struct addr *next)
{
	struct addr behind = range->last;
	size_t i = addr_len(&behind);

	if (next->family != range->last.family)
		return false;
	if (addr_compare(next, &range->last) <= 0)
		return true;
	while (i > 0 && ++behind.bytes[i - 1] == 0)
		i--;
	return i > 0 && addr_equal(&behind, next);
}

void guard_list_normalise(struct guard_list *list)
{
	uint32_t n = 0;

	if (list->n)
		qsort(list->ranges, list->n, sizeof(*list->ranges), compare_ranges);
	for (uint32_t i = 0; i < list->n; i++) {
		if (n && touches(&list->ranges[n - 1], &list->ranges[i].first)) {
			if (addr_compare(&list->ranges[i].last, &list->ranges[n - 1].last) > 0)
				list->ranges[n - 1].last = list->ranges[i].last;
			continue;
		}
		list->ranges[n++] = list->ranges[i];
	}
	list->n = n;
}

void guard_list_only(const struct guard_list *list, const struct guard_list *other, guard_range_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < list->n; i++)
		if (!other || other->n == 0 ||
			!bsearch(&list->ranges[i], other->ranges, other->n, sizeof(*other->ranges), compare_ranges))
			fn(arg, &list->ranges[i]);
}

static int take_list(struct guard_list *list, const struct conf *conf, const struct conf_range *range)
{
	list->ranges = calloc(range->count + 1, sizeof(*list->ranges));
	if (!list->ranges)
		return -ENOMEM;
	for (uint32_t i = 0; i < range->count; i++)
		list->ranges[list->n++] = (struct guard_range){
			conf->clients[range->first + i].first, conf->clients[range->first + i].last};
	guard_list_normalise(list);
	return 0;
}

/* ---- keys ---- */

static void add_address(
	struct guard_key *key, const struct addr *first, const struct addr *last, uint8_t protocol, uint16_t port)
{
	*key = (struct guard_key){.dest = {*first, *last}, .protocol = protocol, .port = port};
}

static void add_mark(struct guard *g, uint32_t mark, uint16_t family)
{
	g->keys[g->n_keys++] = (struct guard_key){.mark = mark, .dest.first.family = (uint8_t)family};
}

static int compare_folds(const void *a, const void *b)
{
	const struct guard_key *x = a, *y = b;
	int order = (x->port > y->port) - (x->port < y->port);

	return order ? order : compare_ranges(&x->dest, &y->dest);
}

/* Addresses that a group has twice are one: nftables refuses maps whose ranges overlap. */
static void join_folds(struct guard *g)
{
	uint32_t n = 0;

	if (g->n_folds)
		qsort(g->folds, g->n_folds, sizeof(*g->folds), compare_folds);
	for (uint32_t i = 0; i < g->n_folds; i++) {
		const struct guard_key *key = &g->folds[i];
		struct guard_key *last = n ? &g->folds[n - 1] : NULL;

		if (!last || last->port != key->port || !touches(&last->dest, &key->dest.first))
			g->folds[n++] = *key;
		else if (addr_compare(&key->dest.last, &last->dest.last) > 0)
			last->dest.last = key->dest.last;
	}
	g->n_folds = n;
}

/* What a group stands for: marks are keys; addresses are keys, or are folded into a mark, which then is the key. */
static void take_group(struct guard *g, const struct conf *conf, const struct conf_service *s)
{
	const struct conf_range *entries = &conf->service_groups[s->group].entries;
	bool has_v4 = false, has_v6 = false;

	for (uint32_t i = entries->first; i < entries->first + entries->count; i++) {
		const struct conf_group_entry *e = &conf->group_entries[i];

		if (e->fwmark) {
			add_mark(g, e->fwmark, (uint16_t)s->family);
		} else if (s->fwmark) {
			add_address(&g->folds[g->n_folds++], &e->first, &e->last, (uint8_t)s->protocol, e->port);
			has_v4 |= e->first.family == AF_INET;
			has_v6 |= e->first.family == AF_INET6;
		} else {
			add_address(&g->keys[g->n_keys++], &e->first, &e->last, (uint8_t)s->protocol, e->port);
		}
	}
	if (has_v4)
		add_mark(g, s->fwmark, AF_INET);
	if (has_v6)
		add_mark(g, s->fwmark, AF_INET6);
	g->mark = s->fwmark;
	join_folds(g);
}

static int take_keys(struct guard *g, const struct conf *conf, const struct conf_service *s)
{
	uint32_t most = 2;

	if (s->kind == CONF_SERVICE_GROUP && s->group != CONF_NONE)
		most += conf->service_groups[s->group].entries.count;
	g->keys = calloc(most, sizeof(*g->keys));
	g->folds = calloc(most, sizeof(*g->folds));
	if (!g->keys || !g->folds)
		return -ENOMEM;
	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		add_address(&g->keys[g->n_keys++], &s->addr, &s->addr, (uint8_t)s->protocol, s->port);
		break;
	case CONF_SERVICE_FWMARK:
		add_mark(g, s->fwmark, (uint16_t)s->family);
		break;
	case CONF_SERVICE_GROUP:
		if (s->group != CONF_NONE)
			take_group(g, conf, s);
		break;
	}
	return 0;
}

/* ---- guards ---- */

static uint64_t hash(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 1099511628211u;
	return h;
}

/* A number that nothing else has in practice; every struct is zeroed before use. */
static void take_digests(struct guard *g)
{
	uint64_t h = hash(HASH_BEGIN, g->name, strlen(g->name));

	h = hash(h, &g->has_rails, sizeof(g->has_rails));
	h = hash(h, &g->has_allow, sizeof(g->has_allow));
	h = hash(h, &g->protocol, sizeof(g->protocol));
	h = hash(h, &g->client_rate, sizeof(g->client_rate));
	h = hash(h, &g->client_burst, sizeof(g->client_burst));
	h = hash(h, &g->service_rate, sizeof(g->service_rate));
	h = hash(h, &g->service_burst, sizeof(g->service_burst));
	h = hash(h, &g->client_connections, sizeof(g->client_connections));
	h = hash(h, &g->mark, sizeof(g->mark));
	h = hash(h, g->keys, g->n_keys * sizeof(*g->keys));
	g->shape = hash(h, g->folds, g->n_folds * sizeof(*g->folds));
	h = hash(g->shape, g->deny.ranges, g->deny.n * sizeof(*g->deny.ranges));
	h = hash(h, "|", 1);
	g->digest = hash(h, g->allow.ranges, g->allow.n * sizeof(*g->allow.ranges));
}

/* Two groups may differ only in characters that a name in nftables cannot have, or behind its end. */
static bool is_lossy(const struct conf *conf, const struct conf_service *s)
{
	const char *name;

	if (s->kind != CONF_SERVICE_GROUP || s->group == CONF_NONE)
		return false;
	name = conf_string(conf, conf->service_groups[s->group].name);
	if (strlen(name) > GUARD_GROUP_NAME)
		return true;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return *name;
}

static void take_name(struct guard *g, const struct conf *conf)
{
	char name[CONF_NAME_SIZE];

	conf_service_name(conf, g->service, name);
	if (is_lossy(conf, &conf->services[g->service]))
		snprintf(g->name, sizeof(g->name), "s_%.60s_%016llx", name,
			(unsigned long long)hash(HASH_BEGIN, name, strlen(name)));
	else
		snprintf(g->name, sizeof(g->name), "s_%.90s", name);
	for (char *c = g->name; *c; c++)
		if (!isalnum((unsigned char)*c))
			*c = '_';
}

static bool has_rails(const struct conf_service *s)
{
	return s->allow.count || s->deny.count || s->client_rate || s->service_rate || s->client_connections;
}

static int build_guard(struct guard *g, const struct conf *conf, conf_index_t service)
{
	const struct conf_service *s = &conf->services[service];
	int rc;

	g->service = service;
	g->has_rails = has_rails(s);
	g->has_allow = s->allow.count > 0;
	g->protocol = s->kind == CONF_SERVICE_FWMARK ? 0 : (uint8_t)s->protocol;
	g->client_rate = s->client_rate;
	g->client_burst = s->client_burst;
	g->service_rate = s->service_rate;
	g->service_burst = s->service_burst;
	g->client_connections = s->client_connections;
	rc = take_keys(g, conf, s);
	if (rc == 0)
		rc = take_list(&g->deny, conf, &s->deny);
	if (rc == 0)
		rc = take_list(&g->allow, conf, &s->allow);
	take_name(g, conf);
	take_digests(g);
	return rc;
}

static int compare_guards(const void *a, const void *b)
{
	const struct guard *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int guard_table_build(struct guard_table *table, const struct conf *conf)
{
	int rc = 0;

	*table = (struct guard_table){.fold_priority = conf->global->fold_priority};
	table->guards = calloc(conf->n_services + 1, sizeof(*table->guards));
	if (!table->guards)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->n_services && rc == 0; i++) {
		const struct conf_service *s = &conf->services[i];
		struct guard *g = &table->guards[table->n];
		bool folded = s->kind == CONF_SERVICE_GROUP && s->fwmark;

		if (!has_rails(s) && !folded)
			continue;
		table->n++;
		rc = build_guard(g, conf, i);
		table->has_rails |= g->has_rails;
		table->has_folds |= folded;
	}
	if (rc < 0)
		guard_table_clear(table);
	else
		qsort(table->guards, table->n, sizeof(*table->guards), compare_guards);
	return rc;
}

const struct guard *guard_table_find(const struct guard_table *table, const char *name)
{
	struct guard wanted = {0};

	if (table->n == 0 || strlen(name) >= sizeof(wanted.name))
		return NULL;
	memcpy(wanted.name, name, strlen(name));
	return bsearch(&wanted, table->guards, table->n, sizeof(*table->guards), compare_guards);
}

void guard_table_clear(struct guard_table *table)
{
	for (uint32_t i = 0; i < table->n; i++) {
		free(table->guards[i].keys);
		free(table->guards[i].folds);
		free(table->guards[i].allow.ranges);
		free(table->guards[i].deny.ranges);
	}
	free(table->guards);
	*table = (struct guard_table){0};
}

size_t guard_table_elements(const struct guard_table *table)
{
	size_t n = 0;

	for (uint32_t i = 0; i < table->n; i++)
		n += table->guards[i].n_keys + table->guards[i].n_folds + table->guards[i].allow.n +
		     table->guards[i].deny.n;
	return n;
}

void guard_table_compare(const struct guard_table *old, const struct guard_table *new, guard_change_fn *fn, void *arg)
{
	uint32_t i = 0, j = 0;

	while (i < old->n || j < new->n) {
		int order = i == old->n ? 1 : j == new->n ? -1 : strcmp(old->guards[i].name, new->guards[j].name);

		if (order < 0) {
			fn(arg, &old->guards[i++], NULL);
		} else if (order > 0) {
			fn(arg, NULL, &new->guards[j++]);
		} else {
			if (old->guards[i].digest != new->guards[j].digest)
				fn(arg, &old->guards[i], &new->guards[j]);
			i++;
			j++;
		}
	}
}
