/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gathering and pacing of notifications: a simulated clock, bursts of any size, and the rules: never more than the
 * rate, nothing lost, the last word about an object is the right one, and lists that hold everything they were given.
 */
#include "../../snmp/trap_list.h"
#include "snmp_site.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 20
#define STEP_US (5 * US_PER_MS)

static struct site site;
static struct trap_roll roll;
static struct mono now;

/* What was told, as a receiver sees it. */
static struct {
	unsigned traps, lists, held_traps;
	unsigned told[20000];    /* by POISE-MIB, per object */
	unsigned older[20000];   /* by the older MIBs */
	uint32_t last[20000];    /* the last word about it */
	uint32_t held, left_out; /* as told */
	struct mono at[20000];
} seen;

static void setup(void)
{
	site_init(&site, 4);
	trap_roll_init(&roll, RATE);
	memset(&seen, 0, sizeof(seen));
	now = (struct mono){1000 * US_PER_S};
}

static void teardown(void)
{
	trap_roll_clear(&roll);
	site_free(&site);
}

static void add(uint32_t kind, uint32_t object, uint32_t to, bool with_older)
{
	static uint64_t seq;
	struct event ev = {.seq = ++seq, .generation = 3, .kind = kind, .object = object, .from = 1, .to = to};

	snprintf(ev.name, sizeof(ev.name), "10.0.0.1:80/tcp 10.1.%u.%u:80", object / 256, object % 256);
	snprintf(ev.why, sizeof(ev.why), "connection refused");
	trap_roll_add(&roll, &ev, with_older, now);
}

static void note(const struct roll_item *item, uint32_t parts)
{
	if (parts & TRAP_PART_OLDER)
		seen.older[item->ev.object]++;
	if (!(parts & TRAP_PART_POISE))
		return;
	seen.told[item->ev.object]++;
	seen.last[item->ev.object] = item->ev.to;
	seen.at[item->ev.object] = now;
}

/* Sends what may be sent now; checks the rate. Returns false when it had to stop for that. */
static bool send_all(void)
{
	for (;;) {
		struct roll_work work = trap_roll_next(&roll, now);
		static struct trap trap;
		uint32_t told = 1;
		struct mono when;

		if (work.what == ROLL_NOTHING)
			return true;
		if (!trap_roll_may_send(&roll, now, &when)) {
			ck_assert(mono_before(now, when));
			return false;
		}
		if (work.what == ROLL_ONE)
			note(work.item, work.item->parts);
		if (work.what == ROLL_LIST) {
			told = trap_build_list(site.conf, work.item, work.n, &trap);
			for (uint32_t i = 0; i < told; i++)
				note(&work.item[i], TRAP_PART_POISE);
			seen.lists++;
		}
		if (work.what == ROLL_HELD) {
			seen.held = work.held;
			seen.left_out = work.left_out;
			seen.held_traps++;
		}
		trap_roll_done(&roll, &work, told, now);
		trap_roll_sent(&roll, now);
		seen.traps++;
	}
}

/* Runs until all is told. Returns how long that took. */
static int64_t run(void)
{
	struct mono from = now;
	unsigned window[1000] = {0}, at = 0, sum = 0, before;

	while (mono_is_set(trap_roll_due(&roll))) {
		before = seen.traps;
		send_all();
		/* No second, wherever it begins, has more than the rate. */
		sum += seen.traps - before;
		sum -= window[at % (US_PER_S / STEP_US)];
		window[at++ % (US_PER_S / STEP_US)] = seen.traps - before;
		ck_assert_uint_le(sum, RATE);
		now = mono_add(now, STEP_US);
		ck_assert_int_lt(mono_diff_us(now, from), 3600 * US_PER_S);
	}
	return mono_diff_us(now, from);
}

START_TEST(test_one_is_told_alone_and_soon)
{
	add(EVENT_SERVER, 7, HEALTH_DOWN, true);
	ck_assert_int_le(run(), 100 * US_PER_MS);
	ck_assert_uint_eq(seen.told[7], 1);
	ck_assert_uint_eq(seen.older[7], 1);
	ck_assert_uint_eq(seen.lists, 0);
	ck_assert_uint_eq(seen.traps, 2);
	ck_assert_uint_eq(roll.held, 0);
}
END_TEST

