/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What poisectl shows: documents in, text out. Every line fits the screen, colours only where they are wanted, and what
 * is wrong is there to be seen. */
#include "../../ctl/view.h"
#include "quoted_json.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW_US (1760000000LL * 1000000)

static const struct screen plain = {.width = 80, .height = 24};
static const struct screen utf8 = {.has_utf8 = true, .width = 80, .height = 24};
static const struct screen colour = {.is_terminal = true, .has_colour = true, .has_utf8 = true, .width = 80};
static const struct screen narrow = {.width = 40, .height = 24};

static const char *const document =
	"{'node':'lb1','version':'0.1.0','generation':3,'started':'2025-10-09T05:40:00.000Z',"
	"'configuration':{'file':'/etc/poise/poise.conf','loaded':'2025-10-09T08:53:08.000Z'},"
	"'kernel':{'ipvs':true},"
	"'problems':[{'object':'fwmark 5','text':'quorum lost: weight 0 of 1 is up'}],'problems_total':3,"
	"'vrrp':[{'name':'web','state':'MASTER','interface':'eth0','vrid':51,'priority':150,'effective_priority':130,"
	"'since':'2025-10-09T05:41:20.000Z','why':'no advertisement from 192.0.2.3 for 3609 ms and many more words',"
	"'addresses':['192.0.2.100','192.0.2.101'],'excluded_addresses':['10.0.0.254'],'addresses_held':3,"
	"'group':'both','master':'192.0.2.2','master_priority':130,"
	"'tracks':[{'kind':'script','name':'chk','up':false,'why':'exit status 1'}]},"
	"{'name':'an-instance-with-a-very-long-name','state':'FAULT','interface':'eth1','vrid':52,'priority':100,"
	"'effective_priority':100,'since':null,'why':'eth1 is down','addresses':[],'excluded_addresses':[]}],"
	"'groups':[{'name':'both','state':'MASTER','why':'web: x','members':['web'],'tracks':[]}],"
	"'services':[{'name':'192.0.2.100:80/"
	"tcp','address':'192.0.2.100','port':80,'protocol':'tcp','scheduler':'wlc','forwarding':'nat','quorum':true,'"
	"servers_up':1,"
	"'programmed':true,'servers':["
	"{'address':'10.1.0.2','port':80,'weight':1,'effective_weight':1,'health':'up','admin':'normal','active':"
	"1234567,"
	"'inactive':40,'since':'2025-10-09T08:53:08.000Z','why':'connected in 0.3 ms'},"
	"{'address':'10.1.0.3','port':80,'weight':1,'effective_weight':0,'health':'down','admin':'normal','active':0,"
	"'inactive':0,'since':'2025-10-09T08:51:10.000Z','why':'connection refused','checks':[{'kind':'HTTP_GET',"
	"'health':'down','why':'status 503, wanted 200-299 (HTTP_GET /)','reason':'status','runs':40,'failed_runs':3,"
	"'failures_in_a_row':3,'history':'xxx.....','interval_ms':2000,'duration_us':25300,'connect_us':400,"
	"'handshake_us':12000,'first_byte_us':25000,'certificate_days':20,'late':true,'shared':true}]},"
	"{'address':'10.1.0.4','port':80,'weight':1,'effective_weight':0,'health':'down','admin':'drain','active':3,"
	"'inactive':0,'drained':false,'since':'2025-10-09T08:53:10.000Z','why':'drained by root (pid 812)',"
	"'admin_why':'drained by root (pid 812)','health_why':'no route'}],"
	"'sorry_servers':[{'address':'10.1.0.9','port':80,'weight':1,'effective_weight':0,'health':'up','admin':'"
	"normal'}]},"
	"{'name':'fwmark 5','scheduler':'rr','forwarding':'dr','quorum':false,'servers_up':0,'programmed':true,"
	"'why':'weight 0 of 1 is up','servers':[{'address':'2001:db8::2','port':443,'weight':1,'effective_weight':0,"
	"'health':'unknown','admin':'maint','why':'m\\u001b[31m'}],'sorry_servers':[]}]}";

