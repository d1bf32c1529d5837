/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference between the virtual addresses that are to be held and those that the kernel holds. Pure; the vrrp
 * process carries the plan out in vrrp_address.c. It never plans to touch an address that is not ours. */
#include "vrrp_plan.h"
#include <string.h>

#define PATIENT_SETBACKS 3 /* answered at once */
#define FIRST_PAUSE_US (100 * US_PER_MS)
#define LONGEST_PAUSE_US (10 * US_PER_S)
#define PEACE_US (60 * US_PER_S)

bool vrrp_lease_is(const struct vrrp_lease *lease, const struct addr *addr, uint8_t prefix, uint32_t ifindex)
{
	return lease->ifindex == ifindex && lease->prefix == prefix && addr_equal(&lease->addr, addr);
}

void vrrp_setback(struct vrrp_setbacks *setbacks, struct mono now)
{
	int64_t pause_us = 0;

	if (mono_is_set(setbacks->last) && mono_diff_us(now, setbacks->last) > PEACE_US)
		setbacks->count = 0;
	setbacks->count++;
	setbacks->last = now;
	if (setbacks->count > PATIENT_SETBACKS) {
		uint32_t doublings = setbacks->count - PATIENT_SETBACKS - 1;

		pause_us = doublings < 7 ? FIRST_PAUSE_US << doublings : LONGEST_PAUSE_US;
		if (pause_us > LONGEST_PAUSE_US)
			pause_us = LONGEST_PAUSE_US;
	}
	setbacks->not_before = mono_add(now, pause_us);
}

/* FNV-1a */
static uint32_t mix(uint32_t sum, const void *data, size_t size)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ bytes[i]) * 16777619u;
	return sum;
}

uint32_t vrrp_plan_form(const struct conf_address *address, const char *label)
{
	uint32_t sum = mix(2166136261u, &address->scope, sizeof(address->scope));

	sum = mix(sum, &address->broadcast, sizeof(address->broadcast));
	sum = mix(sum, &address->peer, sizeof(address->peer));
	sum = mix(sum, &address->flags, sizeof(address->flags));
	return mix(sum, label, strlen(label));
}

/* Where the last search of each kind ended. Wishes, leases and the kernel's addresses mostly stand in the same order:
 * who goes on from there goes through thousands in no time, and through all when it has to. */
struct near {
	uint32_t wish, lease, address;
};

bool vrrp_crowd_add(struct vrrp_crowd *crowd, const struct addr *addr, uint8_t prefix, uint32_t ifindex)
{
	uint32_t sum = mix(2166136261u, addr->bytes, addr_len(addr)), bit;
	bool was_in;

	sum = mix(mix(sum, &prefix, sizeof(prefix)), &ifindex, sizeof(ifindex));
	bit = (sum ^ sum >> 15) & (8 * sizeof(crowd->bits) - 1);
	was_in = crowd->bits[bit / 8] >> bit % 8 & 1;
	crowd->bits[bit / 8] |= (uint8_t)(1 << bit % 8);
	return was_in;
}

static const struct vrrp_lease *lease_of(
	const struct vrrp_lease *leases, uint32_t n, const struct vrrp_wish *wish, struct near *near)
{
	uint32_t i = near->lease < n ? near->lease : 0;

	for (uint32_t k = 0; k < n; k++, i = i + 1 < n ? i + 1 : 0) {
		if (!vrrp_lease_is(&leases[i], &wish->addr, wish->prefix, wish->ifindex))
			continue;
		near->lease = i;
		return &leases[i];
	}
	return NULL;
}

static bool is_wanted(const struct vrrp_wish *wishes, uint32_t n, const struct vrrp_lease *lease, struct near *near)
{
	uint32_t i = near->wish < n ? near->wish : 0;

	for (uint32_t k = 0; k < n; k++, i = i + 1 < n ? i + 1 : 0) {
		if (!wishes[i].is_wanted || wishes[i].form != lease->form ||
			!vrrp_lease_is(lease, &wishes[i].addr, wishes[i].prefix, wishes[i].ifindex))
			continue;
		near->wish = i;
		return true;
	}
	return false;
}

static bool is_in_kernel(
	const struct links *links, const struct addr *addr, uint8_t prefix, uint32_t ifindex, struct near *near)
{
	const struct link *link = links_find(links, ifindex);

	return link && link_find_address(link, addr, prefix, &near->address);
}

/* Two instances may name the same address; one of them adds it. */
static bool is_planned(const struct vrrp_wish *wishes, const struct vrrp_plan_item *items, uint32_t n, uint32_t number)
{
	const struct vrrp_wish *wish = &wishes[number];

	for (uint32_t i = 0; i < n; i++) {
		const struct vrrp_wish *other;

		if (items[i].kind != VRRP_PLAN_ADD)
			continue;
		other = &wishes[items[i].number];
		if (other->ifindex == wish->ifindex && other->prefix == wish->prefix &&
			addr_equal(&other->addr, &wish->addr))
			return true;
	}
	return false;
}

/* Whether the wish is to be added now. */
static bool look_at_wish(struct vrrp_wish *wish, bool is_here, bool is_ours, struct mono now, struct mono *next)
{
	bool was_set = wish->is_set;

	wish->is_set = is_here;
	wish->is_foreign = is_here && !is_ours;
	if (!wish->is_wanted || wish->ifindex == 0 || is_here)
		return false;
	if (was_set) {
		vrrp_setback(&wish->setbacks, now);
		wish->is_lost = true;
	}
	if (mono_before(now, wish->setbacks.not_before)) {
		if (!mono_is_set(*next) || mono_before(wish->setbacks.not_before, *next))
			*next = wish->setbacks.not_before;
		return false;
	}
	return true;
}

uint32_t vrrp_plan(struct vrrp_wish *wishes, uint32_t n_wishes, const struct vrrp_lease *leases, uint32_t n_leases,
	const struct links *links, struct mono now, struct vrrp_plan_item *items, struct mono *next)
{
	struct vrrp_crowd planned = {0};
	struct near near = {0};
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_leases; i++) {
		const struct vrrp_lease *lease = &leases[i];

		if (is_in_kernel(links, &lease->addr, lease->prefix, lease->ifindex, &near) &&
			!is_wanted(wishes, n_wishes, lease, &near))
			items[n++] = (struct vrrp_plan_item){VRRP_PLAN_REMOVE, i, 0};
	}
	for (uint32_t i = 0; i < n_wishes; i++) {
		struct vrrp_wish *wish = &wishes[i];
		bool is_here = is_in_kernel(links, &wish->addr, wish->prefix, wish->ifindex, &near);
		const struct vrrp_lease *lease = is_here ? lease_of(leases, n_leases, wish, &near) : NULL;

		/* Its removal is planned already, because it is of another form. */
		if (lease && wish->is_wanted && !is_wanted(wishes, n_wishes, lease, &near))
			wish->is_set = wish->is_reported = is_here = false;
		if (!look_at_wish(wish, is_here, lease != NULL, now, next))
			continue;
		if (!vrrp_crowd_add(&planned, &wish->addr, wish->prefix, wish->ifindex) ||
			!is_planned(wishes, items, n, i))
			items[n++] = (struct vrrp_plan_item){VRRP_PLAN_ADD, i, 0};
	}
	return n;
}
