/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Canonical print: a finished configuration as text that gives the same tables again. */
#ifndef POISE_CONF_PRINT_H
#define POISE_CONF_PRINT_H

#include "conf_load.h"

struct conf_printer {
	struct conf_builder *builder;
	FILE *out;
	unsigned depth;
	struct conf_arena arena; /* quoted words */
};

/* Prints everything (conf_dump.c). */
void conf_print(struct conf_builder *builder, FILE *out);
/* conf_keywords.c: one line a keyword, fields separated by tabs: path, kind, range, default, effect of a change, help.
 */
void conf_print_keywords(FILE *out);

/* ---- for the functions that print one keyword ---- */
void conf_print_line(struct conf_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The line and ` {`. */
void conf_print_open(struct conf_printer *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void conf_print_close(struct conf_printer *p);
void *conf_print_record(struct conf_printer *p, enum conf_table table, conf_index_t index);
const char *conf_print_string(struct conf_printer *p, conf_string_t s);
/* The text as one word of the language, quoted where that is needed. Lives as long as the printer. */
const char *conf_print_word(struct conf_printer *p, const char *text);
const char *conf_print_text(struct conf_printer *p, conf_string_t s);
/* A command with user and group, as conf_command() reads it. */
const char *conf_print_command(struct conf_printer *p, const struct conf_command *c);
/* The same without user and group. */
const char *conf_print_argv(struct conf_printer *p, const struct conf_command *c);
/* Every keyword of the block whose value is not the default. */
void conf_print_directives(struct conf_printer *p, const struct conf_block *block, conf_index_t record);
/* `keyword command` for each notification of this event. */
void conf_print_notify(
	struct conf_printer *p, const struct conf_range *notifies, enum conf_notify_event event, const char *keyword);

/* " track_group NAME", nothing when there is none (conf_track_group.c). */
void conf_print_track_group(struct conf_printer *p, FILE *out, conf_index_t group);
/* The records of `table` that owns() takes, each as the line that print() writes, in a block of that keyword; nothing
 * when there are none. */
void conf_print_owned(struct conf_printer *p, enum conf_table table, const char *keyword, conf_index_t instance,
	bool (*owns)(const void *record, conf_index_t instance),
	void (*print)(struct conf_printer *p, FILE *out, const void *record));

#endif
