/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `poisectl drain --wait`: asks for the drain and watches it until the last connection is gone. Leaving early leaves
 * the server draining; the daemon does not need this program to go on. */
#include "ctl.h"
#include "view.h"

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
	int64_t began_us, unreachable_since_us, blind_since_us, last_line_us;
	bool is_bar_shown;
};

static void clear_bar(struct drain *d)
{
	if (d->is_bar_shown)
		fputs("\r\033[K", stdout);
	d->is_bar_shown = false;
	fflush(stdout);
}

static void show_progress(struct drain *d)
{
	int64_t now_us = ctl_monotonic_us();
	char left[96];
	struct text t;

	d->view.elapsed_us = now_us - d->began_us;
	view_drain_sample(&d->view);
	if (d->screen.is_terminal) {
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
	char time[TEXT_DURATION];

	clear_bar(d);
	if (d->view.cut > 0) {
		printf("%s: drained: the time was up, and the last %lld connections were cut\n", d->view.server,
			(long long)d->view.cut);
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

	clear_bar(d);
	return ctl_fail(CTL_INTERRUPTED,
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
	clear_bar(d);
	return ctl_fail(CTL_FAILED, "%s: is to get no new connection, but nobody can tell how many it has: %s",
		d->view.server, json_text(json_member(result, "kernel"), "why"));
}

static int judge(struct drain *d, struct json_object *result)
{
	const char *changed = find_change(result);

	view_drain_read(&d->view, result);
	if (changed) {
		clear_bar(d);
		return ctl_fail(CTL_FAILED, "%s: no longer draining but %s: somebody changed it meanwhile",
			d->view.server, changed);
	}
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
	if (rc == CLIENT_REFUSED || rc == CLIENT_UNREACHABLE) {
		clear_bar(d);
		return ctl_fail(CTL_FAILED, "%s", d->client->error);
	}
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

/* What the other router took over is known to this one's kernel until it times out; what is active here has not ended.
 */
static int wait_for_node(struct drain *d)
{
	for (;;) {
		struct json_object *request = ctl_request("status", NULL, NULL), *result;
		enum client_result rc = client_ask(d->client, request, CTL_PATIENCE_US, &result);

		json_object_put(request);
		if (rc != CLIENT_OK) {
			clear_bar(d);
			return ctl_fail_asked(d->client, rc);
		}
		read_node(&d->view, result);
		json_object_put(result);
		if (d->view.drained)
			return finish(d);
		show_progress(d);
		if (interrupt_came() || interrupt_sleep(4 * LOOK_US)) {
			clear_bar(d);
			return ctl_fail(CTL_INTERRUPTED,
				"this node: interrupted, and %lld active connections are left; "
				"'poisectl handover --all --back' takes mastership again",
				(long long)d->view.active);
		}
		if (d->options->timeout_us && ctl_monotonic_us() - d->began_us >= d->options->timeout_us) {
			clear_bar(d);
			return ctl_fail(CTL_INTERRUPTED,
				"this node: the time is up, and %lld active connections are left",
				(long long)d->view.active);
		}
	}
}

static int drain_self(struct client *client, const struct ctl_options *options)
{
	struct drain d = {.client = client, .options = options, .view.server = "this node"};
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

int run_drain(const struct ctl_command *command, struct client *client, const struct ctl_options *options)
{
	struct drain d = {.client = client, .options = options, .view.server = options->argv[0]};
	int rc;

	if (options->self) {
		if (options->wait)
			interrupt_catch();
		return drain_self(client, options);
	}
	if (options->argc == 0)
		return ctl_fail(CTL_USAGE, "usage: poisectl drain %s", command->synopsis);
	if (options->then && !options->timeout_us && strcmp(options->then, "reset") == 0)
		return ctl_fail(CTL_USAGE, "--then reset needs to know when: for example --timeout 10m");

	if (options->wait)
		interrupt_catch();
	rc = run_change(command, client, options);
	if (rc != CTL_DONE || !options->wait)
		return rc;
	d.screen = screen_look();
	d.began_us = d.last_line_us = ctl_monotonic_us();
	return wait_for_end(&d);
}
