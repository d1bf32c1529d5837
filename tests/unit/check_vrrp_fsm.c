/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state machine, rule by rule: timers of both versions, elections, preemption, conflicts, faults, crash and stall.
 */
#include "../../vrrp/vrrp_fsm.h"
#include "vrrp_fixture.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define MS US_PER_MS
#define SELF "192.0.2.5"
#define LOWER "192.0.2.4"
#define HIGHER "192.0.2.6"

struct rig {
	struct fixture f;
	struct vrrp_vr vr;
	struct vrrp_event ev;
	struct vrrp_actions out;
	struct mono now;
	char text[256];
};

static void rig_init(struct rig *r, uint8_t version)
{
	memset(r, 0, sizeof(*r));
	fixture_init(&r->f, version, AF_INET);
	r->vr.priority = 100;
	r->now = (struct mono){1000 * US_PER_S};
}

static struct vrrp_event *event(struct rig *r, enum vrrp_event_kind kind)
{
	memset(&r->ev, 0, sizeof(r->ev));
	r->ev.kind = kind;
	r->ev.now = r->now;
	return &r->ev;
}

/* The actions as one line: "send(100) acquire announce(0) state(1>2)". */
static const char *step(struct rig *r)
{
	size_t at = 0;

	r->out = vrrp_fsm(&r->f.instance, &r->vr, &r->ev);
	r->text[0] = 0;
	for (uint32_t i = 0; i < r->out.n; i++) {
		const struct vrrp_action *a = &r->out.list[i];

		at += (size_t)snprintf(
			r->text + at, sizeof(r->text) - at, "%s%s", i ? " " : "", vrrp_action_name(a->kind));
		if (a->kind == VRRP_ACTION_SEND)
			at += (size_t)snprintf(r->text + at, sizeof(r->text) - at, "(%u)", a->priority);
		if (a->kind == VRRP_ACTION_ANNOUNCE)
			at += (size_t)snprintf(r->text + at, sizeof(r->text) - at, "(%u)", a->announce);
		if (a->kind == VRRP_ACTION_STATE)
			at += (size_t)snprintf(r->text + at, sizeof(r->text) - at, "(%u>%u)", a->from, a->to);
	}
	return r->text;
}

static const char *start(struct rig *r)
{
	event(r, VRRP_EVENT_START)->source = fixture_addr(SELF);
	return step(r);
}

static const char *timer(struct rig *r)
{
	r->now = r->vr.deadline;
	event(r, VRRP_EVENT_TIMER);
	return step(r);
}

static const char *advert(struct rig *r, const char *from, uint32_t priority, int64_t interval_us)
{
	event(r, VRRP_EVENT_ADVERT);
	r->ev.advert_source = fixture_addr(from);
	r->ev.advert_priority = priority;
	r->ev.advert_interval_us = interval_us;
	return step(r);
}

static const char *faults(struct rig *r, uint32_t set, const char *text)
{
	event(r, VRRP_EVENT_FAULTS)->faults = set;
	strcpy(r->ev.text, text);
	return step(r);
}

static int64_t left(const struct rig *r)
{
	return mono_diff_us(r->vr.deadline, r->now);
}

static void pass(struct rig *r, int64_t us)
{
	r->now = mono_add(r->now, us);
}

static const char *why(const struct rig *r)
{
	static char buf[WHY_SIZE];

	return vrrp_why(&r->vr.cause, buf, sizeof(buf));
}

static void become_master(struct rig *r)
{
	start(r);
	timer(r);
	ck_assert_uint_eq(r->vr.state, VRRP_MASTER);
}

#define TO_MASTER "send(100) acquire announce(0) state(1>2)"

/* ---- timers ---- */

START_TEST(test_down_interval)
{
	static const struct {
		uint8_t version;
		uint32_t priority;
		int64_t interval_us, down_us;
	} cases[] = {
		{3, 100, 1000 * MS, 3609375},
		{3, 100, 250 * MS, 902343},
		{3, 100, 3000 * MS, 10828125},
		{3, 254, 1000 * MS, 3007812},
		{3, 1, 1000 * MS, 3996093},
		{2, 100, 1000 * MS, 3609375},
		{2, 100, 3000 * MS, 9609375},
		{3, 255, 1000 * MS, 3003906},
		{3, 100, 10 * MS, 36093},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig r;

		rig_init(&r, cases[i].version);
		r.f.instance.advert_us = cases[i].interval_us;
		ck_assert_int_eq(
			vrrp_down_us(&r.f.instance, cases[i].priority, cases[i].interval_us), cases[i].down_us);
	}
}
END_TEST

