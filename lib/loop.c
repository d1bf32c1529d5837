/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop: sd-event with one timer source over a binary heap. Runs in every process.
 * Timers go before descriptors, so that a flood of input cannot hold up a heartbeat. */
#include "loop.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define TIMER_PRIORITY (-10)
/* Timers fired in one round before descriptors get their turn. */
#define TIMER_BUDGET 4096

struct loop {
	sd_event *event;
	sd_event_source *timer_source;
	struct timer **heap; /* heap[1] is the earliest; heap[0] unused */
	uint32_t count, room;
	struct mono armed; /* what the source waits for; not set: it is off */
	bool is_firing;    /* it is armed when all that is due has been fired */
};

struct loop_io {
	sd_event_source *source;
	loop_io_fn *fn;
	void *arg;
};

struct loop_signal {
	loop_signal_fn *fn;
	void *arg;
};

struct loop_child {
	loop_child_fn *fn;
	void *arg;
	pid_t pid;
};

static void heap_put(struct loop *l, uint32_t slot, struct timer *t)
{
	l->heap[slot] = t;
	t->slot = slot;
}

static void heap_up(struct loop *l, uint32_t slot)
{
	struct timer *t = l->heap[slot];

	while (slot > 1 && mono_before(t->at, l->heap[slot / 2]->at)) {
		heap_put(l, slot, l->heap[slot / 2]);
		slot /= 2;
	}
	heap_put(l, slot, t);
}

static void heap_down(struct loop *l, uint32_t slot)
{
	struct timer *t = l->heap[slot];

	for (;;) {
		uint32_t child = slot * 2;

		if (child > l->count)
			break;
		if (child < l->count && mono_before(l->heap[child + 1]->at, l->heap[child]->at))
			child++;
		if (!mono_before(l->heap[child]->at, t->at))
			break;
		heap_put(l, slot, l->heap[child]);
		slot = child;
	}
	heap_put(l, slot, t);
}

static void heap_remove(struct loop *l, struct timer *t)
{
	uint32_t slot = t->slot;
	struct timer *last = l->heap[l->count--];

	t->slot = 0;
	if (last == t)
		return;
	heap_put(l, slot, last);
	heap_up(l, slot);
	heap_down(l, last->slot);
}

