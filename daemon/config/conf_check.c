/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about finished tables: each is a small function that looks at one record and reports what is wrong with it.
 * Runs in the config role; nothing here changes a record. */
#include "conf_load.h"
#include <stdlib.h>
#include <string.h>

static const char *text(struct conf_load *load, conf_string_t s)
{
	return conf_builder_text(load->builder, s);
}

static void *at(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	return conf_builder_at(load->builder, table, i);
}

static const struct conf_node *node_of(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	return conf_object(load, table, i)->node;
}

/* ---- VRRP ---- */

static void check_vrid(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	if (!conf_given(load, &conf_instance_block, i, "virtual_router_id"))
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s needs a virtual_router_id (1 to 255)", text(load, in->name));
}

static void check_interface(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);
	bool everywhere = in->unicast;

	if (in->interface)
		return;
	for (uint32_t k = 0; k < in->addresses.count; k++) {
		const struct conf_address *a = at(load, CONF_TABLE_ADDRESS, in->addresses.first + k);

		everywhere &= a->interface != 0;
	}
	if (!everywhere)
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s needs an interface (only unicast goes without, with `dev` behind each "
			"address)",
			text(load, in->name));
}

static void check_addresses(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	if (in->n_advertised == 0)
		conf_warn(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s has no virtual_ipaddress" CONF_MEANING "its elections move nothing",
			text(load, in->name));
	if (in->n_advertised > 255)
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s has %u addresses; an advertisement can name 255: move some to "
			"virtual_ipaddress_excluded",
			text(load, in->name), in->n_advertised);
}

static bool peers_overlap(struct conf_load *load, const struct conf_instance *a, const struct conf_instance *b)
{
	for (uint32_t i = 0; i < a->peers.count; i++) {
		for (uint32_t k = 0; k < b->peers.count; k++) {
			const struct conf_peer *left = at(load, CONF_TABLE_PEER, a->peers.first + i);
			const struct conf_peer *right = at(load, CONF_TABLE_PEER, b->peers.first + k);

			if (addr_equal(&left->addr, &right->addr))
				return true;
		}
	}
	return false;
}

/* Two instances that could not be told apart by what arrives. */
static void check_same_vrid(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	for (conf_index_t k = 0; k < i; k++) {
		const struct conf_instance *other = at(load, CONF_TABLE_INSTANCE, k);

		if (other->vrid != in->vrid || other->family != in->family || other->interface != in->interface ||
			other->unicast != in->unicast || in->vrid == 0)
			continue;
		if (in->unicast && !peers_overlap(load, in, other))
			continue;
		conf_error(load, conf_statement(load, CONF_TABLE_INSTANCE, i, "virtual_router_id"), 1,
			"vrrp_instance %s has the virtual_router_id %u of vrrp_instance %s on the same interface",
			text(load, in->name), in->vrid, text(load, other->name));
		return;
	}
}

static void check_address(struct conf_load *load, conf_index_t i)
{
	const struct conf_address *a = at(load, CONF_TABLE_ADDRESS, i);
	const struct conf_node *node = node_of(load, CONF_TABLE_ADDRESS, i);

	if (strlen(text(load, a->interface)) > 15)
		conf_error(load, node, 0, "the interface name behind dev has more than 15 bytes");
	if (strlen(text(load, a->label)) > 15)
		conf_error(load, node, 0, "a label has at most 15 bytes");
	if (addr_is_multicast(&a->addr))
		conf_error(load, node, 0, "a multicast address cannot be held by an interface");
}

static int compare_addresses(const void *left, const void *right)
{
	const struct conf_address *const *a = left, *const *b = right;
	int r = addr_compare(&(*a)->addr, &(*b)->addr);

	return r ? r : (*a > *b) - (*a < *b);
}

