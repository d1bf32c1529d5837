/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second thread of a process: does one long piece of work at a time, so that the first need not wait for it. What a
 * piece of work reads and writes belongs to the thread from worker_send() until worker_take(). */
#ifndef POISE_WORKER_H
#define POISE_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct worker {
	void (*run)(void *arg); /* one piece of work */
	void *arg;
	bool has_thread; /* without one, the work is done at once in worker_send() */
	bool is_out;     /* under way, or done and not yet taken */
	bool is_ending;  /* the thread reads it at any time: worker_is_ending() */
	int nice;
	pthread_t thread;
	int go_fd, back_fd; /* eventfds */
};

void worker_init(struct worker *worker, void (*run)(void *arg), void *arg);
/* Starts the thread, to be called when the process has given up its privileges. nice: how far below the rest of the
 * process it stands, 0 = equal. Returns 0 or -errno. */
int worker_start(struct worker *worker, int nice);
/* Real-time priority of the thread, 0 = none. Returns 0 or -errno. */
int worker_set_priority(struct worker *worker, int priority);
/* Readable when the work is done; -1 without a thread. */
int worker_fd(const struct worker *worker);

/* Sends it off; only when it is not out. */
void worker_send(struct worker *worker);
/* True once for each piece of work, when it is done. */
bool worker_take(struct worker *worker);
/* Waits until what is out is done. */
void worker_wait(struct worker *worker);
/* The same for so long at most. True when nothing is out, or it is done. */
bool worker_wait_for(const struct worker *worker, int64_t limit_us);
/* For the work itself: it is to stop early, as the process ends. */
bool worker_is_ending(const struct worker *worker);
/* Ends the thread when its present piece of work returns. */
void worker_end(struct worker *worker);

#endif