/* Most timers that are set or cancelled are not the earliest: the source is touched only when that moves. */
static void rearm(struct loop *l)
{
	struct mono next = l->count ? l->heap[1]->at : MONO_NEVER;

	if (l->is_firing)
		return;
	if (l->count && next.us <= 0)
		next.us = 1;
	if (next.us == l->armed.us)
		return;
	l->armed = next;
	if (mono_is_set(next))
		sd_event_source_set_time(l->timer_source, (uint64_t)next.us);
	sd_event_source_set_enabled(l->timer_source, mono_is_set(next) ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static int fire_timers(sd_event_source *source, uint64_t usec, void *arg)
{
	struct loop *l = arg;
	struct mono now = mono_now();

	(void)source;
	(void)usec;
	l->armed = MONO_NEVER;
	l->is_firing = true;
	for (int i = 0; i < TIMER_BUDGET && l->count > 0; i++) {
		struct timer *t = l->heap[1];

		if (mono_before(now, t->at))
			break;
		heap_remove(l, t);
		t->fire(t, t->arg);
	}
	l->is_firing = false;
	rearm(l);
	return 0;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return NULL;
	rc = loop_timer_reserve(l, 64);
	if (rc == 0)
		rc = sd_event_new(&l->event);
	if (rc >= 0)
		rc = sd_event_add_time(l->event, &l->timer_source, CLOCK_MONOTONIC, 0, 1, fire_timers, l);
	if (rc >= 0)
		rc = sd_event_source_set_priority(l->timer_source, TIMER_PRIORITY);
	if (rc < 0) {
		loop_free(l);
		errno = -rc;
		return NULL;
	}
	sd_event_source_set_enabled(l->timer_source, SD_EVENT_OFF);
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	sd_event_source_unref(l->timer_source);
	sd_event_unref(l->event);
	free(l->heap);
	free(l);
}

int loop_run(struct loop *l)
{
	return sd_event_loop(l->event);
}

void loop_exit(struct loop *l, int code)
{
	sd_event_exit(l->event, code);
}

struct sd_event *loop_sd_event(struct loop *l)
{
	return l->event;
}

int loop_timer_reserve(struct loop *l, size_t n)
{
	struct timer **heap;

	if (n + 1 <= l->room)
		return 0;
	heap = reallocarray(l->heap, n + 1, sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	l->heap = heap;
	l->room = (uint32_t)n + 1;
	return 0;
}

void loop_timer_set(struct loop *l, struct timer *t, struct mono at)
{
	t->at = at;
	if (t->slot) {
		heap_up(l, t->slot);
		heap_down(l, t->slot);
	} else {
		/* Without memory for the heap nothing can be on time any more. */
		if (l->count + 2 > l->room && loop_timer_reserve(l, (size_t)l->room * 2) < 0)
			abort();
		heap_put(l, ++l->count, t);
		heap_up(l, t->slot);
	}
	rearm(l);
}

void loop_timer_cancel(struct loop *l, struct timer *t)
{
	if (!t->slot)
		return;
	heap_remove(l, t);
	rearm(l);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct loop_io *io = arg;

	(void)source;
	io->fn(fd, revents, io->arg);
	return 0;
}

static void free_io(void *arg)
{
	free(arg);
}

struct loop_io *loop_io_add(struct loop *l, int fd, uint32_t events, loop_io_fn *fn, void *arg)
{
	struct loop_io *io = calloc(1, sizeof(*io));
	int rc;

	if (!io)
		return NULL;
	io->fn = fn;
	io->arg = arg;
	rc = sd_event_add_io(l->event, &io->source, fd, events, on_io, io);
	if (rc < 0) {
		free(io);
		errno = -rc;
		return NULL;
	}
	return io;
}

int loop_io_events(struct loop_io *io, uint32_t events)
{
	return sd_event_source_set_io_events(io->source, events);
}

int loop_io_priority(struct loop_io *io, int64_t priority)
{
	return sd_event_source_set_priority(io->source, priority);
}

void loop_io_remove(struct loop_io *io)
{
	sd_event_source *source;

	if (!io)
		return;
	source = io->source;
	/* During dispatch the source outlives this call, so the handle goes with it. */
	sd_event_source_set_destroy_callback(source, free_io);
	sd_event_source_disable_unref(source);
}

/* From here on the loop alone owns the source. */
static int keep_source(sd_event_source *source)
{
	int rc = sd_event_source_set_floating(source, 1);

	sd_event_source_unref(source);
	return rc < 0 ? rc : 0;
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct loop_signal *s = arg;

	(void)source;
	s->fn((int)info->ssi_signo, s->arg);
	return 0;
}

int loop_signal_add(struct loop *l, int signo, loop_signal_fn *fn, void *arg)
{
	struct loop_signal *s = calloc(1, sizeof(*s));
	sd_event_source *source;
	sigset_t set;
	int rc;

	if (!s)
		return -ENOMEM;
	s->fn = fn;
	s->arg = arg;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	rc = sd_event_add_signal(l->event, &source, signo, on_signal, s);
	if (rc < 0) {
		free(s);
		return rc;
	}
	sd_event_source_set_destroy_callback(source, free_io);
	return keep_source(source);
}

static int on_child(sd_event_source *source, const siginfo_t *info, void *arg)
{
	struct loop_child *c = arg;

	c->fn(c->pid, info, c->arg);
	/* The loop held the last reference. */
	sd_event_source_set_floating(source, 0);
	return 0;
}

int loop_child_add(struct loop *l, pid_t pid, loop_child_fn *fn, void *arg)
{
	struct loop_child *c = calloc(1, sizeof(*c));
	sd_event_source *source;
	sigset_t set;
	int pidfd;
	int rc;

	if (!c)
		return -ENOMEM;
	/* sd-event insists on it, also with a pidfd. */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	c->fn = fn;
	c->arg = arg;
	c->pid = pid;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	rc = pidfd < 0 ? -errno : sd_event_add_child_pidfd(l->event, &source, pidfd, WEXITED, on_child, c);
	if (rc < 0) {
		if (pidfd >= 0)
			close(pidfd);
		free(c);
		return rc;
	}
	sd_event_source_set_child_pidfd_own(source, 1);
	sd_event_source_set_destroy_callback(source, free_io);
	return keep_source(source);
}
