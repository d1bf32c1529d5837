/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads routes. Runs in the config role. A route that is not understood refuses the file: traffic that goes elsewhere
 * in silence is worse than an error. */
#include "conf_route.h"
#include "conf_encap_read.h"
#include "conf_iproute.h"
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
	struct conf_load *load;
	const struct conf_node *node;
	uint32_t at; /* the word that is being read */
	struct conf_route route;
	struct conf_nexthop hops[NEXTHOPS_MAX];
	uint32_t n_hops;
	struct conf_nexthop first; /* via, dev and their like outside nexthop */
	uint32_t protocol_at;      /* its word, 0 = not given */
	const struct conf_word *track_group;
	bool has_to, has_scope, has_table, is_wrong;
};

static const char *word(const struct reader *r)
{
	return conf_word(r->node, r->at);
}

static void fail(struct reader *r, const char *what)
{
	if (!r->is_wrong)
		conf_error(r->load, r->node, r->at, "%s, not \"%s\"", what, word(r));
	r->is_wrong = true;
}

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
		fail(r, "all addresses of a route have the same family");
}

/* keepalived hands 10.0.0.1/24 to the kernel, which wants 10.0.0.0/24 and refuses the route. */
static void warn_of_rest(struct reader *r)
{
	struct addr given;
	uint8_t bits;
	char text[ADDR_TEXT];

	if (addr_parse_prefix(word(r), &given, &bits) == 0 && !addr_equal(&given, &r->route.to))
		conf_warn(r->load, r->node, r->at, "this is an address in a network" CONF_MEANING "%s/%u is taken",
			addr_format(&r->route.to, text), bits);
}

static void read_to(struct reader *r)
{
	if (!conf_route_prefix(word(r), AF_UNSPEC, &r->route.to, &r->route.to_prefix)) {
		fail(r, "a route goes to ADDRESS[/PREFIX] or default");
		return;
	}
	r->has_to = true;
	set_family(r, r->route.to.family);
	warn_of_rest(r);
}

static void read_from(struct reader *r)
{
	if (!conf_route_prefix(word(r), AF_UNSPEC, &r->route.from, &r->route.from_prefix))
		fail(r, "from must be followed by ADDRESS[/PREFIX]");
	else
		set_family(r, r->route.from.family);
}

/* 0.0.0.0: of a source, whichever address the kernel chooses; of a gateway, none. */
static bool is_unspecified(const struct addr *addr)
{
	return memcmp(addr->bytes, (const uint8_t[16]){0}, addr_len(addr)) == 0;
}

static void read_source(struct reader *r)
{
	if (addr_parse(word(r), &r->route.source) < 0)
		fail(r, "src must be followed by an IP address");
	else
		set_family(r, r->route.source.family);
	if (is_unspecified(&r->route.source))
		r->route.source = (struct addr){0};
}

/* An IPv4 route may go through an IPv6 neighbour: `via inet6 ADDRESS`. */
static void read_via(struct reader *r, struct conf_nexthop *hop)
{
	bool is_named = strcmp(word(r), "inet6") == 0 || strcmp(word(r), "inet") == 0;

	r->at += is_named;
	if (addr_parse(word(r), &hop->via) < 0)
		fail(r, "via must be followed by an IP address");
	else if (!is_named)
		set_family(r, hop->via.family);
	if (is_unspecified(&hop->via))
		hop->via = (struct addr){0};
}

static void read_realms(struct reader *r, uint32_t *realms)
{
	char text[64];
	char *slash;
	uint32_t from = 0, to = 0;

	snprintf(text, sizeof(text), "%s", word(r));
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	if ((slash && !conf_iproute_number(r->load, CONF_IPROUTE_REALM, text, 65535, &from)) ||
		!conf_iproute_number(r->load, CONF_IPROUTE_REALM, slash ? slash + 1 : text, 65535, &to))
		fail(r, "realms must be followed by [FROM/]TO, names or numbers up to 65535");
	*realms = from << 16 | to;
}

static uint32_t read_number(struct reader *r, uint32_t low, uint32_t high, const char *what)
{
	uint32_t value = 0;

	if (!conf_iproute_plain(word(r), high, &value) || value < low)
		fail(r, what);
	return value;
}

/* ---- metrics ---- */

enum metric_kind { METRIC_PLAIN, METRIC_RTT, METRIC_RTTVAR, METRIC_TIME };

