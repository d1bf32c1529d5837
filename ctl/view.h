/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documents of the daemon as text for a person. Functions of their arguments: now_us is the wall clock in microseconds
 * since 1970, for "how long ago". */
#ifndef POISECTL_VIEW_H
#define POISECTL_VIEW_H

#include "json.h"
#include "text.h"

/* The whole of `poisectl status`. Unless `all`, of a large configuration only what is not well is listed, and the rest
 * counted. */
void view_status(struct text *t, struct json_object *status, bool all, int64_t now_us);
void view_vrrp(struct text *t, struct json_object *status, bool all, int64_t now_us);
void view_services(struct text *t, struct json_object *status, bool all, int64_t now_us);
void view_pair(struct text *t, struct json_object *status, int64_t now_us);

/* `poisectl show sysctl` and `poisectl show guard`. */
void view_sysctls(struct text *t, struct json_object *rails);
void view_guards(struct text *t, struct json_object *rails);

/* One line of `poisectl events`. *day is the day (since 1970, local) of the line before; a new day gets a heading. */
void view_event(struct text *t, struct json_object *event, long *day);
/* A stream of advertisements: one line, at the time of the last of them. */
void view_heard(struct text *t, struct json_object *heard, long *day);

/* Everything known about what bears a name (find_named()). Returns how many objects do. */
int view_why(struct text *t, struct json_object *status, struct json_object *events, const char *name, int64_t now_us);
/* The same for a program: {"objects": [{"kind", "name", "service", "causes", "events", "status"}]}. */
struct json_object *view_why_document(struct json_object *status, struct json_object *events, const char *name);

/* The status document as OpenMetrics 1.0 text. The screen must be as wide as a line may get. */
void view_metrics(struct text *t, struct json_object *status);

/* What bringing another configuration into use would do. */
void view_plan(struct text *t, struct json_object *plan);
/* What the reader of its file warned of: a line, or nothing. */
void view_plan_warnings(struct text *t, struct json_object *plan);

/* ---- draining ---- */
struct drain_view {
	const char *server; /* as the user named it */
	size_t servers, drained;
	int64_t active, inactive, persistent; /* connections left, over all */
	int64_t most;                         /* of connections seen since the beginning */
	int64_t elapsed_us;
	int64_t cut;      /* connections that were cut at its end */
	int64_t until_us; /* wall clock of its end, 0 = none; `then` says what becomes of the rest */
	bool over;        /* that time has come */
	char then[8];
	double rate; /* connections that end in a second, smoothed; 0 = not known yet */
	int64_t sampled_us, sampled_left;
};
/* Takes the numbers out of the answer to "servers"; most and elapsed_us are the caller's. */
void view_drain_read(struct drain_view *d, struct json_object *result);
/* Takes the numbers as of elapsed_us into the rate. */
void view_drain_sample(struct drain_view *d);
/* One line without its end that fits the screen: a bar, what is left, how fast it goes and when it will end. */
void view_drain_progress(struct text *t, const struct drain_view *d, int64_t now_us);
/* ", until 03:10:25, then what is left is cut": how the drain of a server ends; empty when it has no end of its own.
 * Returns buf. */
const char *view_drain_end(struct json_object *server, char *buf, size_t size);
/* "1 connection was", "2 connections were". Returns buf. */
const char *view_drain_were(int64_t count, char *buf, size_t size);
/* "17 active and 3 inactive connections". Returns buf. */
const char *view_drain_left(const struct drain_view *d, char *buf, size_t size);

/* "10.1.0.2:80", "[2001:db8::2]:80". Returns buf. */
const char *view_server_name(struct json_object *server, char *buf, size_t size);
/* How a server's state is called and looks: admin before health. */
struct server_look {
	const char *word;
	enum style style;
	enum sign sign;
	bool is_remarkable; /* deserves a line with the cause */
};
struct server_look view_server_look(struct json_object *server);
enum style view_vrrp_style(const char *state);
const char *view_ago(struct json_object *object, const char *key, int64_t now_us, char buf[TEXT_DURATION]);

#endif
