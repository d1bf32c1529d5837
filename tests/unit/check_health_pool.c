/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shares of weight, patience with flapping checks, and punctuality: by table, and by simulation where a loop could
 * oscillate. */
#include "check_flap.h"
#include "check_passive.h"
#include "check_pool.h"
#include "lateness.h"
#include "reply.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define S US_PER_S
#define AT(seconds) ((struct mono){1000 * S + (int64_t)((seconds)*S)})

/* ---- slow start ---- */

START_TEST(ramp_rises_from_a_tenth_to_all)
{
	int32_t before = 0;

	ck_assert_int_eq(pool_ramp_percent(0, 30 * S), POOL_RAMP_FIRST);
	ck_assert_int_eq(pool_ramp_percent(-5, 30 * S), POOL_RAMP_FIRST);
	ck_assert_int_eq(pool_ramp_percent(15 * S, 30 * S), 55);
	ck_assert_int_eq(pool_ramp_percent(30 * S, 30 * S), 100);
	ck_assert_int_eq(pool_ramp_percent(0, 0), 100);
	for (int64_t t = 0; t <= 30 * S; t += 100 * US_PER_MS) {
		int32_t now = pool_ramp_percent(t, 30 * S);

		ck_assert_int_ge(now, before);
		before = now;
	}
	/* no overflow with a day */
	ck_assert_int_eq(pool_ramp_percent(43200 * S, 86400 * S), 55);
}
END_TEST

/* ---- panic ---- */

START_TEST(panic_needs_more_than_the_threshold)
{
	ck_assert(!pool_is_in_panic(4, 2, 50));
	ck_assert(pool_is_in_panic(4, 3, 50));
	ck_assert(!pool_is_in_panic(4, 4, 0));
	ck_assert(!pool_is_in_panic(0, 0, 50));
	ck_assert(pool_is_in_panic(1, 1, 99));
	ck_assert(!pool_is_in_panic(UINT32_MAX, UINT32_MAX / 2, 50));
	ck_assert(pool_is_in_panic(UINT32_MAX, UINT32_MAX, 50));
}
END_TEST

/* ---- adaptive weight ---- */

START_TEST(equal_servers_keep_their_weight)
{
	struct pool_member m[5] = {{0}};
	int64_t scratch[5];

	srand(1);
	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 5; i++)
			pool_take_time(&m[i], 10000 + rand() % 4000);
		ck_assert_uint_eq(pool_adapt(m, 5, 50, scratch), 0);
	}
}
END_TEST

START_TEST(small_times_do_not_count)
{
	/* four times as slow, but only three milliseconds */
	struct pool_member m[2] = {{.response_us = 1000}, {.response_us = 4000}};
	int64_t scratch[2];

	ck_assert_uint_eq(pool_adapt(m, 2, 50, scratch), 0);
	ck_assert_int_eq(m[1].percent, 100);
}
END_TEST

START_TEST(slow_server_loses_in_steps_down_to_the_bound)
{
	struct pool_member m[3] = {{.response_us = 10000}, {.response_us = 11000}, {.response_us = 100000}};
	int64_t scratch[3];
	int rounds = 0;

	for (int i = 1; i < POOL_PATIENCE; i++)
		ck_assert_uint_eq(pool_adapt(m, 3, 40, scratch), 0);
	while (pool_adapt(m, 3, 40, scratch) && rounds < 100) {
		rounds++;
		ck_assert_int_eq(m[2].percent, 100 - POOL_STEP * rounds);
	}
	ck_assert_int_eq(m[2].percent, 60);
	ck_assert_int_eq(m[0].percent, 100);
	ck_assert_int_eq(m[1].percent, 100);
	/* well again: all of it comes back */
	m[2].response_us = 10500;
	for (int i = 0; i < 20; i++)
		pool_adapt(m, 3, 40, scratch);
	ck_assert_int_eq(m[2].percent, 100);
	/* switched off: at once no difference any more in the end */
	m[2].percent = 60;
	for (int i = 0; i < 20; i++)
		pool_adapt(m, 3, 0, scratch);
	ck_assert_int_eq(m[2].percent, 100);
}
END_TEST

