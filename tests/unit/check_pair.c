/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure parts of the pair role: messages, replay, coverage, differences of configurations. */
#include "pair_conf.h"
#include "pair_cover.h"
#include "pair_message.h"
#include "pair_receiver.h"
#include "pair_session.h"
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t key[] = "correct horse battery";

/* ---- messages ---- */

static struct pair_message state_message(void)
{
	struct pair_message m = {.type = PAIR_STATE, .session = 1, .number = 2, .challenge = 3, .echo = 4};

	m.u.state = (struct pair_state){.node = "lb1",
		.software = "1.0",
		.flags = PAIR_ACTIVE | PAIR_READY,
		.want = 5,
		.answered = 6,
		.walk = 7,
		.own = 8,
		.taken_known = 1,
		.taken = 998,
		.have = 9,
		.held_known = 1,
		.held = 995,
		.config = 10,
		.objects = 11,
		.config_have = 12,
		.layout = 14,
		.clock = 13};
	return m;
}

START_TEST(test_state_round_trip)
{
	struct pair_message m = state_message(), back;
	uint8_t buf[PAIR_SIZE];
	size_t size = pair_message_encode(&m, key, sizeof(key), buf);

	ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
	ck_assert_mem_eq(&back.u.state, &m.u.state, sizeof(m.u.state));
	ck_assert_uint_eq(back.session, 1);
	ck_assert_uint_eq(back.number, 2);
	ck_assert_uint_eq(back.challenge, 3);
	ck_assert_uint_eq(back.echo, 4);
}
END_TEST

START_TEST(test_every_bit_is_signed)
{
	struct pair_message m = state_message(), back;
	uint8_t buf[PAIR_SIZE];
	size_t size = pair_message_encode(&m, key, sizeof(key), buf);

	for (size_t i = 0; i < size * 8; i++) {
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
		ck_assert_int_ne(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
		buf[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key) - 2, &back), PAIR_FORGED);
	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_ne(pair_message_decode(buf, cut, key, sizeof(key), &back), PAIR_GOOD);
}
END_TEST

START_TEST(test_digest_objects_and_admin_round_trip)
{
	static struct pair_message m, back;
	uint8_t buf[PAIR_SIZE];
	size_t size;

	m = (struct pair_message){.type = PAIR_DIGEST};
	m.u.digest.walk = 3;
	m.u.digest.part = 15;
	for (unsigned i = 0; i < DIGEST_RECORD_BUCKETS; i++)
		m.u.digest.buckets[i] = (struct status_bucket){.count = i, .sum = 1ull << i};
	size = pair_message_encode(&m, key, sizeof(key), buf);
	ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
	ck_assert_mem_eq(&back.u.digest, &m.u.digest, sizeof(m.u.digest));

	m = (struct pair_message){.type = PAIR_ADMIN};
	snprintf(m.u.admin.service, PAIR_NAME, "10.0.0.1:80/tcp");
	snprintf(m.u.admin.server, PAIR_NAME, "10.1.0.2:80");
	m.u.admin.admin = (struct status_admin){.admin = ADMIN_DRAIN,
		.weight = -1,
		.since_real_us = 1700000000000000,
		.asked_real_us = 1700000000000009,
		.until_real_us = 1,
		.drain_end = DRAIN_RESET,
		.keep_known = 1,
		.why = "drained by root"};
	size = pair_message_encode(&m, key, sizeof(key), buf);
	ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
	ck_assert_mem_eq(&back.u.admin, &m.u.admin, sizeof(m.u.admin));

	m = (struct pair_message){.type = PAIR_OBJECTS};
	m.u.objects.n = PAIR_OBJECTS_MAX;
	for (unsigned i = 0; i < PAIR_OBJECTS_MAX; i++) {
		m.u.objects.list[i].digest = i;
		snprintf(m.u.objects.list[i].name, PAIR_NAME, "real_server 10.1.0.%u:80 of 10.0.0.1:80/tcp", i);
	}
	size = pair_message_encode(&m, key, sizeof(key), buf);
	ck_assert(m.u.objects.n > 10 && m.u.objects.n < PAIR_OBJECTS_MAX);
	ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
	ck_assert_uint_eq(back.u.objects.n, m.u.objects.n);
	ck_assert_mem_eq(back.u.objects.list, m.u.objects.list, m.u.objects.n * sizeof(m.u.objects.list[0]));
}
END_TEST

