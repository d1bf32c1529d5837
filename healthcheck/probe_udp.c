/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UDP_CHECK and DNS_CHECK: a packet is sent; the port must not be refused, and where a reply is wanted, the right one
 * must come. Runs in poise-healthcheck; a question that may have been lost is sent again at a third of the time limit.
 */
#include "conn.h"
#include "dns_packet.h"
#include "probe.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Packets looked at in one run: a flood costs its own check only. */
#define PACKETS_MAX 64

struct probe_udp {
	struct probe p;
	bool is_repeated, has_wrong_reply;
	uint32_t packets;
	uint8_t query[DNS_QUERY_MAX];
	size_t query_length;
	struct probe_result wrong; /* what was wrong with the last reply */
};

static struct probe_udp *udp_of(struct probe *p)
{
	return (struct probe_udp *)p;
}

static bool is_dns(const struct probe *p)
{
	return check_spec_conf(p->spec)->kind == CONF_CHECK_DNS;
}

static bool wants_reply(const struct probe *p)
{
	const struct conf_check *c = check_spec_conf(p->spec);
	const struct talk *talk = p->spec->talk;

	return is_dns(p) || c->require_reply || (talk && talk->n > 0 && !talk_step_sends(&talk->steps[talk->n - 1]));
}

static void send_packets(struct probe_udp *h)
{
	const struct talk *talk = h->p.spec->talk;
	bool has_sent = false;

	if (is_dns(&h->p)) {
		conn_write(h->p.fd, h->query, h->query_length);
		return;
	}
	for (uint32_t i = 0; talk && i < talk->n; i++) {
		if (!talk_step_sends(&talk->steps[i]))
			continue;
		conn_write(h->p.fd, talk->steps[i].bytes, talk->steps[i].length);
		has_sent = true;
	}
	if (!has_sent)
		conn_write(h->p.fd, "", 0);
}

/* Every step that expects something must find it in the packet. Returns true for the right one. */
static bool judge_packet(struct probe_udp *h, const uint8_t *data, size_t length)
{
	const struct conf_check *c = check_spec_conf(h->p.spec);
	const struct talk *talk = h->p.spec->talk;
	char quote[TALK_QUOTE_SIZE], time[REASON_TIME_SIZE];

	if (length < c->min_reply || (c->max_reply && length > c->max_reply)) {
		result_set(&h->wrong, REASON_UNEXPECTED, "reply has %zu bytes, wanted %u to %u", length, c->min_reply,
			c->max_reply ? c->max_reply : 65535);
		return false;
	}
	for (uint32_t i = 0; talk && i < talk->n; i++) {
		if (talk_step_sends(&talk->steps[i]) || talk_find(&talk->steps[i], data, length) >= 0)
			continue;
		result_set(&h->wrong, REASON_UNEXPECTED, "reply of %zu bytes is not the one expected: \"%s\"", length,
			talk_quote(data, length, quote));
		return false;
	}
	result_set(&h->p.result, REASON_OK, "reply of %zu bytes in %s", length,
		reason_time(mono_diff_us(probe_now(&h->p), h->p.started), time));
	return true;
}

static void finish_wrong(struct probe_udp *h)
{
	uint32_t first_byte_us = h->p.result.first_byte_us;

	h->p.result = h->wrong;
	h->p.result.first_byte_us = first_byte_us;
	probe_finish(&h->p);
}

static void io(struct probe *p, uint32_t events)
{
	struct probe_udp *h = udp_of(p);
	uint8_t *buffer = probe_buffer(p);

	(void)events;
	for (;;) {
		ssize_t n = conn_read(p->fd, buffer, PROBE_BUFFER_SIZE);

		if (n == -EAGAIN)
			return;
		if (n < 0) {
			result_set_errno(&p->result, (int)-n);
			if (n == -ECONNREFUSED)
				result_set(&p->result, REASON_REFUSED, "port refused (ICMP)");
			probe_finish(p);
			return;
		}
		p->result.first_byte_us = probe_age_us(p);
		h->has_wrong_reply = true;
		if (is_dns(p) ? dns_judge(h->query, h->query_length, buffer, (size_t)n, &p->result)
			      : judge_packet(h, buffer, (size_t)n)) {
			probe_finish(p);
			return;
		}
		if (++h->packets >= PACKETS_MAX || (!is_dns(p) && wants_reply(p))) {
			finish_wrong(h);
			return;
		}
	}
}

static void start(struct probe *p)
{
	const struct conf_check *c = check_spec_conf(p->spec);
	struct probe_udp *h = udp_of(p);
	uint16_t id = 0;

	h->is_repeated = h->has_wrong_reply = false;
	h->packets = 0;
	h->wrong = (struct probe_result){.reason = REASON_UNEXPECTED, .why = "replies that answer nothing we asked"};
	if (is_dns(p)) {
		if (getrandom(&id, sizeof(id), 0) < 0)
			id = (uint16_t)p->started.us;
		h->query_length = dns_build(id, conf_string(p->spec->conf, c->name), c->dns_type, h->query);
	}
	if (probe_connect(p) < 0)
		return;
	if (p->fd >= 0)
		send_packets(h);
	probe_deadline(p, mono_add(p->started, wants_reply(p) ? c->connect_timeout_us / 3 : c->connect_timeout_us));
}

static void timeout(struct probe *p)
{
	const struct conf_check *c = check_spec_conf(p->spec);
	struct probe_udp *h = udp_of(p);
	char text[REASON_TIME_SIZE];

	if (!wants_reply(p)) {
		result_set(&p->result, REASON_OK, "not refused within %s", reason_time(c->connect_timeout_us, text));
		probe_finish(p);
		return;
	}
	if (!h->is_repeated) {
		h->is_repeated = true;
		send_packets(h);
		probe_deadline(p, mono_add(p->started, c->connect_timeout_us));
		return;
	}
	if (h->has_wrong_reply)
		finish_wrong(h);
	else {
		result_set(&p->result, REASON_NO_REPLY, "no reply within %s", reason_time(c->connect_timeout_us, text));
		probe_finish(p);
	}
}

static void opened(struct probe *p)
{
	send_packets(udp_of(p));
}

static int prepare(struct check_spec *spec, struct tls_world *tls, char *why)
{
	(void)tls;
	spec->talk = talk_compile(spec->conf, &check_spec_conf(spec)->steps, why);
	return spec->talk ? 0 : -1;
}

static int prepare_dns(struct check_spec *spec, struct tls_world *tls, char *why)
{
	uint8_t query[DNS_QUERY_MAX];

	(void)tls;
	if (dns_build(0, conf_string(spec->conf, check_spec_conf(spec)->name), 1, query) > 0)
		return 0;
	snprintf(why, WHY_SIZE, "its name is no domain name");
	return -1;
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	const struct conf_check *c = check_spec_conf(spec);

	(void)step;
	if (c->kind == CONF_CHECK_DNS)
		snprintf(buf, size, "DNS_CHECK %s", conf_string(spec->conf, c->name));
	else
		snprintf(buf, size, "UDP_CHECK");
}

const struct probe_kind probe_kind_udp = {.name = "UDP_CHECK",
	.size = sizeof(struct probe_udp),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.opened = opened,
	.describe = describe};

const struct probe_kind probe_kind_dns = {.name = "DNS_CHECK",
	.size = sizeof(struct probe_udp),
	.prepare = prepare_dns,
	.start = start,
	.io = io,
	.timeout = timeout,
	.opened = opened,
	.describe = describe};
