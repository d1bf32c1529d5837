/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is seen of processes and files, compared with what the configuration says. Pure. */
#ifndef POISE_SCRIPT_MATCH_H
#define POISE_SCRIPT_MATCH_H

#include "conf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the command line has to be known to tell. */
bool script_match_needs_line(const struct conf_process *process);
/* name: the kernel's name of the process (at most 15 bytes); line: its arguments, each ended by \0 (size 0: none, or
 * not known). */
bool script_match_process(
	const struct conf *conf, const struct conf_process *process, const char *name, const char *line, size_t size);

/* Whether the number of processes is right, and for how long. */
struct script_quorum {
	bool is_known, is_up;
	int64_t contrary_since_us; /* the count speaks against is_up since then; 0 = it does not */
};
/* Takes a count in; the first one decides at once, later ones after fork_delay or terminate_delay. *next_us is set when
 * the answer changes by itself, else 0. Returns true when is_up changed. */
bool script_quorum_step(struct script_quorum *quorum, const struct conf_process *process, uint32_t count,
	int64_t now_us, int64_t *next_us);

/* The number in the contents of a file: blanks, a sign, digits, blanks. Out of range is the nearest there is. Empty is
 * 0. Returns false when it is no number (*value is 0 then). */
bool script_match_number(const char *text, size_t size, int32_t *value);

#endif