/* Where a field of this type begins in a message; 0 = it has none. */
static size_t find_field(const uint8_t *buf, size_t size, unsigned type)
{
	size_t at = PAIR_HEADER;

	while (at + 4 <= size - PAIR_MAC) {
		if ((unsigned)(buf[at] << 8 | buf[at + 1]) == type)
			return at;
		at += 4 + (size_t)(buf[at + 2] << 8 | buf[at + 3]);
	}
	return 0;
}

/* What a version without this field would have written. */
static size_t without_field(uint8_t *buf, size_t size, unsigned type)
{
	size_t at = find_field(buf, size, type), length;

	ck_assert_uint_ne(at, 0);
	length = 4 + (size_t)(buf[at + 2] << 8 | buf[at + 3]);
	memmove(buf + at, buf + at + length, size - at - length);
	size -= length;
	buf[6] = (uint8_t)(size >> 8);
	buf[7] = (uint8_t)size;
	return size;
}

START_TEST(test_pool_round_trip)
{
	struct pair_message m = {.type = PAIR_POOL}, back;
	uint8_t buf[PAIR_SIZE];
	size_t size;

	for (unsigned bits = 0; bits < 4; bits++) {
		snprintf(m.u.pool.service, PAIR_NAME, "10.0.0.1:80/tcp");
		snprintf(m.u.pool.server, sizeof(m.u.pool.server), "[2001:db8::1]:80");
		m.u.pool.pool = (struct status_pool){.is_removed = bits & 1,
			.is_settled = bits >> 1,
			.weight = -1,
			.since_real_us = 1700000000000000,
			.why = "added by root"};
		size = pair_message_encode(&m, key, sizeof(key), buf);
		ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
		ck_assert_mem_eq(&back.u.pool, &m.u.pool, sizeof(m.u.pool));
	}
}
END_TEST

/* An older node says less: what it does not say is as if it had not been asked, and the rest is understood. Each field
 * of each message in turn. */
START_TEST(test_an_older_node_is_understood)
{
	static const struct {
		uint8_t type;
		unsigned fields[14];
	} cases[] = {{PAIR_STATE, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}}, {PAIR_DIGEST, {16, 17}},
		{PAIR_OBJECTS, {24}}, {PAIR_ADMIN, {32, 33, 34, 35, 36}}, {PAIR_POOL, {32, 33, 37, 35}}};
	static struct pair_message m, back;
	uint8_t buf[PAIR_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t k = 0; cases[i].fields[k]; k++) {
			size_t size;

			m = cases[i].type == PAIR_STATE ? state_message()
							: (struct pair_message){.type = cases[i].type};
			size = pair_message_encode(&m, key, sizeof(key), buf);
			size = without_field(buf, size, cases[i].fields[k]);
			ck_assert_msg(pair_message_parse(buf, size, &back) == PAIR_GOOD, "type %u without field %u",
				cases[i].type, cases[i].fields[k]);
			if (cases[i].type != PAIR_STATE)
				continue;
			ck_assert_uint_eq(back.u.state.want, cases[i].fields[k] == 4 ? 0 : 5);
			ck_assert_uint_eq(back.u.state.answered, cases[i].fields[k] == 5 ? 0 : 6);
			ck_assert_uint_eq(back.u.state.held_known, cases[i].fields[k] == 8 ? 0 : 1);
			ck_assert_uint_eq(back.u.state.clock, cases[i].fields[k] == 11 ? 0 : 13);
			ck_assert_uint_eq(back.u.state.layout, cases[i].fields[k] == 12 ? 0 : 14);
		}
	}
}
END_TEST