/* A pool under load: each server answers in base / (1 - utilisation), load follows weight, times are noisy. Returns how
 * often shares turned round (went down after up or up after down) in the second half. */
static unsigned simulate(double load, const double *capacity, unsigned n, uint32_t bound, unsigned seed)
{
	struct pool_member m[8] = {{0}};
	int last[8] = {0};
	int64_t scratch[8];
	unsigned turns = 0;

	srand(seed);
	for (int round = 0; round < 2000; round++) {
		double sum = 0;

		for (unsigned i = 0; i < n; i++)
			sum += m[i].percent ? m[i].percent : 100;
		for (unsigned i = 0; i < n; i++) {
			double share = (m[i].percent ? m[i].percent : 100) / sum * load;
			double used = share / capacity[i] < 0.98 ? share / capacity[i] : 0.98;
			double time_us = 20000 / (1 - used) * (0.85 + 0.3 * rand() / RAND_MAX);

			/* two runs a round */
			pool_take_time(&m[i], (int64_t)time_us);
			pool_take_time(&m[i], (int64_t)time_us);
		}
		for (unsigned i = 0; i < n; i++)
			last[i] = m[i].percent ? m[i].percent : 100;
		pool_adapt(m, n, bound, scratch);
		for (unsigned i = 0; i < n; i++) {
			static int direction[8];
			int step = m[i].percent - last[i];

			ck_assert_int_ge(m[i].percent, 100 - (int)bound);
			ck_assert_int_le(m[i].percent, 100);
			if (round == 0)
				direction[i] = 0;
			if (round > 1000 && step && direction[i] && (step > 0) != (direction[i] > 0))
				turns++;
			if (step)
				direction[i] = step;
		}
	}
	return turns;
}

START_TEST(feedback_does_not_oscillate)
{
	static const double even[4] = {1, 1, 1, 1}, weak[4] = {1, 1, 1, 0.6}, two[2] = {1, 0.5};

	for (unsigned seed = 1; seed <= 5; seed++) {
		ck_assert_uint_eq(simulate(2.0, even, 4, 50, seed), 0);
		ck_assert_uint_le(simulate(2.0, weak, 4, 50, seed), 20);
		ck_assert_uint_le(simulate(2.4, weak, 4, 80, seed), 20);
		ck_assert_uint_le(simulate(0.8, two, 2, 50, seed), 20);
	}
}
END_TEST

/* ---- flapping ---- */

START_TEST(holds_grow_and_end)
{
	struct flap f = {0};

	flap_fall(&f, 60 * S, AT(0));
	ck_assert(!flap_is_held(&f, AT(0)));
	flap_fall(&f, 60 * S, AT(10));
	ck_assert(flap_is_held(&f, AT(11.9)));
	ck_assert(!flap_is_held(&f, AT(12)));
	flap_fall(&f, 60 * S, AT(20));
	ck_assert(flap_is_held(&f, AT(23.9)));
	ck_assert(!flap_is_held(&f, AT(24)));
	for (int i = 0; i < 100; i++)
		flap_fall(&f, 60 * S, AT(30 + i));
	ck_assert(flap_is_held(&f, AT(129 + 59)));
	ck_assert(!flap_is_held(&f, AT(129 + 60)));
	/* long enough quiet: the next fall is a first one */
	flap_fall(&f, 60 * S, AT(129 + 241));
	ck_assert(!flap_is_held(&f, AT(129 + 241)));
	ck_assert_uint_eq(f.falls, 1);
}
END_TEST

START_TEST(without_backoff_nothing_is_held)
{
	struct flap f = {0};

	for (int i = 0; i < 10; i++) {
		flap_fall(&f, 0, AT(i));
		ck_assert(!flap_is_held(&f, AT(i)));
	}
}
END_TEST

/* ---- punctuality ---- */

