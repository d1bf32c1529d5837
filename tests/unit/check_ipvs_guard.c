/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guard rails and folded groups as data: joined ranges (a property over random lists), what a change touches, what
 * names a service; where services stand; kernel settings that contradict a configuration. */
#include "conf_fixture.h"
#include "ipvs_contradict.h"
#include "ipvs_desired.h"
#include "ipvs_guard.h"
#include "sysctls.h"
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD(more)                                                                                                     \
	"global_defs {\n " more "\n}\nvrrp_instance A {\n interface lo\n virtual_router_id 1\n priority 100\n"         \
	" virtual_ipaddress {\n  10.0.0.1\n }\n}\n"
#define SERVICE(port, more)                                                                                            \
	"virtual_server 10.0.0.1 " port " {\n protocol TCP\n lb_kind NAT\n lb_algo rr\n " more                         \
	"\n real_server 10.1.0.1 80 {\n }\n}\n"

/* ---- ranges ---- */

/* 10.0.0.n of small numbers, so that they overlap and touch; 255.255.255.n for the end of all addresses. */
static struct addr small_address(bool top, unsigned n)
{
	uint8_t bytes[4] = {10, 0, 0, (uint8_t)n};

	if (top)
		memset(bytes, 255, 3);
	return addr_from_bytes(AF_INET, bytes);
}

static void mark_range(bool covered[2][256], const struct guard_range *r)
{
	for (unsigned n = r->first.bytes[3]; n <= r->last.bytes[3]; n++)
		covered[r->first.bytes[0] == 255][n] = true;
}

START_TEST(test_joined_ranges_cover_the_same)
{
	srand(7);
	for (int round = 0; round < 2000; round++) {
		bool before[2][256] = {{false}}, after[2][256] = {{false}};
		struct guard_range ranges[12];
		struct guard_list list = {.ranges = ranges};

		for (unsigned n = (unsigned)rand() % 12; list.n < n; list.n++) {
			bool top = rand() % 4 == 0;
			unsigned first = (unsigned)rand() % 256, more = (unsigned)rand() % 20;

			ranges[list.n].first = small_address(top, first);
			ranges[list.n].last = small_address(top, first + more > 255 ? 255 : first + more);
			mark_range(before, &ranges[list.n]);
		}
		guard_list_normalise(&list);
		for (uint32_t i = 0; i < list.n; i++) {
			mark_range(after, &ranges[i]);
			/* sorted, with a gap between any two */
			if (i && ranges[i].first.bytes[0] == ranges[i - 1].first.bytes[0])
				ck_assert_int_gt(ranges[i].first.bytes[3], ranges[i - 1].last.bytes[3] + 1);
		}
		ck_assert_mem_eq(before, after, sizeof(before));
	}
}
END_TEST

static void count_range(void *arg, const struct guard_range *range)
{
	(void)range;
	++*(int *)arg;
}

/* ---- tables ---- */

struct seen {
	int added, removed, lists, replaced;
};

static void see(void *arg, const struct guard *old, const struct guard *new)
{
	struct seen *seen = arg;

	if (!old)
		seen->added++;
	else if (!new)
		seen->removed++;
	else if (old->shape == new->shape)
		seen->lists++;
	else
		seen->replaced++;
}

static struct seen differ(const char *from, const char *to)
{
	struct conf *a = fixture_load(from, -1), *b = fixture_load(to, -1);
	struct guard_table old, new;
	struct seen seen = {0};

	ck_assert_int_eq(guard_table_build(&old, a), 0);
	ck_assert_int_eq(guard_table_build(&new, b), 0);
	guard_table_compare(&old, &new, see, &seen);
	guard_table_clear(&old);
	guard_table_clear(&new);
	conf_close(a);
	conf_close(b);
	return seen;
}

#define DENY(addresses) "deny_clients {\n " addresses "\n }\n"

START_TEST(test_what_a_change_touches)
{
	static const char one[] = HEAD("") SERVICE("80", DENY("192.0.2.1") "client_rate_limit 5");
	struct seen seen = differ(one, one);

	ck_assert(!seen.added && !seen.removed && !seen.lists && !seen.replaced);
	seen = differ(one, HEAD("") SERVICE("80", DENY("192.0.2.1 192.0.2.9") "client_rate_limit 5"));
	ck_assert(seen.lists == 1 && !seen.replaced && !seen.added && !seen.removed);
	seen = differ(one, HEAD("") SERVICE("80", DENY("192.0.2.1") "client_rate_limit 6"));
	ck_assert(seen.replaced == 1 && !seen.lists);
	seen = differ(one,
		HEAD("") SERVICE("81", "service_rate_limit 5") SERVICE("80", DENY("192.0.2.1") "client_rate_limit 5"));
	ck_assert(seen.added == 1 && !seen.replaced && !seen.lists && !seen.removed);
	seen = differ(one, HEAD("") SERVICE("80", ""));
	ck_assert(seen.removed == 1 && !seen.added);
	/* A service without any is none of nftables' business. */
	seen = differ(HEAD("") SERVICE("80", ""), HEAD("") SERVICE("81", ""));
	ck_assert(!seen.added && !seen.removed);
	/* An allow list that becomes empty is another shape: it lets all in. */
	seen = differ(HEAD("") SERVICE("80", "allow_clients {\n 192.0.2.1\n }\n" DENY("192.0.2.7")),
		HEAD("") SERVICE("80", DENY("192.0.2.7")));
	ck_assert(seen.replaced == 1);
}
END_TEST

