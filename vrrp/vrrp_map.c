/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash table with open addressing from the identity of a virtual router on the wire to the instance. Pure; used by
 * the vrrp process for every packet. It never grows: its room is taken before a configuration is voted for. */
#include "vrrp_map.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int vrrp_map_init(struct vrrp_map *map, uint32_t n)
{
	uint32_t room = 16;

	while (room < 2 * n + 1)
		room *= 2;
	map->slots = calloc(room, sizeof(*map->slots));
	map->room = room;
	return map->slots ? 0 : -ENOMEM;
}

void vrrp_map_free(struct vrrp_map *map)
{
	free(map->slots);
	*map = (struct vrrp_map){0};
}

void vrrp_map_clear(struct vrrp_map *map)
{
	memset(map->slots, 0, map->room * sizeof(*map->slots));
}

/* The slot of the key, or the empty one where it belongs. */
static struct vrrp_map_slot *find(const struct vrrp_map *map, const struct vrrp_map_key *key)
{
	uint32_t hash = key->ifindex * 2654435761u ^
			((uint32_t)key->family << 16 | (uint32_t)key->unicast << 8 | key->vrid) * 40503u;

	for (uint32_t i = hash;; i++) {
		struct vrrp_map_slot *slot = &map->slots[i & (map->room - 1)];

		if (slot->key.vrid == 0 || memcmp(&slot->key, key, sizeof(*key)) == 0)
			return slot;
	}
}

void vrrp_map_put(struct vrrp_map *map, struct vrrp_map_key key, uint32_t value)
{
	struct vrrp_map_slot *slot = find(map, &key);

	if (slot->key.vrid != 0)
		return;
	slot->key = key;
	slot->value = value;
}

uint32_t vrrp_map_get(const struct vrrp_map *map, struct vrrp_map_key key)
{
	const struct vrrp_map_slot *slot;

	if (!map->slots || key.vrid == 0)
		return UINT32_MAX;
	slot = find(map, &key);
	return slot->key.vrid ? slot->value : UINT32_MAX;
}
