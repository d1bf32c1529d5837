/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The definitions that every configuration has: ${_PWD}, ${_INSTANCE}, ${_HASH}, ${_BANG}, ${_RANDOM MIN MAX} and
 * ${_ENV NAME}. Runs in the config role. */
#include "conf_lex_internal.h"
#include <stdlib.h>
#include <string.h>

/* xorshift64*: only has to look random, and to be the same for the same seed. */
static uint64_t next_random(struct conf_lexer *lx)
{
	lx->random = lx->random ? lx->random : 0x9e3779b97f4a7c15ull;
	lx->random ^= lx->random >> 12;
	lx->random ^= lx->random << 25;
	lx->random ^= lx->random >> 27;
	return (lx->random * 0x2545f4914f6cdd1dull) >> 16;
}

#define RANDOM_MAX 32767

/* _RANDOM [MIN [MAX]] */
static bool append_random(struct conf_lexer *lx, const char *arguments, struct conf_place place, struct conf_line *out)
{
	unsigned long low = 0, high = RANDOM_MAX;
	char text[32], rest;

	if (sscanf(arguments, "%lu %lu %c", &low, &high, &rest) > 2 || strchr(arguments, '-') || low > UINT32_MAX ||
		high > UINT32_MAX || low > high)
		return false;
	snprintf(text, sizeof(text), "%lu", low + (unsigned long)(next_random(lx) % (high - low + 1)));
	conf_line_append(out, text, strlen(text), place, true);
	return true;
}

/* _ENV NAME: what the environment of poised says. */
static bool append_environment(const char *name, struct conf_place place, struct conf_line *out)
{
	const char *value;

	name += strspn(name, " \t:");
	value = getenv(name);
	if (!value || strpbrk(value, "\n\r"))
		return false;
	conf_line_append(out, value, strlen(value), place, true);
	return true;
}

size_t conf_predefined_call(struct conf_lexer *lx, const struct conf_line *line, size_t at, struct conf_line *out)
{
	const char *text = line->text + at, *end = strchr(text, '}');
	struct conf_place place = conf_line_place(line, at);
	char arguments[128];
	size_t n;

	if (!end)
		return 0;
	n = strncmp(text, "${_RANDOM", 9) == 0 ? 9 : strncmp(text, "${_ENV", 6) == 0 ? 6 : 0;
	if (n == 0 || !strchr(" \t:}", text[n]) || (size_t)(end - text) - n >= sizeof(arguments))
		return 0;
	snprintf(arguments, sizeof(arguments), "%.*s", (int)((size_t)(end - text) - n), text + n);
	if (n == 9 ? !append_random(lx, arguments, place, out) : !append_environment(arguments, place, out))
		return 0;
	return (size_t)(end - text) + 1;
}

bool conf_predefined(struct conf_lexer *lx, const char *name, size_t n, struct conf_place place, struct conf_line *made)
{
	char *folder;

	if (n == 5 && memcmp(name, "_HASH", n) == 0) {
		conf_line_append(made, "#", 1, place, true);
	} else if (n == 5 && memcmp(name, "_BANG", n) == 0) {
		conf_line_append(made, "!", 1, place, true);
	} else if (n == 9 && memcmp(name, "_INSTANCE", n) == 0) {
		conf_line_append(made, lx->options.config_id, strlen(lx->options.config_id), place, true);
	} else if (n == 7 && memcmp(name, "_RANDOM", n) == 0) {
		append_random(lx, "", place, made);
	} else if (n == 4 && memcmp(name, "_PWD", n) == 0) {
		folder = conf_source_folder(lx->sources->files[lx->stack[lx->depth - 1]].name);
		conf_line_append(made, folder, strlen(folder), place, true);
		free(folder);
	} else {
		return false;
	}
	return true;
}
