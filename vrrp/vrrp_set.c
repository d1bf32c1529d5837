/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The memory of a configuration generation in the vrrp process: taken before the vote, filled from the generation
 * before at the switch. An instance whose identity on the wire is the same goes on without missing an advertisement;
 * one that has another identity, or is gone, is stopped. */
#include "vrrp_process.h"
#include <stdlib.h>
#include <string.h>

static void init_instance(struct vrrp_process *process, struct vrrp_set *set, conf_index_t index)
{
	struct vrrp_instance *instance = &set->instances[index];

	instance->process = process;
	instance->index = index;
	instance->conf = &set->conf->instances[index];
	instance->name = conf_string(set->conf, instance->conf->name);
	instance->vr.priority = instance->conf->priority;
	instance->place = -1;
	if (instance->conf->auth == CONF_AUTH_HMAC) {
		instance->hmac = vrrp_hmac_policy_of(set->conf, instance->conf);
		instance->place = vrrp_ledger_find(&process->ledger, set->conf, instance->conf);
	}
	instance->deadline = (struct timer){.fire = vrrp_instance_on_deadline, .arg = instance};
	instance->announce = (struct timer){.fire = vrrp_instance_on_announce, .arg = instance};
}

static void init_groups(struct vrrp_set *set)
{
	const struct conf *conf = set->conf;

	for (uint32_t g = 0; g < conf->n_groups; g++) {
		struct vrrp_group *group = &set->groups[g];
		const struct conf_range *members = &conf->groups[g].members;

		group->conf = &conf->groups[g];
		group->name = conf_string(conf, conf->groups[g].name);
		group->members = set->member_space + members->first;
		group->vrs = set->vr_space + members->first;
		group->n = members->count;
		for (uint32_t i = 0; i < members->count; i++) {
			group->members[i] = &set->instances[conf->group_members[members->first + i]];
			group->vrs[i] = &group->members[i]->vr;
		}
	}
}

static void init_wishes(struct vrrp_set *set)
{
	for (uint32_t i = 0; i < set->conf->n_addresses; i++) {
		set->wishes[i].addr = set->conf->addresses[i].addr;
		set->wishes[i].prefix = set->conf->addresses[i].prefix;
		set->wishes[i].form =
			vrrp_plan_form(&set->conf->addresses[i], conf_string(set->conf, set->conf->addresses[i].label));
	}
}

struct vrrp_set *vrrp_set_new(struct vrrp_process *process, const struct conf *conf)
{
	struct vrrp_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->conf = conf;
	set->instances = calloc(conf->n_instances + 1, sizeof(*set->instances));
	set->groups = calloc(conf->n_groups + 1, sizeof(*set->groups));
	set->member_space = calloc(conf->n_group_members + 1, sizeof(*set->member_space));
	set->vr_space = calloc(conf->n_group_members + 1, sizeof(*set->vr_space));
	set->wishes = calloc(conf->n_addresses + 1, sizeof(*set->wishes));
	set->last_errors = calloc(conf->n_addresses + 1, sizeof(*set->last_errors));
	set->ways = calloc(vrrp_pave_count(conf) + 1, sizeof(*set->ways));
	set->damps = calloc(conf->n_link_delays + 1, sizeof(*set->damps));
	if (!set->damps || !set->instances || !set->groups || !set->member_space || !set->vr_space || !set->wishes ||
		!set->last_errors || !set->ways || vrrp_tracks_init(&set->tracks, conf) < 0 ||
		bfd_talks_init(&set->bfds, conf) < 0 || vrrp_map_init(&set->map, conf->n_instances) < 0 ||
		vrrp_record_init(&set->seen, conf) < 0) {
		vrrp_set_free(set);
		return NULL;
	}
	for (uint32_t i = 0; i < conf->n_instances; i++) {
		init_instance(process, set, i);
		if (conf->instances[i].auth == CONF_AUTH_HMAC && set->instances[i].place < 0) {
			vrrp_set_free(set);
			return NULL;
		}
	}
	init_groups(set);
	init_wishes(set);
	for (uint32_t i = 0; i < conf->n_routes + conf->n_rules; i++)
		set->ways[i].no_track =
			i < conf->n_routes ? conf->routes[i].no_track : conf->rules[i - conf->n_routes].no_track;
	return set;
}

void vrrp_set_free(struct vrrp_set *set)
{
	if (!set)
		return;
	free(set->instances);
	free(set->groups);
	free(set->member_space);
	free(set->vr_space);
	free(set->wishes);
	free(set->last_errors);
	free(set->ways);
	free(set->seen.link);
	free(set->damps);
	vrrp_tracks_free(&set->tracks);
	vrrp_map_free(&set->map);
	bfd_talks_free(&set->bfds);
	free(set);
}

