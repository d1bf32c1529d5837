/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One step of the state machine in progress; only vrrp_fsm.c and vrrp_step.c include this. */
#ifndef POISE_VRRP_STEP_H
#define POISE_VRRP_STEP_H

#include "vrrp_fsm.h"

/* RFC 6527, vrrpv3StatisticsNewMasterReason */
enum vrrp_reason { VRRP_REASON_NOT_MASTER, VRRP_REASON_PRIORITY, VRRP_REASON_PREEMPTED, VRRP_REASON_NO_RESPONSE };

struct vrrp_step {
	const struct conf_instance *conf;
	struct vrrp_vr *vr;
	const struct vrrp_event *ev;
	struct vrrp_actions out;
};

/* The moment from which a claim may be counted: now, or the end of startup_delay, or when a silent link is believed. */
struct mono vrrp_step_claim_base(const struct vrrp_step *s);
/* Deadline = a whole down interval from then; the next advertisement. */
void vrrp_step_arm_down(struct vrrp_step *s);
void vrrp_step_arm_advert(struct vrrp_step *s);

/* Appends an action, zeroed but for its kind. */
struct vrrp_action *vrrp_step_act(struct vrrp_step *s, enum vrrp_action_kind kind);
void vrrp_step_send(struct vrrp_step *s, uint32_t priority);
void vrrp_step_announce(struct vrrp_step *s, enum vrrp_announce_kind kind);
struct vrrp_cause vrrp_step_cause(const struct vrrp_step *s, enum vrrp_cause_kind kind);
/* The cause that vr->faults (not 0) are. */
struct vrrp_cause vrrp_step_fault_cause(const struct vrrp_step *s);

/* Entering a state, with all that belongs to it. The backup's master interval (own one, or learned) must be set before;
 * leave_master: voluntarily, so that a successor need not wait. */
void vrrp_step_enter_master(
	struct vrrp_step *s, const struct vrrp_cause *cause, enum vrrp_reason reason, enum vrrp_announce_kind announce);
void vrrp_step_enter_backup(struct vrrp_step *s, const struct vrrp_cause *cause);
void vrrp_step_leave_master(struct vrrp_step *s, const struct vrrp_cause *cause);
void vrrp_step_enter_fault(struct vrrp_step *s);
void vrrp_step_enter_init(struct vrrp_step *s, const struct vrrp_cause *cause);
void vrrp_step_forget_master(struct vrrp_vr *vr);

/* A member of a sync group does not move alone: it says that it is ready and is told. */
bool vrrp_step_is_grouped(const struct vrrp_step *s);
void vrrp_step_get_ready(struct vrrp_step *s);

/* ---- vrrp_leave.c ---- */
/* The three events of a planned change; what a leaving master does with an advertisement and at its deadline. */
void vrrp_leave_begin(struct vrrp_step *s, enum vrrp_leaving leaving);
void vrrp_leave_take_back(struct vrrp_step *s);
void vrrp_leave_on_advert(struct vrrp_step *s);
void vrrp_leave_on_timer(struct vrrp_step *s);

/* ---- vrrp_stall.c ---- */
/* A master's timer, in time or late. */
void vrrp_stall_master_on_timer(struct vrrp_step *s);
/* True when a backup's timer came so late that its silence proves nothing: it waits on. */
bool vrrp_stall_listens_longer(struct vrrp_step *s);
/* A master that vrrp_has_stalled() hears (the event) another one. */
void vrrp_stall_step_down(struct vrrp_step *s);

#endif
