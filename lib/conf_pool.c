/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes servers out of a generation and puts others in. The tables are flat, so this is copying records and numbering
 * anew whatever refers to them (the list of all references is conf_layout.c's). Used by the parent; it knows nothing of
 * where the changes come from. */
#include "conf_pool.h"
#include "conf_layout.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The tables whose records come and go. */
enum moved { MOVED_SERVER, MOVED_CHECK, MOVED_NOTIFY, MOVED_COUNT };
static const enum conf_table moved_tables[MOVED_COUNT] = {CONF_TABLE_SERVER, CONF_TABLE_CHECK, CONF_TABLE_NOTIFY};

struct addition {
	conf_index_t service, like; /* like: CONF_NONE when the service has no server */
	const struct conf_pool_change *change;
};

struct pool {
	const struct conf *conf;
	bool *dropped[MOVED_COUNT];  /* by old number */
	uint32_t *to[MOVED_COUNT];   /* new number of what stays; has count + 1 elements */
	uint32_t count[MOVED_COUNT]; /* of the new table */
	struct addition *additions;
	size_t n_additions;
	uint32_t *range_first, *range_count; /* of the servers of each service */
	uint32_t *at;                        /* of additions: their new number */
	const char *from[CONF_TABLE_COUNT];
	uint32_t old_counts[CONF_TABLE_COUNT];
	char *image;
	struct conf_header header;
};

static enum moved moved_of(uint32_t table)
{
	for (enum moved m = 0; m < MOVED_COUNT; m++)
		if (moved_tables[m] == table)
			return m;
	return MOVED_COUNT;
}

static conf_index_t find_service(const struct conf *conf, const char *wanted)
{
	char name[CONF_NAME_SIZE];

	for (conf_index_t i = 0; i < conf->n_services; i++)
		if (strcmp(conf_service_name(conf, i, name), wanted) == 0)
			return i;
	return CONF_NONE;
}

static bool server_is(const struct conf_server *s, const struct conf_pool_change *c)
{
	return s->port == c->port && addr_equal(&s->addr, &c->addr);
}

/* ---- what goes and what comes ---- */

static bool remove_server(struct pool *p, conf_index_t service, const struct conf_pool_change *c)
{
	const struct conf_range *r = &p->conf->services[service].servers;

	for (size_t i = 0; i < p->n_additions; i++) {
		if (p->additions[i].service == service && p->additions[i].change->port == c->port &&
			addr_equal(&p->additions[i].change->addr, &c->addr)) {
			p->additions[i] = p->additions[--p->n_additions];
			return true;
		}
	}
	for (uint32_t i = r->first; i < r->first + r->count; i++) {
		if (!p->dropped[MOVED_SERVER][i] && server_is(&p->conf->servers[i], c)) {
			p->dropped[MOVED_SERVER][i] = true;
			return true;
		}
	}
	return false;
}

static bool add_server(struct pool *p, conf_index_t service, const struct conf_pool_change *c)
{
	const struct conf_range *r = &p->conf->services[service].servers;

	for (size_t i = 0; i < p->n_additions; i++)
		if (p->additions[i].service == service && p->additions[i].change->port == c->port &&
			addr_equal(&p->additions[i].change->addr, &c->addr))
			return false;
	for (uint32_t i = r->first; i < r->first + r->count; i++)
		if (!p->dropped[MOVED_SERVER][i] && server_is(&p->conf->servers[i], c))
			return false;
	p->additions[p->n_additions++] =
		(struct addition){.service = service, .like = r->count ? r->first : CONF_NONE, .change = c};
	return true;
}

static void collect(struct pool *p, const struct conf_pool_change *changes, size_t n, bool *applied)
{
	for (size_t i = 0; i < n; i++) {
		conf_index_t service = find_service(p->conf, changes[i].service);
		bool done = false;

		if (service != CONF_NONE)
			done = changes[i].is_removed ? remove_server(p, service, &changes[i])
						     : add_server(p, service, &changes[i]);
		if (applied)
			applied[i] = done;
	}
	/* What belongs to a server goes with it. */
	for (uint32_t i = 0; i < p->conf->n_checks; i++)
		p->dropped[MOVED_CHECK][i] = p->conf->checks[i].server < p->conf->n_servers &&
					     p->dropped[MOVED_SERVER][p->conf->checks[i].server];
	for (uint32_t i = 0; i < p->conf->n_notifies; i++) {
		const struct conf_notify *notify = &p->conf->notifies[i];

		p->dropped[MOVED_NOTIFY][i] = notify->owner == CONF_OWNER_SERVER &&
					      notify->object < p->conf->n_servers &&
					      p->dropped[MOVED_SERVER][notify->object];
	}
}

/* ---- numbers ---- */

/* Puts the additions of a service behind its servers, which end before old number `end`. */
static void place_additions(struct pool *p, uint32_t end, uint32_t *next)
{
	for (size_t i = 0; i < p->n_additions; i++) {
		conf_index_t service = p->additions[i].service;
		const struct conf_range *r = &p->conf->services[service].servers;

		if (r->first + r->count != end || p->at[i] != CONF_NONE)
			continue;
		if (r->count == 0)
			p->range_first[service] = *next;
		/* All of this service together. */
		for (size_t k = i; k < p->n_additions; k++) {
			if (p->additions[k].service != service)
				continue;
			p->at[k] = (*next)++;
			p->range_count[service]++;
		}
	}
}

static void number_servers(struct pool *p)
{
	const struct conf *conf = p->conf;
	uint32_t next = 0;

	for (size_t i = 0; i < p->n_additions; i++)
		p->at[i] = CONF_NONE;
	for (uint32_t i = 0; i <= conf->n_servers; i++) {
		if (p->n_additions > 0)
			place_additions(p, i, &next);
		p->to[MOVED_SERVER][i] = next;
		if (i < conf->n_servers && !p->dropped[MOVED_SERVER][i])
			next++;
	}
	p->count[MOVED_SERVER] = next;
	for (uint32_t s = 0; s < conf->n_services; s++) {
		const struct conf_range *r = &conf->services[s].servers;

		if (r->count == 0 && p->range_count[s] > 0)
			continue;
		p->range_first[s] = p->to[MOVED_SERVER][r->first];
		for (uint32_t i = r->first; i < r->first + r->count; i++)
			p->range_count[s] += !p->dropped[MOVED_SERVER][i];
	}
}

static void number_rest(struct pool *p, enum moved m)
{
	uint32_t old = p->old_counts[moved_tables[m]], next = 0;

	for (uint32_t i = 0; i <= old; i++) {
		p->to[m][i] = next;
		if (i < old && !p->dropped[m][i])
			next++;
	}
	for (size_t i = 0; i < p->n_additions; i++) {
		conf_index_t like = p->additions[i].like;

		if (like != CONF_NONE)
			next += m == MOVED_CHECK ? p->conf->servers[like].checks.count
						 : p->conf->servers[like].notifies.count;
	}
	p->count[m] = next;
}

/* ---- records ---- */

static void *record(const struct pool *p, enum conf_table table, uint32_t index)
{
	return p->image + p->header.tables[table].offset + (size_t)index * p->header.tables[table].record_size;
}

static void copy_tables(struct pool *p)
{
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++) {
		enum moved m = moved_of(t);
		size_t size = p->header.tables[t].record_size;

		if (m == MOVED_COUNT) {
			memcpy(record(p, t, 0), p->from[t], p->old_counts[t] * size);
			continue;
		}
		for (uint32_t i = 0; i < p->old_counts[t]; i++)
			if (!p->dropped[m][i])
				memcpy(record(p, t, p->to[m][i]), p->from[t] + i * size, size);
	}
}

