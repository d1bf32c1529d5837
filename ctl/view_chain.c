/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chain of causes of `poisectl why`: an effect, what caused it, what caused that, each with the time since when.
 * It never talks to the daemon. */
#include "view_chain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_AT 2
#define TEXT_AT 12
/* Causes of one kind that are shown; the rest is counted. */
#define CAUSES_MAX 8

static void __attribute__((format(printf, 4, 5)))
link_of(struct text *t, int depth, int64_t since_us, const char *fmt, ...)
{
	time_t seconds = (time_t)(since_us / 1000000);
	char line[700], clock[16] = "";
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (since_us) {
		localtime_r(&seconds, &tm);
		strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
	}
	text_tab(t, TIME_AT);
	text_styled(t, STYLE_DIM, "%s", clock);
	text_tab(t, TEXT_AT + 2 * depth);
	if (depth > 0)
		text_styled(t, STYLE_DIM, "%s ", text_sign(t->screen, SIGN_CAUSE));
	text_wrap(t, TEXT_AT + 2 * depth + 2, STYLE_PLAIN, line);
	text_newline(t);
}

static bool is(struct json_object *object, const char *key, const char *value)
{
	return strcmp(json_text(object, key), value) == 0;
}

static void show_checks(struct text *t, struct json_object *server, int depth)
{
	for (size_t i = 0; i < json_count(server, "checks"); i++) {
		struct json_object *check = json_element(server, "checks", i);

		if (is(check, "health", "up") && json_number(check, "failures_in_a_row") == 0)
			continue;
		link_of(t, depth, json_time_us(check, "since"),
			"%s%s%s: %s: %s (%lld failures in a row, every %lld ms)", json_text(check, "kind"),
			json_text(check, "target")[0] ? " " : "", json_text(check, "target"),
			json_text(check, "health"), json_text(check, "why"),
			(long long)json_number(check, "failures_in_a_row"),
			(long long)json_number(check, "interval_ms"));
	}
}

/* Why a server gets what it gets, from a depth on. */
static void show_server_causes(struct text *t, struct json_object *server, int depth)
{
	struct json_object *drain = json_member(server, "drain");

	if (!is(server, "admin", "normal"))
		link_of(t, depth, json_time_us(server, "admin_since"), "%s: %s%s%s%s", json_text(server, "admin"),
			json_text(server, "admin_why"), json_has(drain, "until") ? ", until " : "",
			json_has(drain, "until") ? json_text(drain, "until") : "",
			json_flag(server, "drained") ? "; no connection is left" : "");
	if (!is(server, "health", "up")) {
		link_of(t, depth, json_time_us(server, "health_since"), "%s: %s", json_text(server, "health"),
			json_text(server, "health_why"));
		show_checks(t, server, depth + 1);
	} else if (json_number(server, "health_weight_percent") != 100 || json_flag(server, "draining")) {
		link_of(t, depth, json_time_us(server, "health_since"), "its checks leave it %lld %% of its weight: %s",
			(long long)json_number(server, "health_weight_percent"), json_text(server, "health_why"));
	}
}

void view_chain_server(struct text *t, struct json_object *service, struct json_object *server)
{
	long long now = json_number(server, "effective_weight"), configured = json_number(server, "weight");

	if (!json_flag(server, "programmed"))
		link_of(t, 0, json_time_us(server, "since"), "not in the kernel's table: gets no connection");
	else if (now == 0)
		link_of(t, 0, json_time_us(server, "since"), "weight 0 in the kernel: gets no new connection");
	else
		link_of(t, 0, json_time_us(server, "since"), "weight %lld in the kernel: takes part", now);
	show_server_causes(t, server, 1);
	if (json_has(server, "admin_weight"))
		link_of(t, 1, json_time_us(server, "admin_since"), "weight %lld instead of %lld: %s",
			(long long)json_number(server, "admin_weight"), configured, json_text(server, "admin_why"));
	if (!json_flag(service, "programmed") && *json_text(service, "why"))
		link_of(t, 1, json_time_us(service, "since"), "its service is not in the kernel: %s",
			json_text(service, "why"));
}

