/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signed trailer behind an advertisement (draft-cassen-vrrp-auth-hmac as deployed): bytes, the rules of its
 * sequence, what is remembered of the senders, and which clock it goes by. Pure.
 *
 * Time. The trailer carries the sender's wall clock, and a receiver drops what lies outside of a window around its own.
 * A wall clock that somebody sets wrong by an hour would so split a pair. Therefore a node signs and judges by a clock
 * of its own: the wall clock as it was at the start, carried on by a clock that nobody can set. Steps of up to half a
 * second are followed; a larger one is followed as soon as a correctly signed advertisement is fresh by the wall clock
 * only, since then a neighbour goes by that time, too. */
#ifndef POISE_VRRP_HMAC_H
#define POISE_VRRP_HMAC_H

#include "addr.h"
#include "conf.h"
#include "mono.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VRRP_HMAC_SIZE 28 /* trailer */

/* What an instance demands. Keys stay the configuration's. */
struct vrrp_hmac_policy {
	uint32_t mode;   /* enum conf_hmac_mode */
	uint32_t replay; /* enum conf_hmac_replay */
	uint32_t window_s;
	const struct conf_hmac_key *active; /* signs; NULL = nothing can be signed, and nothing must be sent */
	const struct conf_hmac_key *keys;
	uint32_t n_keys;
};

struct vrrp_hmac_policy vrrp_hmac_policy_of(const struct conf *conf, const struct conf_instance *instance);

/* ---- the clock ---- */
/* wall = boot + offset, until somebody sets the wall clock. Zeroed = not started. */
struct vrrp_hmac_clock {
	int64_t offset_us;
	bool is_set;
};

/* A moment by both clocks, in microseconds since 1970. */
struct vrrp_hmac_time {
	int64_t kept_us; /* to sign by */
	int64_t wall_us;
};

/* boot_us: of a clock that nobody sets and that goes on while the machine sleeps. Starts the clock, and follows small
 * steps. */
struct vrrp_hmac_time vrrp_hmac_clock_read(struct vrrp_hmac_clock *clock, int64_t boot_us, int64_t wall_us);
/* From now on by the wall clock. Returns by how much that is another time, in microseconds. */
int64_t vrrp_hmac_clock_adopt(struct vrrp_hmac_clock *clock, const struct vrrp_hmac_time *time);

/* ---- what is remembered ---- */
#define VRRP_HMAC_SENDERS 16

/* The highest sequence accepted from one sender. */
struct vrrp_hmac_mark {
	struct addr sender;
	uint64_t sequence;
};

/* Only a correctly signed advertisement leaves a mark. When there is no room for a further sender the mark that lies
 * furthest back becomes the floor: nothing at or below it is taken from anybody without a mark. */
struct vrrp_hmac_marks {
	uint64_t last_sent; /* 0 = nothing yet */
	uint64_t floor;     /* 0 = none */
	uint32_t n, zero;
	struct vrrp_hmac_mark list[VRRP_HMAC_SENDERS];
};

void vrrp_hmac_marks_store(struct vrrp_hmac_marks *marks, const struct addr *sender, uint64_t sequence);

/* ---- the trailer ---- */
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
uint64_t vrrp_hmac_next_sequence(const struct vrrp_hmac_policy *policy, uint64_t last, int64_t now_us);
/* Writes the 28 bytes that follow the message. policy->active must be there. */
void vrrp_hmac_sign(const struct vrrp_hmac_policy *policy, const struct addr *source, uint64_t sequence,
	const uint8_t *message, size_t size, uint8_t trailer[VRRP_HMAC_SIZE]);

struct vrrp_hmac_verdict {
	enum vrrp_hmac_result result;
	/* with VRRP_HMAC_OK; to be stored by the caller when nothing else speaks against the advertisement */
	uint64_t sequence;
	bool is_by_wall; /* fresh by the wall clock only: to be adopted then */
};

/* By how many seconds the sender's time is ahead of ours (negative: behind). */
int64_t vrrp_hmac_ahead_s(uint64_t sequence, int64_t now_us);

/* marks NULL: nothing is remembered yet. */
struct vrrp_hmac_verdict vrrp_hmac_verify(const struct vrrp_hmac_policy *policy, const struct addr *source,
	const uint8_t *message, size_t size, const uint8_t trailer[VRRP_HMAC_SIZE], const struct vrrp_hmac_marks *marks,
	const struct vrrp_hmac_time *time);

#endif
