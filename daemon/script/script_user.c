/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses and looks up the user of a script; runs in the script process, before it forks, so that a slow directory
 * service delays scripts and nothing else. It changes no identity itself. */
#include "script_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_USER "keepalived_script"

void script_user_choose(const struct conf *conf, const struct conf_command *command, bool has_default,
	const char **user, const char **group)
{
	const struct conf_global *global = conf->global;

	*group = "";
	if (command->user) {
		*user = conf_string(conf, command->user);
		*group = conf_string(conf, command->group);
	} else if (global->script_user) {
		*user = conf_string(conf, global->script_user);
		*group = conf_string(conf, global->script_group);
	} else if (has_default) {
		*user = DEFAULT_USER;
	} else {
		*user = global->dialect == CONF_DIALECT_POISE ? "nobody" : "root";
	}
}

static int resolve_group(const char *name, gid_t *gid, char *why)
{
	const struct group *gr;

	errno = 0;
	gr = getgrnam(name);
	if (!gr) {
		snprintf(why, USER_WHY_SIZE, "group %.60s does not exist on this machine", name);
		return -1;
	}
	*gid = gr->gr_gid;
	return 0;
}

static void stay_as_we_are(struct script_user *user)
{
	*user = (struct script_user){.uid = geteuid(), .gid = getegid()};
	snprintf(user->name, sizeof(user->name), "uid %u", user->uid);
	snprintf(user->home, sizeof(user->home), "/");
}

int script_user_resolve(
	const struct conf *conf, const struct conf_command *command, struct script_user *user, char *why)
{
	const char *name, *group;
	const struct passwd *pw;

	if (geteuid() != 0) {
		stay_as_we_are(user);
		return 0;
	}
	script_user_choose(conf, command, getpwnam(DEFAULT_USER) != NULL, &name, &group);
	pw = getpwnam(name);
	if (!pw) {
		snprintf(why, USER_WHY_SIZE, "user %.60s does not exist on this machine", name);
		return -1;
	}
	*user = (struct script_user){
		.is_switched = true, .uid = pw->pw_uid, .gid = pw->pw_gid, .n_groups = USER_GROUPS};
	snprintf(user->name, sizeof(user->name), "%s", pw->pw_name);
	snprintf(user->home, sizeof(user->home), "%s", pw->pw_dir);
	if (*group && resolve_group(group, &user->gid, why) < 0)
		return -1;
	if (getgrouplist(user->name, user->gid, user->groups, &user->n_groups) < 0) {
		snprintf(why, USER_WHY_SIZE, "user %.60s is in more than %d groups", user->name, USER_GROUPS);
		return -1;
	}
	return 0;
}
