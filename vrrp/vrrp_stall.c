/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of a process that was held up: what it may still believe, and whether it may still speak. Part of the state
 * machine: runs wherever it runs, touches nothing else. */
#include "vrrp_step.h"

/* A process that is late each time could put every election off: so often in a row the silence is laid to itself, and
 * after that to the master. */
#define DOUBTS_MAX 3

/* The owner has nobody to wait for. */
bool vrrp_has_stalled(const struct vrrp_vr *vr, struct mono now)
{
	return vr->state == VRRP_MASTER && vr->leaving == VRRP_STAYING && vr->priority != VRRP_PRIORITY_OWNER &&
	       mono_is_set(vr->last_sent) && mono_diff_us(now, vr->last_sent) >= vr->patience_us;
}

/* So long that every successor has lost its patience and advertises: one of its intervals shows it. */
static bool may_be_replaced(const struct vrrp_step *s)
{
	const struct vrrp_vr *vr = s->vr;
	struct mono awake = mono_before(vr->last_sent, vr->listening_from) ? vr->listening_from : vr->last_sent;

	return vrrp_has_stalled(s->vr, s->ev->now) &&
	       mono_diff_us(s->ev->now, awake) >= vr->patience_us + s->conf->advert_us;
}

/* What arrived while this process slept was delivered before: nobody has taken over, or only this very moment. To be
 * silent now, or to let the addresses go, would make a short sleep an outage. */
void vrrp_stall_master_on_timer(struct vrrp_step *s)
{
	if (may_be_replaced(s)) {
		s->vr->listening_from = s->ev->now;
		vrrp_step_arm_advert(s);
		return;
	}
	if (vrrp_has_stalled(s->vr, s->ev->now))
		vrrp_step_announce(s, VRRP_ANNOUNCE_REFRESH);
	vrrp_step_send(s, s->vr->priority);
	vrrp_step_arm_advert(s);
}

/* A backup that was held up itself does not know whether the silence was the master's: a machine that stands still
 * stops both. Late by part of an interval, it waits for one more advertisement; by a whole one, all anew. */
bool vrrp_stall_listens_longer(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	int64_t late_us = mono_diff_us(s->ev->now, vr->deadline);

	if (late_us < vr->master_interval_us / 4 || vr->doubts >= DOUBTS_MAX)
		return false;
	vr->doubts++;
	if (late_us < vr->master_interval_us) {
		vr->deadline = mono_add(s->ev->now, vr->master_interval_us);
		return true;
	}
	vr->listening_from = s->ev->now;
	vr->is_ready = false;
	vrrp_step_arm_down(s);
	return true;
}

/* It slept, and somebody else is master meanwhile: it listens before it speaks. */
void vrrp_stall_step_down(struct vrrp_step *s)
{
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_STALLED);

	cause.span_us = mono_diff_us(s->ev->now, s->vr->last_sent);
	cause.who = s->ev->advert_source;
	vrrp_step_forget_master(s->vr);
	vrrp_step_enter_backup(s, &cause);
}
