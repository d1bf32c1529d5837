/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PING_CHECK: the target answers an echo request. Runs in poise-healthcheck; a request that is lost is sent once more
 * at a third of the time limit. */
#include "ping.h"
#include "probe.h"
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

struct probe_ping {
	struct probe p;
	struct ping ping;
	bool is_repeated;
};

static struct probe_ping *ping_of(struct probe *p)
{
	return (struct probe_ping *)p;
}

static void answered(struct ping *ping)
{
	struct probe_ping *h = (struct probe_ping *)((char *)ping - offsetof(struct probe_ping, ping));
	char text[REASON_TIME_SIZE];

	probe_tick(&h->p);
	h->p.result.first_byte_us = probe_age_us(&h->p);
	result_set(&h->p.result, REASON_OK, "answered in %s", reason_time(h->p.result.first_byte_us, text));
	probe_finish(&h->p);
}

/* Returns 0, or -1 after which the probe has ended. */
static int send_request(struct probe_ping *h)
{
	const struct conf_check *check = check_spec_conf(h->p.spec);
	const char *interface = conf_string(h->p.spec->conf, check->bind_interface);
	struct ping_world *world = probe_ping(&h->p, check->target.family, check->fwmark);
	int rc;

	if (!world && check->fwmark)
		return probe_borrow(&h->p);
	if (!world) {
		result_set(&h->p.result, REASON_NO_SOCKET,
			"our own trouble, not the server's: the process may not open a raw socket");
		probe_finish(&h->p);
		return -1;
	}
	h->ping.target = check->target;
	h->ping.answered = answered;
	rc = ping_send(world, &h->ping, &check->bind, *interface ? if_nametoindex(interface) : 0);
	if (rc == 0)
		return 0;
	result_set_errno(&h->p.result, -rc);
	probe_finish(&h->p);
	return -1;
}

static void start(struct probe *p)
{
	struct probe_ping *h = ping_of(p);

	h->is_repeated = false;
	if (send_request(h) == 0)
		probe_deadline(p, mono_add(p->started, check_spec_conf(p->spec)->connect_timeout_us / 3));
}

static void io(struct probe *p, uint32_t events)
{
	(void)p;
	(void)events;
}

static void timeout(struct probe *p)
{
	struct probe_ping *h = ping_of(p);
	int64_t limit_us = check_spec_conf(p->spec)->connect_timeout_us;
	char text[REASON_TIME_SIZE];

	ping_forget(&h->ping);
	if (!h->is_repeated) {
		h->is_repeated = true;
		if (send_request(h) == 0)
			probe_deadline(p, mono_add(p->started, limit_us));
		return;
	}
	result_set(
		&p->result, REASON_NO_REPLY, "no answer to two echo requests within %s", reason_time(limit_us, text));
	probe_finish(p);
}

static void lent(struct probe *p, int fd)
{
	const struct conf_check *check = check_spec_conf(p->spec);

	if (probe_add_ping(p, check->target.family, check->fwmark, fd)) {
		send_request(ping_of(p));
		return;
	}
	result_set(&p->result, REASON_MEMORY, "our own trouble: out of memory");
	probe_finish(p);
}

static void release(struct probe *p)
{
	ping_forget(&ping_of(p)->ping);
}

static void describe(const struct check_spec *spec, uint32_t step, char *buf, size_t size)
{
	(void)spec;
	(void)step;
	snprintf(buf, size, "PING_CHECK");
}

const struct probe_kind probe_kind_ping = {.name = "PING_CHECK",
	.size = sizeof(struct probe_ping),
	.start = start,
	.io = io,
	.timeout = timeout,
	.lent = lent,
	.release = release,
	.describe = describe};
