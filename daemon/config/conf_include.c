/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows includes, after conditions and replacements. Runs in the config role; the only keywords it knows are those
 * that speak to the reader of files. */
#include "conf_lex_internal.h"
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

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

/* must_exist, must_open: it is an error when the file does not exist, or exists but cannot be read. */
static void include_file(struct conf_lexer *lx, const char *name, struct conf_place place, uint32_t width,
	bool must_exist, bool must_open)
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
		bool must = r == -ENOENT ? must_exist : must_open || r == -ENFILE || r == -EFBIG;

		conf_diag_add(lx->diag, must ? CONF_ERROR : CONF_WARNING, place, width,
			"%s cannot be read (%s)" CONF_MEANING "it is left out", name,
			r == -ENXIO ? "not a regular file" : strerror(-r));
		lx->stop |= r == -ENFILE || r == -EFBIG;
		return;
	}
	if (is_being_read(lx, &lx->sources->files[source])) {
		conf_diag_add(lx->diag, CONF_ERROR, place, width, "%s is already being read: it includes itself", name);
		return;
	}
	conf_lex_read(lx, source);
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

static void add_folder(struct conf_lexer *lx, const char *path)
{
	char *folder = conf_source_folder(path);

	conf_source_add_folder(lx->sources, folder);
	free(folder);
}

static void include_pattern(
	struct conf_lexer *lx, const char *pattern, size_t length, struct conf_place place, int checks)
{
	bool wild = memchr(pattern, '*', length) || memchr(pattern, '?', length) || memchr(pattern, '[', length);
	bool brace = !wild && memchr(pattern, '{', length);
	bool must = checks & (wild ? NEED_WILDCARD : brace ? NEED_BRACE : NEED_MATCH | NEED_WILDCARD);
	uint32_t width = (uint32_t)length;
	glob_t found = {0};
	char *path;

	if (lx->options.no_files || length > 4096) {
		conf_diag_add(lx->diag, CONF_ERROR, place, width, "this file is not included");
		return;
	}
	path = include_path(lx, pattern, length);
	if (wild)
		add_folder(lx, path);
	if (glob(path, GLOB_BRACE | GLOB_NOMAGIC, NULL, &found) != 0 || found.gl_pathc == 0)
		conf_diag_add(lx->diag, must ? CONF_ERROR : CONF_WARNING, place, width,
			"no file matches %s; nothing is included", path);
	for (size_t i = 0; i < found.gl_pathc && !lx->stop; i++)
		include_file(lx, found.gl_pathv[i], place, width, must, checks & NEED_READABLE);
	globfree(&found);
	free(path);
}

/* ---- include_check and random_seed ---- */

static const struct {
	const char *name;
	int checks;
} check_names[] = {
	{"readable", NEED_READABLE},
	{"match", NEED_READABLE | NEED_MATCH},
	{"wildcard_match", NEED_READABLE | NEED_WILDCARD},
	{"brace_match", NEED_READABLE | NEED_BRACE},
};

#define N_CHECKS (sizeof(check_names) / sizeof(check_names[0]))

static bool is_word(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* The next word of the text from *at on; returns its length, 0 at the end. */
static size_t next_word(const char *text, size_t end, size_t *at)
{
	size_t n = 0;

	while (*at < end && conf_is_blank(text[*at]))
		++*at;
	while (*at + n < end && !conf_is_blank(text[*at + n]))
		n++;
	return n;
}

/* [+|-]NAME ...: with a sign the checks are added or removed, without one these alone are made; no name means all. */
static void process_check(struct conf_lexer *lx, const struct conf_line *line, size_t at, size_t end)
{
	size_t n = next_word(line->text, end, &at);
	int all = 0;

	for (size_t i = 0; i < N_CHECKS; i++)
		all |= check_names[i].checks;
	if (n == 0)
		lx->include_checks = all;
	else if (line->text[at] != '+' && line->text[at] != '-')
		lx->include_checks = 0;
	for (; n; at += n, n = next_word(line->text, end, &at)) {
		bool removes = line->text[at] == '-', is_signed = removes || line->text[at] == '+';
		int checks = -1;

		for (size_t i = 0; i < N_CHECKS; i++)
			if (is_word(line->text + at + is_signed, n - is_signed, check_names[i].name))
				checks = check_names[i].checks;
		if (checks < 0)
			conf_diag_add(lx->diag, CONF_WARNING, conf_line_place(line, at), (uint32_t)n,
				"include_check knows readable, match, wildcard_match and brace_match" CONF_MEANING
				"this is ignored");
		else if (removes)
			lx->include_checks &= ~(checks & ~(checks == NEED_READABLE ? 0 : NEED_READABLE));
		else
			lx->include_checks |= checks;
	}
}

static void process_seed(struct conf_lexer *lx, const struct conf_line *line, size_t at, size_t end)
{
	size_t n = next_word(line->text, end, &at);
	uint64_t seed = 0;

	for (size_t i = 0; i < n && line->text[at + i] >= '0' && line->text[at + i] <= '9'; i++)
		seed = seed * 10 + (uint64_t)(line->text[at + i] - '0');
	lx->random = seed;
}

bool conf_line_include(struct conf_lexer *lx, const struct conf_line *line)
{
	const char *text = line->text;
	size_t from = 0, to, end = conf_trim_end(text, line->length);
	int checks;

	while (from < end && conf_is_blank(text[from]))
		from++;
	/* Of thousands of lines hardly any begins like one of these words. */
	if (from == end || (text[from] != 'i' && text[from] != 'r'))
		return false;
	to = from;
	while (to < end && !conf_is_blank(text[to]))
		to++;
	if (is_word(text + from, to - from, "include_check"))
		process_check(lx, line, to, end);
	if (is_word(text + from, to - from, "random_seed"))
		process_seed(lx, line, to, end);
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
	include_pattern(lx, text + to, end - to, conf_line_place(line, to), checks | lx->include_checks);
	return true;
}
