/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl show sysctl` and `poisectl show guard`. */
#include "ctl.h"
#include "view.h"

#include <stdio.h>
#include <string.h>

int run_show(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	bool sysctl = strcmp(options->argv[0], "sysctl") == 0;
	struct json_object *request, *rails, *shown = NULL;
	struct screen screen = screen_look();
	enum client_result rc;
	struct text t;

	(void)command;
	if (!sysctl && strcmp(options->argv[0], "guard") != 0)
		return ctl_fail(CTL_USAGE, "show %s: there is 'show sysctl' and 'show guard'", options->argv[0]);
	request = ctl_request("show", NULL, NULL);
	rc = client_ask(client, request, CTL_PATIENCE_US, &rails);
	json_object_put(request);
	if (rc != CLIENT_OK)
		return ctl_fail_asked(client, rc);
	text_begin(&t, &screen);
	if (options->json) {
		json_object_object_get_ex(rails, sysctl ? "sysctls" : "guards", &shown);
		ctl_print_json(shown, false);
	} else if (sysctl) {
		view_sysctls(&t, rails);
	} else {
		view_guards(&t, rails);
	}
	json_object_put(rails);
	text_show(&t);
	return CTL_DONE;
}
