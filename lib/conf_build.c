/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Collects the records of a generation in growing arrays and writes them out. Runs in the config role (and in tests);
 * it never judges what it is given. A failure to get memory ends the process, which runs once for each load. */
#include "conf_layout.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct growing {
	char *data;
	uint32_t count, room; /* records */
	size_t record;        /* its size */
};

struct conf_builder {
	struct growing tables[CONF_TABLE_COUNT];
	conf_string_t *interned; /* open addressing, 0 = free */
	uint32_t n_interned, slots;
};

static void *resize(void *old, size_t count, size_t size)
{
	void *p;

	if (count == 0)
		count = 1;
	p = reallocarray(old, count, size);
	if (!p) {
		fprintf(stderr, "the configuration needs more memory than there is\n");
		exit(1);
	}
	return p;
}

static void grow(struct growing *g, uint32_t more)
{
	uint64_t room = g->room ? g->room : 16;

	if (more > CONF_NONE - 1 - g->count) {
		fprintf(stderr, "the configuration is too large: a table holds at most %u records\n", CONF_NONE - 1);
		exit(1);
	}
	if (g->count + more <= g->room)
		return;
	while (room < (uint64_t)g->count + more)
		room *= 4; /* what is not used takes no memory, and to move it costs page faults */
	if (room > CONF_NONE)
		room = CONF_NONE;
	g->data = resize(g->data, room, g->record);
	g->room = (uint32_t)room;
}

struct conf_builder *conf_builder_new(void)
{
	struct conf_builder *b = calloc(1, sizeof(*b));
	struct conf_global *global;

	if (!b)
		return NULL;
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		b->tables[t].record = conf_record_size(t);
	conf_builder_add(b, CONF_TABLE_STRINGS);
	conf_builder_add(b, CONF_TABLE_GLOBAL);
	global = conf_builder_at(b, CONF_TABLE_GLOBAL, 0);
	global->sync_instance = CONF_NONE;
	return b;
}

void conf_builder_free(struct conf_builder *b)
{
	if (!b)
		return;
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++)
		free(b->tables[t].data);
	free(b->interned);
	free(b);
}

conf_index_t conf_builder_add(struct conf_builder *b, enum conf_table table)
{
	struct growing *g = &b->tables[table];

	grow(g, 1);
	memset(g->data + g->count * g->record, 0, g->record);
	return g->count++;
}

void *conf_builder_at(struct conf_builder *b, enum conf_table table, conf_index_t index)
{
	return b->tables[table].data + index * b->tables[table].record;
}

uint32_t conf_builder_count(const struct conf_builder *b, enum conf_table table)
{
	return b->tables[table].count;
}

void conf_builder_truncate(struct conf_builder *b, enum conf_table table, uint32_t count)
{
	if (count < b->tables[table].count)
		b->tables[table].count = count;
}

static conf_string_t append(struct conf_builder *b, const char *text)
{
	struct growing *g = &b->tables[CONF_TABLE_STRINGS];
	size_t length = strlen(text) + 1;
	conf_string_t at;

	grow(g, length < CONF_NONE ? (uint32_t)length : CONF_NONE);
	at = g->count;
	memcpy(g->data + at, text, length);
	g->count += (uint32_t)length;
	return at;
}

static uint32_t hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 16777619u;
	return h;
}

/* The slot that holds this text, or the free one where it belongs. */
static conf_string_t *find_slot(const struct conf_builder *b, const char *text)
{
	uint32_t i = hash(text) & (b->slots - 1);

	while (b->interned[i] && strcmp(conf_builder_text(b, b->interned[i]), text) != 0)
		i = (i + 1) & (b->slots - 1);
	return &b->interned[i];
}

static void grow_interned(struct conf_builder *b)
{
	conf_string_t *old = b->interned;
	uint32_t n = b->slots;

	b->slots = n ? n * 2 : 256;
	b->interned = resize(NULL, b->slots, sizeof(*old));
	memset(b->interned, 0, b->slots * sizeof(*old));
	for (uint32_t i = 0; i < n; i++)
		if (old[i])
			*find_slot(b, conf_builder_text(b, old[i])) = old[i];
	free(old);
}

conf_string_t conf_builder_string(struct conf_builder *b, const char *text)
{
	conf_string_t *slot;

	if (!text[0])
		return 0;
	if (b->n_interned >= b->slots / 2)
		grow_interned(b);
	slot = find_slot(b, text);
	if (!*slot) {
		*slot = append(b, text);
		b->n_interned++;
	}
	return *slot;
}

conf_string_t conf_builder_words(struct conf_builder *b, const char *const *words, uint32_t n)
{
	conf_string_t first = 0;

	for (uint32_t i = 0; i < n; i++) {
		conf_string_t at = append(b, words[i]);

		if (i == 0)
			first = at;
	}
	return first;
}

const char *conf_builder_text(const struct conf_builder *b, conf_string_t s)
{
	return b->tables[CONF_TABLE_STRINGS].data + s;
}

int conf_builder_write(const struct conf_builder *b, uint64_t generation, int fd)
{
	uint32_t counts[CONF_TABLE_COUNT];
	const void *data[CONF_TABLE_COUNT];
	struct conf_header header;

	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++) {
		counts[t] = b->tables[t].count;
		data[t] = b->tables[t].data;
	}
	conf_header_fill(&header, generation, counts);
	return conf_header_write(fd, &header, data);
}
