/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rise and fall of a tracked script: what its exits mean for those who track it. Pure. */
#ifndef POISE_SCRIPT_VERDICT_H
#define POISE_SCRIPT_VERDICT_H

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

#endif
