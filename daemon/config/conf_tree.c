/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Groups words into statements and balanced blocks, without recursion. Runs in the config role; knows no keyword. */
#include "conf_tree.h"
#include <stdlib.h>
#include <string.h>

/* An open block while the tree is built. */
struct open_block {
	uint32_t node, last; /* last statement in it, CONF_NO_NODE = none yet */
	struct conf_place brace;
};

struct builder {
	struct conf_tree *tree;
	struct conf_diag *diag;
	struct open_block *open;
	uint32_t depth, room;
	uint32_t statement; /* that still gets words, CONF_NO_NODE = none */
	bool may_open;      /* the last statement may get its `{` on this line */
};

static uint32_t add_node(struct builder *b, const struct conf_word *words)
{
	struct conf_tree *t = b->tree;
	struct open_block *in = &b->open[b->depth - 1];

	t->nodes = conf_grow(t->nodes, t->count, &t->room, sizeof(*t->nodes));
	memset(&t->nodes[t->count], 0, sizeof(*t->nodes));
	t->nodes[t->count].child = t->nodes[t->count].next = CONF_NO_NODE;
	t->nodes[t->count].words = words;
	if (in->last == CONF_NO_NODE)
		t->nodes[in->node].child = t->count;
	else
		t->nodes[in->last].next = t->count;
	in->last = t->count;
	return t->count++;
}

static void push(struct builder *b, uint32_t node, struct conf_place brace)
{
	b->open = conf_grow(b->open, b->depth, &b->room, sizeof(*b->open));
	b->open[b->depth++] = (struct open_block){node, CONF_NO_NODE, brace};
	b->tree->nodes[node].block = true;
	b->statement = CONF_NO_NODE;
	b->may_open = false;
}

static void take_word(struct builder *b, const struct conf_word *word)
{
	if (b->statement == CONF_NO_NODE)
		b->statement = add_node(b, word);
	b->tree->nodes[b->statement].n_words++;
	b->may_open = true;
}

static void take_open(struct builder *b, const struct conf_word *brace)
{
	uint32_t node = b->statement;

	/* `{` on a line of its own belongs to the statement before. */
	if (node == CONF_NO_NODE && b->may_open)
		node = b->open[b->depth - 1].last;
	if (node == CONF_NO_NODE) {
		conf_diag_add(b->diag, CONF_ERROR, brace->place, 1, "this `{` has no keyword before it");
		node = add_node(b, brace);
	}
	push(b, node, brace->place);
}

static void take_close(struct builder *b, const struct conf_word *brace)
{
	b->statement = CONF_NO_NODE;
	b->may_open = false;
	if (b->depth > 1)
		b->depth--;
	else
		conf_diag_add(
			b->diag, CONF_WARNING, brace->place, 1, "this `}` closes nothing" CONF_MEANING "it is ignored");
}

void conf_tree_build(struct conf_tree *t, const struct conf_words *words, struct conf_diag *diag)
{
	struct builder b = {.tree = t, .diag = diag, .statement = CONF_NO_NODE};
	static const struct conf_word start = {.text = "", .place = {0, 1, 1}};

	memset(t, 0, sizeof(*t));
	/* Few statements have a single word and no brace. */
	t->nodes = conf_expect(t->nodes, 0, words->count / 2 + 1, &t->room, sizeof(*t->nodes));
	t->nodes[0] = (struct conf_node){.child = CONF_NO_NODE, .next = CONF_NO_NODE, .words = &start};
	t->count = 1;
	push(&b, 0, start.place);
	for (uint32_t i = 0; i < words->count; i++) {
		const struct conf_word *w = &words->words[i];

		switch ((enum conf_token_kind)w->kind) {
		case CONF_TOKEN_WORD:
			take_word(&b, w);
			break;
		case CONF_TOKEN_OPEN:
			take_open(&b, w);
			break;
		case CONF_TOKEN_CLOSE:
			take_close(&b, w);
			break;
		}
		if (w->last)
			b.statement = CONF_NO_NODE;
	}
	while (b.depth > 1) {
		b.depth--;
		conf_diag_add(diag, CONF_WARNING, b.open[b.depth].brace, 1,
			"this `{` is never closed; its block ends with the file");
	}
	free(b.open);
}

void conf_tree_free(struct conf_tree *t)
{
	free(t->nodes);
	memset(t, 0, sizeof(*t));
}