START_TEST(test_a_rack_is_one_list)
{
	struct mono from = now;

	for (unsigned i = 0; i < 20; i++)
		add(EVENT_SERVER, i, HEALTH_DOWN, false);
	run();
	ck_assert_uint_eq(seen.traps, 1);
	ck_assert_uint_eq(seen.lists, 1);
	ck_assert_int_le(mono_diff_us(seen.at[19], from), 100 * US_PER_MS);
	for (unsigned i = 0; i < 20; i++)
		ck_assert_uint_eq(seen.told[i], 1);
	ck_assert_uint_eq(roll.rolled, 20);
}
END_TEST

/* Its checks find out one after another. */
START_TEST(test_a_rack_that_dies_slowly_is_a_list_a_second)
{
	for (unsigned i = 0; i < 100; i++) {
		add(EVENT_SERVER, i, HEALTH_DOWN, false);
		for (int k = 0; k < 10; k++, now = mono_add(now, STEP_US))
			send_all();
	}
	run();
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(seen.told[i], 1);
	ck_assert_uint_le(seen.traps, 8);
}
END_TEST

START_TEST(test_a_thousand_lose_nothing)
{
	struct mono from = now;
	int64_t lists_us = 0;

	for (unsigned i = 0; i < 1000; i++)
		add(EVENT_SERVER, i, HEALTH_DOWN, true);
	run();
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert_uint_eq(seen.told[i], 1);
		ck_assert_uint_eq(seen.older[i], 1);
		if (mono_diff_us(seen.at[i], from) > lists_us)
			lists_us = mono_diff_us(seen.at[i], from);
	}
	/* The lists do not wait behind a thousand single ones. */
	ck_assert_int_le(lists_us, 3 * US_PER_S);
	ck_assert_uint_eq(seen.held_traps, 1);
	ck_assert_uint_ge(seen.held, 900);
	ck_assert_uint_eq(seen.left_out, 0);
}
END_TEST

START_TEST(test_what_does_not_fit_is_counted)
{
	for (unsigned i = 0; i < 20000; i++)
		add(EVENT_SERVER, i, HEALTH_DOWN, true);
	ck_assert_uint_gt(roll.left_out, 0);
	run();
	ck_assert_uint_eq(seen.left_out, roll.left_out);
	ck_assert_uint_eq(seen.held_traps, 1);
}
END_TEST

/* VRRP waits behind no server. */
START_TEST(test_instances_go_first)
{
	struct mono from = now;

	for (unsigned i = 0; i < 500; i++)
		add(EVENT_SERVER, i, HEALTH_DOWN, true);
	for (; mono_diff_us(now, from) < 5 * US_PER_S; now = mono_add(now, STEP_US))
		send_all();
	from = now;
	add(EVENT_INSTANCE, 600, VRRP_MASTER, true);
	run();
	ck_assert_int_le(mono_diff_us(seen.at[600], from), US_PER_S + 500 * US_PER_MS);
}
END_TEST

START_TEST(test_the_last_word_is_right)
{
	unsigned seed = 1;

	for (int round = 0; round < 400; round++) {
		uint32_t object = (unsigned)rand_r(&seed) % 6, to = rand_r(&seed) % 2 ? HEALTH_DOWN : HEALTH_UP;
		static uint32_t truth[6];

		truth[object] = to;
		add(EVENT_SERVER, object, to, false);
		for (int k = rand_r(&seed) % 30; k > 0; k--, now = mono_add(now, STEP_US))
			send_all();
		if (round % 50 != 49)
			continue;
		run();
		for (unsigned i = 0; i < 6; i++)
			ck_assert_msg(!seen.told[i] || seen.last[i] == truth[i], "server %u, round %d", i, round);
	}
}
END_TEST

START_TEST(test_others_are_told_at_once)
{
	add(EVENT_CONFIG, 0, 0, false);
	add(EVENT_PANIC, 0, 1, false);
	send_all();
	ck_assert_uint_eq(seen.traps, 2);
	ck_assert(!mono_is_set(trap_roll_due(&roll)));
}
END_TEST

