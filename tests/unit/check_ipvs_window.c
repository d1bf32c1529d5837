/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table on its way to the other node: receipts, and what goes out again. */
#include "ipvs_window.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ipvs_window w;

static struct ipvs_sync_message message(uint32_t number)
{
	struct ipvs_sync_message m = {.n = 38};

	m.size = IPVS_SYNC_SIZE - 24;
	memcpy(m.bytes + 20, &number, sizeof(number));
	return m;
}

static struct sync_receipt receipt_for(uint32_t number)
{
	struct ipvs_sync_message m = message(number);

	return (struct sync_receipt){.n = 1, .names = {sync_receipt_name(m.bytes, m.size)}};
}

static void put(uint32_t number, struct mono now)
{
	struct ipvs_sync_message m = message(number);

	ipvs_window_add(&w, &m, now);
}

static void take(uint32_t number, struct mono now)
{
	struct sync_receipt receipt = receipt_for(number);

	ipvs_window_take(&w, &receipt, now);
}

START_TEST(test_taken_in_any_order)
{
	struct mono now = {US_PER_S};

	ipvs_window_begin(&w, false);
	for (uint32_t i = 0; i < 3; i++)
		put(i, now);
	take(1, now);
	take(1, now); /* twice is once */
	take(9, now); /* nobody's */
	ck_assert_uint_eq(w.taken, 38);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 3); /* the first one still holds the ring */
	take(0, now);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 1);
	take(2, now);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 0);
	ck_assert_uint_eq(w.taken, 3 * 38);
	ck_assert(!mono_is_set(ipvs_window_due(&w)));
}
END_TEST

START_TEST(test_what_has_no_receipt_goes_out_again)
{
	struct mono now = {US_PER_S};
	const struct ipvs_window_slot *again;

	ipvs_window_begin(&w, false);
	put(1, now);
	ck_assert_int_eq(ipvs_window_due(&w).us, now.us + IPVS_WINDOW_PATIENCE_US);
	ck_assert_ptr_null(ipvs_window_repeat(&w, mono_add(now, IPVS_WINDOW_PATIENCE_US - 1)));
	for (unsigned tries = 1; tries < IPVS_WINDOW_TRIES; tries++) {
		now = ipvs_window_due(&w);
		again = ipvs_window_repeat(&w, now);
		ck_assert_ptr_nonnull(again);
		ck_assert_uint_eq(again->n, 38);
		ck_assert_ptr_null(ipvs_window_repeat(&w, now)); /* once */
		ck_assert_int_eq(
			mono_diff_us(ipvs_window_due(&w), now), IPVS_WINDOW_PATIENCE_US << (tries < 2 ? tries : 2));
	}
	/* nobody answers: nothing is waited for any more, in the next table neither */
	ck_assert_ptr_null(ipvs_window_repeat(&w, ipvs_window_due(&w)));
	ck_assert(w.is_deaf);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 0);
	ipvs_window_begin(&w, false);
	put(2, now);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 0);
	/* until somebody does, or asks */
	take(2, now);
	put(3, now);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 1);
	ck_assert_uint_eq(w.taken, 0);
	w.is_deaf = true;
	ipvs_window_begin(&w, true);
	put(4, now);
	ck_assert_uint_eq(ipvs_window_outstanding(&w), 1);
}
END_TEST

START_TEST(test_what_was_overtaken_goes_out_at_once)
{
	struct mono now = {US_PER_S};

	ipvs_window_begin(&w, false);
	for (uint32_t i = 0; i <= IPVS_WINDOW_OVERTAKEN; i++)
		put(i, now);
	for (uint32_t i = 1; i < IPVS_WINDOW_OVERTAKEN; i++)
		take(i, now);
	ck_assert_ptr_null(ipvs_window_repeat(&w, now));
	take(IPVS_WINDOW_OVERTAKEN, now);
	ck_assert_ptr_nonnull(ipvs_window_repeat(&w, now));
	/* the second time it may take its time */
	take(2, now);
	ck_assert_ptr_null(ipvs_window_repeat(&w, now));
}
END_TEST

