/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes advertisements: a view is laid over the received bytes, then the rules that drop a packet are applied one
 * after the other. Runs in the vrrp role and in the fuzz target; keeps nothing, sends nothing, logs nothing. */
#include "vrrp_packet.h"
#include "mono.h"
#include "vrrp_checksum.h"
#include <string.h>

#define MESSAGE_HEADER 8
#define TYPE_ADVERTISEMENT 1
#define TTL_LINK 255

/* One packet under examination. Every pointer has been checked against the received size. */
struct view {
	const struct vrrp_receiver *receiver;
	const struct vrrp_received *rx;
	struct addr source, destination;
	int ttl;
	uint8_t protocol;
	const uint8_t *ip; /* IPv4 header, or NULL */
	const uint8_t *ah; /* or NULL */
	const uint8_t *message;
	size_t size;         /* from message to the end of the packet */
	size_t message_size; /* without a trailer; set by rule_size() */
	struct vrrp_advert advert;
};

/* ---- laying the view ---- */

static bool view_ip4(struct view *v)
{
	const uint8_t *p = v->rx->data;
	size_t size = v->rx->size, header, total;

	if (size < 20 || p[0] >> 4 != 4)
		return false;
	header = (size_t)(p[0] & 15) * 4;
	total = (size_t)p[2] << 8 | p[3];
	if (header < 20 || total < header || total > size)
		return false;
	if ((p[6] & 0x3f) != 0 || p[7] != 0) /* a fragment: more to come, or an offset */
		return false;
	v->ip = p;
	v->protocol = p[9];
	v->ttl = p[8];
	v->source = addr_from_bytes(AF_INET, p + 12);
	v->destination = addr_from_bytes(AF_INET, p + 16);
	v->message = p + header;
	v->size = total - header;
	return true;
}

static void view_ip6(struct view *v)
{
	v->protocol = v->rx->protocol;
	v->ttl = v->rx->hop_limit;
	v->source = v->rx->source;
	v->destination = v->rx->destination;
	v->message = v->rx->data;
	v->size = v->rx->size;
}

/* Rule 1: everything up to the fixed part of the message is there. */
static bool view_lay(struct view *v, const struct vrrp_received *rx)
{
	memset(v, 0, sizeof(*v));
	v->rx = rx;
	if (rx->family == AF_INET6)
		view_ip6(v);
	else if (!view_ip4(v))
		return false;
	if (v->protocol == VRRP_PROTOCOL_AH) {
		if (v->size < VRRP_AH_SIZE)
			return false;
		v->ah = v->message;
		v->message += VRRP_AH_SIZE;
		v->size -= VRRP_AH_SIZE;
	}
	return v->size >= MESSAGE_HEADER;
}

static uint8_t version_of(const struct view *v)
{
	return v->message[0] >> 4;
}

enum vrrp_drop vrrp_packet_vrid(const struct vrrp_received *rx, uint8_t *vrid)
{
	struct view v;

	if (!view_lay(&v, rx))
		return VRRP_DROP_LENGTH;
	*vrid = v.message[1];
	return VRRP_DROP_NONE;
}

/* ---- the rules, in the order of the list below ---- */

static const struct conf_peer *find_peer(const struct view *v)
{
	const struct conf *conf = v->receiver->conf;
	const struct conf_range *peers = &v->receiver->instance->peers;

	for (uint32_t i = peers->first; i < peers->first + peers->count; i++)
		if (addr_equal(&conf->peers[i].addr, &v->source))
			return &conf->peers[i];
	return NULL;
}

static struct addr group_of(const struct view *v)
{
	static const uint8_t group4[16] = {224, 0, 0, 18}, group6[16] = {0xff, 2, [15] = 0x12};
	const struct addr *group = &v->receiver->instance->group_address;

	if (addr_is_set(group))
		return *group;
	return v->rx->family == AF_INET6 ? addr_from_bytes(AF_INET6, group6) : addr_from_bytes(AF_INET, group4);
}

static enum vrrp_drop rule_protocol(struct view *v)
{
	const struct conf_instance *instance = v->receiver->instance;
	uint8_t expected = instance->auth == CONF_AUTH_AH ? VRRP_PROTOCOL_AH : VRRP_PROTOCOL;

