/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A returning node of higher priority waits for its coverage, never for anything else; and says what it was. */
#include "vrrp_fixture.h"
#include "vrrp_hold.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define S US_PER_S

static struct conf_global global;
static struct status_pair pair;

static void setup(void)
{
	memset(&global, 0, sizeof(global));
	global.connection_sync = CONF_SYNC_FULL;
	global.preempt_coverage = 99;
	global.preempt_coverage_timeout_us = 60 * S;
	addr_parse("192.0.2.3", &global.pair_peer);
	memset(&pair, 0, sizeof(pair));
	pair.state = PAIR_UP;
	pair.coverage_known = 1;
	pair.coverage = 990;
	pair.coverage_total = 2000;
	pair.coverage_at = (struct mono){11 * S};
}

static struct vrrp_hold decide(uint32_t state, int64_t now_us)
{
	return vrrp_hold_decide(&global, state, (struct mono){10 * S}, &pair, (struct mono){now_us});
}

START_TEST(test_enough)
{
	struct vrrp_hold hold = decide(VRRP_BACKUP, 12 * S);

	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "holding 99.0 % of its 2000 connections");
	pair.coverage = 989;
	hold = decide(VRRP_BACKUP, 12 * S);
	ck_assert(hold.is_held);
	ck_assert_int_eq(hold.look_again.us, 70 * S);
}
END_TEST

START_TEST(test_what_was_counted_before_does_not_count)
{
	pair.coverage_at = (struct mono){9 * S};
	ck_assert(decide(VRRP_BACKUP, 12 * S).is_held);
}
END_TEST

START_TEST(test_the_time_is_over)
{
	struct vrrp_hold hold;

	pair.coverage = 400;
	ck_assert(decide(VRRP_BACKUP, 70 * S - 1).is_held);
	hold = decide(VRRP_BACKUP, 70 * S);
	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "waited 60 s, holding 40.0 % of its 2000 connections");
	pair.state = PAIR_SILENT;
	hold = decide(VRRP_BACKUP, 70 * S);
	ck_assert_str_eq(hold.text, "waited 60 s, the other node's daemon is not heard");
	hold = vrrp_hold_decide(&global, VRRP_BACKUP, (struct mono){10 * S}, NULL, (struct mono){11 * S});
	ck_assert(hold.is_held);
}
END_TEST

START_TEST(test_held_from_the_first_moment)
{
	ck_assert(decide(VRRP_INIT, 12 * S).is_held);
	ck_assert(decide(VRRP_MASTER, 12 * S).is_held);
	ck_assert(decide(VRRP_FAULT, 12 * S).is_held);
}
END_TEST

START_TEST(test_nothing_to_wait_for)
{
	global.connection_sync = CONF_SYNC_KERNEL;
	ck_assert(!decide(VRRP_INIT, 12 * S).is_held);
	global.connection_sync = CONF_SYNC_FULL;
	global.preempt_coverage = 0;
	ck_assert(!decide(VRRP_INIT, 12 * S).is_held);
	global.preempt_coverage = 99;
	memset(&global.pair_peer, 0, sizeof(global.pair_peer));
	ck_assert(!decide(VRRP_INIT, 12 * S).is_held);
}
END_TEST

/* ---- before a handover ---- */

static struct vrrp_hold hand_over(bool back, int64_t now_us)
{
	return vrrp_hold_handover(&global, back, true, (struct mono){10 * S}, &pair, (struct mono){now_us});
}

START_TEST(test_a_handover_waits_for_the_successor)
{
	struct vrrp_hold hold;

	strcpy(pair.peer_node, "lb2");
	pair.peer_ready = pair.peer_coverage_known = 1;
	pair.peer_coverage = 1000;
	hold = hand_over(false, 11 * S);
	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "lb2 holds 100.0 % of the connections");
	pair.peer_coverage = 430;
	hold = hand_over(false, 11 * S);
	ck_assert(hold.is_held);
	ck_assert_int_eq(hold.look_again.us, 70 * S);
	hold = hand_over(false, 70 * S);
	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "waited 60 s, lb2 holds 43.0 % of the connections");
	pair.peer_coverage_known = 0;
	ck_assert(hand_over(false, 11 * S).is_held);
	/* the other way round it is our own coverage */
	hold = hand_over(true, 11 * S);
	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "this node holds 99.0 % of the connections");
	pair.coverage = 10;
	ck_assert(hand_over(true, 11 * S).is_held);
	/* nobody waits longer than a minute for an answer, nor longer than is configured */
	global.preempt_coverage_timeout_us = 3600 * S;
	ck_assert_int_eq(hand_over(true, 11 * S).look_again.us, 70 * S);
	global.preempt_coverage_timeout_us = 5 * S;
	ck_assert(!hand_over(true, 15 * S).is_held);
}
END_TEST

