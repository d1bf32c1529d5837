/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may change things, which servers words mean, and how a change goes through the parent: the test is the parent. */
#include "../../daemon/control/control_admin.h"
#include "../../daemon/control/control_events.h"
#include "../../daemon/control/control_match.h"
#include "conf_pool.h"
#include "control_site.h"
#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct control_site site;

/* ---- who ---- */

START_TEST(test_access)
{
	const struct access none = {0}, group = {.has_group = true, .group = 50};
	const gid_t in[] = {4, 50}, out[] = {4, 51};

	ck_assert(access_allows(&none, 0, 0, NULL, 0));
	ck_assert(!access_allows(&none, 1000, 50, in, 2));
	/* No group on this machine must not mean group 0. */
	ck_assert(!access_allows(&none, 1000, 0, NULL, 0));
	ck_assert(access_allows(&group, 1000, 50, NULL, 0));
	ck_assert(access_allows(&group, 1000, 100, in, 2));
	ck_assert(!access_allows(&group, 1000, 100, out, 2));
}
END_TEST

START_TEST(test_user_name)
{
	const char *passwd = "root:x:0:0:root:/root:/bin/sh\n# 5:x:7:\nbroken\nalice:x:1000:1000::/:\nbob::1001:7\n";
	char name[ACCESS_NAME_SIZE];

	access_user_name(passwd, 0, name);
	ck_assert_str_eq(name, "root");
	access_user_name(passwd, 1000, name);
	ck_assert_str_eq(name, "alice");
	access_user_name(passwd, 1001, name);
	ck_assert_str_eq(name, "bob");
	access_user_name(passwd, 100, name);
	ck_assert_str_eq(name, "uid 100");
	access_user_name(NULL, 3, name);
	ck_assert_str_eq(name, "uid 3");
}
END_TEST

/* ---- which ---- */

static void assert_match(const char *server, const char *service, size_t n, const conf_index_t *expected)
{
	char error[MATCH_ERROR_SIZE];
	struct match match;

	ck_assert_msg(match_servers(site.conf, server, service, &match, error) == 0, "%s", error);
	ck_assert_uint_eq(match.count, n);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(match.servers[i], expected[i]);
	match_free(&match);
}

#define MATCH(server, service, ...)                                                                                    \
	do {                                                                                                           \
		const conf_index_t expected_[] = {__VA_ARGS__};                                                        \
		assert_match(server, service, sizeof(expected_) / sizeof(expected_[0]), expected_);                    \
	} while (0)

START_TEST(test_match)
{
	MATCH("10.1.0.2", "", SITE_S2, SITE_M2, SITE_G2);
	MATCH("10.1.0.2:80", "", SITE_S2, SITE_M2);
	MATCH("10.1.0.2:80", "192.0.2.100:80", SITE_S2);
	MATCH("10.1.0.2", "192.0.2.100", SITE_S2);
	MATCH("10.1.0.2", "192.0.2.100:80/tcp", SITE_S2);
	MATCH("10.1.0.2", "fwmark 5", SITE_M2);
	MATCH("10.1.0.2", "fwmark:5", SITE_M2);
	MATCH("10.1.0.2", "group pool", SITE_G2);
	MATCH("10.1.0.2", "group pool/udp", SITE_G2);
	MATCH("[2001:db8:1::6]:53", "", SITE_G6);
	MATCH("2001:db8:1:0::6", "", SITE_G6);
	MATCH("resolver", "", SITE_G6);
	MATCH("192.0.2.100:80/10.1.0.2", "", SITE_S2);
	MATCH("192.0.2.100:80/tcp/10.1.0.2:80", "", SITE_S2);
	MATCH("fwmark 5/10.1.0.2", "", SITE_M2);
}
END_TEST