	return v->rx->family == instance->family && v->protocol == expected ? VRRP_DROP_NONE : VRRP_DROP_PROTOCOL;
}

static enum vrrp_drop rule_destination(struct view *v)
{
	struct addr group = group_of(v);
	bool ok = v->receiver->instance->unicast ? !addr_is_multicast(&v->destination)
						 : addr_equal(&v->destination, &group);

	return ok ? VRRP_DROP_NONE : VRRP_DROP_DESTINATION;
}

static enum vrrp_drop rule_source(struct view *v)
{
	static const uint8_t zeros[16], ones[4] = {255, 255, 255, 255};
	const struct addr *source = &v->source;

	if (source->family != v->rx->family || addr_equal(source, &v->receiver->self) || addr_is_multicast(source) ||
		memcmp(source->bytes, zeros, 16) == 0)
		return VRRP_DROP_SOURCE;
	if (source->family == AF_INET && memcmp(source->bytes, ones, 4) == 0)
		return VRRP_DROP_SOURCE;
	if (source->family == AF_INET6 && !v->receiver->instance->unicast && !addr_is_link_local(source))
		return VRRP_DROP_SOURCE;
	return VRRP_DROP_NONE;
}

static enum vrrp_drop rule_ttl(struct view *v)
{
	const struct conf_peer *peer;

	if (!v->receiver->instance->unicast)
		return v->ttl == TTL_LINK ? VRRP_DROP_NONE : VRRP_DROP_TTL;
	/* Routed on purpose; only a peer with limits is held to them. Strangers are for rule_peer(). */
	peer = find_peer(v);
	if (!peer || (peer->min_ttl == 0 && peer->max_ttl == 0))
		return VRRP_DROP_NONE;
	if (v->ttl < peer->min_ttl || (peer->max_ttl != 0 && v->ttl > peer->max_ttl))
		return VRRP_DROP_TTL;
	return VRRP_DROP_NONE;
}

static enum vrrp_drop rule_version(struct view *v)
{
	return version_of(v) == v->receiver->instance->version ? VRRP_DROP_NONE : VRRP_DROP_VERSION;
}

static enum vrrp_drop rule_type(struct view *v)
{
	return (v->message[0] & 15) == TYPE_ADVERTISEMENT ? VRRP_DROP_NONE : VRRP_DROP_TYPE;
}

static enum vrrp_drop rule_vrid(struct view *v)
{
	return v->message[1] == v->receiver->instance->vrid ? VRRP_DROP_NONE : VRRP_DROP_VRID;
}

static enum vrrp_drop rule_count(struct view *v)
{
	return v->message[3] > 0 ? VRRP_DROP_NONE : VRRP_DROP_ADDRESS_LIST;
}

/* Exact: raw sockets do not show the padding of short frames. Version 2 has its authentication bytes over IPv4 only. */
static enum vrrp_drop rule_size(struct view *v)
{
	size_t address = v->rx->family == AF_INET6 ? 16 : 4;

	v->message_size = MESSAGE_HEADER + address * v->message[3];
	if (version_of(v) == 2 && v->rx->family == AF_INET)
		v->message_size += VRRP_PASS_SIZE;
	if (v->size == v->message_size)
		return VRRP_DROP_NONE;
	if (v->receiver->hmac && v->size == v->message_size + VRRP_HMAC_SIZE)
		return VRRP_DROP_NONE;
	return VRRP_DROP_LENGTH;
}

static enum vrrp_drop rule_hmac(struct view *v)
{
	const struct vrrp_receiver *r = v->receiver;
	struct vrrp_hmac_verdict verdict;

