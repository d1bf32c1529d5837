/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of text that knows for each byte where in the files it came from, however often it was cut and replaced. */
#ifndef POISE_CONF_LINE_H
#define POISE_CONF_LINE_H

#include "conf_diag.h"
#include <stddef.h>

/* Longer lines, after replacements, are refused. */
#define CONF_LINE_MAX (4u << 20)

struct conf_segment {
	size_t offset; /* in text, where this piece begins */
	struct conf_place place;
	bool fixed; /* made up: every byte of it has this place */
};

struct conf_line {
	char *text; /* terminated; may hold '\n' where continued lines were joined, never a zero byte */
	size_t length, room;
	struct conf_segment *segments;
	uint32_t n_segments, segments_room;
};

void conf_line_free(struct conf_line *l);
void conf_line_clear(struct conf_line *l);
/* Appends bytes of a file. */
void conf_line_append(struct conf_line *l, const char *text, size_t length, struct conf_place place, bool fixed);
/* Appends bytes [from, to) of another line, with their places. */
void conf_line_append_line(struct conf_line *l, const struct conf_line *other, size_t from, size_t to);
struct conf_place conf_line_place(const struct conf_line *l, size_t offset);

#endif
