/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes and rules of the configuration as rtnetlink messages, and their comparison with what the kernel dumps. Pure;
 * part of the vrrp process. What the kernel adds by itself (a cache, a default) is no difference; what makes a route
 * go elsewhere is. */
#include "vrrp_route.h"
#include "vrrp_encap.h"
#include "vrrp_vmac.h"
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>

/* Not in every header that we can be built with. */
#define POISE_RTA_MAX 31
#define POISE_FRA_MAX 31
#define DEFAULT_METRIC6 1024 /* what the kernel takes for 0 */

/* ---- encoding ---- */

static int put_addr(struct nl_msg *msg, int attribute, const struct addr *addr)
{
	return nla_put(msg, attribute, (int)addr_len(addr), addr->bytes) < 0 ? -EMSGSIZE : 0;
}

/* A gateway of the other family goes into an attribute that names its family. */
static int put_gateway(struct nl_msg *msg, uint8_t family, const struct addr *via)
{
	struct {
		uint16_t family;
		uint8_t bytes[16];
	} other = {.family = via->family};

	if (!addr_is_set(via))
		return 0;
	if (via->family == family)
		return put_addr(msg, RTA_GATEWAY, via);
	memcpy(other.bytes, via->bytes, addr_len(via));
	return nla_put(msg, RTA_VIA, (int)(sizeof(other.family) + addr_len(via)), &other) < 0 ? -EMSGSIZE : 0;
}

/* Returns the number of the interface, 0 when none is named, or -ENODEV. */
static int find_interface(const struct conf *conf, conf_string_t name, const struct links *links)
{
	const struct link *link;

	if (!name)
		return 0;
	link = links_find_name(links, conf_string(conf, name));
	return link ? (int)link->ifindex : -ENODEV;
}

static int put_encap(struct nl_msg *msg, const struct conf *conf, const struct conf_nexthop *hop)
{
	return hop->encap == CONF_NONE ? 0 : vrrp_encap_put(msg, &conf->encaps[hop->encap]);
}

static int put_hop(struct nl_msg *msg, const struct conf *conf, const struct conf_nexthop *hop, uint8_t family,
	const struct links *links)
{
	int ifindex = find_interface(conf, hop->interface, links);
	int error;

	if (ifindex < 0)
		return ifindex;
	error = put_gateway(msg, family, &hop->via);
	if (ifindex)
		error |= nla_put_u32(msg, RTA_OIF, (uint32_t)ifindex);
	error |= put_encap(msg, conf, hop);
	return error ? -EMSGSIZE : 0;
}

static int put_hops(
	struct nl_msg *msg, const struct conf *conf, const struct conf_route *route, const struct links *links)
{
	struct nlattr *list = nla_nest_start(msg, RTA_MULTIPATH);

	if (!list)
		return -EMSGSIZE;
	for (uint32_t i = 0; i < route->nexthops.count; i++) {
		const struct conf_nexthop *hop = &conf->nexthops[route->nexthops.first + i];
		struct rtnexthop *head = nlmsg_reserve(msg, sizeof(*head), NLMSG_ALIGNTO);
		int ifindex = find_interface(conf, hop->interface, links);
		char *begin = (char *)head;

		if (ifindex < 0)
			return ifindex;
		if (!head)
			return -EMSGSIZE;
		*head = (struct rtnexthop){.rtnh_ifindex = ifindex,
			.rtnh_hops = (uint8_t)(hop->weight ? hop->weight - 1 : 0),
			.rtnh_flags = (uint8_t)hop->flags};
		if (put_gateway(msg, route->family, &hop->via) < 0 || put_encap(msg, conf, hop) < 0)
			return -EMSGSIZE;
		if (hop->realms && nla_put_u32(msg, RTA_FLOW, hop->realms) < 0)
			return -EMSGSIZE;
		head->rtnh_len = (uint16_t)((char *)nlmsg_tail(nlmsg_hdr(msg)) - begin);
	}
	nla_nest_end(msg, list);
	return 0;
}

static int put_metrics(struct nl_msg *msg, const struct conf *conf, const struct conf_route *route)
{
	struct nlattr *list;
	int error = 0;

	if (!route->metrics_given && !route->metrics_locked && !route->congctl)
		return 0;
	list = nla_nest_start(msg, RTA_METRICS);
	if (!list)
		return -EMSGSIZE;
	if (route->metrics_locked)
		error |= nla_put_u32(msg, RTAX_LOCK, route->metrics_locked);
	for (int i = 0; i < CONF_ROUTE_METRICS; i++) {
		if (route->metrics_given >> i & 1)
			error |= nla_put_u32(msg, i, route->metrics[i]);
	}
	if (route->congctl)
		error |= nla_put_string(msg, RTAX_CC_ALGO, conf_string(conf, route->congctl));
	nla_nest_end(msg, list);
	return error ? -EMSGSIZE : 0;
}

