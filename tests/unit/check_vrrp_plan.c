/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which virtual addresses are added and removed: desired minus actual. */
#include "../../vrrp/vrrp_plan.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ETH0 2
#define ETH1 3
#define MS US_PER_MS

static struct links links;
static struct vrrp_plan_item items[16];
static struct mono next;
static struct mono now = {1000 * US_PER_S};

static struct addr parse(const char *text)
{
	struct addr addr;

	ck_assert_int_eq(addr_parse(text, &addr), 0);
	return addr;
}

static void setup(void)
{
	static struct link all[2];

	memset(all, 0, sizeof(all));
	all[0].ifindex = ETH0;
	all[1].ifindex = ETH1;
	links = (struct links){.all = all, .count = 2, .room = 2};
	next = MONO_NEVER;
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++) {
		free(links.all[i].addresses);
		free(links.all[i].counts);
	}
}

static void put_in_kernel(uint32_t ifindex, const char *text, uint8_t prefix)
{
	struct link_address address = {.addr = parse(text), .prefix = prefix};

	ck_assert_int_eq(links_note_address(&links, ifindex, &address), 0);
}

static struct vrrp_wish wish(const char *text, uint32_t ifindex)
{
	return (struct vrrp_wish){.addr = parse(text), .prefix = 32, .ifindex = ifindex, .is_wanted = true};
}

static struct vrrp_lease lease(const char *text, uint32_t ifindex)
{
	return (struct vrrp_lease){.addr = parse(text), .prefix = 32, .ifindex = ifindex};
}

START_TEST(a_missing_address_is_added)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);

	ck_assert_uint_eq(vrrp_plan(&w, 1, NULL, 0, &links, now, items, &next), 1);
	ck_assert_uint_eq(items[0].kind, VRRP_PLAN_ADD);
	ck_assert_uint_eq(items[0].number, 0);
	ck_assert(!mono_is_set(next));
}
END_TEST

START_TEST(what_is_there_stays)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);
	struct vrrp_lease l = lease("192.0.2.100", ETH0);

	put_in_kernel(ETH0, "192.0.2.100", 32);
	ck_assert_uint_eq(vrrp_plan(&w, 1, &l, 1, &links, now, items, &next), 0);
	ck_assert(w.is_set && !w.is_foreign);
}
END_TEST

START_TEST(what_is_not_wanted_any_more_goes)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);
	struct vrrp_lease l = lease("192.0.2.100", ETH0);

	w.is_wanted = false;
	put_in_kernel(ETH0, "192.0.2.100", 32);
	put_in_kernel(ETH0, "192.0.2.1", 24);
	ck_assert_uint_eq(vrrp_plan(&w, 1, &l, 1, &links, now, items, &next), 1);
	ck_assert_uint_eq(items[0].kind, VRRP_PLAN_REMOVE);
	ck_assert_uint_eq(items[0].number, 0);
}
END_TEST

START_TEST(what_is_not_ours_is_not_touched)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);

	put_in_kernel(ETH0, "192.0.2.100", 32);
	ck_assert_uint_eq(vrrp_plan(&w, 1, NULL, 0, &links, now, items, &next), 0);
	ck_assert(w.is_set && w.is_foreign);
	w.is_wanted = false;
	ck_assert_uint_eq(vrrp_plan(&w, 1, NULL, 0, &links, now, items, &next), 0);
}
END_TEST

START_TEST(an_address_moves_between_interfaces)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH1);
	struct vrrp_lease l = lease("192.0.2.100", ETH0);

	put_in_kernel(ETH0, "192.0.2.100", 32);
	ck_assert_uint_eq(vrrp_plan(&w, 1, &l, 1, &links, now, items, &next), 2);
	ck_assert_uint_eq(items[0].kind, VRRP_PLAN_REMOVE);
	ck_assert_uint_eq(items[1].kind, VRRP_PLAN_ADD);
}
END_TEST

START_TEST(a_changed_prefix_is_another_address)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);
	struct vrrp_lease l = lease("192.0.2.100", ETH0);

	w.prefix = 24;
	put_in_kernel(ETH0, "192.0.2.100", 32);
	ck_assert_uint_eq(vrrp_plan(&w, 1, &l, 1, &links, now, items, &next), 2);
}
END_TEST

