/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS on a connected non-blocking socket, as a client. Errors come as one sentence. */
#ifndef POISE_TLS_H
#define POISE_TLS_H

#include "conf.h"
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

/* What the connections of one or many checks have in common: versions, trust, our certificate, protocols. */
struct tls_profile;
/* The profile for a check; checks with the same wishes share one. NULL with a sentence in why (WHY_SIZE bytes). */
struct tls_profile *tls_profile_get(
	struct tls_world *world, const struct conf *conf, const struct conf_check *check, char *why);
void tls_profile_put(struct tls_profile *profile); /* NULL is allowed */

struct tls_peer {
	const char *sni;  /* name to send, NULL = none; never an address */
	const char *name; /* to verify, or NULL to verify against addr */
	const struct addr *addr;
};

/* What is kept between the connections of one check. Where no certificate is verified, the next handshake resumes the
 * last session, which costs a fraction; after any failure, and once a minute, it is a full one. */
struct tls_memory;
/* NULL when out of memory. */
struct tls_memory *tls_memory_new(void);
void tls_memory_free(struct tls_memory *memory); /* NULL is allowed */

/* Wraps fd, which stays the caller's; memory must live as long as the connection. NULL when out of memory. */
struct ssl_st *tls_open(struct tls_profile *profile, int fd, const struct tls_peer *peer, struct tls_memory *memory);
/* After the handshake: the protocol must be one that was offered, and the certificate valid for more than so many days
 * (0 = not looked at). Notes the days that are left. Returns 0, or -1 with the sentence in result. */
int tls_judge(struct ssl_st *tls, const struct tls_profile *profile, uint32_t days, struct probe_result *result);
/* 1 done, 0 wait for the next edge, -1 failed with the sentence in result. */
int tls_handshake(struct ssl_st *tls, struct probe_result *result);
/* > 0 bytes, 0 closed, -EAGAIN, -EPROTO or another -errno (tls_explain() then tells). */
ssize_t tls_read(struct ssl_st *tls, void *buf, size_t size);
/* All of data or nothing: length, -EAGAIN (repeat with the same bytes), -EPROTO or another -errno. */
ssize_t tls_write(struct ssl_st *tls, const void *data, size_t size);
/* The sentence for the last failure of read or write. */
void tls_explain(int error, struct probe_result *result);
/* Says goodbye (close_notify), unless the server has, and frees. NULL is allowed. */
void tls_close(struct ssl_st *tls);

#endif
