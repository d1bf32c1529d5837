/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"
#include "mono.h"
#include "thread.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

void worker_init(struct worker *worker, void (*run)(void *arg), void *arg)
{
	*worker = (struct worker){.run = run, .arg = arg, .go_fd = -1, .back_fd = -1};
}

/* ---- the thread's side ---- */

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	while (write(fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static bool wait_fd(int fd)
{
	uint64_t count;
	ssize_t n;

	do
		n = read(fd, &count, sizeof(count));
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(count);
}

bool worker_is_ending(const struct worker *worker)
{
	return __atomic_load_n(&worker->is_ending, __ATOMIC_RELAXED);
}

static void *thread_main(void *arg)
{
	struct worker *worker = arg;

	/* A thread's own on Linux. Without it the thread competes, nothing else. */
	if (worker->nice)
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), worker->nice);
	while (wait_fd(worker->go_fd) && !worker_is_ending(worker)) {
		worker->run(worker->arg);
		signal_fd(worker->back_fd);
	}
	return NULL;
}

/* ---- the process's side ---- */

static void close_fds(struct worker *worker)
{
	if (worker->go_fd >= 0)
		close(worker->go_fd);
	if (worker->back_fd >= 0)
		close(worker->back_fd);
	worker->go_fd = worker->back_fd = -1;
}

int worker_start(struct worker *worker, int nice)
{
	int error;

	worker->nice = nice;
	worker->go_fd = eventfd(0, EFD_CLOEXEC);
	worker->back_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = worker->go_fd < 0 || worker->back_fd < 0 ? -errno : thread_start(&worker->thread, thread_main, worker);
	worker->has_thread = error == 0;
	if (error < 0)
		close_fds(worker);
	return error;
}

int worker_set_priority(struct worker *worker, int priority)
{
	const struct sched_param param = {.sched_priority = priority};

	if (!worker->has_thread)
		return 0;
	return -pthread_setschedparam(worker->thread, priority > 0 ? SCHED_RR : SCHED_OTHER, &param);
}

int worker_fd(const struct worker *worker)
{
	return worker->back_fd;
}

void worker_send(struct worker *worker)
{
	worker->is_out = true;
	if (worker->has_thread)
		signal_fd(worker->go_fd);
	else
		worker->run(worker->arg);
}

bool worker_take(struct worker *worker)
{
	if (!worker->is_out || (worker->has_thread && !wait_fd(worker->back_fd)))
		return false;
	worker->is_out = false;
	return true;
}

static bool is_back(const struct worker *worker, int wait_ms)
{
	struct pollfd back = {.fd = worker->back_fd, .events = POLLIN};

	return !worker->has_thread || !worker->is_out || poll(&back, 1, wait_ms) > 0;
}

void worker_wait(struct worker *worker)
{
	while (!is_back(worker, -1))
		;
}

bool worker_wait_for(const struct worker *worker, int64_t limit_us)
{
	struct mono deadline = mono_add(mono_now(), limit_us);
	int64_t left_us = limit_us;

	while (!is_back(worker, (int)((left_us + US_PER_MS - 1) / US_PER_MS))) {
		left_us = mono_diff_us(deadline, mono_now());
		if (left_us <= 0)
			return false;
	}
	return true;
}

void worker_end(struct worker *worker)
{
	if (!worker->has_thread)
		return;
	__atomic_store_n(&worker->is_ending, true, __ATOMIC_RELAXED);
	signal_fd(worker->go_fd);
	pthread_join(worker->thread, NULL);
	close_fds(worker);
	worker->has_thread = false;
}
