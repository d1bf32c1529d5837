/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all kinds of probes share: objects that are used again, descriptors and their number, deadlines, a clean end.
 * Runs in poise-healthcheck; it never judges an answer and never decides when a check runs. */
#include "probe.h"
#include "check_socket.h"
#include "conn.h"
#include "linger.h"
#include "ping.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors that the process needs beside those of probes. */
#define DESCRIPTORS_KEPT 64

/* By enum conf_check_kind; NULL: another process finds it out (check_is_told()). */
static const struct probe_kind *const kinds[CONF_CHECK_KINDS] = {
	[CONF_CHECK_TCP] = &probe_kind_tcp,
	[CONF_CHECK_HTTP] = &probe_kind_http,
	[CONF_CHECK_SSL] = &probe_kind_ssl,
	[CONF_CHECK_MISC] = NULL,
	[CONF_CHECK_TLS] = &probe_kind_tls,
	[CONF_CHECK_SMTP] = &probe_kind_smtp,
	[CONF_CHECK_DNS] = &probe_kind_dns,
	[CONF_CHECK_UDP] = &probe_kind_udp,
	[CONF_CHECK_PING] = &probe_kind_ping,
	[CONF_CHECK_FILE] = &probe_kind_file,
	[CONF_CHECK_AGENT] = &probe_kind_agent,
	[CONF_CHECK_GRPC] = &probe_kind_grpc,
	[CONF_CHECK_BFD] = NULL,
};

/* Echo requests with a mark share a socket that the parent has lent. */
struct marked_ping {
	struct marked_ping *next;
	int family;
	uint32_t fwmark;
	struct ping_world *world;
};

struct prober {
	struct loop *loop;
	struct poller *poller;
	struct lingers *lingers;
	struct tls_world *tls;
	struct ping_world *ping4, *ping6;
	struct marked_ping *marked_pings;
	prober_borrow_fn *borrow;
	void *lender;
	struct fetcher *fetcher; /* NULL until a file is asked for */
	struct probe *all;
	struct probe *idle_probes[CONF_CHECK_KINDS];
	uint32_t open, limit;
	struct mono now; /* of the present call */
	void (*idle)(void *arg);
	void *arg;
	uint8_t buffer[PROBE_BUFFER_SIZE];
};

const struct probe_kind *probe_kind_of(uint32_t kind)
{
	return kind < CONF_CHECK_KINDS ? kinds[kind] : NULL;
}

void check_spec_free(struct check_spec *spec)
{
	for (uint32_t i = 0; spec->bodies && i < check_spec_conf(spec)->urls.count; i++)
		body_rule_free(&spec->bodies[i]);
	free(spec->bodies);
	if (spec->drain)
		body_rule_free(spec->drain);
	free(spec->drain);
	talk_free(spec->talk);
	tls_memory_free(spec->tls_memory);
	tls_profile_put(spec->tls);
	spec->bodies = NULL;
	spec->drain = NULL;
	spec->talk = NULL;
	spec->tls = NULL;
	spec->tls_memory = NULL;
}

static unsigned kind_number(const struct probe_kind *kind)
{
	unsigned i = 0;

	while (kinds[i] != kind)
		i++;
	return i;
}

static void close_descriptor(void *arg, int fd)
{
	struct prober *prober = arg;

	poller_close(prober->poller, fd);
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
	prober->ping4 = ping_world_new(loop, AF_INET);
	prober->ping6 = ping_world_new(loop, AF_INET6);
	if (prober->poller)
		prober->lingers = lingers_new(loop, close_descriptor, prober);
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
	for (struct marked_ping *m = prober->marked_pings, *after; m; m = after) {
		after = m->next;
		ping_world_free(m->world);
		free(m);
	}
	ping_world_free(prober->ping4);
	ping_world_free(prober->ping6);
	lingers_free(prober->lingers);
	fetcher_free(prober->fetcher);
	poller_free(prober->poller);
	tls_world_free(prober->tls);
	free(prober);
}

void prober_set_lender(struct prober *prober, prober_borrow_fn *borrow, void *arg)
{
	prober->borrow = borrow;
	prober->lender = arg;
}

