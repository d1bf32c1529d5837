/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRPC_CHECK: asks the server's health service over HTTP/2, in the clear or over TLS. Runs in poise-healthcheck; frames
 * are nghttp2's business, and no more than one small message of the answer is kept. */
#include "conn.h"
#include "grpc_message.h"
#include "http_request.h"
#include "probe.h"
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX 256
/* Bytes of frames in one run: more than any health service sends. */
#define BYTES_MAX (256 * 1024)
#define PATH "/grpc.health.v1.Health/Check"

struct probe_grpc {
	struct probe p;
	bool is_greeted; /* the handshake is over, the request is under way */
	struct ssl_st *tls;
	nghttp2_session *session;
	const uint8_t *out; /* of nghttp2, not sent yet */
	size_t out_length;
	uint8_t request[GRPC_REQUEST_MAX];
	size_t request_length, request_sent;
	uint8_t answer[ANSWER_MAX];
	size_t answer_length, bytes;
	int status, grpc_status; /* -1 = not seen */
	bool is_answered;
};

static struct probe_grpc *grpc_of(struct probe *p)
{
	return (struct probe_grpc *)p;
}

static bool is_tls(const struct probe *p)
{
	return check_spec_conf(p->spec)->require_reply != 0;
}

/* ---- what nghttp2 tells ---- */

static int to_number(const uint8_t *text, size_t length)
{
	int value = 0;

	if (length == 0 || length > 3)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length,
	const uint8_t *value, size_t value_length, uint8_t flags, void *arg)
{
	struct probe_grpc *h = arg;

	(void)session;
	(void)frame;
	(void)flags;
	if (name_length == 7 && memcmp(name, ":status", 7) == 0)
		h->status = to_number(value, value_length);
	else if (name_length == 11 && memcmp(name, "grpc-status", 11) == 0)
		h->grpc_status = to_number(value, value_length);
	return 0;
}

static int on_data(
	nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t length, void *arg)
{
	struct probe_grpc *h = arg;

	(void)session;
	(void)flags;
	(void)stream;
	if (length > ANSWER_MAX - h->answer_length)
		length = ANSWER_MAX - h->answer_length;
	memcpy(h->answer + h->answer_length, data, length);
	h->answer_length += length;
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t error, void *arg)
{
	struct probe_grpc *h = arg;

	(void)session;
	(void)stream;
	(void)error;
	h->is_answered = true;
	return 0;
}

static ssize_t give_body(nghttp2_session *session, int32_t stream, uint8_t *buf, size_t length, uint32_t *flags,
	nghttp2_data_source *source, void *arg)
{
	struct probe_grpc *h = arg;
	size_t n = h->request_length - h->request_sent;

	(void)session;
	(void)stream;
	(void)source;
	if (n > length)
		n = length;
	memcpy(buf, h->request + h->request_sent, n);
	h->request_sent += n;
	if (h->request_sent == h->request_length)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

/* ---- the run ---- */

static void fail(struct probe_grpc *h, enum reason reason, const char *why)
{
	result_set(&h->p.result, reason, "%s", why);
	probe_finish(&h->p);
}

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
		NGHTTP2_NV_FLAG_NONE};
}

static bool submit(struct probe_grpc *h)
{
	const struct conf_check *check = check_spec_conf(h->p.spec);
	const char *host = conf_string(h->p.spec->conf, check->virtualhost);
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
	nghttp2_data_provider body = {.read_callback = give_body};
	char target[ADDR_TEXT];
	nghttp2_nv headers[] = {header(":method", "POST"), header(":scheme", is_tls(&h->p) ? "https" : "http"),
		header(":path", PATH),
		header(":authority", *host ? host : addr_format_port(&check->target, check->port, target)),
		header("content-type", "application/grpc"), header("te", "trailers"), header("user-agent", "Poise")};

	return nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings, 1) == 0 &&
	       nghttp2_submit_request(h->session, NULL, headers, sizeof(headers) / sizeof(headers[0]), &body, NULL) >=
		       0;
}

/* Returns 0, or -1 after which the probe has ended. */
static int begin_session(struct probe_grpc *h)
{
	const char *service = conf_string(h->p.spec->conf, check_spec_conf(h->p.spec)->name);
	nghttp2_session_callbacks *callbacks = NULL;
	bool ok = nghttp2_session_callbacks_new(&callbacks) == 0;

	h->request_length = grpc_build(service, h->request);
	if (ok) {
		nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
		nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
		nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
		ok = nghttp2_session_client_new(&h->session, callbacks, h) == 0 && submit(h);
		nghttp2_session_callbacks_del(callbacks);
	}
	if (ok)
		return 0;
	fail(h, REASON_MEMORY, "our own trouble: no HTTP/2 session could be made");
	return -1;
}

static void io_failed(struct probe_grpc *h, int error)
{
	if (h->tls)
		tls_explain(error, &h->p.result);
	else
		result_set_errno(&h->p.result, error);
	probe_finish(&h->p);
}

/* Returns 0, or -1 after which the probe has ended. */
static int write_frames(struct probe_grpc *h)
{
	for (;;) {
		ssize_t n;

		if (h->out_length == 0) {
			n = nghttp2_session_mem_send(h->session, &h->out);
			if (n < 0) {
				fail(h, REASON_MEMORY, "our own trouble: HTTP/2 frames cannot be made");
				return -1;
			}
			if (n == 0)
				return 0;
			h->out_length = (size_t)n;
		}
		n = h->tls ? tls_write(h->tls, h->out, h->out_length) : conn_write(h->p.fd, h->out, h->out_length);
		if (n == -EAGAIN)
			return 0;
		if (n < 0) {
			io_failed(h, (int)-n);
			return -1;
		}
		h->out += n;
		h->out_length -= (size_t)n;
	}
}

