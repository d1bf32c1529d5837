/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drives the state machines of the vrrp process: gives them events with the time, carries their actions out, keeps
 * their timers armed. It decides nothing about elections and waits for nothing. */
#include "vrrp_process.h"
#include "vrrp_vmac.h"
#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A group that has not come to rest after this many orders is left until its next event. */
#define GROUP_ROUNDS 8
#define UNICAST_TTL 255
#define SEND_ERROR_LOG_US (60 * US_PER_S)

/* ---- advertisements out ---- */

/* From the virtual MAC address, so that switches learn it again and again. */
static int send_from_vmac(struct vrrp_instance *instance, const struct vrrp_departure *departure)
{
	const struct vrrp_process *process = instance->process;
	const struct conf *conf = process->set->conf;
	const struct conf_link *vmac = &conf->links[instance->conf->link];
	const struct link *link = links_find_name(&process->monitor.links, conf_string(conf, vmac->name));
	const struct vrrp_vmac_frame head = {.mac = vmac->mac,
		.source = departure->source,
		.destination = departure->destination,
		.ttl = departure->ttl,
		.protocol = instance->conf->auth == CONF_AUTH_AH ? VRRP_PROTOCOL_AH : VRRP_PROTOCOL};
	uint8_t frame[VRRP_PACKET_MAX + 64];
	size_t size = vrrp_vmac_frame(&head, departure->data, departure->size, frame, sizeof(frame));

	if (!link)
		return -ENODEV;
	return size ? vrrp_socket_send_frame(&instance->process->sockets, link->ifindex, frame, size) : -EMSGSIZE;
}

static void send_to(struct vrrp_instance *instance, struct vrrp_sending *tx, const struct addr *destination)
{
	struct vrrp_process *process = instance->process;
	uint8_t packet[VRRP_PACKET_MAX];
	struct vrrp_departure departure = {.family = instance->conf->family,
		.ttl = tx->ttl,
		.source = tx->source,
		.destination = *destination,
		.ifindex = instance->conf->unicast ? vrrp_instance_vrf(instance) : instance->ifindex,
		.data = packet};
	char buf[ADDR_TEXT];
	uint32_t held_back;
	int error;

	tx->destination = *destination;
	if (instance->conf->unicast && addr_is_link_local(destination))
		departure.ifindex = instance->ifindex;
	departure.size = vrrp_packet_encode(process->set->conf, instance->conf, tx, packet, sizeof(packet));
	if (departure.size == 0)
		error = -EMSGSIZE;
	else if (instance->conf->use_vmac && instance->conf->link != CONF_NONE && !instance->conf->vmac_xmit_base &&
		 !instance->conf->unicast)
		error = send_from_vmac(instance, &departure);
	else
		error = vrrp_socket_send(&process->sockets, &departure);
	if (error && log_limit_pass(&instance->send_limit, SEND_ERROR_LOG_US, &held_back))
		log_error("vrrp %s: advertisement to %s not sent: %s", instance->name, addr_format(destination, buf),
			strerror(-error));
}

/* Once for all copies: they share sequence and signature. */
static void sign(struct vrrp_instance *instance, struct vrrp_sending *tx)
{
	struct vrrp_process *process = instance->process;
	struct vrrp_hmac_marks *marks;

	if (instance->conf->auth != CONF_AUTH_HMAC)
		return;
	tx->hmac = &instance->hmac;
	if (instance->hmac.mode == CONF_HMAC_RECEIVE_ONLY)
		return;
	marks = vrrp_ledger_marks(&process->ledger, instance->place);
	tx->hmac_sequence =
		vrrp_hmac_next_sequence(&instance->hmac, marks->last_sent, vrrp_ledger_time(&process->ledger).kept_us);
	marks->last_sent = tx->hmac_sequence;
}

static void send_advertisement(struct vrrp_instance *instance, uint32_t priority)
{
	const struct conf *conf = instance->process->set->conf;
	const struct conf_range *peers = &instance->conf->peers;
	struct vrrp_sending tx = {.source = instance->vr.source,
		.priority = (uint8_t)priority,
		.ttl = instance->conf->unicast && instance->conf->unicast_ttl ? instance->conf->unicast_ttl
									      : UNICAST_TTL,
		.mtu = instance->mtu};
	struct addr group;

	/* The identifier is part of what AH signs, where 0 would be replaced by the kernel. */
	if (++instance->ip_id == 0)
		instance->ip_id = 1;
	tx.ip_id = instance->ip_id;
	tx.ah_sequence = ++instance->ah_sequence;
	sign(instance, &tx);
	instance->counters.sent++;
	if (priority == VRRP_PRIORITY_LEAVING)
		instance->counters.priority_zero_sent++;
	if (!instance->conf->unicast) {
		group = instance->conf->group_address;
		send_to(instance, &tx, &group);
		return;
	}
	for (uint32_t i = peers->first; i < peers->first + peers->count; i++)
		send_to(instance, &tx, &conf->peers[i].addr);
}