START_TEST(test_a_guard_of_a_service)
{
	struct conf *c =
		fixture_load(HEAD("") SERVICE("80", DENY("192.0.2.9 192.0.2.1-8") "client_rate_limit 5 burst 9"), -1);
	struct guard_table t;
	int only = 0;

	ck_assert_int_eq(guard_table_build(&t, c), 0);
	ck_assert_uint_eq(t.n, 1);
	ck_assert(t.has_rails && !t.has_folds);
	ck_assert_str_eq(t.guards[0].name, "s_10_0_0_1_80_tcp");
	ck_assert_ptr_eq(guard_table_find(&t, "s_10_0_0_1_80_tcp"), t.guards);
	ck_assert_ptr_null(guard_table_find(&t, "s_10_0_0_1_81_tcp"));
	ck_assert_uint_eq(t.guards[0].n_keys, 1);
	ck_assert_uint_eq(t.guards[0].keys[0].port, 80);
	ck_assert_uint_eq(t.guards[0].keys[0].protocol, IPPROTO_TCP);
	ck_assert_uint_eq(t.guards[0].deny.n, 1);
	ck_assert(!t.guards[0].has_allow);
	ck_assert_uint_eq(t.guards[0].client_burst, 9);
	guard_list_only(&t.guards[0].deny, &t.guards[0].deny, count_range, &only);
	ck_assert_int_eq(only, 0);
	guard_list_only(&t.guards[0].deny, NULL, count_range, &only);
	ck_assert_int_eq(only, 1);
	guard_table_clear(&t);
	conf_close(c);
}
END_TEST

static int take_key(void *arg, const struct ipvs_key *key)
{
	struct ipvs_key **at = arg;

	*(*at)++ = *key;
	return 0;
}

#define GROUP                                                                                                          \
	"virtual_server_group pool {\n 10.0.0.0/8 80\n 10.9.9.9\n 2001:db8::/64 80\n fwmark 9\n}\n"                    \
	"virtual_server group pool {\n protocol TCP\n lb_kind TUN\n lb_algo rr\n %s real_server 10.1.0.1 80 {\n "      \
	"}\n}\n"

/* Sixteen million addresses are one service for each family, and the group's own mark is another. */
START_TEST(test_a_folded_group)
{
	struct ipvs_key keys[8], *end = keys;
	struct guard_table t;
	char text[1024], *findings;
	struct conf *c;

	snprintf(text, sizeof(text), HEAD("nftables_ipvs") GROUP, "service_rate_limit 5\n");
	c = fixture_load(text, -1);
	ck_assert_ptr_null(ipvs_desired_check(c, &(conf_index_t){0}));
	ck_assert_int_eq(ipvs_desired_each_key(c, 0, take_key, &end), 0);
	ck_assert_int_eq(end - keys, 3);
	ck_assert_uint_eq(keys[0].fwmark, c->services[0].fwmark);
	ck_assert_uint_eq(keys[0].family, AF_INET);
	ck_assert_uint_eq(keys[1].fwmark, keys[0].fwmark);
	ck_assert_uint_eq(keys[1].family, AF_INET6);
	ck_assert_uint_eq(keys[2].fwmark, 9);
	ck_assert_int_eq(guard_table_build(&t, c), 0);
	ck_assert(t.has_folds && t.has_rails);
	ck_assert_uint_eq(t.guards[0].n_folds, 3);
	ck_assert_uint_eq(t.guards[0].n_keys, 3); /* both marks, the folded one for either family */
	ck_assert_uint_eq(t.guards[0].mark, keys[0].fwmark);
	guard_table_clear(&t);
	conf_close(c);
	/* Without nftables_ipvs such a group is refused. */
	snprintf(text, sizeof(text), HEAD("") GROUP, "");
	findings = fixture_findings(text, CONF_DIALECT_KEEPALIVED);
	ck_assert_ptr_nonnull(strstr(findings, "at most 65536 addresses"));
	free(findings);
}
END_TEST

