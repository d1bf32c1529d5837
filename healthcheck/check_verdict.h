/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From single results to a verdict: how many failures make a check go down, how many successes bring it back, when to
 * look again, and what the checks of a server say together. Pure. */
#ifndef POISE_CHECK_VERDICT_H
#define POISE_CHECK_VERDICT_H

#include "status.h"
#include <stdbool.h>
#include <stdint.h>

struct verdict_rule {
	uint32_t retry; /* failures beyond the first before an up check goes down */
	uint32_t rise;  /* successes in a row before a down check comes up; 0 counts as 1 */
};

/* State of one check. */
struct verdict {
	enum health health;
	uint32_t failures;  /* in a row, saturating */
	uint32_t successes; /* in a row, saturating */
};

struct verdict_step {
	bool is_changed;
	bool is_doubt; /* the check is up but failed: ask again after delay_before_retry, not after the interval */
	enum health from, to;
	uint32_t tries, tries_needed; /* of the row that this result belongs to: "2 of 4 tries failed" */
};

/* Takes one result in. A check of which nothing is known yet follows its first result at once, in both directions:
 * there is no earlier good state that a single lost packet could spoil. */
struct verdict_step verdict_take(const struct verdict_rule *rule, struct verdict *v, bool passed);

/* When to look again after a step. */
struct verdict_pace {
	int64_t interval_us, delay_before_retry_us;
	int64_t fast_interval_us, down_interval_us; /* 0 = not given */
};
struct verdict_wait {
	int64_t delay_us;
	bool from_end; /* of the run; else from its planned start */
};
/* In doubt: fast_interval or delay_before_retry from the end. Down but passing: fast_interval. Down: down_interval. */
struct verdict_wait verdict_wait(const struct verdict_pace *pace, const struct verdict_step *step, bool passed);

/* The verdict over the checks of one server: down if any is down, else unknown if any is unknown, else up. No checks:
 * up. Feed it with each check's health, beginning with HEALTH_UP. */
enum health verdict_join(enum health so_far, enum health next);

#endif
