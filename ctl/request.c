/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every command needs: a request begun, a refusal said, the time. */
#include "ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int ctl_fail(int status, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("poisectl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return status;
}

int ctl_wrong_usage(const struct ctl_command *command)
{
	fflush(stdout);
	usage_show_synopsis(command, "poisectl: usage: ", stderr);
	return CTL_USAGE;
}

int ctl_fail_asked(const struct client *client, enum client_result rc)
{
	if (rc == CLIENT_INTERRUPTED)
		return CTL_INTERRUPTED;
	return ctl_fail(CTL_FAILED, "%s", client->error[0] ? client->error : "refused without a reason");
}

int ctl_exit_of(enum client_result rc)
{
	return rc == CLIENT_OK ? CTL_DONE : rc == CLIENT_INTERRUPTED ? CTL_INTERRUPTED : CTL_FAILED;
}

struct json_object *ctl_request(const char *name, const char *server, const char *service)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "command", json_object_new_string(name));
	if (server)
		json_object_object_add(request, "server", json_object_new_string(server));
	if (service)
		json_object_object_add(request, "service", json_object_new_string(service));
	return request;
}

void ctl_print_json(struct json_object *document, bool is_line)
{
	int layout = is_line || !isatty(STDOUT_FILENO) ? JSON_C_TO_STRING_PLAIN
						       : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;

	puts(json_object_to_json_string_ext(document, layout | JSON_C_TO_STRING_NOSLASHESCAPE));
	fflush(stdout);
}

void ctl_print_answer(const struct client *client, enum client_result rc, struct json_object *result)
{
	struct json_object *answer = json_object_new_object();

	json_object_object_add(answer, "ok", json_object_new_boolean(rc == CLIENT_OK));
	json_object_object_add(answer, "error", rc == CLIENT_OK ? NULL : json_object_new_string(client->error));
	if (json_object_is_type(result, json_type_object)) {
		json_object_object_foreach(result, key, value)
			json_object_object_add(answer, key, json_object_get(value));
	}
	ctl_print_json(answer, true);
	json_object_put(answer);
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

int64_t ctl_now_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

int64_t ctl_monotonic_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}
