/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no_accept (Accept_Mode false, RFC 9568, 6.1): packets to such a virtual address that are not for IPVS are dropped by
 * a table of our own in nftables. The kernel removes the table when our socket closes, however this process ends. */
#ifndef POISE_VRRP_FIREWALL_H
#define POISE_VRRP_FIREWALL_H

#include "conf.h"
#include "worker.h"
#include <stddef.h>
#include <stdint.h>

struct mnl_socket;

/* The kernel has one lock for everybody's rules, and a large ruleset of another program holds it for seconds. Neither a
 * heartbeat nor an address waits for that: this has a thread of its own, which all but `worker` belongs to while it is
 * out. */
struct vrrp_firewall {
	struct mnl_socket *socket; /* NULL until something has to be dropped */
	uint32_t seq;
	struct addr *addresses; /* what the kernel's sets hold */
	uint32_t n;
	struct addr *wanted; /* what they shall hold */
	uint32_t n_wanted;
	int result;
	struct worker worker; /* without a thread the kernel is waited for */
};

void vrrp_firewall_init(struct vrrp_firewall *firewall);
/* Starts the thread; to be called when the process has given up its privileges. Returns 0 or -errno. */
int vrrp_firewall_start(struct vrrp_firewall *firewall);
/* Readable when the thread is back; -1 without one. */
int vrrp_firewall_fd(const struct vrrp_firewall *firewall);
/* True while the thread is out, or back and not yet taken. */
bool vrrp_firewall_is_out(const struct vrrp_firewall *firewall);

/* Only when it is not out: notes what the configuration wants. Returns 1 when the kernel's sets differ from that, 0
 * when they do not, -ENOMEM. */
int vrrp_firewall_want(struct vrrp_firewall *firewall, const struct conf *conf);
/* Brings the kernel's sets in line with it. */
void vrrp_firewall_send(struct vrrp_firewall *firewall);
/* True once it is done; *result is 0, or -errno: what was in force stays so. */
bool vrrp_firewall_take(struct vrrp_firewall *firewall, int *result);

/* The addresses that are to be protected, each once, into out (room for conf->n_addresses). Pure; returns how many. */
uint32_t vrrp_firewall_wanted(const struct conf *conf, struct addr *out);

#endif
