/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks the tree with the directive tables and fills records. Runs in the config role. It knows how a keyword is read
 * only from its line, and never judges relations between objects (conf_finish.c, conf_check.c). */
#include "conf_layout.h"
#include "conf_load.h"
#include "conf_memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *field_of(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d)
{
	char *base = NULL;

	switch (d->home) {
	case CONF_HOME_NONE:
		return NULL;
	case CONF_HOME_RECORD:
		base = conf_current(load, block->table);
		break;
	case CONF_HOME_EXTRA:
		base = (char *)conf_current_extra_write(load, block->table);
		break;
	case CONF_HOME_DEFAULTS:
		base = (char *)&load->defaults;
		break;
	}
	return base + d->offset;
}

static void store(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d, int64_t value)
{
	void *field = field_of(load, block, d);

	if (d->size == 1)
		*(uint8_t *)field = (uint8_t)value;
	else if (d->size == 2)
		*(uint16_t *)field = (uint16_t)value;
	else if (d->size == 4)
		*(uint32_t *)field = (uint32_t)value;
	else if (d->size == 8)
		*(int64_t *)field = value;
}

static bool is_scalar(enum conf_kind kind)
{
	return kind <= CONF_KIND_TIME || kind == CONF_KIND_CHOICE;
}

/* Those of an extra are what no_extra says. A record like the one before is a copy of what that one was at first. */
static void set_defaults(struct conf_load *load, const struct conf_block *block)
{
	struct conf_fresh *fresh = &load->fresh[block->table];
	size_t size = conf_record_size(block->table);
	void *record = conf_current(load, block->table);

	if (fresh->block == block) {
		memcpy(record, fresh->record, size);
		return;
	}
	for (unsigned t = 0; t < CONF_BLOCK_TABLES && block->directives[t]; t++)
		for (const struct conf_directive *d = block->directives[t]; d->name; d++)
			if (is_scalar(d->kind) && d->home != CONF_HOME_NONE && d->home != CONF_HOME_EXTRA)
				store(load, block, d, d->fallback == CONF_REQUIRED ? 0 : d->fallback);
	fresh->block = block;
	fresh->record = conf_realloc(fresh->record, 1, size);
	memcpy(fresh->record, record, size);
}

void *conf_object_begin(struct conf_load *load, const struct conf_block *block, const struct conf_node *node)
{
	enum conf_table table = block->table;

	conf_record_add(load, table, node);
	load->current[table] = conf_builder_count(load->builder, table) - 1;
	set_defaults(load, block);
	return conf_current(load, table);
}

/* Remembers that the keyword was there; returns whether it was there before. */
static bool mark_given(struct conf_load *load, const struct conf_block *block, unsigned number)
{
	uint64_t *given, bit = 1ull << number % 64;
	bool before;

	if (block->table < 0)
		return false;
	given = conf_given_bits(load, block->table, load->current[block->table], number);
	before = *given & bit;
	*given |= bit;
	return before;
}

/* ---- reading one statement ---- */

static void take_default(
	struct conf_load *load, const struct conf_node *node, const struct conf_directive *d, const char *expected)
{
	const char *word = conf_word(node, 1),
		   *hint = word[0] && word[strlen(word) - 1] == ';' ? " (a line ends without ;)" : "";
	char range[96], value[32];

	conf_range_text(d, range);
	if (d->fallback == CONF_REQUIRED) {
		conf_error(load, node, 1, "%s must be %s %s, not \"%s\"%s", d->name, expected, range, word, hint);
		return;
	}
	if (d->fallback < d->low)
		snprintf(value, sizeof(value), "its default");
	else if (d->kind == CONF_KIND_TIME)
		conf_time_text(d->fallback, value);
	else if (d->kind == CONF_KIND_CHOICE)
		snprintf(value, sizeof(value), "%s", d->choices[d->fallback]);
	else
		snprintf(value, sizeof(value), "%" PRId64, d->fallback);
	conf_warn(load, node, 1, "%s must be %s %s, not \"%s\"%s" CONF_MEANING "%s is taken", d->name, expected, range,
		word, hint, value);
}

