/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second thread of the vrrp process: it waits for rtnetlink so that the heartbeat does not have to. It runs what it
 * is handed, writes down what the kernel answered, and decides nothing; it touches nothing else of the process. */
#include "vrrp_courier.h"
#include "mono.h"
#include "netlink.h"
#include "vrrp_monitor.h"
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EXCHANGE_TIMEOUT_US (1 * US_PER_S)
#define STACK_SIZE (256 * 1024)

void vrrp_courier_init(struct vrrp_courier *courier, struct nl_sock *sock, struct netlink_batch *batch)
{
	*courier = (struct vrrp_courier){.sock = sock, .batch = batch, .go_fd = -1, .back_fd = -1};
}

/* ---- the errands; with a thread they run there ---- */

static void on_refused(void *arg, size_t number, int error, const char *text)
{
	struct vrrp_courier *courier = arg;
	struct vrrp_refusal *refusal = &courier->refusals[courier->n_refusals];

	if (courier->n_refusals == courier->room)
		return;
	courier->n_refusals++;
	refusal->number = (uint32_t)number;
	refusal->error = error;
	snprintf(refusal->text, sizeof(refusal->text), "%s", text ? text : "");
}

static void run(struct vrrp_courier *courier)
{
	switch (courier->errand) {
	case VRRP_ERRAND_NONE:
		return;
	case VRRP_ERRAND_PLAN:
	case VRRP_ERRAND_REFRESH:
	case VRRP_ERRAND_PATHS:
		courier->result =
			netlink_batch_send(courier->sock, courier->batch, EXCHANGE_TIMEOUT_US, on_refused, courier);
		return;
	case VRRP_ERRAND_READ:
		courier->result = vrrp_monitor_fetch(courier->sock, &courier->links);
		return;
	case VRRP_ERRAND_LOOK:
		courier->result = courier->look(courier->sock, courier->look_arg);
		return;
	}
}

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

static void *thread_main(void *arg)
{
	struct vrrp_courier *courier = arg;

	while (wait_fd(courier->go_fd) && !courier->is_ending) {
		run(courier);
		signal_fd(courier->back_fd);
	}
	return NULL;
}

/* ---- the process's side ---- */

static int create_thread(struct vrrp_courier *courier)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int error;

	pthread_attr_init(&attr);
	/* It is locked into memory with everything else. */
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&courier->thread, &attr, thread_main, courier);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -error;
}

int vrrp_courier_start(struct vrrp_courier *courier)
{
	int error;

	courier->go_fd = eventfd(0, EFD_CLOEXEC);
	courier->back_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = courier->go_fd < 0 || courier->back_fd < 0 ? -errno : create_thread(courier);
	courier->has_thread = error == 0;
	return error;
}

int vrrp_courier_set_priority(struct vrrp_courier *courier, int priority)
{
	const struct sched_param param = {.sched_priority = priority};

	if (!courier->has_thread)
		return 0;
	return -pthread_setschedparam(courier->thread, priority > 0 ? SCHED_RR : SCHED_OTHER, &param);
}

int vrrp_courier_fd(const struct vrrp_courier *courier)
{
	return courier->back_fd;
}

static int make_room(struct vrrp_courier *courier, size_t n)
{
	struct vrrp_refusal *refusals;

	if (n <= courier->room)
		return 0;
	refusals = reallocarray(courier->refusals, n, sizeof(*refusals));
	if (!refusals)
		return -ENOMEM;
	courier->refusals = refusals;
	courier->room = (uint32_t)n;
	return 0;
}

int vrrp_courier_send(struct vrrp_courier *courier, enum vrrp_errand errand)
{
	if (make_room(courier, netlink_batch_count(courier->batch)) < 0)
		return -ENOMEM;
	courier->errand = errand;
	courier->n_refusals = 0;
	courier->result = 0;
	if (courier->has_thread)
		signal_fd(courier->go_fd);
	else
		run(courier);
	return 0;
}

bool vrrp_courier_is_out(const struct vrrp_courier *courier)
{
	return courier->errand != VRRP_ERRAND_NONE;
}

enum vrrp_errand vrrp_courier_take(struct vrrp_courier *courier)
{
	enum vrrp_errand errand = courier->errand;

	if (errand == VRRP_ERRAND_NONE || (courier->has_thread && !wait_fd(courier->back_fd)))
		return VRRP_ERRAND_NONE;
	courier->errand = VRRP_ERRAND_NONE;
	return errand;
}

void vrrp_courier_wait(struct vrrp_courier *courier)
{
	struct pollfd back = {.fd = courier->back_fd, .events = POLLIN};

	if (courier->has_thread && vrrp_courier_is_out(courier))
		while (poll(&back, 1, -1) < 0 && errno == EINTR)
			;
}

void vrrp_courier_free(struct vrrp_courier *courier)
{
	vrrp_courier_wait(courier);
	if (courier->has_thread) {
		courier->is_ending = true;
		signal_fd(courier->go_fd);
		pthread_join(courier->thread, NULL);
		close(courier->go_fd);
		close(courier->back_fd);
	}
	free(courier->refusals);
	*courier = (struct vrrp_courier){.go_fd = -1, .back_fd = -1};
}
