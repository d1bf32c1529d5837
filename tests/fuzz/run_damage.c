/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives damaged configuration files to the fuzz target of the parser, part of `make check`: prefixes of each file, the
 * file without a line, with a line twice, cut in the middle, with an open quote, an open block or a NUL byte in it. The
 * files are those named, else the project's own and, where they are, those of $POISE_SHARED/corpus (or
 * ../shared/corpus). A few places of each file by default; with POISE_LONG=1 every byte and every line. */
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1024 * 1024)
#define PLACES 3 /* of a file, without POISE_LONG */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long runs;

/* Up to three pieces, as one input of exactly their size, so that a sanitizer sees a read beyond it. */
static void run(const char *a, size_t n_a, const char *b, size_t n_b, const char *c, size_t n_c)
{
	size_t size = n_a + n_b + n_c;
	uint8_t *exact = malloc(size ? size : 1);

	if (!exact)
		abort();
	memcpy(exact, a, n_a);
	memcpy(exact + n_a, b, n_b);
	memcpy(exact + n_a + n_b, c, n_c);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	runs++;
}

/* The line from `at` on, with its end, has `length` bytes. */
static void damage_line(const char *text, size_t size, size_t at, size_t length)
{
	static const struct {
		const char *bytes;
		size_t size;
	} inserted[] = {{"\"", 1}, {"'", 1}, {"{", 1}, {"}", 1}, {"\0", 1}, {"\\", 1}, {"~SEQ(", 5}, {"${", 2}};
	size_t end = at + length, middle = at + length / 2;

	run(text, at, "", 0, text + end, size - end);
	run(text, end, text + at, length, text + end, size - end);
	run(text, middle, "", 0, text + end, size - end);
	for (size_t i = 0; i < sizeof(inserted) / sizeof(*inserted); i++)
		run(text, middle, inserted[i].bytes, inserted[i].size, text + middle, size - middle);
}

static void damage(const char *text, size_t size, int is_long)
{
	size_t step = is_long ? 1 : size / PLACES + 1, lines = 0, number = 0;

	for (size_t i = 0; i <= size; i += step)
		run(text, i, "", 0, "", 0);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	step = is_long ? 1 : lines / PLACES + 1;
	for (size_t at = 0, length; at < size; at += length) {
		const char *newline = memchr(text + at, '\n', size - at);

		length = newline ? (size_t)(newline - text) + 1 - at : size - at;
		if (number++ % step == 0)
			damage_line(text, size, at, length);
	}
}

static int damage_file(const char *path, int is_long)
{
	static char text[FILE_MAX];
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		return 0;
	size = fread(text, 1, sizeof(text), file);
	fclose(file);
	damage(text, size, is_long);
	return 1;
}

static int damage_all(const char *folder, const char *pattern, int is_long)
{
	char path[4096];
	glob_t found;
	int files = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, pattern);
	if (glob(path, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		files += damage_file(found.gl_pathv[i], is_long);
	globfree(&found);
	return files;
}

int main(int argc, char **argv)
{
	const char *source = getenv("srcdir"), *shared = getenv("POISE_SHARED"), *length = getenv("POISE_LONG");
	int is_long = length && *length, files = 0;

	for (int i = 1; i < argc; i++)
		files += damage_file(argv[i], is_long);
	if (argc == 1) {
		source = source ? source : ".";
		files = damage_all(source, "etc/*.conf", is_long) + damage_all(source, "tests/config/*.conf", is_long);
		if (files == 0) {
			fprintf(stderr, "no file of the project was found in %s\n", source);
			return 1;
		}
		files += shared ? damage_all(shared, "corpus/*.conf", is_long)
				: damage_all(source, "../shared/corpus/*.conf", is_long);
	}
	printf("%d files, damaged %lu times\n", files, runs);
	return files ? 0 : 1;
}