const char *const conf_whole_seconds[] = {NULL};

/* What is behind the point does not count for keepalived. */
int64_t conf_cut_seconds(struct conf_load *load, const struct conf_node *node, int64_t us)
{
	if (load->dialect != CONF_DIALECT_KEEPALIVED || us % CONF_S == 0)
		return us;
	conf_warn(load, node, 1, "keepalived takes whole seconds here" CONF_MEANING "%" PRId64 " is taken",
		(int64_t)(us / CONF_S));
	return us / CONF_S * CONF_S;
}

static void apply_number(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	bool time = d->kind == CONF_KIND_TIME;
	int64_t value = d->fallback == CONF_REQUIRED ? 0 : d->fallback;
	enum conf_value result = time ? conf_parse_time(conf_word(node, 1), d->low, d->high, &value)
				      : conf_parse_number(conf_word(node, 1), d->low, d->high, &value);

	if (result != CONF_VALUE_OK)
		take_default(load, node, d, time ? "a time in seconds from" : "a number from");
	else if (d->choices == conf_whole_seconds)
		value = conf_cut_seconds(load, node, value);
	store(load, block, d, value);
}

static void apply_flag(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	bool plain = d->kind == CONF_KIND_UNFLAG || (load->dialect == CONF_DIALECT_KEEPALIVED && d->high == 0);
	bool value = true, other = true;

	if (plain) {
		if (node->n_words > 1 && conf_parse_bool(conf_word(node, 1), &other) && !other)
			conf_warn(load, node, 1,
				"%s takes no value: the word alone is a yes" CONF_MEANING
				"\"%s\" is ignored, as keepalived does (leave the line out if no is meant)",
				d->name, conf_word(node, 1));
		else
			conf_extra_words(load, node, 1);
	} else if (node->n_words > 1 && !conf_parse_bool(conf_word(node, 1), &value)) {
		conf_warn(load, node, 1,
			"%s may be followed by on or off, not by \"%s\"" CONF_MEANING "the line is ignored", d->name,
			conf_word(node, 1));
		return;
	} else {
		conf_extra_words(load, node, 2);
	}
	store(load, block, d, d->kind == CONF_KIND_UNFLAG ? !value : value);
}

static void apply_choice(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	int choice = conf_parse_choice(conf_word(node, 1), d->choices);

	if (choice < 0) {
		take_default(load, node, d, "one of");
		choice = d->fallback == CONF_REQUIRED ? 0 : (int)d->fallback;
	}
	store(load, block, d, choice);
}

static void apply_address(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	struct addr addr;

	if (addr_parse(conf_word(node, 1), &addr) < 0) {
		conf_warn(load, node, 1,
			"%s needs an IP address, not \"%s\" (names are not resolved)" CONF_MEANING "it is ignored",
			d->name, conf_word(node, 1));
		return;
	}
	*(struct addr *)field_of(load, block, d) = addr;
}

static void apply_text(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	conf_string_t text = conf_text(load, conf_word(node, 1));

	*(conf_string_t *)field_of(load, block, d) = text;
}

/* The `{` may stand on the line, but in a comment. */
static void report_no_block(struct conf_load *load, const struct conf_node *node)
{
	struct conf_line_hint hint = {0};
	size_t length = 0;
	const char *line =
		conf_source_line(load->sources, conf_node_place(node).file, conf_node_place(node).line, &hint, &length);
	const char *brace = line ? memchr(line, '{', length) : NULL;

	if (brace && (memchr(line, '#', (size_t)(brace - line)) || memchr(line, '!', (size_t)(brace - line))))
		conf_error(load, node, 0, "%s needs a block { ... }; its `{` stands behind a # or !, in a comment",
			conf_word(node, 0));
	else
		conf_error(load, node, 0, "%s needs a block { ... }; is the `{` missing?", conf_word(node, 0));
}

