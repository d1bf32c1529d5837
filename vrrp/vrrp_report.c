/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells the rest of the daemon, and people, what the vrrp process does: one log line for a change, the records of its
 * board, numbered events, and the notification scripts that are to be run. It only tells. */
#include "vrrp_culprit.h"
#include "vrrp_process.h"
#include <stdio.h>
#include <string.h>

#define DROP_LOG_US (60 * US_PER_S)
#define STALL_LOG_US US_PER_S   /* it is the whole process that was held up */
#define LOWER_US (1 * US_PER_S) /* at most one script a second for what a peer sends */

static const char *const state_words[] = {
	[VRRP_INIT] = "init", [VRRP_BACKUP] = "backup", [VRRP_MASTER] = "master", [VRRP_FAULT] = "fault"};

static const char *state_word(uint32_t state)
{
	return state <= VRRP_FAULT ? state_words[state] : "?";
}

/* ---- board ---- */

static void fill_instance(const struct vrrp_instance *instance, struct status_instance *record)
{
	const struct vrrp_vr *vr = &instance->vr;

	*record = (struct status_instance){.state = vr->state,
		.effective_priority = vr->priority,
		.since_real_us = instance->since_real_us,
		.since = vr->since,
		.up_since = instance->up_since,
		.last_sent = vr->last_sent,
		.last_received = vr->last_accepted,
		.deadline = vr->deadline,
		.master_interval_us = vr->master_interval_us,
		.source = vr->source,
		.master = vr->master,
		.master_priority = vr->master_priority,
		.ifindex = instance->ifindex,
		.adverts_sent = instance->counters.sent,
		.adverts_received = instance->counters.received,
		.became_master = vr->became_master,
		.priority_zero_sent = instance->counters.priority_zero_sent,
		.priority_zero_received = instance->counters.priority_zero_received,
		.new_master_reason = vr->new_master_reason,
		.last_protocol_error = instance->counters.last_protocol_error,
		.ah_sequence = instance->ah_sequence,
		.is_leaving = vr->leaving != VRRP_STAYING,
		.resync_wish = vrrp_handover_wish(instance->process, instance->index),
		.error_source = instance->error_source,
		.rival = instance->split.is_suspected ? instance->split.rival : (struct addr){0},
		.rival_drop = instance->split.is_suspected ? instance->split.drop : VRRP_DROP_NONE};
	memcpy(record->dropped, instance->counters.dropped, sizeof(instance->counters.dropped));
	memcpy(record->checksums, instance->counters.checksums, sizeof(instance->counters.checksums));
	record->signed_received = instance->counters.signed_received;
	record->unsigned_received = instance->counters.unsigned_received;
	if (!instance->is_started && instance->waiting[0])
		snprintf(record->why, sizeof(record->why), "%s", instance->waiting);
	else if (vr->state == VRRP_BACKUP && vr->is_held && vr->master_priority > 0 &&
		 vr->master_priority < vr->priority)
		snprintf(record->why, sizeof(record->why), "held back from taking over: %s", instance->hold_text);
	else
		vrrp_why(&vr->cause, record->why, sizeof(record->why));
}

static void group_why(const struct vrrp_group *group, char *why, size_t size)
{
	const struct vrrp_instance *mover = group->last_mover;
	char cause[WHY_SIZE];

	/* The member that is in the state of the whole says most about it. */
	for (uint32_t i = 0; i < group->n && (!mover || mover->vr.state != group->state); i++)
		mover = group->members[i];
	if (!mover) {
		snprintf(why, size, "no members");
		return;
	}
	snprintf(why, size, "%.60s: %.*s", mover->name, (int)size - 64,
		vrrp_why(&mover->vr.cause, cause, sizeof(cause)));
}

static void fill_group(const struct vrrp_group *group, struct status_group *record)
{
	*record = (struct status_group){.state = group->state, .since_real_us = group->since_real_us};
	group_why(group, record->why, sizeof(record->why));
}

struct board *vrrp_report_board(const struct vrrp_set *set)
{
	const struct conf *conf = set->conf;
	struct board_shape shape = {0};
	struct board *board;

