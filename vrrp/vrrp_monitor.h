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
	bool is_stale;       /* notifications were lost: the image is to be read anew */
	bool is_held;        /* a fresh image is on its way, and notifications wait in their socket */
	bool is_stale_again; /* some of those were lost, too */
	int changes;         /* bits of enum link_change since the caller last cleared them */
};

/* Opens the sockets; reads nothing yet. Returns 0 or -errno. */
int vrrp_monitor_open(struct vrrp_monitor *monitor);
void vrrp_monitor_close(struct vrrp_monitor *monitor);
/* The descriptor that becomes readable when something changed. */
int vrrp_monitor_fd(const struct vrrp_monitor *monitor);
/* Replaces the image by a fresh one; everything counts as changed. Returns 0, or -errno with the old image in place. */
int vrrp_monitor_resync(struct vrrp_monitor *monitor);
/* The two halves of it, and what comes before. hold: from now on notifications stay in their socket, since they are
 * newer than the image that is on its way. fetch asks the kernel and fills `fresh` (births set, else empty); it may
 * wait, and touches nothing else, so it may run in another thread. adopt makes it the image, which is stale when
 * notifications were lost meanwhile; go_on is for when it could not be had. */
void vrrp_monitor_hold(struct vrrp_monitor *monitor);
int vrrp_monitor_fetch(struct nl_sock *request, struct links *fresh);
void vrrp_monitor_adopt(struct vrrp_monitor *monitor, struct links *fresh);
void vrrp_monitor_go_on(struct vrrp_monitor *monitor);
/* Takes what is there (bounded; the descriptor stays readable when more is left) into the image and into `changes`.
 * Held, it only takes the error of the socket, which is told even to those who do not ask whether it is readable.
 * Returns 0, or -errno when notifications were lost: the image is to be read anew. */
int vrrp_monitor_read(struct vrrp_monitor *monitor);

#endif
