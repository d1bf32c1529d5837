/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BFD_CHECKs: the vrrp process holds the sessions, their states are read from its board. */
#ifndef POISE_HEALTH_BFD_H
#define POISE_HEALTH_BFD_H

#include "checker.h"

/* Takes in the states that are new. A board of another generation than the set's, or none (NULL), says nothing. */
void health_bfd_look(struct check_set *set, const struct board *board);

#endif
