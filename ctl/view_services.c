/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The services of `poisectl status`, each with its servers. It never talks to the daemon. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Right edges of the columns, counted from the end of the names. */
#define STATE_AT 2
#define WEIGHT_END 17
#define ACTIVE_END 26
#define INACTIVE_END 36
#define SINCE_AT 38

const char *view_server_name(struct json_object *server, char *buf, size_t size)
{
	const char *address = json_text(server, "address");
	long long port = json_number(server, "port");

	if (port == 0)
		snprintf(buf, size, "%s", address);
	else
		snprintf(buf, size, strchr(address, ':') ? "[%s]:%lld" : "%s:%lld", address, port);
	return buf;
}

struct server_look view_server_look(struct json_object *server)
{
	const char *health = json_text(server, "health"), *admin = json_text(server, "admin");

	if (strcmp(admin, "drain") == 0 && json_flag(server, "drained"))
		return (struct server_look){"drained", STYLE_CARE, SIGN_EMPTY, true};
	if (strcmp(admin, "drain") == 0)
		return (struct server_look){"drain", STYLE_CARE, SIGN_HALF, true};
	if (strcmp(admin, "maint") == 0)
		return (struct server_look){"maint", STYLE_CARE, SIGN_EMPTY, true};
	if (strcmp(health, "up") == 0)
		return (struct server_look){"up", STYLE_GOOD, SIGN_FULL, false};
	if (strcmp(health, "down") == 0)
		return (struct server_look){"down", STYLE_BAD, SIGN_EMPTY, true};
	return (struct server_look){"unknown", STYLE_CARE, SIGN_HALF, true};
}

/* "12 345": thousands apart, so that a look suffices. */
static const char *grouped(int64_t number, char buf[32])
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof(digits), "%" PRId64, number), out = 0;

	for (size_t i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			buf[out++] = ' ';
		buf[out++] = digits[i];
	}
	buf[out] = '\0';
	return buf;
}

static void show_weight(struct text *t, struct json_object *server, bool is_sorry, int column)
{
	long long configured = json_number(server, "weight"), now = json_number(server, "effective_weight");
	char text[48];

	if (json_has(server, "admin_weight"))
		configured = json_number(server, "admin_weight");
	/* A sorry server weighs nothing until it is needed. */
	if (is_sorry)
		now = configured;
	snprintf(text, sizeof(text), now == configured ? "%lld" : "%lld/%lld", now, configured);
	text_right(t, column, now == configured ? STYLE_PLAIN : STYLE_CARE, text);
}

static void show_cause(struct text *t, const char *why)
{
	if (!*why)
		return;
	text_tab(t, 6);
	text_wrap(t, 6, STYLE_DIM, why);
	text_newline(t);
}

/* A server that is drained or in maintenance may be down besides. */
static void show_causes(struct text *t, struct json_object *server)
{
	bool is_down = strcmp(json_text(server, "health"), "down") == 0;
	char all[600], end[96];

	if (strcmp(json_text(server, "admin"), "normal") == 0) {
		show_cause(t, json_text(server, "why"));
		return;
	}
	snprintf(all, sizeof(all), "%s%s%s%s", json_text(server, json_has(server, "admin_why") ? "admin_why" : "why"),
		view_drain_end(server, end, sizeof(end)), is_down ? "; down: " : "",
		is_down ? json_text(server, "health_why") : "");
	show_cause(t, all);
}

static void show_server(struct text *t, struct json_object *server, int name_end, bool is_sorry, int64_t now_us)
{
	struct server_look look = view_server_look(server);
	char name[128], number[32], ago[TEXT_DURATION];

	text_add(t, "    ");
	text_styled(t, look.style, "%s ", text_sign(t->screen, look.sign));
	text_add(t, "%s", view_server_name(server, name, sizeof(name)));
	if (t->column > name_end) {
		text_newline(t);
		text_tab(t, name_end);
	}
	text_tab(t, name_end + STATE_AT);
	text_styled(t, look.style, "%s", is_sorry ? "sorry" : look.word);
	show_weight(t, server, is_sorry, name_end + WEIGHT_END);
	text_right(t, name_end + ACTIVE_END, STYLE_PLAIN, grouped(json_number(server, "active"), number));
	text_right(t, name_end + INACTIVE_END, STYLE_PLAIN, grouped(json_number(server, "inactive"), number));
	text_tab(t, name_end + SINCE_AT);
	text_add(t, "%s", view_ago(server, "since", now_us, ago));
	text_newline(t);
	if (look.is_remarkable)
		show_causes(t, server);
}

