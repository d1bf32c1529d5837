/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading an HTTP/1.x answer from a server that may send anything: a streaming parser that keeps a fixed number of
 * bytes, and the comparison of the status with what is wanted. Pure. Message framing after RFC 9112, sections 4 to 7;
 * what a client may forgive is forgiven (bare LF, header lines without a colon), what makes the framing ambiguous is
 * not. */
#ifndef POISE_HTTP_MATCH_H
#define POISE_HTTP_MATCH_H

#include "conf.h"
#include "reason.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_LINE_MAX 256                  /* bytes of a line that are looked at; the rest is skipped */
#define HTTP_HEADER_MAX (64 * 1024)        /* lines of one answer, beyond those that chunks pay for */
#define HTTP_BODY_MAX (16LL * 1024 * 1024) /* bytes of body that a probe reads */

enum http_state {
	HTTP_STATUS_LINE,
	HTTP_HEADERS,
	HTTP_BODY_COUNTED, /* Content-Length */
	HTTP_BODY_TO_END,  /* until the connection closes */
	HTTP_CHUNK_LINE,
	HTTP_CHUNK_DATA,
	HTTP_CHUNK_END,
	HTTP_TRAILERS,
	HTTP_DONE,
	HTTP_FAILED
};

struct http_answer {
	enum http_state state;
	enum reason error; /* HTTP_FAILED: why */
	uint16_t status;   /* of the final answer, 0 until its status line is complete */
	bool has_length, is_chunked, has_coding;
	bool is_body;         /* the headers are complete */
	bool line_is_framing; /* the last header line was Content-Length or Transfer-Encoding: it must not be folded */
	bool is_headless;     /* the request was HEAD: no body follows, whatever the headers say */
	const char *wanted;   /* a header line to look for, "Name: value" or "Name"; NULL = none */
	bool has_wanted;      /* it was there */
	uint64_t left;        /* body or chunk bytes still to come */
	uint64_t length;      /* of Content-Length */
	uint64_t body_bytes;
	uint64_t wire_bytes; /* everything that was fed */
	uint32_t header_bytes;
	uint16_t line_used;
	uint32_t line_length; /* including what did not fit */
	char line[HTTP_LINE_MAX];
};

void http_answer_init(struct http_answer *a);
/* Takes bytes in, up to the next piece of body, the end, or a failure. Returns how many were used (at least one unless
 * length is 0 or the answer is done or failed); *body / *body_length are a piece of body within data (length 0 = none).
 * Call again with the rest. Bytes after HTTP_DONE are not used. */
size_t http_answer_feed(
	struct http_answer *a, const uint8_t *data, size_t length, const uint8_t **body, size_t *body_length);
/* The connection was closed by the server: ends a body that lasts until then, else fails. */
void http_answer_close(struct http_answer *a);
static inline bool http_answer_is_over(const struct http_answer *a)
{
	return a->state == HTTP_DONE || a->state == HTTP_FAILED;
}
/* The sentence for a failed answer (WHY_SIZE bytes at most). */
void http_answer_explain(const struct http_answer *a, struct probe_result *result);

/* No ranges: 200 to 299. */
bool http_status_is_wanted(const struct conf_status_range *ranges, uint32_t n, unsigned status);
/* "200-299, 404"; returns buf. */
const char *http_status_wanted_text(const struct conf_status_range *ranges, uint32_t n, char *buf, size_t size);

#endif
