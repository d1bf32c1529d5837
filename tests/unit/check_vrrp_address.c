/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual addresses as rtnetlink messages, and, as root, against the kernel in a network namespace of the test's own.
 */
#include "../../vrrp/vrrp_address.h"
#include "ledger.h"
#include <check.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOOPBACK 1
#define ADDRESSES 3

/* ---- messages ---- */

static struct conf_address address(const char *text)
{
	struct conf_address a = {.instance = 0, .preferred_s = UINT32_MAX};

	ck_assert_int_eq(addr_parse_prefix(text, &a.addr, &a.prefix), 0);
	return a;
}

static struct nlattr *attribute(struct nl_msg *msg, int type)
{
	return nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct ifaddrmsg), type);
}

static struct ifa_cacheinfo lifetime(struct nl_msg *msg)
{
	struct ifa_cacheinfo life;

	ck_assert_ptr_nonnull(attribute(msg, IFA_CACHEINFO));
	memcpy(&life, nla_data(attribute(msg, IFA_CACHEINFO)), sizeof(life));
	return life;
}

START_TEST(an_ipv4_address_is_encoded)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct conf_address a = address("192.0.2.100/24");
	struct ifaddrmsg *ifa;

	addr_parse("192.0.2.255", &a.broadcast);
	a.scope = RT_SCOPE_LINK;
	ck_assert_int_eq(vrrp_address_encode(msg, &a, 5, "eth0:1", 9500 * US_PER_MS), 0);
	ifa = nlmsg_data(nlmsg_hdr(msg));
	ck_assert_uint_eq(ifa->ifa_family, AF_INET);
	ck_assert_uint_eq(ifa->ifa_prefixlen, 24);
	ck_assert_uint_eq(ifa->ifa_scope, RT_SCOPE_LINK);
	ck_assert_uint_eq(ifa->ifa_index, 5);
	ck_assert_mem_eq(nla_data(attribute(msg, IFA_LOCAL)), "\xc0\x00\x02\x64", 4);
	ck_assert_mem_eq(nla_data(attribute(msg, IFA_ADDRESS)), "\xc0\x00\x02\x64", 4);
	ck_assert_mem_eq(nla_data(attribute(msg, IFA_BROADCAST)), "\xc0\x00\x02\xff", 4);
	ck_assert_str_eq(nla_get_string(attribute(msg, IFA_LABEL)), "eth0:1");
	ck_assert_uint_eq(nla_get_u8(attribute(msg, 11)), VRRP_ADDRESS_PROTO);
	/* Never shorter than asked for. */
	ck_assert_uint_eq(lifetime(msg).ifa_valid, 10);
	ck_assert_uint_eq(lifetime(msg).ifa_prefered, 10);
	ck_assert_ptr_null(attribute(msg, IFA_FLAGS));
	nlmsg_free(msg);
}
END_TEST

START_TEST(an_ipv6_host_address_is_deprecated_and_not_checked)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct conf_address a = address("2001:db8::100/128");

	a.preferred_s = 0; /* what the configuration takes for it */
	ck_assert_int_eq(vrrp_address_encode(msg, &a, 5, "", 10 * US_PER_S), 0);
	ck_assert_uint_eq(nla_get_u32(attribute(msg, IFA_FLAGS)), IFA_F_NODAD);
	ck_assert_uint_eq(lifetime(msg).ifa_valid, 10);
	ck_assert_uint_eq(lifetime(msg).ifa_prefered, 0);
	ck_assert_int_eq(nla_len(attribute(msg, IFA_LOCAL)), 16);
	nlmsg_free(msg);
}
END_TEST

START_TEST(no_lifetime_is_for_ever)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	struct conf_address a = address("2001:db8::100/64");

	ck_assert_int_eq(vrrp_address_encode(msg, &a, 5, "", 0), 0);
	ck_assert_uint_eq(lifetime(msg).ifa_valid, UINT32_MAX);
	ck_assert_uint_eq(lifetime(msg).ifa_prefered, UINT32_MAX);
	nlmsg_free(msg);
}
END_TEST

/* ---- the kernel ---- */

static struct vrrp_monitor monitor;
static struct vrrp_addresses addresses;
static struct conf_address configured[ADDRESSES];
static struct conf conf = {.addresses = configured, .n_addresses = ADDRESSES, .strings = "", .n_strings = 1};
static struct vrrp_wish wishes[ADDRESSES];
static int ledger, reports, refusals;