	shape.record_size[VRRP_TABLE_INSTANCE] = sizeof(struct status_instance);
	shape.count[VRRP_TABLE_INSTANCE] = conf->n_instances;
	shape.record_size[VRRP_TABLE_GROUP] = sizeof(struct status_group);
	shape.count[VRRP_TABLE_GROUP] = conf->n_groups;
	shape.record_size[VRRP_TABLE_ADDRESS] = sizeof(struct status_address);
	shape.count[VRRP_TABLE_ADDRESS] = conf->n_addresses;
	shape.record_size[VRRP_TABLE_ROUTE] = shape.record_size[VRRP_TABLE_RULE] = sizeof(struct status_address);
	shape.count[VRRP_TABLE_ROUTE] = conf->n_routes;
	shape.count[VRRP_TABLE_RULE] = conf->n_rules;
	shape.record_size[VRRP_TABLE_TRACK] = sizeof(struct status_track);
	shape.count[VRRP_TABLE_TRACK] = conf->n_tracks;
	shape.record_size[VRRP_TABLE_BFD] = sizeof(struct status_bfd);
	shape.count[VRRP_TABLE_BFD] = conf->n_bfds;
	shape.record_size[VRRP_TABLE_HEARD] = sizeof(struct status_heard);
	shape.count[VRRP_TABLE_HEARD] = conf->n_instances * HEARD_SENDERS;
	board = board_create(ROLE_VRRP, conf->generation, &shape);
	if (!board)
		return NULL;
	vrrp_record_store(set, board);
	for (uint32_t i = 0; i < conf->n_instances; i++) {
		struct status_instance record;

		fill_instance(&set->instances[i], &record);
		board_store(board, VRRP_TABLE_INSTANCE, i, &record, sizeof(record));
	}
	for (uint32_t i = 0; i < conf->n_groups; i++) {
		struct status_group record;

		fill_group(&set->groups[i], &record);
		board_store(board, VRRP_TABLE_GROUP, i, &record, sizeof(record));
	}
	for (uint32_t i = 0; i < conf->n_tracks; i++)
		board_store(board, VRRP_TABLE_TRACK, i, &set->tracks.status[i], sizeof(struct status_track));
	for (uint32_t i = 0; i < conf->n_bfds; i++)
		board_store(board, VRRP_TABLE_BFD, i, &set->bfds.all[i].status, sizeof(struct status_bfd));
	return board;
}

void vrrp_report_instance(const struct vrrp_instance *instance, bool ring)
{
	struct role_process *role = instance->process->role;
	struct status_instance record;

	fill_instance(instance, &record);
	if (instance->is_started) {
		const struct vrrp_past past = {.state = record.state,
			.last_sent = record.last_sent,
			.master = record.master,
			.master_priority = record.master_priority,
			.master_interval_us = record.master_interval_us,
			.ah_sequence = record.ah_sequence};

		vrrp_heart_store(&instance->process->heart, instance->index,
			vrrp_heart_key(instance->process->set->conf, instance->index), &past);
	}
	if (ring)
		role_store(role, VRRP_TABLE_INSTANCE, instance->index, &record, sizeof(record));
	else
		role_store_quiet(role, VRRP_TABLE_INSTANCE, instance->index, &record, sizeof(record));
}

void vrrp_report_group(const struct vrrp_process *process, const struct vrrp_group *group)
{
	struct status_group record;

	fill_group(group, &record);
	role_store(process->role, VRRP_TABLE_GROUP, (uint32_t)(group - process->set->groups), &record, sizeof(record));
}

void vrrp_report_track(const struct vrrp_process *process, uint32_t index)
{
	role_store(process->role, VRRP_TABLE_TRACK, index, &process->set->tracks.status[index],
		sizeof(struct status_track));
}

static const char *culprit_of(const struct vrrp_process *process, uint32_t ifindex, char text[VRRP_TEXT_SIZE])
{
	const struct link *link = links_find(&process->monitor.links, ifindex);

	return vrrp_culprit(link ? link->remover : 0, text, VRRP_TEXT_SIZE);
}

