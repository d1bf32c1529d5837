/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers that come and go in a finished generation, and what a plan says of one generation after another. */
#include "../../daemon/control/control_plan.h"
#include "conf_pool.h"
#include "control_site.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct control_site site;

static void setup(void)
{
	site = control_site_new();
}

static void teardown(void)
{
	control_site_free(&site);
}

static struct conf_pool_change change(const char *service, const char *server, bool is_removed)
{
	struct conf_pool_change c = {.service = service, .is_removed = is_removed, .weight = -1};

	ck_assert_int_eq(addr_parse_port(server, &c.addr, &c.port), 0);
	return c;
}

static struct conf *with(const struct conf_pool_change *changes, size_t n, bool *applied)
{
	struct conf *conf = conf_open(conf_pool_apply(site.conf, 8, changes, n, applied));

	ck_assert_ptr_nonnull(conf);
	ck_assert_uint_eq(conf->generation, 8);
	return conf;
}

/* "10.1.0.2:80 10.1.0.7:80 " */
static void assert_servers(const struct conf *conf, conf_index_t service, const char *expected)
{
	const struct conf_range *r = &conf->services[service].servers;
	char text[512] = "", name[CONF_NAME_SIZE];

	for (uint32_t i = r->first; i < r->first + r->count; i++) {
		ck_assert_uint_eq(conf->servers[i].service, service);
		strcat(text, conf_server_name(conf, i, name));
		strcat(text, " ");
	}
	ck_assert_str_eq(text, expected);
}

START_TEST(test_nothing_to_do_copies)
{
	struct conf *copy = with(NULL, 0, NULL);

	for (int t = 0; t < CONF_TABLE_COUNT; t++)
		ck_assert_msg(conf_same_table(site.conf, copy, (enum conf_table)t), "table %d", t);
	conf_close(copy);
}
END_TEST

START_TEST(test_servers_come_and_go)
{
	const struct conf_pool_change changes[] = {change("192.0.2.100:80/tcp", "10.1.0.7:8080", false),
		change("192.0.2.100:80/tcp", "10.1.0.2:80", true), change("fwmark 5", "10.1.0.8:80", false),
		change("fwmark 5", "10.1.0.9:80", false), change("group pool/udp", "[2001:db8:1::6]:53", true),
		change("group pool/udp", "10.9.9.9:53", true), change("no such", "10.1.0.8:80", false),
		change("fwmark 5", "10.1.0.8:80", false)};
	bool applied[8];
	struct conf *next = with(changes, 8, applied);
	const struct conf_service *http = &next->services[SITE_HTTP];

	assert_servers(next, SITE_HTTP, "10.1.0.3:80 10.1.0.7:8080 ");
	assert_servers(next, SITE_MARK, "10.1.0.2:80 10.1.0.8:80 10.1.0.9:80 ");
	assert_servers(next, SITE_GROUP, "10.1.0.2:53 ");
	for (int i = 0; i < 5; i++)
		ck_assert_msg(applied[i], "%d", i);
	for (int i = 5; i < 8; i++)
		ck_assert_msg(!applied[i], "%d", i);
	/* The sorry server stands outside the range and is still found. */
	ck_assert(next->servers[http->sorry].is_sorry);
	ck_assert_uint_eq(next->servers[http->sorry].service, SITE_HTTP);
	/* The new one is like its neighbour. */
	ck_assert_uint_eq(next->servers[http->servers.first + 1].forward, CONF_FORWARD_NAT);
	ck_assert_int_eq(next->servers[http->servers.first + 1].weight, 1);
	conf_close(next);
}
END_TEST

START_TEST(test_what_was_added_may_go_again)
{
	const struct conf_pool_change changes[] = {change("fwmark 5", "10.1.0.8:80", false),
		change("fwmark 5", "10.1.0.8:80", true), change("fwmark 5", "10.1.0.2:80", true),
		change("fwmark 5", "10.1.0.4:80", false)};
	struct conf *next = with(changes, 4, NULL);

	assert_servers(next, SITE_MARK, "10.1.0.4:80 ");
	conf_close(next);
}
END_TEST

