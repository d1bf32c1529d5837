/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl top`: services and servers live, in the whole terminal. What is shown is view_top.c's; here are only the
 * drawing and the keys. */
#include "ctl.h"
#include "view_top.h"

#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REFRESH_US 1000000
#define KEY_STEP_MS 100
/* Keys wait as long. */
#define PATIENCE_US 3000000

struct top {
	struct client *client;
	struct json_object *now, *before;
	int64_t now_us, dt_us; /* of the document */
	int64_t looked_us;     /* when one was asked for last, whatever came of it */
	enum top_order order;
	size_t scroll;
	bool hides_idle;
	char error[CLIENT_ERROR_SIZE];
};

static int attribute(enum style style)
{
	switch (style) {
	case STYLE_GOOD:
		return has_colors() ? COLOR_PAIR(1) : A_NORMAL;
	case STYLE_BAD:
		return (has_colors() ? COLOR_PAIR(2) : 0) | A_BOLD;
	case STYLE_CARE:
		return has_colors() ? COLOR_PAIR(3) : A_BOLD;
	case STYLE_BOLD:
		return A_BOLD;
	case STYLE_DIM:
	case STYLE_HEAD:
		return A_DIM;
	case STYLE_PLAIN:
		break;
	}
	return A_NORMAL;
}

/* How many bytes of a text take so many columns. */
static size_t bytes_of(const char *text, int columns)
{
	size_t n = 0;

	for (; text[n] && columns > 0; columns--)
		for (n++; ((unsigned char)text[n] & 0xc0) == 0x80; n++)
			;
	return n;
}

/* What fits before the column `end`. */
static void put_before(int y, int x, int end, enum style style, const char *text)
{
	if (y >= LINES || x >= end)
		return;
	attron(attribute(style));
	mvaddnstr(y, x, text, (int)bytes_of(text, end - x));
	attroff(attribute(style));
}

static void put(int y, int x, enum style style, const char *text)
{
	put_before(y, x, COLS, style, text);
}

/* A column that does not fit a narrow terminal is not there: half a number is a wrong one. */
static void put_right(int y, int end, enum style style, const char *text)
{
	if (end <= COLS)
		put(y, end - text_width(text), style, text);
}

static void look(struct top *t)
{
	struct json_object *request = ctl_request("status", NULL, NULL), *status;
	enum client_result rc = client_ask(t->client, request, PATIENCE_US, &status);
	int64_t us = ctl_monotonic_us();

	t->looked_us = us;
	json_object_put(request);
	t->error[0] = '\0';
	if (rc != CLIENT_OK) {
		if (rc != CLIENT_INTERRUPTED)
			snprintf(t->error, sizeof(t->error), "%s", t->client->error);
		return;
	}
	json_object_put(t->before);
	t->before = t->now;
	t->now = status;
	t->dt_us = t->now_us ? us - t->now_us : 0;
	t->now_us = us;
}

/* ---- drawing ---- */

static int draw_head(const struct top *t)
{
	static const char *const orders[] = {"name", "conn/s", "active", "bytes"};
	char line[256], ago[TEXT_DURATION], clock[16];
	time_t now = time(NULL);
	struct tm tm;

	localtime_r(&now, &tm);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	put(0, 0, STYLE_BOLD, json_text(t->now, "node"));
	snprintf(line, sizeof(line), "poise %s, up %s, generation %lld, by %s", json_text(t->now, "version"),
		view_ago(t->now, "started", ctl_now_us(), ago), (long long)json_number(t->now, "generation"),
		orders[t->order]);
	put_before(0, text_width(json_text(t->now, "node")) + 2, COLS - 9, STYLE_PLAIN, line);
	put_right(0, COLS, STYLE_DIM, clock);
	if (t->error[0]) {
		put(1, 0, STYLE_BAD, t->error);
	} else if (json_number(t->now, "problems_total") > 0) {
		struct json_object *first = json_element(t->now, "problems", 0);

		snprintf(line, sizeof(line), "%lld problem%s: %.60s: %.150s",
			(long long)json_number(t->now, "problems_total"),
			json_number(t->now, "problems_total") == 1 ? "" : "s", json_text(first, "object"),
			json_text(first, "text"));
		put(1, 0, STYLE_BAD, line);
		/* 'poisectl status' has all of it. */
		if (text_width(line) > COLS)
			put(1, COLS - 1, STYLE_BAD, "…");
	}
	return 2;
}

/* Virtual routers beside each other, as many as fit into two lines; how many more there are. */
static int draw_routers(const struct top *t, int y)
{
	int x = 0, last = y + 1;
	char more[24];

	for (size_t i = 0; i < json_count(t->now, "vrrp"); i++) {
		struct json_object *instance = json_element(t->now, "vrrp", i);
		const char *name = json_text(instance, "name"), *state = json_text(instance, "state");
		int width = text_width(name) + text_width(state) + 7;
		char priority[16];

		if (x > 0 && x + width > COLS) {
			x = 0;
			y++;
		}
		if (y > last) {
			snprintf(more, sizeof(more), " +%zu", json_count(t->now, "vrrp") - i);
			put_right(last, COLS, STYLE_CARE, more);
			break;
		}
		snprintf(priority, sizeof(priority), "%lld", (long long)json_number(instance, "effective_priority"));
		put(y, x, STYLE_BOLD, name);
		put(y, x + text_width(name) + 1, view_vrrp_style(state), state);
		put(y, x + text_width(name) + text_width(state) + 2, STYLE_DIM, priority);
		x += width;
	}
	return json_count(t->now, "vrrp") ? y + 2 : y;
}

static void draw_row(int y, int name_end, const struct top_row *row)
{
	char number[TOP_NUMBER], name[80];

	snprintf(name, sizeof(name), "%s%.*s", row->is_service ? "" : "  ", name_end - (row->is_service ? 1 : 3),
		row->name);
	put(y, 0, row->is_service ? STYLE_BOLD : STYLE_PLAIN, name);
	put(y, name_end, row->style, row->state);
	if (!row->is_service) {
		snprintf(number, sizeof(number), "%lld", (long long)row->weight);
		put_right(y, name_end + 16, STYLE_PLAIN, number);
	}
	put_right(y, name_end + 24, STYLE_PLAIN, top_number(row->connections_s, number));
	put_right(y, name_end + 32, STYLE_PLAIN, top_number((double)row->active, number));
	put_right(y, name_end + 40, STYLE_PLAIN, top_number((double)row->inactive, number));
	put_right(y, name_end + 48, STYLE_PLAIN, top_number(row->bytes_in_s, number));
	put_right(y, name_end + 56, STYLE_PLAIN, top_number(row->bytes_out_s, number));
}

static void draw_heading(int y, int name_end)
{
	put(y, 0, STYLE_HEAD, "SERVICE / SERVER");
	put(y, name_end, STYLE_HEAD, "STATE");
	put_right(y, name_end + 16, STYLE_HEAD, "WEIGHT");
	put_right(y, name_end + 24, STYLE_HEAD, "CONN/S");
	put_right(y, name_end + 32, STYLE_HEAD, "ACTIVE");
	put_right(y, name_end + 40, STYLE_HEAD, "INACT");
	put_right(y, name_end + 48, STYLE_HEAD, "IN B/S");
	put_right(y, name_end + 56, STYLE_HEAD, "OUT B/S");
}

static bool is_idle(const struct top_row *row)
{
	return !row->is_service && row->style == STYLE_GOOD && row->active == 0 && row->connections_s <= 0;
}

/* Those that are shown come to the front. Returns how many there are. */
static size_t leave_out_idle(struct top_row *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_idle(&rows[i]))
			rows[kept++] = rows[i];
	return kept;
}

static void draw(struct top *t)
{
	struct top_rows rows = top_rows_make(t->now, t->before, t->dt_us, t->order);
	size_t count = t->hides_idle ? leave_out_idle(rows.list, rows.count) : rows.count, page;
	int y, name_end = COLS >= 80 ? COLS - 56 : 24;
	char where[64];

	if (name_end > 40)
		name_end = 40;
	erase();
	y = draw_routers(t, draw_head(t));
	draw_heading(y++, name_end);
	page = y < LINES - 1 ? (size_t)(LINES - 1 - y) : 0;
	if (t->scroll > (count > page ? count - page : 0))
		t->scroll = count > page ? count - page : 0;
	for (size_t i = t->scroll; i < count && y < LINES - 1; i++)
		draw_row(y++, name_end, &rows.list[i]);
	put(LINES - 1, 0, STYLE_DIM, "q quit  s sort  i idle servers  arrows, PgUp, PgDn scroll");
	snprintf(where, sizeof(where), "  %zu-%zu of %zu", t->scroll + 1, t->scroll + page, count);
	if (count > page && COLS >= 80)
		put_right(LINES - 1, COLS, STYLE_DIM, where);
	refresh();
	top_rows_free(&rows);
}

/* ---- keys ---- */

static void scroll_by(struct top *t, long lines)
{
	if (lines < 0 && t->scroll < (size_t)-lines)
		t->scroll = 0;
	else
		t->scroll += (size_t)lines;
}

/* Returns false when it is time to go. */
static bool obey(struct top *t, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
	case 27:
		return false;
	case 's':
		t->order = (t->order + 1) % TOP_ORDERS;
		break;
	case 'i':
		t->hides_idle = !t->hides_idle;
		break;
	case KEY_DOWN:
	case 'j':
		scroll_by(t, 1);
		break;
	case KEY_UP:
	case 'k':
		scroll_by(t, -1);
		break;
	case KEY_NPAGE:
	case ' ':
		scroll_by(t, LINES / 2);
		break;
	case KEY_PPAGE:
		scroll_by(t, -(LINES / 2));
		break;
	case KEY_HOME:
	case 'g':
		t->scroll = 0;
		break;
	case KEY_END:
	case 'G':
		t->scroll = (size_t)-1 / 2; /* as far as there is something */
		break;
	}
	return true;
}

static void begin_screen(void)
{
	const char *no_colour = getenv("NO_COLOR");

	setlocale(LC_CTYPE, "");
	initscr();
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(KEY_STEP_MS);
	if (!(no_colour && *no_colour) && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(1, COLOR_GREEN, -1);
		init_pair(2, COLOR_RED, -1);
		init_pair(3, COLOR_YELLOW, -1);
	}
}

int run_top(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct top t = {.client = client};
	bool goes_on = true;

	(void)command;
	(void)options;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return ctl_fail(CTL_USAGE, "top needs a terminal; for programs there is 'poisectl status --json'");
	look(&t);
	if (!t.now)
		return ctl_fail(CTL_FAILED, "%s", t.error);
	interrupt_catch();
	begin_screen();
	draw(&t);
	while (goes_on && !interrupt_came()) {
		/* Signals are taken while sleeping here, keys in between. */
		int key = getch();

		if (key == ERR)
			interrupt_sleep(1);
		else
			goes_on = obey(&t, key);
		if (ctl_monotonic_us() - t.looked_us >= REFRESH_US)
			look(&t);
		else if (key == ERR)
			continue;
		draw(&t);
	}
	endwin();
	json_object_put(t.now);
	json_object_put(t.before);
	return CTL_DONE;
}
