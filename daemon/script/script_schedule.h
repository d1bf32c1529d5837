/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reload at the time that stands in a file (reload_time_file). */
#ifndef POISE_SCRIPT_SCHEDULE_H
#define POISE_SCRIPT_SCHEDULE_H

#include "role.h"

struct script_schedule;

/* Watches the file of this generation, says on the board in use when a reload is due, and asks the parent for one when
 * its time has come. Returns NULL when no file is configured, or when it cannot be watched (said). */
struct script_schedule *script_schedule_begin(struct role_process *p, const struct conf *conf);
void script_schedule_free(struct script_schedule *schedule); /* NULL is allowed */

#endif
