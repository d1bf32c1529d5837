/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Observes the tracked objects for the vrrp process: reads boards and the image of interfaces, never asks anybody and
 * never waits. Runs no script itself. */
#include "vrrp_track.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vrrp_tracks_init(struct vrrp_tracks *tracks, const struct conf *conf)
{
	tracks->seen = calloc(conf->n_tracks + 1, sizeof(*tracks->seen));
	tracks->status = calloc(conf->n_tracks + 1, sizeof(*tracks->status));
	tracks->scripts = calloc(conf->n_scripts + 1, sizeof(*tracks->scripts));
	tracks->processes = calloc(conf->n_processes + 1, sizeof(*tracks->processes));
	tracks->files = calloc(conf->n_files + 1, sizeof(*tracks->files));
	return tracks->seen && tracks->status && tracks->scripts && tracks->processes && tracks->files ? 0 : -ENOMEM;
}

void vrrp_tracks_free(struct vrrp_tracks *tracks)
{
	free(tracks->seen);
	free(tracks->status);
	free(tracks->scripts);
	free(tracks->processes);
	free(tracks->files);
	*tracks = (struct vrrp_tracks){0};
}

static bool is_same_name(const struct conf *conf, conf_string_t a, const struct conf *old_conf, conf_string_t b)
{
	return strcmp(conf_string(conf, a), conf_string(old_conf, b)) == 0;
}

/* Whoever tracks it: what is known is about the object. */
static bool is_same_object(
	const struct conf *conf, const struct conf_track *a, const struct conf *old_conf, const struct conf_track *b)
{
	return a->kind == b->kind && is_same_name(conf, a->name, old_conf, b->name);
}

void vrrp_tracks_take_over(
	struct vrrp_tracks *tracks, const struct conf *conf, const struct vrrp_tracks *old, const struct conf *old_conf)
{
	for (uint32_t i = 0; i < conf->n_scripts; i++) {
		for (uint32_t j = 0; j < old_conf->n_scripts; j++) {
			if (is_same_name(conf, conf->scripts[i].name, old_conf, old_conf->scripts[j].name))
				tracks->scripts[i] = old->scripts[j];
		}
	}
	for (uint32_t i = 0; i < conf->n_processes; i++) {
		for (uint32_t j = 0; j < old_conf->n_processes; j++) {
			if (is_same_name(conf, conf->processes[i].name, old_conf, old_conf->processes[j].name))
				tracks->processes[i] = old->processes[j];
		}
	}
	for (uint32_t i = 0; i < conf->n_files; i++) {
		for (uint32_t j = 0; j < old_conf->n_files; j++) {
			if (is_same_name(conf, conf->files[i].name, old_conf, old_conf->files[j].name))
				tracks->files[i] = old->files[j];
		}
	}
	for (uint32_t i = 0; i < conf->n_tracks; i++) {
		for (uint32_t j = 0; j < old_conf->n_tracks; j++) {
			if (is_same_object(conf, &conf->tracks[i], old_conf, &old_conf->tracks[j]))
				tracks->status[i] = old->status[j];
		}
	}
}

const char *vrrp_track_name(const struct conf *conf, conf_index_t track, char *buf, size_t size)
{
	const struct conf_track *t = &conf->tracks[track];
	const char *kind = "object";

	switch ((enum conf_track_kind)t->kind) {
	case CONF_TRACK_INTERFACE:
		kind = "interface";
		break;
	case CONF_TRACK_SCRIPT:
		kind = "script";
		break;
	case CONF_TRACK_PROCESS:
		kind = "process";
		break;
	case CONF_TRACK_FILE:
		kind = "file";
		break;
	case CONF_TRACK_SERVICE:
		kind = "service";
		break;
	case CONF_TRACK_BFD:
		kind = "bfd";
		break;
	case CONF_TRACK_STATIC:
		kind = "static group";
		break;
	}
	snprintf(buf, size, "%s %s", kind, conf_string(conf, t->name));
	return buf;
}

