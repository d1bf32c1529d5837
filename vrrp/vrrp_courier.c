/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second thread of the vrrp process: it waits for rtnetlink so that the heartbeat does not have to. It runs what it
 * is handed, writes down what the kernel answered, and decides nothing; it touches nothing else of the process. */
#include "vrrp_courier.h"
#include "mono.h"
#include "netlink.h"
#include "vrrp_monitor.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define EXCHANGE_TIMEOUT_US (1 * US_PER_S)

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

static void run(void *arg)
{
	struct vrrp_courier *courier = arg;

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

/* ---- the process's side ---- */

void vrrp_courier_init(struct vrrp_courier *courier, struct nl_sock *sock, struct netlink_batch *batch)
{
	*courier = (struct vrrp_courier){.sock = sock, .batch = batch};
	worker_init(&courier->worker, run, courier);
}

int vrrp_courier_start(struct vrrp_courier *courier)
{
	return worker_start(&courier->worker, 0);
}

int vrrp_courier_set_priority(struct vrrp_courier *courier, int priority)
{
	return worker_set_priority(&courier->worker, priority);
}

int vrrp_courier_fd(const struct vrrp_courier *courier)
{
	return worker_fd(&courier->worker);
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
	worker_send(&courier->worker);
	return 0;
}

bool vrrp_courier_is_out(const struct vrrp_courier *courier)
{
	return courier->worker.is_out;
}

enum vrrp_errand vrrp_courier_take(struct vrrp_courier *courier)
{
	enum vrrp_errand errand = courier->errand;

	if (!worker_take(&courier->worker))
		return VRRP_ERRAND_NONE;
	courier->errand = VRRP_ERRAND_NONE;
	return errand;
}

void vrrp_courier_wait(struct vrrp_courier *courier)
{
	worker_wait(&courier->worker);
}

void vrrp_courier_free(struct vrrp_courier *courier)
{
	vrrp_courier_wait(courier);
	worker_end(&courier->worker);
	free(courier->refusals);
	vrrp_courier_init(courier, NULL, NULL);
}
