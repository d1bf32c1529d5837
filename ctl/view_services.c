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
	bool is_admin = strcmp(json_text(server, "admin"), "normal") != 0;
	char both[400];

	if (is_admin && strcmp(json_text(server, "health"), "down") == 0) {
		snprintf(both, sizeof(both), "%s; down: %s", json_text(server, "admin_why"),
			json_text(server, "health_why"));
		show_cause(t, both);
	} else {
		show_cause(t, json_text(server, "why"));
	}
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

static void show_summary(struct text *t, struct json_object *service)
{
	long long up = json_number(service, "servers_up"), all = (long long)json_count(service, "servers");
	enum style style = up == all ? STYLE_GOOD : STYLE_CARE;
	int indent = t->column;
	char how[80];

	if (!json_flag(service, "quorum"))
		text_styled(t, STYLE_BAD, "quorum lost, ");
	text_styled(t, json_flag(service, "quorum") ? style : STYLE_BAD, "%lld of %lld up", up, all);
	snprintf(how, sizeof(how), "%.40s %.30s", json_text(service, "scheduler"), json_text(service, "forwarding"));
	show_piece(t, indent, STYLE_DIM, how);
	if (!json_flag(service, "programmed"))
		show_piece(t, indent, STYLE_BAD, "not in the kernel");
	if (json_flag(service, "sorry_active"))
		show_piece(t, indent, STYLE_CARE, "sorry server in use");
}

static void show_service(struct text *t, struct json_object *service, int name_end, bool has_kernel, int64_t now_us)
{
	text_add(t, "  ");
	text_styled(t, STYLE_BOLD, "%s", json_text(service, "name"));
	if (t->column > name_end)
		text_add(t, "  ");
	text_tab(t, name_end + STATE_AT);
	show_summary(t, service);
	text_newline(t);
	/* A kernel without IPVS is said once, above. */
	if (has_kernel && (!json_flag(service, "quorum") || !json_flag(service, "programmed")))
		show_cause(t, json_text(service, "why"));
	for (size_t i = 0; i < json_count(service, "servers"); i++)
		show_server(t, json_element(service, "servers", i), name_end, false, now_us);
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

void view_services(struct text *t, struct json_object *status, int64_t now_us)
{
	size_t count = json_count(status, "services");
	bool has_kernel = json_flag(json_member(status, "kernel"), "ipvs");
	int name_end = names_end(status);

	if (count == 0)
		return;
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
	for (size_t i = 0; i < count; i++)
		show_service(t, json_element(status, "services", i), name_end, has_kernel, now_us);
}
