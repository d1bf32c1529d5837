/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one load of a configuration remembers: where a record stands, and nothing of a statement that was given back. */
#include "conf_lex.h"
#include "conf_load.h"
#include "conf_memory.h"
#include <check.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static struct conf_load load;
static struct conf_sources sources;

static void begin(void)
{
	load = (struct conf_load){
		.sources = &sources, .diag = conf_diag_new(false), .builder = conf_builder_new(), .no_files = true};
	ck_assert_ptr_nonnull(load.builder);
}

static void end(void)
{
	conf_load_free(&load);
	conf_builder_free(load.builder);
	conf_diag_free(load.diag);
	conf_sources_free(&sources);
}

/* ---- memory ---- */

static size_t used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* The largest one that such pieces make, and what the allocator adds to it. */
#define ONE_BLOCK ((256u << 10) + 65536)

/* A megabyte in pieces. */
static void take_much(struct conf_blocks *b)
{
	for (int i = 0; i < 1024; i++)
		memset(conf_blocks_extend(b, NULL, 0, 1024), i, 1024);
}

/* However many large statements come one after the other, no more than one block is kept for the next, and what stood
 * there before them stays. */
START_TEST(test_large_statements_are_given_back)
{
	struct conf_blocks b = {0}, before;
	char *first = conf_blocks_extend(&b, NULL, 0, 100);
	size_t at_first = used();

	memset(first, 'a', 100);
	for (int i = 0; i < 50; i++) {
		before = b;
		take_much(&b);
		conf_blocks_rewind(&b, &before);
		ck_assert_uint_lt(used(), at_first + ONE_BLOCK);
		ck_assert_ptr_nonnull(b.last);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(first[i], 'a');
	/* What fits into the block that was kept needs no other one. */
	before = b;
	conf_blocks_extend(&b, NULL, 0, 1024);
	ck_assert_ptr_eq(b.last, before.last);
	conf_blocks_rewind(&b, &before);
	ck_assert_ptr_eq(b.end, before.end);
	conf_blocks_free(&b);
}
END_TEST

/* The same where nothing was taken before. */
START_TEST(test_the_first_statement_is_given_back)
{
	struct conf_blocks b = {0}, before;
	size_t at_first = used();

	for (int i = 0; i < 50; i++) {
		before = b;
		take_much(&b);
		conf_blocks_rewind(&b, &before);
		ck_assert_uint_lt(used(), at_first + ONE_BLOCK);
	}
	conf_blocks_free(&b);
	ck_assert_ptr_null(b.last);
}
END_TEST

/* ---- places ---- */

/* Records of the file as a whole come for each file that is included: no other statement is looked at for them. */
START_TEST(test_what_belongs_to_the_whole_file_is_found_at_once)
{
	static const struct conf_word word = {.text = "", .place = {0, 1, 1}};
	static const struct conf_node nodes[] = {{.words = &word, .n_words = 1}, {.words = &word, .n_words = 1}};

	conf_top_add(&load, &nodes[0], 1, NULL);
	conf_record_add(&load, CONF_TABLE_ORIGIN, &nodes[0]);
	/* A look at this one would take it for the place. */
	conf_top_add(&load, nodes, 2, NULL);
	conf_record_add(&load, CONF_TABLE_ORIGIN, &nodes[0]);
	conf_record_add(&load, CONF_TABLE_ORIGIN, &nodes[1]);
	ck_assert_uint_eq(conf_object(&load, CONF_TABLE_ORIGIN, 0)->top, 0);
	ck_assert_uint_eq(conf_object(&load, CONF_TABLE_ORIGIN, 1)->top, 0);
	ck_assert_uint_eq(conf_object(&load, CONF_TABLE_ORIGIN, 2)->top, 1);
	ck_assert_uint_eq(conf_object(&load, CONF_TABLE_ORIGIN, 2)->at, 1);
}
END_TEST

static bool take(void *arg, const struct conf_node *node, uint32_t n, const struct conf_start *start)
{
	(void)arg;
	conf_top_add(&load, node, n, start);
	conf_statement_apply(&load, &conf_root_block, node);
	load.tops[load.n_tops - 1].node = NULL;
	return false;
}

/* The statement is gone when its service has ended. */
START_TEST(test_a_service_that_has_ended_knows_no_statement)
{
	static const char text[] = "virtual_server 10.0.0.1 80 {\n sorry_server 10.0.0.9 80\n}\n"
				   "virtual_server 10.0.0.2 80 {\n}\n";
	const struct conf_lex_options options = {.take = take, .config_id = "main", .no_files = true};
	struct conf_tree tree = {0};
	const struct conf_service *s;

	conf_lex_source(
		&tree, &sources, load.diag, conf_source_add_text(&sources, "f", text, sizeof(text) - 1), &options);
	ck_assert_uint_eq(conf_builder_count(load.builder, CONF_TABLE_SERVICE), 2);
	for (conf_index_t i = 0; i < 2; i++) {
		s = conf_builder_at(load.builder, CONF_TABLE_SERVICE, i);
		ck_assert_int_eq(s->sorry == CONF_NONE, i == 1);
		ck_assert_ptr_null(conf_extra(&load, CONF_TABLE_SERVICE, i)->sorry);
	}
	conf_tree_free(&tree);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_load");
	TCase *memory = tcase_create("memory"), *places = tcase_create("places");
	SRunner *runner;
	int failed;

	tcase_add_test(memory, test_large_statements_are_given_back);
	tcase_add_test(memory, test_the_first_statement_is_given_back);
	tcase_add_checked_fixture(places, begin, end);
	tcase_add_test(places, test_what_belongs_to_the_whole_file_is_found_at_once);
	tcase_add_test(places, test_a_service_that_has_ended_knows_no_statement);
	suite_add_tcase(suite, memory);
	suite_add_tcase(suite, places);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
