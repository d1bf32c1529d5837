/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the servers of a service mean to each other: the share of a server that has just come back, the share of one
 * that answers slower than the others, and when so many are down that ejecting them would make things worse. Pure. */
#ifndef POISE_CHECK_POOL_H
#define POISE_CHECK_POOL_H

#include "mono.h"
#include <stdbool.h>
#include <stdint.h>

/* Percent of its weight for a server that has been up for up_us: a tenth at first, all of it after slow_start_us. */
#define POOL_RAMP_FIRST 10
int32_t pool_ramp_percent(int64_t up_us, int64_t slow_start_us);

/* Whether a pool of which `down` of `count` servers are down is in panic; threshold in percent, 0 = never. */
bool pool_is_in_panic(uint32_t count, uint32_t down, uint32_t threshold);

/* ---- adaptive weight ----
 * The time of each successful run is smoothed; a server whose smoothed time is above the middle one of its pool loses
 * weight in that proportion, but never more than the bound, never because of less than a quarter or of less than
 * POOL_TOLERANCE_US, by at most one step a round, and only after the wish has pointed the same way for some rounds. A
 * loop through the load that weight attracts is damped by all of these. */
#define POOL_SMOOTHING 16 /* a new time counts 1/16 */
#define POOL_TOLERANCE_US (5 * US_PER_MS)
#define POOL_STEP 5      /* percent a round */
#define POOL_DEADBAND 10 /* percent that the wish must differ from what is before anything moves */
#define POOL_PATIENCE 5  /* rounds */

struct pool_member {
	int64_t response_us; /* smoothed, 0 = not known */
	int32_t percent;     /* share in force; 0 counts as 100 */
	int32_t streak;      /* rounds that wished for more (> 0) or less (< 0) in a row */
};

void pool_take_time(struct pool_member *m, int64_t duration_us);
/* One round over a pool, every few seconds. bound: percent that a member may lose at most (0 = off: all get 100).
 * scratch has room for n numbers. Returns how many shares have changed. */
uint32_t pool_adapt(struct pool_member *members, uint32_t n, uint32_t bound, int64_t *scratch);

#endif