/* Of its VRF, where it names one. Returns 0 or -ENODEV. */
static int find_table(
	const struct conf *conf, const struct conf_route *route, const struct links *links, uint32_t *table)
{
	const struct link *vrf;

	*table = route->table;
	if (!route->vrf)
		return 0;
	vrf = links_find_name(links, conf_string(conf, route->vrf));
	if (!vrf || !vrf->vrf_table)
		return -ENODEV;
	*table = vrf->vrf_table;
	return 0;
}

static int put_route(
	struct nl_msg *msg, const struct conf *conf, const struct conf_route *route, const struct links *links)
{
	const struct conf_nexthop *only = route->nexthops.count == 1 ? &conf->nexthops[route->nexthops.first] : NULL;
	struct rtmsg rtm = {.rtm_family = route->family,
		.rtm_dst_len = route->to_prefix,
		.rtm_src_len = route->from_prefix,
		.rtm_tos = route->tos,
		.rtm_protocol = route->protocol,
		.rtm_scope = route->scope,
		.rtm_type = route->type,
		.rtm_flags = only ? only->flags : 0};
	uint32_t table;
	int error = find_table(conf, route, links, &table);

	if (error)
		return error;
	rtm.rtm_table = table < 256 ? (uint8_t)table : RT_TABLE_COMPAT;
	if (nlmsg_append(msg, &rtm, sizeof(rtm), NLMSG_ALIGNTO) < 0)
		return -EMSGSIZE;
	if (route->to_prefix)
		error |= put_addr(msg, RTA_DST, &route->to);
	if (route->from_prefix)
		error |= put_addr(msg, RTA_SRC, &route->from);
	error |= nla_put_u32(msg, RTA_TABLE, table);
	if (route->metric)
		error |= nla_put_u32(msg, RTA_PRIORITY, route->metric);
	if (addr_is_set(&route->source))
		error |= put_addr(msg, RTA_PREFSRC, &route->source);
	if (route->realms)
		error |= nla_put_u32(msg, RTA_FLOW, route->realms);
	if (route->has_preference)
		error |= nla_put_u8(msg, RTA_PREF, route->preference);
	if (route->has_ttl_propagate)
		error |= nla_put_u8(msg, RTA_TTL_PROPAGATE, route->ttl_propagate);
	if (route->expires_s)
		error |= nla_put_u32(msg, RTA_EXPIRES, route->expires_s);
	error |= put_metrics(msg, conf, route);
	if (error)
		return -EMSGSIZE;
	if (only)
		return put_hop(msg, conf, only, route->family, links);
	return route->nexthops.count ? put_hops(msg, conf, route, links) : 0;
}

static int put_text(struct nl_msg *msg, int attribute, const struct conf *conf, conf_string_t text)
{
	return text ? nla_put_string(msg, attribute, conf_string(conf, text)) : 0;
}

static int put_range(struct nl_msg *msg, int attribute, const uint16_t range[2])
{
	struct fib_rule_port_range ports = {range[0], range[1]};

	return range[0] ? nla_put(msg, attribute, sizeof(ports), &ports) : 0;
}