static char *status_on(const struct screen *screen)
{
	struct json_object *object = quoted_json(document);
	struct text t;

	text_begin(&t, screen);
	view_status(&t, object, false, NOW_US);
	json_object_put(object);
	ck_assert_ptr_nonnull(t.bytes);
	return t.bytes;
}

/* The widest line in columns, and no blank at the end of any. */
static int widest(const char *text)
{
	int most = 0, width = 0;

	for (const char *c = text; *c; c++) {
		if (*c == '\n') {
			ck_assert_msg(c == text || c[-1] != ' ', "a blank at the end of a line in:\n%s", text);
			width = 0;
		} else if (((unsigned char)*c & 0xc0) != 0x80 && ++width > most) {
			most = width;
		}
	}
	return most;
}

static void assert_shows(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
}

START_TEST(test_status)
{
	char *text = status_on(&plain);

	assert_shows(text, "lb1  poise 0.1.0 - up 3 h 13 m\n");
	assert_shows(text, "! fwmark 5: quorum lost: weight 0 of 1 is up\n  and 2 more\n");
	assert_shows(text, "130/150 3 h 12 m");
	assert_shows(text, "192.0.2.100 192.0.2.101, not advertised: 10.0.0.254\n");
	assert_shows(text, "  + web");
	assert_shows(text, "1 of 3 up - wlc nat");
	assert_shows(text, "  1 1 234 567       40  12 s\n");
	assert_shows(text, "down        0/1        0         0  2 m 10 s\n      connection refused\n");
	assert_shows(text, "drained by root (pid 812); down: no route\n");
	assert_shows(text, "10.1.0.9:80        sorry");
	assert_shows(text, "quorum lost, 0 of 1 up");
	assert_shows(text, "[2001:db8::2]:443");
	/* What is as usual needs no cause. */
	ck_assert_ptr_null(strstr(text, "connected in"));
	free(text);
}
END_TEST

START_TEST(test_it_fits)
{
	char *text = status_on(&plain);

	ck_assert_int_le(widest(text), 80);
	free(text);
	text = status_on(&utf8);
	ck_assert_int_le(widest(text), 80);
	assert_shows(text, "●");
	free(text);
}
END_TEST

START_TEST(test_the_other_node)
{
	struct json_object *object =
		quoted_json("{'node':'lb1','pair':{'state':'up','node':'lb2','since':"
			    "'2026-11-19T15:00:00.000Z','coverage_percent':99,'coverage_of':2000,"
			    "'configuration_differences':9,'differences':[{'object':'vrrp_instance web',"
			    "'what':'not the same'}]},'connection_sync':{'running':'sending'}}");
	struct json_object *silent =
		quoted_json("{'node':'lb1','pair':{'state':'silent','why':'the other node is not heard'}}");
	struct text t;

	text_begin(&t, &plain);
	view_pair(&t, object, NOW_US);
	assert_shows(t.bytes, "lb2  up for");
	assert_shows(t.bytes, "- 99 % of its 2000 connections are held here\n");
	assert_shows(t.bytes, "\n    our table of connections is being sent\n");
	assert_shows(t.bytes, "    not the same  vrrp_instance web\n    and 8 more\n");
	text_free(&t);
	text_begin(&t, &plain);
	view_pair(&t, silent, NOW_US);
	assert_shows(t.bytes, "the other node  silent for : the other node is not heard\n");
	text_free(&t);
	json_object_put(object);
	json_object_put(silent);
}
END_TEST

START_TEST(test_colours)
{
	char *text = status_on(&utf8);

	/* Neither our own nor what a stranger put into a reason. */
	ck_assert_ptr_null(strchr(text, '\033'));
	assert_shows(text, "m?[31m");
	free(text);
	text = status_on(&colour);
	assert_shows(text, "\033[32m");
	assert_shows(text, "\033[1;31m");
	ck_assert_ptr_null(strstr(text, "m\033[31m"));
	free(text);
}
END_TEST

START_TEST(test_nothing_configured)
{
	struct json_object *object = quoted_json("{'node':'x','vrrp':[],'services':[]}");
	struct text t;

	text_begin(&t, &plain);
	view_status(&t, object, false, NOW_US);
	assert_shows(t.bytes, "neither a virtual router nor a service");
	text_free(&t);
	json_object_put(object);
}
END_TEST

