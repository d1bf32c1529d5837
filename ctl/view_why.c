/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl why`: everything the daemon knows about one object, as sentences. It never talks to the daemon. */
#include "find.h"
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

/* One link only says again what is above. */
static void show_chain(struct text *t, struct json_object *chain, int64_t now_us)
{
	if (json_object_array_length(chain) > 1)
		view_chain(t, chain, now_us);
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

/* The names in an event are cut to this. */
#define EVENT_NAME 31

/* Is the name one of the words of an event's object? ("10.1.0.2:80" in "192.0.2.1:80/tcp 10.1.0.2:80", not in one of
 * 10.1.0.2:8080.) */
static bool has_name(const char *object, const char *name)
{
	size_t length = strnlen(name, EVENT_NAME);

	for (const char *at = object; length && (at = strstr(at, name)); at++)
		if ((at == object || at[-1] == ' ') && (at[length] == '\0' || at[length] == ' '))
			return true;
	return false;
}

/* An event that is about all of these names; NULL is none. */
static bool concerns(struct json_object *event, const char *name, const char *other)
{
	char cut[EVENT_NAME + 1], cut_other[EVENT_NAME + 1];
	const char *object = json_text(event, "object");

	snprintf(cut, sizeof(cut), "%s", name);
	snprintf(cut_other, sizeof(cut_other), "%s", other ? other : "");
	return has_name(object, cut) && (!other || has_name(object, cut_other));
}

/* The last events about the names, the oldest first. */
static struct json_object *choose_events(struct json_object *events, const char *name, const char *other)
{
	struct json_object *chosen = json_object_new_array();
	size_t count = json_count(events, "events"), hits = 0, first = count;

	while (first > 0 && hits < EVENTS_SHOWN)
		hits += concerns(json_element(events, "events", --first), name, other);
	for (size_t i = first; i < count; i++)
		if (concerns(json_element(events, "events", i), name, other))
			json_object_array_add(chosen, json_object_get(json_element(events, "events", i)));
	return chosen;
}

static void show_events(struct text *t, struct json_object *chosen)
{
	size_t count = json_object_array_length(chosen);
	long day = 0;

	if (count == 0)
		return;
	text_tab(t, LABEL_AT);
	text_styled(t, STYLE_DIM, "lately");
	text_newline(t);
	for (size_t i = 0; i < count; i++)
		view_event(t, json_object_array_get_idx(chosen, i), &day);
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

static void show_instance(struct text *t, struct json_object *instance, struct json_object *chain, int64_t now_us)
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
	show_chain(t, chain, now_us);
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
}

static void show_group(struct text *t, struct json_object *group, struct json_object *chain, int64_t now_us)
{
	const char *name = json_text(group, "name"), *state = json_text(group, "state");

	text_styled(t, STYLE_BOLD, "group %s", name);
	text_add(t, " is ");
	text_styled(t, view_vrrp_style(state), "%s", state);
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(group, "why"));
	show_since(t, group, now_us);
	show_chain(t, chain, now_us);
	for (size_t i = 0; i < json_count(group, "members"); i++)
		show_line(
			t, i ? "" : "members", STYLE_PLAIN, json_object_get_string(json_element(group, "members", i)));
	show_tracks(t, group);
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

static void show_server(struct text *t, const struct found *found, struct json_object *chain, int64_t now_us)
{
	struct json_object *server = found->object;
	struct server_look look = view_server_look(server);
	char name[128], line[400], end[96];

	view_server_name(server, name, sizeof(name));
	text_styled(t, STYLE_BOLD, "%s", name);
	text_add(t, " of %s is ", json_text(found->service, "name"));
	text_styled(t, look.style, "%s", strcmp(look.word, "drain") == 0 ? "draining" : look.word);
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(server, "why"));
	show_since(t, server, now_us);
	show_chain(t, chain, now_us);
	snprintf(line, sizeof(line), "%s: %s", json_text(server, "health"), json_text(server, "health_why"));
	show_line(t, "health", STYLE_PLAIN, line);
	snprintf(line, sizeof(line), "%s%s%s%s", json_text(server, "admin"),
		*json_text(server, "admin_why") ? ": " : "", json_text(server, "admin_why"),
		view_drain_end(server, end, sizeof(end)));
	show_line(t, "operator", STYLE_PLAIN, line);
	for (size_t i = 0; i < json_count(server, "checks"); i++)
		show_check(t, json_element(server, "checks", i));
	if (json_flag(server, "programmed"))
		snprintf(line, sizeof(line), "%lld in the kernel, %lld as configured",
			(long long)json_number(server, "effective_weight"), (long long)json_number(server, "weight"));
	else
		snprintf(line, sizeof(line), "%lld as configured; it is not in the kernel",
			(long long)json_number(server, "weight"));
	show_line(t, "weight", STYLE_PLAIN, line);
	snprintf(line, sizeof(line), "%lld active, %lld inactive, %lld since it was added",
		(long long)json_number(server, "active"), (long long)json_number(server, "inactive"),
		(long long)json_number(server, "connections"));
	show_line(t, "connections", STYLE_PLAIN, line);
}

static void show_service(struct text *t, struct json_object *service, struct json_object *chain, int64_t now_us)
{
	bool quorum = json_flag(service, "quorum");
	char line[96];

	text_styled(t, STYLE_BOLD, "%s", json_text(service, "name"));
	text_add(t, " has ");
	text_styled(t, quorum ? STYLE_GOOD : STYLE_BAD, "%s", quorum ? "quorum" : "no quorum");
	text_newline(t);
	show_line(t, "because", STYLE_PLAIN, json_text(service, "why"));
	show_since(t, service, now_us);
	show_chain(t, chain, now_us);
	snprintf(line, sizeof(line), "%lld of %zu up, weight %lld needed",
		(long long)json_number(service, "servers_up"), json_count(service, "servers"),
		(long long)json_number(service, "quorum_needed"));
	show_line(t, "servers", STYLE_PLAIN, line);
	show_line(t, "kernel", STYLE_PLAIN, json_flag(service, "programmed") ? "in place" : "not in place");
}

/* ---- whatever it is ---- */

static struct json_object *chain_of(struct json_object *status, const struct found *f)
{
	struct json_object *chain = json_object_new_array();

	switch (f->kind) {
	case FOUND_NODE:
		view_chain_node(chain, status);
		break;
	case FOUND_INSTANCE:
		view_chain_instance(chain, status, f->object);
		break;
	case FOUND_GROUP:
		view_chain_group(chain, status, f->object);
		break;
	case FOUND_SERVICE:
		view_chain_service(chain, f->object);
		break;
	case FOUND_SERVER:
		view_chain_server(chain, f->service, f->object, f->is_sorry);
		break;
	}
	return chain;
}

static struct json_object *events_of(struct json_object *events, const struct found *f)
{
	char name[128];

	if (f->kind == FOUND_NODE)
		return json_object_new_array();
	if (f->kind != FOUND_SERVER)
		return choose_events(events, json_text(f->object, "name"), NULL);
	return choose_events(events, view_server_name(f->object, name, sizeof(name)), json_text(f->service, "name"));
}

struct why {
	struct json_object *status, *events, *objects;
	struct text *t;
	int64_t now_us;
	bool is_first;
};

static void show_found(const struct found *f, void *arg)
{
	struct why *why = arg;
	struct json_object *chain = chain_of(why->status, f), *lately = events_of(why->events, f);

	if (!why->is_first)
		text_newline(why->t);
	why->is_first = false;
	switch (f->kind) {
	case FOUND_NODE:
		text_styled(why->t, STYLE_BOLD, "%s", json_text(why->status, "node"));
		text_newline(why->t);
		view_chain(why->t, chain, why->now_us);
		break;
	case FOUND_INSTANCE:
		show_instance(why->t, f->object, chain, why->now_us);
		break;
	case FOUND_GROUP:
		show_group(why->t, f->object, chain, why->now_us);
		break;
	case FOUND_SERVICE:
		show_service(why->t, f->object, chain, why->now_us);
		break;
	case FOUND_SERVER:
		show_server(why->t, f, chain, why->now_us);
		break;
	}
	show_events(why->t, lately);
	json_object_put(chain);
	json_object_put(lately);
}

static void add_found(const struct found *f, void *arg)
{
	static const char *const kinds[] = {"node", "instance", "group", "service", "server"};
	struct json_object *object = json_object_new_object();
	struct why *why = arg;
	char name[128];

	json_object_object_add(object, "kind", json_object_new_string(kinds[f->kind]));
	json_object_object_add(object, "name",
		json_object_new_string(f->kind == FOUND_SERVER ? view_server_name(f->object, name, sizeof(name))
				       : f->kind == FOUND_NODE ? json_text(f->object, "node")
							       : json_text(f->object, "name")));
	if (f->kind == FOUND_SERVER)
		json_object_object_add(object, "service", json_object_new_string(json_text(f->service, "name")));
	json_object_object_add(object, "causes", chain_of(why->status, f));
	json_object_object_add(object, "events", events_of(why->events, f));
	if (f->kind != FOUND_NODE)
		json_object_object_add(object, "status", json_object_get(f->object));
	json_object_array_add(why->objects, object);
}

int view_why(struct text *t, struct json_object *status, struct json_object *events, const char *name, int64_t now_us)
{
	struct why why = {.status = status, .events = events, .t = t, .now_us = now_us, .is_first = true};

	return find_named(status, name, show_found, &why);
}

struct json_object *view_why_document(struct json_object *status, struct json_object *events, const char *name)
{
	struct why why = {.status = status, .events = events, .objects = json_object_new_array()};
	struct json_object *document = json_object_new_object();

	find_named(status, name, add_found, &why);
	json_object_object_add(document, "objects", why.objects);
	return document;
}
