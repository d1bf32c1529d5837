/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How late starts are, counted in buckets over the last one to two minutes: what the process knows about its own
 * punctuality. Pure. */
#ifndef POISE_LATENESS_H
#define POISE_LATENESS_H

#include "mono.h"

/* Four buckets to a doubling, from 1 us to more than an hour. */
#define LATENESS_BUCKETS 128
#define LATENESS_WINDOW_US (60 * US_PER_S)

struct lateness {
	struct mono window_began;
	uint32_t counts[2][LATENESS_BUCKETS]; /* the present window and the one before */
	int64_t most_us[2];
};

void lateness_take(struct lateness *l, int64_t late_us);
/* Begins a new window when the present one is over. */
void lateness_turn(struct lateness *l, struct mono now);
/* The time within which so many of a thousand starts lay (upper end of its bucket, at most the largest one). */
int64_t lateness_permille(const struct lateness *l, unsigned permille);
int64_t lateness_most(const struct lateness *l);

#endif
