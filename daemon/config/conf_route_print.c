/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints routes in the canonical form, which conf_route.c reads again as the same records. Runs in the config role. */
#include "conf_encap_read.h"
#include "conf_metric.h"
#include "conf_route.h"
#include <linux/rtnetlink.h>

void conf_route_print_prefix(FILE *out, const char *keyword, const struct addr *addr, uint8_t prefix)
{
	char text[ADDR_TEXT];

	if (prefix)
		fprintf(out, " %s %s/%u", keyword, addr_format(addr, text), prefix);
}

static void print_realms(FILE *out, uint32_t realms)
{
	if (realms)
		fprintf(out, " realms %u/%u", realms >> 16, realms & 0xffff);
}

static void print_hop(struct conf_printer *p, FILE *out, const struct conf_route *route, const struct conf_nexthop *hop)
{
	char text[ADDR_TEXT];

	if (hop->encap != CONF_NONE)
		conf_encap_print(out, conf_print_record(p, CONF_TABLE_ENCAP, hop->encap));
	if (addr_is_set(&hop->via))
		fprintf(out, " via %s%s", hop->via.family == route->family ? "" : "inet6 ",
			addr_format(&hop->via, text));
	if (hop->interface)
		fprintf(out, " dev %s", conf_print_text(p, hop->interface));
	if (hop->flags & RTNH_F_ONLINK)
		fprintf(out, " onlink");
	if (route->nexthops.count > 1)
		fprintf(out, " weight %u", hop->weight);
	print_realms(out, hop->realms);
}

static void print_metrics(struct conf_printer *p, FILE *out, const struct conf_route *route)
{
	for (const struct conf_metric *m = conf_metrics; m->name; m++) {
		if (route->metrics_given >> m->number & 1)
			fprintf(out, " %s%s %u", m->name, route->metrics_locked >> m->number & 1 ? " lock" : "",
				route->metrics[m->number]);
	}
	if (route->metrics_given >> RTAX_FEATURES & 1)
		fprintf(out, " features ecn");
	if (route->congctl)
		fprintf(out, " congctl%s %s", route->metrics_locked >> RTAX_CC_ALGO & 1 ? " lock" : "",
			conf_print_text(p, route->congctl));
}

static const char *type_word(uint8_t type)
{
	static const char *const words[] = {[RTN_LOCAL] = "local ",
		[RTN_BROADCAST] = "broadcast ",
		[RTN_ANYCAST] = "anycast ",
		[RTN_MULTICAST] = "multicast ",
		[RTN_BLACKHOLE] = "blackhole ",
		[RTN_UNREACHABLE] = "unreachable ",
		[RTN_PROHIBIT] = "prohibit ",
		[RTN_THROW] = "throw "};

	return type < sizeof(words) / sizeof(*words) && words[type] ? words[type] : "";
}

static void print_route(struct conf_printer *p, FILE *out, const void *record)
{
	const struct conf_route *route = record;
	static const char *const preferences[] = {"medium", "high", "", "low"};
	static const char *const places[] = {"", " add", " append"};
	char text[ADDR_TEXT];

	fprintf(out, "%s", type_word(route->type));
	if (route->to_prefix)
		fprintf(out, "%s/%u", addr_format(&route->to, text), route->to_prefix);
	else
		fprintf(out, "%s", route->family == AF_INET6 ? "default6" : "inet default");
	conf_route_print_prefix(out, "from", &route->from, route->from_prefix);
	if (route->nexthops.count == 1)
		print_hop(p, out, route, conf_print_record(p, CONF_TABLE_NEXTHOP, route->nexthops.first));
	if (addr_is_set(&route->source))
		fprintf(out, " src %s", addr_format(&route->source, text));
	if (route->vrf)
		fprintf(out, " vrf %s", conf_print_text(p, route->vrf));
	else
		fprintf(out, " table %u", route->table);
	fprintf(out, " scope %u protocol %u", route->scope, route->protocol);
	if (route->tos)
		fprintf(out, " tos %u", route->tos);
	if (route->metric)
		fprintf(out, " metric %u", route->metric);
	print_realms(out, route->realms);
	if (route->has_preference)
		fprintf(out, " pref %s", preferences[route->preference & 3]);
	if (route->has_ttl_propagate)
		fprintf(out, " ttl-propagate %s", route->ttl_propagate ? "enabled" : "disabled");
	if (route->expires_s)
		fprintf(out, " expires %u", route->expires_s);
	print_metrics(p, out, route);
	fprintf(out, "%s%s", places[route->place], route->no_track ? " no_track" : "");
	conf_print_track_group(p, out, route->track_group);
	for (uint32_t i = 0; route->nexthops.count > 1 && i < route->nexthops.count; i++) {
		fprintf(out, " nexthop");
		print_hop(p, out, route, conf_print_record(p, CONF_TABLE_NEXTHOP, route->nexthops.first + i));
	}
}

static bool owns_route(const void *record, conf_index_t instance)
{
	return ((const struct conf_route *)record)->instance == instance;
}

void conf_print_routes(struct conf_printer *p, conf_index_t instance, const char *keyword)
{
	conf_print_owned(p, CONF_TABLE_ROUTE, keyword, instance, owns_route, print_route);
}
