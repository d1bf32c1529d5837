/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real probes against scripted servers on the loopback: every way in which a server can fail has its own reason and
 * sentence, costs its own check only, and leaves no descriptor behind. */
#include "health_fixture.h"
#include "linger.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO_DIGEST "5d41402abc4b2a76b9719d911017c592"
#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

static struct peer peer;

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

static void run_http(const char *answer, const struct check_text *more)
{
	struct check_text text = more ? *more : (struct check_text){0};

	peer_start(&peer, peer_serve_answer, answer);
	text.kind = CONF_CHECK_HTTP;
	text.port = peer.port;
	run_once(&text);
	peer_stop(&peer);
}

/* ---- TCP_CHECK ---- */

static void serve_banner(struct peer *p, int fd)
{
	peer_write(fd, "220 hello, I speak first\r\n");
	usleep(20000);
	peer_read_end(p, fd);
}

/* A server that speaks first sees our FIN, never a reset. */
START_TEST(tcp_passes_and_ends_with_fin)
{
	peer_start(&peer, serve_banner, NULL);
	run_once(&(struct check_text){.kind = CONF_CHECK_TCP, .port = peer.port, .interval_ms = 60000});
	expect(REASON_OK, "connected in ");
	fixture_spin(100);
	peer_stop(&peer);
	ck_assert_int_eq(peer.connections, 1);
	ck_assert_int_eq(peer.last_end, 0);
}
END_TEST

static int closed;

static void count_closed(void *arg, int fd)
{
	(void)arg;
	close(fd);
	closed++;
}

/* Ends one connection whose peer says `words` and hangs up when we do. */
static void linger_once(struct lingers *l, uint32_t target, const char *words)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), server, before = closed;

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	getsockname(listener, (struct sockaddr *)&sin, &length);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	server = accept(listener, NULL, NULL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	peer_write(server, words);
	linger_begin(l, fd, false, target, mono_now());
	close(server);
	close(listener);
	for (int i = 0; i < 200 && closed == before; i++)
		fixture_spin(20);
	ck_assert_int_eq(closed, before + 1);
}

/* A target that hangs up in silence is just closed for a while, then looked at again; one that speaks always gets its
 * time. */
START_TEST(silent_targets_are_remembered)
{
	struct lingers *l = lingers_new(fixture_loop, count_closed, NULL);
	struct addr addr = {.family = AF_INET, .bytes = {192, 0, 2, 1}};
	uint32_t silent = linger_target(&addr, 80), other = linger_target(&addr, 81);
	int runs = 0;

	ck_assert_uint_ne(silent, other);
	ck_assert(!linger_is_needless(l, silent));
	linger_once(l, other, "220 hello\r\n");
	ck_assert(!linger_is_needless(l, other));
	linger_once(l, silent, "");
	ck_assert(!linger_is_needless(l, other));
	while (linger_is_needless(l, silent))
		ck_assert_int_lt(++runs, 100);
	ck_assert_int_gt(runs, 5);
	lingers_free(l);
}
END_TEST

START_TEST(tcp_refused)
{
	run_once(&(struct check_text){.kind = CONF_CHECK_TCP, .port = peer_free_port()});
	expect(REASON_REFUSED, "connection refused");
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_DOWN);
}
END_TEST