START_TEST(test_backup_learns_the_interval_in_version_3)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	ck_assert_str_eq(advert(&r, HIGHER, 150, 2000 * MS), "");
	ck_assert_int_eq(left(&r), 7218750);
	rig_init(&r, 2);
	start(&r);
	ck_assert_str_eq(advert(&r, HIGHER, 150, 2000 * MS), "");
	ck_assert_int_eq(left(&r), 3609375);
}
END_TEST

START_TEST(test_master_uses_its_own_interval_again)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	advert(&r, HIGHER, 150, 2000 * MS);
	timer(&r);
	ck_assert_int_eq(left(&r), 1000 * MS);
	ck_assert_int_eq(r.vr.master_interval_us, 1000 * MS);
	/* and so does a backup that has no master any more */
	faults(&r, VRRP_FAULT_BIT(VRRP_FAULT_NO_CARRIER), "eth0");
	faults(&r, 0, "");
	ck_assert_int_eq(left(&r), 3609375);
}
END_TEST

START_TEST(test_down_timer_adverts)
{
	struct rig r;

	rig_init(&r, 3);
	r.f.instance.down_timer_adverts = 5;
	start(&r);
	ck_assert_int_eq(left(&r), 5609375);
}
END_TEST

START_TEST(test_startup_delay)
{
	struct rig r;

	rig_init(&r, 3);
	r.f.instance.startup_delay_us = 10 * US_PER_S;
	start(&r);
	ck_assert_int_eq(left(&r), 13609375);
	/* neither an advertisement nor a leaving master shortens it */
	advert(&r, HIGHER, 150, 1000 * MS);
	ck_assert_int_eq(left(&r), 13609375);
	advert(&r, HIGHER, 0, 1000 * MS);
	ck_assert_int_eq(left(&r), 10609375);
	/* the owner waits for it and for nothing else */
	rig_init(&r, 3);
	r.f.instance.startup_delay_us = 10 * US_PER_S;
	r.f.instance.priority = 255;
	r.vr.priority = 255;
	start(&r);
	ck_assert_uint_eq(r.vr.state, VRRP_BACKUP);
	ck_assert_int_eq(left(&r), 10 * US_PER_S);
	ck_assert_str_eq(timer(&r), "send(255) acquire announce(0) state(1>2)");
}
END_TEST

START_TEST(test_an_early_timer_does_nothing)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	pass(&r, 3609374);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	ck_assert_uint_eq(r.vr.state, VRRP_BACKUP);
	pass(&r, 1);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), TO_MASTER);
}
END_TEST

/* ---- start and stop ---- */

START_TEST(test_start_is_backup_whatever_the_initial_state)
{
	struct rig r;

	for (int initial = CONF_INITIAL_BACKUP; initial <= CONF_INITIAL_MASTER; initial++) {
		rig_init(&r, 2);
		r.f.instance.initial = (uint8_t)initial;
		ck_assert_str_eq(start(&r), "release state(0>1)");
		ck_assert_int_eq(left(&r), 3609375);
	}
	ck_assert_str_eq(start(&r), ""); /* only once */
	ck_assert_str_eq(timer(&r), TO_MASTER);
	ck_assert_str_eq(why(&r), "no advertisement from any router for 3609 ms");
	ck_assert_uint_eq(r.vr.new_master_reason, 3);
	ck_assert_uint_eq(r.vr.became_master, 1);
	ck_assert(addr_equal(&r.vr.master, &r.vr.source));
}
END_TEST

START_TEST(test_owner_starts_as_master)
{
	struct rig r;

	rig_init(&r, 3);
	r.vr.priority = 255;
	ck_assert_str_eq(start(&r), "release state(0>1) send(255) acquire announce(0) state(1>2)");
	ck_assert_str_eq(why(&r), "owner of the addresses (priority 255)");
	ck_assert_uint_eq(r.vr.new_master_reason, 1);
	ck_assert_int_eq(left(&r), 1000 * MS);
}
END_TEST

START_TEST(test_stop)
{
	struct rig r;

	rig_init(&r, 3);
	event(&r, VRRP_EVENT_STOP);
	ck_assert_str_eq(step(&r), "");
	become_master(&r);
	event(&r, VRRP_EVENT_STOP);
	ck_assert_str_eq(step(&r), "send(0) release state(2>0)");
	ck_assert(!mono_is_set(r.vr.deadline));
	start(&r);
	event(&r, VRRP_EVENT_STOP);
	ck_assert_str_eq(step(&r), "release state(1>0)");
	/* nothing happens in INIT */
	ck_assert_str_eq(advert(&r, HIGHER, 150, 1000 * MS), "");
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
}
END_TEST

START_TEST(test_master_speaks_at_its_interval)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	for (int i = 0; i < 5; i++) {
		struct mono before = r.now;

		ck_assert_str_eq(timer(&r), "send(100)");
		ck_assert_int_eq(mono_diff_us(r.now, before), 1000 * MS);
	}
}
END_TEST