void vrrp_report_address(void *arg, uint32_t index, int error, const char *text)
{
	struct vrrp_process *process = arg;
	const struct vrrp_wish *wish = &process->set->wishes[index];
	const struct conf_address *address = &process->set->conf->addresses[index];
	bool is_static = address->instance == CONF_NONE;
	const char *name = is_static ? "static" : process->set->instances[address->instance].name;
	struct status_address record = {
		.is_set = wish->is_set, .ifindex = wish->is_set ? wish->ifindex : 0, .last_error = (uint32_t)error};
	bool is_new_error = error && process->set->last_errors[index] != (uint32_t)error;
	char buf[ADDR_TEXT], culprit[VRRP_TEXT_SIZE];

	process->set->last_errors[index] = (uint32_t)error;
	/* A track_group may hold it. */
	process->facts_changed |= is_static;
	role_store(process->role, VRRP_TABLE_ADDRESS, index, &record, sizeof(record));
	addr_format(&wish->addr, buf);
	if (is_new_error)
		log_error("vrrp %s: %s/%u is not added: %s%s%s; trying again now and then", name, buf, wish->prefix,
			strerror(error), text ? ": " : "", text ? text : "");
	else if (!error && wish->is_set && wish->is_foreign)
		log_warning("vrrp %s: %s/%u is there already and stays as it is: somebody else had put it there", name,
			buf, wish->prefix);
	else if (!error)
		log_debug("vrrp %s: %s/%u %s", name, buf, wish->prefix, wish->is_set ? "added" : "removed");
	if (wish->is_lost)
		log_warning("vrrp %s: %s/%u was removed by %s, %u times of late: putting it back", name, buf,
			wish->prefix, culprit_of(process, wish->ifindex, culprit), wish->setbacks.count);
	if (!error && wish->is_set && !is_static)
		vrrp_instance_announce_again(&process->set->instances[address->instance]);
}

void vrrp_report_way(void *arg, uint32_t index, int error, const char *text)
{
	struct vrrp_process *process = arg;
	const struct conf *conf = process->set->conf;
	const struct vrrp_way *way = &process->set->ways[index];
	bool is_route = index < conf->n_routes;
	uint32_t links = conf->n_routes + conf->n_rules;
	conf_index_t number = is_route ? index : index - conf->n_routes;
	conf_index_t owner = index >= links ? conf->links[index - links].instance
			     : is_route     ? conf->routes[number].instance
					    : conf->rules[number].instance;
	struct status_address record = {.is_set = way->is_set, .last_error = (uint32_t)error};
	const char *name = owner == CONF_NONE ? "static" : process->set->instances[owner].name;
	char object[CONF_NAME_SIZE], culprit[VRRP_TEXT_SIZE];

	if (index < links)
		role_store(
			process->role, is_route ? VRRP_TABLE_ROUTE : VRRP_TABLE_RULE, number, &record, sizeof(record));
	/* Interfaces of an instance, or what a track_group holds together. */
	if (index >= links || owner == CONF_NONE)
		process->facts_changed = true;
	if (index >= links)
		snprintf(object, sizeof(object), "interface %s", conf_string(conf, conf->links[index - links].name));
	else if (is_route)
		conf_route_name(conf, number, object);
	else
		conf_rule_name(conf, number, object);
	if (error && way->last_error != error)
		log_error("vrrp %s: %s is not added: %s%s%s; trying again now and then", name, object, strerror(error),
			text ? ": " : "", text ? text : "");
	else if (!error && !way->is_set && way->is_wanted)
		log_warning("vrrp %s: %s was removed by %s: %s", name, object,
			vrrp_culprit(process->pave.remover, culprit, sizeof(culprit)),
			way->is_let_go ? "left out until the next takeover (no_track)" : "putting it back");
	else if (!error)
		log_debug("vrrp %s: %s added", name, object);
}

/* ---- transitions ---- */

static enum conf_notify_event notify_event(uint32_t state)
{
	if (state == VRRP_MASTER)
		return CONF_NOTIFY_MASTER;
	if (state == VRRP_BACKUP)
		return CONF_NOTIFY_BACKUP;
	return state == VRRP_FAULT ? CONF_NOTIFY_FAULT : CONF_NOTIFY_STOP;
}

