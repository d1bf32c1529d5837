/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Split brain: suspected when another master stays one, not when mastership changes hands, and over when it is. */
#include "../../vrrp/vrrp_split.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define INTERVAL US_PER_S

static const struct addr other = {.family = 2, .bytes = {192, 0, 2, 3}};

static struct mono at(int64_t us)
{
	return (struct mono){100 * US_PER_S + us};
}

/* Hears `n` advertisements, one every `gap_us`. Returns which one brought the suspicion, 0 = none. */
static int hear(struct vrrp_split *split, int n, int64_t gap_us)
{
	int found = 0;

	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(vrrp_split_look(split, true, INTERVAL, at(i * gap_us)), VRRP_SPLIT_SAME);
		if (vrrp_split_heard(split, INTERVAL, &other, VRRP_DROP_NONE, at(i * gap_us)) == VRRP_SPLIT_SUSPECTED)
			found = i + 1;
	}
	return found;
}

START_TEST(test_a_master_that_stays_is_suspected_once)
{
	struct vrrp_split split = {0};

	ck_assert_int_eq(hear(&split, 10, INTERVAL), 4);
	ck_assert(split.is_suspected && addr_equal(&split.rival, &other));
}
END_TEST

START_TEST(test_a_change_of_hands_is_none)
{
	struct vrrp_split split = {0};

	ck_assert_int_eq(hear(&split, 3, INTERVAL), 0);
	/* we yield, and are master again much later */
	ck_assert_int_eq(vrrp_split_look(&split, false, INTERVAL, at(3 * INTERVAL)), VRRP_SPLIT_SAME);
	ck_assert_int_eq(
		vrrp_split_heard(&split, INTERVAL, &other, VRRP_DROP_NONE, at(90 * INTERVAL)), VRRP_SPLIT_SAME);
	ck_assert_uint_eq(split.heard, 1);
}
END_TEST

START_TEST(test_a_burst_is_none)
{
	struct vrrp_split split = {0};

	ck_assert_int_eq(hear(&split, 100, INTERVAL / 100), 0);
}
END_TEST

START_TEST(test_rare_ones_are_none)
{
	struct vrrp_split split = {0};

	ck_assert_int_eq(hear(&split, 20, VRRP_SPLIT_INTERVALS * INTERVAL + 1), 0);
}
END_TEST

START_TEST(test_it_is_over)
{
	struct vrrp_split split = {0};

	hear(&split, 5, INTERVAL);
	ck_assert_int_eq(vrrp_split_look(&split, true, INTERVAL, at(7 * INTERVAL)), VRRP_SPLIT_SAME);
	ck_assert_int_eq(vrrp_split_look(&split, true, INTERVAL, at(7 * INTERVAL + 1)), VRRP_SPLIT_OVER);
	ck_assert_int_eq(vrrp_split_look(&split, true, INTERVAL, at(9 * INTERVAL)), VRRP_SPLIT_SAME);
	hear(&split, 5, INTERVAL);
	ck_assert_int_eq(vrrp_split_look(&split, false, INTERVAL, at(4 * INTERVAL)), VRRP_SPLIT_OVER);
	ck_assert(!split.is_suspected);
}
END_TEST

START_TEST(test_who_does_not_count_is_one_too)
{
	static const char forged[] = "its authentication is wrong";
	struct vrrp_split split = {0};
	char text[WHY_SIZE];

	for (int i = 0; i < 4; i++)
		vrrp_split_heard(&split, INTERVAL, &other, VRRP_DROP_AUTH_FAILURE, at(i * INTERVAL));
	ck_assert(split.is_suspected);
	ck_assert_ptr_nonnull(strstr(vrrp_split_text(&split, text), "192.0.2.3"));
	ck_assert_ptr_nonnull(strstr(text, forged));
	/* Each cause has its sentence, whole. */
	for (enum vrrp_drop drop = VRRP_DROP_NONE; drop < VRRP_DROP_COUNT; drop++) {
		split.drop = drop;
		split.rival = (struct addr){.family = 10, .bytes = {[0 ... 15] = 0xfd}};
		ck_assert_uint_lt(strlen(vrrp_split_text(&split, text)), WHY_SIZE - 1);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp split");
	TCase *tc = tcase_create("split");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_a_master_that_stays_is_suspected_once);
	tcase_add_test(tc, test_a_change_of_hands_is_none);
	tcase_add_test(tc, test_a_burst_is_none);
	tcase_add_test(tc, test_rare_ones_are_none);
	tcase_add_test(tc, test_it_is_over);
	tcase_add_test(tc, test_who_does_not_count_is_one_too);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
