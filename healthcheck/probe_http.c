/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP_GET and SSL_GET: every url of the check, one after another, each over a connection of its own, must answer with
 * a wanted status and body. Runs in poise-healthcheck; it never keeps an answer, never follows a redirect, and never
 * waits longer than its limits, however slowly the server drips. */
#include "conn.h"
#include "http_match.h"
#include "http_request.h"
#include "probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Connecting, the handshake, and every wait for further bytes of the answer may take connect_timeout each (as in
 * keepalived); a url as a whole takes at most this many of them. */
#define TOTAL_TIMEOUTS 3
/* Bytes read at one edge before the other probes have their turn. */
#define READ_BUDGET (8 * PROBE_BUFFER_SIZE)
/* As much of a page is read when only its status matters. */
#define POLITE_BODY (1024 * 1024)

enum phase { PHASE_CONNECT, PHASE_HANDSHAKE, PHASE_REQUEST, PHASE_ANSWER };

struct probe_http {
	struct probe p;
	enum phase phase;
	uint32_t url; /* number within the check */
	struct ssl_st *tls;
	struct mono url_started;
	struct mono moved; /* the last progress: what the inactivity limit counts from */
	size_t sent;       /* of the request */
	struct http_answer answer;
	struct body_match body;
	struct body_match drain; /* the same body, read for drain_body; begun with the first answer that may drain */
};

static struct probe_http *http_of(struct probe *p)
{
	return (struct probe_http *)p;
}

static const struct conf_url *url_of(const struct check_spec *spec, uint32_t number)
{
	return &spec->conf->urls[check_spec_conf(spec)->urls.first + number];
}

static const char *host_of(const struct check_spec *spec, uint32_t number)
{
	return http_request_virtualhost(spec->conf, check_spec_conf(spec), url_of(spec, number));
}

static bool is_tls(const struct probe *p)
{
	return check_spec_conf(p->spec)->kind == CONF_CHECK_SSL;
}

/* ---- limits ---- */

static int64_t limit_us(const struct probe_http *h)
{
	return check_spec_conf(h->p.spec)->connect_timeout_us;
}

static struct mono total_deadline(const struct probe_http *h)
{
	return mono_add(h->url_started, TOTAL_TIMEOUTS * limit_us(h));
}

/* The phase has moved on or bytes have come: the next wait begins. */
static void moved(struct probe_http *h)
{
	struct mono total = total_deadline(h);
	struct mono idle;

	h->moved = probe_now(&h->p);
	idle = mono_add(h->moved, limit_us(h));
	probe_deadline(&h->p, mono_before(idle, total) ? idle : total);
}

static void timeout(struct probe *p)
{
	struct probe_http *h = http_of(p);
	int64_t waited_us = mono_diff_us(probe_now(&h->p), h->moved);
	char text[REASON_TIME_SIZE];

	switch (h->phase) {
	case PHASE_CONNECT:
		result_set(
			&p->result, REASON_CONNECT_TIMEOUT, "connect timeout after %s", reason_time(limit_us(h), text));
		break;
	case PHASE_HANDSHAKE:
		result_set(&p->result, REASON_TLS_TIMEOUT, "TLS handshake not finished after %s",
			reason_time(waited_us, text));
		break;
	case PHASE_REQUEST:
	case PHASE_ANSWER:
		if (h->answer.wire_bytes == 0)
			result_set(
				&p->result, REASON_ANSWER_TIMEOUT, "no answer within %s", reason_time(waited_us, text));
		else if (waited_us >= limit_us(h))
			result_set(&p->result, REASON_ANSWER_TIMEOUT, "answer stopped after %llu bytes, waited %s",
				(unsigned long long)h->answer.wire_bytes, reason_time(waited_us, text));
		else
			result_set(&p->result, REASON_TOTAL_TIMEOUT, "answer not complete after %s (%llu bytes came)",
				reason_time(mono_diff_us(probe_now(&h->p), h->url_started), text),
				(unsigned long long)h->answer.wire_bytes);
		break;
	}
	probe_finish(p);
}

/* ---- one url ---- */

static void url_start(struct probe_http *h)
{
	const struct check_spec *spec = h->p.spec;

	h->phase = PHASE_CONNECT;
	h->url_started = probe_now(&h->p);
	h->p.is_read_up = h->p.is_over = false;
	h->sent = 0;
	h->p.result.step = h->url;
	http_answer_init(&h->answer);
	h->answer.is_headless = http_request_is_head(spec->conf, check_spec_conf(spec));
	if (check_spec_conf(spec)->drain_header)
		h->answer.wanted = conf_string(spec->conf, check_spec_conf(spec)->drain_header);
	body_match_begin(&h->body, &spec->bodies[h->url]);
	body_match_drop(&h->drain);
	if (probe_connect(&h->p) == 0)
		moved(h);
}

static void url_end(struct probe_http *h)
{
	tls_close(h->tls);
	h->tls = NULL;
	body_match_drop(&h->body);
	body_match_drop(&h->drain);
	probe_disconnect(&h->p);
}

