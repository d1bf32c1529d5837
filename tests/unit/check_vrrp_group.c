/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sync groups: real state machines driven together, as the vrrp role does it. */
#include "../../vrrp/vrrp_group.h"
#include "vrrp_fixture.h"
#include <check.h>
#include <stdlib.h>

#define MS US_PER_MS
#define MEMBERS 3
#define CARRIER VRRP_FAULT_BIT(VRRP_FAULT_NO_CARRIER)

static const char *const names[MEMBERS] = {"VI_0", "VI_1", "VI_2"};

struct rig {
	struct fixture f;
	struct vrrp_vr vr[MEMBERS];
	const struct vrrp_vr *members[MEMBERS];
	struct vrrp_group_verdict verdict;
	struct mono now;
	uint32_t sent_zero[MEMBERS], sent[MEMBERS];
	bool holds[MEMBERS];
};

static void deliver(struct rig *r, uint32_t i, struct vrrp_event *ev)
{
	struct vrrp_actions out;

	ev->now = r->now;
	out = vrrp_fsm(&r->f.instance, &r->vr[i], ev);
	for (uint32_t a = 0; a < out.n; a++) {
		if (out.list[a].kind == VRRP_ACTION_SEND) {
			r->sent[i]++;
			r->sent_zero[i] += out.list[a].priority == 0;
		}
		if (out.list[a].kind == VRRP_ACTION_ACQUIRE)
			r->holds[i] = true;
		if (out.list[a].kind == VRRP_ACTION_RELEASE)
			r->holds[i] = false;
	}
}

/* As the shell does it: until nothing is ordered any more. */
static void settle(struct rig *r)
{
	struct vrrp_event ev;
	int rounds = 0;

	for (;;) {
		const char *culprit;
		bool is_for[MEMBERS];
		struct vrrp_event events[MEMBERS];

		r->verdict = vrrp_group_decide(r->members, MEMBERS);
		if (r->verdict.order == VRRP_GROUP_STAY)
			return;
		ck_assert_int_lt(rounds++, 3);
		culprit = r->verdict.culprit < MEMBERS ? names[r->verdict.culprit] : "";
		for (uint32_t i = 0; i < MEMBERS; i++) {
			is_for[i] = vrrp_group_event(&r->verdict, r->members, MEMBERS, i, r->now, "G", culprit, &ev);
			events[i] = ev;
		}
		for (uint32_t i = 0; i < MEMBERS; i++)
			if (is_for[i])
				deliver(r, i, &events[i]);
	}
}

static void rig_init(struct rig *r)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_START};

	memset(r, 0, sizeof(*r));
	fixture_init(&r->f, 3, AF_INET);
	r->f.instance.group = 0;
	r->now = (struct mono){1000 * US_PER_S};
	for (uint32_t i = 0; i < MEMBERS; i++) {
		r->vr[i].priority = 100;
		r->members[i] = &r->vr[i];
		ev.source = fixture_addr("192.0.2.5");
		deliver(r, i, &ev);
	}
	settle(r);
}

static void advert(struct rig *r, uint32_t i, uint32_t priority)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_ADVERT, .advert_priority = priority};

	ev.advert_source = fixture_addr("192.0.2.6");
	ev.advert_interval_us = 1000 * MS;
	deliver(r, i, &ev);
	settle(r);
}

static void faults(struct rig *r, uint32_t i, uint32_t set, const char *text)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_FAULTS, .faults = set};

	strcpy(ev.text, text);
	deliver(r, i, &ev);
	settle(r);
}

/* Time goes on; due timers fire one after the other. */
static void pass(struct rig *r, int64_t us)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_TIMER};
	struct mono end = mono_add(r->now, us);

	for (;;) {
		uint32_t next = MEMBERS;

		for (uint32_t i = 0; i < MEMBERS; i++)
			if (mono_is_set(r->vr[i].deadline) &&
				(next == MEMBERS || mono_before(r->vr[i].deadline, r->vr[next].deadline)))
				next = i;
		if (next == MEMBERS || mono_before(end, r->vr[next].deadline))
			break;
		r->now = r->vr[next].deadline;
		deliver(r, next, &ev);
		settle(r);
	}
	r->now = end;
}

