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
	struct conf_tree_builder out;
	uint32_t n_tokens;
	struct conf_sources *sources;
	struct conf_diag *diag;
	struct conf_lex_options options;
	struct conf_definition *definitions;
	uint32_t n_definitions, definitions_room;
	uint32_t stack[CONF_INCLUDE_DEPTH]; /* sources being read */
	unsigned depth;
	int include_checks; /* what include_check asked for, in this file */
	uint64_t random;    /* state of ${_RANDOM} */
	uint64_t expanded;
	bool stop; /* a limit was reached and said */
};

static inline bool conf_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

/* Obeys a line that speaks to the reader of files: include and its forms, which stand for other lines, and
 * include_check and random_seed, which stay statements. Returns whether the line was an include (conf_include.c). */
bool conf_line_include(struct conf_lexer *lx, const struct conf_line *line);
/* Reads a source and what it includes (conf_lex.c). */
void conf_lex_read(struct conf_lexer *lx, uint32_t source);
/* Where the blanks at the end of the text begin. */
size_t conf_trim_end(const char *text, size_t length);

/* Handles a line whose comment was removed: conditions, definitions, sequences, replacements; then words. */
void conf_line_process(struct conf_lexer *lx, const struct conf_line *line, unsigned depth);
/* Appends the value of a name that is always defined; false when there is none (conf_predefined.c). */
bool conf_predefined(
	struct conf_lexer *lx, const char *name, size_t n, struct conf_place place, struct conf_line *made);
/* The same for ${_NAME ARGUMENTS} at `at`. Returns the bytes that the reference has, 0 when it is none. */
size_t conf_predefined_call(struct conf_lexer *lx, const struct conf_line *line, size_t at, struct conf_line *out);
void conf_definitions_free(struct conf_lexer *lx);
/* Adds the words and braces of a finished line to the tree. */
void conf_line_split(struct conf_lexer *lx, const struct conf_line *line);
/* Adds a word, or a brace; says once when there are too many. */
void conf_lex_word(struct conf_lexer *lx, const struct conf_word *word);
void conf_lex_brace(struct conf_lexer *lx, char brace, struct conf_place place);

#endif
