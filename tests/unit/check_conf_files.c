/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests over whole files. tests/config/NAME.conf gives exactly the findings of NAME.expect (names that begin with
 * `poise` are read in the poise dialect); with POISE_GOLDEN_WRITE=1 the expectations are written instead. What loads
 * is printed canonically and must give the same tables again. Every prefix of a file, and every file without one of its
 * lines, with one twice, cut or with a stray byte, must be survived; POISE_LONG=1 does that for each file of the
 * collection of real ones, when it is there
 * ($POISE_SHARED/corpus, else ../shared/corpus). */
#include "conf_convert.h"
#include "conf_fixture.h"
#include <check.h>
#include <dirent.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much of the real files must load that the reference loads, in percent. */
#define MUST_LOAD 95

static const struct conf_read_options options = {.config_id = "node1", .dialect = -1};

static const char *config_folder(void)
{
	static char path[512];
	const char *source = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/tests/config", source ? source : ".");
	return path;
}

/* NULL when there is none on this machine. */
static const char *corpus_folder(void)
{
	static char path[512];
	const char *shared = getenv("POISE_SHARED"), *source = getenv("srcdir");
	struct stat st;

	if (shared)
		snprintf(path, sizeof(path), "%s/corpus", shared);
	else
		snprintf(path, sizeof(path), "%s/../shared/corpus", source ? source : ".");
	return stat(path, &st) == 0 ? path : NULL;
}

static char *read_all(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *text;

	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	*size = (size_t)ftell(file);
	rewind(file);
	text = malloc(*size + 1);
	*size = fread(text, 1, *size, file);
	text[*size] = 0;
	fclose(file);
	return text;
}

