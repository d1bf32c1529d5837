/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decisions of the script role: rise and fall, the grid of starts, the order of notifications, their words, the
 * user, and who may have changed a program. */
#include "../../daemon/script/script_match.h"
#include "../../daemon/script/script_path.h"
#include "../../daemon/script/script_queue.h"
#include "../../daemon/script/script_time.h"
#include "../../daemon/script/script_user.h"
#include "../../daemon/script/script_verdict.h"
#include "../../daemon/script/script_words.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- rise and fall ---- */

/* Runs a word of + and - and returns the results as a word of G, B, U. */
static const char *run_verdict(bool init_fail, uint32_t rise, uint32_t fall, const char *runs, char *out)
{
	struct script_verdict v = script_verdict_initial(init_fail);
	enum script_result before = v.result;
	size_t n = strlen(runs);

	for (size_t i = 0; i < n; i++) {
		bool changed = script_verdict_step(&v, rise, fall, runs[i] == '+');

		ck_assert_int_eq(changed, v.result != before);
		before = v.result;
		out[i] = v.result == SCRIPT_GOOD ? 'G' : v.result == SCRIPT_BAD ? 'B' : 'U';
	}
	out[n] = '\0';
	return out;
}

START_TEST(test_verdict)
{
	char out[32];

	ck_assert_int_eq(script_verdict_initial(false).result, SCRIPT_UNKNOWN);
	ck_assert_int_eq(script_verdict_initial(true).result, SCRIPT_BAD);
	/* The first run decides, whatever rise and fall are. */
	ck_assert_str_eq(run_verdict(false, 3, 3, "-", out), "B");
	ck_assert_str_eq(run_verdict(false, 3, 3, "+", out), "G");
	ck_assert_str_eq(run_verdict(true, 3, 3, "+", out), "G");
	ck_assert_str_eq(run_verdict(true, 3, 3, "-", out), "B");
	/* Then it takes rise or fall in a row, and one of the other kind begins the count again. */
	ck_assert_str_eq(run_verdict(false, 2, 3, "+--+---++", out), "GGGGGGBBG");
	ck_assert_str_eq(run_verdict(true, 2, 2, "-+-++", out), "BBBBG");
	ck_assert_str_eq(run_verdict(false, 0, 0, "+-+", out), "GBG");
	ck_assert_str_eq(run_verdict(false, 1, 1, "+-+", out), "GBG");
}
END_TEST

START_TEST(test_next_start)
{
	ck_assert_int_eq(script_next_start_us(1000, 500, 1200), 1500);
	/* Missed starts are not made up for, and the grid stays. */
	ck_assert_int_eq(script_next_start_us(1000, 500, 1500), 2000);
	ck_assert_int_eq(script_next_start_us(1000, 500, 2700), 3000);
	ck_assert_int_eq(script_next_start_us(1000, 500, 3000), 3500);
}
END_TEST

/* ---- the queue ---- */

static struct queue queue;
static struct queue_entry entries[8192];

/* Asks for number i; returns the number of what fell out, -1 when nothing did. */
static int ask(uint64_t owner, int i)
{
	struct queue_entry *fallen;

	entries[i] = (struct queue_entry){.owner = owner};
	fallen = queue_add(&queue, &entries[i]);
	return fallen ? (int)(fallen - entries) : -1;
}

/* The number of the next, -1 when there is none. */
static int next(void)
{
	struct queue_entry *e = queue_next(&queue);

	return e ? (int)(e - entries) : -1;
}

START_TEST(test_queue_order)
{
	queue_init(&queue);
	ck_assert_int_eq(next(), -1);
	ask('a', 1);
	ask('a', 2);
	ask('b', 3);
	ck_assert_int_eq(next(), 1);
	ck_assert(queue_is_awaited(&queue, &entries[1]));
	/* b does not wait for a, the second of a does. */
	ck_assert_int_eq(next(), 3);
	ck_assert(!queue_is_awaited(&queue, &entries[3]));
	ck_assert_int_eq(next(), -1);
	queue_done(&queue, &entries[1]);
	ck_assert_int_eq(next(), 2);
	queue_done(&queue, &entries[2]);
	queue_done(&queue, &entries[3]);
	ck_assert_uint_eq(queue.n_running + queue.n_waiting, 0);
}
END_TEST