/* Every server removed, in any order of services: the ranges stay within the table and the rest is untouched. */
START_TEST(test_random_changes_keep_the_table_valid)
{
	static const char *const services[] = {"192.0.2.100:80/tcp", "fwmark 5", "group pool/udp"};
	struct conf_pool_change changes[12];
	char names[12][32];

	srandom(7);
	for (int round = 0; round < 300; round++) {
		size_t n = (size_t)random() % 12;
		struct conf *next;

		for (size_t i = 0; i < n; i++) {
			snprintf(names[i], sizeof(names[i]), "10.1.0.%ld:%d", 1 + random() % 4, random() % 2 ? 80 : 53);
			changes[i] = change(services[random() % 3], names[i], random() % 2);
		}
		next = with(changes, n, NULL);
		for (conf_index_t s = 0; s < 3; s++)
			for (uint32_t k = 0; k < next->services[s].servers.count; k++)
				ck_assert_uint_eq(next->servers[next->services[s].servers.first + k].service, s);
		ck_assert(next->servers[next->services[SITE_HTTP].sorry].is_sorry);
		conf_close(next);
	}
}
END_TEST

/* ---- plans ---- */

static void set_active(conf_index_t server, uint32_t active)
{
	struct status_server s = {.is_programmed = 1, .active = active};

	status_store_server(site.boards[ROLE_IPVS], server, &s);
}

static struct plan plan_to(const struct conf *to)
{
	struct status_source now = {.conf = site.conf, .boards = site.boards};
	struct plan plan;

	plan_make(&plan, &now, to);
	ck_assert(!plan.failed);
	return plan;
}

START_TEST(test_the_same_table_is_nothing_to_do)
{
	struct conf *same = with(NULL, 0, NULL);
	struct plan plan = plan_to(same);

	ck_assert_uint_eq(plan.count, 0);
	ck_assert_int_eq(plan_verdict(&plan), PLAN_NOTHING);
	plan_free(&plan);
	conf_close(same);
}
END_TEST

START_TEST(test_a_removal_cuts_where_no_time_is_given)
{
	const struct conf_pool_change changes[] = {
		change("192.0.2.100:80/tcp", "10.1.0.2:80", true), change("192.0.2.100:80/tcp", "10.1.0.7:80", false)};
	struct conf *next = with(changes, 2, NULL);
	struct plan plan = plan_to(next);
	char text[300];

	/* Nobody is connected: no harm. */
	ck_assert_int_eq(plan_verdict(&plan), PLAN_HARMLESS);
	ck_assert_uint_eq(plan.operations, 2);
	plan_free(&plan);
	set_active(SITE_S2, 12);
	plan = plan_to(next);
	ck_assert_int_eq(plan_verdict(&plan), PLAN_CUTS);
	ck_assert_uint_eq(plan.connections_cut, 12);
	plan_summary(&plan, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "12 connections would be cut: server 10.1.0.2:80 of 192.0.2.100:80/tcp"));
	plan_free(&plan);
	conf_close(next);
}
END_TEST

START_TEST(test_a_group_counts_every_member)
{
	const struct conf_pool_change add = change("group pool/udp", "10.1.0.7:53", false);
	struct conf *next = with(&add, 1, NULL);
	struct plan plan = plan_to(next);

	/* An address, ten of a range, and a mark. */
	ck_assert_uint_eq(plan.operations, 12);
	ck_assert_int_eq(plan_verdict(&plan), PLAN_HARMLESS);
	plan_free(&plan);
	conf_close(next);
}
END_TEST

/* The same table, to be written into. */
static struct conf *writable(void)
{
	struct conf *conf = with(NULL, 0, NULL);