/* Whatever the daemon of another version leaves out. */
START_TEST(test_missing_members_are_no_harm)
{
	static const char *const documents[] = {"{}", "[]", "7", "{'vrrp':{}}", "{'vrrp':[null,7,{}]}",
		"{'services':[{'servers':[{},[]]}]}", "{'problems':['x']}"};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct json_object *object = quoted_json(documents[i]);
		struct text t;

		text_begin(&t, &plain);
		view_status(&t, object, false, NOW_US);
		view_why(&t, object, object, "web", NOW_US);
		text_free(&t);
		json_object_put(object);
	}
}
END_TEST

START_TEST(test_why)
{
	struct json_object *status = quoted_json(document);
	struct json_object *events = quoted_json(
		"{'events':["
		"{'time':'2025-10-09T05:41:20.000Z','kind':'instance','object':'web',"
		"'from':'BACKUP','to':'MASTER','why':'alone'},"
		"{'time':'2025-10-09T05:41:21.000Z','kind':'server','object':'192.0.2.100:80/tcp 10.1.0.3:80',"
		"'from':'up','to':'down','why':'refused'}]}");
	struct text t;

	text_begin(&t, &plain);
	ck_assert_int_eq(view_why(&t, status, events, "web", NOW_US), 1);
	assert_shows(t.bytes, "web is MASTER\n");
	assert_shows(t.bytes, "130 at the moment, 150 as configured");
	assert_shows(t.bytes, "script chk is down: exit status 1");
	assert_shows(t.bytes, "BACKUP -> MASTER  alone");
	ck_assert_ptr_null(strstr(t.bytes, "refused"));
	text_free(&t);
	ck_assert_int_eq(view_why(&t, status, events, "both", NOW_US), 1);
	text_free(&t);
	ck_assert_int_eq(view_why(&t, status, events, "10.1.0.3", NOW_US), 1);
	assert_shows(t.bytes, "10.1.0.3:80 of 192.0.2.100:80/tcp is down\n");
	assert_shows(t.bytes, "up -> down  refused");
	assert_shows(t.bytes, "HTTP_GET     down: status 503, wanted 200-299 (HTTP_GET /)");
	assert_shows(t.bytes, "status (run once for several servers), connected after 0.4 ms,");
	assert_shows(t.bytes, "xxx....., 3 of 40 runs failed, every 2.0 s: LATE");
	assert_shows(t.bytes, "the certificate ends in 20 days");
	text_free(&t);
	ck_assert_int_eq(view_why(&t, status, events, "192.0.2.100:80", NOW_US), 1);
	assert_shows(t.bytes, "192.0.2.100:80/tcp has quorum\n");
	text_free(&t);
	ck_assert_int_eq(view_why(&t, status, events, "nothing", NOW_US), 0);
	text_free(&t);
	json_object_put(status);
	json_object_put(events);
}
END_TEST

static void show_progress(struct text *t, struct drain_view *d, int64_t active, bool is_drained, const struct screen *s)
{
	struct json_object *result = json_object_new_object(), *servers = json_object_new_array(),
			   *server = json_object_new_object();

	json_object_object_add(server, "active", json_object_new_int64(active));
	json_object_object_add(server, "inactive", json_object_new_int64(0));
	json_object_object_add(server, "drained", json_object_new_boolean(is_drained));
	json_object_array_add(servers, server);
	json_object_object_add(result, "servers", servers);
	view_drain_read(d, result);
	json_object_put(result);
	text_begin(t, s);
	view_drain_progress(t, d, NOW_US);
}

static int cells(const struct text *t)
{
	int n = 0;

	for (const char *c = t->bytes; *c; c++)
		n += *c == '#';
	return n;
}

