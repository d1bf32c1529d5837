/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MISC_CHECKs: the script process runs the programs, their ends are read from its board. */
#ifndef POISE_HEALTH_MISC_H
#define POISE_HEALTH_MISC_H

#include "checker.h"

/* Looks at record `record` of SCRIPT_TABLE_MISC (UINT32_MAX: at all) and takes in the runs that are new. A board of
 * another generation than the set's, or none (NULL), says nothing. */
void health_misc_look(struct check_set *set, const struct board *board, uint32_t record);
/* The result that the end of a program stands for. */
void health_misc_result(const struct status_script *run, bool is_dynamic, struct probe_result *result);

#endif