/* ---- announcements ---- */

/* A router says so in its neighbour advertisements; whether this host is one may change at any time. */
static bool is_forwarding6(const char *interface)
{
	char path[80], c = '0';
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/forwarding", interface);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return c != '0';
}

static void announce_address(struct vrrp_instance *instance, uint32_t number)
{
	struct vrrp_process *process = instance->process;
	const struct vrrp_wish *wish = &process->set->wishes[instance->conf->addresses.first + number];
	const struct link *link = links_find(&process->monitor.links, wish->ifindex);
	uint8_t frame[VRRP_NA_SIZE];
	size_t size;

	/* What the kernel refused us is not ours to announce. */
	if (!wish->is_set || !link || link->type != ARPHRD_ETHER || link->mac_length != VRRP_MAC_SIZE)
		return;
	if (wish->addr.family == AF_INET)
		size = vrrp_announce_arp(link->mac, &wish->addr, frame);
	else
		size = vrrp_announce_na(link->mac, &wish->addr, is_forwarding6(link->name), frame);
	vrrp_socket_send_frame(&process->sockets, wish->ifindex, frame, size);
}

static void begin_announcing(struct vrrp_instance *instance, enum vrrp_announce_kind kind)
{
	struct mono now = mono_now();
	int64_t lifetime_us = instance->process->addresses.lifetime_us;

	vrrp_announce_start(instance->conf, &instance->announcer, kind, now);
	/* The other node is taken to be configured as this one. */
	if (kind == VRRP_ANNOUNCE_MASTER && lifetime_us > 0)
		vrrp_announce_later(&instance->announcer, mono_add(now, lifetime_us + US_PER_S));
	if (mono_is_set(instance->announcer.next))
		loop_timer_set(instance->process->role->loop, &instance->announce, instance->announcer.next);
}

void vrrp_instance_announce_again(struct vrrp_instance *instance)
{
	/* A burst under way takes it along. */
	if (instance->vr.state == VRRP_MASTER && instance->announcer.rounds == 0)
		begin_announcing(instance, VRRP_ANNOUNCE_REFRESH);
}

void vrrp_instance_on_announce(struct timer *timer, void *arg)
{
	struct vrrp_instance *instance = arg;
	struct vrrp_process *process = instance->process;
	const struct conf *conf = process->set->conf;
	struct mono now = mono_now();
	uint32_t number;

	/* Whoever learns the address from us may use it at once, so it has to be there: the courier's return goes on.
	 */
	if (process->addresses_changed)
		vrrp_process_round(process);
	if (vrrp_addresses_are_coming(&process->addresses) || process->addresses_changed)
		return;
	while (vrrp_announce_next(
		instance->conf, conf->addresses + instance->conf->addresses.first, &instance->announcer, now, &number))
		announce_address(instance, number);
	if (mono_is_set(instance->announcer.next))
		loop_timer_set(process->role->loop, timer, instance->announcer.next);
}

/* ---- actions ---- */

static void hold_addresses(struct vrrp_instance *instance, bool holds)
{
	if (!holds) {
		vrrp_announce_stop(&instance->announcer);
		loop_timer_cancel(instance->process->role->loop, &instance->announce);
	}
	if (instance->holds == holds)
		return;
	instance->holds = holds;
	instance->process->addresses_changed = true;
	vrrp_process_round_soon(instance->process);
}

static void change_state(struct vrrp_instance *instance, const struct vrrp_action *action)
{
	bool is_up = action->to == VRRP_BACKUP || action->to == VRRP_MASTER;

	instance->since_real_us = real_now_us();
	/* A backup may be held back from its first moment on. */
	instance->process->facts_changed = true;
	vrrp_process_round_soon(instance->process);
	if (!is_up)
		instance->up_since = MONO_NEVER;
	else if (!mono_is_set(instance->up_since))
		instance->up_since = mono_now();
	vrrp_report_transition(instance, action);
}

