/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turns what the vrrp process can see (interfaces, addresses, sockets, tracked objects) into events for its state
 * machines. Everything is computed anew each time from the observed facts, nothing is counted up or down; what did not
 * change causes no event. */
#include "vrrp_hold.h"
#include "vrrp_process.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEAF_RETRY_US (1 * US_PER_S)

/* What is seen of one instance at the moment. */
struct facts {
	uint32_t faults;
	uint32_t priority;
	char text[VRRP_TEXT_SIZE]; /* object of the lowest fault */
	struct addr source;        /* AF_UNSPEC: none */
	bool must_wait;            /* the kernel is still checking the only address, or making an interface */
	bool waits_for_link;
};

static void add_fault(struct facts *facts, enum vrrp_fault fault, const char *object)
{
	uint32_t bit = VRRP_FAULT_BIT(fault);

	/* The text belongs to the lowest bit. */
	if (facts->faults == 0 || bit < (facts->faults & -facts->faults))
		snprintf(facts->text, sizeof(facts->text), "%s", object);
	facts->faults |= bit;
}

static void add_link_faults(struct facts *facts, const struct link *link, const char *name)
{
	if (!link)
		add_fault(facts, VRRP_FAULT_NO_INTERFACE, name);
	else if (!(link->counted & IFF_UP))
		add_fault(facts, VRRP_FAULT_LINK_DOWN, name);
	else if (!link_is_running(link))
		add_fault(facts, VRRP_FAULT_NO_CARRIER, name);
}

static bool is_virtual(void *arg, const struct link *link, const struct link_address *address)
{
	const struct vrrp_process *process = arg;
	const struct vrrp_set *set = process->set;
	bool is_held = address->proto == VRRP_ADDRESS_PROTO;

	(void)link;
	for (uint32_t i = 0; i < set->conf->n_addresses; i++) {
		if (!addr_equal(&set->wishes[i].addr, &address->addr))
			continue;
		/* One that is always held is as good as any other to speak from. */
		if (set->conf->addresses[i].instance == CONF_NONE)
			return false;
		is_held = true;
	}
	return is_held;
}

/* Unicast needs the configured source on this machine, on whatever interface; multicast may hide behind any. */
static void look_at_source(struct facts *facts, const struct vrrp_instance *instance)
{
	const struct links *links = &instance->process->monitor.links;
	bool is_tentative = false;
	char text[ADDR_TEXT];

	if (!instance->conf->unicast && !instance->conf->track_source)
		return;
	for (uint32_t i = 0; i < links->count; i++) {
		for (uint32_t k = 0; k < links->all[i].n_addresses; k++) {
			const struct link_address *a = &links->all[i].addresses[k];

			if (!addr_equal(&a->addr, &instance->conf->source) || (a->flags & IFA_F_DADFAILED))
				continue;
			if (!(a->flags & IFA_F_TENTATIVE) || (a->flags & IFA_F_OPTIMISTIC))
				return;
			is_tentative = true;
		}
	}
	facts->must_wait |= is_tentative;
	add_fault(facts, VRRP_FAULT_NO_SOURCE, addr_format(&instance->conf->source, text));
}

static void find_source(struct facts *facts, const struct vrrp_instance *instance, const struct link *link)
{
	const struct conf_instance *conf = instance->conf;
	struct link_source_query query = {.family = conf->family,
		.link_local = conf->family == AF_INET6 && !conf->unicast,
		.is_virtual = is_virtual,
		.arg = instance->process};

	if (addr_is_set(&conf->source)) {
		facts->source = conf->source;
		look_at_source(facts, instance);
		return;
	}
	query.allows_virtual = conf->priority == VRRP_PRIORITY_OWNER;
	if (!link)
		return;
	switch (link_source(link, &query, &facts->source)) {
	case LINK_SOURCE_FOUND:
		return;
	case LINK_SOURCE_TENTATIVE:
		facts->must_wait = true;
		break;
	case LINK_SOURCE_NONE:
	case LINK_SOURCE_DUPLICATE:
		break;
	}
	add_fault(facts, VRRP_FAULT_NO_SOURCE, link->name);
}