START_TEST(test_drain_bar)
{
	struct drain_view d = {.server = "10.1.0.2:80", .elapsed_us = 62000000};
	struct text t;

	show_progress(&t, &d, 48, false, &plain);
	ck_assert_int_eq(cells(&t), 0);
	assert_shows(t.bytes, "draining 10.1.0.2:80 ");
	assert_shows(t.bytes, "48 active, 0 inactive 1:02");
	ck_assert_int_le(widest(t.bytes), 80);
	text_free(&t);
	show_progress(&t, &d, 24, false, &plain);
	ck_assert_int_eq(cells(&t), 8);
	text_free(&t);
	/* Nothing is left in the counters, but ipvs has not said so yet: not full. */
	show_progress(&t, &d, 0, false, &plain);
	ck_assert_int_eq(cells(&t), 15);
	text_free(&t);
	show_progress(&t, &d, 0, true, &plain);
	ck_assert_int_eq(cells(&t), 16);
	text_free(&t);
	show_progress(&t, &d, 100000, false, &narrow);
	ck_assert_ptr_null(strstr(t.bytes, "10.1.0.2"));
	text_free(&t);
}
END_TEST

START_TEST(test_drain_says_how_fast_and_until_when)
{
	struct drain_view d = {.server = "10.1.0.2:80", .active = 100, .most = 100, .elapsed_us = 1000000};
	struct text t;

	view_drain_sample(&d);
	d.active = 80;
	d.elapsed_us = 5000000;
	view_drain_sample(&d);
	d.until_us = NOW_US + 190LL * 1000000;
	snprintf(d.then, sizeof(d.then), "reset");
	text_begin(&t, &plain);
	view_drain_progress(&t, &d, NOW_US);
	assert_shows(t.bytes, "80 active, 0 inactive 0:05, 5.0/s, ~0:16 left, reset in 3:10");
	ck_assert_int_le(widest(t.bytes), 80);
	text_free(&t);
}
END_TEST

START_TEST(test_durations)
{
	char buf[TEXT_DURATION];

	ck_assert_str_eq(text_duration(-5, buf), "0 s");
	ck_assert_str_eq(text_duration(59999999, buf), "59 s");
	ck_assert_str_eq(text_duration(60000000, buf), "1 m 0 s");
	ck_assert_str_eq(text_duration(3600LL * 1000000, buf), "1 h 0 m");
	ck_assert_str_eq(text_duration(86399LL * 1000000, buf), "23 h 59 m");
	ck_assert_str_eq(text_duration(86400LL * 1000000 * 400, buf), "400 d 0 h");
}
END_TEST

START_TEST(test_no_terminal_is_given_commands)
{
	struct text t;

	text_begin(&t, &utf8);
	text_add(&t, "\033[31m \177 \302\23331m \302\205 \302\240 \303\244");
	ck_assert_str_eq(t.bytes, "?[31m ? ?31m ? \302\240 \303\244");
	ck_assert_int_eq(t.column, text_width("?[31m ? ?31m ? \302\240 \303\244"));
	text_free(&t);
}
END_TEST

START_TEST(test_wrap)
{
	struct text t;

	text_begin(&t, &narrow);
	text_add(&t, "head: ");
	text_wrap(&t, 4, STYLE_PLAIN, "one two three four five six seven eight nine ten");
	ck_assert_str_eq(t.bytes, "head: one two three four five six seven\n    eight nine ten");
	text_free(&t);
}
END_TEST

START_TEST(test_time)
{
	struct json_object *o = quoted_json("{'a':'2000-02-28T23:59:59.999Z','b':'soon','c':null}");

	ck_assert_int_eq(json_time_us(o, "a"), 951782399999000);
	ck_assert_int_eq(json_time_us(o, "b"), 0);
	ck_assert_int_eq(json_time_us(o, "c"), 0);
	json_object_put(o);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_view");
	TCase *tc = tcase_create("view");
	SRunner *runner = srunner_create(suite);
	int failed;

	setenv("TZ", "UTC", 1);
	tcase_add_test(tc, test_status);
	tcase_add_test(tc, test_it_fits);
	tcase_add_test(tc, test_the_other_node);
	tcase_add_test(tc, test_colours);
	tcase_add_test(tc, test_nothing_configured);
	tcase_add_test(tc, test_missing_members_are_no_harm);
	tcase_add_test(tc, test_why);
	tcase_add_test(tc, test_drain_bar);
	tcase_add_test(tc, test_drain_says_how_fast_and_until_when);
	tcase_add_test(tc, test_durations);
	tcase_add_test(tc, test_no_terminal_is_given_commands);
	tcase_add_test(tc, test_wrap);
	tcase_add_test(tc, test_time);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
