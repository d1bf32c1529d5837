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
#include "fetch.h"
#include "loop.h"
#include "poller.h"
#include "reason.h"
#include "talk.h"
#include "tls.h"

struct probe;

/* What is to be checked. The generation under it may be exchanged during a run for one with equal contents. */
struct check_spec {
	const struct conf *conf;
	conf_index_t index; /* conf->checks */
	const char *broken; /* a sentence when this check cannot be run at all, else NULL */
	/* what the kind has prepared; NULL where it needs none */
	struct body_rule *bodies; /* one for each url of the check */
	struct body_rule *drain;  /* what the body of an answer must be that asks for a drain */
	struct talk *talk;
	struct tls_profile *tls;
	struct tls_memory *tls_memory;
};

/* For the kinds that speak TLS. Returns 0, or -1 with a sentence in why. */
int check_spec_prepare_tls(struct check_spec *spec, struct tls_world *world, char *why);
/* Gives back what was prepared. */
void check_spec_free(struct check_spec *spec);

/* No probe of our own: another process finds it out. */
static inline bool check_is_told(const struct conf_check *check)
{
	return check->kind == CONF_CHECK_MISC || check->kind == CONF_CHECK_BFD;
}

static inline const struct conf_check *check_spec_conf(const struct check_spec *spec)
{
	return &spec->conf->checks[spec->index];
}

struct probe_kind {
	const char *name; /* as in the configuration: "TCP_CHECK" */
	size_t size;      /* of the kind's own struct */
	/* Prepares what every run of a check needs. Returns 0, or -1 with a sentence in why (WHY_SIZE bytes): the check
	 * cannot run then. May be NULL. */
	int (*prepare)(struct check_spec *spec, struct tls_world *tls, char *why);
	/* Begin; fd is -1. May finish at once. */
	void (*start)(struct probe *p);
	/* An edge on the descriptor. */
	void (*io)(struct probe *p, uint32_t events);
	/* The deadline set by probe_deadline() has passed: finish. */
	void (*timeout)(struct probe *p);
	/* A socket that the parent has lent is there, connected or on its way, and watched: for kinds that do more then
	 * than wait. May be NULL. */
	void (*opened)(struct probe *p);
	/* Takes what the parent has lent, for kinds that do not connect it. May be NULL. */
	void (*lent)(struct probe *p, int fd);
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
extern const struct probe_kind probe_kind_tls;
extern const struct probe_kind probe_kind_smtp;
extern const struct probe_kind probe_kind_dns;
extern const struct probe_kind probe_kind_udp;
extern const struct probe_kind probe_kind_ping;
extern const struct probe_kind probe_kind_file;
extern const struct probe_kind probe_kind_agent;
extern const struct probe_kind probe_kind_grpc;
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
	bool is_borrowing;    /* waits for a descriptor of the parent */
	bool is_connect_only; /* set by start(): nothing but the end of connect() is waited for */
	bool is_read_up;      /* nothing that has come is left unread */
	bool is_over;         /* the server has no more to say */
	bool is_peer_closed;  /* the server has said that it sends no more */
	bool is_excused;      /* we were held up: its time has begun once more */
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
/* Who makes the sockets that need a privilege: asks for one for this check, which comes by probe_lend() or
 * probe_refuse(), or never. Returns 0 or -errno. */
typedef int prober_borrow_fn(void *arg, const struct check_spec *spec);
void prober_set_lender(struct prober *prober, prober_borrow_fn *borrow, void *arg);
/* True when another probe would get a descriptor; connections that are only being closed give way. */
bool prober_has_room(struct prober *prober);
uint32_t prober_open_count(const struct prober *prober);
/* NULL when OpenSSL did not come up: SSL_GET cannot run then. */
struct tls_world *prober_tls(const struct prober *prober);

/* Starts a run; done is called exactly once, possibly before this returns. Returns the probe while it runs, NULL when
 * it has already ended. Memory failure is a result, too. */
struct probe *probe_start(
	struct prober *prober, const struct check_spec *spec, struct mono now, probe_done_fn *done, void *arg);
/* When the prober was last called: the moment of the result that is just being handed over. */
struct mono prober_now(const struct prober *prober);
/* The descriptor that a run waits for, or why it does not come. */
bool probe_is_borrowing(const struct probe *p);
void probe_lend(struct probe *p, int fd);
void probe_refuse(struct probe *p, enum reason reason, const char *why);
/* Ends a run without calling back. */
void probe_cancel(struct probe *p);

/* ---- for the kinds ---- */
/* Opens the connection and watches it; UDP is connected at once. Where the socket has to be borrowed, p->fd is -1 until
 * kind->opened(). Returns 0, or -1 after which the probe has ended. */
int probe_connect(struct probe *p);
/* Asks the parent for a descriptor; kind->lent() or the socket of probe_connect() follows. Returns as above. */
int probe_borrow(struct probe *p);
/* Reads the file of a FILE_CHECK, from this descriptor (-1 = by its name), which is closed then; see fetch.h. done gets
 * the probe. */
struct fetch *probe_fetch(struct probe *p, int fd, fetch_done_fn *done);
/* To be asked on every edge before the connection stands. Returns 1 connected (p->connected is set), 0 not yet, -1
 * after which the probe has ended. */
int probe_connect_step(struct probe *p, uint32_t events);
/* Ends the connection politely: FIN, then whatever the server still says is thrown away for a moment, so that it never
 * sees a reset. The run goes on. */
void probe_disconnect(struct probe *p);
/* Calls kind->timeout at that moment; when this process comes to it much too late, once in a run, the time is given to
 * the server once more: what it said meanwhile was not read yet, and what we had to say was not said. */
void probe_deadline(struct probe *p, struct mono at);
/* The run has ended with p->result. The probe must not be touched afterwards. */
void probe_finish(struct probe *p);
/* Shared by all probes: contents are gone after the next call into the prober. */
uint8_t *probe_buffer(struct probe *p);
struct tls_world *probe_tls(struct probe *p);
struct poller *probe_poller(struct probe *p);
/* The moment of this call; the clock is read once for each, or again by probe_tick() after long work. */
struct mono probe_now(const struct probe *p);
void probe_tick(struct probe *p);
/* Microseconds since the run began, for the phases of a result (at least 1). */
uint32_t probe_age_us(const struct probe *p);
/* Begins TLS on the connection as the check says, with the name of the server: its tls_name, else host (may be "").
 * Returns NULL after which the probe has ended. */
struct ssl_st *probe_start_tls(struct probe *p, const char *host);
/* After the handshake: looks how long the certificate is valid. Returns 0, or -1 after which the probe has ended. */
int probe_check_certificate(struct probe *p, struct ssl_st *tls);
/* What echo requests with this mark share (see ping.h); NULL when there is no socket for them (yet: to be borrowed
 * where there is a mark). */
struct ping_world *probe_ping(struct probe *p, int family, uint32_t fwmark);
/* Makes it from a socket that was lent. NULL when out of memory. */
struct ping_world *probe_add_ping(struct probe *p, int family, uint32_t fwmark, int fd);

#endif
