/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VRRP state machine of one virtual router, as rules over plain data (RFC 9568, 6.4). Runs in the vrrp role, in the
 * unit tests and in the exhaustive model. It never reads a clock, opens a socket, logs or allocates. */
#include "vrrp_step.h"
#include <string.h>

/* ---- start, resume, faults ---- */

/* The owner of the addresses waits for nobody (RFC 9568, 6.4.1). */
static void claim_as_owner(struct vrrp_step *s)
{
	struct vrrp_cause cause;

	if (vrrp_step_is_grouped(s)) {
		vrrp_step_get_ready(s);
		return;
	}
	cause = vrrp_step_cause(s, VRRP_CAUSE_OWNER);
	vrrp_step_enter_master(s, &cause, VRRP_REASON_PRIORITY, VRRP_ANNOUNCE_MASTER);
}

static void begin(struct vrrp_step *s, const struct vrrp_cause *cause)
{
	struct vrrp_vr *vr = s->vr;

	if (vr->faults != 0) {
		vrrp_step_enter_fault(s);
		return;
	}
	vrrp_step_enter_backup(s, cause);
	if (vr->priority != VRRP_PRIORITY_OWNER)
		return;
	if (mono_before(s->ev->now, vr->startup_until))
		vr->deadline = vr->startup_until;
	else
		claim_as_owner(s);
}

/* A switch port that came up may be deaf for half a minute (spanning tree): silence says nothing until something was
 * heard. The owner waits for nobody anyway. */
static void believe_silence_from(struct vrrp_step *s, struct mono quiet_until)
{
	s->vr->quiet_until = s->vr->priority == VRRP_PRIORITY_OWNER ? MONO_NEVER : quiet_until;
}

static void take_facts(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;

	believe_silence_from(s, s->ev->quiet_until);
	vr->source = s->ev->source;
	vr->faults = s->ev->faults & VRRP_FAULTS_OWN;
	memcpy(vr->fault_text, s->ev->text, sizeof(vr->fault_text));
	vr->master_interval_us = s->conf->advert_us;
}

static void on_start(struct vrrp_step *s)
{
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_STARTED);

	if (s->vr->state != VRRP_INIT)
		return;
	take_facts(s);
	if (s->conf->startup_delay_us > 0)
		s->vr->startup_until = mono_add(s->ev->now, s->conf->startup_delay_us);
	begin(s, &cause);
}

/* The backups know the interval that was in force when they heard us last; a longer one now does not make them wait. */
static int64_t past_patience_us(const struct vrrp_step *s)
{
	int64_t now_us = vrrp_patience_us(s->conf);
	int64_t then_us = s->conf->down_timer_adverts * s->ev->past.master_interval_us;

	return then_us > 0 && then_us < now_us ? then_us : now_us;
}

/* After a crash: who was master goes on while no successor can have lost its patience; everyone else listens first, as
 * long as the last known master's interval demands. */
static void on_resume(struct vrrp_step *s)
{
	const struct vrrp_past *past = &s->ev->past;
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_STARTED);
	bool was_master = past->state == VRRP_MASTER && mono_is_set(past->last_sent);

	if (vr->state != VRRP_INIT)
		return;
	take_facts(s);
	if (was_master) {
		cause.span_us = mono_diff_us(s->ev->now, past->last_sent);
		if (cause.span_us >= 0 && cause.span_us < past_patience_us(s) && vr->faults == 0) {
			cause.kind = VRRP_CAUSE_RESUMED;
			vrrp_step_enter_master(s, &cause, VRRP_REASON_PRIORITY, VRRP_ANNOUNCE_REFRESH);
			return;
		}
		cause.kind = VRRP_CAUSE_TOO_LATE;
	} else if (past->state == VRRP_BACKUP && s->conf->version == 3 && past->master_interval_us > 0) {
		vr->master_interval_us = past->master_interval_us;
		vr->master = past->master;
		vr->master_priority = past->master_priority;
	}
	begin(s, &cause);
}

