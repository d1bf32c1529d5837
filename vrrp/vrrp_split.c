/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two masters that do not hear each other, seen from the one who hears. Pure; the vrrp process tells of what changes.
 * It decides nothing about mastership. */
#include "vrrp_split.h"

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
	struct vrrp_split *split, int64_t interval_us, const struct addr *who, struct mono now)
{
	if (!mono_is_set(split->last))
		split->first = now;
	split->rival = *who;
	split->last = now;
	split->heard++;
	if (split->is_suspected || split->heard < VRRP_SPLIT_ADVERTS ||
		mono_diff_us(now, split->first) < VRRP_SPLIT_INTERVALS * interval_us)
		return VRRP_SPLIT_SAME;
	split->is_suspected = true;
	return VRRP_SPLIT_SUSPECTED;
}
