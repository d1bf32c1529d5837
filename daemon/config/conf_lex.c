/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the lines of the files: joins continued ones, removes comments. Runs in the config role; knows no keyword. */
#include "conf_lex_internal.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* How much of the bytes is not comment. `#` and `!` begin one anywhere outside double quotes, unless behind a
 * backslash. */
static size_t without_comment(const char *text, size_t length)
{
	bool quoted = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '#' || text[i] == '!'))
			return i;
	}
	return length;
}

size_t conf_trim_end(const char *text, size_t length)
{
	while (length > 0 && conf_is_blank(text[length - 1]))
		length--;
	return length;
}

/* ---- lines ---- */

/* With the blanks before it, most have more. */
#define BYTES_A_WORD 4

static void expect_words(struct conf_lexer *lx, size_t size)
{
	struct conf_words *w = lx->out;
	size_t most = CONF_TOKENS_MAX - w->count;
	uint32_t more = (uint32_t)(size / BYTES_A_WORD < most ? size / BYTES_A_WORD : most);

	w->words = conf_expect(w->words, w->count, more, &w->room, sizeof(*w->words));
}

struct reader {
	struct conf_lexer *lx;
	uint32_t source;
	const char *at, *end;
	struct conf_place place; /* of `at` */
	bool said_binary;
};

/* Zero bytes end texts everywhere else, so they become blanks here. */
static void blank_zeros(struct reader *r, char *text, size_t length, struct conf_place place)
{
	for (size_t i = 0; i < length; i++) {
		char *zero = memchr(text + i, 0, length - i);

		if (!zero)
			return;
		i = (size_t)(zero - text);
		text[i] = ' ';
		if (r->said_binary)
			continue;
		place.column += (uint32_t)i;
		conf_diag_add(r->lx->diag, CONF_ERROR, place, 1, "a byte with the value 0: this is not a text file");
		r->said_binary = true;
	}
}

/* A # or ! in the middle of a word cuts it, of a password for example, which few people expect. */
static void warn_glued(struct reader *r, const char *text, size_t at)
{
	struct conf_place place = r->place;

	if (at == 0 || conf_is_blank(text[at - 1]) || strchr("{}#!\"", text[at - 1]))
		return;
	place.column += (uint32_t)at;
	conf_diag_add(r->lx->diag, CONF_WARNING, place, 1,
		"`%c` begins a comment here, within a word (put the word into double quotes to keep it)" CONF_MEANING
		"the word ends before it",
		text[at]);
}

/* Appends the next line of the file to `line`. Returns true when the one after it continues it. */
static bool read_line(struct reader *r, struct conf_line *line)
{
	const char *end = memchr(r->at, '\n', (size_t)(r->end - r->at));
	size_t length = (size_t)((end ? end : r->end) - r->at), kept, begin = line->length;
	struct conf_place place = r->place;
	bool continued = false;

	if (line->length + length > CONF_LINE_MAX) {
		conf_diag_add(r->lx->diag, CONF_ERROR, place, 1, "this line is longer than %u bytes; it is not read",
			CONF_LINE_MAX);
	} else {
		kept = without_comment(r->at, length);
		if (kept < length)
			warn_glued(r, r->at, kept);
		kept = conf_trim_end(r->at, kept);
		if (kept > 0 && r->at[kept - 1] == '\\' && !(kept > 1 && r->at[kept - 2] == '\\')) {
			continued = end != NULL;
			kept--;
		}
		conf_line_append(line, r->at, kept, place, false);
		blank_zeros(r, line->text + begin, kept, place);
	}
	r->at = end ? end + 1 : r->end;
	r->place.line++;
	r->place.column = 1;
	return continued;
}

/* keepalived goes on on the next line in definitions alone; elsewhere the backslash spoils the word and the next line
 * is a statement of its own. */
static void warn_continued(struct reader *r, const struct conf_line *line)
{
	const char *end = line->length ? memchr(line->text, '\n', line->length) : NULL;
	size_t at = 0;

	while (at < line->length && conf_is_blank(line->text[at]))
		at++;
	if (!end || line->text[at] == '$' || line->text[at] == '@' || line->text[at] == '~')
		return;
	conf_diag_add(r->lx->diag, CONF_WARNING, conf_line_place(line, (size_t)(end - line->text) - (end > line->text)),
		1,
		"a backslash continues a line in definitions alone, for keepalived" CONF_MEANING
		"the next line belongs to this one here");
}

static void skip_byte_order_mark(struct reader *r)
{
	if (r->end - r->at < 3 || memcmp(r->at, "\xef\xbb\xbf", 3) != 0)
		return;
	conf_diag_add(
		r->lx->diag, CONF_WARNING, r->place, 1, "the file begins with a byte order mark, which is skipped");
	r->at += 3;
	r->place.column += 3;
}

void conf_lex_read(struct conf_lexer *lx, uint32_t source)
{
	const struct conf_source *f = &lx->sources->files[source];
	struct reader r = {lx, source, f->data, f->data + f->size, {source, 1, 1}, false};
	struct conf_line line = {0};
	int checks = lx->include_checks;

	expect_words(lx, f->size);
	lx->stack[lx->depth++] = source;
	skip_byte_order_mark(&r);
	while (r.at < r.end && !lx->stop) {
		conf_line_clear(&line);
		while (read_line(&r, &line) && r.at < r.end)
			conf_line_append(&line, "\n", 1, r.place, true);
		warn_continued(&r, &line);
		conf_line_process(lx, &line, 0);
	}
	conf_line_free(&line);
	lx->depth--;
	lx->include_checks = checks;
}

void conf_lex_source(struct conf_words *out, struct conf_sources *sources, struct conf_diag *diag, uint32_t source,
	const struct conf_lex_options *options)
{
	struct conf_lexer lx = {.out = out, .sources = sources, .diag = diag, .options = *options};

	memset(out, 0, sizeof(*out));
	if (getrandom(&lx.random, sizeof(lx.random), GRND_NONBLOCK) < 0)
		lx.random = source;
	if (!lx.options.config_id)
		lx.options.config_id = "";
	conf_lex_read(&lx, source);
	conf_definitions_free(&lx);
}

void conf_lex_file(struct conf_words *out, struct conf_sources *sources, struct conf_diag *diag, const char *name,
	const struct conf_lex_options *options)
{
	uint32_t source;
	int r = conf_source_read(sources, name, &source);

	if (r == 0) {
		conf_lex_source(out, sources, diag, source, options);
		return;
	}
	memset(out, 0, sizeof(*out));
	source = conf_source_add_text(sources, name, "", 0);
	conf_diag_add(diag, CONF_ERROR, (struct conf_place){source, 0, 0}, 0, "the file cannot be read: %s",
		r == -ENXIO ? "it is not a regular file" : strerror(-r));
}

void conf_words_free(struct conf_words *w)
{
	free(w->words);
	conf_arena_free(&w->arena);
	memset(w, 0, sizeof(*w));
}
