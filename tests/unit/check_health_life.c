/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks over time: falling and coming back, generations, a predecessor's board, descriptors, and checks that cannot be
 * run. Real probes against scripted servers on the loopback. */
#include "health_fixture.h"
#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_DIGEST "5d41402abc4b2a76b9719d911017c592"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct peer peer;

static int count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* Runs one check once. */
static void run_once(const struct check_text *text)
{
	fixture_commit(fixture_conf(1, text, 1));
	ck_assert(fixture_until_runs(1, 5000));
}

static void expect(enum reason reason, const char *why)
{
	ck_assert_str_eq(reason_name(fixture_last.result.reason), reason_name(reason));
	ck_assert_msg(
		strstr(fixture_last.result.why, why) != NULL, "\"%s\" is not in \"%s\"", why, fixture_last.result.why);
}

static void serve_by_flag(struct peer *p, int fd)
{
	if (peer_read_request(p, fd))
		peer_write(fd, *(volatile int *)p->ctx ? HELLO : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
}

START_TEST(falls_after_retries_and_comes_back)
{
	volatile int is_good = 1;
	const struct check *c;
	int at;

	peer.ctx = (void *)&is_good;
	peer_start(&peer, serve_by_flag, NULL);
	run_once(&(struct check_text){
		.kind = CONF_CHECK_HTTP, .port = peer.port, .retry = 2, .rise = 2, .interval_ms = 40, .delay_ms = 20});
	c = fixture_last.check;
	ck_assert_int_eq(c->verdict.health, HEALTH_UP);
	is_good = 0;
	at = fixture_last.runs;
	do
		ck_assert(fixture_until_runs(++at, 1000));
	while (fixture_last.result.reason == REASON_OK);
	ck_assert_int_eq(c->verdict.health, HEALTH_UP);
	ck_assert_str_eq(c->status.why, "in doubt: status 500, wanted 200-299 (HTTP_GET /, 1 of 3 tries failed)");
	ck_assert(fixture_until_runs(at + 1, 1000));
	ck_assert_int_eq(c->verdict.health, HEALTH_UP);
	ck_assert(fixture_until_runs(at + 2, 1000));
	ck_assert_int_eq(c->verdict.health, HEALTH_DOWN);
	ck_assert(fixture_last.step.is_changed);
	ck_assert_uint_eq(fixture_last.step.tries, 3);
	is_good = 1;
	while (fixture_last.result.reason != REASON_OK)
		ck_assert(fixture_until_runs(fixture_last.runs + 1, 1000));
	ck_assert_int_eq(c->verdict.health, HEALTH_DOWN);
	ck_assert_ptr_nonnull(strstr(c->status.why, "recovering: status 200"));
	ck_assert(fixture_until_runs(fixture_last.runs + 1, 1000));
	ck_assert_int_eq(c->verdict.health, HEALTH_UP);
	ck_assert_uint_eq(c->status.runs, (uint64_t)fixture_last.runs);
	peer_stop(&peer);
}
END_TEST

/* In doubt a check asks again after delay_before_retry, not after its interval. */
START_TEST(doubt_does_not_wait_for_the_interval)
{
	volatile int is_good = 1;
	struct mono first;

	peer.ctx = (void *)&is_good;
	peer_start(&peer, serve_by_flag, NULL);
	run_once(&(struct check_text){
		.kind = CONF_CHECK_HTTP, .port = peer.port, .retry = 2, .interval_ms = 1000, .delay_ms = 30});
	is_good = 0;
	ck_assert(fixture_until_runs(2, 2000));
	first = mono_now();
	ck_assert(fixture_until_runs(4, 2000));
	ck_assert_int_lt(mono_diff_us(mono_now(), first), 1500 * US_PER_MS);
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_DOWN);
	peer_stop(&peer);
}
END_TEST