/* A newer node may say more: what it says beyond is skipped, what both know is understood. */
START_TEST(test_a_newer_node_is_understood)
{
	struct pair_message m = state_message(), back;
	static const uint8_t more[] = {0x40, 0x00, 0, 3, 'n', 'e', 'w'};
	uint8_t buf[PAIR_SIZE];
	size_t size = pair_message_encode(&m, key, sizeof(key), buf);

	memmove(buf + PAIR_HEADER + sizeof(more), buf + PAIR_HEADER, size - PAIR_HEADER);
	memcpy(buf + PAIR_HEADER, more, sizeof(more));
	size += sizeof(more);
	buf[6] = (uint8_t)(size >> 8);
	buf[7] = (uint8_t)size;
	ck_assert_int_eq(pair_message_parse(buf, size, &back), PAIR_GOOD);
	ck_assert_mem_eq(&back.u.state, &m.u.state, sizeof(m.u.state));
	buf[5] = 77; /* a type of tomorrow */
	ck_assert_int_eq(pair_message_parse(buf, size, &back), PAIR_GOOD);
	ck_assert_uint_eq(back.type, 77);
	buf[4] = PAIR_VERSION + 1;
	ck_assert_int_eq(pair_message_parse(buf, size, &back), PAIR_VERSION_UNKNOWN);
}
END_TEST

START_TEST(test_text_is_printable)
{
	struct pair_message m = state_message(), back;
	uint8_t buf[PAIR_SIZE];
	size_t size;

	memcpy(m.u.state.node, "a\nb\x1b[", 5);
	size = pair_message_encode(&m, key, sizeof(key), buf);
	ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &back), PAIR_GOOD);
	ck_assert_str_eq(back.u.state.node, "a?b?[");
}
END_TEST

/* ---- replay ---- */

struct datagram {
	uint64_t session, number, challenge, echo;
};

static struct datagram speak(struct pair_session *s)
{
	return (struct datagram){s->own, ++s->sent, s->challenge, s->echo};
}

static enum pair_freshness hear(struct pair_session *s, struct datagram d)
{
	static uint64_t random = 1000;

	return pair_session_hear(s, d.session, d.number, d.challenge, d.echo, ++random);
}

START_TEST(test_sessions_meet_and_meet_again)
{
	struct pair_session a = {.own = 1, .challenge = 11}, b = {.own = 2, .challenge = 12};
	struct datagram first;

	ck_assert_int_eq(hear(&b, speak(&a)), PAIR_STALE);
	ck_assert_int_eq(hear(&a, speak(&b)), PAIR_FRESH_BOUND);
	first = speak(&a);
	ck_assert_int_eq(hear(&b, first), PAIR_FRESH_BOUND);
	ck_assert_int_eq(hear(&b, first), PAIR_REPLAYED);
	ck_assert_int_eq(hear(&a, speak(&b)), PAIR_FRESH);
	ck_assert_int_eq(hear(&b, speak(&a)), PAIR_FRESH);
	/* b is restarted */
	b = (struct pair_session){.own = 3, .challenge = 13};
	ck_assert_int_eq(hear(&b, speak(&a)), PAIR_STALE);
	ck_assert_int_eq(hear(&a, speak(&b)), PAIR_FRESH_BOUND);
	ck_assert_int_eq(hear(&b, speak(&a)), PAIR_FRESH_BOUND);
	ck_assert_int_eq(hear(&a, speak(&b)), PAIR_FRESH);
}
END_TEST

/* Everything that was ever said is said again, in the order of its time: nothing of it is believed. */
START_TEST(test_nothing_old_is_believed)
{
	struct pair_session a = {.own = 1, .challenge = 11}, b = {.own = 2, .challenge = 12};
	struct datagram recorded[64];
	unsigned n = 0;

	for (unsigned life = 0; life < 4; life++) {
		for (unsigned i = 0; i < 8; i++) {
			struct datagram d = speak(&b);

			recorded[n++] = d;
			hear(&a, d);
			hear(&b, speak(&a));
		}
		for (unsigned i = 0; i < n; i++) {
			enum pair_freshness f = hear(&a, recorded[i]);

			ck_assert_msg(
				f == PAIR_STALE || f == PAIR_REPLAYED, "message %u of life %u is believed", i, life);
		}
		/* and the true one is still heard */
		hear(&b, speak(&a));
		ck_assert_int_eq(hear(&a, speak(&b)), PAIR_FRESH);
		b = (struct pair_session){.own = 100 + life, .challenge = 200 + life};
	}
	ck_assert_int_eq(hear(&a, speak(&a)), PAIR_REPLAYED);
}
END_TEST

/* ---- the kernel's receiver ---- */

