/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink exchanges against the running kernel: requests that need no privilege, and refusals. As root the test moves
 * into a network namespace of its own first, so that it can reach nothing that matters. */
#include "mono.h"
#include "netlink.h"
#include <check.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#define TIMEOUT_US (5 * US_PER_S)
#define NO_SUCH_LINK 0x7ffffff0

struct refusals {
	size_t count, last, out_of_order;
	int error;
};

static void count_refusal(void *arg, size_t number, int error, const char *text)
{
	struct refusals *r = arg;

	(void)text;
	if (r->count && number != r->last + 1)
		r->out_of_order++;
	r->count++;
	r->last = number;
	r->error = error;
}

static void add_refused(struct netlink_batch *batch)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = NO_SUCH_LINK};
	struct nl_msg *msg = netlink_batch_add(batch, RTM_DELLINK, 0);

	ck_assert_ptr_nonnull(msg);
	ck_assert_int_eq(nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
}

static void add_accepted(struct netlink_batch *batch)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = 1};
	struct nl_msg *msg = netlink_batch_add(batch, RTM_GETLINK, 0);

	ck_assert_ptr_nonnull(msg);
	ck_assert_int_eq(nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
}

START_TEST(every_refusal_is_reported_in_order)
{
	struct nl_sock *sock = netlink_open(NETLINK_ROUTE, NULL);
	struct netlink_batch *batch = netlink_batch_new();
	struct refusals r = {0};

	ck_assert_ptr_nonnull(sock);
	for (int i = 0; i < 3000; i++)
		add_refused(batch);
	ck_assert_uint_eq(netlink_batch_count(batch), 3000);
	ck_assert_int_eq(netlink_batch_send(sock, batch, TIMEOUT_US, count_refusal, &r), 0);
	ck_assert_uint_eq(r.count, 3000);
	ck_assert_uint_eq(r.last, 2999);
	ck_assert_uint_eq(r.out_of_order, 0);
	ck_assert(r.error == EPERM || r.error == ENODEV);
	ck_assert_uint_eq(netlink_batch_count(batch), 0);
	netlink_batch_free(batch);
	nl_socket_free(sock);
}
END_TEST

START_TEST(a_batch_is_used_again)
{
	struct nl_sock *sock = netlink_open(NETLINK_ROUTE, NULL);
	struct netlink_batch *batch = netlink_batch_new();

	for (int round = 0; round < 3; round++) {
		struct refusals r = {0};

		add_refused(batch);
		add_accepted(batch);
		add_refused(batch);
		add_accepted(batch);
		ck_assert_int_eq(netlink_batch_send(sock, batch, TIMEOUT_US, count_refusal, &r), 0);
		ck_assert_uint_eq(r.count, 2);
		ck_assert_uint_eq(r.last, 2);
	}
	ck_assert_int_eq(netlink_batch_send(sock, batch, TIMEOUT_US, NULL, NULL), 0);
	netlink_batch_free(batch);
	nl_socket_free(sock);
}
END_TEST

static void find_loopback(void *arg, struct nlmsghdr *nlh)
{
	struct ifinfomsg *ifi = nlmsg_data(nlh);
	int *found = arg;

	ck_assert_int_eq(nlh->nlmsg_type, RTM_NEWLINK);
	if (ifi->ifi_flags & IFF_LOOPBACK)
		(*found)++;
}

/* What was collected before somebody thought better of it is not sent with what comes next. */
START_TEST(an_emptied_batch_sends_nothing_of_before)
{
	struct nl_sock *sock = netlink_open(NETLINK_ROUTE, NULL);
	struct netlink_batch *batch = netlink_batch_new();
	struct refusals r = {0};

	for (int i = 0; i < 300; i++)
		add_refused(batch);
	netlink_batch_empty(batch);
	ck_assert_uint_eq(netlink_batch_count(batch), 0);
	add_accepted(batch);
	add_refused(batch);
	ck_assert_int_eq(netlink_batch_send(sock, batch, TIMEOUT_US, count_refusal, &r), 0);
	ck_assert_uint_eq(r.count, 1);
	ck_assert_uint_eq(r.last, 1);
	netlink_batch_free(batch);
	nl_socket_free(sock);
}
END_TEST

