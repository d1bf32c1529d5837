/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sync groups: virtual routers that are master together or not at all. Pure.
 * After every step that changed a member (any VRRP_ACTION_STATE or VRRP_ACTION_ASK_GROUP) the caller asks
 * vrrp_group_decide() and delivers what it orders, as events to the members, until it orders nothing (two rounds at
 * most); at a start, only when all members have been started. Deciding looks at states only, never at who moved last:
 *   - VRRP_FAULT_GROUP is set on a member exactly while another one has a fault of its own;
 *   - members become master only here, when every one is ready or master already;
 *   - a mixture of masters and others therefore means that one has left: the masters follow it. But a member that has
 *     only just been started (a reload has added it) is waited for, as long as it hears no other master. */
#ifndef POISE_VRRP_GROUP_H
#define POISE_VRRP_GROUP_H

#include "vrrp_fsm.h"

enum vrrp_group_order {
	VRRP_GROUP_STAY,
	VRRP_GROUP_TO_MASTER, /* VRRP_EVENT_GROUP_MASTER to each member that is not MASTER */
	VRRP_GROUP_TO_BACKUP, /* VRRP_EVENT_GROUP_BACKUP to each member that is MASTER */
	VRRP_GROUP_FAULTS,    /* VRRP_EVENT_GROUP_FAULT to each member whose VRRP_FAULT_GROUP is not as it should be */
};

struct vrrp_group_verdict {
	uint32_t order;   /* enum vrrp_group_order */
	uint32_t state;   /* enum vrrp_state of the group as a whole */
	uint32_t culprit; /* member that the order comes from (index into members), or UINT32_MAX */
};

/* members: n of them, n >= 1. */
struct vrrp_group_verdict vrrp_group_decide(const struct vrrp_vr *const *members, uint32_t n);

/* Whether the order applies to member i, and the event that carries it out. name is the group's, culprit_name that of
 * members[verdict->culprit] ("" without one). Returns false when this member needs no event. */
bool vrrp_group_event(const struct vrrp_group_verdict *verdict, const struct vrrp_vr *const *members, uint32_t n,
	uint32_t i, struct mono now, const char *name, const char *culprit_name, struct vrrp_event *ev);

#endif
