/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of the lexer and the tree: which words there are, where they stood, how they nest. A tree is written as
 * text: `word@line:column`, blocks in braces, statements ended by `;`. */
#include "conf_lex.h"
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct reading {
	struct conf_sources sources;
	struct conf_diag *diag;
	struct conf_tree tree;
	FILE *out;
	bool places;
	uint32_t n_nodes;
	char *shown, *findings;
	size_t shown_size;
};

static void show(const struct conf_node *n, FILE *out, bool places)
{
	for (uint32_t w = 0; w < n->n_words; w++) {
		fprintf(out, "%s%s", w ? " " : "", n->words[w].text);
		if (places && n->words[w].place.file)
			fprintf(out, "@%u/", n->words[w].place.file);
		else if (places)
			fprintf(out, "@");
		if (places)
			fprintf(out, "%u:%u", n->words[w].place.line, n->words[w].place.column);
	}
	if (!n->block) {
		fprintf(out, ";");
		return;
	}
	fprintf(out, "{");
	for (const struct conf_node *k = conf_node_child(n); k; k = conf_node_next(k))
		show(k, out, places);
	fprintf(out, "}");
}

static char *shown(const struct conf_node *node)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	show(node, out, true);
	fclose(out);
	return text;
}

/* What can be cut again must come out as it was, also when it was given back. */
static bool take(void *arg, const struct conf_node *node, uint32_t n, const struct conf_start *start)
{
	struct reading *r = arg;

	r->n_nodes += n;
	show(node, r->out, r->places);
	if (start) {
		struct conf_tree tree = {0};
		char *first = shown(node), *second = shown(conf_lex_again(&tree, &r->sources, r->diag, start));

		ck_assert_str_eq(first, second);
		free(first);
		free(second);
		conf_tree_free(&tree);
	}
	return start == NULL;
}

static void begin(struct reading *r, bool places)
{
	memset(r, 0, sizeof(*r));
	r->diag = conf_diag_new(false);
	r->out = open_memstream(&r->shown, &r->shown_size);
	r->places = places;
}

static void finish(struct reading *r)
{
	size_t size;
	FILE *out = open_memstream(&r->findings, &size);

	fclose(r->out);
	conf_diag_print(r->diag, &r->sources, true, out);
	fclose(out);
}

static void read_bytes(struct reading *r, const char *text, size_t size, bool places)
{
	const struct conf_lex_options options = {.take = take, .arg = r, .config_id = "main", .no_files = true};

	begin(r, places);
	conf_lex_source(&r->tree, &r->sources, r->diag, conf_source_add_text(&r->sources, "f", text, size), &options);
	finish(r);
}

static void release(struct reading *r)
{
	free(r->shown);
	free(r->findings);
	conf_tree_free(&r->tree);
	conf_sources_free(&r->sources);
	conf_diag_free(r->diag);
}

static void expect(const char *text, const char *shown, const char *findings)
{
	struct reading r;

	read_bytes(&r, text, strlen(text), false);
	ck_assert_str_eq(r.shown, shown);
	ck_assert_str_eq(r.findings, findings);
	release(&r);
}

static void expect_places(const char *text, const char *shown)
{
	struct reading r;

	read_bytes(&r, text, strlen(text), true);
	ck_assert_str_eq(r.shown, shown);
	release(&r);
}

START_TEST(test_words_and_comments)
{
	expect("a b\n c\td # e\n! f\n\n#\ng", "a b;c d;g;", "");
	expect("a\r\nb c\r\n", "a;b c;", "");
	/* A comment sign cuts a word; quotes and a backslash keep it. */
	expect("p Test123!\ni eth0#x\nj \"eth0#x\" k\nl eth0\\#x\n", "p Test123;i eth0;j eth0#x k;l eth0#x;",
		"f:1:10: warning: `!` begins a comment here, within a word (put the word into double quotes to keep "
		"it); the word ends before it\n"
		"f:2:7: warning: `#` begins a comment here, within a word (put the word into double quotes to keep "
		"it); the word ends before it\n");
	expect("a {#x\nb \"c\"#d\n}#e\nf ##\n", "a{b c;}f;", "");
	expect("", "", "");
	expect("   \n\t\n", "", "");
	expect("\xef\xbb\xbf"
	       "a b\n",
		"a b;", "f:1:1: warning: the file begins with a byte order mark, which is skipped\n");
}
END_TEST