static void move_range(const struct pool *p, enum moved m, struct conf_range *r)
{
	uint32_t end = p->to[m][r->first + r->count];

	r->first = p->to[m][r->first];
	r->count = end - r->first;
}

static void renumber_field(const struct pool *p, const struct conf_field *f, char *at)
{
	conf_index_t *index = (conf_index_t *)(void *)at;
	enum moved m = moved_of(f->limit);

	if (f->kind == CONF_FIELD_RANGE && m != MOVED_COUNT)
		move_range(p, m, (struct conf_range *)(void *)at);
	else if (f->kind == CONF_FIELD_INDEX && m != MOVED_COUNT && *index != CONF_NONE)
		*index = p->dropped[m][*index] ? CONF_NONE : p->to[m][*index];
}

/* Everything that refers to a record of a table that has changed. Only records that were copied are looked at. */
static void renumber(struct pool *p)
{
	for (unsigned f = 0; f < conf_field_count; f++) {
		unsigned t = conf_fields[f].table;
		enum moved m = moved_of(t);
		uint32_t n = p->old_counts[t];

		if (moved_of(conf_fields[f].limit) == MOVED_COUNT ||
			(conf_fields[f].kind != CONF_FIELD_RANGE && conf_fields[f].kind != CONF_FIELD_INDEX))
			continue;
		for (uint32_t i = 0; i < n; i++)
			if (m == MOVED_COUNT || !p->dropped[m][i])
				renumber_field(p, &conf_fields[f],
					(char *)record(p, t, m == MOVED_COUNT ? i : p->to[m][i]) +
						conf_fields[f].offset);
	}
	for (uint32_t i = 0; i < p->conf->n_notifies; i++) {
		struct conf_notify *notify;

		if (p->dropped[MOVED_NOTIFY][i])
			continue;
		notify = record(p, CONF_TABLE_NOTIFY, p->to[MOVED_NOTIFY][i]);
		if (notify->owner == CONF_OWNER_SERVER)
			notify->object = p->to[MOVED_SERVER][notify->object];
	}
	for (uint32_t s = 0; s < p->conf->n_services; s++) {
		struct conf_service *service = record(p, CONF_TABLE_SERVICE, s);

		service->servers = (struct conf_range){p->range_first[s], p->range_count[s]};
	}
}

