/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no_accept (Accept_Mode false, RFC 9568, 6.1): packets to such a virtual address that are not for IPVS are dropped by
 * a table of our own in nftables. The kernel removes the table when our socket closes, however this process ends. */
#ifndef POISE_VRRP_FIREWALL_H
#define POISE_VRRP_FIREWALL_H

#include "conf.h"
#include <stddef.h>
#include <stdint.h>

struct mnl_socket;

struct vrrp_firewall {
	struct mnl_socket *socket; /* NULL until something has to be dropped */
	uint32_t seq;
	struct addr *addresses; /* what the kernel's sets hold */
	uint32_t n;
};

/* Brings the kernel's sets in line with the configuration; talks to the kernel only when something differs. Returns 0,
 * or -errno: what was in force stays so. */
int vrrp_firewall_apply(struct vrrp_firewall *firewall, const struct conf *conf);
void vrrp_firewall_close(struct vrrp_firewall *firewall);

/* The addresses that are to be protected, each once, into out (room for conf->n_addresses). Pure; returns how many. */
uint32_t vrrp_firewall_wanted(const struct conf *conf, struct addr *out);

#endif
