/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boards: records, seals, a reader beside a busy writer, a writer that died while writing, the event ring. */
#include "board.h"
#include "log.h"
#include "status.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
	uint64_t words[20];
};

static const struct board_shape shape = {.record_size = {sizeof(struct record), 8}, .count = {3, 2}};

static struct board *reader_of(const struct board *writer)
{
	return board_open(dup(board_fd(writer)), board_role(writer));
}

START_TEST(test_store_and_load)
{
	struct board *w = board_create(ROLE_VRRP, 7, &shape);
	struct board *r = reader_of(w);
	struct record in = {{1, 2, 3}}, out;

	ck_assert_ptr_nonnull(r);
	ck_assert_uint_eq(board_generation(r), 7);
	ck_assert_uint_eq(board_count(r, 0), 3);
	ck_assert_uint_eq(board_count(r, 2), 0);
	ck_assert(board_store(w, 0, 2, &in, sizeof(in)));
	ck_assert(!board_store(w, 0, 2, &in, sizeof(in)));
	ck_assert_int_eq(board_load(r, 0, 2, &out, sizeof(out)), 0);
	ck_assert_mem_eq(&in, &out, sizeof(in));
	ck_assert_int_eq(board_load(r, 0, 3, &out, sizeof(out)), -ENOENT);
	ck_assert_int_eq(board_load(r, 0, 0, &out, 8), -ENOENT);
	ck_assert(!board_store(w, 0, 3, &in, sizeof(in)));
	board_close(r);
	board_close(w);
}
END_TEST

START_TEST(test_a_board_goes_on_under_another_number)
{
	struct board *w = board_create(ROLE_VRRP, 7, &shape);
	struct board *before = reader_of(w), *after;
	struct record in = {{1, 2, 3}}, out;
	struct event event = {.kind = 1};

	board_store(w, 0, 2, &in, sizeof(in));
	board_event(w, &event);
	board_renumber(w, 8);
	ck_assert_uint_eq(board_generation(w), 8);
	ck_assert_uint_eq(board_generation(before), 7); /* as it was opened */
	after = reader_of(w);
	ck_assert_uint_eq(board_generation(after), 8);
	ck_assert_int_eq(board_load(after, 0, 2, &out, sizeof(out)), 0);
	ck_assert_mem_eq(&in, &out, sizeof(in));
	ck_assert_uint_eq(board_last_event(after), 1);
	board_close(before);
	board_close(after);
	board_close(w);
}
END_TEST

static long blocks_of(const struct board *b)
{
	struct stat st;

	ck_assert_int_eq(fstat(board_fd(b), &st), 0);
	return (long)st.st_blocks;
}

START_TEST(test_what_was_never_stored_is_zero_and_costs_nothing)
{
	static const struct board_shape large = {.record_size = {sizeof(struct record)}, .count = {20000}};
	struct board *w = board_create(ROLE_VRRP, 1, &large);
	struct board *r = reader_of(w);
	const struct record zero = {{0}}, in = {{5}};
	struct record out;
	long before = blocks_of(w);

	for (uint32_t i = 0; i < 20000; i++) {
		ck_assert(!board_store(w, 0, i, &zero, sizeof(zero)));
		memset(&out, 0xff, sizeof(out));
		ck_assert_int_eq(board_load(r, 0, i, &out, sizeof(out)), 0);
		ck_assert_mem_eq(&out, &zero, sizeof(zero));
	}
	/* Some pages of the bits, none of the records (three megabytes). */
	ck_assert_int_le(blocks_of(w) - before, 64);
	ck_assert(board_store(w, 0, 12345, &in, sizeof(in)));
	ck_assert_int_eq(board_load(r, 0, 12345, &out, sizeof(out)), 0);
	ck_assert_mem_eq(&out, &in, sizeof(in));
	ck_assert_int_eq(board_load(r, 0, 12344, &out, sizeof(out)), 0);
	ck_assert_mem_eq(&out, &zero, sizeof(zero));
	/* One that was stored may become zero again. */
	ck_assert(board_store(w, 0, 12345, &zero, sizeof(zero)));
	ck_assert_int_eq(board_load(r, 0, 12345, &out, sizeof(out)), 0);
	ck_assert_mem_eq(&out, &zero, sizeof(zero));
	board_close(r);
	board_close(w);
}
END_TEST