/* The same seed gives the same numbers, within the bounds that are asked for. */
START_TEST(test_predefined)
{
	struct reading first, again;
	const char *text = "random_seed 7\n$A=${_RANDOM}\na $A ${_RANDOM} ${_RANDOM 3 5}\n";

	setenv("POISE_TEST_NAME", "web one", 1);
	unsetenv("POISE_TEST_NONE");
	expect("a ${_RANDOM 5 5}x${_RANDOM 0 0}\n", "a 5x0;", "");
	expect("a ${_ENV POISE_TEST_NAME}.b\n", "a web one.b;", "");
	expect("a ${_HASH}${_BANG} ${_INSTANCE}\n", "a #! main;", "");
	expect("a ${_ENV POISE_TEST_NONE} b\n", "a ${_ENV POISE_TEST_NONE} b;",
		"f:1:3: warning: ${_ENV POISE_TEST_NONE} is not defined here; it is taken as plain text\n");
	expect("a ${_RANDOM 9 3} b\n", "a ${_RANDOM 9 3} b;",
		"f:1:3: warning: ${_RANDOM 9 3} is not defined here; it is taken as plain text\n");
	read_bytes(&first, text, strlen(text), false);
	read_bytes(&again, text, strlen(text), false);
	ck_assert_str_eq(first.shown, again.shown);
	release(&first);
	release(&again);
	for (int i = 0; i < 50; i++) {
		unsigned number;

		read_bytes(&first, "a ${_RANDOM 3 5}", 16, false);
		ck_assert_int_eq(sscanf(first.shown, "a %u;", &number), 1);
		ck_assert_uint_ge(number, 3);
		ck_assert_uint_le(number, 5);
		release(&first);
	}
}
END_TEST

START_TEST(test_quotes)
{
	expect("s \"a b\" c\n", "s a b c;", "");
	expect("s ab\" c \"d e\n", "s ab c d e;", "");
	expect("s \"say \\\"hi\\\" \\\\ \\d\"\n", "s say \"hi\" \\ \\d;", "");
	expect("s 'a b'\n", "s 'a b';", "");
	expect("s \"\" x\n", "s  x;", "");
	expect("s \"a { b } # c\" { d }\n", "s a { b } # c{d;}", "");
	expect("s \"a b\nc\n", "s a b;c;",
		"f:1:3: error: this quote is not closed on its line; a quoted text cannot go over several lines\n");
}
END_TEST

START_TEST(test_braces)
{
	expect("a {\n b\n}\nc", "a{b;}c;", "");
	expect("a{ b }", "a{b;}", "");
	expect("a\n\n# x\n{\n b\n}\n", "a{b;}", "");
	expect("a { b { c } d }\n", "a{b{c;}d;}", "");
	expect("a { b c }\n} e\n", "a{b c;}e;", "f:2:1: warning: this `}` closes nothing; it is ignored\n");
	expect("a {\n b {\n c\n", "a{b{c;}}",
		"f:1:3: warning: this `{` is never closed; its block ends with the file\n"
		"f:2:4: warning: this `{` is never closed; its block ends with the file\n");
	expect("{ a }\n", "{a;}", "f:1:1: error: this `{` has no keyword before it\n");
	expect("a { }\n{ b }\n", "a{}{b;}", "f:2:1: error: this `{` has no keyword before it\n");
	expect("a # {\n b\n", "a;b;", "");
}
END_TEST

START_TEST(test_continued_lines)
{
	expect("a b \\\n  c\nd", "a b c;d;",
		"f:1:4: warning: a backslash continues a line in definitions alone, for keepalived; the next line "
		"belongs "
		"to this one here\n");
	expect("$A=b \\\nc\n$A d", "b;c d;", "");
	expect("a \\", "a;", "");
	expect("a # b \\\nc", "a;c;", "");
	expect_places("a b \\\n  c\nd", "a@1:1 b@1:3 c@2:3;d@3:1;");
}
END_TEST

START_TEST(test_definitions)
{
	expect("$P=240\np $P\nq x${P}y $PX\n", "p 240;q x240y $PX;",
		"f:3:10: warning: $PX is not defined here; it is taken as plain text\n");
	expect("$E=\na $E b\n", "a b;", "");
	/* Replacement happens at use, so a later definition counts. */
	expect("$B=10.2.${S}\n$S=0\n${B}.1\n$S=10\n${B}.1\n", "10.2.0.1;10.2.10.1;", "");
	expect("$I= \\\ninst VI_${N} { \\\n  vrid ${N} \\\n}\n$N=1\n$I\n$N=2\n$I\n",
		"inst VI_1{vrid 1;}inst VI_2{vrid 2;}", "");
	expect("$R= \\\nrs ${V}.${N}\n$VS= \\\nvs ${V} { \\\n $N=1 \\\n $R \\\n $N=2 \\\n $R \\\n}\n$V=7\n$VS\n",
		"vs 7{rs 7.1;rs 7.2;}", "");
	expect("a ${_HASH}b ${_BANG} ${_INSTANCE}\n", "a #b ! main;", "");
	expect("a ${X:-2}\n", "a ${X:-2};", "f:1:3: warning: ${X:-2} is not defined here; it is taken as plain text\n");
	expect("s \"echo $HOME ${HOME} $(x) $1\"\n", "s echo $HOME ${HOME} $(x) $1;", "");
	/* A word of a definition points at the definition. */
	expect_places("$P=24 x\np $P y\n", "p@2:1 24@1:4 x@1:7 y@2:6;");
}
END_TEST

