/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes members out of the daemon's answers without ever failing. */
#include "json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct json_object *json_member(struct json_object *object, const char *key)
{
	struct json_object *member = NULL;

	if (json_object_is_type(object, json_type_object))
		json_object_object_get_ex(object, key, &member);
	return member;
}

bool json_has(struct json_object *object, const char *key)
{
	return json_member(object, key) != NULL;
}

const char *json_text(struct json_object *object, const char *key)
{
	struct json_object *member = json_member(object, key);

	return json_object_is_type(member, json_type_string) ? json_object_get_string(member) : "";
}

int64_t json_number(struct json_object *object, const char *key)
{
	struct json_object *member = json_member(object, key);

	return json_object_is_type(member, json_type_int) ? json_object_get_int64(member) : 0;
}

bool json_flag(struct json_object *object, const char *key)
{
	struct json_object *member = json_member(object, key);

	return json_object_is_type(member, json_type_boolean) && json_object_get_boolean(member);
}

size_t json_count(struct json_object *object, const char *key)
{
	struct json_object *member = json_member(object, key);

	return json_object_is_type(member, json_type_array) ? json_object_array_length(member) : 0;
}

struct json_object *json_element(struct json_object *object, const char *key, size_t index)
{
	return index < json_count(object, key) ? json_object_array_get_idx(json_member(object, key), index) : NULL;
}

int64_t json_time_us(struct json_object *object, const char *key)
{
	const char *text = json_text(object, key);
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int ms = 0;

	if (!rest)
		return 0;
	sscanf(rest, ".%3d", &ms);
	return (int64_t)timegm(&tm) * 1000000 + ms * 1000;
}
