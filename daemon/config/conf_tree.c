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

static void end_statement(struct conf_tree_builder *b)
{
	struct conf_tree *t = b->tree;

	if (b->n_nodes && !b->take(b->arg, b->nodes, b->n_nodes, b->again ? &b->start : NULL)) {
		conf_blocks_rewind(&t->nodes, &b->nodes_before);
		conf_blocks_rewind(&t->words, &b->words_before);
	}
	b->n_nodes = 0;
}

/* Before the words of a statement, which on the outermost level ends the one before. */
static void begin_statement(struct conf_tree_builder *b)
{
	if (b->depth > 0)
		return;
	end_statement(b);
	b->nodes_before = b->tree->nodes;
	b->words_before = b->tree->words;
	b->start = b->line;
	b->again = b->line_is_new;
}

static void add_node(struct conf_tree_builder *b, const struct conf_word *words, unsigned n_words)
{
	struct conf_open_block *in = b->depth ? &b->open[b->depth - 1] : NULL;
	uint32_t n = b->n_nodes++;

	b->nodes = conf_blocks_extend(&b->tree->nodes, b->nodes, n * sizeof(*b->nodes), sizeof(*b->nodes));
	b->nodes[n] = (struct conf_node){.words = words, .n_words = n_words};
	if (!in)
		return;
	if (in->last == NO_NODE)
		b->nodes[in->node].filled = true;
	else
		b->nodes[in->last].next = n - in->last;
	in->last = n;
}

void conf_tree_begin(
	struct conf_tree_builder *b, struct conf_tree *tree, struct conf_diag *diag, conf_take_fn *take, void *arg)
{
	*b = (struct conf_tree_builder){.tree = tree, .diag = diag, .take = take, .arg = arg};
}

void conf_tree_line(struct conf_tree_builder *b, const struct conf_start *line)
{
	b->line_is_new = line != NULL;
	b->again &= line != NULL;
	if (line)
		b->line = *line;
}

void conf_tree_word(struct conf_tree_builder *b, const struct conf_word *word)
{
	struct conf_blocks *words = &b->tree->words;
	struct conf_node *node;

	if (!b->words) {
		begin_statement(b);
		b->words = conf_blocks_extend(words, NULL, 0, sizeof(*word));
		b->words[0] = *word;
		add_node(b, b->words, 1);
	} else {
		node = &b->nodes[b->n_nodes - 1];
		b->words = conf_blocks_extend(words, b->words, node->n_words * sizeof(*word), sizeof(*word));
		b->words[node->n_words++] = *word;
		node->words = b->words;
	}
	b->may_open = true;
	b->line_is_new = false;
}

/* `{` on a line of its own belongs to the statement before, which is the last node of all. */
void conf_tree_open(struct conf_tree_builder *b, struct conf_place brace)
{
	if (!b->may_open) {
		struct conf_word *word;

		conf_diag_add(b->diag, CONF_ERROR, brace, 1, "this `{` has no keyword before it");
		begin_statement(b);
		word = conf_blocks_extend(&b->tree->words, NULL, 0, sizeof(*word));
		*word = (struct conf_word){.text = "", .place = brace, .width = 1};
		add_node(b, word, 0);
	}
	b->open = conf_grow(b->open, b->depth, &b->room, sizeof(*b->open));
	b->open[b->depth++] = (struct conf_open_block){b->n_nodes - 1, NO_NODE, brace};
	b->nodes[b->n_nodes - 1].block = true;
	b->words = NULL;
	b->may_open = false;
	b->line_is_new = false;
}

void conf_tree_close(struct conf_tree_builder *b, struct conf_place brace)
{
	b->words = NULL;
	b->may_open = false;
	b->line_is_new = false;
	if (b->depth == 0)
		conf_diag_add(b->diag, CONF_WARNING, brace, 1, "this `}` closes nothing" CONF_MEANING "it is ignored");
	else if (--b->depth == 0)
		end_statement(b);
}

void conf_tree_end_line(struct conf_tree_builder *b)
{
	b->words = NULL;
}

void conf_tree_end(struct conf_tree_builder *b)
{
	while (b->depth > 0) {
		b->depth--;
		conf_diag_add(b->diag, CONF_WARNING, b->open[b->depth].brace, 1,
			"this `{` is never closed; its block ends with the file");
	}
	end_statement(b);
	free(b->open);
}

void conf_tree_free(struct conf_tree *t)
{
	conf_blocks_free(&t->nodes);
	conf_blocks_free(&t->words);
	conf_arena_free(&t->texts);
}
