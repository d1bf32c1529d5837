/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Warnings about scripts that are more powerful than they have to be; part of the script process. It changes nothing
 * and refuses nothing. */
#include "script_advice.h"

#include "log.h"
#include "script_path.h"
#include "script_user.h"
#include "script_words.h"
#include <stdio.h>
#include <unistd.h>

/* Returns true when the command runs as root although nobody chose a user for it. */
static bool advise_command(const struct conf *conf, const struct conf_command *command, const char *object)
{
	char path[PATH_MAX], why[PATH_WHY_SIZE];
	struct script_user user;

	/* What cannot run says so when it is run. */
	if (script_user_resolve(conf, command, &user, why) < 0 || user.uid != 0)
		return false;
	if (script_path_find(conf_string(conf, command->argv), path, why) == 0 && script_path_check(path, why) < 0)
		log_warning("%s: %s runs as root, but %s (enable_script_security would refuse it)", object,
			conf_string(conf, command->argv), why);
	return !command->user && !conf->global->script_user;
}

void script_advise(const struct conf *conf)
{
	bool is_root_by_default = false;
	char object[WORDS_OWNER_SIZE + 16], owner[WORDS_OWNER_SIZE];

	/* Everything is refused, or nothing can be root. */
	if (conf->global->script_security || geteuid() != 0)
		return;
	for (uint32_t i = 0; i < conf->n_scripts; i++) {
		snprintf(object, sizeof(object), "script %.190s", conf_string(conf, conf->scripts[i].name));
		is_root_by_default |= advise_command(conf, &conf->scripts[i].command, object);
	}
	for (uint32_t i = 0; i < conf->n_notifies; i++) {
		snprintf(object, sizeof(object), "notify %s", script_words_owner(conf, &conf->notifies[i], owner));
		is_root_by_default |= advise_command(conf, &conf->notifies[i].command, object);
	}
	if (is_root_by_default)
		log_warning("script: scripts run as root, as with keepalived: set script_user, or make a user "
			    "keepalived_script");
}