START_TEST(links_are_dumped)
{
	struct nl_sock *sock = netlink_open(NETLINK_ROUTE, NULL);
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	struct nl_msg *request = nlmsg_alloc_simple(RTM_GETLINK, 0);
	int found = 0;

	ck_assert_int_eq(nlmsg_append(request, &ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
	ck_assert_int_eq(netlink_dump(sock, request, TIMEOUT_US, find_loopback, &found), 0);
	ck_assert_int_eq(found, 1);
	nlmsg_free(request);
	nl_socket_free(sock);
}
END_TEST

START_TEST(a_refused_dump_gives_its_errno)
{
	struct nl_sock *sock = netlink_open(NETLINK_ROUTE, NULL);
	struct nl_msg *request = nlmsg_alloc_simple(RTM_GETLINK, 0);
	struct rtgenmsg gen = {.rtgen_family = AF_UNSPEC};
	int found = 0;

	/* Strict checking refuses a request whose header is cut short. */
	ck_assert_int_eq(nlmsg_append(request, &gen, sizeof(gen), NLMSG_ALIGNTO), 0);
	ck_assert_int_eq(netlink_dump(sock, request, TIMEOUT_US, find_loopback, &found), -EINVAL);
	ck_assert_int_eq(found, 0);
	nlmsg_free(request);
	nl_socket_free(sock);
}
END_TEST

START_TEST(families_are_found_or_not)
{
	struct nl_sock *sock = netlink_open(NETLINK_GENERIC, NULL);

	ck_assert_ptr_nonnull(sock);
	ck_assert_int_eq(netlink_family(sock, "nlctrl"), GENL_ID_CTRL);
	ck_assert_int_eq(netlink_family(sock, "no-such-family"), -ENOENT);
	nl_socket_free(sock);
}
END_TEST

START_TEST(a_group_is_joined)
{
	const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, 0};
	struct nl_sock *sock = netlink_open(NETLINK_ROUTE, groups);

	ck_assert_ptr_nonnull(sock);
	nl_socket_free(sock);
}
END_TEST

/* Up and down: each time everybody who listens is told. */
static void toggle_loopback(struct nl_sock *sock, struct netlink_batch *batch, int times)
{
	for (int i = 0; i < times; i++) {
		struct ifinfomsg ifi = {
			.ifi_family = AF_UNSPEC, .ifi_index = 1, .ifi_change = IFF_UP, .ifi_flags = i % 2 ? 0 : IFF_UP};
		struct nl_msg *msg = netlink_batch_add(batch, RTM_NEWLINK, 0);

		ck_assert_int_eq(nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
	}
	ck_assert_int_eq(netlink_batch_send(sock, batch, TIMEOUT_US, NULL, NULL), 0);
}

/* Answers that did not fit are not taken for good ones; and the next exchange has room again. */
START_TEST(an_overrun_leaves_the_outcome_open)
{
	const int groups[] = {RTNLGRP_LINK, 0};
	struct nl_sock *full = netlink_open(NETLINK_ROUTE, groups), *other = netlink_open(NETLINK_ROUTE, NULL);
	struct netlink_batch *batch = netlink_batch_new();
	struct refusals r = {0};
	int size = 8192;

	ck_assert_int_eq(setsockopt(nl_socket_get_fd(full), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	toggle_loopback(other, batch, 200);
	add_refused(batch);
	ck_assert_int_eq(netlink_batch_send(full, batch, TIMEOUT_US, count_refusal, &r), -ENOBUFS);
	ck_assert_uint_eq(r.count, 0);
	ck_assert_uint_eq(netlink_batch_count(batch), 0);
	add_refused(batch);
	ck_assert_int_eq(netlink_batch_send(full, batch, TIMEOUT_US, count_refusal, &r), 0);
	ck_assert_uint_eq(r.count, 1);
	netlink_batch_free(batch);
	nl_socket_free(full);
	nl_socket_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("netlink");
	TCase *tc = tcase_create("kernel");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (geteuid() == 0 && unshare(CLONE_NEWNET) < 0)
		return 77;
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, every_refusal_is_reported_in_order);
	tcase_add_test(tc, a_batch_is_used_again);
	tcase_add_test(tc, an_emptied_batch_sends_nothing_of_before);
	tcase_add_test(tc, links_are_dumped);
	tcase_add_test(tc, a_refused_dump_gives_its_errno);
	tcase_add_test(tc, families_are_found_or_not);
	tcase_add_test(tc, a_group_is_joined);
	if (geteuid() == 0)
		tcase_add_test(tc, an_overrun_leaves_the_outcome_open);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