/* A route goes with the interfaces that it leads through. */
static void look_at_routes(struct facts *facts, const struct vrrp_instance *instance)
{
	const struct vrrp_process *process = instance->process;
	const struct conf *conf = process->set->conf;
	const struct conf_range *range = &instance->conf->routes;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct conf_route *route = &conf->routes[i];

		const struct conf_nexthop *hop = &conf->nexthops[route->nexthops.first];

		/* Of several next hops one is enough. */
		if (route->nexthops.count == 1 && !route->no_track && hop->interface)
			add_link_faults(facts,
				links_find_name(&process->monitor.links, conf_string(conf, hop->interface)),
				conf_string(conf, hop->interface));
	}
}

/* Addresses on other interfaces go with their interface, unless no_track. */
static void look_at_other_interfaces(struct facts *facts, const struct vrrp_instance *instance)
{
	const struct vrrp_process *process = instance->process;
	const struct conf *conf = process->set->conf;
	const struct conf_range *range = &instance->conf->addresses;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct conf_address *address = &conf->addresses[i];
		const char *name = conf_string(conf, address->interface);

		if (address->interface && !address->no_track)
			add_link_faults(facts, links_find_name(&process->monitor.links, name), name);
	}
}

/* Each is made when the interface below is there; one that cannot be made is a fault. */
static void look_at_links(struct facts *facts, const struct vrrp_instance *instance)
{
	const struct vrrp_process *process = instance->process;
	const struct conf *conf = process->set->conf;
	const struct conf_range *range = &instance->conf->links;

	for (uint32_t i = range->first; i < range->first + range->count; i++) {
		const struct vrrp_way *way = &process->set->ways[conf->n_routes + conf->n_rules + i];

		if (way->is_set || !links_find_name(&process->monitor.links, conf_string(conf, conf->links[i].base)))
			continue;
		if (way->last_error)
			add_fault(facts, VRRP_FAULT_NO_INTERFACE, conf_string(conf, conf->links[i].name));
		else if (!instance->is_started)
			facts->must_wait = facts->waits_for_link = true;
	}
}

/* Who cannot hear yet does not know whether anybody is master, but for one that may go on as it was. */
static void look_at_joining(struct facts *facts, const struct vrrp_instance *instance)
{
	const struct vrrp_past *past = &instance->past;
	bool goes_on = instance->has_past && past->state == VRRP_MASTER && mono_is_set(past->last_sent) &&
		       mono_diff_us(mono_now(), past->last_sent) < vrrp_patience_us(instance->conf);

	if (!instance->is_joining)
		return;
	if (!instance->is_started)
		facts->waits_for_link |= !goes_on;
	else if (instance->vr.state == VRRP_FAULT && (instance->vr.faults & VRRP_FAULTS_OWN))
		add_fault(
			facts, VRRP_FAULT_SOCKET, conf_string(instance->process->set->conf, instance->conf->interface));
}

/* Unicast may do without an interface, and go as the routes lead it, in the VRF that is named or in none. */
static conf_string_t speaks_on(const struct conf_instance *instance)
{
	return instance->interface ? instance->interface : instance->vrf;
}

static void look(struct facts *facts, const struct vrrp_instance *instance)
{
	const struct vrrp_process *process = instance->process;
	const struct conf *conf = process->set->conf;
	const char *interface = conf_string(conf, speaks_on(instance->conf));
	const struct link *link = links_find_name(&process->monitor.links, interface);
	struct vrrp_priority priority = vrrp_priority_of(conf, instance->index, process->set->tracks.seen);
	char name[VRRP_TEXT_SIZE];

	*facts = (struct facts){.priority = priority.effective};
	if (interface[0] && (!link || instance->conf->track_primary))
		add_link_faults(facts, link, interface);
	look_at_other_interfaces(facts, instance);
	look_at_routes(facts, instance);
	look_at_links(facts, instance);
	look_at_joining(facts, instance);
	find_source(facts, instance, link);
	if (instance->is_deaf)
		add_fault(facts, VRRP_FAULT_SOCKET, interface);
	if (instance->conf->unicast && instance->conf->peers.count == 0)
		add_fault(facts, VRRP_FAULT_NO_PEER, "");
	if (instance->conf->auth == CONF_AUTH_HMAC && !instance->hmac.active)
		add_fault(facts, VRRP_FAULT_NO_KEY, "");
	if (priority.is_fault)
		add_fault(facts, VRRP_FAULT_TRACK,
			priority.culprit == CONF_NONE ? "object"
						      : vrrp_track_name(conf, priority.culprit, name, sizeof(name)));
}

/* ---- into events ---- */

