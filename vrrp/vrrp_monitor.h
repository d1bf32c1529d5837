/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps the image of interfaces and addresses (vrrp_link.h) true by rtnetlink: a dump at first, then notifications, and
 * a dump again whenever some were lost. */
#ifndef POISE_VRRP_MONITOR_H
#define POISE_VRRP_MONITOR_H

#include "vrrp_link.h"
#include <stdbool.h>

struct nl_sock;

struct vrrp_monitor {
	struct nl_sock *notify;  /* joined to the groups */
	struct nl_sock *request; /* for dumps and changes; the courier's (vrrp_courier.h) while it is out */
	struct links links;
	bool is_stale; /* notifications were lost and the image could not be read anew: vrrp_monitor_resync() is due */
	int changes;   /* bits of enum link_change since the caller last cleared them */
};

/* Opens the sockets; reads nothing yet. Returns 0 or -errno. */
int vrrp_monitor_open(struct vrrp_monitor *monitor);
void vrrp_monitor_close(struct vrrp_monitor *monitor);
/* The descriptor that becomes readable when something changed. */
int vrrp_monitor_fd(const struct vrrp_monitor *monitor);
/* Replaces the image by a fresh one; everything counts as changed. Returns 0, or -errno with the old image in place. */
int vrrp_monitor_resync(struct vrrp_monitor *monitor);
/* The two halves of it. fetch asks the kernel and fills `fresh` (births set, else empty); it may wait, and touches
 * nothing else, so it may run in another thread. adopt makes it the image; notifications must not be read in between.
 */
int vrrp_monitor_fetch(struct nl_sock *request, struct links *fresh);
void vrrp_monitor_adopt(struct vrrp_monitor *monitor, struct links *fresh);
/* Takes what is there (bounded; the descriptor stays readable when more is left) into the image and into `changes`.
 * Returns 0, or -errno when notifications were lost and a fresh image could not be read either. */
int vrrp_monitor_read(struct vrrp_monitor *monitor);

#endif
