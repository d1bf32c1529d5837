/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From files to trees of statements. Handles includes, comments, quotes, continued lines, definitions ($NAME),
 * conditions (@NAME) and sequences (~SEQ, ~LST). Knows no keyword but `include`. Survives any bytes. */
#ifndef POISE_CONF_LEX_H
#define POISE_CONF_LEX_H

#include "conf_source.h"
#include "conf_tree.h"

/* Most words and braces of one configuration. */
#define CONF_TOKENS_MAX (8u << 20)

struct conf_lex_options {
	conf_take_fn *take; /* receives the statements */
	void *arg;
	const char *config_id; /* what @NAME is compared with */
	bool no_files;         /* refuse includes (fuzzing) */
};

/* Reads the file and what it includes. Findings go to diag; a file that cannot be read is an error there. What stays of
 * the statements lives in tree, which is zeroed before. */
void conf_lex_file(struct conf_tree *tree, struct conf_sources *sources, struct conf_diag *diag, const char *name,
	const struct conf_lex_options *options);
/* The same for a source that is already in memory. */
void conf_lex_source(struct conf_tree *tree, struct conf_sources *sources, struct conf_diag *diag, uint32_t source,
	const struct conf_lex_options *options);
/* Cuts a statement again, to stay in `tree`. */
const struct conf_node *conf_lex_again(
	struct conf_tree *tree, struct conf_sources *sources, struct conf_diag *diag, const struct conf_start *start);

#endif
