/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl server add` and `server remove`: pools that change while they run. */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_weight(const char *word, long *weight)
{
	char *end;

	errno = 0;
	*weight = strtol(word, &end, 10);
	if (errno || end == word || *end || *weight < 0 || *weight > 65535)
		return ctl_fail(CTL_USAGE, "weight %s: use a number from 0 to 65535", word);
	return CTL_DONE;
}

static int ask(struct client *client, struct json_object *request, bool json, const char *done)
{
	struct json_object *result;
	enum client_result rc = client_ask(client, request, CTL_PATIENCE_US, &result);

	if (json)
		ctl_print_answer(client, rc, result);
	else if (rc == CLIENT_OK)
		printf("%s: %s\n", json_text(request, "server"), done);
	else
		ctl_fail_asked(client, rc);
	json_object_put(result);
	return ctl_exit_of(rc);
}

static int add(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request;
	bool has_weight = options->argc == 5 && strcmp(options->argv[3], "weight") == 0;
	long weight = 0;
	int status;

	if (options->argc != 3 && !has_weight)
		return ctl_wrong_usage(command);
	status = has_weight ? parse_weight(options->argv[4], &weight) : CTL_DONE;
	if (status != CTL_DONE)
		return status;
	request = ctl_request("server-add", options->argv[2], options->argv[1]);
	if (has_weight)
		json_object_object_add(request, "weight", json_object_new_int64(weight));
	status = ask(client, request, options->json,
		"takes part, checked as its neighbours are; 'poisectl save' keeps it in the file");
	json_object_put(request);
	return status;
}

static int take_away(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct json_object *request;
	int status;

	if (options->argc != 2 && options->argc != 3)
		return ctl_wrong_usage(command);
	request = ctl_request("server-remove", options->argv[options->argc - 1],
		options->argc == 3 ? options->argv[1] : options->service);
	json_object_object_add(request, "allow", json_object_new_boolean(options->allow));
	status = ask(client, request, options->json,
		"is removed; connections that it has are given the service's drain_timeout");
	json_object_put(request);
	return status;
}

int run_server(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	if (strcmp(options->argv[0], "add") == 0)
		return add(command, client, options);
	if (strcmp(options->argv[0], "remove") == 0)
		return take_away(command, client, options);
	return ctl_fail(
		CTL_USAGE, "server %s: use 'poisectl server add' or 'poisectl server remove'", options->argv[0]);
}