START_TEST(nothing_is_left_behind)
{
	struct check_text texts[6] = {{0}};
	int before;

	peer_start(&peer, peer_serve_answer, HELLO);
	for (unsigned i = 0; i < 6; i++) {
		texts[i].kind = i % 2 ? CONF_CHECK_HTTP : CONF_CHECK_TCP;
		texts[i].port = i < 4 ? peer.port : peer_free_port();
		texts[i].server = i;
		texts[i].interval_ms = 20;
	}
	fixture_commit(fixture_conf(1, texts, 6));
	before = count_descriptors();
	ck_assert(fixture_until_runs(200, 5000));
	checker_stop(fixture_checker);
	fixture_spin(1200);
	ck_assert_uint_eq(prober_open_count(checker_prober(fixture_checker)), 0);
	ck_assert_int_eq(count_descriptors(), before);
	peer_stop(&peer);
}
END_TEST

/* Silent servers use up the descriptors: the others wait for their turn instead of failing. */
START_TEST(checks_wait_for_descriptors)
{
	struct peer silent = {0};
	struct check_text texts[40] = {{0}};

	fixture_limit_descriptors(40);
	peer_start(&silent, peer_serve_silence, NULL);
	for (unsigned i = 0; i < 40; i++)
		texts[i] = (struct check_text){.kind = CONF_CHECK_HTTP,
			.port = silent.port,
			.server = i,
			.timeout_ms = 100,
			.interval_ms = 10000};
	fixture_commit(fixture_conf(1, texts, 40));
	for (int i = 1; i <= 40; i++) {
		ck_assert(fixture_until_runs(i, 4000));
		expect(REASON_ANSWER_TIMEOUT, "no answer");
		ck_assert_uint_le(prober_open_count(checker_prober(fixture_checker)), 20);
	}
	peer_stop(&silent);
}
END_TEST

/* ---- a new generation ---- */

/* The same checks in another order go on with their counts, and the run that is under way is not disturbed. */
START_TEST(reload_keeps_what_is_the_same)
{
	struct peer silent = {0}, good = {0};
	struct check_text a, b;
	struct check *kept;

	peer_start(&silent, peer_serve_silence, NULL);
	peer_start(&good, peer_serve_answer, HELLO);
	a = (struct check_text){.kind = CONF_CHECK_HTTP, .port = silent.port, .timeout_ms = 400, .interval_ms = 60000};
	b = (struct check_text){
		.kind = CONF_CHECK_HTTP, .port = good.port, .server = 1, .interval_ms = 50, .digest = HELLO_DIGEST};
	fixture_commit(fixture_conf(1, (struct check_text[]){a, b}, 2));
	ck_assert(fixture_until_runs(2, 2000));
	kept = fixture_last.check;
	ck_assert_uint_eq(kept->status.runs, 2);
	ck_assert_ptr_nonnull(checker_set(fixture_checker)->checks[0]->probe);
	a.server = 1;
	b.server = 0;
	fixture_commit(fixture_conf(2, (struct check_text[]){b, a}, 2));
	ck_assert_ptr_eq(checker_set(fixture_checker)->checks[0], kept);
	ck_assert_uint_eq(kept->status.runs, 2);
	ck_assert_ptr_nonnull(checker_set(fixture_checker)->checks[1]->probe);
	ck_assert_int_eq(checker_set(fixture_checker)->servers[0].health, HEALTH_UP);
	do
		ck_assert(fixture_until_runs(fixture_last.runs + 1, 2000));
	while (fixture_last.result.reason == REASON_OK);
	expect(REASON_ANSWER_TIMEOUT, "no answer");
	ck_assert_uint_eq(fixture_last.check->spec.index, 1);
	ck_assert_int_eq(silent.connections, 1);
	peer_stop(&silent);
	peer_stop(&good);
}
END_TEST

