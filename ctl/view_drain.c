/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `poisectl drain --wait` shows while it waits. It never talks to the daemon. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#define BAR_WIDTH 24

void view_drain_read(struct drain_view *d, struct json_object *result)
{
	d->servers = json_count(result, "servers");
	d->drained = 0;
	d->active = d->inactive = d->persistent = 0;
	for (size_t i = 0; i < d->servers; i++) {
		struct json_object *server = json_element(result, "servers", i);

		d->drained += json_flag(server, "drained");
		d->active += json_number(server, "active");
		d->inactive += json_number(server, "inactive");
		d->persistent += json_number(server, "persistent");
	}
	if (d->active + d->inactive > d->most)
		d->most = d->active + d->inactive;
}

const char *view_drain_left(const struct drain_view *d, char *buf, size_t size)
{
	size_t length =
		(size_t)snprintf(buf, size, "%lld active, %lld inactive", (long long)d->active, (long long)d->inactive);

	if (d->persistent > 0 && length < size)
		snprintf(buf + length, size - length, ", %lld persistent", (long long)d->persistent);
	return buf;
}

/* Of BAR_WIDTH cells; full only when nothing is left. */
static int filled(const struct drain_view *d)
{
	int64_t left = d->active + d->inactive;
	int cells = d->most > 0 ? (int)(BAR_WIDTH * (d->most - left) / d->most) : 0;

	if (d->drained == d->servers && d->servers > 0)
		return BAR_WIDTH;
	return cells >= BAR_WIDTH ? BAR_WIDTH - 1 : cells;
}

static void add_cells(struct text *t, enum style style, enum sign sign, int count)
{
	char cells[BAR_WIDTH * 4 + 1] = "";

	for (int i = 0; i < count; i++)
		strcat(cells, text_sign(t->screen, sign));
	if (count > 0)
		text_styled(t, style, "%s", cells);
}

void view_drain_progress(struct text *t, const struct drain_view *d)
{
	int full = filled(d);
	char left[96], clock[24];

	snprintf(clock, sizeof(clock), "%lld:%02lld", (long long)(d->elapsed_us / 60000000),
		(long long)(d->elapsed_us / 1000000 % 60));
	view_drain_left(d, left, sizeof(left));
	text_add(t, "draining ");
	/* The name gives way when the line would not fit. */
	if (text_width(d->server) + BAR_WIDTH + text_width(left) + text_width(clock) + 16 <= t->screen->width)
		text_styled(t, STYLE_BOLD, "%s ", d->server);
	add_cells(t, STYLE_GOOD, SIGN_BAR, full);
	add_cells(t, STYLE_DIM, SIGN_BAR_EMPTY, BAR_WIDTH - full);
	text_add(t, "  %s  ", left);
	text_styled(t, STYLE_DIM, "%s", clock);
}