/* The answer may be the one by which the server asks to be drained. */
static bool may_drain(const struct probe_http *h)
{
	const struct conf_check *check = check_spec_conf(h->p.spec);

	return check->drain_status && h->answer.is_body && h->answer.status == check->drain_status &&
	       (!h->answer.wanted || h->answer.has_wanted);
}

/* Returns true when it is, and has finished then. */
static bool judge_drain(struct probe_http *h)
{
	struct probe_result ignored;

	if (!may_drain(h) || (h->p.spec->drain && !body_match_end(&h->drain, &ignored)))
		return false;
	h->p.result.is_draining = true;
	result_set(&h->p.result, REASON_OK, "drains by its own word: status %u", h->answer.status);
	probe_finish(&h->p);
	return true;
}

/* The answer is complete. Goes to the next url or finishes. */
static void judge(struct probe_http *h)
{
	const struct check_spec *spec = h->p.spec;
	const struct conf_url *url = url_of(spec, h->url);
	const struct conf_status_range *ranges = spec->conf->status_ranges + url->status.first;
	char wanted[64], text[REASON_TIME_SIZE];

	if (h->answer.state == HTTP_FAILED) {
		http_answer_explain(&h->answer, &h->p.result);
		probe_finish(&h->p);
		return;
	}
	/* All was said and read: who closes now cuts nothing off. */
	h->p.is_over |= h->answer.state == HTTP_DONE && h->p.is_read_up;
	if (judge_drain(h))
		return;
	if (!http_status_is_wanted(ranges, url->status.count, h->answer.status)) {
		result_set(&h->p.result, REASON_STATUS, "status %u, wanted %s", h->answer.status,
			http_status_wanted_text(ranges, url->status.count, wanted, sizeof(wanted)));
		probe_finish(&h->p);
		return;
	}
	if (!body_match_end(&h->body, &h->p.result)) {
		probe_finish(&h->p);
		return;
	}
	result_set(&h->p.result, REASON_OK, "status %u in %s", h->answer.status,
		reason_time(mono_diff_us(probe_now(&h->p), h->url_started), text));
	if (h->url + 1 >= check_spec_conf(spec)->urls.count) {
		probe_finish(&h->p);
		return;
	}
	url_end(h);
	h->url++;
	url_start(h);
}

/* A status that is not wanted decides at once: nobody reads the error page. A page that is only asked for its status is
 * read to its end out of politeness, but not endlessly. */
static bool is_decided(const struct probe_http *h)
{
	const struct conf_url *url = url_of(h->p.spec, h->url);
	const struct conf_status_range *ranges = h->p.spec->conf->status_ranges + url->status.first;

	if (http_answer_is_over(&h->answer))
		return true;
	if (!h->answer.is_body)
		return false;
	if (http_status_is_wanted(ranges, url->status.count, h->answer.status))
		return h->answer.body_bytes >= POLITE_BODY && body_rule_is_empty(h->body.rule);
	return !may_drain(h) || !h->p.spec->drain || h->answer.body_bytes >= BODY_KEPT_MAX;
}

static void feed(struct probe_http *h, const uint8_t *data, size_t length)
{
	const uint8_t *body;
	size_t body_length, used;

	while (length > 0 && !is_decided(h)) {
		used = http_answer_feed(&h->answer, data, length, &body, &body_length);
		if (!h->drain.rule && h->p.spec->drain && may_drain(h))
			body_match_begin(&h->drain, h->p.spec->drain);
		body_match_add(&h->body, body, body_length);
		if (h->drain.rule)
			body_match_add(&h->drain, body, body_length);
		data += used;
		length -= used;
	}
}

static void io_failed(struct probe_http *h, int error)
{
	if (h->tls)
		tls_explain(error, &h->p.result);
	else
		result_set_errno(&h->p.result, error);
	probe_finish(&h->p);
}

static void read_answer(struct probe_http *h)
{
	uint8_t *buffer = probe_buffer(&h->p);
	size_t budget = READ_BUDGET;
	ssize_t n = 0;

	while (budget > 0 && !is_decided(h)) {
		n = h->tls ? tls_read(h->tls, buffer, PROBE_BUFFER_SIZE)
			   : conn_read(h->p.fd, buffer, PROBE_BUFFER_SIZE);
		if (n <= 0)
			break;
		if (!h->p.result.first_byte_us)
			h->p.result.first_byte_us = probe_age_us(&h->p);
		/* A read that fills no buffer has emptied the socket. */
		h->p.is_read_up = !h->tls && n < PROBE_BUFFER_SIZE;
		feed(h, buffer, (size_t)n);
		budget -= (size_t)n < budget ? (size_t)n : budget;
	}
	if (n == 0)
		http_answer_close(&h->answer);
	if (is_decided(h)) {
		judge(h);
		return;
	}
	if (n < 0 && n != -EAGAIN) {
		io_failed(h, (int)-n);
		return;
	}
	if (budget < READ_BUDGET)
		moved(h);
	if (budget == 0)
		poller_again(probe_poller(&h->p), h->p.fd);
}

