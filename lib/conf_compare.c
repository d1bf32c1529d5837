/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Do records of two generations say the same? Texts are compared as texts, lists by their length, and where a record
 * lies or on which line it was written does not matter. Used for plans; pure. */
#include "conf_layout.h"
#include <string.h>

/* Where in a record its line number is; 0 = it has none (no record begins with it). */
static size_t line_offset(enum conf_table table)
{
	switch ((int)table) {
	case CONF_TABLE_INSTANCE:
		return offsetof(struct conf_instance, line);
	case CONF_TABLE_SERVICE:
		return offsetof(struct conf_service, line);
	case CONF_TABLE_SERVER:
		return offsetof(struct conf_server, line);
	case CONF_TABLE_CHECK:
		return offsetof(struct conf_check, line);
	case CONF_TABLE_SYSCTL:
		return offsetof(struct conf_sysctl, line);
	}
	return 0;
}

static const char *record_of(const struct conf *conf, enum conf_table table, conf_index_t index)
{
	const struct conf_header *h = conf->map;

	return (const char *)conf->map + h->tables[table].offset + (size_t)index * h->tables[table].record_size;
}

static uint32_t count_of(const struct conf *conf, enum conf_table table)
{
	const struct conf_header *h = conf->map;

	return h->tables[table].count;
}

static bool same_command(
	const struct conf *a, const struct conf_command *x, const struct conf *b, const struct conf_command *y)
{
	const char *left = conf_string(a, x->argv), *right = conf_string(b, y->argv);

	if (x->argc != y->argc || strcmp(conf_string(a, x->user), conf_string(b, y->user)) != 0 ||
		strcmp(conf_string(a, x->group), conf_string(b, y->group)) != 0)
		return false;
	for (uint32_t i = 0; i < x->argc; i++) {
		if (strcmp(left, right) != 0)
			return false;
		left += strlen(left) + 1;
		right += strlen(right) + 1;
	}
	return true;
}

/* Compares a member by its meaning and makes it equal in both copies. */
static bool same_field(const struct conf_field *f, const struct conf *a, char *x, const struct conf *b, char *y)
{
	uint32_t *left = (uint32_t *)(void *)x, *right = (uint32_t *)(void *)y;
	bool same = true;

	switch ((enum conf_field_kind)f->kind) {
	case CONF_FIELD_STRING:
		same = strcmp(conf_string(a, *left), conf_string(b, *right)) == 0;
		*left = *right = 0;
		return same;
	case CONF_FIELD_COMMAND:
		same = same_command(a, (void *)x, b, (void *)y);
		memset(x, 0, sizeof(struct conf_command));
		memset(y, 0, sizeof(struct conf_command));
		return same;
	case CONF_FIELD_RANGE:
		same = left[1] == right[1];
		left[0] = right[0] = 0;
		return same;
	case CONF_FIELD_INDEX:
	case CONF_FIELD_OBJECT:
		same = (*left == CONF_NONE) == (*right == CONF_NONE);
		*left = *right = 0;
		return same;
	case CONF_FIELD_ENUM8:
	case CONF_FIELD_ENUM16:
	case CONF_FIELD_ENUM32:
	case CONF_FIELD_ADDR:
		return true; /* plain data, compared with the rest */
	}
	return true;
}

/* Where it was read from says nothing about what it says. */
static bool is_place(const struct conf_field *f, char *x, char *y)
{
	if (f->table != CONF_TABLE_GLOBAL || f->offset != offsetof(struct conf_global, source_file))
		return false;
	memset(x + f->offset, 0, sizeof(conf_string_t));
	memset(y + f->offset, 0, sizeof(conf_string_t));
	return true;
}

/* The members of a table's records that refer to something: a stretch of the list, looked for once. */
static const struct conf_field *fields_of(enum conf_table table, unsigned *n)
{
	static struct {
		unsigned first, n;
	} stretches[CONF_TABLE_COUNT];
	static bool known;

	for (unsigned f = 0; f < conf_field_count && !known; f++) {
		if (stretches[conf_fields[f].table].n++ == 0)
			stretches[conf_fields[f].table].first = f;
	}
	known = true;
	*n = stretches[table].n;
	return &conf_fields[stretches[table].first];
}

#define RECORD_MAX 1024
#define X(id, member, type) _Static_assert(sizeof(type) <= RECORD_MAX, "RECORD_MAX is too small for " #type);
CONF_TABLE_LIST(X)
#undef X

bool conf_same_record(const struct conf *a, conf_index_t i, const struct conf *b, conf_index_t k, enum conf_table table)
{
	_Alignas(8) char x[RECORD_MAX], y[RECORD_MAX];
	size_t size = conf_record_size(table), line = line_offset(table);
	unsigned n;
	const struct conf_field *fields = fields_of(table, &n);

	memcpy(x, record_of(a, table, i), size);
	memcpy(y, record_of(b, table, k), size);
	if (line) {
		memset(x + line, 0, sizeof(uint32_t));
		memset(y + line, 0, sizeof(uint32_t));
	}
	for (unsigned f = 0; f < n; f++)
		if (!is_place(&fields[f], x, y) &&
			!same_field(&fields[f], a, x + fields[f].offset, b, y + fields[f].offset))
			return false;
	return memcmp(x, y, size) == 0;
}

bool conf_same_table(const struct conf *a, const struct conf *b, enum conf_table table)
{
	uint32_t n = count_of(a, table);

	if (n != count_of(b, table))
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!conf_same_record(a, i, b, i, table))
			return false;
	return true;
}
