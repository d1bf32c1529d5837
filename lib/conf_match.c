/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds the same object in another generation: by name, or by what the kernel knows it by. Used by every role when a
 * generation is switched. It never looks at state. */
#include "conf.h"
#include <errno.h>
#include <stdio.h>
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

conf_index_t conf_find_service(const struct conf *to, const struct conf *from, conf_index_t index)
{
	char wanted[CONF_NAME_SIZE], name[CONF_NAME_SIZE];

	if (index >= from->n_services)
		return CONF_NONE;
	conf_service_name(from, index, wanted);
	for (uint32_t i = 0; i < to->n_services; i++)
		if (to->services[i].kind == from->services[index].kind &&
			strcmp(conf_service_name(to, i, name), wanted) == 0)
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

static uint32_t hash_text(const char *text)
{
	return hash_bytes(2166136261u, text, strlen(text));
}

int conf_match_services(const struct conf *to, const struct conf *from, conf_index_t *out)
{
	char wanted[CONF_NAME_SIZE], name[CONF_NAME_SIZE];
	struct index_table table;

	if (index_table_new(&table, from->n_services) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < from->n_services; i++)
		index_table_put(&table, hash_text(conf_service_name(from, i, name)), i);
	for (uint32_t i = 0; i < to->n_services; i++) {
		uint32_t at = hash_text(conf_service_name(to, i, wanted)) & table.mask;

		while (table.slots[at] != CONF_NONE &&
			(from->services[table.slots[at]].kind != to->services[i].kind ||
				strcmp(conf_service_name(from, table.slots[at], name), wanted) != 0))
			at = (at + 1) & table.mask;
		out[i] = table.slots[at];
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

int conf_match_servers(const struct conf *to, const struct conf *from, conf_index_t *out)
{
	conf_index_t *services = calloc((size_t)to->n_services + 1, sizeof(*services));
	struct index_table table = {NULL, 0};
	int r = -ENOMEM;

	if (!services || conf_match_services(to, from, services) < 0 || index_table_new(&table, from->n_servers) < 0)
		goto out;
	for (uint32_t i = 0; i < from->n_servers; i++)
		index_table_put(&table, hash_server(&from->servers[i], from->servers[i].service), i);
	for (uint32_t i = 0; i < to->n_servers; i++) {
		conf_index_t service = to->servers[i].service;

		service = service < to->n_services ? services[service] : CONF_NONE;
		out[i] = service == CONF_NONE ? CONF_NONE : lookup_server(&table, from, &to->servers[i], service);
	}
	r = 0;
out:
	free(table.slots);
	free(services);
	return r;
}
