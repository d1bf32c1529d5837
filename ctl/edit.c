/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds and removes real_server blocks in a configuration's text. It opens no file and never talks to the daemon. */
#include "edit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

/* A word, a brace, or the end of a line, of the text; length 0 at its end. */
struct token {
	const char *at;
	size_t length;
};

static bool is(const struct token *t, const char *word)
{
	return t->length == strlen(word) && strncmp(t->at, word, t->length) == 0;
}

/* The next word or brace from *at on; comments are passed over, a quoted text is one word. */
static struct token next(const char **at)
{
	const char *p = *at;
	struct token t;

	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '#' && *p != '!')
			break;
		p += strcspn(p, "\n");
	}
	t.at = p;
	if (*p == '{' || *p == '}') {
		p++;
	} else if (*p == '"') {
		p += 1 + strcspn(p + 1, "\"\n");
		p += *p == '"';
	} else {
		p += strcspn(p, " \t\r\n{}#!");
		/* A sign that begins a comment elsewhere may stand within a word. */
		if (p == t.at && *p)
			p++;
	}
	t.length = (size_t)(p - t.at);
	*at = p;
	return t;
}

/* Behind the brace that closes the block which `at` is in; NULL when there is none. */
static const char *end_of_block(const char *at)
{
	int depth = 1;

	while (depth > 0) {
		struct token t = next(&at);

		if (t.length == 0)
			return NULL;
		depth += is(&t, "{") ? 1 : is(&t, "}") ? -1 : 0;
	}
	return at;
}

/* ---- blocks ---- */

struct server_block {
	const char *begin; /* of the line */
	const char *end;   /* behind the brace and its line's end */
	struct token address, port;
};

static const char *begin_of_line(const char *text, const char *at)
{
	while (at > text && at[-1] != '\n')
		at--;
	return at;
}

/* The next real_server block from *at on, before `limit`. */
static bool next_server(const char *text, const char **at, const char *limit, struct server_block *b)
{
	for (;;) {
		struct token t = next(at), brace;

		if (t.length == 0 || t.at >= limit)
			return false;
		if (is(&t, "{")) {
			*at = end_of_block(*at);
			if (!*at)
				return false;
			continue;
		}
		if (!is(&t, "real_server"))
			continue;
		b->begin = begin_of_line(text, t.at);
		b->address = next(at);
		b->port = next(at);
		brace = next(at);
		if (!is(&brace, "{"))
			return false;
		*at = end_of_block(*at);
		if (!*at)
			return false;
		b->end = *at + strspn(*at, " \t\r");
		b->end += *b->end == '\n';
		return true;
	}
}

static const char *find_line(const char *text, long line)
{
	while (--line > 0) {
		text = strchr(text, '\n');
		if (!text)
			return NULL;
		text++;
	}
	return text;
}

static bool server_is(const struct server_block *b, const struct edit *change)
{
	char port[16];

	snprintf(port, sizeof(port), "%ld", change->port);
	return is(&b->address, change->address) && is(&b->port, port);
}

/* ---- the new text ---- */

struct out {
	char *text;
	size_t length, size;
};

static void put(struct out *o, const char *from, const char *to)
{
	size_t n = (size_t)(to - from);

	if (o->size - o->length <= n) {
		o->size = (o->size + n) * 2 + 64;
		o->text = realloc(o->text, o->size);
		if (!o->text) {
			fputs("poisectl: out of memory\n", stderr);
			exit(1);
		}
	}
	memcpy(o->text + o->length, from, n);
	o->length += n;
	o->text[o->length] = '\0';
}

static void put_text(struct out *o, const char *text)
{
	put(o, text, text + strlen(text));
}

/* The word behind the keyword `weight` on the first level of a block; length 0 when there is none. */
static struct token find_weight(const struct server_block *b)
{
	const char *at = b->port.at + b->port.length;
	struct token t = next(&at);
	int depth = 1;

	while (depth > 0 && (t = next(&at)).length > 0) {
		depth += is(&t, "{") ? 1 : is(&t, "}") ? -1 : 0;
		if (depth == 1 && is(&t, "weight"))
			return next(&at);
	}
	return (struct token){b->begin, 0};
}

/* A block like another one. */
static void put_like(struct out *o, const struct server_block *like, const struct edit *change)
{
	struct token weight = find_weight(like);
	const char *brace = like->port.at + like->port.length;
	char number[32];

	put(o, like->begin, like->address.at);
	put_text(o, change->address);
	put_text(o, " ");
	snprintf(number, sizeof(number), "%ld", change->port);
	put_text(o, number);
	if (change->weight < 0) {
		put(o, brace, like->end);
		return;
	}
	if (weight.length > 0) {
		snprintf(number, sizeof(number), "%ld", change->weight);
		put(o, brace, weight.at);
		put_text(o, number);
		put(o, weight.at + weight.length, like->end);
		return;
	}
	snprintf(number, sizeof(number), "\n\t\tweight %ld", change->weight);
	put(o, brace, strchr(brace, '{') + 1);
	put_text(o, number);
	put(o, strchr(brace, '{') + 1, like->end);
}

static char *refuse(char *error, const char *why)
{
	snprintf(error, EDIT_ERROR_SIZE, "%s", why);
	return NULL;
}

char *edit_pool(const char *text, long line, const struct edit *change, char error[EDIT_ERROR_SIZE])
{
	const char *at = find_line(text, line), *limit;
	struct server_block block, first = {0}, last = {0}, victim = {0};
	struct out out = {0};
	struct token t = {0};
	bool any = false, found = false;

	if (at)
		t = next(&at);
	if (!at || !is(&t, "virtual_server"))
		return refuse(error,
			"the service does not stand there in this file: it was included, or the file has changed");
	while (t.length > 0 && !is(&t, "{"))
		t = next(&at);
	limit = t.length ? end_of_block(at) : NULL;
	if (!limit)
		return refuse(error, "the service's block does not end");
	while (next_server(text, &at, limit, &block)) {
		if (!any)
			first = block;
		last = block;
		any = true;
		if (server_is(&block, change)) {
			victim = block;
			found = true;
		}
	}
	if (!any || found != change->is_removed)
		return refuse(error, !any    ? "the service has no real_server to take as an example"
				     : found ? "the server stands in the file already"
					     : "the server does not stand in the file like this");
	put(&out, text, change->is_removed ? victim.begin : last.end);
	if (!change->is_removed)
		put_like(&out, &first, change);
	put_text(&out, change->is_removed ? victim.end : last.end);
	return out.text;
}
