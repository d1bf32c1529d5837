/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small decisions of the ipvs role: weights, quorum with hysteresis, drains, and the sentences of its errors. */
#include "ipvs_drain.h"
#include "ipvs_error.h"
#include "ipvs_quorum.h"
#include "ipvs_weight.h"
#include <check.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

/* ---- weights ---- */

static struct ipvs_weight_facts facts(void)
{
	return (struct ipvs_weight_facts){.configured = 10,
		.override = -1,
		.dynamic = -1,
		.percent = 100,
		.up = true,
		.standing = true,
		.zero_safe = true};
}

static void assert_weight(struct ipvs_weight_facts f, bool listed, int32_t weight, int32_t capacity)
{
	struct ipvs_weight w = ipvs_weight_decide(&f);

	ck_assert_int_eq(w.listed, listed);
	ck_assert_int_eq(w.weight, weight);
	ck_assert_int_eq(w.capacity, capacity);
}

START_TEST(test_health)
{
	struct ipvs_weight_facts f = facts();

	assert_weight(f, true, 10, 10);
	f.up = false;
	assert_weight(f, false, 0, 0);
	f.inhibit = true;
	assert_weight(f, true, 0, 0);
	ck_assert(ipvs_weight_is_up(HEALTH_UNKNOWN, false));
	ck_assert(!ipvs_weight_is_up(HEALTH_UNKNOWN, true));
	ck_assert(ipvs_weight_is_up(HEALTH_UP, true));
	ck_assert(!ipvs_weight_is_up(HEALTH_DOWN, false));
}
END_TEST

START_TEST(test_dynamic_and_set_weights)
{
	struct ipvs_weight_facts f = facts();

	f.percent = 50;
	assert_weight(f, true, 5, 5);
	f.percent = 47; /* 4.7 */
	assert_weight(f, true, 5, 5);
	f.percent = 1; /* a check that leaves something leaves at least 1 */
	assert_weight(f, true, 1, 1);
	f.percent = 0;
	assert_weight(f, true, 0, 0);
	f.percent = 250;
	f.dynamic = 7; /* instead of the configured one */
	f.percent = 100;
	ck_assert_int_eq(ipvs_weight_decide(&f).weight, 7);
	f.dynamic = -1;
	f.percent = 250;
	f.override = 4;
	assert_weight(f, true, 10, 10);
	f.percent = 100;
	f.override = 0;
	assert_weight(f, true, 0, 0);
	f = facts();
	f.configured = 0;
	assert_weight(f, true, 0, 0);
}
END_TEST

START_TEST(test_drain_and_maintenance)
{
	const enum admin both[] = {ADMIN_DRAIN, ADMIN_MAINT};

	for (int i = 0; i < 2; i++) {
		struct ipvs_weight_facts f = facts();

		f.admin = both[i];
		assert_weight(f, true, 0, 0);
		f.up = false; /* its connections still go on */
		assert_weight(f, true, 0, 0);
		f.standing = false; /* out already: there is nothing to keep */
		assert_weight(f, false, 0, 0);
		f.standing = true;
		f.persistent = true; /* known clients would be sent to a dead server */
		assert_weight(f, false, 0, 0);
		f.inhibit = true;
		assert_weight(f, true, 0, 0);
	}
}
END_TEST

START_TEST(test_sorry_server)
{
	struct ipvs_weight_facts f = facts();

	f.is_sorry = true;
	assert_weight(f, false, 0, 0);
	f.sorry_active = true;
	assert_weight(f, true, 10, 0);
	f.admin = ADMIN_DRAIN;
	assert_weight(f, true, 0, 0);
	f.admin = ADMIN_NORMAL;
	f.sorry_active = false;
	f.inhibit = true;
	assert_weight(f, true, 0, 0);
	/* While it works, the others keep their connections but take no new ones, and count for the quorum. */
	f = facts();
	f.sorry_active = true;
	assert_weight(f, true, 0, 10);
	f.standing = false;
	assert_weight(f, false, 0, 10);
	f.standing = true;
	f.zero_safe = false;
	assert_weight(f, false, 0, 10);
	ck_assert(!ipvs_weight_zero_is_safe("sh", 0));
	ck_assert(ipvs_weight_zero_is_safe("sh", IP_VS_SVC_F_SCHED_SH_FALLBACK));
	ck_assert(!ipvs_weight_zero_is_safe("dh", IP_VS_SVC_F_SCHED_SH_FALLBACK));
	ck_assert(ipvs_weight_zero_is_safe("wlc", 0));
}
END_TEST

