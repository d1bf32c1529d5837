/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all kinds of probes share: objects that are used again, descriptors and their number, deadlines, a clean end.
 * Runs in poise-healthcheck; it never judges an answer and never decides when a check runs. */
#include "probe.h"
#include "conn.h"
#include "linger.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Descriptors that the process needs beside those of probes. */
#define DESCRIPTORS_KEPT 64

enum { KIND_TCP, KIND_HTTP, KIND_SSL, KIND_COUNT };

static const struct probe_kind *const kinds[KIND_COUNT] = {&probe_kind_tcp, &probe_kind_http, &probe_kind_ssl};

struct prober {
	struct loop *loop;
	struct poller *poller;
	struct lingers *lingers;
	struct tls_world *tls;
	struct probe *all;
	struct probe *idle_probes[KIND_COUNT];
	uint32_t open, limit;
	void (*idle)(void *arg);
	void *arg;
	uint8_t buffer[PROBE_BUFFER_SIZE];
};

const struct probe_kind *probe_kind_of(uint32_t kind)
{
	switch ((enum conf_check_kind)kind) {
	case CONF_CHECK_TCP:
		return &probe_kind_tcp;
	case CONF_CHECK_HTTP:
		return &probe_kind_http;
	case CONF_CHECK_SSL:
		return &probe_kind_ssl;
	case CONF_CHECK_MISC:
	case CONF_CHECK_TLS:
	case CONF_CHECK_SMTP:
	case CONF_CHECK_DNS:
	case CONF_CHECK_UDP:
	case CONF_CHECK_PING:
	case CONF_CHECK_FILE:
	case CONF_CHECK_AGENT:
	case CONF_CHECK_GRPC:
	case CONF_CHECK_KINDS:
		return NULL;
	}
	return NULL;
}

static unsigned kind_number(const struct probe_kind *kind)
{
	unsigned i = 0;

	while (kinds[i] != kind)
		i++;
	return i;
}

static void on_closed(void *arg)
{
	struct prober *prober = arg;

	prober->open--;
	prober->idle(prober->arg);
}

struct prober *prober_new(struct loop *loop, uint32_t descriptors, void (*idle)(void *arg), void *arg)
{
	struct prober *prober = calloc(1, sizeof(*prober));

	if (!prober)
		return NULL;
	prober->loop = loop;
	prober->idle = idle;
	prober->arg = arg;
	prober->limit = descriptors > 2 * DESCRIPTORS_KEPT ? descriptors - DESCRIPTORS_KEPT : descriptors / 2;
	prober->tls = tls_world_new();
	prober->poller = poller_new(loop, descriptors);
	if (prober->poller)
		prober->lingers = lingers_new(loop, prober->poller, on_closed, prober);
	if (prober->lingers)
		return prober;
	prober_free(prober);
	return NULL;
}

void prober_free(struct prober *prober)
{
	struct probe *p, *next;

	if (!prober)
		return;
	for (p = prober->all; p; p = next) {
		next = p->all_next;
		if (p->done)
			probe_cancel(p);
		if (p->kind->destroy)
			p->kind->destroy(p);
		free(p);
	}
	lingers_free(prober->lingers);
	poller_free(prober->poller);
	tls_world_free(prober->tls);
	free(prober);
}

bool prober_has_room(const struct prober *prober)
{
	return prober->open < prober->limit;
}

uint32_t prober_open_count(const struct prober *prober)
{
	return prober->open;
}

struct tls_world *prober_tls(const struct prober *prober)
{
	return prober->tls;
}

static void on_deadline(struct timer *timer, void *arg)
{
	struct probe *p = arg;

	(void)timer;
	p->kind->timeout(p);
}

static void on_io(int fd, uint32_t events, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	p->kind->io(p, events);
}

static struct probe *take(struct prober *prober, const struct probe_kind *kind)
{
	struct probe **idle = &prober->idle_probes[kind_number(kind)];
	struct probe *p = *idle;

