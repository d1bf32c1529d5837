/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of last heartbeats: what was stored is found, what is torn or of another boot is not. */
#include "vrrp_fixture.h"
#include "vrrp_heart.h"
#include <check.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static int file;

static void setup(void)
{
	file = memfd_create("heart", 0);
	ck_assert_int_ge(file, 0);
}

static void teardown(void)
{
	close(file);
}

static struct vrrp_heart open_heart(void)
{
	struct vrrp_heart heart = {0};

	ck_assert_int_eq(vrrp_heart_open(&heart, dup(file)), 0);
	return heart;
}

static const struct vrrp_past master = {
	.state = VRRP_MASTER, .last_sent = {5}, .master_priority = 150, .ah_sequence = 4711};
static const struct vrrp_past backup = {.state = VRRP_BACKUP, .last_sent = {4}, .master_priority = 150};

START_TEST(test_a_successor_finds_it)
{
	struct vrrp_heart heart = open_heart(), after;
	struct vrrp_past past;

	ck_assert(!vrrp_heart_find(&heart, 7, &past));
	vrrp_heart_store(&heart, 3, 7, &master);
	vrrp_heart_store(&heart, 4, 8, &backup);
	vrrp_heart_store(&heart, VRRP_HEART_INSTANCES, 9, &master);
	after = open_heart();
	ck_assert(vrrp_heart_find(&after, 7, &past));
	ck_assert_uint_eq(past.state, VRRP_MASTER);
	ck_assert_int_eq(past.last_sent.us, 5);
	ck_assert_uint_eq(past.ah_sequence, 4711);
	ck_assert(vrrp_heart_find(&after, 8, &past));
	ck_assert_uint_eq(past.state, VRRP_BACKUP);
	ck_assert(!vrrp_heart_find(&after, 9, &past));
}
END_TEST

/* Who was moved by a reload and stepped down before it sent anything has two records of one heartbeat. */
START_TEST(test_the_record_that_was_written_last_counts)
{
	const struct vrrp_past stepped_down = {
		.state = VRRP_BACKUP, .last_sent = master.last_sent, .master_priority = 200};
	struct vrrp_heart heart = open_heart();
	struct vrrp_past past;

	for (uint32_t from = 0; from < 2; from++) {
		vrrp_heart_store(&heart, from, 7, &master);
		vrrp_heart_store(&heart, 1 - from, 7, &stepped_down);
		ck_assert(vrrp_heart_find(&heart, 7, &past));
		ck_assert_uint_eq(past.state, VRRP_BACKUP);
		/* also for a successor, whose own first word is later than all before */
		heart = open_heart();
		vrrp_heart_store(&heart, from, 7, &master);
		ck_assert(vrrp_heart_find(&heart, 7, &past));
		ck_assert_uint_eq(past.state, VRRP_MASTER);
	}
}
END_TEST

START_TEST(test_torn_and_foreign_records)
{
	struct vrrp_heart heart = open_heart();
	struct vrrp_past past;
	off_t size = lseek(file, 0, SEEK_END);
	char *bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);

	ck_assert_ptr_ne(bytes, MAP_FAILED);
	vrrp_heart_store(&heart, 0, 7, &master);
	for (off_t i = 48; i < 160; i++) {
		bytes[i] ^= 1;
		/* a changed key or content; what lies behind the record may change as it likes */
		if (vrrp_heart_find(&heart, 7, &past))
			ck_assert_int_eq(past.last_sent.us, 5);
		bytes[i] ^= 1;
	}
	bytes[48 + 8] ^= 1; /* the state */
	ck_assert(!vrrp_heart_find(&heart, 7, &past));
	bytes[48 + 8] ^= 1;
	ck_assert(vrrp_heart_find(&heart, 7, &past));
	/* another boot */
	bytes[8] ^= 1;
	heart = open_heart();
	ck_assert(!vrrp_heart_find(&heart, 7, &past));
	munmap(bytes, (size_t)size);
}
END_TEST

START_TEST(test_without_a_file)
{
	struct vrrp_heart heart = {0};
	struct vrrp_past past;

	vrrp_heart_store(&heart, 0, 7, &master);
	ck_assert(!vrrp_heart_find(&heart, 7, &past));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_heart");
	TCase *tc = tcase_create("heart");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_a_successor_finds_it);
	tcase_add_test(tc, test_the_record_that_was_written_last_counts);
	tcase_add_test(tc, test_torn_and_foreign_records);
	tcase_add_test(tc, test_without_a_file);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
