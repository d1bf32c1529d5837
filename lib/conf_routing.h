/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of a configuration generation: routes and rules, in the words of ip(8). */
#ifndef POISE_CONF_ROUTING_H
#define POISE_CONF_ROUTING_H

#include "conf_base.h"

#define CONF_ROUTE_METRICS 18 /* RTAX_* */
enum conf_route_place { CONF_ROUTE_PREPEND, CONF_ROUTE_ADD, CONF_ROUTE_APPEND };

struct conf_route {
	struct addr to, from; /* prefix 0 = any; the family is that of the route */
	struct addr source;   /* AF_UNSPEC = none */
	uint8_t family, to_prefix, from_prefix;
	uint8_t type; /* RTN_* */
	uint8_t scope, tos, protocol, no_track;
	uint8_t place; /* enum conf_route_place: among routes to the same destination */
	uint8_t has_preference, preference, has_ttl_propagate, ttl_propagate, zero1[3];
	uint32_t table, metric; /* metric 0 = the kernel's default */
	uint32_t realms, expires_s;
	uint32_t metrics_given, metrics_locked; /* bits by RTAX_* */
	uint32_t metrics[CONF_ROUTE_METRICS];
	conf_string_t congctl;
	struct conf_range nexthops; /* one: of the route itself */
	conf_index_t instance;      /* CONF_NONE: it is always there */
};

struct conf_nexthop {
	struct addr via; /* AF_UNSPEC = none */
	conf_string_t interface;
	uint32_t weight, flags, realms; /* 1..256; RTNH_F_* */
};

struct conf_rule {
	struct addr from, to; /* prefix 0 = any */
	uint8_t family, from_prefix, to_prefix;
	uint8_t action; /* FR_ACT_* */
	uint8_t tos, protocol, is_inverted, no_track;
	uint8_t has_mark, has_uids, l3mdev, ip_protocol;
	uint32_t priority, table, target; /* target: of goto */
	uint32_t mark, mask, realms;
	int32_t suppress_prefix, suppress_group; /* -1 = not */
	uint32_t uid_first, uid_last;
	uint32_t zero;
	uint64_t tunnel;
	uint16_t sport[2], dport[2]; /* first and last; 0 = any */
	conf_string_t iif, oif;
	conf_index_t instance; /* CONF_NONE: it is always there */
	uint32_t zero2;
};

#endif
