/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes records that turned out to be unusable out of their tables, so that a table holds nothing that belongs to
 * nobody. Runs in the config role. */
#include "conf_load.h"
#include <stdlib.h>
#include <string.h>

static bool is_dead(const void *record, enum conf_table table)
{
	const struct conf_address *address = record;
	const struct conf_track *track = record;
	const struct conf_secret *secret = record;
	const struct conf_peer *peer = record;

	if (table == CONF_TABLE_SECRET)
		return secret->length == 0;
	if (table == CONF_TABLE_ADDRESS)
		return !addr_is_set(&address->addr);
	if (table == CONF_TABLE_TRACK)
		return track->kind == CONF_TRACK_DEAD;
	return !addr_is_set(&peer->addr);
}

/* Moves the living records together. Returns where each went (count + 1 numbers), or NULL when none is dead. */
static uint32_t *compact_table(struct conf_load *load, enum conf_table table, size_t size)
{
	uint32_t count = conf_builder_count(load->builder, table), kept = 0;
	uint32_t *moved = conf_realloc(NULL, (size_t)count + 1, sizeof(*moved));

	for (uint32_t i = 0; i < count; i++) {
		char *record = conf_builder_at(load->builder, table, i);

		moved[i] = kept;
		if (is_dead(record, table))
			continue;
		if (kept != i) {
			memcpy(conf_builder_at(load->builder, table, kept), record, size);
			if (i < load->objects[table].count)
				load->objects[table].objects[kept] = load->objects[table].objects[i];
		}
		kept++;
	}
	moved[count] = kept;
	conf_builder_truncate(load->builder, table, kept);
	if (load->objects[table].count > kept)
		load->objects[table].count = kept;
	if (kept < count)
		return moved;
	free(moved);
	return NULL;
}

static void move_range(struct conf_range *r, const uint32_t *moved)
{
	uint32_t end = moved[r->first + r->count];

	r->first = moved[r->first];
	r->count = end - r->first;
}

void conf_compact(struct conf_load *load)
{
	uint32_t *addresses = compact_table(load, CONF_TABLE_ADDRESS, sizeof(struct conf_address));
	uint32_t *tracks = compact_table(load, CONF_TABLE_TRACK, sizeof(struct conf_track));
	uint32_t *peers = compact_table(load, CONF_TABLE_PEER, sizeof(struct conf_peer));
	uint32_t *secrets = compact_table(load, CONF_TABLE_SECRET, sizeof(struct conf_secret));

	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_INSTANCE); i++) {
		struct conf_instance *in = conf_builder_at(load->builder, CONF_TABLE_INSTANCE, i);

		if (addresses)
			move_range(&in->addresses, addresses);
		if (tracks)
			move_range(&in->tracks, tracks);
		if (peers)
			move_range(&in->peers, peers);
		if (secrets && in->secret != CONF_NONE)
			in->secret = secrets[in->secret];
		in->unicast = in->peers.count > 0;
	}
	for (conf_index_t i = 0; tracks && i < conf_builder_count(load->builder, CONF_TABLE_GROUP); i++) {
		struct conf_group *g = conf_builder_at(load->builder, CONF_TABLE_GROUP, i);

		move_range(&g->tracks, tracks);
	}
	free(addresses);
	free(tracks);
	free(peers);
	free(secrets);
}
