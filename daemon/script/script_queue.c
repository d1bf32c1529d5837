/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of notification scripts; pure, used by the script process and its tests. It starts nothing. */
#include "script_queue.h"

static struct queue_entry *find_free(struct queue *queue)
{
	for (size_t i = 0; i < QUEUE_MAX; i++) {
		if (queue->entries[i].state == QUEUE_FREE)
			return &queue->entries[i];
	}
	return NULL;
}

static struct queue_entry *oldest_waiting(struct queue *queue, uint64_t owner)
{
	struct queue_entry *best = NULL;

	for (size_t i = 0; i < QUEUE_MAX; i++) {
		struct queue_entry *e = &queue->entries[i];

		if (e->state == QUEUE_WAITING && e->owner == owner && (!best || e->number < best->number))
			best = e;
	}
	return best;
}

static unsigned count_waiting(const struct queue *queue, uint64_t owner)
{
	unsigned n = 0;

	for (size_t i = 0; i < QUEUE_MAX; i++)
		n += queue->entries[i].state == QUEUE_WAITING && queue->entries[i].owner == owner;
	return n;
}

/* Who has asked for most; quadratic, but only when the queue is full. */
static struct queue_entry *victim(struct queue *queue)
{
	struct queue_entry *best = NULL;
	unsigned most = 0;

	for (size_t i = 0; i < QUEUE_MAX; i++) {
		struct queue_entry *e = &queue->entries[i];
		unsigned n = e->state == QUEUE_WAITING ? count_waiting(queue, e->owner) : 0;

		if (n > most) {
			most = n;
			best = e;
		}
	}
	return best ? oldest_waiting(queue, best->owner) : NULL;
}

void *queue_add(struct queue *queue, uint64_t owner, void *item)
{
	struct queue_entry *e = find_free(queue);
	void *fallen = NULL;

	if (!e) {
		/* There is one: fewer run than there are places. */
		e = victim(queue);
		fallen = e->item;
		queue->waiting--;
		queue->dropped++;
	}
	*e = (struct queue_entry){.state = QUEUE_WAITING, .owner = owner, .number = ++queue->last_number, .item = item};
	queue->waiting++;
	return fallen;
}

static bool is_running(const struct queue *queue, uint64_t owner)
{
	for (size_t i = 0; i < QUEUE_MAX; i++) {
		if (queue->entries[i].state == QUEUE_RUNNING && queue->entries[i].owner == owner)
			return true;
	}
	return false;
}

struct queue_entry *queue_next(struct queue *queue)
{
	struct queue_entry *best = NULL;

	if (queue->waiting == 0 || queue->running >= QUEUE_RUNNING_MAX)
		return NULL;
	for (size_t i = 0; i < QUEUE_MAX; i++) {
		struct queue_entry *e = &queue->entries[i];

		if (e->state == QUEUE_WAITING && (!best || e->number < best->number) && !is_running(queue, e->owner))
			best = e;
	}
	if (!best)
		return NULL;
	best->state = QUEUE_RUNNING;
	queue->waiting--;
	queue->running++;
	return best;
}

void queue_done(struct queue *queue, struct queue_entry *entry)
{
	queue->running--;
	entry->state = QUEUE_FREE;
	entry->item = NULL;
}

bool queue_is_awaited(const struct queue *queue, const struct queue_entry *entry)
{
	return count_waiting(queue, entry->owner) > 0;
}