static void setup_kernel(void)
{
	const char *const texts[ADDRESSES] = {"192.0.2.100/32", "198.51.100.1/24", "2001:db8::100/128"};

	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(vrrp_monitor_open(&monitor), 0);
	ck_assert_int_eq(vrrp_monitor_resync(&monitor), 0);
	ck_assert_int_eq(vrrp_addresses_init(&addresses, &monitor), 0);
	ck_assert_int_eq(vrrp_addresses_reserve(&addresses, ADDRESSES), 0);
	addresses.lifetime_us = 10 * US_PER_S;
	ledger = memfd_create("ledger", MFD_CLOEXEC);
	ck_assert_int_eq(vrrp_addresses_set_ledger(&addresses, dup(ledger)), 0);
	reports = refusals = 0;
	for (int i = 0; i < ADDRESSES; i++) {
		configured[i] = address(texts[i]);
		wishes[i] = (struct vrrp_wish){.addr = configured[i].addr,
			.prefix = configured[i].prefix,
			.ifindex = LOOPBACK,
			.is_wanted = true};
	}
}

static void report(void *arg, uint32_t number, int error, const char *text)
{
	(void)arg;
	(void)number;
	(void)text;
	reports++;
	refusals += error != 0;
}

static struct mono apply(struct mono now)
{
	return vrrp_addresses_apply(&addresses, &conf, wishes, now, report, NULL);
}

/* How many of the configured addresses a fresh look into the kernel finds. */
static int count_in_kernel(void)
{
	uint32_t near = 0;
	int n = 0;

	ck_assert_int_eq(vrrp_monitor_resync(&monitor), 0);
	for (int i = 0; i < ADDRESSES; i++)
		n += link_find_address(
			     links_find(&monitor.links, LOOPBACK), &wishes[i].addr, wishes[i].prefix, &near) != NULL;
	return n;
}

static size_t count_in_ledger(void)
{
	void *records;
	size_t count;

	ck_assert_int_eq(ledger_load(ledger, LEDGER_ADDRESSES, sizeof(struct vrrp_lease), &records, &count), 0);
	free(records);
	return count;
}

START_TEST(addresses_are_added_refreshed_and_released)
{
	struct mono now = mono_now(), next = apply(now);

	ck_assert_int_eq(mono_diff_us(next, now), 5 * US_PER_S);
	ck_assert_int_eq(reports, ADDRESSES);
	ck_assert_int_eq(refusals, 0);
	ck_assert_int_eq(count_in_kernel(), ADDRESSES);
	ck_assert_uint_eq(count_in_ledger(), ADDRESSES);
	/* Nothing to do, and then a refresh: neither is a change. */
	apply(mono_add(now, US_PER_S));
	now = next;
	next = apply(now);
	ck_assert_int_eq(mono_diff_us(next, now), 5 * US_PER_S);
	ck_assert_int_eq(reports, ADDRESSES);
	ck_assert_int_eq(count_in_kernel(), ADDRESSES);
	ck_assert_int_eq(vrrp_addresses_release(&addresses), ADDRESSES);
	ck_assert_int_eq(count_in_kernel(), 0);
	ck_assert_uint_eq(count_in_ledger(), 0);
}
END_TEST

START_TEST(a_master_no_more_holds_nothing)
{
	apply(mono_now());
	wishes[1].is_wanted = false;
	apply(mono_now());
	ck_assert_int_eq(count_in_kernel(), ADDRESSES - 1);
	ck_assert(!wishes[1].is_set);
	ck_assert_uint_eq(count_in_ledger(), ADDRESSES - 1);
	for (int i = 0; i < ADDRESSES; i++)
		wishes[i].is_wanted = false;
	ck_assert(!mono_is_set(apply(mono_now())));
	ck_assert_int_eq(count_in_kernel(), 0);
	ck_assert_int_eq(refusals, 0);
}
END_TEST

START_TEST(a_successor_takes_over_what_the_ledger_names)
{
	apply(mono_now());
	vrrp_addresses_free(&addresses);
	ck_assert_int_eq(vrrp_addresses_init(&addresses, &monitor), 0);
	ck_assert_int_eq(vrrp_addresses_reserve(&addresses, ADDRESSES), 0);
	ck_assert_int_eq(vrrp_addresses_set_ledger(&addresses, dup(ledger)), 0);
	ck_assert_int_eq(vrrp_monitor_resync(&monitor), 0);
	wishes[0].is_wanted = wishes[0].is_set = false;
	apply(mono_now());
	ck_assert_int_eq(count_in_kernel(), ADDRESSES - 1);
	ck_assert(wishes[1].is_set && !wishes[1].is_foreign);
	ck_assert_int_eq(refusals, 0);
}
END_TEST