static void recover(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vr->cause;

	cause.kind = VRRP_CAUSE_RECOVERED;
	cause.span_us = mono_diff_us(s->ev->now, vr->since);
	vr->master_interval_us = s->conf->advert_us;
	believe_silence_from(s, s->ev->quiet_until);
	begin(s, &cause);
}

static void change_faults(struct vrrp_step *s, uint32_t now)
{
	struct vrrp_vr *vr = s->vr;
	uint32_t before = vr->faults;

	vr->faults = now;
	if (vr->state == VRRP_INIT || before == now)
		return;
	if (before == 0) {
		vrrp_step_enter_fault(s);
	} else if (now == 0) {
		recover(s);
	} else {
		/* Still at fault, but for another reason: people are told, nothing else changes. */
		vr->cause = vrrp_step_fault_cause(s);
	}
	/* The others of the group may have to follow, or may be free now. */
	if (vrrp_step_is_grouped(s) && ((before ^ now) & VRRP_FAULTS_OWN) != 0)
		vrrp_step_act(s, VRRP_ACTION_ASK_GROUP);
}

static void on_faults(struct vrrp_step *s)
{
	memcpy(s->vr->fault_text, s->ev->text, sizeof(s->vr->fault_text));
	change_faults(s, (s->vr->faults & ~VRRP_FAULTS_OWN) | (s->ev->faults & VRRP_FAULTS_OWN));
}

static void on_group_fault(struct vrrp_step *s)
{
	memcpy(s->vr->group_text, s->ev->text, sizeof(s->vr->group_text));
	change_faults(s, (s->vr->faults & VRRP_FAULTS_OWN) | (s->ev->faults ? VRRP_FAULT_BIT(VRRP_FAULT_GROUP) : 0));
}

/* ---- advertisements ---- */

static void accept_advert(struct vrrp_step *s)
{
	const struct vrrp_event *ev = s->ev;
	struct vrrp_vr *vr = s->vr;

	vr->master = ev->advert_source;
	vr->master_priority = ev->advert_priority;
	if (s->conf->version == 3 && ev->advert_interval_us > 0)
		vr->master_interval_us = ev->advert_interval_us;
	vr->last_accepted = ev->now;
	vr->listening_from = ev->now;
	vr->doubts = 0;
	memset(&vr->leaver, 0, sizeof(vr->leaver));
	/* Nor is what was to be taken back waited for any longer: the others of the group had time to come along. */
	vr->is_ready = vr->is_taking_back = false;
	vrrp_step_arm_down(s);
}

/* Whether a lower-priority master is let be: nopreempt, or preempt_delay is not over (it counts from the first lower
 * advertisement, so a segment without any master is taken at the usual time). */
static bool tolerates_lower(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;

	if (vr->is_yielding)
		return true;
	if (vr->priority == VRRP_PRIORITY_OWNER)
		return false;
	if (vr->is_held)
		return true;
	if (!s->conf->preempt)
		return true;
	if (s->conf->preempt_delay_us <= 0)
		return false;
	if (!mono_is_set(vr->preempt_from))
		vr->preempt_from = s->ev->now;
	return mono_diff_us(s->ev->now, vr->preempt_from) < s->conf->preempt_delay_us;
}

static void backup_on_advert(struct vrrp_step *s)
{
	const struct vrrp_event *ev = s->ev;
	struct vrrp_vr *vr = s->vr;

	if (ev->advert_priority == VRRP_PRIORITY_LEAVING) {
		struct mono soon =
			mono_add(vrrp_step_claim_base(s), vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us));

		vr->leaver = ev->advert_source;
		/* Never later than it would have been: a repeated one must not put the election off. */
		if (mono_before(soon, vr->deadline))
			vr->deadline = soon;
		return;
	}
	if (ev->advert_priority >= vr->priority) {
		vr->preempt_from = MONO_NEVER;
		accept_advert(s);
		return;
	}
	if (tolerates_lower(s)) {
		accept_advert(s);
		return;
	}
	memset(&vr->leaver, 0, sizeof(vr->leaver));
	vr->rival = ev->advert_source;
	vr->rival_priority = ev->advert_priority;
	vr->rival_seen = ev->now;
}

