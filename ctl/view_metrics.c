/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status document as OpenMetrics 1.0 text, for a scraper's textfile or exec collector. A table of families, each
 * with the objects it is about and the member it comes from; it never talks to the daemon. */
#include "view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum about { ABOUT_DAEMON, ABOUT_INSTANCE, ABOUT_TRACK, ABOUT_SERVICE, ABOUT_SERVER, ABOUT_ROLE, ABOUT_CHECK };
/* How a member becomes a value. */
enum how {
	HOW_NUMBER,
	HOW_FLAG,
	HOW_TIME,   /* seconds since 1970 */
	HOW_MICROS, /* microseconds -> seconds */
	HOW_LENGTH, /* of an array */
	HOW_STATES, /* one 0/1 sample for each word of `words` */
	HOW_DROPPED /* one sample for each member of the object, label reason */
};

struct family {
	const char *name;
	const char *type; /* "gauge", "counter" */
	enum about about;
	const char *member, *within; /* within: an object of the document that has the member */
	enum how how;
	const char *words, *help;
};

static const struct family families[] = {
	{"poise_start_time_seconds", "gauge", ABOUT_DAEMON, "started", NULL, HOW_TIME, NULL,
		"When the daemon was started."},
	{"poise_config_generation", "gauge", ABOUT_DAEMON, "generation", NULL, HOW_NUMBER, NULL,
		"Number of the configuration in use."},
	{"poise_config_reloads", "counter", ABOUT_DAEMON, "reloads", "configuration", HOW_NUMBER, NULL,
		"Configurations brought into use after the first one."},
	{"poise_config_last_reload_successful", "gauge", ABOUT_DAEMON, "last_reload_ok", "configuration", HOW_FLAG,
		NULL, "Whether the last configuration was accepted."},
	{"poise_config_last_reload_timestamp_seconds", "gauge", ABOUT_DAEMON, "loaded", "configuration", HOW_TIME, NULL,
		"When the configuration in use was loaded."},
	{"poise_problems", "gauge", ABOUT_DAEMON, "problems_total", NULL, HOW_NUMBER, NULL,
		"Things an operator should look at."},
	{"poise_ipvs_usable", "gauge", ABOUT_DAEMON, "ipvs", "kernel", HOW_FLAG, NULL,
		"Whether the kernel's IPVS is there."},
	{"poise_ipvs_drift", "counter", ABOUT_DAEMON, "drift", "kernel", HOW_NUMBER, NULL,
		"Entries found changed by others."},
	{"poise_ipvs_operations", "counter", ABOUT_DAEMON, "operations", "kernel", HOW_NUMBER, NULL,
		"Commands sent to the kernel."},
	{"poise_ipvs_errors", "counter", ABOUT_DAEMON, "errors", "kernel", HOW_NUMBER, NULL,
		"Commands that the kernel refused."},
	{"poise_pair_up", "gauge", ABOUT_DAEMON, "state", "pair", HOW_STATES, "up",
		"Whether the other node's daemon is heard."},
	{"poise_pair_coverage_percent", "gauge", ABOUT_DAEMON, "coverage_percent", "pair", HOW_NUMBER, NULL,
		"Part of the other node's connections that this node holds."},
	{"poise_pair_peer_coverage_percent", "gauge", ABOUT_DAEMON, "peer_coverage_percent", "pair", HOW_NUMBER, NULL,
		"Part of this node's connections that the other one holds."},
	{"poise_pair_configuration_differences", "gauge", ABOUT_DAEMON, "configuration_differences", "pair", HOW_NUMBER,
		NULL, "Configured objects that are not the same on both nodes."},
	{"poise_pair_messages_forged", "counter", ABOUT_DAEMON, "messages_forged", "pair", HOW_NUMBER, NULL,
		"Messages whose signature does not fit the key."},
	{"poise_sync_ready", "gauge", ABOUT_DAEMON, "ready", "connection_sync", HOW_FLAG, NULL,
		"Whether connections are told to the other node in full."},
	{"poise_sync_connections_sent", "counter", ABOUT_DAEMON, "connections_sent", "connection_sync", HOW_NUMBER,
		NULL, "Connections sent in whole tables."},
	{"poise_sync_bytes_sent", "counter", ABOUT_DAEMON, "bytes_sent", "connection_sync", HOW_NUMBER, NULL,
		"Bytes of these."},
	{"poise_sync_send_errors", "counter", ABOUT_DAEMON, "send_errors", "connection_sync", HOW_NUMBER, NULL,
		"Datagrams of these that could not be sent."},
	{"poise_sync_datagrams_repeated", "counter", ABOUT_DAEMON, "datagrams_repeated", "connection_sync", HOW_NUMBER,
		NULL, "Datagrams of these that went out again because the other node had not taken them."},
	{"poise_role_running", "gauge", ABOUT_ROLE, "state", NULL, HOW_STATES, "running",
		"Whether a process of the daemon runs."},
	{"poise_role_restarts", "counter", ABOUT_ROLE, "restarts", NULL, HOW_NUMBER, NULL,
		"How often a process was started again."},
	{"poise_role_cpu_percent", "gauge", ABOUT_ROLE, "cpu_percent", NULL, HOW_NUMBER, NULL,
		"Processor time of a process in the last whole minute, in percent of a core."},
	{"poise_vrrp_state", "gauge", ABOUT_INSTANCE, "state", NULL, HOW_STATES, "INIT BACKUP MASTER FAULT",
		"State of a virtual router, one series for each state."},
	{"poise_vrrp_transitions_to_master", "counter", ABOUT_INSTANCE, "became_master", NULL, HOW_NUMBER, NULL,
		"How often it became master."},
	{"poise_vrrp_last_transition_timestamp_seconds", "gauge", ABOUT_INSTANCE, "since", NULL, HOW_TIME, NULL,
		"When it entered its state."},
	{"poise_vrrp_priority", "gauge", ABOUT_INSTANCE, "priority", NULL, HOW_NUMBER, NULL, "Configured priority."},
	{"poise_vrrp_effective_priority", "gauge", ABOUT_INSTANCE, "effective_priority", NULL, HOW_NUMBER, NULL,
		"Priority after tracking."},
	{"poise_vrrp_vips", "gauge", ABOUT_INSTANCE, "addresses", NULL, HOW_LENGTH, NULL,
		"Virtual addresses that are advertised."},
	{"poise_vrrp_vips_set", "gauge", ABOUT_INSTANCE, "addresses_held", NULL, HOW_NUMBER, NULL,
		"Virtual addresses that this router holds."},
	{"poise_vrrp_adverts_received", "counter", ABOUT_INSTANCE, "adverts_received", NULL, HOW_NUMBER, NULL,
		"Advertisements accepted."},
	{"poise_vrrp_adverts_sent", "counter", ABOUT_INSTANCE, "adverts_sent", NULL, HOW_NUMBER, NULL,
		"Advertisements sent."},
	{"poise_vrrp_priority_zero_received", "counter", ABOUT_INSTANCE, "priority_zero_received", NULL, HOW_NUMBER,
		NULL, "Resignations heard."},
	{"poise_vrrp_priority_zero_sent", "counter", ABOUT_INSTANCE, "priority_zero_sent", NULL, HOW_NUMBER, NULL,
		"Resignations sent."},
	{"poise_vrrp_errors", "counter", ABOUT_INSTANCE, "dropped", NULL, HOW_DROPPED, NULL,
		"Advertisements dropped, by reason."},
	{"poise_track_up", "gauge", ABOUT_TRACK, "up", NULL, HOW_FLAG, NULL, "Whether a tracked object is up."},
	{"poise_track_weight", "gauge", ABOUT_TRACK, "weight_now", NULL, HOW_NUMBER, NULL,
		"What it adds to the priority now."},
	{"poise_service_up", "gauge", ABOUT_SERVICE, "quorum", NULL, HOW_FLAG, NULL,
		"Whether the service has its quorum."},
	{"poise_service_quorum", "gauge", ABOUT_SERVICE, "quorum_needed", NULL, HOW_NUMBER, NULL,
		"Weight that the quorum needs."},
	{"poise_service_servers", "gauge", ABOUT_SERVICE, "servers", NULL, HOW_LENGTH, NULL,
		"Real servers configured."},
	{"poise_service_servers_up", "gauge", ABOUT_SERVICE, "servers_up", NULL, HOW_NUMBER, NULL,
		"Real servers that take new connections."},
	{"poise_service_programmed", "gauge", ABOUT_SERVICE, "programmed", NULL, HOW_FLAG, NULL,
		"Whether the kernel has the service."},
	{"poise_service_connections", "counter", ABOUT_SERVICE, "connections", NULL, HOW_NUMBER, NULL,
		"Connections scheduled."},
	{"poise_service_packets_in", "counter", ABOUT_SERVICE, "packets_in", NULL, HOW_NUMBER, NULL,
		"Packets from clients."},
	{"poise_service_packets_out", "counter", ABOUT_SERVICE, "packets_out", NULL, HOW_NUMBER, NULL,
		"Packets to clients."},
	{"poise_service_bytes_in", "counter", ABOUT_SERVICE, "bytes_in", NULL, HOW_NUMBER, NULL, "Bytes from clients."},
	{"poise_service_bytes_out", "counter", ABOUT_SERVICE, "bytes_out", NULL, HOW_NUMBER, NULL, "Bytes to clients."},
	{"poise_server_health", "gauge", ABOUT_SERVER, "health", NULL, HOW_STATES, "unknown up down",
		"Verdict of the health checks."},
	{"poise_server_admin", "gauge", ABOUT_SERVER, "admin", NULL, HOW_STATES, "normal drain maint",
		"What the operator wants of it."},
	{"poise_server_weight", "gauge", ABOUT_SERVER, "weight", NULL, HOW_NUMBER, NULL, "Configured weight."},
	{"poise_server_effective_weight", "gauge", ABOUT_SERVER, "effective_weight", NULL, HOW_NUMBER, NULL,
		"Weight in the kernel."},
	{"poise_server_connections_active", "gauge", ABOUT_SERVER, "active", NULL, HOW_NUMBER, NULL,
		"Established connections."},
	{"poise_server_connections_inactive", "gauge", ABOUT_SERVER, "inactive", NULL, HOW_NUMBER, NULL,
		"Connections in other states."},
	{"poise_server_connections_persistent", "gauge", ABOUT_SERVER, "persistent", NULL, HOW_NUMBER, NULL,
		"Clients that persistence knows."},
	{"poise_server_connections", "counter", ABOUT_SERVER, "connections", NULL, HOW_NUMBER, NULL,
		"Connections scheduled."},
	{"poise_server_packets_in", "counter", ABOUT_SERVER, "packets_in", NULL, HOW_NUMBER, NULL,
		"Packets from clients."},
	{"poise_server_packets_out", "counter", ABOUT_SERVER, "packets_out", NULL, HOW_NUMBER, NULL,
		"Packets to clients."},
	{"poise_server_bytes_in", "counter", ABOUT_SERVER, "bytes_in", NULL, HOW_NUMBER, NULL, "Bytes from clients."},
	{"poise_server_bytes_out", "counter", ABOUT_SERVER, "bytes_out", NULL, HOW_NUMBER, NULL, "Bytes to clients."},
	{"poise_server_last_change_timestamp_seconds", "gauge", ABOUT_SERVER, "since", NULL, HOW_TIME, NULL,
		"When its state last changed."},
	{"poise_drain_done", "gauge", ABOUT_SERVER, "drained", NULL, HOW_FLAG, NULL,
		"Whether a drained server has no connection left."},
	{"poise_check_runs", "counter", ABOUT_CHECK, "runs", NULL, HOW_NUMBER, NULL, "Runs of a health check."},
	{"poise_check_failures", "counter", ABOUT_CHECK, "failed_runs", NULL, HOW_NUMBER, NULL,
		"Failed runs of a health check."},
	{"poise_check_last_duration_seconds", "gauge", ABOUT_CHECK, "duration_us", NULL, HOW_MICROS, NULL,
		"Duration of its last run."},
};

