/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo requests and replies as bytes (RFC 792, RFC 4443 section 4). Runs in poise-healthcheck; pure. */
#include "ping.h"
#include <string.h>

enum { ICMP4_REQUEST = 8, ICMP4_REPLY = 0, ICMP6_REQUEST = 128, ICMP6_REPLY = 129 };

static uint16_t checksum(const uint8_t *data, size_t length)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

static void put16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void ping_build(int family, uint16_t ident, uint16_t sequence, uint64_t cookie, uint8_t *buf)
{
	memset(buf, 0, PING_SIZE);
	buf[0] = family == AF_INET6 ? ICMP6_REQUEST : ICMP4_REQUEST;
	put16(buf + 4, ident);
	put16(buf + 6, sequence);
	memcpy(buf + 8, &cookie, sizeof(cookie));
	/* The kernel fills in that of ICMPv6. */
	if (family != AF_INET6)
		put16(buf + 2, checksum(buf, PING_SIZE));
}

bool ping_parse(int family, const uint8_t *data, size_t length, uint16_t ident, uint16_t *sequence, uint64_t *cookie)
{
	size_t header = 0;

	if (family != AF_INET6) {
		if (length < 20)
			return false;
		header = (size_t)(data[0] & 0xf) * 4;
		if (header < 20)
			return false;
	}
	if (length < header || length - header < PING_SIZE)
		return false;
	data += header;
	if (data[0] != (family == AF_INET6 ? ICMP6_REPLY : ICMP4_REPLY) || data[1] != 0)
		return false;
	if (((uint16_t)data[4] << 8 | data[5]) != ident)
		return false;
	*sequence = (uint16_t)(data[6] << 8 | data[7]);
	memcpy(cookie, data + 8, sizeof(*cookie));
	return true;
}
