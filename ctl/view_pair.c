/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other node in `poisectl status`: one line when all is well, and what differs when something does. Shows nothing
 * where no other node is configured. It never talks to the daemon. */
#include "view.h"

#include <stdio.h>
#include <string.h>

#define DIFFERENCES_SHOWN 8

static void add_coverage(struct text *t, struct json_object *pair)
{
	const char *dot = text_sign(t->screen, SIGN_DOT);

	if (json_has(pair, "coverage_percent"))
		text_add(t, " %s %lld %% of its %lld connections are held here", dot,
			(long long)json_number(pair, "coverage_percent"), (long long)json_number(pair, "coverage_of"));
	else if (json_has(pair, "peer_coverage_percent"))
		text_add(t, " %s it holds %lld %% of our connections", dot,
			(long long)json_number(pair, "peer_coverage_percent"));
}

static void show_differences(struct text *t, struct json_object *pair)
{
	int64_t total = json_number(pair, "configuration_differences");
	size_t shown = json_count(pair, "differences");

	if (total == 0)
		return;
	shown = shown > DIFFERENCES_SHOWN ? DIFFERENCES_SHOWN : shown;
	for (size_t i = 0; i < shown; i++) {
		struct json_object *d = json_element(pair, "differences", i);

		text_tab(t, 4);
		text_styled(t, STYLE_CARE, "%s", json_text(d, "what"));
		text_tab(t, 18);
		text_wrap(t, 18, STYLE_PLAIN, json_text(d, "object"));
		text_newline(t);
	}
	if (total > (int64_t)shown) {
		text_tab(t, 4);
		text_add(t, "and %lld more", (long long)(total - (int64_t)shown));
		text_newline(t);
	}
}

/* A large table takes a while, and somebody may be waiting for it. */
static void show_progress(struct text *t, struct json_object *sync)
{
	const char *running = sync ? json_text(sync, "running") : "";
	const char *what = strcmp(running, "sending") == 0    ? "our table of connections is being sent"
			   : strcmp(running, "counting") == 0 ? "its connections are being counted here"
							      : NULL;

	if (!what)
		return;
	text_tab(t, 4);
	text_styled(t, STYLE_DIM, "%s", what);
	text_newline(t);
}

/* Between two nodes the later command counts, and logs are read side by side. */
static void show_clock(struct text *t, struct json_object *pair)
{
	int64_t ahead = json_has(pair, "clock_ahead_seconds") ? json_number(pair, "clock_ahead_seconds") : 0;

	if (ahead == 0)
		return;
	text_tab(t, 4);
	text_styled(t, STYLE_CARE, "its clock is %lld s %s ours", (long long)(ahead < 0 ? -ahead : ahead),
		ahead < 0 ? "behind" : "ahead of");
	text_newline(t);
}

/* What survives no failover, because the kernel's protocol has no room for it. The first limit holds everywhere and
 * stands in the manual; the others are there because of this configuration. */
static void show_limits(struct text *t, struct json_object *sync)
{
	bool is_full = sync && strcmp(json_text(sync, "mode"), "full") == 0;
	size_t n = is_full ? json_count(sync, "limits") : 0;

	for (size_t i = 1; i < n; i++) {
		text_tab(t, 4);
		text_styled(t, STYLE_DIM, "not synchronised: ");
		text_wrap(t, 22, STYLE_DIM, json_object_get_string(json_element(sync, "limits", i)));
		text_newline(t);
	}
}

void view_pair(struct text *t, struct json_object *status, int64_t now_us)
{
	struct json_object *pair = json_member(status, "pair");
	const char *state = pair ? json_text(pair, "state") : "off";
	bool is_up = strcmp(state, "up") == 0;
	char ago[TEXT_DURATION];

	if (strcmp(state, "off") == 0 || strcmp(state, "unknown") == 0)
		return;
	text_newline(t);
	text_styled(t, STYLE_HEAD, "  OTHER NODE");
	text_newline(t);
	text_add(t, "  ");
	text_styled(t, is_up ? STYLE_GOOD : STYLE_CARE, "%s ", text_sign(t->screen, is_up ? SIGN_FULL : SIGN_ALERT));
	text_styled(t, STYLE_BOLD, "%s", json_text(pair, "node")[0] ? json_text(pair, "node") : "the other node");
	text_add(t, "  %s for %s", state, view_ago(pair, "since", now_us, ago));
	if (is_up)
		add_coverage(t, pair);
	else
		text_add(t, ": %s", json_text(pair, "why"));
	text_newline(t);
	if (is_up && !json_flag(pair, "configuration_compared")) {
		text_tab(t, 4);
		text_wrap(t, 4, STYLE_DIM, json_text(pair, "why"));
		text_newline(t);
	}
	if (is_up)
		show_progress(t, json_member(status, "connection_sync"));
	show_clock(t, pair);
	show_differences(t, pair);
	show_limits(t, json_member(status, "connection_sync"));
}
