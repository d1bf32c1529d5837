/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds cells: which one has this name, which one comes next. Used by the snmp role and its tests; the rows of a table
 * are listed and sorted once a snapshot, the values are computed when they are asked for. Never blocks, never calls
 * the SNMP library. */
#include "mib.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int ids_compare(const uint32_t *a, uint32_t n_a, const uint32_t *b, uint32_t n_b)
{
	for (uint32_t i = 0; i < n_a && i < n_b; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return n_a == n_b ? 0 : n_a < n_b ? -1 : 1;
}

int mib_oid_compare(const struct mib_oid *a, const struct mib_oid *b)
{
	return ids_compare(a->id, a->n, b->id, b->n);
}

void mib_oid_add(struct mib_oid *oid, uint32_t id)
{
	if (oid->n < MIB_OID_MAX)
		oid->id[oid->n++] = id;
}

static int row_compare(const void *a, const void *b)
{
	const struct mib_row *x = a, *y = b;

	return ids_compare(x->index, x->n, y->index, y->n);
}

/* Rows mostly come in order already; sorting ten thousand sorted rows is what this saves. */
static void rows_sort(struct mib_rows *rows)
{
	for (uint32_t i = 1; i < rows->n; i++) {
		if (row_compare(&rows->row[i - 1], &rows->row[i]) > 0) {
			qsort(rows->row, rows->n, sizeof(*rows->row), row_compare);
			return;
		}
	}
}

int mib_snapshot_init(struct mib_snapshot *s, const struct mib *mib)
{
	*s = (struct mib_snapshot){.mib = mib, .rows = calloc(mib->n_tables, sizeof(*s->rows))};
	return s->rows ? 0 : -ENOMEM;
}

void mib_snapshot_free(struct mib_snapshot *s)
{
	for (uint32_t t = 0; s->rows && t < s->mib->n_tables; t++)
		free(s->rows[t].row);
	free(s->rows);
	*s = (struct mib_snapshot){0};
}

void mib_snapshot_refresh(struct mib_snapshot *s, const struct mib_view *view, int64_t max_age_us)
{
	if (mono_is_set(s->taken) && s->generation == view->conf->generation &&
		mono_diff_us(view->now, s->taken) <= max_age_us)
		return;
	for (uint32_t t = 0; t < s->mib->n_tables; t++) {
		s->rows[t].n = 0;
		s->mib->tables[t].rows(view, &s->rows[t]);
		rows_sort(&s->rows[t]);
	}
	s->generation = view->conf->generation;
	s->taken = view->now;
}

/* The first row whose index is greater than the given one (or equal, with `inclusive`); rows->n when there is none. */
static uint32_t rows_find(const struct mib_rows *rows, const uint32_t *index, uint32_t n, bool inclusive)
{
	uint32_t low = 0, high = rows->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = ids_compare(rows->row[middle].index, rows->row[middle].n, index, n);

		if (order > 0 || (order == 0 && inclusive))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static bool oid_is_below(const struct mib_oid *name, const struct mib_oid *root)
{
	return name->n >= root->n && memcmp(name->id, root->id, root->n * sizeof(root->id[0])) == 0;
}

static bool table_get(const struct mib_table *t, const struct mib_rows *rows, const struct mib_view *view,
	const struct mib_oid *name, struct mib_value *v)
{
	uint32_t at = t->entry.n + 1, found;

	if (name->n < at || !oid_is_below(name, &t->entry))
		return false;
	for (const uint16_t *c = t->columns; *c; c++) {
		if (*c != name->id[t->entry.n])
			continue;
		found = rows_find(rows, name->id + at, name->n - at, true);
		if (found == rows->n ||
			ids_compare(rows->row[found].index, rows->row[found].n, name->id + at, name->n - at))
			return false;
		return t->value(view, &rows->row[found], *c, v);
	}
	return false;
}

bool mib_get(const struct mib_snapshot *s, const struct mib_view *view, const struct mib_oid *name, struct mib_value *v)
{
	for (uint32_t t = 0; t < s->mib->n_tables; t++) {
		if (table_get(&s->mib->tables[t], &s->rows[t], view, name, v))
			return true;
	}
	return false;
}

static void cell_name(struct mib_oid *name, const struct mib_table *t, uint32_t column, const struct mib_row *row)
{
	*name = t->entry;
	mib_oid_add(name, column);
	for (uint32_t i = 0; i < row->n; i++)
		mib_oid_add(name, row->index[i]);
}

/* The first cell of this table after `name`; *found becomes its name. */
static bool table_next(const struct mib_table *t, const struct mib_rows *rows, const struct mib_view *view,
	const struct mib_oid *name, bool inclusive, struct mib_oid *found, struct mib_value *v)
{
	bool is_inside = oid_is_below(name, &t->entry) && name->n > t->entry.n;
	uint32_t from = is_inside ? name->id[t->entry.n] : 0, at = t->entry.n + 1;

	if (!is_inside && mib_oid_compare(name, &t->entry) > 0)
		return false; /* the table lies before the name */
	for (const uint16_t *c = t->columns; *c; c++) {
		uint32_t r = 0;

		if (*c < from)
			continue;
		if (is_inside && *c == from)
			r = rows_find(rows, name->id + at, name->n - at, inclusive);
		for (; r < rows->n; r++) {
			if (!t->value(view, &rows->row[r], *c, v))
				continue;
			cell_name(found, t, *c, &rows->row[r]);
			return true;
		}
	}
	return false;
}

bool mib_next(const struct mib_snapshot *s, const struct mib_view *view, struct mib_oid *name, bool inclusive,
	struct mib_value *v)
{
	struct mib_oid found;

	for (uint32_t t = 0; t < s->mib->n_tables; t++) {
		if (!table_next(&s->mib->tables[t], &s->rows[t], view, name, inclusive, &found, v))
			continue;
		*name = found;
		return true;
	}
	return false;
}

struct mib_row *mib_rows_add(struct mib_rows *rows, uint32_t object, uint32_t member, uint32_t n, const uint32_t *index)
{
	struct mib_row *row;

	if (rows->n == rows->room) {
		uint32_t room = rows->room ? rows->room * 2 : 16;

		row = reallocarray(rows->row, room, sizeof(*row));
		if (!row)
			return NULL;
		rows->row = row;
		rows->room = room;
	}
	if (n > MIB_INDEX_MAX)
		return NULL;
	row = &rows->row[rows->n++];
	*row = (struct mib_row){.n = n, .object = object, .member = member};
	memcpy(row->index, index, n * sizeof(*index));
	return row;
}

void mib_rows_scalar(const struct mib_view *view, struct mib_rows *rows)
{
	(void)view;
	mib_rows_add(rows, 0, 0, 1, (uint32_t[]){0});
}

void mib_rows_numbered(struct mib_rows *rows, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		mib_rows_add(rows, i, 0, 1, (uint32_t[]){i + 1});
}

bool mib_walk_servers(const struct conf *conf, bool with_sorry, struct mib_walk *walk)
{
	for (; walk->service < conf->n_services; walk->service++, walk->member = 0) {
		const struct conf_service *cs = &conf->services[walk->service];
		uint32_t sorry = with_sorry && cs->sorry != CONF_NONE;

		if (walk->member >= cs->servers.count + sorry)
			continue;
		walk->server = walk->member < sorry ? cs->sorry : cs->servers.first + walk->member - sorry;
		walk->index[0] = walk->service + 1;
		walk->index[1] = ++walk->member;
		return true;
	}
	return false;
}
