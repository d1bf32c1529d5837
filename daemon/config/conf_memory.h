/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory of the config role: it runs once for each load, so running out of memory ends it with a sentence. */
#ifndef POISE_CONF_MEMORY_H
#define POISE_CONF_MEMORY_H

#include <stddef.h>
#include <stdint.h>

void *conf_realloc(void *old, size_t count, size_t size);
char *conf_strndup(const char *text, size_t length);

/* Makes room for one more element of an array that doubles. */
void *conf_grow(void *array, uint32_t count, uint32_t *room, size_t size);

/* Makes room for that many more elements at once: an array that is large is not moved while it grows. What is not used
 * of it takes no memory. */
void *conf_expect(void *array, uint32_t count, uint32_t more, uint32_t *room, size_t size);

/* Text that lives as long as the arena. What came a moment ago is not kept again: a configuration says the same words
 * over and over. */
#define CONF_ARENA_RECENT 256
struct conf_arena {
	struct conf_arena_block *last;
	const char *recent[CONF_ARENA_RECENT]; /* by hash */
};
const char *conf_arena_text(struct conf_arena *a, const char *text, size_t length);
/* Two texts, one right behind the other, each with its own end; returns the first. */
const char *conf_arena_pair(
	struct conf_arena *a, const char *text, size_t length, const char *second, size_t second_length);
void conf_arena_free(struct conf_arena *a);

#endif
