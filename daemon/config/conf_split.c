/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cuts a finished line into words and braces. Runs in the config role; knows no keyword. */
#include "conf_lex_internal.h"
#include <stdlib.h>
#include <string.h>

static bool is_too_much(struct conf_lexer *lx, struct conf_place place)
{
	if (lx->n_tokens++ < CONF_TOKENS_MAX || lx->stop)
		return lx->stop;
	conf_diag_add(lx->diag, CONF_ERROR, place, 1, "the configuration has more than %u words; the rest is not read",
		CONF_TOKENS_MAX);
	lx->stop = true;
	return true;
}

void conf_lex_word(struct conf_lexer *lx, const struct conf_word *word)
{
	if (!is_too_much(lx, word->place))
		conf_tree_word(&lx->out, word);
}

void conf_lex_brace(struct conf_lexer *lx, char brace, struct conf_place place)
{
	if (is_too_much(lx, place))
		return;
	if (brace == '{')
		conf_tree_open(&lx->out, place);
	else
		conf_tree_close(&lx->out, place);
}

/* A word under construction. */
struct cutter {
	struct conf_lexer *lx;
	const struct conf_line *line;
	size_t at;
	char *text, *raw; /* as long as the line: removing quotes and backslashes only shortens; NULL until needed */
	size_t length, raw_length;
	bool quoted;
};

/* Takes the next byte into the word; with `escape` there is a backslash before it that stands for itself alone in the
 * raw text. */
static void take(struct cutter *c, bool escape)
{
	const char *text = c->line->text;

	if (escape)
		c->raw[c->raw_length++] = text[c->at++];
	c->raw[c->raw_length++] = text[c->at];
	c->text[c->length++] = text[c->at++];
}

/* The part in double quotes, whose opening quote is at c->at. \" and \\ are escapes; every other backslash stays, for
 * the sake of regular expressions and shell text. */
static void cut_quoted(struct cutter *c)
{
	const char *text = c->line->text;
	size_t begin = c->at++;

	c->quoted = true;
	while (c->at < c->line->length && text[c->at] != '"')
		take(c, text[c->at] == '\\' && (text[c->at + 1] == '"' || text[c->at + 1] == '\\'));
	if (c->at < c->line->length) {
		c->at++;
		return;
	}
	conf_diag_add(c->lx->diag, CONF_ERROR, conf_line_place(c->line, begin), 1,
		"this quote is not closed on its line; a quoted text cannot go over several lines");
}

/* ${...} that no definition replaced: its braces are text (only ${_NAME ...} has blanks). Returns false when it has
 * no end. */
static bool cut_reference(struct cutter *c)
{
	const char *text = c->line->text, *end = strchr(text + c->at, '}');
	size_t n;

	if (!end || (text[c->at + 2] != '_' && memchr(text + c->at, ' ', (size_t)(end - text) - c->at)))
		return false;
	n = (size_t)(end - text) + 1 - c->at;
	while (n--)
		take(c, false);
	return true;
}

static void warn_undefined(struct cutter *c, size_t begin, size_t width)
{
	const char *text = c->line->text + begin;

	if (c->quoted || text[0] != '$' || width < 2)
		return;
	if (text[1] == '{' || text[1] == '_' || (text[1] >= 'A' && text[1] <= 'Z') ||
		(text[1] >= 'a' && text[1] <= 'z'))
		conf_diag_add(c->lx->diag, CONF_WARNING, conf_line_place(c->line, begin), (uint32_t)width,
			"%.*s is not defined here" CONF_MEANING "it is taken as plain text", (int)width, text);
}

/* How many bytes from here on are a word as it stands: no quote, backslash, reference or brace in or behind it. 0 when
 * it has to be looked at closer. */
static size_t plain_length(const struct conf_line *line, size_t from)
{
	/* Every byte of nearly every file comes by here. */
	enum { PLAIN, BLANK, SPECIAL };
	static const uint8_t kinds[256] = {[' '] = BLANK,
		['\t'] = BLANK,
		['\r'] = BLANK,
		['\v'] = BLANK,
		['\f'] = BLANK,
		['\n'] = BLANK,
		['"'] = SPECIAL,
		['\\'] = SPECIAL,
		['$'] = SPECIAL,
		['{'] = SPECIAL,
		['}'] = SPECIAL};
	size_t at = from;

	while (at < line->length && kinds[(uint8_t)line->text[at]] == PLAIN)
		at++;
	return at < line->length && kinds[(uint8_t)line->text[at]] == SPECIAL ? 0 : at - from;
}

static void cut_closely(struct cutter *c, struct conf_word *word)
{
	const char *text = c->line->text;
	size_t begin = c->at;

	if (!c->text) {
		c->text = conf_realloc(NULL, c->line->length + 1, 2);
		c->raw = c->text + c->line->length + 1;
	}
	while (c->at < c->line->length && !conf_is_blank(text[c->at]) && text[c->at] != '{' && text[c->at] != '}') {
		if (text[c->at] == '"') {
			cut_quoted(c);
			continue;
		}
		if (text[c->at] == '$' && text[c->at + 1] == '{' && cut_reference(c))
			continue;
		take(c, text[c->at] == '\\' && text[c->at + 1] && strchr("#!\"\\", text[c->at + 1]));
	}
	warn_undefined(c, begin, c->at - begin);
	word->is_raw = memchr(c->raw, '\\', c->raw_length) != NULL;
	word->text = word->is_raw ? conf_arena_pair(&c->lx->out.tree->texts, c->text, c->length, c->raw, c->raw_length)
				  : conf_arena_text(&c->lx->out.tree->texts, c->text, c->length);
}

static void cut_word(struct cutter *c)
{
	size_t begin = c->at, n = plain_length(c->line, begin);
	struct conf_word word = {.place = conf_line_place(c->line, begin)};

	c->length = c->raw_length = 0;
	c->quoted = false;
	if (n > 0) {
		word.text = conf_arena_text(&c->lx->out.tree->texts, c->line->text + begin, n);
		c->at += n;
	} else {
		cut_closely(c, &word);
	}
	word.width = (uint32_t)(c->at - begin);
	word.quoted = c->quoted;
	conf_lex_word(c->lx, &word);
}

void conf_line_split(struct conf_lexer *lx, const struct conf_line *line)
{
	struct cutter c = {.lx = lx, .line = line};

	while (c.at < line->length && !lx->stop) {
		char ch = line->text[c.at];

		if (conf_is_blank(ch)) {
			c.at++;
		} else if (ch == '{' || ch == '}') {
			conf_lex_brace(lx, ch, conf_line_place(line, c.at));
			c.at++;
		} else {
			cut_word(&c);
		}
	}
	conf_tree_end_line(&lx->out);
	free(c.text);
}
