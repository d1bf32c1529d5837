/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privileges of every role, as tables in one file: user, capabilities kept, system calls allowed. */
#ifndef POISE_SANDBOX_H
#define POISE_SANDBOX_H

#include "roles.h"

/* Drops to `user` (already known to exist) with the capabilities of the role's line, sets no_new_privs, makes the
 * process undumpable and installs the role's system-call filter. Call it when all privileged descriptors are open.
 * Returns 0 or -errno. The script role is left alone. */
int sandbox_enter(enum role role, const char *user);

#endif