static void assert_all(const struct rig *r, enum vrrp_state state)
{
	for (uint32_t i = 0; i < MEMBERS; i++) {
		ck_assert_str_eq(vrrp_state_name(r->vr[i].state), vrrp_state_name(state));
		ck_assert_int_eq(r->holds[i], state == VRRP_MASTER);
	}
	ck_assert_uint_eq(r->verdict.state, state);
}

static const char *why(const struct rig *r, uint32_t i)
{
	static char buf[WHY_SIZE];

	return vrrp_why(&r->vr[i].cause, buf, sizeof(buf));
}

START_TEST(test_all_become_master_together)
{
	struct rig r;

	rig_init(&r);
	assert_all(&r, VRRP_BACKUP);
	pass(&r, 3700 * MS);
	assert_all(&r, VRRP_MASTER);
	ck_assert_str_eq(why(&r, 1), "no advertisement from any router for 3609 ms (with sync group G)");
	ck_assert_uint_eq(r.vr[0].new_master_reason, 3);
}
END_TEST

START_TEST(test_one_that_hears_a_master_keeps_the_others_back)
{
	struct rig r;

	rig_init(&r);
	for (int i = 0; i < 20; i++) {
		pass(&r, 1000 * MS);
		advert(&r, 1, 150);
		assert_all(&r, VRRP_BACKUP);
	}
	ck_assert(r.vr[0].is_ready && r.vr[2].is_ready && !r.vr[1].is_ready);
	/* its silence lets all of them move, at its own bound and not later */
	pass(&r, 3608 * MS);
	assert_all(&r, VRRP_BACKUP);
	pass(&r, 2 * MS);
	assert_all(&r, VRRP_MASTER);
	ck_assert_uint_eq(r.sent_zero[0] + r.sent_zero[1] + r.sent_zero[2], 0);
}
END_TEST

START_TEST(test_readiness_is_lost_with_an_advertisement)
{
	struct rig r;

	rig_init(&r);
	pass(&r, 2000 * MS);
	advert(&r, 1, 150);
	pass(&r, 2000 * MS);
	ck_assert(r.vr[0].is_ready);
	advert(&r, 0, 150);
	ck_assert(!r.vr[0].is_ready);
	pass(&r, 1700 * MS); /* 1 is ready now, 0 is not */
	assert_all(&r, VRRP_BACKUP);
	ck_assert(r.vr[1].is_ready);
}
END_TEST

START_TEST(test_one_that_leaves_takes_the_others_along)
{
	struct rig r;

	rig_init(&r);
	pass(&r, 3700 * MS);
	advert(&r, 2, 150);
	assert_all(&r, VRRP_BACKUP);
	/* only those whose segment has no new master yet say that they leave */
	ck_assert_uint_eq(r.sent_zero[0], 1);
	ck_assert_uint_eq(r.sent_zero[1], 1);
	ck_assert_uint_eq(r.sent_zero[2], 0);
	ck_assert_str_eq(why(&r, 0), "sync group: VI_2: 192.0.2.6 has priority 150 over our 100");
}
END_TEST

START_TEST(test_a_fault_of_one_is_a_fault_of_all)
{
	struct rig r;

	rig_init(&r);
	pass(&r, 3700 * MS);
	faults(&r, 1, CARRIER, "eth1");
	assert_all(&r, VRRP_FAULT);
	for (int i = 0; i < MEMBERS; i++) {
		ck_assert_uint_eq(r.sent_zero[i], 1);
		ck_assert(!mono_is_set(r.vr[i].deadline));
	}
	ck_assert_uint_eq(r.vr[1].faults, CARRIER);
	ck_assert_uint_eq(r.vr[2].faults, VRRP_FAULT_BIT(VRRP_FAULT_GROUP));
	ck_assert_str_eq(why(&r, 1), "interface eth1 has no carrier");
	ck_assert_str_eq(why(&r, 2), "sync group: VI_1: interface eth1 has no carrier");
	faults(&r, 1, 0, "");
	assert_all(&r, VRRP_BACKUP);
	ck_assert_str_eq(why(&r, 2), "recovered from: sync group: VI_1: interface eth1 has no carrier (for 0 ms)");
	pass(&r, 3700 * MS);
	assert_all(&r, VRRP_MASTER);
}
END_TEST

