/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spreads and jitters the starts of checks. Runs in poise-healthcheck; pure: it never reads a clock and never arms a
 * timer. */
#include "check_schedule.h"

#define WARMUP_BASE_US (5 * US_PER_S)
#define WARMUP_EACH_US (2 * US_PER_MS)

static uint64_t random_next(struct schedule_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

int64_t schedule_random_below(struct schedule_random *random, int64_t limit)
{
	if (limit <= 1)
		return 0;
	return (int64_t)(((unsigned __int128)random_next(random) * (uint64_t)limit) >> 64);
}

/* The interval itself, shifted by at most a tenth either way. */
static int64_t jittered(struct schedule_random *random, int64_t interval_us)
{
	int64_t most_us;

	if (interval_us < SCHEDULE_INTERVAL_MIN_US)
		interval_us = SCHEDULE_INTERVAL_MIN_US;
	most_us = interval_us / SCHEDULE_JITTER;
	return interval_us - most_us + schedule_random_below(random, 2 * most_us + 1);
}

int64_t schedule_warmup(int64_t warmup_us, uint32_t count)
{
	int64_t enough_us = WARMUP_BASE_US + count * WARMUP_EACH_US;

	return warmup_us < enough_us ? warmup_us : enough_us;
}

struct mono schedule_first(
	struct schedule_random *random, struct mono now, int64_t span_us, uint32_t index, uint32_t count)
{
	int64_t begin_us, end_us;

	if (span_us <= 0 || count == 0)
		return now;
	begin_us = (int64_t)((__int128)span_us * index / count);
	end_us = (int64_t)((__int128)span_us * (index + 1ULL) / count);
	return mono_add(now, begin_us + schedule_random_below(random, end_us - begin_us));
}

struct mono schedule_next(struct schedule_random *random, struct mono last, struct mono now, int64_t interval_us)
{
	struct mono next = mono_add(last, jittered(random, interval_us));

	if (mono_before(now, next))
		return next;
	if (interval_us < SCHEDULE_INTERVAL_MIN_US)
		interval_us = SCHEDULE_INTERVAL_MIN_US;
	return mono_add(now, 1 + schedule_random_below(random, interval_us / SCHEDULE_JITTER));
}

struct mono schedule_retry(struct schedule_random *random, struct mono now, int64_t delay_us)
{
	return mono_add(now, jittered(random, delay_us));
}

int64_t schedule_grid(uint64_t starts_per_1000s)
{
	int64_t grid_us = starts_per_1000s ? (int64_t)(SCHEDULE_TOGETHER * 1000 * (uint64_t)US_PER_S / starts_per_1000s)
					   : SCHEDULE_GRID_US;

	return grid_us > SCHEDULE_GRID_US ? SCHEDULE_GRID_US : grid_us;
}

struct mono schedule_align(struct mono at, int64_t interval_us, int64_t grid_us)
{
	if (grid_us > interval_us / 20)
		grid_us = interval_us / 20;
	if (grid_us <= 1)
		return at;
	return (struct mono){(at.us + grid_us / 2) / grid_us * grid_us};
}

bool schedule_is_late(struct mono planned, struct mono now, int64_t interval_us)
{
	return mono_is_set(planned) && mono_diff_us(now, planned) > SCHEDULE_LATE * interval_us + US_PER_S;
}
