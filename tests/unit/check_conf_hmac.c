/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auth_hmac: the forms of a key, defaults, the way back through --dump, and everything that must be refused. */
#include "conf_fixture.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEAD "vrrp_instance A {\n interface e\n virtual_router_id 1\n version 3\n virtual_ipaddress { 10.0.0.1 }\n"

static struct conf *load(const char *block, const char *more, int warnings)
{
	char text[2048];

	snprintf(text, sizeof(text), HEAD "%s auth_hmac {\n%s }\n}\n", more, block);
	return fixture_load(text, warnings);
}

static void expect(const char *block, const char *more, const char *expected)
{
	char text[2048];

	snprintf(text, sizeof(text), HEAD "%s auth_hmac {\n%s }\n}\n", more, block);
	fixture_expect(text, CONF_DIALECT_KEEPALIVED, expected);
}

START_TEST(test_forms_of_a_key)
{
	struct conf *c = load(" key 1 hex:" HEX "\n key 2 \"a text of thirty-two bytes......\"\n"
			      " key 3 \"hex:" HEX " F\"\n active_key 2\n",
		"", 0);
	const struct conf_instance *i = &c->instances[0];
	const struct conf_hmac_key *keys = c->hmac_keys + i->hmac_keys.first;

	ck_assert_uint_eq(i->auth, CONF_AUTH_HMAC);
	ck_assert_uint_eq(i->hmac_keys.count, 3);
	ck_assert_uint_eq(i->hmac_active, 2);
	for (uint8_t b = 0; b < 32; b++) {
		ck_assert_uint_eq(keys[0].bytes[b], b);
		ck_assert_uint_eq(keys[2].bytes[b], b);
	}
	ck_assert_uint_eq(keys[0].length, 32);
	ck_assert_uint_eq(keys[1].length, 32);
	ck_assert_mem_eq(keys[1].bytes, "a text of thirty-two bytes......", 32);
	/* an odd last digit is a byte */
	ck_assert_uint_eq(keys[2].length, 33);
	ck_assert_uint_eq(keys[2].bytes[32], 15);
	ck_assert_uint_eq(i->hmac_mode, CONF_HMAC_ENFORCE);
	ck_assert_uint_eq(i->hmac_replay, CONF_HMAC_TIME);
	ck_assert_uint_eq(i->hmac_window_s, 5);
	conf_close(c);
}
END_TEST

START_TEST(test_window_follows_the_interval)
{
	static const struct {
		const char *more;
		uint32_t window;
	} cases[] = {{"advert_int 0.01\n", 5}, {"advert_int 2.9\n", 6}, {"advert_int 40\n", 120},
		{"version 2\n advert_int 200\n", 300}};

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct conf *c = load(" key 1 hex:" HEX "\n active_key 1\n", cases[k].more, k == 3 ? 1 : 0);

		ck_assert_uint_eq(c->instances[0].hmac_window_s, cases[k].window);
		conf_close(c);
	}
}
END_TEST

START_TEST(test_it_takes_the_place_of_authentication)
{
	struct conf *c = load(" key 1 hex:" HEX "\n active_key 1\n mode permissive\n anti_replay monotonic\n",
		" authentication {\n auth_type PASS\n auth_pass x\n }\n strict_mode on\n", 2);

	ck_assert_uint_eq(c->instances[0].auth, CONF_AUTH_HMAC);
	ck_assert_uint_eq(c->instances[0].secret, CONF_NONE);
	ck_assert_uint_eq(c->n_secrets, 0);
	/* strict mode demands signatures */
	ck_assert_uint_eq(c->instances[0].hmac_mode, CONF_HMAC_ENFORCE);
	ck_assert_uint_eq(c->instances[0].hmac_replay, CONF_HMAC_MONOTONIC);
	conf_close(c);
}
END_TEST

/* What cannot sign is never an instance that goes on unsigned; no message shows a key. */
START_TEST(test_what_is_refused)
{
	const char *key = " key 1 hex:" HEX "\n";

	expect("", "", "6:2: error: auth_hmac needs active_key ID: the key that advertisements are signed with\n");
	expect(key, "", "6:2: error: auth_hmac needs active_key ID: the key that advertisements are signed with\n");
	expect(" key 1 hex:" HEX "\n active_key 2\n", "",
		"6:2: error: active_key 2 names no usable key: nothing could be signed, so the file is refused\n");
	expect(" key 1 tooshort\n active_key 1\n", "",
		"6:2: error: active_key 1 names no usable key: nothing could be signed, so the file is refused\n"
		"7:8: error: key 1 has too few bytes; it needs 32 to 64\n");
	expect(" key 1 hex:" HEX HEX "ff\n key 2 hex:" HEX "\n active_key 2\n", "",
		"7:8: error: key 1 has too many bytes; it needs 32 to 64\n");
	expect(" key 1 hex:" HEX "g\n key 2 hex:" HEX "\n active_key 2\n", "",
		"7:8: error: key 1: behind hex: only hexadecimal digits may stand\n");
	expect(" key 1 hex:" HEX "\n key 1 hex:" HEX "\n active_key 1\n", "", "8:6: error: key 1 is given twice\n");
	expect(" key 1 hex:" HEX "\n active_key 1\n mode enforced\n", "",
		"9:7: error: mode must be one of enforce, permissive, receive-only, not \"enforced\"\n");
	expect(" key 1 hex:" HEX "\n active_key 1\n time_window 0\n", "",
		"9:14: error: time_window must be a number of seconds from 1 to 300, not \"0\"\n");
	expect(" key 0 hex:" HEX "\n key 1 hex:" HEX "\n active_key 1\n", "",
		"7:6: error: write key ID VALUE: a number from 1 to 255, then hex:DIGITS, file:PATH or the key\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_hmac");
	TCase *t = tcase_create("conf_hmac");
	SRunner *runner;
	int failed;

	tcase_add_test(t, test_forms_of_a_key);
	tcase_add_test(t, test_window_follows_the_interval);
	tcase_add_test(t, test_it_takes_the_place_of_authentication);
	tcase_add_test(t, test_what_is_refused);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
