/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides what the exits of a tracked script mean, and when a MISC_CHECK looks again; pure, used by the script process
 * and its tests. It runs nothing. */
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

bool script_misc_is_good(int result, bool is_dynamic)
{
	return result == 0 || (is_dynamic && result >= 2 && result <= 255);
}

uint32_t script_misc_step(struct script_misc_pace *pace, bool is_good)
{
	if (is_good) {
		pace->failures = 0;
		pace->was_up = true;
		return pace->successes < UINT32_MAX ? ++pace->successes : UINT32_MAX;
	}
	pace->successes = 0;
	return pace->failures < UINT32_MAX ? ++pace->failures : UINT32_MAX;
}

int64_t script_misc_next_us(
	const struct script_misc_pace *pace, const struct conf_check *check, int64_t last_start_us, int64_t now_us)
{
	bool is_doubt = pace->failures > 0 && pace->was_up && pace->failures <= check->retry;
	bool is_down = pace->failures > 0 && !is_doubt;
	bool is_recovering = pace->failures == 0 && pace->successes < check->rise;

	if (is_doubt)
		return now_us + (check->fast_interval_us ? check->fast_interval_us : check->delay_before_retry_us);
	if (is_recovering && check->fast_interval_us)
		return now_us + check->fast_interval_us;
	return script_next_start_us(last_start_us,
		is_down && check->down_interval_us ? check->down_interval_us : check->interval_us, now_us);
}

int64_t script_misc_spread_us(int64_t warmup_us, uint32_t index, uint32_t count)
{
	/* Until the first run nobody knows how the server is: no longer than it takes not to start a crowd. */
	int64_t enough_us = US_PER_S + 20 * US_PER_MS * (int64_t)count;
	int64_t span_us = warmup_us < enough_us ? warmup_us : enough_us;

	return count ? (int64_t)((__int128)span_us * index / count) : 0;
}
