/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Announcements: the plan of bursts, gaps and refreshes, and frames compared with real ones. */
#include "../../vrrp/vrrp_announce.h"
#include "vrrp_fixture.h"
#include "vrrp_frames.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MS US_PER_MS

static const char *hex(const uint8_t *bytes, size_t size)
{
	static char text[512];

	for (size_t i = 0; i < size; i++)
		snprintf(text + 2 * i, sizeof(text) - 2 * i, "%02x", bytes[i]);
	return text;
}

/* ---- plan ---- */

struct rig {
	struct fixture f;
	struct vrrp_announcer a;
	struct mono now;
	uint32_t sent[3], packets, last;
};

static void rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	fixture_init(&r->f, 3, AF_INET);
	fixture_address(&r->f, 1, "192.0.2.101");
	fixture_address(&r->f, 2, "192.0.2.102");
	r->now = (struct mono){100 * US_PER_S};
}

static void begin(struct rig *r, enum vrrp_announce_kind kind)
{
	vrrp_announce_start(&r->f.instance, &r->a, kind, r->now);
}

/* Everything until `us` from now; packets counts, sent counts each address. Returns when the first one went out. */
static struct mono run(struct rig *r, int64_t us)
{
	struct mono end = mono_add(r->now, us), first = MONO_NEVER;
	uint32_t index;

	memset(r->sent, 0, sizeof(r->sent));
	r->packets = 0;
	while (mono_is_set(r->a.next) && !mono_before(end, r->a.next)) {
		if (mono_before(r->now, r->a.next))
			r->now = r->a.next;
		while (vrrp_announce_next(&r->f.instance, r->f.addresses, &r->a, r->now, &index)) {
			ck_assert_uint_lt(index, 3);
			if (r->packets++ == 0)
				first = r->now;
			r->sent[index]++;
			r->last = index;
			ck_assert_uint_lt(r->packets, 1000);
		}
	}
	r->now = end;
	return first;
}

START_TEST(test_two_bursts_for_a_new_master)
{
	struct rig r;

	rig_init(&r);
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 0);
	ck_assert_uint_eq(r.packets, 15);
	ck_assert(r.sent[0] == 5 && r.sent[1] == 5 && r.sent[2] == 5);
	ck_assert_int_eq(mono_diff_us(r.a.next, r.now), 5 * US_PER_S);
	run(&r, 4999 * MS);
	ck_assert_uint_eq(r.packets, 0);
	run(&r, 1 * MS);
	ck_assert_uint_eq(r.packets, 15);
	ck_assert(!mono_is_set(r.a.next));
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 0);
}
END_TEST

START_TEST(test_going_round_the_addresses)
{
	struct rig r;
	uint32_t index;

	rig_init(&r);
	begin(&r, VRRP_ANNOUNCE_MASTER);
	for (uint32_t i = 0; i < 15; i++) {
		ck_assert(vrrp_announce_next(&r.f.instance, r.f.addresses, &r.a, r.now, &index));
		ck_assert_uint_eq(index, i % 3);
	}
	ck_assert(!vrrp_announce_next(&r.f.instance, r.f.addresses, &r.a, r.now, &index));
}
END_TEST

START_TEST(test_a_long_burst_leaves_room_for_heartbeats)
{
	struct rig r;

	rig_init(&r);
	r.f.instance.garp_repeat = 50;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 0);
	ck_assert_uint_eq(r.packets, 64);
	run(&r, 1 * MS);
	ck_assert_uint_eq(r.packets, 64);
	run(&r, 1 * MS);
	ck_assert_uint_eq(r.packets, 22);
	run(&r, 4998 * MS);
	ck_assert_uint_eq(r.packets, 64);
}
END_TEST

START_TEST(test_gaps)
{
	struct rig r;

	rig_init(&r);
	r.f.instance.garp_interval_us = 10 * MS;
	r.f.instance.gna_interval_us = 20 * MS;
	r.f.addresses[1].addr = fixture_addr("fe80::100");
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 0);
	ck_assert_uint_eq(r.packets, 1);
	run(&r, 10 * MS);
	ck_assert_uint_eq(r.packets, 1);
	ck_assert_uint_eq(r.last, 1);
	run(&r, 19 * MS);
	ck_assert_uint_eq(r.packets, 0);
	run(&r, 1 * MS);
	ck_assert_uint_eq(r.last, 2);
	run(&r, 4000 * MS);
	ck_assert_uint_eq(r.packets, 12);
}
END_TEST

START_TEST(test_refresh)
{
	struct rig r;

	rig_init(&r);
	r.f.instance.garp_refresh_us = 60 * US_PER_S;
	r.f.instance.garp_refresh_repeat = 2;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 59 * US_PER_S);
	ck_assert_uint_eq(r.packets, 30);
	run(&r, 1 * US_PER_S);
	ck_assert_uint_eq(r.packets, 6);
	run(&r, 60 * US_PER_S);
	ck_assert_uint_eq(r.packets, 6);
}
END_TEST

START_TEST(test_conflict)
{
	struct rig r;

	rig_init(&r);
	r.f.instance.garp_lower_prio_repeat = 2;
	r.f.instance.garp_lower_prio_delay_us = 3 * US_PER_S;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 10 * US_PER_S);
	begin(&r, VRRP_ANNOUNCE_CONFLICT);
	run(&r, 0);
	ck_assert_uint_eq(r.packets, 6);
	run(&r, 1 * US_PER_S);
	/* the other one goes on: the second burst is not put off */
	begin(&r, VRRP_ANNOUNCE_CONFLICT);
	run(&r, 1999 * MS);
	ck_assert_uint_eq(r.packets, 6);
	run(&r, 1 * MS);
	ck_assert_uint_eq(r.packets, 6);
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 0);
}
END_TEST

