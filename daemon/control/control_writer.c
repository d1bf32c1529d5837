/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON text, written front to back; runs in the control process. It keeps no tree and knows nothing about what is
 * written. It never fails in the middle: errors are remembered until writer_take(). */
#include "control_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool reserve(struct writer *w, size_t more)
{
	size_t size = w->size ? w->size : 4096;
	char *text;

	if (w->failed)
		return false;
	if (w->size - w->length > more)
		return true;
	while (size - w->length <= more)
		size *= 2;
	text = realloc(w->text, size);
	if (!text) {
		w->failed = true;
		return false;
	}
	w->text = text;
	w->size = size;
	return true;
}

static void append(struct writer *w, const char *text, size_t length)
{
	if (!reserve(w, length))
		return;
	memcpy(w->text + w->length, text, length);
	w->length += length;
}

/* Length of the valid UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 when there is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 : 4;

	if (n == 4 && (s[0] < 0xf0 || s[0] > 0xf4))
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0))
		return 0;
	if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return n;
}

/* How many bytes from s on are printable ASCII that needs no escape: nearly all there are. */
static size_t plain_length(const unsigned char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

static void append_quoted(struct writer *w, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	char escape[8];

	append(w, "\"", 1);
	for (;;) {
		size_t n = plain_length(s);

		append(w, (const char *)s, n);
		s += n;
		if (!*s)
			break;
		n = utf8_length(s);
		if (n == 0) {
			append(w, "\xef\xbf\xbd", 3);
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\') {
			escape[0] = '\\';
			escape[1] = (char)*s;
			append(w, escape, 2);
		} else if (*s < 0x20 || *s == 0x7f || (*s == 0xc2 && s[1] < 0xa0)) {
			/* Also U+0080 to U+009F, which a terminal may obey. */
			snprintf(escape, sizeof(escape), "\\u%04x", n == 2 ? s[1] : *s);
			append(w, escape, 6);
		} else {
			append(w, (const char *)s, n);
		}
		s += n;
	}
	append(w, "\"", 1);
}

/* What comes before every value: a comma between members, and the key. */
static void begin_value(struct writer *w, const char *key)
{
	if (w->depth > 0) {
		if (w->has_member[w->depth - 1])
			append(w, ",", 1);
		w->has_member[w->depth - 1] = true;
	}
	if (key) {
		append_quoted(w, key);
		append(w, ":", 1);
	}
}

static void open_level(struct writer *w, const char *key, const char *opener, char closer)
{
	begin_value(w, key);
	if (w->depth == WRITER_DEPTH) {
		w->failed = true;
		return;
	}
	append(w, opener, 1);
	w->has_member[w->depth] = false;
	w->closer[w->depth++] = closer;
}

void writer_object(struct writer *w, const char *key)
{
	open_level(w, key, "{", '}');
}

void writer_array(struct writer *w, const char *key)
{
	open_level(w, key, "[", ']');
}

void writer_end(struct writer *w)
{
	if (w->depth == 0) {
		w->failed = true;
		return;
	}
	append(w, &w->closer[--w->depth], 1);
}

void writer_string(struct writer *w, const char *key, const char *value)
{
	begin_value(w, key);
	append_quoted(w, value);
}

static void append_digits(struct writer *w, uint64_t value)
{
	char digits[20], *at = digits + sizeof(digits);

	do {
		*--at = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	append(w, at, (size_t)(digits + sizeof(digits) - at));
}

void writer_number(struct writer *w, const char *key, int64_t value)
{
	begin_value(w, key);
	if (value < 0)
		append(w, "-", 1);
	append_digits(w, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void writer_count(struct writer *w, const char *key, uint64_t value)
{
	begin_value(w, key);
	append_digits(w, value);
}

void writer_bool(struct writer *w, const char *key, bool value)
{
	begin_value(w, key);
	append(w, value ? "true" : "false", value ? 4 : 5);
}

void writer_null(struct writer *w, const char *key)
{
	begin_value(w, key);
	append(w, "null", 4);
}

void writer_time(struct writer *w, const char *key, int64_t real_us)
{
	time_t seconds = (time_t)(real_us / 1000000);
	char date[32], text[48];
	struct tm tm;

	if (real_us <= 0 || !gmtime_r(&seconds, &tm)) {
		writer_null(w, key);
		return;
	}
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(real_us % 1000000 / 1000));
	writer_string(w, key, text);
}

char *writer_take(struct writer *w, size_t *length)
{
	char *text;

	append(w, "\n", 1);
	if (w->failed || w->depth != 0) {
		free(w->text);
		*w = (struct writer){0};
		return NULL;
	}
	text = w->text;
	text[w->length] = '\0';
	*length = w->length;
	*w = (struct writer){0};
	return text;
}
