/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl plan`, `reload`, `apply` and `confirm`: what another configuration would do, and bringing it into use. */
#include "ctl.h"
#include "view.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds the file with its whole path, because the daemon stands in another directory. Returns 0 or an exit status. */
static int add_file(struct json_object *request, const char *name)
{
	char path[PATH_MAX];

	if (!realpath(name, path))
		return ctl_fail(CTL_USAGE, "%s: %m", name);
	json_object_object_add(request, "file", json_object_new_string(path));
	return CTL_DONE;
}

static void show_plan(struct json_object *result, bool json)
{
	struct json_object *plan = json_member(result, "plan");
	struct screen screen = screen_look();
	struct text t;

	if (json) {
		ctl_print_json(plan, false);
		return;
	}
	text_begin(&t, &screen);
	view_plan(&t, plan);
	fflush(stdout);
	text_show(&t);
}

/* For scripts: is there anything to do, and would it hurt? */
static int plan_exit(struct json_object *result)
{
	const char *verdict = json_text(json_member(result, "plan"), "verdict");

	if (strcmp(verdict, "cuts") == 0)
		return CTL_CUT;
	return strcmp(verdict, "harmless") == 0 ? CTL_HARMLESS : CTL_DONE;
}

static int ask_plan(struct client *client, struct json_object *request, const struct ctl_options *options)
{
	struct json_object *result;
	enum client_result rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);
	int status = ctl_exit_of(rc);

	if (rc == CLIENT_OK) {
		show_plan(result, options->json);
		status = plan_exit(result);
	} else if (options->json) {
		ctl_print_answer(client, rc, result);
	} else {
		ctl_fail_asked(client, rc);
	}
	json_object_put(result);
	return status;
}

int run_plan(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request(command->name, NULL, NULL);
	int status = options->argc > 0 ? add_file(request, options->argv[0]) : CTL_DONE;

	if (status == CTL_DONE)
		status = ask_plan(client, request, options);
	json_object_put(request);
	return status;
}

#define CHANGES_SHOWN 3

/* "; changed server 10.1.0.2:80 of 192.0.2.1:80/tcp (weight 1 -> 4), and 2 more", or that nothing did. */
static void add_changes(char *line, size_t size, struct json_object *plan)
{
	size_t shown = json_count(plan, "steps"), n = strlen(line);
	long long total = json_number(plan, "steps_total");

	if (plan && total == 0)
		snprintf(line + n, size - n, "; nothing changed");
	shown = shown > CHANGES_SHOWN ? CHANGES_SHOWN : shown;
	for (size_t i = 0; i < shown; i++) {
		struct json_object *step = json_element(plan, "steps", i);
		const char *kind = json_text(step, "kind");
		bool is_change = strcmp(kind, "change") == 0;

		n = strlen(line);
		snprintf(line + n, size - n, "%s%s %s%s%s%s", i == 0 ? "; " : ", ",
			strcmp(kind, "add") == 0      ? "added"
			: strcmp(kind, "remove") == 0 ? "removed"
						      : "changed",
			json_text(step, "object"), is_change ? " (" : "", is_change ? json_text(step, "detail") : "",
			is_change ? ")" : "");
	}
	n = strlen(line);
	if (total > (long long)shown)
		snprintf(line + n, size - n, ", and %lld more", total - (long long)shown);
}

/* One line that says what runs now and what changed, and what the reader of the file warned of. */
static void say_loaded(struct json_object *result)
{
	const char *text = json_text(json_element(result, "servers", 0), "text");
	struct json_object *plan = json_member(result, "plan");
	struct screen screen = screen_look();
	char line[2048];
	struct text t;

	snprintf(line, sizeof(line), "%s", *text ? text : "loaded");
	add_changes(line, sizeof(line), plan);
	/* For whoever reads through a pipe it is one line. */
	if (!screen.is_terminal)
		screen.width = (int)sizeof(line);
	text_begin(&t, &screen);
	text_wrap(&t, 2, STYLE_PLAIN, line);
	text_newline(&t);
	view_plan_warnings(&t, plan);
	fflush(stdout);
	text_show(&t);
}

/* Asks for a table to be brought into use, and shows what came of it. */
static int load(struct client *client, struct json_object *request, bool json)
{
	struct json_object *result;
	enum client_result rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);
	bool is_cut = rc == CLIENT_REFUSED && strcmp(json_text(json_member(result, "plan"), "verdict"), "cuts") == 0;

	if (is_cut && !json)
		show_plan(result, false);
	if (json) {
		ctl_print_answer(client, rc, result);
	} else if (rc == CLIENT_OK) {
		say_loaded(result);
	} else if (rc == CLIENT_REFUSED) {
		ctl_fail(CTL_FAILED, "%s refused, everything runs on as before: %s", json_text(request, "command"),
			client->error);
	} else {
		ctl_fail_asked(client, rc);
	}
	json_object_put(result);
	return is_cut ? CTL_CUT : ctl_exit_of(rc);
}

int run_reload(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request(command->name, NULL, NULL);
	int status;

	json_object_object_add(request, "allow", json_object_new_boolean(options->allow));
	status = load(client, request, options->json);
	json_object_put(request);
	return status;
}

int run_apply(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request(command->name, NULL, NULL);
	int status = add_file(request, options->argv[0]);

	json_object_object_add(request, "allow", json_object_new_boolean(options->allow));
	json_object_object_add(request, "dry_run", json_object_new_boolean(options->dry_run));
	if (options->confirm_us)
		json_object_object_add(request, "confirm", json_object_new_double((double)options->confirm_us / 1e6));
	if (status == CTL_DONE && options->dry_run)
		status = ask_plan(client, request, options);
	else if (status == CTL_DONE)
		status = load(client, request, options->json);
	if (status == CTL_DONE && options->confirm_us && !options->dry_run && !options->json)
		printf("it goes back by itself in %lld s unless you say: poisectl confirm\n",
			(long long)(options->confirm_us / 1000000));
	json_object_put(request);
	return status;
}

int run_confirm(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request(command->name, NULL, NULL), *result;
	enum client_result rc = client_ask(client, request, CTL_PATIENCE_US, &result);

	json_object_put(request);
	if (options->json)
		ctl_print_answer(client, rc, result);
	else if (rc == CLIENT_OK)
		printf("%s\n", json_text(json_element(result, "servers", 0), "text"));
	else
		ctl_fail_asked(client, rc);
	json_object_put(result);
	return ctl_exit_of(rc);
}
