/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status document: what the boards say is what the document says, and what they do not say is not made up. */
#include "../../daemon/control/control_status.h"
#include "control_site.h"
#include <check.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct control_site site;

static void setup(void)
{
	site = control_site_new();
}

static void teardown(void)
{
	control_site_free(&site);
}

static struct json_object *document(void)
{
	struct status_source source = {.conf = site.conf, .boards = site.boards};
	struct writer w = {0};
	struct json_object *object;
	size_t length;
	char *text;

	status_write(&w, NULL, &source);
	text = writer_take(&w, &length);
	ck_assert_ptr_nonnull(text);
	object = json_tokener_parse(text);
	ck_assert_msg(object != NULL, "not JSON: %s", text);
	free(text);
	return object;
}

/* Follows "services.0.servers.1.why"; fails the test when a step is missing. */
static struct json_object *at(struct json_object *object, const char *path)
{
	char copy[128], *step, *rest = copy;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((step = strsep(&rest, "."))) {
		if (json_object_is_type(object, json_type_array))
			object = json_object_array_get_idx(object, (size_t)atoi(step));
		else
			ck_assert_msg(json_object_object_get_ex(object, step, &object), "%s: no %s", path, step);
	}
	return object;
}

static void assert_text(struct json_object *object, const char *path, const char *expected)
{
	struct json_object *member = at(object, path);

	ck_assert_msg(json_object_is_type(member, json_type_string), "%s is no text", path);
	ck_assert_str_eq(json_object_get_string(member), expected);
}

static void assert_number(struct json_object *object, const char *path, int64_t expected)
{
	struct json_object *member = at(object, path);

	ck_assert_msg(json_object_is_type(member, json_type_int), "%s is no number", path);
	ck_assert_int_eq(json_object_get_int64(member), expected);
}

static void assert_flag(struct json_object *object, const char *path, bool expected)
{
	struct json_object *member = at(object, path);

	ck_assert_msg(json_object_is_type(member, json_type_boolean), "%s is no boolean", path);
	ck_assert_msg(json_object_get_boolean(member) == expected, "%s is not %d", path, expected);
}

static bool has(struct json_object *object, const char *path, const char *key)
{
	return json_object_object_get_ex(at(object, path), key, NULL);
}

static void store_instance(void)
{
	struct status_instance s = {.dropped = {[VRRP_DROP_HMAC_REPLAY] = 3},
		.checksums = {4, 5},
		.state = VRRP_MASTER,
		.effective_priority = 130,
		.since_real_us = 1760000000123000,
		.adverts_sent = 12,
		.why = "no advertisement from 192.0.2.3 for 3609 ms"};
	struct status_address held = {.is_set = 1};
	struct status_track track = {.is_up = 0, .weight_now = -20, .why = "exit status 1"};

	ck_assert_int_eq(addr_parse("192.0.2.2", &s.master), 0);
	board_store(site.boards[ROLE_VRRP], VRRP_TABLE_INSTANCE, SITE_WEB, &s, sizeof(s));
	board_store(site.boards[ROLE_VRRP], VRRP_TABLE_ADDRESS, 1, &held, sizeof(held));
	board_store(site.boards[ROLE_VRRP], VRRP_TABLE_TRACK, 0, &track, sizeof(track));
}

