/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening on a link for the first frame, as root in a network namespace of the test's own: it is heard once, and who
 * hears it does not wait for the socket to be closed. */
#include "../../vrrp/vrrp_quiet.h"
#include <arpa/inet.h>
#include <check.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define LOOPBACK 1
#define ROUNDS 8

static struct loop *loop;
static int heard;

static void on_heard(void *arg, uint32_t ifindex)
{
	(void)arg;
	ck_assert_uint_eq(ifindex, LOOPBACK);
	heard++;
}

static void setup(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
	loop = loop_new();
	ck_assert_ptr_nonnull(loop);
	heard = 0;
}

static void send_frame(void)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	close(fd);
}

static void hear_once(struct vrrp_quiet *quiet)
{
	struct mono until = vrrp_quiet_listen(quiet, LOOPBACK, mono_now());
	int before = heard;

	ck_assert(mono_is_set(until));
	/* Asked again meanwhile: the same answer, by the same socket. */
	ck_assert_int_eq(vrrp_quiet_listen(quiet, LOOPBACK, mono_now()).us, until.us);
	send_frame();
	for (int i = 0; i < 100 && heard == before; i++)
		ck_assert_int_ge(sd_event_run(loop_sd_event(loop), 100000), 0);
	ck_assert_int_eq(heard, before + 1);
	ck_assert_ptr_null(quiet->links);
	/* The process has gone on, and the socket is the thread's. */
	ck_assert(quiet->closer.has_thread && (quiet->closing || quiet->used));
}

static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

START_TEST(a_frame_is_heard_without_waiting)
{
	struct vrrp_quiet quiet = {.loop = loop, .heard = on_heard};
	int next = -1;

	for (int i = 0; i < ROUNDS; i++) {
		hear_once(&quiet);
		/* All are closed in the end. */
		for (int k = 0; i % 2 && k < 100 && (quiet.closing || quiet.used); k++)
			ck_assert_int_ge(sd_event_run(loop_sd_event(loop), 100000), 0);
		ck_assert(i % 2 == 0 || (!quiet.closing && !quiet.used));
		ck_assert(i % 2 == 0 || next < 0 || next == next_fd());
		next = i % 2 ? next_fd() : next;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_quiet");
	TCase *tc = tcase_create("kernel");
	SRunner *runner = srunner_create(suite);
	int failed;

	/* Without privilege there is no namespace to work in. */
	if (geteuid() != 0)
		return 77;
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_frame_is_heard_without_waiting);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
