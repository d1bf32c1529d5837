/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the tests of the configuration language. */
#include "conf_fixture.h"
#include "conf_layout.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct conf_read_options options = {.config_id = "node1", .dialect = -1};

char *fixture_findings(const char *text, enum conf_dialect dialect)
{
	struct conf_read_options o = options;
	struct conf_result r;
	char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	o.dialect = (int)dialect;
	conf_read_text(&r, "f", text, strlen(text), &o);
	conf_diag_print(r.diag, &r.sources, true, out);
	fclose(out);
	conf_result_free(&r);
	return printed;
}

void fixture_expect(const char *text, enum conf_dialect dialect, const char *expected)
{
	char *found = fixture_findings(text, dialect), *at = found, *line, *bare = calloc(strlen(found) + 1, 1);

	while ((line = strsep(&at, "\n")))
		if (strncmp(line, "f:", 2) == 0)
			strcat(strcat(bare, line + 2), "\n");
	ck_assert_str_eq(bare, expected);
	free(bare);
	free(found);
}

struct conf *fixture_open(struct conf_builder *builder)
{
	int fd = memfd_create("fixture", MFD_CLOEXEC);
	struct conf *conf;

	ck_assert_int_eq(conf_builder_write(builder, 1, fd), 0);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
	return conf;
}

struct conf *fixture_load(const char *text, int warnings)
{
	struct conf_result r;
	struct conf *conf;

	conf_read_text(&r, "f", text, strlen(text), &options);
	if (conf_diag_errors(r.diag) || (warnings >= 0 && conf_diag_warnings(r.diag) != (unsigned)warnings)) {
		conf_diag_print(r.diag, &r.sources, false, stderr);
		ck_abort_msg("%u errors, %u warnings; %d warnings were expected", conf_diag_errors(r.diag),
			conf_diag_warnings(r.diag), warnings);
	}
	conf = fixture_open(r.builder);
	conf_result_free(&r);
	return conf;
}

char *fixture_dump(struct conf_builder *builder)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	conf_print(builder, out);
	fclose(out);
	return text;
}

/* ---- comparing ---- */

static uint32_t hash(uint32_t h, const char *text)
{
	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h;
}

static uint32_t hash_command(const struct conf *conf, const struct conf_command *c)
{
	const char *argv[300];
	int n = conf_argv(conf, c, argv, 300);
	uint32_t h = 2166136261u;

	for (int i = 0; i < n; i++)
		h = hash(h * 31, argv[i]);
	return hash(hash(h, conf_string(conf, c->user)), conf_string(conf, c->group));
}

/* What depends on the place of a record becomes what it says. */
static void normalize_field(const struct conf *conf, const struct conf_field *f, char *record)
{
	uint32_t *number = (uint32_t *)(void *)(record + f->offset);
	struct conf_command command;

	switch ((enum conf_field_kind)f->kind) {
	case CONF_FIELD_STRING:
		*number = hash(2166136261u, conf_string(conf, *number));
		break;
	case CONF_FIELD_INDEX:
	case CONF_FIELD_OBJECT:
		*number = *number == CONF_NONE ? 0 : 1;
		break;
	case CONF_FIELD_RANGE:
		*number = 0;
		break;
	case CONF_FIELD_COMMAND:
		memcpy(&command, number, sizeof(command));
		memset(number, 0, sizeof(command));
		*number = hash_command(conf, &command);
		break;
	case CONF_FIELD_ENUM8:
	case CONF_FIELD_ENUM16:
	case CONF_FIELD_ENUM32:
	case CONF_FIELD_ADDR:
		break;
	}
}

static void forget_lines(enum conf_table table, void *record)
{
	if (table == CONF_TABLE_GLOBAL)
		((struct conf_global *)record)->source_file = 0;
	if (table == CONF_TABLE_INSTANCE)
		((struct conf_instance *)record)->line = 0;
	if (table == CONF_TABLE_SERVICE)
		((struct conf_service *)record)->line = 0;
	if (table == CONF_TABLE_SERVER)
		((struct conf_server *)record)->line = 0;
	if (table == CONF_TABLE_CHECK)
		((struct conf_check *)record)->line = 0;
	if (table == CONF_TABLE_SYSCTL)
		((struct conf_sysctl *)record)->line = 0;
}

static size_t compared_size;

static int compare_records(const void *a, const void *b)
{
	return memcmp(a, b, compared_size);
}

static char *normalized(const struct conf *conf, enum conf_table table, uint32_t count)
{
	const struct conf_header *h = conf->map;
	size_t size = conf_record_size(table);
	char *records = malloc(count * size + 1);

	memcpy(records, (const char *)conf->map + h->tables[table].offset, count * size);
	for (uint32_t i = 0; i < count; i++) {
		forget_lines(table, records + i * size);
		for (unsigned f = 0; f < conf_field_count; f++)
			if (conf_fields[f].table == table)
				normalize_field(conf, &conf_fields[f], records + i * size);
	}
	compared_size = size;
	qsort(records, count, size, compare_records);
	return records;
}

bool fixture_same(const struct conf *a, const struct conf *b, const char **table)
{
	static const char *const names[] = {
#define X(id, member, type) #member,
		CONF_TABLE_LIST(X)
#undef X
	};
	const struct conf_header *ha = a->map, *hb = b->map;

	for (unsigned t = 0; t < CONF_TABLE_STRINGS; t++) {
		uint32_t count = ha->tables[t].count;
		char *left, *right;
		bool same;

		/* Which files were read is no part of what they mean. */
		if (t == CONF_TABLE_ORIGIN)
			continue;
		*table = names[t];
		if (count != hb->tables[t].count)
			return false;
		left = normalized(a, t, count);
		right = normalized(b, t, count);
		same = memcmp(left, right, count * conf_record_size(t)) == 0;
		free(left);
		free(right);
		if (!same)
			return false;
	}
	return true;
}