/* First the scripts for this event, then those for any. */
static void notify(
	struct vrrp_process *process, const struct conf_range *range, enum conf_notify_event event, uint32_t priority)
{
	const enum conf_notify_event order[] = {event, CONF_NOTIFY_ANY};

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = range->first; i < range->first + range->count; i++) {
			if (process->set->conf->notifies[i].event == order[pass])
				role_notify(process->role, i, event, priority);
		}
	}
}

void vrrp_report_event(struct vrrp_process *process, uint32_t kind, uint32_t object, uint32_t from, uint32_t to,
	const char *name, const char *why)
{
	struct event event = {.kind = kind, .object = object, .from = from, .to = to};

	if (kind != EVENT_GROUP && kind != EVENT_BFD && kind != EVENT_LINK) {
		event.priority = process->set->instances[object].vr.priority;
		event.is_deleted = process->set->instances[object].is_deleted;
	}
	snprintf(event.name, sizeof(event.name), "%s", name);
	snprintf(event.why, sizeof(event.why), "%s", why);
	role_event(process->role, &event);
}

/* Who asks for it is told that the instance is gone for good; others see it stop. */
static enum conf_notify_event event_of_state(const struct vrrp_instance *instance, uint32_t state)
{
	const struct conf_range *range = &instance->conf->notifies;

	for (uint32_t i = range->first; instance->is_deleted && i < range->first + range->count; i++) {
		if (instance->process->set->conf->notifies[i].event == CONF_NOTIFY_DELETED)
			return CONF_NOTIFY_DELETED;
	}
	return notify_event(state);
}

void vrrp_report_transition(struct vrrp_instance *instance, const struct vrrp_action *action)
{
	struct vrrp_process *process = instance->process;
	char why[WHY_SIZE];

	vrrp_why(&action->cause, why, sizeof(why));
	log_info("vrrp %s: %s -> %s: %s", instance->name, state_word(action->from), state_word(action->to), why);
	vrrp_report_event(process, EVENT_INSTANCE, instance->index, action->from, action->to, instance->name, why);
	notify(process, &instance->conf->notifies, event_of_state(instance, action->to), instance->vr.priority);
}

void vrrp_report_priority(struct vrrp_instance *instance, uint32_t from)
{
	char why[WHY_SIZE];

	snprintf(why, sizeof(why), "effective priority %u -> %u", from, instance->vr.priority);
	log_info("vrrp %s: %s", instance->name, why);
	vrrp_report_event(instance->process, EVENT_PRIORITY, instance->index, instance->vr.state, instance->vr.state,
		instance->name, why);
}

void vrrp_report_bfd(void *arg, uint32_t index, bool is_changed, uint32_t from)
{
	struct vrrp_process *process = arg;
	const struct bfd_talk *talk = &process->set->bfds.all[index];
	const struct status_bfd *status = &talk->status;

	if (!is_changed) {
		role_store_quiet(process->role, VRRP_TABLE_BFD, index, status, sizeof(*status));
		return;
	}
	role_store(process->role, VRRP_TABLE_BFD, index, status, sizeof(*status));
	log_info("bfd %s: %s -> %s: %s", talk->name, bfd_state_name(from), bfd_state_name(status->session.state),
		status->why);
	/* Nobody acts on the steps in between. */
	if ((from == BFD_UP) == (status->session.state == BFD_UP))
		return;
	vrrp_report_event(process, EVENT_BFD, index, from, status->session.state, talk->name, status->why);
	process->facts_changed = true;
	vrrp_process_round_soon(process);
}

/* Whether anybody asked for it: otherwise it would only fill the ring. */
static bool is_lower_asked_for(const struct vrrp_instance *instance)
{
	const struct conf *conf = instance->process->set->conf;
	const struct conf_range *range = &instance->conf->notifies;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		if (conf->notifies[i].event == CONF_NOTIFY_LOWER_PRI)
			return true;
	}
	return false;
}