static void read_watches(const struct board *board, unsigned table, struct status_watch *records, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct status_watch record;

		if (board_load(board, table, i, &record, sizeof(record)) == 0 && record.is_known)
			records[i] = record;
	}
}

/* Keeps the last consistent record: a board of another generation, or a writer that died, changes nothing. */
static void read_scripts(struct vrrp_tracks *tracks, const struct vrrp_sight *sight)
{
	if (!sight->script || board_generation(sight->script) != sight->conf->generation)
		return;
	for (uint32_t i = 0; i < sight->conf->n_scripts; i++) {
		struct status_script record;

		if (board_load(sight->script, SCRIPT_TABLE_SCRIPT, i, &record, sizeof(record)) == 0)
			tracks->scripts[i] = record;
	}
	read_watches(sight->script, SCRIPT_TABLE_PROCESS, tracks->processes, sight->conf->n_processes);
	read_watches(sight->script, SCRIPT_TABLE_FILE, tracks->files, sight->conf->n_files);
}

/* Until it has been looked at, nothing speaks against it. */
static bool look_at_watch(const struct status_watch *record, int32_t *value, char *why)
{
	*value = record->value;
	if (!record->is_known) {
		snprintf(why, WHY_SIZE, "not looked at yet, taken as good");
		return true;
	}
	snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, record->why);
	return record->is_up;
}

static bool look_at_script(const struct vrrp_tracks *tracks, const struct conf *conf, conf_index_t script, char *why)
{
	const struct status_script *record = &tracks->scripts[script];

	if (record->result == SCRIPT_UNKNOWN) {
		bool is_assumed_good = !conf->scripts[script].init_fail;

		snprintf(why, WHY_SIZE, "not run yet, taken as %s", is_assumed_good ? "good" : "failed");
		return is_assumed_good;
	}
	snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, record->why);
	return record->result == SCRIPT_GOOD;
}

static bool look_at_service(const struct vrrp_sight *sight, conf_index_t service, char *why)
{
	struct status_service record;

	if (!sight->ipvs || board_generation(sight->ipvs) != sight->conf->generation ||
		board_load(sight->ipvs, IPVS_TABLE_SERVICE, service, &record, sizeof(record)) < 0 || !record.why[0]) {
		snprintf(why, WHY_SIZE, "not known yet, taken as good");
		return true;
	}
	snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, record.why);
	return record.quorum_met;
}

/* As in keepalived, a session that is not up yet is down. */
static bool look_at_bfd(const struct vrrp_sight *sight, conf_index_t bfd, char *why)
{
	struct status_bfd record;

	if (!sight->vrrp || board_generation(sight->vrrp) != sight->conf->generation ||
		board_load(sight->vrrp, VRRP_TABLE_BFD, bfd, &record, sizeof(record)) < 0) {
		snprintf(why, WHY_SIZE, "the session cannot be seen");
		return false;
	}
	snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, record.why);
	return record.session.state == BFD_UP;
}

/* Whether a static object is there, or will be in a moment: it is missing when the kernel refused it, or has no such
 * interface.
 */
static bool is_missing(
	const struct vrrp_sight *sight, unsigned table, uint32_t number, conf_string_t interface, char *why)
{
	const char *name = conf_string(sight->conf, interface);
	struct status_address record;

	if (board_load(sight->vrrp, table, number, &record, sizeof(record)) < 0 || record.is_set)
		return false;
	if (record.last_error)
		snprintf(why, WHY_SIZE, "%s", strerror((int)record.last_error));
	else if (interface && !links_find_name(sight->links, name))
		snprintf(why, WHY_SIZE, "there is no interface %s", name);
	return why[0] != '\0';
}

static bool misses(char *why, const char *object)
{
	char cause[WHY_SIZE];

	snprintf(cause, sizeof(cause), "%s", why);
	snprintf(why, WHY_SIZE, "%.80s is not there: %.60s", object, cause);
	return false;
}

