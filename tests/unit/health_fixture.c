/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See health_fixture.h. Part of the unit tests; it listens on 127.0.0.1 only, on ports that the kernel chooses. */
#include "health_fixture.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

struct loop *fixture_loop;
struct checker *fixture_checker;
struct fixture_run fixture_last;
static struct conf *committed;

/* ---- configurations ---- */

static void add_url(struct conf_builder *b, const struct check_text *t, const char *path)
{
	conf_index_t index = conf_builder_add(b, CONF_TABLE_URL);
	conf_string_t path_text = conf_builder_string(b, path);
	conf_string_t digest = conf_builder_string(b, t->digest ? t->digest : "");
	conf_string_t regex = conf_builder_string(b, t->regex ? t->regex : "");
	struct conf_url *url = conf_builder_at(b, CONF_TABLE_URL, index);

	*url = (struct conf_url){.path = path_text,
		.digest = digest,
		.regex = regex,
		.regex_min = t->regex_min,
		.regex_max = t->regex_max,
		.regex_no_match = t->regex_no_match};
	if (!t->status.low)
		return;
	url->status = (struct conf_range){conf_builder_count(b, CONF_TABLE_STATUS_RANGE), 1};
	index = conf_builder_add(b, CONF_TABLE_STATUS_RANGE);
	*(struct conf_status_range *)conf_builder_at(b, CONF_TABLE_STATUS_RANGE, index) = t->status;
}

static int64_t or_ms(unsigned ms, unsigned otherwise)
{
	return (ms ? ms : otherwise) * US_PER_MS;
}

static conf_string_t text_of(struct conf_builder *b, const char *text)
{
	return conf_builder_string(b, text ? text : "");
}

static struct conf_range blobs_of(struct conf_builder *b, const char *file)
{
	struct conf_range range = {conf_builder_count(b, CONF_TABLE_BLOB), 0};
	FILE *f = file ? fopen(file, "rb") : NULL;
	struct conf_blob blob = {0};

	while (f && (blob.length = (uint32_t)fread(blob.bytes, 1, sizeof(blob.bytes), f)) > 0) {
		*(struct conf_blob *)conf_builder_at(b, CONF_TABLE_BLOB, conf_builder_add(b, CONF_TABLE_BLOB)) = blob;
		range.count++;
	}
	if (f)
		fclose(f);
	return range;
}

static struct conf_range steps_of(struct conf_builder *b, const struct check_text *t)
{
	struct conf_range range = {conf_builder_count(b, CONF_TABLE_STEP), 0};

	for (unsigned i = 0; t->step_texts && t->step_texts[i]; i++) {
		conf_string_t text = text_of(b, t->step_texts[i]);
		conf_index_t index = conf_builder_add(b, CONF_TABLE_STEP);

		*(struct conf_step *)conf_builder_at(b, CONF_TABLE_STEP, index) =
			(struct conf_step){.kind = t->steps[i].kind, .text = text};
		range.count++;
	}
	return range;
}

/* What is not needed to connect. */
static void add_wishes(struct conf_builder *b, conf_index_t index, const struct check_text *t)
{
	struct conf_check w = {.name = text_of(b, t->name),
		.method = text_of(b, t->method),
		.headers = text_of(b, t->headers),
		.drain_header = text_of(b, t->drain_header),
		.drain_body = text_of(b, t->drain_body),
		.tls_alpn = text_of(b, t->alpn),
		.tls_name = text_of(b, t->tls_name),
		.tls_ca = text_of(b, t->ca_file),
		.tls_cert = text_of(b, t->cert_file),
		.tls_key = text_of(b, t->key_file),
		.ca_blobs = blobs_of(b, t->ca_file),
		.cert_blobs = blobs_of(b, t->cert_file),
		.key_blobs = blobs_of(b, t->key_file),
		.steps = steps_of(b, t)};
	struct conf_check *c = conf_builder_at(b, CONF_TABLE_CHECK, index);

	c->name = w.name;
	c->method = w.method;
	c->headers = w.headers;
	c->drain_header = w.drain_header;
	c->drain_body = w.drain_body;
	c->tls_alpn = w.tls_alpn;
	c->tls_name = w.tls_name;
	c->tls_ca = w.tls_ca;
	c->tls_cert = w.tls_cert;
	c->tls_key = w.tls_key;
	c->ca_blobs = w.ca_blobs;
	c->cert_blobs = w.cert_blobs;
	c->key_blobs = w.key_blobs;
	c->steps = w.steps;
	c->dns_type = t->dns_type;
	c->require_reply = t->require_reply;
	c->drain_status = t->drain_status;
	c->cert_expiry_failure = t->cert_expiry_failure;
	c->tls_min_version = t->tls_min_version;
	c->initial = t->initial;
	c->flap_backoff_us = t->flap_ms * US_PER_MS;
	c->fast_interval_us = t->fast_ms * US_PER_MS;
	c->down_interval_us = t->down_ms * US_PER_MS;
	c->misc_dynamic = t->is_dynamic;
}

