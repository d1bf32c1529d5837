/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authentication of advertisements: PASS and AH of version 2 (RFC 2338), and the HMAC trailer of
 * draft-cassen-vrrp-auth-hmac. Pure; comparisons take the same time whatever differs. */
#ifndef POISE_VRRP_AUTH_H
#define POISE_VRRP_AUTH_H

#include "addr.h"
#include "conf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vrrp_auth_type { VRRP_AUTH_NONE, VRRP_AUTH_PASS, VRRP_AUTH_AH };

#define VRRP_PASS_SIZE 8
#define VRRP_AH_SIZE 24   /* header with its 12-byte check value */
#define VRRP_HMAC_SIZE 28 /* trailer */
#define VRRP_HMAC_KEYS 8  /* configured at the same time, for rotation */

/* The first 8 bytes, filled up with zeros. secret NULL = none. */
void vrrp_auth_password(const struct conf_secret *secret, uint8_t out[VRRP_PASS_SIZE]);
bool vrrp_auth_equal(const uint8_t *a, const uint8_t *b, size_t size);

/* Builds an AH at ah for an IPv4 packet whose header (20 bytes, total length and id as sent) and message are given. */
void vrrp_auth_ah_sign(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20], uint32_t sequence,
	const uint8_t *message, size_t size, uint8_t ah[VRRP_AH_SIZE]);
/* Check value, next header, SPI; and the sequence above `last`. Returns false when one fails; else sets *sequence. */
bool vrrp_auth_ah_verify(const struct conf_secret *secret, bool is_unicast, const uint8_t ip[20],
	const uint8_t ah[VRRP_AH_SIZE], const uint8_t *message, size_t size, uint32_t last, uint32_t *sequence);

/* ---- HMAC trailer ---- */
enum vrrp_hmac_mode { VRRP_HMAC_ENFORCE, VRRP_HMAC_PERMISSIVE, VRRP_HMAC_RECEIVE_ONLY };
enum vrrp_hmac_replay { VRRP_HMAC_TIME, VRRP_HMAC_MONOTONIC };

struct vrrp_hmac_key {
	uint8_t id;     /* 1..255, 0 = unused slot */
	uint8_t length; /* 32..64 */
	uint8_t bytes[64];
};

struct vrrp_hmac_policy {
	uint32_t mode;   /* enum vrrp_hmac_mode */
	uint32_t replay; /* enum vrrp_hmac_replay */
	uint32_t window_s;
	uint32_t active; /* index into keys, for sending */
	struct vrrp_hmac_key keys[VRRP_HMAC_KEYS];
};

/* The highest sequence accepted from one sender. */
struct vrrp_hmac_mark {
	uint64_t sequence;
	bool is_set;
};

enum vrrp_hmac_result {
	VRRP_HMAC_OK,
	VRRP_HMAC_MALFORMED,
	VRRP_HMAC_UNKNOWN_KEY,
	VRRP_HMAC_INVALID,
	VRRP_HMAC_STALE,
	VRRP_HMAC_REPLAYED,
};

/* The next sequence to send: clock (seconds << 32 | fraction << 16), or one more than the last. A stored value more
 * than one window ahead of the clock (a clock that was corrected) is given up in time mode. */
uint64_t vrrp_hmac_next_sequence(const struct vrrp_hmac_policy *policy, uint64_t last, int64_t real_now_us);
/* Writes the 28 bytes that follow the message. */
void vrrp_hmac_sign(const struct vrrp_hmac_policy *policy, const struct addr *source, uint64_t sequence,
	const uint8_t *message, size_t size, uint8_t trailer[VRRP_HMAC_SIZE]);
/* mark NULL or unset: first contact. *sequence is set when VRRP_HMAC_OK is returned; storing it is the caller's. */
enum vrrp_hmac_result vrrp_hmac_verify(const struct vrrp_hmac_policy *policy, const struct addr *source,
	const uint8_t *message, size_t size, const uint8_t trailer[VRRP_HMAC_SIZE], const struct vrrp_hmac_mark *mark,
	int64_t real_now_us, uint64_t *sequence);

#endif