/* All static addresses, routes and rules of a track_group. */
static bool look_at_static(const struct vrrp_sight *sight, conf_index_t group, char *why)
{
	const struct conf *conf = sight->conf;
	bool is_known = sight->vrrp && board_generation(sight->vrrp) == conf->generation;
	char name[CONF_NAME_SIZE];

	why[0] = '\0';
	for (uint32_t i = 0; is_known && i < conf->n_addresses; i++) {
		if (conf->addresses[i].track_group == group &&
			is_missing(sight, VRRP_TABLE_ADDRESS, i, conf->addresses[i].interface, why))
			return misses(why, addr_format(&conf->addresses[i].addr, name));
	}
	for (uint32_t i = 0; is_known && i < conf->n_routes; i++) {
		const struct conf_route *route = &conf->routes[i];

		if (route->track_group == group &&
			is_missing(sight, VRRP_TABLE_ROUTE, i,
				route->nexthops.count == 1 ? conf->nexthops[route->nexthops.first].interface : 0, why))
			return misses(why, conf_route_name(conf, i, name));
	}
	for (uint32_t i = 0; is_known && i < conf->n_rules; i++) {
		if (conf->rules[i].track_group == group && is_missing(sight, VRRP_TABLE_RULE, i, 0, why))
			return misses(why, conf_rule_name(conf, i, name));
	}
	snprintf(why, WHY_SIZE, "everything of it is there");
	return true;
}

/* Returns whether it is up; *value: the number in a file. */
static bool look_at(const struct vrrp_tracks *tracks, const struct vrrp_sight *sight, const struct conf_track *track,
	int32_t *value, char *why)
{
	const char *name = conf_string(sight->conf, track->name);
	const struct link *link;

	switch ((enum conf_track_kind)track->kind) {
	case CONF_TRACK_INTERFACE:
		link = links_find_name(sight->links, name);
		link_fault(link, name, why, WHY_SIZE);
		if (why[0])
			return false;
		snprintf(why, WHY_SIZE, "interface %s is up", name);
		return true;
	case CONF_TRACK_SCRIPT:
		if (track->script < sight->conf->n_scripts)
			return look_at_script(tracks, sight->conf, track->script, why);
		break;
	case CONF_TRACK_SERVICE:
		if (track->service != CONF_NONE)
			return look_at_service(sight, track->service, why);
		break;
	case CONF_TRACK_BFD:
		if (track->bfd != CONF_NONE)
			return look_at_bfd(sight, track->bfd, why);
		break;
	case CONF_TRACK_STATIC:
		return look_at_static(sight, track->track_group, why);
	case CONF_TRACK_PROCESS:
		if (track->process < sight->conf->n_processes)
			return look_at_watch(&tracks->processes[track->process], value, why);
		break;
	case CONF_TRACK_FILE:
		/* Without a weight, any number but 0 says that something is wrong. */
		if (track->file < sight->conf->n_files)
			return look_at_watch(&tracks->files[track->file], value, why) && *value == 0;
		break;
	}
	snprintf(why, WHY_SIZE, "not watched, taken as good");
	return !track->reverse;
}

void vrrp_tracks_look(
	struct vrrp_tracks *tracks, const struct vrrp_sight *sight, vrrp_track_report_fn *report, void *arg)
{
	read_scripts(tracks, sight);
	for (uint32_t i = 0; i < sight->conf->n_tracks; i++) {
		const struct conf_track *track = &sight->conf->tracks[i];
		struct status_track *old = &tracks->status[i];
		struct status_track now = {0};

		tracks->seen[i].is_up = look_at(tracks, sight, track, &tracks->seen[i].value, now.why);
		/* The number of a file that counts by its weight is neither good nor bad. */
		now.is_up = track->kind == CONF_TRACK_FILE && track->weight != 0
				    ? !vrrp_priority_is_fault(track, tracks->seen[i])
				    : tracks->seen[i].is_up;
		now.weight_now = vrrp_priority_weight(track, tracks->seen[i]);
		now.since_real_us =
			old->since_real_us && now.is_up == old->is_up ? old->since_real_us : sight->real_now_us;
		if (memcmp(&now, old, sizeof(now)) == 0)
			continue;
		*old = now;
		report(arg, i);
	}
}
