/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of the vrrp process. Sending: one raw socket a family and one packet socket, opened before privileges are
 * dropped. Receiving: one raw socket for each (family, protocol, interface) that joined the group there, and one for
 * each (family, protocol) with unicast peers; instances that share an interface share its socket. */
#ifndef POISE_VRRP_SOCKET_H
#define POISE_VRRP_SOCKET_H

#include "addr.h"
#include "loop.h"
#include "vrrp_packet.h"
#include "worker.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A packet, and how it came. ifindex is the interface on which it arrived. */
struct vrrp_arrival {
	struct vrrp_received packet;
	uint32_t ifindex;
	bool by_unicast_socket;
	uint32_t vrf; /* of a unicast socket: the VRF that it hears, 0 = none */
};
typedef void vrrp_receive_fn(void *arg, const struct vrrp_arrival *arrival);

/* A group that was to be joined has been, or could not be: ask for the listeners once more. */
typedef void vrrp_joined_fn(void *arg);

/* Which socket an instance needs. */
struct vrrp_listen_key {
	uint8_t family;
	uint8_t protocol; /* VRRP_PROTOCOL or VRRP_PROTOCOL_AH */
	uint8_t zero[2];
	uint32_t ifindex;  /* of unicast: 0 = every interface, else a VRF */
	uint32_t birth;    /* of the interface (struct link) */
	struct addr group; /* AF_UNSPEC when unicast */
};

struct vrrp_listener;

struct vrrp_sockets {
	int raw4, raw6, packet; /* for sending; -1 = not opened */
	struct vrrp_listener *listeners;
	struct loop *loop;
	vrrp_receive_fn *receive;
	vrrp_joined_fn *joined;
	void *arg;
	uint64_t send_errors;
	int32_t priority; /* real-time, of the thread that joins and leaves groups */
	struct worker joiner;
	struct loop_io *joiner_io;
	struct vrrp_listener *leaving, *out;
};

/* Opens what sending needs. Returns 0, or -errno when IPv4 cannot be had; a kernel without IPv6 is no error. */
int vrrp_sockets_open(
	struct vrrp_sockets *sockets, struct loop *loop, vrrp_receive_fn *receive, vrrp_joined_fn *joined, void *arg);
/* Those for sending. */
void vrrp_sockets_close(struct vrrp_sockets *sockets);
void vrrp_sockets_set_priority(struct vrrp_sockets *sockets, int32_t priority);

/* The set of listeners is reconciled: begin, need() for each instance, end. need() opens what is missing: 0 when it is
 * heard, -EINPROGRESS when the group is about to be joined (joined() follows), or -errno; end() closes what nobody
 * needed. A listener that another one takes the place of, because the interface may be another one, goes on until that
 * one hears. */
void vrrp_listeners_begin(struct vrrp_sockets *sockets);
int vrrp_listeners_need(struct vrrp_sockets *sockets, const struct vrrp_listen_key *key);
void vrrp_listeners_end(struct vrrp_sockets *sockets);

/* Hands on what has arrived (bounded) at the sockets of this interface and at the unicast ones. For a timer that ends a
 * backup's patience, or comes so late that another one may be master: timers run before descriptors, and an
 * advertisement that has arrived counts as heard. */
void vrrp_sockets_drain(struct vrrp_sockets *sockets, uint32_t ifindex);

/* One advertisement, as vrrp_packet_encode() made it. */
struct vrrp_departure {
	uint8_t family;
	uint8_t ttl; /* IPv6; IPv4 has it in its header */
	struct addr source, destination;
	uint32_t ifindex; /* 0 = as the routing table says (unicast) */
	const uint8_t *data;
	size_t size;
};
/* Never blocks. Returns 0 or -errno. */
int vrrp_socket_send(struct vrrp_sockets *sockets, const struct vrrp_departure *departure);
/* A whole Ethernet frame. Never blocks. Returns 0 or -errno. */
int vrrp_socket_send_frame(struct vrrp_sockets *sockets, uint32_t ifindex, const uint8_t *frame, size_t size);

#endif
