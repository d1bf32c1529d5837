/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image of interfaces and addresses, fed with rtnetlink messages as bytes. */
#include "../../vrrp/vrrp_damp.h"
#include "../../vrrp/vrrp_link.h"
#include "../../vrrp/vrrp_map.h"
#include <check.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

static struct links links;

static void teardown(void)
{
	links_clear(&links);
}

static int take(struct nl_msg *msg)
{
	int change = links_take(&links, nlmsg_hdr(msg));

	nlmsg_free(msg);
	return change;
}

/* As the kernel describes virtual interfaces; hardware has nothing of the kind. */
static void put_kind(struct nl_msg *msg, const char *name)
{
	struct nlattr *info;

	if (!name || strncmp(name, "veth", 4) != 0)
		return;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "veth");
	nla_nest_end(msg, info);
}

static int link_message(int type, int ifindex, const char *name, unsigned flags)
{
	struct ifinfomsg ifi = {.ifi_index = ifindex, .ifi_flags = flags, .ifi_type = 1};
	const uint8_t mac[6] = {2, 0, 0, 0, 0, (uint8_t)ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);

	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	if (name)
		nla_put_string(msg, IFLA_IFNAME, name);
	nla_put_u32(msg, IFLA_MTU, 1500);
	put_kind(msg, name);
	nla_put(msg, IFLA_ADDRESS, sizeof(mac), mac);
	return take(msg);
}

static int address_message(int type, unsigned ifindex, const char *text, uint32_t flags)
{
	struct ifaddrmsg ifa = {.ifa_index = ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(type, 0);
	struct addr addr;
	uint8_t prefix;

	ck_assert_int_eq(addr_parse_prefix(text, &addr, &prefix), 0);
	ifa.ifa_family = addr.family;
	ifa.ifa_prefixlen = prefix;
	ifa.ifa_scope = addr_is_link_local(&addr) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO);
	nla_put(msg, IFA_LOCAL, (int)addr_len(&addr), addr.bytes);
	nla_put_u32(msg, IFA_FLAGS, flags);
	return take(msg);
}

