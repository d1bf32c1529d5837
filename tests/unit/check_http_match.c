/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of HTTP answers: good answers in every framing, hostile ones, and the same outcome however the bytes are
 * cut into pieces. */
#include "body_match.h"
#include "http_match.h"
#include "http_request.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct outcome {
	enum http_state state;
	enum reason error;
	unsigned status;
	size_t body_length;
	char body[4096];
};

/* Feeds data in pieces of `piece` bytes (0 = all at once), then closes if wanted. */
static struct outcome run(const char *data, size_t length, size_t piece, bool closes)
{
	struct outcome o = {0};
	struct http_answer a;

	http_answer_init(&a);
	for (size_t at = 0; at < length && !http_answer_is_over(&a);) {
		size_t n = piece && piece < length - at ? piece : length - at;
		const uint8_t *body;
		size_t body_length, used;

		used = http_answer_feed(&a, (const uint8_t *)data + at, n, &body, &body_length);
		ck_assert_uint_ge(used, 1);
		ck_assert_uint_le(used, n);
		if (body_length && o.body_length + body_length <= sizeof(o.body)) {
			memcpy(o.body + o.body_length, body, body_length);
			o.body_length += body_length;
		}
		at += used;
	}
	if (closes)
		http_answer_close(&a);
	o.state = a.state;
	o.error = a.error;
	o.status = a.status;
	ck_assert_uint_ge(a.body_bytes, o.body_length);
	return o;
}

/* result: the body, or "!NAME" with the reason of the failure, or "?" for an answer that is not over yet. */
struct answer {
	const char *data;
	bool closes;
	unsigned status;
	const char *result;
};

#define OK "HTTP/1.1 200 OK\r\n"

