/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that are made for an instance: macvlans with the virtual MAC address, and ipvlans. Runs in the config
 * role. What the file says is kept beside the instance until its family and number are known; then there is a record
 * for each interface. */
#include "conf_link.h"
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 16 /* of an interface, with its end */

static const char *const modes[] = {[0] = "bridge", [IPVLAN_F_PRIVATE] = "private", [IPVLAN_F_VEPA] = "vepa", NULL};

static struct conf_instance *instance_at(struct conf_load *load, conf_index_t i)
{
	return conf_builder_at(load->builder, CONF_TABLE_INSTANCE, i);
}

/* ---- what is read ---- */

/* Six pairs of digits, or five: then the last byte is the virtual_router_id. */
static bool read_mac(const char *text, uint8_t mac[6])
{
	unsigned v[6] = {0};
	int used = 0,
	    n = sscanf(text, "%2x:%2x:%2x:%2x:%2x%n:%2x%n", &v[0], &v[1], &v[2], &v[3], &v[4], &used, &v[5], &used);

	if (n < 5 || text[used])
		return false;
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)v[i];
	return true;
}

static bool begin_link(struct conf_load *load, const struct conf_node *node, enum conf_link_kind kind)
{
	struct conf_link *link = &conf_current_extra_write(load, CONF_TABLE_INSTANCE)->link;

	if (link->kind != CONF_LINK_NONE && link->kind != kind) {
		conf_warn(load, node, 0,
			"an instance has use_vmac or use_ipvlan, not both" CONF_MEANING
			"the first one counts, not this line");
		return false;
	}
	link->kind = (uint8_t)kind;
	return true;
}

static void read_name(struct conf_load *load, const struct conf_node *node, uint32_t i, struct conf_link *link)
{
	if (strlen(conf_word(node, i)) >= NAME_SIZE)
		conf_error(load, node, i, "an interface name has at most 15 bytes");
	link->name = conf_text(load, conf_word(node, i));
}

/* use_vmac [NAME] [MAC] */
void conf_link_vmac(struct conf_load *load, const struct conf_node *node)
{
	struct conf_link *link = &conf_current_extra_write(load, CONF_TABLE_INSTANCE)->link;
	uint32_t i = 1;

	if (!begin_link(load, node, CONF_LINK_MACVLAN))
		return;
	if (i < node->n_words && !strchr(conf_word(node, i), ':'))
		read_name(load, node, i++, link);
	if (i < node->n_words && !read_mac(conf_word(node, i++), link->mac))
		conf_error(load, node, i - 1, "\"%s\" is no MAC address (00:00:5e:00:01:33)", conf_word(node, i - 1));
	conf_extra_words(load, node, i);
}

/* use_ipvlan [NAME] [ADDRESS[/PREFIX]] [MODE] */
void conf_link_ipvlan(struct conf_load *load, const struct conf_node *node)
{
	struct conf_link *link = &conf_current_extra_write(load, CONF_TABLE_INSTANCE)->link;
	uint32_t i = 1;
	int mode;

	if (!begin_link(load, node, CONF_LINK_IPVLAN))
		return;
	mode = conf_parse_choice(conf_word(node, i), modes);
	if (i < node->n_words && mode < 0 && addr_parse_prefix(conf_word(node, i), &link->own, &link->own_prefix) < 0)
		read_name(load, node, i++, link);
	if (i < node->n_words && addr_parse_prefix(conf_word(node, i), &link->own, &link->own_prefix) == 0)
		i++;
	mode = conf_parse_choice(conf_word(node, i), modes);
	if (i < node->n_words && mode >= 0) {
		link->mode = (uint8_t)mode;
		i++;
	}
	conf_extra_words(load, node, i);
}

void conf_print_link(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);
	const struct conf_link *link;
	char text[ADDR_TEXT], own[ADDR_TEXT + 8] = "";
	const uint8_t *m;

	if (i->link == CONF_NONE)
		return;
	link = conf_print_record(p, CONF_TABLE_LINK, i->link);
	m = link->mac;
	if (link->kind == CONF_LINK_MACVLAN) {
		conf_print_line(p, "use_vmac %s %02x:%02x:%02x:%02x:%02x:%02x", conf_print_text(p, link->name), m[0],
			m[1], m[2], m[3], m[4], m[5]);
		return;
	}
	if (addr_is_set(&link->own))
		snprintf(own, sizeof(own), " %s/%u", addr_format(&link->own, text), link->own_prefix);
	conf_print_line(p, "use_ipvlan %s%s %s", conf_print_text(p, link->name), own, modes[link->mode]);
}

/* ---- the records ---- */

static const struct conf_node *statement(struct conf_load *load, conf_index_t index)
{
	const char *keyword = conf_given(load, &conf_instance_block, index, "use_ipvlan") ? "use_ipvlan" : "use_vmac";

	return conf_statement(load, CONF_TABLE_INSTANCE, index, keyword);
}