static struct addr parse(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

#define UP (IFF_UP | IFF_RUNNING)

START_TEST(links_come_change_and_go)
{
	ck_assert_int_eq(link_message(RTM_NEWLINK, 7, "eth0", UP), LINK_STATE);
	ck_assert_int_eq(link_message(RTM_NEWLINK, 7, "eth0", UP), LINK_UNCHANGED);
	ck_assert_int_eq(link_message(RTM_NEWLINK, 7, "eth0", IFF_UP), LINK_STATE);
	ck_assert(!link_is_running(links_find(&links, 7)));
	ck_assert_int_eq(link_message(RTM_NEWLINK, 7, "wan0", UP), LINK_STATE);
	ck_assert_ptr_null(links_find_name(&links, "eth0"));
	ck_assert(!links_find_name(&links, "wan0")->is_veth);
	link_message(RTM_NEWLINK, 8, "veth0", UP);
	ck_assert(links_find_name(&links, "veth0")->is_veth);
	ck_assert_uint_eq(links_find_name(&links, "wan0")->ifindex, 7);
	ck_assert_int_eq(link_message(RTM_DELLINK, 7, "wan0", 0), LINK_STATE);
	ck_assert_int_eq(link_message(RTM_DELLINK, 7, "wan0", 0), LINK_UNCHANGED);
	ck_assert_ptr_null(links_find(&links, 7));
}
END_TEST

START_TEST(a_successor_with_the_same_index_is_another_one)
{
	uint32_t birth;

	link_message(RTM_NEWLINK, 7, "eth0", UP);
	birth = links_find(&links, 7)->birth;
	link_message(RTM_NEWLINK, 7, "eth0", IFF_UP);
	ck_assert_uint_eq(links_find(&links, 7)->birth, birth);
	link_message(RTM_DELLINK, 7, "eth0", 0);
	link_message(RTM_NEWLINK, 7, "eth0", UP);
	ck_assert_uint_ne(links_find(&links, 7)->birth, birth);
}
END_TEST

START_TEST(faults_are_told_in_words)
{
	char why[80];

	ck_assert_str_eq(link_fault(NULL, "eth9", why, sizeof(why)), "interface eth9 does not exist");
	link_message(RTM_NEWLINK, 1, "eth0", 0);
	ck_assert_str_eq(link_fault(links_find(&links, 1), "eth0", why, sizeof(why)), "interface eth0 is down");
	link_message(RTM_NEWLINK, 1, "eth0", IFF_UP);
	ck_assert_str_eq(link_fault(links_find(&links, 1), "eth0", why, sizeof(why)), "interface eth0 has no carrier");
	link_message(RTM_NEWLINK, 1, "eth0", UP);
	ck_assert_str_eq(link_fault(links_find(&links, 1), "eth0", why, sizeof(why)), "");
}
END_TEST

START_TEST(addresses_come_and_go_in_order)
{
	const struct link *link;
	struct addr second = parse("192.0.2.2");
	uint32_t near = 7;

	link_message(RTM_NEWLINK, 3, "eth0", UP);
	ck_assert_int_eq(address_message(RTM_NEWADDR, 3, "192.0.2.1/24", 0), LINK_ADDRESS_SET);
	ck_assert_int_eq(address_message(RTM_NEWADDR, 3, "192.0.2.2/24", IFA_F_SECONDARY), LINK_ADDRESS_SET);
	ck_assert_int_eq(address_message(RTM_NEWADDR, 3, "192.0.2.3/32", 0), LINK_ADDRESS_SET);
	ck_assert_int_eq(address_message(RTM_NEWADDR, 3, "192.0.2.3/32", 0), LINK_ADDRESS_SET);
	link = links_find(&links, 3);
	ck_assert_uint_eq(link->n_addresses, 3);
	ck_assert_ptr_nonnull(link_find_address(link, &second, 24, &near));
	ck_assert_ptr_null(link_find_address(link, &second, 32, &near));
	ck_assert_int_eq(address_message(RTM_DELADDR, 3, "192.0.2.1/24", 0), LINK_ADDRESS_GONE);
	ck_assert_int_eq(address_message(RTM_DELADDR, 3, "192.0.2.1/24", 0), LINK_UNCHANGED);
	ck_assert_uint_eq(link->n_addresses, 2);
	ck_assert(addr_equal(&link->addresses[0].addr, &second));
	ck_assert_int_eq(address_message(RTM_NEWADDR, 99, "192.0.2.9/24", 0), LINK_UNCHANGED);
}
END_TEST

START_TEST(an_acknowledged_address_is_noted_once)
{
	struct link_address address = {.addr = parse("2001:db8::1"), .prefix = 128};

	link_message(RTM_NEWLINK, 3, "eth0", UP);
	ck_assert_int_eq(links_note_address(&links, 3, &address), 0);
	ck_assert_int_eq(links_note_address(&links, 3, &address), 0);
	ck_assert_int_eq(links_note_address(&links, 4, &address), 0);
	ck_assert_int_eq(address_message(RTM_NEWADDR, 3, "2001:db8::1/128", IFA_F_NODAD), LINK_ADDRESS_SET);
	ck_assert_uint_eq(links_find(&links, 3)->n_addresses, 1);
}
END_TEST

START_TEST(malformed_messages_change_nothing)
{
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	struct ifaddrmsg ifa = {.ifa_family = AF_INET, .ifa_index = 3};
	struct ifinfomsg ifi = {.ifi_family = AF_BRIDGE, .ifi_index = 3};

	ck_assert_int_eq(take(msg), LINK_UNCHANGED);
	msg = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	ck_assert_int_eq(take(msg), LINK_UNCHANGED);
	link_message(RTM_NEWLINK, 3, "eth0", UP);
	/* An IPv4 address of three bytes. */
	msg = nlmsg_alloc_simple(RTM_NEWADDR, 0);
	nlmsg_append(msg, &ifa, sizeof(ifa), NLMSG_ALIGNTO);
	nla_put(msg, IFA_LOCAL, 3, "\xc0\x00\x02");
	ck_assert_int_eq(take(msg), LINK_UNCHANGED);
	/* A bridge tells about a port: not the end of the interface. */
	msg = nlmsg_alloc_simple(RTM_DELLINK, 0);
	nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO);
	ck_assert_int_eq(take(msg), LINK_UNCHANGED);
	ck_assert_uint_eq(links_find(&links, 3)->n_addresses, 0);
}
END_TEST

/* 192.0.2.100 and fe80::100 are the virtual ones. */
static bool is_virtual(void *arg, const struct link *link, const struct link_address *address)
{
	struct addr virtual4 = parse("192.0.2.100"), virtual6 = parse("fe80::100");

	(void)arg;
	(void)link;
	return addr_equal(&address->addr, &virtual4) || addr_equal(&address->addr, &virtual6);
}