/* ---- backup ---- */

START_TEST(test_backup_gives_way_to_higher_and_equal)
{
	static const char *const sources[] = {LOWER, HIGHER};
	struct rig r;

	for (uint32_t priority = 100; priority <= 255; priority++)
		for (int i = 0; i < 2; i++) {
			rig_init(&r, 3);
			start(&r);
			pass(&r, 2000 * MS);
			ck_assert_str_eq(advert(&r, sources[i], priority, 1000 * MS), "");
			ck_assert_int_eq(left(&r), 3609375);
			ck_assert_uint_eq(r.vr.master_priority, priority);
		}
	timer(&r);
	ck_assert_str_eq(why(&r), "no advertisement from " HIGHER " for 3609 ms");
}
END_TEST

START_TEST(test_backup_preempts_a_lower_one_after_the_rest_of_its_patience)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	for (int i = 0; i < 3; i++) {
		pass(&r, 1000 * MS);
		ck_assert_str_eq(advert(&r, LOWER, 99, 1000 * MS), "");
	}
	ck_assert_int_eq(left(&r), 609375);
	ck_assert_str_eq(timer(&r), TO_MASTER);
	ck_assert_str_eq(why(&r), "our priority 100 is over the 99 of " LOWER);
	ck_assert_uint_eq(r.vr.new_master_reason, 2);
}
END_TEST

START_TEST(test_nopreempt)
{
	struct rig r;

	rig_init(&r, 3);
	r.f.instance.preempt = 0;
	start(&r);
	pass(&r, 3000 * MS);
	ck_assert_str_eq(advert(&r, LOWER, 1, 2000 * MS), "");
	ck_assert_int_eq(left(&r), 7218750);
	ck_assert_uint_eq(r.vr.master_priority, 1);
	/* the owner preempts always */
	rig_init(&r, 3);
	r.f.instance.preempt = 0;
	r.f.instance.startup_delay_us = US_PER_S;
	r.vr.priority = 255;
	start(&r);
	advert(&r, LOWER, 254, 1000 * MS);
	ck_assert_int_eq(left(&r), US_PER_S);
}
END_TEST

START_TEST(test_preempt_delay)
{
	struct rig r;

	rig_init(&r, 3);
	r.f.instance.preempt_delay_us = 10 * US_PER_S;
	start(&r);
	/* without any master the segment is taken at the usual time */
	ck_assert_int_eq(left(&r), 3609375);
	pass(&r, 1000 * MS);
	for (int i = 0; i < 10; i++) {
		advert(&r, LOWER, 50, 1000 * MS);
		ck_assert_int_eq(left(&r), 3609375);
		pass(&r, 1000 * MS);
	}
	/* over: what is left of the patience */
	advert(&r, LOWER, 50, 1000 * MS);
	ck_assert_int_eq(left(&r), 2609375);
	ck_assert_str_eq(timer(&r), TO_MASTER);
	/* a higher one in between: the delay begins anew with the next lower one */
	rig_init(&r, 3);
	r.f.instance.preempt_delay_us = 10 * US_PER_S;
	start(&r);
	advert(&r, LOWER, 50, 1000 * MS);
	pass(&r, 9000 * MS);
	advert(&r, HIGHER, 200, 1000 * MS);
	pass(&r, 2000 * MS);
	advert(&r, LOWER, 50, 1000 * MS);
	ck_assert_int_eq(left(&r), 3609375);
}
END_TEST

START_TEST(test_a_leaving_master_shortens_the_wait_to_the_skew)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	advert(&r, HIGHER, 150, 2000 * MS);
	ck_assert_str_eq(advert(&r, HIGHER, 0, 4000 * MS), "");
	ck_assert_int_eq(left(&r), 1218750); /* skew of the learned interval; that of the last packet is not learned */
	/* a second one does not put it off */
	pass(&r, 1000 * MS);
	advert(&r, HIGHER, 0, 4000 * MS);
	ck_assert_int_eq(left(&r), 218750);
	ck_assert_str_eq(timer(&r), TO_MASTER);
	ck_assert_str_eq(why(&r), HIGHER " handed over (priority 0)");
	rig_init(&r, 2);
	r.f.instance.advert_us = 3000 * MS;
	start(&r);
	advert(&r, HIGHER, 0, 3000 * MS);
	ck_assert_int_eq(left(&r), 609375);
	/* another master speaks before: the wait begins anew */
	advert(&r, LOWER, 120, 3000 * MS);
	ck_assert_int_eq(left(&r), 9609375);
}
END_TEST

/* ---- master ---- */