void vrrp_report_stall(struct vrrp_instance *instance, int64_t span_us)
{
	char why[WHY_SIZE];
	uint32_t held_back;

	snprintf(why, sizeof(why), "this process was held up for %lld ms and nobody took over meanwhile: still master",
		(long long)(span_us / US_PER_MS));
	vrrp_report_event(
		instance->process, EVENT_STALL, instance->index, VRRP_MASTER, VRRP_MASTER, instance->name, why);
	if (log_limit_pass(&instance->process->stall_limit, STALL_LOG_US, &held_back))
		log_warning("vrrp %s: %s", instance->name, why);
}

void vrrp_report_lower(struct vrrp_instance *instance, const struct addr *source, uint32_t priority)
{
	const struct conf_range *range = &instance->conf->notifies;
	char why[WHY_SIZE], buf[ADDR_TEXT];
	uint32_t held_back;

	if (!is_lower_asked_for(instance) || !log_limit_pass(&instance->lower_limit, LOWER_US, &held_back))
		return;
	snprintf(why, sizeof(why), "advertisement of priority %u from %s while master with %u", priority,
		addr_format(source, buf), instance->vr.priority);
	vrrp_report_event(
		instance->process, EVENT_LOWER, instance->index, VRRP_MASTER, VRRP_MASTER, instance->name, why);
	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		if (instance->process->set->conf->notifies[i].event == CONF_NOTIFY_LOWER_PRI)
			role_notify(instance->process->role, i, CONF_NOTIFY_LOWER_PRI, instance->vr.priority);
	}
}

void vrrp_report_group_transition(struct vrrp_process *process, struct vrrp_group *group, uint32_t from)
{
	char why[WHY_SIZE];

	group->since_real_us = real_now_us();
	group_why(group, why, sizeof(why));
	log_info("vrrp group %s: %s -> %s: %s", group->name, state_word(from), state_word(group->state), why);
	vrrp_report_group(process, group);
	vrrp_report_event(
		process, EVENT_GROUP, (uint32_t)(group - process->set->groups), from, group->state, group->name, why);
	/* A group has no priority: scripts get 0, as FIFOs do, and as keepalived does. */
	notify(process, &group->conf->notifies, notify_event(group->state), 0);
}

void vrrp_report_drop(struct vrrp_instance *instance, enum vrrp_drop drop, const struct addr *source)
{
	uint32_t protocol_error = vrrp_drop_protocol_error(drop);
	char buf[ADDR_TEXT], why[WHY_SIZE], more[48] = "";
	uint32_t held_back;

	instance->counters.dropped[drop]++;
	instance->error_source = *source;
	if (protocol_error)
		instance->counters.last_protocol_error = protocol_error;
	vrrp_report_instance(instance, false);
	if (!log_limit_pass(&instance->drop_limits[drop], DROP_LOG_US, &held_back))
		return;
	if (held_back)
		snprintf(more, sizeof(more), " (and %u more since the last message)", held_back);
	snprintf(why, sizeof(why), "advertisement from %s dropped: %s", addr_format(source, buf), vrrp_drop_text(drop));
	log_warning("vrrp %s: %s%s", instance->name, why, more);
	vrrp_report_event(instance->process, EVENT_PROTOCOL, instance->index, 0, drop, instance->name, why);
}

void vrrp_report_split(struct vrrp_instance *instance, enum vrrp_split_change change)
{
	char why[WHY_SIZE];

	if (change == VRRP_SPLIT_SAME)
		return;
	if (change == VRRP_SPLIT_SUSPECTED)
		vrrp_split_text(&instance->split, why);
	else
		snprintf(why, sizeof(why), "%s",
			instance->vr.state == VRRP_MASTER ? "the other master is silent" : "we are master no more");
	if (change == VRRP_SPLIT_SUSPECTED)
		log_warning("vrrp %s: split brain suspected: %s", instance->name, why);
	else
		log_info("vrrp %s: split brain over: %s", instance->name, why);
	vrrp_report_event(instance->process, EVENT_SPLIT, instance->index, change != VRRP_SPLIT_SUSPECTED,
		change == VRRP_SPLIT_SUSPECTED, instance->name, why);
	vrrp_report_instance(instance, true);
}
