/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another generation takes from the members of a service's group: each is a service of the kernel's, which goes
 * with its connections. Part of the plan; pure but for reading the board of ipvs. */
#include "control_plan_members.h"

/* Does the group have every address of this member (or its mark)? */
static bool has_member(const struct conf *conf, const struct conf_range *entries, const struct conf_group_entry *wanted)
{
	struct addr at = wanted->first;
	uint32_t i = 0;

	while (i < entries->count) {
		const struct conf_group_entry *e = &conf->group_entries[entries->first + i++];

		if (e->fwmark != wanted->fwmark)
			continue;
		if (wanted->fwmark)
			return true;
		if (e->port != wanted->port || e->first.family != at.family || addr_compare(&e->first, &at) > 0 ||
			addr_compare(&e->last, &at) < 0)
			continue;
		if (addr_compare(&e->last, &wanted->last) >= 0)
			return true;
		/* The rest of it may lie in any other. */
		at = e->last;
		addr_next(&at);
		i = 0;
	}
	return false;
}

static uint64_t connections_of(const struct status_source *now, uint32_t entry, uint16_t protocol)
{
	struct status_member member = {0};
	uint64_t *active;

	status_load(now, ROLE_IPVS, IPVS_TABLE_MEMBER, entry, &member, sizeof(member));
	active = status_member_of(&member, protocol);
	return active ? *active : 0;
}

struct plan_members plan_members_lost(
	const struct status_source *now, conf_index_t i, const struct conf *to, conf_index_t k)
{
	const struct conf_service *old = &now->conf->services[i], *new = &to->services[k];
	struct plan_members lost = {0};
	const struct conf_range *entries;

	if (old->kind != CONF_SERVICE_GROUP || old->group == CONF_NONE || new->group == CONF_NONE)
		return lost;
	lost.is_rekeyed = old->fwmark != new->fwmark;
	/* Connections do not ask the mark that led them to their service. */
	if (lost.is_rekeyed || old->fwmark)
		return lost;
	entries = &now->conf->service_groups[old->group].entries;
	for (uint32_t e = entries->first; e < entries->first + entries->count; e++) {
		if (has_member(to, &to->service_groups[new->group].entries, &now->conf->group_entries[e]))
			continue;
		lost.count++;
		lost.connections += connections_of(now, e, old->protocol);
	}
	return lost;
}
