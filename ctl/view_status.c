/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl status`: who we are, what is wrong, virtual routers, services. Calm when all is well: a cause is shown
 * where something is not as it usually is. It never talks to the daemon. */
#include "view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The narrowest and widest first column. */
#define NAME_LEAST 8
#define NAME_MOST 20
/* The other columns of virtual routers, counted from the end of the names. */
#define STATE_AT 2
#define PRIORITY_END 15
#define SINCE_AT 17
#define WHY_AT 27

/* ---- head ---- */

static void show_head(struct text *t, struct json_object *status, int64_t now_us)
{
	struct json_object *configuration = json_member(status, "configuration");
	const char *dot = text_sign(t->screen, SIGN_DOT);
	char ago[TEXT_DURATION];

	text_styled(t, STYLE_BOLD, "%s", json_text(status, "node"));
	text_add(t, "  poise %s %s up %s", json_text(status, "version"), dot, view_ago(status, "started", now_us, ago));
	text_newline(t);
	text_styled(t, STYLE_DIM, "%s %s generation %lld, loaded %s ago", json_text(configuration, "file"), dot,
		(long long)json_number(status, "generation"), view_ago(configuration, "loaded", now_us, ago));
	text_newline(t);
}

static void __attribute__((format(printf, 2, 3))) show_note(struct text *t, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_wrap(t, 2, STYLE_CARE, line);
	text_newline(t);
}

/* Where what runs is not what the configuration file says, or will not be for long. */
static void show_differences(struct text *t, struct json_object *status, int64_t now_us)
{
	struct json_object *configuration = json_member(status, "configuration");
	long long pool = json_number(configuration, "pool_changes");
	const char *applied = json_text(configuration, "applied");
	char left[TEXT_DURATION];

	if (json_has(configuration, "confirm_until"))
		show_note(t, "%s runs, and goes back in %s unless 'poisectl confirm' comes", applied,
			text_duration(json_time_us(configuration, "confirm_until") - now_us, left));
	else if (*applied)
		show_note(t, "%s runs until the next reload or restart: 'poisectl save' keeps it", applied);
	if (pool > 0)
		show_note(t, "%lld server%s added or removed at run time: 'poisectl save' writes that into the file",
			pool, pool == 1 ? " was" : "s were");
	if (strcmp(json_text(configuration, "disk"), "changed") == 0)
		show_note(
			t, "the file was written to since it was loaded: 'poisectl plan' says what a reload would do");
	if (json_has(configuration, "reload_due"))
		show_note(t, "the file is read again in %s, because reload_time_file says so",
			text_duration(json_time_us(configuration, "reload_due") - now_us, left));
}

static bool has_drain(struct json_object *status)
{
	for (size_t i = 0; i < json_count(status, "services"); i++) {
		struct json_object *service = json_element(status, "services", i);

		for (size_t k = 0; k < json_count(service, "servers"); k++)
			if (strcmp(json_text(json_element(service, "servers", k), "admin"), "normal") != 0)
				return true;
	}
	return false;
}

static void show_problems(struct text *t, struct json_object *status)
{
	size_t count = json_count(status, "problems");
	int64_t total = json_number(status, "problems_total");

	if (count == 0)
		return;
	text_newline(t);
	for (size_t i = 0; i < count; i++) {
		struct json_object *problem = json_element(status, "problems", i);

		text_styled(t, STYLE_BAD, "%s ", text_sign(t->screen, SIGN_ALERT));
		text_styled(t, STYLE_BOLD, "%s", json_text(problem, "object"));
		text_add(t, ": ");
		text_wrap(t, 4, STYLE_PLAIN, json_text(problem, "text"));
		text_newline(t);
	}
	if (total > (int64_t)count) {
		text_add(t, "  and %lld more", (long long)(total - (int64_t)count));
		text_newline(t);
	}
}

/* The column after the widest name of an array. */
static int name_column(struct json_object *object, const char *array, int indent)
{
	int widest = NAME_LEAST;

	for (size_t i = 0; i < json_count(object, array); i++) {
		int width = text_width(json_text(json_element(object, array, i), "name"));

		if (width > widest)
			widest = width;
	}
	return indent + (widest > NAME_MOST ? NAME_MOST : widest);
}

/* A name that is wider than its column has the line to itself. */
static void show_name(struct text *t, int column, enum style style, const char *name)
{
	text_styled(t, style, "%s", name);
	if (t->column > column) {
		text_newline(t);
		text_tab(t, column);
	}
}

/* ---- virtual routers ---- */

enum style view_vrrp_style(const char *state)
{
	if (strcmp(state, "MASTER") == 0)
		return STYLE_GOOD;
	if (strcmp(state, "FAULT") == 0)
		return STYLE_BAD;
	if (strcmp(state, "BACKUP") == 0)
		return STYLE_PLAIN;
	return STYLE_CARE;
}

static enum sign vrrp_sign(const char *state)
{
	if (strcmp(state, "MASTER") == 0)
		return SIGN_FULL;
	if (strcmp(state, "FAULT") == 0)
		return SIGN_ALERT;
	return strcmp(state, "BACKUP") == 0 ? SIGN_EMPTY : SIGN_HALF;
}

static void show_priority(struct text *t, struct json_object *instance, int column)
{
	int64_t base = json_number(instance, "priority"), now = json_number(instance, "effective_priority");
	char text[32];

	snprintf(text, sizeof(text), now == base ? "%lld" : "%lld/%lld", (long long)now, (long long)base);
	text_right(t, column, now < base ? STYLE_CARE : STYLE_PLAIN, text);
}

static void add_addresses(struct json_object *instance, const char *key, const char *title, char *out, size_t size)
{
	for (size_t i = 0; i < json_count(instance, key); i++) {
		size_t length = strlen(out);

		snprintf(out + length, size - length, "%s%s", i == 0 ? title : " ",
			json_object_get_string(json_element(instance, key, i)));
	}
}

/* Routes or rules, and how many of them a master does not have. */
static void show_paths(struct text *t, struct json_object *instance, const char *key, const char *held_key)
{
	size_t count = json_count(instance, key);
	int64_t held = json_number(instance, held_key);
	bool is_master = strcmp(json_text(instance, "state"), "MASTER") == 0;
	char line[2048] = "";

	if (count == 0)
		return;
	if (is_master && held < (int64_t)count)
		snprintf(line, sizeof(line), "%lld of %zu set: ", (long long)held, count);
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(line);

		snprintf(line + length, sizeof(line) - length, "%s%s", i == 0 ? "" : ", ",
			json_object_get_string(json_element(instance, key, i)));
	}
	text_tab(t, 4);
	text_wrap(t, 4, is_master && held < (int64_t)count ? STYLE_CARE : STYLE_DIM, line);
	text_newline(t);
}

static void show_instance(struct text *t, struct json_object *instance, int name_end, int64_t now_us)
{
	const char *state = json_text(instance, "state");
	char ago[TEXT_DURATION], addresses[2048] = "";

	text_add(t, "  ");
	text_styled(t, view_vrrp_style(state), "%s ", text_sign(t->screen, vrrp_sign(state)));
	show_name(t, name_end, STYLE_BOLD, json_text(instance, "name"));
	text_tab(t, name_end + STATE_AT);
	text_styled(t, view_vrrp_style(state), "%s", state);
	show_priority(t, instance, name_end + PRIORITY_END);
	text_tab(t, name_end + SINCE_AT);
	text_styled(t, STYLE_PLAIN, "%s", view_ago(instance, "since", now_us, ago));
	text_tab(t, name_end + WHY_AT);
	text_wrap(t, name_end + WHY_AT, STYLE_PLAIN, json_text(instance, "why"));
	text_newline(t);
	add_addresses(instance, "addresses", "", addresses, sizeof(addresses));
	add_addresses(instance, "excluded_addresses", ", not advertised: ", addresses, sizeof(addresses));
	text_tab(t, 4);
	text_styled(t, STYLE_DIM, "%s vrid %lld  ", json_text(instance, "interface"),
		(long long)json_number(instance, "vrid"));
	text_wrap(t, 4, STYLE_DIM, addresses);
	text_newline(t);
	show_paths(t, instance, "routes", "routes_held");
	show_paths(t, instance, "rules", "rules_held");
}

/* With more than this, those that are as they usually are are counted and not listed. */
#define ROUTERS_LISTED 40

static bool is_usual(struct json_object *instance)
{
	const char *state = json_text(instance, "state");
	bool is_master = strcmp(state, "MASTER") == 0;

	return (is_master || strcmp(state, "BACKUP") == 0) &&
	       json_number(instance, "effective_priority") >= json_number(instance, "priority") &&
	       (!is_master || json_number(instance, "addresses_held") ==
				      (int64_t)(json_count(instance, "addresses") +
						json_count(instance, "excluded_addresses")));
}

void view_vrrp(struct text *t, struct json_object *status, bool all, int64_t now_us)
{
	size_t count = json_count(status, "vrrp"), masters = 0, backups = 0;
	bool folds = !all && count > ROUTERS_LISTED;
	int name_end = name_column(status, "vrrp", 4);

	if (count == 0)
		return;
	text_newline(t);
	text_styled(t, STYLE_HEAD, "  ROUTER");
	text_tab(t, name_end + STATE_AT);
	text_styled(t, STYLE_HEAD, "STATE");
	text_right(t, name_end + PRIORITY_END, STYLE_HEAD, "PRIO");
	text_tab(t, name_end + SINCE_AT);
	text_styled(t, STYLE_HEAD, "FOR");
	text_tab(t, name_end + WHY_AT);
	text_styled(t, STYLE_HEAD, "WHY");
	text_newline(t);
	for (size_t i = 0; i < count; i++) {
		struct json_object *instance = json_element(status, "vrrp", i);

		if (!folds || !is_usual(instance))
			show_instance(t, instance, name_end, now_us);
		else if (strcmp(json_text(instance, "state"), "MASTER") == 0)
			masters++;
		else
			backups++;
	}
	if (masters + backups > 0) {
		text_add(t, "  %zu more, as they usually are: ", masters + backups);
		text_styled(t, STYLE_GOOD, "%zu MASTER", masters);
		text_add(t, ", %zu BACKUP", backups);
		text_newline(t);
	}
}

/* ---- BFD sessions ---- */

static void show_session(struct text *t, struct json_object *session, int name_end, int64_t now_us)
{
	const char *state = json_text(session, "state");
	bool is_up = strcmp(state, "up") == 0;
	char ago[TEXT_DURATION];

	text_add(t, "  ");
	text_styled(t, is_up ? STYLE_GOOD : STYLE_BAD, "%s ", text_sign(t->screen, is_up ? SIGN_FULL : SIGN_ALERT));
	show_name(t, name_end, STYLE_BOLD, json_text(session, "name"));
	text_tab(t, name_end + STATE_AT);
	text_styled(t, is_up ? STYLE_GOOD : STYLE_BAD, "%s", state);
	text_tab(t, name_end + SINCE_AT);
	text_styled(t, STYLE_PLAIN, "%s", view_ago(session, "since", now_us, ago));
	text_tab(t, name_end + WHY_AT);
	text_wrap(t, name_end + WHY_AT, STYLE_PLAIN, json_text(session, "why"));
	text_newline(t);
}

static void view_bfd(struct text *t, struct json_object *status, int64_t now_us)
{
	int name_end = name_column(status, "bfd", 4);

	if (json_count(status, "bfd") == 0)
		return;
	text_newline(t);
	text_styled(t, STYLE_HEAD, "  BFD");
	text_tab(t, name_end + STATE_AT);
	text_styled(t, STYLE_HEAD, "STATE");
	text_tab(t, name_end + SINCE_AT);
	text_styled(t, STYLE_HEAD, "FOR");
	text_tab(t, name_end + WHY_AT);
	text_styled(t, STYLE_HEAD, "WHY");
	text_newline(t);
	for (size_t i = 0; i < json_count(status, "bfd"); i++)
		show_session(t, json_element(status, "bfd", i), name_end, now_us);
}

void view_status(struct text *t, struct json_object *status, bool all, int64_t now_us)
{
	show_head(t, status, now_us);
	show_differences(t, status, now_us);
	/* Unless the two routers talk to each other. */
	if (json_count(status, "vrrp") > 0 && has_drain(status) &&
		strcmp(json_text(json_member(status, "pair"), "state"), "up") != 0)
		show_note(t, "drains and maintenance are this router's alone: say them to the other one, too");
	show_problems(t, status);
	view_vrrp(t, status, all, now_us);
	view_bfd(t, status, now_us);
	view_services(t, status, all, now_us);
	view_pair(t, status, now_us);
	if (json_count(status, "vrrp") + json_count(status, "services") == 0) {
		text_newline(t);
		text_add(t, "  The configuration has neither a virtual router nor a service.");
		text_newline(t);
	}
}
