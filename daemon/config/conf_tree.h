/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From words to statements: a statement is the words of a line, and perhaps a block of further statements. Knows no
 * keyword. */
#ifndef POISE_CONF_TREE_H
#define POISE_CONF_TREE_H

#include "conf_lex.h"

#define CONF_NO_NODE UINT32_MAX

struct conf_node {
	const struct conf_word *words; /* the first is the keyword; a block may have none (then this is its brace) */
	uint32_t n_words;
	uint32_t child;          /* first statement of the block */
	uint32_t next;           /* statement after this one in the same block */
	bool block;     /* has { } */
};

/* Of the first word, or of the brace. */
static inline struct conf_place conf_node_place(const struct conf_node *node)
{
	return node->words->place;
}

/* Nodes are numbered in the order of the files; node 0 is the root, a block without words. */
struct conf_tree {
	struct conf_node *nodes;
	uint32_t count, room;
};

/* Builds the tree; words must live as long as it. Braces without a partner are reported and mended. */
void conf_tree_build(struct conf_tree *t, const struct conf_words *words, struct conf_diag *diag);
void conf_tree_free(struct conf_tree *t);

#endif
