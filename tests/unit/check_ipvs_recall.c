/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a walk has read and is sent again: kept as it was, within its bounds; and what is said of it is never too much.
 */
#include "ipvs_recall.h"
#include "ipvs_resync_plan.h"
#include "ipvs_sync_message.h"
#include "sync_receipt.h"
#include <arpa/inet.h>
#include <check.h>
#include <linux/ip_vs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the connections ---- */

static struct ipvs_conn connection(uint32_t number, bool is_ipv6)
{
	char line[200];
	struct ipvs_conn conn;

	if (is_ipv6)
		snprintf(line, sizeof(line),
			"TCP 2001:0db8:0000:0000:0000:0000:%04x:%04x 9C40 2001:0db8:0000:0000:0000:0000:0000:0001 1F40 "
			"fd00:0000:0000:0000:0000:0000:0000:000b 1F40 ESTABLISHED     %u",
			number >> 16, number & 0xffff, 200 + number % 700);
	else
		snprintf(line, sizeof(line), "TCP %08X 9C40 C000020A 1F40 0A00000B 1F40 ESTABLISHED     %u",
			0x0a000000 + number, 200 + number % 700);
	ck_assert_int_eq(ipvs_conn_parse(line, &conn), 0);
	return conn;
}

static void keep(struct ipvs_recall *r, const struct ipvs_conn *conn, struct mono now)
{
	struct ipvs_sync_message m;

	ipvs_sync_message_begin(&m, 51, 0);
	m.wants_receipt = true;
	ck_assert(ipvs_sync_message_add(&m, conn, 0));
	ipvs_recall_add(r, m.bytes + IPVS_SYNC_HEADER, m.size - IPVS_SYNC_HEADER, now);
}