static struct vrrp_event event_of(enum vrrp_event_kind kind, const struct facts *facts)
{
	struct vrrp_event event = {
		.kind = kind, .faults = facts->faults, .priority = facts->priority, .source = facts->source};

	memcpy(event.text, facts->text, sizeof(event.text));
	return event;
}

#define LINK_FAULTS                                                                                                    \
	(VRRP_FAULT_BIT(VRRP_FAULT_NO_INTERFACE) | VRRP_FAULT_BIT(VRRP_FAULT_LINK_DOWN) |                              \
		VRRP_FAULT_BIT(VRRP_FAULT_NO_CARRIER))

static void listen_to_link(struct vrrp_instance *instance)
{
	/* Behind a VRF there is no port of a switch. */
	if (!instance->conf->interface)
		return;
	instance->quiet_until = vrrp_quiet_listen(&instance->process->quiet, instance->ifindex, mono_now());
	if (mono_is_set(instance->quiet_until))
		log_info("vrrp %s: %s came up: that nobody advertises is believed when anything else was heard there, "
			 "or "
			 "after %lld s",
			instance->name, conf_string(instance->process->set->conf, instance->conf->interface),
			(long long)(VRRP_QUIET_US / US_PER_S));
}

void vrrp_facts_on_heard(void *arg, uint32_t ifindex)
{
	struct vrrp_process *process = arg;

	for (uint32_t i = 0; process->set && i < process->set->conf->n_instances; i++) {
		struct vrrp_instance *instance = &process->set->instances[i];
		struct vrrp_event event = {.kind = VRRP_EVENT_HEARD};

		if (instance->ifindex != ifindex || !mono_is_set(instance->quiet_until))
			continue;
		instance->quiet_until = MONO_NEVER;
		if (instance->is_started)
			vrrp_instance_step(instance, &event);
	}
}

/* With the machine the port of its switch came up, and passes nothing on for a while; no such port is behind a veth. */
static bool came_up_with_machine(const struct vrrp_instance *instance)
{
	const struct link *link = links_find(&instance->process->monitor.links, instance->ifindex);

	return link && !link->is_veth && vrrp_quiet_uptime_us() < VRRP_QUIET_BOOT_US;
}

static void start(struct vrrp_instance *instance, const struct facts *facts)
{
	struct vrrp_event event = event_of(instance->has_past ? VRRP_EVENT_RESUME : VRRP_EVENT_START, facts);

	event.past = instance->past;
	if (!instance->has_past && !(facts->faults & LINK_FAULTS) && came_up_with_machine(instance))
		listen_to_link(instance);
	event.quiet_until = instance->quiet_until;
	instance->vr.priority = facts->priority;
	instance->is_started = true;
	instance->was_deaf = instance->is_joining;
	vrrp_instance_step(instance, &event);
}

/* Says once what keeps it from starting; returns false when that is known. */
static bool note_waiting(struct vrrp_instance *instance, const char *what, const char *how)
{
	const char *interface = conf_string(instance->process->set->conf, instance->conf->interface);
	char text[VRRP_TEXT_SIZE];

	snprintf(text, sizeof(text), "%s %s %s", what, interface, how);
	if (strcmp(text, instance->waiting) == 0)
		return false;
	memcpy(instance->waiting, text, sizeof(text));
	vrrp_report_instance(instance, true);
	return true;
}

/* An address under duplicate detection will be usable in a second or two: no reason for a fault, nor for its scripts.
 */
static void wait_for_address(struct vrrp_instance *instance)
{
	if (note_waiting(instance, "waits until the address of", "is checked for duplicates"))
		log_info("vrrp %s: %s", instance->name, instance->waiting);
}

