/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A probe: one run of a check, and what every kind of probe shares: descriptor, deadline, result, a clean end.
 *
 * A kind is one file with one struct probe_kind. Its own state is a struct that begins with struct probe; objects are
 * made once and used again, so a run allocates nothing. The life of a run:
 *   start -> io / timeout ... -> probe_finish() -> release -> the checker's callback */
#ifndef POISE_PROBE_H
#define POISE_PROBE_H

#include "body_match.h"
#include "conf.h"
#include "loop.h"
#include "poller.h"
#include "reason.h"
#include "tls.h"

struct probe;

/* What is to be checked. The generation under it may be exchanged during a run for one with equal contents. */
struct check_spec {
	const struct conf *conf;
	conf_index_t index;       /* conf->checks */
	struct body_rule *bodies; /* one for each url of the check */
	const char *broken;       /* a sentence when this check cannot be run at all, else NULL */
};

static inline const struct conf_check *check_spec_conf(const struct check_spec *spec)
{
	return &spec->conf->checks[spec->index];
}

struct probe_kind {
	const char *name; /* as in the configuration: "TCP_CHECK" */
	size_t size;      /* of the kind's own struct */
	/* Begin; fd is -1. May finish at once. */
	void (*start)(struct probe *p);
	/* An edge on the descriptor. */
	void (*io)(struct probe *p, uint32_t events);
	/* The deadline set by probe_deadline() has passed: finish. */
	void (*timeout)(struct probe *p);
	/* Give back what the run holds beside the descriptor. Once for each start. May be NULL. */
	void (*release)(struct probe *p);
	/* Give back what the object holds between runs. May be NULL. */
	void (*destroy)(struct probe *p);
	/* For people: "HTTP_GET /health"; step is probe_result.step. */
	void (*describe)(const struct check_spec *spec, uint32_t step, char *buf, size_t size);
};

extern const struct probe_kind probe_kind_tcp;
extern const struct probe_kind probe_kind_http;
extern const struct probe_kind probe_kind_ssl;
/* NULL when this kind (enum conf_check_kind) is not run. */
const struct probe_kind *probe_kind_of(uint32_t kind);

typedef void probe_done_fn(void *arg, const struct probe_result *result);

struct probe {
	const struct probe_kind *kind;
	struct prober *prober;
	const struct check_spec *spec;
	probe_done_fn *done;
	void *arg;
	int fd;
	struct timer deadline;
	struct mono started;
	struct mono connected; /* of the present connection; not set before */
	struct probe_result result;
	struct probe *idle_next; /* list of objects that wait for their next run */
	struct probe *all_next;
};

/* What the probes of a process share. */
struct prober;

#define PROBE_BUFFER_SIZE 16384

/* descriptors: how many the process may have open. idle is called when a descriptor has become free. */
struct prober *prober_new(struct loop *loop, uint32_t descriptors, void (*idle)(void *arg), void *arg);
/* Cancels what runs, without calling anybody back. */
void prober_free(struct prober *prober);
/* True when another probe would get a descriptor. */
bool prober_has_room(const struct prober *prober);
uint32_t prober_open_count(const struct prober *prober);
/* NULL when OpenSSL did not come up: SSL_GET cannot run then. */
struct tls_world *prober_tls(const struct prober *prober);

/* Starts a run; done is called exactly once, possibly before this returns. Returns the probe while it runs, NULL when
 * it has already ended. Memory failure is a result, too. */
struct probe *probe_start(struct prober *prober, const struct check_spec *spec, probe_done_fn *done, void *arg);
/* Ends a run without calling back. */
void probe_cancel(struct probe *p);

/* ---- for the kinds ---- */
/* Opens the connection and watches it. Returns 0, or -1 after which the probe has ended. */
int probe_connect(struct probe *p);
/* To be asked on every edge before the connection stands. Returns 1 connected (p->connected is set), 0 not yet, -1
 * after which the probe has ended. */
int probe_connect_step(struct probe *p, uint32_t events);
/* Ends the connection politely: FIN, then whatever the server still says is thrown away for a moment, so that it never
 * sees a reset. The run goes on. */
void probe_disconnect(struct probe *p);
/* Calls kind->timeout at that moment. */
void probe_deadline(struct probe *p, struct mono at);
/* The run has ended with p->result. The probe must not be touched afterwards. */
void probe_finish(struct probe *p);
/* Shared by all probes: contents are gone after the next call into the prober. */
uint8_t *probe_buffer(struct probe *p);
struct tls_world *probe_tls(struct probe *p);
struct poller *probe_poller(struct probe *p);

#endif
