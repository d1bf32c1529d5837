/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the same object in another generation: by name, or by what the kernel knows it by. Used by every role when a
 * generation is switched. It never looks at state. */
#include "conf.h"
#include <errno.h>
#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>

conf_index_t conf_find_instance(const struct conf *to, const struct conf *from, conf_index_t index)
{
	const char *name;

	if (index >= from->n_instances)
		return CONF_NONE;
	name = conf_string(from, from->instances[index].name);
	for (uint32_t i = 0; i < to->n_instances; i++)
		if (strcmp(conf_string(to, to->instances[i].name), name) == 0)
			return i;
	return CONF_NONE;
}

conf_index_t conf_find_group(const struct conf *to, const struct conf *from, conf_index_t index)
{
	const char *name;

	if (index >= from->n_groups)
		return CONF_NONE;
	name = conf_string(from, from->groups[index].name);
	for (uint32_t i = 0; i < to->n_groups; i++)
		if (strcmp(conf_string(to, to->groups[i].name), name) == 0)
			return i;
	return CONF_NONE;
}

static const char *group_name(const struct conf *conf, const struct conf_service *s)
{
	return s->group < conf->n_service_groups ? conf_string(conf, conf->service_groups[s->group].name) : "?";
}

/* The kernel tells services apart by these, and so does a person: conf_service_name(). */
static bool same_service(const struct conf *a, conf_index_t i, const struct conf *b, conf_index_t k)
{
	const struct conf_service *x = &a->services[i], *y = &b->services[k];

	if (x->kind != y->kind)
		return false;
	switch ((enum conf_service_kind)x->kind) {
	case CONF_SERVICE_ADDRESS:
		return x->port == y->port && x->protocol == y->protocol && addr_equal(&x->addr, &y->addr);
	case CONF_SERVICE_FWMARK:
		return x->fwmark == y->fwmark && x->family == y->family;
	case CONF_SERVICE_GROUP:
		return x->protocol == y->protocol && strcmp(group_name(a, x), group_name(b, y)) == 0;
	}
	return false;
}

conf_index_t conf_find_service(const struct conf *to, const struct conf *from, conf_index_t index)
{
	if (index >= from->n_services)
		return CONF_NONE;
	for (uint32_t i = 0; i < to->n_services; i++)
		if (same_service(to, i, from, index))
			return i;
	return CONF_NONE;
}

static bool same_server(const struct conf_server *a, const struct conf_server *b)
{
	return a->port == b->port && a->is_sorry == b->is_sorry && addr_equal(&a->addr, &b->addr);
}

conf_index_t conf_find_server(const struct conf *to, const struct conf *from, conf_index_t index)
{
	conf_index_t service;

	if (index >= from->n_servers)
		return CONF_NONE;
	service = conf_find_service(to, from, from->servers[index].service);
	if (service == CONF_NONE)
		return CONF_NONE;
	for (uint32_t i = 0; i < to->n_servers; i++)
		if (to->servers[i].service == service && same_server(&to->servers[i], &from->servers[index]))
			return i;
	return CONF_NONE;
}

static uint32_t hash_bytes(uint32_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 16777619u;
	return h;
}

/* Record numbers by hash; collisions go to the next slot. */
struct index_table {
	conf_index_t *slots;
	uint32_t mask;
};

static int index_table_new(struct index_table *t, uint32_t records)
{
	uint64_t size = 16;

	while (size < (uint64_t)records * 2)
		size *= 2;
	t->slots = malloc(size * sizeof(*t->slots));
	if (!t->slots)
		return -ENOMEM;
	memset(t->slots, 0xff, size * sizeof(*t->slots));
	t->mask = (uint32_t)(size - 1);
	return 0;
}

static void index_table_put(struct index_table *t, uint32_t hash, conf_index_t index)
{
	uint32_t i = hash & t->mask;

	while (t->slots[i] != CONF_NONE)
		i = (i + 1) & t->mask;
	t->slots[i] = index;
}

