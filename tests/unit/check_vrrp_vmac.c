/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces with a virtual MAC address: what makes another one of it, and the frames that come from it. */
#include "../../vrrp/vrrp_vmac.h"
#include <check.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "\0eth0\0vrrp.51\0eth1"

static struct conf_link made;
static struct conf conf;
static struct link all_links[2];
static struct links links;

static void setup(void)
{
	static const uint8_t mac[] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x33};

	all_links[0] = (struct link){.ifindex = 2, .name = "eth0"};
	all_links[1] = (struct link){.ifindex = 3, .name = "eth1"};
	links = (struct links){.all = all_links, .count = 2, .room = 2};
	made = (struct conf_link){.base = 1, .name = 6, .kind = CONF_LINK_MACVLAN};
	memcpy(made.mac, mac, sizeof(mac));
	conf = (struct conf){.strings = TEXT, .n_strings = sizeof(TEXT), .links = &made, .n_links = 1};
}

static bool is_now(const struct vrrp_path *path)
{
	struct vrrp_path now;

	ck_assert_int_eq(vrrp_vmac_path(&conf, 0, &links, &now), 0);
	return vrrp_vmac_is(path, now.bytes, now.length);
}

START_TEST(an_interface_is_name_base_and_mac)
{
	struct vrrp_path path;

	ck_assert_int_eq(vrrp_vmac_path(&conf, 0, &links, &path), 0);
	ck_assert(is_now(&path));
	ck_assert_uint_eq(vrrp_vmac_base(&path), 2);
	made.mac[5] = 52;
	ck_assert(!is_now(&path));
	made.mac[5] = 51;
	made.base = 14;
	ck_assert(!is_now(&path));
	made.base = 1;
	made.name = 14;
	ck_assert(!is_now(&path));
	/* One that is no macvlan, or is cut off, is none. */
	made.name = 6;
	for (uint16_t length = 0; length < path.length; length++)
		vrrp_vmac_is(&path, path.bytes, length);
	ck_assert(!vrrp_vmac_is(&path, path.bytes, sizeof(struct ifinfomsg)));
	links.count = 0;
	ck_assert_int_eq(vrrp_vmac_path(&conf, 0, &links, &path), -ENODEV);
}
END_TEST

START_TEST(an_ipvlan_is_name_base_and_mode)
{
	struct vrrp_path path;

	made.kind = CONF_LINK_IPVLAN;
	ck_assert_int_eq(vrrp_vmac_path(&conf, 0, &links, &path), 0);
	ck_assert(!vrrp_vmac_has_mac(&path));
	ck_assert(is_now(&path));
	/* Its MAC address is that of the interface below. */
	made.mac[5] = 52;
	ck_assert(is_now(&path));
	made.mode = 1;
	ck_assert(!is_now(&path));
	made.mode = 0;
	made.base = 14;
	ck_assert(!is_now(&path));
	made.base = 1;
	made.kind = CONF_LINK_MACVLAN;
	ck_assert(!is_now(&path));
	ck_assert_int_eq(vrrp_vmac_path(&conf, 0, &links, &path), 0);
	ck_assert(vrrp_vmac_has_mac(&path));
}
END_TEST

/* Before it goes up, and without taking it up. */
START_TEST(an_interface_is_told_to_make_no_address)
{
	struct ifinfomsg head;
	struct vrrp_path path;
	struct nlattr *families, *inet6, *mode;

	ck_assert_int_eq(vrrp_vmac_no_link_local(7, &path), 0);
	memcpy(&head, path.bytes, sizeof(head));
	ck_assert_int_eq(head.ifi_index, 7);
	ck_assert_uint_eq(head.ifi_change | head.ifi_flags, 0);
	families = (struct nlattr *)(void *)(path.bytes + NLMSG_ALIGN(sizeof(head)));
	ck_assert_int_eq(nla_type(families), IFLA_AF_SPEC);
	ck_assert_uint_eq(sizeof(head) + families->nla_len, path.length);
	inet6 = nla_data(families);
	ck_assert_int_eq(nla_type(inet6), AF_INET6);
	mode = nla_data(inet6);
	ck_assert_int_eq(nla_type(mode), IFLA_INET6_ADDR_GEN_MODE);
	ck_assert_uint_eq(nla_get_u8(mode), IN6_ADDR_GEN_MODE_NONE);
}
END_TEST

START_TEST(an_ipv4_frame_is_whole)
{
	/* A header as vrrp_encode.c leaves it to the kernel: without length and checksum. */
	static const uint8_t packet[28] = {0x45, 0xc0, 0, 0, 0, 1, 0, 0, 255, 112, 0, 0, 192, 0, 2, 2, 224, 0, 0, 18,
		0x31, 51, 100, 1, 0, 100, 0, 0};
	struct vrrp_vmac_frame head = {.mac = made.mac, .ttl = 255, .protocol = 112};
	uint8_t frame[128];
	uint32_t sum = 0;

	addr_parse("224.0.0.18", &head.destination);
	addr_parse("192.0.2.2", &head.source);
	ck_assert_uint_eq(vrrp_vmac_frame(&head, packet, sizeof(packet), frame, sizeof(frame)), 14 + sizeof(packet));
	ck_assert_mem_eq(frame, "\x01\x00\x5e\x00\x00\x12\x00\x00\x5e\x00\x01\x33\x08\x00", 14);
	ck_assert_uint_eq(frame[14 + 3], sizeof(packet));
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)frame[14 + i] << 8 | frame[14 + i + 1];
	ck_assert_uint_eq((sum & 0xffff) + (sum >> 16), 0xffff);
	ck_assert_uint_eq(vrrp_vmac_frame(&head, packet, sizeof(packet), frame, 60), 0);
	ck_assert_uint_eq(vrrp_vmac_frame(&head, packet, 19, frame, sizeof(frame)), 0);
}
END_TEST

START_TEST(an_ipv6_frame_gets_its_header)
{
	static const uint8_t packet[8] = {0x31, 51, 100, 1, 0, 100, 1, 2};
	struct vrrp_vmac_frame head = {.mac = made.mac, .ttl = 255, .protocol = 112};
	uint8_t frame[128];

	addr_parse("ff02::12", &head.destination);
	addr_parse("fe80::1", &head.source);
	ck_assert_uint_eq(vrrp_vmac_frame(&head, packet, sizeof(packet), frame, sizeof(frame)), 14 + 40 + 8);
	ck_assert_mem_eq(frame, "\x33\x33\x00\x00\x00\x12", 6);
	ck_assert_uint_eq(frame[14] >> 4, 6);
	ck_assert_uint_eq(frame[14 + 5], sizeof(packet));
	ck_assert_uint_eq(frame[14 + 6], 112);
	ck_assert_uint_eq(frame[14 + 7], 255);
	ck_assert_mem_eq(frame + 14 + 8, head.source.bytes, 16);
	ck_assert_mem_eq(frame + 14 + 40, packet, sizeof(packet));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_vmac");
	TCase *tc = tcase_create("vmac");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, an_interface_is_name_base_and_mac);
	tcase_add_test(tc, an_ipvlan_is_name_base_and_mode);
	tcase_add_test(tc, an_interface_is_told_to_make_no_address);
	tcase_add_test(tc, an_ipv4_frame_is_whole);
	tcase_add_test(tc, an_ipv6_frame_gets_its_header);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