/* The other node dies in the middle of a table, after any number of receipts: the sender's wait for the rest has an
 * end. */
START_TEST(test_the_other_node_dies_meanwhile)
{
	for (uint32_t taken = 0; taken <= IPVS_WINDOW; taken++) {
		struct mono begun = {US_PER_S}, now = begun;

		memset(&w, 0, sizeof(w));
		ipvs_window_begin(&w, true);
		for (uint32_t i = 0; i < IPVS_WINDOW; i++)
			put(i, now);
		now = mono_add(now, US_PER_MS);
		for (uint32_t i = 0; i < taken; i++)
			take(IPVS_WINDOW - 1 - i, now);
		while (ipvs_window_outstanding(&w) > 0) {
			while (ipvs_window_repeat(&w, now))
				;
			if (ipvs_window_outstanding(&w) == 0)
				break;
			ck_assert(mono_before(now, ipvs_window_due(&w)));
			now = ipvs_window_due(&w);
			ck_assert_int_le(mono_diff_us(now, begun), 10 * US_PER_S);
		}
		ck_assert(w.is_deaf == (taken < IPVS_WINDOW));
		ck_assert_uint_eq(w.taken, taken * 38);
	}
}
END_TEST

/* One that the other node never takes, while it takes everything else, does not hold up the table for ever, nor the
 * others in it. */
START_TEST(test_one_is_never_taken)
{
	struct mono now = {US_PER_S};
	uint32_t next = 1, rounds = 0;

	memset(&w, 0, sizeof(w));
	ipvs_window_begin(&w, true);
	put(0, now);
	for (; ipvs_window_outstanding(&w) > 0 && rounds < 1000; rounds++) {
		if (next < 60 && ipvs_window_outstanding(&w) < IPVS_WINDOW) {
			put(next, now);
			take(next++, now);
		}
		while (ipvs_window_repeat(&w, now))
			;
		if (rounds % 5 == 0) { /* it is there, whatever it does with that one */
			struct sync_receipt other = receipt_for(9999);

			ipvs_window_take(&w, &other, now);
		}
		now = mono_add(now, 100 * US_PER_MS);
	}
	ck_assert_uint_lt(rounds, 200);
	ck_assert(!w.is_deaf);
	ck_assert_uint_eq(w.taken, (next - 1) * 38);
	ck_assert_uint_eq(w.repeated, IPVS_WINDOW_TRIES_MOST - 1);
}
END_TEST

/* A line that loses, doubles and delays in both directions, and a receiver that takes now and then: everything arrives,
 * each is counted once, and never more than the window is on its way. */
static void simulate(unsigned seed)
{
	enum { TOTAL = 500, LINE = 4096 };
	static uint32_t way[LINE], back[LINE];
	static bool has[TOTAL];
	size_t n_way = 0, n_back = 0;
	uint32_t next = 0, held = 0;
	struct mono now = {US_PER_S};

	srand(seed);
	memset(has, 0, sizeof(has));
	ipvs_window_begin(&w, true);
	while (next < TOTAL || ipvs_window_outstanding(&w) > 0) {
		const struct ipvs_window_slot *again;
		uint32_t number;

		while ((again = ipvs_window_repeat(&w, now)) != NULL) {
			memcpy(&number, again->bytes + 20, sizeof(number));
			if (rand() % 5 && n_way < LINE)
				way[n_way++] = number;
		}
		ck_assert(!w.is_deaf);
		if (next < TOTAL && ipvs_window_outstanding(&w) < IPVS_WINDOW) {
			put(next, now);
			if (rand() % 5 && n_way < LINE)
				way[n_way++] = next;
			next++;
		}
		for (unsigned i = 0; n_way > 0 && i < (unsigned)rand() % 4; i++) {
			size_t which = (size_t)rand() % n_way;

			number = way[which];
			if (rand() % 10)
				way[which] = way[--n_way];
			held += !has[number];
			has[number] = true;
			if (rand() % 10 && n_back < LINE)
				back[n_back++] = number;
		}
		while (n_back > 0 && rand() % 3)
			take(back[--n_back], now);
		ck_assert_uint_le(ipvs_window_outstanding(&w), IPVS_WINDOW);
		now = mono_add(now, rand() % 5 * US_PER_MS);
	}
	ck_assert_uint_eq(held, TOTAL);
	ck_assert_uint_eq(w.taken, TOTAL * 38);
}

