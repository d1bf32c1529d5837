/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS for probes. Runs in poise-healthcheck; it never waits, never verifies unless it is asked to (an operator's
 * existing file expects self-signed servers to pass), and never leaves an error in OpenSSL's queue for the next probe.
 */
#include "tls.h"
#include "log.h"
#include "tls_profile.h"
#include "tls_trust.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct tls_world {
	struct tls_profile *profiles;
};

static const char *last_error(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text ? text : "no reason given";
}

struct tls_world *tls_world_new(void)
{
	struct tls_world *world = calloc(1, sizeof(*world));
	SSL_CTX *context;

	if (!world)
		return NULL;
	/* Whatever OpenSSL loads at first use is to be loaded now. */
	context = SSL_CTX_new(TLS_client_method());
	if (!context) {
		log_error("tls: OpenSSL gives no context (%s): checks with TLS cannot run; look at openssl.cnf",
			last_error());
		ERR_clear_error();
		free(world);
		return NULL;
	}
	SSL_CTX_free(context);
	return world;
}

void tls_world_free(struct tls_world *world)
{
	free(world);
}

struct tls_profile **tls_world_profiles(struct tls_world *world)
{
	return &world->profiles;
}

static bool set_identity(SSL *tls, const struct tls_peer *peer)
{
	char text[ADDR_TEXT];

	if (peer->name)
		return SSL_set1_host(tls, peer->name) == 1;
	return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), addr_format(peer->addr, text)) == 1;
}

/* ---- sessions ---- */

/* Full handshakes are made at least so often: the certificate may be another one. */
#define FULL_EVERY_US (60 * US_PER_S)

struct tls_memory {
	SSL_SESSION *session;
	struct mono full; /* the last full handshake */
};

struct tls_memory *tls_memory_new(void)
{
	return calloc(1, sizeof(struct tls_memory));
}

static void forget_session(struct tls_memory *memory)
{
	SSL_SESSION_free(memory->session);
	memory->session = NULL;
}

void tls_memory_free(struct tls_memory *memory)
{
	if (!memory)
		return;
	forget_session(memory);
	free(memory);
}

/* A ticket has come. Returns 1: it is ours now. */
static int on_session(SSL *tls, SSL_SESSION *session)
{
	struct tls_memory *memory = SSL_get_app_data(tls);

	if (!memory)
		return 0;
	forget_session(memory);
	memory->session = session;
	if (!SSL_session_reused(tls))
		memory->full = mono_now();
	return 1;
}

