/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger: what was stored comes back, and a write that was cut off anywhere leaves the contents before it. */
#include "ledger.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
	uint32_t a, b;
	char text[19];
};

#define KIND 7
#define SLOT_SIZE (64LL << 20)

static int open_file(void)
{
	int fd = memfd_create("ledger", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void fill(struct record *records, size_t n, uint32_t salt)
{
	memset(records, 0, n * sizeof(*records));
	for (size_t i = 0; i < n; i++) {
		records[i].a = (uint32_t)i ^ salt;
		records[i].b = salt;
		records[i].text[0] = (char)(i + salt);
	}
}

static void assert_holds(int fd, const struct record *expected, size_t n)
{
	void *got;
	size_t count;

	ck_assert_int_eq(ledger_load(fd, KIND, sizeof(struct record), &got, &count), 0);
	ck_assert_uint_eq(count, n);
	if (n > 0)
		ck_assert_mem_eq(got, expected, n * sizeof(*expected));
	free(got);
}

START_TEST(test_fresh_file_is_empty)
{
	int fd = open_file();

	assert_holds(fd, NULL, 0);
	close(fd);
}
END_TEST

START_TEST(test_last_store_wins)
{
	struct record records[1700]; /* more than are written at once */
	int fd = open_file();

	for (uint32_t round = 0; round < 9; round++) {
		size_t n = (round * 311) % 1700;

		fill(records, n, round);
		ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*records), records, n), 0);
		assert_holds(fd, records, n);
	}
	close(fd);
}
END_TEST

/* A daemon of a later version, whose records have more at their end, knows what its predecessor left. */
START_TEST(test_shorter_records_are_lengthened)
{
	struct later {
		struct record record;
		uint32_t more;
	} * got, later[2] = {0};
	struct record records[3];
	int fd = open_file();
	size_t count;

	fill(records, 3, 7);
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*records), records, 3), 0);
	ck_assert_int_eq(ledger_load(fd, KIND, sizeof(*got), (void **)&got, &count), 0);
	ck_assert_uint_eq(count, 3);
	for (size_t i = 0; i < count; i++) {
		ck_assert_mem_eq(&got[i].record, &records[i], sizeof(records[i]));
		ck_assert_uint_eq(got[i].more, 0);
	}
	free(got);
	/* What the later one stores is newer than that, and not for the earlier one. */
	later[1].more = 5;
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*later), later, 2), 0);
	ck_assert_int_eq(ledger_load(fd, KIND, sizeof(*got), (void **)&got, &count), 0);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(got[1].more, 5);
	free(got);
	close(fd);
}
END_TEST

START_TEST(test_other_kind_or_size_is_empty)
{
	struct record records[3];
	int fd = open_file();
	size_t count;
	void *got;

	fill(records, 3, 1);
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*records), records, 3), 0);
	ck_assert_int_eq(ledger_load(fd, KIND + 1, sizeof(*records), &got, &count), 0);
	ck_assert_uint_eq(count, 0);
	ck_assert_ptr_null(got);
	ck_assert_int_eq(ledger_load(fd, KIND, sizeof(*records) - 1, &got, &count), 0);
	ck_assert_uint_eq(count, 0);
	ck_assert_ptr_null(got);
	ck_assert_int_eq(ledger_load(fd, KIND, 0, &got, &count), -EINVAL);
	close(fd);
}
END_TEST

/* Copies the bytes of both slots from one file to another. */
static void copy_slots(int to, int from, size_t size)
{
	char buf[4096];

	ck_assert_uint_le(size, sizeof(buf));
	for (int slot = 0; slot < 2; slot++) {
		ssize_t n = pread(from, buf, size, slot * SLOT_SIZE);

		ck_assert_int_ge(n, 0);
		ck_assert_int_eq(pwrite(to, buf, (size_t)n, slot * SLOT_SIZE), n);
	}
}

