/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verdicts: golden traces of results and what becomes of them, and random traces against a second, simpler counting. */
#include "check_verdict.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

/* One letter a step. In: '+' passed, '-' failed. Out: u unknown, U up, D down, d up but in doubt. */
struct trace {
	uint32_t retry, rise;
	const char *in, *out;
};

static char letter(const struct verdict *v, const struct verdict_step *step)
{
	if (v->health == HEALTH_UNKNOWN)
		return 'u';
	if (v->health == HEALTH_DOWN)
		return 'D';
	return step->is_doubt ? 'd' : 'U';
}

static const struct trace traces[] = {
	/* the first result counts at once, in both directions */
	{1, 1, "+", "U"},
	{3, 1, "-", "D"},
	{3, 5, "+", "U"},
	/* retry counts the failures beyond the first */
	{0, 1, "+-", "UD"},
	{1, 1, "+--", "UdD"},
	{3, 1, "+----", "UdddD"},
	/* a success in between clears the row */
	{3, 1, "+---+----+", "UdddUdddDU"},
	{1, 1, "+-+-+-+--", "UdUdUdUdD"},
	/* once down, failures change nothing and one success is enough by default */
	{1, 1, "+----+", "UdDDDU"},
	{2, 0, "---+", "DDDU"},
	/* rise asks for successes in a row, only from down */
	{0, 3, "+-++-+++", "UDDDDDDU"},
	{0, 3, "-+++-", "DDDUD"},
	/* a retry that would overflow is no retry at all */
	{UINT32_MAX, 1, "+--", "Udd"},
};

START_TEST(golden)
{
	const struct trace *t = &traces[_i];
	const struct verdict_rule rule = {t->retry, t->rise};
	struct verdict v = {HEALTH_UNKNOWN, 0, 0};
	char out[32] = "";

	for (size_t i = 0; t->in[i]; i++) {
		enum health before = v.health;
		struct verdict_step step = verdict_take(&rule, &v, t->in[i] == '+');

		ck_assert_int_eq(step.from, before);
		ck_assert_int_eq(step.to, v.health);
		ck_assert_int_eq(step.is_changed, before != v.health);
		ck_assert(!step.is_doubt || (v.health == HEALTH_UP && t->in[i] == '-'));
		out[i] = letter(&v, &step);
	}
	ck_assert_str_eq(out, t->out);
}
END_TEST

START_TEST(tries_are_counted)
{
	const struct verdict_rule rule = {3, 2};
	struct verdict v = {HEALTH_UP, 0, 9};
	struct verdict_step step;

	for (unsigned i = 1; i <= 4; i++) {
		step = verdict_take(&rule, &v, false);
		ck_assert_uint_eq(step.tries, i);
		ck_assert_uint_eq(step.tries_needed, 4);
	}
	ck_assert(step.is_changed);
	step = verdict_take(&rule, &v, true);
	ck_assert_uint_eq(step.tries, 1);
	ck_assert_uint_eq(step.tries_needed, 2);
}
END_TEST

START_TEST(counters_do_not_wrap)
{
	const struct verdict_rule rule = {1, 1};
	struct verdict v = {HEALTH_DOWN, UINT32_MAX, 0};

	verdict_take(&rule, &v, false);
	ck_assert_uint_eq(v.failures, UINT32_MAX);
}
END_TEST

/* The rule in words, counted over the whole history: an up check goes down when its last retry+1 results all failed, a
 * down one comes up when its last rise results all passed. */
static enum health naive(const bool *passed, size_t n, enum health before, const struct verdict_rule *rule)
{
	size_t row = before == HEALTH_UP ? rule->retry + 1 : before == HEALTH_DOWN && rule->rise ? rule->rise : 1;
	bool last = passed[n - 1];

	if (before == HEALTH_UNKNOWN)
		return last ? HEALTH_UP : HEALTH_DOWN;
	if (last == (before == HEALTH_UP) || n < row)
		return before;
	for (size_t i = n - row; i < n; i++)
		if (passed[i] != last)
			return before;
	return last ? HEALTH_UP : HEALTH_DOWN;
}

START_TEST(random_traces)
{
	bool passed[200];

	srand(4711);
	for (int run = 0; run < 2000; run++) {
		const struct verdict_rule rule = {(uint32_t)rand() % 5, (uint32_t)rand() % 5};
		struct verdict v = {HEALTH_UNKNOWN, 0, 0};
		int bias = 1 + rand() % 9;

		for (size_t n = 0; n < 200; n++) {
			enum health expected;

			passed[n] = rand() % 10 < bias;
			expected = naive(passed, n + 1, v.health, &rule);
			verdict_take(&rule, &v, passed[n]);
			ck_assert_int_eq(v.health, expected);
		}
	}
}
END_TEST

START_TEST(server_is_the_worst_of_its_checks)
{
	const enum health u = HEALTH_UNKNOWN, up = HEALTH_UP, down = HEALTH_DOWN;

	ck_assert_int_eq(verdict_join(up, up), up);
	ck_assert_int_eq(verdict_join(up, u), u);
	ck_assert_int_eq(verdict_join(u, up), u);
	ck_assert_int_eq(verdict_join(u, down), down);
	ck_assert_int_eq(verdict_join(down, up), down);
	ck_assert_int_eq(verdict_join(down, u), down);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_verdict");
	TCase *tc = tcase_create("verdict");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, golden, 0, (int)(sizeof(traces) / sizeof(traces[0])));
	tcase_add_test(tc, tries_are_counted);
	tcase_add_test(tc, counters_do_not_wrap);
	tcase_add_test(tc, random_traces);
	tcase_add_test(tc, server_is_the_worst_of_its_checks);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
