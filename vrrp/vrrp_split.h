/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is there another master who stays one? Two masters for an advertisement or two are how mastership changes hands; one
 * that goes on advertising does not hear us, or we do not listen to it, and both hold the addresses. Pure. */
#ifndef POISE_VRRP_SPLIT_H
#define POISE_VRRP_SPLIT_H

#include "addr.h"
#include "mono.h"
#include "status.h"
#include <stdbool.h>
#include <stdint.h>

/* Heard this often, over this many of our intervals, while we were master all the time. */
#define VRRP_SPLIT_ADVERTS 4
#define VRRP_SPLIT_INTERVALS 3

struct vrrp_split {
	struct addr rival;
	struct mono first, last; /* its advertisements; not set = none of late */
	uint32_t heard;
	enum vrrp_drop drop; /* why the last one did not count; VRRP_DROP_NONE: it did */
	bool is_suspected;
};

enum vrrp_split_change { VRRP_SPLIT_SAME, VRRP_SPLIT_SUSPECTED, VRRP_SPLIT_OVER };

/* A master has heard an advertisement of another one (priority above 0), accepted or dropped, and stays master. */
enum vrrp_split_change vrrp_split_heard(
	struct vrrp_split *split, int64_t interval_us, const struct addr *who, enum vrrp_drop drop, struct mono now);
/* What is wrong between the two, and what to do, for people; text has WHY_SIZE bytes. Returns text. */
const char *vrrp_split_text(const struct vrrp_split *split, char *text);
/* To be asked with every step: it is over when we are master no more, or the other one is silent. */
enum vrrp_split_change vrrp_split_look(struct vrrp_split *split, bool is_master, int64_t interval_us, struct mono now);

#endif
