/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of results: drains by a server's own word, identical checks that run once, first states, paces, patience
 * with flapping, and checks that do not run. Real probes against scripted servers on the loopback. */
#include "health_fixture.h"
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define FINE "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct peer peer;

/* Runs one check once against a server with this answer. */
static const struct check *run(const struct check_text *more, const char *answer)
{
	struct check_text text = *more;

	peer_start(&peer, peer_serve_answer, answer);
	text.kind = CONF_CHECK_HTTP;
	text.port = peer.port;
	text.interval_ms = 60000;
	fixture_commit(fixture_conf(1, &text, 1));
	ck_assert(fixture_until_runs(1, 5000));
	peer_stop(&peer);
	return fixture_last.check;
}

/* ---- drains ---- */

static const struct {
	const char *answer, *header, *body;
	bool drains;
} drains[] = {
	{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", NULL, NULL, true},
	{"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n", NULL, NULL, false},
	{"HTTP/1.1 503 Busy\r\nX-Drain: yes\r\nContent-Length: 0\r\n\r\n", "X-Drain: yes", NULL, true},
	{"HTTP/1.1 503 Busy\r\nX-Drain: no\r\nContent-Length: 0\r\n\r\n", "X-Drain: yes", NULL, false},
	{"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "X-Drain", NULL, false},
	{"HTTP/1.1 503 Busy\r\nContent-Length: 11\r\n\r\nmaintenance", NULL, "^maint", true},
	{"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\noops", NULL, "^maint", false},
};

/* A status that is wanted can be the one that asks to be drained: then the body says which. */
static const struct {
	const char *answer, *regex, *body;
	bool is_up, drains;
} wanted_drains[] = {
	{FINE, NULL, "^maint", true, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nmaintenance", NULL, "^maint", true, true},
	{FINE, "hello", "^maint", true, false},
	{FINE, "welcome", "^maint", false, false},
	{"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nmaintenance", "hello", "^maint", true, true},
};

START_TEST(a_server_drains_by_its_word)
{
	const struct check *c = run(
		&(struct check_text){
			.drain_status = 503, .drain_header = drains[_i].header, .drain_body = drains[_i].body},
		drains[_i].answer);
	struct check_set *set = checker_set(fixture_checker);

	check_set_judge_server(set, 0, mono_now());
	ck_assert_int_eq(c->verdict.health, drains[_i].drains ? HEALTH_UP : HEALTH_DOWN);
	ck_assert_int_eq(set->servers[0].is_draining, drains[_i].drains);
	ck_assert_int_eq(set->servers[0].weight_percent, drains[_i].drains ? 0 : 100);
	if (drains[_i].drains)
		ck_assert_msg(strstr(set->servers[0].why, "drains by its own word"), "%s", set->servers[0].why);
}
END_TEST

START_TEST(a_wanted_status_drains_by_its_body)
{
	const struct check *c = run(&(struct check_text){.drain_status = 200,
					    .regex = wanted_drains[_i].regex,
					    .drain_body = wanted_drains[_i].body},
		wanted_drains[_i].answer);
	struct check_set *set = checker_set(fixture_checker);

	check_set_judge_server(set, 0, mono_now());
	ck_assert_int_eq(c->verdict.health, wanted_drains[_i].is_up ? HEALTH_UP : HEALTH_DOWN);
	ck_assert_int_eq(set->servers[0].is_draining, wanted_drains[_i].drains);
}
END_TEST

/* ---- one probe, many users ---- */

START_TEST(identical_checks_run_once)
{
	struct check_text texts[3] = {{0}};
	struct status_checks status;
	struct check_set *set;

	peer_start(&peer, peer_serve_answer, FINE);
	for (unsigned i = 0; i < 3; i++)
		texts[i] = (struct check_text){
			.kind = CONF_CHECK_HTTP, .port = peer.port, .server = i, .interval_ms = 60000};
	texts[2].path = "/other";
	fixture_commit(fixture_conf(1, texts, 3));
	ck_assert(fixture_until_runs(3, 5000));
	peer_stop(&peer);
	set = checker_set(fixture_checker);
	ck_assert_int_eq(peer.connections, 2);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(set->checks[i]->verdict.health, HEALTH_UP);
	ck_assert_uint_eq(set->checks[0]->status.is_shared + set->checks[1]->status.is_shared, 1);
	checker_watch(fixture_checker, mono_now(), &status);
	ck_assert_uint_eq(status.checks, 3);
	ck_assert_uint_eq(status.probes, 2);
}
END_TEST

/* ---- first states ---- */

START_TEST(first_states_are_as_configured)
{
	struct check_text texts[3] = {{0}};
	static const enum health wanted[] = {HEALTH_UNKNOWN, HEALTH_UP, HEALTH_DOWN};
	struct check_set *set;

	for (unsigned i = 0; i < 3; i++)
		texts[i] = (struct check_text){.kind = CONF_CHECK_TCP,
			.port = (uint16_t)(9 + i),
			.server = i,
			.interval_ms = 60000,
			.initial = (enum conf_check_initial)i};
	fixture_commit(fixture_conf(1, texts, 3));
	set = checker_set(fixture_checker);
	for (unsigned i = 0; i < 3; i++) {
		check_set_judge_server(set, i, mono_now());
		ck_assert_int_eq(set->servers[i].health, wanted[i]);
	}
}
END_TEST

/* ---- paces ---- */

/* The time from the last start to the next one, in milliseconds. */
static int64_t next_ms(const struct check *c)
{
	return mono_diff_us(c->planned, c->status.last_start) / US_PER_MS;
}

START_TEST(doubt_is_faster_and_down_slower)
{
	struct check_text text = {.kind = CONF_CHECK_TCP,
		.port = peer_free_port(),
		.interval_ms = 1000,
		.retry = 1,
		.fast_ms = 100,
		.down_ms = 5000,
		.initial = CONF_CHECK_INITIAL_UP};

	fixture_commit(fixture_conf(1, &text, 1));
	ck_assert(fixture_until_runs(1, 5000));
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_UP);
	ck_assert_msg(strstr(fixture_last.check->status.why, "in doubt"), "%s", fixture_last.check->status.why);
	ck_assert_int_lt(next_ms(fixture_last.check), 800);
	ck_assert(fixture_until_runs(2, 5000));
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_DOWN);
	ck_assert_int_ge(next_ms(fixture_last.check), 4400);
	ck_assert_int_le(next_ms(fixture_last.check), 5600);
}
END_TEST

/* ---- flapping ---- */

static volatile int is_well;

static void serve_flapping(struct peer *p, int fd)
{
	if (peer_read_request(p, fd))
		peer_write(fd, is_well ? FINE : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
}

/* The second fall within its time is not forgiven at the next success. */
START_TEST(a_check_that_flaps_is_kept_down)
{
	struct check_text text = {.kind = CONF_CHECK_HTTP, .interval_ms = 60000, .flap_ms = 60000};

	peer_start(&peer, serve_flapping, NULL);
	text.port = peer.port;
	fixture_commit(fixture_conf(1, &text, 1));
	for (int i = 1; i <= 5; i++) {
		/* up, down, up, down, and well again */
		is_well = i % 2;
		if (i > 1)
			checker_run_now(fixture_last.check);
		ck_assert(fixture_until_runs(i, 5000));
	}
	peer_stop(&peer);
	ck_assert_int_eq(fixture_last.result.reason, REASON_OK);
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_DOWN);
	ck_assert_msg(
		strstr(fixture_last.check->status.why, "passes, but fell 2 times in a row: kept down for another"),
		"%s", fixture_last.check->status.why);
}
END_TEST

/* ---- checks that do not run ---- */

START_TEST(three_missed_intervals_are_late)
{
	struct check_text text = {.kind = CONF_CHECK_TCP, .port = 9, .interval_ms = 10000};
	struct status_checks status;
	struct mono planned;

	fixture_commit(fixture_conf(1, &text, 1));
	planned = checker_set(fixture_checker)->checks[0]->planned;
	ck_assert_uint_eq(checker_watch(fixture_checker, mono_add(planned, 30 * US_PER_S), &status), 0);
	ck_assert_uint_eq(checker_watch(fixture_checker, mono_add(planned, 32 * US_PER_S), &status), 1);
	ck_assert_uint_eq(checker_set(fixture_checker)->checks[0]->status.is_late, 1);
}
END_TEST

/* ---- what is said of what passes ---- */

static void serve_weights(struct peer *p, int fd)
{
	peer_write(fd, p->connections < 2 ? "up 80%\n" : "up 20%\n");
}

START_TEST(a_new_share_has_a_new_sentence)
{
	struct check_text text = {.kind = CONF_CHECK_AGENT, .interval_ms = 60000};

	peer_start(&peer, serve_weights, NULL);
	text.port = peer.port;
	fixture_commit(fixture_conf(1, &text, 1));
	ck_assert(fixture_until_runs(1, 5000));
	ck_assert_int_eq(fixture_last.check->status.weight_percent, 80);
	checker_run_now(fixture_last.check);
	ck_assert(fixture_until_runs(2, 5000));
	peer_stop(&peer);
	ck_assert_int_eq(fixture_last.check->status.weight_percent, 20);
	ck_assert_msg(strstr(fixture_last.check->status.why, "up 20%"), "%s", fixture_last.check->status.why);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_judge");
	TCase *tc = tcase_create("judge");
	SRunner *runner;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_server_drains_by_its_word, 0, sizeof(drains) / sizeof(drains[0]));
	tcase_add_loop_test(tc, a_wanted_status_drains_by_its_body, 0, sizeof(wanted_drains) / sizeof(wanted_drains[0]));
	tcase_add_test(tc, identical_checks_run_once);
	tcase_add_test(tc, first_states_are_as_configured);
	tcase_add_test(tc, doubt_is_faster_and_down_slower);
	tcase_add_test(tc, a_check_that_flaps_is_kept_down);
	tcase_add_test(tc, three_missed_intervals_are_late);
	tcase_add_test(tc, a_new_share_has_a_new_sentence);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
