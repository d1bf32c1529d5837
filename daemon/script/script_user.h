/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Under which user a command runs. */
#ifndef POISE_SCRIPT_USER_H
#define POISE_SCRIPT_USER_H

#include "conf.h"
#include <stdbool.h>
#include <sys/types.h>

#define USER_GROUPS 256
#define USER_NAME_SIZE 64
#define USER_HOME_SIZE 256
#define USER_WHY_SIZE 160

struct script_user {
	bool is_switched; /* false: this process is not root and runs everything as itself */
	uid_t uid;
	gid_t gid;
	int n_groups;
	gid_t groups[USER_GROUPS];
	char name[USER_NAME_SIZE];
	char home[USER_HOME_SIZE];
};

/* Which names apply to a command: its own, else script_user of the configuration, else the user keepalived_script if
 * there is one (has_default), else root in the keepalived dialect, as keepalived does, and nobody in ours.
 * Pure. *group is "" for the user's own group. */
void script_user_choose(const struct conf *conf, const struct conf_command *command, bool has_default,
	const char **user, const char **group);

/* Looks the command's user and group up. Returns 0, or -1 and the reason in why (USER_WHY_SIZE bytes). */
int script_user_resolve(
	const struct conf *conf, const struct conf_command *command, struct script_user *user, char *why);

#endif
