/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan for a person: what a table would change, what that does to connections, and a verdict. It never talks to the
 * daemon. */
#include "view.h"

#include <stdio.h>
#include <string.h>

static const char *connections(int64_t count, char *buf, size_t size)
{
	snprintf(buf, size, "%lld connection%s", (long long)count, count == 1 ? "" : "s");
	return buf;
}

static void show_step(struct text *t, struct json_object *step)
{
	const char *kind = json_text(step, "kind");
	bool cuts = json_flag(step, "cuts");
	enum style style = STYLE_CARE;
	const char *sign = "~";
	char number[48];

	if (strcmp(kind, "add") == 0) {
		style = STYLE_GOOD;
		sign = "+";
	} else if (strcmp(kind, "remove") == 0) {
		style = cuts ? STYLE_BAD : STYLE_CARE;
		sign = "-";
	}
	text_add(t, "  ");
	text_styled(t, style, "%s ", sign);
	text_styled(t, STYLE_BOLD, "%s", json_text(step, "object"));
	if (*json_text(step, "detail")) {
		text_add(t, ": ");
		text_wrap(t, 6, STYLE_PLAIN, json_text(step, "detail"));
	}
	text_newline(t);
	if (cuts) {
		text_add(t, "      ");
		text_styled(
			t, STYLE_BAD, "cuts %s", connections(json_number(step, "connections"), number, sizeof(number)));
		text_newline(t);
	}
}

void view_plan_warnings(struct text *t, struct json_object *plan)
{
	long long n = json_number(plan, "warnings");
	char line[400];

	if (n == 0)
		return;
	if (n == 1)
		snprintf(line, sizeof(line), "1 warning: %s", json_text(plan, "first_warning"));
	else
		snprintf(line, sizeof(line), "%lld warnings ('poised -t -f FILE' shows them), the first: %s", n,
			json_text(plan, "first_warning"));
	text_wrap(t, 2, STYLE_CARE, line);
	text_newline(t);
}

void view_plan(struct text *t, struct json_object *plan)
{
	const char *verdict = json_text(plan, "verdict");
	long long operations = json_number(plan, "operations"), changes = json_number(plan, "state_changes");
	long long cut = json_number(plan, "connections_cut");
	char number[48];
	long long more = json_number(plan, "steps_total") - (long long)json_count(plan, "steps");

	for (size_t i = 0; i < json_count(plan, "steps"); i++)
		show_step(t, json_element(plan, "steps", i));
	if (more > 0) {
		text_styled(t, STYLE_DIM, "  and %lld more", more);
		text_newline(t);
	}
	view_plan_warnings(t, plan);
	if (strcmp(verdict, "nothing") == 0) {
		text_styled(t, STYLE_GOOD, "nothing would change");
		text_newline(t);
		return;
	}
	text_add(t, "%lld kernel operation%s, ", operations, operations == 1 ? "" : "s");
	if (changes > 0)
		text_styled(t, STYLE_CARE, "%lld instance%s may change state, ", changes, changes == 1 ? "" : "s");
	if (strcmp(verdict, "cuts") == 0)
		text_styled(t, STYLE_BAD, "%s %s", connections(cut, number, sizeof(number)),
			cut == 1 ? "is cut" : "are cut");
	else
		text_styled(t, STYLE_GOOD, "no connection is cut");
	text_newline(t);
}