START_TEST(test_match_refuses)
{
	static const struct {
		const char *server, *service, *error;
	} cases[] = {
		{"10.1.0.77", "", "no service has this server"},
		{"10.1.0.2:81", "", "no service has this server"},
		{"10.1.0.9:80", "", "no service has this server"}, /* a sorry server is none of the servers */
		{"10.1.0.2", "192.0.2.100:81", "192.0.2.100:81: no such service"},
		{"10.1.0.2", "192.0.2.100:80/udp", "no such service"},
		{"10.1.0.2", "fwmark 6", "no such service"},
		{"192.0.2.100:81/10.1.0.2", "", "no service has this server"},
		{"10.1.0.3", "fwmark 5", "no such server in service fwmark 5"},
	};
	char error[MATCH_ERROR_SIZE];
	struct match match;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_int_eq(match_servers(site.conf, cases[i].server, cases[i].service, &match, error), -1);
		ck_assert_msg(strstr(error, cases[i].error) != NULL, "%s", error);
		ck_assert_ptr_null(match.servers);
	}
}
END_TEST

/* ---- how ---- */

static struct role_process process;
static struct administration admin;
static struct channel parent;
static struct json_object *answer;
static uint64_t answered_client;
static struct msg_command commands[64];
static size_t n_commands;

static void on_done(void *ctx, uint64_t client, char *text, size_t length)
{
	(void)ctx;
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strlen(text), length);
	ck_assert_msg(answer == NULL, "answered twice");
	answer = json_tokener_parse(text);
	answered_client = client;
	free(text);
}

static void on_command(void *ctx, const struct msg_command *m, int fd)
{
	(void)ctx;
	(void)fd;
	ck_assert_uint_lt(n_commands, 64);
	commands[n_commands++] = *m;
}

static const struct msg_handlers parent_handlers = {.command = on_command};

static void receive(void)
{
	n_commands = 0;
	ck_assert_int_ge(channel_dispatch(&parent, &parent_handlers, NULL, 64), 0);
}

static void reply(const struct msg_command *m, enum msg_status status, const char *text)
{
	struct msg_answer a = {.request = m->request, .status = status};

	snprintf(a.text, sizeof(a.text), "%s", text);
	admin_answer(&admin, &a);
}

static void setup(void)
{
	int fds[2];

	site = control_site_new();
	ck_assert_int_eq(channel_pair(fds), 0);
	parent = (struct channel){.fd = fds[0], .self = ROLE_PARENT, .peer = ROLE_CONTROL};
	process = (struct role_process){.role = ROLE_CONTROL,
		.parent = {.fd = fds[1], .self = ROLE_CONTROL, .peer = ROLE_PARENT},
		.loop = loop_new(),
		.conf = site.conf};
	memcpy(process.boards, site.boards, sizeof(process.boards));
	admin = (struct administration){.process = &process, .conf = site.conf, .done = on_done};
	answer = NULL;
}

static void teardown(void)
{
	json_object_put(answer);
	close(parent.fd);
	close(process.parent.fd);
	loop_free(process.loop);
	control_site_free(&site);
}

static const struct access_peer root = {.uid = 0, .pid = 812, .may_change = true, .name = "root"};

static void begin(enum request_command command, const char *server)
{
	struct request request = {.command = command, .weight = 9};
	char error[MATCH_ERROR_SIZE];

	snprintf(request.server, sizeof(request.server), "%s", server);
	ck_assert_int_eq(admin_start(&admin, &request, &root, 42, error), 0);
	receive();
}

static bool is_ok(void)
{
	struct json_object *ok;

	ck_assert_ptr_nonnull(answer);
	ck_assert(json_object_object_get_ex(answer, "ok", &ok));
	return json_object_get_boolean(ok);
}

START_TEST(test_drain_in_every_service)
{
	begin(REQUEST_DRAIN, "10.1.0.2");
	ck_assert_uint_eq(n_commands, 3);
	ck_assert_uint_eq(commands[0].verb, MSG_VERB_DRAIN);
	ck_assert_uint_eq(commands[0].server, SITE_S2);
	ck_assert_uint_eq(commands[0].service, SITE_HTTP);
	ck_assert_uint_eq(commands[0].generation, 7);
	ck_assert_str_eq(commands[0].text, "drained by root (pid 812)");
	ck_assert_uint_eq(commands[2].server, SITE_G2);
	reply(&commands[2], MSG_STATUS_OK, "");
	reply(&commands[0], MSG_STATUS_OK, "");
	ck_assert_ptr_null(answer);
	reply(&commands[1], MSG_STATUS_OK, "");
	ck_assert(is_ok());
	ck_assert_uint_eq(answered_client, 42);
	ck_assert_uint_eq(admin.n_jobs, 0);
	/* What comes late or twice belongs to nothing. */
	reply(&commands[1], MSG_STATUS_OK, "");
}
END_TEST

