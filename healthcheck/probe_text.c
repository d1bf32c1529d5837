/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMTP_CHECK and AGENT_CHECK: short dialogues by lines. Runs in poise-healthcheck; it keeps one line, and never says
 * more to a mail server than HELO and QUIT. */
#include "conn.h"
#include "probe.h"
#include "reply.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The name that existing mail servers know from keepalived. */
#define HELO_NAME "smtpchecker.keepalived.org"

enum phase { PHASE_CONNECT, PHASE_GREETING, PHASE_HELO, PHASE_QUIT, PHASE_AGENT };

struct probe_text {
	struct probe p;
	enum phase phase;
	struct smtp_reply reply; /* an agent's line, too */
};

static struct probe_text *text_of(struct probe *p)
{
	return (struct probe_text *)p;
}

static void start(struct probe *p)
{
	struct probe_text *h = text_of(p);

	h->phase = PHASE_CONNECT;
	smtp_reply_begin(&h->reply);
	if (probe_connect(p) == 0)
		probe_deadline(p, mono_add(p->started, check_spec_conf(p->spec)->connect_timeout_us));
}

/* Short enough for any socket buffer. Returns 0, or -1 after which the probe has ended. */
static int say(struct probe_text *h, const void *text, size_t length)
{
	ssize_t n = conn_write(h->p.fd, text, length);

	if (n == (ssize_t)length)
		return 0;
	result_set_errno(&h->p.result, n < 0 ? (int)-n : EIO);
	probe_finish(&h->p);
	return -1;
}

static void fail_reply(struct probe_text *h, const char *what)
{
	char quote[TALK_QUOTE_SIZE];

	result_set(&h->p.result, REASON_SMTP, "%s: \"%s\"", what,
		talk_quote((const uint8_t *)h->reply.line, h->reply.length, quote));
	probe_finish(&h->p);
}

/* A reply is complete. Returns 0 to go on, -1 after which the probe has ended. */
static int take_reply(struct probe_text *h)
{
	const char *name = conf_string(h->p.spec->conf, check_spec_conf(h->p.spec)->name);
	char line[300], text[REASON_TIME_SIZE];

	if (h->reply.is_broken) {
		fail_reply(h, "not SMTP");
		return -1;
	}
	if (h->phase == PHASE_GREETING && h->reply.code == 220) {
		h->phase = PHASE_HELO;
		snprintf(line, sizeof(line), "HELO %.255s\r\n", *name ? name : HELO_NAME);
	} else if (h->phase == PHASE_HELO && h->reply.code == 250) {
		h->phase = PHASE_QUIT;
		snprintf(line, sizeof(line), "QUIT\r\n");
	} else if (h->phase == PHASE_QUIT) {
		/* Whatever it says to that: it has shown that it works. */
		result_set(&h->p.result, REASON_OK, "greeting and HELO in %s",
			reason_time(mono_diff_us(probe_now(&h->p), h->p.started), text));
		probe_finish(&h->p);
		return -1;
	} else {
		fail_reply(h, h->phase == PHASE_GREETING ? "greeting is not 220" : "answer to HELO is not 250");
		return -1;
	}
	smtp_reply_begin(&h->reply);
	return say(h, line, strlen(line));
}

/* Returns 0 to go on, -1 after which the probe has ended. */
static int take_bytes(struct probe_text *h, const uint8_t *data, size_t length)
{
	if (h->phase == PHASE_AGENT) {
		const uint8_t *end = memchr(data, '\n', length);
		size_t n = end ? (size_t)(end - data) : length;

		if (n > sizeof(h->reply.line) - h->reply.length)
			n = sizeof(h->reply.line) - h->reply.length;
		memcpy(h->reply.line + h->reply.length, data, n);
		h->reply.length += n;
		if (!end && h->reply.length < sizeof(h->reply.line))
			return 0;
		agent_judge(h->reply.line, h->reply.length, &h->p.result);
		probe_finish(&h->p);
		return -1;
	}
	while (length > 0) {
		size_t used = smtp_reply_feed(&h->reply, data, length);

		data += used;
		length -= used;
		if ((h->reply.is_done || h->reply.is_broken) && take_reply(h) < 0)
			return -1;
	}
	return 0;
}

