/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides what the exits of a tracked script mean; pure, used by the script process and its tests. It runs nothing. */
#include "script_verdict.h"

struct script_verdict script_verdict_initial(bool init_fail)
{
	return (struct script_verdict){.result = init_fail ? SCRIPT_BAD : SCRIPT_UNKNOWN};
}

bool script_verdict_step(struct script_verdict *verdict, uint32_t rise, uint32_t fall, bool is_good)
{
	enum script_result seen = is_good ? SCRIPT_GOOD : SCRIPT_BAD;
	uint32_t needed = is_good ? rise : fall;

	if (seen == verdict->result) {
		verdict->contrary = 0;
		verdict->has_run = true;
		return false;
	}
	verdict->contrary++;
	/* Measured with keepalived: whatever rise, fall and init_fail are, the first run decides. */
	if (verdict->has_run && verdict->contrary < needed)
		return false;
	verdict->has_run = true;
	verdict->result = seen;
	verdict->contrary = 0;
	return true;
}

int64_t script_next_start_us(int64_t last_start_us, int64_t interval_us, int64_t now_us)
{
	int64_t next_us = last_start_us + interval_us;

	if (next_us > now_us)
		return next_us;
	return next_us + ((now_us - next_us) / interval_us + 1) * interval_us;
}
