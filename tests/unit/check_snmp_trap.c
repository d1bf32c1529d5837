/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifications: which ones an event causes and what they carry, compared as text with what was recorded from
 * keepalived; and the feed that reads events from the rings, each once, in order. */
#include "../../snmp/trap.h"
#include "snmp_site.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KA ".1.3.6.1.4.1.9586.100.5"
#define V2 ".1.3.6.1.2.1.68"
#define V3 ".1.3.6.1.2.1.207"
#define P ".1.3.6.1.4.1.8072.9999.9999.7673"

static struct site site;

static void setup(void)
{
	site_init(&site, 4);
}

static void teardown(void)
{
	site_free(&site);
}

/* ---- a notification as text ---- */
static void put_oid(char *out, size_t size, const struct mib_oid *oid)
{
	for (uint32_t i = 0; i < oid->n; i++)
		snprintf(out + strlen(out), size - strlen(out), ".%u", oid->id[i]);
}

static void put_value(char *out, size_t size, const struct mib_value *v)
{
	size_t at = strlen(out);

	switch (v->type) {
	case MIB_INTEGER:
		snprintf(out + at, size - at, "i %d", v->integer);
		return;
	case MIB_UNSIGNED:
		snprintf(out + at, size - at, "u %llu", (unsigned long long)v->number);
		return;
	case MIB_IPADDRESS:
		snprintf(out + at, size - at, "a %u.%u.%u.%u", v->octets[0], v->octets[1], v->octets[2], v->octets[3]);
		return;
	case MIB_OCTETS:
		for (uint32_t i = 0; i < v->length; i++) {
			if (v->octets[i] < ' ' || v->octets[i] > '~') {
				snprintf(out + at, size - at, "x ");
				for (i = 0; i < v->length; i++)
					snprintf(out + strlen(out), size - strlen(out), "%02X", v->octets[i]);
				return;
			}
		}
		snprintf(out + at, size - at, "s %.*s", (int)v->length, (const char *)v->octets);
		return;
	case MIB_COUNTER32:
	case MIB_COUNTER64:
	case MIB_TIMETICKS:
		break;
	}
	snprintf(out + at, size - at, "?");
}

static const char *trap_text(const struct trap *trap)
{
	static char text[4096];

	text[0] = '\0';
	put_oid(text, sizeof(text), &trap->oid);
	for (uint32_t i = 0; i < trap->n; i++) {
		strcat(text, "|");
		put_oid(text, sizeof(text), &trap->bind[i].name);
		strcat(text, " ");
		put_value(text, sizeof(text), &trap->bind[i].value);
	}
	return text;
}

static struct trap_list *build(const struct event *ev)
{
	static struct trap_list list;
	struct trap_facts facts;

	trap_facts_collect(&site.view, ev, &facts);
	trap_build(site.conf, ev, &facts, TRAP_PART_OLDER | TRAP_PART_POISE, &list);
	return &list;
}

static struct event event_of(uint32_t kind, uint32_t object, uint32_t from, uint32_t to, const char *name)
{
	struct event ev = {.generation = 4,
		.kind = kind,
		.object = object,
		.from = from,
		.to = to,
		.real_us = 1763622000 * US_PER_S + 300 * US_PER_MS,
		.why = "because"};

	snprintf(ev.name, sizeof(ev.name), "%s", name);
	return ev;
}

#define POISE_END "|" P ".1.7.11.0 s because|" P ".1.7.12.0 x 07E90B14070000032B0000|" P ".1.1.2.0 s LB-A"

