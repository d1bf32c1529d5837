/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracked processes of a generation (vrrp_track_process): counted on the board as they come and go. */
#ifndef POISE_SCRIPT_PROCESSES_H
#define POISE_SCRIPT_PROCESSES_H

#include "role.h"

struct script_processes;

/* Counts them and fills `fresh`, the board of the generation; from then on changes are stored in the published board.
 * Returns NULL when nothing is tracked (which needs nothing), or when out of memory (said). */
struct script_processes *script_processes_begin(struct role_process *p, const struct conf *conf, struct board *fresh);
void script_processes_free(struct script_processes *processes); /* NULL is allowed */

#endif
