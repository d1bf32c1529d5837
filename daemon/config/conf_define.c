/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a line can do before it is words: conditions (@NAME), definitions ($NAME=VALUE), sequences (~SEQ, ~LST) and the
 * replacement of $NAME and ${NAME}. Runs in the config role; knows no keyword. A replacement happens when a line is
 * used, one level at a time, so that definitions inside a definition of several lines take effect in their order. */
#include "conf_lex_internal.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static size_t name_length(const char *text)
{
	size_t n = 0;

	if (isdigit((unsigned char)text[0]))
		return 0;
	while (is_name(text[n]))
		n++;
	return n;
}

static size_t skip_blanks(const struct conf_line *line, size_t at)
{
	while (at < line->length && conf_is_blank(line->text[at]))
		at++;
	return at;
}

static struct conf_definition *find_definition(struct conf_lexer *lx, const char *name, size_t length)
{
	for (uint32_t i = 0; i < lx->n_definitions; i++)
		if (strlen(lx->definitions[i].name) == length && memcmp(lx->definitions[i].name, name, length) == 0)
			return &lx->definitions[i];
	return NULL;
}

static struct conf_definition *get_definition(struct conf_lexer *lx, const char *name, size_t length)
{
	struct conf_definition *d = find_definition(lx, name, length);

	if (!d) {
		lx->definitions =
			conf_grow(lx->definitions, lx->n_definitions, &lx->definitions_room, sizeof(*lx->definitions));
		d = &lx->definitions[lx->n_definitions++];
		memset(d, 0, sizeof(*d));
		d->name = conf_strndup(name, length);
	}
	conf_line_clear(&d->value);
	return d;
}

void conf_definitions_free(struct conf_lexer *lx)
{
	for (uint32_t i = 0; i < lx->n_definitions; i++) {
		free(lx->definitions[i].name);
		conf_line_free(&lx->definitions[i].value);
	}
	free(lx->definitions);
}

static bool give_up(struct conf_lexer *lx, struct conf_place place, const char *why)
{
	if (!lx->stop)
		conf_diag_add(lx->diag, CONF_ERROR, place, 1, "%s; the rest is not read", why);
	lx->stop = true;
	return false;
}

/* Handles the rest of a line from `at` on. */
static void process_rest(struct conf_lexer *lx, const struct conf_line *line, size_t at, unsigned depth)
{
	struct conf_line rest = {0};

	conf_line_append_line(&rest, line, at, line->length);
	conf_line_process(lx, &rest, depth + 1);
	conf_line_free(&rest);
}

/* @NAME or @^NAME at the beginning: the rest counts when the name is (is not) this machine's configuration id. */
static void process_condition(struct conf_lexer *lx, const struct conf_line *line, size_t at, unsigned depth)
{
	bool negated = line->text[++at] == '^', same;
	size_t begin;

	if (negated)
		at++;
	begin = at;
	while (at < line->length && !conf_is_blank(line->text[at]))
		at++;
	same = strlen(lx->options.config_id) == at - begin &&
	       memcmp(lx->options.config_id, line->text + begin, at - begin) == 0;
	if (same != negated)
		process_rest(lx, line, at, depth);
}

/* $NAME=VALUE. A line that ends with a backslash is continued, and its value keeps the lines; the first one may be
 * empty. Returns false when the line is no definition. */
static bool process_definition(struct conf_lexer *lx, const struct conf_line *line, size_t at)
{
	size_t n = name_length(line->text + at + 1), from = at + 1 + n, to = line->length;
	struct conf_definition *d;

	if (n == 0 || line->text[from] != '=')
		return false;
	from++;
	while (from < to && line->text[from] != '\n' && conf_is_blank(line->text[from]))
		from++;
	from += from < to && line->text[from] == '\n';
	while (to > from && conf_is_blank(line->text[to - 1]))
		to--;
	d = get_definition(lx, line->text + at + 1, n);
	conf_line_append_line(&d->value, line, from, to);
	return true;
}