START_TEST(test_instance_becomes_master)
{
	struct event ev = event_of(EVENT_INSTANCE, VI_1, VRRP_BACKUP, VRRP_MASTER, "VI_1");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 4);
	ck_assert_str_eq(trap_text(&list->trap[0]),
		KA ".2.10.0.2|" KA ".2.3.1.2 s VI_1|" KA ".2.3.1.4 i 2|" KA ".2.3.1.5 i 1|" KA ".1.2.0 s LB-A");
	ck_assert_str_eq(trap_text(&list->trap[1]), V2 ".0.1|" V2 ".1.3.1.7.10.51 a 10.77.0.1");
	ck_assert_str_eq(
		trap_text(&list->trap[2]), V3 ".0.1|" V3 ".1.1.1.1.3.10.51.1 x 0A4D0001|" V3 ".1.2.5.1.2.10.51.1 i 3");
	ck_assert_str_eq(
		trap_text(&list->trap[3]), P ".0.1|" P ".1.7.1.0 s VI_1|" P ".1.7.2.0 i 2|" P ".1.7.3.0 i 3" POISE_END);
}
END_TEST

START_TEST(test_version_3_has_no_version_2_notification)
{
	struct event ev = event_of(EVENT_INSTANCE, VI_6, VRRP_BACKUP, VRRP_MASTER, "VI_6");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 3);
	ck_assert_str_eq(trap_text(&list->trap[1]),
		V3 ".0.1|" V3 ".1.1.1.1.3.10.61.2 x FE80000000000000308D2EFFFE997D06|" V3 ".1.2.5.1.2.10.61.2 i 3");
}
END_TEST

START_TEST(test_instance_leaves_master)
{
	struct event ev = event_of(EVENT_INSTANCE, VI_2, VRRP_MASTER, VRRP_FAULT, "VI_2");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 2);
	ck_assert_str_eq(trap_text(&list->trap[0]),
		KA ".2.10.0.2|" KA ".2.3.1.2 s VI_2|" KA ".2.3.1.4 i 3|" KA ".2.3.1.5 i 1|" KA ".1.2.0 s LB-A");
	/* Going away is called shutdown there. */
	ev = event_of(EVENT_INSTANCE, VI_2, VRRP_MASTER, VRRP_INIT, "VI_2");
	ck_assert_ptr_nonnull(strstr(trap_text(&build(&ev)->trap[0]), KA ".2.3.1.4 i 5|"));
}
END_TEST

START_TEST(test_group)
{
	struct event ev = event_of(EVENT_GROUP, 0, VRRP_BACKUP, VRRP_MASTER, "SG1");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 2);
	ck_assert_str_eq(
		trap_text(&list->trap[0]), KA ".2.10.0.1|" KA ".2.1.1.2 s SG1|" KA ".2.1.1.3 i 2|" KA ".1.2.0 s LB-A");
}
END_TEST

START_TEST(test_server_falls)
{
	struct event ev = event_of(EVENT_SERVER, RS_B, HEALTH_UP, HEALTH_DOWN, "10.77.0.51:80/tcp 10.88.0.12:80");
	struct trap_list *list;

	site_set_health(&site, RS_A, HEALTH_DOWN);
	site_set_health(&site, RS_B, HEALTH_DOWN);
	list = build(&ev);
	ck_assert_uint_eq(list->n, 2);
	ck_assert_str_eq(trap_text(&list->trap[0]),
		KA ".3.5.0.1|" KA ".3.4.1.3 i 1|" KA ".3.4.1.4 x 0A58000C|" KA ".3.4.1.5 u 80|" KA ".3.4.1.6 i 2|" KA
		   ".3.3.1.2 i 2|" KA ".3.3.1.5 i 1|" KA ".3.3.1.6 x 0A4D0033|" KA ".3.3.1.7 u 80|" KA
		   ".3.3.1.8 i 1|" KA ".3.3.1.21 u 0|" KA ".3.3.1.20 u 2|" KA ".1.2.0 s LB-A");
	ck_assert_str_eq(trap_text(&list->trap[1]),
		P ".0.3|" P ".1.7.1.0 s 10.77.0.51:80/tcp 10.88.0.12:80|" P ".1.7.4.0 i 2|" P ".1.7.5.0 i 3|" P
		  ".1.7.9.0 u 0|" P ".1.7.10.0 u 2" POISE_END);
}
END_TEST

