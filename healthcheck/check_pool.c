/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares of weight within a pool: slow start, adaptive weight, panic. Runs in poise-healthcheck; pure: it never logs,
 * allocates or reads a clock. */
#include "check_pool.h"
#include <stdlib.h>

int32_t pool_ramp_percent(int64_t up_us, int64_t slow_start_us)
{
	if (slow_start_us <= 0 || up_us >= slow_start_us)
		return 100;
	if (up_us < 0)
		up_us = 0;
	return POOL_RAMP_FIRST + (int32_t)((100 - POOL_RAMP_FIRST) * up_us / slow_start_us);
}

bool pool_is_in_panic(uint32_t count, uint32_t down, uint32_t threshold)
{
	return threshold > 0 && count > 0 && (uint64_t)down * 100 > (uint64_t)threshold * count;
}

void pool_take_time(struct pool_member *m, int64_t duration_us)
{
	if (duration_us < 1)
		duration_us = 1;
	if (m->response_us == 0)
		m->response_us = duration_us;
	else
		m->response_us += (duration_us - m->response_us) / POOL_SMOOTHING;
	if (m->response_us < 1)
		m->response_us = 1;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The lower middle one: in a pool of two the faster is the measure. 0 when fewer than two are known. */
static int64_t middle(const struct pool_member *members, uint32_t n, int64_t *scratch)
{
	uint32_t known = 0;

	for (uint32_t i = 0; i < n; i++)
		if (members[i].response_us > 0)
			scratch[known++] = members[i].response_us;
	if (known < 2)
		return 0;
	qsort(scratch, known, sizeof(*scratch), by_value);
	return scratch[(known - 1) / 2];
}

/* The share that the times alone would give. */
static int32_t wish(const struct pool_member *m, int64_t middle_us, uint32_t bound)
{
	int32_t least = 100 - (int32_t)bound;
	int64_t percent;

	if (middle_us == 0 || m->response_us == 0 || m->response_us - middle_us < POOL_TOLERANCE_US ||
		m->response_us * 4 < middle_us * 5)
		return 100;
	percent = 100 * middle_us / m->response_us;
	return percent < least ? least : (int32_t)percent;
}

/* Counts rounds that wish for the same direction; noise turns round sooner. */
static bool is_wanted_for_long(struct pool_member *m, int32_t distance)
{
	if ((distance > 0) != (m->streak > 0))
		m->streak = 0;
	if (abs(m->streak) < POOL_PATIENCE)
		m->streak += distance > 0 ? 1 : -1;
	return abs(m->streak) >= POOL_PATIENCE;
}

uint32_t pool_adapt(struct pool_member *members, uint32_t n, uint32_t bound, int64_t *scratch)
{
	int64_t middle_us = bound ? middle(members, n, scratch) : 0;
	uint32_t changed = 0;

	for (uint32_t i = 0; i < n; i++) {
		struct pool_member *m = &members[i];
		int32_t before = m->percent ? m->percent : 100;
		int32_t wanted = bound ? wish(m, middle_us, bound) : 100;
		int32_t distance = wanted - before;

		m->percent = before;
		/* Full weight and the bound are ends: reached even by a last step that is smaller than the band. */
		if (distance == 0 ||
			(bound && abs(distance) < POOL_DEADBAND && wanted != 100 && wanted != 100 - (int32_t)bound)) {
			m->streak = 0;
			continue;
		}
		if (!is_wanted_for_long(m, distance))
			continue;
		if (abs(distance) > POOL_STEP)
			distance = distance > 0 ? POOL_STEP : -POOL_STEP;
		m->percent = before + distance;
		changed++;
	}
	return changed;
}
