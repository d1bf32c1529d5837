/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Takes packets from the sockets of the vrrp process to the state machine they are for. What is in a packet is judged
 * by vrrp_packet.c; here it is counted, logged at a bounded rate, and turned into an event. */
#include "vrrp_process.h"
#include <string.h>

#define ODDITY_LOG_US (3600 * US_PER_S)

/* Unicast advertisements may come in on another interface than the one that the answer leaves by. */
static bool is_peer(const struct conf *conf, const struct conf_instance *instance, const struct addr *source)
{
	for (uint32_t i = instance->peers.first; i < instance->peers.first + instance->peers.count; i++) {
		if (addr_equal(&conf->peers[i].addr, source))
			return true;
	}
	return false;
}

static struct addr source_of(const struct vrrp_received *packet)
{
	/* IPv4: offset 12 of the header, whose length was checked with the VRID. */
	return packet->family == AF_INET ? addr_from_bytes(AF_INET, packet->data + 12) : packet->source;
}

static struct addr destination_of(const struct vrrp_received *packet)
{
	return packet->family == AF_INET ? addr_from_bytes(AF_INET, packet->data + 16) : packet->destination;
}

/* Several instances with one number may share an interface when each has a group of its own (mcast_dst_ip). Where none
 * has this one, the first stays, and says why it drops it. */
static uint32_t find_by_group(const struct vrrp_set *set, uint32_t first, const struct vrrp_received *packet)
{
	const struct addr group = destination_of(packet);
	const struct vrrp_instance *named = &set->instances[first];

	for (uint32_t i = first; i < set->conf->n_instances; i++) {
		const struct conf_instance *conf = set->instances[i].conf;

		if (conf->vrid == named->conf->vrid && conf->family == packet->family && !conf->unicast &&
			set->instances[i].ifindex == named->ifindex && addr_equal(&conf->group_address, &group))
			return i;
	}
	return first;
}

static struct vrrp_instance *find_instance(
	struct vrrp_set *set, const struct vrrp_arrival *arrival, uint8_t vrid, const struct addr *source)
{
	struct vrrp_map_key key = {.ifindex = arrival->ifindex,
		.family = arrival->packet.family,
		.vrid = vrid,
		.unicast = arrival->by_unicast_socket};
	uint32_t index = vrrp_map_get(&set->map, key);

	if (index != UINT32_MAX && !arrival->by_unicast_socket)
		index = find_by_group(set, index, &arrival->packet);
	if (index != UINT32_MAX || !arrival->by_unicast_socket)
		return index == UINT32_MAX ? NULL : &set->instances[index];
	for (uint32_t i = 0; i < set->conf->n_instances; i++) {
		const struct conf_instance *conf = set->instances[i].conf;

		if (conf->unicast && conf->vrid == vrid && conf->family == arrival->packet.family &&
			arrival->vrf == vrrp_instance_vrf(&set->instances[i]) && is_peer(set->conf, conf, source))
			return &set->instances[i];
	}
	return NULL;
}

/* Not a reason to drop, but somebody should know: the two configurations differ. */
static void mention_oddities(struct vrrp_instance *instance, const struct vrrp_advert *advert)
{
	char buf[ADDR_TEXT];
	uint32_t held_back;

	if (!advert->is_interval_different && !advert->is_list_different)
		return;
	if (!log_limit_pass(&instance->oddity_limit, ODDITY_LOG_US, &held_back))
		return;
	addr_format(&advert->source, buf);
	if (advert->is_interval_different)
		log_warning("vrrp %s: %s advertises every %lld ms, we every %lld ms: make both configurations agree",
			instance->name, buf, (long long)(advert->interval_us / US_PER_MS),
			(long long)(instance->conf->advert_us / US_PER_MS));
	if (advert->is_list_different)
		log_warning("vrrp %s: %s advertises other virtual addresses than ours: make both configurations agree",
			instance->name, buf);
}

/* Clocks that drift apart are told before the window is over and the pair splits. */
static void mention_drift(
	struct vrrp_instance *instance, const struct vrrp_advert *advert, const struct vrrp_hmac_time *time)
{
	int64_t ahead_s = vrrp_hmac_ahead_s(advert->hmac_sequence, advert->is_by_wall ? time->wall_us : time->kept_us);
	int64_t half_s = instance->hmac.window_s / 2;
	char buf[ADDR_TEXT];
	uint32_t held_back;

