/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A check that falls again and again is kept down longer each time, so that its server's clients are not thrown about.
 * Pure: time comes in. */
#ifndef POISE_CHECK_FLAP_H
#define POISE_CHECK_FLAP_H

#include "mono.h"
#include <stdbool.h>
#include <stdint.h>

/* The second fall in a row keeps it down for this long, every further one for twice as long as the one before. */
#define FLAP_FIRST_US (2 * US_PER_S)
/* So many times the longest hold without a fall, and all is forgiven. */
#define FLAP_FORGIVE 4

struct flap {
	uint32_t falls; /* in a row */
	struct mono last_fall;
	struct mono held_until; /* not set = not held */
};

/* The check has gone down. most_us: the longest hold, 0 = never held. */
void flap_fall(struct flap *flap, int64_t most_us, struct mono now);
/* True while it must not come up yet. */
bool flap_is_held(const struct flap *flap, struct mono now);

#endif
