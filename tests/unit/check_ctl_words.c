/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people type: times, and names of things. */
#include "../../ctl/find.h"
#include "../../ctl/view.h"
#include "../../ctl/when.h"
#include "quoted_json.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S 1000000LL
/* 2025-10-09 08:53:20 UTC */
#define NOW_US (1760000000LL * S)

START_TEST(test_durations)
{
	static const struct {
		const char *text;
		int64_t us;
	} cases[] = {{"30", 30 * S}, {"30s", 30 * S}, {"5m", 300 * S}, {"1h", 3600 * S}, {"2d", 2 * 86400 * S},
		{"1h30m", 5400 * S}, {"1m5", 65 * S}, {"365d", 365LL * 86400 * S}, {"366d", -1}, {"0", -1}, {"0s", -1},
		{"", -1}, {"s", -1}, {"-5", -1}, {" 5", -1}, {"5 m", -1}, {"5w", -1}, {"5mm", -1}, {"soon", -1},
		{"99999999999999999999", -1}, {"1h-30m", -1}, {"365d1s", -1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(when_duration(cases[i].text) == cases[i].us, "%s: %lld", cases[i].text,
			(long long)when_duration(cases[i].text));
}
END_TEST

START_TEST(test_how_long_ago)
{
	static const struct {
		const char *text;
		int64_t s;
	} cases[] = {{"5m", 300}, {"08:53", 20}, {"08:53:10", 10}, {"8:53:10", 10}, {"03:10", 20600},
		{"08:54", 86400 - 40}, {"23:59:59", 32001}, {"2025-10-09", 32000}, {"2025-10-08", 32000 + 86400},
		{"2025-10-09 08:50", 200}, {"2025-10-09 08:50:30", 170}, {"2025-10-09T08:50:30", 170},
		{"2025-10-09T08:50:30Z", 170}, {"2025-10-09T08:50:30.250Z", 170}, {"2025-10-10", -1},
		{"2025-10-09 08:54", -1}, {"2025-13-09", -1}, {"25:10", -1}, {"08:53 today", -1}, {"", -1},
		{"yesterday at noon", -1}, {"2025-10-09T08:50:30.250", -1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ago_us = when_ago(cases[i].text, NOW_US);

		ck_assert_msg(
			ago_us == (cases[i].s < 0 ? -1 : cases[i].s * S), "%s: %lld", cases[i].text, (long long)ago_us);
	}
}
END_TEST

/* ---- names ---- */

static const char *const document =
	"{'node':'lb1','vrrp':[{'name':'web'},{'name':'web2'}],'groups':[{'name':'both'}],'services':["
	"{'name':'192.0.2.1:80/tcp','address':'192.0.2.1','port':80,'protocol':'tcp','quorum':true,'programmed':true,"
	"'servers':[{'address':'10.1.0.2','port':80,'name':'blue'},{'address':'10.1.0.3','port':8080}],"
	"'sorry_servers':[{'address':'10.1.0.9','port':80}]},"
	"{'name':'192.0.2.1:80/udp','address':'192.0.2.1','port':80,'protocol':'udp','servers':["
	"{'address':'10.1.0.2','port':80}],'sorry_servers':[]},"
	"{'name':'[2001:db8::1]:443/tcp','address':'2001:db8::1','port':443,'protocol':'tcp','servers':["
	"{'address':'2001:db8::2','port':443}],'sorry_servers':[]},"
	"{'name':'fwmark 5','fwmark':5,'servers':[{'address':'10.1.0.4','port':0}],'sorry_servers':[]},"
	"{'name':'group shop','group':'shop','servers':[{'address':'10.1.0.5','port':80}],'sorry_servers':[]}]}";

static void note(const struct found *found, void *arg)
{
	static const char *const kinds[] = {"N", "I", "G", "V", "R"};
	char *letters = arg;

	strcat(letters, found->is_sorry ? "S" : kinds[found->kind]);
}

START_TEST(test_names)
{
	/* What is found, a letter each: node, instance, group, virtual service, real server, sorry server. */
	static const struct {
		const char *name, *found;
	} cases[] = {{"node", "N"}, {"lb1", "N"}, {"web", "I"}, {"both", "G"}, {"192.0.2.1:80/tcp", "V"},
		{"192.0.2.1:80", "VV"}, {"192.0.2.1", "VV"}, {"192.0.2.1:80/udp", "V"}, {"192.0.2.1:81", ""},
		{"192.0.2.1:80/sctp", ""}, {"[2001:db8::1]:443", "V"}, {"2001:DB8:0:0::1", "V"}, {"2001:db8::2", "R"},
		{"[2001:0db8::2]:443", "R"}, {"fwmark 5", "V"}, {"fwmark:5", "V"}, {"fwmark=5", "V"}, {"fwmark 6", ""},
		{"group shop", "V"}, {"group:shop", "V"}, {"shop", ""}, {"10.1.0.2", "RR"}, {"10.1.0.2:80", "RR"},
		{"10.1.0.2:8080", ""}, {"10.1.0.3", "R"}, {"10.1.0.3:80", ""}, {"blue", "R"}, {"10.1.0.9", "S"},
		{"192.0.2.1:80/10.1.0.2", "RR"}, {"192.0.2.1:80/tcp/10.1.0.2:80", "R"}, {"192.0.2.1/blue", "R"},
		{"fwmark 5/10.1.0.4", "R"}, {"fwmark 5/10.1.0.2", ""}, {"/", ""}, {"10.1.0.", ""}, {"", ""}};
	struct json_object *status = quoted_json(document);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char letters[16] = "";
		int found = find_named(status, cases[i].name, note, letters);

		ck_assert_msg(found == (int)strlen(letters), "%s: %d", cases[i].name, found);
		ck_assert_msg(strcmp(letters, cases[i].found) == 0, "%s: %s", cases[i].name, letters);
	}
	json_object_put(status);
}
END_TEST

START_TEST(test_a_part_of_the_document)
{
	struct json_object *status = quoted_json(document), *part = find_narrow(status, "10.1.0.2"), *service;

	ck_assert_str_eq(json_text(part, "node"), "lb1");
	ck_assert_uint_eq(json_count(part, "vrrp"), 0);
	ck_assert_uint_eq(json_count(part, "services"), 2);
	service = json_element(part, "services", 0);
	ck_assert(json_flag(service, "quorum"));
	ck_assert_uint_eq(json_count(service, "servers"), 1);
	ck_assert_str_eq(json_text(json_element(service, "servers", 0), "name"), "blue");
	ck_assert_uint_eq(json_count(service, "sorry_servers"), 0);
	json_object_put(part);
	part = find_narrow(status, "192.0.2.1:80/tcp");
	ck_assert_uint_eq(json_count(part, "services"), 1);
	ck_assert_uint_eq(json_count(json_element(part, "services", 0), "servers"), 2);
	json_object_put(part);
	part = find_narrow(status, "web");
	ck_assert_uint_eq(json_count(part, "vrrp"), 1);
	ck_assert_uint_eq(json_count(part, "services"), 0);
	json_object_put(part);
	ck_assert_ptr_null(find_narrow(status, "nothing"));
	/* The whole is as it was. */
	ck_assert_uint_eq(json_count(json_element(status, "services", 0), "servers"), 2);
	json_object_put(status);
}
END_TEST

/* ---- a large configuration on a terminal ---- */

static struct json_object *large(unsigned n_services, unsigned n_servers)
{
	struct json_object *status = quoted_json("{'node':'lb1','kernel':{'ipvs':true},'vrrp':[],'services':[]}");

	for (unsigned i = 0; i < n_services; i++) {
		char text[200];
		struct json_object *service;

		snprintf(text, sizeof(text),
			"{'name':'192.0.2.1:%u/tcp','quorum':true,'programmed':true,'scheduler':'rr','forwarding':'dr',"
			"'servers_up':%u,'servers':[]}",
			1000 + i, n_servers);
		service = quoted_json(text);
		for (unsigned k = 0; k < n_servers; k++) {
			snprintf(text, sizeof(text),
				"{'address':'10.1.%u.%u','port':80,'weight':1,'effective_weight':1,'health':'%s',"
				"'admin':'normal','active':3,'inactive':1,'why':'refused'}",
				i / 200, k + 1, i == 1 && k == 2 ? "down" : "up");
			json_object_array_add(json_member(service, "servers"), quoted_json(text));
		}
		json_object_array_add(json_member(status, "services"), service);
	}
	return status;
}

static size_t lines_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static char *status_of(unsigned n_services, unsigned n_servers, bool all)
{
	static const struct screen plain = {.width = 80, .height = 24};
	struct json_object *status = large(n_services, n_servers);
	struct text t;

	text_begin(&t, &plain);
	view_status(&t, status, all, NOW_US);
	json_object_put(status);
	return t.bytes;
}

START_TEST(test_large_is_summed_up)
{
	char *text = status_of(1000, 10, false);

	/* The one service with a server that is down, that server, its cause; all else in two numbers. */
	ck_assert_uint_lt(lines_of(text), 12);
	ck_assert_ptr_nonnull(strstr(text, "  192.0.2.1:1001/tcp"));
	ck_assert_ptr_nonnull(strstr(text, "    - 10.1.0.3:80     down"));
	ck_assert_ptr_nonnull(strstr(text, "      refused\n"));
	ck_assert_ptr_nonnull(strstr(text, "    + 9 more"));
	ck_assert_ptr_nonnull(strstr(text, "  + 999 more services: all 9 990 servers up, 29 970 active, 9 990"));
	ck_assert_ptr_nonnull(strstr(text, "--all"));
	free(text);
	/* A few services with many servers: each has its line. */
	text = status_of(5, 100, false);
	ck_assert_uint_lt(lines_of(text), 20);
	ck_assert_ptr_nonnull(strstr(text, "192.0.2.1:1004/tcp"));
	ck_assert_ptr_nonnull(strstr(text, "    + 100 more"));
	free(text);
	text = status_of(5, 100, true);
	ck_assert_uint_gt(lines_of(text), 500);
	free(text);
	text = status_of(5, 10, false);
	ck_assert_uint_gt(lines_of(text), 50);
	ck_assert_ptr_null(strstr(text, "more"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_words");
	TCase *tc = tcase_create("words");
	SRunner *runner = srunner_create(suite);
	int failed;

	setenv("TZ", "UTC", 1);
	tcase_add_test(tc, test_durations);
	tcase_add_test(tc, test_how_long_ago);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_a_part_of_the_document);
	tcase_add_test(tc, test_large_is_summed_up);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
