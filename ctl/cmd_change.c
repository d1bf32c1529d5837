/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl undrain`, `maint`, `ready`, `weight`, and the first half of `drain`: one request, one answer. */
#include "ctl.h"
#include "text.h"

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

/* How many servers a change concerned, and in how many services. */
struct extent {
	size_t servers, services;
};

static struct extent extent_of(struct json_object *result)
{
	struct extent extent = {.servers = json_count(result, "servers")};

	/* In the order of the configuration: those of a service are beside each other. */
	for (size_t i = 0; i < extent.servers; i++) {
		const char *service = json_text(json_element(result, "servers", i), "service");

		extent.services +=
			i == 0 || strcmp(service, json_text(json_element(result, "servers", i - 1), "service")) != 0;
	}
	return extent;
}

/* Asks for a change. Returns the exit status; *extent is set on success. With `json` all is said here. */
static int change(struct client *client, struct json_object *request, bool json, struct extent *extent)
{
	const char *server = json_text(request, "server");
	struct json_object *result;
	enum client_result rc = client_ask(client, request, CTL_PATIENCE_US, &result);

	*extent = extent_of(result);
	if (json)
		ctl_print_answer(client, rc, result);
	if (json || rc == CLIENT_OK) {
		json_object_put(result);
		return ctl_exit_of(rc);
	}
	/* The daemon's sentences begin with what they are about, except those about one server. */
	if (rc == CLIENT_REFUSED && extent->servers > 0)
		ctl_fail(CTL_FAILED, "%s: not changed in every service: %s", server, client->error);
	else
		ctl_fail_asked(client, rc);
	if (extent->servers > 1)
		show_refusals(result);
	json_object_put(result);
	return ctl_exit_of(rc);
}

static void say_done(const char *server, const char *done, const struct ctl_options *options, struct extent extent)
{
	printf("%s", server);
	if (options->service)
		printf(" of %s", options->service);
	printf(": %s", done);
	if (extent.servers > extent.services)
		printf(", %zu servers", extent.servers);
	if (extent.services > 1)
		printf(" in %zu services", extent.services);
	printf("\n");
	fflush(stdout);
}

/* A server that was taken back may be down: its checks have a say, too. */
static void say_back(struct client *client, const struct ctl_options *options, struct extent extent)
{
	const char *server = options->argv[0];
	struct json_object *request = ctl_request("servers", server, options->service), *result;
	struct screen screen = screen_look();
	enum client_result rc;
	char line[600];
	struct text t;

	say_done(server, "takes part again", options, extent);
	rc = client_ask(client, request, CTL_PATIENCE_US, &result);
	json_object_put(request);
	text_begin(&t, &screen);
	for (size_t i = 0; rc == CLIENT_OK && i < json_count(result, "servers"); i++) {
		struct json_object *one = json_element(result, "servers", i);

		if (strcmp(json_text(one, "health"), "down") != 0)
			continue;
		snprintf(line, sizeof(line), "in %s it is down and gets connections when its checks succeed: %.400s",
			json_text(one, "service"), json_text(one, "health_why"));
		text_add(&t, "  ");
		text_wrap(&t, 4, STYLE_CARE, line);
		text_newline(&t);
	}
	text_show(&t);
	json_object_put(result);
}

int run_change(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	const char *server = options->argv[0];
	struct json_object *request = ctl_request(command->name, server, options->service);
	struct extent extent;
	int rc;

	if (options->timeout_us)
		json_object_object_add(request, "timeout", json_object_new_double((double)options->timeout_us / 1e6));
	if (options->then)
		json_object_object_add(request, "then", json_object_new_string(options->then));
	if (options->keep_known)
		json_object_object_add(request, "keep_known", json_object_new_boolean(true));
	rc = change(client, request, options->json, &extent);

	json_object_put(request);
	if (rc != CTL_DONE || options->json)
		return rc;
	if (strcmp(command->name, "drain") == 0)
		say_done(server, "gets no new connection", options, extent);
	else if (strcmp(command->name, "maint") == 0)
		say_done(server, "is out for maintenance", options, extent);
	else
		say_back(client, options, extent);
	return CTL_DONE;
}

int run_weight(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	const char *server = options->argv[0], *word = options->argv[1];
	struct json_object *request;
	char *end, done[64];
	struct extent extent;
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
	rc = change(client, request, options->json, &extent);
	json_object_put(request);
	if (rc != CTL_DONE || options->json)
		return rc;
	snprintf(done, sizeof(done), weight < 0 ? "weight as configured" : "weight %ld", weight);
	say_done(server, done, options, extent);
	return CTL_DONE;
}
