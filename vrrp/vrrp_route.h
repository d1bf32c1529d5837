/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configured routes and rules as rtnetlink messages, and the reverse question: is a message of the kernel that route?
 * Pure: bytes in, bytes out. A message is kept as its body, so that the same bytes add a route, remove it, and stand in
 * the ledger. */
#ifndef POISE_VRRP_ROUTE_H
#define POISE_VRRP_ROUTE_H

#include "conf.h"
#include "vrrp_link.h"

struct nl_msg;
struct nlmsghdr;

/* The longest body of a message; a route with all its next hops has to fit. */
#define VRRP_PATH_SIZE 760

enum vrrp_path_kind { VRRP_PATH_ROUTE, VRRP_PATH_RULE, VRRP_PATH_LINK /* vrrp_vmac.h */ };

/* A route or a rule: the body of its message. Bytes behind length are zero, so two are equal when all bytes are. */
struct vrrp_path {
	uint8_t kind; /* enum vrrp_path_kind */
	uint8_t kept; /* of a link: arp_ignore of the interface below before, + 1; 0 = not changed */
	uint16_t length;
	uint8_t bytes[VRRP_PATH_SIZE] __attribute__((aligned(4)));
};

/* Fills path. Returns 0, -ENODEV when an interface that it names does not exist (yet), or -EMSGSIZE. */
int vrrp_path_of_route(const struct conf *conf, conf_index_t route, const struct links *links, struct vrrp_path *path);
int vrrp_path_of_rule(const struct conf *conf, conf_index_t rule, struct vrrp_path *path);

/* Where among routes to the same destination a new one goes. */
enum vrrp_path_place { VRRP_PATH_PREPEND, VRRP_PATH_ADD, VRRP_PATH_APPEND };
/* Type and flags of the message that adds it, or of the one that removes it. */
int vrrp_path_type(const struct vrrp_path *path, bool adds);
int vrrp_path_flags(enum vrrp_path_place place);
/* Puts the body into a message. Returns 0 or -EMSGSIZE. */
int vrrp_path_put(const struct vrrp_path *path, struct nl_msg *msg);

/* Whether an RTM_NEWROUTE or RTM_NEWRULE message of the kernel is that route or rule: all that was asked for is there,
 * and nothing that would make it another one. Any bytes may come. */
bool vrrp_path_is(const struct vrrp_path *path, const struct nlmsghdr *nlh);

/* What a dump has to be asked for to see it: the table and protocol of a route. */
struct vrrp_path_where {
	uint8_t kind, family, protocol;
	uint32_t table;
};
struct vrrp_path_where vrrp_path_where(const struct vrrp_path *path);

#endif
