/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo requests: one raw socket for each family, opened while the process still may, and shared by all probes. Answers
 * are told apart by a cookie that nobody can guess. */
#ifndef POISE_PING_H
#define POISE_PING_H

#include "addr.h"
#include "loop.h"

struct ping_world;

/* NULL when this machine gives us no such socket. */
struct ping_world *ping_world_new(struct loop *loop, int family);
/* The same with a raw socket that somebody else has opened; it is closed in any case. */
struct ping_world *ping_world_take(struct loop *loop, int family, int fd);
void ping_world_free(struct ping_world *world); /* NULL is allowed */

/* One request under way; lies in its probe, zeroed before first use. */
struct ping {
	struct ping *next, **link;
	struct addr target;
	uint64_t cookie;
	uint16_t sequence;
	void (*answered)(struct ping *ping);
};

/* Sends a request from `source` (may be unset) through the interface (0 = any). Returns 0 or -errno. */
int ping_send(struct ping_world *world, struct ping *ping, const struct addr *source, unsigned ifindex);
/* No answer is wanted any more. */
void ping_forget(struct ping *ping);

/* ---- pure ---- */
#define PING_SIZE 16
/* Builds an echo request; buf has PING_SIZE bytes. */
void ping_build(int family, uint16_t ident, uint16_t sequence, uint64_t cookie, uint8_t *buf);
/* Takes a packet as the raw socket gives it (IPv4: with its IP header). Returns true for an echo reply with our ident.
 */
bool ping_parse(int family, const uint8_t *data, size_t length, uint16_t ident, uint16_t *sequence, uint64_t *cookie);

#endif
