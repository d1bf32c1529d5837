/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a step of a conversation finds: text, bytes, expressions, and the beginning of a datagram with digits that do
 * not count. */
#include "talk.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static ssize_t find(enum conf_step_kind kind, const char *text, const char *data, size_t length)
{
	char strings[64] = "", why[WHY_SIZE];
	struct conf_step step = {.kind = kind, .text = 1};
	struct conf_range steps = {0, 1};
	struct conf conf = {.steps = &step, .n_steps = 1, .strings = strings, .n_strings = sizeof(strings)};
	struct talk *talk;
	ssize_t used;

	strcpy(strings + 1, text);
	talk = talk_compile(&conf, &steps, why);
	if (!talk)
		return -2;
	used = talk_find(&talk->steps[0], (const uint8_t *)data, length);
	talk_free(talk);
	return used;
}

START_TEST(steps_find_what_they_say)
{
	ck_assert_int_eq(find(CONF_STEP_EXPECT, "+OK\\r\\n", "..+OK\r\nx", 8), 7);
	ck_assert_int_eq(find(CONF_STEP_EXPECT, "+OK", "-ERR", 4), -1);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_HEX, "00ff", "a\0\xff", 3), 3);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_REGEX, "^[0-9]+", "220 hi", 6), 3);
	ck_assert_int_eq(find(CONF_STEP_EXPECT, "bad\\q", "bad", 3), -2);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_HEX, "0", "0", 1), -2);
}
END_TEST

/* As keepalived compares a reply: from its first byte, as far as both go, an x is any digit. */
START_TEST(beginnings_with_any_digits)
{
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "50xx4f", "PONG", 4), -1);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "50xx4e", "PONG", 4), 3);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "5X4f", "PONG", 4), 2);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "x14f", "PONG", 4), -1);
	/* Not somewhere in the middle. */
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "4f4e", "PONG", 4), -1);
	/* A reply that is shorter is compared as far as it goes. */
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "504f4e4700ff", "PONG", 4), 4);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "50", "", 0), -1);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "5g", "PONG", 4), -2);
	ck_assert_int_eq(find(CONF_STEP_EXPECT_BEGIN, "504", "PONG", 4), -2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_talk");
	TCase *tc = tcase_create("talk");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, steps_find_what_they_say);
	tcase_add_test(tc, beginnings_with_any_digits);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
