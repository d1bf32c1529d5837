/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages: what arrives is what was sent; what may not be sent, has a wrong size or a wrong descriptor is refused. */
#include "msg.h"
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static struct channel parent, vrrp;
static int votes, files, stops;
static struct msg_vote last_vote;

static void on_vote(void *ctx, const struct msg_vote *m, int fd)
{
	(void)ctx;
	ck_assert_int_eq(fd, -1);
	last_vote = *m;
	votes++;
}

static void on_file(void *ctx, const struct msg_file *m, int fd)
{
	(void)ctx;
	ck_assert_uint_eq(m->purpose, MSG_PURPOSE_LEDGER);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
	files++;
}

static void on_stop(void *ctx, const struct msg_stop *m, int fd)
{
	(void)ctx;
	(void)m;
	(void)fd;
	stops++;
}

static const struct msg_handlers parent_takes = {.vote = on_vote};
static const struct msg_handlers vrrp_takes = {.file = on_file, .stop = on_stop};

static void setup(void)
{
	int fds[2];

	ck_assert_int_eq(channel_pair(fds), 0);
	parent = (struct channel){.fd = fds[0], .self = ROLE_PARENT, .peer = ROLE_VRRP};
	vrrp = (struct channel){.fd = fds[1], .self = ROLE_VRRP, .peer = ROLE_PARENT};
	votes = files = stops = 0;
}

static void teardown(void)
{
	close(parent.fd);
	close(vrrp.fd);
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

START_TEST(test_a_vote_arrives)
{
	struct msg_vote m = {.generation = 5, .accept = 1, .why = "because"};

	ck_assert_int_eq(msg_send_vote(&vrrp, &m, -1), 0);
	ck_assert_int_eq(channel_dispatch(&parent, &parent_takes, NULL, 10), 1);
	ck_assert_int_eq(votes, 1);
	ck_assert_mem_eq(&m, &last_vote, sizeof(m));
	ck_assert_int_eq(channel_dispatch(&parent, &parent_takes, NULL, 10), 0);
}
END_TEST

START_TEST(test_a_descriptor_arrives)
{
	struct msg_file m = {.purpose = MSG_PURPOSE_LEDGER};
	int fd = open("/dev/null", O_RDONLY);

	ck_assert_int_eq(msg_send_file(&parent, &m, fd), 0);
	close(fd);
	ck_assert_int_eq(channel_dispatch(&vrrp, &vrrp_takes, NULL, 10), 1);
	ck_assert_int_eq(files, 1);
}
END_TEST

START_TEST(test_wrong_direction_is_refused)
{
	struct msg_stop m = {0};

	/* A child may not tell the parent to stop. */
	ck_assert_int_eq(msg_send_stop(&vrrp, &m, -1), 0);
	ck_assert_int_eq(channel_dispatch(&parent, &vrrp_takes, NULL, 10), -EPROTO);
	ck_assert_int_eq(stops, 0);
}
END_TEST

START_TEST(test_every_wrong_size_is_refused)
{
	char bytes[2048] = {0};
	struct msg_vote m = {.generation = 1};
	uint32_t header[2] = {MSG_vote, sizeof(m)};

	for (size_t n = 0; n < 700; n++) {
		memcpy(bytes, header, sizeof(header));
		if (n == sizeof(header) + sizeof(m))
			continue;
		ck_assert_int_ge(send(vrrp.fd, bytes, n, 0), 0);
		ck_assert_int_lt(channel_dispatch(&parent, &parent_takes, NULL, 1), 0);
	}
	ck_assert_int_eq(votes, 0);
}
END_TEST

START_TEST(test_an_unknown_type_is_refused)
{
	uint32_t header[2] = {MSG_COUNT, 0};

	ck_assert_int_eq(send(vrrp.fd, header, sizeof(header), 0), sizeof(header));
	ck_assert_int_eq(channel_dispatch(&parent, &parent_takes, NULL, 1), -EPROTO);
}
END_TEST

START_TEST(test_unwanted_descriptors_do_not_leak)
{
	struct msg_vote m = {.generation = 1};
	struct msg_file f = {.purpose = MSG_PURPOSE_LEDGER};
	int before = open_descriptors();
	int fd = open("/dev/null", O_RDONLY);

	for (int i = 0; i < 50; i++) {
		ck_assert_int_eq(msg_send_vote(&vrrp, &m, fd), 0);
		ck_assert_int_eq(channel_dispatch(&parent, &parent_takes, NULL, 1), -EPROTO);
		/* A message that must bring one and does not. */
		ck_assert_int_eq(msg_send_file(&parent, &f, -1), 0);
		ck_assert_int_eq(channel_dispatch(&vrrp, &vrrp_takes, NULL, 1), -EPROTO);
	}
	close(fd);
	ck_assert_int_eq(open_descriptors(), before);
}
END_TEST

START_TEST(test_a_full_socket_blocks_nobody)
{
	struct msg_vote m = {.generation = 1};
	int sent = 0;
	int rc = 0;

	while ((rc = msg_send_vote(&vrrp, &m, -1)) == 0 && sent < 100000)
		sent++;
	ck_assert_int_eq(rc, -EAGAIN);
	ck_assert_uint_eq(vrrp.lost, 1);
	ck_assert_int_eq(channel_dispatch(&parent, &parent_takes, NULL, 1000000), sent);
}
END_TEST

START_TEST(test_a_burst_of_notifications_fits)
{
	enum { INSTANCES = 1000, EACH = 4 };
	const struct msg_notify m = {.generation = 1};
	int size = 0, room = 0;
	socklen_t length = sizeof(size);

	getsockopt(vrrp.fd, SOL_SOCKET, SO_SNDBUF, &size, &length);
	channel_enlarge(vrrp.fd);
	getsockopt(vrrp.fd, SOL_SOCKET, SO_SNDBUF, &room, &length);
	ck_assert_int_ge(room, size);
	if (setsockopt(vrrp.fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		return; /* without the privilege there is as much room as the kernel gives everybody */
	channel_enlarge(vrrp.fd);
	for (int i = 0; i < INSTANCES * EACH; i++)
		ck_assert_int_eq(msg_send_notify(&vrrp, &m, -1), 0);
}
END_TEST

START_TEST(test_the_end_of_the_peer_is_told)
{
	struct msg_vote m = {.generation = 1};
	int saved = parent.fd;

	close(vrrp.fd);
	ck_assert_int_eq(channel_dispatch(&parent, &parent_takes, NULL, 1), -EPIPE);
	ck_assert_int_eq(channel_send(&parent, MSG_vote, &m, sizeof(m), -1), -EPIPE);
	parent.fd = saved;
	vrrp.fd = -1;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("msg");
	TCase *tcase = tcase_create("msg");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_a_vote_arrives);
	tcase_add_test(tcase, test_a_descriptor_arrives);
	tcase_add_test(tcase, test_wrong_direction_is_refused);
	tcase_add_test(tcase, test_every_wrong_size_is_refused);
	tcase_add_test(tcase, test_an_unknown_type_is_refused);
	tcase_add_test(tcase, test_unwanted_descriptors_do_not_leak);
	tcase_add_test(tcase, test_a_full_socket_blocks_nobody);
	tcase_add_test(tcase, test_a_burst_of_notifications_fits);
	tcase_add_test(tcase, test_the_end_of_the_peer_is_told);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
