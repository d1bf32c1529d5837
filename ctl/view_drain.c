/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `poisectl drain --wait` shows while it waits. It never talks to the daemon. */
#include "view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BAR_WIDTH 16
/* A rate is taken over at least this. */
#define SAMPLE_US 2000000

void view_drain_read(struct drain_view *d, struct json_object *result)
{
	d->servers = json_count(result, "servers");
	d->drained = 0;
	d->active = d->inactive = d->persistent = d->cut = d->until_us = 0;
	d->over = false;
	for (size_t i = 0; i < d->servers; i++) {
		struct json_object *server = json_element(result, "servers", i), *drain = json_member(server, "drain");

		d->cut += json_number(drain, "cut");
		d->over |= json_flag(drain, "over");
		if (json_has(drain, "until"))
			d->until_us = json_time_us(drain, "until");
		snprintf(d->then, sizeof(d->then), "%s", json_text(drain, "then"));
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

void view_drain_sample(struct drain_view *d)
{
	int64_t left = d->active + d->inactive, since_us = d->elapsed_us - d->sampled_us;
	double now;

	if (d->sampled_us == 0 || left > d->sampled_left) {
		d->sampled_us = d->elapsed_us > 0 ? d->elapsed_us : 1;
		d->sampled_left = left;
		return;
	}
	if (since_us < SAMPLE_US)
		return;
	now = (double)(d->sampled_left - left) * 1e6 / (double)since_us;
	d->rate = d->rate > 0 ? 0.7 * d->rate + 0.3 * now : now;
	d->sampled_us = d->elapsed_us;
	d->sampled_left = left;
}

static const char *clock_text(int64_t us, char *buf, size_t size)
{
	long long s = us > 0 ? us / 1000000 : 0;

	if (s >= 3600)
		snprintf(buf, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
	else
		snprintf(buf, size, "%lld:%02lld", s / 60, s % 60);
	return buf;
}

/* ", 2.4/s, 0:25 to go, reset in 3:10" */
static void describe_end(const struct drain_view *d, int64_t now_us, char *buf, size_t size)
{
	int64_t left = d->active + d->inactive;
	char clock[24];
	size_t n;

	n = (size_t)snprintf(buf, size, "%s", clock_text(d->elapsed_us, clock, sizeof(clock)));
	if (d->rate >= 0.05 && left > 0 && n < size)
		n += (size_t)snprintf(buf + n, size - n, ", %.1f/s, ~%s left", d->rate,
			clock_text((int64_t)((double)left / d->rate * 1e6), clock, sizeof(clock)));
	if (d->until_us && !d->over && n < size)
		snprintf(buf + n, size - n, ", %s in %s", d->then,
			clock_text(d->until_us - now_us, clock, sizeof(clock)));
}

void view_drain_progress(struct text *t, const struct drain_view *d, int64_t now_us)
{
	int full = filled(d), room = t->screen->width - BAR_WIDTH - 2;
	char left[96], end[120];

	view_drain_left(d, left, sizeof(left));
	describe_end(d, now_us, end, sizeof(end));
	/* The name gives way when the line would not fit, and then the word. */
	if (9 + text_width(d->server) + text_width(left) + text_width(end) + 1 <= room)
		text_add(t, "draining %s ", d->server);
	else if (9 + text_width(left) + text_width(end) <= room)
		text_add(t, "draining ");
	add_cells(t, STYLE_GOOD, SIGN_BAR, full);
	add_cells(t, STYLE_DIM, SIGN_BAR_EMPTY, BAR_WIDTH - full);
	text_add(t, " %s", left);
	if (text_width(left) + 1 < room)
		text_styled(t, STYLE_DIM, " %.*s", room - text_width(left) - 1, end);
}

const char *view_drain_were(int64_t count, char *buf, size_t size)
{
	snprintf(buf, size, "%lld connection%s", (long long)count, count == 1 ? " was" : "s were");
	return buf;
}

const char *view_drain_end(struct json_object *server, char *buf, size_t size)
{
	struct json_object *drain = json_member(server, "drain");
	const char *then = json_text(drain, "then");
	bool removes = strcmp(then, "remove") == 0;
	time_t until = (time_t)(json_time_us(drain, "until") / 1000000);
	char clock[16], were[48];
	struct tm tm;

	buf[0] = '\0';
	if (json_flag(drain, "over") && strcmp(then, "keep") == 0)
		snprintf(buf, size, "; its time is over, what is left goes on");
	else if (json_flag(drain, "over"))
		snprintf(buf, size, "; its time is over, %s cut",
			view_drain_were(json_number(drain, "cut"), were, sizeof(were)));
	else if (until) {
		localtime_r(&until, &tm);
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
		snprintf(buf, size, ", until %s, then what is left %s", clock,
			strcmp(then, "reset") == 0 ? "is cut"
			: removes                  ? "is cut and the server removed"
						   : "goes on");
	} else if (removes) {
		snprintf(buf, size, "; leaves the kernel's table when it is empty");
	}
	return buf;
}
