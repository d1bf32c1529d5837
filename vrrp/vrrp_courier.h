/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Carries requests to the kernel and its answers back, in a thread of its own: rtnetlink may make a caller wait as long
 * as somebody else holds its lock, and a heartbeat must not wait. One errand at a time; what is handed over belongs to
 * the thread until the errand is back. */
#ifndef POISE_VRRP_COURIER_H
#define POISE_VRRP_COURIER_H

#include "vrrp_link.h"
#include "worker.h"
#include <stdbool.h>
#include <stdint.h>

struct nl_sock;
struct netlink_batch;

enum vrrp_errand {
	VRRP_ERRAND_NONE,
	VRRP_ERRAND_PLAN,    /* batch: additions and removals */
	VRRP_ERRAND_REFRESH, /* batch: lifetimes */
	VRRP_ERRAND_READ,    /* links: all interfaces and addresses */
	VRRP_ERRAND_PATHS,   /* batch: routes and rules */
	VRRP_ERRAND_LOOK,    /* look() */
};

/* What the kernel said no to. */
struct vrrp_refusal {
	uint32_t number; /* of the message in the batch */
	int error;       /* errno */
	char text[72];   /* the kernel's words, or "" */
};

struct vrrp_courier {
	struct nl_sock *sock; /* for requests */
	enum vrrp_errand errand;
	struct netlink_batch *batch;
	struct links links; /* VRRP_ERRAND_READ: the fresh image; births is set by the caller */
	/* VRRP_ERRAND_LOOK: asks the kernel what it wants to know; touches nothing but arg. Returns 0 or -errno. */
	int (*look)(struct nl_sock *sock, void *arg);
	void *look_arg;
	int result; /* 0, or -errno: the outcome is not known */
	struct vrrp_refusal *refusals;
	uint32_t n_refusals, room;
	struct worker worker; /* without a thread an errand is run at once */
};

/* sock and batch stay the caller's. */
void vrrp_courier_init(struct vrrp_courier *courier, struct nl_sock *sock, struct netlink_batch *batch);
/* Starts the thread; to be called when the process has given up its privileges. Returns 0 or -errno. */
int vrrp_courier_start(struct vrrp_courier *courier);
/* Real-time priority of the thread, 0 = none. Returns 0 or -errno. */
int vrrp_courier_set_priority(struct vrrp_courier *courier, int priority);
/* Readable when an errand is back; -1 without a thread. */
int vrrp_courier_fd(const struct vrrp_courier *courier);

/* Sends the courier off: what the batch holds, or a look at everything. With a thread it returns at once and the errand
 * is back when vrrp_courier_fd() is readable, without one it is back on return. Returns 0 or -ENOMEM. */
int vrrp_courier_send(struct vrrp_courier *courier, enum vrrp_errand errand);
/* True while an errand is under way, or back and not yet taken. */
bool vrrp_courier_is_out(const struct vrrp_courier *courier);
/* Takes a finished errand: its kind, VRRP_ERRAND_NONE when it is not back yet. result, refusals and links are valid
 * until the next one. */
enum vrrp_errand vrrp_courier_take(struct vrrp_courier *courier);
/* Waits until it is back (bounded by the time limits of the requests), for the end of the process. */
void vrrp_courier_wait(struct vrrp_courier *courier);
void vrrp_courier_free(struct vrrp_courier *courier);

#endif
