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
#define ROUNDS 9
/* A kernel in which closing takes less has nothing to show. */
#define WORTH_US (2 * US_PER_MS)

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

/* How long the process is busy with the frame. */
static int64_t hear_once(struct vrrp_quiet *quiet)
{
	struct mono until = vrrp_quiet_listen(quiet, LOOPBACK, mono_now()), began;
	int before = heard;

	ck_assert(mono_is_set(until));
	/* Asked again meanwhile: the same answer, by the same socket. */
	ck_assert_int_eq(vrrp_quiet_listen(quiet, LOOPBACK, mono_now()).us, until.us);
	send_frame();
	began = mono_now();
	for (int i = 0; i < 100 && heard == before; i++)
		ck_assert_int_ge(sd_event_run(loop_sd_event(loop), 100000), 0);
	ck_assert_int_eq(heard, before + 1);
	ck_assert_ptr_null(quiet->links);
	return mono_diff_us(mono_now(), began);
}

static int64_t close_once(void)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = LOOPBACK};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	struct mono began;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	began = mono_now();
	close(fd);
	return mono_diff_us(mono_now(), began);
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int64_t middle(int64_t times[ROUNDS])
{
	qsort(times, ROUNDS, sizeof(*times), by_size);
	return times[ROUNDS / 2];
}

START_TEST(a_frame_is_heard_without_waiting)
{
	struct vrrp_quiet quiet = {.loop = loop, .heard = on_heard};
	int64_t hearing[ROUNDS], closing[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		hearing[i] = hear_once(&quiet);
		closing[i] = close_once();
	}
	if (middle(closing) > WORTH_US)
		ck_assert_int_lt(2 * middle(hearing), middle(closing));
	/* All are closed in the end. */
	for (int i = 0; i < 100 && (quiet.closing || quiet.used); i++)
		ck_assert_int_ge(sd_event_run(loop_sd_event(loop), 100000), 0);
	ck_assert(!quiet.closing && !quiet.used);
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