START_TEST(permilles_are_near_the_truth)
{
	struct lateness l = {0};

	ck_assert_int_eq(lateness_permille(&l, 990), 0);
	lateness_turn(&l, AT(0));
	for (int64_t i = 1; i <= 100000; i++)
		lateness_take(&l, i);
	ck_assert_int_ge(lateness_permille(&l, 500), 50000);
	ck_assert_int_le(lateness_permille(&l, 500), 62500);
	ck_assert_int_ge(lateness_permille(&l, 990), 99000);
	ck_assert_int_le(lateness_permille(&l, 990), 100000);
	ck_assert_int_eq(lateness_most(&l), 100000);
	/* what is older than two windows is forgotten */
	lateness_turn(&l, AT(61));
	ck_assert_int_eq(lateness_most(&l), 100000);
	lateness_take(&l, 3);
	lateness_turn(&l, AT(122));
	ck_assert_int_eq(lateness_most(&l), 3);
	ck_assert_int_eq(lateness_permille(&l, 1000), 3);
	lateness_take(&l, INT64_MAX);
	ck_assert_int_gt(lateness_permille(&l, 1000), S);
}
END_TEST

/* ---- track_file ---- */

START_TEST(track_files_are_numbers)
{
	static const struct {
		const char *text;
		int32_t weight;
		bool is_dynamic, passes;
		int32_t wanted; /* -1 = none */
	} cases[] = {{"", 1, true, true, 10}, {" 5\n", 1, true, true, 15}, {"5", -2, true, true, 0},
		{"-5", -2, true, true, 20}, {"5", 1, false, true, -1}, {"0", 0, false, true, -1},
		{"1", 0, false, false, -1}, {"-2147483648", 1, true, false, -1},
		{"2147483647", 1, true, true, INT32_MAX}, {"99999999999999999999", 1, true, true, INT32_MAX},
		{"5 6", 1, true, true, 15}, {"5x", 1, true, false, -1}, {"-", 1, true, false, -1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct probe_result result = {.reason = REASON_OK};

		track_file_judge(
			cases[i].text, strlen(cases[i].text), cases[i].weight, cases[i].is_dynamic, 10, &result);
		ck_assert_msg((result.reason == REASON_OK) == cases[i].passes, "\"%s\": %s", cases[i].text, result.why);
		ck_assert_int_eq(result.has_weight ? result.weight : -1, cases[i].wanted);
	}
}
END_TEST

/* ---- passive detection ---- */

START_TEST(silence_after_new_connections_is_doubt)
{
	static const struct {
		uint64_t connections, in, out;
		bool doubt;
	} looks[] = {
		{100, 1000, 900, false}, /* the first look knows nothing */
		{101, 1001, 900, false}, /* under way */
		{102, 1004, 900, true},
		{102, 1009, 900, false}, /* no new connection: old ones may be idle on their side */
		{103, 1010, 900, true},
		{104, 1020, 901, false}, /* it lives */
		{105, 1022, 901, false},
		{0, 0, 0, false}, /* added anew */
		{9, 9, 0, true},
	};
	struct passive p = {0};

	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		ck_assert_msg(passive_look(&p, looks[i].connections, looks[i].in, looks[i].out) == looks[i].doubt,
			"look %zu", i);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_pool");
	TCase *tc = tcase_create("pool");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, silence_after_new_connections_is_doubt);
	tcase_add_test(tc, track_files_are_numbers);
	tcase_add_test(tc, ramp_rises_from_a_tenth_to_all);
	tcase_add_test(tc, panic_needs_more_than_the_threshold);
	tcase_add_test(tc, equal_servers_keep_their_weight);
	tcase_add_test(tc, small_times_do_not_count);
	tcase_add_test(tc, slow_server_loses_in_steps_down_to_the_bound);
	tcase_add_test(tc, feedback_does_not_oscillate);
	tcase_add_test(tc, holds_grow_and_end);
	tcase_add_test(tc, without_backoff_nothing_is_held);
	tcase_add_test(tc, permilles_are_near_the_truth);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