static void fill_checks(struct pool *p, const struct addition *a, uint32_t server, uint32_t *next)
{
	const struct conf_server *like = &p->conf->servers[a->like];
	struct conf_server *new = record(p, CONF_TABLE_SERVER, server);

	new->checks = (struct conf_range){*next, like->checks.count};
	for (uint32_t i = 0; i < like->checks.count; i++) {
		struct conf_check *check = record(p, CONF_TABLE_CHECK, (*next)++);

		*check = p->conf->checks[like->checks.first + i];
		check->server = server;
		if (addr_equal(&check->target, &like->addr))
			check->target = a->change->addr;
		if (check->port == like->port)
			check->port = a->change->port;
	}
}

static void fill_notifies(struct pool *p, const struct addition *a, uint32_t server, uint32_t *next)
{
	const struct conf_server *like = &p->conf->servers[a->like];
	struct conf_server *new = record(p, CONF_TABLE_SERVER, server);

	new->notifies = (struct conf_range){*next, like->notifies.count};
	for (uint32_t i = 0; i < like->notifies.count; i++) {
		struct conf_notify *notify = record(p, CONF_TABLE_NOTIFY, (*next)++);

		*notify = p->conf->notifies[like->notifies.first + i];
		notify->object = server;
	}
}

static void fill_additions(struct pool *p)
{
	uint32_t next_check = p->to[MOVED_CHECK][p->conf->n_checks];
	uint32_t next_notify = p->to[MOVED_NOTIFY][p->conf->n_notifies];

	for (size_t i = 0; i < p->n_additions; i++) {
		const struct addition *a = &p->additions[i];
		const struct conf_service *service = &p->conf->services[a->service];
		struct conf_server *new = record(p, CONF_TABLE_SERVER, p->at[i]);

		if (a->like != CONF_NONE) {
			*new = p->conf->servers[a->like];
			fill_checks(p, a, p->at[i], &next_check);
			fill_notifies(p, a, p->at[i], &next_notify);
		} else {
			new->weight = 1;
			new->forward = service->forward == CONF_FORWARD_INHERIT ? CONF_FORWARD_NAT : service->forward;
		}
		new->addr = a->change->addr;
		new->port = a->change->port;
		new->service = a->service;
		new->name = 0;
		if (a->change->weight >= 0)
			new->weight = a->change->weight;
	}
}

/* ---- the whole ---- */

static void list_tables(struct pool *p)
{
#define X(id, member, type)                                                                                            \
	p->from[CONF_TABLE_##id] = (const char *)p->conf->member;                                                      \
	p->old_counts[CONF_TABLE_##id] = p->conf->n_##member;
	CONF_TABLE_LIST(X)
#undef X
}

static bool allocate(struct pool *p, size_t n)
{
	bool ok = true;

	for (enum moved m = 0; m < MOVED_COUNT; m++) {
		uint32_t count = p->old_counts[moved_tables[m]];

		p->dropped[m] = calloc((size_t)count + 1, sizeof(bool));
		p->to[m] = calloc((size_t)count + 1, sizeof(uint32_t));
		ok &= p->dropped[m] && p->to[m];
	}
	p->additions = calloc(n + 1, sizeof(*p->additions));
	p->at = calloc(n + 1, sizeof(*p->at));
	p->range_first = calloc((size_t)p->conf->n_services + 1, sizeof(uint32_t));
	p->range_count = calloc((size_t)p->conf->n_services + 1, sizeof(uint32_t));
	return ok && p->additions && p->at && p->range_first && p->range_count;
}

static void release(struct pool *p)
{
	for (enum moved m = 0; m < MOVED_COUNT; m++) {
		free(p->dropped[m]);
		free(p->to[m]);
	}
	free(p->additions);
	free(p->at);
	free(p->range_first);
	free(p->range_count);
	/* It holds secrets. */
	if (p->image)
		explicit_bzero(p->image, p->header.size);
	free(p->image);
}

int conf_pool_apply(
	const struct conf *conf, uint64_t generation, const struct conf_pool_change *changes, size_t n, bool *applied)
{
	struct pool p = {.conf = conf};
	uint32_t counts[CONF_TABLE_COUNT];
	int fd = -ENOMEM;

	list_tables(&p);
	if (!allocate(&p, n))
		goto out;
	collect(&p, changes, n, applied);
	number_servers(&p);
	number_rest(&p, MOVED_CHECK);
	number_rest(&p, MOVED_NOTIFY);
	memcpy(counts, p.old_counts, sizeof(counts));
	for (enum moved m = 0; m < MOVED_COUNT; m++)
		counts[moved_tables[m]] = p.count[m];
	conf_header_fill(&p.header, generation, counts);
	p.image = calloc(1, p.header.size);
	if (!p.image)
		goto out;
	copy_tables(&p);
	renumber(&p);
	fill_additions(&p);
	fd = conf_write_sealed(p.image, &p.header);
out:
	release(&p);
	return fd;
}
