/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was heard: one run for a steady stream, a new one for every change, bounded whatever comes. */
#include "../../vrrp/vrrp_heard.h"
#include <check.h>
#include <stdlib.h>

static struct vrrp_heard heard;
static struct status_heard before;
static uint32_t at;

static void setup(void)
{
	heard = (struct vrrp_heard){0};
}

static enum vrrp_heard_news hear(uint8_t sender, uint32_t priority, uint32_t drop, int64_t at_us)
{
	const struct vrrp_heard_advert advert = {.sender = {.family = 2, .bytes = {192, 0, 2, sender}},
		.priority = priority,
		.drop = drop,
		.interval_us = US_PER_S,
		.now = {US_PER_S + at_us},
		.real_us = 5 * US_PER_S + at_us};

	before = (struct status_heard){0};
	return vrrp_heard_take(&heard, &advert, &at, &before);
}

START_TEST(test_a_steady_stream_is_one_run)
{
	ck_assert_int_eq(hear(3, 150, 0, 0), HEARD_NEW);
	for (int i = 1; i < 1000; i++)
		ck_assert_int_eq(hear(3, 150, 0, i * US_PER_S), HEARD_SAME);
	ck_assert_uint_eq(heard.runs[at].count, 1000);
	ck_assert_int_eq(heard.runs[at].first_real_us, 5 * US_PER_S);
	ck_assert_int_eq(heard.runs[at].last_real_us, 5 * US_PER_S + 999 * US_PER_S);
}
END_TEST

START_TEST(test_every_change_begins_a_run_and_gives_the_one_before)
{
	hear(3, 150, 0, 0);
	hear(3, 150, 0, US_PER_S);
	ck_assert_int_eq(hear(3, 100, 0, 2 * US_PER_S), HEARD_PRIORITY);
	ck_assert_uint_eq(before.priority, 150);
	ck_assert_uint_eq(before.count, 2);
	ck_assert_uint_eq(heard.runs[at].count, 1);
	ck_assert_int_eq(hear(3, 0, VRRP_DROP_TTL, 3 * US_PER_S), HEARD_JUDGED);
	ck_assert_int_eq(hear(3, 100, 0, 4 * US_PER_S), HEARD_JUDGED);
	ck_assert_uint_eq(before.drop, VRRP_DROP_TTL);
	/* three intervals are patience, more is a silence */
	ck_assert_int_eq(hear(3, 100, 0, 7 * US_PER_S), HEARD_SAME);
	ck_assert_int_eq(hear(3, 100, 0, 10 * US_PER_S + 1), HEARD_AGAIN);
	ck_assert_uint_eq(before.count, 2);
}
END_TEST

START_TEST(test_two_senders_do_not_interrupt_each_other)
{
	hear(3, 150, 0, 0);
	hear(4, 100, 0, 1);
	for (int i = 1; i < 50; i++) {
		ck_assert_int_eq(hear(3, 150, 0, i * US_PER_S), HEARD_SAME);
		ck_assert_int_eq(hear(4, 100, 0, i * US_PER_S + 1), HEARD_SAME);
	}
}
END_TEST

START_TEST(test_the_one_heard_longest_ago_makes_room)
{
	for (uint8_t sender = 1; sender <= HEARD_SENDERS; sender++)
		hear(sender, 100, 0, sender);
	hear(1, 100, 0, 100); /* now sender 2 is the oldest */
	ck_assert_int_eq(hear(99, 100, 0, 101), HEARD_NEW);
	ck_assert_int_eq(hear(1, 100, 0, 102), HEARD_SAME);
	ck_assert_int_eq(hear(3, 100, 0, 103), HEARD_SAME);
	ck_assert_int_eq(hear(2, 100, 0, 104), HEARD_NEW);
}
END_TEST

START_TEST(test_a_flood_tells_little)
{
	unsigned told = 0;

	for (int i = 0; i < 10000; i++) /* a thousand a second, ten seconds long */
		told += vrrp_heard_may_tell(&heard, (struct mono){US_PER_S + i * US_PER_MS});
	ck_assert_uint_ge(told, HEARD_BURST + 8);
	ck_assert_uint_le(told, HEARD_BURST + 10);
	/* and after a quiet minute there is room for a burst again, not for more */
	told = 0;
	for (int i = 0; i < 100; i++)
		told += vrrp_heard_may_tell(&heard, (struct mono){71 * US_PER_S});
	ck_assert_uint_eq(told, HEARD_BURST);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp heard");
	TCase *tc = tcase_create("heard");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_a_steady_stream_is_one_run);
	tcase_add_test(tc, test_every_change_begins_a_run_and_gives_the_one_before);
	tcase_add_test(tc, test_two_senders_do_not_interrupt_each_other);
	tcase_add_test(tc, test_the_one_heard_longest_ago_makes_room);
	tcase_add_test(tc, test_a_flood_tells_little);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
