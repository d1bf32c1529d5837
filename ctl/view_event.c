/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One event as a line for a person, in local time. It never talks to the daemon. */
#include "view.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Where the object and what follows it begin. */
#define OBJECT_AT 14
#define CHANGE_AT 38

static enum style event_style(const char *to)
{
	static const char *const good[] = {"MASTER", "up", "met", "running", "loaded", "normal"};
	static const char *const bad[] = {"FAULT", "down", "lost", "waiting", "refused"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (strcmp(to, good[i]) == 0)
			return STYLE_GOOD;
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (strcmp(to, bad[i]) == 0)
			return STYLE_BAD;
	}
	return STYLE_CARE;
}

static void show_day(struct text *t, const struct tm *tm, long *day)
{
	long today = (tm->tm_year + 1900L) * 1000 + tm->tm_yday;
	char date[48];

	if (today == *day)
		return;
	*day = today;
	strftime(date, sizeof(date), "%A, %Y-%m-%d", tm);
	text_styled(t, STYLE_DIM, "%s", date);
	text_newline(t);
}

static void show_time(struct text *t, int64_t real_us, long *day)
{
	time_t seconds = (time_t)(real_us / 1000000);
	char clock[16];
	struct tm tm;

	localtime_r(&seconds, &tm);
	show_day(t, &tm, day);
	strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	text_styled(t, STYLE_DIM, "%s.%03d", clock, (int)(real_us % 1000000 / 1000));
}

void view_heard(struct text *t, struct json_object *heard, long *day)
{
	time_t since = (time_t)(json_time_us(heard, "since") / 1000000);
	const char *dropped = json_text(heard, "dropped");
	char line[160], clock[24];
	struct tm tm;

	localtime_r(&since, &tm);
	strftime(clock, sizeof(clock), "%Y-%m-%d %H:%M:%S", &tm);
	show_time(t, json_time_us(heard, "time"), day);
	text_tab(t, OBJECT_AT);
	text_styled(t, STYLE_BOLD, "%s", json_text(heard, "object"));
	text_add(t, " ");
	text_tab(t, CHANGE_AT);
	if (*dropped)
		snprintf(line, sizeof(line), "%lld advertisements from %s since %s, dropped (%s)",
			(long long)json_number(heard, "count"), json_text(heard, "sender"), clock, dropped);
	else
		snprintf(line, sizeof(line), "%lld advertisements from %s since %s, priority %lld",
			(long long)json_number(heard, "count"), json_text(heard, "sender"), clock,
			(long long)json_number(heard, "priority"));
	text_wrap(t, OBJECT_AT + 2, *dropped ? STYLE_CARE : STYLE_PLAIN, line);
	text_newline(t);
}

void view_event(struct text *t, struct json_object *event, long *day)
{
	const char *kind = json_text(event, "kind"), *object = json_text(event, "object");
	const char *from = json_text(event, "from"), *to = json_text(event, "to");

	show_time(t, json_time_us(event, "time"), day);
	text_tab(t, OBJECT_AT);
	text_styled(t, STYLE_BOLD, "%s", *object ? object : kind);
	text_add(t, " ");
	text_tab(t, CHANGE_AT);
	if (*from && strcmp(from, to) != 0)
		text_add(t, "%s %s ", from, text_sign(t->screen, SIGN_ARROW));
	if (*to)
		text_styled(t, event_style(to), "%s", to);
	else
		text_styled(t, STYLE_CARE, "%s", kind);
	if (*json_text(event, "why")) {
		text_add(t, "  ");
		text_wrap(t, OBJECT_AT + 2, STYLE_PLAIN, json_text(event, "why"));
	}
	text_newline(t);
}
