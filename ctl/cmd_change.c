/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl undrain`, `maint`, `ready`, `weight`, `reload`, and the first half of `drain`: one request, one answer. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every server that was not changed, with its service, on standard error. */
static void show_refusals(struct json_object *result)
{
	for (size_t i = 0; i < json_count(result, "servers"); i++) {
		struct json_object *server = json_element(result, "servers", i);

		if (!json_flag(server, "ok") && json_has(server, "service"))
			fprintf(stderr, "  %s of %s: %s\n", json_text(server, "server"), json_text(server, "service"),
				json_text(server, "text"));
	}
}

/* Asks for a change; on success *count is how many servers it concerned. Returns the exit status. */
static int change(struct client *client, struct json_object *request, int64_t patience_us, size_t *count)
{
	const char *server = json_text(request, "server");
	struct json_object *result;
	enum client_result rc = client_ask(client, request, patience_us, &result);

	*count = json_count(result, "servers");
	if (rc == CLIENT_OK) {
		json_object_put(result);
		return CTL_DONE;
	}
	/* The daemon's sentences begin with what they are about, except those about one server. */
	if (*server && rc == CLIENT_REFUSED && *count > 0)
		ctl_fail(CTL_FAILED, "%s: not changed in every service: %s", server, client->error);
	else
		ctl_fail_asked(client, rc);
	if (*count > 1)
		show_refusals(result);
	json_object_put(result);
	return rc == CLIENT_INTERRUPTED ? CTL_INTERRUPTED : CTL_FAILED;
}

static void say_done(const char *server, const char *done, const struct ctl_options *options, size_t count)
{
	if (options->service)
		printf("%s of %s: %s\n", server, options->service, done);
	else if (count > 1)
		printf("%s: %s in %zu services\n", server, done, count);
	else
		printf("%s: %s\n", server, done);
	fflush(stdout);
}

int run_change(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	const char *server = options->argv[0];
	struct json_object *request = ctl_request(command->name, server, options->service);
	size_t count;
	int rc = change(client, request, CTL_PATIENCE_US, &count);

	json_object_put(request);
	if (rc != CTL_DONE)
		return rc;
	if (strcmp(command->name, "drain") == 0)
		say_done(server, "gets no new connection", options, count);
	else if (strcmp(command->name, "maint") == 0)
		say_done(server, "is out for maintenance", options, count);
	else
		say_done(server, "takes part again", options, count);
	return CTL_DONE;
}

int run_weight(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	const char *server = options->argv[0], *word = options->argv[1];
	struct json_object *request;
	char *end, done[64];
	size_t count;
	long weight = -1;
	int rc;

	if (strcmp(word, "default") != 0) {
		errno = 0;
		weight = strtol(word, &end, 10);
		if (errno || end == word || *end || weight < 0 || weight > 65535)
			return ctl_fail(CTL_USAGE, "weight %s: use a number from 0 to 65535, or 'default'", word);
	}
	request = ctl_request(command->name, server, options->service);
	json_object_object_add(request, "weight", json_object_new_int64(weight));
	rc = change(client, request, CTL_PATIENCE_US, &count);
	json_object_put(request);
	if (rc != CTL_DONE)
		return rc;
	snprintf(done, sizeof(done), weight < 0 ? "weight as configured" : "weight %ld", weight);
	say_done(server, done, options, count);
	return CTL_DONE;
}

int run_reload(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request(command->name, NULL, NULL), *result;
	enum client_result rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);
	const char *text = json_text(json_element(result, "servers", 0), "text");

	(void)options;
	json_object_put(request);
	if (rc == CLIENT_OK)
		printf("%s\n", *text ? text : "reloaded");
	else if (rc == CLIENT_REFUSED)
		ctl_fail(CTL_FAILED, "reload refused, everything runs on as before: %s", client->error);
	else
		ctl_fail_asked(client, rc);
	json_object_put(result);
	return rc == CLIENT_OK ? CTL_DONE : rc == CLIENT_INTERRUPTED ? CTL_INTERRUPTED : CTL_FAILED;
}
