/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gathers events into lists, keeps an order among what waits, and counts what a rate limit holds back. Pure: used by
 * the snmp role, which builds and sends. */
#include "trap_roll.h"
#include <stdlib.h>
#include <string.h>

#define HELD_AFTER_US (100 * US_PER_MS) /* what waited longer was held back */
/* The second is the receiver's: what left late and what left early must not meet in one there. */
#define WINDOW_US (1200 * US_PER_MS)

/* ---- a queue ---- */
static bool queue_add(struct roll_queue *q, const struct event *ev, uint32_t parts, struct mono now)
{
	if (q->first + q->n == q->room && q->first > 0) {
		memmove(q->item, q->item + q->first, q->n * sizeof(*q->item));
		q->first = 0;
	}
	if (q->n == q->room) {
		uint32_t room = q->room ? q->room * 2 : 32;
		struct roll_item *item = room > ROLL_EVENTS_MAX ? NULL : reallocarray(q->item, room, sizeof(*item));

		if (!item)
			return false;
		q->item = item;
		q->room = room;
	}
	q->item[q->first + q->n++] = (struct roll_item){.ev = *ev, .since = now, .parts = parts};
	return true;
}

static const struct roll_item *queue_head(const struct roll_queue *q)
{
	return &q->item[q->first];
}

static void queue_take(struct roll_queue *q, uint32_t n)
{
	q->first += n;
	q->n -= n;
	if (q->n > 0)
		return;
	/* A burst of ten thousand is rare: its memory goes back. */
	free(q->item);
	*q = (struct roll_queue){0};
}

/* ---- life ---- */
void trap_roll_rate(struct trap_roll *roll, uint32_t rate)
{
	rate = rate < 1 ? 1 : rate > ROLL_RATE_MAX ? ROLL_RATE_MAX : rate;
	if (rate == roll->rate)
		return;
	roll->rate = rate;
	roll->next_sent = 0;
	memset(roll->sent, 0, sizeof(roll->sent));
}

void trap_roll_init(struct trap_roll *roll, uint32_t rate)
{
	*roll = (struct trap_roll){0};
	trap_roll_rate(roll, rate);
}

void trap_roll_clear(struct trap_roll *roll)
{
	queue_take(&roll->soon, roll->soon.n);
	queue_take(&roll->later, roll->later.n);
	queue_take(&roll->after, roll->after.n);
	for (unsigned i = 0; i < ROLL_SLOTS; i++)
		queue_take(&roll->slots[i].queue, roll->slots[i].queue.n);
	roll->burst_held = roll->burst_left_out = roll->burst_lost = 0;
}

/* ---- the rate: the times of the last `rate` notifications ---- */
bool trap_roll_may_send(const struct trap_roll *roll, struct mono now, struct mono *when)
{
	struct mono oldest = roll->sent[roll->next_sent];

	if (!mono_is_set(oldest) || mono_diff_us(now, oldest) > WINDOW_US)
		return true;
	*when = mono_add(oldest, WINDOW_US + 1);
	return false;
}

void trap_roll_sent(struct trap_roll *roll, struct mono now)
{
	roll->sent[roll->next_sent] = now;
	roll->next_sent = (roll->next_sent + 1) % roll->rate;
}

/* ---- adding ---- */
static void leave_out(struct trap_roll *roll)
{
	roll->left_out++;
	roll->burst_left_out++;
}

void trap_roll_lost(struct trap_roll *roll, uint32_t n)
{
	roll->burst_lost += n;
}

/* Where events of this kind that went this way are gathered; NULL: such are told alone. */
static struct roll_slot *slot_of(struct trap_roll *roll, uint32_t kind, uint32_t to)
{
	static const struct {
		uint32_t kind, first, ways;
	} places[] = {{EVENT_INSTANCE, 0, 4}, {EVENT_SERVER, 4, 3}, {EVENT_QUORUM, 7, 2}, {EVENT_ADMIN, 9, 3},
		{EVENT_DRAINED, 12, 1}};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (places[i].kind == kind)
			return &roll->slots[places[i].first + (to < places[i].ways ? to : places[i].ways - 1)];
	}
	return NULL;
}

static bool queue_has(const struct roll_queue *q, const struct event *ev)
{
	for (uint32_t i = q->first; i < q->first + q->n; i++) {
		if (q->item[i].ev.object == ev->object && q->item[i].ev.kind == ev->kind)
			return true;
	}
	return false;
}

/* Does something else that the object did wait to be told? That must come first, or the last word would be the wrong
 * one; its list is told now. */
static bool must_wait(struct trap_roll *roll, const struct roll_slot *own, const struct event *ev, struct mono now)
{
	for (unsigned s = 0; s < ROLL_SLOTS; s++) {
		struct roll_slot *slot = &roll->slots[s];

		if (slot == own || slot->queue.n == 0 || queue_head(&slot->queue)->ev.kind != ev->kind ||
			!queue_has(&slot->queue, ev))
			continue;
		if (mono_before(now, slot->due))
			slot->due = now;
		return true;
	}
	return queue_has(&roll->after, ev);
}

static void slot_add(struct trap_roll *roll, const struct event *ev, struct mono now)
{
	struct roll_slot *slot = slot_of(roll, ev->kind, ev->to);
	struct mono due = mono_add(now, ROLL_FIRST_US), next = mono_add(slot->last, ROLL_NEXT_US);
	struct roll_queue *queue = must_wait(roll, slot, ev, now) ? &roll->after : &slot->queue;

	if (roll->is_hurried)
		due = now;
	else if (mono_is_set(slot->last) && mono_before(due, next))
		due = next;
	if (queue == &slot->queue && slot->queue.n == 0)
		slot->due = due;
	slot->is_sorted = false;
	if (!queue_add(queue, ev, TRAP_PART_POISE, now))
		leave_out(roll);
}

