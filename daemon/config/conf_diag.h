/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings about a configuration: collected while it is read, printed once each in the order of the files. */
#ifndef POISE_CONF_DIAG_H
#define POISE_CONF_DIAG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Where a word stands. file is a number of conf_source.h; line and column count from 1; line 0 = the file as a whole.
 */
struct conf_place {
	uint32_t file, line, column;
};

enum conf_severity {
	CONF_NOTE,    /* what is said has no meaning in Poise; printed on request, an error in the poise dialect */
	CONF_WARNING, /* the meaning taken is named; an error in the poise dialect */
	CONF_ERROR,   /* the file is refused */
	CONF_HINT,    /* about this machine as it is now: a warning in both dialects */
};

/* In a text, between a doubt and what is done all the same. In the poise dialect, where the file is refused, only the
 * doubt is printed; else both, as "doubt; meaning". */
#define CONF_MEANING "\v"

struct conf_diag;
struct conf_sources;

/* strict: every warning counts as an error (the poise dialect). Ends the process when out of memory. */
struct conf_diag *conf_diag_new(bool strict);
void conf_diag_free(struct conf_diag *d);

/* Records a finding; width bytes of the line are underlined (0 = one). A finding in the same place with the same text
 * is recorded once. */
void conf_diag_add(struct conf_diag *d, enum conf_severity severity, struct conf_place place, uint32_t width,
	const char *format, ...) __attribute__((format(printf, 5, 6)));

/* From here on to the end of this line the source text is never printed, because it holds a secret. */
void conf_diag_hide(struct conf_diag *d, struct conf_place place);

/* Notes are printed too. */
void conf_diag_show_notes(struct conf_diag *d);

/* True when further findings of this severity are only counted. */
bool conf_diag_full(const struct conf_diag *d, enum conf_severity severity);

/* Counts after dropping repetitions. */
unsigned conf_diag_errors(struct conf_diag *d);
unsigned conf_diag_warnings(struct conf_diag *d);
unsigned conf_diag_notes(struct conf_diag *d);

/* FILE:LINE:COLUMN: error|warning|note: text; then the source line and a mark under it, or that it is hidden, unless
 * brief. */
void conf_diag_print(struct conf_diag *d, const struct conf_sources *sources, bool brief, FILE *out);

/* The candidate that `word` is probably a misspelling of, or NULL. next() returns candidate i, NULL at the end. */
const char *conf_nearest(const char *word, const char *(*next)(const void *list, unsigned i), const void *list);

#endif
