/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "thread.h"
#include <signal.h>

/* Roles lock their memory; what a stack may grow to is locked with it. */
#define STACK_SIZE (256 * 1024)

int thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	/* A system call that the sandbox refuses is to fail, not to end the process. */
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -error;
}
