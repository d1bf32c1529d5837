/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Closing without a reset: a connection with unread data, or one whose peer still sends, answers with RST when it is
 * closed, and servers log that as an error. So we send FIN, and look a moment later, at many connections at once, what
 * came: nobody is woken for it. Of a target that hangs up without a word after our FIN it is remembered: its next
 * connections are just closed, which sends the same packets, and only now and then it is looked at again. */
#ifndef POISE_LINGER_H
#define POISE_LINGER_H

#include "addr.h"
#include "loop.h"
#include <stdbool.h>

struct lingers;

/* Closes a descriptor. */
typedef void linger_close_fn(void *arg, int fd);
struct lingers *lingers_new(struct loop *loop, linger_close_fn *close, void *arg);
/* Closes everything at once. */
void lingers_free(struct lingers *l);
/* What a lingering connection is to: two targets may share a number, that only costs a look more. 0: not remembered. */
uint32_t linger_target(const struct addr *addr, uint16_t port);
/* Takes over a connected descriptor that nobody watches any more. has_talked: there may be bytes to read, so that a
 * first look pays at once. */
void linger_begin(struct lingers *l, int fd, bool has_talked, uint32_t target, struct mono now);
/* True when a connection to this target on which nobody has said anything may just be closed. */
bool linger_is_needless(struct lingers *l, uint32_t target);
/* Closes the oldest one before its time, because descriptors are scarce. Returns false when there is none. */
bool lingers_hurry(struct lingers *l);

#endif
