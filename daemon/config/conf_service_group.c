/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtual_server_group: addresses, ranges and marks that share the servers of one virtual_server. Runs in the config
 * role. */
#include "conf_guard.h"
#include "conf_print.h"
#include <stdlib.h>
#include <string.h>

/* The number behind the dash replaces the last part of the address (hexadecimal in IPv6). */
static bool read_last(const char *text, const struct addr *first, struct addr *last)
{
	bool v4 = first->family == AF_INET;
	size_t n = addr_len(first);
	unsigned long number;
	char *end;

	if (addr_parse(text, last) == 0)
		return last->family == first->family;
	number = strtoul(text, &end, v4 ? 10 : 16);
	if (!*text || *end || text[0] == '-' || number > (v4 ? 255u : 65535u))
		return false;
	*last = *first;
	last->bytes[n - 1] = (uint8_t)number;
	if (!v4)
		last->bytes[n - 2] = (uint8_t)(number >> 8);
	return true;
}

/* ADDRESS/PREFIX: first and last address of the network. */
static bool read_network(const char *text, struct addr *first, struct addr *last)
{
	uint8_t prefix;

	if (addr_parse_prefix(text, first, &prefix) < 0)
		return false;
	*last = *first;
	for (unsigned bit = prefix; bit < addr_len(first) * 8; bit++) {
		first->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
		last->bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	return true;
}

bool conf_range_read(const char *text, struct addr *first, struct addr *last)
{
	const char *dash = strchr(text, '-');
	char begin[ADDR_TEXT];

	if (strchr(text, '/'))
		return read_network(text, first, last);
	if (!dash) {
		if (addr_parse(text, first) < 0)
			return false;
		*last = *first;
		return true;
	}
	if ((size_t)(dash - text) >= sizeof(begin))
		return false;
	memcpy(begin, text, (size_t)(dash - text));
	begin[dash - text] = 0;
	return addr_parse(begin, first) == 0 && read_last(dash + 1, first, last) && addr_compare(first, last) <= 0;
}

static void add_mark(struct conf_load *load, const struct conf_node *node)
{
	struct conf_group_entry *e;
	int64_t mark;

	if (conf_parse_number(conf_word(node, 1), 1, UINT32_MAX, &mark) != CONF_VALUE_OK) {
		conf_error(load, node, 1, "a firewall mark is a number from 1, not \"%s\"", conf_word(node, 1));
		return;
	}
	e = conf_record_add(load, CONF_TABLE_GROUP_ENTRY, node);
	e->fwmark = (uint32_t)mark;
	if (strcmp(conf_word(node, 2), "inet6") == 0)
		e->first.family = e->last.family = AF_INET6;
	else if (strcmp(conf_word(node, 2), "inet") == 0)
		e->first.family = e->last.family = AF_INET;
	else
		conf_extra_words(load, node, 2);
}

static void add_entry(struct conf_load *load, const struct conf_node *node)
{
	struct conf_group_entry *e, read = {0};
	int64_t port = 0;

	if (strcmp(conf_word(node, 0), "fwmark") == 0) {
		add_mark(load, node);
		return;
	}
	if (!conf_range_read(conf_word(node, 0), &read.first, &read.last)) {
		conf_error(load, node, 0, "\"%s\" is no address, range (10.0.0.1-9), network or fwmark",
			conf_word(node, 0));
		return;
	}
	if (node->n_words > 1 && conf_parse_number(conf_word(node, 1), 0, 65535, &port) != CONF_VALUE_OK) {
		conf_error(load, node, 1, "a port is a number from 1 to 65535, not \"%s\"", conf_word(node, 1));
		return;
	}
	conf_extra_words(load, node, 2);
	read.port = (uint16_t)port;
	e = conf_record_add(load, CONF_TABLE_GROUP_ENTRY, node);
	*e = read;
}

/* The block has lines but no keywords. */
static bool begin_service_group(struct conf_load *load, const struct conf_node *node)
{
	struct conf_service_group *g;
	conf_string_t name;
	conf_index_t index;

	if (!conf_name_take(load, CONF_TABLE_SERVICE_GROUP, node, &name))
		return false;
	g = conf_object_begin(load, &conf_service_group_block, node);
	index = load->current[CONF_TABLE_SERVICE_GROUP];
	g->name = name;
	g->entries.first = conf_builder_count(load->builder, CONF_TABLE_GROUP_ENTRY);
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n)) {
		if (n->block)
			conf_error(load, n, 0,
				"a block has no place in virtual_server_group; is a `}` missing before it?");
		else if (n->n_words)
			add_entry(load, n);
	}
	g = conf_builder_at(load->builder, CONF_TABLE_SERVICE_GROUP, index);
	g->entries.count = conf_builder_count(load->builder, CONF_TABLE_GROUP_ENTRY) - g->entries.first;
	return false;
}

static void print_entry(struct conf_printer *p, const struct conf_group_entry *e)
{
	char first[ADDR_TEXT], last[ADDR_TEXT], port[16] = "";

	if (e->fwmark) {
		conf_print_line(p, "fwmark %u%s", e->fwmark,
			e->first.family == AF_INET6  ? " inet6"
			: e->first.family == AF_INET ? " inet"
						     : "");
		return;
	}
	if (e->port)
		snprintf(port, sizeof(port), " %u", e->port);
	if (addr_equal(&e->first, &e->last))
		conf_print_line(p, "%s%s", addr_format(&e->first, first), port);
	else
		conf_print_line(p, "%s-%s%s", addr_format(&e->first, first), addr_format(&e->last, last), port);
}

static void print_service_group(struct conf_printer *p, uint32_t record)
{
	const struct conf_service_group *g = conf_print_record(p, CONF_TABLE_SERVICE_GROUP, record);

	conf_print_open(p, "virtual_server_group %s", conf_print_text(p, g->name));
	for (uint32_t i = 0; i < g->entries.count; i++)
		print_entry(p, conf_print_record(p, CONF_TABLE_GROUP_ENTRY, g->entries.first + i));
	conf_print_close(p);
}

static const struct conf_directive no_directives[] = {END_OF_TABLE};

const struct conf_block conf_service_group_block = {
	.name = "virtual_server_group",
	.table = CONF_TABLE_SERVICE_GROUP,
	.directives = {no_directives},
	.begin = begin_service_group,
	.print = print_service_group,
};
