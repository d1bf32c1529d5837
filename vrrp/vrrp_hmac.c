/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signed trailer of advertisements: verified and made over bytes, judged by sequence and time. Runs in the vrrp
 * role, its unit tests and its fuzz target; reads no clock, keeps nothing and never writes a key anywhere. */
#include "vrrp_hmac.h"
#include "vrrp_auth.h"
#include "vrrp_digest.h"
#include <string.h>
#include <sys/socket.h>

#define HMAC_TYPE 1
#define HMAC_TAG 16
#define HMAC_HEAD 12 /* trailer up to the tag */
/* A smaller step of the wall clock is followed at once: half of the smallest window. */
#define FOLLOWED_STEP_US (US_PER_S / 2)

static void store32(uint8_t *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(x >> (24 - 8 * i));
}

static uint32_t load32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const struct conf_hmac_key *find_key(const struct vrrp_hmac_policy *policy, uint8_t id)
{
	for (uint32_t i = 0; i < policy->n_keys && id != 0; i++)
		if (policy->keys[i].id == id)
			return &policy->keys[i];
	return NULL;
}

struct vrrp_hmac_policy vrrp_hmac_policy_of(const struct conf *conf, const struct conf_instance *instance)
{
	struct vrrp_hmac_policy policy = {.mode = instance->hmac_mode,
		.replay = instance->hmac_replay,
		.window_s = instance->hmac_window_s,
		.keys = conf->hmac_keys + instance->hmac_keys.first,
		.n_keys = instance->hmac_keys.count};

	policy.active = find_key(&policy, instance->hmac_active);
	return policy;
}

/* ---- the clock ---- */

struct vrrp_hmac_time vrrp_hmac_clock_read(struct vrrp_hmac_clock *clock, int64_t boot_us, int64_t wall_us)
{
	struct vrrp_hmac_time time = {.kept_us = boot_us + clock->offset_us, .wall_us = wall_us};
	int64_t step_us = wall_us - time.kept_us;

	if (clock->is_set && (step_us > FOLLOWED_STEP_US || step_us < -FOLLOWED_STEP_US))
		return time;
	vrrp_hmac_clock_adopt(clock, &time);
	clock->is_set = true;
	time.kept_us = wall_us;
	return time;
}

int64_t vrrp_hmac_clock_adopt(struct vrrp_hmac_clock *clock, const struct vrrp_hmac_time *time)
{
	int64_t step_us = time->wall_us - time->kept_us;

	clock->offset_us += step_us;
	return step_us;
}

/* ---- marks ---- */

static struct vrrp_hmac_mark *find_mark(struct vrrp_hmac_marks *marks, const struct addr *sender)
{
	for (uint32_t i = 0; i < marks->n && i < VRRP_HMAC_SENDERS; i++)
		if (addr_equal(&marks->list[i].sender, sender))
			return &marks->list[i];
	return NULL;
}

/* Room for one more. */
static struct vrrp_hmac_mark *take_mark(struct vrrp_hmac_marks *marks)
{
	struct vrrp_hmac_mark *last = &marks->list[0];

	if (marks->n < VRRP_HMAC_SENDERS)
		return &marks->list[marks->n++];
	for (uint32_t i = 1; i < VRRP_HMAC_SENDERS; i++)
		if ((int64_t)(marks->list[i].sequence - last->sequence) < 0)
			last = &marks->list[i];
	if (marks->floor == 0 || (int64_t)(last->sequence - marks->floor) > 0)
		marks->floor = last->sequence;
	return last;
}

void vrrp_hmac_marks_store(struct vrrp_hmac_marks *marks, const struct addr *sender, uint64_t sequence)
{
	struct vrrp_hmac_mark *mark = find_mark(marks, sender);

	if (!mark) {
		mark = take_mark(marks);
		mark->sender = *sender;
	}
	mark->sequence = sequence;
}

/* What a sequence has to exceed; 0 = nothing. */
static uint64_t bar_for(const struct vrrp_hmac_marks *marks, const struct addr *sender)
{
	for (uint32_t i = 0; marks && i < marks->n && i < VRRP_HMAC_SENDERS; i++)
		if (addr_equal(&marks->list[i].sender, sender))
			return marks->list[i].sequence;
	return marks ? marks->floor : 0;
}

