/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses: parsing what is right, refusing what is not, order, round trips. */
#include "addr.h"
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_parse_and_format_round_trip)
{
	static const char *const texts[] = {
		"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1", "fe80::1", "2001:db8::100", "1:2:3:4:5:6:7:8"};
	char buf[ADDR_TEXT];
	struct addr a;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_int_eq(addr_parse(texts[i], &a), 0);
		ck_assert_str_eq(addr_format(&a, buf), texts[i]);
	}
}
END_TEST

START_TEST(test_parse_refuses)
{
	static const char *const texts[] = {
		"", "10.1.2", "10.1.2.256", "10.1.2.3 ", "host", "10.1.2.3/24", ":::", "1::2::3", "12345::"};
	struct addr a = {.family = 77};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(addr_parse(texts[i], &a) < 0, "%s was taken", texts[i]);
	ck_assert_int_eq(a.family, 77);
}
END_TEST

START_TEST(test_prefix)
{
	struct addr a;
	uint8_t prefix;

	ck_assert_int_eq(addr_parse_prefix("10.0.0.1/24", &a, &prefix), 0);
	ck_assert_int_eq(prefix, 24);
	ck_assert_int_eq(addr_parse_prefix("10.0.0.1", &a, &prefix), 0);
	ck_assert_int_eq(prefix, 32);
	ck_assert_int_eq(addr_parse_prefix("fe80::1/64", &a, &prefix), 0);
	ck_assert_int_eq(prefix, 64);
	ck_assert_int_eq(addr_parse_prefix("fe80::1", &a, &prefix), 0);
	ck_assert_int_eq(prefix, 128);
	ck_assert_int_lt(addr_parse_prefix("10.0.0.1/33", &a, &prefix), 0);
	ck_assert_int_lt(addr_parse_prefix("10.0.0.1/", &a, &prefix), 0);
	ck_assert_int_lt(addr_parse_prefix("10.0.0.1/-1", &a, &prefix), 0);
	ck_assert_int_lt(addr_parse_prefix("10.0.0.1/4294967320", &a, &prefix), 0);
}
END_TEST

START_TEST(test_port)
{
	struct addr a;
	uint16_t port;
	char buf[ADDR_TEXT];

	ck_assert_int_eq(addr_parse_port("10.0.0.1:80", &a, &port), 0);
	ck_assert_int_eq(port, 80);
	ck_assert_str_eq(addr_format_port(&a, port, buf), "10.0.0.1:80");
	ck_assert_int_eq(addr_parse_port("[fe80::1]:65535", &a, &port), 0);
	ck_assert_int_eq(port, 65535);
	ck_assert_str_eq(addr_format_port(&a, port, buf), "[fe80::1]:65535");
	ck_assert_int_eq(addr_parse_port("fe80::1", &a, &port), 0);
	ck_assert_int_eq(port, 0);
	ck_assert_int_eq(addr_parse_port("[fe80::1]", &a, &port), 0);
	ck_assert_int_lt(addr_parse_port("10.0.0.1:65536", &a, &port), 0);
	ck_assert_int_lt(addr_parse_port("10.0.0.1:", &a, &port), 0);
	ck_assert_int_lt(addr_parse_port("[fe80::1", &a, &port), 0);
	ck_assert_int_lt(addr_parse_port("web:80", &a, &port), 0);
}
END_TEST

START_TEST(test_order_is_unsigned_and_by_network_order)
{
	struct addr low, high, six;

	addr_parse("10.0.0.127", &low);
	addr_parse("10.0.0.128", &high);
	addr_parse("::1", &six);
	ck_assert_int_lt(addr_compare(&low, &high), 0);
	ck_assert_int_gt(addr_compare(&high, &low), 0);
	ck_assert_int_eq(addr_compare(&low, &low), 0);
	ck_assert_int_lt(addr_compare(&high, &six), 0);
	addr_parse("200.0.0.1", &high);
	addr_parse("100.255.255.255", &low);
	ck_assert_int_lt(addr_compare(&low, &high), 0);
}
END_TEST

START_TEST(test_the_next_one)
{
	static const char *const pairs[][2] = {{"10.0.0.9", "10.0.0.10"}, {"10.0.255.255", "10.1.0.0"},
		{"2001:db8::ffff", "2001:db8::1:0"}, {"255.255.255.255", "0.0.0.0"}};
	struct addr at, next;

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		addr_parse(pairs[i][0], &at);
		addr_parse(pairs[i][1], &next);
		addr_next(&at);
		ck_assert(addr_equal(&at, &next));
	}
}
END_TEST

START_TEST(test_sockaddr_round_trip)
{
	struct sockaddr_storage ss;
	struct addr a, b;
	uint16_t port;

	addr_parse("fe80::1", &a);
	ck_assert_uint_gt(addr_to_sockaddr(&a, 80, 7, &ss), 0);
	ck_assert_int_eq(addr_from_sockaddr((struct sockaddr *)&ss, &b, &port), 0);
	ck_assert(addr_equal(&a, &b));
	ck_assert_int_eq(port, 80);
	ck_assert_int_eq((int)((struct sockaddr_in6 *)&ss)->sin6_scope_id, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("addr");
	TCase *tcase = tcase_create("addr");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_parse_and_format_round_trip);
	tcase_add_test(tcase, test_parse_refuses);
	tcase_add_test(tcase, test_prefix);
	tcase_add_test(tcase, test_port);
	tcase_add_test(tcase, test_order_is_unsigned_and_by_network_order);
	tcase_add_test(tcase, test_the_next_one);
	tcase_add_test(tcase, test_sockaddr_round_trip);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
