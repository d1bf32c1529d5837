/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receipts for a table of connections: the node that it is sent to tells the sender which of its datagrams the kernel
 * there has taken, so that the sender goes no faster than the receiver and sends again what was lost. Pure.
 *
 * The sender sets SYNC_WANTS_RECEIPT in the flags of the first connection of a datagram, a bit that no kernel looks at.
 * A receipt is "PoRe" (4), version 1 (1), number of datagrams (1), 0 (2), then the name of each (8), network order; it
 * goes by UDP to the port that the datagram came from. It is not signed, as the datagrams are not: it moves the pace
 * within the configured bandwidth, and what a node holds is counted in its kernel's table. */
#ifndef POISE_SYNC_RECEIPT_H
#define POISE_SYNC_RECEIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SYNC_WANTS_RECEIPT 0x80000000u
#define SYNC_RECEIPT_MAX 32
#define SYNC_RECEIPT_HEADER 8
#define SYNC_RECEIPT_SIZE (SYNC_RECEIPT_HEADER + SYNC_RECEIPT_MAX * 8)

struct sync_receipt {
	uint32_t n;
	uint64_t names[SYNC_RECEIPT_MAX];
};

/* What a datagram is called in a receipt: a hash of its bytes. */
uint64_t sync_receipt_name(const uint8_t *datagram, size_t size);
/* Is it a datagram of the kernels' version 1 with that sync id, and is a receipt wanted for it? */
bool sync_receipt_is_wanted(const uint8_t *datagram, size_t size, uint8_t sync_id);

/* Returns the size. */
size_t sync_receipt_encode(const struct sync_receipt *receipt, uint8_t buf[SYNC_RECEIPT_SIZE]);
/* Returns 0, or -1 for anything else than a receipt. */
int sync_receipt_decode(const uint8_t *data, size_t size, struct sync_receipt *receipt);

#endif
