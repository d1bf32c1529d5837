/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl drain --wait`: asks for the drain and watches it until the last connection is gone. Leaving early leaves
 * the server draining; the daemon does not need this program to go on. */
#include "ctl.h"
#include "view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOOK_US 250000
/* Between lines when nobody watches a bar. */
#define LINE_US 10000000
/* A daemon that is restarted comes back in less, a role of it much sooner. */
#define RESTART_PATIENCE_US 30000000LL
#define BLIND_PATIENCE_US 5000000LL

struct drain {
	struct client *client;
	const struct ctl_options *options;
	struct screen screen;
	struct drain_view view;
	int64_t began_us, unreachable_since_us, blind_since_us, last_line_us, last_left;
	bool is_bar_shown;
	char asked[200]; /* who asked for the drain that is watched */
};

static void clear_bar(struct drain *d)
{
	if (d->is_bar_shown)
		fputs("\r\033[K", stdout);
	d->is_bar_shown = false;
	fflush(stdout);
}

static struct json_object *progress_document(const struct drain *d)
{
	struct json_object *document = json_object_new_object();

	json_object_object_add(document, "server", json_object_new_string(d->view.server));
	json_object_object_add(document, "drained", json_object_new_boolean(d->view.drained == d->view.servers));
	json_object_object_add(document, "active", json_object_new_int64(d->view.active));
	json_object_object_add(document, "inactive", json_object_new_int64(d->view.inactive));
	json_object_object_add(document, "persistent", json_object_new_int64(d->view.persistent));
	json_object_object_add(document, "cut", json_object_new_int64(d->view.cut));
	json_object_object_add(
		document, "elapsed", json_object_new_double((double)((ctl_monotonic_us() - d->began_us) / 1000) / 1e3));
	return document;
}

/* A line for a program when the number has changed. */
static void print_progress(struct drain *d)
{
	int64_t left = d->view.active + d->view.inactive;
	struct json_object *document;

	if (d->last_left == left)
		return;
	d->last_left = left;
	document = progress_document(d);
	ctl_print_json(document, true);
	json_object_put(document);
}

/* The last line for a program; error is NULL when all went well. */
static void print_end(const struct drain *d, const char *error)
{
	struct json_object *document = progress_document(d);

	json_object_object_add(document, "ok", json_object_new_boolean(!error));
	json_object_object_add(document, "error", error ? json_object_new_string(error) : NULL);
	ctl_print_json(document, true);
	json_object_put(document);
}

/* Says why the waiting is over. Returns status. */
static int __attribute__((format(printf, 3, 4))) give_up(struct drain *d, int status, const char *fmt, ...)
{
	char line[CLIENT_ERROR_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	clear_bar(d);
	if (!d->options->json)
		return ctl_fail(status, "%s", line);
	print_end(d, line);
	return status;
}

static void show_progress(struct drain *d)
{
	int64_t now_us = ctl_monotonic_us();
	char left[96];
	struct text t;

	d->view.elapsed_us = now_us - d->began_us;
	view_drain_sample(&d->view);
	if (d->options->json) {
		print_progress(d);
	} else if (d->screen.is_terminal) {
		fputs("\r\033[K", stdout);
		fflush(stdout);
		text_begin(&t, &d->screen);
		view_drain_progress(&t, &d->view, ctl_now_us());
		text_show(&t);
		d->is_bar_shown = true;
	} else if (now_us - d->last_line_us >= LINE_US) {
		printf("%s: still %s connections\n", d->view.server, view_drain_left(&d->view, left, sizeof(left)));
		fflush(stdout);
		d->last_line_us = now_us;
	}
}

/* Did somebody take a server back? Returns its "admin", or NULL. */
static const char *find_change(struct json_object *result)
{
	for (size_t i = 0; i < json_count(result, "servers"); i++) {
		const char *admin = json_text(json_element(result, "servers", i), "admin");

		if (strcmp(admin, "drain") != 0)
			return admin;
	}
	return NULL;
}

static int finish(struct drain *d)
{
	int64_t elapsed_us = ctl_monotonic_us() - d->began_us;
	char time[TEXT_DURATION], left[64];

	clear_bar(d);
	if (d->options->json) {
		print_end(d, NULL);
		return d->view.cut > 0 ? CTL_CUT : CTL_DONE;
	}
	if (d->view.cut > 0) {
		printf("%s: drained: the time was up, and the last %s cut\n", d->view.server,
			view_drain_were(d->view.cut, left, sizeof(left)));
		return CTL_CUT;
	}
	if (d->view.most == 0)
		printf("%s: drained: it had no connection\n", d->view.server);
	else
		printf("%s: drained: the last connection is gone after %s\n", d->view.server,
			text_duration(elapsed_us, time));
	return CTL_DONE;
}

static int leave(struct drain *d, const char *why)
{
	char left[96];

	return give_up(d, CTL_INTERRUPTED,
		"%s: %s, and %s connections are left: it goes on draining; 'poisectl undrain %s' ends that",
		d->view.server, why, view_drain_left(&d->view, left, sizeof(left)), d->view.server);
}

/* Nobody counts connections: the kernel cannot, or ipvs does not run. Returns an exit status, or -1 to go on. */
static int look_blindly(struct drain *d, struct json_object *result)
{
	int64_t now_us = ctl_monotonic_us();

	if (!d->blind_since_us)
		d->blind_since_us = now_us;
	if (now_us - d->blind_since_us < BLIND_PATIENCE_US)
		return -1;
	return give_up(d, CTL_FAILED, "%s: is to get no new connection, but nobody can tell how many it has: %s",
		d->view.server, json_text(json_member(result, "kernel"), "why"));
}

/* Somebody asked for it again: another end counts now. */
static void tell_other(struct drain *d, struct json_object *result)
{
	struct json_object *server = json_element(result, "servers", 0);
	const char *asked = json_text(server, "admin_why");
	char end[96];

	if (d->asked[0] && strcmp(d->asked, asked) != 0 && !d->options->json) {
		clear_bar(d);
		printf("%s: is %s now%s\n", d->view.server, asked, view_drain_end(server, end, sizeof(end)));
	}
	snprintf(d->asked, sizeof(d->asked), "%s", asked);
}

static int judge(struct drain *d, struct json_object *result)
{
	const char *changed = find_change(result);

	view_drain_read(&d->view, result);
	if (changed)
		return give_up(d, CTL_FAILED, "%s: no longer draining but %s: somebody changed it meanwhile",
			d->view.server, changed);
	tell_other(d, result);
	if (!json_flag(json_member(result, "kernel"), "ipvs"))
		return look_blindly(d, result);
	d->blind_since_us = 0;
	if (d->view.drained == d->view.servers)
		return finish(d);
	if (d->view.over && strcmp(d->view.then, "keep") == 0)
		return leave(d, "the time is up");
	show_progress(d);
	return -1;
}

/* Looks once. Returns an exit status, or -1 to go on. */
static int look(struct drain *d)
{
	struct json_object *request = ctl_request("servers", d->view.server, d->options->service), *result;
	enum client_result rc = client_ask(d->client, request, CTL_PATIENCE_US, &result);
	int status;

	json_object_put(request);
	if (rc == CLIENT_UNREACHABLE) {
		if (!d->unreachable_since_us)
			d->unreachable_since_us = ctl_monotonic_us();
		if (ctl_monotonic_us() - d->unreachable_since_us < RESTART_PATIENCE_US)
			return -1;
	}
	if (rc == CLIENT_REFUSED || rc == CLIENT_UNREACHABLE)
		return give_up(d, CTL_FAILED, "%s", d->client->error);
	if (rc == CLIENT_INTERRUPTED)
		return -1;
	d->unreachable_since_us = 0;
	status = judge(d, result);
	json_object_put(result);
	return status;
}

static int wait_for_end(struct drain *d)
{
	int status;

	for (;;) {
		status = look(d);
		if (status >= 0)
			return status;
		if (interrupt_came() || interrupt_sleep(LOOK_US))
			return leave(d, "interrupted");
	}
}

/* ---- the whole node ---- */

/* All connections through this node, as one server. */
static void read_node(struct drain_view *d, struct json_object *status)
{
	d->active = d->inactive = d->persistent = 0;
	for (size_t i = 0; i < json_count(status, "services"); i++) {
		struct json_object *service = json_element(status, "services", i);

		for (size_t k = 0; k < json_count(service, "servers"); k++) {
			struct json_object *server = json_element(service, "servers", k);

			d->active += json_number(server, "active");
			d->inactive += json_number(server, "inactive");
		}
	}
	if (d->active + d->inactive > d->most)
		d->most = d->active + d->inactive;
	d->servers = 1;
	d->drained = d->active == 0;
}

static int leave_node(struct drain *d)
{
	return give_up(d, CTL_INTERRUPTED,
		"this node: interrupted, and %lld active connections are left; 'poisectl handover --all --back' takes "
		"mastership again",
		(long long)d->view.active);
}

/* What the other router took over is known to this one's kernel until it times out; what is active here has not ended.
 */
static int wait_for_node(struct drain *d)
{
	for (;;) {
		struct json_object *request = ctl_request("status", NULL, NULL), *result;
		enum client_result rc = client_ask(d->client, request, CTL_PATIENCE_US, &result);

		json_object_put(request);
		if (rc == CLIENT_INTERRUPTED)
			return leave_node(d);
		if (rc != CLIENT_OK)
			return give_up(d, CTL_FAILED, "%s", d->client->error);
		read_node(&d->view, result);
		json_object_put(result);
		if (d->view.drained)
			return finish(d);
		show_progress(d);
		if (interrupt_came() || interrupt_sleep(4 * LOOK_US))
			return leave_node(d);
		if (d->options->timeout_us && ctl_monotonic_us() - d->began_us >= d->options->timeout_us)
			return give_up(d, CTL_INTERRUPTED,
				"this node: the time is up, and %lld active connections are left",
				(long long)d->view.active);
	}
}

static int drain_self(struct client *client, const struct ctl_options *options)
{
	struct drain d = {.client = client, .options = options, .view.server = "this node", .last_left = -1};
	struct ctl_options all = *options;
	int rc;

	if (options->argc > 0 || options->service || options->then || options->keep_known)
		return ctl_fail(CTL_USAGE, "drain --self is about the whole node: 'poisectl drain --self [--wait]'");
	all.all = true;
	rc = ctl_handover(client, &all);
	if (rc != CTL_DONE || !options->wait)
		return rc;
	d.screen = screen_look();
	d.began_us = d.last_line_us = ctl_monotonic_us();
	return wait_for_node(&d);
}

#define BEFORE_SHOWN 3

/* A server that somebody else drains already, perhaps with another end: what was asked for last is what counts. */
static void tell_before(struct client *client, const struct ctl_options *options)
{
	struct json_object *request = ctl_request("servers", options->argv[0], options->service), *result;
	enum client_result rc = client_ask(client, request, CTL_PATIENCE_US, &result);
	char name[128], ago[TEXT_DURATION], end[96], line[512];
	struct screen screen = screen_look();
	unsigned shown = 0;
	struct text t;

	json_object_put(request);
	text_begin(&t, &screen);
	for (size_t i = 0; rc == CLIENT_OK && i < json_count(result, "servers"); i++) {
		struct json_object *server = json_element(result, "servers", i);

		if (strcmp(json_text(server, "admin"), "normal") == 0 || shown++ >= BEFORE_SHOWN)
			continue;
		snprintf(line, sizeof(line), "%s of %s: was %s %s ago%s; now this counts",
			view_server_name(server, name, sizeof(name)), json_text(server, "service"),
			json_text(server, "admin_why"), view_ago(server, "admin_since", ctl_now_us(), ago),
			view_drain_end(server, end, sizeof(end)));
		text_wrap(&t, 2, STYLE_CARE, line);
		text_newline(&t);
	}
	if (shown > BEFORE_SHOWN) {
		text_add(&t, "  and %u more", shown - BEFORE_SHOWN);
		text_newline(&t);
	}
	text_show(&t);
	json_object_put(result);
}

int run_drain(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct drain d = {.client = client, .options = options, .view.server = options->argv[0], .last_left = -1};
	int rc;

	if (options->self) {
		if (options->wait)
			interrupt_catch();
		return drain_self(client, options);
	}
	if (options->argc == 0)
		return ctl_wrong_usage(command);
	if (options->then && !options->timeout_us && strcmp(options->then, "reset") == 0)
		return ctl_fail(CTL_USAGE, "--then reset needs to know when: for example --timeout 10m");

	if (options->wait)
		interrupt_catch();
	if (!options->json)
		tell_before(client, options);
	rc = run_change(command, client, options);
	if (rc != CTL_DONE || !options->wait)
		return rc;
	d.screen = screen_look();
	d.began_us = d.last_line_us = ctl_monotonic_us();
	return wait_for_end(&d);
}
