/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections in the kernel's synchronisation format, which of them are sent, and when. */
#include "ipvs_resync_plan.h"
#include "ipvs_scan.h"
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ipvs_conn parse(const char *line)
{
	struct ipvs_conn conn;

	ck_assert_int_eq(ipvs_conn_parse(line, &conn), 0);
	return conn;
}

#define TCP4 "TCP C0000232 D73E C000020A 0050 C633640B 1F90 ESTABLISHED     119"
#define V6 "2001:0db8:0000:0000:0000:0000:0000:000"
#define UDP6 "UDP " V6 "1 D73E " V6 "2 0035 " V6 "3 0036 UDP         9"

START_TEST(test_bytes_of_ipv4)
{
	static const uint8_t want[] = {/* header */ 0, 51, 0, 44, 1, 1, 0, 0,
		/* type, protocol, size, flags, state */ 0, 6, 0, 36, 0, 0, 0, 0, 0, 1,
		/* ports, mark, timeout */ 0xd7, 0x3e, 0, 80, 0x1f, 0x90, 0, 0, 0, 7, 0, 0, 0, 119,
		/* client, virtual, server */ 192, 0, 2, 50, 192, 0, 2, 10, 198, 51, 100, 11};
	struct ipvs_conn conn = parse(TCP4);
	struct ipvs_sync_message m;

	ipvs_sync_message_begin(&m, 51, 0);
	ck_assert(ipvs_sync_message_add(&m, &conn, 7));
	ipvs_sync_message_end(&m);
	ck_assert_uint_eq(m.size, sizeof(want));
	ck_assert_mem_eq(m.bytes, want, sizeof(want));
}
END_TEST

START_TEST(test_bytes_of_ipv6)
{
	struct ipvs_conn conn = parse(UDP6);
	struct ipvs_sync_message m;
	const uint8_t *c = m.bytes + IPVS_SYNC_HEADER;

	ipvs_sync_message_begin(&m, 0, 0);
	ck_assert(ipvs_sync_message_add(&m, &conn, 0));
	ipvs_sync_message_end(&m);
	ck_assert_uint_eq(m.size, 8 + 72);
	ck_assert_uint_eq(c[0], 1);
	ck_assert_uint_eq(c[1], IPPROTO_UDP);
	ck_assert_uint_eq(c[3], 72);
	/* Datagrams never count as active: flag 0x100. */
	ck_assert_uint_eq(c[6], 1);
	ck_assert_uint_eq(c[24 + 15], 1);
	ck_assert_uint_eq(c[24 + 31], 2);
	ck_assert_uint_eq(c[24 + 47], 3);
}
END_TEST

START_TEST(test_templates_and_engines)
{
	struct ipvs_conn conn = parse("IP  C0000200 0000 00000003 0000 C633640B 0000 ASSURED        49");
	struct ipvs_conn sip = parse("UDP C0000232 0000 C000020A 13C4 C633640B 13C4 NONE 49 sip call-id@host 1");
	struct ipvs_scan_view view = {0};
	struct ipvs_sync_message m;
	const uint8_t *c = m.bytes + IPVS_SYNC_HEADER;

	ck_assert(conn.is_template && ipvs_sync_is_sendable(&conn) && ipvs_sync_is_lasting(&conn));
	ck_assert_uint_eq(ipvs_scan_fwmark(&view, &conn), 3);
	ipvs_sync_message_begin(&m, 0, 0);
	ck_assert(ipvs_sync_message_add(&m, &conn, 3));
	/* flag 0x1000, state 1 */
	ck_assert_uint_eq(c[6], 0x10);
	ck_assert_uint_eq(c[9], 1);
	ck_assert_str_eq(sip.engine, "sip");
	ck_assert_uint_eq(sip.engine_size, strlen("call-id@host 1"));
	ipvs_sync_message_begin(&m, 0, 0);
	ck_assert(ipvs_sync_message_add(&m, &sip, 0));
	/* 36 bytes, data (2 + 14), name (2 + 3): padded to 60 */
	ck_assert_uint_eq(c[3], 57);
	ck_assert_uint_eq(m.size, 8 + 60);
	ck_assert_uint_eq(c[36], 2);
	ck_assert_uint_eq(c[37], 14);
	ck_assert_mem_eq(c + 38, "call-id@host 1", 14);
	ck_assert_mem_eq(c + 52, "\x03\x03sip", 5);
}
END_TEST

START_TEST(test_a_full_message_is_left_alone)
{
	struct ipvs_conn conn = parse(TCP4);
	struct ipvs_sync_message m;
	unsigned n = 0;
	size_t size;

	ipvs_sync_message_begin(&m, 0, 0);
	while (ipvs_sync_message_add(&m, &conn, 0))
		n++;
	ck_assert_uint_eq(n, (IPVS_SYNC_SIZE - IPVS_SYNC_HEADER) / 36);
	size = m.size;
	ck_assert(!ipvs_sync_message_add(&m, &conn, 0));
	ck_assert_uint_eq(m.size, size);
	ck_assert_uint_eq(m.n, n);
	/* a smaller receiver */
	ipvs_sync_message_begin(&m, 0, 100);
	for (n = 0; ipvs_sync_message_add(&m, &conn, 0); n++)
		;
	ck_assert_uint_eq(n, 2);
}
END_TEST