	if (instance->hmac.replay != CONF_HMAC_TIME || (ahead_s <= half_s && -ahead_s <= half_s) ||
		!log_limit_pass(&instance->drift_limit, ODDITY_LOG_US, &held_back))
		return;
	log_warning(
		"vrrp %s: the clock of %s is %lld s %s ours, and beyond %u s we do not hear it any more: see to the "
		"clocks of both",
		instance->name, addr_format(&advert->source, buf), (long long)(ahead_s < 0 ? -ahead_s : ahead_s),
		ahead_s < 0 ? "behind" : "ahead of", instance->hmac.window_s);
}

/* Nothing speaks against the advertisement any more: now it may leave a mark. */
static void remember_signature(
	struct vrrp_instance *instance, const struct vrrp_advert *advert, const struct vrrp_hmac_time *time)
{
	struct vrrp_ledger *ledger = &instance->process->ledger;
	char buf[ADDR_TEXT];

	if (!advert->is_trailed) {
		instance->counters.unsigned_received++;
		return;
	}
	instance->counters.signed_received++;
	vrrp_hmac_marks_store(vrrp_ledger_marks(ledger, instance->place), &advert->source, advert->hmac_sequence);
	mention_drift(instance, advert, time);
	if (advert->is_by_wall)
		vrrp_ledger_adopt(ledger, time, addr_format(&advert->source, buf));
}

/* Whoever advertises beside a master; one whose advertisements do not count makes the most lasting split. */
static void hear_rival(struct vrrp_instance *instance, const struct addr *source, enum vrrp_drop drop, struct mono now)
{
	if (instance->vr.state == VRRP_MASTER && !addr_equal(source, &instance->vr.source))
		vrrp_report_split(
			instance, vrrp_split_heard(&instance->split, instance->conf->advert_us, source, drop, now));
}

static void accept_advert(struct vrrp_instance *instance, const struct vrrp_advert *advert)
{
	struct vrrp_event event = {.kind = VRRP_EVENT_ADVERT,
		.advert_source = advert->source,
		.advert_priority = advert->priority,
		.advert_interval_us = advert->interval_us};

	bool was_master = instance->vr.state == VRRP_MASTER;

	instance->counters.received++;
	instance->counters.checksums[advert->checksum]++;
	if (advert->priority == VRRP_PRIORITY_LEAVING)
		instance->counters.priority_zero_received++;
	if (instance->conf->auth == CONF_AUTH_AH)
		instance->ah_sequence = advert->ah_sequence;
	mention_oddities(instance, advert);
	vrrp_record_advert(instance, &advert->source, advert, VRRP_DROP_NONE);
	if (was_master && advert->priority != VRRP_PRIORITY_LEAVING && advert->priority < instance->vr.priority)
		vrrp_report_lower(instance, &advert->source, advert->priority);
	vrrp_instance_step(instance, &event);
	if (was_master && advert->priority != VRRP_PRIORITY_LEAVING)
		hear_rival(instance, &advert->source, VRRP_DROP_NONE, event.now);
}

void vrrp_receive(void *arg, const struct vrrp_arrival *arrival)
{
	struct vrrp_process *process = arg;
	struct vrrp_receiver receiver = {0};
	struct vrrp_instance *instance;
	struct vrrp_advert advert;
	struct addr source;
	enum vrrp_drop drop;
	uint8_t vrid;

	if (!process->set)
		return;
	drop = vrrp_packet_vrid(&arrival->packet, &vrid);
	if (drop != VRRP_DROP_NONE) {
		log_debug("vrrp: packet dropped: %s", vrrp_drop_text(drop));
		return;
	}
	source = source_of(&arrival->packet);
	instance = find_instance(process->set, arrival, vrid, &source);
	/* Other virtual routers on the same segment are none of our business. */
	if (!instance || !instance->is_started)
		return;
	receiver.conf = process->set->conf;
	receiver.instance = instance->conf;
	receiver.self = instance->vr.source;
	receiver.ah_sequence = instance->ah_sequence;
	if (instance->conf->auth == CONF_AUTH_HMAC) {
		receiver.hmac = &instance->hmac;
		receiver.marks = vrrp_ledger_marks(&process->ledger, instance->place);
		receiver.time = vrrp_ledger_time(&process->ledger);
	}

	drop = vrrp_packet_decode(&receiver, &arrival->packet, &advert);
	if (drop != VRRP_DROP_NONE) {
		vrrp_report_drop(instance, drop, &source);
		vrrp_record_advert(instance, &source, NULL, drop);
		hear_rival(instance, &source, drop, mono_now());
		return;
	}
	if (receiver.hmac)
		remember_signature(instance, &advert, &receiver.time);
	accept_advert(instance, &advert);
}