static void add_check(struct conf_builder *b, const struct check_text *t)
{
	bool is_http = t->kind == CONF_CHECK_HTTP || t->kind == CONF_CHECK_SSL;
	struct conf_range urls = {conf_builder_count(b, CONF_TABLE_URL), is_http ? t->path2 ? 2 : 1 : 0};
	conf_string_t virtualhost = conf_builder_string(b, t->virtualhost ? t->virtualhost : "");
	conf_index_t index = conf_builder_add(b, CONF_TABLE_CHECK);
	struct conf_check *c = conf_builder_at(b, CONF_TABLE_CHECK, index);

	c->kind = t->kind;
	c->server = t->server;
	addr_parse("127.0.0.1", &c->target);
	c->port = t->port;
	if (t->bind)
		addr_parse(t->bind, &c->bind);
	c->bind_port = t->bind_port;
	c->fwmark = t->fwmark;
	/* A handshake costs a busy machine more than it takes. */
	c->connect_timeout_us = or_ms(t->timeout_ms, t->kind == CONF_CHECK_SSL ? 5000 : 500);
	c->interval_us = or_ms(t->interval_ms, 200);
	c->warmup_us = 0;
	c->retry = t->retry;
	c->rise = t->rise ? t->rise : 1;
	c->delay_before_retry_us = or_ms(t->delay_ms, 50);
	c->http_version = t->version;
	c->enable_sni = t->sni;
	c->tls_verify = t->verify;
	c->virtualhost = virtualhost;
	c->urls = urls;
	add_wishes(b, index, t);
	if (is_http)
		add_url(b, t, t->path ? t->path : "/");
	if (is_http && t->path2)
		add_url(b, t, t->path2);
}

static void add_server(struct conf_builder *b, uint16_t port, uint32_t first, uint32_t count)
{
	conf_index_t index = conf_builder_add(b, CONF_TABLE_SERVER);
	struct conf_server *s = conf_builder_at(b, CONF_TABLE_SERVER, index);

	addr_parse("127.0.0.1", &s->addr);
	s->port = port;
	s->weight = 1;
	s->checks = (struct conf_range){first, count};
}

static void add_service(struct conf_builder *b, uint32_t n_servers)
{
	conf_string_t scheduler = conf_builder_string(b, "wlc");
	conf_index_t index = conf_builder_add(b, CONF_TABLE_SERVICE);
	struct conf_service *s = conf_builder_at(b, CONF_TABLE_SERVICE, index);

	addr_parse("10.0.0.1", &s->addr);
	s->family = AF_INET;
	s->port = 80;
	s->protocol = IPPROTO_TCP;
	s->group = CONF_NONE;
	s->sorry = CONF_NONE;
	s->scheduler = scheduler;
	s->quorum = 1;
	s->servers = (struct conf_range){0, n_servers};
}

struct conf *fixture_conf(uint64_t generation, const struct check_text *checks, unsigned n)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct conf *conf;

	for (unsigned i = 0; i < n;) {
		unsigned first = i;

		while (i < n && checks[i].server == checks[first].server)
			add_check(b, &checks[i++]);
		add_server(b, checks[first].port, first, i - first);
	}
	add_service(b, conf_builder_count(b, CONF_TABLE_SERVER));
	ck_assert_int_eq(conf_builder_write(b, generation, fd), 0);
	conf_builder_free(b);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
	return conf;
}

/* ---- servers ---- */

static int listener(uint16_t *port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	getsockname(fd, (struct sockaddr *)&sin, &length);
	*port = ntohs(sin.sin_port);
	return fd;
}

uint16_t peer_free_port(void)
{
	uint16_t port;

	close(listener(&port));
	return port;
}

