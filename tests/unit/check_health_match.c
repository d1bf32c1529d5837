/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which check of a new generation is which of the old one. */
#include "check_match.h"
#include "health_fixture.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct check_origin origins[16];
static conf_index_t servers[16];

static void match(const struct check_text *next, unsigned n, const struct check_text *old, unsigned m)
{
	struct conf *a = fixture_conf(2, next, n), *b = fixture_conf(1, old, m);

	ck_assert_int_eq(check_match(a, b, origins, servers), 0);
	conf_close(a);
	conf_close(b);
}

static const struct check_text base = {.kind = CONF_CHECK_HTTP,
	.port = 80,
	.path = "/a",
	.path2 = "/b",
	.digest = "5d41402abc4b2a76b9719d911017c592",
	.regex = "x",
	.virtualhost = "www",
	.status = {200, 204}};

START_TEST(the_same_is_the_same)
{
	const struct check_text tcp = {.kind = CONF_CHECK_TCP, .port = 81};
	struct check_text now[2] = {base, tcp}, was[2] = {tcp, base};

	now[1].server = 1;
	was[1].server = 1;
	match(now, 2, was, 2);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_SAME);
	ck_assert_uint_eq(origins[0].check, 1);
	ck_assert_int_eq(origins[1].kind, CHECK_IS_SAME);
	ck_assert_uint_eq(origins[1].check, 0);
	ck_assert_uint_eq(servers[0], 1);
	ck_assert_uint_eq(servers[1], 0);
}
END_TEST

/* Every parameter that a run depends on makes another check of it, but one of the same kin. */
START_TEST(each_parameter_counts)
{
	struct check_text changed[14];

	for (int i = 0; i < 14; i++)
		changed[i] = base;
	changed[0].path = "/c";
	changed[1].path2 = "/c";
	changed[2].path2 = NULL;
	changed[3].digest = "00000000000000000000000000000000";
	changed[4].regex = "y";
	changed[5].virtualhost = "www2";
	changed[6].status.high = 205;
	changed[7].interval_ms = 201;
	changed[8].timeout_ms = 501;
	changed[9].retry = 1;
	changed[10].rise = 2;
	changed[11].bind = "127.0.0.2";
	changed[12].version = CONF_HTTP_1_1;
	changed[13].status = (struct conf_status_range){0, 0};
	for (int i = 0; i < 14; i++) {
		match(&changed[i], 1, &base, 1);
		ck_assert_msg(origins[0].kind == CHECK_IS_AKIN, "change %d was not seen", i);
		ck_assert_uint_eq(origins[0].check, 0);
	}
	match(&base, 1, &base, 1);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_SAME);
}
END_TEST

START_TEST(another_kind_is_new_but_its_server_is_old)
{
	struct check_text tcp = {.kind = CONF_CHECK_TCP, .port = 80};

	match(&tcp, 1, &base, 1);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_NEW);
	ck_assert_uint_eq(origins[0].check, CONF_NONE);
	ck_assert_uint_eq(origins[0].server, 0);
}
END_TEST

START_TEST(another_server_is_new)
{
	struct check_text other = base;

	other.port = 81;
	match(&other, 1, &base, 1);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_NEW);
	ck_assert_uint_eq(origins[0].server, CONF_NONE);
}
END_TEST

/* Two equal checks of one server stay two; a third one is new. The exact match goes before the merely akin one. */
START_TEST(no_check_is_the_origin_of_two)
{
	struct check_text slow = base;

	slow.interval_ms = 900;
	match((struct check_text[]){slow, base, base}, 3, (struct check_text[]){base, base}, 2);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_NEW);
	ck_assert_uint_eq(origins[0].server, 0);
	ck_assert_int_eq(origins[1].kind, CHECK_IS_SAME);
	ck_assert_int_eq(origins[2].kind, CHECK_IS_SAME);
	ck_assert_uint_ne(origins[1].check, origins[2].check);
	match((struct check_text[]){slow, base}, 2, (struct check_text[]){base, base}, 2);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_AKIN);
	ck_assert_int_eq(origins[1].kind, CHECK_IS_SAME);
	ck_assert_uint_ne(origins[0].check, origins[1].check);
}
END_TEST

START_TEST(the_first_generation_is_all_new)
{
	struct conf *conf = fixture_conf(1, &base, 1);

	ck_assert_int_eq(check_match(conf, NULL, origins, servers), 0);
	ck_assert_int_eq(origins[0].kind, CHECK_IS_NEW);
	ck_assert_uint_eq(origins[0].server, CONF_NONE);
	conf_close(conf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_match");
	TCase *tc = tcase_create("match");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, the_same_is_the_same);
	tcase_add_test(tc, each_parameter_counts);
	tcase_add_test(tc, another_kind_is_new_but_its_server_is_old);
	tcase_add_test(tc, another_server_is_new);
	tcase_add_test(tc, no_check_is_the_origin_of_two);
	tcase_add_test(tc, the_first_generation_is_all_new);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