START_TEST(test_first_success_is_no_news)
{
	struct event ev = event_of(EVENT_SERVER, RS_A, HEALTH_UNKNOWN, HEALTH_UP, "");

	ck_assert_uint_eq(build(&ev)->n, 0);
	ev.to = HEALTH_DOWN;
	ck_assert_uint_eq(build(&ev)->n, 2);
}
END_TEST

START_TEST(test_quorum_of_a_mark)
{
	struct event ev = event_of(EVENT_QUORUM, MARK, 0, 1, "fwmark 5");
	struct trap_list *list = build(&ev);

	ck_assert_str_eq(trap_text(&list->trap[0]),
		KA ".3.5.0.2|" KA ".3.3.1.2 i 1|" KA ".3.3.1.4 u 5|" KA ".3.3.1.8 i 2|" KA ".3.3.1.23 i 1|" KA
		   ".3.3.1.22 u 1|" KA ".3.3.1.21 u 1|" KA ".3.3.1.20 u 1|" KA ".1.2.0 s LB-A");
	ev.to = 0;
	ck_assert_ptr_nonnull(strstr(trap_text(&build(&ev)->trap[0]), KA ".3.3.1.23 i 2|"));
	ev = event_of(EVENT_QUORUM, POOL, 1, 0, "group pool/udp");
	ck_assert_ptr_nonnull(strstr(trap_text(&build(&ev)->trap[0]), KA ".3.3.1.2 i 3|" KA ".3.3.1.3 s pool|"));
}
END_TEST

START_TEST(test_protocol_error)
{
	struct event ev = event_of(EVENT_PROTOCOL, VI_2, 0, VRRP_DROP_CHECKSUM, "VI_2");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 2);
	ck_assert_str_eq(trap_text(&list->trap[0]), V3 ".0.2|" V3 ".1.2.5.1.6.10.52.1 i 3");
	ev.to = VRRP_DROP_TTL;
	ck_assert_ptr_nonnull(strstr(trap_text(&build(&ev)->trap[0]), ".52.1 i 1"));
	ev.to = VRRP_DROP_ADDRESS_LIST; /* the standard has no reason for it */
	ck_assert_uint_eq(build(&ev)->n, 1);
}
END_TEST

START_TEST(test_roles_and_configuration)
{
	struct event ev = event_of(EVENT_ROLE, ROLE_IPVS, ROLE_RUNNING, ROLE_BACKOFF, "ipvs");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 1);
	ck_assert_str_eq(trap_text(&list->trap[0]), P ".0.7|" P ".1.7.1.0 s ipvs" POISE_END);
	ev.to = ROLE_RUNNING;
	ck_assert_uint_eq(build(&ev)->n, 0);
	ev = event_of(EVENT_CONFIG, 0, 0, 0, "/etc/poise/poise.conf");
	ck_assert_str_eq(trap_text(&build(&ev)->trap[0]), P ".0.8|" P ".1.7.1.0 s /etc/poise/poise.conf" POISE_END);
	ev.to = 1;
	ck_assert_uint_eq(build(&ev)->n, 0);
}
END_TEST

START_TEST(test_administration)
{
	struct event ev = event_of(EVENT_ADMIN, RS_A, ADMIN_NORMAL, ADMIN_DRAIN, "web a");
	struct trap_list *list = build(&ev);

	ck_assert_uint_eq(list->n, 1);
	ck_assert_str_eq(trap_text(&list->trap[0]),
		P ".0.4|" P ".1.7.1.0 s web a|" P ".1.7.6.0 i 1|" P ".1.7.7.0 i 2" POISE_END);
	ev.from = ADMIN_DRAIN;
	ck_assert_uint_eq(build(&ev)->n, 0); /* another weight */
	ev.kind = EVENT_DRAINED;
	ck_assert_str_eq(trap_text(&build(&ev)->trap[0]), P ".0.5|" P ".1.7.1.0 s web a" POISE_END);
}
END_TEST