/* Calls f for each file NAME.conf of the folder, in the order of the names. Returns how many there were. */
static int each_file(const char *folder, void (*f)(const char *path, const char *name))
{
	struct dirent **entries;
	int n = scandir(folder, &entries, NULL, alphasort), files = 0;

	for (int i = 0; i < n; i++) {
		size_t length = strlen(entries[i]->d_name);
		char path[1024];

		if (length > 5 && strcmp(entries[i]->d_name + length - 5, ".conf") == 0) {
			snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
			f(path, entries[i]->d_name);
			files++;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return files;
}

/* ---- findings ---- */

static char *findings_of(const char *path, const char *name)
{
	struct conf_read_options o = options;
	struct conf_result r;
	char *text, *printed = NULL;
	size_t size;
	FILE *out;

	o.dialect = strncmp(name, "poise", 5) == 0 ? CONF_DIALECT_POISE : CONF_DIALECT_KEEPALIVED;
	text = read_all(path, &size);
	ck_assert_ptr_nonnull(text);
	conf_read_text(&r, name, text, size, &o);
	out = open_memstream(&printed, &size);
	conf_diag_show_notes(r.diag);
	conf_diag_print(r.diag, &r.sources, false, out);
	fprintf(out, "%s\n", conf_diag_errors(r.diag) ? "refused" : "loads");
	fclose(out);
	conf_result_free(&r);
	free(text);
	return printed;
}

static void compare_lines(const char *name, const char *found, const char *expected)
{
	for (unsigned line = 1; *found || *expected; line++) {
		int n = (int)strcspn(found, "\n"), m = (int)strcspn(expected, "\n");

		if (n != m || memcmp(found, expected, (size_t)n) != 0)
			ck_abort_msg("%s, line %u of its findings:\n%.*s\nbut was to be:\n%.*s", name, line, n, found,
				m, expected);
		found += n + (found[n] != 0);
		expected += m + (expected[m] != 0);
	}
}

static void check_golden(const char *path, const char *name)
{
	char *found = findings_of(path, name), *expected, other[1100];
	size_t size;
	FILE *out;

	snprintf(other, sizeof(other), "%.*s.expect", (int)strlen(path) - 5, path);
	if (getenv("POISE_GOLDEN_WRITE")) {
		out = fopen(other, "w");
		ck_assert_ptr_nonnull(out);
		fputs(found, out);
		fclose(out);
	}
	expected = read_all(other, &size);
	if (!expected)
		ck_abort_msg("%s is missing", other);
	compare_lines(name, found, expected);
	free(found);
	free(expected);
}

START_TEST(test_golden_findings)
{
	ck_assert_int_ge(each_file(config_folder(), check_golden), 10);
}
END_TEST

/* ---- round trip ---- */

static unsigned round_trips;

static void check_round_trip(const char *path, const char *name)
{
	struct conf_read_options o = options;
	struct conf_result first, second;
	struct conf *a, *b;
	const char *table;
	char *dump, *again;

	o.no_files = true;
	o.dialect = CONF_DIALECT_KEEPALIVED;
	conf_read_file(&first, path, &o);
	if (conf_diag_errors(first.diag)) {
		conf_result_free(&first);
		return;
	}
	dump = fixture_dump(first.builder);
	conf_read_text(&second, "dump", dump, strlen(dump), &o);
	if (conf_diag_errors(second.diag))
		conf_diag_print(second.diag, &second.sources, false, stderr);
	ck_assert_msg(conf_diag_errors(second.diag) == 0, "the canonical print of %s is refused", name);
	a = fixture_open(first.builder);
	b = fixture_open(second.builder);
	if (!fixture_same(a, b, &table))
		ck_abort_msg("%s: the canonical print gives other %s:\n%.2000s", name, table, dump);
	again = fixture_dump(second.builder);
	compare_lines(name, again, dump);
	round_trips++;
	conf_close(a);
	conf_close(b);
	free(dump);
	free(again);
	conf_result_free(&first);
	conf_result_free(&second);
}

START_TEST(test_round_trip)
{
	round_trips = 0;
	each_file(config_folder(), check_round_trip);
	ck_assert_uint_ge(round_trips, 4);
	if (corpus_folder())
		each_file(corpus_folder(), check_round_trip);
	printf("%u files print as configurations with the same tables\n", round_trips);
}
END_TEST

/* ---- conversion ---- */

static unsigned conversions;

/* The text with today's spellings; *edits receives how many places changed. Includes are not followed. */
static char *convert(const char *text, size_t size, struct conf_result *r, uint32_t *n)
{
	struct conf_read_options o = options;
	struct conf_edits edits = {0};
	char *converted = NULL;
	FILE *out;

	o.no_files = true;
	o.dialect = CONF_DIALECT_KEEPALIVED;
	o.edits = &edits;
	conf_read_text(r, "f", text, size, &o);
	out = open_memstream(&converted, &size);
	conf_convert_print(&edits, &r->sources, out);
	fclose(out);
	*n = edits.count;
	conf_edits_free(&edits);
	return converted;
}

static void check_conversion(const char *path, const char *name)
{
	struct conf_result first, second;
	struct conf *a, *b;
	char *text, *converted, *again;
	const char *table;
	uint32_t changes, more;
	size_t size;

	text = read_all(path, &size);
	converted = convert(text, size, &first, &changes);
	if (conf_diag_errors(first.diag) == 0) {
		again = convert(converted, strlen(converted), &second, &more);
		ck_assert_msg(conf_diag_errors(second.diag) == 0, "%s is refused after its conversion", name);
		if (more)
			ck_abort_msg("%s: the conversion leaves something to convert:\n%s\n%s", name, converted, again);
		a = fixture_open(first.builder);
		b = fixture_open(second.builder);
		if (!fixture_same(a, b, &table))
			ck_abort_msg("%s: the conversion gives other %s:\n%.2000s", name, table, converted);
		conversions += changes > 0;
		conf_close(a);
		conf_close(b);
		free(again);
		conf_result_free(&second);
	}
	free(text);
	free(converted);
	conf_result_free(&first);
}

START_TEST(test_conversion)
{
	struct conf_result r;
	uint32_t changes;
	const char *old = "vrrp_instance V {\n interface e # x\n state SLAVE\n virtual_router_id 1\n"
			  " lvs_sync_daemon_interface e1\n virtual_ipaddress {\n 10.0.0.1/24\n }\n}\n"
			  "virtual_server 10.0.0.1 80 {\n lb_algo rr ! y\n nat_mask 1.2.3.4\n}\n";
	char *converted = convert(old, strlen(old), &r, &changes);

	ck_assert_str_eq(converted,
		"global_defs {\n\tlvs_sync_daemon \"e1\" inst \"V\"\n}\n"
		"vrrp_instance V {\n interface e # x\n state BACKUP\n virtual_router_id 1\n"
		" # lvs_sync_daemon_interface e1\n virtual_ipaddress {\n 10.0.0.1/24\n }\n}\n"
		"virtual_server 10.0.0.1 80 {\n\tlvs_method NAT\n\tprotocol UDP\n lvs_sched rr ! y\n"
		" # nat_mask 1.2.3.4\n}\n");
	free(converted);
	conf_result_free(&r);
	each_file(config_folder(), check_conversion);
	if (corpus_folder())
		each_file(corpus_folder(), check_conversion);
	printf("%u files were brought up to date\n", conversions);
}
END_TEST

/* ---- damage ---- */

static void survive(const char *text, size_t size)
{
	static FILE *null;
	struct conf_read_options o = options;
	struct conf_result r;

	if (!null)
		null = fopen("/dev/null", "w");
	o.no_files = true;
	conf_read_text(&r, "f", text, size, &o);
	conf_diag_print(r.diag, &r.sources, false, null);
	conf_result_free(&r);
}

static void survive_prefixes(const char *text, size_t size, size_t step)
{
	for (size_t n = 0; n <= size; n += step) {
		/* Of exactly this size, so that a read beyond it is seen by a sanitizer. */
		char *copy = malloc(n + 1);

		memcpy(copy, text, n);
		copy[n] = 0;
		survive(copy, n);
		free(copy);
	}
}

static void survive_without_lines(const char *text, size_t size)
{
	char *copy = malloc(size + 1);

	for (size_t from = 0; from < size;) {
		const char *end = memchr(text + from, '\n', size - from);
		size_t to = end ? (size_t)(end - text) + 1 : size;

		memcpy(copy, text, from);
		memcpy(copy + from, text + to, size - to);
		survive(copy, size - (to - from));
		from = to;
	}
	free(copy);
}

/* Each line in turn is there twice, ends in its middle, or gets a byte that breaks quotes, blocks or strings. */
static void survive_changed_lines(const char *text, size_t size)
{
	static const char bytes[] = {'"', '{', '}', '\0', '\\', '$', '@', '~'};
	char *copy = malloc(size * 2 + 2);

	for (size_t from = 0; from < size;) {
		const char *end = memchr(text + from, '\n', size - from);
		size_t to = end ? (size_t)(end - text) + 1 : size, middle = from + (to - from) / 2;

		memcpy(copy, text, to);
		memcpy(copy + to, text + from, size - from);
		survive(copy, size + (to - from));
		memcpy(copy + middle, text + to, size - to);
		survive(copy, size - (to - middle));
		for (size_t i = 0; i < sizeof(bytes); i++) {
			memcpy(copy, text, middle);
			copy[middle] = bytes[i];
			memcpy(copy + middle + 1, text + middle, size - middle);
			survive(copy, size + 1);
		}
		from = to;
	}
	free(copy);
}

static void damage(const char *path, const char *name)
{
	size_t size;
	char *text = read_all(path, &size);

	(void)name;
	survive_prefixes(text, size, 1);
	survive_without_lines(text, size);
	survive_changed_lines(text, size);
	free(text);
}

/* A few places of each real file. */
static void damage_a_little(const char *path, const char *name)
{
	size_t size;
	char *text = read_all(path, &size);

	(void)name;
	survive_prefixes(text, size, size / 3 + 1);
	free(text);
}

START_TEST(test_survives_damage)
{
	each_file(config_folder(), damage);
	if (corpus_folder())
		each_file(corpus_folder(), getenv("POISE_LONG") ? damage : damage_a_little);
}
END_TEST

/* A hundred megabytes (in short runs a tenth of them): of statements, of braces, of one line, of nothing. */
START_TEST(test_survives_large_files)
{
	static const char *const pieces[] = {"vrrp_script s { script /bin/true }\n", "{", "}\n", "a \"b",
		"$A=$A$A\n$A\n", "\n", "~SEQ(A, 1, 9) $A ", "#"};
	size_t size = getenv("POISE_LONG") ? 100u << 20 : 10u << 20;
	char *text = malloc(size + 1);

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t n = strlen(pieces[i]);

		for (size_t at = 0; at < size; at += n)
			memcpy(text + at, pieces[i], n < size - at ? n : size - at);
		text[size] = 0;
		survive(text, size);
	}
	memset(text, 0, size);
	survive(text, size);
	free(text);
}
END_TEST

/* The same from a disk, where most of it is a hole: that is one line, which is said once, and what stands behind it is
 * read. */
START_TEST(test_survives_a_large_file_on_disk)
{
	off_t size = getenv("POISE_LONG") ? 100 << 20 : 10 << 20;
	char folder[] = "/tmp/poise-large-XXXXXX", path[64], text[4096];
	struct conf_read_options o = options;
	struct conf_result r;
	FILE *file;

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/keepalived.conf", folder);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("global_defs {\n\trouter_id before\n}\n", file);
	ck_assert_int_eq(fseeko(file, size, SEEK_SET), 0);
	fputs("\nvrrp_instance behind {\n}\n", file);
	fclose(file);
	conf_read_file(&r, path, &o);
	unlink(path);
	rmdir(folder);
	file = fmemopen(text, sizeof(text), "w");
	conf_diag_print(r.diag, &r.sources, true, file);
	fclose(file);
	ck_assert_msg(strstr(text, ":4:1: error: this line is longer than "), "%s", text);
	ck_assert_msg(strstr(text, ":5:15: error: vrrp_instance behind needs an interface"), "%s", text);
	ck_assert_ptr_null(strstr(strstr(text, ":4:1: ") + 1, ":4:"));
	conf_result_free(&r);
}
END_TEST

/* ---- real files ---- */

static unsigned corpus_wanted, corpus_loaded, corpus_refused;
static const char *corpus_manifest;

/* The last column of the file's line in the manifest. */
static void corpus_class(const char *name, char *out, size_t size)
{
	const char *line = corpus_manifest;
	size_t length = strlen(name);

	out[0] = 0;
	while (line && (strncmp(line, name, length) != 0 || line[length] != '\t'))
		line = (line = strchr(line, '\n')) ? line + 1 : NULL;
	if (!line)
		return;
	snprintf(out, size, "%.*s", (int)strcspn(line, "\r\n"), line);
	if (strrchr(out, '\t'))
		memmove(out, strrchr(out, '\t') + 1, strlen(strrchr(out, '\t')));
}

static void read_real(const char *path, const char *name)
{
	struct conf_read_options o = options;
	struct conf_result r;
	char class[512];
	bool wanted;

	o.no_files = false;
	conf_read_file(&r, path, &o);
	corpus_class(name, class, sizeof(class));
	wanted = strcmp(class, "ok") == 0 || strcmp(class, "ok-but-env") == 0 || strcmp(class, "soft") == 0 ||
		 strncmp(class, "old", 3) == 0;
	corpus_wanted += wanted;
	if (!conf_diag_errors(r.diag))
		corpus_loaded += wanted;
	else if (wanted)
		printf("refused: %s (%s)\n", name, class);
	else
		corpus_refused++;
	conf_result_free(&r);
}

START_TEST(test_real_files)
{
	char path[600];
	char *manifest;
	size_t size;
	int files;

	if (!corpus_folder()) {
		printf("no collection of real files on this machine\n");
		return;
	}
	snprintf(path, sizeof(path), "%s/MANIFEST.tsv", corpus_folder());
	manifest = read_all(path, &size);
	ck_assert_ptr_nonnull(manifest);
	corpus_manifest = manifest;
	files = each_file(corpus_folder(), read_real);
	printf("%d real files: %u of %u that the reference takes load; %u of the others are refused\n", files,
		corpus_loaded, corpus_wanted, corpus_refused);
	ck_assert_uint_gt(corpus_wanted, 0);
	ck_assert_uint_ge(corpus_loaded * 100, corpus_wanted * MUST_LOAD);
	free(manifest);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_files");
	TCase *t = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_test(t, test_golden_findings);
	tcase_add_test(t, test_round_trip);
	tcase_add_test(t, test_conversion);
	tcase_add_test(t, test_survives_damage);
	tcase_add_test(t, test_real_files);
	tcase_set_timeout(t, getenv("POISE_LONG") ? 3600 : 60);
	suite_add_tcase(suite, t);
	/* Alone, with a hundred megabytes: CK_RUN_CASE=large POISE_LONG=1. */
	t = tcase_create("large");
	tcase_add_test(t, test_survives_large_files);
	tcase_add_test(t, test_survives_a_large_file_on_disk);
	tcase_set_timeout(t, getenv("POISE_LONG") ? 3600 : 60);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
