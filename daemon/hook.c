/* SPDX-License-Identifier: GPL-2.0-or-later */
/* startup_script and shutdown_script: the script role runs them, the parent holds back what has to wait. Runs in the
 * parent, which waits for nobody itself: a timer ends the wait when the script role does not. */
#include "parent.h"
#include <stdio.h>
#include <systemd/sd-daemon.h>

/* The script role measures the time of the script; this is for a script role that hangs. */
#define GRACE_US (3 * US_PER_S)
#define HELD (ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS) | ROLES_CHECKERS | ROLE_BIT(ROLE_PAIR))

bool hook_holds(const struct parent *p, enum role role)
{
	return p->hook.holds_start && (HELD & ROLE_BIT(role));
}

static void end(struct parent *p)
{
	bool held_start = p->hook.holds_start;

	loop_timer_cancel(p->loop, &p->hook.limit);
	p->hook.holds_start = p->hook.holds_stop = false;
	if (p->stop_phase != STOP_NOT) {
		stop_advance(p);
		return;
	}
	for (enum role r = ROLE_VRRP; held_start && r < ROLE_COUNT; r++)
		if ((HELD & ROLE_BIT(r)) && !p->children[r].pid)
			child_start_if_needed(&p->children[r]);
}

static const char *keyword(const struct parent *p)
{
	return p->hook.holds_stop ? "shutdown_script" : "startup_script";
}

static void on_limit(struct timer *timer, void *arg)
{
	struct parent *p = arg;

	(void)timer;
	log_error("%s: the script role does not say how it went: not waited for any longer", keyword(p));
	end(p);
}

/* False when it cannot be run, which was said. */
static bool ask(struct parent *p, bool at_end, int64_t timeout_us)
{
	struct child *script = &p->children[ROLE_SCRIPT];
	struct msg_hook m = {.generation = p->conf->generation, .at_end = at_end};

	if (!script->pid || msg_send_hook(&script->channel, &m, -1) < 0) {
		log_error("%s: not run: %s", keyword(p),
			script->pid ? "the script role takes no message" : "the script role is not running");
		return false;
	}
	log_info("%s: running, for at most %lld s", keyword(p), (long long)(timeout_us / US_PER_S));
	p->hook.limit.fire = on_limit;
	p->hook.limit.arg = p;
	loop_timer_set(p->loop, &p->hook.limit, mono_add(mono_now(), timeout_us + GRACE_US));
	return true;
}

void hook_hold(struct parent *p)
{
	if (!p->conf->global->startup.argc)
		return;
	/* It has run in the former life, and what hangs on our heartbeat has waited long enough. */
	if (p->has_crashed && child_has_past(&p->children[ROLE_VRRP]))
		log_info("startup_script: not run again after an end without a stop");
	else
		p->hook.holds_start = true;
}

void hook_startup(struct parent *p)
{
	if (p->hook.holds_start && !ask(p, false, p->conf->global->startup_timeout_us))
		end(p);
}

void hook_shutdown(struct parent *p)
{
	int64_t timeout_us = p->conf ? p->conf->global->shutdown_timeout_us : 0;

	/* What had not begun needs no end. */
	if (!p->conf || !p->conf->global->shutdown.argc || p->hook.holds_start)
		return;
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%lld", (long long)(timeout_us + 5 * GRACE_US));
	p->hook.holds_stop = true;
	if (!ask(p, true, timeout_us))
		p->hook.holds_stop = false;
}

void hook_done(struct parent *p, const struct msg_hook_done *m)
{
	if (m->at_end ? !p->hook.holds_stop : !p->hook.holds_start)
		return;
	if (m->result == 0)
		log_info("%s: done", keyword(p));
	else
		log_warning("%s: %.159s: going on without", keyword(p), m->why);
	end(p);
}

void hook_lost(struct parent *p)
{
	if (!p->hook.holds_start && !p->hook.holds_stop)
		return;
	log_error("%s: the script role ended: not waited for any longer", keyword(p));
	end(p);
}