bool prober_has_room(struct prober *prober)
{
	while (prober->open >= prober->limit && lingers_hurry(prober->lingers))
		;
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

/* A timer that comes later than by this part of the time that a server has says that we were held up. */
#define LATE_PART 8

static bool is_held_up(const struct probe *p, struct mono deadline)
{
	return mono_diff_us(probe_now(p), deadline) > check_spec_conf(p->spec)->connect_timeout_us / LATE_PART;
}

static void on_deadline(struct timer *timer, void *arg)
{
	struct probe *p = arg;

	probe_tick(p);
	if (!p->is_excused && is_held_up(p, timer->at)) {
		p->is_excused = true;
		probe_deadline(p, mono_add(probe_now(p), check_spec_conf(p->spec)->connect_timeout_us));
		return;
	}
	if (p->is_borrowing)
		probe_refuse(p, REASON_NO_SOCKET,
			"our own trouble, not the server's: the parent process has lent no descriptor in time");
	else
		p->kind->timeout(p);
}

static void on_io(int fd, uint32_t events, void *arg)
{
	struct probe *p = arg;

	(void)fd;
	probe_tick(p);
	p->is_peer_closed |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
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

struct probe *probe_start(
	struct prober *prober, const struct check_spec *spec, struct mono now, probe_done_fn *done, void *arg)
{
	const struct probe_kind *kind = probe_kind_of(check_spec_conf(spec)->kind);
	struct probe *p = kind && !spec->broken ? take(prober, kind) : NULL;
	struct probe_result result = {.reason = REASON_OK};

	prober->now = now;
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
	p->started = now;
	p->connected = MONO_NEVER;
	p->is_connect_only = p->is_read_up = p->is_over = p->is_borrowing = p->is_excused = false;
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
	p->is_borrowing = false;
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

static int watch(struct probe *p)
{
	struct prober *prober = p->prober;
	int rc = poller_add(prober->poller, p->fd, p->is_connect_only, on_io, p);

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

static int fail_socket(struct probe *p, enum reason reason, const char *why)
{
	result_set(&p->result, reason, "%s", why);
	probe_finish(p);
	return -1;
}

/* Connects and watches p->fd. */
static int go_on(struct probe *p)
{
	if (conn_connect(p->fd, p->spec->conf, check_spec_conf(p->spec), &p->result) == 0)
		return watch(p);
	close(p->fd);
	p->fd = -1;
	probe_finish(p);
	return -1;
}

int probe_borrow(struct probe *p)
{
	struct prober *prober = p->prober;

	if (!prober->borrow || prober->borrow(prober->lender, p->spec) < 0)
		return fail_socket(p, REASON_NO_SOCKET,
			"our own trouble, not the server's: the parent process lends no descriptor");
	p->is_borrowing = true;
	return 0;
}

int probe_connect(struct probe *p)
{
	const struct conf_check *check = check_spec_conf(p->spec);
	enum reason reason;
	char why[WHY_SIZE];

	p->connected = MONO_NEVER;
	p->is_peer_closed = false;
	if (check_socket_needs_lender(check))
		return probe_borrow(p);
	p->fd = check_socket_open(p->spec->conf, check, &reason, why);
	return p->fd < 0 ? fail_socket(p, reason, why) : go_on(p);
}

struct fetch *probe_fetch(struct probe *p, int fd, fetch_done_fn *done)
{
	struct prober *prober = p->prober;

	if (!prober->fetcher)
		prober->fetcher = fetcher_new(prober->loop);
	return fetch_begin(
		prober->fetcher, FETCH_READ, conf_string(p->spec->conf, check_spec_conf(p->spec)->name), fd, done, p);
}

bool probe_is_borrowing(const struct probe *p)
{
	return p->is_borrowing;
}

void probe_lend(struct probe *p, int fd)
{
	p->is_borrowing = false;
	probe_tick(p);
	if (p->kind->lent) {
		p->kind->lent(p, fd);
		return;
	}
	p->fd = fd;
	if (go_on(p) == 0 && p->kind->opened)
		p->kind->opened(p);
}

void probe_refuse(struct probe *p, enum reason reason, const char *why)
{
	p->is_borrowing = false;
	probe_tick(p);
	result_set(&p->result, reason, "%s", why);
	probe_finish(p);
}

/* A port of this machine that nobody listens to may be chosen as the source of the very connection to it: then TCP
 * connects us with ourselves. */
static bool is_with_itself(const struct probe *p)
{
	const struct conf_check *check = check_spec_conf(p->spec);
	struct sockaddr_storage ss;
	socklen_t length = sizeof(ss);
	struct addr own;
	uint16_t port;

	if (check->port < IPPORT_RESERVED && !check->bind_port)
		return false;
	return getsockname(p->fd, (struct sockaddr *)&ss, &length) == 0 &&
	       addr_from_sockaddr((struct sockaddr *)&ss, &own, &port) == 0 && port == check->port &&
	       addr_equal(&own, &check->target);
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
	if (is_with_itself(p)) {
		result_set_errno(&p->result, ECONNREFUSED);
		probe_finish(p);
		return -1;
	}
	p->connected = probe_now(p);
	if (!p->result.connect_us)
		p->result.connect_us = probe_age_us(p);
	return 1;
}

/* Nothing is lost when the connection is just closed: it never stood, it is over, or nobody will say anything. */
static bool can_close(struct probe *p, uint32_t target)
{
	if (!mono_is_set(p->connected) || p->is_peer_closed || p->is_over)
		return true;
	return p->is_connect_only && linger_is_needless(p->prober->lingers, target);
}

void probe_disconnect(struct probe *p)
{
	const struct conf_check *check = check_spec_conf(p->spec);
	int fd = p->fd;
	uint32_t target;

	if (fd < 0)
		return;
	p->fd = -1;
	target = p->is_connect_only ? linger_target(&check->target, check->port) : 0;
	/* A source port that the next run needs cannot wait for its minute in TIME_WAIT. */
	if (mono_is_set(p->connected) && check->bind_port) {
		conn_abort(fd);
	} else if (!can_close(p, target)) {
		poller_forget(p->prober->poller, fd);
		linger_begin(p->prober->lingers, fd, !p->is_connect_only && !p->is_read_up, target, probe_now(p));
		return;
	}
	close_descriptor(p->prober, fd);
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

struct mono prober_now(const struct prober *prober)
{
	return prober->now;
}

struct mono probe_now(const struct probe *p)
{
	return p->prober->now;
}

void probe_tick(struct probe *p)
{
	p->prober->now = mono_now();
}

uint32_t probe_age_us(const struct probe *p)
{
	int64_t age_us = mono_diff_us(probe_now(p), p->started);

	return age_us < 1 ? 1 : age_us > UINT32_MAX ? UINT32_MAX : (uint32_t)age_us;
}

struct ping_world *probe_ping(struct probe *p, int family, uint32_t fwmark)
{
	if (fwmark == 0)
		return family == AF_INET6 ? p->prober->ping6 : p->prober->ping4;
	for (struct marked_ping *m = p->prober->marked_pings; m; m = m->next)
		if (m->family == family && m->fwmark == fwmark)
			return m->world;
	return NULL;
}

struct ping_world *probe_add_ping(struct probe *p, int family, uint32_t fwmark, int fd)
{
	struct ping_world *world = probe_ping(p, family, fwmark);
	struct marked_ping *m = world ? NULL : calloc(1, sizeof(*m));

	/* Two checks may have asked at the same time. */
	if (!m) {
		close(fd);
		return world;
	}
	*m = (struct marked_ping){
		p->prober->marked_pings, family, fwmark, ping_world_take(p->prober->loop, family, fd)};
	if (!m->world) {
		free(m);
		return NULL;
	}
	p->prober->marked_pings = m;
	return m->world;
}

/* "www.example.org:8443" names the host www.example.org; "[2001:db8::1]" and "192.0.2.1" name none. */
static bool take_host_name(const char *text, char *name, size_t size)
{
	struct addr addr;
	uint16_t port;
	size_t n = strcspn(text, ":");

	if (!*text || addr_parse_port(text, &addr, &port) == 0 || n == 0 || n >= size)
		return false;
	memcpy(name, text, n);
	name[n] = '\0';
	return true;
}

struct ssl_st *probe_start_tls(struct probe *p, const char *host)
{
	const struct conf_check *check = check_spec_conf(p->spec);
	const char *own = conf_string(p->spec->conf, check->tls_name);
	struct tls_peer peer = {.addr = &check->target};
	struct ssl_st *tls;
	char name[256];

	if (take_host_name(*own ? own : host, name, sizeof(name))) {
		peer.name = name;
		peer.sni = check->enable_sni || check->tls_verify || *own ? name : NULL;
	}
	tls = tls_open(p->spec->tls, p->fd, &peer, p->spec->tls_memory);
	if (tls)
		return tls;
	result_set(&p->result, REASON_MEMORY, "our own trouble: no TLS connection could be made");
	probe_finish(p);
	return NULL;
}

int check_spec_prepare_tls(struct check_spec *spec, struct tls_world *world, char *why)
{
	snprintf(why, WHY_SIZE, "OpenSSL did not start, see the log");
	spec->tls = world ? tls_profile_get(world, spec->conf, check_spec_conf(spec), why) : NULL;
	if (!spec->tls)
		return -1;
	snprintf(why, WHY_SIZE, "out of memory");
	spec->tls_memory = tls_memory_new();
	return spec->tls_memory ? 0 : -1;
}

int probe_check_certificate(struct probe *p, struct ssl_st *tls)
{
	const struct conf_check *check = check_spec_conf(p->spec);

	probe_tick(p);
	if (!p->result.handshake_us)
		p->result.handshake_us = probe_age_us(p);
	if (tls_judge(tls, p->spec->tls, check->cert_expiry_failure, &p->result) == 0)
		return 0;
	probe_finish(p);
	return -1;
}
