/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The datagrams that were sent and not yet taken. Used by the thread of the ipvs role that sends the table; touches
 * nothing but its record. */
#include "ipvs_window.h"
#include <string.h>

#define DOUBLINGS 2

static struct ipvs_window_slot *at(struct ipvs_window *w, uint32_t i)
{
	return &w->slots[(w->first + i) % IPVS_WINDOW];
}

void ipvs_window_begin(struct ipvs_window *w, bool is_asked)
{
	w->is_deaf &= !is_asked;
	w->first = w->n = 0;
	w->taken = w->repeated = 0;
}

uint32_t ipvs_window_outstanding(const struct ipvs_window *w)
{
	return w->n;
}

/* A deaf one may hear somebody at any time. */
bool ipvs_window_wants_receipts(const struct ipvs_window *w)
{
	return w->is_deaf || w->n >= IPVS_WINDOW / 2;
}

void ipvs_window_add(struct ipvs_window *w, const struct ipvs_sync_message *m, struct mono now)
{
	struct ipvs_window_slot *slot;

	if (w->is_deaf || w->n == IPVS_WINDOW)
		return;
	slot = at(w, w->n++);
	slot->name = sync_receipt_name(m->bytes, m->size);
	slot->first = now;
	slot->due = mono_add(now, IPVS_WINDOW_PATIENCE_US);
	slot->tries = 1;
	slot->size = (uint16_t)m->size;
	slot->n = m->n;
	slot->is_done = false;
	memcpy(slot->bytes, m->bytes, m->size);
}

static void forget_done(struct ipvs_window *w)
{
	while (w->n > 0 && at(w, 0)->is_done) {
		w->first = (w->first + 1) % IPVS_WINDOW;
		w->n--;
	}
}

static void take_name(struct ipvs_window *w, uint64_t name)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct ipvs_window_slot *slot = at(w, i);

		if (slot->name != name || slot->is_done)
			continue;
		slot->is_done = true;
		w->taken += slot->n;
		return;
	}
}

/* What was sent once and overtaken by several is lost rather than late. */
static void hasten(struct ipvs_window *w)
{
	uint32_t later = 0;

	for (uint32_t i = w->n; i-- > 0;) {
		struct ipvs_window_slot *slot = at(w, i);

		if (slot->is_done)
			later++;
		else if (later >= IPVS_WINDOW_OVERTAKEN && slot->tries == 1)
			slot->due = (struct mono){1};
	}
}

void ipvs_window_take(struct ipvs_window *w, const struct sync_receipt *receipt, struct mono now)
{
	w->heard = now;
	w->is_deaf = false;
	for (uint32_t i = 0; i < receipt->n; i++)
		take_name(w, receipt->names[i]);
	hasten(w);
	forget_done(w);
}

/* Is nobody there who gives receipts (any more)? */
static bool is_silent(const struct ipvs_window *w, const struct ipvs_window_slot *slot, struct mono now)
{
	if (mono_before(w->heard, slot->first))
		return slot->tries >= IPVS_WINDOW_TRIES;
	return slot->tries >= IPVS_WINDOW_TRIES_MOST && mono_diff_us(now, w->heard) >= IPVS_WINDOW_SILENCE_US;
}

const struct ipvs_window_slot *ipvs_window_repeat(struct ipvs_window *w, struct mono now)
{
	for (uint32_t i = 0; i < w->n; i++) {
		struct ipvs_window_slot *slot = at(w, i);

		if (slot->is_done || mono_before(now, slot->due))
			continue;
		if (is_silent(w, slot, now)) {
			w->is_deaf = true;
			w->n = 0;
			return NULL;
		}
		if (slot->tries >= IPVS_WINDOW_TRIES_MOST) {
			slot->is_done = true;
			continue;
		}
		slot->due =
			mono_add(now, IPVS_WINDOW_PATIENCE_US << (slot->tries < DOUBLINGS ? slot->tries : DOUBLINGS));
		slot->tries++;
		w->repeated++;
		return slot;
	}
	forget_done(w);
	return NULL;
}

struct mono ipvs_window_due(const struct ipvs_window *w)
{
	struct mono due = MONO_NEVER;

	for (uint32_t i = 0; i < w->n; i++) {
		const struct ipvs_window_slot *slot = &w->slots[(w->first + i) % IPVS_WINDOW];

		if (!slot->is_done && (!mono_is_set(due) || mono_before(slot->due, due)))
			due = slot->due;
	}
	return due;
}
