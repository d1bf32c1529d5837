/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures for machines and for `top`: OpenMetrics text that a strict reader takes, rates from two documents, and the
 * words of a plan. */
#include "../../ctl/view.h"
#include "../../ctl/view_top.h"
#include "quoted_json.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct screen wide = {.width = 1 << 20};
static const struct screen plain = {.width = 80, .height = 24};

#define DOCUMENT                                                                                                       \
	"{'node':'lb\\\"1','version':'0.1.0','generation':3,'started':'2025-10-09T05:40:00.250Z','problems_total':1,"  \
	"'configuration':{'reloads':4,'last_reload_ok':true},'kernel':{'ipvs':true,'drift':0},"                        \
	"'pair':{'state':'up','coverage_percent':99,'peer_coverage_percent':null},"                                    \
	"'connection_sync':{'ready':true,'connections_sent':77},"                                                      \
	"'roles':[{'name':'vrrp','state':'running','restarts':2},{'name':'snmp','state':'absent','restarts':0}],"      \
	"'vrrp':[{'name':'web','state':'MASTER','interface':'eth0','vrid':51,'family':'ipv4','priority':150,"          \
	"'adverts_sent':12,'dropped':{'ttl':3,'checksum':1},'tracks':[{'kind':'script','name':'c\\\\k','up':false}]}]" \
	","                                                                                                            \
	"'services':[{'name':'192.0.2.1:80/tcp','address':'192.0.2.1','port':80,'protocol':'tcp','quorum':true,"       \
	"'connections':%d,'servers':["                                                                                 \
	"{'address':'10.1.0.2','port':80,'health':'up','admin':'normal','active':7,'inactive':1,'connections':%d,"     \
	"'bytes_in':%d,'checks':[{'kind':'TCP_CHECK','runs':9,'failed_runs':1,'duration_us':1500}]},"                  \
	"{'address':'10.1.0.3','port':80,'health':'up','admin':'drain','active':2,'connections':5,'checks':[]}]}]}"

static struct json_object *document(int connections, int bytes)
{
	char text[2048];

	snprintf(text, sizeof(text), DOCUMENT, connections, connections, bytes);
	return quoted_json(text);
}

static void assert_has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return;
	ck_abort_msg("no line '%s' in:\n%s", line, text);
}

START_TEST(test_metrics_say_what_the_document_says)
{
	struct json_object *status = document(100, 2000);
	struct text t;

	text_begin(&t, &wide);
	view_metrics(&t, status);
	assert_has_line(t.bytes, "poise_build_info{version=\"0.1.0\",node=\"lb\\\"1\"} 1");
	assert_has_line(t.bytes, "poise_start_time_seconds 1759988400.250000");
	assert_has_line(t.bytes, "poise_config_reloads_total 4");
	assert_has_line(t.bytes, "poise_pair_up 1");
	assert_has_line(t.bytes, "poise_pair_coverage_percent 99");
	ck_assert_ptr_null(strstr(t.bytes, "\npoise_pair_peer_coverage_percent "));
	assert_has_line(t.bytes, "poise_sync_connections_sent_total 77");
	assert_has_line(t.bytes, "poise_role_running{role=\"vrrp\"} 1");
	assert_has_line(t.bytes, "poise_role_running{role=\"snmp\"} 0");
	assert_has_line(t.bytes, "poise_vrrp_state{instance_name=\"web\",vrid=\"51\",family=\"ipv4\","
				 "interface=\"eth0\",state=\"master\"} 1");
	assert_has_line(t.bytes, "poise_vrrp_state{instance_name=\"web\",vrid=\"51\",family=\"ipv4\","
				 "interface=\"eth0\",state=\"fault\"} 0");
	assert_has_line(t.bytes, "poise_vrrp_errors_total{instance_name=\"web\",vrid=\"51\",family=\"ipv4\","
				 "interface=\"eth0\",reason=\"ttl\"} 3");
	assert_has_line(t.bytes, "poise_track_up{instance_name=\"web\",kind=\"script\",name=\"c\\\\k\"} 0");
	assert_has_line(t.bytes, "poise_service_up{service=\"192.0.2.1:80/tcp\",vip=\"192.0.2.1\",port=\"80\","
				 "proto=\"tcp\"} 1");
	assert_has_line(t.bytes, "poise_server_admin{service=\"192.0.2.1:80/tcp\",server=\"10.1.0.3:80\","
				 "state=\"drain\"} 1");
	assert_has_line(t.bytes, "poise_check_last_duration_seconds{service=\"192.0.2.1:80/tcp\","
				 "server=\"10.1.0.2:80\",check=\"1\",kind=\"TCP_CHECK\"} 0.001500");
	text_free(&t);
	json_object_put(status);
}
END_TEST

START_TEST(test_metrics_of_64_bits)
{
	struct json_object *status = quoted_json(
		"{'services':[{'name':'a','connections':4611686018427387905,'bytes_out':9007199254740993,"
		"'servers':[{'address':'10.1.0.2','port':80,'connections':4611686018427387907,'bytes_in':5000000001,"
		"'checks':[]}]}]}");
	struct text t;

	text_begin(&t, &wide);
	view_metrics(&t, status);
	ck_assert_ptr_nonnull(strstr(t.bytes, "} 4611686018427387905\n"));
	ck_assert_ptr_nonnull(strstr(t.bytes, "} 9007199254740993\n"));
	ck_assert_ptr_nonnull(strstr(t.bytes, "} 4611686018427387907\n"));
	ck_assert_ptr_nonnull(strstr(t.bytes, "} 5000000001\n"));
	text_free(&t);
	json_object_put(status);
}
END_TEST