/* A timeout of 0 would give an entry that is about to end a whole new life. */
START_TEST(test_the_last_second_is_a_second)
{
	struct ipvs_conn conn = parse("TCP C0000232 D73E C000020A 0050 C633640B 1F90 TIME_WAIT 0");
	struct ipvs_sync_message m;

	ipvs_sync_message_begin(&m, 0, 0);
	ck_assert(ipvs_sync_message_add(&m, &conn, 0));
	ck_assert_uint_eq(m.bytes[IPVS_SYNC_HEADER + 23], 1);
	ck_assert_uint_eq(m.bytes[IPVS_SYNC_HEADER + 6], 1); /* inactive */
}
END_TEST

START_TEST(test_what_is_sent)
{
	static const struct {
		const char *state;
		bool sendable, lasting;
	} cases[] = {{"ESTABLISHED", true, true}, {"SYN_RECV", false, false}, {"SYN_SENT", false, false},
		{"NONE", false, false}, {"FIN_WAIT", true, false}, {"TIME_WAIT", true, false}, {"CLOSE", true, false},
		{"CLOSE_WAIT", true, false}, {"LAST_ACK", true, false}, {"SYNACK", false, false}};
	char line[200];
	struct ipvs_conn conn;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(line, sizeof(line), "TCP C0000232 D73E C000020A 0050 C633640B 1F90 %s 9", cases[i].state);
		conn = parse(line);
		ck_assert_msg(ipvs_sync_is_sendable(&conn) == cases[i].sendable, "%s", cases[i].state);
		ck_assert_msg(ipvs_sync_is_lasting(&conn) == cases[i].lasting, "%s", cases[i].state);
	}
	/* Tunnels between address families are not in the format. */
	conn = parse("TCP C0000232 D73E C000020A 0050 " V6 "1 1F90 ESTABLISHED 9");
	ck_assert(!ipvs_sync_is_sendable(&conn));
}
END_TEST

START_TEST(test_whose_and_which_mark)
{
	struct ipvs_conn conn = parse(TCP4), other = parse(TCP4);
	struct ipvs_scan_address addresses[2] = {{.addr = conn.client, .is_ours = true}, {.addr = conn.virtual}};
	struct ipvs_key service = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = 80, .addr = conn.virtual};
	struct ipvs_scan_mark marks[2] = {
		{.dest = {.addr = conn.dest}, .fwmark = 9}, {.dest = {.addr = conn.dest, .port = 81}, .fwmark = 8}};
	struct ipvs_scan_view view = {.addresses = addresses,
		.n_addresses = 2,
		.rest_is_ours = true,
		.services = &service,
		.n_services = 1,
		.marks = marks,
		.n_marks = 2};

	ipvs_scan_view_sort(&view);
	ck_assert(!ipvs_scan_is_ours(&view, &conn.virtual));
	other.virtual = conn.client;
	ck_assert(ipvs_scan_is_ours(&view, &other.virtual));
	other.virtual = conn.dest;
	ck_assert(ipvs_scan_is_ours(&view, &other.virtual));
	ck_assert_uint_eq(ipvs_scan_fwmark(&view, &conn), 0);
	ck_assert_uint_eq(ipvs_scan_fwmark(&view, &other), 9);
	other.dest_port = 81;
	ck_assert_uint_eq(ipvs_scan_fwmark(&view, &other), 8);
	service.port = 0;
	ck_assert_uint_eq(ipvs_scan_fwmark(&view, &conn), 0);
}
END_TEST

START_TEST(test_equal_connections_have_equal_hashes)
{
	struct ipvs_conn conn = parse(TCP4), again = parse(TCP4);
	unsigned used[16] = {0};

	again.expires_s = 3;
	again.state = IPVS_TCP_FIN_WAIT;
	ck_assert(ipvs_sync_hash(&conn) == ipvs_sync_hash(&again));
	again.dest_port++;
	ck_assert(ipvs_sync_hash(&conn) != ipvs_sync_hash(&again));
	/* calls of one client to one server */
	again = conn;
	memcpy(again.engine_data, "call-1", 6);
	again.engine_size = 6;
	ck_assert(ipvs_sync_hash(&conn) != ipvs_sync_hash(&again));
	for (unsigned port = 1024; port < 1024 + 1600; port++) {
		conn.client_port = (uint16_t)port;
		used[ipvs_sync_hash(&conn) % 16]++;
	}
	for (unsigned i = 0; i < 16; i++)
		ck_assert_msg(used[i] > 60 && used[i] < 140, "bucket %u holds %u of 1600", i, used[i]);
}
END_TEST