/* A queue of connections that is full lets the handshake hang. */
START_TEST(tcp_connect_timeout)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int fillers[4];

	bind(fd, (struct sockaddr *)&sin, sizeof(sin));
	ck_assert_int_eq(listen(fd, 0), 0);
	getsockname(fd, (struct sockaddr *)&sin, &length);
	for (int i = 0; i < 4; i++) {
		fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fillers[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	run_once(&(struct check_text){.kind = CONF_CHECK_TCP, .port = ntohs(sin.sin_port), .timeout_ms = 200});
	expect(REASON_CONNECT_TIMEOUT, "connect timeout after 200 ms");
	ck_assert_int_ge(fixture_last.check->status.last_duration_us, 200 * US_PER_MS);
	ck_assert_int_lt(fixture_last.check->status.last_duration_us, 1500 * US_PER_MS);
	for (int i = 0; i < 4; i++)
		close(fillers[i]);
	close(fd);
}
END_TEST

static void serve_source(struct peer *p, int fd)
{
	struct sockaddr_in sin;
	socklen_t length = sizeof(sin);

	getpeername(fd, (struct sockaddr *)&sin, &length);
	snprintf(p->request, sizeof(p->request), "%08x", ntohl(sin.sin_addr.s_addr));
	peer_read_end(p, fd);
}

START_TEST(bindto_is_the_source)
{
	peer_start(&peer, serve_source, NULL);
	run_once(&(struct check_text){.kind = CONF_CHECK_TCP, .port = peer.port, .bind = "127.0.0.9"});
	fixture_spin(50);
	peer_stop(&peer);
	expect(REASON_OK, "connected");
	ck_assert_str_eq(peer.request, "7f000009");
}
END_TEST

/* As the kernel may choose it when a server of this machine is down. */
START_TEST(nobody_is_up_by_an_answer_from_ourselves)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uint16_t port;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &length), 0);
	close(fd);
	port = ntohs(sin.sin_port);
	run_once(&(struct check_text){
		.kind = CONF_CHECK_TCP, .port = port, .bind = "127.0.0.1", .bind_port = port, .interval_ms = 60000});
	expect(REASON_REFUSED, "connection refused");
}
END_TEST

/* An address that is not ours (a virtual address on the backup router) is no failure of the server. */
START_TEST(own_trouble_keeps_the_verdict)
{
	run_once(&(struct check_text){.kind = CONF_CHECK_TCP, .port = 9, .bind = "192.0.2.77"});
	expect(REASON_BIND, "cannot send from 192.0.2.77 (bindto)");
	ck_assert(!fixture_last.has_step);
	ck_assert_int_eq(fixture_last.check->verdict.health, HEALTH_UNKNOWN);
	ck_assert_uint_eq(fixture_last.check->verdict.failures, 0);
	ck_assert_ptr_nonnull(strstr(fixture_last.check->status.why, "192.0.2.77"));
}
END_TEST

/* ---- HTTP_GET ---- */

