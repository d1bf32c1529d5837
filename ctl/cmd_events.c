/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl events`: what happened, and with --follow what happens. */
#include "ctl.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

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

/* Where the reading is. */
struct reading {
	struct json_object *after; /* the numbers of the last events seen; NULL: from the beginning */
	char started[40];          /* of the daemon that numbers them */
	long day;
	bool more; /* the answer was cut: ask again at once */
	bool streams_shown, is_waiting;
};

static void forget(struct reading *r)
{
	json_object_put(r->after);
	r->after = NULL;
}

/* Prints what an answer has. */
static void show(struct reading *r, struct json_object *result, const struct ctl_options *options)
{
	struct screen screen = screen_look();
	struct text t;

	if (!screen.is_terminal)
		screen.width = PIPE_WIDTH;
	text_begin(&t, &screen);
	if (json_number(result, "lost") > 0 && r->after)
		fprintf(stderr, "poisectl: %lld events were overwritten before they could be read\n",
			(long long)json_number(result, "lost"));
	for (size_t i = 0; i < json_count(result, "events"); i++) {
		struct json_object *event = json_element(result, "events", i);

		if (is_too_old(event, options))
			continue;
		if (options->json)
			print_json(event);
		else
			view_event(&t, event, &r->day);
	}
	r->more = json_flag(result, "more");
	if (!r->streams_shown && !r->more) {
		show_heard(&t, result, options, &r->day);
		r->streams_shown = true;
	}
	fflush(stdout);
	text_show(&t);
	forget(r);
	r->after = json_object_get(json_member(result, "after"));
}

/* Asks for what is new and prints it. */
static enum client_result look(struct reading *r, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request("events", NULL, NULL), *result;
	enum client_result rc;
	bool is_other;

	if (r->after)
		json_object_object_add(request, "after", json_object_get(r->after));
	rc = client_ask(client, request, CTL_PATIENCE_US, &result);
	json_object_put(request);
	if (rc != CLIENT_OK)
		return rc;
	is_other = r->started[0] && strcmp(r->started, json_text(result, "started")) != 0;
	snprintf(r->started, sizeof(r->started), "%s", json_text(result, "started"));
	if (is_other) {
		/* Its numbers are not those that we know: all that it has is new. */
		forget(r);
		r->more = true;
	} else {
		show(r, result, options);
	}
	json_object_put(result);
	return CLIENT_OK;
}

/* A daemon that is being restarted comes back. Returns false when there never was one. */
static bool wait_for_it(struct reading *r, const struct client *client)
{
	if (!r->started[0])
		return false;
	if (!r->is_waiting)
		fprintf(stderr, "poisectl: %s: waiting for it\n", client->error);
	r->is_waiting = true;
	r->more = false;
	return true;
}

int run_events(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct reading r = {0};
	enum client_result rc;

	(void)command;
	if (options->follow)
		interrupt_catch();
	do {
		rc = look(&r, client, options);
		if (rc == CLIENT_OK)
			r.is_waiting = false;
		else if (rc == CLIENT_INTERRUPTED || !options->follow || !wait_for_it(&r, client))
			break;
	} while (r.more || (options->follow && !interrupt_sleep(FOLLOW_US)));
	forget(&r);
	if (rc == CLIENT_OK || interrupt_came())
		return CTL_DONE;
	return ctl_fail_asked(client, rc);
}
