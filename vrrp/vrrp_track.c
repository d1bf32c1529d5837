/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Observes the tracked objects for the vrrp process: reads boards and the image of interfaces, never asks anybody and
 * never waits. Runs no script itself. */
#include "vrrp_track.h"
#include "vrrp_priority.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int vrrp_tracks_init(struct vrrp_tracks *tracks, const struct conf *conf)
{
	tracks->is_up = calloc(conf->n_tracks + 1, sizeof(*tracks->is_up));
	tracks->status = calloc(conf->n_tracks + 1, sizeof(*tracks->status));
	tracks->scripts = calloc(conf->n_scripts + 1, sizeof(*tracks->scripts));
	return tracks->is_up && tracks->status && tracks->scripts ? 0 : -ENOMEM;
}

void vrrp_tracks_free(struct vrrp_tracks *tracks)
{
	free(tracks->is_up);
	free(tracks->status);
	free(tracks->scripts);
	*tracks = (struct vrrp_tracks){0};
}

/* Whoever tracks it: what is known is about the object. */
static bool is_same_object(
	const struct conf *conf, const struct conf_track *a, const struct conf *old_conf, const struct conf_track *b)
{
	return a->kind == b->kind && strcmp(conf_string(conf, a->name), conf_string(old_conf, b->name)) == 0;
}

void vrrp_tracks_take_over(
	struct vrrp_tracks *tracks, const struct conf *conf, const struct vrrp_tracks *old, const struct conf *old_conf)
{
	for (uint32_t i = 0; i < conf->n_scripts; i++) {
		const char *name = conf_string(conf, conf->scripts[i].name);

		for (uint32_t j = 0; j < old_conf->n_scripts; j++) {
			if (strcmp(name, conf_string(old_conf, old_conf->scripts[j].name)) == 0)
				tracks->scripts[i] = old->scripts[j];
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
	}
	snprintf(buf, size, "%s %s", kind, conf_string(conf, t->name));
	return buf;
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
		board_load(sight->ipvs, IPVS_TABLE_SERVICE, service, &record, sizeof(record)) < 0) {
		snprintf(why, WHY_SIZE, "not known yet, taken as good");
		return true;
	}
	snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, record.why);
	return record.quorum_met;
}

static bool look_at(
	const struct vrrp_tracks *tracks, const struct vrrp_sight *sight, const struct conf_track *track, char *why)
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
	case CONF_TRACK_PROCESS:
	case CONF_TRACK_FILE:
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

		tracks->is_up[i] = look_at(tracks, sight, track, now.why);
		now.is_up = tracks->is_up[i];
		now.weight_now = vrrp_priority_weight(track, tracks->is_up[i]);
		now.since_real_us =
			old->since_real_us && now.is_up == old->is_up ? old->since_real_us : sight->real_now_us;
		if (memcmp(&now, old, sizeof(now)) == 0)
			continue;
		*old = now;
		report(arg, i);
	}
}