/* When the next reaction to a master that should not be one is allowed: two routers that take each other for the lower
 * one (addresses translated on the way) must not answer each other at wire speed, nor is a forged packet to set off a
 * burst of announcements each time. */
static struct mono next_reaction(const struct vrrp_step *s)
{
	if (!mono_is_set(s->vr->last_reaction))
		return s->ev->now;
	return mono_add(s->vr->last_reaction, s->conf->advert_us / 4);
}

/* An advertisement at once, and announcements, since caches may point at the other one. What comes too soon after the
 * last one is answered as soon as it is allowed: a backup may have taken it for a farewell and wait for its skew only.
 */
static void insist(struct vrrp_step *s, bool with_advert)
{
	struct mono allowed = next_reaction(s);
	struct vrrp_vr *vr = s->vr;

	if (mono_before(s->ev->now, allowed)) {
		if (with_advert && mono_before(allowed, vr->deadline))
			vr->deadline = allowed;
		return;
	}
	vr->last_reaction = s->ev->now;
	if (with_advert) {
		vrrp_step_send(s, vr->priority);
		vrrp_step_arm_advert(s);
	}
	vrrp_step_announce(s, VRRP_ANNOUNCE_CONFLICT);
}

/* <0: the sender is lower than we are, 0: it is ourselves, >0: higher (RFC 9568, 6.4.3 (725)). */
static int rank_sender(const struct vrrp_step *s)
{
	if (s->ev->advert_priority != s->vr->priority)
		return s->ev->advert_priority > s->vr->priority ? 1 : -1;
	return addr_compare(&s->ev->advert_source, &s->vr->source);
}

static void master_on_advert(struct vrrp_step *s)
{
	const struct vrrp_event *ev = s->ev;
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause;
	int rank;

	/* Who leaves was master. */
	if (ev->advert_priority == VRRP_PRIORITY_LEAVING) {
		insist(s, true);
		return;
	}
	rank = rank_sender(s);
	if (rank == 0)
		return;
	if (rank < 0) {
		insist(s, !s->conf->strict && !s->conf->lower_prio_no_advert);
		return;
	}
	cause = vrrp_step_cause(
		s, ev->advert_priority > vr->priority ? VRRP_CAUSE_HIGHER_PRIORITY : VRRP_CAUSE_HIGHER_ADDRESS);
	cause.who = ev->advert_source;
	cause.priority = ev->advert_priority;
	/* The other master hears that there were two, and announces its addresses over our announcements. */
	if (s->conf->higher_prio_send_advert && !s->conf->strict)
		vrrp_step_send(s, vr->priority);
	vr->master_interval_us = s->conf->advert_us;
	vrrp_step_enter_backup(s, &cause);
	accept_advert(s);
}

/* The silence so far may have been the link's: it is listened anew. */
static void on_heard(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	bool was_quiet = mono_before(s->ev->now, vr->quiet_until);

	vr->quiet_until = MONO_NEVER;
	if (!was_quiet || vr->state != VRRP_BACKUP)
		return;
	vr->listening_from = s->ev->now;
	vrrp_step_arm_down(s);
}

/* The silence so far was its own: all is listened anew. */
static void on_deaf(struct vrrp_step *s)
{
	if (s->vr->state != VRRP_BACKUP)
		return;
	s->vr->listening_from = s->ev->now;
	s->vr->is_ready = false;
	vrrp_step_arm_down(s);
}

static void on_advert(struct vrrp_step *s)
{
	on_heard(s);
	if (s->vr->leaving != VRRP_STAYING)
		vrrp_leave_on_advert(s);
	else if (s->vr->state == VRRP_BACKUP)
		backup_on_advert(s);
	else if (s->vr->state == VRRP_MASTER)
		master_on_advert(s);
}

/* ---- the timer ---- */

static enum vrrp_reason explain_claim(const struct vrrp_step *s, struct vrrp_cause *cause)
{
	const struct vrrp_vr *vr = s->vr;
	int64_t down = vrrp_down_us(s->conf, vr->priority, vr->master_interval_us);

