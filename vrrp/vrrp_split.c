/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two masters that do not hear each other, or do not believe each other, seen from the one who hears. Pure; the vrrp
 * process tells of what changes. It decides nothing about mastership. */
#include "vrrp_split.h"
#include "vrrp_packet.h"
#include <stdio.h>

enum vrrp_split_change vrrp_split_look(struct vrrp_split *split, bool is_master, int64_t interval_us, struct mono now)
{
	bool was_suspected = split->is_suspected;

	if (!mono_is_set(split->last))
		return VRRP_SPLIT_SAME;
	if (is_master && mono_diff_us(now, split->last) <= VRRP_SPLIT_INTERVALS * interval_us)
		return VRRP_SPLIT_SAME;
	*split = (struct vrrp_split){.rival = split->rival};
	return was_suspected ? VRRP_SPLIT_OVER : VRRP_SPLIT_SAME;
}

enum vrrp_split_change vrrp_split_heard(
	struct vrrp_split *split, int64_t interval_us, const struct addr *who, enum vrrp_drop drop, struct mono now)
{
	if (!mono_is_set(split->last))
		split->first = now;
	split->rival = *who;
	split->drop = drop;
	split->last = now;
	split->heard++;
	if (split->is_suspected || split->heard < VRRP_SPLIT_ADVERTS ||
		mono_diff_us(now, split->first) < VRRP_SPLIT_INTERVALS * interval_us)
		return VRRP_SPLIT_SAME;
	split->is_suspected = true;
	return VRRP_SPLIT_SUSPECTED;
}

/* What both configurations have to agree on. */
static const char *remedy(enum vrrp_drop drop)
{
	if (drop == VRRP_DROP_VERSION)
		return "give both the same version";
	if (drop == VRRP_DROP_INTERVAL)
		return "give both the same advert_int";
	if (drop == VRRP_DROP_PEER || drop == VRRP_DROP_DESTINATION || drop == VRRP_DROP_TTL)
		return "see unicast_peer of both";
	if (drop == VRRP_DROP_HMAC_STALE)
		return "see to both clocks";
	return "compare the configurations";
}

const char *vrrp_split_text(const struct vrrp_split *split, char *text)
{
	char buf[ADDR_TEXT];

	addr_format(&split->rival, buf);
	if (split->drop == VRRP_DROP_NONE)
		snprintf(text, WHY_SIZE,
			"%s goes on advertising as master although we do: does it hear us? (one-way link, or a filter)",
			buf);
	else
		snprintf(text, WHY_SIZE, "%s advertises beside us: %s; %s", buf, vrrp_drop_text(split->drop),
			remedy(split->drop));
	return text;
}
