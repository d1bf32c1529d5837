/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a virtual router has heard, bounded: a steady stream of advertisements is one run with a count, a change is a
 * new run. Pure; the vrrp process keeps the runs on its board and makes an event of each that begins. */
#ifndef POISE_VRRP_HEARD_H
#define POISE_VRRP_HEARD_H

#include "status.h"

/* Events that a flood of senders may cause: so many at once, then one each interval. */
#define HEARD_BURST 16
#define HEARD_REFILL_US US_PER_S

struct vrrp_heard {
	struct status_heard runs[HEARD_SENDERS];
	uint32_t spent; /* of HEARD_BURST */
	struct mono refilled;
};

struct vrrp_heard_advert {
	struct addr sender;
	uint32_t priority;   /* 0 where it was dropped before anybody could know */
	uint32_t drop;       /* enum vrrp_drop; VRRP_DROP_NONE: it was accepted */
	int64_t interval_us; /* of the sender, or ours where it is unknown */
	struct mono now;
	int64_t real_us;
};

enum vrrp_heard_news {
	HEARD_SAME,     /* as before */
	HEARD_NEW,      /* a sender that was not there */
	HEARD_PRIORITY, /* another priority than before */
	HEARD_JUDGED,   /* accepted now, or dropped now, or for another reason */
	HEARD_AGAIN,    /* after a silence of more than three of its intervals */
};

/* Takes an advertisement. *at becomes the run it counts in; when that one has just begun, *before is the sender's run
 * before it (its sender is not set when there was none). */
enum vrrp_heard_news vrrp_heard_take(
	struct vrrp_heard *heard, const struct vrrp_heard_advert *advert, uint32_t *at, struct status_heard *before);
/* May another event be told? To be asked once for each. */
bool vrrp_heard_may_tell(struct vrrp_heard *heard, struct mono now);

#endif