/* A node that died without a word keeps its addresses for their lifetime, and answers for them. */
START_TEST(test_once_more_when_a_dead_node_answers_no_more)
{
	struct rig r;
	struct mono first;

	rig_init(&r);
	begin(&r, VRRP_ANNOUNCE_MASTER);
	vrrp_announce_later(&r.a, mono_add(r.now, 11 * US_PER_S));
	run(&r, 10 * US_PER_S);
	ck_assert_uint_eq(r.packets, 30);
	first = run(&r, 100 * US_PER_S);
	ck_assert_uint_eq(r.packets, 3);
	ck_assert_int_eq(mono_diff_us(first, r.now), -99 * US_PER_S);

	/* A refresh that comes earlier does as well. */
	rig_init(&r);
	r.f.instance.garp_refresh_us = 7 * US_PER_S;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	vrrp_announce_later(&r.a, mono_add(r.now, 11 * US_PER_S));
	run(&r, 13 * US_PER_S);
	ck_assert_uint_eq(r.packets, 33);

	/* Who wants one burst gets one. */
	rig_init(&r);
	r.f.instance.garp_delay_us = 0;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	vrrp_announce_later(&r.a, mono_add(r.now, 11 * US_PER_S));
	run(&r, 100 * US_PER_S);
	ck_assert_uint_eq(r.packets, 15);

	/* And a master that is none any more says nothing. */
	rig_init(&r);
	begin(&r, VRRP_ANNOUNCE_MASTER);
	vrrp_announce_later(&r.a, mono_add(r.now, 11 * US_PER_S));
	vrrp_announce_stop(&r.a);
	run(&r, 100 * US_PER_S);
	ck_assert_uint_eq(r.packets, 0);
}
END_TEST

START_TEST(test_nothing_planned_and_stop)
{
	struct rig r;
	uint32_t index;

	rig_init(&r);
	ck_assert(!vrrp_announce_next(&r.f.instance, r.f.addresses, &r.a, r.now, &index));
	r.f.instance.garp_delay_us = 0;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 15);
	begin(&r, VRRP_ANNOUNCE_REFRESH);
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 3);
	begin(&r, VRRP_ANNOUNCE_MASTER);
	vrrp_announce_stop(&r.a);
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 0);
	/* a repeat of zero turns the bursts off, an instance without addresses has nothing to tell */
	r.f.instance.garp_repeat = 0;
	r.f.instance.garp_delay_us = 5 * US_PER_S;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 0);
	r.f.instance.garp_repeat = 5;
	r.f.instance.addresses.count = 0;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	ck_assert(!mono_is_set(r.a.next));
}
END_TEST

START_TEST(test_fewer_addresses_after_a_reload)
{
	struct rig r;
	uint32_t index;

	rig_init(&r);
	begin(&r, VRRP_ANNOUNCE_MASTER);
	for (int i = 0; i < 2; i++)
		vrrp_announce_next(&r.f.instance, r.f.addresses, &r.a, r.now, &index);
	r.f.instance.addresses.count = 1;
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.sent[0], r.packets);
	r.f.instance.addresses.count = 3;
	begin(&r, VRRP_ANNOUNCE_MASTER);
	r.f.instance.addresses.count = 0;
	run(&r, 3600 * US_PER_S);
	ck_assert_uint_eq(r.packets, 0);
}
END_TEST

/* ---- frames ---- */

START_TEST(test_frames_are_those_of_real_routers)
{
	static const uint8_t physical[6] = {2, 0, 0, 0, 0, 0x0a};
	struct addr v4 = fixture_addr("192.0.2.100"), v6 = fixture_addr("fe80::100");
	uint8_t arp[VRRP_ARP_SIZE], na[VRRP_NA_SIZE], mac[6];

	ck_assert_uint_eq(vrrp_announce_arp(physical, &v4, arp), VRRP_ARP_SIZE);
	ck_assert_str_eq(hex(arp, sizeof(arp)), FRAME_GARP);
	vrrp_announce_virtual_mac(AF_INET, 51, mac);
	vrrp_announce_arp(mac, &v4, arp);
	ck_assert_str_eq(hex(arp, sizeof(arp)), FRAME_GARP_VMAC);
	ck_assert_uint_eq(vrrp_announce_na(physical, &v6, false, na), VRRP_NA_SIZE);
	ck_assert_str_eq(hex(na, sizeof(na)), FRAME_UNA_HOST);
	vrrp_announce_na(physical, &v6, true, na);
	ck_assert_str_eq(hex(na, sizeof(na)), FRAME_UNA_ROUTER);
	vrrp_announce_virtual_mac(AF_INET6, 51, mac);
	ck_assert_str_eq(hex(mac, 6), "00005e000233");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_announce");
	TCase *tcase = tcase_create("vrrp_announce");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_two_bursts_for_a_new_master);
	tcase_add_test(tcase, test_going_round_the_addresses);
	tcase_add_test(tcase, test_a_long_burst_leaves_room_for_heartbeats);
	tcase_add_test(tcase, test_gaps);
	tcase_add_test(tcase, test_refresh);
	tcase_add_test(tcase, test_conflict);
	tcase_add_test(tcase, test_once_more_when_a_dead_node_answers_no_more);
	tcase_add_test(tcase, test_nothing_planned_and_stop);
	tcase_add_test(tcase, test_fewer_addresses_after_a_reload);
	tcase_add_test(tcase, test_frames_are_those_of_real_routers);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