	ck_assert_int_eq(mprotect(conf->map, conf->size, PROT_READ | PROT_WRITE), 0);
	return conf;
}

static struct conf_group_entry *entry_of(struct conf *conf, uint32_t i)
{
	return (struct conf_group_entry *)&conf->group_entries[i];
}

static uint64_t cut_by(const struct conf *to, uint64_t operations)
{
	struct plan plan = plan_to(to);
	uint64_t cut = plan.connections_cut;

	ck_assert_uint_eq(plan.operations, operations);
	ck_assert_int_eq(plan_verdict(&plan) == PLAN_CUTS, cut > 0);
	plan_free(&plan);
	return cut;
}

/* The group: 192.0.2.53, 192.0.2.60-69, mark 9. */
START_TEST(test_members_that_leave_a_group_are_counted)
{
	static const struct status_member busy[] = {{1000, 5, 0}, {0, 60, 7}, {0, 700, 0}};
	struct conf *to = writable();
	struct conf_group_entry *e = entry_of(to, 0), was[3];

	memcpy(was, e, sizeof(was));
	for (uint32_t i = 0; i < 3; i++)
		board_store(site.boards[ROLE_IPVS], IPVS_TABLE_MEMBER, i, &busy[i], sizeof(busy[i]));
	ck_assert_uint_eq(cut_by(to, 0), 0);
	e[0].first.bytes[3] = e[0].last.bytes[3] = 54;
	ck_assert_uint_eq(cut_by(to, 1), 5);
	e[0] = was[0];
	e[0].port = 5353;
	ck_assert_uint_eq(cut_by(to, 1), 5);
	e[0] = was[0];
	e[1].last.bytes[3] = 68;
	ck_assert_uint_eq(cut_by(to, 1), 60);
	/* In another order, and in two pieces or within a larger one, it is still all there. */
	e[0] = was[1];
	e[1] = was[0];
	ck_assert_uint_eq(cut_by(to, 0), 0);
	e[0].first.bytes[3] = 50;
	ck_assert_uint_eq(cut_by(to, 0), 0);
	e[0] = e[1] = was[1];
	e[0].first.bytes[3] = 64;
	e[1].last.bytes[3] = 63;
	ck_assert_uint_eq(cut_by(to, 1), 5); /* but for 192.0.2.53 */
	e[0] = was[0];
	e[1] = was[1];
	e[2].fwmark = 10;
	ck_assert_uint_eq(cut_by(to, 1), 700);
	conf_close(to);
}
END_TEST

START_TEST(test_a_group_that_is_folded_takes_all_with_it)
{
	struct conf *to = writable(), *was = site.conf;
	struct conf_service *s = (struct conf_service *)&to->services[SITE_GROUP];

	set_active(SITE_G2, 3);
	s->fwmark = 7000;
	ck_assert_uint_eq(cut_by(to, 12 * 3), 3);
	/* Members of a folded one come and go as they like. */
	site.conf = to;
	to = writable();
	*entry_of(to, 1) = *entry_of(to, 0);
	ck_assert_uint_eq(cut_by(to, 0), 0);
	conf_close(to);
	conf_close(site.conf);
	site.conf = was;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plan");
	TCase *tc = tcase_create("plan");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_nothing_to_do_copies);
	tcase_add_test(tc, test_servers_come_and_go);
	tcase_add_test(tc, test_what_was_added_may_go_again);
	tcase_add_test(tc, test_random_changes_keep_the_table_valid);
	tcase_add_test(tc, test_the_same_table_is_nothing_to_do);
	tcase_add_test(tc, test_a_removal_cuts_where_no_time_is_given);
	tcase_add_test(tc, test_a_group_counts_every_member);
	tcase_add_test(tc, test_members_that_leave_a_group_are_counted);
	tcase_add_test(tc, test_a_group_that_is_folded_takes_all_with_it);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
