/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP_CHECK: the connection can be opened, and where the check has send and expect steps, the conversation goes as
 * written. Runs in poise-healthcheck; it leaves with a FIN and keeps at most TALK_KEPT_MAX bytes of what comes. */
#include "conn.h"
#include "probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct probe_tcp {
	struct probe p;
	uint32_t step; /* of the conversation */
	size_t sent;   /* of this step */
	uint8_t *kept; /* what came and was not used by a step yet; only during a run */
	size_t kept_length;
	bool is_closed;
};

static struct probe_tcp *tcp_of(struct probe *p)
{
	return (struct probe_tcp *)p;
}

static void start(struct probe *p)
{
	struct probe_tcp *h = tcp_of(p);

	h->step = 0;
	h->sent = 0;
	h->kept_length = 0;
	h->is_closed = false;
	p->is_connect_only = !p->spec->talk;
	if (probe_connect(p) == 0)
		probe_deadline(p, mono_add(p->started, check_spec_conf(p->spec)->connect_timeout_us));
}

static const struct talk_step *step_of(const struct probe_tcp *h)
{
	const struct talk *talk = h->p.spec->talk;

	return talk && h->step < talk->n ? &talk->steps[h->step] : NULL;
}

static void fail_errno(struct probe_tcp *h, int error)
{
	result_set_errno(&h->p.result, error);
	probe_finish(&h->p);
}

/* Reads what is there. Returns 0, or -1 after which the probe has ended. */
static int read_more(struct probe_tcp *h)
{
	if (!h->kept)
		h->kept = malloc(TALK_KEPT_MAX);
	if (!h->kept) {
		result_set(&h->p.result, REASON_MEMORY, "our own trouble: out of memory");
		probe_finish(&h->p);
		return -1;
	}
	while (!h->is_closed && h->kept_length < TALK_KEPT_MAX) {
		ssize_t n = conn_read(h->p.fd, h->kept + h->kept_length, TALK_KEPT_MAX - h->kept_length);

		if (n == -EAGAIN)
			return 0;
		if (n < 0) {
			fail_errno(h, (int)-n);
			return -1;
		}
		if (n > 0 && !h->p.result.first_byte_us)
			h->p.result.first_byte_us = probe_age_us(&h->p);
		h->is_closed = n == 0;
		h->kept_length += (size_t)n;
	}
	return 0;
}

/* Returns 1 when the step is done, 0 to wait, -1 after which the probe has ended. */
static int step_send(struct probe_tcp *h, const struct talk_step *step)
{
	while (h->sent < step->length) {
		ssize_t n = conn_write(h->p.fd, step->bytes + h->sent, step->length - h->sent);

		if (n == -EAGAIN)
			return 0;
		if (n < 0) {
			fail_errno(h, (int)-n);
			return -1;
		}
		h->sent += (size_t)n;
	}
	h->sent = 0;
	return 1;
}

static int step_expect(struct probe_tcp *h, const struct talk_step *step)
{
	char quote[TALK_QUOTE_SIZE];
	ssize_t used;

	if (read_more(h) < 0)
		return -1;
	used = talk_find(step, h->kept, h->kept_length);
	if (used >= 0) {
		h->kept_length -= (size_t)used;
		memmove(h->kept, h->kept + used, h->kept_length);
		return 1;
	}
	if (!h->is_closed && h->kept_length < TALK_KEPT_MAX)
		return 0;
	if (h->kept_length == 0)
		result_set(&h->p.result, REASON_CLOSED, "closed before what step %u expects", h->step + 1);
	else
		result_set(&h->p.result, REASON_UNEXPECTED,
			"step %u does not find what it expects in %zu bytes: \"%s\"", h->step + 1, h->kept_length,
			talk_quote(h->kept, h->kept_length, quote));
	probe_finish(&h->p);
	return -1;
}

static void converse(struct probe_tcp *h)
{
	const struct talk_step *step;
	char text[REASON_TIME_SIZE];

	while ((step = step_of(h))) {
		int rc = talk_step_sends(step) ? step_send(h, step) : step_expect(h, step);

		if (rc <= 0)
			return;
		h->step++;
	}
	if (h->step == 0)
		result_set(&h->p.result, REASON_OK, "connected in %s",
			reason_time(mono_diff_us(h->p.connected, h->p.started), text));
	else
		result_set(&h->p.result, REASON_OK, "conversation of %u steps in %s", h->step,
			reason_time(mono_diff_us(probe_now(&h->p), h->p.started), text));
	probe_finish(&h->p);
}

static void io(struct probe *p, uint32_t events)
{
	if (!mono_is_set(p->connected) && probe_connect_step(p, events) <= 0)
		return;
	converse(tcp_of(p));
}

/* As it stands in the configuration. */
static const char *step_text(const struct probe_tcp *h)
{
	const struct conf *conf = h->p.spec->conf;

	return conf_string(conf, conf->steps[check_spec_conf(h->p.spec)->steps.first + h->step].text);
}

static void timeout(struct probe *p)
{
	const struct probe_tcp *h = tcp_of(p);
	int64_t limit_us = check_spec_conf(p->spec)->connect_timeout_us;
	char text[REASON_TIME_SIZE], quote[TALK_QUOTE_SIZE];

	if (!mono_is_set(p->connected))
		result_set(&p->result, REASON_CONNECT_TIMEOUT, "connect timeout after %s", reason_time(limit_us, text));
	else if (h->kept_length == 0)
		result_set(&p->result, REASON_ANSWER_TIMEOUT, "nothing came for step %u within %s", h->step + 1,
			reason_time(limit_us, text));
	else
		result_set(&p->result, REASON_UNEXPECTED, "step %u did not find %.24s within %s: \"%s\"", h->step + 1,
			step_text(h), reason_time(limit_us, text), talk_quote(h->kept, h->kept_length, quote));
	probe_finish(p);
}

static void release(struct probe *p)
{
	free(tcp_of(p)->kept);
	tcp_of(p)->kept = NULL;
}

static int prepare(struct check_spec *spec, struct tls_world *tls, char *why)
{
	(void)tls;
	if (check_spec_conf(spec)->steps.count == 0)
		return 0;
	spec->talk = talk_compile(spec->conf, &check_spec_conf(spec)->steps, why);
	return spec->talk ? 0 : -1;
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)spec;
	(void)step;
	snprintf(buf, size, "TCP_CHECK");
}

const struct probe_kind probe_kind_tcp = {.name = "TCP_CHECK",
	.size = sizeof(struct probe_tcp),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.release = release,
	.describe = describe};
