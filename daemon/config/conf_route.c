/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads routes. Runs in the config role. A route that is not understood refuses the file: traffic that goes elsewhere
 * in silence is worse than an error. */
#include "conf_route.h"
#include "conf_encap_read.h"
#include "conf_metric.h"
#include "conf_phrase.h"
#include <linux/icmpv6.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define KEEPALIVED_PROTOCOL 18 /* as the system's list of routing protocols has it */
#define NEXTHOPS_MAX 16
/* What next hops may take of the message that makes a route (VRRP_PATH_SIZE of the vrrp role), and each without its
 * wrapping. */
#define HOPS_BYTES 470
#define HOP_BYTES 36

/* One route under construction. */
struct reader {
	struct conf_phrase in;
	struct conf_route route;
	struct conf_nexthop hops[NEXTHOPS_MAX];
	uint32_t n_hops;
	struct conf_nexthop first; /* via, dev and their like outside nexthop */
	uint32_t protocol_at;      /* its word, 0 = not given */
	const struct conf_word *track_group;
	bool has_to, has_scope, has_table;
};

/* ---- values ---- */

bool conf_route_prefix(const char *text, uint8_t family, struct addr *addr, uint8_t *prefix)
{
	unsigned bits;

	if (strcmp(text, "default6") == 0 && family != AF_INET) {
		*addr = (struct addr){.family = AF_INET6};
		*prefix = 0;
		return true;
	}
	if (strcmp(text, "default") == 0 || strcmp(text, "all") == 0 || strcmp(text, "any") == 0) {
		*addr = (struct addr){.family = family};
		*prefix = 0;
		return true;
	}
	if (addr_parse_prefix(text, addr, prefix) < 0 || (family != AF_UNSPEC && addr->family != family))
		return false;
	bits = (unsigned)addr_len(addr) * 8;
	for (unsigned bit = *prefix; bit < bits; bit++)
		addr->bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return true;
}

static void set_family(struct reader *r, uint8_t family)
{
	if (family == AF_UNSPEC)
		return;
	if (r->route.family == AF_UNSPEC)
		r->route.family = family;
	else if (r->route.family != family)
		phrase_fail(&r->in, "all addresses of a route have the same family");
}

/* keepalived hands 10.0.0.1/24 to the kernel, which wants 10.0.0.0/24 and refuses the route. */
static void warn_of_rest(struct reader *r)
{
	struct addr given;
	uint8_t bits;
	char text[ADDR_TEXT];

	if (addr_parse_prefix(phrase_word(&r->in), &given, &bits) == 0 && !addr_equal(&given, &r->route.to))
		conf_warn(r->in.load, r->in.node, r->in.at,
			"this is an address in a network" CONF_MEANING "%s/%u is taken",
			addr_format(&r->route.to, text), bits);
}

static void read_to(struct reader *r)
{
	if (!conf_route_prefix(phrase_word(&r->in), AF_UNSPEC, &r->route.to, &r->route.to_prefix)) {
		phrase_fail(&r->in, "a route goes to ADDRESS[/PREFIX] or default");
		return;
	}
	r->has_to = true;
	set_family(r, r->route.to.family);
	warn_of_rest(r);
}

static void read_destination(void *reader)
{
	read_to(reader);
}

static void read_from(void *reader)
{
	struct reader *r = reader;

	if (!conf_route_prefix(phrase_word(&r->in), AF_UNSPEC, &r->route.from, &r->route.from_prefix))
		phrase_fail(&r->in, "from must be followed by ADDRESS[/PREFIX]");
	else
		set_family(r, r->route.from.family);
}

/* 0.0.0.0: of a source, whichever address the kernel chooses; of a gateway, none. */
static bool is_unspecified(const struct addr *addr)
{
	return memcmp(addr->bytes, (const uint8_t[16]){0}, addr_len(addr)) == 0;
}