START_TEST(test_one_refusal_is_reported)
{
	struct json_object *error;

	begin(REQUEST_WEIGHT, "10.1.0.2:80");
	ck_assert_uint_eq(n_commands, 2);
	ck_assert_int_eq(commands[0].value, 9);
	reply(&commands[0], MSG_STATUS_OK, "");
	reply(&commands[1], MSG_STATUS_REFUSED, "not today");
	ck_assert(!is_ok());
	ck_assert(json_object_object_get_ex(answer, "error", &error));
	ck_assert_str_eq(json_object_get_string(error), "not today");
}
END_TEST

START_TEST(test_stale_is_asked_again_with_new_numbers)
{
	struct control_site next = control_site_new();
	struct msg_command old;

	begin(REQUEST_MAINT, "10.1.0.3");
	ck_assert_uint_eq(n_commands, 1);
	old = commands[0];
	reply(&old, MSG_STATUS_STALE, "");
	receive();
	ck_assert_uint_eq(n_commands, 0);
	next.conf->generation = 8;
	admin_switch(&admin, next.conf);
	receive();
	ck_assert_uint_eq(n_commands, 1);
	ck_assert_uint_eq(commands[0].generation, 8);
	/* An answer to the old question must not pass for one to the new. */
	reply(&old, MSG_STATUS_OK, "");
	ck_assert_ptr_null(answer);
	reply(&commands[0], MSG_STATUS_OK, "");
	ck_assert(is_ok());
	control_site_free(&next);
}
END_TEST

START_TEST(test_switch_without_stale_asks_again_too)
{
	struct control_site next = control_site_new();

	begin(REQUEST_UNDRAIN, "10.1.0.3");
	admin_switch(&admin, next.conf);
	receive();
	ck_assert_uint_eq(n_commands, 1);
	reply(&commands[0], MSG_STATUS_OK, "");
	ck_assert(is_ok());
	control_site_free(&next);
}
END_TEST

static int stop_loop_code;

static void stop_loop(struct timer *timer, void *arg)
{
	(void)timer;
	loop_exit(arg, stop_loop_code);
}

START_TEST(test_busy_is_tried_again)
{
	struct timer end = {.fire = stop_loop, .arg = process.loop};

	begin(REQUEST_DRAIN, "10.1.0.3");
	reply(&commands[0], MSG_STATUS_BUSY, "");
	receive();
	ck_assert_uint_eq(n_commands, 0);
	loop_timer_set(process.loop, &end, mono_add(mono_now(), 200 * US_PER_MS));
	loop_run(process.loop);
	receive();
	ck_assert_uint_eq(n_commands, 1);
	reply(&commands[0], MSG_STATUS_OK, "");
	ck_assert(is_ok());
}
END_TEST

/* What runs, as the table that a file gives. */
static struct conf *same_table(void)
{
	return conf_open(conf_cut(site.conf, site.conf->generation + 1, ~UINT64_C(0)));
}

START_TEST(test_reload)
{
	uint64_t request;

	begin(REQUEST_RELOAD, "");
	ck_assert_uint_eq(n_commands, 1);
	ck_assert_uint_eq(commands[0].verb, MSG_VERB_PLAN);
	ck_assert_uint_eq(commands[0].server, CONF_NONE);
	ck_assert_int_eq(commands[0].value, 0);
	request = commands[0].request;
	/* A plan that cuts nothing is followed by the order, for the table that was read already. */
	admin_candidate(&admin, &(struct msg_candidate){.request = request}, same_table());
	receive();
	ck_assert_uint_eq(n_commands, 1);
	ck_assert_uint_eq(commands[0].verb, MSG_VERB_RELOAD);
	ck_assert_uint_eq(commands[0].request, request);
	/* The new generation is what was asked for, so a reload goes on through it. */
	admin_switch(&admin, site.conf);
	receive();
	ck_assert_uint_eq(n_commands, 0);
	{
		struct msg_command m = {.request = request};

		reply(&m, MSG_STATUS_OK, "generation 8 is in force");
	}
	ck_assert(is_ok());
	ck_assert(json_object_object_get_ex(json_object_object_get(answer, "result"), "plan", NULL));
}
END_TEST

