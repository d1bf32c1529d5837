/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stopping in order: first vrrp hands over, then the rest goes, then shutdown_script has its time, last the script
 * role, so that notifications of the stop are still run. Runs in the parent. */
#include "parent.h"
#include <signal.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#define PHASE_TIME_US (3 * US_PER_S)

static uint32_t phase_roles(enum stop_phase phase)
{
	switch (phase) {
	case STOP_NOT:
	case STOP_HOOK:
		return 0;
	case STOP_VRRP:
		return ROLE_BIT(ROLE_VRRP);
	case STOP_OTHERS:
		return ROLE_BIT(ROLE_IPVS) | ROLES_CHECKERS | ROLE_BIT(ROLE_CONTROL) | ROLE_BIT(ROLE_SNMP) |
		       ROLE_BIT(ROLE_PAIR);
	case STOP_SCRIPT:
		return ROLE_BIT(ROLE_SCRIPT);
	}
	return 0;
}

static bool phase_done(const struct parent *p)
{
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		if ((phase_roles(p->stop_phase) & ROLE_BIT(r)) && p->children[r].pid)
			return false;
	return p->stop_phase != STOP_HOOK || !p->hook.holds_stop;
}

/* A master waits for its successor as long as the slowest one may take, and a second (vrrp_leaving_us()). */
static int64_t phase_time_us(const struct parent *p)
{
	int64_t longest_us = 0;

	for (uint32_t i = 0; p->stop_phase == STOP_VRRP && p->conf && i < p->conf->n_instances; i++) {
		int64_t us = p->conf->instances[i].version == 2 ? US_PER_S : p->conf->instances[i].advert_us;

		longest_us = us > longest_us ? us : longest_us;
	}
	return PHASE_TIME_US + longest_us;
}

static void ask(struct parent *p)
{
	struct msg_stop m = {0};

	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++) {
		struct child *c = &p->children[r];

		if (!(phase_roles(p->stop_phase) & ROLE_BIT(r)) || !c->pid)
			continue;
		if (msg_send_stop(&c->channel, &m, -1) < 0)
			kill(c->pid, SIGKILL);
	}
	loop_timer_set(p->loop, &p->stop_deadline, mono_add(mono_now(), phase_time_us(p)));
}

static void on_deadline(struct timer *timer, void *arg)
{
	struct parent *p = arg;

	(void)timer;
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		if ((phase_roles(p->stop_phase) & ROLE_BIT(r)) && p->children[r].pid)
			child_kill(&p->children[r], "it did not stop in time");
}

void stop_advance(struct parent *p)
{
	while (phase_done(p)) {
		if (p->stop_phase == STOP_SCRIPT) {
			loop_timer_cancel(p->loop, &p->stop_deadline);
			loop_exit(p->loop, p->exit_code);
			return;
		}
		p->stop_phase++;
		if (p->stop_phase == STOP_HOOK)
			hook_shutdown(p);
		else
			ask(p);
	}
}

void stop_begin(struct parent *p)
{
	if (p->stop_phase != STOP_NOT)
		return;
	if (p->conf)
		log_info("poised: stopping: virtual addresses first, then the rest");
	sd_notify(0, "STOPPING=1");
	for (enum role r = ROLE_VRRP; r < ROLE_COUNT; r++)
		/* One that is there and not watched yet is waited for like the others. */
		if (!p->children[r].pid)
			loop_timer_cancel(p->loop, &p->children[r].restart);
	loop_timer_cancel(p->loop, &p->give_up);
	standby_dismiss(p);
	p->stop_deadline.fire = on_deadline;
	p->stop_deadline.arg = p;
	p->stop_phase = STOP_VRRP;
	reload_abandon(p);
	ask(p);
	stop_advance(p);
}
