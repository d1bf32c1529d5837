/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP_CHECK: the connection can be opened. Runs in poise-healthcheck; it never sends a byte and leaves with a FIN. */
#include "probe.h"
#include <stdio.h>

static void start(struct probe *p)
{
	if (probe_connect(p) == 0)
		probe_deadline(p, mono_add(p->started, check_spec_conf(p->spec)->connect_timeout_us));
}

static void io(struct probe *p, uint32_t events)
{
	char text[REASON_TIME_SIZE];

	if (probe_connect_step(p, events) <= 0)
		return;
	result_set(&p->result, REASON_OK, "connected in %s", reason_time(mono_diff_us(p->connected, p->started), text));
	probe_finish(p);
}

static void timeout(struct probe *p)
{
	char text[REASON_TIME_SIZE];

	result_set(&p->result, REASON_CONNECT_TIMEOUT, "connect timeout after %s",
		reason_time(check_spec_conf(p->spec)->connect_timeout_us, text));
	probe_finish(p);
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)spec;
	(void)step;
	snprintf(buf, size, "TCP_CHECK");
}

const struct probe_kind probe_kind_tcp = {.name = "TCP_CHECK",
	.size = sizeof(struct probe),
	.start = start,
	.io = io,
	.timeout = timeout,
	.describe = describe};