START_TEST(test_a_bad_line)
{
	for (unsigned seed = 0; seed < 50; seed++)
		simulate(seed);
}
END_TEST

/* ---- receipts ---- */

START_TEST(test_receipts_round_trip)
{
	struct sync_receipt receipt = {.n = SYNC_RECEIPT_MAX}, back;
	uint8_t buf[SYNC_RECEIPT_SIZE + 1];
	size_t size;

	for (uint64_t i = 0; i < SYNC_RECEIPT_MAX; i++)
		receipt.names[i] = i * 0x0101010101010101u;
	size = sync_receipt_encode(&receipt, buf);
	ck_assert_uint_eq(size, SYNC_RECEIPT_SIZE);
	ck_assert_int_eq(sync_receipt_decode(buf, size, &back), 0);
	ck_assert_uint_eq(back.n, receipt.n);
	ck_assert_mem_eq(back.names, receipt.names, sizeof(back.names));
	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(sync_receipt_decode(buf, cut, &back), -1);
	ck_assert_int_eq(sync_receipt_decode(buf, size + 1, &back), -1);
	buf[5] = SYNC_RECEIPT_MAX + 1;
	ck_assert_int_eq(sync_receipt_decode(buf, sizeof(buf), &back), -1);
	buf[5] = 0;
	ck_assert_int_eq(sync_receipt_decode(buf, SYNC_RECEIPT_HEADER, &back), -1);
}
END_TEST

START_TEST(test_only_what_asks_gets_one)
{
	struct ipvs_conn conn;
	struct ipvs_sync_message m;

	ck_assert_int_eq(
		ipvs_conn_parse("TCP C0000232 D73E C000020A 0050 C633640B 1F90 ESTABLISHED     119", &conn), 0);
	ipvs_sync_message_begin(&m, 51, 0);
	m.wants_receipt = true;
	ck_assert(ipvs_sync_message_add(&m, &conn, 0) && ipvs_sync_message_add(&m, &conn, 0));
	ipvs_sync_message_end(&m);
	ck_assert(sync_receipt_is_wanted(m.bytes, m.size, 51));
	ck_assert(!sync_receipt_is_wanted(m.bytes, m.size, 52));
	ck_assert(!sync_receipt_is_wanted(m.bytes, 43, 51));
	/* the bit stands in the first connection alone */
	ck_assert_uint_eq(m.bytes[IPVS_SYNC_HEADER + 4], 0x80);
	ck_assert_uint_eq(m.bytes[IPVS_SYNC_HEADER + 36 + 4], 0);
	ipvs_sync_message_begin(&m, 51, 0);
	ck_assert(ipvs_sync_message_add(&m, &conn, 0));
	ipvs_sync_message_end(&m);
	ck_assert(!sync_receipt_is_wanted(m.bytes, m.size, 51));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_window");
	TCase *tc = tcase_create("window");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_taken_in_any_order);
	tcase_add_test(tc, test_what_has_no_receipt_goes_out_again);
	tcase_add_test(tc, test_what_was_overtaken_goes_out_at_once);
	tcase_add_test(tc, test_the_other_node_dies_meanwhile);
	tcase_add_test(tc, test_one_is_never_taken);
	tcase_add_test(tc, test_a_bad_line);
	tcase_add_test(tc, test_receipts_round_trip);
	tcase_add_test(tc, test_only_what_asks_gets_one);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