START_TEST(test_a_reader_cannot_write)
{
	struct board *w = board_create(ROLE_VRRP, 1, &shape);
	int fd = dup(board_fd(w));

	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	ck_assert_int_lt(pwrite(fd, "x", 1, 0), 0);
	ck_assert_int_lt(ftruncate(fd, 0), 0);
	close(fd);
	board_close(w);
}
END_TEST

START_TEST(test_foreign_memory_is_refused)
{
	struct board *w = board_create(ROLE_VRRP, 1, &shape);
	int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_ptr_null(board_open(dup(board_fd(w)), ROLE_IPVS));
	/* Not sealed: it could shrink under its reader. */
	ck_assert_int_eq(ftruncate(fd, 65536), 0);
	ck_assert_ptr_null(board_open(dup(fd), ROLE_VRRP));
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	ck_assert_ptr_null(board_open(fd, ROLE_VRRP));
	board_close(w);
}
END_TEST

/* Table offsets that would lead a reader out of its mapping. */
START_TEST(test_hostile_headers_are_refused)
{
	struct board *w = board_create(ROLE_VRRP, 1, &shape);
	char good[512];
	int refused = 0;

	ck_assert_int_eq(pread(board_fd(w), good, sizeof(good), 0), sizeof(good));
	for (size_t at = 0; at < 32 + 4 * 24 + 8; at++) {
		int fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		char bad[512];
		struct board *r;

		memcpy(bad, good, sizeof(bad));
		bad[at] = (char)(bad[at] ^ 0x55);
		ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
		ck_assert_int_eq(pwrite(fd, bad, sizeof(bad), 0), sizeof(bad));
		fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
		r = board_open(fd, ROLE_VRRP);
		if (!r)
			refused++;
		/* The generation and padding may be anything; all that is opened must stay within bounds. */
		board_close(r);
	}
	ck_assert_int_gt(refused, 100);
	board_close(w);
}
END_TEST

static atomic_bool done;

static void *write_all_the_time(void *arg)
{
	struct record record;

	for (uint64_t i = 1; !atomic_load(&done); i++) {
		for (int j = 0; j < 20; j++)
			record.words[j] = i;
		board_store(arg, 0, 0, &record, sizeof(record));
	}
	return NULL;
}

START_TEST(test_a_record_is_never_torn)
{
	struct board *w = board_create(ROLE_VRRP, 1, &shape);
	struct board *r = reader_of(w);
	struct record out;
	pthread_t thread;
	int good = 0;

	pthread_create(&thread, NULL, write_all_the_time, w);
	/* A machine with one busy processor may show the reader nothing but half-written records for a while. */
	while (good < 1000) {
		if (board_load(r, 0, 0, &out, sizeof(out)) < 0)
			continue;
		good++;
		for (int j = 1; j < 20; j++)
			ck_assert_uint_eq(out.words[j], out.words[0]);
	}
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	board_close(r);
	board_close(w);
}
END_TEST

static void add_event(struct board *w, uint32_t object)
{
	struct event event = {.kind = EVENT_SERVER, .object = object};

	board_event(w, &event);
}

START_TEST(test_events_in_order_and_overflow_counted)
{
	struct board *w = board_create(ROLE_VRRP, 1, &shape);
	struct board *r = reader_of(w);
	struct event event;
	uint64_t seq = 0;

	ck_assert_int_eq(board_next_event(r, &seq, &event), 0);
	for (uint32_t i = 1; i <= 3; i++)
		add_event(w, i);
	for (uint32_t i = 1; i <= 3; i++) {
		ck_assert_int_eq(board_next_event(r, &seq, &event), 1);
		ck_assert_uint_eq(event.object, i);
		ck_assert_uint_eq(event.seq, i);
	}
	ck_assert_int_eq(board_next_event(r, &seq, &event), 0);
	for (uint32_t i = 4; i <= BOARD_EVENTS + 13; i++)
		add_event(w, i);
	ck_assert_int_eq(board_next_event(r, &seq, &event), -10);
	ck_assert_int_eq(board_next_event(r, &seq, &event), 1);
	ck_assert_uint_eq(event.object, 14);
	board_close(r);
	board_close(w);
}
END_TEST