/* Returns true when the sync group is to be asked. */
static bool perform(struct vrrp_instance *instance, const struct vrrp_action *action)
{
	switch ((enum vrrp_action_kind)action->kind) {
	case VRRP_ACTION_SEND:
		send_advertisement(instance, action->priority);
		return false;
	case VRRP_ACTION_ACQUIRE:
		hold_addresses(instance, true);
		return false;
	case VRRP_ACTION_RELEASE:
		hold_addresses(instance, false);
		return false;
	case VRRP_ACTION_ANNOUNCE:
		begin_announcing(instance, (enum vrrp_announce_kind)action->announce);
		return false;
	case VRRP_ACTION_STATE:
		change_state(instance, action);
		return true;
	case VRRP_ACTION_ASK_GROUP:
		return true;
	}
	return false;
}

/* Returns true when the sync group is to be asked. */
static bool step(struct vrrp_instance *instance, struct vrrp_event *event)
{
	struct loop *loop = instance->process->role->loop;
	struct vrrp_actions actions;
	bool has_moved = false, ask = false;

	event->now = mono_now();
	actions = vrrp_fsm(instance->conf, &instance->vr, event);
	for (uint32_t i = 0; i < actions.n; i++) {
		ask |= perform(instance, &actions.list[i]);
		has_moved |= actions.list[i].kind == VRRP_ACTION_STATE;
	}
	if (mono_is_set(instance->vr.deadline))
		loop_timer_set(loop, &instance->deadline, instance->vr.deadline);
	else
		loop_timer_cancel(loop, &instance->deadline);
	vrrp_report_split(instance, vrrp_split_look(&instance->split, instance->vr.state == VRRP_MASTER,
					    instance->conf->advert_us, event->now));
	vrrp_report_instance(instance, has_moved || event->kind == VRRP_EVENT_FAULTS ||
					       event->kind == VRRP_EVENT_PRIORITY || event->kind == VRRP_EVENT_SOURCE);
	return ask;
}

static struct vrrp_group *group_of(const struct vrrp_instance *instance)
{
	return instance->conf->group == CONF_NONE ? NULL : &instance->process->set->groups[instance->conf->group];
}

void vrrp_instance_settle_group(struct vrrp_process *process, struct vrrp_group *group)
{
	uint32_t before = group->state;

	if (group->n == 0)
		return;
	for (int round = 0; round < GROUP_ROUNDS; round++) {
		struct vrrp_group_verdict verdict = vrrp_group_decide(group->vrs, group->n);
		const char *culprit = verdict.culprit < group->n ? group->members[verdict.culprit]->name : "";

		group->state = verdict.state;
		if (verdict.order == VRRP_GROUP_STAY)
			break;
		for (uint32_t i = 0; i < group->n; i++) {
			struct vrrp_event event;

			if (vrrp_group_event(
				    &verdict, group->vrs, group->n, i, mono_now(), group->name, culprit, &event))
				step(group->members[i], &event);
		}
	}
	if (group->state != before)
		vrrp_report_group_transition(process, group, before);
}

void vrrp_instance_step(struct vrrp_instance *instance, struct vrrp_event *event)
{
	struct vrrp_group *group = group_of(instance);

	if (step(instance, event) && group && !instance->process->groups_rest) {
		group->last_mover = instance;
		vrrp_instance_settle_group(instance->process, group);
	}
	vrrp_handover_look(instance->process);
}

void vrrp_instance_on_deadline(struct timer *timer, void *arg)
{
	struct vrrp_instance *instance = arg;
	struct vrrp_event event = {.kind = VRRP_EVENT_TIMER};
	struct mono last_sent = instance->vr.last_sent, now = mono_now();
	bool has_stalled = vrrp_has_stalled(&instance->vr, now);

	(void)timer;
	if (instance->is_joining && instance->vr.state == VRRP_BACKUP)
		event.kind = VRRP_EVENT_DEAF;
	if (instance->vr.state == VRRP_BACKUP || has_stalled)
		vrrp_sockets_drain(&instance->process->sockets, instance->ifindex);
	vrrp_instance_step(instance, &event);
	if (has_stalled && instance->vr.state == VRRP_MASTER && mono_before(last_sent, instance->vr.last_sent))
		vrrp_report_stall(instance, mono_diff_us(now, last_sent));
	vrrp_process_end_if_idle(instance->process);
}
