/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of local clients: what is understood, what is refused and why; and the writer of answers. */
#include "../../daemon/control/control_request.h"
#include "../../daemon/control/control_writer.h"
#include <check.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static struct request request;
static char error[REQUEST_ERROR_SIZE];

static int parse(const char *line)
{
	error[0] = '\0';
	return request_parse(line, strlen(line), &request, error);
}

START_TEST(test_commands)
{
	ck_assert_int_eq(parse("{\"command\":\"status\"}"), 0);
	ck_assert_int_eq(request.command, REQUEST_STATUS);
	ck_assert(!request_changes(request.command));
	ck_assert_int_eq(parse(" {\"command\":\"drain\",\"server\":\"10.1.0.2:80\",\"service\":\"192.0.2.1:80\"} "), 0);
	ck_assert_int_eq(request.command, REQUEST_DRAIN);
	ck_assert(request_changes(request.command));
	ck_assert_str_eq(request.server, "10.1.0.2:80");
	ck_assert_str_eq(request.service, "192.0.2.1:80");
	ck_assert_int_eq(parse("{\"command\":\"weight\",\"server\":\"a\",\"weight\":-1}"), 0);
	ck_assert_int_eq(request.weight, REQUEST_WEIGHT_CONFIGURED);
	ck_assert_int_eq(parse("{\"command\":\"events\",\"after\":{\"vrrp\":17,\"later\":3}}"), 0);
	ck_assert_uint_eq(request.after[ROLE_VRRP], 17);
	ck_assert_uint_eq(request.after[ROLE_IPVS], 0);
}
END_TEST

START_TEST(test_every_change_is_one)
{
	static const char *const changes[] = {"drain", "undrain", "maint", "ready", "weight", "reload", "handover",
		"plan", "apply", "confirm", "server-add", "server-remove"};
	unsigned found = 0;

	for (int i = 0; i < REQUEST_COMMAND_COUNT; i++) {
		bool listed = false;

		for (size_t k = 0; k < sizeof(changes) / sizeof(changes[0]); k++)
			listed = listed || strcmp(request_name((enum request_command)i), changes[k]) == 0;
		ck_assert_msg(request_changes((enum request_command)i) == listed, "%s",
			request_name((enum request_command)i));
		found += listed;
	}
	ck_assert_uint_eq(found, sizeof(changes) / sizeof(changes[0]));
}
END_TEST

static const struct {
	const char *line, *error;
} refused[] = {
	{"", "ends too early"},
	{"{\"command\":\"status\"", "ends too early"},
	{"nonsense", "not JSON"},
	{"{\"command\":\"status\"} {}", "not JSON"},
	{"null ", "one JSON object"},
	{"[]", "one JSON object"},
	{"{}", "not known"},
	{"{\"command\":7}", "must be a text"},
	{"{\"command\":\"explode\"}", "\"explode\" is not known"},
	{"{\"command\":\"drain\"}", "needs a \"server\""},
	{"{\"command\":\"drain\",\"server\":\"a\\u0000b\"}", "zero byte"},
	{"{\"command\":\"drain\",\"server\":\"a\\nroot did it\"}", "control character"},
	{"{\"command\":\"weight\",\"server\":\"a\"}", "must be a number"},
	{"{\"command\":\"weight\",\"server\":\"a\",\"weight\":70000}", "between 0 and 65535"},
	{"{\"command\":\"weight\",\"server\":\"a\",\"weight\":-2}", "between 0 and 65535"},
	{"{\"command\":\"events\",\"after\":[]}", "must be an object"},
	{"{\"command\":\"events\",\"after\":{\"vrrp\":-1}}", "must be a number"},
	{"{\"command\":[[[[[[[[]]]]]]]]}", "not JSON"},
};

START_TEST(test_refused)
{
	ck_assert_int_eq(parse(refused[_i].line), -1);
	ck_assert_msg(strstr(error, refused[_i].error) != NULL, "%s: %s", refused[_i].line, error);
}
END_TEST

START_TEST(test_too_long)
{
	char line[REQUEST_MAX + 2];

	memset(line, ' ', sizeof(line));
	ck_assert_int_eq(request_parse(line, sizeof(line) - 1, &request, error), -1);
	ck_assert_ptr_nonnull(strstr(error, "longer than"));
	memset(line, 'x', 200);
	memcpy(line, "{\"command\":\"drain\",\"server\":\"", 29);
	memcpy(line + 198, "\"}", 3);
	ck_assert_int_eq(parse(line), -1);
	ck_assert_ptr_nonnull(strstr(error, "longer than 127"));
}
END_TEST

START_TEST(test_writer)
{
	struct writer w = {0};
	size_t length;
	char *text;

	writer_object(&w, NULL);
	writer_string(&w, "a", "q\" b\\ t\t \x7f \xc2\x9b \xc2\xa0 \xc3\xa4 \xff\xc3 \xed\xa0\x80 \xc0\xaf.");
	writer_array(&w, "list");
	writer_number(&w, NULL, -3);
	writer_bool(&w, NULL, true);
	writer_object(&w, NULL);
	writer_end(&w);
	writer_null(&w, NULL);
	writer_end(&w);
	writer_time(&w, "never", 0);
	writer_time(&w, "then", 951782399999000); /* the last moment before a leap day */
	writer_end(&w);
	text = writer_take(&w, &length);
	ck_assert_str_eq(text, "{\"a\":\"q\\\" b\\\\ t\\u0009 \\u007f \\u009b \xc2\xa0 \xc3\xa4 \xef\xbf\xbd\xef\xbf\xbd "
			       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd.\","
			       "\"list\":[-3,true,{},null],\"never\":null,\"then\":\"2000-02-28T23:59:59.999Z\"}\n");
	ck_assert_uint_eq(length, strlen(text));
	free(text);
}
END_TEST

START_TEST(test_writer_grows)
{
	struct writer w = {0};
	struct json_object *parsed;
	size_t length;
	char *text;

	writer_array(&w, NULL);
	for (int i = 0; i < 20000; i++)
		writer_number(&w, NULL, i);
	writer_end(&w);
	text = writer_take(&w, &length);
	parsed = json_tokener_parse(text);
	ck_assert_uint_eq(json_object_array_length(parsed), 20000);
	json_object_put(parsed);
	free(text);
}
END_TEST

START_TEST(test_writer_refuses_what_is_not_whole)
{
	struct writer w = {0};
	size_t length;

	writer_object(&w, NULL);
	ck_assert_ptr_null(writer_take(&w, &length));
	for (int i = 0; i <= WRITER_DEPTH; i++)
		writer_array(&w, NULL);
	ck_assert_ptr_null(writer_take(&w, &length));
	writer_end(&w);
	ck_assert_ptr_null(writer_take(&w, &length));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control_request");
	TCase *tc = tcase_create("request");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, test_commands);
	tcase_add_test(tc, test_every_change_is_one);
	tcase_add_loop_test(tc, test_refused, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, test_too_long);
	tcase_add_test(tc, test_writer);
	tcase_add_test(tc, test_writer_grows);
	tcase_add_test(tc, test_writer_refuses_what_is_not_whole);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