START_TEST(test_instance)
{
	struct json_object *doc;

	store_instance();
	doc = document();
	assert_text(doc, "vrrp.0.name", "web");
	assert_text(doc, "vrrp.0.state", "MASTER");
	assert_text(doc, "vrrp.0.interface", "eth0");
	assert_number(doc, "vrrp.0.vrid", 51);
	assert_number(doc, "vrrp.0.priority", 150);
	assert_number(doc, "vrrp.0.effective_priority", 130);
	assert_text(doc, "vrrp.0.since", "2025-10-09T08:53:20.123Z");
	assert_text(doc, "vrrp.0.why", "no advertisement from 192.0.2.3 for 3609 ms");
	assert_text(doc, "vrrp.0.master", "192.0.2.2");
	assert_number(doc, "vrrp.0.dropped.hmac_replay", 3);
	assert_number(doc, "vrrp.0.checksums_received.message_only", 4);
	assert_number(doc, "vrrp.0.checksums_received.pseudo_header", 5);
	assert_text(doc, "vrrp.0.authentication", "none");
	ck_assert_uint_eq(json_object_array_length(at(doc, "vrrp.0.addresses")), 2);
	assert_text(doc, "vrrp.0.addresses.1", "192.0.2.101");
	assert_text(doc, "vrrp.0.excluded_addresses.0", "10.0.0.254");
	assert_number(doc, "vrrp.0.addresses_held", 1);
	assert_text(doc, "vrrp.0.tracks.0.name", "chk");
	assert_flag(doc, "vrrp.0.tracks.0.up", false);
	assert_text(doc, "vrrp.1.state", "INIT");
	assert_text(doc, "groups.0.members.1", "web6");
	json_object_put(doc);
}
END_TEST

START_TEST(test_identity_of_services)
{
	struct json_object *doc = document();

	assert_text(doc, "services.0.address", "192.0.2.100");
	assert_number(doc, "services.0.port", 80);
	assert_text(doc, "services.0.protocol", "tcp");
	assert_text(doc, "services.0.scheduler", "wlc");
	assert_text(doc, "services.0.forwarding", "nat");
	assert_number(doc, "services.1.fwmark", 5);
	ck_assert(!has(doc, "services.1", "address") && !has(doc, "services.1", "port"));
	assert_text(doc, "services.2.group", "pool");
	ck_assert(!has(doc, "services.2", "address") && !has(doc, "services.2", "fwmark"));
	assert_text(doc, "services.2.members.0.address", "192.0.2.53");
	assert_text(doc, "services.2.members.1.last_address", "192.0.2.69");
	assert_number(doc, "services.2.members.2.fwmark", 9);
	json_object_put(doc);
}
END_TEST

START_TEST(test_server)
{
	struct status_server ipvs = {.is_programmed = 1, .effective_weight = 1, .active = 12, .inactive = 40};
	struct status_health health = {.health = HEALTH_DOWN, .since_real_us = 1, .why = "GET /: connection refused"};
	struct json_object *doc;

	status_store_server(site.boards[ROLE_IPVS], SITE_S2, &ipvs);
	board_store(site.boards[ROLE_HEALTHCHECK], HEALTH_TABLE_SERVER, SITE_S3, &health, sizeof(health));
	doc = document();
	ck_assert_uint_eq(json_object_array_length(at(doc, "services.0.servers")), 2);
	assert_text(doc, "services.0.servers.0.address", "10.1.0.2");
	assert_number(doc, "services.0.servers.0.active", 12);
	assert_number(doc, "services.0.servers.0.inactive", 40);
	assert_number(doc, "services.0.servers.0.effective_weight", 1);
	assert_text(doc, "services.0.servers.0.health", "unknown");
	assert_text(doc, "services.0.servers.1.health", "down");
	assert_text(doc, "services.0.servers.1.why", "GET /: connection refused");
	assert_text(doc, "services.0.sorry_servers.0.address", "10.1.0.9");
	json_object_put(doc);
}
END_TEST

/* Counters and rates of years on fast lines come out as they went in. */
START_TEST(test_counters_of_64_bits)
{
	static const char *const names[] = {"connections", "packets_in", "packets_out", "bytes_in", "bytes_out",
		"connections_per_second", "packets_in_per_second", "packets_out_per_second", "bytes_in_per_second",
		"bytes_out_per_second"};
	const struct status_rates rates = {6LL << 40, 7LL << 40, 8LL << 40, 9LL << 40, 10LL << 40};
	const struct status_service service = {.connections = 1LL << 40,
		.packets_in = 2LL << 40,
		.packets_out = 3LL << 40,
		.bytes_in = 4LL << 40,
		.bytes_out = 5LL << 40,
		.rates = rates};
	const struct status_server server = {.connections = 1LL << 40,
		.packets_in = 2LL << 40,
		.packets_out = 3LL << 40,
		.bytes_in = 4LL << 40,
		.bytes_out = 5LL << 40,
		.rates = rates};
	struct json_object *doc;
	char path[80];

	board_store(site.boards[ROLE_IPVS], IPVS_TABLE_SERVICE, SITE_HTTP, &service, sizeof(service));
	status_store_server(site.boards[ROLE_IPVS], SITE_S2, &server);
	doc = document();
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof(path), "services.0.%s", names[i]);
		assert_number(doc, path, (i + 1LL) << 40);
		snprintf(path, sizeof(path), "services.0.servers.0.%s", names[i]);
		assert_number(doc, path, (i + 1LL) << 40);
	}
	json_object_put(doc);
}
END_TEST

