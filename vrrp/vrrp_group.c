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

static enum vrrp_state whole_state(const struct vrrp_vr *const *members, uint32_t n)
{
	uint32_t count[VRRP_FAULT + 1] = {0};

	for (uint32_t i = 0; i < n; i++)
		count[members[i]->state]++;
	if (count[VRRP_FAULT] > 0)
		return VRRP_FAULT;
	if (count[VRRP_INIT] > 0)
		return VRRP_INIT;
	return count[VRRP_MASTER] == n ? VRRP_MASTER : VRRP_BACKUP;
}

struct vrrp_group_verdict vrrp_group_decide(const struct vrrp_vr *const *members, uint32_t n)
{
	struct vrrp_group_verdict verdict = {VRRP_GROUP_STAY, whole_state(members, n), UINT32_MAX};
	uint32_t masters = 0, ready = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (members[i]->state != VRRP_INIT && wants_fault_change(members, n, i)) {
			verdict.order = VRRP_GROUP_FAULTS;
			verdict.culprit = faulty_besides(members, n, UINT32_MAX);
			return verdict;
		}
		if (members[i]->state == VRRP_MASTER)
			masters++;
		else if (members[i]->state == VRRP_BACKUP && members[i]->is_ready)
			ready++;
		else if (verdict.culprit == UINT32_MAX)
			verdict.culprit = i; /* who keeps the group from being master */
	}
	if (masters == n)
		return verdict;
	if (masters + ready == n)
		verdict.order = VRRP_GROUP_TO_MASTER;
	else if (masters > 0)
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
