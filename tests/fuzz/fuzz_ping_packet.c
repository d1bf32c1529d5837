/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets on a raw ICMP socket, which hears everything that comes. The first byte chooses the family. */
#include "ping.h"
#include <stdlib.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t cookie = 0;
	uint16_t sequence = 0;

	if (size > 0)
		ping_parse(data[0] & 1 ? AF_INET6 : AF_INET, data + 1, size - 1, 0x1234, &sequence, &cookie);
	return 0;
}
