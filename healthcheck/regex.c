/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCRE2 with limits. Runs in poise-healthcheck; it never lets an expression run for more than some milliseconds. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"
#include "conf.h"
#include "status.h"
#include <pcre2.h>
#include <stdio.h>

#define MATCH_LIMIT 200000
#define HEAP_LIMIT_KIB 4096

static const uint32_t flags[CONF_REGEX_OPTIONS] = {
	[CONF_REGEX_ALLOW_EMPTY_CLASS] = PCRE2_ALLOW_EMPTY_CLASS,
	[CONF_REGEX_ALT_BSUX] = PCRE2_ALT_BSUX,
	[CONF_REGEX_AUTO_CALLOUT] = PCRE2_AUTO_CALLOUT,
	[CONF_REGEX_CASELESS] = PCRE2_CASELESS,
	[CONF_REGEX_DOLLAR_ENDONLY] = PCRE2_DOLLAR_ENDONLY,
	[CONF_REGEX_DOTALL] = PCRE2_DOTALL,
	[CONF_REGEX_DUPNAMES] = PCRE2_DUPNAMES,
	[CONF_REGEX_EXTENDED] = PCRE2_EXTENDED,
	[CONF_REGEX_FIRSTLINE] = PCRE2_FIRSTLINE,
	[CONF_REGEX_MATCH_UNSET_BACKREF] = PCRE2_MATCH_UNSET_BACKREF,
	[CONF_REGEX_MULTILINE] = PCRE2_MULTILINE,
	[CONF_REGEX_NEVER_UCP] = PCRE2_NEVER_UCP,
	[CONF_REGEX_NEVER_UTF] = PCRE2_NEVER_UTF,
	[CONF_REGEX_NO_AUTO_CAPTURE] = PCRE2_NO_AUTO_CAPTURE,
	[CONF_REGEX_NO_AUTO_POSSESS] = PCRE2_NO_AUTO_POSSESS,
	[CONF_REGEX_NO_DOTSTAR_ANCHOR] = PCRE2_NO_DOTSTAR_ANCHOR,
	[CONF_REGEX_NO_START_OPTIMIZE] = PCRE2_NO_START_OPTIMIZE,
	[CONF_REGEX_UCP] = PCRE2_UCP,
	[CONF_REGEX_UNGREEDY] = PCRE2_UNGREEDY,
	[CONF_REGEX_UTF] = PCRE2_UTF,
	[CONF_REGEX_NEVER_BACKSLASH_C] = PCRE2_NEVER_BACKSLASH_C,
	[CONF_REGEX_ALT_CIRCUMFLEX] = PCRE2_ALT_CIRCUMFLEX,
	[CONF_REGEX_ALT_VERBNAMES] = PCRE2_ALT_VERBNAMES,
	[CONF_REGEX_USE_OFFSET_LIMIT] = PCRE2_USE_OFFSET_LIMIT,
};

static uint32_t flags_of(uint32_t options)
{
	uint32_t all = 0;

	for (uint32_t i = 0; i < CONF_REGEX_OPTIONS; i++)
		if (options & 1u << i)
			all |= flags[i];
	return all;
}

struct pcre2_real_code_8 *regex_compile(const char *text, uint32_t options, char *why)
{
	PCRE2_UCHAR said[100];
	PCRE2_SIZE offset;
	pcre2_code *regex;
	int error;

	regex = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, flags_of(options), &error, &offset, NULL);
	if (regex)
		return regex;
	pcre2_get_error_message(error, said, sizeof(said));
	snprintf(why, WHY_SIZE, "regex does not compile: %s at offset %zu", (const char *)said, (size_t)offset);
	return NULL;
}

void regex_free(struct pcre2_real_code_8 *regex)
{
	pcre2_code_free(regex);
}

enum regex_found regex_find(const struct pcre2_real_code_8 *regex, const uint8_t *data, size_t length, size_t from,
	size_t *begin, size_t *end)
{
	pcre2_match_data *match = pcre2_match_data_create(1, NULL);
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	int found = PCRE2_ERROR_NOMEMORY;

	if (from > length)
		from = length;
	if (match && context) {
		pcre2_set_match_limit(context, MATCH_LIMIT);
		pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
		found = pcre2_match(regex, data ? data : (PCRE2_SPTR) "", length, from, 0, match, context);
	}
	if (found >= 0 && begin)
		*begin = pcre2_get_ovector_pointer(match)[0];
	if (found >= 0 && end)
		*end = pcre2_get_ovector_pointer(match)[1];
	pcre2_match_context_free(context);
	pcre2_match_data_free(match);
	if (found >= 0)
		return REGEX_FOUND;
	if (found == PCRE2_ERROR_NOMEMORY)
		return REGEX_NO_MEMORY;
	/* With utf: bytes that are no text match nothing. */
	if (found == PCRE2_ERROR_BADUTFOFFSET || (found <= PCRE2_ERROR_UTF8_ERR1 && found >= PCRE2_ERROR_UTF8_ERR21))
		return REGEX_NOT_FOUND;
	return found == PCRE2_ERROR_NOMATCH ? REGEX_NOT_FOUND : REGEX_TOO_LONG;
}
