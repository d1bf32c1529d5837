/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privileges of every role, as tables in one file: user, capabilities kept, system calls refused. */
#ifndef POISE_SANDBOX_H
#define POISE_SANDBOX_H

#include "roles.h"

/* Who the roles run as: "UID:GID". Numbers, because a directory service that does not answer must not hold up a role
 * that is to begin again. */
#define SANDBOX_USER_SIZE 24

/* Drops to `user` with the capabilities of the role's line, sets no_new_privs, makes the
 * process undumpable and installs the role's system-call filter. Call it when all privileged descriptors are open and
 * the loop exists. The script role is left alone; so is a process that is not root. Returns 0 or -errno. */
int sandbox_enter(enum role role, const char *user);

/* The same for the config role: may read every file, and nothing else. */
int sandbox_enter_config(const char *user);

/* For the rest of this process only the calls that the health checker needs; any other fails with EPERM and is kept
 * for sandbox_tell_refused(). The caller has set no_new_privs. Returns 0 or -errno. */
int sandbox_install_strict(void);
/* Logs which calls were refused since the last time, each once. To be called now and then. */
void sandbox_tell_refused(void);

#endif
