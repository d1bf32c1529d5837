/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SSL_GET against real and misbehaving TLS servers on the loopback; keys and certificates are made when the test runs.
 */
#include "health_fixture.h"
#include <check.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define HELLO_DIGEST "5d41402abc4b2a76b9719d911017c592"

static struct peer peer;
static SSL_CTX *server;
static char sni[256];
static volatile int resumed;
static char ca_file[64];

/* A self-signed certificate for localhost and 127.0.0.1, valid from now on. */
static X509 *make_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509V3_CTX ctx;
	X509_EXTENSION *names;

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	names = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
	X509_add_ext(x, names, -1);
	X509_EXTENSION_free(names);
	ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
	return x;
}

static int note_sni(SSL *tls, int *alert, void *arg)
{
	const char *name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)arg;
	snprintf(sni, sizeof(sni), "%s", name ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static void setup(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = make_certificate(key);
	FILE *file;

	snprintf(ca_file, sizeof(ca_file), "/tmp/poise-check-ca-XXXXXX");
	file = fdopen(mkstemp(ca_file), "w");
	PEM_write_X509(file, certificate);
	fclose(file);
	server = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server, certificate);
	SSL_CTX_use_PrivateKey(server, key);
	SSL_CTX_set_tlsext_servername_callback(server, note_sni);
	X509_free(certificate);
	EVP_PKEY_free(key);
	sni[0] = '\0';
	fixture_setup();
}

static void teardown(void)
{
	fixture_teardown();
	SSL_CTX_free(server);
	unlink(ca_file);
}

static void expect(enum reason reason, const char *why)
{
	ck_assert_msg(fixture_last.result.reason == reason && strstr(fixture_last.result.why, why) != NULL,
		"%s: \"%s\" is not in \"%s\"", reason_name(fixture_last.result.reason), why, fixture_last.result.why);
}

static SSL *accept_tls(int fd)
{
	SSL *tls = SSL_new(server);

	SSL_set_fd(tls, fd);
	if (SSL_accept(tls) == 1)
		return tls;
	SSL_free(tls);
	return NULL;
}

static void serve_tls(struct peer *p, int fd)
{
	SSL *tls = accept_tls(fd);
	int n;

	if (!tls)
		return;
	resumed += SSL_session_reused(tls) == 1;
	n = SSL_read(tls, p->request, sizeof(p->request) - 1);
	if (n > 0) {
		p->request[n] = '\0';
		SSL_write(tls, p->answer, (int)strlen(p->answer));
		SSL_shutdown(tls);
		peer_read_end(p, fd);
	}
	SSL_free(tls);
}

/* Ends without close_notify. */
static void serve_tls_abruptly(struct peer *p, int fd)
{
	SSL *tls = accept_tls(fd);

	if (!tls)
		return;
	if (SSL_read(tls, p->request, sizeof(p->request) - 1) > 0)
		SSL_write(tls, p->answer, (int)strlen(p->answer));
	SSL_set_quiet_shutdown(tls, 1);
	SSL_free(tls);
}

static void run(void (*serve)(struct peer *p, int fd), const char *answer, const struct check_text *more)
{
	struct check_text text = *more;

	peer_start(&peer, serve, answer);
	text.kind = CONF_CHECK_SSL;
	text.port = peer.port;
	text.interval_ms = 60000;
	fixture_commit(fixture_conf(1, &text, 1));
	ck_assert(fixture_until_runs(1, 5000));
	fixture_spin(50);
	peer_stop(&peer);
}

START_TEST(passes_without_verification)
{
	run(serve_tls, HELLO, &(struct check_text){.digest = HELLO_DIGEST});
	expect(REASON_OK, "status 200 in ");
	ck_assert_str_eq(sni, "");
	ck_assert_int_eq(peer.last_end, 0);
}
END_TEST

START_TEST(sends_the_server_name)
{
	run(serve_tls, HELLO, &(struct check_text){.sni = true, .virtualhost = "www.example.org:443"});
	expect(REASON_OK, "status 200");
	ck_assert_str_eq(sni, "www.example.org");
	ck_assert_ptr_nonnull(strstr(peer.request, "Host: www.example.org:443\r\n"));
}
END_TEST

START_TEST(sends_no_address_as_name)
{
	run(serve_tls, HELLO, &(struct check_text){.sni = true, .virtualhost = "192.0.2.1"});
	expect(REASON_OK, "status 200");
	ck_assert_str_eq(sni, "");
}
END_TEST

START_TEST(status_counts_as_in_clear)
{
	run(serve_tls, "HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", &(struct check_text){0});
	expect(REASON_STATUS, "status 502, wanted 200-299");
}
END_TEST

/* Many servers do it, and the length tells whether something is missing. */
START_TEST(missing_goodbye_is_forgiven)
{
	run(serve_tls_abruptly, "HTTP/1.0 200 OK\r\n\r\nhello", &(struct check_text){.digest = HELLO_DIGEST});
	expect(REASON_OK, "status 200");
}
END_TEST

START_TEST(cut_answer_is_not_forgiven)
{
	run(serve_tls_abruptly, "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nhello", &(struct check_text){0});
	expect(REASON_TRUNCATED, "closed after 5 of 6 bytes");
}
END_TEST

START_TEST(self_signed_is_not_trusted_when_asked)
{
	run(serve_tls, HELLO, &(struct check_text){.verify = true});
	expect(REASON_TLS_UNTRUSTED, "certificate not trusted: self-signed certificate");
}
END_TEST

/* The fixture's checker reads the "system's" authorities from a file that holds our certificate. */
static void trust_own_certificate(void)
{
	setenv("SSL_CERT_FILE", ca_file, 1);
}