static void *peer_thread(void *arg)
{
	struct peer *peer = arg;

	for (;;) {
		int fd = accept4(peer->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			return NULL;
		peer->connections++;
		peer->fd = fd;
		if (!peer->is_stopped)
			peer->serve(peer, fd);
		peer->fd = -1;
		close(fd);
	}
}

void peer_start(struct peer *peer, void (*serve)(struct peer *peer, int fd), const char *answer)
{
	void *ctx = peer->ctx;

	memset(peer, 0, sizeof(*peer));
	peer->ctx = ctx;
	peer->listen_fd = listener(&peer->port);
	peer->serve = serve;
	peer->answer = answer;
	peer->last_end = -1;
	peer->fd = -1;
	ck_assert_int_eq(pthread_create(&peer->thread, NULL, peer_thread, peer), 0);
}

void peer_stop(struct peer *peer)
{
	int fd;

	peer->is_stopped = true;
	shutdown(peer->listen_fd, SHUT_RDWR);
	/* A probe that lingers, or that is begun and not gone on with, would keep it waiting. */
	fd = peer->fd;
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
	pthread_join(peer->thread, NULL);
	close(peer->listen_fd);
}

/* Waits for bytes; false when the fixture stops. */
static bool wait_readable(const struct peer *peer, int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (!peer->is_stopped)
		if (poll(&p, 1, 10) > 0)
			return true;
	return false;
}

bool peer_read_request(struct peer *peer, int fd)
{
	size_t used = 0;

	memset(peer->request, 0, sizeof(peer->request));
	while (used + 1 < sizeof(peer->request) && !strstr(peer->request, "\r\n\r\n")) {
		ssize_t n;

		if (!wait_readable(peer, fd))
			return false;
		n = recv(fd, peer->request + used, sizeof(peer->request) - 1 - used, 0);
		if (n <= 0)
			return false;
		used += (size_t)n;
	}
	return true;
}

void peer_write(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length > 0) {
		ssize_t n = send(fd, text, length, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		length -= (size_t)n;
	}
}

/* A reset that came after the FIN shows here only. */
static int pending_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
	return error;
}

void peer_read_end(struct peer *peer, int fd)
{
	char buf[4096];
	ssize_t n = 1;

	while (n > 0 && wait_readable(peer, fd)) {
		n = recv(fd, buf, sizeof(buf), 0);
		if (n < 0)
			peer->last_end = errno;
		else if (n == 0)
			peer->last_end = pending_error(fd);
	}
}

void peer_serve_answer(struct peer *peer, int fd)
{
	if (peer_read_request(peer, fd))
		peer_write(fd, peer->answer);
}

void peer_serve_silence(struct peer *peer, int fd)
{
	peer_read_end(peer, fd);
}

void peer_reset(int fd)
{
	const struct linger linger = {.l_onoff = 1, .l_linger = 0};

	/* The fixture's close() then sends RST. */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

/* ---- a checker that runs ---- */

static void on_report(
	void *arg, struct check *check, const struct verdict_step *step, const struct probe_result *result)
{
	(void)arg;
	fixture_last.runs++;
	fixture_last.check = check;
	fixture_last.result = *result;
	fixture_last.has_step = step != NULL;
	if (step)
		fixture_last.step = *step;
}

void fixture_setup(void)
{
	fixture_last = (struct fixture_run){0};
	committed = NULL;
	fixture_loop = loop_new();
	fixture_checker = checker_new(fixture_loop, 1024, 1, on_report, NULL);
	ck_assert_ptr_nonnull(fixture_checker);
}

void fixture_limit_descriptors(uint32_t descriptors)
{
	checker_free(fixture_checker);
	fixture_checker = checker_new(fixture_loop, descriptors, 1, on_report, NULL);
	ck_assert_ptr_nonnull(fixture_checker);
}

void fixture_teardown(void)
{
	checker_free(fixture_checker);
	loop_free(fixture_loop);
	conf_close(committed);
}

void fixture_commit(struct conf *conf)
{
	struct check_set *set;

	set = check_set_new(
		conf, ROLE_HEALTHCHECK, checker_set(fixture_checker), prober_tls(checker_prober(fixture_checker)));
	ck_assert_ptr_nonnull(set);
	checker_commit(fixture_checker, set, NULL);
	for (uint32_t i = 0; i < set->n_servers; i++)
		if (check_set_owns(set, i))
			check_set_judge_server(set, i, mono_now());
	conf_close(committed);
	committed = conf;
}

bool fixture_until_runs(int n, int limit_ms)
{
	struct mono end = mono_add(mono_now(), limit_ms * US_PER_MS);

	while (fixture_last.runs < n) {
		int64_t left_us = mono_diff_us(end, mono_now());

		if (left_us <= 0)
			return false;
		ck_assert_int_ge(sd_event_run(loop_sd_event(fixture_loop), (uint64_t)left_us), 0);
	}
	return true;
}

void fixture_spin(int ms)
{
	fixture_until_runs(INT32_MAX, ms);
}
