/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that remember where their bytes stood. Runs in the config role; knows nothing of the language. */
#include "conf_line.h"
#include "conf_memory.h"
#include <stdlib.h>
#include <string.h>

void conf_line_free(struct conf_line *l)
{
	free(l->text);
	free(l->segments);
	memset(l, 0, sizeof(*l));
}

void conf_line_clear(struct conf_line *l)
{
	l->length = 0;
	l->n_segments = 0;
	if (l->text)
		l->text[0] = 0;
}

static void add_segment(struct conf_line *l, size_t offset, struct conf_place place, bool fixed)
{
	l->segments = conf_grow(l->segments, l->n_segments, &l->segments_room, sizeof(*l->segments));
	l->segments[l->n_segments++] = (struct conf_segment){offset, place, fixed};
}

static void add_text(struct conf_line *l, const char *text, size_t length)
{
	if (l->length + length + 1 > l->room) {
		l->room = (l->length + length + 1) * 2;
		l->text = conf_realloc(l->text, l->room, 1);
	}
	memcpy(l->text + l->length, text, length);
	l->length += length;
	l->text[l->length] = 0;
}

void conf_line_append(struct conf_line *l, const char *text, size_t length, struct conf_place place, bool fixed)
{
	add_segment(l, l->length, place, fixed);
	add_text(l, text, length);
}

/* The last segment that begins at or before offset. */
static uint32_t find_segment(const struct conf_line *l, size_t offset)
{
	uint32_t low = 0, high = l->n_segments;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (l->segments[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct conf_place conf_line_place(const struct conf_line *l, size_t offset)
{
	const struct conf_segment *s;
	struct conf_place place = {0, 0, 0};

	if (l->n_segments == 0)
		return place;
	s = &l->segments[find_segment(l, offset)];
	place = s->place;
	if (!s->fixed)
		place.column += (uint32_t)(offset - s->offset);
	return place;
}

void conf_line_append_line(struct conf_line *l, const struct conf_line *other, size_t from, size_t to)
{
	size_t base = l->length;

	if (from >= to)
		return;
	for (uint32_t i = find_segment(other, from); i < other->n_segments && other->segments[i].offset < to; i++) {
		const struct conf_segment *s = &other->segments[i];
		size_t begin = s->offset > from ? s->offset : from;

		add_segment(l, base + begin - from, conf_line_place(other, begin), s->fixed);
	}
	add_text(l, other->text + from, to - from);
}
