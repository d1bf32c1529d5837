/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes one JSON document into a growing buffer, value by value. Ten thousand servers cost no tree of objects; text
 * from configuration files and scripts is escaped, and bytes that are not UTF-8 become U+FFFD.
 * key is NULL inside arrays and for the outermost value. Running out of memory or nesting too deep makes the writer
 * fail for good; ask once at the end with writer_take(). */
#ifndef POISE_CONTROL_WRITER_H
#define POISE_CONTROL_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITER_DEPTH 12

struct writer {
	char *text;
	size_t length, size;
	unsigned depth;
	bool failed;
	bool has_member[WRITER_DEPTH];
	char closer[WRITER_DEPTH];
};

/* A zeroed struct writer is an empty one. */
void writer_object(struct writer *w, const char *key);
void writer_array(struct writer *w, const char *key);
/* Closes the innermost object or array. */
void writer_end(struct writer *w);
void writer_string(struct writer *w, const char *key, const char *value);
void writer_number(struct writer *w, const char *key, int64_t value);
void writer_count(struct writer *w, const char *key, uint64_t value);
void writer_bool(struct writer *w, const char *key, bool value);
void writer_null(struct writer *w, const char *key);
/* RFC 3339 in UTC with milliseconds; null when real_us is 0 (never). */
void writer_time(struct writer *w, const char *key, int64_t real_us);

/* Ends the document with a newline and hands over the text (malloc'ed, *length without the final zero). NULL when the
 * writer failed; the writer is empty afterwards in any case. */
char *writer_take(struct writer *w, size_t *length);

#endif