START_TEST(reload_takes_the_verdict_over)
{
	struct check_text t = {.kind = CONF_CHECK_TCP, .port = peer_free_port(), .interval_ms = 60000};
	const struct check_set *set;

	run_once(&t);
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_DOWN);
	/* other parameters: known to be down */
	t.interval_ms = 50000;
	fixture_commit(fixture_conf(2, &t, 1));
	set = checker_set(fixture_checker);
	ck_assert_int_eq(set->servers[0].health, HEALTH_DOWN);
	/* another kind of check of the same server: what its server was, until it has run */
	t.kind = CONF_CHECK_HTTP;
	fixture_commit(fixture_conf(3, &t, 1));
	set = checker_set(fixture_checker);
	ck_assert_int_eq(set->servers[0].health, HEALTH_DOWN);
	ck_assert_ptr_nonnull(strstr(set->servers[0].why, "not checked yet since the configuration changed: down"));
	/* no check any more: up */
	fixture_commit(fixture_conf(4, &t, 0));
	ck_assert_uint_eq(checker_set(fixture_checker)->n_servers, 0);
	ck_assert_uint_eq(prober_open_count(checker_prober(fixture_checker)), 0);
}
END_TEST

START_TEST(removed_checks_end)
{
	struct peer silent = {0};
	struct check_text t;

	peer_start(&silent, peer_serve_silence, NULL);
	t = (struct check_text){.kind = CONF_CHECK_HTTP, .port = silent.port, .timeout_ms = 200};
	fixture_commit(fixture_conf(1, &t, 1));
	fixture_spin(50);
	ck_assert_uint_eq(prober_open_count(checker_prober(fixture_checker)), 1);
	fixture_commit(fixture_conf(2, NULL, 0));
	fixture_spin(400);
	ck_assert_int_eq(fixture_last.runs, 0);
	peer_stop(&silent);
}
END_TEST

/* ---- what cannot be run says so ---- */

START_TEST(what_is_not_run_says_so)
{
	const struct check_text texts[] = {
		{.kind = CONF_CHECK_SMTP, .port = 1, .name = "two words"},
		{.kind = CONF_CHECK_HTTP, .port = 2, .server = 1, .regex = "("},
		{.kind = CONF_CHECK_SMTP, .port = 3, .server = 2, .name = "two words"},
		{.kind = CONF_CHECK_TCP, .port = 3, .server = 2},
	};
	const struct check_set *set;

	fixture_commit(fixture_conf(1, texts, 4));
	set = checker_set(fixture_checker);
	ck_assert_int_eq(set->servers[0].health, HEALTH_UNKNOWN);
	ck_assert_str_eq(set->servers[0].why, "not run: helo_name has blanks in it");
	ck_assert_int_eq(set->servers[1].health, HEALTH_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(set->servers[1].why, "regex does not compile"));
	/* the check that can be run decides alone */
	ck_assert(fixture_until_runs(1, 1000));
	check_set_judge_server(checker_set(fixture_checker), 2, mono_now());
	ck_assert_int_eq(set->servers[2].health, HEALTH_DOWN);
	fixture_spin(100);
	ck_assert_int_eq(set->checks[0]->verdict.health, HEALTH_UNKNOWN);
}
END_TEST

/* The verdict stays, and it is tried again. */
START_TEST(without_a_lender_marked_probes_say_so)
{
	run_once(&(struct check_text){.kind = CONF_CHECK_TCP, .port = 9, .fwmark = 5, .interval_ms = 10});
	expect(REASON_NO_SOCKET, "the parent process lends no descriptor");
	ck_assert(!fixture_last.check->is_dead);
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_UNKNOWN);
	ck_assert_uint_ne(fixture_last.check->timer.slot, 0);
}
END_TEST

static int wanted;

static int note_want(void *arg, const struct check_spec *spec)
{
	(void)arg;
	ck_assert_uint_eq(check_spec_conf(spec)->fwmark, 5);
	wanted++;
	return 0;
}