START_TEST(test_a_successor_goes_on_counting_events)
{
	struct board *first = board_create(ROLE_VRRP, 1, &shape);
	struct board *second = board_create(ROLE_VRRP, 2, &shape);
	struct event event;
	uint64_t seq = 0;

	for (uint32_t i = 1; i <= BOARD_EVENTS + 5; i++)
		add_event(first, i);
	board_continue(second, first);
	add_event(second, 4711);
	ck_assert_uint_eq(board_last_event(second), BOARD_EVENTS + 6);
	seq = BOARD_EVENTS + 4;
	ck_assert_int_eq(board_next_event(second, &seq, &event), 1);
	ck_assert_uint_eq(event.object, BOARD_EVENTS + 5);
	ck_assert_int_eq(board_next_event(second, &seq, &event), 1);
	ck_assert_uint_eq(event.object, 4711);
	board_close(first);
	board_close(second);
}
END_TEST

/* The board as its writer left it, with another number of the last event. */
static struct board *with_last_event(const struct board *board, uint64_t last)
{
	static char bytes[1 << 20];
	uint64_t old = board_last_event(board);
	ssize_t size = pread(board_fd(board), bytes, sizeof(bytes), 0);
	int fd = memfd_create("broken", MFD_ALLOW_SEALING);
	size_t at = 0;

	ck_assert_int_gt(size, 0);
	ck_assert_int_lt(size, (ssize_t)sizeof(bytes));
	while (memcmp(bytes + at, &old, sizeof(old)) != 0)
		at += sizeof(old);
	memcpy(bytes + at, &last, sizeof(last));
	ck_assert_int_eq(write(fd, bytes, (size_t)size), size);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return board_open(fd, board_role(board));
}

START_TEST(test_a_successor_of_a_broken_count_starts_all_the_same)
{
	const uint64_t wrong[] = {UINT64_MAX, UINT64_MAX - 1, UINT64_MAX / 2, 1u << 31};
	struct board *first = board_create(ROLE_VRRP, 1, &shape);

	for (uint32_t i = 1; i <= BOARD_EVENTS + 5; i++)
		add_event(first, i);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct board *broken = with_last_event(first, wrong[i]);
		struct board *second = board_create(ROLE_VRRP, 2, &shape);

		ck_assert_ptr_nonnull(broken);
		board_continue(second, broken);
		ck_assert_uint_eq(board_last_event(second), wrong[i]);
		board_close(broken);
		board_close(second);
	}
	board_close(first);
}
END_TEST

START_TEST(test_boards_that_follow_each_other_quickly_do_not_look_still)
{
	struct board *board = board_create(ROLE_CONTROL, 1, &shape);
	uint64_t seen = 0;

	for (uint64_t generation = 2; generation < 50; generation++) {
		struct board *next = board_create(ROLE_CONTROL, generation, &shape);

		board_continue(next, board);
		board_close(board);
		board = next;
		board_beat(board);
		ck_assert_uint_ne(board_beats(board), seen);
		seen = board_beats(board);
	}
	board_close(board);
}
END_TEST

START_TEST(test_log_limit_counts_what_it_holds_back)
{
	struct log_limit limit = {0};
	uint32_t held;

	ck_assert(log_limit_pass(&limit, 3600 * US_PER_S, &held));
	ck_assert_uint_eq(held, 0);
	ck_assert(!log_limit_pass(&limit, 3600 * US_PER_S, &held));
	ck_assert(!log_limit_pass(&limit, 3600 * US_PER_S, &held));
	limit.next_us = 0;
	ck_assert(log_limit_pass(&limit, 3600 * US_PER_S, &held));
	ck_assert_uint_eq(held, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("board");
	TCase *tcase = tcase_create("board");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_test(tcase, test_store_and_load);
	tcase_add_test(tcase, test_a_board_goes_on_under_another_number);
	tcase_add_test(tcase, test_what_was_never_stored_is_zero_and_costs_nothing);
	tcase_add_test(tcase, test_a_reader_cannot_write);
	tcase_add_test(tcase, test_foreign_memory_is_refused);
	tcase_add_test(tcase, test_hostile_headers_are_refused);
	tcase_add_test(tcase, test_a_record_is_never_torn);
	tcase_add_test(tcase, test_events_in_order_and_overflow_counted);
	tcase_add_test(tcase, test_a_successor_goes_on_counting_events);
	tcase_add_test(tcase, test_a_successor_of_a_broken_count_starts_all_the_same);
	tcase_add_test(tcase, test_boards_that_follow_each_other_quickly_do_not_look_still);
	tcase_add_test(tcase, test_log_limit_counts_what_it_holds_back);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
