/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the config role: it runs once for each load, so running out of memory ends it with a sentence. */
#ifndef POISE_CONF_MEMORY_H
#define POISE_CONF_MEMORY_H

#include <stddef.h>
#include <stdint.h>

void *conf_realloc(void *old, size_t count, size_t size);
char *conf_strndup(const char *text, size_t length);

/* Makes room for one more element of a growing array. */
void *conf_grow(void *array, uint32_t count, uint32_t *room, size_t size);

/* Memory in large blocks that is given back all at once. */
struct conf_blocks {
	struct conf_memory_block *last;
	char *end; /* of what was taken */
	size_t left;
};
void *conf_blocks_move(struct conf_blocks *b, void *at, size_t size, size_t more);
/* Makes what was taken last longer (or takes it, when size is 0); it may move. Aligned when all of the sizes are. */
static inline void *conf_blocks_extend(struct conf_blocks *b, void *at, size_t size, size_t more)
{
	if (b->left < more)
		return conf_blocks_move(b, at, size, more);
	b->left -= more;
	b->end += more;
	return b->end - more - size;
}
/* Gives back what was taken since `before` was a copy of *b. */
void conf_blocks_rewind(struct conf_blocks *b, const struct conf_blocks *before);
void conf_blocks_free(struct conf_blocks *b);

/* Text that lives as long as the arena. What came a moment ago is not kept again: a configuration says the same words
 * over and over. */
#define CONF_ARENA_RECENT 256
struct conf_arena {
	struct conf_blocks blocks;
	struct conf_recent {
		const char *text;
		size_t length;
	} recent[CONF_ARENA_RECENT]; /* by hash */
};
const char *conf_arena_text(struct conf_arena *a, const char *text, size_t length);
/* Two texts, one right behind the other, each with its own end; returns the first. */
const char *conf_arena_pair(
	struct conf_arena *a, const char *text, size_t length, const char *second, size_t second_length);
void conf_arena_free(struct conf_arena *a);

#endif
