/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads configurations in memory for the tests of the configuration language. */
#ifndef POISE_CONF_FIXTURE_H
#define POISE_CONF_FIXTURE_H

#include "conf_print.h"
#include "conf_read.h"

/* Reads text; aborts the test unless it loads with exactly this many warnings (-1 = any). */
struct conf *fixture_load(const char *text, int warnings);
/* The findings of text in a dialect, brief, as one string; "" when there are none. The caller frees it. */
char *fixture_findings(const char *text, enum conf_dialect dialect);
/* Aborts the test unless the findings of text are exactly `expected` (lines without the name of the file). */
void fixture_expect(const char *text, enum conf_dialect dialect, const char *expected);
/* The same tables as a mapped generation. */
struct conf *fixture_open(struct conf_builder *builder);
/* The canonical print. The caller frees it. */
char *fixture_dump(struct conf_builder *builder);
/* Whether two generations say the same: every table has the same records, wherever they stand in it. Otherwise *table
 * is the name of the first table that differs. */
bool fixture_same(const struct conf *a, const struct conf *b, const char **table);

#endif
