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

/* Adds a link: an effect at a depth, or what caused the one above it. `since` is a time of the document, or "". */
static void __attribute__((format(printf, 4, 5)))
link_of(struct json_object *chain, int depth, const char *since, const char *fmt, ...)
{
	struct json_object *link = json_object_new_object();
	char line[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	json_object_object_add(link, "depth", json_object_new_int(depth));
	json_object_object_add(link, "since", *since ? json_object_new_string(since) : NULL);
	json_object_object_add(link, "text", json_object_new_string(line));
	json_object_array_add(chain, link);
}

/* The time of day; of another day the day, too. */
static void clock_of(int64_t since_us, int64_t now_us, char *buf, size_t size)
{
	time_t seconds = (time_t)(since_us / 1000000), now = (time_t)(now_us / 1000000);
	struct tm tm, today;

	buf[0] = '\0';
	if (!since_us)
		return;
	localtime_r(&seconds, &tm);
	localtime_r(&now, &today);
	if (tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year)
		strftime(buf, size, "%H:%M:%S", &tm);
	else if (now - seconds < 6 * 86400)
		strftime(buf, size, "%a %H:%M", &tm);
	else
		strftime(buf, size, "%d %b", &tm);
}

void view_chain(struct text *t, struct json_object *chain, int64_t now_us)
{
	for (size_t i = 0; i < json_object_array_length(chain); i++) {
		struct json_object *link = json_object_array_get_idx(chain, i);
		int depth = (int)json_number(link, "depth");
		char clock[24];

		clock_of(json_time_us(link, "since"), now_us, clock, sizeof(clock));
		text_tab(t, TIME_AT);
		text_styled(t, STYLE_DIM, "%s", clock);
		text_tab(t, TEXT_AT + 2 * depth);
		if (depth > 0)
			text_styled(t, STYLE_DIM, "%s ", text_sign(t->screen, SIGN_CAUSE));
		text_wrap(t, TEXT_AT + 2 * depth + 2, STYLE_PLAIN, json_text(link, "text"));
		text_newline(t);
	}
}

static bool is(struct json_object *object, const char *key, const char *value)
{
	return strcmp(json_text(object, key), value) == 0;
}

static bool begins(struct json_object *object, const char *key, const char *beginning)
{
	return strncmp(json_text(object, key), beginning, strlen(beginning)) == 0;
}

static void show_checks(struct json_object *chain, struct json_object *server, int depth)
{
	for (size_t i = 0; i < json_count(server, "checks"); i++) {
		struct json_object *check = json_element(server, "checks", i);

		if (is(check, "health", "up") && json_number(check, "failures_in_a_row") == 0)
			continue;
		link_of(chain, depth, json_text(check, "since"),
			"%s%s%s: %s: %s (%lld failures in a row, every %lld ms)", json_text(check, "kind"),
			json_text(check, "target")[0] ? " " : "", json_text(check, "target"),
			json_text(check, "health"), json_text(check, "why"),
			(long long)json_number(check, "failures_in_a_row"),
			(long long)json_number(check, "interval_ms"));
	}
}

/* Why a server gets what it gets, from a depth on. */
static void show_server_causes(struct json_object *chain, struct json_object *server, int depth)
{
	char end[96];

	if (!is(server, "admin", "normal"))
		link_of(chain, depth, json_text(server, "admin_since"), "%s: %s%s%s", json_text(server, "admin"),
			json_text(server, "admin_why"), view_drain_end(server, end, sizeof(end)),
			json_flag(server, "drained") ? "; no connection is left" : "");
	if (!is(server, "health", "up")) {
		link_of(chain, depth, json_text(server, "health_since"), "%s: %s", json_text(server, "health"),
			json_text(server, "health_why"));
		show_checks(chain, server, depth + 1);
	} else if (json_number(server, "health_weight_percent") != 100 || json_flag(server, "draining")) {
		link_of(chain, depth, json_text(server, "health_since"),
			"its checks leave it %lld %% of its weight: %s",
			(long long)json_number(server, "health_weight_percent"), json_text(server, "health_why"));
	}
}

void view_chain_server(
	struct json_object *chain, struct json_object *service, struct json_object *server, bool is_sorry)
{
	long long now = json_number(server, "effective_weight"), configured = json_number(server, "weight");

	if (is_sorry && !json_flag(service, "sorry_active"))
		link_of(chain, 0, json_text(service, "since"), "a sorry server: serves when the others cannot");
	else if (!json_flag(server, "programmed"))
		link_of(chain, 0, json_text(server, "since"), "not in the kernel's table: gets no connection");
	else if (now == 0)
		link_of(chain, 0, json_text(server, "since"), "weight 0 in the kernel: gets no new connection");
	else
		link_of(chain, 0, json_text(server, "since"), "weight %lld in the kernel: takes part", now);
	show_server_causes(chain, server, 1);
	if (json_has(server, "admin_weight"))
		link_of(chain, 1, json_text(server, "admin_since"), "weight %lld instead of %lld: %s",
			(long long)json_number(server, "admin_weight"), configured, json_text(server, "admin_why"));
	if (!json_flag(service, "programmed") && *json_text(service, "why"))
		link_of(chain, 1, json_text(service, "since"), "its service is not in the kernel: %s",
			json_text(service, "why"));
}

void view_chain_service(struct json_object *chain, struct json_object *service)
{
	size_t shown = 0, more = 0;
	char name[128];

	if (!json_flag(service, "programmed"))
		link_of(chain, 0, json_text(service, "since"), "not in the kernel: %s", json_text(service, "why"));
	link_of(chain, 0, json_text(service, "since"), "%s: %lld of %zu servers take part, weight %lld is needed",
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
		link_of(chain, 1, json_text(server, "since"), "%s: %s", view_server_name(server, name, sizeof(name)),
			view_server_look(server).word);
		show_server_causes(chain, server, 2);
	}
	if (more)
		link_of(chain, 1, "", "and %zu more servers", more);
}

static struct json_object *member_named(struct json_object *parent, const char *array, const char *name)
{
	for (size_t i = 0; i < json_count(parent, array); i++)
		if (is(json_element(parent, array, i), "name", name))
			return json_element(parent, array, i);
	return NULL;
}

static void show_tracks(struct json_object *chain, struct json_object *object, int depth)
{
	for (size_t i = 0; i < json_count(object, "tracks"); i++) {
		struct json_object *track = json_element(object, "tracks", i);

		if (json_flag(track, "up") && json_number(track, "weight_now") == 0)
			continue;
		link_of(chain, depth, json_text(track, "since"), "%s %s is %s%s%s (weight %+lld now)",
			json_text(track, "kind"), json_text(track, "name"), json_flag(track, "up") ? "up" : "down",
			*json_text(track, "why") ? ": " : "", json_text(track, "why"),
			(long long)json_number(track, "weight_now"));
	}
}

/* The members of a sync group that are not as they should be drag the others along. */
static void add_group(
	struct json_object *chain, struct json_object *status, struct json_object *group, const char *except, int depth)
{
	link_of(chain, depth, json_text(group, "since"), "sync group %s is %s: %s", json_text(group, "name"),
		json_text(group, "state"), json_text(group, "why"));
	show_tracks(chain, group, depth + 1);
	for (size_t i = 0; i < json_count(group, "members"); i++) {
		const char *name = json_object_get_string(json_element(group, "members", i));
		struct json_object *member = member_named(status, "vrrp", name);

		/* Who is dragged along is no cause. */
		if (!member || is(member, "name", except) || !is(member, "state", "FAULT") ||
			begins(member, "why", "sync group"))
			continue;
		link_of(chain, depth + 1, json_text(member, "since"), "%s is FAULT: %s", name,
			json_text(member, "why"));
		show_tracks(chain, member, depth + 2);
	}
}

void view_chain_group(struct json_object *chain, struct json_object *status, struct json_object *group)
{
	add_group(chain, status, group, "", 0);
}

void view_chain_instance(struct json_object *chain, struct json_object *status, struct json_object *instance)
{
	long long base = json_number(instance, "priority"), now = json_number(instance, "effective_priority");
	struct json_object *group;
	char own[300];

	link_of(chain, 0, json_text(instance, "since"), "%s is %s: %s", json_text(instance, "name"),
		json_text(instance, "state"), json_text(instance, "why"));
	if (!is(instance, "state", "MASTER") && json_has(instance, "master"))
		link_of(chain, 1, "", "%s is master, with priority %lld; here it is %lld",
			json_text(instance, "master"), (long long)json_number(instance, "master_priority"), now);
	if (now != base)
		link_of(chain, 1, "", "priority %lld instead of %lld", now, base);
	show_tracks(chain, instance, now != base ? 2 : 1);
	group = member_named(status, "groups", json_text(instance, "group"));
	/* It moved itself, and the group with it. */
	snprintf(own, sizeof(own), "%s: ", json_text(instance, "name"));
	if (json_has(instance, "group") && group && !begins(group, "why", own))
		add_group(chain, status, group, json_text(instance, "name"), 1);
}

void view_chain_node(struct json_object *chain, struct json_object *status)
{
	struct json_object *configuration = json_member(status, "configuration");

	link_of(chain, 0, json_text(status, "started"), "poised %s was started", json_text(status, "version"));
	link_of(chain, 0, json_text(configuration, "loaded"), "%s: %s", json_text(configuration, "file"),
		json_text(configuration, "why"));
	for (size_t i = 0; i < json_count(status, "roles"); i++) {
		struct json_object *role = json_element(status, "roles", i);

		if (is(role, "state", "absent") && json_number(role, "restarts") == 0)
			continue; /* not needed */
		if (!is(role, "state", "running") || json_number(role, "restarts") > 0)
			link_of(chain, 1, json_text(role, "since"), "%s is %s, started again %lld times: %s",
				json_text(role, "name"), json_text(role, "state"),
				(long long)json_number(role, "restarts"), json_text(role, "why"));
	}
	for (size_t i = 0; i < json_count(status, "vrrp"); i++)
		view_chain_instance(chain, status, json_element(status, "vrrp", i));
	for (size_t i = 0; i < json_count(status, "problems"); i++) {
		struct json_object *problem = json_element(status, "problems", i);

		link_of(chain, 0, "", "%s: %s", json_text(problem, "object"), json_text(problem, "text"));
	}
}
