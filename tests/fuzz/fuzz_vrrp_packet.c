/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Advertisements of a hostile neighbour. The first bytes choose how the instance is configured (and whether the
 * checksum is made right, so that the rules behind it are reached); the rest is what a socket would give. What is
 * accepted lies within the packet and can be sent again. */
#include "../../vrrp/vrrp_checksum.h"
#include "../../vrrp/vrrp_packet.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	IS_V3 = 1,
	IS_IP6 = 2,
	IS_UNICAST = 4,
	HAS_PASS = 8,
	HAS_AH = 16,
	HAS_HMAC = 32,
	IS_MONOTONIC = 64,
	IS_SUMMED = 128
};

#define CHOICE 2 /* flags, hop limit */

struct setup {
	struct conf conf;
	struct conf_global global;
	struct conf_instance instance;
	struct conf_address address;
	struct conf_peer peer;
	struct conf_secret secret;
	struct conf_hmac_key key;
	struct vrrp_hmac_policy policy;
	struct vrrp_receiver receiver;
};

static void set_up(struct setup *s, uint8_t flags)
{
	bool is_ip6 = flags & IS_IP6;

	memset(s, 0, sizeof(*s));
	s->conf.global = &s->global;
	s->conf.addresses = &s->address;
	s->conf.peers = &s->peer;
	s->conf.secrets = &s->secret;
	addr_parse(is_ip6 ? "fe80::100" : "192.0.2.100", &s->address.addr);
	addr_parse(is_ip6 ? "2001:db8::1" : "192.0.2.1", &s->peer.addr);
	s->secret.length = 6;
	memcpy(s->secret.bytes, "s3cret", 6);
	s->instance.version = flags & IS_V3 ? 3 : 2;
	s->instance.family = is_ip6 ? AF_INET6 : AF_INET;
	s->instance.vrid = 51;
	s->instance.advert_us = 1000000;
	s->instance.auth = flags & HAS_AH ? CONF_AUTH_AH : flags & HAS_PASS ? CONF_AUTH_PASS : CONF_AUTH_NONE;
	s->instance.unicast = (flags & IS_UNICAST) != 0;
	s->instance.addresses.count = s->instance.n_advertised = 1;
	s->instance.peers.count = 1;
	s->policy.window_s = 5;
	s->policy.replay = flags & IS_MONOTONIC ? CONF_HMAC_MONOTONIC : CONF_HMAC_TIME;
	s->policy.keys = s->policy.active = &s->key;
	s->policy.n_keys = 1;
	s->key.id = 1;
	s->key.length = 32;
	for (uint8_t i = 0; i < 32; i++)
		s->key.bytes[i] = i;
	s->receiver.conf = &s->conf;
	s->receiver.instance = &s->instance;
	s->receiver.hmac = flags & HAS_HMAC ? &s->policy : NULL;
	s->receiver.time.kept_us = s->receiver.time.wall_us = 0x6affec8eLL * 1000000;
}

/* Puts the checksum right when there is room for one. Over IPv4 it leaves the trailer out. */
static void make_sum(const struct vrrp_received *rx, uint8_t *packet, size_t trailer)
{
	size_t at = rx->family == AF_INET6 ? 0 : 20, size = rx->family == AF_INET6 ? rx->size : rx->size - trailer;
	uint32_t sum = 0;
	uint16_t checksum;

	if (size < at + 8)
		return;
	packet[at + 6] = packet[at + 7] = 0;
	if (rx->family == AF_INET6)
		sum = vrrp_sum_pseudo(0, &rx->source, &rx->destination, VRRP_PROTOCOL, size);
	checksum = vrrp_sum_finish(vrrp_sum_bytes(sum, packet + at, size - at));
	packet[at + 6] = (uint8_t)(checksum >> 8);
	packet[at + 7] = (uint8_t)checksum;
}

/* Signs what has the size of a signed packet: nobody guesses a signature, and the rules behind it are to be reached.
 * Returns the size of the trailer, or 0. */
static size_t make_signature(const struct setup *s, const struct vrrp_received *rx, uint8_t *packet)
{
	size_t at = rx->family == AF_INET6 ? 0 : 20, address = rx->family == AF_INET6 ? 16 : 4, size;
	struct addr source = rx->source;
	uint64_t sequence = 0;

	if (!s->receiver.hmac || rx->size < at + 8)
		return 0;
	size = 8 + address * packet[at + 3];
	if (packet[at] >> 4 == 2 && rx->family == AF_INET)
		size += 8;
	if (rx->size != at + size + VRRP_HMAC_SIZE)
		return 0;
	if (rx->family == AF_INET)
		source = addr_from_bytes(AF_INET, packet + 12);
	for (size_t i = 0; i < 8; i++)
		sequence = sequence << 8 | packet[at + size + 4 + i];
	vrrp_hmac_sign(s->receiver.hmac, &source, sequence, packet + at, size, packet + at + size);
	return VRRP_HMAC_SIZE;
}

static void check_accepted(const struct setup *s, const struct vrrp_received *rx, const struct vrrp_advert *advert)
{
	size_t length = (size_t)advert->n_addresses * (rx->family == AF_INET6 ? 16 : 4);
	uint8_t vrid = 0, out[VRRP_PACKET_MAX];
	struct vrrp_sending tx = {.source = advert->source, .priority = advert->priority};

	if (vrrp_packet_vrid(rx, &vrid) != VRRP_DROP_NONE || vrid != advert->vrid || vrid != 51)
		abort();
	if (advert->n_addresses == 0 || advert->addresses < rx->data ||
		advert->addresses + length > rx->data + rx->size)
		abort();
	if (advert->interval_us <= 0 || advert->interval_us > 255000000)
		abort();
	tx.destination = advert->source;
	if (vrrp_packet_encode(&s->conf, &s->instance, &tx, out, sizeof(out)) == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vrrp_received rx = {0};
	struct vrrp_advert advert;
	struct setup s;
	uint8_t vrid, *packet;
	uint8_t flags;

	if (size < CHOICE)
		return 0;
	flags = data[0];
	set_up(&s, flags);
	rx.family = s.instance.family;
	rx.protocol = VRRP_PROTOCOL;
	rx.hop_limit = data[1];
	data += CHOICE;
	size -= CHOICE;
	if (flags & IS_IP6) {
		if (size < 32)
			return 0;
		rx.source = addr_from_bytes(AF_INET6, data);
		rx.destination = addr_from_bytes(AF_INET6, data + 16);
		data += 32;
		size -= 32;
	}
	packet = malloc(size ? size : 1);
	if (size)
		memcpy(packet, data, size);
	rx.data = packet;
	rx.size = size;
	if (flags & IS_SUMMED)
		make_sum(&rx, packet, make_signature(&s, &rx, packet));
	vrrp_packet_vrid(&rx, &vrid);
	if (vrrp_packet_decode(&s.receiver, &rx, &advert) == VRRP_DROP_NONE)
		check_accepted(&s, &rx, &advert);
	free(packet);
	return 0;
}