static void take_end(struct probe_text *h)
{
	if (h->phase == PHASE_AGENT && h->reply.length > 0)
		agent_judge(h->reply.line, h->reply.length, &h->p.result);
	else if (h->phase == PHASE_QUIT)
		result_set(&h->p.result, REASON_OK, "greeting and HELO; closed after QUIT");
	else
		result_set(&h->p.result, h->reply.bytes ? REASON_TRUNCATED : REASON_CLOSED, "closed before the answer");
	probe_finish(&h->p);
}

static void read_lines(struct probe_text *h)
{
	uint8_t *buffer = probe_buffer(&h->p);

	for (;;) {
		ssize_t n = conn_read(h->p.fd, buffer, PROBE_BUFFER_SIZE);

		if (n == -EAGAIN)
			return;
		if (n == 0) {
			take_end(h);
			return;
		}
		if (n < 0) {
			result_set_errno(&h->p.result, (int)-n);
			probe_finish(&h->p);
			return;
		}
		if (!h->p.result.first_byte_us)
			h->p.result.first_byte_us = probe_age_us(&h->p);
		if (take_bytes(h, buffer, (size_t)n) < 0)
			return;
	}
}

static void io(struct probe *p, uint32_t events)
{
	struct probe_text *h = text_of(p);
	const struct conf_check *check = check_spec_conf(p->spec);
	const char *text = conf_string(p->spec->conf, check->name);
	uint8_t bytes[1024];
	ssize_t length;

	if (h->phase == PHASE_CONNECT) {
		if (probe_connect_step(p, events) <= 0)
			return;
		h->phase = check->kind == CONF_CHECK_AGENT ? PHASE_AGENT : PHASE_GREETING;
		if (h->phase == PHASE_AGENT && *text) {
			length = talk_unescape(text, bytes);
			if (length > 0 && say(h, bytes, (size_t)length) < 0)
				return;
		}
	}
	read_lines(h);
}

static void timeout(struct probe *p)
{
	struct probe_text *h = text_of(p);
	char text[REASON_TIME_SIZE];

	reason_time(check_spec_conf(p->spec)->connect_timeout_us, text);
	if (h->phase == PHASE_CONNECT)
		result_set(&p->result, REASON_CONNECT_TIMEOUT, "connect timeout after %s", text);
	else if (h->phase == PHASE_QUIT)
		result_set(&p->result, REASON_OK, "greeting and HELO; no answer to QUIT");
	else
		result_set(&p->result, REASON_ANSWER_TIMEOUT, "no %s within %s",
			h->phase == PHASE_GREETING ? "greeting"
			: h->phase == PHASE_HELO   ? "answer to HELO"
						   : "line of the agent",
			text);
	probe_finish(p);
}

/* The text for an agent must fit; a name for HELO must not end the line. */
static int prepare(struct check_spec *spec, struct tls_world *tls, char *why)
{
	const struct conf_check *check = check_spec_conf(spec);
	const char *text = conf_string(spec->conf, check->name);
	uint8_t bytes[1024];

	(void)tls;
	if (check->kind == CONF_CHECK_AGENT) {
		if (strlen(text) < sizeof(bytes) && talk_unescape(text, bytes) >= 0)
			return 0;
		snprintf(why, WHY_SIZE, "the text to send is longer than 1000 bytes or has an unknown escape");
		return -1;
	}
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f) {
			snprintf(why, WHY_SIZE, "helo_name has blanks in it");
			return -1;
		}
	}
	return 0;
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)step;
	snprintf(buf, size, "%s", check_spec_conf(spec)->kind == CONF_CHECK_AGENT ? "AGENT_CHECK" : "SMTP_CHECK");
}

const struct probe_kind probe_kind_smtp = {.name = "SMTP_CHECK",
	.size = sizeof(struct probe_text),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.describe = describe};

const struct probe_kind probe_kind_agent = {.name = "AGENT_CHECK",
	.size = sizeof(struct probe_text),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.describe = describe};