/* ---- ~SEQ(VAR, START, STEP, END) and ~LST(VAR, VALUE, ...) ---- */

#define SEQUENCE_MAX 1000000
#define PARTS_MAX 4096

struct part {
	size_t from, to;
};

/* Cuts the text in brackets at top-level commas. Returns the number of parts, or -1. *at is behind the bracket then. */
static int cut_parts(const struct conf_line *line, size_t *at, char open, char close, struct part *parts, int max)
{
	size_t i = *at, from;
	int n = 0, nested = 0;

	if (line->text[i] != open)
		return -1;
	from = ++i;
	for (; i < line->length; i++) {
		char c = line->text[i];

		if (c == close && nested == 0) {
			if (n == max)
				return -1;
			parts[n++] = (struct part){from, i};
			*at = i + 1;
			return n;
		}
		if (c == '{')
			nested++;
		else if (c == '}')
			nested--;
		else if (c == ',' && nested == 0) {
			if (n == max)
				return -1;
			parts[n++] = (struct part){from, i};
			from = i + 1;
		}
	}
	return -1;
}

static struct part trim(const struct conf_line *line, struct part p)
{
	while (p.from < p.to && conf_is_blank(line->text[p.from]))
		p.from++;
	while (p.to > p.from && conf_is_blank(line->text[p.to - 1]))
		p.to--;
	return p;
}

static bool part_number(const struct conf_line *line, struct part p, long *number)
{
	char text[32], *end;

	p = trim(line, p);
	if (p.to == p.from || p.to - p.from >= sizeof(text))
		return false;
	memcpy(text, line->text + p.from, p.to - p.from);
	text[p.to - p.from] = 0;
	*number = strtol(text, &end, 0);
	return *end == 0 && *number >= -SEQUENCE_MAX * 4000L && *number <= SEQUENCE_MAX * 4000L;
}

static bool part_name(const struct conf_line *line, struct part *p)
{
	*p = trim(line, *p);
	return p->to > p->from && name_length(line->text + p->from) == p->to - p->from;
}

static bool process_numbers(struct conf_lexer *lx, const struct conf_line *line, size_t at, bool hex, unsigned depth)
{
	struct part parts[4];
	long start, step, end, steps;
	int n = cut_parts(line, &at, '(', ')', parts, 4);

	if (n < 2 || !part_name(line, &parts[0]) || !part_number(line, parts[n - 1], &end))
		return false;
	start = end < 0 ? -1 : 1;
	if (n > 2 && !part_number(line, parts[1], &start))
		return false;
	step = end < start ? -1 : 1;
	if (n == 4 && !part_number(line, parts[2], &step))
		return false;
	if (step == 0 || (end - start) / step < 0)
		return false;
	steps = (end - start) / step;
	if (steps > SEQUENCE_MAX)
		return give_up(lx, conf_line_place(line, at), "this sequence is too long");
	for (long i = 0; i <= steps && !lx->stop; i++) {
		long value = start + i * step;
		struct conf_definition *d = get_definition(lx, line->text + parts[0].from, parts[0].to - parts[0].from);
		char text[32];
		int length = snprintf(text, sizeof(text), hex ? "%lx" : "%ld", value);

		conf_line_append(&d->value, text, (size_t)length, conf_line_place(line, parts[0].from), true);
		process_rest(lx, line, at, depth);
	}
	return true;
}

static void define_part(struct conf_lexer *lx, const struct conf_line *line, struct part name, struct part value)
{
	struct conf_definition *d = get_definition(lx, line->text + name.from, name.to - name.from);

	value = trim(line, value);
	conf_line_append_line(&d->value, line, value.from, value.to);
}

