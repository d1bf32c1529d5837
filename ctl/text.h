/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Text for a person at a terminal: a growing buffer that knows how wide things look, in which colours, and with which
 * signs. Everything that is shown is built here first and then written at once, so a view is a function from data to
 * text and is tested as one. */
#ifndef POISECTL_TEXT_H
#define POISECTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the reader's terminal can do. */
struct screen {
	bool is_terminal;
	bool has_colour;
	bool has_utf8;
	int width, height;
};

/* Looks at standard output and the environment (NO_COLOR, TERM, locale, COLUMNS when it is no terminal). */
struct screen screen_look(void);

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_BAD, STYLE_CARE, STYLE_HEAD };

struct text {
	const struct screen *screen;
	char *bytes;
	size_t length, size;
	int column;       /* where the next character goes, from 0 */
	enum style style; /* of everything that is added, until changed */
};

void text_begin(struct text *t, const struct screen *screen);
void text_free(struct text *t);
/* Writes all to standard output and empties the text. Returns 0, or -errno when the reader has gone. */
int text_show(struct text *t);

void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As text_add() in one style; plain again afterwards. */
void text_styled(struct text *t, enum style style, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void text_newline(struct text *t);
/* Blanks up to a column; at least one when something already stands there. */
void text_tab(struct text *t, int column);
/* The value ends before `column` (right-aligned), with at least one blank before it. */
void text_right(struct text *t, int column, enum style style, const char *value);
/* Words from the present column to the edge of the screen; further lines begin at `indent`. Always fits, unless a
 * single word is wider than the screen. */
void text_wrap(struct text *t, int indent, enum style style, const char *words);

/* How many columns a text takes: characters, not bytes. */
int text_width(const char *s);

/* "12 s", "2 m 10 s", "3 h 12 m", "4 d 2 h". Returns buf. */
#define TEXT_DURATION 32
const char *text_duration(int64_t us, char buf[TEXT_DURATION]);
/* The same for short ones: "0.4 ms", "250 ms", "3.0 s". */
const char *text_time(int64_t us, char buf[TEXT_DURATION]);

/* Signs that have a plain form for terminals without UTF-8. */
enum sign { SIGN_FULL, SIGN_EMPTY, SIGN_HALF, SIGN_DOT, SIGN_ARROW, SIGN_CAUSE, SIGN_BAR, SIGN_BAR_EMPTY, SIGN_ALERT };
const char *text_sign(const struct screen *screen, enum sign sign);

#endif