#define UDP_LINE                                                                                                       \
	"  %u: %08X:2290 00000000:0000 07 00000000:%08X 00:00000000 00000000     0        0 %u 2 0000000000000000 %u"

static struct pair_receiver look(uint32_t word, unsigned waiting, unsigned inode, unsigned dropped)
{
	const uint8_t bytes[4] = {224, 0, 0, 81};
	struct addr group = addr_from_bytes(AF_INET, bytes);
	struct pair_receiver r = {0};
	char line[256];

	snprintf(line, sizeof(line), UDP_LINE, 1234, word, waiting, inode, dropped);
	pair_receiver_take_line(&r, line, &group, 0x2290, 77);
	return r;
}

START_TEST(test_the_receivers_queue)
{
	const uint8_t bytes[16] = {0xff, 2, [15] = 0x81};
	struct addr group = addr_from_bytes(AF_INET6, bytes);
	struct pair_receiver r;
	uint32_t word;
	char line[256];

	memcpy(&word, (const uint8_t[4]){224, 0, 0, 81}, sizeof(word));
	r = look(word, 0x9000, 12, 3);
	ck_assert(r.is_there && r.waiting == 0x9000 && r.dropped == 3);
	ck_assert(!look(word, 0, 77, 3).is_there);     /* our own */
	ck_assert(!look(word + 1, 0, 12, 3).is_there); /* another address */
	memcpy(&word, bytes, sizeof(word));
	snprintf(line, sizeof(line),
		"1: %08X0000000000000000%08X:2290 00000000000000000000000000000000:0000 07 00000000:00000100 "
		"00:00000000 "
		"00000000 0 0 5 2 0000000000000000 9",
		word, htonl(0x81));
	r = (struct pair_receiver){0};
	pair_receiver_take_line(&r, line, &group, 0x2290, 77);
	pair_receiver_take_line(&r, "  sl  local_address rem_address   st tx_queue", &group, 0x2290, 77);
	ck_assert(r.is_there && r.waiting == 0x100 && r.dropped == 9);
	ck_assert_uint_eq(r.waiting, 0x100);
}
END_TEST

/* ---- coverage ---- */

static struct pair_cover cover;

static void tell_digest(uint64_t walk, uint32_t per_bucket, struct mono now)
{
	struct pair_digest part = {.walk = walk};

	for (uint32_t i = 0; i < DIGEST_RECORD_BUCKETS; i++)
		part.buckets[i] = (struct status_bucket){.count = per_bucket, .sum = 7};
	for (part.part = 0; part.part < DIGEST_RECORDS; part.part++)
		pair_cover_take_part(&cover, &part, now);
}

static uint32_t taken; /* as the sender says */

static uint32_t compare_with(uint32_t per_bucket, uint64_t sum)
{
	static struct status_bucket ours[DIGEST_BUCKETS];

	for (uint32_t i = 0; i < DIGEST_BUCKETS; i++)
		ours[i] = (struct status_bucket){.count = per_bucket, .sum = sum};
	pair_cover_compare(&cover, ours, cover.count, taken, (struct mono){5000});
	return cover.held;
}

/* A large table takes as long to count as to send: what our own kernel took is gone by until then. */
START_TEST(test_what_was_taken_is_held)
{
	struct pair_cover_facts f = {.now = {10 * US_PER_S}, .can = true, .enough = 990, .total = 5000};

	pair_cover_begin(&cover, 100);
	pair_cover_meet(&cover, 0);
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 101);
	/* of another walk */
	f.taken_known = true;
	f.taken = 1000;
	pair_cover_step(&cover, &f);
	ck_assert(!cover.known);
	f.answered = 101;
	f.now.us += US_PER_S;
	pair_cover_step(&cover, &f);
	ck_assert(cover.known && cover.held == 1000 && cover.total == 5000);
	/* it is as old as the wish, so a server that came since then makes it worthless */
	ck_assert_int_eq(cover.at.us, 10 * US_PER_S);
	/* the count has the last word */
	tell_digest(1, 10, f.now);
	f.now.us += PAIR_SETTLE_US;
	pair_cover_step(&cover, &f);
	ck_assert_uint_ne(cover.count, 0);
	ck_assert_uint_lt(compare_with(9, 7), 1000);
	/* too little is nothing to go by: the count tells */
	pair_cover_begin(&cover, 100);
	f.answered = 0;
	pair_cover_step(&cover, &f);
	f.answered = 101;
	f.taken = 989;
	pair_cover_step(&cover, &f);
	ck_assert(!cover.known);
}
END_TEST