/* ---- quorum ---- */

static enum ipvs_quorum_action step(
	struct ipvs_quorum *q, uint32_t quorum, uint32_t hysteresis, int64_t total, int64_t capacity)
{
	struct ipvs_quorum_event event = {quorum, hysteresis, total, capacity};

	return ipvs_quorum_step(q, &event);
}

START_TEST(test_quorum_with_hysteresis)
{
	struct ipvs_quorum q = {0};

	/* quorum 5, hysteresis 2: lost below 3, met again from 7 on. */
	ck_assert_int_eq(step(&q, 5, 2, 10, 5), IPVS_QUORUM_GAINED);
	ck_assert_int_eq(step(&q, 5, 2, 10, 4), IPVS_QUORUM_NOTHING);
	ck_assert_int_eq(step(&q, 5, 2, 10, 3), IPVS_QUORUM_NOTHING);
	ck_assert_int_eq(step(&q, 5, 2, 10, 2), IPVS_QUORUM_LOST);
	ck_assert_int_eq(step(&q, 5, 2, 10, 5), IPVS_QUORUM_NOTHING);
	ck_assert_int_eq(step(&q, 5, 2, 10, 6), IPVS_QUORUM_NOTHING);
	ck_assert_int_eq(step(&q, 5, 2, 10, 7), IPVS_QUORUM_GAINED);
	ck_assert(q.met && q.known);
}
END_TEST

START_TEST(test_quorum_begins_without_hysteresis)
{
	struct ipvs_quorum q = {0};

	ck_assert_int_eq(step(&q, 5, 2, 10, 4), IPVS_QUORUM_LOST);
	ck_assert(q.known && !q.met);
	q = (struct ipvs_quorum){0};
	ck_assert_int_eq(step(&q, 5, 2, 10, 5), IPVS_QUORUM_GAINED);
}
END_TEST

/* For every setting: without any server the quorum is lost, with all of them it is met, and it never toggles at
 * one and the same capacity. */
START_TEST(test_quorum_can_always_be_lost_and_met)
{
	for (uint32_t quorum = 0; quorum < 12; quorum++) {
		for (uint32_t hysteresis = 0; hysteresis < 12; hysteresis++) {
			struct ipvs_quorum q = {0};

			ck_assert_int_eq(step(&q, quorum, hysteresis, 8, 8), IPVS_QUORUM_GAINED);
			ck_assert_int_eq(step(&q, quorum, hysteresis, 8, 0), IPVS_QUORUM_LOST);
			ck_assert_int_eq(step(&q, quorum, hysteresis, 8, 8), IPVS_QUORUM_GAINED);
			for (int64_t capacity = 8; capacity >= 0; capacity--) {
				step(&q, quorum, hysteresis, 8, capacity);
				ck_assert_int_eq(step(&q, quorum, hysteresis, 8, capacity), IPVS_QUORUM_NOTHING);
			}
			for (int64_t capacity = 0; capacity <= 8; capacity++) {
				step(&q, quorum, hysteresis, 8, capacity);
				ck_assert_int_eq(step(&q, quorum, hysteresis, 8, capacity), IPVS_QUORUM_NOTHING);
			}
		}
	}
}
END_TEST

/* ---- drains ---- */

START_TEST(test_drain_progress)
{
	struct ipvs_drain drain = {0};
	struct ipvs_drain_event event = {.admin = ADMIN_DRAIN, .connections = 2};
	struct ipvs_drain_actions actions;

	actions = ipvs_drain_step(&drain, &event);
	ck_assert(actions.poll && !actions.drained && drain.active);
	event.connections = 0; /* an old count, or a weight that is not yet acknowledged, proves nothing */
	actions = ipvs_drain_step(&drain, &event);
	ck_assert(actions.poll && !actions.drained);
	event.counted = true;
	actions = ipvs_drain_step(&drain, &event);
	ck_assert(actions.poll && !actions.drained);
	event.counted = false;
	event.applied = true;
	actions = ipvs_drain_step(&drain, &event);
	ck_assert(actions.poll && !actions.drained);
	event.counted = true;
	actions = ipvs_drain_step(&drain, &event);
	ck_assert(!actions.poll && actions.drained && drain.done);
	event.connections = 1; /* told once */
	actions = ipvs_drain_step(&drain, &event);
	ck_assert(!actions.poll && !actions.drained && drain.done);
	event.admin = ADMIN_NORMAL;
	actions = ipvs_drain_step(&drain, &event);
	ck_assert(!actions.poll && !drain.active && !drain.done);
}
END_TEST