/* A block with a table of its own. */
static void apply_block(struct conf_load *load, const struct conf_block *block, const struct conf_node *node)
{
	load->unopened = NULL;
	if (!node->block && !block->body_optional) {
		report_no_block(load, node);
		load->unopened = block->name;
		return;
	}
	if (block->begin && !block->begin(load, node))
		return;
	conf_block_apply(load, block, node);
	if (block->end)
		block->end(load, node);
}

static void apply_lines(struct conf_load *load, const struct conf_directive *d, const struct conf_node *node)
{
	if (!node->block) {
		report_no_block(load, node);
		return;
	}
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n)) {
		if (n->block)
			conf_error(load, n, 0, "a block has no place in %s; is a `}` missing before it?", d->name);
		else if (n->n_words)
			d->apply(load, n);
	}
}

static bool needs_value(enum conf_kind kind)
{
	return kind == CONF_KIND_NUMBER || kind == CONF_KIND_TIME || kind == CONF_KIND_TEXT ||
	       kind == CONF_KIND_ADDRESS || kind == CONF_KIND_CHOICE;
}

static void apply_simple(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	/* Of a missing number keepalived says that it is fatal. */
	if (needs_value(d->kind) && node->n_words < 2) {
		if (d->kind == CONF_KIND_TEXT)
			conf_warn(load, node, 0, "%s needs a value" CONF_MEANING "it is ignored", d->name);
		else
			conf_error(load, node, 0, "%s needs a value", d->name);
		return;
	}
	if (d->kind == CONF_KIND_FLAG || d->kind == CONF_KIND_UNFLAG) {
		apply_flag(load, block, d, node);
		return;
	}
	if (d->kind == CONF_KIND_CHOICE)
		apply_choice(load, block, d, node);
	else if (d->kind == CONF_KIND_ADDRESS)
		apply_address(load, block, d, node);
	else if (d->kind == CONF_KIND_TEXT)
		apply_text(load, block, d, node);
	else
		apply_number(load, block, d, node);
	conf_extra_words(load, node, 2);
}

static void apply_directive(struct conf_load *load, const struct conf_block *block, const struct conf_directive *d,
	const struct conf_node *node)
{
	switch (d->kind) {
	case CONF_KIND_FLAG:
	case CONF_KIND_UNFLAG:
	case CONF_KIND_NUMBER:
	case CONF_KIND_TIME:
	case CONF_KIND_TEXT:
	case CONF_KIND_ADDRESS:
	case CONF_KIND_CHOICE:
		if (node->block)
			conf_warn(load, node, 0, "%s has no block" CONF_MEANING "what is in it is skipped", d->name);
		apply_simple(load, block, d, node);
		break;
	case CONF_KIND_CALL:
		d->apply(load, node);
		break;
	case CONF_KIND_BLOCK:
		apply_block(load, d->block, node);
		break;
	case CONF_KIND_LINES:
		apply_lines(load, d, node);
		break;
	case CONF_KIND_IGNORED:
		conf_note(load, node, 0, "%s has no effect: %s", d->name, d->help);
		break;
	case CONF_KIND_INACTIVE:
		conf_warn(load, node, 0, "%s is accepted but does not act in Poise: %s", d->name, d->help);
		break;
	case CONF_KIND_REFUSED:
		conf_error(load, node, 0, "%s: %s", d->name, d->help);
		break;
	}
}

/* ---- blocks ---- */

const struct conf_directive *conf_statement_apply(
	struct conf_load *load, const struct conf_block *block, const struct conf_node *node)
{
	const struct conf_directive *d;
	unsigned number;

	if (node->n_words == 0)
		return NULL; /* said by the tree */
	d = conf_directive_of(load, block, conf_word(node, 0), &number);
	if (!d) {
		conf_unknown(load, block, node);
		return NULL;
	}
	if (mark_given(load, block, number) && d->home != CONF_HOME_NONE)
		conf_warn(load, node, 0, "%s is given twice" CONF_MEANING "the last one counts", d->name);
	apply_directive(load, block, d, node);
	return d;
}

void conf_block_apply(struct conf_load *load, const struct conf_block *block, const struct conf_node *node)
{
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n))
		conf_statement_apply(load, block, n);
}