START_TEST(test_master_gives_way)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	ck_assert_str_eq(advert(&r, LOWER, 101, 2000 * MS), "release state(2>1)");
	ck_assert_str_eq(why(&r), LOWER " has priority 101 over our 100");
	ck_assert_int_eq(left(&r), 7218750);
	ck_assert(addr_equal(&r.vr.master, &r.ev.advert_source));
	rig_init(&r, 3);
	become_master(&r);
	ck_assert_str_eq(advert(&r, HIGHER, 100, 1000 * MS), "release state(2>1)");
	ck_assert_str_eq(why(&r), HIGHER " has our priority 100 and the higher address");
	/* nopreempt is for backups: two masters are resolved */
	rig_init(&r, 3);
	r.f.instance.preempt = 0;
	become_master(&r);
	ck_assert_str_eq(advert(&r, LOWER, 101, 1000 * MS), "release state(2>1)");
}
END_TEST

START_TEST(test_addresses_compare_unsigned)
{
	struct rig r;

	rig_init(&r, 3);
	event(&r, VRRP_EVENT_START)->source = fixture_addr("10.0.0.127");
	step(&r);
	timer(&r);
	ck_assert_str_eq(advert(&r, "10.0.0.128", 100, 1000 * MS), "release state(2>1)");
	rig_init(&r, 3);
	event(&r, VRRP_EVENT_START)->source = fixture_addr("fe80::ff");
	step(&r);
	timer(&r);
	ck_assert_str_eq(advert(&r, "fe80::1:0", 100, 1000 * MS), "release state(2>1)");
}
END_TEST

START_TEST(test_master_answers_a_lower_one_at_once)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	pass(&r, 300 * MS);
	ck_assert_str_eq(advert(&r, HIGHER, 99, 1000 * MS), "send(100) announce(1)");
	ck_assert_int_eq(left(&r), 1000 * MS);
	pass(&r, 300 * MS);
	ck_assert_str_eq(advert(&r, LOWER, 100, 1000 * MS), "send(100) announce(1)");
	/* itself: nothing */
	ck_assert_str_eq(advert(&r, SELF, 100, 1000 * MS), "");
	/* and one that leaves was master as well */
	pass(&r, 300 * MS);
	ck_assert_str_eq(advert(&r, LOWER, 0, 1000 * MS), "send(100) announce(1)");
}
END_TEST

START_TEST(test_answers_are_bounded)
{
	int answers = 0, bursts = 0;
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	for (int i = 0; i < 900; i++) {
		pass(&r, 1 * MS);
		advert(&r, LOWER, 1 + (uint32_t)i % 99, 1000 * MS);
		for (uint32_t a = 0; a < r.out.n; a++) {
			answers += r.out.list[a].kind == VRRP_ACTION_SEND;
			bursts += r.out.list[a].kind == VRRP_ACTION_ANNOUNCE;
		}
		/* what is not answered at once is answered soon */
		ck_assert_int_le(left(&r), r.out.n ? 1000 * MS : 250 * MS);
		ck_assert_int_gt(left(&r), 0);
	}
	ck_assert_int_eq(answers, 4);
	ck_assert_int_eq(bursts, 4);
}
END_TEST

START_TEST(test_quiet_about_lower_ones)
{
	struct rig r;

	rig_init(&r, 3);
	r.f.instance.lower_prio_no_advert = 1;
	become_master(&r);
	ck_assert_str_eq(advert(&r, LOWER, 50, 1000 * MS), "announce(1)");
	rig_init(&r, 3);
	r.f.instance.strict = 1;
	become_master(&r);
	ck_assert_str_eq(advert(&r, LOWER, 50, 1000 * MS), "announce(1)");
	/* one that leaves is answered by every standard */
	pass(&r, 300 * MS);
	ck_assert_str_eq(advert(&r, LOWER, 0, 1000 * MS), "send(100) announce(1)");
}
END_TEST

/* keepalived's higher_prio_send_advert; RFC 9568 has no such thing, so strict mode has not. */
START_TEST(test_a_last_word_before_yielding)
{
	struct rig r;

	rig_init(&r, 3);
	r.f.instance.higher_prio_send_advert = 1;
	become_master(&r);
	ck_assert_str_eq(advert(&r, HIGHER, 200, 1000 * MS), "send(100) release state(2>1)");
	rig_init(&r, 3);
	r.f.instance.higher_prio_send_advert = r.f.instance.strict = 1;
	become_master(&r);
	ck_assert_str_eq(advert(&r, HIGHER, 200, 1000 * MS), "release state(2>1)");
}
END_TEST

START_TEST(test_two_owners_are_resolved_by_address)
{
	struct rig r;

	rig_init(&r, 3);
	r.vr.priority = 255;
	start(&r);
	ck_assert_str_eq(advert(&r, LOWER, 255, 1000 * MS), "send(255) announce(1)");
	ck_assert_str_eq(advert(&r, HIGHER, 255, 1000 * MS), "release state(2>1)");
	ck_assert_int_eq(left(&r), 3003906);
	ck_assert_str_eq(timer(&r), "send(255) acquire announce(0) state(1>2)");
	ck_assert_str_eq(why(&r), "no advertisement from " HIGHER " for 3003 ms");
}
END_TEST

