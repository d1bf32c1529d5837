/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl convert`: hands over to `poised --convert`, which knows the language. Talks to no daemon. */
#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Beside this program: in the build tree, or where both are installed. */
static const char *find_poised(char path[PATH_MAX])
{
	static const char *const places[] = {"/../daemon/poised", "/../sbin/poised", NULL};
	char folder[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", folder, sizeof(folder) - 1);
	char *slash;

	if (n > 0) {
		folder[n] = '\0';
		slash = strrchr(folder, '/');
		*slash = '\0';
		for (int i = 0; places[i]; i++)
			if (snprintf(path, PATH_MAX, "%s%s", folder, places[i]) < PATH_MAX && access(path, X_OK) == 0)
				return path;
	}
	return "poised";
}

int run_convert(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	char path[PATH_MAX];
	const char *argv[] = {find_poised(path), "--convert", "-f", options->argv[0], NULL};

	(void)command;
	(void)client;
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	return ctl_fail(CTL_FAILED, "%s cannot be run: %s", argv[0], strerror(errno));
}