START_TEST(test_lost_coverage_is_news)
{
	bool had = false;

	ck_assert_int_eq(pair_cover_judge(&had, false, 0, 990), PAIR_COVER_SAME);
	ck_assert_int_eq(pair_cover_judge(&had, true, 500, 990), PAIR_COVER_SAME); /* never reached */
	ck_assert_int_eq(pair_cover_judge(&had, true, 990, 990), PAIR_COVER_REACHED);
	ck_assert_int_eq(pair_cover_judge(&had, true, 1000, 990), PAIR_COVER_SAME);
	ck_assert_int_eq(pair_cover_judge(&had, false, 0, 990), PAIR_COVER_SAME); /* nobody to ask */
	ck_assert_int_eq(pair_cover_judge(&had, true, 989, 990), PAIR_COVER_LOST);
	ck_assert_int_eq(pair_cover_judge(&had, true, 0, 990), PAIR_COVER_SAME);
}
END_TEST

START_TEST(test_comparison)
{
	pair_cover_begin(&cover, 100);
	/* what it had counted before we met may be of long ago */
	tell_digest(9, 0, (struct mono){1});
	ck_assert_uint_eq(cover.complete, 0);
	pair_cover_meet(&cover, 9);
	tell_digest(9, 0, (struct mono){1});
	ck_assert_uint_eq(cover.complete, 0);
	tell_digest(1, 10, (struct mono){1});
	ck_assert_uint_eq(cover.complete, 1);
	ck_assert_uint_eq(compare_with(10, 7), 1000);
	ck_assert_uint_eq(cover.total, 10 * DIGEST_BUCKETS);
	/* one of ten is missing; ten others are held; at least one is another one */
	ck_assert_uint_eq(compare_with(9, 6), 900);
	ck_assert_uint_eq(compare_with(0, 0), 0);
	ck_assert_uint_eq(compare_with(10, 8), 900);
	ck_assert_uint_eq(compare_with(20, 8), 900);
	tell_digest(2, 0, (struct mono){1});
	ck_assert_uint_eq(compare_with(3, 8), 1000);
}
END_TEST

/* The first table that a node ever sends answers whoever asked for it: a second walk would be for nothing. */
/* A busy table is another one when it is counted; what is missing by more was not taken in after all. */
START_TEST(test_what_has_ended_is_not_missing)
{
	pair_cover_begin(&cover, 100);
	pair_cover_meet(&cover, 9);
	tell_digest(1, 20, (struct mono){1000});
	taken = 0;
	ck_assert_uint_eq(compare_with(19, 7), 950);
	taken = 1000;
	ck_assert_uint_eq(compare_with(19, 7), 1000);
	ck_assert_uint_eq(compare_with(18, 7), 1000);
	ck_assert_uint_eq(compare_with(17, 7), 850);
	taken = 400; /* the rest came otherwise */
	ck_assert_uint_eq(compare_with(17, 7), 850);
	taken = 0;
}
END_TEST

START_TEST(test_the_first_answer_counts)
{
	struct pair_cover_facts f = {.now = {10 * US_PER_S}, .can = true, .enough = 990};

	pair_cover_begin(&cover, 100);
	pair_cover_meet(&cover, 0);
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 101);
	f.answered = 101;
	pair_cover_meet(&cover, 1);
	tell_digest(1, 10, f.now);
	ck_assert_uint_eq(cover.complete, 1);
	/* with another process there it begins anew */
	pair_cover_forget(&cover);
	pair_cover_meet(&cover, 1);
	tell_digest(1, 10, f.now);
	ck_assert_uint_eq(cover.complete, 0);
}
END_TEST

START_TEST(test_what_took_long_is_not_asked_for_at_once)
{
	struct pair_cover_facts f = {.now = {10 * US_PER_S}, .can = true, .enough = 990};

	pair_cover_begin(&cover, 100);
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 101);
	f.answered = 101;
	f.now.us += 20 * US_PER_S;
	ck_assert_int_eq(pair_cover_step(&cover, &f).us, f.now.us + 60 * US_PER_S);
	f.now.us += 60 * US_PER_S - 1;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 0);
	f.now.us += 1;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 102);
}
END_TEST