static uint32_t hash_service(const struct conf *conf, conf_index_t index)
{
	const struct conf_service *s = &conf->services[index];
	const char *name = s->kind == CONF_SERVICE_GROUP ? group_name(conf, s) : "";
	uint32_t h = hash_bytes(2166136261u, &s->kind, sizeof(s->kind));

	if (s->kind == CONF_SERVICE_ADDRESS) {
		h = hash_bytes(h, &s->addr, sizeof(s->addr));
		h = hash_bytes(h, &s->port, sizeof(s->port));
	} else if (s->kind == CONF_SERVICE_FWMARK) {
		h = hash_bytes(h, &s->fwmark, sizeof(s->fwmark));
	}
	return hash_bytes(h, name, strlen(name));
}

static conf_index_t lookup_service(
	const struct index_table *table, const struct conf *from, const struct conf *to, conf_index_t index)
{
	uint32_t at = hash_service(to, index) & table->mask;

	while (table->slots[at] != CONF_NONE && !same_service(to, index, from, table->slots[at]))
		at = (at + 1) & table->mask;
	return table->slots[at];
}

static int index_services(struct index_table *table, const struct conf *from)
{
	if (index_table_new(table, from->n_services) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->n_services; i++)
		index_table_put(table, hash_service(from, i), i);
	return 0;
}

int conf_match_services(const struct conf *to, const struct conf *from, conf_index_t *out)
{
	struct index_table table = {NULL, 0};
	conf_index_t next = 0; /* most stand behind the one before, as they did */

	for (uint32_t i = 0; i < to->n_services; i++) {
		if (next < from->n_services && same_service(to, i, from, next)) {
			out[i] = next++;
			continue;
		}
		if (!table.slots && index_services(&table, from) < 0)
			return -ENOMEM;
		out[i] = lookup_service(&table, from, to, i);
		if (out[i] != CONF_NONE)
			next = out[i] + 1;
	}
	free(table.slots);
	return 0;
}

/* service: the number in `from` on both sides, so that the hashes are comparable. */
static uint32_t hash_server(const struct conf_server *s, conf_index_t service)
{
	uint32_t h = hash_bytes(2166136261u, &service, sizeof(service));

	h = hash_bytes(h, &s->addr, sizeof(s->addr));
	h = hash_bytes(h, &s->port, sizeof(s->port));
	return hash_bytes(h, &s->is_sorry, sizeof(s->is_sorry));
}

static conf_index_t lookup_server(
	const struct index_table *table, const struct conf *from, const struct conf_server *s, conf_index_t service)
{
	uint32_t at = hash_server(s, service) & table->mask;
	conf_index_t i;

	while ((i = table->slots[at]) != CONF_NONE) {
		if (from->servers[i].service == service && same_server(&from->servers[i], s))
			return i;
		at = (at + 1) & table->mask;
	}
	return CONF_NONE;
}

static int index_servers(struct index_table *table, const struct conf *from)
{
	if (index_table_new(table, from->n_servers) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->n_servers; i++)
		index_table_put(table, hash_server(&from->servers[i], from->servers[i].service), i);
	return 0;
}

/* services: of each of `to`, its number in `from`. */
static int match_servers(
	const struct conf *to, const struct conf *from, const conf_index_t *services, conf_index_t *out)
{
	struct index_table table = {NULL, 0};
	conf_index_t next = 0; /* likewise */

	for (uint32_t i = 0; i < to->n_servers; i++) {
		const struct conf_server *s = &to->servers[i];
		conf_index_t service = s->service < to->n_services ? services[s->service] : CONF_NONE;

		out[i] = CONF_NONE;
		if (service == CONF_NONE)
			continue;
		if (next < from->n_servers && from->servers[next].service == service &&
			same_server(&from->servers[next], s)) {
			out[i] = next++;
			continue;
		}
		if (!table.slots && index_servers(&table, from) < 0)
			return -ENOMEM;
		out[i] = lookup_server(&table, from, s, service);
		if (out[i] != CONF_NONE)
			next = out[i] + 1;
	}
	free(table.slots);
	return 0;
}

