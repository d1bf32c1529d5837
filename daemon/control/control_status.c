/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The frame of the status document: node, configuration, roles, kernel; runs in the control process. It reads boards
 * and the configuration and never asks another process. */
#include "config.h"

#include "control_status.h"

#include <stdio.h>
#include <string.h>

static void write_text_or_null(struct writer *w, const char *key, const char *text)
{
	if (text[0])
		writer_string(w, key, text);
	else
		writer_null(w, key);
}

/* How the configuration file stands to what runs. Its time tells, without reading it. */
static void write_disk(struct writer *w, const struct status_daemon *daemon, const struct status_source *source)
{
	const char *state = "same";

	if (source->disk_mtime_real_us == 0)
		state = "unknown";
	else if (daemon->applied_file[0] || daemon->pool_changes)
		state = "differs";
	else if (source->disk_mtime_real_us != daemon->file_mtime_real_us || source->origins_changed)
		state = "changed";
	writer_string(w, "disk", state);
}

static void write_daemon(struct writer *w, const struct status_source *source)
{
	const struct conf_global *global = source->conf->global;
	struct status_daemon daemon;
	struct status_schedule schedule;
	bool known = status_load(source, ROLE_PARENT, PARENT_TABLE_DAEMON, 0, &daemon, sizeof(daemon));

	writer_string(w, "node", known ? daemon.node : conf_string(source->conf, global->node));
	writer_string(w, "version", known ? daemon.version : PACKAGE_VERSION);
	writer_count(w, "generation", source->conf->generation);
	writer_time(w, "started", daemon.started_real_us);
	writer_object(w, "configuration");
	writer_string(w, "file", known ? daemon.config_file : conf_string(source->conf, global->source_file));
	write_text_or_null(w, "applied", daemon.applied_file);
	writer_time(w, "confirm_until", daemon.confirm_until_real_us);
	writer_count(w, "pool_changes", daemon.pool_changes);
	write_disk(w, &daemon, source);
	writer_string(w, "dialect", global->dialect == CONF_DIALECT_POISE ? "poise" : "keepalived");
	writer_time(w, "loaded", daemon.loaded_real_us);
	writer_count(w, "reloads", daemon.reloads);
	writer_bool(w, "last_reload_ok", !known || daemon.last_reload_ok);
	writer_string(w, "why", daemon.why);
	status_load(source, ROLE_SCRIPT, SCRIPT_TABLE_SCHEDULE, 0, &schedule, sizeof(schedule));
	writer_time(w, "reload_due", schedule.reload_real_us);
	writer_end(w);
}

/* Servers that were added and removed at run time, in the order in which they were asked for. */
static void write_pool(struct writer *w, const struct status_source *source)
{
	const struct board *board = source->boards[ROLE_PARENT];
	uint32_t n = board ? board_count(board, PARENT_TABLE_POOL) : 0;
	struct status_pool pool;

	writer_array(w, "pool");
	for (uint32_t i = 0; i < n; i++) {
		if (!status_load(source, ROLE_PARENT, PARENT_TABLE_POOL, i, &pool, sizeof(pool)) || pool.is_settled)
			continue;
		writer_object(w, NULL);
		writer_string(w, "service", pool.service);
		writer_string(w, "server", pool.server);
		writer_string(w, "change", pool.is_removed ? "removed" : "added");
		if (pool.weight >= 0)
			writer_number(w, "weight", pool.weight);
		writer_time(w, "since", pool.since_real_us);
		writer_string(w, "why", pool.why);
		writer_end(w);
	}
	writer_end(w);
}

static void write_roles(struct writer *w, const struct status_source *source)
{
	struct status_role role;

	writer_array(w, "roles");
	for (int i = ROLE_PARENT + 1; i < ROLE_COUNT; i++) {
		if (!status_load(source, ROLE_PARENT, PARENT_TABLE_ROLE, (uint32_t)i, &role, sizeof(role)) ||
			(role_kind((enum role)i) != (enum role)i && role.state == ROLE_ABSENT))
			continue;
		writer_object(w, NULL);
		writer_string(w, "name", role_name((enum role)i));
		writer_string(w, "state", role_state_name((enum role_state)role.state));
		writer_number(w, "pid", role.pid);
		writer_count(w, "restarts", role.restarts);
		writer_count(w, "cpu_percent", role.cpu_percent);
		writer_time(w, "since", role.since_real_us);
		writer_string(w, "why", role.why);
		writer_end(w);
	}
	writer_end(w);
}

static bool every_service_is_programmed(const struct status_source *source)
{
	struct status_service service;

	for (conf_index_t i = 0; i < source->conf->n_services; i++) {
		status_load(source, ROLE_IPVS, IPVS_TABLE_SERVICE, i, &service, sizeof(service));
		if (!service.is_programmed)
			return false;
	}
	return true;
}

void status_write_kernel(struct writer *w, const struct status_source *source)
{
	struct status_ipvs ipvs;
	char absence[WHY_SIZE], version[16];
	bool known = status_load(source, ROLE_IPVS, IPVS_TABLE_ROLE, 0, &ipvs, sizeof(ipvs));

	writer_object(w, "kernel");
	writer_bool(w, "ipvs", ipvs.kernel_ok != 0);
	/* The kernel packs 1.2.1 as 0x010201. */
	snprintf(version, sizeof(version), "%u.%u.%u", ipvs.kernel_version >> 16 & 0xff,
		ipvs.kernel_version >> 8 & 0xff, ipvs.kernel_version & 0xff);
	if (ipvs.kernel_version)
		writer_string(w, "ipvs_version", version);
	else
		writer_null(w, "ipvs_version");
	writer_time(w, "last_audit", ipvs.last_audit_real_us);
	writer_count(w, "drift", ipvs.drift_total);
	writer_count(w, "operations", ipvs.operations_total);
	writer_count(w, "errors", ipvs.errors_total);
	writer_string(w, "why", known ? ipvs.why : status_absence(source, ROLE_IPVS, absence));
	writer_end(w);
}

void status_write(struct writer *w, const char *key, const struct status_source *source)
{
	writer_object(w, key);
	write_daemon(w, source);
	write_pool(w, source);
	write_roles(w, source);
	status_write_kernel(w, source);
	status_write_health(w, source);
	writer_bool(w, "services_programmed", every_service_is_programmed(source));
	status_write_problems(w, source);
	status_write_vrrp(w, source);
	status_write_bfd(w, source);
	status_write_services(w, source);
	status_write_pair(w, source);
	status_write_snmp(w, source);
	writer_end(w);
}
