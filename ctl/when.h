/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times as a person types them. */
#ifndef POISECTL_WHEN_H
#define POISECTL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* "30", "30s", "5m", "1h", "2d", "1h30m": how long, in microseconds; -1 when it is none of these, nothing, or more than
 * a year. */
int64_t when_duration(const char *text);
/* How long before now_us (wall clock, microseconds since 1970) that was: a duration, "03:10" and "03:10:25" (the last
 * time that a clock showed this), "2026-11-29", "2026-11-29 03:10[:25]" in local time, the same with a T, and "...Z" as
 * events are printed for programs. -1 when it is none of these, or still to come. */
int64_t when_ago(const char *text, int64_t now_us);

#endif