	if (p) {
		*idle = p->idle_next;
		return p;
	}
	p = calloc(1, kind->size);
	if (!p)
		return NULL;
	p->kind = kind;
	p->prober = prober;
	p->fd = -1;
	p->deadline.fire = on_deadline;
	p->deadline.arg = p;
	p->all_next = prober->all;
	prober->all = p;
	return p;
}

struct probe *probe_start(struct prober *prober, const struct check_spec *spec, probe_done_fn *done, void *arg)
{
	const struct probe_kind *kind = probe_kind_of(check_spec_conf(spec)->kind);
	struct probe *p = kind && !spec->broken ? take(prober, kind) : NULL;
	struct probe_result result = {REASON_OK, 0, ""};

	if (!p) {
		if (!kind || spec->broken)
			result_set(
				&result, REASON_NOT_RUN, "%s", spec->broken ? spec->broken : "unknown kind of check");
		else
			result_set(&result, REASON_MEMORY, "our own trouble: out of memory");
		done(arg, &result);
		return NULL;
	}
	p->spec = spec;
	p->done = done;
	p->arg = arg;
	p->started = mono_now();
	p->connected = MONO_NEVER;
	p->result = result;
	kind->start(p);
	/* The object may have ended and even begun another run, but not one of this check. */
	return p->done == done && p->arg == arg ? p : NULL;
}

/* Everything but the callback. */
static void end(struct probe *p)
{
	struct prober *prober = p->prober;
	struct probe **idle = &prober->idle_probes[kind_number(p->kind)];

	loop_timer_cancel(prober->loop, &p->deadline);
	if (p->kind->release)
		p->kind->release(p);
	probe_disconnect(p);
	p->done = NULL;
	p->arg = NULL;
	p->spec = NULL;
	p->idle_next = *idle;
	*idle = p;
}

void probe_finish(struct probe *p)
{
	struct probe_result result = p->result;
	probe_done_fn *done = p->done;
	void *arg = p->arg;

	end(p);
	done(arg, &result);
}

void probe_cancel(struct probe *p)
{
	end(p);
}

int probe_connect(struct probe *p)
{
	struct prober *prober = p->prober;
	int rc;

	p->connected = MONO_NEVER;
	p->fd = conn_open(p->spec->conf, check_spec_conf(p->spec), &p->result);
	if (p->fd < 0) {
		probe_finish(p);
		return -1;
	}
	rc = poller_add(prober->poller, p->fd, on_io, p);
	if (rc == 0) {
		prober->open++;
		return 0;
	}
	close(p->fd);
	p->fd = -1;
	result_set_errno(&p->result, -rc);
	probe_finish(p);
	return -1;
}

int probe_connect_step(struct probe *p, uint32_t events)
{
	int error;

	if (events & (EPOLLERR | EPOLLHUP)) {
		error = conn_error(p->fd);
		if (error == 0 && !(events & EPOLLOUT))
			error = ECONNRESET;
		if (error) {
			result_set_errno(&p->result, error);
			probe_finish(p);
			return -1;
		}
	}
	if (!(events & EPOLLOUT))
		return 0;
	p->connected = mono_now();
	return 1;
}

void probe_disconnect(struct probe *p)
{
	int fd = p->fd;

	if (fd < 0)
		return;
	p->fd = -1;
	if (mono_is_set(p->connected)) {
		linger_begin(p->prober->lingers, fd);
		return;
	}
	poller_close(p->prober->poller, fd);
	on_closed(p->prober);
}

void probe_deadline(struct probe *p, struct mono at)
{
	loop_timer_set(p->prober->loop, &p->deadline, at);
}

uint8_t *probe_buffer(struct probe *p)
{
	return p->prober->buffer;
}

struct tls_world *probe_tls(struct probe *p)
{
	return p->prober->tls;
}

struct poller *probe_poller(struct probe *p)
{
	return p->prober->poller;
}