int conf_match_servers(const struct conf *to, const struct conf *from, conf_index_t *out)
{
	conf_index_t *services = calloc((size_t)to->n_services + 1, sizeof(*services));
	int r = services ? conf_match_services(to, from, services) : -ENOMEM;

	if (r == 0)
		r = match_servers(to, from, services, out);
	free(services);
	return r;
}

static bool same_members(
	const struct conf *a, const struct conf_service *x, const struct conf *b, const struct conf_service *y)
{
	const struct conf_range *i, *k;

	if (x->kind != CONF_SERVICE_GROUP)
		return true;
	if (x->group == CONF_NONE || y->group == CONF_NONE)
		return x->group == y->group;
	i = &a->service_groups[x->group].entries;
	k = &b->service_groups[y->group].entries;
	return x->fwmark == y->fwmark && x->family == y->family && i->count == k->count &&
	       (i->count == 0 || memcmp(&a->group_entries[i->first], &b->group_entries[k->first],
					 i->count * sizeof(*a->group_entries)) == 0);
}

bool conf_same_services(const struct conf *a, const struct conf *b)
{
	if (a->n_services != b->n_services || a->n_servers != b->n_servers)
		return false;
	for (uint32_t i = 0; i < a->n_services; i++) {
		const struct conf_service *x = &a->services[i], *y = &b->services[i];

		if (!same_service(a, i, b, i) || !same_members(a, x, b, y) || x->sorry != y->sorry ||
			x->servers.first != y->servers.first || x->servers.count != y->servers.count)
			return false;
	}
	for (uint32_t i = 0; i < a->n_servers; i++)
		if (a->servers[i].service != b->servers[i].service || !same_server(&a->servers[i], &b->servers[i]))
			return false;
	return true;
}

bool conf_removal_cuts(const struct conf *conf, conf_index_t service)
{
	const struct conf_service *s = &conf->services[service];
	const char *scheduler = conf_string(conf, s->scheduler);

	/* Schedulers that would go on choosing a server of weight 0 cannot give it time. */
	return s->drain_timeout_us <= 0 || strcmp(scheduler, "dh") == 0 ||
	       (strcmp(scheduler, "sh") == 0 && !(s->scheduler_flags & IP_VS_SVC_F_SCHED_SH_FALLBACK));
}

/* services and servers: room for the matches. */
static bool services_stay(const struct conf *from, const struct conf *to, conf_index_t *services, conf_index_t *servers)
{
	if (conf_match_services(from, to, services) < 0 || match_servers(from, to, services, servers) < 0)
		return false;
	for (uint32_t i = 0; i < from->n_services; i++)
		if (services[i] == CONF_NONE)
			return false;
	for (uint32_t i = 0; i < from->n_servers; i++)
		if (servers[i] == CONF_NONE && conf_removal_cuts(to, services[from->servers[i].service]))
			return false;
	return true;
}

static bool services_lose_nothing(const struct conf *from, const struct conf *to)
{
	conf_index_t *services, *servers;
	bool stay;

	if (conf_same_services(from, to))
		return true;
	services = malloc(((size_t)from->n_services + 1) * sizeof(*services));
	servers = malloc(((size_t)from->n_servers + 1) * sizeof(*servers));
	stay = services && servers && services_stay(from, to, services, servers);
	free(services);
	free(servers);
	return stay;
}

bool conf_cuts_nothing(const struct conf *from, const struct conf *to)
{
	if (from->n_instances != to->n_instances || from->n_addresses != to->n_addresses)
		return false;
	for (uint32_t i = 0; i < from->n_instances; i++)
		if (strcmp(conf_string(from, from->instances[i].name), conf_string(to, to->instances[i].name)) != 0)
			return false;
	for (uint32_t i = 0; i < from->n_addresses; i++) {
		const struct conf_address *a = &from->addresses[i], *b = &to->addresses[i];

		if (a->instance != b->instance || a->prefix != b->prefix || !addr_equal(&a->addr, &b->addr))
			return false;
	}
	return services_lose_nothing(from, to);
}

static bool has_work(const struct conf *conf)
{
	return conf->n_instances > 0 || conf->n_services > 0;
}

bool conf_empties(const struct conf *from, const struct conf *to)
{
	return has_work(from) && !has_work(to);
}
