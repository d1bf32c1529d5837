/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent's judgement of its roles as pure functions: no clock, no signal, no log. */
#include "supervise.h"

#define DEFAULT_PATIENCE_US (3600 * US_PER_MS)
#define USAGE_WINDOW_US (60 * US_PER_S)
/* So many late roles are no coincidence. */
#define CROWD 3
#define QUICK_DEATH_US (10 * US_PER_S)
#define YOUNG_US (10 * US_PER_S)
#define YOUNG_MORE_US (5 * US_PER_S)
/* Starts that failed are answered by more time each, up to eight times as much. */
#define LONGER_STARTS 3
/* Deaths in a row that are answered by a start at once: two incidents are no crash loop yet. */
#define FREE_RESTARTS 2
#define FIRST_DELAY_US (100 * US_PER_MS)
#define LONGEST_DELAY_US (5 * US_PER_S)

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	if (value < low)
		return low;
	return value > high ? high : value;
}

int64_t supervise_patience_us(const struct conf *conf)
{
	int64_t shortest = 0;

	for (uint32_t i = 0; conf && i < conf->n_instances; i++) {
		/* The skew of a neighbour is not known; without it the answer is on the safe side. */
		int64_t patience = conf->instances[i].advert_us * conf->instances[i].down_timer_adverts;

		if (shortest == 0 || patience < shortest)
			shortest = patience;
	}
	return shortest > 0 ? shortest : DEFAULT_PATIENCE_US;
}

int64_t supervise_beat_limit_us(enum role role, int64_t patience_us)
{
	/* Under a quarter of a second the machine looks like a hang: busy ones were seen to leave a real-time thread
	 * alone for 100 to 250 ms. A kill makes that longer, and a neighbour of so little patience has taken over
	 * anyway. */
	if (role == ROLE_VRRP)
		return clamp(patience_us / 4, 250 * US_PER_MS, US_PER_S);
	if (role == ROLE_SNMP)
		return 5 * US_PER_S;
	return clamp(patience_us / 3, US_PER_S, 3 * US_PER_S);
}

int64_t supervise_limit_us(
	const struct supervise *s, enum role role, int64_t patience_us, bool is_starting, struct mono now)
{
	int64_t limit = supervise_beat_limit_us(role, patience_us);
	/* A vrrp role that beats does nothing that could take long, and somebody waits for its heartbeat. */
	bool is_young = role != ROLE_VRRP && mono_diff_us(now, s->started) < YOUNG_US;

	if (is_starting)
		return (limit + YOUNG_MORE_US) << (s->quick_deaths < LONGER_STARTS ? s->quick_deaths : LONGER_STARTS);
	return is_young ? limit + YOUNG_MORE_US : limit;
}

int64_t supervise_beat_period_us(int64_t limit_us)
{
	return limit_us / 5;
}

void supervise_started(struct supervise *s, struct mono now)
{
	s->started = now;
	s->beat_seen = now;
	s->beats = 0;
	s->is_killed = s->is_excused = false;
	s->looked_at = MONO_NEVER;
	s->usage_since = MONO_NEVER;
}

int supervise_usage(struct supervise *s, uint64_t cpu_us, struct mono now)
{
	int64_t wall_us = mono_diff_us(now, s->usage_since), used_us = (int64_t)(cpu_us - s->usage_us);
	bool is_first = !mono_is_set(s->usage_since) || cpu_us < s->usage_us;

	if (!is_first && wall_us < USAGE_WINDOW_US)
		return -1;
	s->usage_since = now;
	s->usage_us = cpu_us;
	return is_first ? -1 : (int)(100 * used_us / wall_us);
}

bool supervise_is_hung(struct supervise *s, uint64_t beats, struct mono now, int64_t limit_us, int64_t tick_us)
{
	if (beats != s->beats || tick_us > limit_us / 2) {
		s->beats = beats;
		s->beat_seen = now;
		return false;
	}
	return mono_diff_us(now, s->beat_seen) > limit_us;
}

bool supervise_is_late(const struct supervise *s, uint64_t beats, struct mono now, int64_t limit_us)
{
	return beats == s->beats && mono_diff_us(now, s->beat_seen) > limit_us / 2;
}

bool supervise_waits(struct supervise *s, const struct supervise_look *look, struct mono now)
{
	if (!look || look->state != 'R') {
		s->looked_at = MONO_NEVER;
		s->is_excused = false;
		return false;
	}
	if (!mono_is_set(s->looked_at)) {
		s->looked_at = now;
		s->run_us = look->run_us;
		return false;
	}
	/* A loop that never ends has most of the time. */
	return look->run_us - s->run_us < mono_diff_us(now, s->looked_at) / 4;
}

int supervise_tolerance(unsigned late, unsigned running)
{
	return late >= CROWD && late * 2 >= running ? 2 : 1;
}

int64_t supervise_restart_delay_us(struct supervise *s, bool was_starting, struct mono now)
{
	int64_t delay = FIRST_DELAY_US;

	if (!was_starting && mono_diff_us(now, s->started) >= QUICK_DEATH_US) {
		s->quick_deaths = 0;
		return 0;
	}
	if (s->quick_deaths++ < FREE_RESTARTS)
		return 0;
	for (uint32_t i = FREE_RESTARTS + 1; i < s->quick_deaths && delay < LONGEST_DELAY_US; i++)
		delay *= 2;
	return delay < LONGEST_DELAY_US ? delay : LONGEST_DELAY_US;
}
