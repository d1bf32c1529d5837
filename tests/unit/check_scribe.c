/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log lines on their way out: nobody waits for who does not take them, what is lost is counted, and what comes from
 * other processes stays one printable line. */
#include "../../daemon/scribe.h"
#include "log.h"
#include "mono.h"
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINES 20000

static int gate[2];
static char last[600];
static enum log_level last_level;
static unsigned written, told_lost, waits_for_gate;

static void take_line(enum log_level level, const char *text)
{
	const char *lost = strstr(text, " log lines lost");
	char byte;

	if (waits_for_gate && read(gate[0], &byte, 1) < 0)
		abort();
	waits_for_gate = 0;
	last_level = level;
	snprintf(last, sizeof(last), "%s", text);
	if (!lost) {
		written++;
		return;
	}
	while (lost > text && lost[-1] >= '0' && lost[-1] <= '9')
		lost--;
	told_lost += (unsigned)atoi(lost);
}

static void begin(struct scribe *scribe)
{
	*scribe = (struct scribe){0};
	written = told_lost = waits_for_gate = 0;
	last[0] = '\0';
	log_to_writer("check", take_line);
	ck_assert_int_eq(pipe(gate), 0);
}

START_TEST(test_a_log_that_takes_nothing_holds_nobody_up)
{
	struct scribe scribe;

	begin(&scribe);
	waits_for_gate = 1;
	ck_assert_int_eq(scribe_start(&scribe), 0);
	/* Far more than fits: a call that waited would wait for ever. */
	for (int i = 0; i < LINES; i++)
		log_info("line %d", i);
	ck_assert_uint_eq(written, 0);
	close(gate[1]);
	scribe_end(&scribe, 10 * US_PER_S);
	ck_assert_uint_gt(written, 10);
	ck_assert_uint_lt(written, LINES);
	/* Written at once again, and with it how many did not fit. */
	ck_assert_int_eq(scribe_start(&scribe), 0);
	log_info("the last line");
	scribe_end(&scribe, 10 * US_PER_S);
	ck_assert_str_eq(last, "the last line");
	ck_assert_uint_eq(written + told_lost, LINES + 1);
	close(gate[0]);
}
END_TEST

START_TEST(test_an_end_leaves_a_log_behind_that_takes_nothing)
{
	static struct scribe scribe;

	begin(&scribe);
	waits_for_gate = 1;
	ck_assert_int_eq(scribe_start(&scribe), 0);
	log_info("a line");
	scribe_end(&scribe, US_PER_S / 10);
	ck_assert_uint_eq(written, 0);
}
END_TEST

static void put(const struct scribe *scribe, uint8_t level, const char *text, size_t length)
{
	struct log_record record = {.level = level};

	memcpy(record.text, text, length);
	ck_assert_int_ge(send(scribe->queue[1], &record, offsetof(struct log_record, text) + length, 0), 0);
}

START_TEST(test_what_others_say_is_one_printable_line)
{
	static const char wild[] = "check: \"\033]0;x\007\"\nvrrp web: master\177 \303\244";
	struct scribe scribe;

	begin(&scribe);
	ck_assert_int_eq(scribe_start(&scribe), 0);
	put(&scribe, LOG_LEVEL_INFO, wild, sizeof(wild) - 1);
	/* Neither nothing nor less than nothing is a line. */
	ck_assert_int_eq(send(scribe.queue[1], "", 0, 0), 0);
	ck_assert_int_eq(send(scribe.queue[1], "\6", 1, 0), 1);
	scribe_end(&scribe, 10 * US_PER_S);
	ck_assert_str_eq(last, "check: \"?]0;x?\"?vrrp web: master? \303\244");
	ck_assert_int_eq(last_level, LOG_LEVEL_INFO);
	ck_assert_uint_eq(written, 1);
}
END_TEST

START_TEST(test_levels_are_the_four_that_there_are)
{
	static const struct {
		uint8_t sent;
		enum log_level taken;
	} levels[] = {{0, LOG_LEVEL_ERROR}, {3, LOG_LEVEL_ERROR}, {4, LOG_LEVEL_WARNING}, {5, LOG_LEVEL_INFO},
		{6, LOG_LEVEL_INFO}, {7, LOG_LEVEL_DEBUG}, {255, LOG_LEVEL_DEBUG}};

	log_set_level(LOG_LEVEL_DEBUG);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct scribe scribe;

		begin(&scribe);
		ck_assert_int_eq(scribe_start(&scribe), 0);
		put(&scribe, levels[i].sent, "x", 1);
		scribe_end(&scribe, 10 * US_PER_S);
		ck_assert_int_eq(last_level, levels[i].taken);
	}
	log_set_level(LOG_LEVEL_INFO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scribe");
	TCase *tcase = tcase_create("scribe");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_a_log_that_takes_nothing_holds_nobody_up);
	tcase_add_test(tcase, test_an_end_leaves_a_log_behind_that_takes_nothing);
	tcase_add_test(tcase, test_what_others_say_is_one_printable_line);
	tcase_add_test(tcase, test_levels_are_the_four_that_there_are);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