static int put_rule(struct nl_msg *msg, const struct conf *conf, const struct conf_rule *rule)
{
	struct fib_rule_hdr head = {.family = rule->family,
		.dst_len = rule->to_prefix,
		.src_len = rule->from_prefix,
		.tos = rule->tos,
		.table = rule->table < 256 ? (uint8_t)rule->table : RT_TABLE_COMPAT,
		.action = rule->action,
		.flags = rule->is_inverted ? FIB_RULE_INVERT : 0};
	struct fib_rule_uid_range uids = {rule->uid_first, rule->uid_last};
	int error = 0;

	if (nlmsg_append(msg, &head, sizeof(head), NLMSG_ALIGNTO) < 0)
		return -EMSGSIZE;
	error |= nla_put_u32(msg, FRA_PRIORITY, rule->priority);
	error |= nla_put_u8(msg, FRA_PROTOCOL, rule->protocol);
	if (rule->to_prefix)
		error |= put_addr(msg, FRA_DST, &rule->to);
	if (rule->from_prefix)
		error |= put_addr(msg, FRA_SRC, &rule->from);
	if (rule->table)
		error |= nla_put_u32(msg, FRA_TABLE, rule->table);
	error |= put_text(msg, FRA_IIFNAME, conf, rule->iif) | put_text(msg, FRA_OIFNAME, conf, rule->oif);
	if (rule->has_mark)
		error |= nla_put_u32(msg, FRA_FWMARK, rule->mark) | nla_put_u32(msg, FRA_FWMASK, rule->mask);
	if (rule->action == FR_ACT_GOTO)
		error |= nla_put_u32(msg, FRA_GOTO, rule->target);
	if (rule->realms)
		error |= nla_put_u32(msg, FRA_FLOW, rule->realms);
	if (rule->suppress_prefix >= 0)
		error |= nla_put_u32(msg, FRA_SUPPRESS_PREFIXLEN, (uint32_t)rule->suppress_prefix);
	if (rule->suppress_group >= 0)
		error |= nla_put_u32(msg, FRA_SUPPRESS_IFGROUP, (uint32_t)rule->suppress_group);
	if (rule->tunnel)
		error |= nla_put_u64(msg, FRA_TUN_ID, htobe64(rule->tunnel));
	if (rule->l3mdev)
		error |= nla_put_u8(msg, FRA_L3MDEV, 1);
	if (rule->has_uids)
		error |= nla_put(msg, FRA_UID_RANGE, sizeof(uids), &uids);
	if (rule->ip_protocol)
		error |= nla_put_u8(msg, FRA_IP_PROTO, rule->ip_protocol);
	error |= put_range(msg, FRA_SPORT_RANGE, rule->sport) | put_range(msg, FRA_DPORT_RANGE, rule->dport);
	return error ? -EMSGSIZE : 0;
}

/* Takes the body out of a message. */
static int take(struct nl_msg *msg, enum vrrp_path_kind kind, int error, struct vrrp_path *path)
{
	int length = nlmsg_datalen(nlmsg_hdr(msg));

	*path = (struct vrrp_path){.kind = kind};
	if (!error && length > VRRP_PATH_SIZE)
		error = -EMSGSIZE;
	if (!error) {
		path->length = (uint16_t)length;
		memcpy(path->bytes, nlmsg_data(nlmsg_hdr(msg)), (size_t)length);
	}
	nlmsg_free(msg);
	return error;
}

int vrrp_path_of_route(const struct conf *conf, conf_index_t route, const struct links *links, struct vrrp_path *path)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWROUTE, 0);

	return msg ? take(msg, VRRP_PATH_ROUTE, put_route(msg, conf, &conf->routes[route], links), path) : -ENOMEM;
}

int vrrp_path_of_rule(const struct conf *conf, conf_index_t rule, struct vrrp_path *path)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWRULE, 0);

	return msg ? take(msg, VRRP_PATH_RULE, put_rule(msg, conf, &conf->rules[rule]), path) : -ENOMEM;
}

int vrrp_path_type(const struct vrrp_path *path, bool adds)
{
	if (path->kind == VRRP_PATH_LINK)
		return adds ? RTM_NEWLINK : RTM_DELLINK;
	if (path->kind == VRRP_PATH_ROUTE)
		return adds ? RTM_NEWROUTE : RTM_DELROUTE;
	return adds ? RTM_NEWRULE : RTM_DELRULE;
}

int vrrp_path_flags(enum vrrp_path_place place)
{
	switch (place) {
	case VRRP_PATH_PREPEND:
		return NLM_F_CREATE;
	case VRRP_PATH_ADD:
		return NLM_F_CREATE | NLM_F_EXCL;
	case VRRP_PATH_APPEND:
		return NLM_F_CREATE | NLM_F_APPEND;
	}
	return NLM_F_CREATE;
}

int vrrp_path_put(const struct vrrp_path *path, struct nl_msg *msg)
{
	return nlmsg_append(msg, (void *)(uintptr_t)path->bytes, path->length, NLMSG_ALIGNTO) < 0 ? -EMSGSIZE : 0;
}

/* ---- comparison ---- */

/* A body and its attributes. The fixed heads of both kinds have the same size. */
struct view {
	const uint8_t *head;
	const struct nlattr *tb[POISE_RTA_MAX + 1];
};
_Static_assert(sizeof(struct rtmsg) == sizeof(struct fib_rule_hdr), "routes and rules are parsed alike");
_Static_assert(POISE_RTA_MAX == POISE_FRA_MAX, "routes and rules are parsed alike");

