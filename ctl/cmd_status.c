/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl status`, `why` and `version`: questions about the present. */
#include "config.h"

#include "ctl.h"
#include "find.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

#define WATCH_US 1000000

static enum client_result ask(struct client *client, const char *command, struct json_object **result)
{
	struct json_object *request = ctl_request(command, NULL, NULL);
	enum client_result rc = client_ask(client, request, CTL_PATIENCE_US, result);

	json_object_put(request);
	return rc;
}

static int no_such(const char *name)
{
	return ctl_fail(CTL_FAILED,
		"%s: no virtual router, group, service or server has this name: 'poisectl status' lists them", name);
}

/* Keeps the lines that fit the screen, with the last one saying how many do not. */
static void cut_to_screen(struct text *t)
{
	int line = 0, lines = 0, room = t->screen->height - 1;
	size_t keep = 0;

	for (size_t i = 0; i < t->length; i++)
		lines += t->bytes[i] == '\n';
	if (lines <= room || room < 2)
		return;
	for (keep = 0; keep < t->length && line < room - 1; keep++)
		line += t->bytes[keep] == '\n';
	t->length = keep;
	t->column = 0;
	text_styled(t, STYLE_DIM, "  %d more lines: make the window higher, or use 'poisectl status | less'",
		lines - room + 1);
	text_newline(t);
}

/* For a program: as the daemon said it. */
static int print_document(struct client *client)
{
	struct json_object *request = ctl_request("status", NULL, NULL);
	const char *text;
	enum client_result rc = client_ask_text(client, request, CTL_PATIENCE_US, &text);

	json_object_put(request);
	if (rc != CLIENT_OK)
		return ctl_fail_asked(client, rc);
	puts(text);
	fflush(stdout);
	return CTL_DONE;
}

/* The document, or the part of it that has the name on the command line. Returns an exit status. */
static int ask_status(struct client *client, const struct ctl_options *options, struct json_object **status)
{
	enum client_result rc = ask(client, "status", status);
	struct json_object *whole = *status;

	if (rc != CLIENT_OK)
		return ctl_fail_asked(client, rc);
	if (options->argc == 0)
		return CTL_DONE;
	*status = find_narrow(whole, options->argv[0]);
	json_object_put(whole);
	return *status ? CTL_DONE : no_such(options->argv[0]);
}

static int show_once(struct client *client, const struct ctl_options *options, const struct screen *screen)
{
	bool is_picture = options->watch && screen->is_terminal && !options->json;
	struct json_object *status;
	struct text t;
	int rc;

	if (options->json && options->argc == 0 && (options->watch || !screen->is_terminal))
		return print_document(client);
	rc = ask_status(client, options, &status);
	if (rc != CTL_DONE)
		return rc;
	text_begin(&t, screen);
	if (options->json) {
		ctl_print_json(status, options->watch);
	} else {
		/* Who reads through a pipe looks for something. */
		view_status(&t, status, options->all || options->argc > 0 || !screen->is_terminal, ctl_now_us());
		if (is_picture)
			cut_to_screen(&t);
	}
	json_object_put(status);
	/* A picture that replaces the one before it, without a moment of emptiness. */
	if (is_picture)
		fputs("\033[H\033[J", stdout);
	fflush(stdout);
	text_show(&t);
	return CTL_DONE;
}

int run_status(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct screen screen = screen_look();
	bool is_picture = options->watch && !options->json && screen.is_terminal;
	int rc;

	(void)command;
	if (!options->watch)
		return show_once(client, options, &screen);
	interrupt_catch();
	if (is_picture)
		fputs("\033[?1049h\033[?25l", stdout);
	do {
		screen = screen_look();
		rc = show_once(client, options, &screen);
		/* A daemon that restarts is worth waiting for. */
	} while ((rc == CTL_DONE || is_picture) && !interrupt_sleep(WATCH_US));
	if (is_picture)
		fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	/* Ctrl-C is how one leaves a watch. */
	return interrupt_came() ? CTL_DONE : rc;
}

/* All events that there are, as one document. */
static enum client_result ask_events(struct client *client, struct json_object **events)
{
	struct json_object *all = json_object_new_array(), *after = NULL, *page;
	enum client_result rc;
	bool more = true;

	for (rc = CLIENT_OK; more && rc == CLIENT_OK; json_object_put(page)) {
		struct json_object *request = ctl_request("events", NULL, NULL);

		if (after)
			json_object_object_add(request, "after", after);
		rc = client_ask(client, request, CTL_PATIENCE_US, &page);
		json_object_put(request);
		for (size_t i = 0; i < json_count(page, "events"); i++)
			json_object_array_add(all, json_object_get(json_element(page, "events", i)));
		more = json_flag(page, "more");
		after = json_object_get(json_member(page, "after"));
	}
	json_object_put(after);
	*events = json_object_new_object();
	json_object_object_add(*events, "events", all);
	return rc;
}

/* Returns how many objects there are. */
static int print_why(struct json_object *status, struct json_object *events, const char *name)
{
	struct json_object *document = view_why_document(status, events, name);
	int found = (int)json_count(document, "objects");

	if (found)
		ctl_print_json(document, false);
	json_object_put(document);
	return found;
}

int run_why(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *status = NULL, *events = NULL;
	struct screen screen = screen_look();
	const char *name = options->argv[0];
	enum client_result rc;
	struct text t;
	int found;

	(void)command;
	rc = ask(client, "status", &status);
	if (rc == CLIENT_OK)
		rc = ask_events(client, &events);
	if (rc != CLIENT_OK) {
		json_object_put(status);
		json_object_put(events);
		return ctl_fail_asked(client, rc);
	}
	text_begin(&t, &screen);
	found = options->json ? print_why(status, events, name) : view_why(&t, status, events, name, ctl_now_us());
	json_object_put(status);
	json_object_put(events);
	text_show(&t);
	return found ? CTL_DONE : no_such(name);
}

int run_metrics(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	const struct screen plain = {.width = 1 << 20};
	struct json_object *status;
	enum client_result rc = ask(client, "status", &status);
	struct text t;

	(void)command;
	(void)options;
	if (rc != CLIENT_OK)
		return ctl_fail_asked(client, rc);
	text_begin(&t, &plain);
	view_metrics(&t, status);
	json_object_put(status);
	return text_show(&t) < 0 ? CTL_FAILED : CTL_DONE;
}

int run_version(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *version = NULL, *document;
	enum client_result rc = ask(client, "version", &version);

	(void)command;
	/* The question is about this program first; a daemon need not run. */
	if (options->json) {
		document = json_object_new_object();
		json_object_object_add(document, "poisectl", json_object_new_string(PACKAGE_VERSION));
		json_object_object_add(document, "poised", json_object_get(json_member(version, "version")));
		json_object_object_add(document, "generation", json_object_get(json_member(version, "generation")));
		ctl_print_json(document, false);
		json_object_put(document);
	} else {
		printf("poisectl %s\n", PACKAGE_VERSION);
		if (rc == CLIENT_OK)
			printf("poised %s, generation %lld\n", json_text(version, "version"),
				(long long)json_number(version, "generation"));
		else
			printf("poised: %s\n", client->error);
	}
	json_object_put(version);
	return CTL_DONE;
}
