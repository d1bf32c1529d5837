/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCRE2 with limits. Runs in poise-healthcheck; it never lets an expression run for more than some milliseconds. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex.h"
#include "status.h"
#include <pcre2.h>
#include <stdio.h>

#define MATCH_LIMIT 200000
#define HEAP_LIMIT_KIB 4096

struct pcre2_real_code_8 *regex_compile(const char *text, char *why)
{
	PCRE2_UCHAR said[100];
	PCRE2_SIZE offset;
	pcre2_code *regex;
	int error;

	regex = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, 0, &error, &offset, NULL);
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
	return found == PCRE2_ERROR_NOMATCH ? REGEX_NOT_FOUND : REGEX_TOO_LONG;
}
