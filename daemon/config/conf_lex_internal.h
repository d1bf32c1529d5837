/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the lexer share: conf_lex.c reads files and lines, conf_define.c replaces, conf_split.c makes
 * words. */
#ifndef POISE_CONF_LEX_INTERNAL_H
#define POISE_CONF_LEX_INTERNAL_H

#include "conf_lex.h"
#include "conf_line.h"

/* How deep includes and replacements may nest. */
#define CONF_INCLUDE_DEPTH 32
#define CONF_REPLACE_DEPTH 64
/* Text that replacements and sequences may make in one load. */
#define CONF_EXPANDED_MAX (256u << 20)

struct conf_definition {
	char *name;
	struct conf_line value;
};

struct conf_lexer {
	struct conf_words *out;
	struct conf_sources *sources;
	struct conf_diag *diag;
	struct conf_lex_options options;
	struct conf_definition *definitions;
	uint32_t n_definitions, definitions_room;
	uint32_t stack[CONF_INCLUDE_DEPTH]; /* sources being read */
	unsigned depth;
	uint64_t expanded;
	bool stop; /* a limit was reached and said */
};

static inline bool conf_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

/* Handles a line whose comment was removed: conditions, definitions, sequences, replacements; then words. */
void conf_line_process(struct conf_lexer *lx, const struct conf_line *line, unsigned depth);
void conf_definitions_free(struct conf_lexer *lx);
/* Adds the words and braces of a finished line to the output. */
void conf_line_split(struct conf_lexer *lx, const struct conf_line *line);

#endif