START_TEST(test_reload_refuses_what_cuts)
{
	struct conf_pool_change change = {.service = "192.0.2.100:80/tcp", .port = 80, .is_removed = true};
	struct status_server busy = {.active = 3};
	struct msg_candidate candidate = {.warnings = 2, .first_warning = "poise.conf:3:1: unknown"};
	struct json_object *plan;

	ck_assert_int_eq(addr_parse("10.1.0.2", &change.addr), 0);
	status_store_server(site.boards[ROLE_IPVS], SITE_S2, &busy);
	begin(REQUEST_RELOAD, "");
	candidate.request = commands[0].request;
	admin_candidate(&admin, &candidate, conf_open(conf_pool_apply(site.conf, 8, &change, 1, NULL)));
	receive();
	ck_assert_uint_eq(n_commands, 0);
	ck_assert(!is_ok());
	ck_assert_ptr_nonnull(strstr(json_object_get_string(json_object_object_get(answer, "error")),
		"3 connections would be cut: server 10.1.0.2:80"));
	plan = json_object_object_get(json_object_object_get(answer, "result"), "plan");
	ck_assert_int_eq(json_object_get_int(json_object_object_get(plan, "warnings")), 2);
	ck_assert_str_eq(json_object_get_string(json_object_object_get(plan, "first_warning")), "poise.conf:3:1: unknown");
	/* A table that nobody asked for is dropped. */
	admin_candidate(&admin, &(struct msg_candidate){.request = 77}, same_table());
}
END_TEST

START_TEST(test_server_changes)
{
	struct request request = {.command = REQUEST_SERVER_ADD, .server = "10.1.0.7", .weight = -1};
	char error[MATCH_ERROR_SIZE];

	snprintf(request.service, sizeof(request.service), "192.0.2.100");
	ck_assert_int_eq(admin_start(&admin, &request, &root, 42, error), 0);
	receive();
	ck_assert_uint_eq(n_commands, 1);
	ck_assert_uint_eq(commands[0].verb, MSG_VERB_SERVER_ADD);
	ck_assert_uint_eq(commands[0].service, SITE_HTTP);
	/* The port of its service, unless it has another one. */
	ck_assert_str_eq(commands[0].server_name, "10.1.0.7:80");
	reply(&commands[0], MSG_STATUS_OK, "");
	ck_assert(is_ok());
	snprintf(request.service, sizeof(request.service), "192.0.2.77");
	ck_assert_int_eq(admin_start(&admin, &request, &root, 42, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "no such service"));
	request = (struct request){.command = REQUEST_SERVER_REMOVE, .server = "10.1.0.2"};
	ck_assert_int_eq(admin_start(&admin, &request, &root, 42, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "3 servers are called that"));
	ck_assert_uint_eq(admin.n_jobs, 0);
}
END_TEST

START_TEST(test_unknown_server_begins_nothing)
{
	struct request request = {.command = REQUEST_DRAIN, .server = "10.9.9.9"};
	char error[MATCH_ERROR_SIZE];

	ck_assert_int_eq(admin_start(&admin, &request, &root, 1, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "10.9.9.9"));
	ck_assert_uint_eq(admin.n_jobs, 0);
}
END_TEST

/* ---- events ---- */

static struct json_object *events(const uint64_t *after)
{
	struct json_object *object;
	struct writer w = {0};
	size_t length;
	char *text;

	events_write(&w, NULL, &(struct status_source){.boards = site.boards}, after);
	text = writer_take(&w, &length);
	object = json_tokener_parse(text);
	ck_assert_ptr_nonnull(object);
	free(text);
	return object;
}

static void happen(enum role role, uint32_t kind, uint32_t from, uint32_t to, const char *name)
{
	struct event e = {.kind = kind, .from = from, .to = to};
	int64_t then_us;

	snprintf(e.name, sizeof(e.name), "%s", name);
	board_event(site.boards[role], &e);
	then_us = real_now_us();
	while (real_now_us() == then_us)
		;
}

static const char *text_of(struct json_object *list, size_t i, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(json_object_array_get_idx(list, i), key, &member)
		       ? json_object_get_string(member)
		       : NULL;
}

