/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests of configured objects. Used by the pair role and its unit tests. Every record is hashed with text instead of
 * offsets and without the numbers of other records, which are the table's and not the object's. */
#include "pair_conf.h"
#include "conf_layout.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 1099511628211ull;
	return h;
}

#define SEED 14695981039346656037ull

static void clear_field(uint8_t *record, const struct conf_field *f)
{
	size_t size = 0;

	switch ((enum conf_field_kind)f->kind) {
	case CONF_FIELD_STRING:
	case CONF_FIELD_INDEX:
	case CONF_FIELD_OBJECT:
		size = sizeof(uint32_t);
		break;
	case CONF_FIELD_RANGE:
		size = sizeof(struct conf_range);
		break;
	case CONF_FIELD_COMMAND:
		size = sizeof(struct conf_command);
		break;
	case CONF_FIELD_ENUM8:
	case CONF_FIELD_ENUM16:
	case CONF_FIELD_ENUM32:
	case CONF_FIELD_ADDR:
		break;
	}
	memset(record + f->offset, 0, size);
}

/* record is a copy that may be changed, already without what is not to count. */
static uint64_t mix_record(uint64_t h, const struct conf *conf, enum conf_table table, void *record)
{
	uint8_t *bytes = record;

	for (unsigned i = 0; i < conf_field_count; i++) {
		const struct conf_field *f = &conf_fields[i];
		conf_string_t s;

		if (f->table != table)
			continue;
		if (f->kind == CONF_FIELD_STRING) {
			const char *text;

			memcpy(&s, bytes + f->offset, sizeof(s));
			text = conf_string(conf, s);
			h = mix(h, text, strlen(text) + 1);
		}
		clear_field(bytes, f);
	}
	return mix(h, record, conf_record_size(table));
}

/* ---- objects ---- */

static uint64_t digest_instance(const struct conf *conf, uint32_t i)
{
	struct conf_instance r = conf->instances[i];
	uint64_t h;

	r.priority = r.initial = 0;
	r.interface = 0;
	r.unicast = 0;
	r.line = 0;
	memset(&r.source, 0, sizeof(r.source));
	h = mix_record(SEED, conf, CONF_TABLE_INSTANCE, &r);
	for (uint32_t k = 0; k < conf->instances[i].addresses.count; k++) {
		const struct conf_address *a = &conf->addresses[conf->instances[i].addresses.first + k];

		h = mix(h, &a->addr, sizeof(a->addr));
		h = mix(h, &a->prefix, sizeof(a->prefix));
	}
	return h;
}

static uint64_t digest_group(const struct conf *conf, uint32_t i)
{
	const struct conf_range *members = &conf->groups[i].members;
	uint64_t h = SEED;

	for (uint32_t k = 0; k < members->count; k++) {
		const char *name = conf_string(conf, conf->instances[conf->group_members[members->first + k]].name);

		h = mix(h, name, strlen(name) + 1);
	}
	return h;
}

static uint64_t mix_check(uint64_t h, const struct conf *conf, uint32_t i)
{
	struct conf_check r = conf->checks[i];

	/* Where a node asks from is its own affair. */
	memset(&r.bind, 0, sizeof(r.bind));
	r.bind_interface = 0;
	r.bind_port = 0;
	h = mix_record(h, conf, CONF_TABLE_CHECK, &r);
	for (uint32_t k = 0; k < conf->checks[i].urls.count; k++) {
		struct conf_url url = conf->urls[conf->checks[i].urls.first + k];

		h = mix_record(h, conf, CONF_TABLE_URL, &url);
	}
	for (uint32_t k = 0; k < conf->checks[i].steps.count; k++) {
		struct conf_step step = conf->steps[conf->checks[i].steps.first + k];

		h = mix_record(h, conf, CONF_TABLE_STEP, &step);
	}
	return h;
}

static uint64_t digest_server(const struct conf *conf, uint32_t i)
{
	struct conf_server r = conf->servers[i];
	uint64_t h;

	r.line = 0;
	h = mix_record(SEED, conf, CONF_TABLE_SERVER, &r);
	for (uint32_t k = 0; k < conf->servers[i].checks.count; k++)
		h = mix_check(h, conf, conf->servers[i].checks.first + k);
	return h;
}

