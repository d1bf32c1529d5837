/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules of a planned change of masters: who leaves says so (priority 0) and serves on until its successor is heard, so
 * that there is no moment without anybody. Part of the state machine: runs wherever it runs, touches nothing else. */
#include "vrrp_step.h"
#include <string.h>

/* A successor advertises first and then programs and announces its addresses; until that is done packets come here. */
#define GRACE_US (100 * US_PER_MS)

static void end_at(struct vrrp_step *s, enum vrrp_cause_kind kind)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vrrp_step_cause(s, kind);
	struct addr successor = vr->successor;

	cause.who = successor;
	cause.span_us = addr_is_set(&successor) ? vr->successor_after_us : mono_diff_us(s->ev->now, vr->leaving_since);
	if (kind == VRRP_CAUSE_STOPPED) {
		vrrp_step_enter_init(s, &cause);
		return;
	}
	vr->is_yielding = true;
	vrrp_step_enter_backup(s, &cause);
	vr->master = successor;
	vr->preempt_from = MONO_NEVER;
}

void vrrp_leave_begin(struct vrrp_step *s, enum vrrp_leaving leaving)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_STOPPED);

	if (vr->state != VRRP_MASTER) {
		if (leaving == VRRP_LEAVING_TO_STOP && vr->state != VRRP_INIT)
			vrrp_step_enter_init(s, &cause);
		return;
	}
	if (vr->leaving != VRRP_STAYING) {
		/* To stop is the stronger wish. */
		if (leaving == VRRP_LEAVING_TO_STOP)
			vr->leaving = leaving;
		return;
	}
	vr->leaving = leaving;
	vr->leaving_since = s->ev->now;
	vrrp_step_send(s, VRRP_PRIORITY_LEAVING);
	vr->deadline = mono_add(s->ev->now, vrrp_leaving_us(s->conf));
}

void vrrp_leave_on_advert(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;

	/* Somebody else who leaves is nobody's successor. */
	if (s->ev->advert_priority == VRRP_PRIORITY_LEAVING || addr_is_set(&vr->successor))
		return;
	vr->successor = s->ev->advert_source;
	vr->successor_after_us = mono_diff_us(s->ev->now, vr->leaving_since);
	vr->master_priority = s->ev->advert_priority;
	if (s->conf->version == 3 && s->ev->advert_interval_us > 0)
		vr->master_interval_us = s->ev->advert_interval_us;
	vr->deadline = mono_add(s->ev->now, GRACE_US);
}

void vrrp_leave_on_timer(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;

	if (vr->leaving == VRRP_LEAVING_TO_STOP) {
		end_at(s, VRRP_CAUSE_STOPPED);
		return;
	}
	if (addr_is_set(&vr->successor)) {
		end_at(s, VRRP_CAUSE_GAVE_AWAY);
		return;
	}
	/* Nobody wants it: the addresses were served all the time, and go on being served. */
	vr->leaving = VRRP_STAYING;
	vrrp_step_send(s, vr->priority);
	vrrp_step_arm_advert(s);
}

void vrrp_leave_take_back(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_TAKEN_BACK);

	vr->is_yielding = false;
	if (vr->state != VRRP_BACKUP || vr->priority <= vr->master_priority || !addr_is_set(&vr->master))
		return;
	if (vrrp_step_is_grouped(s)) {
		vr->rival = vr->master;
		vr->rival_priority = vr->master_priority;
		vr->rival_seen = s->ev->now;
		vr->is_taking_back = true;
		vrrp_step_get_ready(s);
		return;
	}
	cause.who = vr->master;
	cause.priority = vr->master_priority;
	vr->is_taking_back = true;
	vrrp_step_enter_master(s, &cause, VRRP_REASON_PREEMPTED, VRRP_ANNOUNCE_MASTER);
}
