/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Expressions over what a server sends, with a bound on the work that hostile bytes can cause. */
#ifndef POISE_REGEX_H
#define POISE_REGEX_H

#include <stddef.h>
#include <stdint.h>

struct pcre2_real_code_8;

/* options: bits by enum conf_regex_option. NULL with a sentence in why (WHY_SIZE bytes). */
struct pcre2_real_code_8 *regex_compile(const char *text, uint32_t options, char *why);
void regex_free(struct pcre2_real_code_8 *regex); /* NULL is allowed */

enum regex_found { REGEX_FOUND, REGEX_NOT_FOUND, REGEX_TOO_LONG, REGEX_NO_MEMORY };
/* Looks for a match that begins at `from` or later; *begin and *end (may be NULL) are its place. */
enum regex_found regex_find(const struct pcre2_real_code_8 *regex, const uint8_t *data, size_t length, size_t from,
	size_t *begin, size_t *end);

#endif