struct label {
	const char *name, *value;
};

#define LABELS_MAX 6

struct sample {
	struct text *t;
	const struct family *family;
	struct label labels[LABELS_MAX];
	int n;
};

static void add_label(struct sample *s, const char *name, const char *value)
{
	if (s->n < LABELS_MAX)
		s->labels[s->n++] = (struct label){name, value};
}

/* \ and " are escaped; control characters never get through text_add(). */
static void put_value(struct text *t, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			text_add(t, "\\");
		text_add(t, "%c", *value);
	}
}

static void put(const struct sample *s, const char *extra_name, const char *extra_value, const char *number)
{
	text_add(s->t, "%s%s", s->family->name, strcmp(s->family->type, "counter") == 0 ? "_total" : "");
	for (int i = 0; i < s->n + (extra_name != NULL); i++) {
		text_add(s->t, i == 0 ? "{" : ",");
		text_add(s->t, "%s=\"", i < s->n ? s->labels[i].name : extra_name);
		put_value(s->t, i < s->n ? s->labels[i].value : extra_value);
		text_add(s->t, "\"");
	}
	text_add(s->t, "%s %s", s->n || extra_name ? "}" : "", number);
	text_newline(s->t);
}

static void put_states(const struct sample *s, const char *state)
{
	char words[64], *rest = words, *word, lower[32];

	strncpy(words, s->family->words, sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	if (!strchr(words, ' ')) {
		put(s, NULL, NULL, strcmp(state, words) == 0 ? "1" : "0");
		return;
	}
	while ((word = strtok_r(rest, " ", &rest))) {
		size_t n = 0;

		for (; word[n] && n + 1 < sizeof(lower); n++)
			lower[n] = (char)(word[n] >= 'A' && word[n] <= 'Z' ? word[n] - 'A' + 'a' : word[n]);
		lower[n] = '\0';
		put(s, "state", lower, strcmp(state, word) == 0 ? "1" : "0");
	}
}

static void put_micros(const struct sample *s, int64_t us)
{
	char number[40];

	snprintf(number, sizeof(number), "%" PRId64 ".%06d", us / 1000000, (int)(us % 1000000));
	put(s, NULL, NULL, number);
}

static void put_members(const struct sample *s, struct json_object *object)
{
	char number[32];

	if (!json_object_is_type(object, json_type_object))
		return;
	json_object_object_foreach(object, key, value)
	{
		snprintf(number, sizeof(number), "%" PRId64, json_object_get_int64(value));
		put(s, "reason", key, number);
	}
}

/* A member that the document does not have makes no sample. */
static void put_member(const struct sample *s, struct json_object *object)
{
	const struct family *f = s->family;
	char number[32];

	if (!json_has(object, f->member))
		return;
	switch (f->how) {
	case HOW_NUMBER:
	case HOW_LENGTH:
		snprintf(number, sizeof(number), "%" PRId64,
			f->how == HOW_LENGTH ? (int64_t)json_count(object, f->member) : json_number(object, f->member));
		put(s, NULL, NULL, number);
		return;
	case HOW_FLAG:
		put(s, NULL, NULL, json_flag(object, f->member) ? "1" : "0");
		return;
	case HOW_TIME:
		put_micros(s, json_time_us(object, f->member));
		return;
	case HOW_MICROS:
		put_micros(s, json_number(object, f->member));
		return;
	case HOW_STATES:
		put_states(s, json_text(object, f->member));
		return;
	case HOW_DROPPED:
		put_members(s, json_member(object, f->member));
		return;
	}
}

static void put_instances(struct sample *s, struct json_object *status)
{
	char vrid[16];

	for (size_t i = 0; i < json_count(status, "vrrp"); i++) {
		struct json_object *instance = json_element(status, "vrrp", i);

		s->n = 0;
		snprintf(vrid, sizeof(vrid), "%" PRId64, json_number(instance, "vrid"));
		add_label(s, "instance_name", json_text(instance, "name"));
		add_label(s, "vrid", vrid);
		add_label(s, "family", json_text(instance, "family"));
		add_label(s, "interface", json_text(instance, "interface"));
		if (s->family->about == ABOUT_INSTANCE) {
			put_member(s, instance);
			continue;
		}
		s->n = 1;
		for (size_t k = 0; k < json_count(instance, "tracks"); k++) {
			struct json_object *track = json_element(instance, "tracks", k);

			s->n = 1;
			add_label(s, "kind", json_text(track, "kind"));
			add_label(s, "name", json_text(track, "name"));
			put_member(s, track);
		}
	}
}

static void put_checks(struct sample *s, struct json_object *server)
{
	char number[24];

	for (size_t i = 0; i < json_count(server, "checks"); i++) {
		struct json_object *check = json_element(server, "checks", i);

		s->n = 2;
		snprintf(number, sizeof(number), "%zu", i + 1);
		add_label(s, "check", number);
		add_label(s, "kind", json_text(check, "kind"));
		put_member(s, check);
	}
}

static void put_servers(struct sample *s, struct json_object *service, const char *array)
{
	char name[128];

	for (size_t i = 0; i < json_count(service, array); i++) {
		struct json_object *server = json_element(service, array, i);

		s->n = 1;
		add_label(s, "server", view_server_name(server, name, sizeof(name)));
		if (s->family->about == ABOUT_CHECK)
			put_checks(s, server);
		else
			put_member(s, server);
	}
}

static void put_services(struct sample *s, struct json_object *status)
{
	char port[16];

	for (size_t i = 0; i < json_count(status, "services"); i++) {
		struct json_object *service = json_element(status, "services", i);

		s->n = 0;
		add_label(s, "service", json_text(service, "name"));
		if (s->family->about != ABOUT_SERVICE) {
			put_servers(s, service, "servers");
			continue;
		}
		snprintf(port, sizeof(port), "%" PRId64, json_number(service, "port"));
		add_label(s, "vip", json_text(service, "address"));
		add_label(s, "port", port);
		add_label(s, "proto", json_text(service, "protocol"));
		put_member(s, service);
	}
}

static void put_roles(struct sample *s, struct json_object *status)
{
	for (size_t i = 0; i < json_count(status, "roles"); i++) {
		struct json_object *role = json_element(status, "roles", i);

		s->n = 0;
		add_label(s, "role", json_text(role, "name"));
		put_member(s, role);
	}
}

static void put_family(struct text *t, const struct family *family, struct json_object *status)
{
	struct sample s = {.t = t, .family = family};

	text_add(t, "# TYPE %s %s", family->name, family->type);
	text_newline(t);
	text_add(t, "# HELP %s %s", family->name, family->help);
	text_newline(t);
	switch (family->about) {
	case ABOUT_DAEMON:
		put_member(&s, family->within ? json_member(status, family->within) : status);
		return;
	case ABOUT_ROLE:
		put_roles(&s, status);
		return;
	case ABOUT_INSTANCE:
	case ABOUT_TRACK:
		put_instances(&s, status);
		return;
	case ABOUT_SERVICE:
	case ABOUT_SERVER:
	case ABOUT_CHECK:
		put_services(&s, status);
		return;
	}
}

void view_metrics(struct text *t, struct json_object *status)
{
	text_add(t, "# TYPE poise_build info");
	text_newline(t);
	text_add(t, "# HELP poise_build The daemon's version.");
	text_newline(t);
	text_add(t, "poise_build_info{version=\"");
	put_value(t, json_text(status, "version"));
	text_add(t, "\",node=\"");
	put_value(t, json_text(status, "node"));
	text_add(t, "\"} 1");
	text_newline(t);
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		put_family(t, &families[i], status);
	text_add(t, "# EOF");
	text_newline(t);
}
