/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A further thread of a process that has a loop. */
#ifndef POISE_THREAD_H
#define POISE_THREAD_H

#include <pthread.h>

/* Starts it, with a small stack and with all signals blocked, but for what the sandbox sends: those are for the loop.
 * Returns 0 or -errno. */
int thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