static void deliver(struct vrrp_instance *instance, const struct facts *facts)
{
	uint32_t own_faults = instance->vr.faults & VRRP_FAULTS_OWN, before;
	struct vrrp_event event;

	if (instance->process->is_leaving)
		return;
	if (!instance->is_started) {
		if (instance->is_joining)
			note_waiting(instance, "waits until the kernel lets it listen on",
				"(another program changes interfaces?)");
		/* In a moment. */
		if (facts->waits_for_link)
			return;
		if (facts->must_wait && facts->faults == VRRP_FAULT_BIT(VRRP_FAULT_NO_SOURCE))
			wait_for_address(instance);
		else
			start(instance, facts);
		return;
	}
	if (instance->was_deaf && !instance->is_joining) {
		event = event_of(VRRP_EVENT_DEAF, facts);
		instance->was_deaf = false;
		vrrp_instance_step(instance, &event);
	}
	if (addr_is_set(&facts->source) && !addr_equal(&facts->source, &instance->vr.source)) {
		event = event_of(VRRP_EVENT_SOURCE, facts);
		vrrp_instance_step(instance, &event);
	}
	if (instance->needs_reload || facts->priority != instance->vr.priority) {
		event = event_of(instance->needs_reload ? VRRP_EVENT_RELOAD : VRRP_EVENT_PRIORITY, facts);
		before = instance->vr.priority;
		instance->needs_reload = false;
		vrrp_instance_step(instance, &event);
		if (instance->vr.priority != before)
			vrrp_report_priority(instance, before);
	}
	if (facts->faults != own_faults || (own_faults && strcmp(facts->text, instance->vr.fault_text) != 0)) {
		event = event_of(VRRP_EVENT_FAULTS, facts);
		if ((own_faults & LINK_FAULTS) && !(facts->faults & LINK_FAULTS))
			listen_to_link(instance);
		event.quiet_until = instance->quiet_until;
		vrrp_instance_step(instance, &event);
	}
}

/* ---- interfaces and sockets ---- */

/* The interface that holds an address. */
static conf_string_t held_on(const struct conf *conf, const struct conf_address *address)
{
	if (address->link != CONF_NONE)
		return conf->links[address->link].name;
	if (address->interface || address->instance == CONF_NONE)
		return address->interface;
	return conf->instances[address->instance].interface;
}

static void find_interfaces(struct vrrp_process *process)
{
	struct vrrp_set *set = process->set;

	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct vrrp_instance *instance = &set->instances[i];
		const char *name = conf_string(set->conf, speaks_on(instance->conf));
		const struct link *link = links_find_name(&process->monitor.links, name);
		uint32_t ifindex = link ? link->ifindex : 0, birth = link ? link->birth : 0;

		instance->mtu = link ? link->mtu : 0;
		if (ifindex == instance->ifindex && birth == instance->birth)
			continue;
		instance->ifindex = ifindex;
		instance->birth = birth;
		process->listeners_changed = true;
	}
	for (uint32_t i = 0; i < set->conf->n_addresses; i++) {
		const struct conf_address *address = &set->conf->addresses[i];
		bool is_static = address->instance == CONF_NONE;
		const char *name = conf_string(set->conf, held_on(set->conf, address));
		const struct link *link = links_find_name(&process->monitor.links, name);
		uint32_t ifindex = link ? link->ifindex : 0;

		if (link && memcmp(set->wishes[i].mac, link->mac, sizeof(link->mac)) != 0) {
			memcpy(set->wishes[i].mac, link->mac, sizeof(link->mac));
			if (!is_static)
				vrrp_instance_announce_again(&set->instances[address->instance]);
		}
		if (set->wishes[i].ifindex == ifindex)
			continue;
		set->wishes[i].ifindex = ifindex;
		process->addresses_changed = true;
	}
}

static int listen_for(struct vrrp_process *process, const struct vrrp_instance *instance)
{
	const struct conf_instance *conf = instance->conf;
	struct vrrp_listen_key key = {
		.family = conf->family, .protocol = conf->auth == CONF_AUTH_AH ? VRRP_PROTOCOL_AH : VRRP_PROTOCOL};

	if (!conf->unicast && instance->ifindex == 0)
		return 0;
	key.ifindex = conf->unicast ? vrrp_instance_vrf(instance) : instance->ifindex;
	key.birth = key.ifindex ? instance->birth : 0;
	if (!conf->unicast)
		key.group = conf->group_address;
	return vrrp_listeners_need(&process->sockets, &key);
}