/* {A, B}, or a single A. */
static int cut_tuple(const struct conf_line *line, struct part p, struct part *parts, int max)
{
	p = trim(line, p);
	if (p.from < p.to && line->text[p.from] == '{') {
		size_t at = p.from;

		return cut_parts(line, &at, '{', '}', parts, max);
	}
	parts[0] = p;
	return 1;
}

static bool process_list(struct conf_lexer *lx, const struct conf_line *line, size_t at, unsigned depth)
{
	struct part *parts = conf_realloc(NULL, PARTS_MAX, sizeof(*parts)), names[16], values[16];
	int n = cut_parts(line, &at, '(', ')', parts, PARTS_MAX), n_names;
	bool ok = n >= 2 && (n_names = cut_tuple(line, parts[0], names, 16)) > 0;

	for (int k = 0; ok && k < n_names; k++)
		ok = part_name(line, &names[k]);
	for (int i = 1; ok && i < n && !lx->stop; i++) {
		ok = cut_tuple(line, parts[i], values, 16) == n_names;
		for (int k = 0; ok && k < n_names; k++)
			define_part(lx, line, names[k], values[k]);
		if (ok)
			process_rest(lx, line, at, depth);
	}
	free(parts);
	return ok;
}

static bool replace(struct conf_lexer *lx, const struct conf_line *line, const char *ends, struct conf_line *out);

/* The line with the references between its brackets replaced, what follows them as it was; behind a name may be a comma
 * or a bracket there. */
static void replace_in_brackets(struct conf_lexer *lx, const struct conf_line *line, size_t at, struct conf_line *out)
{
	const char *end = memchr(line->text + at, ')', line->length - at);
	struct conf_line before = {0}, made = {0};

	if (end && memchr(line->text + at, '$', (size_t)(end - line->text) - at)) {
		conf_line_append_line(&before, line, 0, (size_t)(end - line->text) + 1);
		for (int i = 0; i < CONF_REPLACE_DEPTH && !lx->stop && replace(lx, &before, ",)", &made); i++) {
			conf_line_clear(&before);
			conf_line_append_line(&before, &made, 0, made.length);
			conf_line_clear(&made);
		}
		conf_line_append_line(out, &before, 0, before.length);
		conf_line_append_line(out, line, (size_t)(end - line->text) + 1, line->length);
	} else {
		conf_line_append_line(out, line, 0, line->length);
	}
	conf_line_free(&before);
	conf_line_free(&made);
}

/* Returns false when the line begins no sequence. */
static bool process_sequence(struct conf_lexer *lx, const struct conf_line *written, size_t at, unsigned depth)
{
	const char *text = written->text + at;
	struct conf_line replaced = {0}, *line = &replaced;
	bool ok;

	if (strncmp(text, "~SEQ", 4) != 0 && strncmp(text, "~LST", 4) != 0)
		return false;
	replace_in_brackets(lx, written, at, line);
	text = line->text + at;
	if (strncmp(text, "~SEQ(", 5) == 0)
		ok = process_numbers(lx, line, at + 4, false, depth);
	else if (strncmp(text, "~SEQx(", 6) == 0)
		ok = process_numbers(lx, line, at + 5, true, depth);
	else if (strncmp(text, "~LST(", 5) == 0)
		ok = process_list(lx, line, at + 4, depth);
	else
		ok = false;
	if (!ok && !lx->stop)
		conf_diag_add(lx->diag, CONF_ERROR, conf_line_place(line, at), 4,
			"write ~SEQ(NAME, START, STEP, END) or ~LST(NAME, VALUE, VALUE ...)");
	conf_line_free(line);
	return true;
}

/* ---- replacement ---- */

/* Looks at the `$` at `at`; `ends`: what may stand behind a name besides blanks. Returns the bytes that a reference to
 * a known name has, else 0, with its value appended. */
static size_t replace_one(
	struct conf_lexer *lx, const struct conf_line *line, size_t at, const char *ends, struct conf_line *out)
{
	const char *text = line->text + at + 1;
	bool braces = text[0] == '{';
	struct conf_definition *d;
	size_t n;

