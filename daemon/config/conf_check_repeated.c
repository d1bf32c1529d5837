/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about records that say the same as another one: sorted, because there may be very many. Runs in the config
 * role; nothing here changes a record. */
#include "conf_finish.h"
#include "conf_layout.h"
#include <stdlib.h>
#include <string.h>

/* Unicast instances with the same VRID are compared with this many before them. */
#define LOOK_BACK 64

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
	return conf_object_node(load, table, i);
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
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

/* Tells instances with the same number apart; not when they would have the same virtual MAC address. */
static struct addr group_of(const struct conf_instance *instance)
{
	return instance->unicast || instance->use_vmac ? (struct addr){0} : instance->group_address;
}

/* Instances on one interface with the same number: nothing that arrives would tell them apart. */
static int compare_instances(const void *left, const void *right)
{
	const struct conf_instance *a = *(const struct conf_instance *const *)left;
	const struct conf_instance *b = *(const struct conf_instance *const *)right;
	const struct addr left_group = group_of(a), right_group = group_of(b);
	int r = order(a->vrid, b->vrid);

	if (r == 0)
		r = order(a->family, b->family);
	if (r == 0)
		r = order(a->interface, b->interface);
	if (r == 0)
		r = order(a->unicast, b->unicast);
	return r ? r : addr_compare(&left_group, &right_group);
}

static bool report_instances(struct conf_load *load, conf_index_t before, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);
	const struct conf_instance *other = at(load, CONF_TABLE_INSTANCE, before);

	if (in->vrid == 0 || (in->unicast && !peers_overlap(load, in, other)))
		return false;
	conf_error(load, conf_statement(load, CONF_TABLE_INSTANCE, i, "virtual_router_id"), 1,
		"vrrp_instance %s has the virtual_router_id %u of vrrp_instance %s on the same interface: "
		"give it another one, or another mcast_dst_ip",
		text(load, in->name), in->vrid, text(load, other->name));
	return true;
}

static int compare_addresses(const void *left, const void *right)
{
	const struct conf_address *a = *(const struct conf_address *const *)left;
	const struct conf_address *b = *(const struct conf_address *const *)right;

	return addr_compare(&a->addr, &b->addr);
}

static bool report_addresses(struct conf_load *load, conf_index_t before, conf_index_t i)
{
	const struct conf_address *a = at(load, CONF_TABLE_ADDRESS, i);
	const struct conf_address *other = at(load, CONF_TABLE_ADDRESS, before);
	const struct conf_instance *in =
		other->instance == CONF_NONE ? NULL : at(load, CONF_TABLE_INSTANCE, other->instance);
	char address[ADDR_TEXT];

	/* A link-local address is another one on each interface. */
	if (!addr_is_link_local(&a->addr))
		conf_warn(load, node_of(load, CONF_TABLE_ADDRESS, i), 0, "%s is already an address of %s%s",
			addr_format(&a->addr, address), in ? "vrrp_instance " : "static_ipaddress",
			in ? text(load, in->name) : "");
	return true;
}

static int compare_services(const void *left, const void *right)
{
	const struct conf_service *a = *(const struct conf_service *const *)left;
	const struct conf_service *b = *(const struct conf_service *const *)right;
	int r = order(a->kind, b->kind);

	if (r == 0)
		r = order(a->protocol, b->protocol);
	if (r == 0)
		r = order(a->family, b->family);
	if (r == 0)
		r = addr_compare(&a->addr, &b->addr);
	if (r == 0)
		r = order(a->port, b->port);
	if (r == 0)
		r = order(a->fwmark, b->fwmark);
	return r ? r : order(a->group, b->group);
}

static bool report_services(struct conf_load *load, conf_index_t before, conf_index_t i)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, i);

	/* A group that does not exist was reported. */
	if (s->kind != CONF_SERVICE_GROUP || s->group != CONF_NONE)
		conf_error(load, node_of(load, CONF_TABLE_SERVICE, i), 1,
			"this virtual_server is the one of line %u again",
			conf_node_place(node_of(load, CONF_TABLE_SERVICE, before)).line);
	return true;
}

/* Ports may have become equal when they were settled. */
static int compare_servers(const void *left, const void *right)
{
	const struct conf_server *a = *(const struct conf_server *const *)left;
	const struct conf_server *b = *(const struct conf_server *const *)right;
	int r = order(a->service, b->service);

	if (r == 0)
		r = addr_compare(&a->addr, &b->addr);
	return r ? r : order(a->port, b->port);
}

static bool report_servers(struct conf_load *load, conf_index_t before, conf_index_t i)
{
	const struct conf_server *s = at(load, CONF_TABLE_SERVER, i);
	const struct conf_server *other = at(load, CONF_TABLE_SERVER, before);

	if (s->is_sorry || other->is_sorry)
		conf_warn(load, node_of(load, CONF_TABLE_SERVER, i), 1,
			"the sorry_server is also a real_server of this service");
	else
		conf_error(load, node_of(load, CONF_TABLE_SERVER, i), 1,
			"this server is already in the service (line %u)", other->line);
	return true;
}

/* Tables, what makes two records the same, and what to say of the later one: report() returns false when these two are
 * not the same after all. */
static const struct {
	enum conf_table table;
	int (*compare)(const void *left, const void *right);
	bool (*report)(struct conf_load *load, conf_index_t before, conf_index_t i);
} rules[] = {
	{CONF_TABLE_INSTANCE, compare_instances, report_instances},
	{CONF_TABLE_ADDRESS, compare_addresses, report_addresses},
	{CONF_TABLE_SERVICE, compare_services, report_services},
	{CONF_TABLE_SERVER, compare_servers, report_servers},
};

static int (*compare_current)(const void *left, const void *right);

/* Records that are the same stay in their order, which is that of their addresses in memory. */
static int compare_stable(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;
	int r = compare_current(left, right);

	return r ? r : (*a > *b) - (*a < *b);
}

/* Whether each is more than the one before, as where a program wrote the file. */
static bool is_rising(const char *base, uint32_t n, size_t size)
{
	for (uint32_t i = 1; i < n; i++) {
		const char *before = base + (i - 1) * size, *record = before + size;

		if (compare_current(&before, &record) >= 0)
			return false;
	}
	return true;
}

static void check_table(struct conf_load *load, unsigned rule)
{
	enum conf_table table = rules[rule].table;
	uint32_t n = conf_builder_count(load->builder, table), first = 0;
	size_t size = conf_record_size(table);
	const char **sorted, *base;

	if (n < 2)
		return;
	base = at(load, table, 0);
	compare_current = rules[rule].compare;
	if (is_rising(base, n, size))
		return;
	sorted = conf_realloc(NULL, n, sizeof(*sorted));
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = base + i * size;
	qsort(sorted, n, sizeof(*sorted), compare_stable);
	for (uint32_t i = 1; i < n; i++) {
		if (compare_current(&sorted[i - 1], &sorted[i]) != 0) {
			first = i;
			continue;
		}
		for (uint32_t k = i - first > LOOK_BACK ? i - LOOK_BACK : first; k < i; k++)
			if (rules[rule].report(load, (conf_index_t)((size_t)(sorted[k] - base) / size),
				    (conf_index_t)((size_t)(sorted[i] - base) / size)))
				break;
	}
	free(sorted);
}

void conf_check_repeated(struct conf_load *load)
{
	for (unsigned r = 0; r < sizeof(rules) / sizeof(rules[0]); r++)
		check_table(load, r);
}