START_TEST(test_a_handover_does_not_wait_for_what_cannot_be_known)
{
	struct vrrp_hold hold;

	strcpy(pair.peer_node, "lb2");
	pair.peer_ready = 0;
	hold = hand_over(false, 11 * S);
	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "coverage unknown, connection_sync is not in force on the other node");
	pair.peer_ready = 1;
	hold = vrrp_hold_handover(&global, false, false, (struct mono){10 * S}, &pair, (struct mono){11 * S});
	ck_assert(!hold.is_held);
	ck_assert_str_eq(hold.text, "coverage unknown, connection_sync is not in force here");
	pair.state = PAIR_SILENT;
	ck_assert_str_eq(hand_over(false, 11 * S).text, "coverage unknown, the other node's daemon is not heard");
	global.preempt_coverage = 0;
	hold = hand_over(false, 11 * S);
	ck_assert(!hold.is_held && hold.text[0] == '\0');
}
END_TEST

/* ---- the machine under a hold ---- */

static struct fixture fixture;
static struct vrrp_vr vr;

static struct vrrp_actions step(enum vrrp_event_kind kind, int64_t now_us, uint32_t value)
{
	struct vrrp_event ev = {.kind = kind, .now = {now_us}, .source = fixture_addr("192.0.2.2")};

	ev.advert_source = fixture_addr("192.0.2.3");
	ev.advert_interval_us = S;
	ev.advert_priority = value;
	ev.faults = kind == VRRP_EVENT_HOLD ? value : 0;
	if (kind == VRRP_EVENT_HOLD)
		strcpy(ev.text, "holding 100.0 % of its 40 connections");
	return vrrp_fsm(&fixture.instance, &vr, &ev);
}

/* Backup with priority 150 over a master with 100, held back. */
static void begin_held(void)
{
	fixture_init(&fixture, 3, AF_INET);
	memset(&vr, 0, sizeof(vr));
	vr.priority = 150;
	step(VRRP_EVENT_HOLD, 1 * S, 1);
	step(VRRP_EVENT_START, 1 * S, 0);
}

START_TEST(test_a_held_backup_lets_a_lower_master_be)
{
	char why[WHY_SIZE];

	begin_held();
	for (int64_t t = 1; t <= 20; t++) {
		step(VRRP_EVENT_TIMER, t * S, 0);
		step(VRRP_EVENT_ADVERT, t * S, 100);
		ck_assert_int_eq(vr.state, VRRP_BACKUP);
	}
	step(VRRP_EVENT_HOLD, 20 * S + 1, 0);
	for (int64_t t = 21; t <= 23; t++) {
		step(VRRP_EVENT_TIMER, t * S, 0);
		step(VRRP_EVENT_ADVERT, t * S, 100);
		ck_assert_int_eq(vr.state, VRRP_BACKUP);
	}
	step(VRRP_EVENT_TIMER, 20 * S + vrrp_down_us(&fixture.instance, 150, S), 0);
	ck_assert_int_eq(vr.state, VRRP_MASTER);
	ck_assert_str_eq(vrrp_why(&vr.cause, why, sizeof(why)),
		"our priority 150 is over the 100 of 192.0.2.3, holding 100.0 % of its 40 connections");
}
END_TEST

START_TEST(test_a_dead_master_is_not_waited_for)
{
	begin_held();
	step(VRRP_EVENT_ADVERT, 2 * S, 100);
	step(VRRP_EVENT_TIMER, 2 * S + vrrp_down_us(&fixture.instance, 150, S), 0);
	ck_assert_int_eq(vr.state, VRRP_MASTER);
	ck_assert_int_eq(vr.cause.kind, VRRP_CAUSE_NO_ADVERT);
}
END_TEST

START_TEST(test_a_leaving_master_is_not_waited_for)
{
	begin_held();
	step(VRRP_EVENT_ADVERT, 2 * S, 100);
	step(VRRP_EVENT_ADVERT, 3 * S, VRRP_PRIORITY_LEAVING);
	step(VRRP_EVENT_TIMER, 3 * S + vrrp_skew_us(&fixture.instance, 150, S), 0);
	ck_assert_int_eq(vr.state, VRRP_MASTER);
	ck_assert_int_eq(vr.cause.kind, VRRP_CAUSE_HANDED_OVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_hold");
	TCase *tc = tcase_create("hold");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, test_enough);
	tcase_add_test(tc, test_what_was_counted_before_does_not_count);
	tcase_add_test(tc, test_the_time_is_over);
	tcase_add_test(tc, test_held_from_the_first_moment);
	tcase_add_test(tc, test_nothing_to_wait_for);
	tcase_add_test(tc, test_a_handover_waits_for_the_successor);
	tcase_add_test(tc, test_a_handover_does_not_wait_for_what_cannot_be_known);
	tcase_add_test(tc, test_a_held_backup_lets_a_lower_master_be);
	tcase_add_test(tc, test_a_dead_master_is_not_waited_for);
	tcase_add_test(tc, test_a_leaving_master_is_not_waited_for);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
