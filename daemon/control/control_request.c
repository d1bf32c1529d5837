/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes the requests of local clients; runs in the control process and in its fuzzer. It never acts on a request and
 * holds no state. */
#include "control_request.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	bool changes, names_server;
} commands[] = {
#define X(id, name, changes, server) [REQUEST_##id] = {name, changes, server},
	REQUEST_COMMANDS(X)
#undef X
};

static int __attribute__((format(printf, 2, 3))) refuse(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, REQUEST_ERROR_SIZE, fmt, ap);
	va_end(ap);
	return -1;
}

/* Copies a text member; absent is "". Returns 0 or -1. */
static int take_text(struct json_object *object, const char *key, char *out, size_t size, char *error)
{
	struct json_object *member;
	const char *text;

	out[0] = '\0';
	if (!json_object_object_get_ex(object, key, &member) || !member)
		return 0;
	if (!json_object_is_type(member, json_type_string))
		return refuse(error, "\"%s\" must be a text", key);
	text = json_object_get_string(member);
	if (strlen(text) != (size_t)json_object_get_string_len(member) || strlen(text) >= size)
		return refuse(error, "\"%s\" is longer than %zu characters or holds a zero byte", key, size - 1);
	for (const char *c = text; *c; c++) {
		/* These texts end up in log lines. */
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return refuse(error, "\"%s\" holds a control character", key);
	}
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int take_command(struct json_object *object, struct request *request, char *error)
{
	char name[32];

	if (take_text(object, "command", name, sizeof(name), error) < 0)
		return -1;
	for (unsigned i = 0; i < REQUEST_COMMAND_COUNT; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			request->command = (enum request_command)i;
			return 0;
		}
	}
	return refuse(error, "command \"%s\" is not known to this daemon", name);
}

static int take_weight(struct json_object *object, struct request *request, char *error)
{
	struct json_object *member;
	int64_t value;

	if (!json_object_object_get_ex(object, "weight", &member) || !json_object_is_type(member, json_type_int))
		return refuse(error, "\"weight\" must be a number");
	value = json_object_get_int64(member);
	if (value < REQUEST_WEIGHT_CONFIGURED || value > REQUEST_WEIGHT_MAX)
		return refuse(error, "weight %lld is not between 0 and %d", (long long)value, REQUEST_WEIGHT_MAX);
	request->weight = (int32_t)value;
	return 0;
}

#define TIME_MAX_S (365 * 86400)

/* A number of seconds; absent is 0. */
static int take_seconds(struct json_object *object, const char *key, int64_t *out_us, char *error)
{
	struct json_object *member;
	double seconds;

	*out_us = 0;
	if (!json_object_object_get_ex(object, key, &member) || !member)
		return 0;
	if (!json_object_is_type(member, json_type_int) && !json_object_is_type(member, json_type_double))
		return refuse(error, "\"%s\" must be a number of seconds", key);
	seconds = json_object_get_double(member);
	if (!(seconds >= 0 && seconds <= TIME_MAX_S))
		return refuse(error, "\"%s\" must be between 0 and %d seconds", key, TIME_MAX_S);
	*out_us = (int64_t)(seconds * US_PER_S);
	return 0;
}

static bool take_flag(struct json_object *object, const char *key)
{
	struct json_object *member;

	return json_object_object_get_ex(object, key, &member) && json_object_get_boolean(member);
}

/* How a drain ends. */
static int take_end(struct json_object *object, struct request *request, char *error)
{
	char word[16];

	if (take_seconds(object, "timeout", &request->time_us, error) < 0 ||
		take_text(object, "then", word, sizeof(word), error) < 0)
		return -1;
	request->keep_known = take_flag(object, "keep_known");
	request->drain_end = DRAIN_KEEP;
	if (!word[0])
		return 0;
	for (enum drain_end end = DRAIN_KEEP; end <= DRAIN_REMOVE; end++) {
		if (strcmp(word, drain_end_name(end)) == 0) {
			request->drain_end = end;
			return 0;
		}
	}
	return refuse(error, "\"then\" is keep, reset or remove, not \"%s\"", word);
}

static int take_after(struct json_object *object, struct request *request, char *error)
{
	struct json_object *after, *member;

	if (!json_object_object_get_ex(object, "after", &after) || !after)
		return 0;
	if (!json_object_is_type(after, json_type_object))
		return refuse(error, "\"after\" must be an object of role names and event numbers");
	for (int role = 0; role < ROLE_COUNT; role++) {
		if (!json_object_object_get_ex(after, role_name((enum role)role), &member))
			continue;
		if (!json_object_is_type(member, json_type_int) || json_object_get_int64(member) < 0)
			return refuse(error, "the event number of %s must be a number", role_name((enum role)role));
		request->after[role] = (uint64_t)json_object_get_int64(member);
	}
	return 0;
}

static int take_request(struct json_object *object, struct request *request, char *error)
{
	if (!json_object_is_type(object, json_type_object))
		return refuse(error, "a request is one JSON object in one line");
	if (take_command(object, request, error) < 0)
		return -1;
	if (take_text(object, "server", request->server, sizeof(request->server), error) < 0 ||
		take_text(object, "service", request->service, sizeof(request->service), error) < 0)
		return -1;
	if (take_text(object, "instance", request->instance, sizeof(request->instance), error) < 0)
		return -1;
	if (take_text(object, "file", request->file, sizeof(request->file), error) < 0 ||
		take_seconds(object, "confirm", &request->confirm_us, error) < 0)
		return -1;
	request->allow = take_flag(object, "allow");
	request->dry_run = take_flag(object, "dry_run");
	if (request->file[0] && request->file[0] != '/')
		return refuse(error, "\"file\" must begin with /");
	if (request->command == REQUEST_APPLY && !request->file[0])
		return refuse(error, "apply needs a \"file\"");
	request->back = take_flag(object, "back");
	if (request->command == REQUEST_DRAIN && take_end(object, request, error) < 0)
		return -1;
	if (commands[request->command].names_server && !request->server[0])
		return refuse(error, "%s needs a \"server\"", request_name(request->command));
	request->weight = REQUEST_WEIGHT_CONFIGURED;
	if ((request->command == REQUEST_WEIGHT ||
		    (request->command == REQUEST_SERVER_ADD && json_object_object_get_ex(object, "weight", NULL))) &&
		take_weight(object, request, error) < 0)
		return -1;
	return take_after(object, request, error);
}

int request_parse(const char *line, size_t length, struct request *request, char *error)
{
	struct json_tokener *tokener = json_tokener_new_ex(4);
	struct json_object *object;
	int result;

	memset(request, 0, sizeof(*request));
	if (!tokener)
		return refuse(error, "out of memory");
	if (length > REQUEST_MAX) {
		json_tokener_free(tokener);
		return refuse(error, "the request is longer than %d bytes", REQUEST_MAX);
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, line, (int)length);
	if (json_tokener_get_error(tokener) == json_tokener_success)
		result = take_request(object, request, error);
	else if (json_tokener_get_error(tokener) == json_tokener_continue)
		result = refuse(error, "the request is not JSON: it ends too early");
	else
		result = refuse(
			error, "the request is not JSON: %s", json_tokener_error_desc(json_tokener_get_error(tokener)));
	json_object_put(object);
	json_tokener_free(tokener);
	return result;
}

const char *request_name(enum request_command command)
{
	return command < REQUEST_COMMAND_COUNT ? commands[command].name : "?";
}

bool request_changes(enum request_command command)
{
	return command < REQUEST_COMMAND_COUNT && commands[command].changes;
}
