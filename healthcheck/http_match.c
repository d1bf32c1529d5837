/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parses HTTP/1.x answers byte by byte and judges their status. Runs in poise-healthcheck; pure: it never allocates,
 * never reads a socket, and keeps at most one line whatever the server sends. */
#include "http_match.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* More than this many digits cannot be a length that we would read. */
#define LENGTH_DIGITS_MAX 18

void http_answer_init(struct http_answer *a)
{
	memset(a, 0, sizeof(*a));
	a->state = HTTP_STATUS_LINE;
}

static void fail(struct http_answer *a, enum reason error)
{
	a->state = HTTP_FAILED;
	a->error = error;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* HTTP-version SP status-code [SP reason-phrase] (RFC 9112, section 4). */
static void take_status_line(struct http_answer *a)
{
	const char *s = a->line;

	if (a->line_used < 12 || memcmp(s, "HTTP/1.", 7) != 0 || !is_digit(s[7]) || s[8] != ' ' || !is_digit(s[9]) ||
		!is_digit(s[10]) || !is_digit(s[11]) || (a->line_used > 12 && s[12] != ' ')) {
		fail(a, REASON_NOT_HTTP);
		return;
	}
	a->status = (uint16_t)((s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0'));
	if (a->status < 100) {
		fail(a, REASON_NOT_HTTP);
		return;
	}
	a->state = HTTP_HEADERS;
}

/* A list of equal numbers counts as one (RFC 9112, section 6.3); anything else is refused. */
static bool take_length(struct http_answer *a, const char *s, const char *end)
{
	for (;;) {
		uint64_t value = 0;
		int digits = 0;

		while (s < end && is_blank(*s))
			s++;
		for (; s < end && is_digit(*s); s++, digits++)
			if (digits < LENGTH_DIGITS_MAX)
				value = value * 10 + (uint64_t)(*s - '0');
		if (digits == 0 || digits > LENGTH_DIGITS_MAX || (a->has_length && a->length != value))
			return false;
		a->has_length = true;
		a->length = value;
		while (s < end && is_blank(*s))
			s++;
		if (s == end)
			return true;
		if (*s++ != ',')
			return false;
	}
}

/* Only the last coding decides how the body ends (RFC 9112, section 6.3). */
static void take_coding(struct http_answer *a, const char *s, const char *end)
{
	static const char chunked[] = "chunked";
	const char *last;

	while (end > s && is_blank(end[-1]))
		end--;
	for (last = end; last > s && !is_blank(last[-1]) && last[-1] != ',';)
		last--;
	a->has_coding = true;
	a->is_chunked = (size_t)(end - last) == strlen(chunked) && strncasecmp(last, chunked, strlen(chunked)) == 0;
}

static bool name_is(const char *line, size_t length, const char *name)
{
	return length == strlen(name) && strncasecmp(line, name, length) == 0;
}

/* The name in any case, and the value when one is wanted. */
static bool is_wanted_header(const char *wanted, const char *line, size_t length)
{
	size_t name = strcspn(wanted, ":");
	const char *value = wanted[name] ? wanted + name + 1 : NULL, *end = line + length;

	if (length <= name || strncasecmp(line, wanted, name) != 0)
		return false;
	line += name;
	while (line < end && is_blank(*line))
		line++;
	if (line == end || *line++ != ':')
		return false;
	if (!value)
		return true;
	while (is_blank(*value))
		value++;
	while (line < end && is_blank(*line))
		line++;
	while (end > line && is_blank(end[-1]))
		end--;
	return (size_t)(end - line) == strlen(value) && strncasecmp(line, value, strlen(value)) == 0;
}

static void take_header_line(struct http_answer *a)
{
	const char *end = a->line + a->line_used;
	const char *colon = memchr(a->line, ':', a->line_used);
	const char *name_end = colon;
	bool is_length, is_coding;

	if (is_blank(a->line[0])) {
		/* A folded line belongs to the one before it. */
		if (a->line_is_framing)
			fail(a, REASON_HEADER_INVALID);
		return;
	}
	a->line_is_framing = false;
	if (a->wanted && is_wanted_header(a->wanted, a->line, a->line_used))
		a->has_wanted = true;
	if (!colon)
		return;
	while (name_end > a->line && is_blank(name_end[-1]))
		name_end--;
	is_length = name_is(a->line, (size_t)(name_end - a->line), "content-length");
	is_coding = name_is(a->line, (size_t)(name_end - a->line), "transfer-encoding");
	if (!is_length && !is_coding)
		return;
	a->line_is_framing = true;
	if (a->line_length > a->line_used)
		fail(a, REASON_HEADER_INVALID);
	else if (is_coding)
		take_coding(a, colon + 1, end);
	else if (!take_length(a, colon + 1, end))
		fail(a, REASON_HEADER_INVALID);
}

/* The empty line after the headers: what follows? (RFC 9112, section 6.3) */
static void end_headers(struct http_answer *a)
{
	bool is_interim = a->status < 200 && a->status != 101;

	a->line_is_framing = false;
	if (is_interim) {
		a->status = 0;
		a->has_length = a->has_coding = a->is_chunked = false;
		a->state = HTTP_STATUS_LINE;
		return;
	}
	a->is_body = true;
	if (a->is_headless || a->status == 101 || a->status == 204 || a->status == 304) {
		a->state = HTTP_DONE;
	} else if (a->is_chunked) {
		a->state = HTTP_CHUNK_LINE;
	} else if (a->has_coding || !a->has_length) {
		a->state = HTTP_BODY_TO_END;
	} else {
		a->left = a->length;
		a->state = a->left ? HTTP_BODY_COUNTED : HTTP_DONE;
	}
}

/* chunk-size [chunk-ext] (RFC 9112, section 7.1). */
static void take_chunk_line(struct http_answer *a)
{
	uint64_t size = 0;
	unsigned i;

	for (i = 0; i < a->line_used; i++) {
		char c = a->line[i];
		unsigned digit;

		if (is_digit(c))
			digit = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			digit = (unsigned)(c - 'A' + 10);
		else
			break;
		if (size >> 56) {
			fail(a, REASON_CHUNK_INVALID);
			return;
		}
		size = size << 4 | digit;
	}
	if (i == 0 || (i < a->line_used && a->line[i] != ';' && !is_blank(a->line[i]))) {
		fail(a, REASON_CHUNK_INVALID);
		return;
	}
	a->left = size;
	/* The bytes of the body, which are bounded by themselves, pay for as many of lines: a page in many small chunks
	 * is a good page. */
	a->header_bytes -= size < a->header_bytes ? (uint32_t)size : a->header_bytes;
	a->state = size ? HTTP_CHUNK_DATA : HTTP_TRAILERS;
}

static void take_line(struct http_answer *a)
{
	bool is_empty;

	if (a->line_used == a->line_length && a->line_used > 0 && a->line[a->line_used - 1] == '\r') {
		a->line_used--;
		a->line_length--;
	}
	is_empty = a->line_length == 0;
	switch (a->state) {
	case HTTP_STATUS_LINE:
		take_status_line(a);
		break;
	case HTTP_HEADERS:
		if (is_empty)
			end_headers(a);
		else
			take_header_line(a);
		break;
	case HTTP_CHUNK_LINE:
		take_chunk_line(a);
		break;
	case HTTP_CHUNK_END:
		if (is_empty)
			a->state = HTTP_CHUNK_LINE;
		else
			fail(a, REASON_CHUNK_INVALID);
		break;
	case HTTP_TRAILERS:
		if (is_empty)
			a->state = HTTP_DONE;
		break;
	case HTTP_BODY_COUNTED:
	case HTTP_BODY_TO_END:
	case HTTP_CHUNK_DATA:
	case HTTP_DONE:
	case HTTP_FAILED:
		break;
	}
	if (a->state == HTTP_FAILED)
		return; /* the line is still wanted for the sentence */
	a->line_used = 0;
	a->line_length = 0;
}

/* A first byte that cannot begin a status line is recognised at once: a server of another protocol may never end its
 * line. */
static bool is_hopeless(const struct http_answer *a)
{
	static const char begin[] = "HTTP/1.";
	size_t n = a->line_used < sizeof(begin) - 1 ? a->line_used : sizeof(begin) - 1;

	return a->state == HTTP_STATUS_LINE && memcmp(a->line, begin, n) != 0;
}

/* Takes what is there of a line that has already failed, for the sentence. */
static size_t keep_line(struct http_answer *a, const uint8_t *data, size_t length)
{
	size_t n = 0;

	while (n < length && data[n] != '\n' && a->line_used < HTTP_LINE_MAX)
		a->line[a->line_used++] = (char)data[n++];
	return n;
}

static size_t feed_line(struct http_answer *a, const uint8_t *data, size_t length)
{
	size_t used;

	for (used = 0; used < length;) {
		uint8_t c = data[used++];

		if (++a->header_bytes > HTTP_HEADER_MAX) {
			fail(a, REASON_HEADER_TOO_LONG);
			return used;
		}
		if (c == '\n') {
			take_line(a);
			return used;
		}
		a->line_length++;
		if (a->line_used < HTTP_LINE_MAX)
			a->line[a->line_used++] = (char)c;
		if (a->line_used <= 8 && is_hopeless(a)) {
			fail(a, REASON_NOT_HTTP);
			return used + keep_line(a, data + used, length - used);
		}
	}
	return used;
}

static size_t feed_body(
	struct http_answer *a, const uint8_t *data, size_t length, const uint8_t **body, size_t *body_length)
{
	size_t n = length;

	if (a->state != HTTP_BODY_TO_END && n > a->left)
		n = (size_t)a->left;
	if (a->body_bytes + n > HTTP_BODY_MAX) {
		fail(a, REASON_BODY_TOO_LONG);
		return n;
	}
	*body = data;
	*body_length = n;
	a->body_bytes += n;
	if (a->state == HTTP_BODY_TO_END)
		return n;
	a->left -= n;
	if (a->left == 0)
		a->state = a->state == HTTP_BODY_COUNTED ? HTTP_DONE : HTTP_CHUNK_END;
	return n;
}

size_t http_answer_feed(
	struct http_answer *a, const uint8_t *data, size_t length, const uint8_t **body, size_t *body_length)
{
	size_t used = 0;

	*body = NULL;
	*body_length = 0;
	while (used < length && !http_answer_is_over(a) && *body_length == 0) {
		if (a->state == HTTP_BODY_COUNTED || a->state == HTTP_BODY_TO_END || a->state == HTTP_CHUNK_DATA)
			used += feed_body(a, data + used, length - used, body, body_length);
		else
			used += feed_line(a, data + used, length - used);
	}
	a->wire_bytes += used;
	return used;
}

void http_answer_close(struct http_answer *a)
{
	if (http_answer_is_over(a))
		return;
	if (a->state == HTTP_BODY_TO_END)
		a->state = HTTP_DONE;
	else
		fail(a, a->wire_bytes ? REASON_TRUNCATED : REASON_CLOSED);
}

/* The first line as far as it is known, with everything unprintable as dots, for people. */
static void quote_line(const struct http_answer *a, char *buf, size_t size)
{
	size_t i;

	for (i = 0; i < a->line_used && i + 1 < size; i++)
		buf[i] = a->line[i] >= ' ' && a->line[i] <= '~' ? a->line[i] : '.';
	buf[i] = '\0';
}

static void explain_truncated(const struct http_answer *a, struct probe_result *result)
{
	if (!a->is_body)
		result_set(result, REASON_TRUNCATED, "closed within the header, after %llu bytes",
			(unsigned long long)a->wire_bytes);
	else if (a->is_chunked)
		result_set(result, REASON_TRUNCATED, "closed before the last chunk, after %llu bytes of body",
			(unsigned long long)a->body_bytes);
	else
		result_set(result, REASON_TRUNCATED, "closed after %llu of %llu bytes of body",
			(unsigned long long)a->body_bytes, (unsigned long long)a->length);
}

void http_answer_explain(const struct http_answer *a, struct probe_result *result)
{
	char line[40];

	quote_line(a, line, sizeof(line));
	if (a->error == REASON_NOT_HTTP)
		result_set(result, a->error, "not an HTTP answer: it begins with \"%s\"", line);
	else if (a->error == REASON_CLOSED)
		result_set(result, a->error, "closed before the answer");
	else if (a->error == REASON_TRUNCATED)
		explain_truncated(a, result);
	else if (a->error == REASON_HEADER_TOO_LONG)
		result_set(result, a->error, "header longer than %d KiB", HTTP_HEADER_MAX / 1024);
	else if (a->error == REASON_HEADER_INVALID)
		result_set(result, a->error, "Content-Length or Transfer-Encoding makes no sense");
	else if (a->error == REASON_CHUNK_INVALID)
		result_set(
			result, a->error, "chunked body is broken after %llu bytes", (unsigned long long)a->body_bytes);
	else if (a->error == REASON_BODY_TOO_LONG)
		result_set(result, a->error, "body longer than %lld MiB", HTTP_BODY_MAX / (1024 * 1024));
	else
		result_set(result, a->error, "%s", reason_name(a->error));
}

bool http_status_is_wanted(const struct conf_status_range *ranges, uint32_t n, unsigned status)
{
	if (n == 0)
		return status >= 200 && status <= 299;
	for (uint32_t i = 0; i < n; i++)
		if (status >= ranges[i].low && status <= ranges[i].high)
			return true;
	return false;
}

const char *http_status_wanted_text(const struct conf_status_range *ranges, uint32_t n, char *buf, size_t size)
{
	size_t used = 0;

	snprintf(buf, size, "%s", n ? "" : "200-299");
	for (uint32_t i = 0; i < n && used + 1 < size; i++) {
		const char *comma = i ? ", " : "";
		int wrote;

		if (ranges[i].low == ranges[i].high)
			wrote = snprintf(buf + used, size - used, "%s%u", comma, ranges[i].low);
		else
			wrote = snprintf(buf + used, size - used, "%s%u-%u", comma, ranges[i].low, ranges[i].high);
		if (wrote < 0)
			break;
		used += (size_t)wrote;
	}
	return buf;
}
