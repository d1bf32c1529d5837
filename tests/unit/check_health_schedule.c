/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schedule's promises: first starts are spread, jitter is bounded, lateness does not add up, checks that met drift
 * apart, and nobody is started twice in a moment. */
#include "check_schedule.h"
#include <check.h>
#include <stdlib.h>

#define T0 ((struct mono){1000 * US_PER_S})

START_TEST(random_is_even_and_repeatable)
{
	struct schedule_random a = {42}, b = {42};
	int buckets[10] = {0};

	for (int i = 0; i < 100000; i++) {
		int64_t n = schedule_random_below(&a, 1000);

		ck_assert_int_eq(n, schedule_random_below(&b, 1000));
		ck_assert_int_ge(n, 0);
		ck_assert_int_lt(n, 1000);
		buckets[n / 100]++;
	}
	for (int i = 0; i < 10; i++)
		ck_assert(buckets[i] > 9500 && buckets[i] < 10500);
	ck_assert_int_eq(schedule_random_below(&a, 1), 0);
	ck_assert_int_eq(schedule_random_below(&a, 0), 0);
	ck_assert_int_eq(schedule_random_below(&a, -5), 0);
}
END_TEST

/* Each of n checks starts within its own n-th of the span: no instant has more than two checks of one share's length.
 */
START_TEST(first_starts_are_spread)
{
	struct schedule_random random = {7};
	const int64_t span_us = 10 * US_PER_S;
	const uint32_t n = 1000;

	for (uint32_t i = 0; i < n; i++) {
		int64_t at = mono_diff_us(schedule_first(&random, T0, span_us, i, n), T0);

		ck_assert_int_ge(at, span_us / n * i);
		ck_assert_int_lt(at, span_us / n * (i + 1));
	}
	ck_assert_int_eq(schedule_first(&random, T0, 0, 3, 10).us, T0.us);
	ck_assert_int_eq(schedule_first(&random, T0, span_us, 0, 0).us, T0.us);
}
END_TEST

START_TEST(warmup_is_bounded)
{
	ck_assert_int_eq(schedule_warmup(0, 100000), 0);
	ck_assert_int_eq(schedule_warmup(2 * US_PER_S, 10), 2 * US_PER_S);
	ck_assert_int_lt(schedule_warmup(3600 * US_PER_S, 10), 10 * US_PER_S);
	/* never more than 500 starts a second */
	ck_assert_int_ge(schedule_warmup(3600 * US_PER_S, 40000), 40000 * 2 * US_PER_MS);
}
END_TEST

/* An interval lies between 0.9 and 1.1 of the wanted one, on the average it is the wanted one, and the lateness of
 * single starts (the process is up to 50 ms late here) leaves no trace. */
START_TEST(rounds_are_jittered_without_drift)
{
	struct schedule_random random = {99};
	const int64_t interval_us = US_PER_S;
	const int rounds = 20000;
	struct mono planned = T0;

	srand(1);
	for (int i = 0; i < rounds; i++) {
		struct mono now = mono_add(planned, rand() % (50 * US_PER_MS));
		struct mono next = schedule_next(&random, planned, now, interval_us);
		int64_t gap_us = mono_diff_us(next, planned);

		ck_assert_int_ge(gap_us, interval_us * 9 / 10);
		ck_assert_int_le(gap_us, interval_us * 11 / 10);
		planned = next;
	}
	/* the standard deviation of the sum is 58 ms * sqrt(20000) = 8.2 s */
	ck_assert_int_lt(llabs(mono_diff_us(planned, T0) - rounds * interval_us), 4 * 8200 * US_PER_MS);
}
END_TEST

START_TEST(a_missed_start_is_not_made_up_for)
{
	struct schedule_random random = {5};

	for (int i = 0; i < 1000; i++) {
		struct mono now = mono_add(T0, 3600 * US_PER_S);
		struct mono next = schedule_next(&random, T0, now, US_PER_S);

		ck_assert(mono_before(now, next));
		ck_assert_int_le(mono_diff_us(next, now), US_PER_S / 10);
	}
}
END_TEST

