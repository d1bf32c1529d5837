/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monotonic time in its own type, so that it cannot be mixed up with a duration or the wall clock.
 * Durations are plain int64_t with the suffix _us; wall-clock times are int64_t with the suffix _real_us
 * (microseconds since 1970) and are for display only. */
#ifndef POISE_MONO_H
#define POISE_MONO_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define US_PER_MS 1000LL
#define US_PER_S 1000000LL

/* A moment on CLOCK_MONOTONIC. us == 0 means "never / not set". */
struct mono {
	int64_t us;
};

#define MONO_NEVER ((struct mono){0})

/* The current CLOCK_MONOTONIC time. The same clock in all processes of one machine. */
static inline struct mono mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct mono){ts.tv_sec * US_PER_S + ts.tv_nsec / 1000};
}

/* Microseconds since 1970, for display and for authentication schemes that demand it. */
static inline int64_t real_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static inline bool mono_is_set(struct mono t)
{
	return t.us != 0;
}

static inline struct mono mono_add(struct mono t, int64_t delta_us)
{
	return (struct mono){t.us + delta_us};
}

/* a - b in microseconds. */
static inline int64_t mono_diff_us(struct mono a, struct mono b)
{
	return a.us - b.us;
}

static inline bool mono_before(struct mono a, struct mono b)
{
	return a.us < b.us;
}

#endif
