/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the lines of the files: joins continued ones, removes comments, follows includes. Runs in the config role; the
 * only keyword it knows is `include`. */
#include "conf_lex_internal.h"
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static void read_source(struct conf_lexer *lx, uint32_t source);

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

static size_t trim_end(const char *text, size_t length)
{
	while (length > 0 && conf_is_blank(text[length - 1]))
		length--;
	return length;
}

/* ---- include ---- */

enum { NEED_READABLE = 1, NEED_MATCH = 2, NEED_WILDCARD = 4, NEED_BRACE = 8 };

/* The checks that a form of `include` asks for, or -1 when the word is none. */
static int include_checks(const char *word, size_t length)
{
	static const struct {
		const char *word;
		int checks;
	} forms[] = {
		{"include", 0},
		{"includer", NEED_READABLE},
		{"includem", NEED_READABLE | NEED_MATCH},
		{"includew", NEED_READABLE | NEED_MATCH | NEED_WILDCARD},
		{"includeb", NEED_READABLE | NEED_BRACE},
		{"includea", NEED_READABLE | NEED_MATCH | NEED_WILDCARD | NEED_BRACE},
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (strlen(forms[i].word) == length && memcmp(forms[i].word, word, length) == 0)
			return forms[i].checks;
	return -1;
}

static bool is_being_read(const struct conf_lexer *lx, const struct conf_source *f)
{
	for (unsigned i = 0; i < lx->depth; i++) {
		const struct conf_source *open = &lx->sources->files[lx->stack[i]];

		if (f->inode && open->inode == f->inode && open->device == f->device)
			return true;
	}
	return false;
}

static void include_file(struct conf_lexer *lx, const char *name, struct conf_place place, uint32_t width, bool must)
{
	uint32_t source;
	int r;

	if (lx->depth >= CONF_INCLUDE_DEPTH) {
		conf_diag_add(
			lx->diag, CONF_ERROR, place, width, "includes nest deeper than %d files", CONF_INCLUDE_DEPTH);
		return;
	}
	r = conf_source_read(lx->sources, name, &source);
	if (r < 0) {
		conf_diag_add(lx->diag, must || r == -ENFILE || r == -EFBIG ? CONF_ERROR : CONF_WARNING, place, width,
			"%s cannot be read (%s)" CONF_MEANING "it is left out", name,
			r == -ENXIO ? "not a regular file" : strerror(-r));
		lx->stop |= r == -ENFILE || r == -EFBIG;
		return;
	}
	if (is_being_read(lx, &lx->sources->files[source])) {
		conf_diag_add(lx->diag, CONF_ERROR, place, width, "%s is already being read: it includes itself", name);
		return;
	}
	read_source(lx, source);
}

/* A pattern is relative to the folder of the file it stands in. */
static char *include_path(const struct conf_lexer *lx, const char *pattern, size_t length)
{
	const char *file = lx->sources->files[lx->stack[lx->depth - 1]].name;
	char *folder, *path;

	if (length && pattern[0] == '/')
		return conf_strndup(pattern, length);
	if (!strchr(file, '/'))
		return conf_strndup(pattern, length);
	folder = conf_source_folder(file);
	path = conf_realloc(NULL, strlen(folder) + length + 2, 1);
	sprintf(path, "%s/%.*s", folder, (int)length, pattern);
	free(folder);
	return path;
}

static void include_pattern(
	struct conf_lexer *lx, const char *pattern, size_t length, struct conf_place place, int checks)
{
	bool wild = memchr(pattern, '*', length) || memchr(pattern, '?', length) || memchr(pattern, '[', length);
	bool must = checks & (wild ? NEED_WILDCARD : memchr(pattern, '{', length) ? NEED_BRACE : NEED_MATCH);
	uint32_t width = (uint32_t)length;
	glob_t found = {0};
	char *path;

	if (lx->options.no_files || length > 4096) {
		conf_diag_add(lx->diag, CONF_ERROR, place, width, "this file is not included");
		return;
	}
	path = include_path(lx, pattern, length);
	if (glob(path, GLOB_BRACE | GLOB_NOMAGIC, NULL, &found) != 0 || found.gl_pathc == 0)
		conf_diag_add(lx->diag, must ? CONF_ERROR : CONF_WARNING, place, width,
			"no file matches %s; nothing is included", path);
	for (size_t i = 0; i < found.gl_pathc && !lx->stop; i++)
		include_file(lx, found.gl_pathv[i], place, width, checks & NEED_READABLE);
	globfree(&found);
	free(path);
}

/* Includes are found before conditions and replacements. Returns false when the line is none. */
static bool process_include(struct conf_lexer *lx, const struct conf_line *line)
{
	const char *text = line->text;
	size_t from = 0, to, end = trim_end(text, line->length);
	int checks;

	while (from < end && conf_is_blank(text[from]))
		from++;
	to = from;
	while (to < end && !conf_is_blank(text[to]))
		to++;
	checks = include_checks(text + from, to - from);
	if (checks < 0)
		return false;
	while (to < end && conf_is_blank(text[to]))
		to++;
	if (to == end) {
		conf_diag_add(lx->diag, CONF_ERROR, conf_line_place(line, from), 7, "include needs the name of a file");
		return true;
	}
	if (end - to >= 2 && text[to] == '"' && text[end - 1] == '"') {
		to++;
		end--;
	}
	include_pattern(lx, text + to, end - to, conf_line_place(line, to), checks);
	return true;
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
		if (text[i])
			continue;
		text[i] = ' ';
		if (r->said_binary)
			continue;
		place.column += (uint32_t)i;
		conf_diag_add(r->lx->diag, CONF_ERROR, place, 1, "a byte with the value 0: this is not a text file");
		r->said_binary = true;
	}
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
		kept = trim_end(r->at, kept);
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

static void skip_byte_order_mark(struct reader *r)
{
	if (r->end - r->at < 3 || memcmp(r->at, "\xef\xbb\xbf", 3) != 0)
		return;
	conf_diag_add(
		r->lx->diag, CONF_WARNING, r->place, 1, "the file begins with a byte order mark, which is skipped");
	r->at += 3;
	r->place.column += 3;
}

static void read_source(struct conf_lexer *lx, uint32_t source)
{
	const struct conf_source *f = &lx->sources->files[source];
	struct reader r = {lx, source, f->data, f->data + f->size, {source, 1, 1}, false};
	struct conf_line line = {0};

	lx->stack[lx->depth++] = source;
	skip_byte_order_mark(&r);
	while (r.at < r.end && !lx->stop) {
		conf_line_clear(&line);
		while (read_line(&r, &line) && r.at < r.end)
			conf_line_append(&line, "\n", 1, r.place, true);
		if (!process_include(lx, &line))
			conf_line_process(lx, &line, 0);
	}
	conf_line_free(&line);
	lx->depth--;
}

void conf_lex_source(struct conf_words *out, struct conf_sources *sources, struct conf_diag *diag, uint32_t source,
	const struct conf_lex_options *options)
{
	struct conf_lexer lx = {.out = out, .sources = sources, .diag = diag, .options = *options};

	memset(out, 0, sizeof(*out));
	if (!lx.options.config_id)
		lx.options.config_id = "";
	read_source(&lx, source);
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