static void read_source(void *reader)
{
	struct reader *r = reader;

	if (addr_parse(phrase_word(&r->in), &r->route.source) < 0)
		phrase_fail(&r->in, "src must be followed by an IP address");
	else
		set_family(r, r->route.source.family);
	if (is_unspecified(&r->route.source))
		r->route.source = (struct addr){0};
}

/* An IPv4 route may go through an IPv6 neighbour: `via inet6 ADDRESS`. */
static void read_via(struct reader *r, struct conf_nexthop *hop)
{
	bool is_named = strcmp(phrase_word(&r->in), "inet6") == 0 || strcmp(phrase_word(&r->in), "inet") == 0;

	r->in.at += is_named;
	if (addr_parse(phrase_word(&r->in), &hop->via) < 0)
		phrase_fail(&r->in, "via must be followed by an IP address");
	else if (!is_named)
		set_family(r, hop->via.family);
	if (is_unspecified(&hop->via))
		hop->via = (struct addr){0};
}

/* ---- next hops ---- */

static const struct conf_nexthop fresh_hop = {.weight = 1, .encap = CONF_NONE};

static void read_encap(struct reader *r, struct conf_nexthop *hop)
{
	struct conf_encap encap;

	r->in.at++;
	if (!conf_encap_read(r->in.load, r->in.node, &r->in.at, &encap)) {
		r->in.is_wrong = true;
		return;
	}
	hop->encap = conf_builder_add(r->in.load->builder, CONF_TABLE_ENCAP);
	*(struct conf_encap *)conf_builder_at(r->in.load->builder, CONF_TABLE_ENCAP, hop->encap) = encap;
}

/* nexthop [encap TYPE ...] via ADDRESS [dev NAME] [weight N] [onlink] [realms R] */
static void read_nexthop(struct reader *r)
{
	struct conf_nexthop *hop;

	if (r->n_hops == NEXTHOPS_MAX) {
		phrase_fail(&r->in, "a route has at most 16 next hops");
		return;
	}
	hop = &r->hops[r->n_hops++];
	*hop = fresh_hop;
	for (r->in.at++; r->in.at < r->in.node->n_words && !r->in.is_wrong; r->in.at++) {
		if (strcmp(phrase_word(&r->in), "via") == 0) {
			r->in.at++;
			read_via(r, hop);
		} else if (strcmp(phrase_word(&r->in), "dev") == 0 || strcmp(phrase_word(&r->in), "oif") == 0) {
			r->in.at++;
			hop->interface = conf_text(r->in.load, phrase_word(&r->in));
		} else if (strcmp(phrase_word(&r->in), "weight") == 0) {
			r->in.at++;
			hop->weight = phrase_number(&r->in, 1, 256, "weight must be a number from 1 to 256");
		} else if (strcmp(phrase_word(&r->in), "onlink") == 0) {
			hop->flags |= RTNH_F_ONLINK;
		} else if (strcmp(phrase_word(&r->in), "encap") == 0) {
			read_encap(r, hop);
		} else if (strcmp(phrase_word(&r->in), "realms") == 0) {
			r->in.at++;
			hop->realms = phrase_realms(&r->in);
		} else {
			r->in.at--;
			return;
		}
	}
}

/* via A or B */
static void read_alternative(void *reader)
{
	struct reader *r = reader;
	struct conf_nexthop *hop;

	if (r->n_hops == 0)
		r->hops[r->n_hops++] = r->first;
	if (r->n_hops == NEXTHOPS_MAX) {
		phrase_fail(&r->in, "a route has at most 16 next hops");
		return;
	}
	hop = &r->hops[r->n_hops++];
	*hop = fresh_hop;
	read_via(r, hop);
}

/* ---- words ---- */

static bool read_type(struct reader *r)
{
	static const char *const names[] = {"unicast", "local", "broadcast", "anycast", "multicast", "blackhole",
		"unreachable", "prohibit", "throw", NULL};
	static const uint8_t types[] = {RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_ANYCAST, RTN_MULTICAST,
		RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT, RTN_THROW};
	int i = conf_parse_choice(phrase_word(&r->in), names);

	if (i < 0)
		return false;
	r->route.type = types[i];
	return true;
}

