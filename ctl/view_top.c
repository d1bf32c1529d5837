/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `poisectl top` shows, as rows. It never talks to the daemon or the terminal. */
#include "view_top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *top_number(double value, char buf[TOP_NUMBER])
{
	static const char units[] = "kMGTP";
	int unit = -1;

	if (value < 0)
		value = 0;
	while (value >= 999.5 && unit < 4) {
		value /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(buf, TOP_NUMBER, value > 0 && value < 9.95 ? "%.1f" : "%.0f", value);
	else
		snprintf(buf, TOP_NUMBER, value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
	return buf;
}

/* The same object in the document before: usually at the same place. */
static struct json_object *find(struct json_object *parent, const char *array, size_t hint, const char *name,
	const char *(*name_of)(struct json_object *object, char *buf, size_t size))
{
	size_t count = json_count(parent, array);
	char buf[128];

	for (size_t i = 0; i < count; i++) {
		struct json_object *object = json_element(parent, array, (hint + i) % count);

		if (strcmp(name_of(object, buf, sizeof(buf)), name) == 0)
			return object;
	}
	return NULL;
}

static const char *service_name(struct json_object *service, char *buf, size_t size)
{
	snprintf(buf, size, "%s", json_text(service, "name"));
	return buf;
}

/* A counter that went down was begun anew. */
static double rate(struct json_object *now, struct json_object *before, const char *key, int64_t dt_us)
{
	int64_t difference = json_number(now, key) - json_number(before, key);

	return before && dt_us > 0 && difference > 0 ? (double)difference * 1e6 / (double)dt_us : 0;
}

static void fill(struct top_row *row, struct json_object *now, struct json_object *before, int64_t dt_us)
{
	row->connections_s = rate(now, before, "connections", dt_us);
	row->bytes_in_s = rate(now, before, "bytes_in", dt_us);
	row->bytes_out_s = rate(now, before, "bytes_out", dt_us);
}

static double value_of(const struct top_row *row, enum top_order order)
{
	switch (order) {
	case TOP_BY_RATE:
		return row->connections_s;
	case TOP_BY_ACTIVE:
		return (double)row->active;
	case TOP_BY_BYTES:
		return row->bytes_in_s + row->bytes_out_s;
	case TOP_BY_NAME:
	case TOP_ORDERS:
		break;
	}
	return 0;
}

/* A service with its servers is moved as one. */
struct block {
	const struct top_row *rows;
	size_t count, place;
	double value;
};

static int compare_blocks(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? 1 : -1;
	return x->place < y->place ? -1 : 1;
}

/* Sorts blocks of rows, the largest first; equal ones keep their order. */
static void sort(struct top_row *rows, struct block *blocks, size_t n, size_t n_rows)
{
	struct top_row *copy = malloc(n_rows * sizeof(*copy) + 1);
	size_t at = 0;

	if (!copy)
		return; /* in the order of the document then */
	qsort(blocks, n, sizeof(*blocks), compare_blocks);
	for (size_t i = 0; i < n; i++) {
		memcpy(copy + at, blocks[i].rows, blocks[i].count * sizeof(*copy));
		at += blocks[i].count;
	}
	memcpy(rows, copy, n_rows * sizeof(*copy));
	free(copy);
}

/* The rows of one service; returns their number. */
static size_t add_service(
	struct top_row *row, struct json_object *now, struct json_object *before, int64_t dt_us, enum top_order order)
{
	size_t n = json_count(now, "servers");
	struct block *blocks = calloc(n + 1, sizeof(*blocks));

	row->is_service = true;
	service_name(now, row->name, sizeof(row->name));
	row->state = !json_flag(now, "programmed") ? "not set" : json_flag(now, "quorum") ? "quorum" : "no quorum";
	row->style = json_flag(now, "quorum") && json_flag(now, "programmed") ? STYLE_GOOD : STYLE_BAD;
	fill(row, now, before, dt_us);
	for (size_t i = 0; i < n; i++) {
		struct json_object *server = json_element(now, "servers", i), *old;
		struct server_look look = view_server_look(server);
		struct top_row *r = &row[1 + i];

		view_server_name(server, r->name, sizeof(r->name));
		old = find(before, "servers", i, r->name, view_server_name);
		r->state = look.word;
		r->style = look.style;
		fill(r, server, old, dt_us);
		r->active = json_number(server, "active");
		r->inactive = json_number(server, "inactive");
		r->weight = json_number(server, "effective_weight");
		row->active += r->active;
		row->inactive += r->inactive;
		if (blocks)
			blocks[i] = (struct block){r, 1, i, value_of(r, order)};
	}
	if (blocks)
		sort(row + 1, blocks, n, n);
	free(blocks);
	return 1 + n;
}

struct top_rows top_rows_make(struct json_object *now, struct json_object *before, int64_t dt_us, enum top_order order)
{
	size_t services = json_count(now, "services"), room = services;
	struct top_rows rows = {0};
	struct block *blocks = calloc(services + 1, sizeof(*blocks));

	for (size_t i = 0; i < services; i++)
		room += json_count(json_element(now, "services", i), "servers");
	rows.list = calloc(room + 1, sizeof(*rows.list));
	for (size_t i = 0; rows.list && blocks && i < services; i++) {
		struct json_object *service = json_element(now, "services", i), *old;
		struct top_row *row = &rows.list[rows.count];
		char name[80];
		size_t n;

		old = find(before, "services", i, service_name(service, name, sizeof(name)), service_name);
		n = add_service(row, service, old, dt_us, order);
		blocks[i] = (struct block){row, n, i, value_of(row, order)};
		rows.count += n;
	}
	if (rows.list && blocks)
		sort(rows.list, blocks, services, rows.count);
	free(blocks);
	return rows;
}

void top_rows_free(struct top_rows *rows)
{
	free(rows->list);
	*rows = (struct top_rows){0};
}