/* A piece of a line that continues below when it does not fit. */
static void show_piece(struct text *t, int indent, enum style style, const char *words)
{
	const char *dot = text_sign(t->screen, SIGN_DOT);

	if (t->column + text_width(words) + 3 > t->screen->width) {
		text_newline(t);
		text_tab(t, indent);
		text_styled(t, style, "%s", words);
	} else {
		text_styled(t, style, " %s %s", dot, words);
	}
}

static void show_summary(struct text *t, struct json_object *service, bool has_kernel)
{
	long long up = json_number(service, "servers_up"), all = (long long)json_count(service, "servers");
	enum style style = up == all ? STYLE_GOOD : STYLE_CARE;
	int indent = t->column;
	char how[80];

	/* Only some of them may be listed. */
	if (json_has(service, "servers_total"))
		all = json_number(service, "servers_total");

	if (!json_flag(service, "quorum"))
		text_styled(t, STYLE_BAD, "quorum lost, ");
	text_styled(t, json_flag(service, "quorum") ? style : STYLE_BAD, "%lld of %lld up", up, all);
	snprintf(how, sizeof(how), "%.40s %.30s", json_text(service, "scheduler"), json_text(service, "forwarding"));
	show_piece(t, indent, STYLE_DIM, how);
	/* A kernel without IPVS is said once, above. */
	if (has_kernel && !json_flag(service, "programmed"))
		show_piece(t, indent, STYLE_BAD, "not in the kernel");
	if (json_flag(service, "sorry_active"))
		show_piece(t, indent, STYLE_CARE, "sorry server in use");
}

/* ---- what is folded when there is too much ---- */

/* With more servers than this in all, those that are well are counted and not listed. */
#define SERVERS_LISTED 60
/* With more services than this, too; and of those that are not well so many are listed, each with so many servers that
 * are not. */
#define SERVICES_LISTED 20
#define REMARKABLE_LISTED 8

/* Things that are well and are not shown one by one. */
struct folded {
	size_t services, servers;
	int64_t active, inactive;
};

static void fold_server(struct folded *f, struct json_object *server)
{
	f->servers++;
	f->active += json_number(server, "active");
	f->inactive += json_number(server, "inactive");
}

/* Nothing of it deserves a look. */
static bool is_well(struct json_object *service, bool has_kernel)
{
	for (size_t i = 0; i < json_count(service, "servers"); i++)
		if (view_server_look(json_element(service, "servers", i)).is_remarkable)
			return false;
	return json_flag(service, "quorum") && (!has_kernel || json_flag(service, "programmed")) &&
	       !json_flag(service, "sorry_active");
}

static void fold_service(struct folded *f, struct json_object *service)
{
	f->services++;
	for (size_t i = 0; i < json_count(service, "servers"); i++)
		fold_server(f, json_element(service, "servers", i));
}

/* Those of a service, in its columns. */
static void show_folded_servers(struct text *t, const struct folded *f, int name_end)
{
	char number[32];

	if (f->servers == 0)
		return;
	text_add(t, "    ");
	text_styled(t, STYLE_GOOD, "%s ", text_sign(t->screen, SIGN_FULL));
	text_add(t, "%s more", grouped((int64_t)f->servers, number));
	text_tab(t, name_end + STATE_AT);
	text_styled(t, STYLE_GOOD, "up");
	text_right(t, name_end + ACTIVE_END, STYLE_PLAIN, grouped(f->active, number));
	text_right(t, name_end + INACTIVE_END, STYLE_PLAIN, grouped(f->inactive, number));
	text_newline(t);
}

/* Whole services, in words: a line for all of them. */
static void show_folded_services(struct text *t, const struct folded *f)
{
	char services[32], servers[32], active[32], inactive[32];

	if (f->services == 0)
		return;
	text_add(t, "  ");
	text_styled(t, STYLE_GOOD, "%s ", text_sign(t->screen, SIGN_FULL));
	text_add(t, "%s more service%s: ", grouped((int64_t)f->services, services), f->services == 1 ? "" : "s");
	text_styled(t, STYLE_GOOD, "all %s servers up", grouped((int64_t)f->servers, servers));
	text_add(t, ", %s active, %s inactive", grouped(f->active, active), grouped(f->inactive, inactive));
	text_newline(t);
}

