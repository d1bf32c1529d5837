/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl why`: everything the daemon knows about one object, as sentences. It never talks to the daemon. */
#include "view_chain.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LABEL_AT 2
#define VALUE_AT 15
#define EVENTS_SHOWN 5

static void show_line(struct text *t, const char *label, enum style style, const char *value)
{
	if (!*value)
		return;
	text_tab(t, LABEL_AT);
	text_styled(t, STYLE_DIM, "%s", label);
	text_tab(t, VALUE_AT);
	text_wrap(t, VALUE_AT, style, value);
	text_newline(t);
}

static void show_since(struct text *t, struct json_object *object, int64_t now_us)
{
	int64_t since_us = json_time_us(object, "since");
	time_t seconds = (time_t)(since_us / 1000000);
	char when[32], ago[TEXT_DURATION], line[96];
	struct tm tm;

	if (!since_us)
		return;
	localtime_r(&seconds, &tm);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(line, sizeof(line), "%s (%s ago)", when, text_duration(now_us - since_us, ago));
	show_line(t, "since", STYLE_PLAIN, line);
}

static bool concerns(struct json_object *event, const char *name)
{
	return strstr(json_text(event, "object"), name) != NULL;
}

/* The last events whose object has the name in it ("10.1.0.2:80" is in "192.0.2.1:80/tcp 10.1.0.2:80"). */
static void show_events(struct text *t, struct json_object *events, const char *name)
{
	size_t count = json_count(events, "events"), hits = 0, skip;
	long day = 0;

	for (size_t i = 0; i < count; i++)
		hits += concerns(json_element(events, "events", i), name);
	if (hits == 0)
		return;
	text_tab(t, LABEL_AT);
	text_styled(t, STYLE_DIM, "lately");
	text_newline(t);
	skip = hits > EVENTS_SHOWN ? hits - EVENTS_SHOWN : 0;
	for (size_t i = 0; i < count; i++) {
		struct json_object *event = json_element(events, "events", i);

		if (!concerns(event, name))
			continue;
		if (skip > 0)
			skip--;
		else
			view_event(t, event, &day);
	}
}

static void show_tracks(struct text *t, struct json_object *object)
{
	char label[160], value[320];

	for (size_t i = 0; i < json_count(object, "tracks"); i++) {
		struct json_object *track = json_element(object, "tracks", i);
		bool is_up = json_flag(track, "up");

		snprintf(label, sizeof(label), "%s %s is %s", json_text(track, "kind"), json_text(track, "name"),
			!json_has(track, "up") ? "unknown"
			: is_up                ? "up"
					       : "down");
		snprintf(value, sizeof(value), "%s%s%s", label, *json_text(track, "why") ? ": " : "",
			json_text(track, "why"));
		show_line(t, i ? "" : "tracks", is_up ? STYLE_PLAIN : STYLE_CARE, value);
	}
}

/* "2 of 3: route ..., route ...", where there are any. */
static void show_held(struct text *t, struct json_object *instance, const char *key, const char *held_key)
{
	size_t count = json_count(instance, key);
	char line[1024];

	if (count == 0)
		return;
	snprintf(line, sizeof(line), "%lld of %zu", (long long)json_number(instance, held_key), count);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(line);

		snprintf(line + length, sizeof(line) - length, "%s%s", i ? ", " : ": ",
			json_object_get_string(json_element(instance, key, i)));
	}
	show_line(t, key, STYLE_PLAIN, line);
}

static void show_instance(struct text *t, struct json_object *status, struct json_object *instance,
	struct json_object *events, int64_t now_us)
{
	const char *name = json_text(instance, "name"), *state = json_text(instance, "state");
	long long base = json_number(instance, "priority"), now = json_number(instance, "effective_priority");
	char line[200];

	text_styled(t, STYLE_BOLD, "%s", name);
	text_add(t, " is ");
	text_styled(t, view_vrrp_style(state), "%s", state);
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(instance, "why"));
	show_since(t, instance, now_us);
	view_chain_instance(t, status, instance);
	if (now == base)
		snprintf(line, sizeof(line), "%lld", now);
	else
		snprintf(line, sizeof(line), "%lld at the moment, %lld as configured", now, base);
	show_line(t, "priority", now < base ? STYLE_CARE : STYLE_PLAIN, line);
	if (json_has(instance, "master")) {
		snprintf(line, sizeof(line), "%s, priority %lld", json_text(instance, "master"),
			(long long)json_number(instance, "master_priority"));
		show_line(t, "master", STYLE_PLAIN, line);
	}
	snprintf(line, sizeof(line), "%lld of %zu", (long long)json_number(instance, "addresses_held"),
		json_count(instance, "addresses") + json_count(instance, "excluded_addresses"));
	show_line(t, "addresses", STYLE_PLAIN, line);
	show_held(t, instance, "routes", "routes_held");
	show_held(t, instance, "rules", "rules_held");
	show_line(t, "group", STYLE_PLAIN, json_text(instance, "group"));
	show_tracks(t, instance);
	show_events(t, events, name);
}

static void show_group(struct text *t, struct json_object *group, struct json_object *events, int64_t now_us)
{
	const char *name = json_text(group, "name"), *state = json_text(group, "state");

	text_styled(t, STYLE_BOLD, "group %s", name);
	text_add(t, " is ");
	text_styled(t, view_vrrp_style(state), "%s", state);
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(group, "why"));
	show_since(t, group, now_us);
	for (size_t i = 0; i < json_count(group, "members"); i++)
		show_line(
			t, i ? "" : "members", STYLE_PLAIN, json_object_get_string(json_element(group, "members", i)));
	show_tracks(t, group);
	show_events(t, events, name);
}

static void show_phase(char *line, size_t size, const char *name, int64_t at_us)
{
	size_t used = strlen(line);
	char time[TEXT_DURATION];

	if (at_us > 0)
		snprintf(line + used, size - used, ", %s %s", name, text_time(at_us, time));
}

/* One check: what it said last, how far the last run came when, and how the runs before ended (the newest first). */
static void show_check(struct text *t, struct json_object *check)
{
	char label[32], line[512], time[TEXT_DURATION];
	enum style style = strcmp(json_text(check, "health"), "down") == 0 ? STYLE_BAD
			   : json_number(check, "failures_in_a_row")       ? STYLE_CARE
									   : STYLE_PLAIN;

	snprintf(label, sizeof(label), "%.12s", json_text(check, "kind"));
	snprintf(line, sizeof(line), "%s: %s", json_text(check, "health"), json_text(check, "why"));
	show_line(t, label, style, line);
	snprintf(line, sizeof(line), "%s%s", json_text(check, "reason"),
		json_flag(check, "shared") ? " (run once for several servers)" : "");
	show_phase(line, sizeof(line), "connected after", json_number(check, "connect_us"));
	show_phase(line, sizeof(line), "handshake after", json_number(check, "handshake_us"));
	show_phase(line, sizeof(line), "first byte after", json_number(check, "first_byte_us"));
	show_phase(line, sizeof(line), "done after", json_number(check, "duration_us"));
	show_line(t, "", STYLE_PLAIN, line);
	snprintf(line, sizeof(line), "%s, %lld of %lld runs failed, every %s%s", json_text(check, "history"),
		(long long)json_number(check, "failed_runs"), (long long)json_number(check, "runs"),
		text_time(json_number(check, "interval_ms") * 1000, time),
		json_flag(check, "late") ? ": LATE, has not run for three intervals" : "");
	if (json_number(check, "runs") > 0)
		show_line(t, "", json_flag(check, "late") ? STYLE_BAD : STYLE_DIM, line);
	if (json_has(check, "certificate_days")) {
		snprintf(line, sizeof(line), "the certificate ends in %lld days",
			(long long)json_number(check, "certificate_days"));
		show_line(t, "", STYLE_DIM, line);
	}
}

static void show_server(struct text *t, struct json_object *service, struct json_object *server,
	struct json_object *events, int64_t now_us)
{
	struct server_look look = view_server_look(server);
	char name[128], line[400];

	view_server_name(server, name, sizeof(name));
	text_styled(t, STYLE_BOLD, "%s", name);
	text_add(t, " of %s is ", json_text(service, "name"));
	text_styled(t, look.style, "%s", strcmp(look.word, "drain") == 0 ? "draining" : look.word);
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(server, "why"));
	show_since(t, server, now_us);
	view_chain_server(t, service, server);
	snprintf(line, sizeof(line), "%s: %s", json_text(server, "health"), json_text(server, "health_why"));
	show_line(t, "health", STYLE_PLAIN, line);
	snprintf(line, sizeof(line), "%s%s%s", json_text(server, "admin"), *json_text(server, "admin_why") ? ": " : "",
		json_text(server, "admin_why"));
	show_line(t, "operator", STYLE_PLAIN, line);
	for (size_t i = 0; i < json_count(server, "checks"); i++)
		show_check(t, json_element(server, "checks", i));
	snprintf(line, sizeof(line), "%lld in the kernel, %lld as configured",
		(long long)json_number(server, "effective_weight"), (long long)json_number(server, "weight"));
	show_line(t, "weight", STYLE_PLAIN, line);
	snprintf(line, sizeof(line), "%lld active, %lld inactive, %lld since it was added",
		(long long)json_number(server, "active"), (long long)json_number(server, "inactive"),
		(long long)json_number(server, "connections"));
	show_line(t, "connections", STYLE_PLAIN, line);
	show_events(t, events, name);
}

static void show_service(struct text *t, struct json_object *service, struct json_object *events, int64_t now_us)
{
	bool quorum = json_flag(service, "quorum");
	char line[96];

	text_styled(t, STYLE_BOLD, "%s", json_text(service, "name"));
	text_add(t, " has ");
	text_styled(t, quorum ? STYLE_GOOD : STYLE_BAD, "%s", quorum ? "quorum" : "no quorum");
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(service, "why"));
	show_since(t, service, now_us);
	view_chain_service(t, service);
	snprintf(line, sizeof(line), "%lld of %zu up, weight %lld needed",
		(long long)json_number(service, "servers_up"), json_count(service, "servers"),
		(long long)json_number(service, "quorum_needed"));
	show_line(t, "servers", STYLE_PLAIN, line);
	show_line(t, "kernel", STYLE_PLAIN, json_flag(service, "programmed") ? "in place" : "not in place");
	show_events(t, events, json_text(service, "name"));
}

/* "10.1.0.2" and "10.1.0.2:80" both mean the server 10.1.0.2:80. */
static bool is_server(struct json_object *server, const char *object)
{
	char name[128];

	return strcmp(json_text(server, "address"), object) == 0 || strcmp(json_text(server, "name"), object) == 0 ||
	       strcmp(view_server_name(server, name, sizeof(name)), object) == 0;
}

/* "192.0.2.1:80" means "192.0.2.1:80/tcp" too. */
static bool is_service(struct json_object *service, const char *object)
{
	const char *name = json_text(service, "name");
	size_t length = strlen(object);

	return strncmp(name, object, length) == 0 && (name[length] == '\0' || name[length] == '/');
}

static void separate(struct text *t, int found)
{
	if (found)
		text_newline(t);
}

int view_why(struct text *t, struct json_object *status, struct json_object *events, const char *object, int64_t now_us)
{
	int found = 0;

	if (strcmp(object, "node") == 0 || strcmp(object, json_text(status, "node")) == 0) {
		text_styled(t, STYLE_BOLD, "%s", json_text(status, "node"));
		text_newline(t);
		view_chain_node(t, status);
		found++;
	}
	for (size_t i = 0; i < json_count(status, "vrrp"); i++) {
		struct json_object *instance = json_element(status, "vrrp", i);

		if (strcmp(json_text(instance, "name"), object) != 0)
			continue;
		separate(t, found++);
		show_instance(t, status, instance, events, now_us);
	}
	for (size_t i = 0; i < json_count(status, "groups"); i++) {
		struct json_object *group = json_element(status, "groups", i);

		if (strcmp(json_text(group, "name"), object) != 0)
			continue;
		separate(t, found++);
		show_group(t, group, events, now_us);
	}
	for (size_t i = 0; i < json_count(status, "services"); i++) {
		struct json_object *service = json_element(status, "services", i);

		if (is_service(service, object)) {
			separate(t, found++);
			show_service(t, service, events, now_us);
		}
		for (size_t k = 0; k < json_count(service, "servers"); k++) {
			struct json_object *server = json_element(service, "servers", k);

			if (!is_server(server, object))
				continue;
			separate(t, found++);
			show_server(t, service, server, events, now_us);
		}
	}
	return found;
}