START_TEST(http_passes)
{
	run_http(HELLO, &(struct check_text){.digest = HELLO_DIGEST, .path = "/health?x=1"});
	expect(REASON_OK, "status 200 in ");
	ck_assert_ptr_nonnull(strstr(peer.request, "GET /health?x=1 HTTP/1.0\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.request, "\r\nHost: 127.0.0.1:"));
	ck_assert_ptr_null(strstr(peer.request, "Connection:"));
}
END_TEST

START_TEST(http_request_versions)
{
	run_http(HELLO, &(struct check_text){.version = CONF_HTTP_1_1, .virtualhost = "www.example.org"});
	expect(REASON_OK, "status 200");
	ck_assert_ptr_nonnull(strstr(peer.request, "GET / HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.request, "\r\nConnection: close\r\n"));
	ck_assert_ptr_nonnull(strstr(peer.request, "\r\nHost: www.example.org\r\n"));
}
END_TEST

START_TEST(http_status)
{
	run_http("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", NULL);
	expect(REASON_STATUS, "status 503, wanted 200-299");
}
END_TEST

START_TEST(http_status_wanted)
{
	run_http("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", &(struct check_text){.status = {500, 503}});
	expect(REASON_OK, "status 503");
}
END_TEST

/* The error page need not end: the status has decided. */
START_TEST(http_bad_status_is_not_read_to_its_end)
{
	run_http("HTTP/1.1 500 Oops\r\nContent-Length: 1000000\r\n\r\nonly this", NULL);
	expect(REASON_STATUS, "status 500");
}
END_TEST

START_TEST(http_digest)
{
	run_http("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		&(struct check_text){.digest = HELLO_DIGEST, .version = CONF_HTTP_1_1});
	expect(REASON_OK, "status 200");
}
END_TEST

START_TEST(http_wrong_digest)
{
	run_http("HTTP/1.0 200 OK\r\n\r\nHello", &(struct check_text){.digest = HELLO_DIGEST});
	expect(REASON_DIGEST, "body does not match the digest");
}
END_TEST

START_TEST(http_regex)
{
	run_http(HELLO, &(struct check_text){.regex = "^goodbye"});
	expect(REASON_REGEX, "body does not match the expression");
}
END_TEST

START_TEST(http_closed_at_once)
{
	run_http("", NULL);
	expect(REASON_CLOSED, "closed before the answer");
}
END_TEST

START_TEST(http_truncated)
{
	run_http("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", NULL);
	expect(REASON_TRUNCATED, "closed after 5 of 50 bytes of body");
}
END_TEST

START_TEST(http_garbage)
{
	run_http("SSH-2.0-OpenSSH_9.2p1\r\n", NULL);
	expect(REASON_NOT_HTTP, "begins with \"SSH-2.0-OpenSSH_9.2p1");
}
END_TEST

static void serve_reset(struct peer *p, int fd)
{
	peer_read_request(p, fd);
	peer_write(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhe");
	usleep(20000);
	peer_reset(fd);
}

START_TEST(http_reset)
{
	peer_start(&peer, serve_reset, NULL);
	run_once(&(struct check_text){.kind = CONF_CHECK_HTTP, .port = peer.port});
	peer_stop(&peer);
	expect(REASON_RESET, "connection reset by the server");
}
END_TEST

START_TEST(http_silence)
{
	peer_start(&peer, peer_serve_silence, NULL);
	run_once(&(struct check_text){.kind = CONF_CHECK_HTTP, .port = peer.port, .timeout_ms = 150});
	peer_stop(&peer);
	expect(REASON_ANSWER_TIMEOUT, "no answer within ");
}
END_TEST

static void serve_later(struct peer *p, int fd)
{
	peer_read_request(p, fd);
	usleep(100000);
	peer_write(fd, HELLO);
	peer_read_end(p, fd);
}

static void sleep_at_work(struct timer *timer, void *arg)
{
	(void)timer;
	(void)arg;
	usleep(900000);
}

/* A process that is held up finds the time over and the answer there: the server was in time. */
START_TEST(http_answer_while_we_sleep)
{
	struct timer sleep = {.fire = sleep_at_work};

	peer_start(&peer, serve_later, NULL);
	fixture_commit(fixture_conf(
		1, &(struct check_text){.kind = CONF_CHECK_HTTP, .port = peer.port, .timeout_ms = 400}, 1));
	loop_timer_set(fixture_loop, &sleep, mono_add(mono_now(), 50 * US_PER_MS));
	ck_assert(fixture_until_runs(1, 5000));
	peer_stop(&peer);
	expect(REASON_OK, "200");
}
END_TEST

static void serve_drip(struct peer *p, int fd)
{
	peer_read_request(p, fd);
	peer_write(fd, "HTTP/1.1 200 OK\r\n");
	while (!p->is_stopped && send(fd, "X: y\r\n", 1, MSG_NOSIGNAL) > 0)
		usleep(20000);
}

/* A byte now and then keeps the connection busy, but not for ever. */
START_TEST(http_slow_loris)
{
	peer_start(&peer, serve_drip, NULL);
	run_once(&(struct check_text){.kind = CONF_CHECK_HTTP, .port = peer.port, .timeout_ms = 500});
	peer_stop(&peer);
	expect(REASON_TOTAL_TIMEOUT, "answer not complete after ");
	ck_assert_int_lt(fixture_last.check->status.last_duration_us, 8000 * US_PER_MS);
}
END_TEST

static void serve_flood(struct peer *p, int fd)
{
	static char block[65536];
	/* Who has seen enough lets the connection linger without reading: nobody would end a wait. */
	struct timeval patience = {.tv_usec = 50000};

	memset(block, 'x', sizeof(block));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	peer_read_request(p, fd);
	peer_write(fd, p->answer);
	while (!p->is_stopped && (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0 || errno == EAGAIN))
		;
}

static void run_flood(const char *begin, const struct check_text *more)
{
	struct check_text text = *more;

	peer_start(&peer, serve_flood, begin);
	text.kind = CONF_CHECK_HTTP;
	text.port = peer.port;
	text.timeout_ms = 2000;
	run_once(&text);
	peer_stop(&peer);
}

START_TEST(http_endless_body)
{
	run_flood("HTTP/1.0 200 OK\r\n\r\n", &(struct check_text){.digest = HELLO_DIGEST});
	expect(REASON_BODY_TOO_LONG, "body longer than 16 MiB");
}
END_TEST

START_TEST(http_endless_header)
{
	run_flood("HTTP/1.0 200 OK\r\nX: ", &(struct check_text){0});
	expect(REASON_HEADER_TOO_LONG, "header longer than 64 KiB");
}
END_TEST

/* Nobody asked for the page: its status is enough, and reading goes on only so far. */
START_TEST(http_endless_page_of_good_status)
{
	run_flood("HTTP/1.0 200 OK\r\n\r\n", &(struct check_text){0});
	expect(REASON_OK, "status 200");
}
END_TEST

static void serve_by_path(struct peer *p, int fd)
{
	if (!peer_read_request(p, fd))
		return;
	peer_write(fd, strstr(p->request, "GET /bad") ? "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n" : HELLO);
}

START_TEST(http_every_url_must_pass)
{
	char what[CHECK_TEXT_SIZE];

	peer_start(&peer, serve_by_path, NULL);
	run_once(&(struct check_text){.kind = CONF_CHECK_HTTP, .port = peer.port, .path = "/good", .path2 = "/bad"});
	expect(REASON_STATUS, "status 404, wanted 200-299");
	ck_assert_uint_eq(fixture_last.result.step, 1);
	ck_assert_str_eq(checker_describe(fixture_last.check, 1, what), "HTTP_GET /bad");
	ck_assert_str_eq(fixture_last.check->status.why, "status 404, wanted 200-299 (HTTP_GET /bad)");
	ck_assert_int_eq(peer.connections, 2);
	peer_stop(&peer);
}
END_TEST

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, fixture_setup, fixture_teardown);
	tcase_set_timeout(tc, 15);
	suite_add_tcase(suite, tc);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("health_probe");
	TCase *tcp = add_case(suite, "tcp"), *http = add_case(suite, "http");
	SRunner *runner = srunner_create(suite);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_test(tcp, tcp_passes_and_ends_with_fin);
	tcase_add_test(tcp, silent_targets_are_remembered);
	tcase_add_test(tcp, tcp_refused);
	tcase_add_test(tcp, tcp_connect_timeout);
	tcase_add_test(tcp, bindto_is_the_source);
	tcase_add_test(tcp, nobody_is_up_by_an_answer_from_ourselves);
	tcase_add_test(tcp, own_trouble_keeps_the_verdict);
	tcase_add_test(http, http_passes);
	tcase_add_test(http, http_request_versions);
	tcase_add_test(http, http_status);
	tcase_add_test(http, http_status_wanted);
	tcase_add_test(http, http_bad_status_is_not_read_to_its_end);
	tcase_add_test(http, http_digest);
	tcase_add_test(http, http_wrong_digest);
	tcase_add_test(http, http_regex);
	tcase_add_test(http, http_closed_at_once);
	tcase_add_test(http, http_truncated);
	tcase_add_test(http, http_garbage);
	tcase_add_test(http, http_reset);
	tcase_add_test(http, http_silence);
	tcase_add_test(http, http_answer_while_we_sleep);
	tcase_add_test(http, http_slow_loris);
	tcase_add_test(http, http_endless_body);
	tcase_add_test(http, http_endless_header);
	tcase_add_test(http, http_endless_page_of_good_status);
	tcase_add_test(http, http_every_url_must_pass);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
