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

/* "; changed: server 10.1.0.2:80 of 192.0.2.1:80/tcp (weight 1 -> 4), and 2 more", or that nothing did. */
static void say_changes(struct json_object *plan)
{
	size_t shown = json_count(plan, "steps");
	long long total = json_number(plan, "steps_total");

	if (!plan)
		return;
	if (total == 0)
		printf("; nothing changed");
	shown = shown > CHANGES_SHOWN ? CHANGES_SHOWN : shown;
	for (size_t i = 0; i < shown; i++) {
		struct json_object *step = json_element(plan, "steps", i);
		const char *kind = json_text(step, "kind");

		printf("%s%s %s", i == 0 ? "; " : ", ",
			strcmp(kind, "add") == 0      ? "added"
			: strcmp(kind, "remove") == 0 ? "removed"
						      : "changed",
			json_text(step, "object"));
		if (strcmp(kind, "change") == 0)
			printf(" (%s)", json_text(step, "detail"));
	}
	if (total > (long long)shown)
		printf(", and %lld more", total - (long long)shown);
}

/* Asks for a table to be brought into use, and shows what came of it. */
static int load(struct client *client, struct json_object *request, bool json)
{
	struct json_object *result;
	enum client_result rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);
	const char *text = json_text(json_element(result, "servers", 0), "text");
	bool is_cut = rc == CLIENT_REFUSED && strcmp(json_text(json_member(result, "plan"), "verdict"), "cuts") == 0;

	if (is_cut && !json)
		show_plan(result, false);
	if (json) {
		ctl_print_answer(client, rc, result);
	} else if (rc == CLIENT_OK) {
		printf("%s", *text ? text : "loaded");
		say_changes(json_member(result, "plan"));
		printf("\n");
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