static const struct answer answers[] = {
	{OK "Content-Length: 5\r\n\r\nhello", false, 200, "hello"},
	{OK "Content-Length: 5\r\n\r\nhelloGARBAGE", false, 200, "hello"},
	{OK "content-LENGTH :\t5 \r\n\r\nhello", false, 200, "hello"},
	{OK "Content-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello", false, 200, "hello"},
	{OK "Content-Length: 0\r\n\r\n", false, 200, ""},
	{"HTTP/1.0 200 OK\r\n\r\nhello", true, 200, "hello"},
	{"HTTP/1.0 200 OK\r\n\r\nhello", false, 200, "?"},
	{"HTTP/1.0 200 OK\r\n\r\n", true, 200, ""},
	/* what a client may forgive */
	{"HTTP/1.0 200\r\n\r\nx", true, 200, "x"},
	{"HTTP/1.1 200 \n\nbare line feeds", true, 200, "bare line feeds"},
	{OK "no colon here\r\n: empty name\r\nContent-Length: 1\r\n\r\nx", false, 200, "x"},
	{OK "X: a\r\n folded\r\n\tand again\r\nContent-Length: 1\r\n\r\nx", false, 200, "x"},
	{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone", false, 404, "gone"},
	{"HTTP/1.1 204 None\r\nContent-Length: 7\r\n\r\n", false, 204, ""},
	{"HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n", false, 304, ""},
	{"HTTP/1.1 100 Continue\r\nContent-Length: 99\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" OK
	 "Content-Length: 2\r\n\r\nhi",
		false, 200, "hi"},
	/* chunks */
	{OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false, 200, "hello"},
	{OK "Transfer-Encoding: gzip, Chunked \r\n\r\n2;x=y\r\nab\r\n003 \r\ncde\r\n0\r\nTrailer: 1\r\n\r\n", false,
		200, "abcde"},
	{OK "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n", false, 200, "a"},
	{OK "Transfer-Encoding: gzip\r\nContent-Length: 3\r\n\r\nto the end", true, 200, "to the end"},
	{OK "Transfer-Encoding: unchunked\r\n\r\nraw", true, 200, "raw"},
	{OK "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n", false, 200, "?"},
	{OK "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n", true, 200, "!answer cut short"},
	{OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", false, 200, "!chunk invalid"},
	{OK "Transfer-Encoding: chunked\r\n\r\n\r\nhello", false, 200, "!chunk invalid"},
	{OK "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello", false, 200, "!chunk invalid"},
	{OK "Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello", false, 200, "!chunk invalid"},
	{OK "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\nx", false, 200, "!chunk invalid"},
	{OK "Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nx", false, 200, "?"},
	/* cut short */
	{"", true, 0, "!closed before the answer"},
	{"HTTP/1.1 2", true, 0, "!answer cut short"},
	{OK "Content-Le", true, 200, "!answer cut short"},
	{OK "Content-Length: 5\r\n\r\nhell", true, 200, "!answer cut short"},
	/* not HTTP */
	{"SSH-2.0-OpenSSH_9.2\r\n", false, 0, "!not HTTP"},
	{"<html>", false, 0, "!not HTTP"},
	{"\r\nHTTP/1.1 200 OK\r\n\r\n", false, 0, "!not HTTP"},
	{"HTTP/2 200\r\n\r\n", false, 0, "!not HTTP"},
	{"HTTP/1.1200 OK\r\n\r\n", false, 0, "!not HTTP"},
	{"HTTP/1.1 20 OK\r\n\r\n", false, 0, "!not HTTP"},
	{"HTTP/1.1 2000\r\n\r\n", false, 0, "!not HTTP"},
	{"HTTP/1.1 099 OK\r\n\r\n", false, 99, "!not HTTP"},
	{"HTTP/1.1 abc\r\n\r\n", false, 0, "!not HTTP"},
	{"HTTP/1.1\r\n", false, 0, "!not HTTP"},
	/* ambiguous framing */
	{OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", false, 200, "!header invalid"},
	{OK "Content-Length: 5, 6\r\n\r\nhello!", false, 200, "!header invalid"},
	{OK "Content-Length: five\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Content-Length: -1\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Content-Length:\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Content-Length: 5 5\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Content-Length: 99999999999999999999\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Content-Length:\r\n 5\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Content-Length: 5\r\n 0\r\n\r\nhello", false, 200, "!header invalid"},
	{OK "Transfer-Encoding: chunked\r\n , gzip\r\n\r\nhello", false, 200, "!header invalid"},
};

static void check_outcome(const struct answer *t, const struct outcome *o)
{
	if (t->result[0] == '!') {
		ck_assert_int_eq(o->state, HTTP_FAILED);
		ck_assert_str_eq(reason_name(o->error), t->result + 1);
	} else if (t->result[0] == '?') {
		ck_assert_int_ne(o->state, HTTP_FAILED);
		ck_assert_int_ne(o->state, HTTP_DONE);
	} else {
		ck_assert_int_eq(o->state, HTTP_DONE);
		ck_assert_uint_eq(o->body_length, strlen(t->result));
		ck_assert_mem_eq(o->body, t->result, o->body_length);
	}
	ck_assert_uint_eq(o->status, t->status);
}

START_TEST(whole_and_in_pieces)
{
	const struct answer *t = &answers[_i];
	size_t length = strlen(t->data);

	for (size_t piece = 0; piece <= 64; piece++) {
		struct outcome o = run(t->data, length, piece, t->closes);

		check_outcome(t, &o);
	}
}
END_TEST

/* Every prefix of a good answer either waits or, when the peer closes, fails; none passes. */
START_TEST(no_prefix_passes)
{
	static const char data[] = OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: x\r\n\r\n";

	for (size_t n = 0; n < sizeof(data) - 1; n++) {
		ck_assert_int_ne(run(data, n, 0, false).state, HTTP_DONE);
		ck_assert_int_eq(run(data, n, 0, true).state, HTTP_FAILED);
	}
	ck_assert_int_eq(run(data, sizeof(data) - 1, 0, false).state, HTTP_DONE);
}
END_TEST

START_TEST(random_bytes_end_the_same_way)
{
	static const char *const words[] = {OK, "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "\r\n",
		"5\r\n", "hello", "0\r\n", " ", ":", "\n", "HTTP/1.1 100 C\r\n", "\xff\x00", "X: y\r\n"};
	char data[400];

	srand(815);
	for (int round = 0; round < 20000; round++) {
		size_t length = 0;
		struct outcome whole, bytes;
		bool closes = rand() % 2;

		for (int i = rand() % 12; i >= 0; i--) {
			const char *word = i == 11 ? OK : words[rand() % (int)(sizeof(words) / sizeof(words[0]))];

			memcpy(data + length, word, strlen(word));
			length += strlen(word);
		}
		if (length && rand() % 4 == 0)
			data[rand() % length] = (char)rand();
		whole = run(data, length, 0, closes);
		bytes = run(data, length, 1, closes);
		ck_assert_int_eq(whole.state, bytes.state);
		ck_assert_int_eq(whole.error, bytes.error);
		ck_assert_uint_eq(whole.status, bytes.status);
		ck_assert_uint_eq(whole.body_length, bytes.body_length);
		ck_assert_mem_eq(whole.body, bytes.body, whole.body_length);
	}
}
END_TEST

/* Feeds `count` copies of a piece after a beginning; returns the bytes that were taken before it was over. */
static uint64_t flood(const char *begin, const char *piece, uint64_t count, struct http_answer *a)
{
	const uint8_t *body;
	size_t body_length;

	http_answer_init(a);
	for (size_t at = 0; at < strlen(begin);)
		at += http_answer_feed(a, (const uint8_t *)begin + at, strlen(begin) - at, &body, &body_length);
	for (uint64_t i = 0; i < count && !http_answer_is_over(a); i++)
		for (size_t at = 0; at < strlen(piece) && !http_answer_is_over(a);)
			at += http_answer_feed(a, (const uint8_t *)piece + at, strlen(piece) - at, &body, &body_length);
	return a->wire_bytes;
}

START_TEST(endless_answers_are_cut_off)
{
	struct http_answer a;
	char block[1001];

	memset(block, 'x', 1000);
	block[1000] = '\0';
	flood(OK, "X-Header: again and again\r\n", 1000000, &a);
	ck_assert_int_eq(a.error, REASON_HEADER_TOO_LONG);
	flood(OK "X: ", block, 1000000, &a);
	ck_assert_int_eq(a.error, REASON_HEADER_TOO_LONG);
	flood("HTTP/1.1 200 ", block, 1000000, &a);
	ck_assert_int_eq(a.error, REASON_HEADER_TOO_LONG);
	flood("", "HTTP/1.1 100 Continue\r\n\r\n", 1000000, &a);
	ck_assert_int_eq(a.error, REASON_HEADER_TOO_LONG);
	flood(OK "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", 10000000, &a);
	ck_assert_int_eq(a.error, REASON_HEADER_TOO_LONG);
	flood(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", "T: x\r\n", 1000000, &a);
	ck_assert_int_eq(a.error, REASON_HEADER_TOO_LONG);
	ck_assert_uint_lt(flood(OK "\r\n", block, 1000000, &a), HTTP_BODY_MAX + 2000);
	ck_assert_int_eq(a.error, REASON_BODY_TOO_LONG);
}
END_TEST

START_TEST(a_page_in_many_small_chunks_is_a_good_page)
{
	struct http_answer a;

	/* 400 kB of body, and 150 kB of lines between. */
	flood(OK "Transfer-Encoding: chunked\r\n\r\n", "10\r\n0123456789abcdef\r\n", 25000, &a);
	ck_assert(!http_answer_is_over(&a));
	ck_assert_uint_eq(a.body_bytes, 400000);
}
END_TEST

START_TEST(long_lines_are_skipped_not_misread)
{
	char data[2000];
	struct outcome o;

	/* the length is beyond what is kept of the line */
	snprintf(data, sizeof(data), OK "Content-Length: %0300d5\r\n\r\nhello", 0);
	ck_assert_int_eq(run(data, strlen(data), 0, false).error, REASON_HEADER_INVALID);
	snprintf(data, sizeof(data), OK "Content-Length: 5%300s\r\n\r\nhello", ", 6");
	ck_assert_int_eq(run(data, strlen(data), 0, false).error, REASON_HEADER_INVALID);
	snprintf(data, sizeof(data), OK "X-Long: %01000d\r\nContent-Length: 5\r\n\r\nhello", 0);
	o = run(data, strlen(data), 0, false);
	ck_assert_int_eq(o.state, HTTP_DONE);
	ck_assert_uint_eq(o.body_length, 5);
	/* a line of exactly what is kept, with and without its CR */
	for (int n = HTTP_LINE_MAX - 4; n < HTTP_LINE_MAX + 4; n++) {
		snprintf(data, sizeof(data), OK "X:%0*d\r\nContent-Length: 5\r\n\r\nhello", n - 2, 0);
		ck_assert_int_eq(run(data, strlen(data), 0, false).state, HTTP_DONE);
	}
}
END_TEST

START_TEST(failures_are_explained)
{
	static const struct {
		const char *data, *why;
	} cases[] = {
		{"", "closed before the answer"},
		{"SSH-2.0-x\r\n", "not an HTTP answer: it begins with \"SSH-2.0-x.\""},
		{"HTTP/1.1 x\r\n", "not an HTTP answer: it begins with \"HTTP/1.1 x\""},
		{OK "Content-Length: 9\r\n\r\nfour", "closed after 4 of 9 bytes of body"},
		{OK "Content-Length: 9\r\n", "closed within the header, after 36 bytes"},
		{OK "Transfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n",
			"closed before the last chunk, after 4 bytes of body"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct probe_result result = {0};
		struct http_answer a;
		const uint8_t *body;
		size_t n;

		http_answer_init(&a);
		for (size_t at = 0; at < strlen(cases[i].data) && !http_answer_is_over(&a);)
			at += http_answer_feed(
				&a, (const uint8_t *)cases[i].data + at, strlen(cases[i].data) - at, &body, &n);
		http_answer_close(&a);
		http_answer_explain(&a, &result);
		ck_assert_str_eq(result.why, cases[i].why);
	}
}
END_TEST

START_TEST(status_ranges)
{
	const struct conf_status_range ranges[] = {{200, 200}, {400, 499}};
	char text[64], small[8];

	ck_assert(http_status_is_wanted(NULL, 0, 200) && http_status_is_wanted(NULL, 0, 299));
	ck_assert(!http_status_is_wanted(NULL, 0, 199) && !http_status_is_wanted(NULL, 0, 300));
	ck_assert(http_status_is_wanted(ranges, 2, 200) && http_status_is_wanted(ranges, 2, 400));
	ck_assert(http_status_is_wanted(ranges, 2, 499) && !http_status_is_wanted(ranges, 2, 201));
	ck_assert(!http_status_is_wanted(ranges, 2, 500));
	ck_assert_str_eq(http_status_wanted_text(ranges, 0, text, sizeof(text)), "200-299");
	ck_assert_str_eq(http_status_wanted_text(ranges, 2, text, sizeof(text)), "200, 400-499");
	ck_assert_str_eq(http_status_wanted_text(ranges, 2, small, sizeof(small)), "200, 40");
}
END_TEST

/* ---- the body ---- */

static bool body_is(const char *digest, const char *regex, const char *body, size_t piece, struct probe_result *result)
{
	struct body_match m = {0};
	struct body_rule rule;
	char why[WHY_SIZE];
	bool is_good;

	ck_assert_int_eq(body_rule_compile(&rule, digest, regex, 0, why), 0);
	body_match_begin(&m, &rule);
	for (size_t at = 0; at < strlen(body); at += piece)
		body_match_add(&m, (const uint8_t *)body + at, strlen(body) - at < piece ? strlen(body) - at : piece);
	is_good = body_match_end(&m, result);
	body_match_free(&m);
	body_rule_free(&rule);
	return is_good;
}

START_TEST(digest_of_the_body)
{
	struct probe_result result = {0};

	for (size_t piece = 1; piece < 7; piece++)
		ck_assert(body_is("5D41402abc4b2a76b9719d911017c592", "", "hello", piece, &result));
	ck_assert(body_is("d41d8cd98f00b204e9800998ecf8427e", "", "", 1, &result));
	ck_assert(!body_is("5d41402abc4b2a76b9719d911017c592", "", "hello!", 3, &result));
	ck_assert_int_eq(result.reason, REASON_DIGEST);
	ck_assert_str_eq(result.why, "body does not match the digest: it has 5a8dd3ad0756a93ded72b823b19dd877");
}
END_TEST

START_TEST(expression_on_the_body)
{
	struct probe_result result = {0};

	for (size_t piece = 1; piece < 20; piece++)
		ck_assert(body_is("", "stat(e|us): *ok", "lead status: ok trail", piece, &result));
	ck_assert(!body_is("", "^ok$", "not ok", 2, &result));
	ck_assert_int_eq(result.reason, REASON_REGEX);
	ck_assert(body_is("", "^$", "", 1, &result));
	ck_assert(body_is("5d41402abc4b2a76b9719d911017c592", "h.*o", "hello", 1, &result));
	ck_assert(!body_is("5d41402abc4b2a76b9719d911017c592", "x", "hello", 1, &result));
}
END_TEST

/* keepalived's options mean what PCRE2's of that name do. */
START_TEST(options_of_the_expression)
{
	static const struct {
		enum conf_regex_option option;
		const char *regex, *body;
	} cases[] = {{CONF_REGEX_CASELESS, "OK", "all ok"}, {CONF_REGEX_DOTALL, "a.b", "a\nb"},
		{CONF_REGEX_MULTILINE, "^ok$", "not\nok\n"}, {CONF_REGEX_EXTENDED, "o k", "ok"},
		{CONF_REGEX_UTF, "^.$", "\xc3\xa4"}, {CONF_REGEX_ALLOW_EMPTY_CLASS, "a[]|b]", "b]"},
		{CONF_REGEX_DUPNAMES, "(?<n>a)|(?<n>b)", "b"}};
	struct probe_result result = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct body_match m = {0};
		struct body_rule rule;
		char why[WHY_SIZE];

		ck_assert_int_eq(body_rule_compile(&rule, "", cases[i].regex, 1u << cases[i].option, why), 0);
		body_match_begin(&m, &rule);
		body_match_add(&m, (const uint8_t *)cases[i].body, strlen(cases[i].body));
		ck_assert_msg(body_match_end(&m, &result), "case %zu", i);
		body_rule_free(&rule);
		/* Without the option the same is no match, or no expression. */
		if (body_rule_compile(&rule, "", cases[i].regex, 0, why) == 0) {
			body_match_begin(&m, &rule);
			body_match_add(&m, (const uint8_t *)cases[i].body, strlen(cases[i].body));
			ck_assert_msg(!body_match_end(&m, &result), "case %zu", i);
			body_rule_free(&rule);
		}
		body_match_free(&m);
	}
}
END_TEST

/* Bytes that are no UTF-8 do not match, and the sentence does not speak of time. */
START_TEST(broken_text_matches_nothing)
{
	struct body_match m = {0};
	struct body_rule rule;
	struct probe_result result = {0};
	char why[WHY_SIZE];

	ck_assert_int_eq(body_rule_compile(&rule, "", "a", 1u << CONF_REGEX_UTF, why), 0);
	body_match_begin(&m, &rule);
	body_match_add(&m, (const uint8_t *)"a\xff", 2);
	ck_assert(!body_match_end(&m, &result));
	ck_assert_str_eq(result.why, "body does not match the expression: 2 bytes, \"a.\"");
	body_match_free(&m);
	body_rule_free(&rule);
}
END_TEST

/* An expression that backtracks without end on this body costs milliseconds, not the process. */
START_TEST(hostile_body_is_bounded)
{
	struct probe_result result = {0};
	clock_t before = clock();
	char body[5001];

	memset(body, 'a', 5000);
	body[5000] = '\0';
	ck_assert(!body_is("", "a*a*a*a*[bc]", body, 1000, &result));
	ck_assert_int_eq(result.reason, REASON_REGEX);
	ck_assert_int_lt(clock() - before, CLOCKS_PER_SEC / 8);
}
END_TEST

START_TEST(long_body_is_kept_in_part)
{
	struct body_match m = {0};
	struct body_rule rule;
	struct probe_result result = {0};
	char why[WHY_SIZE];
	static uint8_t block[64 * 1024];

	memset(block, 'x', sizeof(block));
	ck_assert_int_eq(body_rule_compile(&rule, "", "needle", 0, why), 0);
	body_match_begin(&m, &rule);
	for (int i = 0; i < 100; i++)
		body_match_add(&m, block, sizeof(block));
	ck_assert_uint_le(m.kept_size, BODY_KEPT_MAX);
	ck_assert(!body_match_end(&m, &result));
	body_match_free(&m);
	body_rule_free(&rule);
}
END_TEST

START_TEST(bad_rules_are_refused)
{
	struct body_rule rule;
	char why[WHY_SIZE];

	ck_assert_int_eq(body_rule_compile(&rule, "5d41", "", 0, why), -1);
	ck_assert_str_eq(why, "digest is not 32 hexadecimal digits");
	ck_assert_int_eq(body_rule_compile(&rule, "5d41402abc4b2a76b9719d911017c59g", "", 0, why), -1);
	ck_assert_int_eq(body_rule_compile(&rule, "", "(", 0, why), -1);
	ck_assert_ptr_nonnull(strstr(why, "regex does not compile"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_match");
	TCase *tc = tcase_create("answer");
	TCase *body = tcase_create("body");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, whole_and_in_pieces, 0, (int)(sizeof(answers) / sizeof(answers[0])));
	tcase_add_test(tc, no_prefix_passes);
	tcase_add_test(tc, random_bytes_end_the_same_way);
	tcase_add_test(tc, endless_answers_are_cut_off);
	tcase_add_test(tc, a_page_in_many_small_chunks_is_a_good_page);
	tcase_add_test(tc, long_lines_are_skipped_not_misread);
	tcase_add_test(tc, failures_are_explained);
	tcase_add_test(tc, status_ranges);
	suite_add_tcase(suite, tc);
	tcase_add_test(body, digest_of_the_body);
	tcase_add_test(body, expression_on_the_body);
	tcase_add_test(body, options_of_the_expression);
	tcase_add_test(body, broken_text_matches_nothing);
	tcase_add_test(body, hostile_body_is_bounded);
	tcase_add_test(body, long_body_is_kept_in_part);
	tcase_add_test(body, bad_rules_are_refused);
	suite_add_tcase(suite, body);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