/* The same address twice; sorted, because there may be many. */
static void check_same_addresses(struct conf_load *load)
{
	uint32_t n = conf_builder_count(load->builder, CONF_TABLE_ADDRESS);
	const struct conf_address **sorted, *first;

	if (n < 2)
		return;
	first = at(load, CONF_TABLE_ADDRESS, 0);
	sorted = conf_realloc(NULL, n, sizeof(*sorted));
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = first + i;
	qsort(sorted, n, sizeof(*sorted), compare_addresses);
	for (uint32_t i = 1; i < n; i++) {
		const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, sorted[i - 1]->instance);
		char address[ADDR_TEXT];

		if (!addr_equal(&sorted[i]->addr, &sorted[i - 1]->addr) || addr_is_link_local(&sorted[i]->addr))
			continue;
		conf_warn(load, node_of(load, CONF_TABLE_ADDRESS, (conf_index_t)(sorted[i] - first)), 0,
			"%s is already an address of vrrp_instance %s", addr_format(&sorted[i]->addr, address),
			text(load, in->name));
	}
	free(sorted);
}

static void check_script(struct conf_load *load, conf_index_t i)
{
	const struct conf_script *s = at(load, CONF_TABLE_SCRIPT, i);

	if (s->command.argc == 0)
		conf_error(load, node_of(load, CONF_TABLE_SCRIPT, i), 1, "vrrp_script %s needs a script",
			text(load, s->name));
}

static void check_group(struct conf_load *load, conf_index_t i)
{
	const struct conf_group *g = at(load, CONF_TABLE_GROUP, i);

	if (g->members.count < 2)
		conf_warn(load, node_of(load, CONF_TABLE_GROUP, i), 1, "vrrp_sync_group %s has %s", text(load, g->name),
			g->members.count ? "only one member" CONF_MEANING "it has no effect"
					 : "no members" CONF_MEANING "it has no effect");
}

/* ---- names ---- */

/* Records that begin with their name. */
static void check_names(struct conf_load *load, enum conf_table table, const char *what)
{
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, table); i++) {
		const conf_string_t *name = at(load, table, i);

		for (conf_index_t k = 0; k < i; k++) {
			const conf_string_t *other = at(load, table, k);

			/* Strings are interned: the same text has the same offset. */
			if (*other != *name)
				continue;
			conf_error(load, node_of(load, table, i), 1, "there is already a %s %s (line %u)", what,
				text(load, *name), node_of(load, table, k)->place.line);
			break;
		}
	}
}

/* ---- services ---- */

static bool same_service(const struct conf_service *a, const struct conf_service *b)
{
	if (a->kind != b->kind || a->protocol != b->protocol || a->family != b->family)
		return false;
	switch ((enum conf_service_kind)a->kind) {
	case CONF_SERVICE_ADDRESS:
		return a->port == b->port && addr_equal(&a->addr, &b->addr);
	case CONF_SERVICE_FWMARK:
		return a->fwmark == b->fwmark;
	case CONF_SERVICE_GROUP:
		return a->group == b->group;
	}
	return false;
}

static void check_same_service(struct conf_load *load, conf_index_t i)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, i);

	for (conf_index_t k = 0; k < i; k++) {
		if (!same_service(s, at(load, CONF_TABLE_SERVICE, k)))
			continue;
		conf_error(load, node_of(load, CONF_TABLE_SERVICE, i), 1,
			"this virtual_server is the one of line %u again",
			node_of(load, CONF_TABLE_SERVICE, k)->place.line);
		return;
	}
}

static void check_quorum(struct conf_load *load, conf_index_t i)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, i);
	uint64_t total = 0;

	for (uint32_t k = 0; k < s->servers.count; k++) {
		const struct conf_server *r = at(load, CONF_TABLE_SERVER, s->servers.first + k);

		total += (uint64_t)r->weight;
	}
	if (s->servers.count == 0)
		conf_warn(load, node_of(load, CONF_TABLE_SERVICE, i), 1, "this virtual_server has no real_server");
	else if (s->quorum > 1 && s->quorum > total)
		conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, i, "quorum"), 1,
			"the weights of all servers are %llu together: a quorum of %u is never reached",
			(unsigned long long)total, s->quorum);
}