	if (braces)
		text++;
	n = name_length(text);
	if (braces && text[0] == '_' && text[n] && text[n] != '}')
		return conf_predefined_call(lx, line, at, out);
	if (n == 0 || (braces ? text[n] != '}' : text[n] && !conf_is_blank(text[n]) && !strchr(ends, text[n])))
		return 0;
	d = find_definition(lx, text, n);
	if (d)
		conf_line_append_line(out, &d->value, 0, d->value.length);
	else if (!conf_predefined(lx, text, n, conf_line_place(line, at), out))
		return 0;
	return n + (braces ? 3 : 1);
}

/* Replaces the references of one level. Returns false when there was none. */
static bool replace(struct conf_lexer *lx, const struct conf_line *line, const char *ends, struct conf_line *out)
{
	size_t done = 0;
	bool any = false;

	for (size_t at = 0; at < line->length; at++) {
		size_t n;

		if (line->text[at] != '$')
			continue;
		conf_line_append_line(out, line, done, at);
		n = replace_one(lx, line, at, ends, out);
		if (out->length > CONF_LINE_MAX)
			return give_up(lx, conf_line_place(line, at), "this line becomes too long by replacements");
		done = at;
		if (n == 0)
			continue;
		any = true;
		done = at + n;
		at = done - 1;
	}
	if (any)
		conf_line_append_line(out, line, done, line->length);
	return any;
}

/* A value of several lines: each is handled by itself. */
static void process_lines(struct conf_lexer *lx, const struct conf_line *line, unsigned depth)
{
	size_t from = 0;

	while (from <= line->length && !lx->stop) {
		const char *end = memchr(line->text + from, '\n', line->length - from);
		size_t to = end ? (size_t)(end - line->text) : line->length;
		struct conf_line one = {0};

		conf_line_append_line(&one, line, from, to);
		if (one.length)
			conf_line_process(lx, &one, depth + 1);
		conf_line_free(&one);
		from = to + 1;
	}
}

static void join_lines(struct conf_line *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (line->text[i] == '\n')
			line->text[i] = ' ';
}

/* Nothing to replace and nothing to join, like nearly all lines: it can be cut as it is. */
static bool is_plain(const struct conf_line *line)
{
	return !memchr(line->text, '$', line->length) && !memchr(line->text, '\n', line->length);
}

void conf_line_process(struct conf_lexer *lx, const struct conf_line *line, unsigned depth)
{
	size_t at = skip_blanks(line, 0);
	struct conf_line out = {0}, joined = {0};

	if (at == line->length || lx->stop)
		return;
	lx->expanded += depth ? line->length : 0;
	if (depth > CONF_REPLACE_DEPTH || lx->expanded > CONF_EXPANDED_MAX) {
		give_up(lx, conf_line_place(line, at), "definitions that replace each other make too much text");
		return;
	}
	if (line->text[at] == '@') {
		process_condition(lx, line, at, depth);
		return;
	}
	if (line->text[at] == '$' && process_definition(lx, line, at))
		return;
	if (line->text[at] == '~' && process_sequence(lx, line, at, depth))
		return;
	if (is_plain(line)) {
		if (!conf_line_include(lx, line))
			conf_line_split(lx, line);
		return;
	}
	/* Before replacing, the joined lines of this one are just blanks; only values keep their lines. */
	conf_line_append_line(&joined, line, at, line->length);
	join_lines(&joined);
	if (!replace(lx, &joined, "", &out)) {
		if (!conf_line_include(lx, &joined))
			conf_line_split(lx, &joined);
	} else if (out.length > 0 && memchr(out.text, '\n', out.length)) {
		process_lines(lx, &out, depth);
	} else {
		conf_line_process(lx, &out, depth + 1);
	}
	conf_line_free(&joined);
	conf_line_free(&out);
}
