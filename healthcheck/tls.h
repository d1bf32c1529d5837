/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS on a connected non-blocking socket, as a client. Errors come as one sentence. */
#ifndef POISE_TLS_H
#define POISE_TLS_H

#include "addr.h"
#include "reason.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What all connections of a process share. */
struct tls_world;
struct ssl_st; /* one connection (OpenSSL's SSL) */

/* NULL when OpenSSL does not come up (said on the log). Make it before the process gives up its rights. */
struct tls_world *tls_world_new(void);
void tls_world_free(struct tls_world *world);
/* Reads the system's certificate authorities, once. Returns 0, or -1 with a sentence in why (WHY_SIZE bytes). */
int tls_world_trust(struct tls_world *world, char *why);

struct tls_options {
	const char *sni;  /* name to send, NULL = none; never an address */
	bool is_verified; /* check the chain and the name */
	const char *name; /* verified: the name, or NULL to check against addr */
	const struct addr *addr;
};

/* Wraps fd, which stays the caller's. NULL when out of memory. */
struct ssl_st *tls_open(struct tls_world *world, int fd, const struct tls_options *options);
/* 1 done, 0 wait for the next edge, -1 failed with the sentence in result. */
int tls_handshake(struct ssl_st *tls, struct probe_result *result);
/* > 0 bytes, 0 closed, -EAGAIN, -EPROTO or another -errno (tls_explain() then tells). */
ssize_t tls_read(struct ssl_st *tls, void *buf, size_t size);
/* All of data or nothing: length, -EAGAIN (repeat with the same bytes), -EPROTO or another -errno. */
ssize_t tls_write(struct ssl_st *tls, const void *data, size_t size);
/* The sentence for the last failure of read or write. */
void tls_explain(int error, struct probe_result *result);
/* Says goodbye (close_notify) and frees. NULL is allowed. */
void tls_close(struct ssl_st *tls);

#endif
