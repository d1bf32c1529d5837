/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of poisectl and their options, with the words that explain them. */
#include "ctl.h"

#include <string.h>

const struct option ctl_long_options[] = {
	{"rundir", required_argument, NULL, 'r'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"service", required_argument, NULL, 's'},
	{"json", no_argument, NULL, 'j'},
	{"watch", no_argument, NULL, 'w'},
	{"follow", no_argument, NULL, 'f'},
	{"wait", no_argument, NULL, 'W'},
	{"all", no_argument, NULL, 'a'},
	{"back", no_argument, NULL, 'b'},
	{"timeout", required_argument, NULL, 'T'},
	{"then", required_argument, NULL, 't'},
	{"keep-known", no_argument, NULL, 'k'},
	{"self", no_argument, NULL, 'S'},
	{"allow", no_argument, NULL, 'A'},
	{"dry-run", no_argument, NULL, 'n'},
	{"confirm", required_argument, NULL, 'c'},
	{"since", required_argument, NULL, 'i'},
	{0},
};

const struct ctl_command ctl_commands[] = {
	{"status", "[NAME] [--all] [--json] [--watch]", "show virtual routers, services and servers",
		"With NAME only what bears it: a virtual router, a group, a service, a server.\n"
		"On a terminal a large configuration shows what is not well, and counts the\n"
		"rest.\n\n"
		"  --all     list everything, however much it is\n"
		"  --json    the document for programs; keys are only ever added\n"
		"  --watch   again every second, until Ctrl-C\n\n"
		"Example: poisectl status --json | jq '.vrrp[].state'\n",
		0, 1, "jwa", run_status},
	{"top", "", "watch services and servers live",
		"Connections and bytes per second, established connections, states. Keys: s\n"
		"sorts by name, connections per second, active connections or bytes; i hides\n"
		"idle servers; q ends.\n\n"
		"Example: poisectl top\n",
		0, 0, "", run_top},
	{"why", "NAME [--json]", "show the causes of the state of a router, group, service or server",
		"The chain of causes with times, and what happened lately. NAME is one that\n"
		"'poisectl status' shows, SERVICE/ADDRESS, or 'node' for the daemon as a whole.\n\n"
		"  --json    the document for programs\n\n"
		"Example: poisectl why 10.1.0.2:80\n",
		1, 1, "j", run_why},
	{"show", "sysctl|guard [--json]", "show kernel settings, or what the guard rails of services dropped",
		"  sysctl  the settings of IPVS: as they are, as lvs_sysctl wants them, as they\n"
		"          were before\n"
		"  guard   packets dropped for each service by list and limit\n"
		"  --json  the document for programs; keys are only ever added\n\n"
		"Example: poisectl show guard\n",
		1, 1, "j", run_show},
	{"events", "[--since TIME] [--follow] [--json]", "show what happened, oldest first",
		"  --since TIME  only what happened in the last 30s, 5m, 1h30m, 2d, or since\n"
		"                03:10 or '2026-11-29 03:10'\n"
		"  --follow      and what happens, until Ctrl-C\n"
		"  --json        one document a line\n\n"
		"Example: poisectl events --since 10m --follow\n",
		0, 0, "fji", run_events},
	{"drain",
		"SERVER [--service S] [--timeout TIME] [--then keep|reset|remove] [--keep-known] [--wait] [--json] | "
		"--self [--wait]",
		"give a server no new connections, or empty this node",
		"In every service that has the server, or in the one named; SERVER is ADDRESS,\n"
		"ADDRESS:PORT, SERVICE/ADDRESS, or its name in the configuration. Connections\n"
		"that are there go on. The drain outlives reloads, restarts and reboots, until\n"
		"'undrain'.\n\n"
		"  --service S     only in service S, as 'poisectl status' names it\n"
		"  --timeout TIME  the drain has an end: 30, 30s, 5m or 1h\n"
		"  --then keep     then what is left goes on (the default)\n"
		"  --then reset    then what is left is cut\n"
		"  --then remove   as reset, and the empty server leaves the kernel's table\n"
		"  --keep-known    clients that a persistent service knows still come; without\n"
		"                  it they are sent to other servers\n"
		"  --wait          show the progress, return when the last connection is gone\n"
		"  --json          what came of it as a document; with --wait a line for each\n"
		"                  change\n"
		"  --self          hand all mastership over to the other router; with --wait\n"
		"                  return when no connection is left here\n\n"
		"Exit status: 0 done (with --wait: all connections have ended by themselves), 1\n"
		"refused, 3 interrupted or out of time (the server goes on draining), 4 drained,\n"
		"but connections were cut at its end.\n\n"
		"Example: poisectl drain 10.1.0.2:80 --timeout 10m --then reset --wait\n",
		0, 1, "sWTtkSj", run_drain},
	{"undrain", "SERVER [--service S] [--json]", "let a drained server take part again",
		"Example: poisectl undrain 10.1.0.2:80\n", 1, 1, "sj", run_change},
	{"maint", "SERVER [--service S] [--json]", "take a server out for maintenance, whatever its health",
		"It gets no new connections until 'ready'; those that are there go on. 'drain'\n"
		"does the same, can come to an end, and can be waited for.\n\n"
		"Example: poisectl maint 10.1.0.2\n",
		1, 1, "sj", run_change},
	{"ready", "SERVER [--service S] [--json]", "end the maintenance of a server",
		"Example: poisectl ready 10.1.0.2\n", 1, 1, "sj", run_change},
	{"weight", "SERVER N|default [--service S] [--json]", "give a server another weight",
		"'default' is the weight of the configuration file.\n\n"
		"Example: poisectl weight 10.1.0.2:80 10\n",
		2, 2, "sj", run_weight},
	{"handover", "INSTANCE|--all [--back] [--json]", "let the other router be master, without a gap",
		"This router serves on until the other one has taken over, and stays master when\n"
		"nobody does. It takes over again when the other one dies, or with --back. The\n"
		"instances of a sync group move together.\n\n"
		"Example: poisectl handover --all && reboot\n",
		0, 1, "abj", run_handover},
	{"plan", "[FILE] [--json]", "say what a reload would do to the live system",
		"Reads the configuration file (or FILE) and compares it with what runs: kernel\n"
		"objects, virtual routers that may change state, connections that would be cut.\n"
		"Changes nothing.\n\n"
		"Exit status: 0 nothing would change, 5 something would and no connection is\n"
		"cut, 4 connections would be cut, 1 the file is refused.\n\n"
		"Example: poisectl plan /root/new.conf\n",
		0, 1, "j", run_plan},
	{"reload", "[--allow] [--json]", "read the configuration file again",
		"A file with errors changes nothing; the errors are shown. What would cut\n"
		"connections is shown and refused, and so is a file with nothing left in it.\n\n"
		"  --allow   do it all the same\n"
		"  --json    what came of it, with the plan, as a document\n\n"
		"Exit status: 0 loaded, 1 refused, 4 refused because it would cut connections.\n\n"
		"Example: poisectl plan; poisectl reload\n",
		0, 0, "Aj", run_reload},
	{"apply", "FILE [--dry-run] [--confirm TIME] [--allow] [--json]",
		"bring a whole configuration into use, for now",
		"All of it or nothing. It is in use until the next reload or restart, which read\n"
		"the configuration file; 'save' makes it that file.\n\n"
		"  --dry-run       only say what it would do, as 'plan' does\n"
		"  --confirm TIME  go back by itself after TIME, unless 'confirm' comes\n"
		"  --allow         also when it cuts connections, or leaves nothing\n"
		"  --json          what came of it, with the plan, as a document\n\n"
		"Example: poisectl apply /root/new.conf --confirm 60s; look; poisectl confirm\n",
		1, 1, "ncAj", run_apply},
	{"confirm", "[--json]", "keep the applied configuration", "Example: poisectl confirm\n", 0, 0, "j",
		run_confirm},
	{"server", "add SERVICE ADDRESS:PORT [weight N] [--json] | remove [SERVICE] ADDRESS:PORT [--allow] [--json]",
		"change the pool of a service while it runs",
		"An added server is checked and announced as the first one of its service is. A\n"
		"removed one gets no new connections, and those it has are given the service's\n"
		"drain_timeout. Both outlive reloads and restarts; 'save' writes them into the\n"
		"configuration file.\n\n"
		"  --allow   remove it although its connections are cut (drain_timeout 0)\n\n"
		"Example: poisectl server add 192.0.2.1:80 10.1.0.7:80 weight 5\n",
		2, 5, "Asj", run_server},
	{"save", "", "write what runs into the configuration file",
		"Servers that were added and removed at run time, and a file that was applied.\n"
		"The rest of the text stays as it is; the former file is kept as FILE.old.\n"
		"Nothing is replaced unless the daemon says that the new file is exactly what\n"
		"runs.\n\n"
		"Example: poisectl server add 192.0.2.1:80 10.1.0.7:80 && poisectl save\n",
		0, 0, "", run_save},
	{"metrics", "", "print all figures as OpenMetrics text",
		"For a textfile or exec collector. Names begin with poise_, counters end with\n"
		"_total.\n\n"
		"Example: poisectl metrics > /var/lib/prometheus/node-exporter/poise.prom\n",
		0, 0, "", run_metrics},
	{"convert", "FILE", "print a configuration with today's spellings",
		"The rest of its text stays as it is. Old spellings give way, meanings that are\n"
		"taken are written down, statements without a meaning become comments. FILE\n"
		"stays as it is; the result means the same.\n\n"
		"Example: poisectl convert keepalived.conf > /etc/poise/poise.conf\n",
		1, 1, "", run_convert},
	{"version", "[--json]", "show the versions of poisectl and of the running poised",
		"Example: poisectl version\n", 0, 0, "j", run_version},
	{0},
};

const struct ctl_command *ctl_find_command(const char *name)
{
	for (const struct ctl_command *c = ctl_commands; c->name; c++) {
		if (strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}