START_TEST(a_stranger_is_left_alone)
{
	struct vrrp_lease stranger;
	uint32_t near = 0;

	apply(mono_now());
	stranger = addresses.leases[0];
	/* As if the ledger did not know it. */
	addresses.leases[0] = addresses.leases[--addresses.n_leases];
	apply(mono_now());
	for (int i = 0; i < ADDRESSES; i++)
		wishes[i].is_wanted = false;
	apply(mono_now());
	ck_assert_int_eq(count_in_kernel(), 1);
	ck_assert_ptr_nonnull(
		link_find_address(links_find(&monitor.links, LOOPBACK), &stranger.addr, stranger.prefix, &near));
}
END_TEST

START_TEST(a_refusal_is_reported_and_tried_again_later)
{
	struct mono now = mono_now();

	/* No such interface: the others are added all the same. */
	wishes[1].ifindex = 4711;
	apply(now);
	ck_assert_int_eq(refusals, 1);
	ck_assert_int_eq(count_in_kernel(), ADDRESSES - 1);
	ck_assert_uint_eq(wishes[1].setbacks.count, 1);
	for (int i = 0; i < 4; i++)
		apply(now);
	/* Three at once, then with pauses. */
	ck_assert_int_eq(refusals, 4);
	ck_assert(mono_before(now, wishes[1].setbacks.not_before));
	ck_assert_uint_eq(count_in_ledger(), ADDRESSES - 1);
}
END_TEST

static void set_loopback(bool up)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = up ? IFF_UP : 0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static bool is_loopback_up(void)
{
	return links_find(&monitor.links, LOOPBACK)->flags & IFF_UP;
}

/* A fresh image from before the interface goes up. */
static struct links fetch_while_down(void)
{
	struct links fresh = {.births = monitor.links.births};

	ck_assert(!is_loopback_up());
	vrrp_monitor_hold(&monitor);
	ck_assert_int_eq(vrrp_monitor_fetch(monitor.request, &fresh), 0);
	return fresh;
}

START_TEST(what_is_told_while_all_is_read_anew_counts)
{
	struct links fresh = fetch_while_down();

	set_loopback(true);
	/* Whoever is woken up meanwhile does not take it for the image that goes. */
	ck_assert_int_eq(vrrp_monitor_read(&monitor), 0);
	vrrp_monitor_adopt(&monitor, &fresh);
	ck_assert(!monitor.is_stale && !is_loopback_up());
	ck_assert_int_eq(vrrp_monitor_read(&monitor), 0);
	ck_assert(is_loopback_up());
}
END_TEST

START_TEST(what_is_lost_while_all_is_read_anew_is_read_once_more)
{
	struct links fresh = fetch_while_down();
	int least = 1;

	setsockopt(vrrp_monitor_fd(&monitor), SOL_SOCKET, SO_RCVBUFFORCE, &least, sizeof(least));
	for (int i = 0; i < 33; i++)
		set_loopback(i % 2 == 0);
	ck_assert_int_eq(vrrp_monitor_read(&monitor), 0);
	vrrp_monitor_adopt(&monitor, &fresh);
	ck_assert(monitor.is_stale);
	/* The rest is read as ever, and the error was taken: nobody is told of it for ever. */
	ck_assert_int_eq(vrrp_monitor_read(&monitor), 0);
	ck_assert_int_eq(vrrp_monitor_resync(&monitor), 0);
	ck_assert(!monitor.is_stale && is_loopback_up());
}
END_TEST

static TCase *kernel_case(void)
{
	TCase *tc = tcase_create("kernel");

	tcase_add_checked_fixture(tc, setup_kernel, NULL);
	tcase_add_test(tc, addresses_are_added_refreshed_and_released);
	tcase_add_test(tc, a_master_no_more_holds_nothing);
	tcase_add_test(tc, a_successor_takes_over_what_the_ledger_names);
	tcase_add_test(tc, a_stranger_is_left_alone);
	tcase_add_test(tc, a_refusal_is_reported_and_tried_again_later);
	tcase_add_test(tc, what_is_told_while_all_is_read_anew_counts);
	tcase_add_test(tc, what_is_lost_while_all_is_read_anew_is_read_once_more);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("vrrp_address");
	TCase *messages = tcase_create("messages");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(messages, an_ipv4_address_is_encoded);
	tcase_add_test(messages, an_ipv6_host_address_is_deprecated_and_not_checked);
	tcase_add_test(messages, no_lifetime_is_for_ever);
	suite_add_tcase(suite, messages);
	/* Without privilege there is no namespace to work in. */
	if (geteuid() == 0)
		suite_add_tcase(suite, kernel_case());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