/* ---- faults, priority, source, reload ---- */

START_TEST(test_faults_are_levels)
{
	uint32_t link = VRRP_FAULT_BIT(VRRP_FAULT_NO_CARRIER), track = VRRP_FAULT_BIT(VRRP_FAULT_TRACK);
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	ck_assert_str_eq(faults(&r, link, "eth1"), "send(0) release state(2>3)");
	ck_assert_str_eq(why(&r), "interface eth1 has no carrier");
	ck_assert(!mono_is_set(r.vr.deadline));
	ck_assert_str_eq(faults(&r, link, "eth1"), "");
	ck_assert_str_eq(faults(&r, link | track, "eth1"), "");
	ck_assert_str_eq(faults(&r, track, "script chk_nginx"), "");
	ck_assert_str_eq(why(&r), "tracked script chk_nginx has failed");
	ck_assert_str_eq(advert(&r, HIGHER, 1, 1000 * MS), "");
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	pass(&r, 2500 * MS);
	ck_assert_str_eq(faults(&r, 0, ""), "release state(3>1)");
	ck_assert_str_eq(why(&r), "recovered from: tracked script chk_nginx has failed (for 2500 ms)");
	ck_assert_int_eq(left(&r), 3609375);
}
END_TEST

START_TEST(test_start_at_fault)
{
	struct rig r;

	rig_init(&r, 3);
	r.vr.priority = 255;
	event(&r, VRRP_EVENT_START)->faults = VRRP_FAULT_BIT(VRRP_FAULT_NO_INTERFACE);
	strcpy(r.ev.text, "eth9");
	ck_assert_str_eq(step(&r), "release state(0>3)");
	ck_assert_str_eq(why(&r), "interface eth9 does not exist");
	event(&r, VRRP_EVENT_SOURCE)->source = fixture_addr(SELF);
	ck_assert_str_eq(step(&r), "");
	/* the owner goes on at once */
	ck_assert_str_eq(faults(&r, 0, ""), "release state(3>1) send(255) acquire announce(0) state(1>2)");
	ck_assert(addr_equal(&r.vr.master, &r.ev.source) == false);
	ck_assert_str_eq(addr_format(&r.vr.master, (char[ADDR_TEXT]){0}), SELF);
}
END_TEST

START_TEST(test_fault_texts)
{
	char buf[WHY_SIZE];

	ck_assert_str_eq(vrrp_fault_text(VRRP_FAULT_LINK_DOWN, "eth0", buf, sizeof(buf)), "interface eth0 is down");
	ck_assert_str_eq(vrrp_fault_text(VRRP_FAULT_NO_SOURCE, "eth0", buf, sizeof(buf)),
		"interface eth0 has no address to send from");
	ck_assert_str_eq(vrrp_fault_text(VRRP_FAULT_NO_PEER, "x", buf, sizeof(buf)), "unicast without any peer");
	ck_assert_str_eq(vrrp_fault_text(VRRP_FAULT_GROUP, "VI_2: interface eth1 is down", buf, sizeof(buf)),
		"sync group: VI_2: interface eth1 is down");
}
END_TEST

START_TEST(test_priority_of_a_backup_moves_its_patience)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	pass(&r, 1000 * MS);
	event(&r, VRRP_EVENT_PRIORITY)->priority = 50;
	ck_assert_str_eq(step(&r), "");
	ck_assert_int_eq(left(&r), 2609375 + 195312);
	pass(&r, 2800 * MS);
	event(&r, VRRP_EVENT_PRIORITY)->priority = 254;
	step(&r);
	ck_assert_int_eq(left(&r), 0); /* due already, never in the past */
	timer(&r);
	ck_assert_str_eq(r.text, "send(254) acquire announce(0) state(1>2)");
}
END_TEST

START_TEST(test_priority_of_a_master_counts_from_its_next_advertisement)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	event(&r, VRRP_EVENT_PRIORITY)->priority = 80;
	ck_assert_str_eq(step(&r), "");
	ck_assert_str_eq(timer(&r), "send(80)");
	ck_assert_str_eq(advert(&r, LOWER, 90, 1000 * MS), "release state(2>1)");
}
END_TEST

START_TEST(test_source_of_a_master)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	event(&r, VRRP_EVENT_SOURCE)->source = fixture_addr("192.0.2.77");
	step(&r);
	ck_assert_str_eq(advert(&r, HIGHER, 100, 1000 * MS), "send(100) announce(1)");
}
END_TEST

