/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames of a hostile HTTP/2 server, in pieces of the size that the first byte says, and the message inside them. */
#include "grpc_call.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_result result = {.reason = REASON_OK};
	struct grpc_call call;
	const uint8_t *out;
	size_t piece;

	if (size == 0)
		return 0;
	if (grpc_parse(data + 1, size - 1) > GRPC_INVALID)
		abort();
	piece = data[0] ? data[0] : size;
	if (grpc_call_begin(&call, "a.service", "192.0.2.1:50051", false) == 0) {
		for (size_t at = 1; at < size && !call.is_answered; at += piece) {
			while (grpc_call_output(&call, &out) > 0)
				;
			if (grpc_call_input(&call, data + at, size - at < piece ? size - at : piece, &result) < 0)
				break;
			if (call.answer_length > sizeof(call.answer))
				abort();
		}
		if (call.is_answered) {
			grpc_call_judge(&call, &result);
			if (!result.why[0])
				abort();
		}
	}
	grpc_call_end(&call);
	return 0;
}
