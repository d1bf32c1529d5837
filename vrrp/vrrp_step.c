/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of the state machine are written in: timers, the list of actions, entering a state. Runs wherever the
 * machine runs; never reads a clock, opens a socket, logs or allocates. */
#include "vrrp_step.h"
#include <string.h>

/* Between the announcements of a master that was asked to take over and its first advertisement. */
#define LEAD_US (50 * US_PER_MS)

/* ---- timing ---- */

int64_t vrrp_skew_us(const struct conf_instance *conf, uint32_t priority, int64_t master_interval_us)
{
	int64_t unit = conf->version == 2 ? US_PER_S : master_interval_us;

	return (256 - (int64_t)priority) * unit / 256;
}

int64_t vrrp_down_us(const struct conf_instance *conf, uint32_t priority, int64_t master_interval_us)
{
	return conf->down_timer_adverts * master_interval_us + vrrp_skew_us(conf, priority, master_interval_us);
}

int64_t vrrp_patience_us(const struct conf_instance *conf)
{
	return conf->down_timer_adverts * conf->advert_us;
}

int64_t vrrp_leaving_us(const struct conf_instance *conf)
{
	return vrrp_skew_us(conf, 1, conf->advert_us) + US_PER_S;
}

struct mono vrrp_step_claim_base(const struct vrrp_step *s)
{
	struct mono base = s->ev->now;

	if (mono_before(base, s->vr->startup_until))
		base = s->vr->startup_until;
	return mono_before(base, s->vr->quiet_until) ? s->vr->quiet_until : base;
}

void vrrp_step_arm_down(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;

	vr->deadline = mono_add(vrrp_step_claim_base(s), vrrp_down_us(s->conf, vr->priority, vr->master_interval_us));
}

void vrrp_step_arm_advert(struct vrrp_step *s)
{
	s->vr->deadline = mono_add(s->ev->now, s->conf->advert_us);
}

/* ---- actions ---- */

struct vrrp_action *vrrp_step_act(struct vrrp_step *s, enum vrrp_action_kind kind)
{
	struct vrrp_action *a = &s->out.list[s->out.n];

	/* The model shows that no step comes near the end; if one did, its last action would be lost, no memory. */
	if (s->out.n < VRRP_ACTIONS_MAX - 1)
		s->out.n++;
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

void vrrp_step_send(struct vrrp_step *s, uint32_t priority)
{
	vrrp_step_act(s, VRRP_ACTION_SEND)->priority = priority;
	s->vr->last_sent = s->ev->now;
	s->vr->patience_us = vrrp_patience_us(s->conf);
}

void vrrp_step_announce(struct vrrp_step *s, enum vrrp_announce_kind kind)
{
	vrrp_step_act(s, VRRP_ACTION_ANNOUNCE)->announce = kind;
}

struct vrrp_cause vrrp_step_cause(const struct vrrp_step *s, enum vrrp_cause_kind kind)
{
	struct vrrp_cause cause;

	memset(&cause, 0, sizeof(cause));
	cause.kind = kind;
	cause.own_priority = s->vr->priority;
	return cause;
}

static void set_state(struct vrrp_step *s, enum vrrp_state to, const struct vrrp_cause *cause)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_action *a = vrrp_step_act(s, VRRP_ACTION_STATE);

	a->from = vr->state;
	a->to = to;
	a->cause = *cause;
	vr->state = to;
	vr->since = s->ev->now;
	vr->cause = *cause;
	vr->is_ready = false;
	vr->doubts = 0;
	vr->leaving = VRRP_STAYING;
	vr->is_taking_back = false;
	memset(&vr->successor, 0, sizeof(vr->successor));
}

/* ---- entering states ---- */

void vrrp_step_forget_master(struct vrrp_vr *vr)
{
	memset(&vr->master, 0, sizeof(vr->master));
	vr->master_priority = 0;
}

static void forget_rivals(struct vrrp_vr *vr)
{
	memset(&vr->rival, 0, sizeof(vr->rival));
	memset(&vr->leaver, 0, sizeof(vr->leaver));
	vr->rival_priority = 0;
	vr->rival_seen = MONO_NEVER;
	vr->preempt_from = MONO_NEVER;
}

/* The other master lives and serves: the addresses are here and announced before it is told to go. Until then it is not
 * answered either. */
