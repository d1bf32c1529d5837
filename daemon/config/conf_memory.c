/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the config role. It never returns NULL: without memory the load ends and the old generation stays. */
#include "conf_memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf_arena_block {
	struct conf_arena_block *before;
	size_t used, size;
	char data[];
};

#define ARENA_BLOCK 65536

static void *or_end(void *p)
{
	if (!p) {
		fprintf(stderr, "the configuration needs more memory than there is\n");
		exit(1);
	}
	return p;
}

void *conf_realloc(void *old, size_t count, size_t size)
{
	return or_end(reallocarray(old, count ? count : 1, size));
}

char *conf_strndup(const char *text, size_t length)
{
	char *copy = conf_realloc(NULL, length + 1, 1);

	memcpy(copy, text, length);
	copy[length] = 0;
	return copy;
}

void *conf_grow(void *array, uint32_t count, uint32_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	return conf_realloc(array, *room, size);
}

void *conf_expect(void *array, uint32_t count, uint32_t more, uint32_t *room, size_t size)
{
	if (more <= *room - count)
		return array;
	/* Never by little: there may be many small files. */
	*room = more > *room ? count + more : *room * 2;
	return conf_realloc(array, *room, size);
}

static char *arena_take(struct conf_arena *a, size_t length)
{
	struct conf_arena_block *b = a->last;

	if (!b || b->size - b->used < length) {
		size_t size = length > ARENA_BLOCK ? length : ARENA_BLOCK;

		b = conf_realloc(NULL, sizeof(*b) + size, 1);
		b->before = a->last;
		b->used = 0;
		b->size = size;
		a->last = b;
	}
	b->used += length;
	return b->data + b->used - length;
}

static char *arena_put(char *at, const char *text, size_t length)
{
	memcpy(at, text, length);
	at[length] = 0;
	return at;
}

static const char **arena_recent(struct conf_arena *a, const char *text, size_t length)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619u;
	return &a->recent[hash % CONF_ARENA_RECENT];
}

const char *conf_arena_text(struct conf_arena *a, const char *text, size_t length)
{
	const char **recent = arena_recent(a, text, length);

	if (!*recent || strncmp(*recent, text, length) != 0 || (*recent)[length])
		*recent = arena_put(arena_take(a, length + 1), text, length);
	return *recent;
}

const char *conf_arena_pair(
	struct conf_arena *a, const char *text, size_t length, const char *second, size_t second_length)
{
	char *at = arena_take(a, length + second_length + 2);

	arena_put(at + length + 1, second, second_length);
	return arena_put(at, text, length);
}

void conf_arena_free(struct conf_arena *a)
{
	while (a->last) {
		struct conf_arena_block *before = a->last->before;

		free(a->last);
		a->last = before;
	}
}