START_TEST(test_queue_is_bounded)
{
	int limit, i;

	queue_init(&queue);
	limit = (int)queue.limit;
	ask('x', 0);
	ck_assert_int_eq(next(), 0);
	ask('y', 1);
	for (i = 2; i <= limit; i++)
		ck_assert_int_eq(ask('x', i), -1);
	/* Full: x has most, so its oldest goes, never what runs, and y keeps its only one. */
	ck_assert_int_eq(ask('x', i), 2);
	ck_assert_int_eq(ask('z', i + 1), 3);
	ck_assert_uint_eq(queue.dropped, 2);
	ck_assert_uint_eq(queue.n_waiting, (unsigned)limit);
	ck_assert_int_eq(next(), 1);
	queue_done(&queue, &entries[0]);
	ck_assert_int_eq(next(), 4);
	ck_assert_int_eq(next(), i + 1);
}
END_TEST

/* A thousand instances with a script for each state and one for any, all of which become master together and are backup
 * again before many scripts have run. */
START_TEST(test_queue_has_room_for_everything_at_once)
{
	enum { INSTANCES = 1000, MOVES = 2, SCRIPTS = 2 };
	int n = 0;

	queue_init(&queue);
	queue_make_room(&queue, INSTANCES * 4);
	for (int move = 0; move < MOVES; move++)
		for (uint64_t instance = 0; instance < INSTANCES; instance++)
			for (int i = 0; i < SCRIPTS; i++)
				ck_assert_int_eq(ask(instance, n++), -1);
	for (int ran = 0; ran < n; ran++) {
		int i = next();

		ck_assert_int_ge(i, 0);
		queue_done(&queue, &entries[i]);
	}
	ck_assert_int_eq(next(), -1);
	ck_assert_uint_eq(queue.dropped, 0);
	/* And it is large enough for few that change often. */
	queue_make_room(&queue, 1);
	for (int i = 0; i < 512; i++)
		ck_assert_int_eq(ask('x', i), -1);
	ck_assert_int_eq(ask('x', 512), 0);
}
END_TEST

START_TEST(test_queue_runs_so_many_beside_each_other)
{
	queue_init(&queue);
	for (int i = 0; i < QUEUE_RUNNING_MAX + 5; i++)
		ask((uint64_t)i, i);
	for (int i = 0; i < QUEUE_RUNNING_MAX; i++)
		ck_assert_int_eq(next(), i);
	ck_assert_int_eq(next(), -1);
	queue_done(&queue, &entries[0]);
	ck_assert_int_eq(next(), QUEUE_RUNNING_MAX);
	ck_assert_int_eq(next(), -1);
}
END_TEST

/* ---- words and users ---- */

static struct conf *build(bool has_script_user, enum conf_dialect dialect)
{
	static const char *const words[] = {"/bin/true", "a b"};
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	conf_string_t web = conf_builder_string(b, "web"), both = conf_builder_string(b, "both"),
		      user = conf_builder_string(b, "daemon"), group = conf_builder_string(b, "adm"),
		      argv = conf_builder_words(b, words, 2);
	struct conf_global *global = conf_builder_at(b, CONF_TABLE_GLOBAL, 0);
	conf_index_t i;

	global->dialect = dialect;
	if (has_script_user) {
		global->script_user = user;
		global->script_group = group;
	}
	i = conf_builder_add(b, CONF_TABLE_INSTANCE);
	*(struct conf_instance *)conf_builder_at(b, CONF_TABLE_INSTANCE, i) =
		(struct conf_instance){.name = web, .secret = CONF_NONE, .group = CONF_NONE, .link = CONF_NONE};
	i = conf_builder_add(b, CONF_TABLE_GROUP);
	((struct conf_group *)conf_builder_at(b, CONF_TABLE_GROUP, i))->name = both;
	for (uint32_t owner = CONF_OWNER_INSTANCE; owner <= CONF_OWNER_GROUP; owner++) {
		for (uint32_t event = CONF_NOTIFY_MASTER; event <= CONF_NOTIFY_ANY; event += 4) {
			i = conf_builder_add(b, CONF_TABLE_NOTIFY);
			*(struct conf_notify *)conf_builder_at(b, CONF_TABLE_NOTIFY, i) = (struct conf_notify){
				.event = event, .owner = owner, .command = {.argv = argv, .argc = 2}};
		}
	}
	ck_assert_int_eq(conf_builder_write(b, 1, fd), 0);
	conf_builder_free(b);
	return conf_open(fd);
}

