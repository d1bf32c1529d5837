/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl handover`: gives mastership away or takes it back, and says what came of it. */
#include "ctl.h"

#include <stdio.h>

int ctl_handover(struct client *client, const struct ctl_options *options)
{
	struct json_object *request, *result;
	enum client_result rc;

	request = ctl_request("handover", NULL, NULL);
	if (options->argc > 0)
		json_object_object_add(request, "instance", json_object_new_string(options->argv[0]));
	json_object_object_add(request, "back", json_object_new_boolean(options->back));
	rc = client_ask(client, request, CTL_RELOAD_PATIENCE_US, &result);
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

int run_handover(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	(void)command;
	if (options->all == (options->argc > 0))
		return ctl_fail(CTL_USAGE, "handover: name an instance, or use --all");
	return ctl_handover(client, options);
}
