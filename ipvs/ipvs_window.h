/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams of a table that are on their way: how many at most, which were taken by the other node, which go out again.
 * Pure: times and receipts come in. */
#ifndef POISE_IPVS_WINDOW_H
#define POISE_IPVS_WINDOW_H

#include "ipvs_sync_message.h"
#include "mono.h"
#include "sync_receipt.h"
#include <stdbool.h>
#include <stdint.h>

/* On their way at once. The kernel's receiver has room for some ninety with the system's default buffer, and is told of
 * other connections meanwhile. */
#define IPVS_WINDOW 32
/* A datagram without a receipt goes out again after this, later after twice and four times as long... */
#define IPVS_WINDOW_PATIENCE_US (300 * US_PER_MS)
/* ...and when it was sent this often, and no receipt came since, nobody gives receipts, or nobody is there. */
#define IPVS_WINDOW_TRIES 4
/* Some came since: when it was sent this often, and there was silence for so long, the other node has gone meanwhile;
 * when others were taken, this one is given up. It does not count as taken. */
#define IPVS_WINDOW_TRIES_MOST 8
#define IPVS_WINDOW_SILENCE_US (2 * US_PER_S)
/* So many that were sent later have been taken: it goes out again at once. */
#define IPVS_WINDOW_OVERTAKEN 4

struct ipvs_window_slot {
	uint64_t name;
	struct mono first; /* sent */
	struct mono due;   /* to go out again */
	uint32_t tries;
	uint16_t size;
	uint8_t n;    /* connections */
	bool is_done; /* taken, or given up */
	uint8_t bytes[IPVS_SYNC_SIZE];
};

struct ipvs_window {
	/* Nobody gives receipts: nothing is waited for, until one comes. It lasts from one table to the next. */
	bool is_deaf;
	struct mono heard; /* the last receipt */
	uint32_t first, n; /* in the ring */
	struct ipvs_window_slot slots[IPVS_WINDOW];
	/* of this table */
	uint32_t taken;    /* connections that there are receipts for */
	uint32_t repeated; /* datagrams */
};

/* A new table. is_asked: somebody waits for it, who may have learned to give receipts. */
void ipvs_window_begin(struct ipvs_window *w, bool is_asked);
/* How many are on their way. */
uint32_t ipvs_window_outstanding(const struct ipvs_window *w);
/* Is it time to look for receipts? A receipt is for many datagrams, and looking for it costs as much as sending one. */
bool ipvs_window_wants_receipts(const struct ipvs_window *w);
/* The datagram was sent just now; only while fewer than IPVS_WINDOW are on their way. A deaf window keeps nothing. */
void ipvs_window_add(struct ipvs_window *w, const struct ipvs_sync_message *m, struct mono now);
void ipvs_window_take(struct ipvs_window *w, const struct sync_receipt *receipt, struct mono now);
/* One that has to go out again now, or NULL. Makes the window deaf, and so empty, when nobody answers. */
const struct ipvs_window_slot *ipvs_window_repeat(struct ipvs_window *w, struct mono now);
/* When the next one is due; MONO_NEVER when nothing is on its way. */
struct mono ipvs_window_due(const struct ipvs_window *w);

#endif
