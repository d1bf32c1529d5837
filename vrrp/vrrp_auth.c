/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authentication of advertisements over bytes: PASS and AH of version 2, and the HMAC trailer. Runs in the vrrp role;
 * remembers nothing (sequences and marks are the caller's) and never writes a key anywhere. */
#include "vrrp_auth.h"
#include "mono.h"
#include "vrrp_digest.h"
#include <string.h>
#include <sys/socket.h>

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

/* ---- HMAC trailer ---- */

#define HMAC_TYPE 1
#define HMAC_TAG 16
#define HMAC_HEAD 12 /* trailer up to the tag */

static uint64_t clock_sequence(int64_t real_now_us)
{
	uint64_t seconds = (uint64_t)real_now_us / US_PER_S, rest = (uint64_t)real_now_us % US_PER_S;

	return seconds << 32 | (rest * 65536 / US_PER_S) << 16;
}

static int64_t seconds_between(uint64_t sequence, uint64_t clock)
{
	return (int32_t)((uint32_t)(sequence >> 32) - (uint32_t)(clock >> 32));
}

uint64_t vrrp_hmac_next_sequence(const struct vrrp_hmac_policy *policy, uint64_t last, int64_t real_now_us)
{
	uint64_t clock = clock_sequence(real_now_us);

	if (last == 0)
		return clock;
	if (policy->replay == VRRP_HMAC_TIME && seconds_between(last, clock) > (int64_t)policy->window_s)
		return clock;
	return (int64_t)(clock - (last + 1)) > 0 ? clock : last + 1;
}

static void hmac_tag(const struct vrrp_hmac_key *key, const struct addr *source, const uint8_t *message, size_t size,
	const uint8_t head[HMAC_HEAD], uint8_t tag[HMAC_TAG])
{
	static const uint8_t zeros[HMAC_TAG];
	uint8_t prefix[20] = {source->family == AF_INET ? 4 : 6, message[0] >> 4, message[1]};
	uint8_t digest[VRRP_SHA256_SIZE];
	/* The checksum is signed as zero: over IPv6 it covers the trailer. */
	const struct vrrp_piece pieces[] = {{prefix, sizeof(prefix)}, {message, 6}, {zeros, 2}, {message + 8, size - 8},
		{head, HMAC_HEAD}, {zeros, HMAC_TAG}};

	memcpy(prefix + 4, source->bytes, addr_len(source));
	vrrp_hmac_sha256(key->bytes, key->length, pieces, 6, digest);
	memcpy(tag, digest, HMAC_TAG);
}

void vrrp_hmac_sign(const struct vrrp_hmac_policy *policy, const struct addr *source, uint64_t sequence,
	const uint8_t *message, size_t size, uint8_t trailer[VRRP_HMAC_SIZE])
{
	const struct vrrp_hmac_key *key = &policy->keys[policy->active % VRRP_HMAC_KEYS];

	memset(trailer, 0, VRRP_HMAC_SIZE);
	trailer[0] = HMAC_TYPE;
	trailer[1] = key->id;
	store32(trailer + 4, (uint32_t)(sequence >> 32));
	store32(trailer + 8, (uint32_t)sequence);
	hmac_tag(key, source, message, size, trailer, trailer + HMAC_HEAD);
}

static const struct vrrp_hmac_key *find_key(const struct vrrp_hmac_policy *policy, uint8_t id)
{
	for (uint32_t i = 0; i < VRRP_HMAC_KEYS && id != 0; i++)
		if (policy->keys[i].id == id)
			return &policy->keys[i];
	return NULL;
}

/* True when the mark still counts: one beyond the window comes from a clock that was corrected. */
static bool mark_counts(const struct vrrp_hmac_policy *policy, const struct vrrp_hmac_mark *mark, uint64_t clock)
{
	if (!mark || !mark->is_set)
		return false;
	return policy->replay != VRRP_HMAC_TIME || seconds_between(mark->sequence, clock) <= (int64_t)policy->window_s;
}

enum vrrp_hmac_result vrrp_hmac_verify(const struct vrrp_hmac_policy *policy, const struct addr *source,
	const uint8_t *message, size_t size, const uint8_t trailer[VRRP_HMAC_SIZE], const struct vrrp_hmac_mark *mark,
	int64_t real_now_us, uint64_t *sequence)
{
	uint64_t seq = (uint64_t)load32(trailer + 4) << 32 | load32(trailer + 8), clock = clock_sequence(real_now_us);
	const struct vrrp_hmac_key *key;
	uint8_t tag[HMAC_TAG];
	int64_t age;

	if (size < 8 || trailer[0] != HMAC_TYPE || trailer[1] == 0 || trailer[2] != 0 || trailer[3] != 0)
		return VRRP_HMAC_MALFORMED;
	age = seconds_between(seq, clock);
	if (policy->replay == VRRP_HMAC_TIME && (age > (int64_t)policy->window_s || -age > (int64_t)policy->window_s))
		return VRRP_HMAC_STALE;
	key = find_key(policy, trailer[1]);
	if (!key)
		return VRRP_HMAC_UNKNOWN_KEY;
	hmac_tag(key, source, message, size, trailer, tag);
	if (!vrrp_auth_equal(tag, trailer + HMAC_HEAD, HMAC_TAG))
		return VRRP_HMAC_INVALID;
	/* Exactly half the space away is negative, too: a replay. */
	if (mark_counts(policy, mark, clock) && (int64_t)(seq - mark->sequence) <= 0)
		return VRRP_HMAC_REPLAYED;
	*sequence = seq;
	return VRRP_HMAC_OK;
}
