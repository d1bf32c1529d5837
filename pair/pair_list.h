/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A node's list of configured objects on its way to the other node, some datagrams a beat. Datagrams get lost and
 * nobody answers them: the sender goes round and round until the receiver says that it is complete, and a receiver that
 * missed one begins anew with the next round. Pure. */
#ifndef POISE_PAIR_LIST_H
#define POISE_PAIR_LIST_H

#include "pair_message.h"

/* Of the other node, at most. */
#define PAIR_LIST_LIMIT 200000

/* What is said next of a list of n objects that belong to a configuration: n and first of *out are what fits, as
 * pair_message_encode() has left them. */
struct pair_list_teller {
	uint64_t config;
	uint32_t at;
};
void pair_list_next(struct pair_list_teller *t, const struct pair_object *objects, uint32_t n, uint64_t config,
	struct pair_objects *out);
/* *out was sent. Returns false at the end of a round. */
bool pair_list_told(struct pair_list_teller *t, uint32_t n, const struct pair_objects *out);

struct pair_list {
	struct pair_object *objects; /* sorted by name when complete */
	uint32_t n, room;
	uint64_t config;
	bool is_complete;
};
/* Takes a part of the list of a configuration with so many objects. Returns true when the list became complete by it.
 */
bool pair_list_take(struct pair_list *list, const struct pair_objects *part, uint64_t config, uint32_t objects);

#endif