/* ---- sequences ---- */

static uint64_t clock_sequence(int64_t real_us)
{
	uint64_t seconds = (uint64_t)real_us / US_PER_S, rest = (uint64_t)real_us % US_PER_S;

	return seconds << 32 | (rest * 65536 / US_PER_S) << 16;
}

static int64_t seconds_between(uint64_t sequence, uint64_t clock)
{
	return (int32_t)((uint32_t)(sequence >> 32) - (uint32_t)(clock >> 32));
}

uint64_t vrrp_hmac_next_sequence(const struct vrrp_hmac_policy *policy, uint64_t last, int64_t now_us)
{
	uint64_t clock = clock_sequence(now_us);

	if (last == 0)
		return clock;
	if (policy->replay == CONF_HMAC_TIME && seconds_between(last, clock) > (int64_t)policy->window_s)
		return clock;
	return (int64_t)(clock - (last + 1)) > 0 ? clock : last + 1;
}

int64_t vrrp_hmac_ahead_s(uint64_t sequence, int64_t now_us)
{
	return seconds_between(sequence, clock_sequence(now_us));
}

static bool is_fresh(const struct vrrp_hmac_policy *policy, uint64_t sequence, int64_t now_us)
{
	int64_t age = seconds_between(sequence, clock_sequence(now_us));

	if (policy->replay != CONF_HMAC_TIME)
		return true;
	return age <= (int64_t)policy->window_s && -age <= (int64_t)policy->window_s;
}

/* A bar beyond the window comes from a clock that was corrected since. Exactly half the space away is negative, too. */
static bool is_replayed(const struct vrrp_hmac_policy *policy, uint64_t sequence, uint64_t bar, int64_t now_us)
{
	if (bar == 0 || (int64_t)(sequence - bar) > 0)
		return false;
	return policy->replay != CONF_HMAC_TIME ||
	       seconds_between(bar, clock_sequence(now_us)) <= (int64_t)policy->window_s;
}

/* ---- the trailer ---- */

static void hmac_tag(const struct conf_hmac_key *key, const struct addr *source, const uint8_t *message, size_t size,
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
	memset(trailer, 0, VRRP_HMAC_SIZE);
	trailer[0] = HMAC_TYPE;
	trailer[1] = policy->active->id;
	store32(trailer + 4, (uint32_t)(sequence >> 32));
	store32(trailer + 8, (uint32_t)sequence);
	hmac_tag(policy->active, source, message, size, trailer, trailer + HMAC_HEAD);
}

struct vrrp_hmac_verdict vrrp_hmac_verify(const struct vrrp_hmac_policy *policy, const struct addr *source,
	const uint8_t *message, size_t size, const uint8_t trailer[VRRP_HMAC_SIZE], const struct vrrp_hmac_marks *marks,
	const struct vrrp_hmac_time *time)
{
	struct vrrp_hmac_verdict v = {.result = VRRP_HMAC_MALFORMED};
	const struct conf_hmac_key *key;
	uint8_t tag[HMAC_TAG];

	if (size < 8 || trailer[0] != HMAC_TYPE || trailer[1] == 0 || trailer[2] != 0 || trailer[3] != 0)
		return v;
	v.sequence = (uint64_t)load32(trailer + 4) << 32 | load32(trailer + 8);
	/* Before the costly part, as it is the cheaper question. */
	v.is_by_wall = !is_fresh(policy, v.sequence, time->kept_us);
	v.result = VRRP_HMAC_STALE;
	if (v.is_by_wall && !is_fresh(policy, v.sequence, time->wall_us))
		return v;
	key = find_key(policy, trailer[1]);
	v.result = VRRP_HMAC_UNKNOWN_KEY;
	if (!key)
		return v;
	hmac_tag(key, source, message, size, trailer, tag);
	v.result = VRRP_HMAC_INVALID;
	if (!vrrp_auth_equal(tag, trailer + HMAC_HEAD, HMAC_TAG))
		return v;
	v.result = is_replayed(policy, v.sequence, bar_for(marks, source), v.is_by_wall ? time->wall_us : time->kept_us)
			   ? VRRP_HMAC_REPLAYED
			   : VRRP_HMAC_OK;
	return v;
}