static void await_want(int n)
{
	for (int i = 0; wanted < n && i < 200; i++)
		fixture_spin(10);
	ck_assert_int_eq(wanted, n);
}

/* A socket that comes when it wants to is used for the run that waits, and for no other. */
START_TEST(lent_sockets_are_used)
{
	struct check_text text = {
		.kind = CONF_CHECK_HTTP, .fwmark = 5, .interval_ms = 60000, .timeout_ms = 5000, .path2 = "/two"};

	wanted = 0;
	peer_start(&peer, peer_serve_answer, "HTTP/1.0 200 OK\r\n\r\n");
	text.port = peer.port;
	prober_set_lender(checker_prober(fixture_checker), note_want, NULL);
	fixture_commit(fixture_conf(1, &text, 1));
	await_want(1);
	checker_lend(fixture_checker, 0, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	await_want(2);
	checker_lend(fixture_checker, 0, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	ck_assert(fixture_until_runs(1, 2000));
	expect(REASON_OK, "status 200");
	/* Nobody waits: these are closed. */
	checker_lend(fixture_checker, 0, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	checker_lend(fixture_checker, 7, socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	checker_refuse(fixture_checker, 0, REASON_FWMARK, "no");
	peer_stop(&peer);
	ck_assert_int_eq(peer.connections, 2);
}
END_TEST

START_TEST(a_lender_that_refuses_or_sleeps)
{
	struct check_text text = {
		.kind = CONF_CHECK_TCP, .port = 9, .fwmark = 5, .interval_ms = 60000, .timeout_ms = 100};

	wanted = 0;
	prober_set_lender(checker_prober(fixture_checker), note_want, NULL);
	fixture_commit(fixture_conf(1, &text, 1));
	ck_assert(fixture_until_runs(1, 5000));
	expect(REASON_NO_SOCKET, "has lent no descriptor in time");
	text.timeout_ms = 5000;
	fixture_commit(fixture_conf(2, &text, 1));
	checker_run_now(checker_set(fixture_checker)->checks[0]);
	await_want(2);
	checker_refuse(fixture_checker, 0, REASON_FWMARK, "not allowed");
	ck_assert(fixture_until_runs(2, 2000));
	expect(REASON_FWMARK, "not allowed");
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_UNKNOWN);
}
END_TEST

/* ---- after a crash ---- */

/* What was known when the daemon ended is assumed at its next start, by checks that ask for it. */
START_TEST(last_known_state_is_recalled)
{
	struct check_text texts[2] = {
		{.kind = CONF_CHECK_TCP, .port = 9, .initial = CONF_CHECK_INITIAL_LAST, .interval_ms = 60000},
		{.kind = CONF_CHECK_TCP, .port = 10, .server = 1, .interval_ms = 60000}};
	FILE *file = tmpfile();
	struct check_set *set;

	check_memory_set_file(checker_memory(fixture_checker), dup(fileno(file)));
	fixture_commit(fixture_conf(1, texts, 2));
	set = checker_set(fixture_checker);
	ck_assert_int_eq(set->checks[0]->verdict.health, HEALTH_UNKNOWN);
	set->servers[0].health = set->servers[1].health = HEALTH_DOWN;
	check_memory_store(checker_memory(fixture_checker), set, NULL);
	fixture_limit_descriptors(256);
	check_memory_set_file(checker_memory(fixture_checker), dup(fileno(file)));
	fixture_commit(fixture_conf(7, texts, 2));
	set = checker_set(fixture_checker);
	ck_assert_int_eq(set->checks[0]->verdict.health, HEALTH_DOWN);
	ck_assert_str_eq(set->checks[0]->status.why, "not checked yet: down as last known before the start");
	ck_assert_int_eq(set->checks[1]->verdict.health, HEALTH_UNKNOWN);
	fclose(file);
}
END_TEST

START_TEST(predecessor_board_is_adopted)
{
	struct board_shape shape = {{sizeof(struct status_check), sizeof(struct status_health)}, {2, 2}};
	struct board *board = board_create(ROLE_HEALTHCHECK, 7, &shape);
	struct status_check was = {.health = HEALTH_DOWN, .failures = 3, .runs = 9, .why = "refused before"};
	const struct check_text texts[] = {{.kind = CONF_CHECK_TCP, .port = 1, .interval_ms = 60000},
		{.kind = CONF_CHECK_TCP, .port = 2, .server = 1, .interval_ms = 60000}};
	struct conf *conf = fixture_conf(7, texts, 2), *other = fixture_conf(8, texts, 2);
	struct check_set *set = check_set_new(conf, ROLE_HEALTHCHECK, NULL, NULL);

	was.next_start = mono_add(mono_now(), 5 * US_PER_S);
	board_store(board, HEALTH_TABLE_CHECK, 0, &was, sizeof(was));
	was = (struct status_check){.health = 77, .why = "nonsense"};
	board_store(board, HEALTH_TABLE_CHECK, 1, &was, sizeof(was));
	check_set_take_over(set, NULL, NULL);
	ck_assert_uint_eq(check_set_adopt(set, board), 1);
	ck_assert_int_eq(set->checks[0]->verdict.health, HEALTH_DOWN);
	ck_assert_uint_eq(set->checks[0]->verdict.failures, 3);
	ck_assert_str_eq(set->checks[0]->status.why, "refused before");
	ck_assert(mono_is_set(set->checks[0]->planned));
	ck_assert_int_eq(set->checks[1]->verdict.health, HEALTH_UNKNOWN);
	check_set_judge_server(set, 0, mono_now());
	ck_assert_int_eq(set->servers[0].health, HEALTH_DOWN);
	check_set_free(set);
	/* a start in a thousand years is no plan */
	was = (struct status_check){.health = HEALTH_UP, .next_start = {INT64_MAX / 2}, .why = "up before"};
	board_store(board, HEALTH_TABLE_CHECK, 0, &was, sizeof(was));
	set = check_set_new(conf, ROLE_HEALTHCHECK, NULL, NULL);
	check_set_take_over(set, NULL, NULL);
	ck_assert_uint_eq(check_set_adopt(set, board), 1);
	ck_assert_int_eq(set->checks[0]->verdict.health, HEALTH_UP);
	ck_assert(!mono_is_set(set->checks[0]->planned));
	check_set_free(set);
	/* a board of another generation says nothing about this one's records */
	set = check_set_new(other, ROLE_HEALTHCHECK, NULL, NULL);
	check_set_take_over(set, NULL, NULL);
	ck_assert_uint_eq(check_set_adopt(set, board), 0);
	ck_assert_uint_eq(check_set_adopt(set, NULL), 0);
	check_set_free(set);
	conf_close(conf);
	conf_close(other);
	board_close(board);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_life");
	TCase *tc = tcase_create("life");
	SRunner *runner = srunner_create(suite);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_set_timeout(tc, 15);
	tcase_add_test(tc, falls_after_retries_and_comes_back);
	tcase_add_test(tc, doubt_does_not_wait_for_the_interval);
	tcase_add_test(tc, nothing_is_left_behind);
	tcase_add_test(tc, checks_wait_for_descriptors);
	tcase_add_test(tc, reload_keeps_what_is_the_same);
	tcase_add_test(tc, reload_takes_the_verdict_over);
	tcase_add_test(tc, removed_checks_end);
	tcase_add_test(tc, what_is_not_run_says_so);
	tcase_add_test(tc, without_a_lender_marked_probes_say_so);
	tcase_add_test(tc, lent_sockets_are_used);
	tcase_add_test(tc, a_lender_that_refuses_or_sleeps);
	tcase_add_test(tc, last_known_state_is_recalled);
	tcase_add_test(tc, predecessor_board_is_adopted);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
