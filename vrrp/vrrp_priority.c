/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Effective priority and faults from what is tracked. Runs in the vrrp role; observes nothing itself. */
#include "vrrp_priority.h"

#define OWNER 255
#define LOWEST 1
#define HIGHEST 254

/* A file takes this much away when it means "not at all". */
#define WORST (-254)

static int32_t file_weight(const struct conf_track *track, int32_t value)
{
	int64_t product = (int64_t)value * track->weight * (track->reverse ? -1 : 1);

	if (product < WORST)
		return WORST;
	return product > HIGHEST ? HIGHEST : (int32_t)product;
}

int32_t vrrp_priority_weight(const struct conf_track *track, struct vrrp_seen seen)
{
	bool is_good = track->reverse ? !seen.is_up : seen.is_up;

	if (track->kind == CONF_TRACK_FILE)
		return file_weight(track, seen.value);
	if (track->weight > 0)
		return is_good ? track->weight : 0;
	return is_good ? 0 : track->weight;
}

bool vrrp_priority_is_fault(const struct conf_track *track, struct vrrp_seen seen)
{
	if (track->kind == CONF_TRACK_FILE && track->weight != 0)
		return file_weight(track, seen.value) <= WORST;
	return track->weight == 0 && seen.is_up == (track->reverse != 0);
}

static void add_tracks(const struct conf *conf, const struct conf_range *range, const struct vrrp_seen *seen,
	bool with_weights, int64_t *sum, struct vrrp_priority *out)
{
	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct conf_track *track = &conf->tracks[i];

		if (with_weights)
			*sum += vrrp_priority_weight(track, seen[i]);
		if (!vrrp_priority_is_fault(track, seen[i]))
			continue;
		out->is_fault = true;
		if (out->culprit == CONF_NONE)
			out->culprit = i;
	}
}

struct vrrp_priority vrrp_priority_of(const struct conf *conf, conf_index_t instance, const struct vrrp_seen *seen)
{
	const struct conf_instance *inst = &conf->instances[instance];
	const struct conf_group *group = inst->group == CONF_NONE ? NULL : &conf->groups[inst->group];
	struct vrrp_priority out = {.culprit = CONF_NONE};
	int64_t sum = inst->priority;

	/* Members of a group move together, so weights count for them only where the group says so. */
	add_tracks(conf, &inst->tracks, seen, !group || group->track_weights, &sum, &out);
	if (group)
		add_tracks(conf, &group->tracks, seen, group->track_weights, &sum, &out);
	if (inst->priority == OWNER)
		sum = OWNER;
	else if (sum < LOWEST)
		sum = LOWEST;
	else if (sum > HIGHEST)
		sum = HIGHEST;
	out.effective = (uint32_t)sum;
	return out;
}
