/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signed trailer against the vectors of its draft; its sequences, what is remembered of senders, and its clock. */
#include "../../vrrp/vrrp_hmac.h"
#include "vrrp_fixture.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define SECONDS(s) ((uint64_t)(s) << 32)
#define NOW_S 1000000LL
#define HOUR_S 3600LL

static size_t from_hex(const char *text, uint8_t *out)
{
	size_t n = strlen(text) / 2;
	unsigned x;

	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(sscanf(text + 2 * i, "%2x", &x), 1);
		out[i] = (uint8_t)x;
	}
	return n;
}

/* A sender and a receiver that share key 1 (the bytes 00 to 1f) and key 9. */
struct rig {
	struct conf_hmac_key keys[2];
	struct vrrp_hmac_policy policy;
	struct vrrp_hmac_marks marks;
	struct vrrp_hmac_time time;
	struct addr source;
	uint8_t message[64], trailer[VRRP_HMAC_SIZE];
	size_t size;
};

static void rig_time(struct rig *r, int64_t kept_s, int64_t wall_s)
{
	r->time = (struct vrrp_hmac_time){.kept_us = kept_s * US_PER_S, .wall_us = wall_s * US_PER_S};
}

static void rig_init(struct rig *r, enum conf_hmac_replay replay)
{
	memset(r, 0, sizeof(*r));
	r->keys[0].id = 1;
	r->keys[1].id = 9;
	r->keys[0].length = r->keys[1].length = 32;
	for (uint8_t i = 0; i < 32; i++) {
		r->keys[0].bytes[i] = i;
		r->keys[1].bytes[i] = (uint8_t)(i * 3);
	}
	r->policy = (struct vrrp_hmac_policy){
		.window_s = 5, .replay = replay, .active = &r->keys[0], .keys = r->keys, .n_keys = 2};
	r->source = fixture_addr("198.51.100.10");
	r->size = from_hex("3133c80100644402c0000264", r->message);
	rig_time(r, NOW_S, NOW_S);
}

static struct vrrp_hmac_verdict rig_judge(struct rig *r, uint64_t sequence)
{
	vrrp_hmac_sign(&r->policy, &r->source, sequence, r->message, r->size, r->trailer);
	return vrrp_hmac_verify(&r->policy, &r->source, r->message, r->size, r->trailer, &r->marks, &r->time);
}

/* What a receiver does: an accepted sequence leaves a mark. */
static enum vrrp_hmac_result rig_receive(struct rig *r, uint64_t sequence)
{
	struct vrrp_hmac_verdict v = rig_judge(r, sequence);

	if (v.result == VRRP_HMAC_OK)
		vrrp_hmac_marks_store(&r->marks, &r->source, v.sequence);
	return v.result;
}

static void assert_trailer(const struct rig *r, const char *text)
{
	uint8_t expected[VRRP_HMAC_SIZE];

	ck_assert_uint_eq(from_hex(text, expected), VRRP_HMAC_SIZE);
	ck_assert_mem_eq(r->trailer, expected, VRRP_HMAC_SIZE);
}

START_TEST(test_vectors_of_the_draft)
{
	const uint64_t sequence = 0x6800000080000000ULL;
	struct rig r;

	rig_init(&r, CONF_HMAC_TIME);
	rig_time(&r, 0x68000000LL, 0x68000000LL);
	ck_assert_int_eq(rig_judge(&r, sequence).result, VRRP_HMAC_OK);
	assert_trailer(&r, "0101000068000000800000001b84bc4e8e43892dc6d98448f8ee2265");
	ck_assert_uint_eq(rig_judge(&r, sequence).sequence, sequence);
	r.source = fixture_addr("fe80::10");
	r.size = from_hex("3133c8010064a2e9fe800000000000000000000000000100", r.message);
	ck_assert_int_eq(rig_judge(&r, sequence).result, VRRP_HMAC_OK);
	assert_trailer(&r, "010100006800000080000000c8c56146ebfd66ee10ec4d8186461b78");
}
END_TEST