START_TEST(test_definitions_without_end)
{
	expect("$A=$A x\n$A\n", "",
		"f:1:4: error: definitions that replace each other make too much text; the rest is not read\n");
	expect("$A=$B $B\n$B=$C $C\n$C=$A $A\n$A\n", "",
		"f:2:4: error: this line becomes too long by replacements; the rest is not read\n");
}
END_TEST

START_TEST(test_conditions)
{
	expect("@main a\n@other b\n@^main c\n@^other d\n", "a;d;", "");
	expect("@VIP@\na\n", "a;", "");
	expect("@main $P=1\n@other $P=2\np $P\n", "p 1;", "");
	expect("$IF=@main\n$IF a\n$IF=@other\n$IF b\n", "a;", "");
	expect("v {\n @other x\n @main y }\n", "v{y;}", "");
	expect_places("@main a b\n", "a@1:7 b@1:9;");
}
END_TEST

START_TEST(test_sequences)
{
	expect("~SEQ(S, 0, 3) a.${S}\n", "a.0;a.1;a.2;a.3;", "");
	expect("~SEQ(S, 3) a${S}\n", "a1;a2;a3;", "");
	expect("~SEQ(S, 6, -2, 1) a${S}\n", "a6;a4;a2;", "");
	expect("~SEQx(S, 0x90, 0x10, 0xb0) a${S}\n", "a90;aa0;ab0;", "");
	expect("~SEQ(A, 1, 2) ~SEQ(B, 1, 2) x${A}${B}\n", "x11;x12;x21;x22;", "");
	expect("~LST(I, 1, b c) x ${I}\n", "x 1;x b c;", "");
	expect("~LST({A, B}, {1,2}, {3,4}) ${A}.${B}\n", "1.2;3.4;", "");
	expect("$V= \\\nv${N} { \\\n a \\\n}\n~SEQ(N, 1, 2) $V\n", "v1{a;}v2{a;}", "");
	expect("~SEQ(S, 1, 0, 5) a\n~SEQ(\n", "",
		"f:1:1: error: write ~SEQ(NAME, START, STEP, END) or ~LST(NAME, VALUE, VALUE ...)\n"
		"f:2:1: error: write ~SEQ(NAME, START, STEP, END) or ~LST(NAME, VALUE, VALUE ...)\n");
	expect("~SEQ(S, 1, 1000000000) a\n", "", "f:1:23: error: this sequence is too long; the rest is not read\n");
}
END_TEST

START_TEST(test_places)
{
	expect_places("a b\n\n\tc { d }\n", "a@1:1 b@1:3;c@3:2{d@3:6;}");
	expect_places("\xef\xbb\xbf"
		      "a\n",
		"a@1:4;");
	expect_places("  \"x y\" z\n", "x y@1:3 z@1:9;");
}
END_TEST

START_TEST(test_any_bytes)
{
	static const char zero[] = "a b\0c\n\0\nd";
	struct reading r;
	char bytes[512];

	read_bytes(&r, zero, sizeof(zero) - 1, false);
	ck_assert_str_eq(r.shown, "a b c;d;");
	ck_assert_str_eq(r.findings, "f:1:4: error: a byte with the value 0: this is not a text file\n");
	release(&r);
	for (int seed = 0; seed < 3000; seed++) {
		static const char likely[] = "{}\"\\\n#!$@~ ,()=ab1\r\t'${SEQ(LST(";
		size_t n = (size_t)(seed * 7 % (int)sizeof(bytes));

		srand((unsigned)seed);
		for (size_t i = 0; i < n; i++)
			bytes[i] = rand() % 3 ? likely[(size_t)rand() % (sizeof(likely) - 1)] : (char)rand();
		read_bytes(&r, bytes, n, true);
		release(&r);
	}
}
END_TEST