static enum link_source_result source(uint8_t family, bool link_local, const char *expected)
{
	struct link_source_query query = {
		.family = family, .link_local = link_local, .allows_virtual = true, .is_virtual = is_virtual};
	struct addr found = {0}, wanted;
	enum link_source_result result = link_source(links_find(&links, 3), &query, &found);

	if (expected) {
		wanted = parse(expected);
		ck_assert(addr_equal(&found, &wanted));
	}
	return result;
}

START_TEST(the_primary_address_speaks)
{
	link_message(RTM_NEWLINK, 3, "eth0", UP);
	ck_assert_int_eq(source(AF_INET, false, NULL), LINK_SOURCE_NONE);
	/* Only an owner speaks from a virtual address: when there is no other one. */
	address_message(RTM_NEWADDR, 3, "192.0.2.100/24", 0);
	ck_assert_int_eq(source(AF_INET, false, "192.0.2.100"), LINK_SOURCE_FOUND);
	address_message(RTM_NEWADDR, 3, "192.0.2.7/24", IFA_F_SECONDARY);
	ck_assert_int_eq(source(AF_INET, false, "192.0.2.7"), LINK_SOURCE_FOUND);
	address_message(RTM_NEWADDR, 3, "198.51.100.1/24", 0);
	ck_assert_int_eq(source(AF_INET, false, "198.51.100.1"), LINK_SOURCE_FOUND);
	address_message(RTM_NEWADDR, 3, "203.0.113.1/24", 0);
	ck_assert_int_eq(source(AF_INET, false, "198.51.100.1"), LINK_SOURCE_FOUND);
}
END_TEST

START_TEST(a_lost_primary_address_is_not_replaced_by_a_virtual_one)
{
	struct link_source_query query = {.family = AF_INET, .is_virtual = is_virtual};
	struct addr found;

	link_message(RTM_NEWLINK, 3, "eth0", UP);
	address_message(RTM_NEWADDR, 3, "192.0.2.100/24", 0);
	ck_assert_int_eq(link_source(links_find(&links, 3), &query, &found), LINK_SOURCE_NONE);
	address_message(RTM_NEWADDR, 3, "192.0.2.7/24", 0);
	ck_assert_int_eq(link_source(links_find(&links, 3), &query, &found), LINK_SOURCE_FOUND);
}
END_TEST

START_TEST(the_link_local_address_speaks_when_it_is_checked)
{
	link_message(RTM_NEWLINK, 3, "eth0", UP);
	address_message(RTM_NEWADDR, 3, "2001:db8::1/64", 0);
	ck_assert_int_eq(source(AF_INET6, true, NULL), LINK_SOURCE_NONE);
	ck_assert_int_eq(source(AF_INET6, false, "2001:db8::1"), LINK_SOURCE_FOUND);
	address_message(RTM_NEWADDR, 3, "fe80::1/64", IFA_F_TENTATIVE);
	ck_assert_int_eq(source(AF_INET6, true, NULL), LINK_SOURCE_TENTATIVE);
	address_message(RTM_NEWADDR, 3, "fe80::1/64", IFA_F_TENTATIVE | IFA_F_DADFAILED);
	ck_assert_int_eq(source(AF_INET6, true, NULL), LINK_SOURCE_DUPLICATE);
	address_message(RTM_NEWADDR, 3, "fe80::100/64", IFA_F_NODAD);
	address_message(RTM_NEWADDR, 3, "fe80::2/64", 0);
	ck_assert_int_eq(source(AF_INET6, true, "fe80::2"), LINK_SOURCE_FOUND);
}
END_TEST

START_TEST(many_routers_are_told_apart)
{
	struct vrrp_map map;

	ck_assert_int_eq(vrrp_map_init(&map, 2000), 0);
	for (uint32_t i = 0; i < 2000; i++) {
		struct vrrp_map_key key = {.ifindex = 1 + i / 500,
			.family = i % 2 ? AF_INET : AF_INET6,
			.vrid = (uint8_t)(1 + i / 2 % 250),
			.unicast = 0};

		vrrp_map_put(&map, key, i);
		ck_assert_uint_eq(vrrp_map_get(&map, key), i);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		struct vrrp_map_key key = {.ifindex = 1 + i / 500,
			.family = i % 2 ? AF_INET : AF_INET6,
			.vrid = (uint8_t)(1 + i / 2 % 250),
			.unicast = 0};

		ck_assert_uint_eq(vrrp_map_get(&map, key), i);
		key.unicast = 1;
		ck_assert_uint_eq(vrrp_map_get(&map, key), UINT32_MAX);
	}
	vrrp_map_clear(&map);
	ck_assert_uint_eq(
		vrrp_map_get(&map, (struct vrrp_map_key){.ifindex = 1, .family = AF_INET6, .vrid = 1}), UINT32_MAX);
	vrrp_map_free(&map);
}
END_TEST