/* Whether two records describe the same virtual router for the others on the wire. */
static bool is_same_router(const struct conf *conf, const struct conf_instance *a, const struct conf *old_conf,
	const struct conf_instance *b)
{
	return a->vrid == b->vrid && a->family == b->family && a->version == b->version && a->unicast == b->unicast &&
	       addr_equal(&a->group_address, &b->group_address) && a->use_vmac == b->use_vmac &&
	       a->vmac_xmit_base == b->vmac_xmit_base &&
	       strcmp(conf_string(conf, a->interface), conf_string(old_conf, b->interface)) == 0;
}

/* By name; an instance with another name but the same voice on the wire was renamed. */
static conf_index_t find_predecessor(const struct vrrp_set *set, uint32_t index, const struct vrrp_set *old)
{
	const struct conf_instance *conf = set->instances[index].conf;
	conf_index_t named = conf_find_instance(old->conf, set->conf, index);

	if (named != CONF_NONE && is_same_router(set->conf, conf, old->conf, old->instances[named].conf))
		return named;
	for (uint32_t i = 0; i < old->conf->n_instances; i++) {
		if (is_same_router(set->conf, conf, old->conf, old->instances[i].conf) &&
			conf_find_instance(set->conf, old->conf, i) == CONF_NONE)
			return i;
	}
	return CONF_NONE;
}

static void cancel_timers(struct vrrp_instance *instance)
{
	loop_timer_cancel(instance->process->role->loop, &instance->deadline);
	loop_timer_cancel(instance->process->role->loop, &instance->announce);
}

/* What was known and told of the addresses goes on. */
static void take_over_wishes(
	struct vrrp_set *set, const struct vrrp_instance *instance, struct vrrp_set *old_set, conf_index_t before)
{
	const struct conf_range *range = &instance->conf->addresses;
	const struct conf_range *old_range = &old_set->conf->instances[before].addresses;

	uint32_t near = 0; /* most stand where they stood before */

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		for (uint32_t k = 0; k < old_range->count; k++) {
			uint32_t at = (near + k) % old_range->count;
			struct vrrp_wish *wish = &set->wishes[i];
			const struct vrrp_wish *old = &old_set->wishes[old_range->first + at];

			if (old->form != wish->form || old->prefix != wish->prefix ||
				!addr_equal(&old->addr, &wish->addr))
				continue;
			*wish = *old;
			set->last_errors[i] = old_set->last_errors[old_range->first + at];
			near = at;
			break;
		}
	}
}

/* Those of no instance. */
static void take_over_static(struct vrrp_set *set, const struct vrrp_set *old)
{
	for (uint32_t i = 0; i < set->conf->n_addresses; i++) {
		for (uint32_t j = 0; j < old->conf->n_addresses && set->conf->addresses[i].instance == CONF_NONE; j++) {
			struct vrrp_wish *wish = &set->wishes[i];

			if (old->conf->addresses[j].instance == CONF_NONE && old->wishes[j].form == wish->form &&
				old->wishes[j].prefix == wish->prefix && addr_equal(&old->wishes[j].addr, &wish->addr))
				*wish = old->wishes[j];
		}
	}
}

/* Everything but what describes the new generation. */
static void take_over_instance(struct vrrp_instance *instance, struct vrrp_instance *old)
{
	struct vrrp_instance fresh = *instance;
	struct loop *loop = instance->process->role->loop;

	cancel_timers(old);
	*instance = *old;
	instance->conf = fresh.conf;
	instance->index = fresh.index;
	instance->name = fresh.name;
	instance->hmac = fresh.hmac;
	instance->place = fresh.place;
	instance->deadline = fresh.deadline;
	instance->announce = fresh.announce;
	instance->needs_reload = instance->is_started;
	/* The plan of announcements goes by positions in the list of addresses, which may be another one now. */
	if (mono_is_set(instance->announcer.next) && old->conf->addresses.count != instance->conf->addresses.count)
		vrrp_announce_stop(&instance->announcer);
	if (mono_is_set(instance->vr.deadline))
		loop_timer_set(loop, &instance->deadline, instance->vr.deadline);
	if (mono_is_set(instance->announcer.next))
		loop_timer_set(loop, &instance->announce, instance->announcer.next);
	old->is_started = false;
}

static void stop_instance(struct vrrp_instance *instance)
{
	struct vrrp_event event = {.kind = VRRP_EVENT_STOP};

	instance->is_deleted = true;
	if (instance->is_started)
		vrrp_instance_step(instance, &event);
	cancel_timers(instance);
}