/* An index of another generation means another object. */
START_TEST(test_object_of_another_generation_is_found_by_name)
{
	struct event ev = event_of(EVENT_INSTANCE, 0, VRRP_BACKUP, VRRP_MASTER, "VI_6");

	ev.generation = 3;
	ck_assert_uint_eq(trap_find_object(site.conf, &ev), VI_6);
	snprintf(ev.name, sizeof(ev.name), "VI_7");
	ck_assert_uint_eq(trap_find_object(site.conf, &ev), CONF_NONE);
	ck_assert_uint_eq(build(&ev)->n, 1); /* POISE-MIB's needs no object */
	ev.kind = EVENT_SERVER;
	snprintf(ev.name, sizeof(ev.name), "10.77.0.51:80/tcp 10.88.0.12:80");
	ck_assert_uint_eq(trap_find_object(site.conf, &ev), RS_B);
	snprintf(ev.name, sizeof(ev.name), "10.77.0.51:80/tcp 10.88.0.120:80");
	ck_assert_uint_eq(trap_find_object(site.conf, &ev), CONF_NONE);
	ev.kind = EVENT_QUORUM;
	snprintf(ev.name, sizeof(ev.name), "fwmark 5");
	ck_assert_uint_eq(trap_find_object(site.conf, &ev), MARK);
	/* A name that was cut to fit could be that of any object that begins like it. */
	memset(ev.name, 'x', sizeof(ev.name) - 1);
	ck_assert_uint_eq(trap_find_object(site.conf, &ev), CONF_NONE);
}
END_TEST

START_TEST(test_an_index_out_of_range_is_no_object)
{
	struct event ev = event_of(EVENT_SERVER, 5, HEALTH_UP, HEALTH_DOWN, "x");

	ck_assert_uint_eq(trap_find_object(site.conf, &ev), CONF_NONE);
	ck_assert_uint_eq(build(&ev)->n, 1);
}
END_TEST

/* ---- the feed ---- */
static struct board *ring(enum role role)
{
	return site.boards[role];
}

static void happen(enum role role, const char *name)
{
	struct event ev = {.kind = EVENT_INSTANCE};
	int64_t before = real_now_us();

	/* Times tell the order between rings. */
	while (real_now_us() == before)
		;
	snprintf(ev.name, sizeof(ev.name), "%s", name);
	board_event(ring(role), &ev);
}

static const char *next(struct trap_feed *feed)
{
	static struct event ev;
	enum role role;

	return trap_feed_next(feed, site.boards, &ev, &role) ? ev.name : "nothing";
}

START_TEST(test_feed_takes_each_event_once_and_in_order)
{
	struct trap_feed feed;

	trap_feed_init(&feed, real_now_us(), NULL);
	happen(ROLE_HEALTHCHECK, "a");
	happen(ROLE_VRRP, "b");
	happen(ROLE_HEALTHCHECK, "c");
	happen(ROLE_IPVS, "d");
	for (const char *expected = "abcd"; *expected; expected++)
		ck_assert_int_eq(next(&feed)[0], *expected);
	ck_assert_str_eq(next(&feed), "nothing");
	happen(ROLE_VRRP, "e");
	ck_assert_str_eq(next(&feed), "e");
}
END_TEST

START_TEST(test_feed_leaves_out_what_is_old_at_the_start)
{
	struct trap_feed feed;

	happen(ROLE_VRRP, "old");
	trap_feed_init(&feed, real_now_us() + TRAP_MAX_AGE_US + US_PER_S, NULL);
	ck_assert_str_eq(next(&feed), "nothing");
	happen(ROLE_VRRP, "new"); /* whatever the clock says: it came while we were there */
	ck_assert_str_eq(next(&feed), "new");
	trap_feed_init(&feed, real_now_us(), NULL);
	ck_assert_str_eq(next(&feed), "old"); /* not older than half a minute */
}
END_TEST

