/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VRRP state machine of one virtual router, as rules over plain data (RFC 9568, 6.4). Runs in the vrrp role, in the
 * unit tests and in the exhaustive model. It never reads a clock, opens a socket, logs or allocates. */
#include "vrrp_fsm.h"
#include <string.h>

enum reason { REASON_NOT_MASTER, REASON_PRIORITY, REASON_PREEMPTED, REASON_NO_RESPONSE };

/* What one step has at hand. */
struct step {
	const struct conf_instance *conf;
	struct vrrp_vr *vr;
	const struct vrrp_event *ev;
	struct vrrp_actions out;
};

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

/* The moment from which a claim may be counted: now, or the end of startup_delay. */
static struct mono claim_base(const struct step *s)
{
	return mono_before(s->ev->now, s->vr->startup_until) ? s->vr->startup_until : s->ev->now;
}

static void arm_down(struct step *s)
{
	struct vrrp_vr *vr = s->vr;

	vr->deadline = mono_add(claim_base(s), vrrp_down_us(s->conf, vr->priority, vr->master_interval_us));
}

static void arm_advert(struct step *s)
{
	s->vr->deadline = mono_add(s->ev->now, s->conf->advert_us);
}

/* ---- actions ---- */

static struct vrrp_action *act(struct step *s, enum vrrp_action_kind kind)
{
	struct vrrp_action *a = &s->out.list[s->out.n];

	/* The model shows that no step comes near the end; the last slot is overwritten rather than memory behind it.
	 */
	if (s->out.n < VRRP_ACTIONS_MAX - 1)
		s->out.n++;
	memset(a, 0, sizeof(*a));
	a->kind = kind;
	return a;
}

static void act_send(struct step *s, uint32_t priority)
{
	act(s, VRRP_ACTION_SEND)->priority = priority;
	s->vr->last_sent = s->ev->now;
	s->vr->patience_us = vrrp_patience_us(s->conf);
}

static void act_announce(struct step *s, enum vrrp_announce_kind kind)
{
	act(s, VRRP_ACTION_ANNOUNCE)->announce = kind;
}

static struct vrrp_cause cause_of(const struct step *s, enum vrrp_cause_kind kind)
{
	struct vrrp_cause cause;

	memset(&cause, 0, sizeof(cause));
	cause.kind = kind;
	cause.own_priority = s->vr->priority;
	return cause;
}

static void set_state(struct step *s, enum vrrp_state to, const struct vrrp_cause *cause)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_action *a = act(s, VRRP_ACTION_STATE);

	a->from = vr->state;
	a->to = to;
	a->cause = *cause;
	vr->state = to;
	vr->since = s->ev->now;
	vr->cause = *cause;
	vr->is_ready = false;
}

/* ---- entering states ---- */

static void forget_master(struct vrrp_vr *vr)
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

/* Advertisement first, then the addresses, then the announcements (RFC 9568, 6.4.2 (370)). */
static void enter_master(
	struct step *s, const struct vrrp_cause *cause, enum reason reason, enum vrrp_announce_kind announce)
{
	struct vrrp_vr *vr = s->vr;

	act_send(s, vr->priority);
	act(s, VRRP_ACTION_ACQUIRE);
	act_announce(s, announce);
	set_state(s, VRRP_MASTER, cause);
	vr->master = vr->source;
	vr->master_priority = vr->priority;
	vr->master_interval_us = s->conf->advert_us;
	vr->new_master_reason = reason;
	vr->became_master++;
	vr->last_answer = MONO_NEVER;
	forget_rivals(vr);
	arm_advert(s);
}

/* The master's interval must be set before: own one, or a learned one. */
static void enter_backup(struct step *s, const struct vrrp_cause *cause)
{
	act(s, VRRP_ACTION_RELEASE);
	set_state(s, VRRP_BACKUP, cause);
	s->vr->listening_from = s->ev->now;
	forget_rivals(s->vr);
	arm_down(s);
}

