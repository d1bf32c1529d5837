/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts how late checks start. Runs in poise-healthcheck; pure: it never reads a clock. */
#include "lateness.h"
#include <string.h>

static unsigned bucket_of(int64_t late_us)
{
	unsigned octave, bucket;

	if (late_us < 4)
		return late_us > 0 ? (unsigned)late_us : 0;
	octave = 63 - (unsigned)__builtin_clzll((unsigned long long)late_us);
	bucket = 4 * (octave - 1) + (unsigned)(late_us >> (octave - 2) & 3);
	return bucket < LATENESS_BUCKETS ? bucket : LATENESS_BUCKETS - 1;
}

/* The largest time of a bucket. */
static int64_t bucket_end(unsigned bucket)
{
	unsigned octave = bucket / 4 + 1;

	if (bucket < 4)
		return bucket;
	return ((int64_t)(4 + bucket % 4 + 1) << (octave - 2)) - 1;
}

void lateness_take(struct lateness *l, int64_t late_us)
{
	if (late_us < 0)
		late_us = 0;
	l->counts[0][bucket_of(late_us)]++;
	if (late_us > l->most_us[0])
		l->most_us[0] = late_us;
}

void lateness_turn(struct lateness *l, struct mono now)
{
	if (!mono_is_set(l->window_began))
		l->window_began = now;
	if (mono_diff_us(now, l->window_began) < LATENESS_WINDOW_US)
		return;
	l->window_began = now;
	memcpy(l->counts[1], l->counts[0], sizeof(l->counts[1]));
	l->most_us[1] = l->most_us[0];
	memset(l->counts[0], 0, sizeof(l->counts[0]));
	l->most_us[0] = 0;
}

int64_t lateness_most(const struct lateness *l)
{
	return l->most_us[0] > l->most_us[1] ? l->most_us[0] : l->most_us[1];
}

int64_t lateness_permille(const struct lateness *l, unsigned permille)
{
	uint64_t total = 0, seen = 0;
	int64_t most_us = lateness_most(l);

	for (unsigned i = 0; i < LATENESS_BUCKETS; i++)
		total += (uint64_t)l->counts[0][i] + l->counts[1][i];
	for (unsigned i = 0; i < LATENESS_BUCKETS; i++) {
		seen += (uint64_t)l->counts[0][i] + l->counts[1][i];
		if (seen && seen * 1000 >= total * permille)
			return bucket_end(i) < most_us ? bucket_end(i) : most_us;
	}
	return 0;
}