#define NAMED(group, list)                                                                                             \
	"virtual_server_group " group " {\n 10.2.0.1 80\n}\nvirtual_server group " group                               \
	" {\n protocol TCP\n lb_kind NAT\n"                                                                            \
	" lb_algo rr\n " list " real_server 10.1.0.1 80 {\n }\n}\n"
#define LONG_NAME "a_name_that_is_longer_than_seventy_characters_because_somebody_had_much_to_say_"

/* Groups whose names nftables cannot tell apart have rails of their own all the same. */
START_TEST(test_names_of_groups_stay_apart)
{
	struct conf *c = fixture_load(HEAD("") NAMED("a-b", DENY("192.0.2.1")) NAMED("a_b", DENY("192.0.2.2"))
					      NAMED("a.b", DENY("192.0.2.3")) NAMED(LONG_NAME "1", DENY("192.0.2.4"))
						      NAMED(LONG_NAME "2", DENY("192.0.2.5")),
		-1);
	struct guard_table t;

	ck_assert_int_eq(guard_table_build(&t, c), 0);
	ck_assert_uint_eq(t.n, 5);
	for (uint32_t i = 0; i < t.n; i++) {
		ck_assert_uint_lt(strlen(t.guards[i].name), GUARD_NAME - 1);
		ck_assert_ptr_eq(guard_table_find(&t, t.guards[i].name), &t.guards[i]);
		for (uint32_t k = 0; k < i; k++)
			ck_assert_str_ne(t.guards[i].name, t.guards[k].name);
	}
	ck_assert_ptr_nonnull(guard_table_find(&t, "s_group_a_b_tcp"));
	guard_table_clear(&t);
	conf_close(c);
}
END_TEST

/* The kernel has a service of a mark for each family, and each may have rails. */
START_TEST(test_marks_of_two_families)
{
	struct conf *c = fixture_load(
		HEAD("") "virtual_server fwmark 5 {\n lb_kind DR\n lb_algo rr\n" DENY(
			"192.0.2.1") " real_server 10.1.0.1 80 {\n }\n}\nvirtual_server fwmark 5 {\n ip_family "
				     "inet6\n lb_kind DR\n lb_algo rr\n" DENY(
					     "2001:db8::1") " real_server 2001:db8:1::1 80 {\n }\n}\n",
		-1);
	struct guard_table t;
	struct ipvs_key keys[2], *end = keys;

	for (conf_index_t i = 0; i < 2; i++)
		ck_assert_int_eq(ipvs_desired_each_key(c, i, take_key, &end), 0);
	ck_assert_int_eq(guard_table_build(&t, c), 0);
	ck_assert_uint_eq(t.n, 2);
	for (uint32_t i = 0; i < t.n; i++) {
		ck_assert_uint_eq(t.guards[i].n_keys, 1);
		ck_assert_uint_eq(t.guards[i].keys[0].mark, 5);
		ck_assert_uint_eq(t.guards[i].keys[0].dest.first.family, keys[t.guards[i].service].family);
	}
	ck_assert_uint_ne(keys[0].family, keys[1].family);
	guard_table_clear(&t);
	conf_close(c);
}
END_TEST

/* What a group has twice, or in pieces, is one range: nftables refuses overlapping ones. */
START_TEST(test_folded_ranges_are_joined)
{
	struct conf *c =
		fixture_load(HEAD("nftables_ipvs") "virtual_server_group pool {\n 10.9.9.9 80\n 10.0.0.0/8 80\n "
						   "11.0.0.0/9 80\n 10.9.9.9 81\n 11.128.0.0-255 80\n}\n"
						   "virtual_server group pool {\n protocol TCP\n lb_kind TUN\n "
						   "lb_algo rr\n real_server 10.1.0.1 80 {\n }\n}\n",
			-1);
	struct guard_table t;
	char text[ADDR_TEXT];

	ck_assert_int_eq(guard_table_build(&t, c), 0);
	ck_assert_uint_eq(t.guards[0].n_folds, 2);
	ck_assert_str_eq(addr_format(&t.guards[0].folds[0].dest.first, text), "10.0.0.0");
	ck_assert_str_eq(addr_format(&t.guards[0].folds[0].dest.last, text), "11.128.0.255");
	ck_assert_uint_eq(t.guards[0].folds[1].port, 81);
	guard_table_clear(&t);
	conf_close(c);
}
END_TEST

/* ---- placement ---- */

