/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes and reads receipts for datagrams of a table of connections; used by the pair role, which gives them, and by
 * the ipvs role, which gets them. Touches nothing but its arguments. */
#include "sync_receipt.h"
#include <endian.h>
#include <string.h>

#define VERSION 1
/* Of the kernels' datagrams: where the header says what it is, and the flags of the first connection. */
#define KERNEL_VERSION 1
#define AT_SYNC_ID 1
#define AT_VERSION 5
#define AT_FLAGS 12
#define SMALLEST 44

static const uint8_t magic[4] = {'P', 'o', 'R', 'e'};

/* FNV-1a over words of eight bytes, then over the rest: it tells datagrams apart that are on their way together. */
uint64_t sync_receipt_name(const uint8_t *datagram, size_t size)
{
	uint64_t h = 14695981039346656037ull, word;

	for (; size >= sizeof(word); datagram += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, datagram, sizeof(word));
		h = (h ^ be64toh(word)) * 1099511628211ull;
		h ^= h >> 29;
	}
	while (size--)
		h = (h ^ *datagram++) * 1099511628211ull;
	return h ^ (h >> 32);
}

bool sync_receipt_is_wanted(const uint8_t *datagram, size_t size, uint8_t sync_id)
{
	uint32_t flags;

	if (size < SMALLEST || datagram[0] != 0 || datagram[AT_SYNC_ID] != sync_id ||
		datagram[AT_VERSION] != KERNEL_VERSION)
		return false;
	memcpy(&flags, datagram + AT_FLAGS, sizeof(flags));
	return (be32toh(flags) & SYNC_WANTS_RECEIPT) != 0;
}

size_t sync_receipt_encode(const struct sync_receipt *receipt, uint8_t buf[SYNC_RECEIPT_SIZE])
{
	memset(buf, 0, SYNC_RECEIPT_HEADER);
	memcpy(buf, magic, sizeof(magic));
	buf[4] = VERSION;
	buf[5] = (uint8_t)receipt->n;
	for (uint32_t i = 0; i < receipt->n; i++) {
		uint64_t name = htobe64(receipt->names[i]);

		memcpy(buf + SYNC_RECEIPT_HEADER + (size_t)i * sizeof(name), &name, sizeof(name));
	}
	return SYNC_RECEIPT_HEADER + (size_t)receipt->n * sizeof(uint64_t);
}

int sync_receipt_decode(const uint8_t *data, size_t size, struct sync_receipt *receipt)
{
	if (size < SYNC_RECEIPT_HEADER || memcmp(data, magic, sizeof(magic)) != 0 || data[4] != VERSION ||
		data[5] == 0 || data[5] > SYNC_RECEIPT_MAX || size != SYNC_RECEIPT_HEADER + (size_t)data[5] * 8)
		return -1;
	receipt->n = data[5];
	for (uint32_t i = 0; i < receipt->n; i++) {
		memcpy(&receipt->names[i], data + SYNC_RECEIPT_HEADER + (size_t)i * 8, sizeof(receipt->names[i]));
		receipt->names[i] = be64toh(receipt->names[i]);
	}
	return 0;
}
