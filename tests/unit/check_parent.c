/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent's pure parts: when a role counts as hung, when it is started again, and the intents in memory and file. */
#include "../../daemon/intent.h"
#include "../../daemon/supervise.h"
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct mono at(int64_t ms)
{
	return (struct mono){1000000000 + ms * US_PER_MS};
}

START_TEST(test_many_late_roles_are_a_slow_machine)
{
	struct supervise s = {0};

	supervise_started(&s, at(100));
	ck_assert(!supervise_is_late(&s, 0, at(600), US_PER_S));
	ck_assert(supervise_is_late(&s, 0, at(601), US_PER_S));
	ck_assert(!supervise_is_late(&s, 1, at(5000), US_PER_S));
	for (unsigned running = 1; running <= 8; running++)
		for (unsigned late = 0; late <= running; late++)
			ck_assert_int_eq(supervise_tolerance(late, running), late >= 3 && 2 * late >= running ? 2 : 1);
}
END_TEST

START_TEST(test_who_waits_for_a_processor_does_not_hang)
{
	struct supervise s = {0};
	struct supervise_look look = {'R', 5000};

	/* The first look tells nothing yet. */
	ck_assert(!supervise_waits(&s, &look, at(100)));
	ck_assert(supervise_waits(&s, &look, at(200)));
	/* A quarter of the time, and it is no wait any more. */
	look.run_us = 5000 + 99 * US_PER_MS / 4;
	ck_assert(supervise_waits(&s, &look, at(200)));
	look.run_us = 5000 + 25 * US_PER_MS;
	ck_assert(!supervise_waits(&s, &look, at(200)));
	/* Stopped, asleep, waiting for a disk: nothing that a processor would help. */
	for (const char *state = "SDTtZX"; *state; state++) {
		struct supervise_look other = {*state, 5000};

		supervise_waits(&s, &look, at(300));
		ck_assert(!supervise_waits(&s, &other, at(400)));
	}
	/* It beats again: the next wait is another one. */
	look.run_us = 0;
	ck_assert(!supervise_waits(&s, &look, at(500)));
	ck_assert(supervise_waits(&s, &look, at(600)));
	ck_assert(!supervise_waits(&s, NULL, at(700)));
	ck_assert(!supervise_waits(&s, &look, at(800)));
	ck_assert(supervise_waits(&s, &look, at(900)));
}
END_TEST

START_TEST(test_a_still_beat_is_a_hung_role)
{
	struct supervise s = {0};
	int64_t limit = 900 * US_PER_MS;
	int64_t tick = 200 * US_PER_MS;

	supervise_started(&s, at(0));
	ck_assert(!supervise_is_hung(&s, 1, at(200), limit, tick));
	for (int64_t ms = 400; ms <= 1100; ms += 100)
		ck_assert(!supervise_is_hung(&s, 1, at(ms), limit, tick));
	ck_assert(supervise_is_hung(&s, 1, at(1101), limit, tick));
	/* It moves again: all is well. */
	ck_assert(!supervise_is_hung(&s, 2, at(1200), limit, tick));
	ck_assert(!supervise_is_hung(&s, 2, at(2100), limit, tick));
	ck_assert(supervise_is_hung(&s, 2, at(2101), limit, tick));
}
END_TEST

START_TEST(test_a_parent_that_slept_blames_nobody)
{
	struct supervise s = {0};
	int64_t limit = 900 * US_PER_MS;

	supervise_started(&s, at(0));
	ck_assert(!supervise_is_hung(&s, 1, at(100), limit, 100 * US_PER_MS));
	ck_assert(!supervise_is_hung(&s, 1, at(60000), limit, 59900 * US_PER_MS));
	ck_assert(!supervise_is_hung(&s, 1, at(60800), limit, 100 * US_PER_MS));
	ck_assert(supervise_is_hung(&s, 1, at(60901), limit, 100 * US_PER_MS));
}
END_TEST