START_TEST(test_arguments)
{
	struct conf *conf = build(false, CONF_DIALECT_KEEPALIVED);
	char priority[WORDS_PRIORITY_SIZE];
	const char *out[5];

	ck_assert_ptr_nonnull(conf);
	/* notify_master gets nothing more, notify gets four words. */
	ck_assert_int_eq(script_words_arguments(conf, &conf->notifies[0], CONF_NOTIFY_MASTER, 100, priority, out), 0);
	ck_assert_ptr_null(out[0]);
	ck_assert_int_eq(script_words_arguments(conf, &conf->notifies[1], CONF_NOTIFY_FAULT, 100, priority, out), 4);
	ck_assert_str_eq(out[0], "INSTANCE");
	ck_assert_str_eq(out[1], "web");
	ck_assert_str_eq(out[2], "FAULT");
	ck_assert_str_eq(out[3], "100");
	ck_assert_ptr_null(out[4]);
	ck_assert_int_eq(script_words_arguments(conf, &conf->notifies[3], CONF_NOTIFY_STOP, 0, priority, out), 4);
	ck_assert_str_eq(out[0], "GROUP");
	ck_assert_str_eq(out[1], "both");
	ck_assert_str_eq(out[2], "STOP");
	ck_assert_str_eq(out[3], "0");
	ck_assert(script_words_key(conf, &conf->notifies[0]) == script_words_key(conf, &conf->notifies[1]));
	ck_assert(script_words_key(conf, &conf->notifies[0]) != script_words_key(conf, &conf->notifies[2]));
	conf_close(conf);
}
END_TEST

static void assert_user(
	const struct conf *conf, conf_string_t own, bool has_default, const char *user, const char *group)
{
	struct conf_command command = {.user = own};
	const char *got_user, *got_group;

	script_user_choose(conf, &command, has_default, &got_user, &got_group);
	ck_assert_str_eq(got_user, user);
	ck_assert_str_eq(got_group, group);
}

START_TEST(test_user)
{
	struct conf *with = build(true, CONF_DIALECT_KEEPALIVED), *without = build(false, CONF_DIALECT_KEEPALIVED),
		    *strict = build(false, CONF_DIALECT_POISE);

	assert_user(with, with->instances[0].name, true, "web", "");
	assert_user(with, 0, true, "daemon", "adm");
	assert_user(without, 0, true, "keepalived_script", "");
	assert_user(without, 0, false, "root", "");
	assert_user(strict, 0, true, "keepalived_script", "");
	assert_user(strict, 0, false, "nobody", "");
	conf_close(with);
	conf_close(without);
	conf_close(strict);
}
END_TEST

/* ---- processes and files ---- */

/* NAME ARGUMENTS... as in the configuration, one string with \\0 between them. */
static bool is_match(
	struct conf_process process, const char *words, uint32_t argc, const char *name, const char *line, size_t size)
{
	char strings[256] = "";
	struct conf c = {.strings = strings, .n_strings = sizeof(strings)};

	memcpy(strings + 1, words, 128);
	process.command = (struct conf_command){.argv = 1, .argc = argc};
	return script_match_process(&c, &process, name, line, size);
}

#define LINE(text) text, sizeof(text)
#define WORDS(text, n) (const char[128]){text}, n

START_TEST(test_match_process)
{
	const struct conf_process plain = {0}, full = {.full_command = 1}, exact = {.param_match = CONF_PARAM_EXACT};
	const struct conf_process partial = {.param_match = CONF_PARAM_PARTIAL};
	const struct conf_process initial = {.param_match = CONF_PARAM_INITIAL};

	ck_assert(!script_match_needs_line(&plain) && script_match_needs_line(&exact));
	ck_assert(is_match(plain, WORDS("nginx", 1), "nginx", "", 0));
	ck_assert(is_match(plain, WORDS("/usr/sbin/nginx", 1), "nginx", "", 0));
	ck_assert(!is_match(plain, WORDS("ssh", 1), "sshd", "", 0));
	/* The kernel keeps fifteen bytes. */
	ck_assert(is_match(plain, WORDS("a-very-long-daemon-name", 1), "a-very-long-dae", "", 0));
	ck_assert(!is_match(plain, WORDS("a-very-long-daemon-name", 1), "a-very-long", "", 0));
	ck_assert(is_match(full, WORDS("nginx", 1), "x", LINE("/usr/sbin/nginx\0-g\0daemon off;")));
	ck_assert(!is_match(full, WORDS("/sbin/nginx", 1), "x", LINE("/usr/sbin/nginx")));
	ck_assert(!is_match(full, WORDS("nginx", 1), "nginx", "", 0));
	/* Configured arguments are all of them. */
	ck_assert(is_match(plain, WORDS("d\0-a\0-b", 3), "d", LINE("d\0-a\0-b")));
	ck_assert(!is_match(plain, WORDS("d\0-a\0-b", 3), "d", LINE("d\0-a")));
	ck_assert(!is_match(plain, WORDS("d\0-a", 2), "d", LINE("d\0-a\0-b")));
	ck_assert(is_match(partial, WORDS("d\0-a", 2), "d", LINE("d\0-a\0-b")));
	ck_assert(!is_match(partial, WORDS("d\0-a", 2), "d", LINE("d\0-ab")));
	ck_assert(is_match(initial, WORDS("d\0-a", 2), "d", LINE("d\0-ab")));
	ck_assert(!is_match(initial, WORDS("d\0-a", 2), "d", LINE("d\0-ab\0c")));
	ck_assert(is_match(exact, WORDS("d", 1), "d", LINE("d")));
	ck_assert(!is_match(exact, WORDS("d", 1), "d", LINE("d\0x")));
	/* Without its end it is not looked at. */
	ck_assert(!is_match(full, WORDS("d", 1), "d", "d", 1));
}
END_TEST