static void leave_master(struct step *s, const struct vrrp_cause *cause)
{
	act_send(s, VRRP_PRIORITY_LEAVING);
	forget_master(s->vr);
	s->vr->master_interval_us = s->conf->advert_us;
	enter_backup(s, cause);
}

/* A member of a sync group does not move alone: it says that it is ready and is told. */
static bool is_grouped(const struct step *s)
{
	return s->conf->group != CONF_NONE;
}

static void get_ready(struct step *s)
{
	s->vr->is_ready = true;
	act(s, VRRP_ACTION_ASK_GROUP);
	/* Ask again when the others have not come along; at the pace of a whole election. */
	arm_down(s);
}

/* ---- start, resume, faults ---- */

static struct vrrp_cause fault_cause(const struct step *s)
{
	const struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_FAULT);

	cause.fault = (uint32_t)__builtin_ctz(vr->faults);
	memcpy(cause.text, cause.fault == VRRP_FAULT_GROUP ? vr->group_text : vr->fault_text, sizeof(cause.text));
	return cause;
}

static void enter_fault(struct step *s)
{
	struct vrrp_cause cause = fault_cause(s);
	struct vrrp_vr *vr = s->vr;

	if (vr->state == VRRP_MASTER)
		act_send(s, VRRP_PRIORITY_LEAVING);
	act(s, VRRP_ACTION_RELEASE);
	set_state(s, VRRP_FAULT, &cause);
	vr->deadline = MONO_NEVER;
	forget_master(vr);
	forget_rivals(vr);
}

/* The owner of the addresses waits for nobody (RFC 9568, 6.4.1). */
static void claim_as_owner(struct step *s)
{
	struct vrrp_cause cause;

	if (is_grouped(s)) {
		get_ready(s);
		return;
	}
	cause = cause_of(s, VRRP_CAUSE_OWNER);
	enter_master(s, &cause, REASON_PRIORITY, VRRP_ANNOUNCE_MASTER);
}

static void begin(struct step *s, const struct vrrp_cause *cause)
{
	struct vrrp_vr *vr = s->vr;

	if (vr->faults != 0) {
		enter_fault(s);
		return;
	}
	enter_backup(s, cause);
	if (vr->priority != VRRP_PRIORITY_OWNER)
		return;
	if (mono_before(s->ev->now, vr->startup_until))
		vr->deadline = vr->startup_until;
	else
		claim_as_owner(s);
}

static void take_facts(struct step *s)
{
	struct vrrp_vr *vr = s->vr;

	vr->source = s->ev->source;
	vr->faults = s->ev->faults & VRRP_FAULTS_OWN;
	memcpy(vr->fault_text, s->ev->text, sizeof(vr->fault_text));
	vr->master_interval_us = s->conf->advert_us;
}

static void on_start(struct step *s)
{
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_STARTED);

	if (s->vr->state != VRRP_INIT)
		return;
	take_facts(s);
	if (s->conf->startup_delay_us > 0)
		s->vr->startup_until = mono_add(s->ev->now, s->conf->startup_delay_us);
	begin(s, &cause);
}

/* After a crash: who was master goes on while no successor can have lost its patience; everyone else listens first, as
 * long as the last known master's interval demands. */