/* RFC 9568, 7.3 */
static void usual_mac(uint8_t family, uint8_t vrid, uint8_t mac[6])
{
	const uint8_t usual[] = {0x00, 0x00, 0x5e, 0x00, family == AF_INET6 ? 0x02 : 0x01, vrid};

	memcpy(mac, usual, sizeof(usual));
}

static void finish_mac(struct conf_load *load, conf_index_t index, struct conf_link *link)
{
	static const uint8_t none[6];
	const struct conf_instance *i = instance_at(load, index);
	uint8_t usual[6];

	usual_mac(i->family, i->vrid, usual);
	/* The address of another virtual router, or of none. */
	if (memcmp(link->mac, usual, 4) == 0 && link->mac[4] >= 1 && link->mac[4] <= 2 && link->mac[5] != 0 &&
		memcmp(link->mac, usual, sizeof(usual)) != 0) {
		conf_warn(load, statement(load, index), 1,
			"vrrp_instance %s: a MAC address 00:00:5e:00:01:xx or 00:00:5e:00:02:xx belongs to the virtual "
			"router of that number" CONF_MEANING "the instance's own is taken",
			conf_builder_text(load->builder, i->name));
		memset(link->mac, 0, sizeof(link->mac));
	}
	if (memcmp(link->mac, none, sizeof(none)) == 0)
		memcpy(link->mac, usual, sizeof(usual));
	if (link->mac[5] == 0)
		link->mac[5] = i->vrid;
}

static conf_index_t add_link(struct conf_load *load, const struct conf_node *node, const struct conf_link *link)
{
	conf_index_t number = conf_builder_count(load->builder, CONF_TABLE_LINK);

	*(struct conf_link *)conf_record_add(load, CONF_TABLE_LINK, node) = *link;
	return number;
}

/* By an interface that has been made, or that an instance names. */
static bool is_taken(struct conf_load *load, conf_string_t name)
{
	for (conf_index_t k = 0; k < conf_builder_count(load->builder, CONF_TABLE_LINK); k++)
		if (((struct conf_link *)conf_builder_at(load->builder, CONF_TABLE_LINK, k))->name == name)
			return true;
	for (conf_index_t k = 0; k < conf_builder_count(load->builder, CONF_TABLE_INSTANCE); k++)
		if (conf_extra(load, CONF_TABLE_INSTANCE, k)->link.name == name)
			return true;
	return false;
}

/* As keepalived names them: vrrp.51; if that is taken vrrp6.51 for IPv6; then vrrp1.51 and so on. The prefix is cut
 * when the whole would be too long. */
static conf_string_t name_of(
	struct conf_load *load, conf_string_t prefix, const struct conf_instance *i, uint8_t family)
{
	unsigned vrid = i->vrid;
	conf_string_t name = 0;
	char text[64], tail[24];

	for (unsigned try = 0; !name || is_taken(load, name); try++) {
		unsigned number = family == AF_INET6 ? try - 1 : try;
		int length = try == 0 ? snprintf(tail, sizeof(tail), ".%u", vrid)
				      : snprintf(tail, sizeof(tail), "%u.%u", number ? number : 6, vrid);

		snprintf(text, sizeof(text), "%.*s%s", NAME_SIZE - 1 - length,
			prefix ? conf_builder_text(load->builder, prefix) : "vrrp", tail);
		name = conf_text(load, text);
	}
	return name;
}

/* The address of an ipvlan is there as long as the interface is, whoever is master. */
static void add_own_address(struct conf_load *load, const struct conf_node *node, conf_index_t number)
{
	const struct conf_link *link = conf_builder_at(load->builder, CONF_TABLE_LINK, number);
	struct conf_address address = {.addr = link->own,
		.prefix = link->own_prefix,
		.interface = link->name,
		.instance = CONF_NONE,
		.link = number,
		.preferred_s = UINT32_MAX};

	*(struct conf_address *)conf_record_add(load, CONF_TABLE_ADDRESS, node) = address;
}