/* For every prefix of the bytes that a store would have changed, the contents before it are read. */
START_TEST(test_torn_write_leaves_previous)
{
	struct record a[5], b[6], c[7];
	int fd = open_file();
	char before[1024], after[1024];
	int slot = -1;

	fill(a, 5, 11);
	fill(b, 6, 22);
	fill(c, 7, 33);
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*a), a, 5), 0);
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*b), b, 6), 0);
	int torn = open_file();
	copy_slots(torn, fd, sizeof(before));
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*c), c, 7), 0);
	memset(before, 0, sizeof(before));
	memset(after, 0, sizeof(after));
	for (int s = 0; s < 2; s++) {
		ck_assert_int_ge(pread(torn, before, sizeof(before), s * SLOT_SIZE), 0);
		ck_assert_int_ge(pread(fd, after, sizeof(after), s * SLOT_SIZE), 0);
		if (memcmp(before, after, sizeof(before)) != 0) {
			slot = s;
			break;
		}
	}
	ck_assert_int_ge(slot, 0);
	size_t used = 48 + 7 * sizeof(*c);
	for (size_t cut = 1; cut < used; cut++) {
		struct record d[2];

		if (memcmp(before, after, cut) == 0 || memcmp(before + cut, after + cut, used - cut) == 0)
			continue;
		ck_assert_int_eq(pwrite(torn, after, cut, slot * SLOT_SIZE), (ssize_t)cut);
		ck_assert_int_eq(
			pwrite(torn, before + cut, used - cut, slot * SLOT_SIZE + (off_t)cut), (ssize_t)(used - cut));
		assert_holds(torn, b, 6);
		/* The other order: the tail arrived, the head did not. */
		ck_assert_int_eq(pwrite(torn, before, cut, slot * SLOT_SIZE), (ssize_t)cut);
		ck_assert_int_eq(
			pwrite(torn, after + cut, used - cut, slot * SLOT_SIZE + (off_t)cut), (ssize_t)(used - cut));
		assert_holds(torn, b, 6);
		/* A store after it repairs the torn slot and does not touch the good one before it is done. */
		if (cut % 50 == 0) {
			int repaired = open_file();

			copy_slots(repaired, torn, sizeof(before));
			fill(d, 2, 44);
			ck_assert_int_eq(ledger_store(repaired, KIND, sizeof(*d), d, 2), 0);
			assert_holds(repaired, d, 2);
			ck_assert_int_eq(pwrite(repaired, "x", 1, slot * SLOT_SIZE + 50), 1);
			assert_holds(repaired, b, 6);
			close(repaired);
		}
	}
	close(torn);
	close(fd);
}
END_TEST

START_TEST(test_garbage_is_empty)
{
	int fd = open_file();
	uint8_t noise[600];

	for (unsigned seed = 0; seed < 50; seed++) {
		srand(seed);
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (uint8_t)rand();
		ck_assert_int_eq(pwrite(fd, noise, sizeof(noise), 0), sizeof(noise));
		ck_assert_int_eq(pwrite(fd, noise, sizeof(noise) - seed, SLOT_SIZE), (ssize_t)(sizeof(noise) - seed));
		assert_holds(fd, NULL, 0);
	}
	close(fd);
}
END_TEST

START_TEST(test_errors_are_told)
{
	struct record r[1];
	size_t count;
	void *got;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	fill(r, 1, 1);
	ck_assert_int_eq(ledger_load(fd, KIND, sizeof(*r), &got, &count), -EBADF);
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*r), r, 1), -EBADF);
	ck_assert_int_eq(ledger_store(fd, KIND, sizeof(*r), r, SIZE_MAX / sizeof(*r)), -EFBIG);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tc = tcase_create("ledger");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_fresh_file_is_empty);
	tcase_add_test(tc, test_last_store_wins);
	tcase_add_test(tc, test_shorter_records_are_lengthened);
	tcase_add_test(tc, test_other_kind_or_size_is_empty);
	tcase_add_test(tc, test_torn_write_leaves_previous);
	tcase_add_test(tc, test_garbage_is_empty);
	tcase_add_test(tc, test_errors_are_told);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
