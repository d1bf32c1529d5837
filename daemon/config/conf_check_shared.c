/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rule about services that want the same connections: an address of a group that is also one of another service, a
 * mark of two. The kernel has one service of each, so the servers of the other wait in vain. Runs in the config role;
 * nothing here changes a record. */
#include "conf_finish.h"
#include <stdlib.h>
#include <sys/socket.h>

/* Addresses first..last with a port, or a mark. */
struct claim {
	struct addr first, last; /* of a mark: nothing but the family */
	uint32_t mark;
	uint16_t protocol, port;
	bool is_of_group;
	conf_index_t service;
};

struct claims {
	struct claim *list;
	uint32_t n;
};

/* Two claims that meet. */
struct overlap {
	conf_index_t first, second; /* services, in the order of the file */
	uint32_t claim;             /* the later one of the two, in the order of the addresses */
};

static void *at(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	return conf_builder_at(load->builder, table, i);
}

static void add(struct claims *claims, const struct claim *claim)
{
	if ((claims->n & (claims->n - 1)) == 0)
		claims->list = conf_realloc(claims->list, claims->n ? 2 * (size_t)claims->n : 1, sizeof(*claims->list));
	claims->list[claims->n++] = *claim;
}

static void add_mark(struct claims *claims, conf_index_t service, uint32_t mark, uint16_t family, bool is_of_group)
{
	const struct claim claim = {.first.family = (uint8_t)family,
		.last.family = (uint8_t)family,
		.mark = mark,
		.is_of_group = is_of_group,
		.service = service};

	add(claims, &claim);
}

static void add_group(struct conf_load *load, struct claims *claims, conf_index_t service, const struct conf_service *s)
{
	const struct conf_service_group *group = at(load, CONF_TABLE_SERVICE_GROUP, s->group);

	for (uint32_t i = group->entries.first; i < group->entries.first + group->entries.count; i++) {
		const struct conf_group_entry *e = at(load, CONF_TABLE_GROUP_ENTRY, i);
		const struct claim claim = {.first = e->first,
			.last = e->last,
			.protocol = s->protocol,
			.port = e->port,
			.is_of_group = true,
			.service = service};

		if (e->fwmark)
			add_mark(claims, service, e->fwmark, (uint16_t)s->family, true);
		else
			add(claims, &claim);
	}
}

static void add_service(struct conf_load *load, struct claims *claims, conf_index_t service)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, service);
	const struct claim claim = {
		.first = s->addr, .last = s->addr, .protocol = s->protocol, .port = s->port, .service = service};

	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		add(claims, &claim);
		return;
	case CONF_SERVICE_FWMARK:
		add_mark(claims, service, s->fwmark, (uint16_t)s->family, false);
		return;
	case CONF_SERVICE_GROUP:
		if (s->group != CONF_NONE)
			add_group(load, claims, service, s);
		return;
	}
}

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* What can never be the same connection is apart. */
static int compare_kinds(const struct claim *a, const struct claim *b)
{
	int r = order(a->first.family, b->first.family);

	if (r == 0)
		r = order(a->mark, b->mark);
	if (r == 0)
		r = order(a->protocol, b->protocol);
	return r ? r : order(a->port, b->port);
}

static int compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int r = compare_kinds(a, b);

	if (r == 0)
		r = addr_compare(&a->first, &b->first);
	return r ? r : order(a->service, b->service);
}

/* The same group twice is the same service twice, which is said elsewhere, as it is of two that are no groups. */
static bool are_the_same(struct conf_load *load, const struct claim *a, const struct claim *b)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, a->service);
	const struct conf_service *other = at(load, CONF_TABLE_SERVICE, b->service);

	if (!a->is_of_group || !b->is_of_group)
		return a->is_of_group == b->is_of_group;
	return s->group == other->group && s->protocol == other->protocol && s->family == other->family;
}

static void report(struct conf_load *load, const struct overlap *o, const struct claim *claim)
{
	const struct conf_node *node = conf_object_node(load, CONF_TABLE_SERVICE, o->second);
	uint32_t line = conf_node_place(conf_object_node(load, CONF_TABLE_SERVICE, o->first)).line;
	char text[ADDR_TEXT];

	if (claim->mark)
		conf_warn(load, node, 1,
			"mark %u is also one of the virtual_server of line %u" CONF_MEANING
			"only one of them gets its packets",
			claim->mark, line);
	else
		conf_warn(load, node, 1,
			"%s is also an address of the virtual_server of line %u" CONF_MEANING
			"only one of them gets its connections",
			addr_format_port(&claim->first, claim->port, text), line);
}

static int compare_overlaps(const void *left, const void *right)
{
	const struct overlap *a = left, *b = right;
	int r = order(a->first, b->first);

	if (r == 0)
		r = order(a->second, b->second);
	return r ? r : order(a->claim, b->claim);
}

/* Of each two services the first address (else mark) that both want: the others have the same cause. */
static void report_pairs(struct conf_load *load, struct overlap *overlaps, uint32_t n, const struct claim *claims)
{
	if (n)
		qsort(overlaps, n, sizeof(*overlaps), compare_overlaps);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || overlaps[i].first != overlaps[i - 1].first ||
			overlaps[i].second != overlaps[i - 1].second)
			report(load, &overlaps[i], &claims[overlaps[i].claim]);
}

/* Only a group has more than its line says: without one, conf_check_repeated() finds what is the same. */
static bool has_groups(struct conf_load *load)
{
	for (uint32_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_SERVICE); i++)
		if (((const struct conf_service *)at(load, CONF_TABLE_SERVICE, i))->kind == CONF_SERVICE_GROUP)
			return true;
	return false;
}

void conf_check_shared(struct conf_load *load)
{
	struct claims claims = {0};
	struct overlap *overlaps = NULL;
	uint32_t n = 0, room = 0, widest = 0; /* of those so far, the one that reaches farthest */

	if (!has_groups(load))
		return;
	for (uint32_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_SERVICE); i++)
		add_service(load, &claims, i);
	if (claims.n)
		qsort(claims.list, claims.n, sizeof(*claims.list), compare);
	for (uint32_t i = 1; i < claims.n; i++) {
		const struct claim *before = &claims.list[widest], *claim = &claims.list[i];
		bool meets = compare_kinds(before, claim) == 0 && addr_compare(&claim->first, &before->last) <= 0;

		if (meets && before->service != claim->service && !are_the_same(load, before, claim)) {
			bool rises = before->service < claim->service;

			overlaps = conf_grow(overlaps, n, &room, sizeof(*overlaps));
			overlaps[n++] = (struct overlap){
				rises ? before->service : claim->service, rises ? claim->service : before->service, i};
		}
		if (!meets || addr_compare(&claim->last, &before->last) > 0)
			widest = i;
	}
	report_pairs(load, overlaps, n, claims.list);
	free(overlaps);
	free(claims.list);
}
