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

char *conf_arena_text(struct conf_arena *a, const char *text, size_t length)
{
	struct conf_arena_block *b = a->last;
	char *copy;

	if (!b || b->size - b->used < length + 1) {
		size_t size = length + 1 > ARENA_BLOCK ? length + 1 : ARENA_BLOCK;

		b = conf_realloc(NULL, sizeof(*b) + size, 1);
		b->before = a->last;
		b->used = 0;
		b->size = size;
		a->last = b;
	}
	copy = b->data + b->used;
	memcpy(copy, text, length);
	copy[length] = 0;
	b->used += length + 1;
	return copy;
}

void conf_arena_free(struct conf_arena *a)
{
	while (a->last) {
		struct conf_arena_block *before = a->last->before;

		free(a->last);
		a->last = before;
	}
}