START_TEST(trusted_name_passes)
{
	trust_own_certificate();
	run(serve_tls, HELLO, &(struct check_text){.verify = true, .virtualhost = "localhost"});
	expect(REASON_OK, "status 200");
	ck_assert_str_eq(sni, "localhost");
}
END_TEST

START_TEST(trusted_address_passes)
{
	trust_own_certificate();
	run(serve_tls, HELLO, &(struct check_text){.verify = true});
	expect(REASON_OK, "status 200");
}
END_TEST

START_TEST(other_name_is_refused)
{
	trust_own_certificate();
	run(serve_tls, HELLO, &(struct check_text){.verify = true, .virtualhost = "www.example.org"});
	expect(REASON_TLS_UNTRUSTED, "certificate not trusted: hostname mismatch");
}
END_TEST

/* The next handshake of a check that verifies nothing is a short one; one that verifies sees the certificate each time.
 */
START_TEST(sessions_are_resumed_without_verification)
{
	struct check_text text = {.kind = CONF_CHECK_SSL, .interval_ms = 60000, .verify = _i == 1, .ca_file = ca_file};

	resumed = 0;
	peer_start(&peer, serve_tls, HELLO);
	text.port = peer.port;
	fixture_commit(fixture_conf(1, &text, 1));
	ck_assert(fixture_until_runs(1, 5000));
	for (int i = 2; i <= 4; i++) {
		checker_run_now(fixture_last.check);
		ck_assert(fixture_until_runs(i, 5000));
		expect(REASON_OK, "status 200");
	}
	peer_stop(&peer);
	ck_assert_int_eq(peer.connections, 4);
	ck_assert_int_eq(resumed, _i == 1 ? 0 : 3);
}
END_TEST

/* ---- servers that do not speak TLS, or badly ---- */

static void serve_clear(struct peer *p, int fd)
{
	char buf[1024];

	(void)p;
	if (recv(fd, buf, sizeof(buf), 0) > 0)
		peer_write(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

START_TEST(clear_text_server)
{
	run(serve_clear, NULL, &(struct check_text){0});
	expect(REASON_TLS_FAILED, "TLS handshake failed: wrong version number (this port does not speak TLS?)");
}
END_TEST

static void serve_handshake_reset(struct peer *p, int fd)
{
	char buf[16];

	(void)p;
	if (recv(fd, buf, sizeof(buf), 0) > 0)
		peer_reset(fd);
}

START_TEST(reset_in_the_handshake)
{
	run(serve_handshake_reset, NULL, &(struct check_text){0});
	expect(REASON_TLS_FAILED, "TLS handshake failed: connection reset by the server");
}
END_TEST

static void serve_handshake_close(struct peer *p, int fd)
{
	char buf[4096];

	(void)p;
	if (recv(fd, buf, sizeof(buf), 0) > 0)
		shutdown(fd, SHUT_RDWR);
}

START_TEST(closed_in_the_handshake)
{
	run(serve_handshake_close, NULL, &(struct check_text){0});
	expect(REASON_TLS_FAILED, "TLS handshake failed: ");
}
END_TEST

START_TEST(silence_in_the_handshake)
{
	run(peer_serve_silence, NULL, &(struct check_text){.timeout_ms = 150});
	expect(REASON_TLS_TIMEOUT, "TLS handshake not finished after ");
}
END_TEST

/* A failure leaves nothing in OpenSSL's queue that the next probe would take for its own. */
START_TEST(errors_do_not_leak_into_the_next_probe)
{
	struct peer bad = {0}, good = {0};
	struct check_text texts[2];
	int good_runs = 0;

	peer_start(&bad, serve_clear, NULL);
	peer_start(&good, serve_tls, HELLO);
	texts[0] = (struct check_text){.kind = CONF_CHECK_SSL, .port = bad.port, .interval_ms = 20};
	texts[1] = (struct check_text){.kind = CONF_CHECK_SSL, .port = good.port, .server = 1, .interval_ms = 20};
	fixture_commit(fixture_conf(1, texts, 2));
	for (int i = 1; i <= 60; i++) {
		bool is_good;

		ck_assert(fixture_until_runs(fixture_last.runs + 1, 2000));
		is_good = fixture_last.check->spec.index == 1;
		expect(is_good ? REASON_OK : REASON_TLS_FAILED, is_good ? "status 200" : "wrong version");
		good_runs += is_good;
	}
	ck_assert_int_gt(good_runs, 5);
	peer_stop(&bad);
	peer_stop(&good);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_tls");
	TCase *tc = tcase_create("tls");
	SRunner *runner = srunner_create(suite);
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 15);
	tcase_add_test(tc, passes_without_verification);
	tcase_add_loop_test(tc, sessions_are_resumed_without_verification, 0, 2);
	tcase_add_test(tc, sends_the_server_name);
	tcase_add_test(tc, sends_no_address_as_name);
	tcase_add_test(tc, status_counts_as_in_clear);
	tcase_add_test(tc, missing_goodbye_is_forgiven);
	tcase_add_test(tc, cut_answer_is_not_forgiven);
	tcase_add_test(tc, self_signed_is_not_trusted_when_asked);
	tcase_add_test(tc, trusted_name_passes);
	tcase_add_test(tc, trusted_address_passes);
	tcase_add_test(tc, other_name_is_refused);
	tcase_add_test(tc, clear_text_server);
	tcase_add_test(tc, reset_in_the_handshake);
	tcase_add_test(tc, closed_in_the_handshake);
	tcase_add_test(tc, silence_in_the_handshake);
	tcase_add_test(tc, errors_do_not_leak_into_the_next_probe);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
