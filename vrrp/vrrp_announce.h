/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When gratuitous ARPs and unsolicited neighbour advertisements are sent, and their bytes. Pure.
 * A burst goes `repeat` times round all virtual addresses. Becoming master: a burst at once, another one after
 * garp_delay; then, with garp_refresh, one each period. A conflict: the same with the garp_lower_prio settings.
 * A burst of many packets goes out in pieces of VRRP_ANNOUNCE_PIECE, a millisecond apart: heartbeats come in between.
 */
#ifndef POISE_VRRP_ANNOUNCE_H
#define POISE_VRRP_ANNOUNCE_H

#include "addr.h"
#include "conf.h"
#include "mono.h"
#include "vrrp_fsm.h"
#include <stddef.h>
#include <stdint.h>

#define VRRP_ANNOUNCE_PIECE 64

/* Plan of one virtual router. Zeroed = nothing planned. next is the caller's timer: the moment of the next packet. */
struct vrrp_announcer {
	struct mono next;  /* not set: nothing planned */
	uint32_t rounds;   /* left in the present burst, with the one under way */
	uint32_t position; /* next address, index within the instance's range */
	uint32_t piece;    /* packets sent at the moment of `next` */
	struct mono again; /* beginning of the second burst, or not set */
	uint32_t again_rounds;
	struct mono refresh; /* beginning of the next refresh, or not set */
};

/* Begins a plan; a burst under way goes on from its beginning. */
void vrrp_announce_start(
	const struct conf_instance *conf, struct vrrp_announcer *a, enum vrrp_announce_kind kind, struct mono now);
/* One more round at `at`, when the addresses of a node that died without a word are gone from its kernel: until then it
 * answers for them, and who asked it meanwhile would go on asking it. Not where the operator wants no second burst. */
void vrrp_announce_later(struct vrrp_announcer *a, struct mono at);
void vrrp_announce_stop(struct vrrp_announcer *a);

/* Call until it returns false: true = announce conf->addresses.first + *index now. addresses: the first record of the
 * instance's range (conf.addresses + conf->addresses.first). Afterwards a->next says when to come back. */
bool vrrp_announce_next(const struct conf_instance *conf, const struct conf_address *addresses,
	struct vrrp_announcer *a, struct mono now, uint32_t *index);

#define VRRP_MAC_SIZE 6
#define VRRP_ARP_SIZE 42 /* whole frame, without padding */
#define VRRP_NA_SIZE 86

/* 00-00-5e-00-01-VRID (IPv4) or 00-00-5e-00-02-VRID (RFC 9568, 7.3). */
void vrrp_announce_virtual_mac(uint8_t family, uint8_t vrid, uint8_t mac[VRRP_MAC_SIZE]);
/* Broadcast ARP request, sender = target = the address. Returns the length. */
size_t vrrp_announce_arp(const uint8_t mac[VRRP_MAC_SIZE], const struct addr *address, uint8_t frame[VRRP_ARP_SIZE]);
/* Neighbour advertisement from the address to all nodes, override set, router as told (RFC 4861, 4.4). */
size_t vrrp_announce_na(
	const uint8_t mac[VRRP_MAC_SIZE], const struct addr *address, bool is_router, uint8_t frame[VRRP_NA_SIZE]);

#endif
