/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SNMP keywords: what is served, receivers of notifications, and that their secrets go where only snmp looks. */
#include "conf_fixture.h"
#include "mono.h"
#include "roles.h"
#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char *secret(const struct conf *c, conf_index_t i)
{
	ck_assert_uint_lt(i, c->n_trap_secrets);
	return (const char *)c->trap_secrets[i].bytes; /* shorter than its room */
}

START_TEST(test_keepalived_mib_follows_the_keywords)
{
	static const struct {
		const char *text;
		int vrrp, checker, keepalived;
	} cases[] = {
		{"", 0, 0, 0},
		{"enable_snmp_vrrp", 1, 0, 1},
		{"enable_snmp_checker", 0, 1, 1},
		{"enable_snmp_rfc", 0, 0, 0},
		{"enable_snmp_poise", 0, 0, 0},
		{"enable_snmp_vrrp\n snmp_keepalived_mib off", 1, 0, 0},
		{"snmp_keepalived_mib no\n enable_snmp_checker", 0, 1, 0},
		{"snmp_keepalived_mib", 1, 1, 1},
		{"snmp_keepalived_mib on\n enable_snmp_vrrp", 1, 0, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[200];
		struct conf *c;

		snprintf(text, sizeof(text), "global_defs {\n %s\n}\n", cases[i].text);
		c = fixture_load(text, 0);
		ck_assert_int_eq(c->global->snmp_vrrp, cases[i].vrrp);
		ck_assert_int_eq(c->global->snmp_checker, cases[i].checker);
		ck_assert_int_eq(c->global->snmp_keepalived, cases[i].keepalived);
		conf_close(c);
	}
}
END_TEST

START_TEST(test_receivers)
{
	struct conf *c = fixture_load("global_defs {\n snmp_trap_to 192.0.2.9\n"
				      " snmp_trap_to 2001:db8::9 1162 {\n  community s3cret\n  inform\n  timeout 0.5\n"
				      "  retries 3\n }\n"
				      " snmp_trap_to 192.0.2.10 {\n  user bob\n  auth SHA-256 authentic1\n"
				      "  priv AES privately1\n }\n"
				      " snmp_engine_id 0x80001f8804706f\n snmp_trap_rate 50\n}\n",
		0);
	const struct conf_trap_target *t = c->trap_targets;

	ck_assert_uint_eq(c->n_trap_targets, 3);
	ck_assert_uint_eq(t[0].port, 162);
	ck_assert(!t[0].inform && !t[0].user && t[0].community == CONF_NONE);
	ck_assert_int_eq(t[0].timeout_us, 2 * US_PER_S);
	ck_assert_uint_eq(t[0].retries, 9);
	ck_assert_uint_eq(t[1].addr.family, AF_INET6);
	ck_assert_uint_eq(t[1].port, 1162);
	ck_assert_str_eq(secret(c, t[1].community), "s3cret");
	ck_assert(t[1].inform);
	ck_assert_int_eq(t[1].timeout_us, US_PER_S / 2);
	ck_assert_uint_eq(t[1].retries, 3);
	ck_assert_str_eq(conf_string(c, t[2].user), "bob");
	ck_assert_uint_eq(t[2].auth, CONF_USM_SHA256);
	ck_assert(t[2].priv);
	ck_assert_str_eq(secret(c, t[2].auth_secret), "authentic1");
	ck_assert_str_eq(secret(c, t[2].priv_secret), "privately1");
	ck_assert_str_eq(conf_string(c, c->global->snmp_engine_id), "80001f8804706f");
	ck_assert_uint_eq(c->global->snmp_trap_rate, 50);
	conf_close(c);
}
END_TEST

START_TEST(test_only_snmp_sees_the_secrets)
{
	struct conf *c = fixture_load("global_defs {\n snmp_trap_to 192.0.2.9 {\n user bob\n auth SHA authentic1\n }\n"
				      " snmp_trap_to 192.0.2.8 {\n community s3cret\n }\n}\n",
		0);

	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		struct conf *cut = conf_open(conf_cut(c, 1, role_conf_tables(role)));
		bool sees = role == ROLE_SNMP || role == ROLE_PARENT;

		ck_assert_ptr_nonnull(cut);
		ck_assert_int_eq(memmem(cut->map, cut->size, "authentic1", 10) != NULL, sees);
		ck_assert_int_eq(memmem(cut->map, cut->size, "s3cret", 6) != NULL, sees);
		ck_assert_uint_eq(cut->n_trap_targets, 2);
		conf_close(cut);
	}
	conf_close(c);
}
END_TEST

START_TEST(test_what_cannot_work_is_refused)
{
	static const char *const wrong[] = {
		"snmp_trap_to example.org",
		"snmp_trap_to 192.0.2.9 99999",
		"snmp_trap_to 192.0.2.9 {\n auth SHA authentic1\n }",
		"snmp_trap_to 192.0.2.9 {\n user bob\n priv AES privately1\n }",
		"snmp_trap_to 192.0.2.9 {\n user bob\n auth SHA short\n }",
		"snmp_trap_to 192.0.2.9 {\n user bob\n auth ROT13 authentic1\n }",
		"snmp_trap_to 192.0.2.9 {\n user bob\n auth SHA authentic1\n priv DES privately1\n }",
		"snmp_trap_to 192.0.2.9 {\n community\n }",
		"snmp_trap_to 192.0.2.8 {\n user bob\n auth SHA authentic2\n }\n"
		" snmp_trap_to 192.0.2.9 {\n user bob\n auth SHA authentic1\n }",
		"snmp_engine_id 0x80001f88",
		"snmp_engine_id 0x00001f880401",
		"snmp_engine_id 0x80001f880401x",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char text[300], *findings;

		snprintf(text, sizeof(text), "global_defs {\n %s\n}\n", wrong[i]);
		findings = fixture_findings(text, CONF_DIALECT_KEEPALIVED);
		ck_assert_msg(strstr(findings, "error") != NULL, "no error: %s", wrong[i]);
		/* A message about a secret does not show it. */
		ck_assert_ptr_null(strstr(findings, "authentic1"));
		ck_assert_ptr_null(strstr(findings, "privately1"));
		free(findings);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_snmp");
	TCase *t = tcase_create("fields");
	SRunner *runner;
	int failed;

	tcase_add_test(t, test_keepalived_mib_follows_the_keywords);
	tcase_add_test(t, test_receivers);
	tcase_add_test(t, test_only_snmp_sees_the_secrets);
	tcase_add_test(t, test_what_cannot_work_is_refused);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
