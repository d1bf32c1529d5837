/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the status document is made from: a configuration and the boards of the roles. Nothing here waits or asks. */
#ifndef POISE_CONTROL_SOURCE_H
#define POISE_CONTROL_SOURCE_H

#include "board.h"
#include "conf.h"
#include "status.h"

struct status_source {
	const struct conf *conf;     /* NULL before the first generation */
	struct board *const *boards; /* ROLE_COUNT of them, NULL while there is none */
	int64_t disk_mtime_real_us;  /* of the configuration file now; 0 = not known */
	bool origins_changed;        /* a file that it includes is not the one that was read */
};

/* True when every board that is there speaks of the configuration's generation. It is false for some milliseconds in
 * the middle of a reload; a caller that can wait should. */
bool status_is_settled(const struct status_source *source);

/* Copies a record of a role's board. False when there is none of this generation; *record is zeroed then. */
bool status_load(
	const struct status_source *source, enum role role, unsigned table, uint32_t index, void *record, size_t size);
/* The same for what lies in parts, or has another meaning than zeros when it was never stored. */
bool status_find_server(const struct status_source *source, conf_index_t server, struct status_server *status);
void status_find_admin(const struct status_source *source, conf_index_t server, struct status_admin *admin);
/* All health checkers as one (status_add_checks()); false when none of them says anything. */
bool status_find_checks(const struct status_source *source, struct status_checks *sum);
/* Why status_load() said false: "ipvs is not running", "healthcheck has not switched to generation 4 yet". */
const char *status_absence(const struct status_source *source, enum role role, char why[WHY_SIZE]);

#endif
