/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decodes and encodes BFD control packets. Runs in the vrrp role; pure, and fuzzed. It knows no session. */
#include "bfd_packet.h"
#include "status.h"

#define VERSION 1
#define POLL 0x20
#define FINAL 0x10
#define AUTHENTICATION 0x04
#define DEMAND 0x02
#define MULTIPOINT 0x01
#define SIZE_WITH_AUTHENTICATION 26

static uint32_t read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write32(uint8_t *p, int64_t value)
{
	uint32_t v = value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;

	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

enum bfd_drop bfd_packet_decode(const uint8_t *data, size_t size, struct bfd_packet *out)
{
	size_t length;

	if (size < BFD_PACKET_SIZE)
		return BFD_DROP_LENGTH;
	if (data[0] >> 5 != VERSION)
		return BFD_DROP_VERSION;
	length = data[3];
	if (length < (data[1] & AUTHENTICATION ? SIZE_WITH_AUTHENTICATION : BFD_PACKET_SIZE) || length > size)
		return BFD_DROP_LENGTH;
	*out = (struct bfd_packet){.state = data[1] >> 6,
		.diagnostic = data[0] & 0x1f,
		.is_poll = data[1] & POLL,
		.is_final = data[1] & FINAL,
		.is_demand = data[1] & DEMAND,
		.multiplier = data[2],
		.my_discriminator = read32(data + 4),
		.your_discriminator = read32(data + 8),
		.min_tx_us = read32(data + 12),
		.min_rx_us = read32(data + 16)};
	if (out->multiplier == 0)
		return BFD_DROP_MULTIPLIER;
	if (data[1] & MULTIPOINT)
		return BFD_DROP_MULTIPOINT;
	if (out->my_discriminator == 0)
		return BFD_DROP_DISCRIMINATOR;
	if (out->your_discriminator == 0 && out->state != BFD_DOWN && out->state != BFD_ADMIN_DOWN)
		return BFD_DROP_STATE;
	return data[1] & AUTHENTICATION ? BFD_DROP_AUTHENTICATION : BFD_DROP_NONE;
}

void bfd_packet_encode(const struct bfd_packet *packet, uint8_t out[BFD_PACKET_SIZE])
{
	out[0] = (uint8_t)(VERSION << 5 | (packet->diagnostic & 0x1f));
	out[1] = (uint8_t)(packet->state << 6 | (packet->is_poll ? POLL : 0) | (packet->is_final ? FINAL : 0) |
			   (packet->is_demand ? DEMAND : 0));
	out[2] = (uint8_t)packet->multiplier;
	out[3] = BFD_PACKET_SIZE;
	write32(out + 4, packet->my_discriminator);
	write32(out + 8, packet->your_discriminator);
	write32(out + 12, packet->min_tx_us);
	write32(out + 16, packet->min_rx_us);
	write32(out + 20, 0); /* no echo */
}

const char *bfd_drop_text(enum bfd_drop drop)
{
	static const char *const texts[BFD_DROP_COUNT] = {
		[BFD_DROP_NONE] = "it is accepted",
		[BFD_DROP_TTL] = "it comes from too far away (TTL); max_hops says how far it may",
		[BFD_DROP_VERSION] = "it is not of BFD version 1",
		[BFD_DROP_LENGTH] = "its length is wrong",
		[BFD_DROP_MULTIPLIER] = "its detection multiplier is 0",
		[BFD_DROP_MULTIPOINT] = "its multipoint bit is set",
		[BFD_DROP_DISCRIMINATOR] = "its own discriminator is 0",
		[BFD_DROP_STATE] = "it names no session of ours and does not say down",
		[BFD_DROP_AUTHENTICATION] = "it is authenticated, and no bfd_instance is",
		[BFD_DROP_SESSION] = "it is for no bfd_instance here",
	};

	return drop < BFD_DROP_COUNT ? texts[drop] : "?";
}
