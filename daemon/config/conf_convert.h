/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings a configuration up to date without touching the rest of its text: old spellings become those of today, a
 * meaning that was taken is written down, a statement without a meaning becomes a comment. */
#ifndef POISE_CONF_CONVERT_H
#define POISE_CONF_CONVERT_H

#include "conf_diag.h"
#include "conf_load.h"

/* A change of the first file of a configuration: `removed` bytes at the place give way to the text. */
struct conf_edit {
	struct conf_place place;
	uint32_t removed, order;
	char *text;
};

struct conf_edits {
	struct conf_edit *edits;
	uint32_t count, room;
	uint32_t elsewhere; /* changes that included files need and that are not made */
};

/* Finds what is to be changed; the load must be applied. */
void conf_convert(struct conf_load *load, struct conf_edits *edits);
/* Prints the first file with the changes. */
void conf_convert_print(struct conf_edits *edits, const struct conf_sources *sources, FILE *out);
void conf_edits_free(struct conf_edits *edits);

#endif