static void hear(struct vrrp_process *process)
{
	struct vrrp_set *set = process->set;
	bool is_any_deaf = false;

	vrrp_map_clear(&set->map);
	vrrp_listeners_begin(&process->sockets);
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct vrrp_instance *instance = &set->instances[i];
		struct vrrp_map_key key = {.ifindex = instance->ifindex,
			.family = instance->conf->family,
			.vrid = instance->conf->vrid,
			.unicast = instance->conf->unicast != 0};
		int error = listen_for(process, instance);

		instance->is_joining = error == -EINPROGRESS;
		instance->was_deaf |= instance->is_joining;
		error = instance->is_joining ? 0 : error;
		if (error && !instance->is_deaf)
			log_error("vrrp %s: no socket to receive on %s: %s", instance->name,
				conf_string(set->conf, speaks_on(instance->conf)), strerror(-error));
		instance->is_deaf = error != 0;
		is_any_deaf |= instance->is_deaf;
		/* What comes for the others is found by its sender. */
		if (instance->conf->interface)
			vrrp_map_put(&set->map, key, i);
	}
	process->listeners_changed = is_any_deaf;
	vrrp_listeners_end(&process->sockets); /* without a thread they have joined then */
	if (is_any_deaf)
		loop_timer_set(process->role->loop, &process->retry, mono_add(mono_now(), DEAF_RETRY_US));
}

void vrrp_facts_on_joined(void *arg)
{
	struct vrrp_process *process = arg;

	process->listeners_changed = process->facts_changed = true;
	vrrp_process_round_soon(process);
}

static void report_track(void *arg, uint32_t index)
{
	struct vrrp_process *process = arg;
	const struct status_track *status = &process->set->tracks.status[index];
	char name[VRRP_TEXT_SIZE];

	log_info("vrrp: tracked %s is %s: %s", vrrp_track_name(process->set->conf, index, name, sizeof(name)),
		status->is_up ? "up" : "down", status->why);
	vrrp_report_track(process, index);
}

/* Before anything else reaches the machine: an instance that starts is held from its first moment. */
static void look_at_hold(struct vrrp_instance *instance, const struct status_pair *pair)
{
	struct vrrp_process *process = instance->process;
	const struct vrrp_vr *vr = &instance->vr;
	struct vrrp_hold hold = vrrp_hold_decide(process->set->conf->global, vr->state, vr->since, pair, mono_now());
	struct vrrp_event event = {.kind = VRRP_EVENT_HOLD, .faults = hold.is_held};

	if (mono_is_set(hold.look_again) &&
		(!process->hold_due.slot || mono_before(hold.look_again, process->hold_due.at)))
		loop_timer_set(process->role->loop, &process->hold_due, hold.look_again);
	memcpy(instance->hold_text, hold.text, sizeof(instance->hold_text));
	if (hold.is_held == vr->is_held)
		return;
	memcpy(event.text, hold.text, sizeof(hold.text));
	if (vr->state == VRRP_BACKUP && !hold.is_held && vr->master_priority != 0 && vr->master_priority < vr->priority)
		log_info("vrrp %s: no longer held back from taking over: %s", instance->name, hold.text);
	vrrp_instance_step(instance, &event);
}

static void look_at_holds(struct vrrp_process *process)
{
	const struct board *board = process->role->boards[ROLE_PAIR];
	struct status_pair pair;
	bool known = board && board_load(board, PAIR_TABLE_PEER, 0, &pair, sizeof(pair)) == 0;

	loop_timer_cancel(process->role->loop, &process->hold_due);
	for (uint32_t i = 0; i < process->set->conf->n_instances; i++)
		look_at_hold(&process->set->instances[i], known ? &pair : NULL);
}

static void delay_links(struct vrrp_process *process)
{
	struct mono next =
		vrrp_damp_apply(process->set->conf, process->set->damps, &process->monitor.links, mono_now());

	if (mono_is_set(next))
		loop_timer_set(process->role->loop, &process->links_due, next);
	else
		loop_timer_cancel(process->role->loop, &process->links_due);
}

void vrrp_facts_evaluate(struct vrrp_process *process)
{
	struct vrrp_set *set = process->set;
	struct vrrp_sight sight = {.conf = set->conf,
		.links = &process->monitor.links,
		.script = process->role->boards[ROLE_SCRIPT],
		.ipvs = process->role->boards[ROLE_IPVS],
		.vrrp = process->role->board,
		.real_now_us = real_now_us()};

	delay_links(process);
	vrrp_tracks_look(&set->tracks, &sight, report_track, process);
	find_interfaces(process);
	vrrp_record_links(process);
	if (process->listeners_changed)
		hear(process);
	process->groups_rest = true;
	look_at_holds(process);
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		struct facts facts;

		look(&facts, &set->instances[i]);
		deliver(&set->instances[i], &facts);
	}
	process->groups_rest = false;
	for (uint32_t g = 0; g < set->conf->n_groups; g++)
		vrrp_instance_settle_group(process, &set->groups[g]);
	vrrp_handover_consider(process);
}