/* A plain line is cut where it stands, one behind a condition after it was copied: they must come to the same. */
START_TEST(test_plain_lines)
{
	static const char likely[] = "  \t{}#!\"ab1.$A\r\v";
	struct reading plain, copied;
	char lines[512], conditions[512];

	for (unsigned seed = 0; seed < 20000; seed++) {
		size_t n = 0;

		srand(seed);
		for (int line = 0; line < 4; line++) {
			memcpy(lines + n, "      ", 6);
			memcpy(conditions + n, "@main ", 6);
			n += 6;
			for (int i = rand() % 16; i >= 0; i--, n++)
				lines[n] = conditions[n] = i ? likely[(size_t)rand() % (sizeof(likely) - 1)] : '\n';
		}
		read_bytes(&plain, lines, n, true);
		read_bytes(&copied, conditions, n, true);
		ck_assert_str_eq(plain.shown, copied.shown);
		ck_assert_str_eq(plain.findings, copied.findings);
		release(&plain);
		release(&copied);
	}
}
END_TEST

/* The words of a statement lie together, however many there are. */
START_TEST(test_many_words)
{
	enum { LINES = 40, WORDS = 3000 };
	char *text = NULL, *shown = NULL;
	size_t size, shown_size;
	FILE *in = open_memstream(&text, &size), *out = open_memstream(&shown, &shown_size);

	for (int line = 0; line < LINES; line++)
		for (int i = 0; i < WORDS * (line % 2) + 3; i++) {
			fprintf(in, "w%d.%d%s", line, i, i == WORDS * (line % 2) + 2 ? "\n" : " ");
			fprintf(out, "w%d.%d%s", line, i, i == WORDS * (line % 2) + 2 ? ";" : " ");
		}
	fclose(in);
	fclose(out);
	expect(text, shown, "");
	free(text);
	free(shown);
}
END_TEST

static bool count(void *arg, const struct conf_node *node, uint32_t n, const struct conf_start *start)
{
	(void)node;
	(void)start;
	((struct reading *)arg)->n_nodes += n;
	return false;
}

START_TEST(test_very_long_line)
{
	struct reading r;
	const struct conf_lex_options options = {.take = count, .arg = &r, .config_id = "main", .no_files = true};
	size_t size = 8u << 20;
	char *text = malloc(size + 3);

	memset(text, 'x', size);
	memcpy(text + size, "\na\n", 3);
	read_bytes(&r, text, size + 3, false);
	ck_assert_str_eq(r.shown, "a;");
	ck_assert_str_eq(r.findings, "f:1:1: error: this line is longer than 4194304 bytes; it is not read\n");
	release(&r);
	/* Blocks in blocks, two million deep: nothing may recurse. */
	for (size_t i = 0; i < size; i++)
		text[i] = i % 2000 == 1999 ? '\n' : i % 2 ? 'a' : '{';
	begin(&r, false);
	conf_lex_source(&r.tree, &r.sources, r.diag, conf_source_add_text(&r.sources, "f", text, size), &options);
	finish(&r);
	ck_assert_uint_gt(r.n_nodes, 4000000);
	release(&r);
	free(text);
}
END_TEST

/* ---- includes ---- */

static char folder[] = "/tmp/poise-check-lex-XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	fclose(file);
}

static void make_folder(void)
{
	char path[256];

	strcpy(folder, "/tmp/poise-check-lex-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/sub", folder);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void remove_folder(void)
{
	static const char *const names[] = {"main", "a.inc", "b.inc", "loop", "fifo", "sub/c", "sub/d", "sub", ""};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		remove(path);
	}
}

static void read_main(struct reading *r)
{
	const struct conf_lex_options options = {.take = take, .arg = r, .config_id = "main"};
	char path[256];

	snprintf(path, sizeof(path), "%s/main", folder);
	begin(r, true);
	conf_lex_file(&r->tree, &r->sources, r->diag, path, &options);
	finish(r);
}

START_TEST(test_includes)
{
	struct reading r;

	put("a.inc", "in a\n");
	put("b.inc", "in b\ninclude sub/c\n");
	put("sub/c", "include d\n");
	put("sub/d", "\n deep\n");
	put("main", "x {\ninclude *.inc\n}\ninclude \"a.inc\"\n");
	read_main(&r);
	ck_assert_str_eq(r.shown, "x@1:1{in@1/1:1 a@1/1:4;in@2/1:1 b@2/1:4;deep@4/2:2;}in@5/1:1 a@5/1:4;");
	ck_assert_str_eq(r.findings, "");
	release(&r);
	/* A block that goes on behind its file. */
	put("a.inc", "x {\n a\n");
	put("main", "include a.inc\n b\n}\ny {\n c\n}\n");
	read_main(&r);
	ck_assert_str_eq(r.shown, "x@1/1:1{a@1/2:2;b@2:2;}y@4:1{c@5:2;}");
	ck_assert_str_eq(r.findings, "");
	release(&r);
}
END_TEST