static void check_server(struct conf_load *load, conf_index_t i)
{
	const struct conf_server *s = at(load, CONF_TABLE_SERVER, i);
	const struct conf_service *v = at(load, CONF_TABLE_SERVICE, s->service);

	if (s->addr.family != v->family && s->forward != CONF_FORWARD_TUN)
		conf_error(load, node_of(load, CONF_TABLE_SERVER, i), 1,
			"the address has the other family than the service; only TUN allows that");
	if (s->lower_threshold > s->upper_threshold)
		conf_warn(load, conf_statement(load, CONF_TABLE_SERVER, i, "lthreshold"), 1,
			"lthreshold is higher than uthreshold" CONF_MEANING "it has no effect");
}

static int compare_servers(const void *left, const void *right)
{
	const struct conf_server *const *a = left, *const *b = right;
	int r = ((*a)->service > (*b)->service) - ((*a)->service < (*b)->service);

	if (r == 0)
		r = addr_compare(&(*a)->addr, &(*b)->addr);
	if (r == 0)
		r = (*a)->port - (*b)->port;
	return r ? r : (*a > *b) - (*a < *b);
}

/* Ports may have become equal when they were settled. */
static void check_same_servers(struct conf_load *load)
{
	uint32_t n = conf_builder_count(load->builder, CONF_TABLE_SERVER);
	const struct conf_server **sorted, *first;

	if (n < 2)
		return;
	first = at(load, CONF_TABLE_SERVER, 0);
	sorted = conf_realloc(NULL, n, sizeof(*sorted));
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = first + i;
	qsort(sorted, n, sizeof(*sorted), compare_servers);
	for (uint32_t i = 1; i < n; i++) {
		const struct conf_server *a = sorted[i - 1], *b = sorted[i];

		if (a->service != b->service || a->port != b->port || !addr_equal(&a->addr, &b->addr))
			continue;
		if (a->is_sorry || b->is_sorry)
			conf_warn(load, node_of(load, CONF_TABLE_SERVER, (conf_index_t)(b - first)), 1,
				"the sorry_server is also a real_server of this service");
		else
			conf_error(load, node_of(load, CONF_TABLE_SERVER, (conf_index_t)(b - first)), 1,
				"this server is already in the service (line %u)", a->line);
	}
	free(sorted);
}

/* ---- the table of rules ---- */

static const struct {
	enum conf_table table;
	void (*check)(struct conf_load *load, conf_index_t i);
} rules[] = {
	{CONF_TABLE_INSTANCE, check_vrid},
	{CONF_TABLE_INSTANCE, check_interface},
	{CONF_TABLE_INSTANCE, check_addresses},
	{CONF_TABLE_INSTANCE, check_same_vrid},
	{CONF_TABLE_ADDRESS, check_address},
	{CONF_TABLE_SCRIPT, check_script},
	{CONF_TABLE_GROUP, check_group},
	{CONF_TABLE_SERVICE, check_same_service},
	{CONF_TABLE_SERVICE, check_quorum},
	{CONF_TABLE_SERVER, check_server},
};

void conf_check(struct conf_load *load)
{
	for (unsigned r = 0; r < sizeof(rules) / sizeof(rules[0]); r++)
		for (conf_index_t i = 0; i < conf_builder_count(load->builder, rules[r].table); i++)
			rules[r].check(load, i);
	check_names(load, CONF_TABLE_INSTANCE, "vrrp_instance");
	check_names(load, CONF_TABLE_GROUP, "vrrp_sync_group");
	check_names(load, CONF_TABLE_SCRIPT, "vrrp_script");
	check_names(load, CONF_TABLE_SERVICE_GROUP, "virtual_server_group");
	check_same_addresses(load);
	check_same_servers(load);
}
