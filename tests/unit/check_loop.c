/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The loop: timers fire in order and once, can be moved and cancelled (against a plain model), descriptors, children.
 */
#include "loop.h"
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMERS 500

static struct loop *loop;
static struct timer timers[TIMERS];
static int fired[TIMERS];
static int order[TIMERS * 4];
static int n_fired;

static void setup(void)
{
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	n_fired = 0;
}

static void teardown(void)
{
	loop_free(loop);
}

static void on_timer(struct timer *t, void *arg)
{
	(void)arg;
	ck_assert(!mono_before(mono_now(), t->at));
	fired[t - timers]++;
	order[n_fired++] = (int)(t - timers);
}

static void on_end(struct timer *t, void *arg)
{
	(void)t;
	(void)arg;
	loop_exit(loop, 7);
}

START_TEST(test_timers_fire_in_order_and_once)
{
	struct timer end = {.fire = on_end};
	struct mono now = mono_now();
	int expected = 0;

	srand(4711);
	for (int i = 0; i < TIMERS; i++) {
		timers[i] = (struct timer){.fire = on_timer};
		loop_timer_set(loop, &timers[i], mono_add(now, rand() % 20000));
	}
	for (int i = 0; i < TIMERS; i += 3)
		loop_timer_set(loop, &timers[i], mono_add(now, rand() % 20000));
	for (int i = 0; i < TIMERS; i += 5)
		loop_timer_cancel(loop, &timers[i]);
	loop_timer_cancel(loop, &timers[0]);
	loop_timer_set(loop, &end, mono_add(now, 50000));
	ck_assert_int_eq(loop_run(loop), 7);
	for (int i = 0; i < TIMERS; i++) {
		ck_assert_int_eq(fired[i], i % 5 ? 1 : 0);
		expected += i % 5 ? 1 : 0;
	}
	ck_assert_int_eq(n_fired, expected);
	for (int i = 1; i < n_fired; i++)
		ck_assert(!mono_before(timers[order[i]].at, timers[order[i - 1]].at));
}
END_TEST

static int rounds;

static void on_again(struct timer *t, void *arg)
{
	(void)arg;
	ck_assert_uint_eq(t->slot, 0);
	if (++rounds == 100)
		loop_exit(loop, 0);
	else
		loop_timer_set(loop, t, mono_now());
}

START_TEST(test_a_timer_may_arm_itself_again)
{
	struct timer again = {.fire = on_again};

	loop_timer_set(loop, &again, MONO_NEVER);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(rounds, 100);
}
END_TEST

static struct loop_io *io;

static void on_byte(int fd, uint32_t events, void *arg)
{
	char c;

	ck_assert(events & EPOLLIN);
	ck_assert_int_eq(read(fd, &c, 1), 1);
	*(char *)arg = c;
	loop_io_remove(io);
	loop_exit(loop, 0);
}

START_TEST(test_a_descriptor_may_be_removed_in_its_callback)
{
	int fds[2];
	char got = 0;

	ck_assert_int_eq(pipe(fds), 0);
	io = loop_io_add(loop, fds[0], EPOLLIN, on_byte, &got);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(got, 'x');
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static void on_child(pid_t pid, const siginfo_t *info, void *arg)
{
	ck_assert_int_eq(pid, *(pid_t *)arg);
	ck_assert_int_eq(info->si_status, 42);
	loop_exit(loop, 0);
}

START_TEST(test_the_end_of_a_child_is_told)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(42);
	ck_assert_int_eq(loop_child_add(loop, pid, on_child, &pid), 0);
	ck_assert_int_eq(loop_run(loop), 0);
}
END_TEST

static void on_usr1(int signo, void *arg)
{
	ck_assert_int_eq(signo, SIGUSR1);
	(*(int *)arg)++;
	loop_exit(loop, 0);
}

START_TEST(test_signals_are_told)
{
	int n = 0;

	ck_assert_int_eq(loop_signal_add(loop, SIGUSR1, on_usr1, &n), 0);
	kill(getpid(), SIGUSR1);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(n, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tcase = tcase_create("loop");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_timers_fire_in_order_and_once);
	tcase_add_test(tcase, test_a_timer_may_arm_itself_again);
	tcase_add_test(tcase, test_a_descriptor_may_be_removed_in_its_callback);
	tcase_add_test(tcase, test_the_end_of_a_child_is_told);
	tcase_add_test(tcase, test_signals_are_told);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