static void delay_first_advert(struct vrrp_step *s)
{
	int64_t lead_us = s->conf->advert_us < LEAD_US ? s->conf->advert_us : LEAD_US;

	s->vr->last_sent = s->ev->now;
	s->vr->patience_us = vrrp_patience_us(s->conf);
	s->vr->deadline = mono_add(s->ev->now, lead_us);
	s->vr->last_reaction = mono_add(s->vr->deadline, -s->conf->advert_us / 4);
}

/* Advertisement first, then the addresses, then the announcements (RFC 9568, 6.4.2 (370)). */
void vrrp_step_enter_master(
	struct vrrp_step *s, const struct vrrp_cause *cause, enum vrrp_reason reason, enum vrrp_announce_kind announce)
{
	struct vrrp_vr *vr = s->vr;
	bool is_taking_back = vr->is_taking_back;

	if (!is_taking_back)
		vrrp_step_send(s, vr->priority);
	vrrp_step_act(s, VRRP_ACTION_ACQUIRE);
	vrrp_step_announce(s, announce);
	set_state(s, VRRP_MASTER, cause);
	vr->master = vr->source;
	vr->master_priority = vr->priority;
	vr->master_interval_us = s->conf->advert_us;
	vr->new_master_reason = reason;
	vr->became_master++;
	vr->last_reaction = MONO_NEVER;
	vr->is_yielding = false;
	forget_rivals(vr);
	if (is_taking_back)
		delay_first_advert(s);
	else
		vrrp_step_arm_advert(s);
}

/* The master's interval must be set before: own one, or a learned one. */
void vrrp_step_enter_backup(struct vrrp_step *s, const struct vrrp_cause *cause)
{
	vrrp_step_act(s, VRRP_ACTION_RELEASE);
	set_state(s, VRRP_BACKUP, cause);
	s->vr->listening_from = s->ev->now;
	forget_rivals(s->vr);
	vrrp_step_arm_down(s);
}

void vrrp_step_leave_master(struct vrrp_step *s, const struct vrrp_cause *cause)
{
	vrrp_step_send(s, VRRP_PRIORITY_LEAVING);
	vrrp_step_forget_master(s->vr);
	s->vr->master_interval_us = s->conf->advert_us;
	vrrp_step_enter_backup(s, cause);
}

/* A member of a sync group does not move alone: it says that it is ready and is told. */
bool vrrp_step_is_grouped(const struct vrrp_step *s)
{
	return s->conf->group != CONF_NONE;
}

void vrrp_step_get_ready(struct vrrp_step *s)
{
	s->vr->is_ready = true;
	vrrp_step_act(s, VRRP_ACTION_ASK_GROUP);
	/* Ask again when the others have not come along; at the pace of a whole election. */
	vrrp_step_arm_down(s);
}

/* ---- faults ---- */

struct vrrp_cause vrrp_step_fault_cause(const struct vrrp_step *s)
{
	const struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_FAULT);

	cause.fault = (uint32_t)__builtin_ctz(vr->faults);
	memcpy(cause.text, cause.fault == VRRP_FAULT_GROUP ? vr->group_text : vr->fault_text, sizeof(cause.text));
	return cause;
}

void vrrp_step_enter_fault(struct vrrp_step *s)
{
	struct vrrp_cause cause = vrrp_step_fault_cause(s);
	struct vrrp_vr *vr = s->vr;

	if (vr->state == VRRP_MASTER)
		vrrp_step_send(s, VRRP_PRIORITY_LEAVING);
	vrrp_step_act(s, VRRP_ACTION_RELEASE);
	set_state(s, VRRP_FAULT, &cause);
	vr->deadline = MONO_NEVER;
	vrrp_step_forget_master(vr);
	forget_rivals(vr);
}

void vrrp_step_enter_init(struct vrrp_step *s, const struct vrrp_cause *cause)
{
	struct vrrp_vr *vr = s->vr;

	/* A successor that speaks already must not be told again. */
	if (vr->state == VRRP_MASTER && !addr_is_set(&vr->successor))
		vrrp_step_send(s, VRRP_PRIORITY_LEAVING);
	vrrp_step_act(s, VRRP_ACTION_RELEASE);
	set_state(s, VRRP_INIT, cause);
	vr->deadline = MONO_NEVER;
	vr->faults = 0;
	vr->is_yielding = false;
	vrrp_step_forget_master(vr);
	forget_rivals(vr);
}