START_TEST(a_changed_form_is_replaced)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);
	struct vrrp_lease l = lease("192.0.2.100", ETH0);
	struct conf_address plain = {.scope = 0}, link_scope = {.scope = 253};

	ck_assert_uint_eq(vrrp_plan_form(&plain, ""), vrrp_plan_form(&plain, ""));
	ck_assert_uint_ne(vrrp_plan_form(&plain, ""), vrrp_plan_form(&plain, "eth0:1"));
	ck_assert_uint_ne(vrrp_plan_form(&plain, ""), vrrp_plan_form(&link_scope, ""));
	w.form = vrrp_plan_form(&plain, "");
	l.form = vrrp_plan_form(&link_scope, "");
	w.is_set = true;
	put_in_kernel(ETH0, "192.0.2.100", 32);
	ck_assert_uint_eq(vrrp_plan(&w, 1, &l, 1, &links, now, items, &next), 2);
	ck_assert_uint_eq(items[0].kind, VRRP_PLAN_REMOVE);
	ck_assert_uint_eq(items[1].kind, VRRP_PLAN_ADD);
	ck_assert_uint_eq(w.setbacks.count, 0);
}
END_TEST

START_TEST(an_address_of_two_instances_is_added_once_and_kept_by_either)
{
	struct vrrp_wish w[2] = {wish("192.0.2.100", ETH0), wish("192.0.2.100", ETH0)};
	struct vrrp_lease l = lease("192.0.2.100", ETH0);

	ck_assert_uint_eq(vrrp_plan(w, 2, NULL, 0, &links, now, items, &next), 1);
	put_in_kernel(ETH0, "192.0.2.100", 32);
	w[0].is_wanted = false;
	ck_assert_uint_eq(vrrp_plan(w, 2, &l, 1, &links, now, items, &next), 0);
}
END_TEST

START_TEST(no_interface_means_no_plan)
{
	struct vrrp_wish w = wish("192.0.2.100", 0);
	struct vrrp_lease l = lease("192.0.2.101", 77);

	ck_assert_uint_eq(vrrp_plan(&w, 1, &l, 1, &links, now, items, &next), 0);
}
END_TEST

/* Someone removes the address `n` times in a row; returns when we put it back for the last time. */
static int64_t fight(struct vrrp_wish *w, int n)
{
	int64_t waited = 0;

	for (int i = 0; i < n; i++) {
		struct mono later = MONO_NEVER;

		w->is_set = true;
		waited = 0;
		if (vrrp_plan(w, 1, NULL, 0, &links, now, items, &later) == 1)
			continue;
		ck_assert(mono_is_set(later));
		waited = mono_diff_us(later, now);
		now = later;
		ck_assert_uint_eq(vrrp_plan(w, 1, NULL, 0, &links, now, items, &later), 1);
	}
	return waited;
}

START_TEST(a_fight_is_fought_more_and_more_slowly)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);

	ck_assert_int_eq(fight(&w, 3), 0);
	/* Although it is put back at once there is something to tell. */
	ck_assert(w.is_lost);
	ck_assert_int_eq(fight(&w, 1), 100 * MS);
	ck_assert_int_eq(fight(&w, 1), 200 * MS);
	ck_assert_int_eq(fight(&w, 10), 10 * US_PER_S);
	/* A minute later it is an accident again. */
	now = mono_add(now, 61 * US_PER_S);
	ck_assert_int_eq(fight(&w, 1), 0);
}
END_TEST

START_TEST(our_own_removal_is_no_setback)
{
	struct vrrp_wish w = wish("192.0.2.100", ETH0);

	w.is_set = true;
	w.is_wanted = false;
	ck_assert_uint_eq(vrrp_plan(&w, 1, NULL, 0, &links, now, items, &next), 0);
	ck_assert_uint_eq(w.setbacks.count, 0);
	w.is_wanted = true;
	ck_assert_uint_eq(vrrp_plan(&w, 1, NULL, 0, &links, now, items, &next), 1);
	ck_assert_uint_eq(w.setbacks.count, 0);
	ck_assert(!w.is_lost);
}
END_TEST

#define MANY 20000

