/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `poisectl --help` and `poisectl COMMAND --help` print. */
#include "ctl.h"

#include <stdio.h>

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
