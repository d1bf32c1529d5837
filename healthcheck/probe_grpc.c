/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GRPC_CHECK: asks the server's health service over HTTP/2, in the clear or over TLS. Runs in poise-healthcheck; it
 * only moves bytes between the connection and the call (grpc_call.c). */
#include "conn.h"
#include "grpc_call.h"
#include "probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct probe_grpc {
	struct probe p;
	bool is_greeted; /* the handshake is over, the request is under way */
	struct ssl_st *tls;
	struct grpc_call call;
	const uint8_t *out; /* of the call, not sent yet */
	size_t out_length;
};

static struct probe_grpc *grpc_of(struct probe *p)
{
	return (struct probe_grpc *)p;
}

static bool is_tls(const struct probe *p)
{
	return check_spec_conf(p->spec)->require_reply != 0;
}

static void fail(struct probe_grpc *h, enum reason reason, const char *why)
{
	result_set(&h->p.result, reason, "%s", why);
	probe_finish(&h->p);
}

/* Returns 0, or -1 after which the probe has ended. */
static int begin_call(struct probe_grpc *h)
{
	const struct conf_check *check = check_spec_conf(h->p.spec);
	const char *host = conf_string(h->p.spec->conf, check->virtualhost);
	const char *service = conf_string(h->p.spec->conf, check->name);
	char target[ADDR_TEXT];

	if (!*host)
		host = addr_format_port(&check->target, check->port, target);
	if (grpc_call_begin(&h->call, service, host, is_tls(&h->p)) == 0)
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
			n = grpc_call_output(&h->call, &h->out);
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
	char time[REASON_TIME_SIZE];

	grpc_call_judge(&h->call, &h->p.result);
	if (h->p.result.reason == REASON_OK)
		result_set(&h->p.result, REASON_OK, "SERVING, in %s",
			reason_time(mono_diff_us(probe_now(&h->p), h->p.started), time));
	probe_finish(&h->p);
}

/* Returns 0, or -1 after which the probe has ended. */
static int read_frames(struct probe_grpc *h)
{
	uint8_t *buffer = probe_buffer(&h->p);

	while (!h->call.is_answered) {
		ssize_t n = h->tls ? tls_read(h->tls, buffer, PROBE_BUFFER_SIZE)
				   : conn_read(h->p.fd, buffer, PROBE_BUFFER_SIZE);

		if (n == -EAGAIN)
			return 0;
		if (n < 0) {
			io_failed(h, (int)-n);
			return -1;
		}
		if (n == 0) {
			fail(h, h->call.bytes ? REASON_TRUNCATED : REASON_CLOSED, "closed before the answer");
			return -1;
		}
		if (!h->p.result.first_byte_us)
			h->p.result.first_byte_us = probe_age_us(&h->p);
		if (grpc_call_input(&h->call, buffer, (size_t)n, &h->p.result) < 0) {
			probe_finish(&h->p);
			return -1;
		}
		/* Acknowledgements may be due before more comes. */
		if (!h->call.is_answered && write_frames(h) < 0)
			return -1;
	}
	judge(h);
	return -1;
}

static void start(struct probe *p)
{
	struct probe_grpc *h = grpc_of(p);

	h->is_greeted = false;
	h->out_length = 0;
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
	h->is_greeted = begin_call(h) == 0;
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
			h->call.bytes);
	probe_finish(p);
}

static void release(struct probe *p)
{
	struct probe_grpc *h = grpc_of(p);

	grpc_call_end(&h->call);
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
