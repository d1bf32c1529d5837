/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From words to statements: a statement is the words of a line, and perhaps a block of further statements. Knows no
 * keyword. */
#ifndef POISE_CONF_TREE_H
#define POISE_CONF_TREE_H

#include "conf_diag.h"
#include "conf_memory.h"
#include <stddef.h>
#include <string.h>

struct conf_word {
	const char *text; /* quotes removed, \" and \\ replaced */
	struct conf_place place;
	uint32_t width : 30; /* bytes in the file, 0 = not known */
	uint32_t quoted : 1; /* at least a part of it was in double quotes */
	uint32_t is_raw : 1; /* its text with the backslashes as they were follows it */
};

/* The text with its backslashes as they were; NULL when it has none. */
static inline const char *conf_word_raw(const struct conf_word *w)
{
	return w->is_raw ? w->text + strlen(w->text) + 1 : NULL;
}

/* There may be very many: each is followed by what stands in its block, and knows how far it is to the next one. */
struct conf_node {
	const struct conf_word *words; /* the first is the keyword; a block may have none (then this is its brace) */
	uint32_t next;                 /* that many nodes on is the next statement of the same block, 0 = none */
	uint32_t n_words : 30;
	uint32_t block : 1;  /* has { } */
	uint32_t filled : 1; /* with at least one statement */
};

/* Of the first word, or of the brace. */
static inline struct conf_place conf_node_place(const struct conf_node *node)
{
	return node->words->place;
}

/* The first statement of the block, and the one after this in the same block; NULL when there is none. */
static inline const struct conf_node *conf_node_child(const struct conf_node *node)
{
	return node->filled ? node + 1 : NULL;
}

static inline const struct conf_node *conf_node_next(const struct conf_node *node)
{
	return node->next ? node + node->next : NULL;
}

/* Where a statement of the outermost level can be cut again: it begins on this line and no line of it needed a closer
 * look. */
struct conf_start {
	struct conf_place place; /* of the line */
	size_t offset;           /* of the line in its file */
};

/* Takes a complete statement of the outermost level, with all that is in it: n nodes in the order of the files. start
 * is NULL when it cannot be cut again. Returns whether it must stay until the tree is freed; else it is gone after
 * this. */
typedef bool conf_take_fn(void *arg, const struct conf_node *node, uint32_t n, const struct conf_start *start);

struct conf_tree {
	struct conf_blocks nodes, words;
	struct conf_arena texts; /* stay in any case */
};

/* A tree that grows word by word. */
struct conf_tree_builder {
	struct conf_tree *tree;
	struct conf_diag *diag;
	conf_take_fn *take;
	void *arg;
	struct conf_node *nodes; /* of the statement of the outermost level */
	uint32_t n_nodes;
	struct conf_blocks nodes_before, words_before; /* it */
	struct conf_start start, line;                 /* of it, and the current line */
	bool again;                                    /* it can be cut again so far */
	bool line_is_new;                              /* no word of the line was seen, and it is a plain one */
	struct conf_open_block *open;
	uint32_t depth, room;
	struct conf_word *words; /* of the statement that still gets some, NULL = none */
	bool may_open;           /* the last statement may get its `{` on this line */
};

void conf_tree_begin(
	struct conf_tree_builder *b, struct conf_tree *tree, struct conf_diag *diag, conf_take_fn *take, void *arg);
/* A line begins: one that can be cut again at this place, or another one (NULL). */
void conf_tree_line(struct conf_tree_builder *b, const struct conf_start *line);
/* Takes over a copy of the word, whose text lives as long as the tree. */
void conf_tree_word(struct conf_tree_builder *b, const struct conf_word *word);
void conf_tree_open(struct conf_tree_builder *b, struct conf_place brace);
void conf_tree_close(struct conf_tree_builder *b, struct conf_place brace);
void conf_tree_end_line(struct conf_tree_builder *b);
/* Braces without a partner are reported and mended, here and before. */
void conf_tree_end(struct conf_tree_builder *b);
void conf_tree_free(struct conf_tree *t);

#endif
