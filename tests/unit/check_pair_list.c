/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of configured objects on its way to the other node. */
#include "pair_list.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 3000

static const uint8_t key[] = "correct horse battery";
static struct pair_object objects[MOST];

static int compare_objects(const void *a, const void *b)
{
	return strcmp(((const struct pair_object *)a)->name, ((const struct pair_object *)b)->name);
}

static void check_equal(const struct pair_list *list, uint32_t n)
{
	ck_assert_uint_eq(list->n, n);
	for (uint32_t i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(list->objects[i - 1].name, list->objects[i].name), 0);
	for (uint32_t i = 0; i < n; i++) {
		const struct pair_object *same =
			bsearch(&objects[i], list->objects, n, sizeof(*list->objects), compare_objects);

		ck_assert_ptr_nonnull(same);
		ck_assert_uint_eq(same->digest, objects[i].digest);
	}
}

/* Through the encoder, as on the wire; of ten datagrams so many arrive. Returns how many rounds it took. */
static unsigned carry(uint32_t n, int kept_of_ten)
{
	static struct pair_message m;
	struct pair_list_teller teller = {0};
	struct pair_list list = {0};
	uint8_t buf[PAIR_SIZE];
	unsigned rounds = 0;

	while (!list.is_complete) {
		size_t size;

		m = (struct pair_message){.type = PAIR_OBJECTS};
		pair_list_next(&teller, objects, n, 7, &m.u.objects);
		size = pair_message_encode(&m, key, sizeof(key), buf);
		rounds += !pair_list_told(&teller, n, &m.u.objects);
		ck_assert_uint_lt(rounds, 2000);
		if (rand() % 10 >= kept_of_ten)
			continue;
		ck_assert_int_eq(pair_message_decode(buf, size, key, sizeof(key), &m), PAIR_GOOD);
		ck_assert(!pair_list_take(&list, &m.u.objects, 8, n)); /* of another configuration */
		ck_assert_int_eq(pair_list_take(&list, &m.u.objects, 7, n), list.is_complete);
	}
	check_equal(&list, n);
	free(list.objects);
	return rounds;
}

START_TEST(test_a_long_list_arrives)
{
	for (uint32_t i = 0; i < MOST; i++) {
		objects[i].digest = i * 77;
		snprintf(objects[i].name, PAIR_NAME, "real_server 10.1.%u.%u:80 of 10.0.0.1:80/tcp", i / 250, i % 250);
	}
	ck_assert_uint_eq(carry(1, 10), 1);
	ck_assert_uint_eq(carry(MOST, 10), 1);
	for (unsigned seed = 0; seed < 20; seed++) {
		srand(seed);
		carry(200, 8);
	}
}
END_TEST

/* A change of the file begins a round. */
START_TEST(test_a_change_in_between)
{
	static struct pair_objects part;
	struct pair_list_teller teller = {0};

	pair_list_next(&teller, objects, MOST, 7, &part);
	ck_assert(pair_list_told(&teller, MOST, &part));
	pair_list_next(&teller, objects, MOST, 7, &part);
	ck_assert_uint_eq(part.first, PAIR_OBJECTS_MAX);
	pair_list_next(&teller, objects, 10, 8, &part);
	ck_assert_uint_eq(part.first, 0);
	ck_assert_uint_eq(part.n, 10);
	ck_assert(!pair_list_told(&teller, 10, &part));
}
END_TEST

/* What does not belong together is not put together. */
START_TEST(test_strange_parts)
{
	static struct pair_objects part = {.config = 7, .first = 2, .n = 2, .list = {{1, "b"}, {2, "a"}}};
	struct pair_list list = {0};

	ck_assert(!pair_list_take(&list, &part, 7, 4)); /* its beginning is missing */
	part.first = 0;
	ck_assert(!pair_list_take(&list, &part, 7, 1)); /* more than there are */
	ck_assert(!pair_list_take(&list, &part, 7, PAIR_LIST_LIMIT + 1));
	ck_assert(!pair_list_take(&list, &part, 7, 4));
	part.first = UINT32_MAX;
	ck_assert(!pair_list_take(&list, &part, 7, 4));
	part.first = 2;
	ck_assert(!pair_list_take(&list, &part, 7, 1)); /* fewer than there were */
	part.config = 8;
	ck_assert(!pair_list_take(&list, &part, 8, 4)); /* the file is another one since the first part */
	part.config = 7;
	ck_assert(pair_list_take(&list, &part, 7, 4));
	ck_assert_str_eq(list.objects[0].name, "a");
	ck_assert(!pair_list_take(&list, &part, 7, 4)); /* it has it */
	free(list.objects);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pair_list");
	TCase *tc = tcase_create("pair_list");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_a_long_list_arrives);
	tcase_add_test(tc, test_a_change_in_between);
	tcase_add_test(tc, test_strange_parts);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
