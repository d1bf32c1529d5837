/* SPDX-License-Identifier: GPL-2.0-or-later */
/* garp_group: gaps between the announcements on some interfaces, written down once for all instances there; and
 * garp_extra_if, their repetition on others than the instance's. Runs in the config role; the instances get the values
 * when the whole file is read. */
#include "conf_finish.h"
#include <stdlib.h>
#include <string.h>

static void apply_gap(struct conf_load *load, const struct conf_node *node, int64_t *gap)
{
	if (conf_parse_time(conf_word(node, 1), 0, 1000 * CONF_S, gap) != CONF_VALUE_OK)
		conf_warn(load, node, 1,
			"%s must be a time in seconds from 0 to 1000, not \"%s\"" CONF_MEANING "it is ignored",
			conf_word(node, 0), conf_word(node, 1));
	conf_extra_words(load, node, 2);
}

static void add_interface(struct conf_load *load, const struct conf_word *name, const struct conf_garp_gap *gap)
{
	load->garp_gaps = conf_grow(load->garp_gaps, load->n_garp_gaps, &load->garp_gaps_room, sizeof(*gap));
	load->garp_gaps[load->n_garp_gaps] = *gap;
	load->garp_gaps[load->n_garp_gaps++].interface = name;
}

/* `interface NAME`, or a block `interfaces` with names. */
static void add_interfaces(struct conf_load *load, const struct conf_node *node, const struct conf_garp_gap *gap)
{
	if (strcmp(conf_word(node, 0), "interface") == 0 && node->n_words > 1)
		add_interface(load, &node->words[1], gap);
	if (strcmp(conf_word(node, 0), "interfaces") != 0)
		return;
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n))
		for (uint32_t i = 0; i < n->n_words; i++)
			add_interface(load, &n->words[i], gap);
}

void conf_garp_group(struct conf_load *load, const struct conf_node *node)
{
	static const char *const known[] = {"garp_interval", "gna_interval", "interface", "interfaces", NULL};
	struct conf_garp_gap gap = {NULL, -1, -1};
	uint32_t before = load->n_garp_gaps;

	if (!node->block)
		conf_warn(load, node, 0, "garp_group needs a block { ... }" CONF_MEANING "it is ignored");
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n)) {
		if (strcmp(conf_word(n, 0), "garp_interval") == 0)
			apply_gap(load, n, &gap.garp_us);
		else if (strcmp(conf_word(n, 0), "gna_interval") == 0)
			apply_gap(load, n, &gap.gna_us);
		else if (conf_parse_choice(conf_word(n, 0), known) < 0)
			conf_warn(load, n, 0,
				"garp_group knows garp_interval, gna_interval, interface and interfaces" CONF_MEANING
				"this is ignored");
	}
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n))
		add_interfaces(load, n, &gap);
	if (node->block && (load->n_garp_gaps == before || (gap.garp_us < 0 && gap.gna_us < 0)))
		conf_warn(load, node, 0, "this garp_group names no %s" CONF_MEANING "it has no effect",
			load->n_garp_gaps == before ? "interface" : "interval");
}

void conf_finish_garp(struct conf_load *load, struct conf_instance *i, bool garp_given, bool gna_given)
{
	const char *interface = conf_builder_text(load->builder, i->interface);

	for (uint32_t k = 0; k < load->n_garp_gaps; k++) {
		const struct conf_garp_gap *gap = &load->garp_gaps[k];

		if (strcmp(gap->interface->text, interface) != 0)
			continue;
		if (gap->garp_us >= 0 && !garp_given)
			i->garp_interval_us = gap->garp_us;
		if (gap->gna_us >= 0 && !gna_given)
			i->gna_interval_us = gap->gna_us;
	}
}

/* [all] SECONDS, in an instance or for all of them. */
static void read_extra(struct conf_load *load, const struct conf_node *node, struct conf_garp_extra *extra)
{
	uint32_t i = 1 + (strcmp(conf_word(node, 1), "all") == 0);

	extra->is_all = i == 2;
	if (conf_parse_time(conf_word(node, i), 0, 86400 * CONF_S, &extra->us) != CONF_VALUE_OK)
		conf_warn(load, node, i,
			"%s must be followed by [all] and a time from 0 to 86400 seconds" CONF_MEANING "it is ignored",
			conf_word(node, 0));
	conf_extra_words(load, node, i + 1);
}

void conf_garp_extra_global(struct conf_load *load, const struct conf_node *node)
{
	read_extra(load, node, &load->defaults.garp_extra);
}

void conf_garp_extra(struct conf_load *load, const struct conf_node *node)
{
	read_extra(load, node, &conf_current_extra_write(load, CONF_TABLE_INSTANCE)->garp_extra);
}

static bool is_anything_elsewhere(struct conf_load *load, const struct conf_instance *i)
{
	for (uint32_t k = i->addresses.first; k < i->addresses.first + i->addresses.count; k++) {
		const struct conf_address *a = conf_builder_at(load->builder, CONF_TABLE_ADDRESS, k);

		if (a->interface && a->interface != i->interface)
			return true;
	}
	return false;
}

/* Behind an interface that never sends by itself a switch forgets where an address is. A repetition is one of all
 * addresses; those on the instance's own interface do no harm. */
void conf_finish_garp_extra(struct conf_load *load, conf_index_t index)
{
	const struct conf_garp_extra *own = &conf_extra(load, CONF_TABLE_INSTANCE, index)->garp_extra;
	const struct conf_garp_extra *extra = own->us >= 0 ? own : &load->defaults.garp_extra;
	struct conf_instance *i = conf_builder_at(load->builder, CONF_TABLE_INSTANCE, index);

	if (extra->us <= 0 || !(i->use_vmac || (extra->is_all && is_anything_elsewhere(load, i))))
		return;
	if (i->garp_refresh_us == 0 || extra->us < i->garp_refresh_us)
		i->garp_refresh_us = extra->us;
}
