/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans bursts of gratuitous ARPs and neighbour advertisements and writes their frames. Runs in the vrrp role; the
 * caller has the timer and the packet socket. */
#include "vrrp_announce.h"
#include "vrrp_checksum.h"
#include <string.h>
#include <sys/socket.h>

#define PIECE_GAP_US US_PER_MS

static uint32_t at_least_one(uint32_t n)
{
	return n > 0 ? n : 1;
}

static void begin_burst(struct vrrp_announcer *a, uint32_t rounds, struct mono now)
{
	a->rounds = rounds;
	a->position = 0;
	a->piece = 0;
	a->next = now;
}

/* When nothing of a burst is left: the earlier one of what is still planned. */
static void plan_pause(struct vrrp_announcer *a)
{
	a->next = a->again;
	if (mono_is_set(a->refresh) && (!mono_is_set(a->next) || mono_before(a->refresh, a->next)))
		a->next = a->refresh;
}

void vrrp_announce_start(
	const struct conf_instance *conf, struct vrrp_announcer *a, enum vrrp_announce_kind kind, struct mono now)
{
	uint32_t rounds = conf->garp_repeat, again = conf->garp_repeat;
	int64_t delay_us = conf->garp_delay_us;

	if (conf->addresses.count == 0)
		return;
	switch (kind) {
	case VRRP_ANNOUNCE_MASTER:
		break;
	case VRRP_ANNOUNCE_CONFLICT:
		rounds = again = conf->garp_lower_prio_repeat;
		delay_us = conf->garp_lower_prio_delay_us;
		/* A second burst that is planned is not put off by every further packet of the other master. */
		if (mono_is_set(a->again)) {
			delay_us = mono_diff_us(a->again, now);
			again = a->again_rounds;
		}
		break;
	case VRRP_ANNOUNCE_REFRESH:
		rounds = at_least_one(conf->garp_refresh_repeat);
		delay_us = 0;
		break;
	}
	a->again = delay_us > 0 && again > 0 ? mono_add(now, delay_us) : MONO_NEVER;
	a->again_rounds = again;
	if (conf->garp_refresh_us > 0 && !mono_is_set(a->refresh))
		a->refresh = mono_add(now, conf->garp_refresh_us);
	if (rounds > 0)
		begin_burst(a, rounds, now);
	else if (a->rounds == 0)
		plan_pause(a);
}

void vrrp_announce_later(struct vrrp_announcer *a, struct mono at)
{
	if (!mono_is_set(a->again) || !mono_before(a->again, at))
		return;
	if (!mono_is_set(a->refresh) || mono_before(at, a->refresh))
		a->refresh = at;
}

void vrrp_announce_stop(struct vrrp_announcer *a)
{
	memset(a, 0, sizeof(*a));
}

/* Starts what is due. Returns false when nothing is. */
static bool begin_due(const struct conf_instance *conf, struct vrrp_announcer *a, struct mono now)
{
	if (mono_is_set(a->again) && !mono_before(now, a->again)) {
		a->again = MONO_NEVER;
		begin_burst(a, a->again_rounds, now);
		return true;
	}
	if (mono_is_set(a->refresh) && !mono_before(now, a->refresh)) {
		a->refresh = conf->garp_refresh_us > 0 ? mono_add(now, conf->garp_refresh_us) : MONO_NEVER;
		begin_burst(a, at_least_one(conf->garp_refresh_repeat), now);
		return true;
	}
	plan_pause(a);
	return false;
}

/* Without a configured gap. */
static int64_t piece_gap(struct vrrp_announcer *a)
{
	if (++a->piece < VRRP_ANNOUNCE_PIECE)
		return 0;
	a->piece = 0;
	return PIECE_GAP_US;
}

bool vrrp_announce_next(const struct conf_instance *conf, const struct conf_address *addresses,
	struct vrrp_announcer *a, struct mono now, uint32_t *index)
{
	int64_t gap_us;

	if (!mono_is_set(a->next) || mono_before(now, a->next))
		return false;
	if (a->rounds == 0 && !begin_due(conf, a, now))
		return false;
	/* A reload may have left fewer addresses than the plan began with. */
	if (conf->addresses.count == 0) {
		vrrp_announce_stop(a);
		return false;
	}
	if (a->position >= conf->addresses.count)
		a->position = 0;
	*index = a->position++;
	gap_us = addresses[*index].addr.family == AF_INET ? conf->garp_interval_us : conf->gna_interval_us;
	a->next = mono_add(now, gap_us > 0 ? gap_us : piece_gap(a));
	if (a->position == conf->addresses.count) {
		a->position = 0;
		if (--a->rounds == 0)
			plan_pause(a);
	}
	return true;
}

/* ---- frames ---- */

void vrrp_announce_virtual_mac(uint8_t family, uint8_t vrid, uint8_t mac[VRRP_MAC_SIZE])
{
	const uint8_t bytes[VRRP_MAC_SIZE] = {0x00, 0x00, 0x5e, 0x00, family == AF_INET ? 1 : 2, vrid};

	memcpy(mac, bytes, VRRP_MAC_SIZE);
}

size_t vrrp_announce_arp(const uint8_t mac[VRRP_MAC_SIZE], const struct addr *address, uint8_t frame[VRRP_ARP_SIZE])
{
	/* Ethernet type, then: hardware Ethernet, protocol IPv4, their lengths, request (RFC 5227, 3). */
	static const uint8_t fixed[] = {0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x01};

	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, fixed, sizeof(fixed));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 28, address->bytes, 4);
	memset(frame + 32, 0xff, 6);
	memcpy(frame + 38, address->bytes, 4);
	return VRRP_ARP_SIZE;
}

#define NA_TYPE 136
#define NA_ROUTER 0x80
#define NA_OVERRIDE 0x20
#define NA_BYTES 32
#define ICMPV6 58

size_t vrrp_announce_na(
	const uint8_t mac[VRRP_MAC_SIZE], const struct addr *address, bool is_router, uint8_t frame[VRRP_NA_SIZE])
{
	static const uint8_t all_nodes_mac[] = {0x33, 0x33, 0, 0, 0, 1};
	uint8_t *ip6 = frame + 14, *na = ip6 + 40;
	uint32_t sum =
		NA_BYTES + ICMPV6; /* pseudo-header: length and next header; the addresses stand before the message */
	uint16_t checksum;

	memset(frame, 0, VRRP_NA_SIZE);
	memcpy(frame, all_nodes_mac, 6);
	memcpy(frame + 6, mac, 6);
	frame[12] = 0x86;
	frame[13] = 0xdd;
	ip6[0] = 0x60;
	ip6[5] = NA_BYTES;
	ip6[6] = ICMPV6;
	ip6[7] = 255;
	memcpy(ip6 + 8, address->bytes, 16);
	ip6[24] = 0xff;
	ip6[25] = 0x02;
	ip6[39] = 0x01;
	na[0] = NA_TYPE;
	na[4] = NA_OVERRIDE | (is_router ? NA_ROUTER : 0);
	memcpy(na + 8, address->bytes, 16);
	na[24] = 2; /* option: target link-layer address, one unit of 8 bytes */
	na[25] = 1;
	memcpy(na + 26, mac, 6);
	checksum = vrrp_sum_finish(vrrp_sum_bytes(sum, ip6 + 8, 32 + NA_BYTES));
	na[2] = (uint8_t)(checksum >> 8);
	na[3] = (uint8_t)checksum;
	return VRRP_NA_SIZE;
}
