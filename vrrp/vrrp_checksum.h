/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum (RFC 1071) over a message and, where it belongs, a pseudo-header. Pure. */
#ifndef POISE_VRRP_CHECKSUM_H
#define POISE_VRRP_CHECKSUM_H

#include "addr.h"
#include <stddef.h>
#include <stdint.h>

/* Running sum; begin with 0. Pieces before the last one have an even size. */
static inline uint32_t vrrp_sum_bytes(uint32_t sum, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (size % 2 != 0)
		sum += (uint32_t)data[size - 1] << 8;
	return sum;
}

/* Source, destination, protocol and length: the same sum in both families (RFC 9568, 5.2.8; RFC 8200, 8.1). */
static inline uint32_t vrrp_sum_pseudo(
	uint32_t sum, const struct addr *source, const struct addr *destination, uint8_t protocol, size_t size)
{
	sum = vrrp_sum_bytes(sum, source->bytes, addr_len(source));
	sum = vrrp_sum_bytes(sum, destination->bytes, addr_len(destination));
	return sum + protocol + (uint32_t)size;
}

/* What goes into the checksum field; 0 when the summed data carried a right one. */
static inline uint16_t vrrp_sum_finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

#endif
