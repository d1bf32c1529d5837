/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams of the other node, receipts and datagrams of the kernels' protocol too. The signature is not asked for:
 * whoever has the key may be broken, too. */
#include "pair_message.h"
#include "sync_receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[] = "a key of the fuzz target";
	static struct pair_message m;
	struct sync_receipt receipt;
	uint8_t buf[PAIR_SIZE];

	if (sync_receipt_decode(data, size, &receipt) == 0)
		sync_receipt_encode(&receipt, buf);
	if (sync_receipt_is_wanted(data, size, 51))
		sync_receipt_name(data, size);
	pair_message_decode(data, size, key, sizeof(key), &m);
	if (pair_message_parse(data, size, &m) == PAIR_GOOD)
		pair_message_encode(&m, key, sizeof(key), buf);
	return 0;
}
