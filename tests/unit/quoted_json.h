/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents in the text of a test. */
#ifndef POISE_QUOTED_JSON_H
#define POISE_QUOTED_JSON_H

#include <check.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* JSON with ' for ", to be readable in C. The caller's to put. */
static inline struct json_object *quoted_json(const char *text)
{
	char *copy = strdup(text);
	struct json_object *object;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	object = json_tokener_parse(copy);
	ck_assert_ptr_nonnull(object);
	free(copy);
	return object;
}

#endif
