/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a hostile server: whatever arrives, the parser uses up every byte or ends, stays within its limits, and
 * comes to the same end whole and byte by byte. The first byte says whether the connection is closed at the end. */
#include "http_match.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct http_answer *a, const uint8_t *data, size_t size, size_t piece, bool closes, uint64_t *sum)
{
	http_answer_init(a);
	*sum = 0;
	for (size_t at = 0; at < size && !http_answer_is_over(a);) {
		size_t n = piece < size - at ? piece : size - at;
		const uint8_t *body;
		size_t body_length;
		size_t used = http_answer_feed(a, data + at, n, &body, &body_length);

		if (used == 0 || used > n || body_length > used)
			abort();
		if (body_length && (body < data + at || body + body_length > data + at + used))
			abort();
		for (size_t i = 0; i < body_length; i++)
			*sum = *sum * 31 + body[i];
		at += used;
	}
	if (closes)
		http_answer_close(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_result result = {0};
	struct http_answer whole, bytes;
	uint64_t whole_sum, bytes_sum;
	bool closes;

	if (size == 0)
		return 0;
	closes = data[0] & 1;
	parse(&whole, data + 1, size - 1, SIZE_MAX, closes, &whole_sum);
	parse(&bytes, data + 1, size - 1, 1, closes, &bytes_sum);
	if (whole.state != bytes.state || whole.error != bytes.error || whole.status != bytes.status ||
		whole.body_bytes != bytes.body_bytes || whole_sum != bytes_sum)
		abort();
	if (closes && !http_answer_is_over(&whole))
		abort();
	if (whole.state == HTTP_DONE && (whole.status < 101 || whole.status > 999))
		abort();
	if (whole.state == HTTP_FAILED) {
		http_answer_explain(&whole, &result);
		if (result.reason == REASON_OK || !result.why[0])
			abort();
	}
	return 0;
}
