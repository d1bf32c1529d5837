/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which roles a configuration has work for. */
#ifndef POISE_NEEDED_H
#define POISE_NEEDED_H

#include "conf.h"
#include "roles.h"

/* NULL when the role has work; else what the configuration has not, as "no instance is configured". */
const char *needed_why_not(const struct conf *conf, enum role role);

#endif
