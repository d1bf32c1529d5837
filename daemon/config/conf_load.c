/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the readers of statements work with: findings about words, records under construction, and where they stand in
 * the file. Runs in the config role. */
#include "conf_load.h"
#include "conf_lex.h"
#include "conf_memory.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void find(struct conf_load *load, enum conf_severity severity, const struct conf_node *node, uint32_t i,
	const char *format, va_list args)
{
	struct conf_place place = conf_node_place(node);
	uint32_t width = 1;
	char text[768];

	vsnprintf(text, sizeof(text), format, args);
	if (node->n_words) {
		const struct conf_word *w = &node->words[i < node->n_words ? i : 0];

		place = w->place;
		width = w->width;
	}
	conf_diag_add(load->diag, severity, place, width, "%s", text);
}

void conf_note(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	find(load, CONF_NOTE, node, i, format, args);
	va_end(args);
}

void conf_warn(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	find(load, CONF_WARNING, node, i, format, args);
	va_end(args);
}

void conf_hint(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	find(load, CONF_HINT, node, i, format, args);
	va_end(args);
}

void conf_error(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	find(load, CONF_ERROR, node, i, format, args);
	va_end(args);
}

void conf_extra_words(struct conf_load *load, const struct conf_node *node, uint32_t used)
{
	if (node->n_words > used)
		conf_warn(load, node, used, "words after the value of %s are ignored", conf_word(node, 0));
}

const char *conf_word(const struct conf_node *node, uint32_t i)
{
	return i < node->n_words ? node->words[i].text : "";
}

conf_string_t conf_text(struct conf_load *load, const char *text)
{
	return conf_builder_string(load->builder, text);
}

/* ---- directives ---- */

const struct conf_directive *conf_directive_at(const struct conf_block *block, unsigned i)
{
	for (unsigned t = 0; t < CONF_BLOCK_TABLES && block->directives[t]; t++)
		for (const struct conf_directive *d = block->directives[t]; d->name; d++)
			if (i-- == 0)
				return d;
	return NULL;
}

const struct conf_directive *conf_directive_find(const struct conf_block *block, const char *name, unsigned *number)
{
	unsigned i = 0;

	for (unsigned t = 0; t < CONF_BLOCK_TABLES && block->directives[t]; t++) {
		for (const struct conf_directive *d = block->directives[t]; d->name; d++, i++) {
			if (d->name[0] == name[0] && strcmp(d->name, name) == 0) {
				*number = i;
				return d;
			}
		}
	}
	return NULL;
}

const struct conf_directive *conf_directive_of(
	struct conf_load *load, const struct conf_block *block, const char *name, unsigned *number)
{
	struct conf_lookup *l = &load->lookups[((uintptr_t)name + ((uintptr_t)block >> 5)) % CONF_LOOKUPS];

	if (l->name != name || l->block != block) {
		l->directive = conf_directive_find(block, name, &l->number);
		l->name = name;
		l->block = block;
	}
	*number = l->number;
	return l->directive;
}

/* ---- records ---- */

void conf_top_add(struct conf_load *load, const struct conf_node *node, uint32_t n, const struct conf_start *start)
{
	load->tops = conf_grow(load->tops, load->n_tops, &load->tops_room, sizeof(*load->tops));
	load->tops[load->n_tops] = (struct conf_top){.node = node, .n = n};
	if (start)
		load->tops[load->n_tops].start = *start;
	load->n_tops++;
}

const struct conf_node *conf_top_node(struct conf_load *load, uint32_t top)
{
	struct conf_top *t = &load->tops[top];

	if (!t->node)
		t->node = conf_lex_again(&load->again, load->sources, load->diag, &t->start);
	return t->node;
}

/* Nearly always it is in the last one, else in the first, which is the file as a whole. */
static uint32_t top_of(const struct conf_load *load, const struct conf_node *node)
{
	uint32_t i = load->n_tops;

	if (node == load->tops[0].node)
		return 0;
	while (i-- > 0)
		if (load->tops[i].node && node >= load->tops[i].node && node < load->tops[i].node + load->tops[i].n)
			return i;
	return 0;
}

