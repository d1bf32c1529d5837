/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to words. Handles includes, comments, quotes, continued lines, definitions ($NAME), conditions (@NAME) and
 * sequences (~SEQ, ~LST). Knows no keyword but `include`. Survives any bytes. */
#ifndef POISE_CONF_LEX_H
#define POISE_CONF_LEX_H

#include "conf_diag.h"
#include "conf_memory.h"
#include "conf_source.h"
#include <string.h>

/* Most words and braces of one configuration. */
#define CONF_TOKENS_MAX (8u << 20)

enum conf_token_kind {
	CONF_TOKEN_WORD,
	CONF_TOKEN_OPEN,  /* { */
	CONF_TOKEN_CLOSE, /* } */
};

struct conf_word {
	const char *text; /* quotes removed, \" and \\ replaced */
	struct conf_place place;
	uint32_t width; /* bytes in the file, 0 = not known */
	uint8_t kind;   /* enum conf_token_kind */
	uint8_t quoted; /* at least a part of it was in double quotes */
	uint8_t last;   /* of its line */
	uint8_t is_raw; /* its text with the backslashes as they were follows it */
};

/* The text with its backslashes as they were; NULL when it has none. */
static inline const char *conf_word_raw(const struct conf_word *w)
{
	return w->is_raw ? w->text + strlen(w->text) + 1 : NULL;
}

/* The words of a configuration, in order; the texts live in the arena. */
struct conf_words {
	struct conf_word *words;
	uint32_t count, room;
	struct conf_arena arena;
};

struct conf_lex_options {
	const char *config_id; /* what @NAME is compared with */
	bool no_files;         /* refuse includes (fuzzing) */
};

/* Reads the file and what it includes. Findings go to diag; a file that cannot be read is an error there. */
void conf_lex_file(struct conf_words *out, struct conf_sources *sources, struct conf_diag *diag, const char *name,
	const struct conf_lex_options *options);
/* The same for a source that is already in memory. */
void conf_lex_source(struct conf_words *out, struct conf_sources *sources, struct conf_diag *diag, uint32_t source,
	const struct conf_lex_options *options);
void conf_words_free(struct conf_words *w);

#endif
