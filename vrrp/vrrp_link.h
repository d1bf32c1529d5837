/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces and their addresses, as the kernel last told: an image kept from rtnetlink messages, and what the virtual
 * routers ask of it. Pure: the bytes come in as arguments (vrrp_monitor.h reads them from the kernel). */
#ifndef POISE_VRRP_LINK_H
#define POISE_VRRP_LINK_H

#include "addr.h"
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_NAME_SIZE 16

struct link_address {
	struct addr addr; /* the local one */
	uint32_t flags;   /* IFA_F_* */
	uint8_t prefix;
	uint8_t scope; /* RT_SCOPE_* */
	uint8_t proto; /* IFA_PROTO, 0 = unknown */
	uint8_t zero;
};

struct link {
	uint32_t ifindex;
	uint32_t birth; /* differs between two interfaces that had the same index one after the other */
	uint32_t line;  /* the same, but goes on when the image is read anew and nothing speaks for another interface */
	char name[LINK_NAME_SIZE];
	uint32_t flags;   /* IFF_* */
	uint32_t counted; /* those that count for faults: the same, unless a change is delayed (vrrp_damp.h) */
	uint32_t mtu;
	uint16_t type;      /* ARPHRD_* */
	bool is_veth;       /* its other end is on this machine, too */
	uint32_t vrf_table; /* of a VRF; 0 = it is none */
	uint8_t mac_length;
	uint8_t mac[6];
	struct link_address *addresses; /* in the kernel's order */
	uint32_t n_addresses, room;
	uint8_t *counts;   /* how many of them fall on each hash: what falls on none is not among them; may be NULL */
	uint32_t n_counts; /* a power of two */
	uint32_t near;     /* the one that the kernel told of last: the next is mostly the next */
	uint32_t remover;  /* rtnetlink port of who removed an address from it last; 0 = nobody, or not known */
};

/* The image. Zeroed = empty. */
struct links {
	struct link *all;
	uint32_t count, room;
	uint32_t births; /* so far; a fresh image goes on counting from that of the old one */
};

/* What one message changed (link_changes of links_take()). */
enum link_change {
	LINK_UNCHANGED = 0,
	LINK_STATE = 1,       /* an interface came, went, or changed flags, name, MAC or MTU */
	LINK_ADDRESS_SET = 2, /* an address appeared or was confirmed */
	LINK_ADDRESS_GONE = 4,
};

/* Applies one RTM_{NEW,DEL}{LINK,ADDR} message; others are ignored. Returns a bit of enum link_change, or -ENOMEM
 * (the image is then incomplete: read it again). Malformed messages change nothing. */
int links_take(struct links *links, const struct nlmsghdr *nlh);
/* Notes an address that the kernel has just acknowledged: IPv6 tells of it a moment later. Returns 0 or -ENOMEM. */
int links_note_address(struct links *links, uint32_t ifindex, const struct link_address *address);
void links_clear(struct links *links);

/* Interfaces that both images have, by index and name, go on as what they were in the old one. */
void links_go_on(struct links *fresh, const struct links *old);

/* NULL when there is none. The pointer is valid until the next links_take(). */
const struct link *links_find(const struct links *links, uint32_t ifindex);
const struct link *links_find_name(const struct links *links, const char *name);
/* The address, or NULL. *near is where the search begins and where it ended: who asks for addresses in the order in
 * which they were added finds each at once, however many there are. */
const struct link_address *link_find_address(
	const struct link *link, const struct addr *addr, uint8_t prefix, uint32_t *near);

/* Administratively up and with carrier. */
bool link_is_running(const struct link *link);
/* Why the interface cannot be used, for people: "interface eth9 does not exist", "interface eth0 has no carrier".
 * link may be NULL. Returns why; it is empty when the interface is usable. */
const char *link_fault(const struct link *link, const char *name, char *why, size_t size);

/* Which address a router speaks from. wanted: AF_INET, or AF_INET6 with the link-local one for multicast and a routable
 * one otherwise. Addresses for which is_virtual says true come last, and only where allowed: the owner of the addresses
 * speaks from one, anybody else would sound like the peer that held it before. */
struct link_source_query {
	uint8_t family;
	bool link_local;
	bool allows_virtual;
	bool (*is_virtual)(void *arg, const struct link *link, const struct link_address *address);
	void *arg;
};
enum link_source_result {
	LINK_SOURCE_FOUND,
	LINK_SOURCE_NONE,      /* no address of that family */
	LINK_SOURCE_TENTATIVE, /* there is one, duplicate address detection is still running */
	LINK_SOURCE_DUPLICATE, /* there is one, another host has it */
};
enum link_source_result link_source(const struct link *link, const struct link_source_query *query, struct addr *out);

#endif