/* The request is built again for each attempt instead of being kept: it nearly always goes out in one. */
static void send_request(struct probe_http *h, bool may_have_answer)
{
	const struct check_spec *spec = h->p.spec;
	char request[HTTP_REQUEST_MAX];
	size_t length =
		http_request_build(spec->conf, check_spec_conf(spec), url_of(spec, h->url), request, sizeof(request));
	ssize_t n = 0;

	if (length == 0) {
		result_set(&h->p.result, REASON_NOT_RUN,
			"not run: path, virtualhost or headers are longer than %d bytes or have blanks in them",
			HTTP_REQUEST_MAX);
		probe_finish(&h->p);
		return;
	}
	while (h->sent < length) {
		n = h->tls ? tls_write(h->tls, request, length)
			   : conn_write(h->p.fd, request + h->sent, length - h->sent);
		if (n == -EAGAIN)
			return;
		if (n < 0)
			break;
		h->sent += (size_t)n;
	}
	/* A server may answer and close before it has read all: its answer counts. */
	h->phase = PHASE_ANSWER;
	moved(h);
	if (may_have_answer)
		read_answer(h);
}

static void handshake(struct probe_http *h)
{
	int rc = tls_handshake(h->tls, &h->p.result);

	if (rc < 0) {
		probe_finish(&h->p);
	} else if (rc > 0 && probe_check_certificate(&h->p, h->tls) == 0) {
		h->phase = PHASE_REQUEST;
		moved(h);
		send_request(h, true);
	}
}

static void io(struct probe *p, uint32_t events)
{
	struct probe_http *h = http_of(p);

	switch (h->phase) {
	case PHASE_CONNECT:
		if (probe_connect_step(p, events) <= 0)
			return;
		moved(h);
		if (!is_tls(p)) {
			h->phase = PHASE_REQUEST;
			/* What comes from now on is an edge of its own. */
			send_request(h, events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP));
			return;
		}
		h->phase = PHASE_HANDSHAKE;
		h->tls = probe_start_tls(p, host_of(p->spec, h->url));
		if (h->tls)
			handshake(h);
		return;
	case PHASE_HANDSHAKE:
		handshake(h);
		return;
	case PHASE_REQUEST:
		send_request(h, true);
		return;
	case PHASE_ANSWER:
		read_answer(h);
		return;
	}
}

static void start(struct probe *p)
{
	struct probe_http *h = http_of(p);

	h->url = 0;
	url_start(h);
}

static void release(struct probe *p)
{
	struct probe_http *h = http_of(p);

	tls_close(h->tls);
	h->tls = NULL;
	body_match_drop(&h->body);
	body_match_drop(&h->drain);
}

static void destroy(struct probe *p)
{
	body_match_free(&http_of(p)->body);
	body_match_free(&http_of(p)->drain);
}

static int compile_bodies(struct check_spec *spec, char *why)
{
	const struct conf_check *check = check_spec_conf(spec);

	spec->bodies = calloc(check->urls.count, sizeof(*spec->bodies));
	if (!spec->bodies) {
		snprintf(why, WHY_SIZE, "out of memory");
		return -1;
	}
	for (uint32_t i = 0; i < check->urls.count; i++) {
		const struct conf_url *url = url_of(spec, i);

		if (body_rule_compile(&spec->bodies[i], conf_string(spec->conf, url->digest),
			    conf_string(spec->conf, url->regex), url->regex_options, why) < 0)
			return -1;
		spec->bodies[i].min = url->regex_min;
		spec->bodies[i].max = url->regex_max;
		spec->bodies[i].is_unwanted = url->regex_no_match;
	}
	if (!check->drain_body)
		return 0;
	spec->drain = calloc(1, sizeof(*spec->drain));
	if (spec->drain)
		return body_rule_compile(spec->drain, "", conf_string(spec->conf, check->drain_body), 0, why);
	snprintf(why, WHY_SIZE, "out of memory");
	return -1;
}

static int prepare(struct check_spec *spec, struct tls_world *tls, char *why)
{
	const struct conf_check *check = check_spec_conf(spec);

	if (check->urls.count == 0) {
		snprintf(why, WHY_SIZE, "it has no url");
		return -1;
	}
	if (check->kind == CONF_CHECK_SSL && check_spec_prepare_tls(spec, tls, why) < 0)
		return -1;
	return compile_bodies(spec, why);
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	const struct conf_check *check = check_spec_conf(spec);
	const char *path = step < check->urls.count ? conf_string(spec->conf, url_of(spec, step)->path) : "";

	snprintf(buf, size, "%s %s", check->kind == CONF_CHECK_SSL ? "SSL_GET" : "HTTP_GET", *path ? path : "/");
}

const struct probe_kind probe_kind_http = {.name = "HTTP_GET",
	.size = sizeof(struct probe_http),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.release = release,
	.destroy = destroy,
	.describe = describe};

const struct probe_kind probe_kind_ssl = {.name = "SSL_GET",
	.size = sizeof(struct probe_http),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.release = release,
	.destroy = destroy,
	.describe = describe};