void view_chain_service(struct text *t, struct json_object *service)
{
	size_t shown = 0, more = 0;
	char name[128];

	if (!json_flag(service, "programmed"))
		link_of(t, 0, json_time_us(service, "since"), "not in the kernel: %s", json_text(service, "why"));
	link_of(t, 0, json_time_us(service, "since"), "%s: %lld of %zu servers take part, weight %lld is needed",
		json_flag(service, "quorum") ? "has its quorum" : "has lost its quorum",
		(long long)json_number(service, "servers_up"), json_count(service, "servers"),
		(long long)json_number(service, "quorum_needed"));
	for (size_t i = 0; i < json_count(service, "servers"); i++) {
		struct json_object *server = json_element(service, "servers", i);

		if (is(server, "health", "up") && is(server, "admin", "normal"))
			continue;
		if (++shown > CAUSES_MAX) {
			more++;
			continue;
		}
		link_of(t, 1, json_time_us(server, "since"), "%s: %s", view_server_name(server, name, sizeof(name)),
			view_server_look(server).word);
		show_server_causes(t, server, 2);
	}
	if (more)
		link_of(t, 1, 0, "and %zu more servers", more);
}

static struct json_object *find_named(struct json_object *parent, const char *array, const char *name)
{
	for (size_t i = 0; i < json_count(parent, array); i++)
		if (is(json_element(parent, array, i), "name", name))
			return json_element(parent, array, i);
	return NULL;
}

static void show_tracks(struct text *t, struct json_object *object, int depth)
{
	for (size_t i = 0; i < json_count(object, "tracks"); i++) {
		struct json_object *track = json_element(object, "tracks", i);

		if (json_flag(track, "up") && json_number(track, "weight_now") == 0)
			continue;
		link_of(t, depth, json_time_us(track, "since"), "%s %s is %s%s%s (weight %+lld now)",
			json_text(track, "kind"), json_text(track, "name"), json_flag(track, "up") ? "up" : "down",
			*json_text(track, "why") ? ": " : "", json_text(track, "why"),
			(long long)json_number(track, "weight_now"));
	}
}

/* The others of its sync group that are not as it should be drag it along. */
static void show_group(struct text *t, struct json_object *status, struct json_object *instance, int depth)
{
	struct json_object *group = find_named(status, "groups", json_text(instance, "group"));

	if (!json_has(instance, "group") || !group)
		return;
	link_of(t, depth, json_time_us(group, "since"), "sync group %s is %s: %s", json_text(group, "name"),
		json_text(group, "state"), json_text(group, "why"));
	show_tracks(t, group, depth + 1);
	for (size_t i = 0; i < json_count(group, "members"); i++) {
		const char *name = json_object_get_string(json_element(group, "members", i));
		struct json_object *member = find_named(status, "vrrp", name);

		if (!member || is(member, "name", json_text(instance, "name")) || !is(member, "state", "FAULT"))
			continue;
		link_of(t, depth + 1, json_time_us(member, "since"), "%s is FAULT: %s", name, json_text(member, "why"));
		show_tracks(t, member, depth + 2);
	}
}

void view_chain_instance(struct text *t, struct json_object *status, struct json_object *instance)
{
	long long base = json_number(instance, "priority"), now = json_number(instance, "effective_priority");

	link_of(t, 0, json_time_us(instance, "since"), "%s: %s", json_text(instance, "state"),
		json_text(instance, "why"));
	if (!is(instance, "state", "MASTER") && json_has(instance, "master"))
		link_of(t, 1, 0, "%s is master, with priority %lld; here it is %lld", json_text(instance, "master"),
			(long long)json_number(instance, "master_priority"), now);
	if (now != base)
		link_of(t, 1, 0, "priority %lld instead of %lld", now, base);
	show_tracks(t, instance, now != base ? 2 : 1);
	show_group(t, status, instance, 1);
}

void view_chain_node(struct text *t, struct json_object *status)
{
	struct json_object *configuration = json_member(status, "configuration");

	link_of(t, 0, json_time_us(status, "started"), "poised %s was started", json_text(status, "version"));
	link_of(t, 0, json_time_us(configuration, "loaded"), "%s: %s", json_text(configuration, "file"),
		json_text(configuration, "why"));
	for (size_t i = 0; i < json_count(status, "roles"); i++) {
		struct json_object *role = json_element(status, "roles", i);

		if (!is(role, "state", "running") || json_number(role, "restarts") > 0)
			link_of(t, 1, json_time_us(role, "since"), "%s is %s, started again %lld times: %s",
				json_text(role, "name"), json_text(role, "state"),
				(long long)json_number(role, "restarts"), json_text(role, "why"));
	}
	for (size_t i = 0; i < json_count(status, "vrrp"); i++)
		view_chain_instance(t, status, json_element(status, "vrrp", i));
	for (size_t i = 0; i < json_count(status, "problems"); i++) {
		struct json_object *problem = json_element(status, "problems", i);

		link_of(t, 0, 0, "%s: %s", json_text(problem, "object"), json_text(problem, "text"));
	}
}