/* The interface that use_vmac or use_ipvlan asks for. */
static void add_main_link(struct conf_load *load, conf_index_t index)
{
	struct conf_link link = conf_extra(load, CONF_TABLE_INSTANCE, index)->link;
	const struct conf_global *g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	const struct conf_instance *i = instance_at(load, index);
	const struct conf_node *node = statement(load, index);
	conf_index_t number;

	link.instance = index;
	link.base = i->interface;
	if (!link.name)
		link.name = name_of(load, g->vmac_prefix, i, i->family);
	if (link.kind == CONF_LINK_MACVLAN)
		finish_mac(load, index, &link);
	if (link.kind == CONF_LINK_IPVLAN && i->family == AF_INET && link.own.family != AF_INET)
		conf_error(load, node, 0,
			"use_ipvlan needs an IPv4 address for the interface, which advertisements come from: write "
			"use_ipvlan [NAME] ADDRESS/PREFIX");
	if (link.kind == CONF_LINK_IPVLAN && addr_is_set(&link.own) && !addr_is_set(&i->source))
		instance_at(load, index)->source = link.own;
	number = add_link(load, node, &link);
	instance_at(load, index)->link = number;
	instance_at(load, index)->use_vmac = link.kind == CONF_LINK_MACVLAN;
	if (addr_is_set(&link.own))
		add_own_address(load, node, number);
}

/* The macvlan for addresses of this family on this interface, which is made when there is none. */
static conf_index_t link_for(
	struct conf_load *load, conf_index_t index, conf_string_t base, uint8_t family, uint32_t first)
{
	const struct conf_global *g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	const struct conf_instance *i = instance_at(load, index);
	struct conf_link link = {.kind = CONF_LINK_MACVLAN, .base = base, .instance = index};

	usual_mac(family, i->vrid, link.mac);
	for (conf_index_t k = first; k < conf_builder_count(load->builder, CONF_TABLE_LINK); k++) {
		const struct conf_link *other = conf_builder_at(load->builder, CONF_TABLE_LINK, k);

		if (other->kind == CONF_LINK_MACVLAN && other->base == base &&
			memcmp(other->mac, link.mac, sizeof(link.mac)) == 0)
			return k;
	}
	link.name = name_of(load, g->vmac_addr_prefix ? g->vmac_addr_prefix : g->vmac_prefix, i, family);
	return add_link(load, conf_object_node(load, CONF_TABLE_INSTANCE, index), &link);
}

void conf_finish_links(struct conf_load *load, conf_index_t index)
{
	const struct conf_extra extra = *conf_extra(load, CONF_TABLE_INSTANCE, index);
	const struct conf_range addresses = instance_at(load, index)->addresses;
	uint32_t first = conf_builder_count(load->builder, CONF_TABLE_LINK);

	instance_at(load, index)->link = CONF_NONE;
	if (extra.link.kind != CONF_LINK_NONE)
		add_main_link(load, index);
	for (uint32_t k = addresses.first; k < addresses.first + addresses.count; k++) {
		const struct conf_instance *i = instance_at(load, index);
		struct conf_address a = *(struct conf_address *)conf_builder_at(load->builder, CONF_TABLE_ADDRESS, k);
		conf_string_t base = a.interface ? a.interface : i->interface;

		if (!addr_is_set(&a.addr))
			continue;
		a.use_vmac |= extra.use_vmac_addr > 0 && (base != i->interface || a.addr.family != i->family);
		if (a.use_vmac)
			a.link = link_for(load, index, base, a.addr.family, first);
		else if (base == i->interface && i->use_vmac)
			a.link = i->link; /* keepalived holds nothing but its own address on an ipvlan */
		*(struct conf_address *)conf_builder_at(load->builder, CONF_TABLE_ADDRESS, k) = a;
	}
	instance_at(load, index)->links =
		(struct conf_range){first, conf_builder_count(load->builder, CONF_TABLE_LINK) - first};
}

/* ---- rules ---- */

void conf_check_link(struct conf_load *load, conf_index_t number)
{
	const struct conf_link *link = conf_builder_at(load->builder, CONF_TABLE_LINK, number);
	const struct conf_node *node = conf_object_node(load, CONF_TABLE_LINK, number);
	const char *name = conf_builder_text(load->builder, link->name);
	const char *owner = conf_builder_text(load->builder, instance_at(load, link->instance)->name);

	if (!link->base)
		conf_error(load, node, 0,
			"vrrp_instance %s needs an interface for what use_vmac and use_ipvlan make on it", owner);
	for (conf_index_t k = 0; k < number; k++) {
		const struct conf_link *other = conf_builder_at(load->builder, CONF_TABLE_LINK, k);
		const char *other_owner = conf_builder_text(load->builder, instance_at(load, other->instance)->name);

		if (other->name == link->name)
			conf_error(load, node, 0,
				"vrrp_instance %s and %s would both have the interface %s: write use_vmac NAME", owner,
				other_owner, name);
		else if (link->kind == CONF_LINK_MACVLAN && other->kind == CONF_LINK_MACVLAN &&
			 other->base == link->base && memcmp(other->mac, link->mac, sizeof(link->mac)) == 0)
			conf_error(load, node, 0,
				"vrrp_instance %s and %s would both have the virtual MAC address of number %u on %s: "
				"give "
				"them different numbers",
				owner, other_owner, link->mac[5], conf_builder_text(load->builder, link->base));
	}
}