/* A link that went down a moment ago is no news of the reload. */
static void take_over_damps(struct vrrp_set *set, const struct vrrp_set *old)
{
	for (uint32_t i = 0; i < set->conf->n_link_delays; i++) {
		const char *name = conf_string(set->conf, set->conf->link_delays[i].interface);

		for (uint32_t k = 0; k < old->conf->n_link_delays; k++) {
			if (strcmp(name, conf_string(old->conf, old->conf->link_delays[k].interface)) == 0)
				set->damps[i] = old->damps[k];
		}
	}
}

static void take_over_groups(struct vrrp_set *set, const struct vrrp_set *old)
{
	for (uint32_t g = 0; g < set->conf->n_groups; g++) {
		conf_index_t before = conf_find_group(old->conf, set->conf, g);

		if (before == CONF_NONE)
			continue;
		set->groups[g].state = old->groups[before].state;
		set->groups[g].since_real_us = old->groups[before].since_real_us;
	}
}

/* One that was stopped in order begins anew; the neighbours remember its sequence all the same. */
static void take_past(struct vrrp_instance *instance, const struct vrrp_past *past)
{
	instance->has_past = past->state != VRRP_INIT;
	instance->past = *past;
	instance->ah_sequence = past->ah_sequence;
}

/* Every process was killed at once: only the file of heartbeats is left. */
static void read_heart(struct vrrp_process *process, struct vrrp_set *set)
{
	struct vrrp_past past;

	for (uint32_t i = 0; i < set->conf->n_instances; i++)
		if (vrrp_heart_find(&process->heart, vrrp_heart_key(set->conf, i), &past))
			take_past(&set->instances[i], &past);
}

/* The board of a predecessor that died under this same generation. */
static void read_past(struct vrrp_process *process, struct vrrp_set *set)
{
	const struct board *board = process->role->boards[ROLE_VRRP];

	if (!board || board_generation(board) != set->conf->generation) {
		read_heart(process, set);
		return;
	}
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct vrrp_instance *instance = &set->instances[i];
		struct status_instance record;

		if (board_load(board, VRRP_TABLE_INSTANCE, i, &record, sizeof(record)) < 0 || record.state > VRRP_FAULT)
			continue;
		take_past(instance, &(struct vrrp_past){.state = record.state,
					    .last_sent = record.last_sent,
					    .master = record.master,
					    .master_priority = record.master_priority,
					    .master_interval_us = record.master_interval_us,
					    .ah_sequence = record.ah_sequence});
		vrrp_record_adopt(instance, board);
		instance->counters.sent = record.adverts_sent;
		instance->counters.received = record.adverts_received;
		instance->counters.priority_zero_sent = record.priority_zero_sent;
		instance->counters.priority_zero_received = record.priority_zero_received;
		instance->vr.became_master = record.became_master;
		memcpy(instance->counters.dropped, record.dropped, sizeof(instance->counters.dropped));
		memcpy(instance->counters.checksums, record.checksums, sizeof(instance->counters.checksums));
		instance->counters.signed_received = record.signed_received;
		instance->counters.unsigned_received = record.unsigned_received;
	}
}

static void take_over_bfds(struct vrrp_process *process, struct vrrp_set *set, const struct vrrp_set *old)
{
	const struct board *board = process->role->boards[ROLE_VRRP];
	struct status_bfd *past = NULL;

	/* Too little memory to remember: the sessions begin anew. */
	if (!old && board && board_generation(board) == set->conf->generation)
		past = calloc(set->conf->n_bfds + 1, sizeof(*past));
	for (uint32_t i = 0; past && i < set->conf->n_bfds; i++) {
		if (board_load(board, VRRP_TABLE_BFD, i, &past[i], sizeof(past[i])) < 0)
			past[i] = (struct status_bfd){0};
	}
	bfd_speaker_switch(&process->bfd, &set->bfds, past);
	free(past);
}

void vrrp_set_take_over(struct vrrp_process *process, struct vrrp_set *set, struct vrrp_set *old)
{
	take_over_bfds(process, set, old);
	if (!old) {
		read_past(process, set);
		return;
	}
	process->groups_rest = true;
	vrrp_tracks_take_over(&set->tracks, set->conf, &old->tracks, old->conf);
	take_over_groups(set, old);
	vrrp_record_take_over(set, old);
	take_over_damps(set, old);
	take_over_static(set, old);
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct vrrp_instance *instance = &set->instances[i];
		conf_index_t before = find_predecessor(set, i, old);

		if (before == CONF_NONE)
			continue;
		take_over_wishes(set, instance, old, before);
		take_over_instance(instance, &old->instances[before]);
	}
	for (uint32_t i = 0; i < old->conf->n_instances; i++)
		stop_instance(&old->instances[i]);
	process->groups_rest = false;
}
