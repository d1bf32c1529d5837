/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notification scripts that wait for their turn: in the order they were asked for, one at a time for each owner (a
 * virtual router, a group, a server, a service), owners beside each other. Bounded; what falls out is counted.
 * Pure: no process is started here and no clock is read. */
#ifndef POISE_SCRIPT_QUEUE_H
#define POISE_SCRIPT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_MAX 512
/* Notifications under way at a time. */
#define QUEUE_RUNNING_MAX 32

enum queue_state { QUEUE_FREE, QUEUE_WAITING, QUEUE_RUNNING };

struct queue_entry {
	enum queue_state state;
	uint64_t owner;  /* equal for notifications that must not overtake each other */
	uint64_t number; /* order of arrival */
	void *item;      /* the caller's */
};

struct queue {
	struct queue_entry entries[QUEUE_MAX];
	uint64_t last_number;
	unsigned waiting, running;
	uint64_t dropped;
};

/* Appends. When the queue is full, the oldest waiting one of the owner with the most waiting ones makes room: the last
 * word about an object counts most. Returns the item that fell out (NULL when none did). */
void *queue_add(struct queue *queue, uint64_t owner, void *item);
/* The next that may run now, marked as running; NULL when there is none. */
struct queue_entry *queue_next(struct queue *queue);
/* It has ended; its place is free. */
void queue_done(struct queue *queue, struct queue_entry *entry);
/* Does another one of the same owner wait? */
bool queue_is_awaited(const struct queue *queue, const struct queue_entry *entry);

#endif
