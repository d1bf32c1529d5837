/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notification scripts that wait for their turn: in the order they were asked for, one at a time for each owner (a
 * virtual router, a group, a server, a service), owners beside each other. Bounded; what falls out is counted.
 * Pure: no process is started here and no clock is read. */
#ifndef POISE_SCRIPT_QUEUE_H
#define POISE_SCRIPT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

/* Notifications under way at a time. */
#define QUEUE_RUNNING_MAX 32

/* Part of what the caller has in the queue, and the caller's memory. */
struct queue_entry {
	TAILQ_ENTRY(queue_entry) link;
	uint64_t owner; /* equal for notifications that must not overtake each other */
	void *item;     /* the caller's */
};

TAILQ_HEAD(queue_list, queue_entry);

struct queue {
	struct queue_list waiting, running; /* in order of arrival */
	unsigned n_waiting, n_running;
	unsigned limit; /* of those that wait */
	uint64_t dropped;
};

void queue_init(struct queue *queue);
/* A configuration that has so many notifications is in use: each may be asked for, and once more before the first of
 * them has run, as when everything fails over together and then back. */
void queue_make_room(struct queue *queue, unsigned n_notifies);
/* Appends. When the queue is full, the oldest waiting one of the owner with the most waiting ones makes room: the last
 * word about an object counts most. Returns the entry that fell out (NULL when none did). */
struct queue_entry *queue_add(struct queue *queue, struct queue_entry *entry);
/* The next that may run now, marked as running; NULL when there is none. */
struct queue_entry *queue_next(struct queue *queue);
/* One that ran has ended and leaves the queue. */
void queue_done(struct queue *queue, struct queue_entry *entry);
/* Does another one of the same owner wait? */
bool queue_is_awaited(const struct queue *queue, const struct queue_entry *entry);

#endif