START_TEST(test_reload)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	r.f.instance.advert_us = 100 * MS;
	pass(&r, 900 * MS);
	event(&r, VRRP_EVENT_RELOAD)->priority = 120;
	ck_assert_str_eq(step(&r), "send(120)");
	ck_assert_int_eq(left(&r), 100 * MS);
	rig_init(&r, 3);
	start(&r);
	advert(&r, HIGHER, 150, 2000 * MS);
	r.f.instance.advert_us = 100 * MS;
	event(&r, VRRP_EVENT_RELOAD)->priority = 120;
	ck_assert_str_eq(step(&r), "");
	/* the master's interval is still the one that counts */
	ck_assert_int_eq(left(&r), 6000 * MS + 136 * 2000 * MS / 256);
	event(&r, VRRP_EVENT_RELOAD)->priority = 255;
	ck_assert_str_eq(step(&r), "send(255) acquire announce(0) state(1>2)");
}
END_TEST

START_TEST(test_reloads_do_not_put_an_election_off)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	advert(&r, HIGHER, 150, 1000 * MS);
	for (int i = 0; i < 3; i++) {
		pass(&r, 1000 * MS);
		event(&r, VRRP_EVENT_RELOAD)->priority = 100;
		ck_assert_str_eq(step(&r), "");
	}
	ck_assert_int_eq(left(&r), 609375);
	/* another priority moves the end of the patience, another interval begins it anew */
	event(&r, VRRP_EVENT_RELOAD)->priority = 200;
	step(&r);
	ck_assert_int_eq(left(&r), 218750);
	rig_init(&r, 2);
	start(&r);
	pass(&r, 1000 * MS);
	r.f.instance.advert_us = 2000 * MS;
	event(&r, VRRP_EVENT_RELOAD)->priority = 100;
	step(&r);
	ck_assert_int_eq(left(&r), 6609375);
}
END_TEST

/* ---- crash and stall ---- */

static const char *resume(struct rig *r, enum vrrp_state state, int64_t silent_us)
{
	event(r, VRRP_EVENT_RESUME)->source = fixture_addr(SELF);
	r->ev.past.state = state;
	r->ev.past.last_sent = mono_add(r->now, -silent_us);
	r->ev.past.master = fixture_addr(state == VRRP_MASTER ? SELF : HIGHER);
	r->ev.past.master_priority = 150;
	r->ev.past.master_interval_us = 2000 * MS;
	return step(r);
}

START_TEST(test_resume_in_time)
{
	struct rig r;

	rig_init(&r, 3);
	ck_assert_str_eq(resume(&r, VRRP_MASTER, 2999 * MS), "send(100) acquire announce(2) state(0>2)");
	ck_assert_str_eq(why(&r), "restarted 2999 ms after the last advertisement, in time to go on");
	ck_assert_int_eq(left(&r), 1000 * MS);
}
END_TEST

START_TEST(test_resume_too_late)
{
	struct rig r;

	rig_init(&r, 3);
	ck_assert_str_eq(resume(&r, VRRP_MASTER, 3000 * MS), "release state(0>1)");
	ck_assert_str_eq(why(&r), "restarted 3000 ms after the last advertisement, too late to go on: listening first");
	ck_assert_int_eq(left(&r), 3609375);
	/* a moment in the future is no proof of anything */
	rig_init(&r, 3);
	ck_assert_str_eq(resume(&r, VRRP_MASTER, -5000 * MS), "release state(0>1)");
	/* nor does a master go on with a fault */
	rig_init(&r, 3);
	event(&r, VRRP_EVENT_RESUME)->faults = VRRP_FAULT_BIT(VRRP_FAULT_NO_CARRIER);
	r.ev.past.state = VRRP_MASTER;
	r.ev.past.last_sent = r.now;
	ck_assert_str_eq(step(&r), "release state(0>3)");
}
END_TEST

START_TEST(test_resume_of_a_backup_keeps_the_learned_interval)
{
	struct rig r;

	rig_init(&r, 3);
	ck_assert_str_eq(resume(&r, VRRP_BACKUP, 100 * MS), "release state(0>1)");
	ck_assert_int_eq(left(&r), 7218750);
	rig_init(&r, 2);
	resume(&r, VRRP_BACKUP, 100 * MS);
	ck_assert_int_eq(left(&r), 3609375);
}
END_TEST