/* Entries that a page of the kernel's list repeats, because others came before it, count once. */
START_TEST(test_what_a_page_repeats)
{
	/* spread, and all of one remainder */
	static const uint64_t factors[] = {0x9e3779b97f4a7c15u, IPVS_SCAN_RECENT};
	static struct ipvs_scan_recent recent;
	const uint64_t n = 3 * IPVS_SCAN_RECENT + 17;

	for (int f = 0; f < 2; f++) {
		memset(&recent, 0, sizeof(recent));
		for (uint64_t i = 1; i <= n; i++) {
			ck_assert(!ipvs_scan_was_read(&recent, i * factors[f]));
			ck_assert(ipvs_scan_was_read(&recent, i * factors[f]));
		}
		for (uint64_t i = n; i > n - IPVS_SCAN_RECENT; i--)
			ck_assert(ipvs_scan_was_read(&recent, i * factors[f]));
		ck_assert(!ipvs_scan_was_read(&recent, (n - IPVS_SCAN_RECENT) * factors[f]));
	}
}
END_TEST

/* ---- when ---- */

static struct ipvs_resync_facts quiet(void)
{
	return (struct ipvs_resync_facts){.now = {100}, .is_master = true, .is_standby = true, .next_sweep = {200}};
}

START_TEST(test_which_walk_is_due)
{
	struct ipvs_resync_facts f = quiet();
	struct ipvs_resync_verdict v = ipvs_resync_decide(&f);

	ck_assert_int_eq(v.scan, SYNC_SCAN_NONE);
	ck_assert_int_eq(v.look_again.us, 200);
	f.now.us = 200;
	v = ipvs_resync_decide(&f);
	ck_assert(v.scan == SYNC_SCAN_SEND && v.is_sweep);
	f.count_request = 1;
	ck_assert_int_eq(ipvs_resync_decide(&f).scan, SYNC_SCAN_COUNT);
	f.send_request = 1;
	v = ipvs_resync_decide(&f);
	ck_assert(v.scan == SYNC_SCAN_SEND && !v.is_sweep);
	f.is_master = false;
	ck_assert_int_eq(ipvs_resync_decide(&f).scan, SYNC_SCAN_COUNT);
	f.is_standby = false;
	ck_assert_int_eq(ipvs_resync_decide(&f).scan, SYNC_SCAN_NONE);
	/* an operator waits with a handover until it is sent */
	f = quiet();
	f.own_wish = 7;
	v = ipvs_resync_decide(&f);
	ck_assert(v.scan == SYNC_SCAN_SEND && !v.is_sweep);
	f.own_done = 7;
	ck_assert_int_eq(ipvs_resync_decide(&f).scan, SYNC_SCAN_NONE);
	f.own_wish = 0;
	ck_assert(!ipvs_resync_is_asked(&f));
	f = quiet();
	f.is_leaving = true;
	f.last_end = f.now;
	v = ipvs_resync_decide(&f);
	ck_assert_int_eq(v.scan, SYNC_SCAN_NONE);
	ck_assert_int_eq(v.look_again.us, f.now.us + IPVS_LEAVING_PAUSE_US);
	f.now = v.look_again;
	v = ipvs_resync_decide(&f);
	ck_assert(v.scan == SYNC_SCAN_SEND && !v.is_sweep);
	f = quiet();
	f.next_sweep = MONO_NEVER;
	v = ipvs_resync_decide(&f);
	ck_assert(v.scan == SYNC_SCAN_NONE && !mono_is_set(v.look_again));
}
END_TEST

START_TEST(test_sweeps_are_bounded_in_cpu)
{
	struct mono now = {1000};

	ck_assert(!mono_is_set(ipvs_resync_next_sweep(now, 0, 5)));
	ck_assert_int_eq(ipvs_resync_next_sweep(now, 60 * US_PER_S, 10).us, 1000 + 60 * US_PER_S);
	/* 2.5 s of CPU: no more than one in 125 s. */
	ck_assert_int_eq(ipvs_resync_next_sweep(now, 60 * US_PER_S, 2500000).us, 1000 + 125 * US_PER_S);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_sync");
	TCase *tc = tcase_create("sync");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_bytes_of_ipv4);
	tcase_add_test(tc, test_bytes_of_ipv6);
	tcase_add_test(tc, test_templates_and_engines);
	tcase_add_test(tc, test_a_full_message_is_left_alone);
	tcase_add_test(tc, test_the_last_second_is_a_second);
	tcase_add_test(tc, test_what_is_sent);
	tcase_add_test(tc, test_whose_and_which_mark);
	tcase_add_test(tc, test_equal_connections_have_equal_hashes);
	tcase_add_test(tc, test_what_a_page_repeats);
	tcase_add_test(tc, test_which_walk_is_due);
	tcase_add_test(tc, test_sweeps_are_bounded_in_cpu);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