static uint64_t digest_service(const struct conf *conf, uint32_t i)
{
	struct conf_service r = conf->services[i];
	uint64_t h;

	r.line = 0;
	h = mix_record(SEED, conf, CONF_TABLE_SERVICE, &r);
	if (r.kind != CONF_SERVICE_GROUP || conf->services[i].group >= conf->n_service_groups)
		return h;
	for (uint32_t k = 0; k < conf->service_groups[conf->services[i].group].entries.count; k++) {
		struct conf_group_entry e =
			conf->group_entries[conf->service_groups[conf->services[i].group].entries.first + k];

		h = mix_record(h, conf, CONF_TABLE_GROUP_ENTRY, &e);
	}
	return h;
}

/* ---- the list ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct pair_object *)a)->name, ((const struct pair_object *)b)->name);
}

static void __attribute__((format(printf, 3, 4))) add(struct pair_conf *pc, uint64_t digest, const char *fmt, ...)
{
	struct pair_object *o = &pc->objects[pc->n++];
	va_list args;

	o->digest = digest;
	va_start(args, fmt);
	vsnprintf(o->name, sizeof(o->name), fmt, args);
	va_end(args);
}

/* Both kernels have to speak of the same group, and hold back as long. */
static uint64_t digest_sync(const struct conf_global *global)
{
	const uint32_t numbers[] = {global->sync_id, global->sync_port, global->sync_maxlen, global->connection_sync,
		global->preempt_coverage};

	return mix(mix(SEED, numbers, sizeof(numbers)), &global->sync_group, sizeof(global->sync_group));
}

static void add_servers(struct pair_conf *pc, const struct conf *conf)
{
	char service[CONF_NAME_SIZE], server[CONF_NAME_SIZE];

	for (uint32_t i = 0; i < conf->n_services; i++)
		add(pc, digest_service(conf, i), "virtual_server %.170s", conf_service_name(conf, i, service));
	for (uint32_t i = 0; i < conf->n_servers; i++) {
		conf_service_name(conf, conf->servers[i].service, service);
		conf_server_name(conf, i, server);
		add(pc, digest_server(conf, i), "%s %.80s of %.80s",
			conf->servers[i].is_sorry ? "sorry_server" : "real_server", server, service);
	}
}

int pair_conf_build(struct pair_conf *out, const struct conf *conf)
{
	size_t n = (size_t)conf->n_instances + conf->n_groups + conf->n_services + conf->n_servers;

	memset(out, 0, sizeof(*out));
	out->objects = calloc(n + 2, sizeof(*out->objects));
	if (!out->objects)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->n_instances; i++)
		add(out, digest_instance(conf, i), "vrrp_instance %.160s", conf_string(conf, conf->instances[i].name));
	for (uint32_t i = 0; i < conf->n_groups; i++)
		add(out, digest_group(conf, i), "vrrp_sync_group %.160s", conf_string(conf, conf->groups[i].name));
	add_servers(out, conf);
	add(out, digest_sync(conf->global), "connection synchronisation (global_defs)");
	qsort(out->objects, out->n, sizeof(*out->objects), compare_names);
	out->whole = SEED;
	for (uint32_t i = 0; i < out->n; i++) {
		out->whole = mix(out->whole, out->objects[i].name, strlen(out->objects[i].name) + 1);
		out->whole = mix(out->whole, &out->objects[i].digest, sizeof(out->objects[i].digest));
	}
	return 0;
}

void pair_conf_free(struct pair_conf *pc)
{
	free(pc->objects);
	memset(pc, 0, sizeof(*pc));
}

uint32_t pair_conf_compare(const struct pair_object *ours, uint32_t n_ours, const struct pair_object *theirs,
	uint32_t n_theirs, pair_difference_fn *fn, void *arg)
{
	uint32_t i = 0, k = 0, found = 0;

	while (i < n_ours || k < n_theirs) {
		int order = i == n_ours ? 1 : k == n_theirs ? -1 : strcmp(ours[i].name, theirs[k].name);

		if (order == 0 && ours[i].digest == theirs[k].digest) {
			i++;
			k++;
			continue;
		}
		found++;
		fn(arg,
			order < 0   ? PAIR_ONLY_HERE
			: order > 0 ? PAIR_ONLY_THERE
				    : PAIR_DIFFERENT,
			order > 0 ? theirs[k].name : ours[i].name);
		i += order <= 0;
		k += order >= 0;
	}
	return found;
}