	if (addr_is_set(&vr->leaver)) {
		cause->kind = VRRP_CAUSE_HANDED_OVER;
		cause->who = vr->leaver;
		return VRRP_REASON_PRIORITY;
	}
	if (mono_is_set(vr->rival_seen) && mono_diff_us(s->ev->now, vr->rival_seen) <= down) {
		cause->kind = VRRP_CAUSE_PREEMPTED;
		cause->who = vr->rival;
		cause->priority = vr->rival_priority;
		memcpy(cause->hold, vr->hold_text, sizeof(cause->hold));
		return VRRP_REASON_PREEMPTED;
	}
	if (vr->priority == VRRP_PRIORITY_OWNER && !addr_is_set(&vr->master)) {
		cause->kind = VRRP_CAUSE_OWNER;
		return VRRP_REASON_PRIORITY;
	}
	cause->kind = VRRP_CAUSE_NO_ADVERT;
	cause->who = vr->master;
	cause->span_us = mono_diff_us(s->ev->now, vr->listening_from);
	return VRRP_REASON_NO_RESPONSE;
}

static void on_timer(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause;
	enum vrrp_reason reason;

	if (!mono_is_set(vr->deadline) || mono_before(s->ev->now, vr->deadline))
		return;
	if (vr->leaving != VRRP_STAYING) {
		vrrp_leave_on_timer(s);
		return;
	}
	if (vr->state == VRRP_MASTER) {
		vrrp_stall_master_on_timer(s);
		return;
	}
	if (vrrp_stall_listens_longer(s))
		return;
	if (vrrp_step_is_grouped(s)) {
		vr->is_taking_back = false;
		vrrp_step_get_ready(s);
		return;
	}
	cause = vrrp_step_cause(s, VRRP_CAUSE_NONE);
	reason = explain_claim(s, &cause);
	vrrp_step_enter_master(s, &cause, reason, VRRP_ANNOUNCE_MASTER);
}

/* ---- the rest ---- */

/* The order in which backups lose their patience follows the priorities of today. */
static void shift_patience(struct vrrp_step *s, int64_t skew_before_us)
{
	struct vrrp_vr *vr = s->vr;
	int64_t skew_us = vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us);

	vr->deadline = mono_add(vr->deadline, skew_us - skew_before_us);
	if (mono_before(vr->deadline, s->ev->now))
		vr->deadline = s->ev->now;
}

static void on_priority(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	int64_t before = vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us);

	if (vr->priority == s->ev->priority)
		return;
	vr->priority = s->ev->priority;
	if (vr->state == VRRP_MASTER)
		vr->master_priority = vr->priority;
	else if (vr->state == VRRP_BACKUP)
		shift_patience(s, before);
}

/* A backup whose interval is the same goes on waiting: a reload each second must not put an election off for ever. */
static void reload_backup(struct vrrp_step *s, int64_t skew_before_us)
{
	struct vrrp_vr *vr = s->vr;
	int64_t interval_before = vr->master_interval_us;

	if (s->conf->version == 2 || !addr_is_set(&vr->master))
		vr->master_interval_us = s->conf->advert_us;
	if (vr->priority == VRRP_PRIORITY_OWNER && !vr->is_yielding)
		claim_as_owner(s);
	else if (vr->master_interval_us != interval_before)
		vrrp_step_arm_down(s);
	else
		shift_patience(s, skew_before_us);
}

static void on_reload(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;
	int64_t skew_before_us = vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us);

	vr->priority = s->ev->priority;
	if (vr->state == VRRP_BACKUP) {
		reload_backup(s, skew_before_us);
		return;
	}
	if (vr->state != VRRP_MASTER || vr->leaving != VRRP_STAYING)
		return;
	/* The others learn the new interval and priority before their patience ends. */
	vr->master_priority = vr->priority;
	vr->master_interval_us = s->conf->advert_us;
	vrrp_step_send(s, vr->priority);
	vrrp_step_arm_advert(s);
}

