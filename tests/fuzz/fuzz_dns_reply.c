/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of a hostile name server. The first byte says how much of the real question is put in front of the rest, so
 * that what lies behind the identifier is reached. */
#include "dns_packet.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_result result = {.reason = REASON_OK};
	uint8_t query[DNS_QUERY_MAX], *reply;
	size_t length, copied;
	bool is_ours;

	length = dns_build(0x1234, "www.example.org", 28, query);
	if (size == 0 || length == 0)
		return 0;
	copied = data[0] < length ? data[0] : length;
	reply = malloc(copied + size);
	if (!reply)
		return 0;
	memcpy(reply, query, copied);
	memcpy(reply + copied, data + 1, size - 1);
	if (copied > 2)
		reply[2] |= 0x80;
	is_ours = dns_judge(query, length, reply, copied + size - 1, &result);
	if (is_ours && !result.why[0])
		abort();
	if (!is_ours && result.why[0])
		abort();
	free(reply);
	return 0;
}