START_TEST(test_asks_counts_and_asks_again)
{
	struct pair_cover_facts f = {.now = {10 * US_PER_S}, .can = true, .enough = 990};

	pair_cover_begin(&cover, 100);
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 101);
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 101);
	pair_cover_meet(&cover, 4);
	tell_digest(4, 0, f.now);
	ck_assert(!mono_is_set(cover.count_at));
	f.answered = 101;
	tell_digest(5, 10, f.now);
	ck_assert_int_eq(pair_cover_step(&cover, &f).us, f.now.us + PAIR_SETTLE_US);
	ck_assert_uint_eq(cover.want, 0);
	ck_assert_uint_eq(cover.count, 0);
	f.now.us += PAIR_SETTLE_US;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.count, 102);
	/* it is not enough: once more, unless it was mere churn */
	f.counted = 102;
	compare_with(5, 1);
	cover.at = f.now;
	f.now.us += 1;
	ck_assert_int_eq(pair_cover_step(&cover, &f).us, f.now.us + PAIR_CHURN_US);
	ck_assert_uint_eq(cover.want, 0);
	f.now.us += PAIR_CHURN_US;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 103);
	/* an operator waits for it: at once, however long the pause would be */
	f.answered = 103;
	f.now.us += 1;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 0);
	pair_cover_hurry(&cover);
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 104);
	f.answered = 104;
	pair_cover_step(&cover, &f);
	/* it is enough: nothing more, until it is out of date */
	cover.held = 990;
	cover.at = f.now;
	f.now.us += 60 * US_PER_S;
	ck_assert(!mono_is_set(pair_cover_step(&cover, &f)));
	ck_assert_uint_eq(cover.want, 0);
	f.not_before = f.now;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 105);
	/* the other one is gone */
	f.can = false;
	pair_cover_step(&cover, &f);
	ck_assert_uint_eq(cover.want, 0);
}
END_TEST

/* ---- configurations ---- */

static char found[400];

static void note(void *arg, enum pair_difference kind, const char *name)
{
	size_t n = strlen(found);

	(void)arg;
	snprintf(found + n, sizeof(found) - n, "%d:%s ", (int)kind, name);
}

START_TEST(test_differences)
{
	const struct pair_object ours[] = {{1, "a"}, {2, "b"}, {3, "d"}};
	const struct pair_object theirs[] = {{1, "a"}, {9, "b"}, {4, "c"}};

	found[0] = '\0';
	ck_assert_uint_eq(pair_conf_compare(ours, 3, theirs, 3, note, NULL), 3);
	ck_assert_str_eq(found, "2:b 1:c 0:d ");
	ck_assert_uint_eq(pair_conf_compare(ours, 3, ours, 3, note, NULL), 0);
	ck_assert_uint_eq(pair_conf_compare(ours, 0, theirs, 3, note, NULL), 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pair");
	TCase *tc = tcase_create("pair");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_state_round_trip);
	tcase_add_test(tc, test_every_bit_is_signed);
	tcase_add_test(tc, test_digest_objects_and_admin_round_trip);
	tcase_add_test(tc, test_pool_round_trip);
	tcase_add_test(tc, test_an_older_node_is_understood);
	tcase_add_test(tc, test_a_newer_node_is_understood);
	tcase_add_test(tc, test_text_is_printable);
	tcase_add_test(tc, test_sessions_meet_and_meet_again);
	tcase_add_test(tc, test_nothing_old_is_believed);
	tcase_add_test(tc, test_lost_coverage_is_news);
	tcase_add_test(tc, test_what_was_taken_is_held);
	tcase_add_test(tc, test_the_receivers_queue);
	tcase_add_test(tc, test_comparison);
	tcase_add_test(tc, test_what_has_ended_is_not_missing);
	tcase_add_test(tc, test_the_first_answer_counts);
	tcase_add_test(tc, test_what_took_long_is_not_asked_for_at_once);
	tcase_add_test(tc, test_asks_counts_and_asks_again);
	tcase_add_test(tc, test_differences);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
