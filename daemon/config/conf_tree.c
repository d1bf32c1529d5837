/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups words into statements and balanced blocks, without recursion. Runs in the config role; knows no keyword. */
#include "conf_tree.h"
#include <stdlib.h>

#define NO_NODE UINT32_MAX

/* An open block while the tree is built. */
struct conf_open_block {
	uint32_t node, last; /* last statement in it, NO_NODE = none yet */
	struct conf_place brace;
};

static void add_node(struct conf_tree_builder *b, const struct conf_word *words, unsigned n_words)
{
	struct conf_tree *t = b->tree;
	struct conf_open_block *in = &b->open[b->depth - 1];

	t->nodes = conf_grow(t->nodes, t->count, &t->room, sizeof(*t->nodes));
	t->nodes[t->count] = (struct conf_node){.words = words, .n_words = n_words};
	if (in->last == NO_NODE)
		t->nodes[in->node].filled = true;
	else
		t->nodes[in->last].next = t->count - in->last;
	in->last = t->count++;
}

static void push(struct conf_tree_builder *b, uint32_t node, struct conf_place brace)
{
	b->open = conf_grow(b->open, b->depth, &b->room, sizeof(*b->open));
	b->open[b->depth++] = (struct conf_open_block){node, NO_NODE, brace};
	b->tree->nodes[node].block = true;
	b->words = NULL;
	b->may_open = false;
}

void conf_tree_begin(struct conf_tree_builder *b, struct conf_tree *tree, struct conf_diag *diag)
{
	static const struct conf_word start = {.text = "", .place = {0, 1, 1}};

	memset(tree, 0, sizeof(*tree));
	*b = (struct conf_tree_builder){.tree = tree, .diag = diag};
	tree->nodes = conf_grow(tree->nodes, 0, &tree->room, sizeof(*tree->nodes));
	tree->nodes[tree->count++] = (struct conf_node){.words = &start};
	push(b, 0, start.place);
}

void conf_tree_word(struct conf_tree_builder *b, const struct conf_word *word)
{
	struct conf_blocks *words = &b->tree->words;
	struct conf_node *node;

	if (!b->words) {
		b->words = conf_blocks_extend(words, NULL, 0, sizeof(*word));
		b->words[0] = *word;
		add_node(b, b->words, 1);
	} else {
		node = &b->tree->nodes[b->tree->count - 1];
		b->words = conf_blocks_extend(words, b->words, node->n_words * sizeof(*word), sizeof(*word));
		b->words[node->n_words++] = *word;
		node->words = b->words;
	}
	b->may_open = true;
}

/* `{` on a line of its own belongs to the statement before, which is the last node of all. */
void conf_tree_open(struct conf_tree_builder *b, struct conf_place brace)
{
	if (!b->may_open) {
		struct conf_word *word = conf_blocks_extend(&b->tree->words, NULL, 0, sizeof(*word));

		conf_diag_add(b->diag, CONF_ERROR, brace, 1, "this `{` has no keyword before it");
		*word = (struct conf_word){.text = "", .place = brace, .width = 1};
		add_node(b, word, 0);
	}
	push(b, b->tree->count - 1, brace);
}

void conf_tree_close(struct conf_tree_builder *b, struct conf_place brace)
{
	b->words = NULL;
	b->may_open = false;
	if (b->depth > 1)
		b->depth--;
	else
		conf_diag_add(b->diag, CONF_WARNING, brace, 1, "this `}` closes nothing" CONF_MEANING "it is ignored");
}

void conf_tree_end_line(struct conf_tree_builder *b)
{
	b->words = NULL;
}

void conf_tree_end(struct conf_tree_builder *b)
{
	while (b->depth > 1) {
		b->depth--;
		conf_diag_add(b->diag, CONF_WARNING, b->open[b->depth].brace, 1,
			"this `{` is never closed; its block ends with the file");
	}
	free(b->open);
}

void conf_tree_free(struct conf_tree *t)
{
	free(t->nodes);
	conf_blocks_free(&t->words);
	conf_arena_free(&t->texts);
}
