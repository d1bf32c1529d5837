/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections that are being closed. Runs in poise-healthcheck; it never keeps one much longer than LAST_US, whatever
 * the peer sends. */
#include "linger.h"
#include "conn.h"
#include <stdlib.h>

/* A server that closes when we do has done so at the first look; one that takes its time has until the last. */
#define FIRST_US (100 * US_PER_MS)
#define LAST_US (1 * US_PER_S)
#define LOOK_US (100 * US_PER_MS)
#define DRAIN_BUDGET (256 * 1024)
/* Targets remembered; a power of two. */
#define TARGETS 65536
/* So many connections are closed without a look between two that are looked at. */
#define TRUSTED_RUNS 20

struct lingering {
	int fd;
	uint32_t target;
	struct mono began;
	struct lingering *next;
};

/* A target that was seen to hang up in silence. */
struct silent {
	uint16_t tag; /* the rest of its number */
	uint16_t runs_left;
};

struct queue {
	struct lingering *first, *last;
};

struct lingers {
	struct loop *loop;
	linger_close_fn *close;
	void *arg;
	struct timer timer;
	struct queue fresh, seen; /* by age */
	struct lingering *idle;
	struct silent silents[TARGETS];
};

uint32_t linger_target(const struct addr *addr, uint16_t port)
{
	const uint8_t *bytes = (const uint8_t *)addr;
	uint64_t sum = 0xcbf29ce484222325ULL ^ port;

	/* FNV-1a */
	for (size_t i = 0; i < sizeof(*addr); i++)
		sum = (sum ^ bytes[i]) * 0x100000001b3ULL;
	sum ^= sum >> 32;
	return (uint32_t)sum ? (uint32_t)sum : 1;
}

static struct silent *silent_of(struct lingers *l, uint32_t target)
{
	return &l->silents[target % TARGETS];
}

static void learn(struct lingers *l, uint32_t target, bool is_silent)
{
	struct silent *s = silent_of(l, target);

	if (target && is_silent)
		*s = (struct silent){(uint16_t)(target / TARGETS), TRUSTED_RUNS};
}

bool linger_is_needless(struct lingers *l, uint32_t target)
{
	struct silent *s = silent_of(l, target);

	if (!target || s->tag != target / TARGETS || s->runs_left == 0)
		return false;
	s->runs_left--;
	return true;
}

static void put(struct queue *q, struct lingering *one)
{
	one->next = NULL;
	if (q->last)
		q->last->next = one;
	else
		q->first = one;
	q->last = one;
}

static struct lingering *pull(struct queue *q)
{
	struct lingering *one = q->first;

	q->first = one->next;
	if (!q->first)
		q->last = NULL;
	return one;
}

static void end(struct lingers *l, struct lingering *one)
{
	int fd = one->fd;

	one->next = l->idle;
	l->idle = one;
	l->close(l->arg, fd);
}

static bool is_due(const struct queue *q, struct mono now, int64_t age_us)
{
	return q->first && mono_diff_us(now, q->first->began) >= age_us;
}

/* What came is thrown away; a peer that sends without end gets one budget and then its reset. */
static void on_look(struct timer *timer, void *arg)
{
	struct lingers *l = arg;
	struct mono now = mono_now();

	while (is_due(&l->seen, now, LAST_US)) {
		struct lingering *one = pull(&l->seen);

		conn_drain(one->fd, DRAIN_BUDGET);
		end(l, one);
	}
	while (is_due(&l->fresh, now, FIRST_US)) {
		struct lingering *one = pull(&l->fresh);
		enum conn_drained drained = conn_drain(one->fd, DRAIN_BUDGET);

		learn(l, one->target, drained == CONN_SILENT);
		if (drained == CONN_OPEN)
			put(&l->seen, one);
		else
			end(l, one);
	}
	if (l->fresh.first || l->seen.first)
		loop_timer_set(l->loop, timer, mono_add(now, LOOK_US));
}

struct lingers *lingers_new(struct loop *loop, linger_close_fn *close, void *arg)
{
	struct lingers *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	*l = (struct lingers){.loop = loop, .close = close, .arg = arg};
	l->timer.fire = on_look;
	l->timer.arg = l;
	return l;
}

static void free_all(struct lingering *one)
{
	while (one) {
		struct lingering *next = one->next;

		free(one);
		one = next;
	}
}

void lingers_free(struct lingers *l)
{
	if (!l)
		return;
	while (lingers_hurry(l))
		;
	loop_timer_cancel(l->loop, &l->timer);
	free_all(l->idle);
	free(l);
}

static struct lingering *take(struct lingers *l)
{
	struct lingering *one = l->idle;

	if (!one)
		return malloc(sizeof(*one));
	l->idle = one->next;
	return one;
}

void linger_begin(struct lingers *l, int fd, bool has_talked, uint32_t target, struct mono now)
{
	struct lingering *one;

	conn_shutdown(fd);
	one = has_talked && conn_drain(fd, DRAIN_BUDGET) != CONN_OPEN ? NULL : take(l);
	if (!one) {
		l->close(l->arg, fd);
		return;
	}
	one->fd = fd;
	one->target = target;
	one->began = now;
	put(&l->fresh, one);
	if (!l->timer.slot)
		loop_timer_set(l->loop, &l->timer, mono_add(one->began, LOOK_US));
}

bool lingers_hurry(struct lingers *l)
{
	struct queue *q = l->seen.first ? &l->seen : &l->fresh;
	struct lingering *one;

	if (!q->first)
		return false;
	one = pull(q);
	conn_drain(one->fd, DRAIN_BUDGET);
	end(l, one);
	return true;
}