START_TEST(test_events_are_merged_by_time)
{
	uint64_t after[ROLE_COUNT] = {0};
	struct json_object *object, *list, *lost;

	happen(ROLE_VRRP, EVENT_INSTANCE, VRRP_BACKUP, VRRP_MASTER, "web");
	happen(ROLE_PARENT, EVENT_ADMIN, ADMIN_NORMAL, ADMIN_DRAIN, "x");
	happen(ROLE_VRRP, EVENT_GROUP, VRRP_BACKUP, VRRP_MASTER, "both");
	happen(ROLE_HEALTHCHECK, EVENT_SERVER, HEALTH_UP, HEALTH_DOWN, "y");
	object = events(after);
	ck_assert(json_object_object_get_ex(object, "events", &list));
	ck_assert_uint_eq(json_object_array_length(list), 4);
	ck_assert_str_eq(text_of(list, 0, "object"), "web");
	ck_assert_str_eq(text_of(list, 0, "from"), "BACKUP");
	ck_assert_str_eq(text_of(list, 0, "to"), "MASTER");
	ck_assert_str_eq(text_of(list, 1, "to"), "drain");
	ck_assert_str_eq(text_of(list, 2, "kind"), "group");
	ck_assert_str_eq(text_of(list, 3, "role"), "healthcheck");
	json_object_put(object);

	after[ROLE_VRRP] = 1;
	after[ROLE_PARENT] = 99; /* of a daemon that has died: its ring began anew */
	after[ROLE_HEALTHCHECK] = 1;
	object = events(after);
	ck_assert(json_object_object_get_ex(object, "events", &list));
	ck_assert_uint_eq(json_object_array_length(list), 2);
	ck_assert_str_eq(text_of(list, 0, "object"), "x");
	ck_assert_str_eq(text_of(list, 1, "object"), "both");
	ck_assert(json_object_object_get_ex(object, "lost", &lost));
	ck_assert_int_eq(json_object_get_int(lost), 0);
	json_object_put(object);
}
END_TEST

START_TEST(test_events_come_in_pages_and_count_what_is_lost)
{
	uint64_t after[ROLE_COUNT] = {0};
	struct json_object *object, *list, *member;
	size_t seen = 0;
	int lost = 0;

	for (int i = 0; i < BOARD_EVENTS + 30; i++) {
		struct event e = {.kind = EVENT_DRAINED};

		board_event(site.boards[ROLE_IPVS], &e);
	}
	for (int page = 0; page < 10; page++) {
		object = events(after);
		ck_assert(json_object_object_get_ex(object, "events", &list));
		ck_assert_uint_le(json_object_array_length(list), EVENTS_MAX);
		seen += json_object_array_length(list);
		json_object_object_get_ex(object, "lost", &member);
		lost += json_object_get_int(member);
		json_object_object_get_ex(object, "after", &member);
		json_object_object_get_ex(member, "ipvs", &member);
		after[ROLE_IPVS] = (uint64_t)json_object_get_int64(member);
		json_object_object_get_ex(object, "more", &member);
		if (!json_object_get_boolean(member))
			page = 10;
		json_object_put(object);
	}
	ck_assert_uint_eq(seen, BOARD_EVENTS);
	ck_assert_int_eq(lost, 30);
	ck_assert_uint_eq(after[ROLE_IPVS], BOARD_EVENTS + 30);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control_admin");
	TCase *tc = tcase_create("admin");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_access);
	tcase_add_test(tc, test_user_name);
	tcase_add_test(tc, test_match);
	tcase_add_test(tc, test_match_refuses);
	tcase_add_test(tc, test_drain_in_every_service);
	tcase_add_test(tc, test_one_refusal_is_reported);
	tcase_add_test(tc, test_stale_is_asked_again_with_new_numbers);
	tcase_add_test(tc, test_switch_without_stale_asks_again_too);
	tcase_add_test(tc, test_busy_is_tried_again);
	tcase_add_test(tc, test_reload);
	tcase_add_test(tc, test_reload_refuses_what_cuts);
	tcase_add_test(tc, test_server_changes);
	tcase_add_test(tc, test_unknown_server_begins_nothing);
	tcase_add_test(tc, test_events_are_merged_by_time);
	tcase_add_test(tc, test_events_come_in_pages_and_count_what_is_lost);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