static void read_scope(void *reader)
{
	static const char *const names[] = {"global", "universe", "site", "link", "host", "nowhere", NULL};
	static const uint8_t scopes[] = {
		RT_SCOPE_UNIVERSE, RT_SCOPE_UNIVERSE, RT_SCOPE_SITE, RT_SCOPE_LINK, RT_SCOPE_HOST, RT_SCOPE_NOWHERE};
	struct reader *r = reader;
	int i = conf_parse_choice(phrase_word(&r->in), names);

	r->has_scope = true;
	r->route.scope = i >= 0 ? scopes[i]
				: (uint8_t)phrase_number(&r->in, 0, 255,
					  "scope must be global, site, link, host, nowhere or a number");
}

static void read_preference(void *reader)
{
	static const char *const names[] = {"medium", "high", "low", NULL};
	static const uint8_t values[] = {ICMPV6_ROUTER_PREF_MEDIUM, ICMPV6_ROUTER_PREF_HIGH, ICMPV6_ROUTER_PREF_LOW};
	struct reader *r = reader;
	int i = conf_parse_choice(phrase_word(&r->in), names);

	if (i < 0) {
		phrase_fail(&r->in, "pref must be low, medium or high");
		return;
	}
	r->route.has_preference = 1;
	r->route.preference = values[i];
}

static void read_ttl_propagate(void *reader)
{
	static const char *const names[] = {"disabled", "enabled", NULL};
	struct reader *r = reader;
	int i = conf_parse_choice(phrase_word(&r->in), names);

	if (i < 0) {
		phrase_fail(&r->in, "ttl-propagate must be enabled or disabled");
		return;
	}
	r->route.has_ttl_propagate = 1;
	r->route.ttl_propagate = (uint8_t)i;
}

/* ---- words with a value behind them ---- */

static void read_gateway(void *reader)
{
	struct reader *r = reader;

	read_via(r, &r->first);
}

static void read_interface(void *reader)
{
	struct reader *r = reader;

	r->first.interface = conf_text(r->in.load, phrase_word(&r->in));
}

static void read_table(void *reader)
{
	struct reader *r = reader;

	r->route.table = phrase_table(&r->in);
	r->has_table = true;
}

static void read_tos(void *reader)
{
	struct reader *r = reader;

	r->route.tos = phrase_tos(&r->in);
}

static void read_protocol(void *reader)
{
	struct reader *r = reader;

	r->route.protocol = phrase_protocol(&r->in);
	r->protocol_at = r->in.at;
}

static void read_route_metric(void *reader)
{
	struct reader *r = reader;

	r->route.metric = phrase_number(&r->in, 0, UINT32_MAX, "a metric must be a number");
}

static void read_realms(void *reader)
{
	struct reader *r = reader;

	r->route.realms = phrase_realms(&r->in);
}

static void read_weight(void *reader)
{
	struct reader *r = reader;

	r->first.weight = phrase_number(&r->in, 1, 256, "weight must be a number from 1 to 256");
}

static void read_expires(void *reader)
{
	struct reader *r = reader;

	r->route.expires_s = phrase_number(&r->in, 1, UINT32_MAX, "expires must be a number of seconds");
}

static void read_track_group(void *reader)
{
	struct reader *r = reader;

	r->track_group = &r->in.node->words[r->in.at];
}

static void read_vrf(void *reader)
{
	struct reader *r = reader;

	r->route.vrf = conf_text(r->in.load, phrase_word(&r->in));
}