static void show_service(
	struct text *t, struct json_object *service, int name_end, bool has_kernel, bool is_folded, int64_t now_us)
{
	struct folded folded = {0};
	size_t shown = 0;

	text_add(t, "  ");
	text_styled(t, STYLE_BOLD, "%s", json_text(service, "name"));
	if (t->column > name_end)
		text_add(t, "  ");
	text_tab(t, name_end + STATE_AT);
	show_summary(t, service, has_kernel);
	text_newline(t);
	if (has_kernel && (!json_flag(service, "quorum") || !json_flag(service, "programmed")))
		show_cause(t, json_text(service, "why"));
	for (size_t i = 0; i < json_count(service, "servers"); i++) {
		struct json_object *server = json_element(service, "servers", i);

		if (is_folded && !view_server_look(server).is_remarkable)
			fold_server(&folded, server);
		else if (!is_folded || shown++ < REMARKABLE_LISTED)
			show_server(t, server, name_end, false, now_us);
	}
	if (is_folded && shown > REMARKABLE_LISTED) {
		text_add(t, "    ");
		text_styled(t, STYLE_BAD, "%s ", text_sign(t->screen, SIGN_EMPTY));
		text_add(t, "%zu more like these", shown - REMARKABLE_LISTED);
		text_newline(t);
	}
	show_folded_servers(t, &folded, name_end);
	for (size_t i = 0; i < json_count(service, "sorry_servers"); i++)
		show_server(t, json_element(service, "sorry_servers", i), name_end, true, now_us);
}

/* The end of the widest service or server name; wide ones are let stick out. */
static int names_end(struct json_object *status)
{
	int widest = 20;
	char name[128];

	for (size_t i = 0; i < json_count(status, "services"); i++) {
		struct json_object *service = json_element(status, "services", i);
		int width = 2 + text_width(json_text(service, "name"));

		if (width > widest && width <= 30)
			widest = width;
		for (size_t k = 0; k < json_count(service, "servers"); k++) {
			width = 6 +
				text_width(view_server_name(json_element(service, "servers", k), name, sizeof(name)));
			if (width > widest && width <= 30)
				widest = width;
		}
	}
	return widest;
}

static void show_heading(struct text *t, int name_end)
{
	text_newline(t);
	text_styled(t, STYLE_HEAD, "  SERVICE, SERVERS");
	text_tab(t, name_end + STATE_AT);
	text_styled(t, STYLE_HEAD, "STATE");
	text_right(t, name_end + WEIGHT_END, STYLE_HEAD, "WEIGHT");
	text_right(t, name_end + ACTIVE_END, STYLE_HEAD, "ACTIVE");
	text_right(t, name_end + INACTIVE_END, STYLE_HEAD, "INACTIVE");
	text_tab(t, name_end + SINCE_AT);
	text_styled(t, STYLE_HEAD, "FOR");
	text_newline(t);
}

void view_services(struct text *t, struct json_object *status, bool all, int64_t now_us)
{
	size_t count = json_count(status, "services"), n_servers = 0, shown = 0;
	bool has_kernel = json_flag(json_member(status, "kernel"), "ipvs"), folds;
	int name_end = names_end(status);
	struct folded folded = {0};

	if (count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		n_servers += json_count(json_element(status, "services", i), "servers");
	folds = !all && n_servers > SERVERS_LISTED;
	show_heading(t, name_end);
	for (size_t i = 0; i < count; i++) {
		struct json_object *service = json_element(status, "services", i);

		if (folds && count > SERVICES_LISTED && is_well(service, has_kernel))
			fold_service(&folded, service);
		else if (!folds || shown++ < SERVICES_LISTED)
			show_service(t, service, name_end, has_kernel, folds, now_us);
	}
	if (folds && shown > SERVICES_LISTED) {
		text_add(t, "  ");
		text_styled(t, STYLE_BAD, "%s ", text_sign(t->screen, SIGN_EMPTY));
		text_add(t, "%zu more services that are not well", shown - SERVICES_LISTED);
		text_newline(t);
	}
	show_folded_services(t, &folded);
	if (folds) {
		text_tab(t, 2);
		text_wrap(t, 2, STYLE_DIM, "The rest is counted: 'poisectl status --all' lists it, or name a service");
		text_newline(t);
	}
}
