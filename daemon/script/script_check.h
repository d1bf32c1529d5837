/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracked scripts of a generation: run at their intervals, ended at their time limits, results on the board. */
#ifndef POISE_SCRIPT_CHECK_H
#define POISE_SCRIPT_CHECK_H

#include "role.h"

struct script_checks;

/* Prepares to run the scripts of `next`; changes nothing. NULL when out of memory. */
struct script_checks *script_checks_prepare(struct role_process *p, const struct conf *next);
/* Takes over what the old ones know of scripts that are still the same (results, runs under way), and from `board`
 * (a predecessor's, NULL = none) what old does not know. `old` (NULL at first) is freed; its other runs are ended.
 * Fills `fresh`, the board of the new generation. */
void script_checks_switch(struct script_checks *checks, struct script_checks *old, const struct conf *old_conf,
	const struct board *board, struct board *fresh);
/* Arms the timers: from now on they run. The own board must be published. */
void script_checks_begin(struct script_checks *checks);
/* Ends every run (NULL is allowed). */
void script_checks_free(struct script_checks *checks);

#endif
