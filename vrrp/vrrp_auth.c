/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authentication of advertisements over bytes: PASS and AH of version 2. Runs in the vrrp role; remembers nothing (the
 * sequence is the caller's) and never writes a key anywhere. */
#include "vrrp_auth.h"
#include "vrrp_digest.h"
#include <string.h>

void vrrp_auth_password(const struct conf_secret *secret, uint8_t out[VRRP_PASS_SIZE])
{
	memset(out, 0, VRRP_PASS_SIZE);
	if (secret)
		memcpy(out, secret->bytes, secret->length < VRRP_PASS_SIZE ? secret->length : VRRP_PASS_SIZE);
}

bool vrrp_auth_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static void store32(uint8_t *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(x >> (24 - 8 * i));
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* ---- AH (RFC 2402), with the deviations that deployed routers have ---- */

#define AH_WORDS 4 /* its length in words, minus two */
#define AH_ICV 12

static void ah_icv(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20], const uint8_t ah[12],
	const uint8_t *message, size_t size, uint8_t icv[AH_ICV])
{
	static const uint8_t zeros[AH_ICV];
	uint8_t header[20], key[VRRP_PASS_SIZE], digest[VRRP_MD5_SIZE];
	const struct vrrp_piece pieces[] = {{header, sizeof(header)}, {ah, 12}, {zeros, AH_ICV}, {message, size}};

	memcpy(header, ip, sizeof(header));
	header[1] = 0;             /* class of service */
	memset(header + 6, 0, 2);  /* flags and fragment offset */
	memset(header + 10, 0, 2); /* checksum */
	/* The RFC zeroes the TTL always; on the wire it stays in multicast packets. */
	if (is_unicast)
		header[8] = 0;
	vrrp_auth_password(secret, key);
	vrrp_hmac_md5(key, sizeof(key), pieces, 4, digest);
	memcpy(icv, digest, AH_ICV);
}

void vrrp_auth_ah_sign(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20], uint32_t sequence,
	const uint8_t *message, size_t size, uint8_t ah[VRRP_AH_SIZE])
{
	memset(ah, 0, VRRP_AH_SIZE);
	ah[0] = 112;
	ah[1] = AH_WORDS;
	memcpy(ah + 4, ip + 12, 4);
	store32(ah + 8, sequence);
	ah_icv(secret, is_unicast, ip, ah, message, size, ah + 12);
}

bool vrrp_auth_ah_verify(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20],
	const uint8_t ah[VRRP_AH_SIZE], const uint8_t *message, size_t size, uint32_t last, uint32_t *sequence)
{
	uint8_t icv[AH_ICV];

	ah_icv(secret, is_unicast, ip, ah, message, size, icv);
	if (!vrrp_auth_equal(icv, ah + 12, AH_ICV))
		return false;
	if (ah[0] != 112 || memcmp(ah + 4, ip + 12, 4) != 0 || load32(ah + 8) <= last)
		return false;
	*sequence = load32(ah + 8);
	return true;
}