START_TEST(test_admin_comes_before_health)
{
	struct status_admin admin = {
		.admin = ADMIN_DRAIN, .weight = 4, .since_real_us = 5000000, .why = "drained by root (pid 812)"};
	struct status_health health = {.health = HEALTH_DOWN, .since_real_us = 1000000, .why = "refused"};
	struct json_object *doc;

	board_store(site.boards[ROLE_PARENT], PARENT_TABLE_ADMIN, SITE_S3, &admin, sizeof(admin));
	board_store(site.boards[ROLE_HEALTHCHECK], HEALTH_TABLE_SERVER, SITE_S3, &health, sizeof(health));
	doc = document();
	assert_text(doc, "services.0.servers.1.admin", "drain");
	assert_text(doc, "services.0.servers.1.why", "drained by root (pid 812)");
	assert_text(doc, "services.0.servers.1.health_why", "refused");
	assert_text(doc, "services.0.servers.1.since", "1970-01-01T00:00:05.000Z");
	assert_number(doc, "services.0.servers.1.admin_weight", 4);
	json_object_put(doc);
}
END_TEST

START_TEST(test_missing_board_is_said)
{
	struct json_object *doc;

	board_close(site.boards[ROLE_HEALTHCHECK]);
	site.boards[ROLE_HEALTHCHECK] = NULL;
	control_site_renew(&site, ROLE_VRRP, 6);
	doc = document();
	assert_text(doc, "vrrp.0.state", "INIT");
	assert_text(doc, "vrrp.0.why", "vrrp has not switched to generation 7 yet");
	/* Nobody has to say that an unchecked server is up. */
	assert_text(doc, "services.0.servers.0.health", "up");
	assert_text(doc, "services.0.servers.0.why", "no check is configured");
	json_object_put(doc);
	board_close(site.boards[ROLE_IPVS]);
	site.boards[ROLE_IPVS] = NULL;
	doc = document();
	assert_text(doc, "services.0.servers.0.why", "ipvs is not running");
	json_object_put(doc);
}
END_TEST

START_TEST(test_a_record_of_another_generation_is_not_shown)
{
	struct status_source source = {.conf = site.conf, .boards = site.boards};
	struct status_instance s = {.state = VRRP_MASTER};
	struct json_object *doc;

	ck_assert(status_is_settled(&source));
	control_site_renew(&site, ROLE_VRRP, 8);
	board_store(site.boards[ROLE_VRRP], VRRP_TABLE_INSTANCE, SITE_WEB, &s, sizeof(s));
	ck_assert(!status_is_settled(&source));
	doc = document();
	assert_text(doc, "vrrp.0.state", "INIT");
	json_object_put(doc);
}
END_TEST

static void store_service(conf_index_t service, bool is_programmed, bool quorum, const char *why)
{
	struct status_service s = {.is_programmed = is_programmed, .quorum_met = quorum};

	snprintf(s.why, sizeof(s.why), "%s", why);
	board_store(site.boards[ROLE_IPVS], IPVS_TABLE_SERVICE, service, &s, sizeof(s));
}