START_TEST(test_recovery_in_any_order_does_not_flap)
{
	/* every order of losing and regaining carriers; no member may leave FAULT before the last one has recovered */
	for (int order = 0; order < 6; order++) {
		static const uint32_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
		struct rig r;

		rig_init(&r);
		for (uint32_t i = 0; i < MEMBERS; i++)
			faults(&r, i, CARRIER, "eth");
		for (uint32_t i = 0; i < MEMBERS; i++) {
			assert_all(&r, VRRP_FAULT);
			faults(&r, orders[order][i], 0, "");
		}
		assert_all(&r, VRRP_BACKUP);
	}
}
END_TEST

START_TEST(test_a_stall_of_one_that_was_replaced_releases_all)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_TIMER};
	struct rig r;

	rig_init(&r);
	pass(&r, 3700 * MS);
	r.now = mono_add(r.now, 9000 * MS);
	deliver(&r, 0, &ev);
	settle(&r);
	assert_all(&r, VRRP_MASTER);
	advert(&r, 0, 50);
	assert_all(&r, VRRP_BACKUP);
	pass(&r, 3700 * MS);
	assert_all(&r, VRRP_MASTER);
}
END_TEST

START_TEST(test_owners_wait_for_each_other_only)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_START};
	struct rig r;

	memset(&r, 0, sizeof(r));
	fixture_init(&r.f, 3, AF_INET);
	r.f.instance.group = 0;
	r.now = (struct mono){1000 * US_PER_S};
	for (uint32_t i = 0; i < MEMBERS; i++) {
		r.vr[i].priority = 255;
		r.members[i] = &r.vr[i];
		deliver(&r, i, &ev);
		ck_assert_uint_eq(r.vr[i].state, VRRP_BACKUP);
	}
	settle(&r);
	assert_all(&r, VRRP_MASTER);
}
END_TEST

START_TEST(test_a_group_that_resumes_in_part_is_backup)
{
	struct rig r;

	rig_init(&r);
	for (uint32_t i = 0; i < MEMBERS; i++) {
		struct vrrp_event ev = {.kind = VRRP_EVENT_RESUME};

		memset(&r.vr[i], 0, sizeof(r.vr[i]));
		r.vr[i].priority = 100;
		ev.past.state = VRRP_MASTER;
		ev.past.last_sent = mono_add(r.now, i == 2 ? -3000 * MS : -1000 * MS);
		deliver(&r, i, &ev);
	}
	settle(&r);
	assert_all(&r, VRRP_BACKUP);
}
END_TEST

/* A member that a reload adds to a group that is master. */
static void add_newcomer(struct rig *r)
{
	struct vrrp_event ev = {.kind = VRRP_EVENT_START};

	rig_init(r);
	pass(r, 3700 * MS);
	memset(&r->vr[1], 0, sizeof(r->vr[1]));
	r->vr[1].priority = 100;
	r->holds[1] = false;
	settle(r);
	ck_assert_uint_eq(r->verdict.state, VRRP_MASTER);
	deliver(r, 1, &ev);
	settle(r);
}

START_TEST(test_a_newcomer_cuts_nothing)
{
	struct rig r;

	add_newcomer(&r);
	ck_assert_uint_eq(r.vr[0].state, VRRP_MASTER);
	ck_assert_uint_eq(r.vr[1].state, VRRP_BACKUP);
	ck_assert_uint_eq(r.verdict.state, VRRP_MASTER);
	pass(&r, 3700 * MS);
	assert_all(&r, VRRP_MASTER);
	ck_assert_uint_eq(r.sent_zero[0] + r.sent_zero[2], 0);
	/* one that hears another master takes the group along as ever */
	add_newcomer(&r);
	pass(&r, 1000 * MS);
	advert(&r, 1, 150);
	assert_all(&r, VRRP_BACKUP);
	/* a lower one is no master to follow */
	add_newcomer(&r);
	pass(&r, 1000 * MS);
	advert(&r, 1, 50);
	ck_assert_uint_eq(r.vr[0].state, VRRP_MASTER);
	pass(&r, 3000 * MS);
	assert_all(&r, VRRP_MASTER);
}
END_TEST

/* ---- all states of three members ---- */

