/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every command of poisectl as a record: name, words, help, and the function that runs it. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

const struct ctl_command ctl_commands[] = {
	{"status", "[--json] [--watch]", "show virtual routers, services and servers",
		"  --json    the document for programs; keys are only ever added\n"
		"  --watch   again every second, until Ctrl-C\n\n"
		"Example: poisectl status --json | jq '.vrrp[].state'\n",
		0, 0, "jw", run_status},
	{"why", "NAME", "show all that is known about a virtual router, group, service or server",
		"NAME is one that 'poisectl status' shows.\n\n"
		"Example: poisectl why 10.1.0.2:80\n",
		1, 1, "", run_why},
	{"events", "[--follow] [--json]", "show what happened, oldest first",
		"  --follow  and what happens, until Ctrl-C\n"
		"  --json    one document a line\n\n"
		"Example: poisectl events --follow\n",
		0, 0, "fj", run_events},
	{"drain", "ADDRESS[:PORT] [--service ADDRESS:PORT] [--wait] [--timeout TIME]",
		"give a server no new connections",
		"In every service that has the server, or in the one named. Connections that are\n"
		"there go on. The drain outlives reloads and restarts, until 'undrain'.\n\n"
		"  --service S     only in service S, as 'poisectl status' names it\n"
		"  --wait          return when the last connection is gone\n"
		"  --timeout TIME  wait no longer than 30, 30s, 5m or 1h\n\n"
		"Exit status: 0 done (with --wait: no connection is left), 1 refused,\n"
		"3 interrupted or out of time (the server goes on draining).\n\n"
		"Example: poisectl drain 10.1.0.2:80 --wait && ssh 10.1.0.2 reboot\n",
		1, 1, "sWT", run_drain},
	{"undrain", "ADDRESS[:PORT] [--service ADDRESS:PORT]", "let a drained server take part again",
		"Example: poisectl undrain 10.1.0.2:80\n", 1, 1, "s", run_change},
	{"maint", "ADDRESS[:PORT] [--service ADDRESS:PORT]", "take a server out at once, with its connections",
		"Use 'drain' when connections shall end by themselves.\n\n"
		"Example: poisectl maint 10.1.0.2\n",
		1, 1, "s", run_change},
	{"ready", "ADDRESS[:PORT] [--service ADDRESS:PORT]", "end the maintenance of a server",
		"Example: poisectl ready 10.1.0.2\n", 1, 1, "s", run_change},
	{"weight", "ADDRESS[:PORT] N|default [--service ADDRESS:PORT]", "give a server another weight",
		"'default' is the weight of the configuration file.\n\n"
		"Example: poisectl weight 10.1.0.2:80 10\n",
		2, 2, "s", run_weight},
	{"handover", "INSTANCE|--all [--back]", "let the other router be master, without a gap",
		"This router serves on until the other one has taken over, and stays master when nobody\n"
		"does. It takes over again when the other one dies, or with --back. The instances of a\n"
		"sync group move together.\n\n"
		"Example: poisectl handover --all && reboot\n",
		0, 1, "ab", run_handover},
	{"reload", "", "read the configuration file again",
		"A file with errors changes nothing; the errors are shown.\n\n"
		"Example: poised -t -f /etc/poise/poise.conf && poisectl reload\n",
		0, 0, "", run_reload},
	{"version", "", "show the versions of poisectl and of the running poised", "Example: poisectl version\n", 0, 0,
		"", run_version},
	{0},
};

void usage_show_all(void)
{
	printf("Usage: poisectl [-r RUNDIR] COMMAND\n\n");
	for (const struct ctl_command *c = ctl_commands; c->name; c++)
		printf("  %-8s  %s\n", c->name, c->summary);
	printf("\n"
	       "  -r, --rundir RUNDIR  where poised keeps its socket, default /run/poise\n"
	       "  -h, --help           this, or after a command: that command, with an example\n\n"
	       "Example: poisectl status --watch\n");
}

void usage_show(const struct ctl_command *command)
{
	printf("Usage: poisectl %s%s%s\n", command->name, *command->synopsis ? " " : "", command->synopsis);
	printf("%c%s.\n\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	fputs(command->details, stdout);
}