START_TEST(test_every_bit_of_the_trailer_counts)
{
	struct rig r;

	rig_init(&r, CONF_HMAC_MONOTONIC);
	ck_assert_int_eq(rig_judge(&r, SECONDS(NOW_S)).result, VRRP_HMAC_OK);
	for (unsigned bit = 0; bit < 8 * VRRP_HMAC_SIZE; bit++) {
		r.trailer[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_ne(
			vrrp_hmac_verify(&r.policy, &r.source, r.message, r.size, r.trailer, NULL, &r.time).result,
			VRRP_HMAC_OK);
		r.trailer[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

START_TEST(test_rotation_of_keys)
{
	struct rig r;

	rig_init(&r, CONF_HMAC_TIME);
	/* whoever signs with the new key is heard before we do, and the old key as long as it is there */
	r.policy.active = &r.keys[1];
	ck_assert_int_eq(rig_judge(&r, SECONDS(NOW_S)).result, VRRP_HMAC_OK);
	ck_assert_uint_eq(r.trailer[1], 9);
	r.policy.n_keys = 1;
	ck_assert_int_eq(rig_judge(&r, SECONDS(NOW_S)).result, VRRP_HMAC_UNKNOWN_KEY);
	r.trailer[1] = 0;
	ck_assert_int_eq(vrrp_hmac_verify(&r.policy, &r.source, r.message, r.size, r.trailer, NULL, &r.time).result,
		VRRP_HMAC_MALFORMED);
	/* the same id with another key is no key */
	r.trailer[1] = 1;
	ck_assert_int_eq(vrrp_hmac_verify(&r.policy, &r.source, r.message, r.size, r.trailer, NULL, &r.time).result,
		VRRP_HMAC_INVALID);
}
END_TEST

START_TEST(test_sequences_of_a_sender)
{
	const struct vrrp_hmac_policy time = {.replay = CONF_HMAC_TIME, .window_s = 5};
	const struct vrrp_hmac_policy monotonic = {.replay = CONF_HMAC_MONOTONIC, .window_s = 5};
	int64_t now = NOW_S * US_PER_S;

	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, 0, now + 500000), SECONDS(NOW_S) | 0x8000ULL << 16);
	/* the same moment twice: the counter, carried into fraction and seconds */
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(NOW_S), now), SECONDS(NOW_S) + 1);
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(NOW_S) | 0xffffffff, now), SECONDS(NOW_S + 1));
	/* forward: followed; back within the window: kept, one step each; beyond: the clock again */
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(NOW_S - HOUR_S), now), SECONDS(NOW_S));
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(NOW_S + 5), now), SECONDS(NOW_S + 5) + 1);
	ck_assert_uint_eq(vrrp_hmac_next_sequence(&time, SECONDS(NOW_S + 6), now), SECONDS(NOW_S));
	ck_assert_uint_eq(
		vrrp_hmac_next_sequence(&monotonic, SECONDS(NOW_S + HOUR_S), now), SECONDS(NOW_S + HOUR_S) + 1);
}
END_TEST

START_TEST(test_what_was_seen_is_not_taken_again)
{
	struct rig r;

	rig_init(&r, CONF_HMAC_TIME);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_OK);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_REPLAYED);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S) - 1), VRRP_HMAC_REPLAYED);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S) + 1), VRRP_HMAC_OK);
	/* another sender has a mark of its own */
	r.source = fixture_addr("198.51.100.11");
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_OK);
	ck_assert_uint_eq(r.marks.n, 2);
	/* exactly half the space away */
	rig_init(&r, CONF_HMAC_MONOTONIC);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_OK);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S) + (1ULL << 63)), VRRP_HMAC_REPLAYED);
	/* a mark from a clock that ran far ahead and was corrected is forgotten, in time mode */
	rig_init(&r, CONF_HMAC_TIME);
	vrrp_hmac_marks_store(&r.marks, &r.source, SECONDS(NOW_S + 4));
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_REPLAYED);
	vrrp_hmac_marks_store(&r.marks, &r.source, SECONDS(NOW_S + 100));
	ck_assert_int_eq(rig_judge(&r, SECONDS(NOW_S)).result, VRRP_HMAC_OK);
	r.policy.replay = CONF_HMAC_MONOTONIC;
	ck_assert_int_eq(rig_judge(&r, SECONDS(NOW_S)).result, VRRP_HMAC_REPLAYED);
}
END_TEST

static struct addr sender(unsigned i)
{
	char text[32];

	snprintf(text, sizeof(text), "10.0.%u.%u", i / 250, i % 250 + 1);
	return fixture_addr(text);
}

/* However many senders there are, nobody's old advertisement is taken twice, and everybody's next one is taken. */
START_TEST(test_no_sender_is_forgotten)
{
	struct rig r;

	rig_init(&r, CONF_HMAC_MONOTONIC);
	for (unsigned i = 0; i < 3 * VRRP_HMAC_SENDERS; i++) {
		r.source = sender(i);
		ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S + i)), VRRP_HMAC_OK);
	}
	for (unsigned i = 0; i < 3 * VRRP_HMAC_SENDERS; i++) {
		r.source = sender(i);
		ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S + i)), VRRP_HMAC_REPLAYED);
	}
	for (unsigned i = 0; i < 3 * VRRP_HMAC_SENDERS; i++) {
		r.source = sender(i);
		ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S + 100 + i)), VRRP_HMAC_OK);
	}
}
END_TEST

