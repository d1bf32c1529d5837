/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MISC_CHECKs of a generation: their programs run here, the exits go on the board (SCRIPT_TABLE_MISC), and the
 * health checker makes verdicts of them. */
#ifndef POISE_SCRIPT_MISC_H
#define POISE_SCRIPT_MISC_H

#include "role.h"

struct script_miscs;

/* Prepares to run those of `next`; changes nothing. NULL when out of memory. */
struct script_miscs *script_miscs_prepare(struct role_process *p, const struct conf *next, const struct conf *old);
/* How many there are: the size of SCRIPT_TABLE_MISC. */
uint32_t script_miscs_count(const struct script_miscs *miscs);
/* Takes over from old (NULL at first; freed) what still is the same, also runs under way. Fills `fresh`, the board of
 * the new generation. */
void script_miscs_switch(struct script_miscs *miscs, struct script_miscs *old, struct board *fresh);
/* Arms the timers; the own board must be published. */
void script_miscs_begin(struct script_miscs *miscs);
/* Ends every run (NULL is allowed). */
void script_miscs_free(struct script_miscs *miscs);

#endif