static struct addr numbered(uint32_t n)
{
	const uint8_t bytes[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

	return addr_from_bytes(AF_INET, bytes);
}

static int64_t used_us(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return used.tv_sec * US_PER_S + used.tv_nsec / 1000;
}

/* A master that takes over has them all to add, and then to find. */
START_TEST(many_addresses_that_come_cost_little)
{
	static struct vrrp_wish wishes[MANY];
	static struct vrrp_plan_item room[2 * MANY];
	int64_t before_us = used_us();

	for (uint32_t i = 0; i < MANY; i++)
		wishes[i] = (struct vrrp_wish){.addr = numbered(i), .prefix = 32, .is_wanted = true, .ifindex = ETH0};
	ck_assert_uint_eq(vrrp_plan(wishes, MANY, NULL, 0, &links, now, room, &next), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		struct link_address address = {.addr = numbered(i), .prefix = 32};

		ck_assert_int_eq(links_note_address(&links, ETH0, &address), 0);
	}
	ck_assert_uint_eq(links.all[0].n_addresses, MANY);
	/* Told twice, each is there once. */
	for (uint32_t i = 0; i < 100; i++)
		put_in_kernel(ETH0, i % 2 ? "10.0.0.7" : "10.0.1.9", 32);
	ck_assert_uint_eq(links.all[0].n_addresses, MANY);
	ck_assert_uint_eq(vrrp_plan(wishes, MANY, NULL, 0, &links, now, room, &next), 0);
	ck_assert_int_lt(used_us() - before_us, US_PER_S);
}
END_TEST

START_TEST(a_crowd_never_forgets_who_is_in_it)
{
	static struct vrrp_crowd crowd;
	uint32_t mistaken = 0;

	for (uint32_t i = 0; i < MANY; i++)
		mistaken += vrrp_crowd_add(&crowd,
			&(struct addr){.family = AF_INET, .bytes = {10, 1, (uint8_t)(i >> 8), (uint8_t)i}},
			(uint8_t)(i >> 16), ETH0);
	for (uint32_t i = 0; i < MANY; i++)
		ck_assert(vrrp_crowd_add(&crowd,
			&(struct addr){.family = AF_INET, .bytes = {10, 1, (uint8_t)(i >> 8), (uint8_t)i}},
			(uint8_t)(i >> 16), ETH0));
	/* One in twenty would still make a search of all with all twenty times shorter. */
	ck_assert_uint_lt(mistaken, MANY / 10);
}
END_TEST

START_TEST(many_addresses_that_stand_cost_nothing)
{
	static struct vrrp_wish wishes[MANY];
	static struct vrrp_lease leases[MANY];
	static struct vrrp_plan_item room[2 * MANY];
	struct link *link = &links.all[0];
	struct timespec used;
	int64_t before_us;

	/* Half of them on one interface and half on another. */
	for (uint32_t i = 0; i < MANY; i++) {
		wishes[i] = (struct vrrp_wish){.addr = numbered(i), .prefix = 32, .is_wanted = true, .is_set = true};
		wishes[i].ifindex = i % 2 ? ETH1 : ETH0;
		leases[i] = (struct vrrp_lease){.addr = numbered(i), .prefix = 32, .ifindex = wishes[i].ifindex};
	}
	for (int k = 0; k < 2; k++, link++) {
		link->n_addresses = link->room = MANY / 2;
		link->addresses = calloc(MANY / 2, sizeof(*link->addresses));
		ck_assert_ptr_nonnull(link->addresses);
		for (uint32_t i = 0; i < MANY / 2; i++)
			link->addresses[i] = (struct link_address){.addr = numbered(2 * i + (uint32_t)k), .prefix = 32};
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	before_us = used.tv_sec * US_PER_S + used.tv_nsec / 1000;
	ck_assert_uint_eq(vrrp_plan(wishes, MANY, leases, MANY, &links, now, room, &next), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	/* A few milliseconds of the processor, and many seconds for who compares all with all. */
	ck_assert_int_lt(used.tv_sec * US_PER_S + used.tv_nsec / 1000 - before_us, US_PER_S);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_plan");
	TCase *tc = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_missing_address_is_added);
	tcase_add_test(tc, what_is_there_stays);
	tcase_add_test(tc, what_is_not_wanted_any_more_goes);
	tcase_add_test(tc, what_is_not_ours_is_not_touched);
	tcase_add_test(tc, an_address_moves_between_interfaces);
	tcase_add_test(tc, a_changed_prefix_is_another_address);
	tcase_add_test(tc, a_changed_form_is_replaced);
	tcase_add_test(tc, an_address_of_two_instances_is_added_once_and_kept_by_either);
	tcase_add_test(tc, no_interface_means_no_plan);
	tcase_add_test(tc, a_fight_is_fought_more_and_more_slowly);
	tcase_add_test(tc, our_own_removal_is_no_setback);
	tcase_add_test(tc, many_addresses_that_come_cost_little);
	tcase_add_test(tc, a_crowd_never_forgets_who_is_in_it);
	tcase_add_test(tc, many_addresses_that_stand_cost_nothing);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