/* All come back in their order, in messages as if they had just been read. */
START_TEST(test_kept_and_sent_again)
{
	enum { N = 20000 };
	struct ipvs_recall r = {0};
	struct ipvs_recall_cursor cursor = {0};
	struct ipvs_recall_entry entry;
	const struct mono read = {US_PER_S}, now = {31 * US_PER_S};
	uint32_t n = 0;

	ck_assert(!ipvs_recall_next(&r, &cursor, &entry));
	for (uint32_t i = 0; i < N; i++) {
		struct ipvs_conn conn = connection(i, i % 3 == 0);

		keep(&r, &conn, read);
	}
	ck_assert_uint_eq(r.n, N);
	while (ipvs_recall_next(&r, &cursor, &entry)) {
		struct ipvs_conn conn = connection(n, n % 3 == 0);
		struct addr virtual = ipvs_sync_entry_virtual(entry.bytes);
		struct ipvs_sync_message fresh, again;
		uint32_t left = ipvs_recall_left(ipvs_sync_entry_expires_s(entry.bytes), entry.read, now);

		ck_assert(addr_equal(&virtual, &conn.virtual));
		ck_assert_uint_eq(left, conn.expires_s - 30);
		conn.expires_s = left;
		for (int first = 0; first < 2; first++) { /* the first one in its message, and another */
			ipvs_sync_message_begin(&fresh, 51, 0);
			ipvs_sync_message_begin(&again, 51, 0);
			again.wants_receipt = fresh.wants_receipt = first == 0;
			ck_assert(ipvs_sync_message_add(&fresh, &conn, 0));
			ck_assert(ipvs_sync_message_add_kept(&again, entry.bytes, entry.size, left));
			ipvs_sync_message_end(&fresh);
			ipvs_sync_message_end(&again);
			ck_assert_uint_eq(fresh.size, again.size);
			ck_assert_mem_eq(fresh.bytes, again.bytes, fresh.size);
		}
		n++;
	}
	ck_assert_uint_eq(n, N);
	ipvs_recall_clear(&r);
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(test_a_full_message_is_left_alone)
{
	struct ipvs_recall r = {0};
	struct ipvs_recall_cursor cursor = {0};
	struct ipvs_recall_entry entry;
	struct ipvs_conn conn = connection(1, false);
	struct ipvs_sync_message m;

	keep(&r, &conn, (struct mono){1});
	ck_assert(ipvs_recall_next(&r, &cursor, &entry));
	ipvs_sync_message_begin(&m, 51, 100);
	ck_assert(ipvs_sync_message_add_kept(&m, entry.bytes, entry.size, 5));
	ck_assert(ipvs_sync_message_add_kept(&m, entry.bytes, entry.size, 0)); /* 0 would be the longest */
	ck_assert_uint_eq(ipvs_sync_entry_expires_s(m.bytes + IPVS_SYNC_HEADER + entry.size), 1);
	ck_assert(!ipvs_sync_message_add_kept(&m, entry.bytes, entry.size, 5));
	ck_assert_uint_eq(m.n, 2);
	ck_assert_uint_eq(m.size, IPVS_SYNC_HEADER + 2 * entry.size);
	ipvs_recall_clear(&r);
}
END_TEST

START_TEST(test_memory_has_a_bound)
{
	struct ipvs_recall r = {0};
	uint8_t entry[36] = {0};
	uint32_t n = 0;

	for (; !r.is_truncated && n < 10000000; n++)
		ipvs_recall_add(&r, entry, sizeof(entry), (struct mono){1});
	ck_assert_uint_le(r.size, IPVS_RECALL_LIMIT);
	ck_assert_uint_gt(r.n, 350000);
	ck_assert_uint_eq(r.n, n - 1);
	ipvs_recall_clear(&r);
	ck_assert(!r.is_truncated);
}
END_TEST

START_TEST(test_lifetimes)
{
	const struct mono read = {100 * US_PER_S};

	ck_assert_uint_eq(ipvs_recall_left(900, read, read), 900);
	ck_assert_uint_eq(ipvs_recall_left(900, read, mono_add(read, 100 * US_PER_S)), 800);
	/* what has run out by now may have been prolonged */
	ck_assert_uint_eq(ipvs_recall_left(900, read, mono_add(read, 899 * US_PER_S)), IPVS_RECALL_LEFT_S);
	ck_assert_uint_eq(ipvs_recall_left(900, read, mono_add(read, INT64_C(4000000) * US_PER_S)), IPVS_RECALL_LEFT_S);
	/* but not longer than it ever had */
	ck_assert_uint_eq(ipvs_recall_left(30, read, mono_add(read, 5000 * US_PER_S)), 30);
	ck_assert_uint_eq(ipvs_recall_left(900, read, mono_add(read, -US_PER_S)), 900);
	ck_assert_uint_eq(ipvs_recall_left(UINT32_MAX, read, mono_add(read, US_PER_S)), UINT32_MAX - 1);
}
END_TEST

/* ---- what is said of them ---- */

#define PAGE 62
#define MOST 5000

/* A kernel's table in the order of a walk, with connections that come and go, also by another way than the services. */
struct world {
	uint32_t table[MOST];
	uint32_t n, next;
	bool was_read[20000];
	bool is_persistent;
	struct ipvs_recall_count count;
};

static void enter(struct world *w)
{
	uint32_t at = (uint32_t)rand() % (w->n + 1);

	if (w->n == MOST)
		return;
	memmove(w->table + at + 1, w->table + at, (w->n - at) * sizeof(w->table[0]));
	w->table[at] = w->next++;
	w->n++;
}

static void arrive(struct world *w)
{
	w->count.connections++;
	enter(w);
	if (w->is_persistent && rand() % 2)
		enter(w);
}

static void leave(struct world *w)
{
	uint32_t at;

	if (w->n == 0)
		return;
	at = (uint32_t)rand() % w->n;
	memmove(w->table + at, w->table + at + 1, (--w->n - at) * sizeof(w->table[0]));
}

static void live(struct world *w, unsigned arrivals, unsigned departures)
{
	for (unsigned i = arrivals ? (unsigned)rand() % (arrivals + 1) : 0; i > 0; i--)
		arrive(w);
	for (unsigned i = departures ? (unsigned)rand() % (departures + 1) : 0; i > 0; i--)
		leave(w);
}

static struct ipvs_recall_count count(struct world *w)
{
	w->count.entries = w->n;
	w->count.services = 5;
	w->count.is_persistent = w->is_persistent;
	return w->count;
}

static uint32_t walk(struct world *w, unsigned arrivals, unsigned departures)
{
	uint32_t lasting = 0;

	for (uint32_t at = 0; at < w->n; at += PAGE) {
		for (uint32_t i = at; i < at + PAGE && i < w->n; i++) {
			lasting += !w->was_read[w->table[i]];
			w->was_read[w->table[i]] = true;
		}
		live(w, arrivals, departures);
	}
	return lasting;
}

static uint32_t truly_held(const struct world *w)
{
	uint32_t held = 0;

	for (uint32_t i = 0; i < w->n; i++)
		held += w->was_read[w->table[i]];
	return w->n ? held * 1000 / w->n : 1000;
}

/* Returns what is said. */
static uint32_t play(unsigned seed, unsigned arrivals, unsigned departures, unsigned told)
{
	static struct world w;
	struct ipvs_recall_count then, now;
	uint32_t lasting, said;

	srand(seed);
	memset(&w, 0, sizeof(w));
	w.is_persistent = seed % 2;
	for (int i = 0; i < 1500; i++)
		enter(&w);
	live(&w, 100, 0);
	then = count(&w);
	live(&w, arrivals, departures); /* the counters may be older than the walk */
	lasting = walk(&w, arrivals, departures);
	for (int i = rand() % 20; i > 0; i--)
		live(&w, arrivals, departures);
	for (unsigned i = 0; i < told; i++)
		enter(&w); /* by the other node, before it was backup */
	now = count(&w);
	said = ipvs_recall_covers(&then, &now, lasting);
	ck_assert_msg(said <= truly_held(&w), "seed %u: said %u, held %u", seed, said, truly_held(&w));
	return said;
}

START_TEST(test_never_too_much_is_said)
{
	for (unsigned seed = 0; seed < 40; seed++) {
		ck_assert_uint_eq(play(seed, 0, 0, 0), 1000); /* nothing happened: all of it */
		play(seed, 1, 1, 0);
		play(seed, 5, 5, 0);
		play(seed, 20, 2, 0);
		play(seed, 2, 20, 0);
		ck_assert_uint_lt(play(seed, 0, 0, 30), 1000);
	}
	/* a little is a little */
	ck_assert_uint_gt(play(1, 0, 1, 0), 950);
}
END_TEST

START_TEST(test_what_says_nothing)
{
	const struct ipvs_recall_count then = {.entries = 1000, .connections = 70, .services = 5};
	struct ipvs_recall_count now = then;

	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 1000);
	now.services = 6;
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 0);
	now = then;
	now.connections = 0; /* somebody has zeroed it */
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 0);
	now = then;
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 0), 0);
	now.connections +=
		10; /* came and went, or are there: the one lacks ten, the other as many of those that were read */
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 980);
	now.entries += 10;
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 990);
	now.connections += 490;
	now.entries += 490; /* of those that were read as many may have ended */
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 500);
	now.connections = UINT64_MAX;
	ck_assert_uint_eq(ipvs_recall_covers(&then, &now, 1000), 0);
}
END_TEST

