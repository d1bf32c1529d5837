/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Effective priority: weights of either sign, reversed, clamped; faults; members of sync groups. */
#include "../../vrrp/vrrp_priority.h"
#include "vrrp_fixture.h"
#include <check.h>
#include <stdlib.h>

struct rig {
	struct fixture f;
	struct conf_track tracks[4];
	struct conf_group group;
	struct vrrp_seen seen[4];
	struct vrrp_priority p;
};

static void rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	fixture_init(&r->f, 3, AF_INET);
	r->f.conf.tracks = r->tracks;
	r->f.conf.groups = &r->group;
}

static void track(struct rig *r, uint32_t i, int32_t weight, uint32_t reverse, bool is_up)
{
	r->tracks[i].weight = weight;
	r->tracks[i].reverse = reverse;
	r->seen[i].is_up = is_up;
	r->f.instance.tracks.count = i + 1;
}

static uint32_t effective(struct rig *r)
{
	r->p = vrrp_priority_of(&r->f.conf, 0, r->seen);
	return r->p.effective;
}

START_TEST(test_weights)
{
	static const struct {
		int32_t weight;
		uint32_t reverse;
		bool is_up;
		int32_t adds;
	} cases[] = {
		{20, 0, true, 20},
		{20, 0, false, 0},
		{-20, 0, true, 0},
		{-20, 0, false, -20},
		{20, 1, true, 0},
		{20, 1, false, 20},
		{-20, 1, true, -20},
		{-20, 1, false, 0},
		{0, 0, true, 0},
		{0, 0, false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig r;

		rig_init(&r);
		track(&r, 0, cases[i].weight, cases[i].reverse, cases[i].is_up);
		ck_assert_int_eq((int32_t)effective(&r), 100 + cases[i].adds);
		ck_assert_int_eq(vrrp_priority_weight(&r.tracks[0], r.seen[0]), cases[i].adds);
		ck_assert_int_eq(r.p.is_fault, cases[i].weight == 0 && !cases[i].is_up);
	}
}
END_TEST

START_TEST(test_sum_and_bounds)
{
	struct rig r;

	rig_init(&r);
	track(&r, 0, 10, 0, true);
	track(&r, 1, -30, 0, false);
	ck_assert_uint_eq(effective(&r), 80);
	track(&r, 2, -253, 0, false);
	ck_assert_uint_eq(effective(&r), 1);
	track(&r, 2, 253, 0, true);
	ck_assert_uint_eq(effective(&r), 254);
	track(&r, 2, 175, 0, true);
	ck_assert_uint_eq(effective(&r), 254);
	track(&r, 2, INT32_MAX, 0, true);
	track(&r, 3, INT32_MAX, 0, true);
	ck_assert_uint_eq(effective(&r), 254);
	/* a sum that is left at its bounds only once: +253 and -253 cancel out */
	track(&r, 2, 253, 0, true);
	track(&r, 3, -253, 0, false);
	ck_assert_uint_eq(effective(&r), 80);
	r.f.instance.priority = 255;
	ck_assert_uint_eq(effective(&r), 255);
}
END_TEST

START_TEST(test_faults)
{
	struct rig r;

	rig_init(&r);
	track(&r, 0, 0, 0, true);
	track(&r, 1, 0, 1, false);
	effective(&r);
	ck_assert(!r.p.is_fault);
	ck_assert_uint_eq(r.p.culprit, CONF_NONE);
	r.seen[1].is_up = true; /* reversed: must not be there */
	effective(&r);
	ck_assert(r.p.is_fault);
	ck_assert_uint_eq(r.p.culprit, 1);
	r.seen[0].is_up = false;
	effective(&r);
	ck_assert_uint_eq(r.p.culprit, 0);
	/* faults are the owner's as well */
	r.f.instance.priority = 255;
	effective(&r);
	ck_assert(r.p.is_fault);
}
END_TEST

START_TEST(test_files)
{
	static const struct {
		int32_t weight;
		uint32_t reverse;
		int32_t value, adds;
		bool is_fault;
	} cases[] = {
		{1, 0, 0, 0, false},
		{1, 0, 7, 7, false},
		{1, 0, -7, -7, false},
		{-1, 0, 30, -30, false},
		{3, 1, 10, -30, false},
		{1, 0, -253, -253, false},
		{1, 0, -254, -254, true},
		{1, 0, INT32_MIN, -254, true},
		{254, 0, INT32_MAX, 254, false},
		{254, 1, INT32_MIN, 254, false},
		{254, 0, -1, -254, true},
		{0, 0, 0, 0, false},
		{0, 0, 1, 0, true},
		{0, 1, 0, 0, true},
		{0, 1, 1, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig r;
		int32_t expected = 100 + cases[i].adds;

		rig_init(&r);
		track(&r, 0, cases[i].weight, cases[i].reverse, cases[i].value == 0);
		r.tracks[0].kind = CONF_TRACK_FILE;
		r.seen[0].value = cases[i].value;
		ck_assert_int_eq(vrrp_priority_weight(&r.tracks[0], r.seen[0]), cases[i].adds);
		ck_assert_int_eq((int32_t)effective(&r), expected < 1 ? 1 : expected > 254 ? 254 : expected);
		ck_assert_int_eq(r.p.is_fault, cases[i].is_fault);
	}
}
END_TEST

START_TEST(test_groups)
{
	struct rig r;

	rig_init(&r);
	track(&r, 0, -30, 0, false);
	r.f.instance.group = 0;
	r.tracks[1] = (struct conf_track){.weight = -10};
	r.tracks[2] = (struct conf_track){.weight = 0};
	r.group.tracks = (struct conf_range){1, 2};
	r.seen[2].is_up = true;
	/* weights are for groups that ask for them */
	ck_assert_uint_eq(effective(&r), 100);
	ck_assert(!r.p.is_fault);
	r.group.track_weights = 1;
	ck_assert_uint_eq(effective(&r), 60);
	r.seen[2].is_up = false;
	effective(&r);
	ck_assert(r.p.is_fault);
	ck_assert_uint_eq(r.p.culprit, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_priority");
	TCase *tcase = tcase_create("vrrp_priority");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_weights);
	tcase_add_test(tcase, test_sum_and_bounds);
	tcase_add_test(tcase, test_faults);
	tcase_add_test(tcase, test_files);
	tcase_add_test(tcase, test_groups);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