	/* Never open: who demands signatures and cannot judge them takes nothing. */
	if (!r->hmac)
		return r->instance->auth == CONF_AUTH_HMAC ? VRRP_DROP_HMAC_MISSING : VRRP_DROP_NONE;
	if (v->size == v->message_size)
		return r->hmac->mode == CONF_HMAC_ENFORCE ? VRRP_DROP_HMAC_MISSING : VRRP_DROP_NONE;
	verdict = vrrp_hmac_verify(
		r->hmac, &v->source, v->message, v->message_size, v->message + v->message_size, r->marks, &r->time);
	v->advert.is_trailed = true;
	v->advert.is_by_wall = verdict.is_by_wall;
	v->advert.hmac_sequence = verdict.sequence;
	switch (verdict.result) {
	case VRRP_HMAC_OK:
		return VRRP_DROP_NONE;
	case VRRP_HMAC_MALFORMED:
		return VRRP_DROP_HMAC_MALFORMED;
	case VRRP_HMAC_UNKNOWN_KEY:
		return VRRP_DROP_HMAC_UNKNOWN_KEY;
	case VRRP_HMAC_INVALID:
		return VRRP_DROP_HMAC_INVALID;
	case VRRP_HMAC_STALE:
		return VRRP_DROP_HMAC_STALE;
	case VRRP_HMAC_REPLAYED:
		return VRRP_DROP_HMAC_REPLAY;
	}
	return VRRP_DROP_HMAC_INVALID;
}

static bool sums_with(const struct view *v, const struct addr *destination, size_t size)
{
	uint32_t sum = vrrp_sum_pseudo(0, &v->source, destination, VRRP_PROTOCOL, size);

	return vrrp_sum_finish(vrrp_sum_bytes(sum, v->message, size)) == 0;
}

static enum vrrp_drop rule_checksum(struct view *v)
{
	struct addr group = group_of(v);

	/* Over IPv6 the sum covers a trailer as well, over IPv4 it does not. */
	if (v->rx->family == AF_INET6) {
		v->advert.checksum = VRRP_CHECKSUM_PSEUDO;
		return sums_with(v, &v->destination, v->size) ? VRRP_DROP_NONE : VRRP_DROP_CHECKSUM;
	}
	v->advert.checksum = VRRP_CHECKSUM_PLAIN;
	if (vrrp_sum_finish(vrrp_sum_bytes(0, v->message, v->message_size)) == 0)
		return VRRP_DROP_NONE;
	if (version_of(v) == 2)
		return VRRP_DROP_CHECKSUM;
	v->advert.checksum = VRRP_CHECKSUM_PSEUDO;
	if (sums_with(v, &v->destination, v->message_size))
		return VRRP_DROP_NONE;
	v->advert.checksum = VRRP_CHECKSUM_PSEUDO_GROUP;
	if (v->receiver->instance->unicast && sums_with(v, &group, v->message_size))
		return VRRP_DROP_NONE;
	return VRRP_DROP_CHECKSUM;
}

static enum vrrp_drop rule_auth_type(struct view *v)
{
	static const uint8_t types[] = {
		[CONF_AUTH_NONE] = VRRP_AUTH_NONE,
		[CONF_AUTH_PASS] = VRRP_AUTH_PASS,
		[CONF_AUTH_AH] = VRRP_AUTH_AH,
		[CONF_AUTH_HMAC] = VRRP_AUTH_NONE,
	};
	uint8_t type = v->message[4];

	if (version_of(v) != 2)
		return VRRP_DROP_NONE;
	if (type > VRRP_AUTH_AH)
		return VRRP_DROP_AUTH_TYPE;
	return type == types[v->receiver->instance->auth] ? VRRP_DROP_NONE : VRRP_DROP_AUTH_MISMATCH;
}

static enum vrrp_drop rule_auth(struct view *v)
{
	const struct vrrp_receiver *r = v->receiver;
	const struct conf_secret *secret =
		r->instance->secret == CONF_NONE ? NULL : &r->conf->secrets[r->instance->secret];
	uint8_t password[VRRP_PASS_SIZE];
	bool ok = true;

	if (version_of(v) != 2)
		return VRRP_DROP_NONE;
	if (v->message[4] == VRRP_AUTH_PASS) {
		/* Over IPv6 there is no room for the password. */
		vrrp_auth_password(secret, password);
		ok = v->rx->family == AF_INET &&
		     vrrp_auth_equal(password, v->message + v->message_size - VRRP_PASS_SIZE, VRRP_PASS_SIZE);
	} else if (v->message[4] == VRRP_AUTH_AH) {
		ok = v->ip && v->ah &&
		     vrrp_auth_ah_verify(secret, r->instance->unicast, v->ip, v->ah, v->message, v->size,
			     r->ah_sequence, &v->advert.ah_sequence);
	}
	return ok ? VRRP_DROP_NONE : VRRP_DROP_AUTH_FAILURE;
}

