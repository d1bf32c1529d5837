/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the table of no_accept is brought in line. Part of the vrrp process. */
#include "log.h"
#include "vrrp_process.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define FIREWALL_RETRY_US (5 * US_PER_S)

/* Somebody's table may have been in the way, or a module may have come: what is asked for is tried until it is there.
 */
static void take_protection(struct vrrp_process *process, int error)
{
	if (error && error != process->firewall_error)
		log_error("vrrp: no_accept is not in force, packets to virtual addresses are accepted: nftables: %s; "
			  "trying "
			  "again",
			strerror(-error));
	else if (!error && process->firewall_error)
		log_info("vrrp: no_accept is in force now");
	process->firewall_error = error;
	if (error)
		loop_timer_set(process->role->loop, &process->firewall_due, mono_add(mono_now(), FIREWALL_RETRY_US));
	else
		loop_timer_cancel(process->role->loop, &process->firewall_due);
}

static void on_firewall(int fd, uint32_t events, void *arg);

static int start_firewall(struct vrrp_process *process)
{
	struct vrrp_firewall *firewall = &process->firewall;
	int error = firewall->worker.has_thread ? 0 : vrrp_firewall_start(firewall);

	if (error)
		return error;
	worker_set_priority(&firewall->worker, vrrp_process_thread_priority(process->rt_priority));
	if (!process->firewall_io)
		process->firewall_io =
			loop_io_add(process->role->loop, vrrp_firewall_fd(firewall), EPOLLIN, on_firewall, process);
	return process->firewall_io ? 0 : -ENOMEM;
}

/* What is under way is looked at again when it is back. */
void vrrp_protect(struct vrrp_process *process)
{
	int error;

	if (vrrp_firewall_is_out(&process->firewall))
		return;
	error = vrrp_firewall_want(&process->firewall, process->set->conf);
	if (error > 0) {
		error = start_firewall(process);
		if (!error) {
			vrrp_firewall_send(&process->firewall);
			return;
		}
	}
	take_protection(process, error);
}

static void on_firewall(int fd, uint32_t events, void *arg)
{
	struct vrrp_process *process = arg;
	int result;

	(void)fd;
	(void)events;
	if (!vrrp_firewall_take(&process->firewall, &result))
		return;
	take_protection(process, result);
	/* The configuration may be another by now. */
	if (!result)
		vrrp_protect(process);
}

void vrrp_protect_on_due(struct timer *timer, void *arg)
{
	(void)timer;
	vrrp_protect(arg);
}