static void on_resume(struct step *s)
{
	const struct vrrp_past *past = &s->ev->past;
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_STARTED);
	bool was_master = past->state == VRRP_MASTER && mono_is_set(past->last_sent);

	if (vr->state != VRRP_INIT)
		return;
	take_facts(s);
	if (was_master) {
		cause.span_us = mono_diff_us(s->ev->now, past->last_sent);
		if (cause.span_us >= 0 && cause.span_us < vrrp_patience_us(s->conf) && vr->faults == 0) {
			cause.kind = VRRP_CAUSE_RESUMED;
			enter_master(s, &cause, REASON_PRIORITY, VRRP_ANNOUNCE_REFRESH);
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

static void recover(struct step *s)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause = vr->cause;

	cause.kind = VRRP_CAUSE_RECOVERED;
	cause.span_us = mono_diff_us(s->ev->now, vr->since);
	vr->master_interval_us = s->conf->advert_us;
	begin(s, &cause);
}

static void change_faults(struct step *s, uint32_t now)
{
	struct vrrp_vr *vr = s->vr;
	uint32_t before = vr->faults;

	vr->faults = now;
	if (vr->state == VRRP_INIT || before == now)
		return;
	if (before == 0) {
		enter_fault(s);
	} else if (now == 0) {
		recover(s);
	} else {
		/* Still at fault, but for another reason: people are told, nothing else changes. */
		vr->cause = fault_cause(s);
	}
	/* The others of the group may have to follow, or may be free now. */
	if (is_grouped(s) && ((before ^ now) & VRRP_FAULTS_OWN) != 0)
		act(s, VRRP_ACTION_ASK_GROUP);
}

static void on_faults(struct step *s)
{
	memcpy(s->vr->fault_text, s->ev->text, sizeof(s->vr->fault_text));
	change_faults(s, (s->vr->faults & ~VRRP_FAULTS_OWN) | (s->ev->faults & VRRP_FAULTS_OWN));
}

static void on_group_fault(struct step *s)
{
	memcpy(s->vr->group_text, s->ev->text, sizeof(s->vr->group_text));
	change_faults(s, (s->vr->faults & VRRP_FAULTS_OWN) | (s->ev->faults ? VRRP_FAULT_BIT(VRRP_FAULT_GROUP) : 0));
}

/* ---- advertisements ---- */

static void accept_advert(struct step *s)
{
	const struct vrrp_event *ev = s->ev;
	struct vrrp_vr *vr = s->vr;

	vr->master = ev->advert_source;
	vr->master_priority = ev->advert_priority;
	if (s->conf->version == 3 && ev->advert_interval_us > 0)
		vr->master_interval_us = ev->advert_interval_us;
	vr->last_accepted = ev->now;
	vr->listening_from = ev->now;
	memset(&vr->leaver, 0, sizeof(vr->leaver));
	vr->is_ready = false;
	arm_down(s);
}

/* Whether a lower-priority master is let be: nopreempt, or preempt_delay is not over (it counts from the first lower
 * advertisement, so a segment without any master is taken at the usual time). */
static bool tolerates_lower(struct step *s)
{
	struct vrrp_vr *vr = s->vr;

	if (vr->priority == VRRP_PRIORITY_OWNER)
		return false;
	if (!s->conf->preempt)
		return true;
	if (s->conf->preempt_delay_us <= 0)
		return false;
	if (!mono_is_set(vr->preempt_from))
		vr->preempt_from = s->ev->now;
	return mono_diff_us(s->ev->now, vr->preempt_from) < s->conf->preempt_delay_us;
}

static void backup_on_advert(struct step *s)
{
	const struct vrrp_event *ev = s->ev;
	struct vrrp_vr *vr = s->vr;

	if (ev->advert_priority == VRRP_PRIORITY_LEAVING) {
		struct mono soon = mono_add(claim_base(s), vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us));

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

/* An advertisement out of turn. Bounded, so that two routers that take each other for the lower one (addresses
 * translated on the way) do not answer each other at wire speed; the regular one is due within the interval anyway. */
static void answer(struct step *s)
{
	struct vrrp_vr *vr = s->vr;

	if (mono_is_set(vr->last_answer) && mono_diff_us(s->ev->now, vr->last_answer) < s->conf->advert_us / 4)
		return;
	vr->last_answer = s->ev->now;
	act_send(s, vr->priority);
	arm_advert(s);
}

/* <0: the sender is lower than we are, 0: it is ourselves, >0: higher (RFC 9568, 6.4.3 (725)). */
static int rank_sender(const struct step *s)
{
	if (s->ev->advert_priority != s->vr->priority)
		return s->ev->advert_priority > s->vr->priority ? 1 : -1;
	return addr_compare(&s->ev->advert_source, &s->vr->source);
}

static void master_on_advert(struct step *s)
{
	const struct vrrp_event *ev = s->ev;
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause;
	int rank;

	if (ev->advert_priority == VRRP_PRIORITY_LEAVING) {
		/* Who leaves was master, so caches may point at it. */
		answer(s);
		act_announce(s, VRRP_ANNOUNCE_CONFLICT);
		return;
	}
	rank = rank_sender(s);
	if (rank == 0)
		return;
	if (rank < 0) {
		if (!s->conf->strict && !s->conf->lower_prio_no_advert)
			answer(s);
		act_announce(s, VRRP_ANNOUNCE_CONFLICT);
		return;
	}
	cause = cause_of(
		s, ev->advert_priority > vr->priority ? VRRP_CAUSE_HIGHER_PRIORITY : VRRP_CAUSE_HIGHER_ADDRESS);
	cause.who = ev->advert_source;
	cause.priority = ev->advert_priority;
	vr->master_interval_us = s->conf->advert_us;
	enter_backup(s, &cause);
	accept_advert(s);
}

static void on_advert(struct step *s)
{
	if (s->vr->state == VRRP_BACKUP)
		backup_on_advert(s);
	else if (s->vr->state == VRRP_MASTER)
		master_on_advert(s);
}

/* ---- the timer ---- */

static enum reason explain_claim(const struct step *s, struct vrrp_cause *cause)
{
	const struct vrrp_vr *vr = s->vr;
	int64_t down = vrrp_down_us(s->conf, vr->priority, vr->master_interval_us);

	if (addr_is_set(&vr->leaver)) {
		cause->kind = VRRP_CAUSE_HANDED_OVER;
		cause->who = vr->leaver;
		return REASON_PRIORITY;
	}
	if (mono_is_set(vr->rival_seen) && mono_diff_us(s->ev->now, vr->rival_seen) <= down) {
		cause->kind = VRRP_CAUSE_PREEMPTED;
		cause->who = vr->rival;
		cause->priority = vr->rival_priority;
		return REASON_PREEMPTED;
	}
	if (vr->priority == VRRP_PRIORITY_OWNER && !addr_is_set(&vr->master)) {
		cause->kind = VRRP_CAUSE_OWNER;
		return REASON_PRIORITY;
	}
	cause->kind = VRRP_CAUSE_NO_ADVERT;
	cause->who = vr->master;
	cause->span_us = mono_diff_us(s->ev->now, vr->listening_from);
	return REASON_NO_RESPONSE;
}

static void on_timer(struct step *s)
{
	struct vrrp_vr *vr = s->vr;
	struct vrrp_cause cause;
	enum reason reason;

	if (!mono_is_set(vr->deadline) || mono_before(s->ev->now, vr->deadline))
		return;
	if (vr->state == VRRP_MASTER) {
		act_send(s, vr->priority);
		arm_advert(s);
		return;
	}
	/* So late that a living master would have spoken meanwhile and we may have been deaf: listen once more. */
	if (mono_diff_us(s->ev->now, vr->deadline) >= vr->master_interval_us) {
		vr->listening_from = s->ev->now;
		vr->is_ready = false;
		arm_down(s);
		return;
	}
	if (is_grouped(s)) {
		get_ready(s);
		return;
	}
	cause = cause_of(s, VRRP_CAUSE_NONE);
	reason = explain_claim(s, &cause);
	enter_master(s, &cause, reason, VRRP_ANNOUNCE_MASTER);
}

/* A master that slept past the first successor's patience must not speak before it has listened. The owner has nobody
 * to wait for. */
static bool has_stalled(const struct step *s)
{
	const struct vrrp_vr *vr = s->vr;

	return vr->state == VRRP_MASTER && vr->priority != VRRP_PRIORITY_OWNER && mono_is_set(vr->last_sent) &&
	       mono_diff_us(s->ev->now, vr->last_sent) >= vr->patience_us;
}

static void step_down_stalled(struct step *s)
{
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_STALLED);

	cause.span_us = mono_diff_us(s->ev->now, s->vr->last_sent);
	forget_master(s->vr);
	enter_backup(s, &cause);
}

/* ---- the rest ---- */

static void on_priority(struct step *s)
{
	struct vrrp_vr *vr = s->vr;
	int64_t before;

	if (vr->priority == s->ev->priority)
		return;
	before = vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us);
	vr->priority = s->ev->priority;
	if (vr->state == VRRP_MASTER) {
		vr->master_priority = vr->priority;
	} else if (vr->state == VRRP_BACKUP) {
		/* The order in which backups lose their patience follows the priorities of today. */
		vr->deadline =
			mono_add(vr->deadline, vrrp_skew_us(s->conf, vr->priority, vr->master_interval_us) - before);
		if (mono_before(vr->deadline, s->ev->now))
			vr->deadline = s->ev->now;
	}
}