const struct conf_metric conf_metrics[] = {
	{"mtu", RTAX_MTU, METRIC_PLAIN},
	{"advmss", RTAX_ADVMSS, METRIC_PLAIN},
	{"rtt", RTAX_RTT, METRIC_RTT},
	{"rttvar", RTAX_RTTVAR, METRIC_RTTVAR},
	{"reordering", RTAX_REORDERING, METRIC_PLAIN},
	{"window", RTAX_WINDOW, METRIC_PLAIN},
	{"cwnd", RTAX_CWND, METRIC_PLAIN},
	{"ssthresh", RTAX_SSTHRESH, METRIC_PLAIN},
	{"rto_min", RTAX_RTO_MIN, METRIC_TIME},
	{"initcwnd", RTAX_INITCWND, METRIC_PLAIN},
	{"initrwnd", RTAX_INITRWND, METRIC_PLAIN},
	{"quickack", RTAX_QUICKACK, METRIC_PLAIN},
	{"hoplimit", RTAX_HOPLIMIT, METRIC_PLAIN},
	{"fastopen_no_cookie", RTAX_FASTOPEN_NO_COOKIE, METRIC_PLAIN},
	{0},
};

/* keepalived raises every time of a route to this. */
#define METRIC_TIME_LOW_MS 200

/* A bare number is the kernel's unit; with s or ms behind it, a time, which the kernel counts in eighths (rtt) or
 * quarters (rttvar) of a millisecond. */
static const uint32_t parts[] = {[METRIC_PLAIN] = 1, [METRIC_RTT] = 8, [METRIC_RTTVAR] = 4, [METRIC_TIME] = 1};

static uint32_t read_metric_value(struct reader *r, enum metric_kind kind)
{
	double time;
	uint32_t value = 0;
	char *end;

	if (conf_iproute_plain(word(r), UINT32_MAX, &value))
		return value;
	time = strtod(word(r), &end);
	if (kind != METRIC_PLAIN && end != word(r) && time >= 0 && time < 1e6) {
		if (strcmp(end, "s") == 0 || strcmp(end, "sec") == 0 || strcmp(end, "secs") == 0)
			return (uint32_t)(time * 1000 * parts[kind]);
		if (strcmp(end, "ms") == 0 || strcmp(end, "msec") == 0 || strcmp(end, "msecs") == 0)
			return (uint32_t)(time * parts[kind]);
	}
	fail(r, "a metric needs a number");
	return 0;
}

/* What keepalived makes of a time: an operator's file means that. */
static uint32_t at_least(struct reader *r, enum metric_kind kind, uint32_t value)
{
	uint32_t low = METRIC_TIME_LOW_MS * parts[kind];

	if (kind == METRIC_PLAIN || value >= low || r->is_wrong || r->load->dialect != CONF_DIALECT_KEEPALIVED)
		return value;
	conf_warn(
		r->load, r->node, r->at, "this is less than 200 ms" CONF_MEANING "200 ms is taken, as keepalived does");
	return low;
}

static bool read_metric(struct reader *r)
{
	struct conf_route *route = &r->route;

	for (const struct conf_metric *m = conf_metrics; m->name; m++) {
		if (strcmp(word(r), m->name) != 0)
			continue;
		r->at++;
		if (strcmp(word(r), "lock") == 0) {
			route->metrics_locked |= 1u << m->number;
			r->at++;
		}
		route->metrics_given |= 1u << m->number;
		route->metrics[m->number] = at_least(r, m->kind, read_metric_value(r, m->kind));
		return true;
	}
	if (strcmp(word(r), "congctl") == 0) {
		r->at++;
		if (strcmp(word(r), "lock") == 0) {
			route->metrics_locked |= 1u << RTAX_CC_ALGO;
			r->at++;
		}
		route->congctl = conf_text(r->load, word(r));
		return true;
	}
	if (strcmp(word(r), "features") == 0) {
		r->at++;
		if (strcmp(word(r), "ecn") != 0)
			fail(r, "features must be followed by ecn");
		/* keepalived's manual writes `features ecn add` in one place. */
		if (strcmp(conf_word(r->node, r->at + 1), "add") == 0)
			route->place = CONF_ROUTE_ADD, r->at++;
		route->metrics_given |= 1u << RTAX_FEATURES;
		route->metrics[RTAX_FEATURES] = RTAX_FEATURE_ECN;
		return true;
	}
	return false;
}

/* ---- next hops ---- */

