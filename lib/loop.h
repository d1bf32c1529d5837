/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop of every process: sd-event for descriptors, signals and children, and one timer source
 * (accuracy 1 us) over our own heap, because each sd-event source costs a poll round.
 * Create the loop before the seccomp filter is installed. */
#ifndef POISE_LOOP_H
#define POISE_LOOP_H

#include "mono.h"
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

struct loop;

/* Returns a new loop, or NULL with errno. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Runs until loop_exit(); returns the code given there, or a negative errno. */
int loop_run(struct loop *loop);
void loop_exit(struct loop *loop, int code);

/* A timer lies inside the caller's own object; zero it before first use. Firing disarms it first. */
struct timer {
	void (*fire)(struct timer *timer, void *arg);
	void *arg;
	struct mono at;
	uint32_t slot; /* the heap's, 0 = not armed */
};
/* (Re)arms; a moment in the past fires in the next round. Never fails once the heap has room: the heap
 * grows by loop_timer_reserve() or here. */
void loop_timer_set(struct loop *loop, struct timer *timer, struct mono at);
void loop_timer_cancel(struct loop *loop, struct timer *timer);
/* Makes room for n timers in all, so that loop_timer_set() allocates nothing. Returns 0 or -errno. */
int loop_timer_reserve(struct loop *loop, size_t n);

/* Descriptors. events: EPOLLIN | EPOLLOUT | EPOLLET ... The handle lives until loop_io_remove();
 * the descriptor itself is never closed by the loop. Removing inside the callback is allowed. */
struct loop_io;
typedef void loop_io_fn(int fd, uint32_t events, void *arg);
struct loop_io *loop_io_add(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg);
int loop_io_events(struct loop_io *io, uint32_t events);
/* Lower runs first when several are ready; default 0. */
int loop_io_priority(struct loop_io *io, int64_t priority);
void loop_io_remove(struct loop_io *io);

/* Signals are blocked and delivered here. Lives as long as the loop. Returns 0 or -errno. */
typedef void loop_signal_fn(int signo, void *arg);
int loop_signal_add(struct loop *loop, int signo, loop_signal_fn *fn, void *arg);

/* Calls fn once when the child has ended (it is reaped then). Returns 0 or -errno. Uses a pidfd. */
typedef void loop_child_fn(pid_t pid, const siginfo_t *info, void *arg);
int loop_child_add(struct loop *loop, pid_t pid, loop_child_fn *fn, void *arg);

/* The underlying sd_event, for what has no wrapper here (inotify, watchdog). */
struct sd_event *loop_sd_event(struct loop *loop);

#endif