static void on_reload(struct step *s)
{
	struct vrrp_vr *vr = s->vr;

	vr->priority = s->ev->priority;
	if (vr->state == VRRP_MASTER) {
		/* The others learn the new interval and priority before their patience ends. */
		vr->master_priority = vr->priority;
		vr->master_interval_us = s->conf->advert_us;
		act_send(s, vr->priority);
		arm_advert(s);
	} else if (vr->state == VRRP_BACKUP) {
		if (s->conf->version == 2 || !addr_is_set(&vr->master))
			vr->master_interval_us = s->conf->advert_us;
		if (vr->priority == VRRP_PRIORITY_OWNER)
			claim_as_owner(s);
		else
			arm_down(s);
	}
}

static void on_group_master(struct step *s)
{
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_GROUP_MASTER);
	struct vrrp_cause own = cause;
	enum reason reason;

	if (s->vr->state != VRRP_BACKUP)
		return;
	reason = explain_claim(s, &own);
	memcpy(cause.text, s->ev->text, sizeof(cause.text));
	enter_master(s, &cause, reason, VRRP_ANNOUNCE_MASTER);
}

static void on_group_backup(struct step *s)
{
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_GROUP_BACKUP);

	if (s->vr->state != VRRP_MASTER)
		return;
	memcpy(cause.text, s->ev->text, sizeof(cause.text));
	leave_master(s, &cause);
}

static void on_stop(struct step *s)
{
	struct vrrp_cause cause = cause_of(s, VRRP_CAUSE_STOPPED);
	struct vrrp_vr *vr = s->vr;

	if (vr->state == VRRP_INIT)
		return;
	if (vr->state == VRRP_MASTER)
		act_send(s, VRRP_PRIORITY_LEAVING);
	act(s, VRRP_ACTION_RELEASE);
	set_state(s, VRRP_INIT, &cause);
	vr->deadline = MONO_NEVER;
	vr->faults = 0;
	forget_master(vr);
	forget_rivals(vr);
}

static void on_source(struct step *s)
{
	s->vr->source = s->ev->source;
	if (s->vr->state == VRRP_MASTER)
		s->vr->master = s->ev->source;
}

struct vrrp_actions vrrp_fsm(const struct conf_instance *conf, struct vrrp_vr *vr, const struct vrrp_event *ev)
{
	struct step s = {.conf = conf, .vr = vr, .ev = ev};

	if (ev->kind != VRRP_EVENT_STOP && has_stalled(&s))
		step_down_stalled(&s);
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
		on_stop(&s);
		break;
	case VRRP_EVENT_KINDS:
		break;
	}
	return s.out;
}
