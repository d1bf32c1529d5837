/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `poisectl --help` and `poisectl COMMAND --help` print, and the first lines of it when the words were wrong. It
 * fits 80 columns. */
#include "ctl.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 80

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

/* The end of the word that begins here: what is in brackets stays together. */
static size_t word_length(const char *words)
{
	size_t n = 0;
	int depth = 0;

	for (; words[n] && (words[n] != ' ' || depth > 0); n++)
		depth += (words[n] == '[') - (words[n] == ']');
	return n;
}

void usage_show_synopsis(const struct ctl_command *command, const char *first, FILE *out)
{
	const char *words = command->synopsis;
	int begin = (int)(strlen(first) + strlen("poisectl ") + strlen(command->name)), column;

	column = fprintf(out, "%spoisectl %s", first, command->name);
	while (*words) {
		size_t n = word_length(words);

		/* Each alternative has its line. */
		if (n == 1 && *words == '|') {
			column = fprintf(out, "\n%*spoisectl %s", (int)strlen(first), "", command->name) - 1;
		} else {
			if (column + 1 + (int)n > WIDTH)
				column = fprintf(out, "\n%*s", begin, "") - 1;
			column += fprintf(out, " %.*s", (int)n, words);
		}
		words += n;
		words += strspn(words, " ");
	}
	fputc('\n', out);
}

void usage_show(const struct ctl_command *command)
{
	usage_show_synopsis(command, "Usage: ", stdout);
	printf("%c%s.\n\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	fputs(command->details, stdout);
}
