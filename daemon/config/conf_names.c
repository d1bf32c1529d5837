/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of objects, found in constant time: strings are interned, so a name is the offset of its text. Runs in the
 * config role. */
#include "conf_load.h"
#include <stdlib.h>
#include <string.h>

/* The name was that of an object that was dropped. */
#define DROPPED UINT32_MAX

conf_index_t conf_name_find(struct conf_load *load, enum conf_table table, const char *name)
{
	const struct conf_names *n = &load->names[table];
	conf_string_t s = conf_text(load, name);

	return s < n->room && n->index[s] && n->index[s] != DROPPED ? n->index[s] - 1 : CONF_NONE;
}

void conf_name_add(struct conf_load *load, enum conf_table table, conf_string_t name, conf_index_t index)
{
	struct conf_names *n = &load->names[table];
	uint32_t room = n->room;

	if (name >= n->room) {
		n->room = name < UINT32_MAX / 2 ? (name + 1) * 2 : UINT32_MAX;
		n->index = conf_realloc(n->index, n->room, sizeof(*n->index));
		memset(n->index + room, 0, (size_t)(n->room - room) * sizeof(*n->index));
	}
	if (!n->index[name] || n->index[name] == DROPPED)
		n->index[name] = index + 1;
}

void conf_object_drop(struct conf_load *load, enum conf_table table, conf_string_t name)
{
	conf_index_t index = load->current[table];

	conf_builder_truncate(load->builder, table, index);
	load->objects[table].count = index;
	if (name < load->names[table].room && load->names[table].index[name] == index + 1)
		load->names[table].index[name] = DROPPED;
}

bool conf_name_is_dropped(struct conf_load *load, enum conf_table table, const char *name)
{
	conf_string_t s = conf_text(load, name);

	return s < load->names[table].room && load->names[table].index[s] == DROPPED;
}

bool conf_name_take(struct conf_load *load, enum conf_table table, const struct conf_node *node, conf_string_t *name)
{
	const char *keyword = conf_word(node, 0), *text = conf_word(node, 1);
	conf_index_t before;

	if (!*text || strlen(text) > CONF_NAME_MAX) {
		conf_error(load, node, *text != 0, "%s needs a name of at most %d bytes", keyword, CONF_NAME_MAX);
		return false;
	}
	conf_extra_words(load, node, 2);
	before = conf_name_find(load, table, text);
	*name = conf_text(load, text);
	if (before == CONF_NONE) {
		conf_name_add(load, table, *name, conf_builder_count(load->builder, table));
		return true;
	}
	/* keepalived tracks the first of two scripts with the same name; of two other objects it would drop one. */
	if (table == CONF_TABLE_SCRIPT)
		conf_warn(
			load, node, 1, "there is already a %s %s" CONF_MEANING "this block is ignored", keyword, text);
	else
		conf_error(load, node, 1, "there is already a %s %s (line %u)", keyword, text,
			conf_node_place(conf_object_node(load, table, before)).line);
	return table != CONF_TABLE_SCRIPT;
}

static void take_member(
	struct conf_load *load, conf_index_t object, const struct conf_node *node, uint32_t word, conf_member_fn *take)
{
	conf_index_t index = conf_name_find(load, CONF_TABLE_INSTANCE, conf_word(node, word));

	if (index == CONF_NONE)
		conf_warn(load, node, word, "there is no vrrp_instance %s" CONF_MEANING "it is left out of the group",
			conf_word(node, word));
	else
		take(load, object, index, node, word);
}

void conf_each_member(struct conf_load *load, enum conf_table table, conf_index_t object, conf_member_fn *take)
{
	const struct conf_node *block = conf_object_node(load, table, object);

	for (const struct conf_node *n = conf_node_child(block); n; n = conf_node_next(n)) {
		if (strcmp(conf_word(n, 0), "group") != 0)
			continue;
		for (const struct conf_node *line = conf_node_child(n); line; line = conf_node_next(line))
			for (uint32_t w = 0; w < line->n_words; w++)
				take_member(load, object, line, w, take);
	}
}