/* nla_parse() wants a policy and a writable message; this takes any bytes. Unknown attributes are passed over. */
static bool parse(const uint8_t *bytes, size_t length, size_t head, struct view *view)
{
	*view = (struct view){.head = bytes};
	if (length < NLMSG_ALIGN(head))
		return false;
	for (size_t at = NLMSG_ALIGN(head); at + NLA_HDRLEN <= length;) {
		const struct nlattr *attr = (const struct nlattr *)(const void *)(bytes + at);
		int type = attr->nla_type & NLA_TYPE_MASK;

		if (attr->nla_len < NLA_HDRLEN || at + attr->nla_len > length)
			return false;
		if (type <= POISE_RTA_MAX)
			view->tb[type] = attr;
		at += NLA_ALIGN(attr->nla_len);
	}
	return true;
}

static size_t size_of(const struct nlattr *attr)
{
	return (size_t)attr->nla_len - NLA_HDRLEN;
}

static const uint8_t *data_of(const struct nlattr *attr)
{
	return (const uint8_t *)attr + NLA_HDRLEN;
}

static bool is_equal(const struct nlattr *a, const struct nlattr *b)
{
	return size_of(a) == size_of(b) && memcmp(data_of(a), data_of(b), size_of(a)) == 0;
}

/* Both have it and it is the same, or neither has it. */
static bool is_same(const struct view *wanted, const struct view *seen, int attribute)
{
	const struct nlattr *a = wanted->tb[attribute], *b = seen->tb[attribute];

	return a && b ? is_equal(a, b) : !a && !b;
}

/* What was asked for is there; what was not may be anything. */
static bool has_wanted(const struct view *wanted, const struct view *seen, int attribute)
{
	return !wanted->tb[attribute] || (seen->tb[attribute] && is_equal(wanted->tb[attribute], seen->tb[attribute]));
}

static uint32_t number_of(const struct view *view, int attribute, uint32_t otherwise)
{
	uint32_t number = otherwise;

	if (view->tb[attribute] && size_of(view->tb[attribute]) == sizeof(number))
		memcpy(&number, data_of(view->tb[attribute]), sizeof(number));
	return number;
}

/* All that was asked for stands in the list, too. */
static bool has_list(const struct nlattr *wanted, const struct nlattr *seen)
{
	struct view a, b;

	if (!wanted)
		return true;
	if (!seen || !parse(data_of(wanted), size_of(wanted), 0, &a) || !parse(data_of(seen), size_of(seen), 0, &b))
		return false;
	for (int i = 0; i <= POISE_RTA_MAX; i++) {
		if (!has_wanted(&a, &b, i))
			return false;
	}
	return true;
}

/* Wrapped in the same, or both not wrapped. */
static bool is_wrapped_alike(const struct view *wanted, const struct view *seen)
{
	return is_same(wanted, seen, RTA_ENCAP_TYPE) && has_list(wanted->tb[RTA_ENCAP], seen->tb[RTA_ENCAP]);
}

/* One next hop at `at` of a list; returns its size, 0 at the end or when the list is damaged. */
static size_t next_hop(const struct nlattr *list, size_t at, struct rtnexthop *head, struct view *view)
{
	if (at + sizeof(*head) > size_of(list))
		return 0;
	memcpy(head, data_of(list) + at, sizeof(*head));
	if (head->rtnh_len < sizeof(*head) || at + head->rtnh_len > size_of(list) ||
		!parse(data_of(list) + at, head->rtnh_len, sizeof(*head), view))
		return 0;
	return RTNH_ALIGN(head->rtnh_len);
}

/* In the order written: the kernel keeps it. */
static bool has_hops(const struct nlattr *wanted, const struct nlattr *seen)
{
	size_t a = 0, b = 0;

	if (!wanted || !seen)
		return !wanted && !seen;
	for (;;) {
		struct rtnexthop want, have;
		struct view want_view, have_view;
		size_t want_size = next_hop(wanted, a, &want, &want_view);
		size_t have_size = next_hop(seen, b, &have, &have_view);

		if (want_size == 0 || have_size == 0)
			return want_size == 0 && have_size == 0;
		if ((want.rtnh_ifindex && want.rtnh_ifindex != have.rtnh_ifindex) || want.rtnh_hops != have.rtnh_hops ||
			!is_same(&want_view, &have_view, RTA_GATEWAY) || !is_same(&want_view, &have_view, RTA_VIA) ||
			!is_wrapped_alike(&want_view, &have_view))
			return false;
		a += want_size;
		b += have_size;
	}
}