START_TEST(test_drain_with_an_end)
{
	static const enum drain_end ends[] = {DRAIN_KEEP, DRAIN_RESET, DRAIN_REMOVE};

	for (size_t i = 0; i < 3; i++) {
		struct ipvs_drain drain = {0};
		struct ipvs_drain_event event = {
			.admin = ADMIN_DRAIN, .end = ends[i], .applied = true, .counted = true, .connections = 7};
		struct ipvs_drain_actions actions = ipvs_drain_step(&drain, &event);

		ck_assert(actions.poll && !actions.over && !ipvs_drain_takes_out(&drain, ends[i]));
		event.time_is_over = true;
		actions = ipvs_drain_step(&drain, &event);
		ck_assert(actions.over && actions.poll && drain.over);
		ck_assert_uint_eq(drain.cut, ends[i] == DRAIN_KEEP ? 0 : 7);
		ck_assert_int_eq(ipvs_drain_takes_out(&drain, ends[i]), ends[i] != DRAIN_KEEP);
		/* Told once; what is left is counted on, and the number of the cut ones stays. */
		event.connections = 3;
		ck_assert(!ipvs_drain_step(&drain, &event).over);
		event.connections = 0;
		ck_assert(ipvs_drain_step(&drain, &event).drained);
		ck_assert_uint_eq(drain.cut, ends[i] == DRAIN_KEEP ? 0 : 7);
	}
}
END_TEST

START_TEST(test_a_step_of_the_wall_clock_moves_no_end_of_a_drain)
{
	const int64_t real = 1700000000 * US_PER_S, until = real + 600 * US_PER_S, year = 365 * 86400 * US_PER_S;
	const int64_t steps[] = {-year, -600 * US_PER_S, 0, 600 * US_PER_S, year};
	struct mono begin = {50 * US_PER_S};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct ipvs_drain_end end = {0};

		ipvs_drain_end_at(&end, until, begin, real);
		/* The table of administration is read again whenever anything in it changes. */
		for (int64_t s = 0; s < 1200; s += 100) {
			struct mono now = mono_add(begin, s * US_PER_S);

			ipvs_drain_end_at(&end, until, now, real + s * US_PER_S + steps[i]);
			ck_assert_int_eq(ipvs_drain_end_is_over(&end, now), s >= 600);
		}
	}
}
END_TEST

START_TEST(test_the_end_of_a_drain_is_found_again_and_changed)
{
	struct mono now = {50 * US_PER_S};
	struct ipvs_drain_end end = {0};

	ck_assert(!ipvs_drain_end_is_over(&end, now));
	/* After a restart: it was over long ago, longer than the machine runs. */
	ipvs_drain_end_at(&end, 5, now, 1700000000 * US_PER_S);
	ck_assert(ipvs_drain_end_is_over(&end, now));
	ipvs_drain_end_at(&end, 1700000001 * US_PER_S, now, 1700000000 * US_PER_S);
	ck_assert(!ipvs_drain_end_is_over(&end, now));
	ck_assert(ipvs_drain_end_is_over(&end, mono_add(now, US_PER_S)));
	ipvs_drain_end_at(&end, 0, now, 1700000000 * US_PER_S);
	ck_assert(!ipvs_drain_end_is_over(&end, mono_add(now, US_PER_S)));
}
END_TEST

START_TEST(test_a_drain_that_ends_in_time_cuts_nothing)
{
	struct ipvs_drain drain = {0};
	struct ipvs_drain_event event = {.admin = ADMIN_DRAIN, .end = DRAIN_REMOVE, .applied = true, .counted = true};

	ck_assert(ipvs_drain_step(&drain, &event).drained);
	event.time_is_over = true;
	ck_assert(!ipvs_drain_step(&drain, &event).over);
	ck_assert_uint_eq(drain.cut, 0);
	ck_assert(ipvs_drain_takes_out(&drain, DRAIN_REMOVE));
	ck_assert(!ipvs_drain_takes_out(&drain, DRAIN_RESET));
	/* Before anything was counted nobody knows what is cut: the end waits for the count. */
	drain = (struct ipvs_drain){0};
	event.counted = false;
	ck_assert(!ipvs_drain_step(&drain, &event).over);
}
END_TEST