START_TEST(test_include_findings)
{
	struct reading r;
	char path[256];

	snprintf(path, sizeof(path), "%s/fifo", folder);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	put("loop", "include main\n");
	put("main",
		"include loop\ninclude none-*\nincludew none-*\nincludem none\ninclude sub\ninclude fifo\ninclude\n");
	read_main(&r);
	ck_assert_ptr_nonnull(strstr(r.findings, "/main is already being read: it includes itself\n"));
	ck_assert_ptr_nonnull(strstr(r.findings, "main:2:9: warning: no file matches"));
	ck_assert_ptr_nonnull(strstr(r.findings, "main:3:10: error: no file matches"));
	ck_assert_ptr_nonnull(strstr(r.findings, "main:4:10: error: "));
	ck_assert_ptr_nonnull(strstr(r.findings, "main:5:9: warning: "));
	ck_assert_ptr_nonnull(strstr(r.findings, "main:6:9: warning: "));
	ck_assert_ptr_nonnull(strstr(r.findings, "not a regular file"));
	ck_assert_ptr_nonnull(strstr(r.findings, "main:7:1: error: include needs the name of a file\n"));
	release(&r);
}
END_TEST

/* A loop is found whatever way it goes: at once, through several files, a pattern, another spelling or a link. Each is
 * said where it closes, and what stands behind it is read. */
START_TEST(test_include_loops)
{
	static const char *const ways[] = {"main", "./main", "sub/../main", "mai[n]", "*ain", "link"};
	struct reading r;
	char text[64], path[256];

	snprintf(path, sizeof(path), "%s/link", folder);
	ck_assert_int_eq(symlink("main", path), 0);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		put("sub/x", "");
		snprintf(text, sizeof(text), "include %s\nbehind\n", ways[i]);
		put("main", text);
		read_main(&r);
		ck_assert_ptr_nonnull(strstr(r.findings, "main:1:9: error: "));
		ck_assert_ptr_nonnull(strstr(r.findings, " is already being read: it includes itself\n"));
		ck_assert_ptr_nonnull(strstr(r.shown, "behind@"));
		release(&r);
	}
	put("main", "include one\nbehind\n");
	put("one", "include two\n");
	put("two", "include three\n");
	put("three", "include one\ninclude main\n");
	read_main(&r);
	ck_assert_ptr_nonnull(strstr(r.findings, "three:1:9: error: "));
	ck_assert_ptr_nonnull(strstr(r.findings, "three:2:9: error: "));
	ck_assert_ptr_nonnull(strstr(r.shown, "behind@"));
	release(&r);
}
END_TEST

/* Files that include the next one twice are no loop, but double with each: a limit ends it. */
START_TEST(test_include_doubling)
{
	struct reading r;
	char name[16], text[64];

	put("main", "include f0\n");
	for (int i = 0; i < 15; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		snprintf(text, sizeof(text), "include f%d\ninclude f%d\n", i + 1, i + 1);
		put(name, text);
	}
	put("f15", "leaf\n");
	read_main(&r);
	ck_assert_ptr_nonnull(strstr(r.findings, "error: "));
	release(&r);
}
END_TEST

START_TEST(test_missing_main_file)
{
	struct reading r;

	read_main(&r);
	ck_assert_ptr_nonnull(strstr(r.findings, "main:0:0: error: the file cannot be read: No such file"));
	release(&r);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_lex");
	TCase *words = tcase_create("words"), *files = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_test(words, test_words_and_comments);
	tcase_add_test(words, test_predefined);
	tcase_add_test(words, test_quotes);
	tcase_add_test(words, test_braces);
	tcase_add_test(words, test_continued_lines);
	tcase_add_test(words, test_definitions);
	tcase_add_test(words, test_definitions_without_end);
	tcase_add_test(words, test_conditions);
	tcase_add_test(words, test_sequences);
	tcase_add_test(words, test_places);
	tcase_add_test(words, test_any_bytes);
	tcase_add_test(words, test_plain_lines);
	tcase_add_test(words, test_many_words);
	tcase_add_test(words, test_very_long_line);
	tcase_set_timeout(words, 60);
	tcase_add_checked_fixture(files, make_folder, remove_folder);
	tcase_add_test(files, test_includes);
	tcase_add_test(files, test_include_findings);
	tcase_add_test(files, test_include_loops);
	tcase_add_test(files, test_include_doubling);
	tcase_add_test(files, test_missing_main_file);
	suite_add_tcase(suite, words);
	suite_add_tcase(suite, files);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