START_TEST(test_a_master_goes_on_after_a_short_stall)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	pass(&r, 2999 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "send(100)");
	/* the first successor may be claiming this very moment, and nothing of it has arrived */
	pass(&r, 3999 * MS);
	ck_assert(vrrp_has_stalled(&r.vr, r.now));
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "announce(2) send(100)");
	ck_assert_int_eq(left(&r), 1000 * MS);
	ck_assert(!vrrp_has_stalled(&r.vr, r.now));
	/* who leaves meanwhile has been master, and is none now */
	pass(&r, 8000 * MS);
	ck_assert_str_eq(advert(&r, LOWER, 0, 1000 * MS), "send(100) announce(1)");
	/* the owner waits for nobody */
	rig_init(&r, 3);
	r.vr.priority = 255;
	start(&r);
	pass(&r, 8000 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "send(255)");
	/* and who stops says so */
	rig_init(&r, 3);
	become_master(&r);
	pass(&r, 8000 * MS);
	event(&r, VRRP_EVENT_STOP);
	ck_assert_str_eq(step(&r), "send(0) release state(2>0)");
}
END_TEST

START_TEST(test_a_master_looks_round_after_a_long_stall)
{
	struct rig r;

	rig_init(&r, 3);
	become_master(&r);
	pass(&r, 4000 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	ck_assert_int_eq(left(&r), 1000 * MS);
	/* nobody: on it goes, with its addresses held all the time */
	ck_assert_str_eq(timer(&r), "announce(2) send(100)");
	/* and a second stall while it looks begins the look anew */
	pass(&r, 9000 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	pass(&r, 4000 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	/* somebody */
	pass(&r, 500 * MS);
	ck_assert_str_eq(advert(&r, LOWER, 90, 1000 * MS), "release state(2>1)");
	ck_assert_str_eq(
		why(&r), "this process was held up for 13500 ms, 192.0.2.4 is master meanwhile: listening first");
	ck_assert_int_eq(left(&r), 3609375);
}
END_TEST

START_TEST(test_a_stalled_backup_listens_once_more)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	pass(&r, 3609375 + 1000 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	ck_assert_int_eq(left(&r), 3609375);
	ck_assert_str_eq(timer(&r), TO_MASTER);
	ck_assert_str_eq(why(&r), "no advertisement from any router for 3609 ms");
	/* late by a part of an interval: one more advertisement is waited for */
	rig_init(&r, 3);
	start(&r);
	pass(&r, 3609375 + 999 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), "");
	ck_assert_int_eq(left(&r), 1000 * MS);
	ck_assert_str_eq(timer(&r), TO_MASTER);
	/* a timer is never quite on time */
	rig_init(&r, 3);
	start(&r);
	pass(&r, 3609375 + 249 * MS);
	event(&r, VRRP_EVENT_TIMER);
	ck_assert_str_eq(step(&r), TO_MASTER);
}
END_TEST

/* Late each time by `late_us`, hearing nothing: after how many timers it is master, and when. */
static int timers_until_master(struct rig *r, int64_t late_us, int64_t *after_us)
{
	struct mono from = r->now;
	int n = 0;

	while (r->vr.state != VRRP_MASTER && n < 100) {
		r->now = mono_add(r->vr.deadline, late_us);
		event(r, VRRP_EVENT_TIMER);
		step(r);
		n++;
	}
	*after_us = mono_diff_us(r->now, from);
	return n;
}

START_TEST(test_a_backup_that_is_always_late_claims_all_the_same)
{
	const int64_t patience_us = 3609375, late_us[] = {250 * MS, 600 * MS, 1000 * MS, 20000 * MS};
	int64_t after_us;
	struct rig r;

	for (size_t i = 0; i < sizeof(late_us) / sizeof(late_us[0]); i++) {
		rig_init(&r, 3);
		start(&r);
		ck_assert_int_eq(timers_until_master(&r, late_us[i], &after_us), 4);
		ck_assert_int_le(after_us, 4 * (patience_us + late_us[i]));
	}
	/* an advertisement that comes meanwhile is believed, and the silence after it doubted anew */
	rig_init(&r, 3);
	start(&r);
	for (int i = 0; i < 3; i++) {
		r.now = mono_add(r.vr.deadline, 300 * MS);
		event(&r, VRRP_EVENT_TIMER);
		ck_assert_str_eq(step(&r), "");
	}
	ck_assert_str_eq(advert(&r, HIGHER, 150, 1000 * MS), "");
	ck_assert_int_eq(timers_until_master(&r, 300 * MS, &after_us), 4);
	/* so does a member of a group: it is ready within the same bound, and stays so */
	rig_init(&r, 3);
	r.f.instance.group = 0;
	start(&r);
	for (int i = 0; i < 6; i++) {
		r.now = mono_add(r.vr.deadline, 1500 * MS);
		event(&r, VRRP_EVENT_TIMER);
		step(&r);
		ck_assert_int_eq(r.vr.is_ready, i >= 3);
	}
}
END_TEST

START_TEST(test_who_could_not_hear_listens_anew)
{
	struct rig r;

	rig_init(&r, 3);
	start(&r);
	/* instead of the timer, as long as it is deaf; and once more when it can hear */
	for (int i = 0; i < 5; i++) {
		pass(&r, left(&r));
		event(&r, VRRP_EVENT_DEAF);
		ck_assert_str_eq(step(&r), "");
		ck_assert_int_eq(left(&r), 3609375);
	}
	pass(&r, 1000 * MS);
	event(&r, VRRP_EVENT_DEAF);
	ck_assert_str_eq(step(&r), "");
	ck_assert_int_eq(left(&r), 3609375);
	ck_assert_str_eq(timer(&r), TO_MASTER);
	/* a master speaks on */
	event(&r, VRRP_EVENT_DEAF);
	ck_assert_str_eq(step(&r), "");
	ck_assert_int_eq(left(&r), 1000 * MS);
}
END_TEST

START_TEST(test_every_event_and_action_has_a_name)
{
	for (enum vrrp_event_kind e = 0; e < VRRP_EVENT_KINDS; e++)
		ck_assert_str_ne(vrrp_event_name(e), "?");
	for (enum vrrp_action_kind a = 0; a <= VRRP_ACTION_ASK_GROUP; a++)
		ck_assert_str_ne(vrrp_action_name(a), "?");
}
END_TEST

START_TEST(test_every_cause_has_a_sentence)
{
	char buf[WHY_SIZE], tiny[8];

	for (uint32_t kind = 0; kind < VRRP_CAUSE_COUNT; kind++) {
		struct vrrp_cause cause = {.kind = kind, .text = "eth0"};

		ck_assert_uint_gt(strlen(vrrp_why(&cause, buf, sizeof(buf))), 5);
		ck_assert_uint_lt(strlen(vrrp_why(&cause, tiny, sizeof(tiny))), sizeof(tiny));
	}
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_down_interval);
	tcase_add_test(tcase, test_backup_learns_the_interval_in_version_3);
	tcase_add_test(tcase, test_master_uses_its_own_interval_again);
	tcase_add_test(tcase, test_down_timer_adverts);
	tcase_add_test(tcase, test_startup_delay);
	tcase_add_test(tcase, test_an_early_timer_does_nothing);
	tcase_add_test(tcase, test_start_is_backup_whatever_the_initial_state);
	tcase_add_test(tcase, test_owner_starts_as_master);
	tcase_add_test(tcase, test_stop);
	tcase_add_test(tcase, test_master_speaks_at_its_interval);
	tcase_add_test(tcase, test_backup_gives_way_to_higher_and_equal);
	tcase_add_test(tcase, test_backup_preempts_a_lower_one_after_the_rest_of_its_patience);
	tcase_add_test(tcase, test_nopreempt);
	tcase_add_test(tcase, test_preempt_delay);
	tcase_add_test(tcase, test_a_leaving_master_shortens_the_wait_to_the_skew);
	tcase_add_test(tcase, test_master_gives_way);
	tcase_add_test(tcase, test_addresses_compare_unsigned);
	tcase_add_test(tcase, test_master_answers_a_lower_one_at_once);
	tcase_add_test(tcase, test_answers_are_bounded);
	tcase_add_test(tcase, test_quiet_about_lower_ones);
	tcase_add_test(tcase, test_a_last_word_before_yielding);
	tcase_add_test(tcase, test_a_last_word_before_yielding);
	tcase_add_test(tcase, test_two_owners_are_resolved_by_address);
	tcase_add_test(tcase, test_faults_are_levels);
	tcase_add_test(tcase, test_start_at_fault);
	tcase_add_test(tcase, test_fault_texts);
	tcase_add_test(tcase, test_priority_of_a_backup_moves_its_patience);
	tcase_add_test(tcase, test_priority_of_a_master_counts_from_its_next_advertisement);
	tcase_add_test(tcase, test_source_of_a_master);
	tcase_add_test(tcase, test_reload);
	tcase_add_test(tcase, test_reloads_do_not_put_an_election_off);
	tcase_add_test(tcase, test_resume_in_time);
	tcase_add_test(tcase, test_resume_too_late);
	tcase_add_test(tcase, test_resume_of_a_backup_keeps_the_learned_interval);
	tcase_add_test(tcase, test_a_master_goes_on_after_a_short_stall);
	tcase_add_test(tcase, test_a_master_looks_round_after_a_long_stall);
	tcase_add_test(tcase, test_a_stalled_backup_listens_once_more);
	tcase_add_test(tcase, test_a_backup_that_is_always_late_claims_all_the_same);
	tcase_add_test(tcase, test_who_could_not_hear_listens_anew);
	tcase_add_test(tcase, test_every_event_and_action_has_a_name);
	tcase_add_test(tcase, test_every_cause_has_a_sentence);
}

int main(void)
{
	Suite *suite = suite_create("vrrp_fsm");
	TCase *tcase = tcase_create("vrrp_fsm");
	SRunner *runner;
	int failed;

	add_tests(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
