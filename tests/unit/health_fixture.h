/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the health checker share: configurations built from a short description, scripted servers on the
 * loopback, and a loop that runs until something has happened. */
#ifndef POISE_TESTS_HEALTH_FIXTURE_H
#define POISE_TESTS_HEALTH_FIXTURE_H

#include "checker.h"
#include <pthread.h>
#include <stdbool.h>

/* ---- configurations ---- */

/* One check; zero members take the defaults written here. All checks with the same server number (from 0, ascending)
 * belong to one server 127.0.0.1:PORT of the first check; service 10.0.0.1:80/tcp. */
struct check_text {
	enum conf_check_kind kind;
	uint16_t port;
	unsigned server;
	unsigned timeout_ms;  /* 500 */
	unsigned interval_ms; /* 200 */
	unsigned retry;       /* 0 */
	unsigned rise;        /* 1 */
	unsigned delay_ms;    /* 50: delay_before_retry */
	const char *path;     /* "/" for HTTP and SSL */
	const char *path2;    /* a second url */
	const char *digest, *regex, *virtualhost;
	struct conf_status_range status; /* 0,0: the default */
	enum conf_http_version version;
	bool sni, verify;
	const char *bind;
	uint16_t bind_port;
	uint32_t fwmark;
	const char *name;              /* of DNS_CHECK, SMTP_CHECK, FILE_CHECK, AGENT_CHECK, GRPC_CHECK */
	const struct conf_step *steps; /* ended by a step without text; texts are in step_texts */
	const char *const *step_texts;
	uint32_t dns_type, require_reply;
	const char *method, *headers, *drain_header, *drain_body, *alpn, *tls_name;
	uint32_t drain_status, cert_expiry_failure, tls_min_version, regex_min, regex_max;
	bool regex_no_match;
	enum conf_check_initial initial;
	unsigned flap_ms, fast_ms, down_ms;
	const char *ca_file, *cert_file, *key_file;
	bool is_dynamic; /* MISC_CHECK */
};

struct conf *fixture_conf(uint64_t generation, const struct check_text *checks, unsigned n);

/* ---- servers ---- */

struct peer {
	int listen_fd;
	_Atomic int fd; /* the connection that is served, -1 = none */
	uint16_t port;
	pthread_t thread;
	/* Serves one accepted connection; the fixture closes it. */
	void (*serve)(struct peer *peer, int fd);
	/* written by the thread, read by the test after the fact */
	volatile int connections;
	volatile bool is_stopped;
	char request[4096];
	volatile int last_end; /* how the client ended in peer_read_end(): 0 = with FIN, else an errno */
	const char *answer;
	void *ctx;
};

void peer_start(struct peer *peer, void (*serve)(struct peer *peer, int fd), const char *answer);
void peer_stop(struct peer *peer);
/* A port on which nobody listens. */
uint16_t peer_free_port(void);
/* Reads a request up to its empty line into peer->request. */
bool peer_read_request(struct peer *peer, int fd);
void peer_write(int fd, const char *text);
/* Reads until the client ends, and notes how it did. */
void peer_read_end(struct peer *peer, int fd);
/* Reads the request, answers peer->answer, closes. */
void peer_serve_answer(struct peer *peer, int fd);
/* Waits until the fixture stops or the client goes. */
void peer_serve_silence(struct peer *peer, int fd);
/* Closes with a reset. */
void peer_reset(int fd);

/* ---- a checker that runs ---- */

struct fixture_run {
	int runs; /* results so far */
	struct check *check;
	struct probe_result result;
	bool has_step;
	struct verdict_step step;
};

extern struct loop *fixture_loop;
extern struct checker *fixture_checker;
extern struct fixture_run fixture_last;

void fixture_setup(void);
void fixture_teardown(void);
/* Begins anew with a checker that may open only so many descriptors. */
void fixture_limit_descriptors(uint32_t descriptors);
/* Switches to a generation; the fixture owns it. */
void fixture_commit(struct conf *conf);
/* Runs the loop until n results in all have come; false after limit_ms. */
bool fixture_until_runs(int n, int limit_ms);
void fixture_spin(int ms);

#endif
