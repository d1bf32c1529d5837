/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers put into and taken out of a configuration's text: the rest of the text stays as it is, byte by byte. */
#include "../../ctl/edit.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char text[] = "! real_server in a comment {\n"
			   "virtual_server 192.0.2.1 80 { # web\n"
			   "\tlb_algo wlc\n"
			   "\treal_server 10.1.0.1 80 {\n"
			   "\t\tweight 3 ! as measured }\n"
			   "\t\tHTTP_GET {\n"
			   "\t\t\turl {\n\t\t\t\tpath \"/a}b\"\n\t\t\t\tweight 9\n\t\t\t}\n"
			   "\t\t}\n"
			   "\t}\n"
			   "\t# the second\n"
			   "\treal_server 10.1.0.2 80 { }\n"
			   "\tquorum 1\n"
			   "}\n"
			   "virtual_server 192.0.2.1 81 {\n"
			   "\treal_server 10.1.0.2 80 {\n\t}\n"
			   "}\n";

/* The text with what stands between two places taken out or put in. */
static char *expected(const char *before, const char *insertion, const char *from)
{
	const char *at = strstr(text, before);
	char *out = calloc(1, 2 * sizeof(text) + strlen(insertion));

	ck_assert_ptr_nonnull(at);
	at += strlen(before);
	strncat(out, text, (size_t)(at - text));
	strcat(out, insertion);
	strcat(out, from ? strstr(at, from) : at);
	return out;
}

static void assert_edit(long line, struct edit change, char *wanted)
{
	char error[EDIT_ERROR_SIZE] = "";
	char *got = edit_pool(text, line, &change, error);

	ck_assert_msg(got != NULL, "%s", error);
	ck_assert_str_eq(got, wanted);
	free(got);
	free(wanted);
}

START_TEST(test_added_like_its_neighbour)
{
	assert_edit(2, (struct edit){.address = "10.1.0.7", .port = 8080, .weight = -1},
		expected("real_server 10.1.0.2 80 { }\n",
			"\treal_server 10.1.0.7 8080 {\n\t\tweight 3 ! as measured }\n\t\tHTTP_GET {\n\t\t\turl {\n"
			"\t\t\t\tpath \"/a}b\"\n\t\t\t\tweight 9\n\t\t\t}\n\t\t}\n\t}\n",
			NULL));
	assert_edit(2, (struct edit){.address = "10.1.0.7", .port = 80, .weight = 5},
		expected("real_server 10.1.0.2 80 { }\n",
			"\treal_server 10.1.0.7 80 {\n\t\tweight 5 ! as measured }\n\t\tHTTP_GET {\n\t\t\turl {\n"
			"\t\t\t\tpath \"/a}b\"\n\t\t\t\tweight 9\n\t\t\t}\n\t\t}\n\t}\n",
			NULL));
	assert_edit(17, (struct edit){.address = "2001:db8::7", .port = 80, .weight = 5},
		expected("\treal_server 10.1.0.2 80 {\n\t}\n", "\treal_server 2001:db8::7 80 {\n\t\tweight 5\n\t}\n",
			NULL));
}
END_TEST

START_TEST(test_removed_alone)
{
	assert_edit(2, (struct edit){.address = "10.1.0.2", .port = 80, .is_removed = true},
		expected("\t# the second\n", "", "\tquorum 1\n"));
	assert_edit(2, (struct edit){.address = "10.1.0.1", .port = 80, .is_removed = true},
		expected("\tlb_algo wlc\n", "", "\t# the second\n"));
}
END_TEST

START_TEST(test_refused)
{
	static const struct {
		const char *text;
		long line;
		struct edit change;
		const char *error;
	} cases[] = {
		{text, 3, {.address = "10.1.0.7", .port = 80, .weight = -1}, "does not stand there"},
		{text, 99, {.address = "10.1.0.7", .port = 80, .weight = -1}, "does not stand there"},
		{text, 2, {.address = "10.1.0.2", .port = 80, .weight = -1}, "stands in the file already"},
		{text, 2, {.address = "10.1.0.9", .port = 80, .is_removed = true}, "does not stand in the file"},
		{"virtual_server 1.1.1.1 80 {\n", 1, {.address = "10.1.0.9", .port = 80}, "does not end"},
		{"virtual_server 1.1.1.1 80 {\n}\n", 1, {.address = "10.1.0.9", .port = 80}, "no real_server"},
		{"", 1, {.address = "10.1.0.9", .port = 80}, "does not stand there"},
	};
	char error[EDIT_ERROR_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_ptr_null(edit_pool(cases[i].text, cases[i].line, &cases[i].change, error));
		ck_assert_msg(strstr(error, cases[i].error) != NULL, "%zu: %s", i, error);
	}
}
END_TEST

/* However a text is cut off, nothing is read beyond its end and nothing loops. */
START_TEST(test_any_prefix_is_survived)
{
	struct edit change = {.address = "10.1.0.7", .port = 80, .weight = 5};
	char error[EDIT_ERROR_SIZE];

	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = strndup(text, n);

		free(edit_pool(copy, 2, &change, error));
		free(copy);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctl_edit");
	TCase *tc = tcase_create("edit");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_added_like_its_neighbour);
	tcase_add_test(tc, test_removed_alone);
	tcase_add_test(tc, test_refused);
	tcase_add_test(tc, test_any_prefix_is_survived);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
