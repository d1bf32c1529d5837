/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracked files of a generation (track_file): their numbers are on the board, read whenever they were written. */
#ifndef POISE_SCRIPT_FILES_H
#define POISE_SCRIPT_FILES_H

#include "role.h"

struct script_files;

/* Reads them and fills `fresh`, the board of the generation; from then on changes are stored in the published board.
 * is_first: of this process; then files are initialised where the configuration says so. Returns NULL when nothing is
 * tracked, or when out of memory (said). */
struct script_files *script_files_begin(
	struct role_process *p, const struct conf *conf, struct board *fresh, bool is_first);
void script_files_free(struct script_files *files); /* NULL is allowed */

#endif