/* A probe that always lasts longer than its interval: the checks neither start at once nor all together. */
START_TEST(slow_probes_do_not_spin)
{
	struct schedule_random random = {6};
	struct mono planned = T0, now = T0;
	int starts = 0;

	while (mono_diff_us(now, T0) < 600 * US_PER_S) {
		now = mono_add(planned, 3 * US_PER_S);
		planned = schedule_next(&random, planned, now, US_PER_S);
		starts++;
	}
	ck_assert_int_ge(starts, 190);
	ck_assert_int_le(starts, 201);
}
END_TEST

START_TEST(checks_that_met_drift_apart)
{
	struct schedule_random random = {8};
	struct mono planned[1000];
	int together = 0;

	for (int i = 0; i < 1000; i++)
		planned[i] = T0;
	for (int round = 0; round < 30; round++)
		for (int i = 0; i < 1000; i++)
			planned[i] = schedule_next(&random, planned[i], planned[i], US_PER_S);
	/* After 30 rounds the standard deviation is 316 ms: a herd of 1000 in one instant has become a crowd. */
	for (int i = 0; i < 1000; i++)
		together += llabs(mono_diff_us(planned[i], T0) - 30 * US_PER_S) < 10 * US_PER_MS;
	ck_assert_int_lt(together, 60);
}
END_TEST

START_TEST(retries_come_soon_but_not_at_once)
{
	struct schedule_random random = {9};

	for (int i = 0; i < 1000; i++) {
		int64_t gap_us = mono_diff_us(schedule_retry(&random, T0, 3 * US_PER_S), T0);

		ck_assert_int_ge(gap_us, 2700 * US_PER_MS);
		ck_assert_int_le(gap_us, 3300 * US_PER_MS);
		ck_assert_int_ge(mono_diff_us(schedule_retry(&random, T0, 0), T0), 9 * US_PER_MS);
		ck_assert_int_ge(mono_diff_us(schedule_next(&random, T0, T0, 0), T0), 9 * US_PER_MS);
	}
}
END_TEST

/* Nearest, so that rounds neither drift nor shift by more than half a grid. */
START_TEST(starts_lie_on_a_grid)
{
	static const struct {
		int64_t at_us, interval_us, wanted_us;
	} cases[] = {{1000000, 1000000, 1000000}, {1024999, 1000000, 1000000}, {1025000, 1000000, 1050000},
		{1049999, 60000000, 1050000}, {1002400, 100000, 1000000}, {1002600, 100000, 1005000}, {1003, 10, 1003}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_int_eq(schedule_align((struct mono){cases[i].at_us}, cases[i].interval_us, 50000).us,
			cases[i].wanted_us);
	ck_assert_int_eq(schedule_align((struct mono){1024999}, 1000000, 3200).us, 1024000);
}
END_TEST

/* 500 checks a second share wake-ups; 10,000 do not wait for each other. */
START_TEST(many_starts_have_a_fine_grid)
{
	ck_assert_int_eq(schedule_grid(0), 50000);
	ck_assert_int_eq(schedule_grid(500 * 1000), 50000);
	ck_assert_int_eq(schedule_grid(10000 * 1000), 3200);
	for (uint64_t starts = 1; starts < 1ULL << 40; starts *= 3) {
		int64_t grid_us = schedule_grid(starts);

		ck_assert_int_ge(grid_us, 0);
		ck_assert_int_le(grid_us * (int64_t)starts / 1000, (int64_t)SCHEDULE_TOGETHER * US_PER_S);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_schedule");
	TCase *tc = tcase_create("schedule");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, starts_lie_on_a_grid);
	tcase_add_test(tc, many_starts_have_a_fine_grid);
	tcase_add_test(tc, random_is_even_and_repeatable);
	tcase_add_test(tc, first_starts_are_spread);
	tcase_add_test(tc, warmup_is_bounded);
	tcase_add_test(tc, rounds_are_jittered_without_drift);
	tcase_add_test(tc, a_missed_start_is_not_made_up_for);
	tcase_add_test(tc, slow_probes_do_not_spin);
	tcase_add_test(tc, checks_that_met_drift_apart);
	tcase_add_test(tc, retries_come_soon_but_not_at_once);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
