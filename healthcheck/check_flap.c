/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The growing patience with a check that flaps. Runs in poise-healthcheck; pure: it never reads a clock and never
 * decides a verdict. */
#include "check_flap.h"

void flap_fall(struct flap *flap, int64_t most_us, struct mono now)
{
	int64_t hold_us = FLAP_FIRST_US;

	if (most_us <= 0) {
		*flap = (struct flap){.last_fall = now};
		return;
	}
	if (mono_is_set(flap->last_fall) && mono_diff_us(now, flap->last_fall) > FLAP_FORGIVE * most_us)
		flap->falls = 0;
	if (flap->falls < UINT32_MAX)
		flap->falls++;
	flap->last_fall = now;
	flap->held_until = MONO_NEVER;
	if (flap->falls < 2)
		return;
	for (uint32_t i = 2; i < flap->falls && hold_us < most_us; i++)
		hold_us *= 2;
	flap->held_until = mono_add(now, hold_us < most_us ? hold_us : most_us);
}

bool flap_is_held(const struct flap *flap, struct mono now)
{
	return mono_is_set(flap->held_until) && mono_before(now, flap->held_until);
}