START_TEST(test_decisions_are_complete)
{
	enum { INIT, NEW, HEARS, READY, MASTER, FAULTY, FOLLOWS, KINDS };
	const struct vrrp_vr kinds[KINDS] = {
		[INIT] = {.state = VRRP_INIT},
		[NEW] = {.state = VRRP_BACKUP, .cause.kind = VRRP_CAUSE_STARTED},
		[HEARS] = {.state = VRRP_BACKUP, .cause.kind = VRRP_CAUSE_STARTED, .master = fixture_addr("192.0.2.1")},
		[READY] = {.state = VRRP_BACKUP, .is_ready = true},
		[MASTER] = {.state = VRRP_MASTER},
		[FAULTY] = {.state = VRRP_FAULT, .faults = CARRIER},
		[FOLLOWS] = {.state = VRRP_FAULT, .faults = VRRP_FAULT_BIT(VRRP_FAULT_GROUP)},
	};

	for (int n = 0; n < KINDS * KINDS * KINDS; n++) {
		int at[3] = {n % KINDS, n / KINDS % KINDS, n / KINDS / KINDS}, of[KINDS] = {0};
		const struct vrrp_vr *m[3] = {&kinds[at[0]], &kinds[at[1]], &kinds[at[2]]};
		struct vrrp_group_verdict v = vrrp_group_decide(m, 3);
		int wrong = 0;

		for (int i = 0; i < 3; i++)
			of[at[i]]++;
		for (int i = 0; i < 3; i++) {
			bool others = of[FAULTY] - (at[i] == FAULTY) > 0;

			wrong += at[i] != INIT && others != (at[i] == FOLLOWS);
		}
		if (wrong)
			ck_assert_uint_eq(v.order, VRRP_GROUP_FAULTS);
		else if (of[MASTER] < 3 && of[MASTER] + of[READY] == 3)
			ck_assert_uint_eq(v.order, VRRP_GROUP_TO_MASTER);
		else if (of[MASTER] && of[HEARS] + of[FAULTY] + of[FOLLOWS])
			ck_assert_uint_eq(v.order, VRRP_GROUP_TO_BACKUP);
		else
			ck_assert_uint_eq(v.order, VRRP_GROUP_STAY);
		if (of[FAULTY] + of[FOLLOWS])
			ck_assert_uint_eq(v.state, VRRP_FAULT);
		else if (of[MASTER] && !of[HEARS])
			ck_assert_uint_eq(v.state, VRRP_MASTER);
		else
			ck_assert_uint_eq(v.state, of[INIT] ? VRRP_INIT : VRRP_BACKUP);
	}
}
END_TEST

/* Somebody waits for the answer, and for the next order. */
START_TEST(test_taking_back_ends_when_the_group_cannot)
{
	struct vrrp_event back = {.kind = VRRP_EVENT_TAKE_BACK};
	struct rig r;

	for (int heard = 0; heard < 2; heard++) {
		rig_init(&r);
		r.f.instance.preempt = false;
		advert(&r, 0, 50);
		advert(&r, 1, 50);
		advert(&r, 2, 200);
		for (uint32_t i = 0; i < MEMBERS; i++)
			deliver(&r, i, &back);
		settle(&r);
		assert_all(&r, VRRP_BACKUP);
		ck_assert(r.vr[0].is_taking_back && r.vr[1].is_taking_back && !r.vr[2].is_taking_back);
		if (heard) {
			advert(&r, 0, 50);
			advert(&r, 1, 50);
		}
		for (int i = 0; i < 5; i++) {
			pass(&r, 900 * MS);
			advert(&r, 2, 200);
			ck_assert(!heard || !(r.vr[0].is_taking_back || r.vr[1].is_taking_back));
		}
		ck_assert(!r.vr[0].is_taking_back && !r.vr[1].is_taking_back);
		assert_all(&r, VRRP_BACKUP);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_group");
	TCase *tcase = tcase_create("vrrp_group");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_all_become_master_together);
	tcase_add_test(tcase, test_one_that_hears_a_master_keeps_the_others_back);
	tcase_add_test(tcase, test_readiness_is_lost_with_an_advertisement);
	tcase_add_test(tcase, test_one_that_leaves_takes_the_others_along);
	tcase_add_test(tcase, test_a_fault_of_one_is_a_fault_of_all);
	tcase_add_test(tcase, test_recovery_in_any_order_does_not_flap);
	tcase_add_test(tcase, test_a_stall_of_one_that_was_replaced_releases_all);
	tcase_add_test(tcase, test_owners_wait_for_each_other_only);
	tcase_add_test(tcase, test_a_group_that_resumes_in_part_is_backup);
	tcase_add_test(tcase, test_a_newcomer_cuts_nothing);
	tcase_add_test(tcase, test_taking_back_ends_when_the_group_cannot);
	tcase_add_test(tcase, test_decisions_are_complete);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
