/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the config role. It never returns NULL: without memory the load ends and the old generation stays. */
#include "conf_memory.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf_memory_block {
	struct conf_memory_block *before;
	size_t size;
	char data[];
};

/* The first one is for small files, which are most. */
#define BLOCK_FIRST 8192
#define BLOCK_MOST (256u << 10)

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
	/* What is not used of it takes no memory, and to move it costs page faults. */
	*room = *room ? *room * 4 : 16;
	return conf_realloc(array, *room, size);
}

static struct conf_memory_block *add_block(struct conf_blocks *b, size_t least)
{
	size_t size = b->last ? b->last->size * 2 : BLOCK_FIRST;
	struct conf_memory_block *block;

	if (size > BLOCK_MOST)
		size = BLOCK_MOST;
	if (size < least)
		size = least;
	block = conf_realloc(NULL, sizeof(*block) + size, 1);
	block->before = b->last;
	block->size = size;
	b->last = block;
	return block;
}

void *conf_blocks_move(struct conf_blocks *b, void *at, size_t size, size_t more)
{
	struct conf_memory_block *block = add_block(b, (size + more) * 2);

	if (size)
		memcpy(block->data, at, size);
	b->end = block->data + size + more;
	b->left = block->size - size - more;
	return block->data;
}

/* From `last` down to the one that stays, NULL = all. */
static void free_blocks(struct conf_memory_block *last, const struct conf_memory_block *stays)
{
	while (last != stays) {
		struct conf_memory_block *before = last->before;

		free(last);
		last = before;
	}
}

void conf_blocks_rewind(struct conf_blocks *b, const struct conf_blocks *before)
{
	if (b->last == before->last) {
		*b = *before;
		return;
	}
	/* In a block that was added meanwhile nothing else can be. The last one is kept for what comes next. */
	free_blocks(b->last->before, before->last);
	b->last->before = before->last;
	/* Nor is anything in the one before when nothing had been taken of it. */
	if (before->last && before->end == before->last->data) {
		b->last->before = before->last->before;
		free(before->last);
	}
	b->end = b->last->data;
	b->left = b->last->size;
}

void conf_blocks_free(struct conf_blocks *b)
{
	free_blocks(b->last, NULL);
	b->last = NULL;
}

static char *arena_put(char *at, const char *text, size_t length)
{
	memcpy(at, text, length);
	at[length] = 0;
	return at;
}

/* Words differ at their ends and in their length. */
static size_t hash(const char *text, size_t length)
{
	if (length == 0)
		return 0;
	return length * 37 + (uint8_t)text[0] * 7u + (uint8_t)text[length / 2] * 61u + (uint8_t)text[length - 1] * 11u;
}

const char *conf_arena_text(struct conf_arena *a, const char *text, size_t length)
{
	struct conf_recent *recent = &a->recent[hash(text, length) % CONF_ARENA_RECENT];

	if (recent->length != length || !recent->text || memcmp(recent->text, text, length) != 0) {
		recent->text = arena_put(conf_blocks_extend(&a->blocks, NULL, 0, length + 1), text, length);
		recent->length = length;
	}
	return recent->text;
}

const char *conf_arena_pair(
	struct conf_arena *a, const char *text, size_t length, const char *second, size_t second_length)
{
	char *at = conf_blocks_extend(&a->blocks, NULL, 0, length + second_length + 2);

	arena_put(at + length + 1, second, second_length);
	return arena_put(at, text, length);
}

void conf_arena_free(struct conf_arena *a)
{
	conf_blocks_free(&a->blocks);
}
