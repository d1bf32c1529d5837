/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sync group demands of its members, from their states alone. Runs in the vrrp role; touches nothing. */
#include "vrrp_group.h"
#include <stdio.h>
#include <string.h>

static bool has_own_fault(const struct vrrp_vr *vr)
{
	return (vr->faults & VRRP_FAULTS_OWN) != 0;
}

/* The first member other than i that has a fault of its own, or UINT32_MAX. */
static uint32_t faulty_besides(const struct vrrp_vr *const *members, uint32_t n, uint32_t i)
{
	for (uint32_t j = 0; j < n; j++)
		if (j != i && has_own_fault(members[j]))
			return j;
	return UINT32_MAX;
}

static bool wants_fault_change(const struct vrrp_vr *const *members, uint32_t n, uint32_t i)
{
	bool has = (members[i]->faults & VRRP_FAULT_BIT(VRRP_FAULT_GROUP)) != 0;

	return has != (faulty_besides(members, n, i) != UINT32_MAX);
}

/* Not started yet, or started and still listening without having heard anybody. */
static bool is_newcomer(const struct vrrp_vr *vr)
{
	if (vr->state == VRRP_INIT)
		return true;
	return vr->state == VRRP_BACKUP && vr->cause.kind == VRRP_CAUSE_STARTED && !addr_is_set(&vr->master);
}

struct tally {
	uint32_t masters, ready, newcomers, faulty, init;
	uint32_t holdout; /* the first that keeps the group from being master, or UINT32_MAX */
};

static struct tally count(const struct vrrp_vr *const *members, uint32_t n)
{
	struct tally t = {.holdout = UINT32_MAX};

	for (uint32_t i = 0; i < n; i++) {
		const struct vrrp_vr *vr = members[i];

		t.faulty += vr->state == VRRP_FAULT;
		t.init += vr->state == VRRP_INIT;
		if (vr->state == VRRP_MASTER)
			t.masters++;
		else if (vr->state == VRRP_BACKUP && vr->is_ready)
			t.ready++;
		else if (is_newcomer(vr))
			t.newcomers++;
		else if (t.holdout == UINT32_MAX)
			t.holdout = i;
	}
	return t;
}

static enum vrrp_state whole_state(const struct tally *t)
{
	if (t->faulty > 0)
		return VRRP_FAULT;
	if (t->masters > 0 && t->holdout == UINT32_MAX)
		return VRRP_MASTER;
	return t->init > 0 ? VRRP_INIT : VRRP_BACKUP;
}

struct vrrp_group_verdict vrrp_group_decide(const struct vrrp_vr *const *members, uint32_t n)
{
	struct tally t = count(members, n);
	struct vrrp_group_verdict verdict = {VRRP_GROUP_STAY, whole_state(&t), t.holdout};

	for (uint32_t i = 0; i < n; i++) {
		if (members[i]->state == VRRP_INIT || !wants_fault_change(members, n, i))
			continue;
		verdict.order = VRRP_GROUP_FAULTS;
		verdict.culprit = faulty_besides(members, n, UINT32_MAX);
		return verdict;
	}
	if (t.masters == n)
		return verdict;
	if (t.masters + t.ready == n)
		verdict.order = VRRP_GROUP_TO_MASTER;
	else if (t.masters > 0 && t.holdout != UINT32_MAX)
		verdict.order = VRRP_GROUP_TO_BACKUP;
	return verdict;
}

static void fault_event(const struct vrrp_vr *const *members, uint32_t n, uint32_t i,
	const struct vrrp_group_verdict *verdict, const char *culprit_name, struct vrrp_event *ev)
{
	uint32_t culprit = faulty_besides(members, n, i);
	char what[VRRP_TEXT_SIZE];

	ev->kind = VRRP_EVENT_GROUP_FAULT;
	if (culprit == UINT32_MAX)
		return;
	ev->faults = VRRP_FAULT_BIT(VRRP_FAULT_GROUP);
	/* The caller knows one name only; a second faulty member is told as such without its own. */
	vrrp_why(&members[culprit]->cause, what, sizeof(what));
	if (culprit == verdict->culprit)
		snprintf(ev->text, sizeof(ev->text), "%.40s: %.*s", culprit_name, (int)sizeof(ev->text) - 44, what);
	else
		snprintf(ev->text, sizeof(ev->text), "another member: %.*s", (int)sizeof(ev->text) - 20, what);
}

bool vrrp_group_event(const struct vrrp_group_verdict *verdict, const struct vrrp_vr *const *members, uint32_t n,
	uint32_t i, struct mono now, const char *name, const char *culprit_name, struct vrrp_event *ev)
{
	char what[VRRP_TEXT_SIZE];

	memset(ev, 0, sizeof(*ev));
	ev->now = now;
	switch ((enum vrrp_group_order)verdict->order) {
	case VRRP_GROUP_STAY:
		return false;
	case VRRP_GROUP_TO_MASTER:
		ev->kind = VRRP_EVENT_GROUP_MASTER;
		snprintf(ev->text, sizeof(ev->text), "%.*s", (int)sizeof(ev->text) - 1, name);
		return members[i]->state == VRRP_BACKUP;
	case VRRP_GROUP_TO_BACKUP:
		ev->kind = VRRP_EVENT_GROUP_BACKUP;
		if (verdict->culprit < n)
			snprintf(ev->text, sizeof(ev->text), "%.40s: %.*s", culprit_name, (int)sizeof(ev->text) - 44,
				vrrp_why(&members[verdict->culprit]->cause, what, sizeof(what)));
		return members[i]->state == VRRP_MASTER;
	case VRRP_GROUP_FAULTS:
		fault_event(members, n, i, verdict, culprit_name, ev);
		return members[i]->state != VRRP_INIT && wants_fault_change(members, n, i);
	}
	return false;
}