START_TEST(test_where_services_stand)
{
	struct conf *c = fixture_load(
		HEAD("") SERVICE("80", "master_only A") SERVICE("81", "backup_only A") SERVICE("82", ""), -1);
	const uint32_t states[] = {VRRP_INIT, VRRP_BACKUP, VRRP_MASTER, VRRP_FAULT};
	struct ipvs_weight weights[3] = {
		{.listed = true, .weight = 1}, {.listed = true, .weight = 1}, {.listed = true, .weight = 1}};
	struct ipvs_image image = {0};
	bool absent[3] = {true, false, false};

	for (unsigned i = 0; i < 4; i++) {
		ck_assert_int_eq(ipvs_desired_is_placed(&c->services[0], states[i]), states[i] == VRRP_MASTER);
		ck_assert_int_eq(ipvs_desired_is_placed(&c->services[1], states[i]), states[i] != VRRP_MASTER);
		ck_assert(ipvs_desired_is_placed(&c->services[2], states[i]));
	}
	ck_assert_int_eq(ipvs_desired_build(c, weights, absent, NULL, 0, &image), 0);
	ck_assert_uint_eq(image.n_services, 2);
	ck_assert_uint_eq(image.services[0].key.port, 81);
	ipvs_image_clear(&image);
	conf_close(c);
}
END_TEST

/* ---- kernel settings ---- */

static const char *contradiction(const char *text, uint32_t number, int64_t value)
{
	static char why[WHY_SIZE];
	struct conf *c = fixture_load(text, -1);

	ipvs_contradict(c, number, value, why);
	conf_close(c);
	return why;
}

START_TEST(test_contradictions)
{
	static const char nat[] = HEAD("") SERVICE("80", "client_connection_limit 9");

	ck_assert_ptr_nonnull(strstr(contradiction(nat, SYSCTL_IP_FORWARD, 0), "ip_forward 1"));
	ck_assert_str_eq(contradiction(nat, SYSCTL_IP_FORWARD, 1), "");
	ck_assert_str_eq(contradiction(nat, SYSCTL_IP6_FORWARD, 0), "");
	ck_assert_ptr_nonnull(strstr(contradiction(nat, SYSCTL_CONNTRACK, 0), "conntrack 1"));
	ck_assert_str_eq(contradiction(HEAD("") SERVICE("80", "client_rate_limit 9"), SYSCTL_CONNTRACK, 0), "");
	ck_assert_str_eq(contradiction(HEAD(""), SYSCTL_IP_FORWARD, 0), "");
}
END_TEST

START_TEST(test_settings_that_are_wanted)
{
	struct conf *c = fixture_load(
		HEAD("lvs_sync_daemon eth0\n connection_sync full\n lvs_sysctl {\n sync_ports 4\n }") SERVICE("80", ""),
		-1);
	int64_t value;

	ck_assert(ipvs_setting_wanted(c, SYSCTL_SYNC_PORTS, &value)); /* the operator's word counts */
	ck_assert_int_eq(value, 4);
	ck_assert(ipvs_setting_wanted(c, SYSCTL_SYNC_THRESHOLD, &value));
	ck_assert_int_eq(value, 0);
	ck_assert(!ipvs_setting_wanted(c, SYSCTL_CONNTRACK, &value));
	conf_close(c);
	c = fixture_load(HEAD("") SERVICE("80", ""), -1);
	ck_assert(!ipvs_setting_wanted(c, SYSCTL_SYNC_THRESHOLD, &value));
	conf_close(c);
}
END_TEST

START_TEST(test_values_as_text)
{
	char text[SYSCTLS_TEXT];
	int64_t value;

	for (int i = 0; i < SYSCTLS; i++)
		ck_assert_int_eq(sysctls_find(sysctls_known[i].name), i);
	ck_assert_int_eq(sysctls_find("rmem_max"), -1);
	ck_assert(sysctls_parse(SYSCTL_SYNC_THRESHOLD, "3\t50\n", &value));
	ck_assert_str_eq(sysctls_format(SYSCTL_SYNC_THRESHOLD, value, text), "3 50");
	ck_assert(!sysctls_parse(SYSCTL_SYNC_THRESHOLD, "3", &value));
	ck_assert(!sysctls_parse(SYSCTL_CONNTRACK, "2", &value));
	ck_assert(!sysctls_parse(SYSCTL_CONNTRACK, "1 1", &value));
	ck_assert(!sysctls_parse(SYSCTL_CONNTRACK, "99999999999999999999", &value));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_guard");
	TCase *tc = tcase_create("guard");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_joined_ranges_cover_the_same);
	tcase_add_test(tc, test_what_a_change_touches);
	tcase_add_test(tc, test_a_guard_of_a_service);
	tcase_add_test(tc, test_a_folded_group);
	tcase_add_test(tc, test_names_of_groups_stay_apart);
	tcase_add_test(tc, test_marks_of_two_families);
	tcase_add_test(tc, test_folded_ranges_are_joined);
	tcase_add_test(tc, test_where_services_stand);
	tcase_add_test(tc, test_contradictions);
	tcase_add_test(tc, test_settings_that_are_wanted);
	tcase_add_test(tc, test_values_as_text);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