START_TEST(test_quorum)
{
	const struct conf_process c = {.quorum = 2, .quorum_max = 3, .fork_delay_us = 500, .terminate_delay_us = 1000};
	struct script_quorum q = {0};
	int64_t next;

	/* The first count decides at once. */
	ck_assert(script_quorum_step(&q, &c, 1, 10, &next));
	ck_assert(!q.is_up && next == 0);
	ck_assert(!script_quorum_step(&q, &c, 2, 100, &next));
	ck_assert(!q.is_up && next == 600);
	/* A short visit does not count. */
	ck_assert(!script_quorum_step(&q, &c, 4, 200, &next));
	ck_assert_int_eq(next, 0);
	ck_assert(!script_quorum_step(&q, &c, 3, 300, &next));
	ck_assert_int_eq(next, 800);
	ck_assert(!script_quorum_step(&q, &c, 2, 799, &next));
	ck_assert(script_quorum_step(&q, &c, 2, 800, &next));
	ck_assert(q.is_up && next == 0);
	ck_assert(!script_quorum_step(&q, &c, 0, 900, &next));
	ck_assert_int_eq(next, 1900);
	ck_assert(script_quorum_step(&q, &c, 0, 1900, &next));
	ck_assert(!q.is_up);
}
END_TEST

START_TEST(test_match_number)
{
	static const struct {
		const char *text;
		bool is_number;
		int32_t value;
	} cases[] = {
		{"", true, 0},
		{" \n", true, 0},
		{"5", true, 5},
		{"-12\n", true, -12},
		{"  +7  ", true, 7},
		{"99999999999", true, INT32_MAX},
		{"-99999999999", true, INT32_MIN},
		{"5 6", false, 0},
		{"0x5", false, 0},
		{"load", false, 0},
		{"-", false, 0},
		{"00000000000000000000000000000000000000001", false, 0},
	};
	int32_t value;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ck_assert_int_eq(script_match_number(cases[i].text, strlen(cases[i].text), &value), cases[i].is_number);
		ck_assert_int_eq(value, cases[i].value);
	}
}
END_TEST

/* ---- paths ---- */

START_TEST(test_path_find)
{
	char path[PATH_MAX], why[PATH_WHY_SIZE];

	ck_assert_int_eq(script_path_find("sh", path, why), 0);
	ck_assert_ptr_nonnull(strstr(path, "/bin/sh"));
	ck_assert_int_eq(script_path_find("/bin/sh", path, why), 0);
	ck_assert_str_eq(path, "/bin/sh");
	ck_assert_int_eq(script_path_find("/bin/none-such", path, why), -1);
	ck_assert_str_eq(why, "/bin/none-such: No such file or directory");
	ck_assert_int_eq(script_path_find("none-such", path, why), -1);
	ck_assert_ptr_nonnull(strstr(why, "none-such: no such program in /usr"));
}
END_TEST

static char dir[] = "/tmp/check-script-XXXXXX";

static void make(const char *name, mode_t mode)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Needs to own the files as root does; elsewhere the answer is always that they belong to somebody else. */
START_TEST(test_path_check)
{
	char path[PATH_MAX], why[PATH_WHY_SIZE], link[PATH_MAX];

	ck_assert_int_eq(script_path_check("/bin/sh", why), 0);
	ck_assert_int_eq(script_path_check("/usr//bin/./env", why), 0);
	ck_assert_int_eq(script_path_check("bin/sh", why), -1);
	ck_assert_int_eq(script_path_check("/bin/none-such", why), -1);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	make("x", 0755);
	snprintf(path, sizeof(path), "%s/x", dir);
	/* Everybody may write into /tmp. */
	ck_assert_int_eq(script_path_check(path, why), -1);
	ck_assert_str_eq(why, "/tmp can be written by others than root");
	/* A link from a safe place does not make it safer; /proc/self/cwd is one that the test has. */
	ck_assert_int_eq(chdir(dir), 0);
	snprintf(link, sizeof(link), "/proc/self/cwd/x");
	ck_assert_int_eq(script_path_check(link, why), -1);
	unlink(path);
	rmdir(dir);
}
END_TEST

