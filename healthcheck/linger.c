/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that are being closed. Runs in poise-healthcheck; it never keeps one longer than LINGER_US, whatever the
 * peer sends. */
#include "linger.h"
#include "conn.h"
#include <stdlib.h>

#define LINGER_US (1 * US_PER_S)
#define DRAIN_BUDGET (256 * 1024)

struct lingering {
	struct lingers *owner;
	int fd; /* -1 = free */
	struct timer limit;
	struct lingering *next_free;
	struct lingering *all_next;
};

struct lingers {
	struct loop *loop;
	struct poller *poller;
	void (*closed)(void *arg);
	void *arg;
	struct lingering *all, *idle;
};

struct lingers *lingers_new(struct loop *loop, struct poller *poller, void (*closed)(void *arg), void *arg)
{
	struct lingers *l = calloc(1, sizeof(*l));

	if (l)
		*l = (struct lingers){.loop = loop, .poller = poller, .closed = closed, .arg = arg};
	return l;
}

void lingers_free(struct lingers *l)
{
	struct lingering *one, *next;

	if (!l)
		return;
	for (one = l->all; one; one = next) {
		next = one->all_next;
		loop_timer_cancel(l->loop, &one->limit);
		if (one->fd >= 0)
			poller_close(l->poller, one->fd);
		free(one);
	}
	free(l);
}

static void end(struct lingering *one)
{
	struct lingers *l = one->owner;

	loop_timer_cancel(l->loop, &one->limit);
	poller_close(l->poller, one->fd);
	one->fd = -1;
	one->next_free = l->idle;
	l->idle = one;
	l->closed(l->arg);
}

static void on_limit(struct timer *timer, void *arg)
{
	(void)timer;
	end(arg);
}

/* What comes is thrown away; a peer that sends without end gets one budget and then its reset. */
static void on_io(int fd, uint32_t events, void *arg)
{
	if ((events & (EPOLLERR | EPOLLHUP)) || conn_drain(fd, DRAIN_BUDGET) != CONN_OPEN)
		end(arg);
}

static struct lingering *take(struct lingers *l)
{
	struct lingering *one = l->idle;

	if (one) {
		l->idle = one->next_free;
		return one;
	}
	one = calloc(1, sizeof(*one));
	if (!one)
		return NULL;
	one->owner = l;
	one->limit.fire = on_limit;
	one->limit.arg = one;
	one->all_next = l->all;
	l->all = one;
	return one;
}

void linger_begin(struct lingers *l, int fd)
{
	struct lingering *one;

	conn_shutdown(fd);
	one = conn_drain(fd, DRAIN_BUDGET) == CONN_OPEN ? take(l) : NULL;
	if (!one) {
		poller_close(l->poller, fd);
		l->closed(l->arg);
		return;
	}
	one->fd = fd;
	poller_hand_over(l->poller, fd, on_io, one);
	loop_timer_set(l->loop, &one->limit, mono_add(mono_now(), LINGER_US));
}