static bool is_route(const struct view *wanted, const struct view *seen)
{
	static const int exact[] = {RTA_DST, RTA_SRC, RTA_GATEWAY, RTA_VIA, RTA_FLOW};
	struct rtmsg want, have;
	uint32_t metric;

	memcpy(&want, wanted->head, sizeof(want));
	memcpy(&have, seen->head, sizeof(have));
	if (want.rtm_family != have.rtm_family || want.rtm_dst_len != have.rtm_dst_len ||
		want.rtm_src_len != have.rtm_src_len || want.rtm_tos != have.rtm_tos ||
		want.rtm_type != have.rtm_type || want.rtm_protocol != have.rtm_protocol)
		return false;
	/* IPv6 has no scopes. */
	if (want.rtm_family == AF_INET && want.rtm_scope != have.rtm_scope)
		return false;
	for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++) {
		if (!is_same(wanted, seen, exact[i]))
			return false;
	}
	metric = number_of(wanted, RTA_PRIORITY, 0);
	if (metric == 0 && want.rtm_family == AF_INET6)
		metric = DEFAULT_METRIC6;
	return number_of(wanted, RTA_TABLE, want.rtm_table) == number_of(seen, RTA_TABLE, have.rtm_table) &&
	       metric == number_of(seen, RTA_PRIORITY, 0) && has_wanted(wanted, seen, RTA_PREFSRC) &&
	       has_wanted(wanted, seen, RTA_OIF) && has_wanted(wanted, seen, RTA_PREF) &&
	       has_list(wanted->tb[RTA_METRICS], seen->tb[RTA_METRICS]) && is_wrapped_alike(wanted, seen) &&
	       has_hops(wanted->tb[RTA_MULTIPATH], seen->tb[RTA_MULTIPATH]);
}

static bool is_rule(const struct view *wanted, const struct view *seen)
{
	static const int exact[] = {FRA_DST, FRA_SRC, FRA_IIFNAME, FRA_OIFNAME, FRA_FWMARK, FRA_GOTO, FRA_TUN_ID,
		FRA_UID_RANGE, FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE};
	static const int asked[] = {FRA_FWMASK, FRA_FLOW, FRA_SUPPRESS_PREFIXLEN, FRA_SUPPRESS_IFGROUP, FRA_PROTOCOL};
	struct fib_rule_hdr want, have;

	memcpy(&want, wanted->head, sizeof(want));
	memcpy(&have, seen->head, sizeof(have));
	/* Other flags say how it is doing at the moment. */
	if (want.family != have.family || want.dst_len != have.dst_len || want.src_len != have.src_len ||
		want.tos != have.tos || want.action != have.action ||
		(want.flags & FIB_RULE_INVERT) != (have.flags & FIB_RULE_INVERT))
		return false;
	for (size_t i = 0; i < sizeof(exact) / sizeof(*exact); i++) {
		if (!is_same(wanted, seen, exact[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
		if (!has_wanted(wanted, seen, asked[i]))
			return false;
	}
	return number_of(wanted, FRA_PRIORITY, 0) == number_of(seen, FRA_PRIORITY, 0) &&
	       number_of(wanted, FRA_TABLE, want.table) == number_of(seen, FRA_TABLE, have.table) &&
	       !wanted->tb[FRA_L3MDEV] ==
		       !(seen->tb[FRA_L3MDEV] && size_of(seen->tb[FRA_L3MDEV]) > 0 && data_of(seen->tb[FRA_L3MDEV])[0]);
}

bool vrrp_path_is(const struct vrrp_path *path, const struct nlmsghdr *nlh)
{
	struct view wanted, seen;
	size_t length;

	if (nlh->nlmsg_type != vrrp_path_type(path, true) || nlh->nlmsg_len < NLMSG_HDRLEN)
		return false;
	length = nlh->nlmsg_len - NLMSG_HDRLEN;
	if (path->kind == VRRP_PATH_LINK)
		return vrrp_vmac_is(path, (const uint8_t *)nlh + NLMSG_HDRLEN, length);
	if (path->length > VRRP_PATH_SIZE || !parse(path->bytes, path->length, sizeof(struct rtmsg), &wanted) ||
		!parse((const uint8_t *)nlh + NLMSG_HDRLEN, length, sizeof(struct rtmsg), &seen))
		return false;
	return path->kind == VRRP_PATH_ROUTE ? is_route(&wanted, &seen) : is_rule(&wanted, &seen);
}

struct vrrp_path_where vrrp_path_where(const struct vrrp_path *path)
{
	struct vrrp_path_where where = {.kind = path->kind, .family = path->bytes[0]};
	struct view view;
	struct rtmsg rtm;

	if (path->kind != VRRP_PATH_ROUTE || path->length > VRRP_PATH_SIZE ||
		!parse(path->bytes, path->length, sizeof(rtm), &view))
		return where;
	memcpy(&rtm, view.head, sizeof(rtm));
	where.protocol = rtm.rtm_protocol;
	where.table = number_of(&view, RTA_TABLE, rtm.rtm_table);
	return where;
}