static void on_group_master(struct vrrp_step *s)
{
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_GROUP_MASTER);
	struct vrrp_cause own = cause;
	enum vrrp_reason reason;

	if (s->vr->state != VRRP_BACKUP)
		return;
	reason = explain_claim(s, &own);
	memcpy(own.text, s->ev->text, sizeof(own.text));
	memcpy(cause.text, s->ev->text, sizeof(cause.text));
	/* Who waited for the others has a cause of its own; a newcomer has only the others' consent. */
	vrrp_step_enter_master(s, s->vr->is_ready ? &own : &cause, reason, VRRP_ANNOUNCE_MASTER);
}

static void on_group_backup(struct vrrp_step *s)
{
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_GROUP_BACKUP);

	/* Who leaves waits for a successor of its own. */
	if (s->vr->state != VRRP_MASTER || s->vr->leaving != VRRP_STAYING)
		return;
	memcpy(cause.text, s->ev->text, sizeof(cause.text));
	vrrp_step_leave_master(s, &cause);
}

static void on_source(struct vrrp_step *s)
{
	s->vr->source = s->ev->source;
	if (s->vr->state == VRRP_MASTER)
		s->vr->master = s->ev->source;
}

/* Only preemption waits for it: a silent master, or one that leaves, is succeeded as ever. */
static void on_hold(struct vrrp_step *s)
{
	struct vrrp_vr *vr = s->vr;

	vr->is_held = s->ev->faults != 0;
	memset(vr->hold_text, 0, sizeof(vr->hold_text));
	if (!vr->is_held)
		memcpy(vr->hold_text, s->ev->text, sizeof(vr->hold_text) - 1);
}

static void stop(struct vrrp_step *s)
{
	struct vrrp_cause cause = vrrp_step_cause(s, VRRP_CAUSE_STOPPED);

	if (s->vr->state != VRRP_INIT)
		vrrp_step_enter_init(s, &cause);
}

struct vrrp_actions vrrp_fsm(const struct conf_instance *conf, struct vrrp_vr *vr, const struct vrrp_event *ev)
{
	struct vrrp_step s = {.conf = conf, .vr = vr, .ev = ev};

	if (ev->kind == VRRP_EVENT_ADVERT && ev->advert_priority != VRRP_PRIORITY_LEAVING &&
		vrrp_has_stalled(vr, ev->now))
		vrrp_stall_step_down(&s);
	switch ((enum vrrp_event_kind)ev->kind) {
	case VRRP_EVENT_START:
		on_start(&s);
		break;
	case VRRP_EVENT_RESUME:
		on_resume(&s);
		break;
	case VRRP_EVENT_TIMER:
		on_timer(&s);
		break;
	case VRRP_EVENT_ADVERT:
		on_advert(&s);
		break;
	case VRRP_EVENT_FAULTS:
		on_faults(&s);
		break;
	case VRRP_EVENT_PRIORITY:
		on_priority(&s);
		break;
	case VRRP_EVENT_SOURCE:
		on_source(&s);
		break;
	case VRRP_EVENT_RELOAD:
		on_reload(&s);
		break;
	case VRRP_EVENT_GROUP_MASTER:
		on_group_master(&s);
		break;
	case VRRP_EVENT_GROUP_BACKUP:
		on_group_backup(&s);
		break;
	case VRRP_EVENT_GROUP_FAULT:
		on_group_fault(&s);
		break;
	case VRRP_EVENT_STOP:
		stop(&s);
		break;
	case VRRP_EVENT_LEAVE:
		vrrp_leave_begin(&s, VRRP_LEAVING_TO_STOP);
		break;
	case VRRP_EVENT_HANDOVER:
		vrrp_leave_begin(&s, VRRP_LEAVING_ON_REQUEST);
		break;
	case VRRP_EVENT_TAKE_BACK:
		vrrp_leave_take_back(&s);
		break;
	case VRRP_EVENT_DEAF:
		on_deaf(&s);
		break;
	case VRRP_EVENT_HEARD:
		on_heard(&s);
		break;
	case VRRP_EVENT_HOLD:
		on_hold(&s);
		break;
	case VRRP_EVENT_KINDS:
		break;
	}
	return s.out;
}
