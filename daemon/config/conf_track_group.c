/* SPDX-License-Identifier: GPL-2.0-or-later */
/* track_group: instances that are in fault while a static address, route or rule of the group cannot be had. Runs in
 * the config role. Each instance gets a track of the group, beside those that it has by its own block. */
#include "conf_finish.h"
#include "conf_print.h"
#include <string.h>

static const enum conf_table tables[] = {CONF_TABLE_ADDRESS, CONF_TABLE_ROUTE, CONF_TABLE_RULE};

static conf_index_t *group_of(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	void *record = conf_builder_at(load->builder, table, i);

	if (table == CONF_TABLE_ADDRESS)
		return &((struct conf_address *)record)->track_group;
	return table == CONF_TABLE_ROUTE ? &((struct conf_route *)record)->track_group
					 : &((struct conf_rule *)record)->track_group;
}

static conf_index_t owner_of(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	const void *record = conf_builder_at(load->builder, table, i);

	if (table == CONF_TABLE_ADDRESS)
		return ((const struct conf_address *)record)->instance;
	return table == CONF_TABLE_ROUTE ? ((const struct conf_route *)record)->instance
					 : ((const struct conf_rule *)record)->instance;
}

/* Names that were read with a line become numbers. */
static void look_up(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	const struct conf_word *reference = conf_extra(load, table, i)->reference;
	const struct conf_node *node = conf_object_node(load, table, i);
	const char *name;
	uint32_t word;

	*group_of(load, table, i) = CONF_NONE;
	if (!reference)
		return;
	name = reference->text;
	word = (uint32_t)(reference - node->words);
	if (owner_of(load, table, i) != CONF_NONE) {
		conf_warn(load, node, word,
			"track_group is for static addresses, routes and rules" CONF_MEANING "it is ignored");
		return;
	}
	*group_of(load, table, i) = conf_name_find(load, CONF_TABLE_TRACK_GROUP, name);
	if (*group_of(load, table, i) == CONF_NONE)
		conf_warn(load, node, word, "there is no track_group %s" CONF_MEANING "nothing tracks this", name);
}

/* The tracks of an instance lie together: they move behind the others, with one more. */
static void add_track(struct conf_load *load, conf_index_t index, conf_index_t group, const struct conf_node *node)
{
	struct conf_instance *i = conf_builder_at(load->builder, CONF_TABLE_INSTANCE, index);
	const struct conf_track_group *g = conf_builder_at(load->builder, CONF_TABLE_TRACK_GROUP, group);
	const struct conf_range old = i->tracks;
	struct conf_track track = {.kind = CONF_TRACK_STATIC,
		.name = g->name,
		.script = CONF_NONE,
		.process = CONF_NONE,
		.file = CONF_NONE,
		.service = CONF_NONE,
		.bfd = CONF_NONE,
		.track_group = group,
		.instance = index,
		.group = CONF_NONE};

	i->tracks = (struct conf_range){conf_builder_count(load->builder, CONF_TABLE_TRACK), old.count + 1};
	for (uint32_t k = old.first; k < old.first + old.count; k++) {
		struct conf_track *before = conf_builder_at(load->builder, CONF_TABLE_TRACK, k), copy = *before;

		before->kind = CONF_TRACK_DEAD;
		*(struct conf_track *)conf_record_add(
			load, CONF_TABLE_TRACK, conf_object_node(load, CONF_TABLE_TRACK, k)) = copy;
	}
	*(struct conf_track *)conf_record_add(load, CONF_TABLE_TRACK, node) = track;
}

static bool has_track(struct conf_load *load, conf_index_t index, conf_index_t group)
{
	const struct conf_instance *i = conf_builder_at(load->builder, CONF_TABLE_INSTANCE, index);

	for (uint32_t k = i->tracks.first; k < i->tracks.first + i->tracks.count; k++) {
		const struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, k);

		if (t->kind == CONF_TRACK_STATIC && t->track_group == group)
			return true;
	}
	return false;
}

static void add_member(
	struct conf_load *load, conf_index_t group, conf_index_t index, const struct conf_node *node, uint32_t word)
{
	(void)word;
	if (!has_track(load, index, group))
		add_track(load, index, group, node);
}

void conf_finish_track_groups(struct conf_load *load)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
		for (conf_index_t i = 0; i < conf_builder_count(load->builder, tables[t]); i++)
			look_up(load, tables[t], i);
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_TRACK_GROUP); i++)
		conf_each_member(load, CONF_TABLE_TRACK_GROUP, i, add_member);
}

/* ---- the block ---- */

/* The names are looked up at the end. */
static void apply_members(struct conf_load *load, const struct conf_node *node)
{
	(void)load;
	(void)node;
}

static void print_members(struct conf_printer *p, uint32_t record)
{
	conf_print_open(p, "group");
	for (uint32_t i = 0; i < conf_builder_count(p->builder, CONF_TABLE_TRACK); i++) {
		const struct conf_track *t = conf_print_record(p, CONF_TABLE_TRACK, i);
		const struct conf_instance *in;

		if (t->kind != CONF_TRACK_STATIC || t->track_group != record)
			continue;
		in = conf_print_record(p, CONF_TABLE_INSTANCE, t->instance);
		conf_print_line(p, "%s", conf_print_text(p, in->name));
	}
	conf_print_close(p);
}

/* clang-format off */
static const struct conf_directive directives[] = {
	LINES("group", apply_members, print_members, LIVE, "the instances, by name"),
	END_OF_TABLE,
};
/* clang-format on */

void conf_print_track_group(struct conf_printer *p, FILE *out, conf_index_t group)
{
	const struct conf_track_group *g;

	if (group == CONF_NONE)
		return;
	g = conf_print_record(p, CONF_TABLE_TRACK_GROUP, group);
	fprintf(out, " track_group %s", conf_print_text(p, g->name));
}

static bool begin(struct conf_load *load, const struct conf_node *node)
{
	struct conf_track_group *g;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_TRACK_GROUP, node, &name))
		return false;
	g = conf_object_begin(load, &conf_track_group_block, node);
	g->name = name;
	return true;
}

static void print_block(struct conf_printer *p, uint32_t record)
{
	const struct conf_track_group *g = conf_print_record(p, CONF_TABLE_TRACK_GROUP, record);

	conf_print_open(p, "track_group %s", conf_print_text(p, g->name));
	conf_print_directives(p, &conf_track_group_block, record);
	conf_print_close(p);
}

const struct conf_block conf_track_group_block = {
	.name = "track_group",
	.table = CONF_TABLE_TRACK_GROUP,
	.directives = {directives},
	.begin = begin,
	.print = print_block,
};
