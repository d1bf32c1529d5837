/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hostile TLS server. The first byte says what the input is: with 2 a certificate, whose names, times and extensions
 * a real server shows (with 4 to a client that verifies them); with 1 pairs (how far on, what to add) that change bytes
 * of a real handshake; else the server's bytes themselves. Nothing it says may crash the checker, leave an error for
 * the next check, or end without a sentence. */
#include "conf.h"
#include "tls.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROUNDS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static SSL_CTX *server;
static struct tls_profile *profile, *verifying;
static struct tls_memory *memory;
static EVP_PKEY *key;

static void set_up(void)
{
	static const char strings[] = "";
	static const struct conf conf = {.strings = strings, .n_strings = 1};
	static const struct conf_check check = {.kind = CONF_CHECK_SSL};
	static const struct conf_check strict = {.kind = CONF_CHECK_SSL, .tls_verify = 1};
	struct tls_world *world = tls_world_new();
	X509 *x = X509_new();
	char why[WHY_SIZE];

	key = EVP_EC_gen("P-256");
	signal(SIGPIPE, SIG_IGN);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	server = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(server, x);
	SSL_CTX_use_PrivateKey(server, key);
	X509_free(x);
	profile = tls_profile_get(world, &conf, &check, why);
	verifying = tls_profile_get(world, &conf, &strict, why);
	memory = tls_memory_new();
	if (!profile || !verifying || !memory)
		abort();
}

/* What the server has to say goes on to the client, changed. */
static void pass_on(BIO *from, int fd, const uint8_t **data, size_t *size)
{
	uint8_t bytes[16384];
	int n = BIO_read(from, bytes, sizeof(bytes));
	size_t at = 0;

	while (n > 0 && *size >= 2) {
		at += (*data)[0];
		if (at >= (size_t)n)
			break;
		bytes[at] = (uint8_t)(bytes[at] + (*data)[1]);
		*data += 2;
		*size -= 2;
	}
	if (n > 0 && send(fd, bytes, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return;
}

static void serve(SSL *tls, BIO *in, BIO *out, int fd, const uint8_t **data, size_t *size)
{
	uint8_t bytes[16384];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		BIO_write(in, bytes, (int)n);
	if (SSL_is_init_finished(tls))
		SSL_write(tls, "hello", 5);
	else
		SSL_do_handshake(tls);
	ERR_clear_error();
	pass_on(out, fd, data, size);
}

/* The certificate of the input, with a key and a signature that fit, is the server's. */
static void show_certificate(SSL *tls, const uint8_t *data, size_t size)
{
	X509 *x = d2i_X509(NULL, &data, (long)size);

	if (x && X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0) {
		SSL_use_certificate(tls, x);
		SSL_use_PrivateKey(tls, key);
	}
	X509_free(x);
	ERR_clear_error();
}

static void converse(int client_fd, int server_fd, const uint8_t *data, size_t size)
{
	struct addr addr = {.family = AF_INET};
	bool is_certificate = size > 0 && data[0] & 2, is_strict = is_certificate && data[0] & 4;
	struct tls_peer peer = {.addr = &addr, .name = is_strict && data[0] & 8 ? "www.example.org" : NULL};
	struct probe_result result = {.reason = REASON_OK};
	bool is_raw = size == 0 || (!is_certificate && !(data[0] & 1));
	SSL *tls = SSL_new(server);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	/* A session that goes on shows no certificate. */
	struct tls_memory *own = is_certificate ? tls_memory_new() : memory;
	struct ssl_st *client = tls_open(is_strict ? verifying : profile, client_fd, &peer, own);
	uint8_t answer[256];
	int done = 0;

	SSL_set_bio(tls, in, out);
	SSL_set_accept_state(tls);
	if (size > 0) {
		data++;
		size--;
	}
	if (is_certificate) {
		show_certificate(tls, data, size);
		size = 0;
	}
	if (is_raw && send(server_fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		shutdown(server_fd, SHUT_WR);
	for (int i = 0; client && i < ROUNDS; i++) {
		if (done == 0)
			done = tls_handshake(client, &result);
		else if (done == 1 && tls_read(client, answer, sizeof(answer)) == -EPROTO)
			tls_explain(EPROTO, &result);
		if (done == 1 && i + 1 == ROUNDS)
			tls_judge(client, profile, 1, &result);
		if (done < 0 || result.reason != REASON_OK)
			break;
		if (!is_raw)
			serve(tls, in, out, server_fd, &data, &size);
	}
	if ((done < 0 || result.reason != REASON_OK) && !result.why[0])
		abort();
	tls_close(client);
	if (ERR_peek_error())
		abort();
	SSL_free(tls);
	if (own != memory)
		tls_memory_free(own);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[2];

	if (!server)
		set_up();
	if (size > 8192 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		return 0;
	converse(fds[0], fds[1], data, size);
	close(fds[0]);
	close(fds[1]);
	return 0;
}