START_TEST(test_services_are_counted)
{
	struct ipvs_tally tallies[] = {{.active = 3, .inactive = 4}, {.active = 5, .persistent = 6}};
	struct ipvs_tally accepted = {.counters = {.connections = 9}};
	struct ipvs_dest dests[] = {{.tally = 2}, {.tally = 0}, {.tally = 1}};
	struct ipvs_service service = {
		.key = {.port = 80}, .tally = 1, .dests = dests, .n_dests = 3, .tallies = {.list = tallies, .n = 2}};
	struct ipvs_image image = {.services = &service, .n_services = 1, .tallies = {.list = &accepted, .n = 1}};
	struct ipvs_recall_count one = {0}, two = {0};

	ipvs_recall_count_service(&one, &image, &service);
	ck_assert_uint_eq(one.entries, 18);
	ck_assert_uint_eq(one.connections, 9);
	ck_assert(!one.is_persistent);
	service.key.port = 81;
	service.flags = IP_VS_SVC_F_PERSISTENT;
	ipvs_recall_count_service(&two, &image, &service);
	ck_assert_uint_ne(one.services, two.services);
	ck_assert(two.is_persistent);
}
END_TEST

/* ---- when it is an answer ---- */

START_TEST(test_when_it_is_an_answer)
{
	/* nothing is missing */
	ck_assert(ipvs_resync_is_answered(1000, 990, US_PER_S, 60 * US_PER_S));
	/* a walk brings the rest in time */
	ck_assert(!ipvs_resync_is_answered(999, 990, 59 * US_PER_S, 60 * US_PER_S));
	/* it would come too late */
	ck_assert(ipvs_resync_is_answered(990, 990, 60 * US_PER_S, 60 * US_PER_S));
	ck_assert(!ipvs_resync_is_answered(989, 990, 600 * US_PER_S, 60 * US_PER_S));
}
END_TEST

START_TEST(test_what_is_remembered_goes_first)
{
	struct ipvs_resync_facts facts = {.now = {US_PER_S}, .is_master = true, .has_recall = true};
	struct ipvs_resync_verdict verdict;

	facts.send_request = 7;
	verdict = ipvs_resync_decide(&facts);
	ck_assert(verdict.scan == SYNC_SCAN_SEND && verdict.is_recall && !verdict.is_sweep);
	facts.recalled = 7; /* then the walk */
	verdict = ipvs_resync_decide(&facts);
	ck_assert(verdict.scan == SYNC_SCAN_SEND && !verdict.is_recall && !verdict.is_sweep);
	facts.send_request = 8; /* and so again */
	ck_assert(ipvs_resync_decide(&facts).is_recall);
	facts.has_recall = false;
	verdict = ipvs_resync_decide(&facts);
	ck_assert(verdict.scan == SYNC_SCAN_SEND && !verdict.is_recall);
	facts.has_recall = true;
	facts.is_leaving = true; /* only what is new counts now */
	ck_assert(!ipvs_resync_decide(&facts).is_recall);
	facts.is_leaving = false;
	facts.answered = 8; /* an operator's handover: what the other node holds is to be counted */
	facts.own_wish = 3;
	verdict = ipvs_resync_decide(&facts);
	ck_assert(verdict.scan == SYNC_SCAN_SEND && !verdict.is_recall);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_recall");
	TCase *tc = tcase_create("recall");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_kept_and_sent_again);
	tcase_add_test(tc, test_a_full_message_is_left_alone);
	tcase_add_test(tc, test_memory_has_a_bound);
	tcase_add_test(tc, test_lifetimes);
	tcase_add_test(tc, test_never_too_much_is_said);
	tcase_add_test(tc, test_what_says_nothing);
	tcase_add_test(tc, test_services_are_counted);
	tcase_add_test(tc, test_when_it_is_an_answer);
	tcase_add_test(tc, test_what_is_remembered_goes_first);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