static const struct phrase_pair pairs[] = {
	{"to", read_destination},
	{"from", read_from},
	{"src", read_source},
	{"via", read_gateway},
	{"gw", read_gateway},
	{"dev", read_interface},
	{"oif", read_interface},
	{"table", read_table},
	{"tos", read_tos},
	{"dsfield", read_tos},
	{"protocol", read_protocol},
	{"proto", read_protocol},
	{"scope", read_scope},
	{"priority", read_route_metric},
	{"preference", read_route_metric},
	{"metric", read_route_metric},
	{"realms", read_realms},
	{"or", read_alternative},
	{"weight", read_weight},
	{"pref", read_preference},
	{"ttl-propagate", read_ttl_propagate},
	{"expires", read_expires},
	{"track_group", read_track_group},
	{"vrf", read_vrf},
	{0},
};

/* ---- words that stand alone ---- */

/* as [to] LABELS: keepalived knows the words and makes no routes of labels. */
static void skip_labels(struct reader *r)
{
	conf_warn(r->in.load, r->in.node, r->in.at,
		"`as` is for routes from label to label" CONF_MEANING "it is ignored, as keepalived does");
	r->in.at += strcmp(conf_word(r->in.node, r->in.at + 1), "to") == 0;
	r->in.at++;
}

static bool read_bare(struct reader *r, const char *keyword)
{
	if (strcmp(keyword, "inet6") == 0)
		set_family(r, AF_INET6);
	else if (strcmp(keyword, "inet") == 0)
		set_family(r, AF_INET);
	else if (strcmp(keyword, "onlink") == 0)
		r->first.flags |= RTNH_F_ONLINK;
	else if (strcmp(keyword, "no_track") == 0)
		r->route.no_track = 1;
	else if (strcmp(keyword, "append") == 0)
		r->route.place = CONF_ROUTE_APPEND;
	else if (strcmp(keyword, "add") == 0)
		r->route.place = CONF_ROUTE_ADD;
	else if (strcmp(keyword, "prepend") == 0)
		r->route.place = CONF_ROUTE_PREPEND;
	else if (strcmp(keyword, "nexthop") == 0)
		read_nexthop(r);
	else if (strcmp(keyword, "encap") == 0)
		read_encap(r, &r->first);
	else if (strcmp(keyword, "as") == 0)
		skip_labels(r);
	else
		return false;
	return true;
}

static void read_words(struct reader *r)
{
	for (r->in.at = 0; r->in.at < r->in.node->n_words && !r->in.is_wrong; r->in.at++) {
		const char *keyword = phrase_word(&r->in);

		if (read_type(r) || phrase_read_pair(&r->in, pairs, r) || conf_metric_read(&r->in, &r->route) ||
			read_bare(r, keyword))
			continue;
		if (!r->has_to)
			read_to(r);
		else
			phrase_fail(&r->in, "this word means nothing in a route");
	}
}

/* Without `scope` keepalived writes global, where ip(8) writes link for a route without a gateway. The kernel takes
 * these types with their own scope alone. */
static uint8_t usual_scope(const struct conf_route *route)
{
	if (route->family == AF_INET6)
		return RT_SCOPE_UNIVERSE;
	if (route->type == RTN_LOCAL)
		return RT_SCOPE_HOST;
	if (route->type == RTN_BROADCAST || route->type == RTN_ANYCAST)
		return RT_SCOPE_LINK;
	return RT_SCOPE_UNIVERSE;
}

/* keepalived looks after its routes by their protocol, so one that it looks after has its own. */
static void settle_protocol(struct reader *r)
{
	if (!r->protocol_at || r->route.no_track || r->route.protocol == KEEPALIVED_PROTOCOL ||
		r->in.load->dialect != CONF_DIALECT_KEEPALIVED)
		return;
	conf_warn(r->in.load, r->in.node, r->protocol_at,
		"a protocol counts for a route with no_track" CONF_MEANING
		"protocol keepalived is taken, as keepalived does");
	r->route.protocol = KEEPALIVED_PROTOCOL;
}

