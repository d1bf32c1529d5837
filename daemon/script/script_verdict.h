/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rise and fall of a tracked script: what its exits mean for those who track it. Pure. */
#ifndef POISE_SCRIPT_VERDICT_H
#define POISE_SCRIPT_VERDICT_H

#include "conf.h"
#include "status.h"
#include <stdbool.h>
#include <stdint.h>

struct script_verdict {
	enum script_result result;
	uint32_t contrary; /* runs in a row that speak against result */
	bool has_run;
};

/* Before the first run: unknown, or bad when the configuration says init_fail. */
struct script_verdict script_verdict_initial(bool init_fail);
/* Takes one run into account and returns true when the result changed. The first run decides alone; after that `fall`
 * failures in a row make it bad, `rise` successes in a row good (0 counts as 1). */
bool script_verdict_step(struct script_verdict *verdict, uint32_t rise, uint32_t fall, bool is_good);

/* When a script is to start next, in microseconds of the monotonic clock: interval_us after its last start, on its own
 * grid, never in the past (starts that were missed are not made up for). */
int64_t script_next_start_us(int64_t last_start_us, int64_t interval_us, int64_t now_us);

/* ---- MISC_CHECK: what it means is the health checker's business; here only when to look again ---- */

struct script_misc_pace {
	uint32_t failures, successes; /* in a row */
	bool was_up;                  /* it has been up since it last was down for good */
};

/* Status 0 passes; with a dynamic check 2 to 255 pass, too, and stand for a weight. */
bool script_misc_is_good(int result, bool is_dynamic);
/* Takes a result in; returns how many of its kind came in a row. */
uint32_t script_misc_step(struct script_misc_pace *pace, bool is_good);
/* When to start next: an up check that failed is asked again after fast_interval or delay_before_retry until its
 * retries are used up, one that is down every down_interval, any other on the grid of its interval. */
int64_t script_misc_next_us(
	const struct script_misc_pace *pace, const struct conf_check *check, int64_t last_start_us, int64_t now_us);
/* The first start of number `index` of `count`, from now. */
int64_t script_misc_spread_us(int64_t warmup_us, uint32_t index, uint32_t count);

#endif