static const struct conf_nexthop fresh_hop = {.weight = 1, .encap = CONF_NONE};

static void read_encap(struct reader *r, struct conf_nexthop *hop)
{
	struct conf_encap encap;

	r->at++;
	if (!conf_encap_read(r->load, r->node, &r->at, &encap)) {
		r->is_wrong = true;
		return;
	}
	hop->encap = conf_builder_add(r->load->builder, CONF_TABLE_ENCAP);
	*(struct conf_encap *)conf_builder_at(r->load->builder, CONF_TABLE_ENCAP, hop->encap) = encap;
}

/* nexthop [encap TYPE ...] via ADDRESS [dev NAME] [weight N] [onlink] [realms R] */
static void read_nexthop(struct reader *r)
{
	struct conf_nexthop *hop;

	if (r->n_hops == NEXTHOPS_MAX) {
		fail(r, "a route has at most 16 next hops");
		return;
	}
	hop = &r->hops[r->n_hops++];
	*hop = fresh_hop;
	for (r->at++; r->at < r->node->n_words && !r->is_wrong; r->at++) {
		if (strcmp(word(r), "via") == 0) {
			r->at++;
			read_via(r, hop);
		} else if (strcmp(word(r), "dev") == 0 || strcmp(word(r), "oif") == 0) {
			r->at++;
			hop->interface = conf_text(r->load, word(r));
		} else if (strcmp(word(r), "weight") == 0) {
			r->at++;
			hop->weight = read_number(r, 1, 256, "weight must be a number from 1 to 256");
		} else if (strcmp(word(r), "onlink") == 0) {
			hop->flags |= RTNH_F_ONLINK;
		} else if (strcmp(word(r), "encap") == 0) {
			read_encap(r, hop);
		} else if (strcmp(word(r), "realms") == 0) {
			r->at++;
			read_realms(r, &hop->realms);
		} else {
			r->at--;
			return;
		}
	}
}

