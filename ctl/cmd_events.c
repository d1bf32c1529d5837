/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl events`: what happened, and with --follow what happens. */
#include "ctl.h"
#include "view.h"

#include <stdio.h>

#define FOLLOW_US 250000
/* One event is one line for whoever reads through a pipe. */
#define PIPE_WIDTH 100000

static bool is_too_old(struct json_object *event, const struct ctl_options *options)
{
	return options->since_us && json_time_us(event, "time") < ctl_now_us() - options->since_us;
}

static void print_json(struct json_object *event)
{
	puts(json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* The steady streams: what comes all the time and is no news has a line each, after the events. */
static void show_heard(struct text *t, struct json_object *result, const struct ctl_options *options, long *day)
{
	for (size_t i = 0; i < json_count(result, "heard"); i++) {
		struct json_object *heard = json_element(result, "heard", i);

		if (is_too_old(heard, options))
			continue;
		if (options->json)
			print_json(heard);
		else
			view_heard(t, heard, day);
	}
}

static int show(struct client *client, const struct ctl_options *options, bool is_first, struct json_object **after,
	long *day, bool *more)
{
	struct json_object *request = ctl_request("events", NULL, NULL), *result;
	struct screen screen = screen_look();
	enum client_result rc;
	struct text t;

	if (*after)
		json_object_object_add(request, "after", json_object_get(*after));
	rc = client_ask(client, request, CTL_PATIENCE_US, &result);
	json_object_put(request);
	if (rc != CLIENT_OK)
		return rc == CLIENT_INTERRUPTED ? CTL_DONE : ctl_fail_asked(client, rc);
	if (!screen.is_terminal)
		screen.width = PIPE_WIDTH;
	text_begin(&t, &screen);
	if (json_number(result, "lost") > 0 && *after)
		fprintf(stderr, "poisectl: %lld events were overwritten before they could be read\n",
			(long long)json_number(result, "lost"));
	for (size_t i = 0; i < json_count(result, "events"); i++) {
		struct json_object *event = json_element(result, "events", i);

		if (is_too_old(event, options))
			continue;
		if (options->json)
			print_json(event);
		else
			view_event(&t, event, day);
	}
	*more = json_flag(result, "more");
	if (is_first && !*more)
		show_heard(&t, result, options, day);
	fflush(stdout);
	text_show(&t);
	json_object_put(*after);
	*after = json_object_get(json_member(result, "after"));
	json_object_put(result);
	return CTL_DONE;
}

int run_events(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *after = NULL;
	bool more = false, is_first = true;
	long day = 0;
	int rc;

	(void)command;
	if (options->follow)
		interrupt_catch();
	do {
		rc = show(client, options, is_first, &after, &day, &more);
		is_first = is_first && more;
	} while (rc == CTL_DONE && (more || (options->follow && !interrupt_sleep(FOLLOW_US))));
	json_object_put(after);
	return interrupt_came() ? CTL_DONE : rc;
}
