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
	conf_string_t vrf;                      /* its table counts, not `table` */
	uint32_t metrics_given, metrics_locked; /* bits by RTAX_* */
	uint32_t metrics[CONF_ROUTE_METRICS];
	conf_string_t congctl;
	struct conf_range nexthops; /* one: of the route itself */
	conf_index_t instance;      /* CONF_NONE: it is always there */
	conf_index_t track_group;   /* of a static one; CONF_NONE: nothing depends on it */
};

struct conf_nexthop {
	struct addr via; /* AF_UNSPEC = none */
	conf_string_t interface;
	uint32_t weight, flags, realms; /* 1..256; RTNH_F_* */
	conf_index_t encap;             /* CONF_NONE: packets go as they are */
};

/* What packets are wrapped in (encap). */
#define CONF_ENCAP_LABELS 16
#define CONF_ENCAP_SEGMENTS 8
#define CONF_ENCAP_CSUM_NONE 255 /* ila: none is asked for */

struct conf_encap {
	uint8_t type;     /* LWTUNNEL_ENCAP_MPLS, _IP, _IP6, _ILA or _SEG6 */
	uint8_t mode;     /* ila: ILA_CSUM_* or CONF_ENCAP_CSUM_NONE; seg6: SEG6_IPTUN_MODE_* */
	uint8_t tos, ttl; /* of the outer header; ttl 0 = the kernel's choice */
	uint16_t flags;   /* ip, ip6: bits of the tunnel, as LWTUNNEL_IP_FLAGS has them in network order */
	uint16_t zero;
	uint64_t id;          /* ip, ip6: of the tunnel; ila: the locator */
	struct addr to, from; /* ip, ip6 */
	uint8_t n_labels, n_segments, zero2[2];
	uint32_t labels[CONF_ENCAP_LABELS];        /* mpls, outermost first */
	uint8_t segments[CONF_ENCAP_SEGMENTS][16]; /* seg6, in the order of the way */
	uint32_t zero3;
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
	conf_index_t track_group;
};

#endif
