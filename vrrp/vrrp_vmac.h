/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces with the virtual MAC address (use_vmac): a macvlan on the instance's interface that holds its addresses,
 * and advertisements that come from it, so that the MAC address of a virtual IP never changes (RFC 9568, 7.3). */
#ifndef POISE_VRRP_VMAC_H
#define POISE_VRRP_VMAC_H

#include "conf.h"
#include "vrrp_link.h"
#include "vrrp_route.h"

/* The interface as a message, like a route. Returns 0, -ENODEV when the interface below does not exist, -EMSGSIZE. */
int vrrp_vmac_path(const struct conf *conf, conf_index_t link, const struct links *links, struct vrrp_path *path);
/* The body after which an interface makes no link-local address of its MAC (both routers would make the same one). A
 * kernel without IPv6 refuses it, and needs it not. Returns 0, -ENOMEM or -EMSGSIZE. */
int vrrp_vmac_no_link_local(uint32_t ifindex, struct vrrp_path *path);
/* The body that takes an interface up. */
void vrrp_vmac_raise(uint32_t ifindex, struct vrrp_path *path);
/* Whether a message of the kernel, as bytes behind its header, is that interface. */
bool vrrp_vmac_is(const struct vrrp_path *path, const uint8_t *bytes, size_t length);
/* Whether it has a MAC address of its own. */
bool vrrp_vmac_has_mac(const struct vrrp_path *path);
/* The number of the interface below; 0 when path is damaged. */
uint32_t vrrp_vmac_base(const struct vrrp_path *path);

/* A whole Ethernet frame around an advertisement (IPv4: with its header, which gets length and checksum; IPv6:
 * without). Returns its size, 0 when it does not fit. */
struct vrrp_vmac_frame {
	const uint8_t *mac; /* the virtual one */
	struct addr source, destination;
	uint8_t ttl, protocol;
};
size_t vrrp_vmac_frame(
	const struct vrrp_vmac_frame *head, const uint8_t *packet, size_t size, uint8_t *frame, size_t room);

/* ---- settings; not pure ---- */

/* What a new interface needs before it goes up: it answers for its own addresses alone and learns none. Never
 * waits. */
void vrrp_vmac_prepare(const char *name);
/* Whether the interface below answers ARP for addresses of others: its arp_ignore. Returns the old value, -1 when it
 * cannot be read; wanted < 0 changes nothing. */
int vrrp_vmac_arp_ignore(const char *base, int wanted);

#endif
