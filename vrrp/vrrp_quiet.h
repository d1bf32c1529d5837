/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is a link deaf? A port of a switch that just came up, and often that of a machine that just started, passes nothing
 * on for a while, and a node that takes that silence for the death of the master becomes a second one. So for a bounded
 * time silence counts only after something was heard on the link: any frame but those of the switch itself. */
#ifndef POISE_VRRP_QUIET_H
#define POISE_VRRP_QUIET_H

#include "loop.h"
#include "mono.h"
#include "worker.h"
#include <stdint.h>

/* Twice the forward delay of spanning tree. */
#define VRRP_QUIET_US (30 * US_PER_S)
/* A machine that runs for longer has had its links for some time. */
#define VRRP_QUIET_BOOT_US (120 * US_PER_S)

typedef void vrrp_heard_fn(void *arg, uint32_t ifindex);

struct vrrp_quiet_link;

struct vrrp_quiet {
	struct loop *loop;
	vrrp_heard_fn *heard; /* called once for each link that was listened to */
	void *arg;
	int32_t priority; /* real-time, of the thread */
	struct vrrp_quiet_link *links;
	/* The kernel lets who closes such a socket wait until no processor looks at it any more, some ten milliseconds:
	 * that is done by a thread. */
	struct vrrp_quiet_link *used, *closing;
	struct worker closer;
	struct loop_io *closer_io;
};

/* Begins to listen, and returns until when silence is not to be believed. Asked again meanwhile: the same answer. Not
 * set: it cannot be listened to, or is believed at once. */
struct mono vrrp_quiet_listen(struct vrrp_quiet *quiet, uint32_t ifindex, struct mono now);
/* How long the machine runs. */
int64_t vrrp_quiet_uptime_us(void);

#endif