/* The rules that the reference parser insists on. */
START_TEST(test_metrics_are_openmetrics)
{
	struct json_object *status = document(100, 2000);
	char family[80] = "", type[16] = "", *line, *rest;
	bool ended = false;
	struct text t;

	text_begin(&t, &wide);
	view_metrics(&t, status);
	ck_assert_int_eq(t.bytes[t.length - 1], '\n');
	rest = t.bytes;
	while ((line = strsep(&rest, "\n")) && (*line || rest)) {
		size_t length = strlen(family);

		ck_assert_msg(!ended, "after the end: %s", line);
		ck_assert_msg(*line != '\0' && line[strlen(line) - 1] != ' ', "blank: '%s'", line);
		if (strcmp(line, "# EOF") == 0) {
			ended = true;
		} else if (sscanf(line, "# TYPE %79s %15s", family, type) == 2) {
			ck_assert_msg(!strstr(family, "_total"), "%s", line);
		} else if (*line == '#') {
			ck_assert_msg(
				strncmp(line, "# HELP ", 7) == 0 && strncmp(line + 7, family, length) == 0, "%s", line);
		} else {
			const char *suffix = strcmp(type, "counter") == 0 ? "_total"
					     : strcmp(type, "info") == 0  ? "_info"
									  : "";

			ck_assert_msg(strncmp(line, family, length) == 0 &&
					      strncmp(line + length, suffix, strlen(suffix)) == 0 &&
					      strchr("{ ", line[length + strlen(suffix)]),
				"%s is not of family %s", line, family);
		}
	}
	ck_assert(ended);
	text_free(&t);
	json_object_put(status);
}
END_TEST

START_TEST(test_top_counts_per_second)
{
	struct json_object *before = document(100, 1000), *now = document(150, 5000);
	struct top_rows rows = top_rows_make(now, before, 2000000, TOP_BY_NAME);

	ck_assert_uint_eq(rows.count, 3);
	ck_assert(rows.list[0].is_service);
	ck_assert_str_eq(rows.list[0].name, "192.0.2.1:80/tcp");
	ck_assert_double_eq(rows.list[0].connections_s, 25);
	ck_assert_int_eq(rows.list[0].active, 9);
	ck_assert_str_eq(rows.list[1].name, "10.1.0.2:80");
	ck_assert_double_eq(rows.list[1].bytes_in_s, 2000);
	ck_assert_str_eq(rows.list[2].state, "drain");
	top_rows_free(&rows);
	/* Nothing to compare with, or counters that were begun anew: no rate, not a wild one. */
	rows = top_rows_make(before, now, 2000000, TOP_BY_NAME);
	ck_assert_double_eq(rows.list[1].connections_s, 0);
	top_rows_free(&rows);
	rows = top_rows_make(now, NULL, 0, TOP_BY_ACTIVE);
	ck_assert_double_eq(rows.list[0].connections_s, 0);
	ck_assert_str_eq(rows.list[1].name, "10.1.0.2:80");
	top_rows_free(&rows);
	json_object_put(before);
	json_object_put(now);
}
END_TEST

START_TEST(test_top_numbers)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {{0, "0"}, {0.25, "0.2"}, {9.96, "10"}, {950, "950"}, {999.6, "1.0k"}, {12345, "12k"},
		{4000000, "4.0M"}, {1.2e9, "1.2G"}, {-3, "0"}};
	char buf[TOP_NUMBER];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(top_number(cases[i].value, buf), cases[i].text);
}
END_TEST

START_TEST(test_plan_in_words)
{
	struct json_object *plan = quoted_json(
		"{'verdict':'cuts','operations':3,'connections_cut':12,'state_changes':1,'steps_total':5,'steps':["
		"{'kind':'remove','object':'server 10.1.0.2:80 of 192.0.2.1:80/tcp','detail':'removed at once: drain "
		"it "
		"first, or give the service a drain_timeout','connections':12,'cuts':true},"
		"{'kind':'change','object':'instance web','detail':'priority 150 -> 90','changes_state':true}]}");
	struct json_object *nothing = quoted_json("{'verdict':'nothing','steps':[],'steps_total':0}");
	struct text t;

	text_begin(&t, &plain);
	view_plan(&t, plan);
	assert_has_line(t.bytes, "      cuts 12 connections");
	assert_has_line(t.bytes, "  ~ instance web: priority 150 -> 90");
	assert_has_line(t.bytes, "  and 3 more");
	assert_has_line(t.bytes, "3 kernel operations, 1 instance may change state, 12 connections are cut");
	text_free(&t);
	view_plan(&t, nothing);
	ck_assert_str_eq(t.bytes, "nothing would change\n");
	text_free(&t);
	json_object_put(plan);
	json_object_put(nothing);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_figures");
	TCase *tc = tcase_create("figures");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_metrics_say_what_the_document_says);
	tcase_add_test(tc, test_metrics_of_64_bits);
	tcase_add_test(tc, test_metrics_are_openmetrics);
	tcase_add_test(tc, test_top_counts_per_second);
	tcase_add_test(tc, test_top_numbers);
	tcase_add_test(tc, test_plan_in_words);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
