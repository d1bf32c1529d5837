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

/* ---- plain lines ---- */

enum { IN_WORD, BLANK, BRACE, COMMENT, OTHER };

/* What asks for a closer look is OTHER; so are the ends of a line and of the file. */
static const uint8_t kinds[256] = {['\0'] = OTHER,
	['\n'] = OTHER,
	[' '] = BLANK,
	['\t'] = BLANK,
	['\r'] = BLANK,
	['\v'] = BLANK,
	['\f'] = BLANK,
	['{'] = BRACE,
	['}'] = BRACE,
	['#'] = COMMENT,
	['!'] = COMMENT,
	['"'] = OTHER,
	['\\'] = OTHER,
	['$'] = OTHER,
	['@'] = OTHER,
	['~'] = OTHER};

static uint8_t kind_of(char c)
{
	return kinds[(uint8_t)c];
}

/* A word or a brace. */
struct piece {
	const char *at;
	size_t width;
};

/* A line with more is not plain. */
#define PIECES_MAX 64

/* Cuts the line up to its end, a comment, or what asks for a closer look; *end receives where that is. */
static unsigned cut(const char *at, struct piece *pieces, const char **end)
{
	unsigned n = 0;

	for (; n < PIECES_MAX; n++) {
		const char *begin;

		while (kind_of(*at) == BLANK)
			at++;
		if (kind_of(*at) > BRACE)
			break;
		begin = at++;
		if (kind_of(*begin) == IN_WORD)
			while (kind_of(*at) == IN_WORD)
				at++;
		pieces[n] = (struct piece){begin, (size_t)(at - begin)};
	}
	*end = at;
	return n;
}

/* Whether that is all of the line but a comment, and none of it is for the reader of files (conf_include.c). */
static bool is_plain(const struct reader *r, const char *first, const char *end, const char *line_end)
{
	if (*end == '\0' ? end != r->end : *end != '\n' && kind_of(*end) != COMMENT)
		return false;
	if (line_end - r->at > CONF_LINE_MAX ||
		(kind_of(*end) == COMMENT && end > r->at && kind_of(end[-1]) == IN_WORD))
		return false;
	return (*first != 'i' || strncmp(first, "include", 7) != 0) &&
	       (*first != 'r' || strncmp(first, "random_seed", 11) != 0);
}

/* Nearly all lines are plain, so they are cut where they stand, without a copy. Returns false for one that is not,
 * which has not been touched then. */
static bool read_plain_line(struct reader *r)
{
	const char *end, *line_end;
	struct conf_lexer *lx = r->lx;
	struct conf_word word = {.place = r->place};
	struct conf_start start = {.place = r->place};
	struct piece pieces[PIECES_MAX];
	unsigned n = cut(r->at, pieces, &end);

	line_end = kind_of(*end) == COMMENT ? memchr(end, '\n', (size_t)(r->end - end)) : end;
	line_end = line_end ? line_end : r->end;
	if (n == PIECES_MAX || !is_plain(r, n ? pieces[0].at : end, end, line_end))
		return false;
	start.offset = (size_t)(r->at - lx->sources->files[r->source].data);
	conf_tree_line(&lx->out, &start);
	for (const struct piece *p = pieces; p < pieces + n && !lx->stop; p++) {
		word.place.column = start.place.column + (uint32_t)(p->at - r->at);
		word.width = (uint32_t)p->width;
		if (kind_of(*p->at) == BRACE) {
			conf_lex_brace(lx, *p->at, word.place);
		} else {
			word.text = conf_arena_text(&lx->out.tree->texts, p->at, p->width);
			conf_lex_word(lx, &word);
		}
	}
	conf_tree_end_line(&lx->out);
	r->at = line_end < r->end ? line_end + 1 : r->end;
	r->place.line++;
	r->place.column = 1;
	return true;
}

void conf_lex_read(struct conf_lexer *lx, uint32_t source)
{
	const struct conf_source *f = &lx->sources->files[source];
	struct reader r = {lx, source, f->data, f->data + f->size, {source, 1, 1}, false};
	struct conf_line line = {0};
	int checks = lx->include_checks;

	lx->stack[lx->depth++] = source;
	skip_byte_order_mark(&r);
	while (r.at < r.end && !lx->stop) {
		if (read_plain_line(&r))
			continue;
		conf_tree_line(&lx->out, NULL);
		conf_line_clear(&line);
		while (read_line(&r, &line) && r.at < r.end)
			conf_line_append(&line, "\n", 1, r.place, true);
		warn_continued(&r, &line);
		conf_line_process(lx, &line, 0);
	}
	conf_line_free(&line);
	/* What goes on behind an included file has parts in two of them. */
	conf_tree_line(&lx->out, NULL);
	lx->depth--;
	lx->include_checks = checks;
}

void conf_lex_source(struct conf_tree *tree, struct conf_sources *sources, struct conf_diag *diag, uint32_t source,
	const struct conf_lex_options *options)
{
	struct conf_lexer lx = {.sources = sources, .diag = diag, .options = *options};

	conf_tree_begin(&lx.out, tree, diag, options->take, options->arg);
	if (getrandom(&lx.random, sizeof(lx.random), GRND_NONBLOCK) < 0)
		lx.random = source;
	if (!lx.options.config_id)
		lx.options.config_id = "";
	conf_lex_read(&lx, source);
	conf_tree_end(&lx.out);
	conf_definitions_free(&lx);
}

static bool take_again(void *arg, const struct conf_node *node, uint32_t n, const struct conf_start *start)
{
	const struct conf_node **found = arg;

	(void)n;
	(void)start;
	if (!*found)
		*found = node;
	return true;
}

const struct conf_node *conf_lex_again(
	struct conf_tree *tree, struct conf_sources *sources, struct conf_diag *diag, const struct conf_start *start)
{
	const struct conf_source *f = &sources->files[start->place.file];
	const struct conf_node *found = NULL;
	struct conf_lexer lx = {.sources = sources, .diag = diag};
	struct reader r = {&lx, start->place.file, f->data + start->offset, f->data + f->size, start->place, false};

	conf_tree_begin(&lx.out, tree, diag, take_again, &found);
	while (!found && r.at < r.end && read_plain_line(&r))
		continue;
	if (!found)
		conf_tree_end(&lx.out);
	else
		free(lx.out.open);
	return found;
}

void conf_lex_file(struct conf_tree *tree, struct conf_sources *sources, struct conf_diag *diag, const char *name,
	const struct conf_lex_options *options)
{
	uint32_t source;
	int r = conf_source_read(sources, name, &source);

	if (r < 0) {
		source = conf_source_add_text(sources, name, "", 0);
		conf_diag_add(diag, CONF_ERROR, (struct conf_place){source, 0, 0}, 0, "the file cannot be read: %s",
			r == -ENXIO ? "it is not a regular file" : strerror(-r));
	}
	conf_lex_source(tree, sources, diag, source, options);
}
