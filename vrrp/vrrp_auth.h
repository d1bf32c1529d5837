/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authentication of advertisements: PASS and AH of version 2 (RFC 2338). Pure; comparisons take the same time whatever
 * differs. */
#ifndef POISE_VRRP_AUTH_H
#define POISE_VRRP_AUTH_H

#include "conf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vrrp_auth_type { VRRP_AUTH_NONE, VRRP_AUTH_PASS, VRRP_AUTH_AH };

#define VRRP_PASS_SIZE 8
#define VRRP_AH_SIZE 24 /* header with its 12-byte check value */

/* The first 8 bytes, filled up with zeros. secret NULL = none. */
void vrrp_auth_password(const struct conf_secret *secret, uint8_t out[VRRP_PASS_SIZE]);
bool vrrp_auth_equal(const uint8_t *a, const uint8_t *b, size_t size);

/* Builds an AH at ah for an IPv4 packet whose header (20 bytes, total length and id as sent) and message are given. */
void vrrp_auth_ah_sign(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20], uint32_t sequence,
	const uint8_t *message, size_t size, uint8_t ah[VRRP_AH_SIZE]);
/* Check value, next header, SPI; and the sequence above `last`. Returns false when one fails; else sets *sequence. */
bool vrrp_auth_ah_verify(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20],
	const uint8_t ah[VRRP_AH_SIZE], const uint8_t *message, size_t size, uint32_t last, uint32_t *sequence);

#endif