/* via A or B */
static void read_alternative(struct reader *r)
{
	struct conf_nexthop *hop;

	if (r->n_hops == 0)
		r->hops[r->n_hops++] = r->first;
	if (r->n_hops == NEXTHOPS_MAX) {
		fail(r, "a route has at most 16 next hops");
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
	int i = conf_parse_choice(word(r), names);

	if (i < 0)
		return false;
	r->route.type = types[i];
	return true;
}

static void read_scope(struct reader *r)
{
	static const char *const names[] = {"global", "universe", "site", "link", "host", "nowhere", NULL};
	static const uint8_t scopes[] = {
		RT_SCOPE_UNIVERSE, RT_SCOPE_UNIVERSE, RT_SCOPE_SITE, RT_SCOPE_LINK, RT_SCOPE_HOST, RT_SCOPE_NOWHERE};
	int i = conf_parse_choice(word(r), names);

	r->has_scope = true;
	r->route.scope =
		i >= 0 ? scopes[i]
		       : (uint8_t)read_number(r, 0, 255, "scope must be global, site, link, host, nowhere or a number");
}

static void read_preference(struct reader *r)
{
	static const char *const names[] = {"medium", "high", "low", NULL};
	static const uint8_t values[] = {ICMPV6_ROUTER_PREF_MEDIUM, ICMPV6_ROUTER_PREF_HIGH, ICMPV6_ROUTER_PREF_LOW};
	int i = conf_parse_choice(word(r), names);

	if (i < 0) {
		fail(r, "pref must be low, medium or high");
		return;
	}
	r->route.has_preference = 1;
	r->route.preference = values[i];
}

static void read_ttl_propagate(struct reader *r)
{
	static const char *const names[] = {"disabled", "enabled", NULL};
	int i = conf_parse_choice(word(r), names);

	if (i < 0) {
		fail(r, "ttl-propagate must be enabled or disabled");
		return;
	}
	r->route.has_ttl_propagate = 1;
	r->route.ttl_propagate = (uint8_t)i;
}

/* A word with a value behind it, which r->at then is at. */
static bool read_pair(struct reader *r, const char *keyword)
{
	static const char *const keywords[] = {"to", "from", "src", "via", "gw", "dev", "oif", "table", "tos",
		"dsfield", "protocol", "proto", "scope", "priority", "preference", "metric", "realms", "or", "weight",
		"pref", "ttl-propagate", "expires", "track_group", "vrf", NULL};
	int i = conf_parse_choice(keyword, keywords);
	uint32_t number = 0;

	if (i < 0)
		return false;
	r->at++;
	if (!*word(r)) {
		r->at--;
		fail(r, "this word needs a value behind it");
		return true;
	}
	if (i == 0)
		read_to(r);
	else if (i == 1)
		read_from(r);
	else if (i == 2)
		read_source(r);
	else if (i == 3 || i == 4)
		read_via(r, &r->first);
	else if (i == 5 || i == 6)
		r->first.interface = conf_text(r->load, word(r));
	else if (i == 7) {
		if (!conf_iproute_number(r->load, CONF_IPROUTE_TABLE, word(r), UINT32_MAX, &number))
			fail(r, "table must be a number, or a name of /etc/iproute2/rt_tables");
		r->route.table = number;
		r->has_table = true;
	} else if (i == 8 || i == 9) {
		if (!conf_iproute_number(r->load, CONF_IPROUTE_DSFIELD, word(r), 255, &number))
			fail(r, "tos must be a number up to 255, or a name of /etc/iproute2/rt_dsfield");
		r->route.tos = (uint8_t)number;
	} else if (i == 10 || i == 11) {
		if (!conf_iproute_number(r->load, CONF_IPROUTE_PROTOCOL, word(r), 255, &number))
			fail(r, "protocol must be a number up to 255, or a name of /etc/iproute2/rt_protos");
		r->route.protocol = (uint8_t)number;
		r->protocol_at = r->at;
	} else if (i == 12)
		read_scope(r);
	else if (i >= 13 && i <= 15)
		r->route.metric = read_number(r, 0, UINT32_MAX, "a metric must be a number");
	else if (i == 16)
		read_realms(r, &r->route.realms);
	else if (i == 17)
		read_alternative(r);
	else if (i == 18)
		r->first.weight = read_number(r, 1, 256, "weight must be a number from 1 to 256");
	else if (i == 19)
		read_preference(r);
	else if (i == 20)
		read_ttl_propagate(r);
	else if (i == 21)
		r->route.expires_s = read_number(r, 1, UINT32_MAX, "expires must be a number of seconds");
	else if (i == 22)
		r->track_group = &r->node->words[r->at];
	else
		r->route.vrf = conf_text(r->load, word(r));
	return true;
}

/* as [to] LABELS: keepalived knows the words and makes no routes of labels. */
static void skip_labels(struct reader *r)
{
	conf_warn(r->load, r->node, r->at,
		"`as` is for routes from label to label" CONF_MEANING "it is ignored, as keepalived does");
	r->at += strcmp(conf_word(r->node, r->at + 1), "to") == 0;
	r->at++;
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
	for (r->at = 0; r->at < r->node->n_words && !r->is_wrong; r->at++) {
		const char *keyword = word(r);

		if (read_type(r) || read_pair(r, keyword) || read_metric(r) || read_bare(r, keyword))
			continue;
		if (!r->has_to)
			read_to(r);
		else
			fail(r, "this word means nothing in a route");
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
		r->load->dialect != CONF_DIALECT_KEEPALIVED)
		return;
	conf_warn(r->load, r->node, r->protocol_at,
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
		bytes += conf_encap_size(conf_builder_at(r->load->builder, CONF_TABLE_ENCAP, r->hops[i].encap));
	}
	if (wraps && bytes > HOPS_BYTES) {
		r->at = 0;
		fail(r, "this route has too many next hops with encap");
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
		r->at = 0;
		fail(r, "each next hop of a route needs via ADDRESS or dev NAME");
	}
	if (r->n_hops == 0 && (!needs_none || r->first.encap != CONF_NONE)) {
		r->at = 0;
		fail(r, "a route needs via ADDRESS or dev NAME, or blackhole, unreachable, prohibit or throw");
	}
}

static void complete(struct reader *r)
{
	struct conf_route *route = &r->route;

	if (r->is_wrong)
		return;
	if (route->family == AF_UNSPEC)
		route->family = AF_INET;
	route->to.family = route->family;
	if (!r->has_to) {
		r->at = 0;
		fail(r, "a route needs a destination: ADDRESS[/PREFIX] or default");
		return;
	}
	settle_hops(r);
	if (r->is_wrong)
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
	r->load = load;
	r->node = node;
	r->first = fresh_hop;
	r->route.type = RTN_UNICAST;
	r->route.protocol = KEEPALIVED_PROTOCOL;
	r->route.instance = instance;
	read_words(r);
	complete(r);
	if (!r->is_wrong) {
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