static bool counts_as_running(const struct conf *conf, struct vrrp_damp *damp, int64_t now_us, int64_t *next_us)
{
	struct mono now = {US_PER_S + now_us}, next = vrrp_damp_apply(conf, damp, &links, now);

	*next_us = mono_is_set(next) ? mono_diff_us(next, now) + now_us : -1;
	return link_is_running(links_find(&links, 7));
}

/* As after notifications that were lost: a fresh image takes the place of the old one. */
static void read_anew(const char *name, unsigned flags)
{
	struct links old = links;

	links = (struct links){.births = old.births};
	link_message(RTM_NEWLINK, 7, name, flags);
	ck_assert_uint_ne(links_find(&links, 7)->birth, links_find(&old, 7)->birth);
	links_go_on(&links, &old);
	links_clear(&old);
}

/* interface_up_down_delays: what lasts shorter than its delay has not been. */
START_TEST(a_change_counts_when_it_has_lasted)
{
	const unsigned up = IFF_UP | IFF_RUNNING;
	const struct conf_link_delay delay = {.interface = 1, .down_us = 300, .up_us = 1000};
	const char strings[] = "\0eth7";
	struct conf conf = {
		.link_delays = &delay, .n_link_delays = 1, .strings = strings, .n_strings = sizeof(strings)};
	struct vrrp_damp damp = {0};
	int64_t next;

	link_message(RTM_NEWLINK, 7, "eth7", up);
	ck_assert(counts_as_running(&conf, &damp, 0, &next) && next == -1);
	link_message(RTM_NEWLINK, 7, "eth7", IFF_UP);
	ck_assert(counts_as_running(&conf, &damp, 100, &next) && next == 400);
	ck_assert(counts_as_running(&conf, &damp, 399, &next) && next == 400);
	link_message(RTM_NEWLINK, 7, "eth7", up);
	ck_assert(counts_as_running(&conf, &damp, 399, &next) && next == -1);
	/* It begins anew with every change. */
	link_message(RTM_NEWLINK, 7, "eth7", 0);
	ck_assert(counts_as_running(&conf, &damp, 400, &next) && next == 700);
	ck_assert(!counts_as_running(&conf, &damp, 700, &next) && next == -1);
	link_message(RTM_NEWLINK, 7, "eth7", up);
	ck_assert(!counts_as_running(&conf, &damp, 800, &next) && next == 1800);
	ck_assert(counts_as_running(&conf, &damp, 1800, &next) && next == -1);
	/* The image is read anew: what has not lasted yet has not begun to last either. */
	link_message(RTM_NEWLINK, 7, "eth7", 0);
	ck_assert(counts_as_running(&conf, &damp, 1810, &next) && next == 2110);
	read_anew("eth7", 0);
	ck_assert(counts_as_running(&conf, &damp, 1820, &next) && next == 2110);
	read_anew("eth7", up);
	ck_assert(counts_as_running(&conf, &damp, 1830, &next) && next == -1);
	/* Another interface of that name is as it is; and without a delay everything counts. */
	link_message(RTM_DELLINK, 7, "eth7", 0);
	link_message(RTM_NEWLINK, 7, "eth7", 0);
	ck_assert(!counts_as_running(&conf, &damp, 1900, &next) && next == -1);
	link_message(RTM_NEWLINK, 7, "eth7", up);
	ck_assert(!counts_as_running(&conf, &damp, 1900, &next));
	conf.n_link_delays = 0;
	ck_assert(counts_as_running(&conf, &damp, 1900, &next));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_link");
	TCase *tc = tcase_create("image");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, links_come_change_and_go);
	tcase_add_test(tc, a_successor_with_the_same_index_is_another_one);
	tcase_add_test(tc, faults_are_told_in_words);
	tcase_add_test(tc, a_change_counts_when_it_has_lasted);
	tcase_add_test(tc, addresses_come_and_go_in_order);
	tcase_add_test(tc, an_acknowledged_address_is_noted_once);
	tcase_add_test(tc, malformed_messages_change_nothing);
	tcase_add_test(tc, the_primary_address_speaks);
	tcase_add_test(tc, a_lost_primary_address_is_not_replaced_by_a_virtual_one);
	tcase_add_test(tc, the_link_local_address_speaks_when_it_is_checked);
	tcase_add_test(tc, many_routers_are_told_apart);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