static enum vrrp_drop rule_interval(struct view *v)
{
	const struct conf_instance *instance = v->receiver->instance;
	int64_t centiseconds = (v->message[4] & 15) << 8 | v->message[5];

	if (version_of(v) == 2) {
		v->advert.interval_us = v->message[5] * US_PER_S;
		return v->advert.interval_us == instance->advert_us ? VRRP_DROP_NONE : VRRP_DROP_INTERVAL;
	}
	v->advert.interval_us = centiseconds * 10 * US_PER_MS;
	v->advert.is_interval_different = v->advert.interval_us != instance->advert_us;
	return centiseconds > 0 ? VRRP_DROP_NONE : VRRP_DROP_INTERVAL;
}

/* Erratum 8300. Version 2 over IPv6 is nobody's standard and left alone, and unicast has no link of its own. */
static enum vrrp_drop rule_first_address(struct view *v)
{
	struct addr first;

	if (v->rx->family != AF_INET6 || version_of(v) != 3 || v->receiver->instance->unicast)
		return VRRP_DROP_NONE;
	first = addr_from_bytes(AF_INET6, v->message + MESSAGE_HEADER);
	return addr_is_link_local(&first) ? VRRP_DROP_NONE : VRRP_DROP_ADDRESS_LIST;
}

static enum vrrp_drop rule_peer(struct view *v)
{
	return v->receiver->instance->unicast && !find_peer(v) ? VRRP_DROP_PEER : VRRP_DROP_NONE;
}

static enum vrrp_drop (*const rules[])(struct view *v) = {
	rule_protocol,
	rule_destination,
	rule_source,
	rule_ttl,
	rule_version,
	rule_type,
	rule_vrid,
	rule_count,
	rule_size,
	rule_hmac,
	rule_checksum,
	rule_auth_type,
	rule_auth,
	rule_interval,
	rule_first_address,
	rule_peer,
};

/* ---- what was accepted ---- */

static bool has_address(const struct view *v, const struct addr *address, uint32_t likely)
{
	size_t size = addr_len(address);
	const uint8_t *list = v->message + MESSAGE_HEADER;

	if (likely < v->message[3] && memcmp(list + likely * size, address->bytes, size) == 0)
		return true;
	for (uint32_t i = 0; i < v->message[3]; i++)
		if (memcmp(list + i * size, address->bytes, size) == 0)
			return true;
	return false;
}

/* The same set as ours, in whatever order. */
static bool is_list_different(const struct view *v)
{
	const struct conf_instance *instance = v->receiver->instance;
	const struct conf_address *own = v->receiver->conf->addresses + instance->addresses.first;

	if (v->message[3] != instance->n_advertised)
		return true;
	for (uint32_t i = 0; i < instance->n_advertised; i++)
		if (own[i].addr.family != v->rx->family || !has_address(v, &own[i].addr, i))
			return true;
	return false;
}

enum vrrp_drop vrrp_packet_decode(
	const struct vrrp_receiver *receiver, const struct vrrp_received *rx, struct vrrp_advert *advert)
{
	struct view v;

	if (!view_lay(&v, rx))
		return VRRP_DROP_LENGTH;
	v.receiver = receiver;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		enum vrrp_drop drop = rules[i](&v);

		if (drop != VRRP_DROP_NONE)
			return drop;
	}
	v.advert.source = v.source;
	v.advert.version = version_of(&v);
	v.advert.vrid = v.message[1];
	v.advert.priority = v.message[2];
	v.advert.n_addresses = v.message[3];
	v.advert.ttl = (uint8_t)(v.ttl < 0 ? 0 : v.ttl);
	v.advert.addresses = v.message + MESSAGE_HEADER;
	v.advert.is_list_different = is_list_different(&v);
	*advert = v.advert;
	return VRRP_DROP_NONE;
}