/* Strangers cannot sign, so they leave nothing behind. */
START_TEST(test_strangers_leave_no_mark)
{
	struct rig r, stranger;

	rig_init(&r, CONF_HMAC_TIME);
	rig_init(&stranger, CONF_HMAC_TIME);
	stranger.keys[0].bytes[0] ^= 1;
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_OK);
	for (unsigned i = 0; i < 100; i++) {
		struct addr source = sender(i);

		vrrp_hmac_sign(&stranger.policy, &source, SECONDS(NOW_S), r.message, r.size, r.trailer);
		ck_assert_int_eq(
			vrrp_hmac_verify(&r.policy, &source, r.message, r.size, r.trailer, &r.marks, &r.time).result,
			VRRP_HMAC_INVALID);
	}
	ck_assert_uint_eq(r.marks.n, 1);
	ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_REPLAYED);
}
END_TEST

/* ---- the clock ---- */

START_TEST(test_the_kept_clock)
{
	const int64_t boot = 77 * US_PER_S, start = NOW_S * US_PER_S, hour = HOUR_S * US_PER_S;
	struct vrrp_hmac_clock clock = {0};
	struct vrrp_hmac_time t = vrrp_hmac_clock_read(&clock, boot, start);

	ck_assert_int_eq(t.kept_us, start);
	/* a small step is followed, in either direction */
	t = vrrp_hmac_clock_read(&clock, boot + US_PER_S, start + US_PER_S + US_PER_S / 2);
	ck_assert_int_eq(t.kept_us, start + US_PER_S + US_PER_S / 2);
	t = vrrp_hmac_clock_read(&clock, boot + US_PER_S, start + US_PER_S);
	ck_assert_int_eq(t.kept_us, start + US_PER_S);
	/* a large one is not */
	for (int sign = -1; sign <= 1; sign += 2) {
		t = vrrp_hmac_clock_read(&clock, boot + 2 * US_PER_S, start + 2 * US_PER_S + sign * hour);
		ck_assert_int_eq(t.kept_us, start + 2 * US_PER_S);
		ck_assert_int_eq(t.wall_us - t.kept_us, sign * hour);
	}
	/* until a neighbour goes by it */
	ck_assert_int_eq(vrrp_hmac_clock_adopt(&clock, &t), hour);
	t = vrrp_hmac_clock_read(&clock, boot + 3 * US_PER_S, start + 3 * US_PER_S + hour);
	ck_assert_int_eq(t.kept_us, t.wall_us);
}
END_TEST

/* One node's clock is set wrong: the pair goes on by the time it had. */
START_TEST(test_a_step_of_one_node_changes_nothing)
{
	struct rig r;

	for (int sign = -1; sign <= 1; sign += 2) {
		rig_init(&r, CONF_HMAC_TIME);
		rig_time(&r, NOW_S, NOW_S + sign * HOUR_S);
		/* the other one signs by its own clock, which was not touched */
		ck_assert_int_eq(rig_receive(&r, SECONDS(NOW_S)), VRRP_HMAC_OK);
		ck_assert(!rig_judge(&r, SECONDS(NOW_S) + 1).is_by_wall);
	}
}
END_TEST

/* A neighbour that goes by the wall clock (it was started after the step) is heard, and its time is the wall's. */
START_TEST(test_a_neighbour_by_the_wall_clock_is_heard)
{
	struct rig r;

	for (int sign = -1; sign <= 1; sign += 2) {
		struct vrrp_hmac_verdict v;

		rig_init(&r, CONF_HMAC_TIME);
		vrrp_hmac_marks_store(&r.marks, &r.source, SECONDS(NOW_S - 1));
		rig_time(&r, NOW_S, NOW_S + sign * HOUR_S);
		v = rig_judge(&r, SECONDS(NOW_S + sign * HOUR_S));
		ck_assert_int_eq(v.result, VRRP_HMAC_OK);
		ck_assert(v.is_by_wall);
		/* neither */
		ck_assert_int_eq(rig_judge(&r, SECONDS(NOW_S - 2 * sign * HOUR_S)).result, VRRP_HMAC_STALE);
		/* a stranger does not move our clock */
		vrrp_hmac_sign(&r.policy, &r.source, SECONDS(NOW_S + sign * HOUR_S), r.message, r.size, r.trailer);
		r.trailer[27] ^= 1;
		ck_assert_int_eq(
			vrrp_hmac_verify(&r.policy, &r.source, r.message, r.size, r.trailer, &r.marks, &r.time).result,
			VRRP_HMAC_INVALID);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_hmac");
	TCase *tcase = tcase_create("vrrp_hmac");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, test_vectors_of_the_draft);
	tcase_add_test(tcase, test_every_bit_of_the_trailer_counts);
	tcase_add_test(tcase, test_rotation_of_keys);
	tcase_add_test(tcase, test_sequences_of_a_sender);
	tcase_add_test(tcase, test_what_was_seen_is_not_taken_again);
	tcase_add_test(tcase, test_no_sender_is_forgotten);
	tcase_add_test(tcase, test_strangers_leave_no_mark);
	tcase_add_test(tcase, test_the_kept_clock);
	tcase_add_test(tcase, test_a_step_of_one_node_changes_nothing);
	tcase_add_test(tcase, test_a_neighbour_by_the_wall_clock_is_heard);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