/* 2026-11-29 12:00:00 UTC; the zone is one with summer time. */
#define NOON 1795953600
#define HOUR 3600

static const struct {
	const char *line;
	enum script_time kind;
	time_t at; /* seconds after NOON */
} moments[] = {
	{"12:00:01Z", SCRIPT_TIME_DAILY, 1},
	{"12:00:00Z", SCRIPT_TIME_DAILY, 24 * HOUR},
	{"11:59:59Z\n", SCRIPT_TIME_DAILY, 24 * HOUR - 1},
	{"14:00:00", SCRIPT_TIME_DAILY, HOUR},
	{"13:00:00\nsecond line", SCRIPT_TIME_DAILY, 24 * HOUR},
	{"26-11-29 13:00:00Z", SCRIPT_TIME_ONCE, HOUR},
	{"2026-11-29 13:00:01", SCRIPT_TIME_ONCE, 1},
	{"2026-11-30 12:00:00Z", SCRIPT_TIME_ONCE, 24 * HOUR},
	{"2027-02-28 12:00:00Z", SCRIPT_TIME_ONCE, 91 * 24 * HOUR},
	/* in summer, an hour earlier by UTC */
	{"2027-05-29 13:00:00", SCRIPT_TIME_ONCE, 181 * 24 * HOUR - HOUR},
	{"2026-11-29 12:00:00Z", SCRIPT_TIME_PAST, 0},
	{"1999-11-29 12:00:00", SCRIPT_TIME_PAST, 0},
	{"", SCRIPT_TIME_NONE, 0},
	{"\n13:00:00", SCRIPT_TIME_NONE, 0},
	{"Z", SCRIPT_TIME_NONE, 0},
	{" 13:00:00", SCRIPT_TIME_NONE, 0},
	{"13:00:00 ", SCRIPT_TIME_NONE, 0},
	{"13:00:00\r\n", SCRIPT_TIME_NONE, 0},
	{"13:00", SCRIPT_TIME_NONE, 0},
	{"3:00:00", SCRIPT_TIME_NONE, 0},
	{"24:00:00", SCRIPT_TIME_NONE, 0},
	{"13:60:00", SCRIPT_TIME_NONE, 0},
	{"13:00:00ZZ", SCRIPT_TIME_NONE, 0},
	{"2026-11-29  13:00:00", SCRIPT_TIME_NONE, 0},
	{"2026-11-29T13:00:00", SCRIPT_TIME_NONE, 0},
	{"2026-13-29 13:00:00", SCRIPT_TIME_NONE, 0},
	{"2027-02-29 13:00:00", SCRIPT_TIME_NONE, 0},
	{"2026-00-10 13:00:00", SCRIPT_TIME_NONE, 0},
	{"2026-11-00 13:00:00", SCRIPT_TIME_NONE, 0},
	{"tomorrow", SCRIPT_TIME_NONE, 0},
};

START_TEST(test_moments)
{
	time_t at = 0;

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		enum script_time kind = script_time_parse(moments[i].line, strlen(moments[i].line), NOON, &at);

		ck_assert_msg(kind == moments[i].kind, "%s is %d", moments[i].line, kind);
		if (kind == SCRIPT_TIME_DAILY || kind == SCRIPT_TIME_ONCE)
			ck_assert_msg(
				at == NOON + moments[i].at, "%s is %ld s away", moments[i].line, (long)(at - NOON));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script_core");
	TCase *tc = tcase_create("core");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_verdict);
	tcase_add_test(tc, test_next_start);
	tcase_add_test(tc, test_queue_order);
	tcase_add_test(tc, test_queue_is_bounded);
	tcase_add_test(tc, test_queue_has_room_for_everything_at_once);
	tcase_add_test(tc, test_queue_runs_so_many_beside_each_other);
	tcase_add_test(tc, test_arguments);
	tcase_add_test(tc, test_user);
	tcase_add_test(tc, test_match_process);
	tcase_add_test(tc, test_quorum);
	tcase_add_test(tc, test_match_number);
	tcase_add_test(tc, test_moments);
	tcase_add_test(tc, test_path_find);
	tcase_add_test(tc, test_path_check);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
