/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of a config role that stands by: what arrives is what was sent, and what is none is refused. */
#include "conf_order.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int pair[2];
static struct conf_order order;

static void make_pair(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
}

static void send_order(const char *text, size_t size, unsigned n_fds)
{
	union {
		char data[CMSG_SPACE(3 * sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	int fds[3] = {STDIN_FILENO, pair[0], pair[1]};
	struct iovec part = {(void *)(uintptr_t)text, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	struct cmsghdr *c;

	if (n_fds > 0) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	ck_assert_int_eq(sendmsg(pair[0], &message, 0), (int)size);
}

START_TEST(words_and_descriptors)
{
	static const char text[] = "poise-config\0--brief\0-f\0\0with blanks";
	struct stat sent, received;

	send_order(text, sizeof(text), 2);
	ck_assert(conf_order_wait(pair[1], &order));
	ck_assert_int_eq(order.argc, 5);
	ck_assert_str_eq(order.argv[0], "poise-config");
	ck_assert_str_eq(order.argv[1], "--brief");
	ck_assert_str_eq(order.argv[3], "");
	ck_assert_str_eq(order.argv[4], "with blanks");
	ck_assert_ptr_null(order.argv[5]);
	fstat(STDIN_FILENO, &sent);
	fstat(order.table, &received);
	ck_assert_uint_eq(sent.st_ino, received.st_ino);
	fstat(pair[0], &sent);
	fstat(order.findings, &received);
	ck_assert_uint_eq(sent.st_ino, received.st_ino);
	close(order.table);
	close(order.findings);
}
END_TEST

START_TEST(a_last_word_without_its_zero)
{
	send_order("a\0b", 3, 2);
	ck_assert(conf_order_wait(pair[1], &order));
	ck_assert_int_eq(order.argc, 2);
	ck_assert_str_eq(order.argv[1], "b");
}
END_TEST

START_TEST(nobody_wants_one)
{
	shutdown(pair[0], SHUT_WR);
	ck_assert(!conf_order_wait(pair[1], &order));
}
END_TEST

START_TEST(no_order)
{
	char *large = calloc(1, CONF_ORDER_SIZE + 1);
	char many[2 * (CONF_ORDER_WORDS + 1)] = {0};

	send_order("a", 2, 0);
	ck_assert(!conf_order_wait(pair[1], &order));
	send_order("a", 2, 1);
	ck_assert(!conf_order_wait(pair[1], &order));
	send_order("a", 2, 3);
	ck_assert(!conf_order_wait(pair[1], &order));
	memset(large, 'x', CONF_ORDER_SIZE);
	send_order(large, CONF_ORDER_SIZE + 1, 2);
	ck_assert(!conf_order_wait(pair[1], &order));
	free(large);
	for (unsigned i = 0; i < sizeof(many); i += 2)
		many[i] = 'w';
	send_order(many, sizeof(many), 2);
	ck_assert(!conf_order_wait(pair[1], &order));
	send_order(many, sizeof(many) - 2, 2);
	ck_assert(conf_order_wait(pair[1], &order));
	ck_assert_int_eq(order.argc, CONF_ORDER_WORDS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_order");
	TCase *cases = tcase_create("order");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(cases, make_pair, close_pair);
	tcase_add_test(cases, words_and_descriptors);
	tcase_add_test(cases, a_last_word_without_its_zero);
	tcase_add_test(cases, nobody_wants_one);
	tcase_add_test(cases, no_order);
	suite_add_tcase(suite, cases);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
