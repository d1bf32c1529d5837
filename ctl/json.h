/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the daemon's documents. Members that are missing or of another type are "", 0, false or empty: a newer or
 * older daemon may say more or less than this program knows. */
#ifndef POISECTL_JSON_H
#define POISECTL_JSON_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

const char *json_text(struct json_object *object, const char *key);
int64_t json_number(struct json_object *object, const char *key);
bool json_flag(struct json_object *object, const char *key);
bool json_has(struct json_object *object, const char *key); /* present and not null */
struct json_object *json_member(struct json_object *object, const char *key);
/* Arrays: 0 and NULL when it is none. */
size_t json_count(struct json_object *object, const char *key);
struct json_object *json_element(struct json_object *object, const char *key, size_t index);
/* Microseconds since 1970 of an RFC 3339 time in UTC; 0 when there is none. */
int64_t json_time_us(struct json_object *object, const char *key);

#endif
