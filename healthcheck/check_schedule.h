/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a check runs next. Pure: time comes in, randomness is state.
 *
 * - First runs are spread evenly over the warm-up (each check a random moment inside its own share of it).
 * - Every next run counts from the last planned start, so lateness never adds up, and is shifted by up to a tenth of
 *   the interval either way, so checks that once met drift apart.
 * - A retry counts from the end of the failed probe (delay_before_retry), shifted likewise.
 * - A start that was missed (the probe lasted longer than its interval, the process was stopped) is not made up for:
 *   the next one comes within a tenth of the interval from now. */
#ifndef POISE_CHECK_SCHEDULE_H
#define POISE_CHECK_SCHEDULE_H

#include "mono.h"
#include <stdbool.h>
#include <stdint.h>

/* Jitter is interval / SCHEDULE_JITTER either way. */
#define SCHEDULE_JITTER 10
/* No interval is taken shorter than this. */
#define SCHEDULE_INTERVAL_MIN_US (10 * US_PER_MS)

/* SplitMix64; any seed will do. */
struct schedule_random {
	uint64_t state;
};

/* A uniform number in 0..limit-1; 0 when limit <= 1. */
int64_t schedule_random_below(struct schedule_random *random, int64_t limit);

/* How long the first round of `count` checks may last: the configured warm-up, but no longer than it takes to keep the
 * burst small, because until then nobody knows how the servers are. */
int64_t schedule_warmup(int64_t warmup_us, uint32_t count);
/* The first start of check number `index` of `count` that begin together, within span_us from now. */
struct mono schedule_first(
	struct schedule_random *random, struct mono now, int64_t span_us, uint32_t index, uint32_t count);
/* The start after the one planned for `last`. */
struct mono schedule_next(struct schedule_random *random, struct mono last, struct mono now, int64_t interval_us);
/* The start after a failure that ended at `now`. */
struct mono schedule_retry(struct schedule_random *random, struct mono now, int64_t delay_us);

/* Starts are moved to a grid, so that several share one wake-up of the process: this wide where there are few, and
 * narrower where more than SCHEDULE_TOGETHER of them would fall on one moment and wait for each other. */
#define SCHEDULE_GRID_US (50 * US_PER_MS)
#define SCHEDULE_TOGETHER 32
int64_t schedule_grid(uint64_t starts_per_1000s);
/* The moment of the grid that is nearest; short intervals have a finer one, a twentieth of them. */
struct mono schedule_align(struct mono at, int64_t interval_us, int64_t grid_us);

/* A check whose start is overdue by so many of its intervals (and a second) is a trouble of this process, not of the
 * server. */
#define SCHEDULE_LATE 3
bool schedule_is_late(struct mono planned, struct mono now, int64_t interval_us);

#endif