int tls_resume_prepare(struct tls_profile *profile)
{
	SSL_CTX_set_session_cache_mode(profile->context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(profile->context, on_session);
	return SSL_CTX_set_app_data(profile->context, profile) == 1 ? 0 : -1;
}

static void resume(SSL *tls, const struct tls_profile *profile, struct tls_memory *memory)
{
	/* Who asks for a trusted certificate is to be shown it every time. */
	if (profile->is_verified || !memory)
		return;
	SSL_set_app_data(tls, memory);
	if (memory->session && mono_diff_us(mono_now(), memory->full) < FULL_EVERY_US)
		SSL_set_session(tls, memory->session);
}

static SSL *take_idle(struct tls_profile *profile)
{
	if (profile->n_idle > 0)
		return profile->idle[--profile->n_idle];
	return SSL_new(profile->context);
}

struct ssl_st *tls_open(struct tls_profile *profile, int fd, const struct tls_peer *peer, struct tls_memory *memory)
{
	const int one = 1;
	SSL *tls = take_idle(profile);

	if (!tls)
		return NULL;
	/* The request follows our last handshake message: it must not wait for the acknowledgement of that. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	SSL_set_connect_state(tls);
	/* The name of the connection before goes, also where there is none now. */
	if (SSL_set_fd(tls, fd) != 1 || SSL_set_tlsext_host_name(tls, peer->sni) != 1 ||
		(profile->is_verified && !set_identity(tls, peer))) {
		ERR_clear_error();
		SSL_free(tls);
		return NULL;
	}
	resume(tls, profile, memory);
	return tls;
}

int tls_judge(struct ssl_st *tls, const struct tls_profile *profile, uint32_t days, struct probe_result *result)
{
	X509 *certificate = SSL_get0_peer_certificate(tls);
	const unsigned char *protocol;
	char day[TLS_DAY_SIZE];
	unsigned length;
	int left, seconds;

	SSL_get0_alpn_selected(tls, &protocol, &length);
	if (profile->has_alpn && length == 0) {
		result_set(result, REASON_TLS_VERSION, "TLS: the server takes none of the protocols offered (ALPN)");
		return -1;
	}
	if (!certificate || ASN1_TIME_diff(&left, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
		return 0;
	if (left < 0 || seconds < 0)
		left = -1;
	result->cert_days = left < 0 ? 1 : (uint32_t)left + 1;
	if (days == 0 || left >= (int)days)
		return 0;
	if (left < 0)
		result_set(result, REASON_CERT_EXPIRES, "certificate has expired: on %s",
			tls_day(X509_get0_notAfter(certificate), day));
	else
		result_set(result, REASON_CERT_EXPIRES, "certificate expires in %d days, wanted %u: on %.10s", left,
			days, tls_day(X509_get0_notAfter(certificate), day));
	return -1;
}

/* Takes the first (most specific) error out of the queue and empties it. */
static const char *take_error(unsigned long *code)
{
	const char *text;

	*code = ERR_get_error();
	text = *code ? ERR_reason_error_string(*code) : NULL;
	ERR_clear_error();
	return text ? text : "no reason given";
}

/* What an operator can do about what OpenSSL says. */
static const char *hint_for(unsigned long code)
{
	if (ERR_GET_LIB(code) != ERR_LIB_SSL)
		return "";
	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		return " (this port does not speak TLS?)";
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return " (it wants a certificate of ours: tls_cert)";
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
	case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		return " (it does not take our certificate: tls_cert)";
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
	case SSL_R_UNSUPPORTED_PROTOCOL:
		return " (it speaks none of ours: tls_min_version)";
	case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
		return " (it takes none of ours: tls_alpn)";
	case SSL_R_TLSV1_UNRECOGNIZED_NAME:
		return " (it does not know the name we sent: tls_name)";
	default:
		return "";
	}
}

static void explain_handshake(SSL *tls, int error, int saved_errno, struct probe_result *result)
{
	long verified = SSL_get_verify_result(tls);
	unsigned long code;
	const char *text = take_error(&code);

	if (code && ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
		verified != X509_V_OK) {
		result_set(result, REASON_TLS_UNTRUSTED, "certificate not trusted: %s", tls_untrusted());
		return;
	}
	if (code)
		result_set(result, REASON_TLS_FAILED, "TLS handshake failed: %s%s", text, hint_for(code));
	else if (error == SSL_ERROR_SYSCALL && saved_errno)
		result_set(result, REASON_TLS_FAILED, "TLS handshake failed: %s",
			saved_errno == ECONNRESET ? "connection reset by the server" : strerror(saved_errno));
	else
		result_set(result, REASON_TLS_FAILED, "TLS handshake failed: closed by the server");
}

int tls_handshake(struct ssl_st *tls, struct probe_result *result)
{
	int rc, error, saved_errno;

	ERR_clear_error();
	errno = 0;
	rc = SSL_do_handshake(tls);
	saved_errno = errno;
	if (rc == 1)
		return 1;
	error = SSL_get_error(tls, rc);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	explain_handshake(tls, error, saved_errno, result);
	if (SSL_get_app_data(tls))
		forget_session(SSL_get_app_data(tls));
	return -1;
}

/* Maps OpenSSL's answer to a negative errno; -EPROTO leaves the error queue for tls_explain(). */
static ssize_t io_result(const SSL *tls, int rc, int saved_errno)
{
	switch (SSL_get_error(tls, rc)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return saved_errno ? -saved_errno : 0;
	default:
		return -EPROTO;
	}
}

ssize_t tls_read(struct ssl_st *tls, void *buf, size_t size)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_read(tls, buf, (int)size);
	return rc > 0 ? rc : io_result(tls, rc, errno);
}

ssize_t tls_write(struct ssl_st *tls, const void *data, size_t size)
{
	ssize_t n;
	int rc;

	ERR_clear_error();
	errno = 0;
	rc = SSL_write(tls, data, (int)size);
	if (rc > 0)
		return rc;
	n = io_result(tls, rc, errno);
	return n ? n : -EPIPE;
}

void tls_explain(int error, struct probe_result *result)
{
	unsigned long code;

	const char *text;

	if (error != EPROTO) {
		result_set_errno(result, error);
		return;
	}
	text = take_error(&code);
	result_set(result, REASON_TLS_FAILED, "TLS failed: %s%s", text, hint_for(code));
}

void tls_close(struct ssl_st *tls)
{
	struct tls_profile *profile;

	if (!tls)
		return;
	profile = SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls));
	/* Without a goodbye OpenSSL spoils the session; where the server has said its own, nobody reads ours. */
	if (SSL_is_init_finished(tls) && !(SSL_get_shutdown(tls) & SSL_RECEIVED_SHUTDOWN))
		SSL_shutdown(tls);
	/* Names and addresses to verify are not taken back by SSL_clear(). */
	if (!profile->is_verified && profile->n_idle < TLS_IDLE_MAX && SSL_clear(tls) == 1 &&
		SSL_set_session(tls, NULL) == 1) {
		SSL_set_app_data(tls, NULL);
		SSL_set_bio(tls, NULL, NULL);
		profile->idle[profile->n_idle++] = tls;
	} else {
		SSL_free(tls);
	}
	ERR_clear_error();
}
