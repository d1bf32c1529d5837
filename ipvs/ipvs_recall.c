/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps what a walk has read. Used by the thread of the ipvs process that reads the table of connections; the numbers
 * are compared by the process itself. */
#include "ipvs_recall.h"
#include <linux/ip_vs.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)256 << 10)

struct ipvs_recall_chunk {
	struct ipvs_recall_chunk *next;
	struct mono read; /* the first one */
	size_t used;
	uint8_t bytes[];
};

void ipvs_recall_clear(struct ipvs_recall *r)
{
	while (r->first) {
		struct ipvs_recall_chunk *chunk = r->first;

		r->first = chunk->next;
		free(chunk);
	}
	memset(r, 0, sizeof(*r));
}

/* NULL: no room. */
static struct ipvs_recall_chunk *room_for(struct ipvs_recall *r, size_t size, struct mono now)
{
	struct ipvs_recall_chunk *chunk = r->last;

	if (r->size + size > IPVS_RECALL_LIMIT)
		return NULL;
	if (chunk && chunk->used + size <= CHUNK_SIZE)
		return chunk;
	chunk = malloc(sizeof(*chunk) + CHUNK_SIZE);
	if (!chunk)
		return NULL;
	*chunk = (struct ipvs_recall_chunk){.read = now};
	if (r->last)
		r->last->next = chunk;
	else
		r->first = chunk;
	r->last = chunk;
	return chunk;
}

/* Each behind its size, two bytes in the machine's order. */
void ipvs_recall_add(struct ipvs_recall *r, const uint8_t *entry, size_t size, struct mono now)
{
	uint16_t length = (uint16_t)size;
	struct ipvs_recall_chunk *chunk = room_for(r, sizeof(length) + size, now);

	if (!chunk) {
		r->is_truncated = true;
		return;
	}
	memcpy(chunk->bytes + chunk->used, &length, sizeof(length));
	memcpy(chunk->bytes + chunk->used + sizeof(length), entry, size);
	chunk->used += sizeof(length) + size;
	r->size += sizeof(length) + size;
	r->n++;
}

bool ipvs_recall_next(const struct ipvs_recall *r, struct ipvs_recall_cursor *c, struct ipvs_recall_entry *out)
{
	uint16_t length;

	if (!c->chunk)
		c->chunk = r->first;
	else if (c->at == c->chunk->used && c->chunk->next)
		*c = (struct ipvs_recall_cursor){c->chunk->next, 0};
	if (!c->chunk || c->at == c->chunk->used)
		return false;
	memcpy(&length, c->chunk->bytes + c->at, sizeof(length));
	*out = (struct ipvs_recall_entry){
		.bytes = c->chunk->bytes + c->at + sizeof(length), .size = length, .read = c->chunk->read};
	c->at += sizeof(length) + length;
	return true;
}

uint32_t ipvs_recall_left(uint32_t seconds, struct mono read, struct mono now)
{
	int64_t age = mono_diff_us(now, read) / US_PER_S;
	uint32_t least = seconds < IPVS_RECALL_LEFT_S ? seconds : IPVS_RECALL_LEFT_S;

	if (age <= 0)
		return seconds;
	return (int64_t)seconds - age > (int64_t)least ? seconds - (uint32_t)age : least;
}

/* ---- what it may lack ---- */

/* FNV-1a, 64 bits. */
static uint64_t digest(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 1099511628211ull;
	return h;
}

void ipvs_recall_count_service(
	struct ipvs_recall_count *count, const struct ipvs_image *image, const struct ipvs_service *service)
{
	count->services = digest(count->services ^ 14695981039346656037ull, &service->key, sizeof(service->key));
	count->connections += ipvs_service_tally(image, service)->counters.connections;
	count->is_persistent |= (service->flags & IP_VS_SVC_F_PERSISTENT) != 0;
	for (uint32_t i = 0; i < service->n_dests; i++)
		count->entries += ipvs_tally_connections(ipvs_dest_tally(service, &service->dests[i]));
}

uint32_t ipvs_recall_covers(const struct ipvs_recall_count *then, const struct ipvs_recall_count *now, uint32_t lasting)
{
	uint64_t accepted, expected, missing, there;

	/* Other services, or counters that somebody has zeroed, say nothing. */
	if (then->services != now->services || now->connections < then->connections)
		return 0;
	accepted = now->connections - then->connections;
	if (accepted >= lasting)
		return 0;
	if (then->is_persistent || now->is_persistent)
		accepted *= 2;
	expected = then->entries + accepted;
	missing = accepted + (expected > now->entries ? expected - now->entries : now->entries - expected);
	if (missing >= lasting)
		return 0;
	there = lasting - missing;
	return (uint32_t)(there * 1000 / (there + missing));
}
