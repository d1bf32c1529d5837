/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes advertisements, byte for byte as deployed routers expect them. Runs in the vrrp role; keeps nothing. */
#include "mono.h"
#include "vrrp_checksum.h"
#include "vrrp_packet.h"
#include <string.h>

#define IP4_HEADER 20
#define IP6_HEADER 40
#define MESSAGE_HEADER 8
#define MTU_DEFAULT 1500
/* Deployed routers count the Ethernet header into the MTU; with the same number both ends advertise the same list. */
#define LINK_HEADER 14
#define TTL_LINK 255
#define TRAFFIC_CLASS 0xc0 /* network control */

static void store16(uint8_t *p, size_t x)
{
	p[0] = (uint8_t)(x >> 8);
	p[1] = (uint8_t)x;
}

static bool has_auth_bytes(const struct conf_instance *instance)
{
	return instance->version == 2 && instance->family == AF_INET;
}

static bool has_ah(const struct conf_instance *instance)
{
	return has_auth_bytes(instance) && instance->auth == CONF_AUTH_AH;
}

static bool sends_trailer(const struct vrrp_sending *tx)
{
	return tx->hmac && tx->hmac->mode != CONF_HMAC_RECEIVE_ONLY;
}

/* A signature that is demanded and cannot be made: nothing leaves rather than something unsigned. */
static bool is_unsignable(const struct conf_instance *instance, const struct vrrp_sending *tx)
{
	return instance->auth == CONF_AUTH_HMAC && (!tx->hmac || (sends_trailer(tx) && !tx->hmac->active));
}

/* On the wire a trailer is no authentication type. */
static uint8_t auth_type(const struct conf_instance *instance)
{
	return instance->auth == CONF_AUTH_HMAC ? VRRP_AUTH_NONE : instance->auth;
}

uint32_t vrrp_packet_capacity(const struct conf_instance *instance, bool has_trailer, uint32_t mtu)
{
	bool is_ip4 = instance->family == AF_INET;
	uint32_t used = LINK_HEADER + (is_ip4 ? IP4_HEADER : IP6_HEADER) + MESSAGE_HEADER, n;

	if (mtu == 0)
		mtu = MTU_DEFAULT;
	used += has_auth_bytes(instance) ? VRRP_PASS_SIZE : 0;
	used += has_ah(instance) ? VRRP_AH_SIZE : 0;
	used += has_trailer ? VRRP_HMAC_SIZE : 0;
	n = mtu > used ? (mtu - used) / (is_ip4 ? 4 : 16) : 0;
	return n < 255 ? n : 255;
}

/* Everything but the checksum. Returns the length. */
static size_t put_message(
	const struct conf *conf, const struct conf_instance *instance, const struct vrrp_sending *tx, uint8_t *p)
{
	const struct conf_address *own = conf->addresses + instance->addresses.first;
	uint32_t capacity = vrrp_packet_capacity(instance, sends_trailer(tx), tx->mtu);
	size_t size = MESSAGE_HEADER;
	uint8_t n = 0;

	for (uint32_t i = 0; i < instance->n_advertised && n < capacity; i++) {
		if (own[i].addr.family != instance->family)
			continue;
		memcpy(p + size, own[i].addr.bytes, addr_len(&own[i].addr));
		size += addr_len(&own[i].addr);
		n++;
	}
	p[0] = (uint8_t)(instance->version << 4 | 1);
	p[1] = instance->vrid;
	p[2] = tx->priority;
	p[3] = n;
	if (instance->version == 2) {
		p[4] = auth_type(instance);
		p[5] = (uint8_t)(instance->advert_us / US_PER_S);
	} else {
		store16(p + 4, (size_t)(instance->advert_us / (10 * US_PER_MS)) & 0xfff);
	}
	store16(p + 6, 0);
	if (has_auth_bytes(instance)) {
		vrrp_auth_password(instance->auth == CONF_AUTH_PASS && instance->secret != CONF_NONE
					   ? &conf->secrets[instance->secret]
					   : NULL,
			p + size);
		size += VRRP_PASS_SIZE;
	}
	return size;
}

/* size: without the trailer; total: with it. */
static void put_checksum(
	const struct conf_instance *instance, const struct vrrp_sending *tx, uint8_t *p, size_t size, size_t total)
{
	uint32_t sum = 0;

	if (instance->family == AF_INET6) {
		sum = vrrp_sum_pseudo(0, &tx->source, &tx->destination, VRRP_PROTOCOL, total);
		size = total;
	} else if (instance->version == 3 && !instance->checksum_message_only) {
		sum = vrrp_sum_pseudo(0, &tx->source, &tx->destination, VRRP_PROTOCOL, size);
	}
	store16(p + 6, vrrp_sum_finish(vrrp_sum_bytes(sum, p, size)));
}

static void put_ip4(const struct conf_instance *instance, const struct vrrp_sending *tx, uint8_t *ip, size_t total)
{
	memset(ip, 0, IP4_HEADER);
	ip[0] = 0x45;
	ip[1] = TRAFFIC_CLASS;
	store16(ip + 2, total);
	store16(ip + 4, tx->ip_id);
	ip[8] = tx->ttl ? tx->ttl : TTL_LINK;
	ip[9] = has_ah(instance) ? VRRP_PROTOCOL_AH : VRRP_PROTOCOL;
	memcpy(ip + 12, tx->source.bytes, 4);
	memcpy(ip + 16, tx->destination.bytes, 4);
	store16(ip + 10, vrrp_sum_finish(vrrp_sum_bytes(0, ip, IP4_HEADER)));
}

size_t vrrp_packet_encode(const struct conf *conf, const struct conf_instance *instance, const struct vrrp_sending *tx,
	uint8_t *out, size_t size)
{
	size_t before = (instance->family == AF_INET ? IP4_HEADER : 0) + (has_ah(instance) ? VRRP_AH_SIZE : 0);
	uint8_t *message = out + before;
	size_t message_size, total;

	if (size < VRRP_PACKET_MAX || tx->source.family != instance->family ||
		tx->destination.family != instance->family || is_unsignable(instance, tx))
		return 0;
	message_size = total = put_message(conf, instance, tx, message);
	if (sends_trailer(tx)) {
		vrrp_hmac_sign(tx->hmac, &tx->source, tx->hmac_sequence, message, message_size, message + message_size);
		total += VRRP_HMAC_SIZE;
	}
	put_checksum(instance, tx, message, message_size, total);
	total += before;
	if (instance->family != AF_INET)
		return total;
	put_ip4(instance, tx, out, total);
	if (has_ah(instance) && instance->secret != CONF_NONE)
		vrrp_auth_ah_sign(&conf->secrets[instance->secret], instance->unicast, out, tx->ah_sequence, message,
			total - before, out + IP4_HEADER);
	else if (has_ah(instance))
		return 0;
	return total;
}