START_TEST(test_the_end_waits_for_nobody)
{
	add(EVENT_SERVER, 1, HEALTH_DOWN, false);
	ck_assert_int_eq(trap_roll_next(&roll, now).what, ROLL_NOTHING);
	trap_roll_hurry(&roll, now);
	ck_assert_int_eq(trap_roll_next(&roll, now).what, ROLL_ONE);
}
END_TEST

/* ---- lists ---- */
static struct roll_item item_of(uint32_t object, const char *why)
{
	struct roll_item item = {.ev = {.generation = 4, .kind = EVENT_SERVER, .object = object, .to = HEALTH_DOWN}};

	item.ev.real_us = 1763622000 * US_PER_S + object;
	snprintf(item.ev.why, sizeof(item.ev.why), "%s", why);
	return item;
}

START_TEST(test_a_list_names_service_server_and_cause)
{
	static struct trap trap;
	char text[TRAP_LIST_MAX + 1];
	struct roll_item items[] = {item_of(RS_A, "refused"), item_of(RS_B, "refused"), item_of(RS_MARK, "refused"),
		item_of(RS_POOL, "no route to host")};

	ck_assert_uint_eq(trap_build_list(site.conf, items, 4, &trap), 4);
	snprintf(text, sizeof(text), "%.*s", (int)trap.list_length, trap.list);
	ck_assert_str_eq(text, "10.77.0.51:80/tcp: 10.88.0.11:80 10.88.0.12:80: refused; "
			       "fwmark 5: 10.88.0.13:80: refused; group pool/udp: 10.88.0.14:80: no route to host");
	ck_assert_uint_eq(trap.bind[0].value.number, 4);
	ck_assert_int_eq(trap.bind[1].value.integer, HEALTH_DOWN + 1);
}
END_TEST

START_TEST(test_a_list_that_is_full_goes_on)
{
	static struct roll_item items[1000];
	static struct trap trap;
	uint32_t used = 0, lists = 0;

	for (unsigned i = 0; i < 1000; i++) {
		items[i] = item_of(i, i % 7 ? "connection refused" : "timeout after 5 s");
		items[i].ev.generation = 3; /* another one: named by the event */
		snprintf(items[i].ev.name, sizeof(items[i].ev.name), "server-%u", i);
	}
	while (used < 1000) {
		uint32_t more = trap_build_list(site.conf, items + used, 1000 - used, &trap);
		char text[TRAP_LIST_MAX + 1], name[32];

		ck_assert_uint_ge(more, 1);
		ck_assert_uint_le(trap.list_length, TRAP_LIST_MAX);
		snprintf(text, sizeof(text), "%.*s", (int)trap.list_length, trap.list);
		ck_assert_int_ne(text[trap.list_length - 1], ' ');
		for (uint32_t i = used; i < used + more; i++) {
			snprintf(name, sizeof(name), "server-%u", i);
			ck_assert_ptr_nonnull(strstr(text, name));
		}
		ck_assert_uint_eq(trap.bind[0].value.number, more);
		used += more;
		lists++;
	}
	ck_assert_uint_eq(used, 1000);
	ck_assert_uint_le(lists, 30);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp roll");
	TCase *tc = tcase_create("roll");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_one_is_told_alone_and_soon);
	tcase_add_test(tc, test_a_rack_is_one_list);
	tcase_add_test(tc, test_a_rack_that_dies_slowly_is_a_list_a_second);
	tcase_add_test(tc, test_a_thousand_lose_nothing);
	tcase_add_test(tc, test_what_does_not_fit_is_counted);
	tcase_add_test(tc, test_instances_go_first);
	tcase_add_test(tc, test_the_last_word_is_right);
	tcase_add_test(tc, test_others_are_told_at_once);
	tcase_add_test(tc, test_the_end_waits_for_nobody);
	tcase_add_test(tc, test_a_list_names_service_server_and_cause);
	tcase_add_test(tc, test_a_list_that_is_full_goes_on);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
