/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The descriptors of all probes behind one descriptor of the loop: its own epoll set, edge-triggered, one table entry
 * for each descriptor number, no allocation and one system call to add. A closed descriptor leaves by itself. */
#ifndef POISE_POLLER_H
#define POISE_POLLER_H

#include "loop.h"
#include <stdbool.h>
#include <stdint.h>

struct poller;
typedef void poller_fn(int fd, uint32_t events, void *arg);

/* For descriptor numbers below `size`. NULL with errno. */
struct poller *poller_new(struct loop *loop, uint32_t size);
void poller_free(struct poller *poller);
/* Watches fd for reading and writing, edge-triggered. once: for who waits for nothing but the end of connect(): what
 * comes later wakes nobody. Returns 0 or -errno (-EMFILE: the number is too high). */
int poller_add(struct poller *poller, int fd, bool once, poller_fn *fn, void *arg);
/* Watches it no more. Events of it that were already fetched are dropped. It is closed by poller_close() all the same.
 */
void poller_forget(struct poller *poller, int fd);
/* Asks for another call though no new edge came: the caller stopped before -EAGAIN. */
void poller_again(struct poller *poller, int fd);
/* Forgets and closes the descriptor. Events of it that were already fetched are dropped. */
void poller_close(struct poller *poller, int fd);

#endif