START_TEST(test_usage_is_that_of_the_last_minute)
{
	struct supervise s = {0};

	supervise_started(&s, at(0));
	ck_assert_int_eq(supervise_usage(&s, 5 * US_PER_S, at(1000)), -1);
	ck_assert_int_eq(supervise_usage(&s, 30 * US_PER_S, at(60999)), -1);
	ck_assert_int_eq(supervise_usage(&s, 62 * US_PER_S, at(61000)), 95);
	ck_assert_int_eq(supervise_usage(&s, 62 * US_PER_S, at(121000)), 0);
	/* It counts anew after its death, and so do we. */
	ck_assert_int_eq(supervise_usage(&s, 1 * US_PER_S, at(182000)), -1);
	ck_assert_int_eq(supervise_usage(&s, 31 * US_PER_S, at(242000)), 50);
	supervise_started(&s, at(242000));
	ck_assert_int_eq(supervise_usage(&s, 90 * US_PER_S, at(342000)), -1);
}
END_TEST

START_TEST(test_restart_at_once_then_with_growing_pauses)
{
	static const int64_t expected_ms[] = {0, 0, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
	struct supervise s = {0};

	for (size_t i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
		supervise_started(&s, at((int64_t)i * 100));
		ck_assert_int_eq(
			supervise_restart_delay_us(&s, false, at((int64_t)i * 100 + 50)), expected_ms[i] * US_PER_MS);
	}
	/* A role that lived for a while is started at once again. */
	supervise_started(&s, at(5000));
	ck_assert_int_eq(supervise_restart_delay_us(&s, false, at(15000)), 0);
	supervise_started(&s, at(15000));
	ck_assert_int_eq(supervise_restart_delay_us(&s, false, at(15001)), 0);
	supervise_started(&s, at(15001));
	ck_assert_int_eq(supervise_restart_delay_us(&s, false, at(15002)), 0);
	supervise_started(&s, at(15002));
	ck_assert_int_eq(supervise_restart_delay_us(&s, false, at(15003)), 100 * US_PER_MS);
}
END_TEST

START_TEST(test_a_young_role_has_more_time)
{
	struct supervise s = {.started = at(100000)};
	int64_t patience = 3600 * US_PER_MS;

	for (enum role role = ROLE_VRRP; role < ROLE_COUNT; role++) {
		int64_t limit = supervise_beat_limit_us(role, patience);
		int64_t young = supervise_limit_us(&s, role, patience, false, at(101000));

		ck_assert_int_eq(supervise_limit_us(&s, role, patience, false, at(120000)), limit);
		ck_assert_int_ge(supervise_limit_us(&s, role, patience, true, at(120000)), limit + US_PER_S);
		/* Its neighbours do not wait longer for a heartbeat because the role is new. */
		if (role == ROLE_VRRP)
			ck_assert_int_eq(young, limit);
		else
			ck_assert_int_ge(young, limit + US_PER_S);
	}
}
END_TEST

START_TEST(test_a_start_that_failed_is_given_more_time)
{
	struct supervise s = {0};
	int64_t patience = 3600 * US_PER_MS, before = 0;

	/* However long it took before it was killed. */
	for (int i = 0; i < 4; i++) {
		int64_t limit;

		supervise_started(&s, at(100000 * i));
		limit = supervise_limit_us(&s, ROLE_PAIR, patience, true, at(100000 * i));
		ck_assert_int_eq(
			limit, before ? 2 * before : supervise_beat_limit_us(ROLE_PAIR, patience) + 5 * US_PER_S);
		supervise_restart_delay_us(&s, true, mono_add(at(100000 * i), limit));
		before = limit;
	}
	supervise_started(&s, at(1000000));
	ck_assert_int_eq(supervise_limit_us(&s, ROLE_PAIR, patience, true, at(1000000)), before);
	/* One that got ready and lived begins anew. */
	ck_assert_int_eq(supervise_restart_delay_us(&s, false, at(1100000)), 0);
	ck_assert_int_lt(supervise_limit_us(&s, ROLE_PAIR, patience, true, at(1100000)), before);
}
END_TEST

START_TEST(test_beat_limits_leave_time_for_a_restart)
{
	/* Hung and killed within half the patience, where that leaves more than a machine's stall. */
	for (int64_t patience = 10 * US_PER_MS; patience < 10 * US_PER_S; patience += 10 * US_PER_MS) {
		int64_t limit = supervise_beat_limit_us(ROLE_VRRP, patience);

		/* The watch looks four times in a limit. */
		if (patience >= 700 * US_PER_MS)
			ck_assert_int_lt(limit + limit / 4, patience / 2);
		ck_assert_int_ge(limit, 250 * US_PER_MS);
		ck_assert_int_ge(supervise_beat_period_us(limit), 8 * US_PER_MS);
	}
	ck_assert_int_ge(supervise_beat_limit_us(ROLE_SNMP, 100), 2 * US_PER_S);
	ck_assert_int_lt(supervise_beat_limit_us(ROLE_IPVS, 3600 * US_PER_MS), 1800 * US_PER_MS);
}
END_TEST

START_TEST(test_patience_is_the_shortest_of_all_instances)
{
	struct conf_instance instances[2] = {{.advert_us = US_PER_S, .down_timer_adverts = 3},
		{.advert_us = 100 * US_PER_MS, .down_timer_adverts = 3}};
	struct conf conf = {.instances = instances, .n_instances = 2};

	ck_assert_int_eq(supervise_patience_us(&conf), 300 * US_PER_MS);
	conf.n_instances = 1;
	ck_assert_int_eq(supervise_patience_us(&conf), 3 * US_PER_S);
	ck_assert_int_gt(supervise_patience_us(NULL), US_PER_S);
}
END_TEST

static struct status_admin wish(enum admin admin, int32_t weight, const char *why)
{
	struct status_admin a = {.admin = admin, .weight = weight, .since_real_us = 1700000000000000};

	snprintf(a.why, sizeof(a.why), "%s", why);
	return a;
}

START_TEST(test_intents_are_set_found_and_removed)
{
	struct intents all = {0};
	struct status_admin drain = wish(ADMIN_DRAIN, -1, "drain by root");
	struct status_admin normal = wish(ADMIN_NORMAL, -1, "");
	char server[32];

	for (int i = 0; i < 100; i++) {
		snprintf(server, sizeof(server), "10.1.0.%d:80", (i * 37) % 100);
		ck_assert_int_eq(intents_set(&all, i % 2 ? "a" : "b", server, &drain), 0);
	}
	ck_assert_uint_eq(all.count, 100);
	for (int i = 0; i < 100; i++) {
		snprintf(server, sizeof(server), "10.1.0.%d:80", (i * 37) % 100);
		ck_assert_ptr_nonnull(intents_find(&all, i % 2 ? "a" : "b", server));
		ck_assert_ptr_null(intents_find(&all, i % 2 ? "b" : "a", server));
	}
	ck_assert_int_eq(intents_set(&all, "a", "10.1.0.37:80", &normal), 0);
	ck_assert_uint_eq(all.count, 99);
	ck_assert_ptr_null(intents_find(&all, "a", "10.1.0.37:80"));
	ck_assert_int_eq(intents_set(&all, "a", "nothing", &normal), 0);
	ck_assert_uint_eq(all.count, 99);
	/* That a drain is over is kept: the other node may still think that it is not. */
	normal.asked_real_us = 50;
	ck_assert_int_eq(intents_set(&all, "a", "10.1.0.1:80", &normal), 0);
	ck_assert_uint_eq(all.count, 99);
	ck_assert_int_eq(intents_find(&all, "a", "10.1.0.1:80")->admin.admin, ADMIN_NORMAL);
	intents_prune(&all, 50);
	ck_assert_uint_eq(all.count, 99);
	intents_prune(&all, 51);
	ck_assert_uint_eq(all.count, 98);
	ck_assert_ptr_null(intents_find(&all, "a", "10.1.0.1:80"));
	intents_free(&all);
}
END_TEST

static struct pool_intent pool_change(const char *server, bool is_removed, int64_t since)
{
	struct pool_intent c = {.service = "s", .is_removed = is_removed, .weight = -1, .since_real_us = since};

	snprintf(c.server, sizeof(c.server), "%s", server);
	return c;
}

START_TEST(test_what_is_undone_is_settled_and_remembered)
{
	struct intents all = {0}, again = {0};
	struct pool_intent add = pool_change("10.1.0.9:80", false, 10), take = pool_change("10.1.0.9:80", true, 20);
	struct pool_intent other = pool_change("10.1.0.8:80", true, 15);
	char path[] = "/tmp/poise-intent-XXXXXX";
	unsigned bad;

	close(mkstemp(path));
	intents_change_pool(&all, &add);
	intents_change_pool(&all, &other);
	ck_assert_uint_eq(intents_count_pool(&all), 2);
	intents_change_pool(&all, &take);
	ck_assert_uint_eq(all.n_pool, 2);
	ck_assert_uint_eq(intents_count_pool(&all), 1);
	ck_assert(intents_find_pool(&all, "s", "10.1.0.9:80")->is_settled);
	ck_assert_int_eq(intents_find_pool(&all, "s", "10.1.0.9:80")->since_real_us, 20);
	ck_assert_int_eq(intents_write(&all, path), 0);
	ck_assert_int_eq(intents_read(&again, path, &bad), 0);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(again.n_pool, 2);
	ck_assert(intents_find_pool(&again, "s", "10.1.0.9:80")->is_settled);
	ck_assert(intents_find_pool(&again, "s", "10.1.0.9:80")->is_removed);
	ck_assert(!intents_find_pool(&again, "s", "10.1.0.8:80")->is_settled);
	/* What was settled and comes again is in force again. */
	add.since_real_us = 30;
	intents_change_pool(&again, &add);
	ck_assert_uint_eq(intents_count_pool(&again), 2);
	intents_prune(&all, 1000);
	ck_assert_uint_eq(all.n_pool, 1);
	unlink(path);
	intents_free(&all);
	intents_free(&again);
}
END_TEST

START_TEST(test_the_file_gives_back_what_was_written)
{
	struct intents all = {0}, again = {0};
	struct status_admin weight = wish(ADMIN_NORMAL, 0, "weight changed by anna");
	struct status_admin maint = wish(ADMIN_MAINT, -1, "maint by root");
	struct status_admin drain = wish(ADMIN_DRAIN, -1, "drained by root");
	char path[] = "/tmp/poise-intent-XXXXXX";
	unsigned bad;

	close(mkstemp(path));
	intents_set(&all, "10.0.0.1:80/tcp", "10.1.0.1:80", &weight);
	intents_set(&all, "fwmark 5", "[2001:db8::1]:80", &maint);
	drain.until_real_us = 1700000600000000;
	drain.drain_end = DRAIN_REMOVE;
	drain.keep_known = 1;
	intents_set(&all, "10.0.0.1:80/tcp", "10.1.0.2:80", &drain);
	ck_assert_int_eq(intents_write(&all, path), 0);
	ck_assert_int_eq(intents_read(&again, path, &bad), 0);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(again.count, 3);
	ck_assert_mem_eq(again.list, all.list, 3 * sizeof(struct intent));
	unlink(path);
	ck_assert_int_eq(intents_read(&again, path, &bad), 0);
	intents_free(&all);
	intents_free(&again);
}
END_TEST

/* More than 8 MiB: with 16,000 servers in three services each that is 48,000 lines. */
START_TEST(test_a_large_file_comes_back_whole)
{
	enum { N = 48000 };
	struct intents all = {0}, again = {0};
	struct status_admin drain = wish(ADMIN_DRAIN, -1,
		"drained by the operator of the night shift, who has a long name and a reason that fills the line: "
		"the racks in the second hall are moved tonight");
	char path[] = "/tmp/poise-intent-XXXXXX", server[32];
	struct stat st;
	unsigned bad;

	close(mkstemp(path));
	for (int i = 0; i < N; i++) {
		snprintf(server, sizeof(server), "10.1.%05d:8080", i);
		ck_assert_int_eq(intents_set(&all, "10.0.0.1:80/tcp", server, &drain), 0);
	}
	ck_assert_int_eq(intents_write(&all, path), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_gt(st.st_size, 8 << 20);
	ck_assert_int_eq(intents_read(&again, path, &bad), 0);
	ck_assert_uint_eq(bad, 0);
	ck_assert_uint_eq(again.count, N);
	ck_assert_mem_eq(&again.list[N - 1], &all.list[N - 1], sizeof(struct intent));
	unlink(path);
	intents_free(&all);
	intents_free(&again);
}
END_TEST

START_TEST(test_a_file_that_is_refused_is_not_lost)
{
	const off_t size = (off_t)1 << 30;
	struct intents all = {0};
	struct status_admin drain = wish(ADMIN_DRAIN, -1, "drained by root");
	char path[] = "/tmp/poise-intent-XXXXXX", kept[64];
	struct stat st;
	unsigned bad;

	close(mkstemp(path));
	ck_assert_int_eq(truncate(path, size), 0);
	ck_assert_int_eq(intents_read(&all, path, &bad), -EFBIG);
	ck_assert_uint_eq(all.count, 0);
	/* Twice: a restart before anything was written. */
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(intents_keep_file(path, kept, sizeof(kept)), 0);
	ck_assert_int_eq(intents_keep_file(path, kept, 8), -ENAMETOOLONG);
	intents_set(&all, "s", "x:1", &drain);
	ck_assert_int_eq(intents_write(&all, path), 0);
	snprintf(kept, sizeof(kept), "%s.kept", path);
	ck_assert_int_eq(stat(kept, &st), 0);
	ck_assert_int_eq(st.st_size, size);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_lt(st.st_size, 4096);
	unlink(path);
	unlink(kept);
	intents_free(&all);
}
END_TEST

START_TEST(test_damaged_lines_are_counted_and_the_rest_is_kept)
{
	struct intents all = {0};
	unsigned bad = 0;
	char text[] = "# a comment\n"
		      "s\tx:1\tdrain\t-1\t5\tdrain by root\n"
		      "s\tx:2\tdrain\t-1\t5\n"
		      "s\tx:3\tsleep\t-1\t5\twhy\n"
		      "s\tx:4\tdrain\t70000\t5\twhy\n"
		      "s\tx:5\tmaint\t-1\tfive\twhy\n"
		      "garbage\n"
		      "s\tx:6\tmaint\t7\t5\tmaint by root";

	intents_parse(&all, text, &bad);
	ck_assert_uint_eq(bad, 5);
	ck_assert_uint_eq(all.count, 2);
	ck_assert_int_eq(intents_find(&all, "s", "x:6")->admin.weight, 7);
	intents_free(&all);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parent");
	TCase *tcase = tcase_create("parent");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_many_late_roles_are_a_slow_machine);
	tcase_add_test(tcase, test_who_waits_for_a_processor_does_not_hang);
	tcase_add_test(tcase, test_a_still_beat_is_a_hung_role);
	tcase_add_test(tcase, test_a_parent_that_slept_blames_nobody);
	tcase_add_test(tcase, test_usage_is_that_of_the_last_minute);
	tcase_add_test(tcase, test_restart_at_once_then_with_growing_pauses);
	tcase_add_test(tcase, test_a_young_role_has_more_time);
	tcase_add_test(tcase, test_a_start_that_failed_is_given_more_time);
	tcase_add_test(tcase, test_beat_limits_leave_time_for_a_restart);
	tcase_add_test(tcase, test_patience_is_the_shortest_of_all_instances);
	tcase_add_test(tcase, test_intents_are_set_found_and_removed);
	tcase_add_test(tcase, test_what_is_undone_is_settled_and_remembered);
	tcase_add_test(tcase, test_the_file_gives_back_what_was_written);
	tcase_add_test(tcase, test_a_large_file_comes_back_whole);
	tcase_add_test(tcase, test_a_file_that_is_refused_is_not_lost);
	tcase_add_test(tcase, test_damaged_lines_are_counted_and_the_rest_is_kept);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
