/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Effective priority and faults from what is tracked. Pure: computed anew from the observed facts each time. */
#ifndef POISE_VRRP_PRIORITY_H
#define POISE_VRRP_PRIORITY_H

#include "conf.h"
#include <stdbool.h>
#include <stdint.h>

/* What is seen of a tracked object. */
struct vrrp_seen {
	bool is_up;
	int32_t value; /* of a file: the number in it */
};

struct vrrp_priority {
	uint32_t effective;   /* 1..254; 255 for the owner, whatever is tracked */
	bool is_fault;        /* something without weight has failed */
	conf_index_t culprit; /* that track (the first one in the order written), or CONF_NONE */
};

/* seen: one element for each record of conf->tracks. Takes the instance's own tracks, and those of its sync group. */
struct vrrp_priority vrrp_priority_of(const struct conf *conf, conf_index_t instance, const struct vrrp_seen *seen);

/* What a track adds to the priority at the moment: 0, or its weight (either sign); of a file, its number times the
 * weight, from -254 to 254. */
int32_t vrrp_priority_weight(const struct conf_track *track, struct vrrp_seen seen);
/* True when a track without weight has failed (or, reversed, is there), or when a file takes away more than 253. */
bool vrrp_priority_is_fault(const struct conf_track *track, struct vrrp_seen seen);

#endif