START_TEST(test_feed_goes_on_where_its_predecessor_stopped)
{
	struct trap_feed feed;
	uint64_t seq[ROLE_COUNT] = {0};

	happen(ROLE_VRRP, "told");
	happen(ROLE_VRRP, "untold");
	seq[ROLE_VRRP] = 1;
	trap_feed_init(&feed, real_now_us() + TRAP_MAX_AGE_US * 2, seq);
	ck_assert_str_eq(next(&feed), "untold");
	ck_assert_str_eq(next(&feed), "nothing");
}
END_TEST

START_TEST(test_feed_counts_what_was_overwritten)
{
	struct trap_feed feed;
	int n = 0;

	trap_feed_init(&feed, real_now_us(), NULL);
	happen(ROLE_VRRP, "first");
	ck_assert_str_eq(next(&feed), "first");
	for (int i = 0; i < BOARD_EVENTS + 10; i++)
		happen(ROLE_VRRP, "more");
	while (strcmp(next(&feed), "more") == 0)
		n++;
	ck_assert_uint_eq((unsigned)n + feed.dropped, BOARD_EVENTS + 10);
	ck_assert_uint_ge(feed.dropped, 10);
}
END_TEST

START_TEST(test_feed_sees_a_ring_that_began_anew)
{
	struct trap_feed feed;
	uint64_t seq[ROLE_COUNT] = {0};

	seq[ROLE_VRRP] = 900;
	happen(ROLE_VRRP, "fresh");
	trap_feed_init(&feed, real_now_us(), seq);
	ck_assert_str_eq(next(&feed), "fresh");
}
END_TEST

START_TEST(test_feed_takes_what_an_operator_did_once)
{
	struct event ev = {.kind = EVENT_ADMIN, .name = "web a"};
	struct trap_feed feed;

	trap_feed_init(&feed, real_now_us(), NULL);
	board_event(ring(ROLE_IPVS), &ev);
	board_event(ring(ROLE_HEALTHCHECK), &ev);
	ck_assert_str_eq(next(&feed), "web a");
	ck_assert_str_eq(next(&feed), "nothing");
}
END_TEST

START_TEST(test_feed_can_be_told_to_forget)
{
	struct trap_feed feed;

	trap_feed_init(&feed, real_now_us(), NULL);
	happen(ROLE_VRRP, "a");
	trap_feed_skip(&feed, site.boards);
	ck_assert_str_eq(next(&feed), "nothing");
	happen(ROLE_IPVS, "b");
	ck_assert_str_eq(next(&feed), "b");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp notifications");
	TCase *tc = tcase_create("build"), *feed = tcase_create("feed");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_instance_becomes_master);
	tcase_add_test(tc, test_version_3_has_no_version_2_notification);
	tcase_add_test(tc, test_instance_leaves_master);
	tcase_add_test(tc, test_group);
	tcase_add_test(tc, test_server_falls);
	tcase_add_test(tc, test_first_success_is_no_news);
	tcase_add_test(tc, test_quorum_of_a_mark);
	tcase_add_test(tc, test_protocol_error);
	tcase_add_test(tc, test_roles_and_configuration);
	tcase_add_test(tc, test_administration);
	tcase_add_test(tc, test_object_of_another_generation_is_found_by_name);
	tcase_add_test(tc, test_an_index_out_of_range_is_no_object);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(feed, setup, teardown);
	tcase_add_test(feed, test_feed_takes_each_event_once_and_in_order);
	tcase_add_test(feed, test_feed_leaves_out_what_is_old_at_the_start);
	tcase_add_test(feed, test_feed_goes_on_where_its_predecessor_stopped);
	tcase_add_test(feed, test_feed_counts_what_was_overwritten);
	tcase_add_test(feed, test_feed_sees_a_ring_that_began_anew);
	tcase_add_test(feed, test_feed_takes_what_an_operator_did_once);
	tcase_add_test(feed, test_feed_can_be_told_to_forget);
	suite_add_tcase(suite, feed);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
