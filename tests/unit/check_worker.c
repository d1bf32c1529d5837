/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

struct work {
	struct worker worker;
	pid_t thread;
	unsigned done;
	bool until_the_end;
};

static void run(void *arg)
{
	struct work *work = arg;

	work->thread = gettid();
	while (work->until_the_end && !worker_is_ending(&work->worker))
		usleep(1000);
	work->done++;
}

static void begin(struct work *work)
{
	*work = (struct work){0};
	worker_init(&work->worker, run, work);
}

START_TEST(test_work_is_done_elsewhere_and_taken_once)
{
	struct work work;

	begin(&work);
	ck_assert_int_eq(worker_start(&work.worker, 10), 0);
	ck_assert(!worker_take(&work.worker));
	for (unsigned i = 1; i <= 100; i++) {
		worker_send(&work.worker);
		ck_assert(work.worker.is_out);
		worker_wait(&work.worker);
		ck_assert(worker_take(&work.worker));
		ck_assert(!worker_take(&work.worker));
		ck_assert_uint_eq(work.done, i);
	}
	ck_assert_int_ne(work.thread, gettid());
	worker_end(&work.worker);
	ck_assert_int_eq(worker_fd(&work.worker), -1);
}
END_TEST

START_TEST(test_without_a_thread_it_is_done_at_once)
{
	struct work work;

	begin(&work);
	worker_send(&work.worker);
	ck_assert_uint_eq(work.done, 1);
	ck_assert_int_eq(work.thread, gettid());
	worker_wait(&work.worker);
	ck_assert(worker_take(&work.worker));
	ck_assert(!worker_take(&work.worker));
	worker_end(&work.worker);
}
END_TEST

START_TEST(test_a_wait_has_a_limit)
{
	struct work work;

	begin(&work);
	work.until_the_end = true;
	ck_assert_int_eq(worker_start(&work.worker, 0), 0);
	ck_assert(worker_wait_for(&work.worker, 0));
	worker_send(&work.worker);
	ck_assert(!worker_wait_for(&work.worker, 0));
	ck_assert(!worker_wait_for(&work.worker, 1000));
	ck_assert(work.worker.is_out);
	worker_end(&work.worker);
	begin(&work);
	ck_assert_int_eq(worker_start(&work.worker, 0), 0);
	worker_send(&work.worker);
	ck_assert(worker_wait_for(&work.worker, 60000000));
	ck_assert(worker_take(&work.worker));
	worker_end(&work.worker);
}
END_TEST

START_TEST(test_long_work_hears_of_the_end)
{
	struct work work;

	begin(&work);
	work.until_the_end = true;
	ck_assert_int_eq(worker_start(&work.worker, 0), 0);
	worker_send(&work.worker);
	ck_assert(!worker_take(&work.worker));
	worker_end(&work.worker); /* does not return otherwise */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker");
	TCase *tcase = tcase_create("worker");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_work_is_done_elsewhere_and_taken_once);
	tcase_add_test(tcase, test_without_a_thread_it_is_done_at_once);
	tcase_add_test(tcase, test_a_wait_has_a_limit);
	tcase_add_test(tcase, test_long_work_hears_of_the_end);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
