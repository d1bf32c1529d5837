/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Closing without a reset: a connection with unread data, or one whose peer still sends, answers with RST when it is
 * closed, and servers log that as an error. So we send FIN, read and throw away for a moment, and close then. */
#ifndef POISE_LINGER_H
#define POISE_LINGER_H

#include "loop.h"
#include "poller.h"

struct lingers;

/* closed is called after each descriptor that was closed. */
struct lingers *lingers_new(struct loop *loop, struct poller *poller, void (*closed)(void *arg), void *arg);
/* Closes everything at once. */
void lingers_free(struct lingers *l);
/* Takes over a connected descriptor that the poller watches. */
void linger_begin(struct lingers *l, int fd);

#endif