START_TEST(test_leftover)
{
	ck_assert(ipvs_drain_leftover_ends((struct mono){10}, (struct mono){20}, 0));
	ck_assert(!ipvs_drain_leftover_ends((struct mono){10}, (struct mono){20}, 1));
	ck_assert(ipvs_drain_leftover_ends((struct mono){20}, (struct mono){20}, 1));
}
END_TEST

/* ---- sentences ---- */

START_TEST(test_sentences)
{
	struct ipvs_service service = {
		.key = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = 80}, .scheduler = "twos"};
	struct ipvs_dest dest = {.key = {.addr = {.family = AF_INET6}}};
	const struct ipvs_daemon daemon = {.interface = "eth9"};
	char buf[IPVS_ERROR_TEXT];

	ipvs_error_sentence(IPVS_OP_NEW_SERVICE, ENOENT, &service, NULL, buf);
	ck_assert_ptr_nonnull(strstr(buf, "scheduler twos: the running kernel has no ip_vs_twos module"));
	ipvs_error_sentence(IPVS_OP_NEW_DEST, EINVAL, &service, &dest, buf);
	ck_assert_ptr_nonnull(strstr(buf, "TUN"));
	ipvs_error_sentence(IPVS_OP_NEW_SERVICE, EPERM, &service, NULL, buf);
	ck_assert_ptr_nonnull(strstr(buf, "CAP_NET_ADMIN"));
	ck_assert_ptr_nonnull(strstr(ipvs_error_unusable(-ENOENT, buf), "modprobe ip_vs"));
	ck_assert_ptr_nonnull(strstr(ipvs_error_daemon(ENODEV, &daemon, buf), "eth9"));
	/* No errno goes without a sentence. */
	for (int error = 1; error < 130; error++) {
		for (int kind = IPVS_OP_NEW_SERVICE; kind <= IPVS_OP_DEL_DEST; kind++) {
			buf[0] = '\0';
			ipvs_error_sentence(
				(enum ipvs_op_kind)kind, error, &service, kind >= IPVS_OP_NEW_DEST ? &dest : NULL, buf);
			ck_assert_uint_gt(strlen(buf), 10);
		}
	}
}
END_TEST

START_TEST(test_drift)
{
	struct ipvs_dest dest = {0};

	ck_assert(ipvs_error_is_drift(IPVS_OP_NEW_SERVICE, EEXIST, NULL));
	ck_assert(ipvs_error_is_drift(IPVS_OP_SET_SERVICE, ESRCH, NULL));
	ck_assert(ipvs_error_is_drift(IPVS_OP_SET_DEST, ENOENT, &dest));
	ck_assert(!ipvs_error_is_drift(IPVS_OP_NEW_SERVICE, ENOENT, NULL));
	ck_assert(!ipvs_error_is_drift(IPVS_OP_SET_SERVICE, ENOENT, NULL));
	ck_assert(!ipvs_error_is_drift(IPVS_OP_NEW_DEST, EINVAL, &dest));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_decide");
	TCase *tc = tcase_create("decide");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_health);
	tcase_add_test(tc, test_dynamic_and_set_weights);
	tcase_add_test(tc, test_drain_and_maintenance);
	tcase_add_test(tc, test_sorry_server);
	tcase_add_test(tc, test_quorum_with_hysteresis);
	tcase_add_test(tc, test_quorum_begins_without_hysteresis);
	tcase_add_test(tc, test_quorum_can_always_be_lost_and_met);
	tcase_add_test(tc, test_drain_progress);
	tcase_add_test(tc, test_drain_with_an_end);
	tcase_add_test(tc, test_a_step_of_the_wall_clock_moves_no_end_of_a_drain);
	tcase_add_test(tc, test_the_end_of_a_drain_is_found_again_and_changed);
	tcase_add_test(tc, test_a_drain_that_ends_in_time_cuts_nothing);
	tcase_add_test(tc, test_leftover);
	tcase_add_test(tc, test_sentences);
	tcase_add_test(tc, test_drift);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