static void judge(struct probe_grpc *h)
{
	enum grpc_status status = grpc_parse(h->answer, h->answer_length);
	char time[REASON_TIME_SIZE];

	if (h->status != 200)
		result_set(&h->p.result, REASON_GRPC, "HTTP status %d, wanted 200", h->status);
	else if (h->grpc_status > 0)
		result_set(&h->p.result, REASON_GRPC, "gRPC status %d%s", h->grpc_status,
			h->grpc_status == 12  ? " (no health service)"
			: h->grpc_status == 5 ? " (the service is not known)"
					      : "");
	else if (status == GRPC_SERVING)
		result_set(&h->p.result, REASON_OK, "SERVING, in %s",
			reason_time(mono_diff_us(probe_now(&h->p), h->p.started), time));
	else
		result_set(&h->p.result, REASON_GRPC, "health is %s, wanted SERVING", grpc_status_name(status));
	probe_finish(&h->p);
}

/* Returns 0, or -1 after which the probe has ended. */
static int read_frames(struct probe_grpc *h)
{
	uint8_t *buffer = probe_buffer(&h->p);

	while (!h->is_answered) {
		ssize_t n = h->tls ? tls_read(h->tls, buffer, PROBE_BUFFER_SIZE)
				   : conn_read(h->p.fd, buffer, PROBE_BUFFER_SIZE);

		if (n == -EAGAIN)
			return 0;
		if (n < 0) {
			io_failed(h, (int)-n);
			return -1;
		}
		if (n == 0) {
			fail(h, h->bytes ? REASON_TRUNCATED : REASON_CLOSED, "closed before the answer");
			return -1;
		}
		if (!h->p.result.first_byte_us)
			h->p.result.first_byte_us = probe_age_us(&h->p);
		h->bytes += (size_t)n;
		n = nghttp2_session_mem_recv(h->session, buffer, (size_t)n);
		if (n < 0 || h->bytes > BYTES_MAX) {
			fail(h, REASON_GRPC, n < 0 ? "not HTTP/2" : "more frames than a health service sends");
			return -1;
		}
		/* Acknowledgements may be due before more comes. */
		if (!h->is_answered && write_frames(h) < 0)
			return -1;
	}
	judge(h);
	return -1;
}

static void start(struct probe *p)
{
	struct probe_grpc *h = grpc_of(p);

	h->is_greeted = h->is_answered = false;
	h->out_length = h->request_sent = h->answer_length = h->bytes = 0;
	h->status = h->grpc_status = -1;
	if (probe_connect(p) == 0)
		probe_deadline(p, mono_add(p->started, check_spec_conf(p->spec)->connect_timeout_us));
}

/* Connection and handshake. Returns 1 when the request can go, 0 to wait or when the probe has ended. */
static int greet(struct probe_grpc *h, uint32_t events)
{
	struct probe *p = &h->p;
	int rc;

	if (!mono_is_set(p->connected)) {
		if (probe_connect_step(p, events) <= 0)
			return 0;
		if (is_tls(p)) {
			h->tls = probe_start_tls(p, conf_string(p->spec->conf, check_spec_conf(p->spec)->virtualhost));
			if (!h->tls)
				return 0;
		}
	}
	if (h->tls) {
		rc = tls_handshake(h->tls, &p->result);
		if (rc < 0)
			probe_finish(p);
		if (rc <= 0 || probe_check_certificate(p, h->tls) < 0)
			return 0;
	}
	h->is_greeted = begin_session(h) == 0;
	return h->is_greeted;
}

static void io(struct probe *p, uint32_t events)
{
	struct probe_grpc *h = grpc_of(p);

	if (!h->is_greeted && !greet(h, events))
		return;
	if (write_frames(h) == 0)
		read_frames(h);
}

static void timeout(struct probe *p)
{
	struct probe_grpc *h = grpc_of(p);
	char text[REASON_TIME_SIZE];

	reason_time(check_spec_conf(p->spec)->connect_timeout_us, text);
	if (!mono_is_set(p->connected))
		result_set(&p->result, REASON_CONNECT_TIMEOUT, "connect timeout after %s", text);
	else if (!h->is_greeted)
		result_set(&p->result, REASON_TLS_TIMEOUT, "TLS handshake not finished after %s", text);
	else
		result_set(&p->result, REASON_ANSWER_TIMEOUT, "no complete answer within %s (%zu bytes came)", text,
			h->bytes);
	probe_finish(p);
}

static void release(struct probe *p)
{
	struct probe_grpc *h = grpc_of(p);

	nghttp2_session_del(h->session);
	h->session = NULL;
	tls_close(h->tls);
	h->tls = NULL;
}

static int prepare(struct check_spec *spec, struct tls_world *tls, char *why)
{
	const struct conf_check *check = check_spec_conf(spec);
	uint8_t request[GRPC_REQUEST_MAX];

	if (grpc_build(conf_string(spec->conf, check->name), request) == 0) {
		snprintf(why, WHY_SIZE, "the name of the service is longer than %d bytes", GRPC_SERVICE_MAX);
		return -1;
	}
	return check->require_reply ? check_spec_prepare_tls(spec, tls, why) : 0;
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	const char *service = conf_string(spec->conf, check_spec_conf(spec)->name);

	(void)step;
	snprintf(buf, size, "GRPC_CHECK%s%s", *service ? " " : "", service);
}

const struct probe_kind probe_kind_grpc = {.name = "GRPC_CHECK",
	.size = sizeof(struct probe_grpc),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.release = release,
	.describe = describe};
