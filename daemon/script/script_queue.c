/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of notification scripts; pure, used by the script process and its tests. It starts nothing. */
#include "script_queue.h"
#include <stdlib.h>

/* However small the configuration is: objects that go up and down all the time are not unusual. */
#define LIMIT_MIN 512

void queue_init(struct queue *queue)
{
	*queue = (struct queue){.limit = LIMIT_MIN};
	TAILQ_INIT(&queue->waiting);
	TAILQ_INIT(&queue->running);
}

void queue_make_room(struct queue *queue, unsigned n_notifies)
{
	queue->limit = n_notifies > LIMIT_MIN / 2 ? 2 * n_notifies : LIMIT_MIN;
}

static struct queue_entry *first_of(const struct queue_list *list, uint64_t owner)
{
	struct queue_entry *e;

	TAILQ_FOREACH (e, list, link)
		if (e->owner == owner)
			return e;
	return NULL;
}

static int compare_owners(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The oldest of who has asked for most; sorted for that, but only when the queue is full. */
static struct queue_entry *victim(const struct queue *queue)
{
	uint64_t *owners = calloc(queue->n_waiting, sizeof(*owners)), busiest = 0;
	struct queue_entry *e;
	size_t n = 0, run = 0, longest = 0;

	if (!owners)
		return TAILQ_FIRST(&queue->waiting);
	TAILQ_FOREACH (e, &queue->waiting, link)
		owners[n++] = e->owner;
	qsort(owners, n, sizeof(*owners), compare_owners);
	for (size_t i = 0; i < n; i++) {
		run = i > 0 && owners[i] == owners[i - 1] ? run + 1 : 1;
		if (run > longest) {
			longest = run;
			busiest = owners[i];
		}
	}
	free(owners);
	return first_of(&queue->waiting, busiest);
}

static void stop_waiting(struct queue *queue, struct queue_entry *entry)
{
	TAILQ_REMOVE(&queue->waiting, entry, link);
	queue->n_waiting--;
}

struct queue_entry *queue_add(struct queue *queue, struct queue_entry *entry)
{
	struct queue_entry *fallen = NULL;

	if (queue->n_waiting >= queue->limit) {
		fallen = victim(queue);
		stop_waiting(queue, fallen);
		queue->dropped++;
	}
	TAILQ_INSERT_TAIL(&queue->waiting, entry, link);
	queue->n_waiting++;
	return fallen;
}

struct queue_entry *queue_next(struct queue *queue)
{
	struct queue_entry *e;

	if (queue->n_running >= QUEUE_RUNNING_MAX)
		return NULL;
	TAILQ_FOREACH (e, &queue->waiting, link)
		if (!first_of(&queue->running, e->owner))
			break;
	if (!e)
		return NULL;
	stop_waiting(queue, e);
	TAILQ_INSERT_TAIL(&queue->running, e, link);
	queue->n_running++;
	return e;
}

void queue_done(struct queue *queue, struct queue_entry *entry)
{
	TAILQ_REMOVE(&queue->running, entry, link);
	queue->n_running--;
}

bool queue_is_awaited(const struct queue *queue, const struct queue_entry *entry)
{
	return first_of(&queue->waiting, entry->owner) != NULL;
}
