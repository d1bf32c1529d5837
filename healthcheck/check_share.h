/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One probe, many users: checks that would send the same to the same target at the same interval run once. */
#ifndef POISE_CHECK_SHARE_H
#define POISE_CHECK_SHARE_H

#include "check_set.h"

/* Finds, for every check of the set, the one that runs for it (check->leader; itself when nobody does) and lists the
 * users of each leader (check->users, linked by next_user). A check that runs already is preferred. Returns how many
 * run, or -ENOMEM (then every check leads itself). */
int check_share(struct check_set *set);

#endif
