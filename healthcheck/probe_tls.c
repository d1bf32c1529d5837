/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS_CHECK: a TLS handshake succeeds, for any protocol behind it. Runs in poise-healthcheck; it never sends a byte of
 * application data. */
#include "probe.h"
#include <stdio.h>

struct probe_tls {
	struct probe p;
	struct ssl_st *tls;
};

static struct probe_tls *tls_of(struct probe *p)
{
	return (struct probe_tls *)p;
}

static void start(struct probe *p)
{
	if (probe_connect(p) == 0)
		probe_deadline(p, mono_add(p->started, check_spec_conf(p->spec)->connect_timeout_us));
}

static void io(struct probe *p, uint32_t events)
{
	struct probe_tls *h = tls_of(p);
	char text[REASON_TIME_SIZE];
	int rc;

	if (!h->tls) {
		if (probe_connect_step(p, events) <= 0)
			return;
		h->tls = probe_start_tls(p, conf_string(p->spec->conf, check_spec_conf(p->spec)->virtualhost));
		if (!h->tls)
			return;
	}
	rc = tls_handshake(h->tls, &p->result);
	if (rc == 0 || (rc > 0 && probe_check_certificate(p, h->tls) < 0))
		return;
	if (rc > 0)
		result_set(&p->result, REASON_OK, "handshake in %s",
			reason_time(mono_diff_us(probe_now(p), p->started), text));
	probe_finish(p);
}

static void timeout(struct probe *p)
{
	char text[REASON_TIME_SIZE];

	reason_time(check_spec_conf(p->spec)->connect_timeout_us, text);
	if (tls_of(p)->tls)
		result_set(&p->result, REASON_TLS_TIMEOUT, "TLS handshake not finished after %s", text);
	else
		result_set(&p->result, REASON_CONNECT_TIMEOUT, "connect timeout after %s", text);
	probe_finish(p);
}

static void release(struct probe *p)
{
	tls_close(tls_of(p)->tls);
	tls_of(p)->tls = NULL;
}

static int prepare(struct check_spec *spec, struct tls_world *tls, char *why)
{
	return check_spec_prepare_tls(spec, tls, why);
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)spec;
	(void)step;
	snprintf(buf, size, "TLS_CHECK");
}

const struct probe_kind probe_kind_tls = {.name = "TLS_CHECK",
	.size = sizeof(struct probe_tls),
	.prepare = prepare,
	.start = start,
	.io = io,
	.timeout = timeout,
	.release = release,
	.describe = describe};