START_TEST(test_problems)
{
	struct status_daemon daemon = {.last_reload_ok = 1};
	struct status_ipvs ipvs = {.kernel_ok = 1, .kernel_version = 0x010201};
	struct status_role role = {.state = ROLE_BACKOFF, .why = "killed by signal 11"};
	struct status_instance fault = {.state = VRRP_FAULT, .why = "eth0 is down"};
	struct json_object *doc;

	board_store(site.boards[ROLE_PARENT], PARENT_TABLE_DAEMON, 0, &daemon, sizeof(daemon));
	board_store(site.boards[ROLE_IPVS], IPVS_TABLE_ROLE, 0, &ipvs, sizeof(ipvs));
	for (conf_index_t i = SITE_HTTP; i <= SITE_GROUP; i++)
		store_service(i, true, true, "");
	doc = document();
	ck_assert_uint_eq(json_object_array_length(at(doc, "problems")), 0);
	assert_flag(doc, "services_programmed", true);
	assert_text(doc, "kernel.ipvs_version", "1.2.1");
	json_object_put(doc);

	store_service(SITE_MARK, true, false, "0 of 1");
	store_service(SITE_GROUP, false, true, "no such scheduler");
	board_store(site.boards[ROLE_PARENT], PARENT_TABLE_ROLE, ROLE_SNMP, &role, sizeof(role));
	board_store(site.boards[ROLE_VRRP], VRRP_TABLE_INSTANCE, SITE_WEB6, &fault, sizeof(fault));
	doc = document();
	ck_assert_uint_eq(json_object_array_length(at(doc, "problems")), 4);
	assert_text(doc, "problems.0.object", "snmp");
	assert_text(doc, "problems.1.text", "FAULT: eth0 is down");
	assert_text(doc, "problems.2.object", "fwmark 5");
	assert_text(doc, "problems.3.text", "not in the kernel: no such scheduler");
	assert_flag(doc, "services_programmed", false);
	assert_flag(doc, "services.1.quorum", false);
	json_object_put(doc);
}
END_TEST

START_TEST(test_the_other_node)
{
	struct status_pair pair = {.state = PAIR_UP,
		.peer_active = 1,
		.coverage_known = 1,
		.coverage = 999,
		.coverage_total = 2000,
		.config_known = 1,
		.config_differs = 1,
		.peer_node = "lb2",
		.why = "lb2 (poise 1.0) is heard"};
	struct status_difference d = {.is_used = 1, .kind = PAIR_ONLY_THERE, .name = "vrrp_instance web"};
	struct status_sync sync = {.is_full = 1, .is_ready = 1, .entries_sent = 77, .why = "ready"};
	struct json_object *doc = document();

	assert_text(doc, "pair.state", "off");
	ck_assert_ptr_null(at(doc, "pair.coverage_percent"));
	json_object_put(doc);
	board_store(site.boards[ROLE_PAIR], PAIR_TABLE_PEER, 0, &pair, sizeof(pair));
	board_store(site.boards[ROLE_PAIR], PAIR_TABLE_DIFFERENCE, 0, &d, sizeof(d));
	board_store(site.boards[ROLE_IPVS], IPVS_TABLE_SYNC, 0, &sync, sizeof(sync));
	doc = document();
	assert_text(doc, "pair.state", "up");
	assert_text(doc, "pair.node", "lb2");
	assert_number(doc, "pair.coverage_percent", 99);
	assert_number(doc, "pair.coverage_of", 2000);
	ck_assert_ptr_null(at(doc, "pair.peer_coverage_percent"));
	assert_text(doc, "pair.differences.0.object", "vrrp_instance web");
	assert_text(doc, "pair.differences.0.what", "only there");
	assert_flag(doc, "connection_sync.ready", true);
	assert_number(doc, "connection_sync.connections_sent", 77);
	json_object_put(doc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control_status");
	TCase *tc = tcase_create("status");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_instance);
	tcase_add_test(tc, test_identity_of_services);
	tcase_add_test(tc, test_server);
	tcase_add_test(tc, test_counters_of_64_bits);
	tcase_add_test(tc, test_admin_comes_before_health);
	tcase_add_test(tc, test_missing_board_is_said);
	tcase_add_test(tc, test_a_record_of_another_generation_is_not_shown);
	tcase_add_test(tc, test_problems);
	tcase_add_test(tc, test_the_other_node);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