const struct conf_node *conf_object_node(struct conf_load *load, enum conf_table table, conf_index_t index)
{
	const struct conf_object *o = conf_object(load, table, index);

	return conf_top_node(load, o->top) + o->at;
}

struct conf_object *conf_object(struct conf_load *load, enum conf_table table, conf_index_t index)
{
	return &load->objects[table].objects[index];
}

void *conf_current(struct conf_load *load, enum conf_table table)
{
	return conf_builder_at(load->builder, table, load->current[table]);
}

static const struct conf_extra no_extra = {
	.connect_timeout_us = -1,
	.delay_before_retry_us = -1,
	.warmup_us = -1,
	.delay_loop_us = -1,
	.retry = -1,
	.garp_extra = {-1, 0},
	.weight = -1,
	.sorry_forward = -1,
};

const struct conf_extra *conf_extra(struct conf_load *load, enum conf_table table, conf_index_t index)
{
	const struct conf_extra *extra = conf_object(load, table, index)->extra;

	return extra ? extra : &no_extra;
}

struct conf_extra *conf_extra_write(struct conf_load *load, enum conf_table table, conf_index_t index)
{
	struct conf_object *o = conf_object(load, table, index);

	if (!o->extra) {
		o->extra = conf_blocks_extend(&load->extras, NULL, 0, sizeof(*o->extra));
		*o->extra = no_extra;
	}
	return o->extra;
}

const struct conf_extra *conf_current_extra(struct conf_load *load, enum conf_table table)
{
	return conf_extra(load, table, load->current[table]);
}

struct conf_extra *conf_current_extra_write(struct conf_load *load, enum conf_table table)
{
	return conf_extra_write(load, table, load->current[table]);
}

struct conf_extra *conf_last_extra_write(struct conf_load *load, enum conf_table table)
{
	return conf_extra_write(load, table, conf_builder_count(load->builder, table) - 1);
}

void *conf_record_add(struct conf_load *load, enum conf_table table, const struct conf_node *node)
{
	struct conf_objects *o = &load->objects[table];
	conf_index_t index = table == CONF_TABLE_GLOBAL ? 0 : conf_builder_add(load->builder, table);

	while (o->count <= index) {
		o->objects = conf_grow(o->objects, o->count, &o->room, sizeof(*o->objects));
		memset(&o->objects[o->count], 0, sizeof(*o->objects));
		o->count++;
	}
	o->objects[index].top = top_of(load, node);
	o->objects[index].at = (uint32_t)(node - load->tops[o->objects[index].top].node);
	return conf_builder_at(load->builder, table, index);
}

uint64_t *conf_given_bits(struct conf_load *load, enum conf_table table, conf_index_t index, unsigned number)
{
	if (number < 64)
		return &conf_object(load, table, index)->given;
	return &conf_extra_write(load, table, index)->given[number / 64 - 1];
}

bool conf_given(struct conf_load *load, const struct conf_block *block, conf_index_t index, const char *name)
{
	unsigned number;

	if (!conf_directive_of(load, block, name, &number))
		return false;
	return *conf_given_bits(load, block->table, index, number) >> number % 64 & 1;
}

const struct conf_node *conf_statement(
	struct conf_load *load, enum conf_table table, conf_index_t index, const char *name)
{
	const struct conf_node *block = conf_object_node(load, table, index), *found = block;

	for (const struct conf_node *n = conf_node_child(block); n; n = conf_node_next(n))
		if (strcmp(conf_word(n, 0), name) == 0)
			found = n;
	return found;
}

void conf_load_free(struct conf_load *load)
{
	for (unsigned t = 0; t < CONF_TABLE_COUNT; t++) {
		free(load->objects[t].objects);
		free(load->names[t].index);
		free(load->fresh[t].record);
	}
	free(load->tops);
	conf_tree_free(&load->again);
	conf_blocks_free(&load->extras);
	free(load->garp_gaps);
	for (unsigned i = 0; i <= CONF_OWNER_SERVICE; i++)
		free(load->pending[i].notifies);
}