/* A message has room for all plain next hops, not for a wrapping of each. */
static void check_size(struct reader *r)
{
	uint32_t bytes = 0;
	bool wraps = false;

	for (uint32_t i = 0; i < r->n_hops; i++) {
		bytes += HOP_BYTES;
		if (r->hops[i].encap == CONF_NONE)
			continue;
		wraps = true;
		bytes += conf_encap_size(conf_builder_at(r->in.load->builder, CONF_TABLE_ENCAP, r->hops[i].encap));
	}
	if (wraps && bytes > HOPS_BYTES) {
		r->in.at = 0;
		phrase_fail(&r->in, "this route has too many next hops with encap");
	}
}

static bool leads_somewhere(const struct conf_nexthop *hop)
{
	return hop->interface || addr_is_set(&hop->via);
}

/* What stands outside nexthop is the only one, or completes the others: `via A or B dev NAME`. */
static void settle_hops(struct reader *r)
{
	const uint8_t type = r->route.type;
	bool needs_none = type == RTN_BLACKHOLE || type == RTN_UNREACHABLE || type == RTN_PROHIBIT || type == RTN_THROW;

	if (r->n_hops == 0 && leads_somewhere(&r->first))
		r->hops[r->n_hops++] = r->first;
	for (uint32_t i = 0; i < r->n_hops; i++) {
		if (!r->hops[i].interface)
			r->hops[i].interface = r->first.interface;
		if (leads_somewhere(&r->hops[i]))
			continue;
		r->in.at = 0;
		phrase_fail(&r->in, "each next hop of a route needs via ADDRESS or dev NAME");
	}
	if (r->n_hops == 0 && (!needs_none || r->first.encap != CONF_NONE)) {
		r->in.at = 0;
		phrase_fail(
			&r->in, "a route needs via ADDRESS or dev NAME, or blackhole, unreachable, prohibit or throw");
	}
}

static void complete(struct reader *r)
{
	struct conf_route *route = &r->route;

	if (r->in.is_wrong)
		return;
	if (route->family == AF_UNSPEC)
		route->family = AF_INET;
	route->to.family = route->family;
	if (!r->has_to) {
		r->in.at = 0;
		phrase_fail(&r->in, "a route needs a destination: ADDRESS[/PREFIX] or default");
		return;
	}
	settle_hops(r);
	if (r->in.is_wrong)
		return;
	if (!r->has_scope)
		route->scope = usual_scope(route);
	if (!r->has_table)
		route->table = RT_TABLE_MAIN;
	settle_protocol(r);
	check_size(r);
}

static void add_route(struct conf_load *load, const struct conf_node *node, conf_index_t instance)
{
	struct reader *r = conf_realloc(NULL, 1, sizeof(*r));
	conf_index_t hop;

	memset(r, 0, sizeof(*r));
	r->in.load = load;
	r->in.node = node;
	r->first = fresh_hop;
	r->route.type = RTN_UNICAST;
	r->route.protocol = KEEPALIVED_PROTOCOL;
	r->route.instance = instance;
	read_words(r);
	complete(r);
	if (!r->in.is_wrong) {
		r->route.nexthops =
			(struct conf_range){conf_builder_count(load->builder, CONF_TABLE_NEXTHOP), r->n_hops};
		for (uint32_t i = 0; i < r->n_hops; i++) {
			hop = conf_builder_add(load->builder, CONF_TABLE_NEXTHOP);
			*(struct conf_nexthop *)conf_builder_at(load->builder, CONF_TABLE_NEXTHOP, hop) = r->hops[i];
		}
		*(struct conf_route *)conf_record_add(load, CONF_TABLE_ROUTE, node) = r->route;
		if (r->track_group)
			conf_last_extra_write(load, CONF_TABLE_ROUTE)->reference = r->track_group;
	}
	free(r);
}

void conf_route_virtual(struct conf_load *load, const struct conf_node *node)
{
	add_route(load, node, load->current[CONF_TABLE_INSTANCE]);
}

void conf_route_static(struct conf_load *load, const struct conf_node *node)
{
	add_route(load, node, CONF_NONE);
}
