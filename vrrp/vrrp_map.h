/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which instance an advertisement is for: (family, unicast, interface, VRID) -> index. Pure; rebuilt when an interface
 * comes, goes or is replaced. */
#ifndef POISE_VRRP_MAP_H
#define POISE_VRRP_MAP_H

#include <stdbool.h>
#include <stdint.h>

struct vrrp_map_key {
	uint32_t ifindex;
	uint8_t family;
	uint8_t vrid;
	uint8_t unicast;
	uint8_t zero;
};

struct vrrp_map_slot {
	struct vrrp_map_key key; /* vrid 0 = empty */
	uint32_t value;
};

struct vrrp_map {
	struct vrrp_map_slot *slots;
	uint32_t room; /* a power of two, more than twice the number of entries */
};

/* Room for n entries. Returns 0 or -ENOMEM. */
int vrrp_map_init(struct vrrp_map *map, uint32_t n);
void vrrp_map_free(struct vrrp_map *map);
void vrrp_map_clear(struct vrrp_map *map);
/* Of two entries with the same key the first stays. */
void vrrp_map_put(struct vrrp_map *map, struct vrrp_map_key key, uint32_t value);
/* UINT32_MAX when there is none. */
uint32_t vrrp_map_get(const struct vrrp_map *map, struct vrrp_map_key key);

#endif