/* A list was told: what waited for that may be gathered now. */
static void release(struct trap_roll *roll, struct mono now)
{
	struct roll_queue waited = roll->after;

	roll->after = (struct roll_queue){0};
	for (uint32_t i = waited.first; i < waited.first + waited.n; i++)
		slot_add(roll, &waited.item[i].ev, now);
	queue_take(&waited, waited.n);
}

void trap_roll_add(struct trap_roll *roll, const struct event *ev, bool with_older, struct mono now)
{
	const struct roll_slot *slot = slot_of(roll, ev->kind, ev->to);
	struct roll_queue *queue = ev->kind == EVENT_SERVER ? &roll->later : &roll->soon;
	uint32_t parts = (with_older ? TRAP_PART_OLDER : 0) | (slot ? 0 : TRAP_PART_POISE);

	if (parts && !queue_add(queue, ev, parts, now))
		leave_out(roll);
	if (slot)
		slot_add(roll, ev, now);
}

/* ---- telling ---- */
static struct roll_slot *first_slot(const struct trap_roll *roll)
{
	const struct roll_slot *first = NULL;

	for (unsigned i = 0; i < ROLL_SLOTS; i++) {
		const struct roll_slot *slot = &roll->slots[i];

		if (slot->queue.n > 0 && (!first || mono_before(slot->due, first->due)))
			first = slot;
	}
	return (struct roll_slot *)first;
}

static int item_compare(const void *a, const void *b)
{
	const struct event *x = &((const struct roll_item *)a)->ev, *y = &((const struct roll_item *)b)->ev;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static struct roll_work work_of(enum roll_what what, struct roll_queue *queue)
{
	return (struct roll_work){.what = what, .item = queue_head(queue), .n = queue->n, .from = queue};
}

/* In the order of the configuration, the servers of a service stand together. */
static struct roll_work slot_work(struct roll_slot *slot)
{
	bool alone = slot->queue.n <= ROLL_ALONE_MAX;

	if (!alone && !slot->is_sorted)
		qsort(&slot->queue.item[slot->queue.first], slot->queue.n, sizeof(struct roll_item), item_compare);
	slot->is_sorted = !alone;
	return work_of(alone ? ROLL_ONE : ROLL_LIST, &slot->queue);
}

/* More than a second's worth was held back, or something was left out or lost, and that is over. */
static bool burst_is_told(const struct trap_roll *roll)
{
	return roll->burst_left_out == 0 && roll->burst_lost == 0 && roll->burst_held < roll->rate;
}

struct roll_work trap_roll_next(struct trap_roll *roll, struct mono now)
{
	struct roll_slot *slot = first_slot(roll);

	if (roll->soon.n > 0)
		return work_of(ROLL_ONE, &roll->soon);
	if (slot && !mono_before(now, slot->due))
		return slot_work(slot);
	if (roll->later.n > 0)
		return work_of(ROLL_ONE, &roll->later);
	if (!slot && !burst_is_told(roll))
		return (struct roll_work){.what = ROLL_HELD,
			.held = roll->burst_held,
			.left_out = roll->burst_left_out,
			.lost = roll->burst_lost};
	return (struct roll_work){.what = ROLL_NOTHING};
}

static void count_held(struct trap_roll *roll, const struct roll_work *work, uint32_t n, struct mono now)
{
	struct mono due = mono_add(work->item->since, HELD_AFTER_US);

	for (unsigned i = 0; i < ROLL_SLOTS; i++) {
		if (&roll->slots[i].queue == work->from)
			due = mono_add(roll->slots[i].due, HELD_AFTER_US);
	}
	if (mono_before(now, due))
		return;
	roll->held += n;
	roll->burst_held += n;
}

void trap_roll_done(struct trap_roll *roll, const struct roll_work *work, uint32_t n, struct mono now)
{
	if (work->what == ROLL_HELD)
		roll->burst_held = roll->burst_left_out = roll->burst_lost = 0;
	if (!work->from)
		return;
	if (work->what == ROLL_LIST)
		roll->rolled += n;
	else
		count_held(roll, work, n, now);
	queue_take(work->from, n);
	for (unsigned i = 0; i < ROLL_SLOTS; i++) {
		if (&roll->slots[i].queue != work->from || work->from->n > 0)
			continue;
		roll->slots[i].last = now;
		release(roll, now);
	}
	/* Small delays are no news. */
	if (trap_roll_is_empty(roll) && burst_is_told(roll))
		roll->burst_held = 0;
}

bool trap_roll_is_empty(const struct trap_roll *roll)
{
	return roll->soon.n == 0 && roll->later.n == 0 && !first_slot(roll);
}

struct mono trap_roll_due(const struct trap_roll *roll)
{
	const struct roll_slot *slot = first_slot(roll);

	if (roll->soon.n > 0 || roll->later.n > 0 || (!slot && !burst_is_told(roll)))
		return (struct mono){1}; /* at once */
	return slot ? slot->due : MONO_NEVER;
}

void trap_roll_hurry(struct trap_roll *roll, struct mono now)
{
	roll->is_hurried = true;
	for (unsigned i = 0; i < ROLL_SLOTS; i++) {
		if (mono_before(now, roll->slots[i].due))
			roll->slots[i].due = now;
	}
}
