/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is there another master who stays one? Two masters for an advertisement or two are how mastership changes hands; one
 * that goes on advertising does not hear us, and both hold the addresses. Pure. */
#ifndef POISE_VRRP_SPLIT_H
#define POISE_VRRP_SPLIT_H

#include "addr.h"
#include "mono.h"
#include <stdbool.h>
#include <stdint.h>

/* Heard this often, over this many of our intervals, while we were master all the time. */
#define VRRP_SPLIT_ADVERTS 4
#define VRRP_SPLIT_INTERVALS 3

struct vrrp_split {
	struct addr rival;
	struct mono first, last; /* its advertisements; not set = none of late */
	uint32_t heard;
	bool is_suspected;
};

enum vrrp_split_change { VRRP_SPLIT_SAME, VRRP_SPLIT_SUSPECTED, VRRP_SPLIT_OVER };

/* A master has heard an advertisement of another one (priority above 0) and stays master. */
enum vrrp_split_change vrrp_split_heard(
	struct vrrp_split *split, int64_t interval_us, const struct addr *who, struct mono now);
/* To be asked with every step: it is over when we are master no more, or the other one is silent. */
enum vrrp_split_change vrrp_split_look(struct vrrp_split *split, bool is_master, int64_t interval_us, struct mono now);

#endif
