/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs a fuzz target over its seeds and over mutations of them, with any compiler and without libFuzzer: part of
 * `make check`. The seeds of seeds_NAME are the files of tests/fuzz/seeds/NAME. It finds what is broken at once; the
 * real fuzzers look for the rest (./configure --enable-fuzzers CC=clang). */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX (1024 * 1024)
#define MUTATIONS 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The copy has exactly the size of the input, so that a sanitizer sees a read beyond it. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *exact = malloc(size ? size : 1);

	if (size)
		memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void mutate(const uint8_t *seed, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	for (int i = 0; i < MUTATIONS; i++) {
		size_t length = size;

		memcpy(copy, seed, size);
		for (int changes = rand() % 4; changes >= 0 && length > 0; changes--) {
			size_t at = (size_t)rand() % length;

			if (rand() % 5 == 0)
				length = at;
			else
				copy[at] = rand() % 2 ? (uint8_t)rand() : (uint8_t)(copy[at] ^ 1u << rand() % 8);
		}
		run(copy, length);
	}
	free(copy);
}

static int run_file(const char *folder, const char *name)
{
	static uint8_t data[SEED_MAX];
	char path[4096];
	size_t size;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	if (!file)
		return 0;
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	run(data, size);
	mutate(data, size);
	return 1;
}

int main(int argc, char **argv)
{
	const char *source = getenv("srcdir"), *name = strstr(argv[0], "seeds_");
	const struct dirent *entry;
	char folder[2048];
	int files = 0;
	DIR *dir;

	while (name && strstr(name + 1, "seeds_"))
		name = strstr(name + 1, "seeds_");
	if (argc > 1)
		snprintf(folder, sizeof(folder), "%s", argv[1]);
	else
		snprintf(folder, sizeof(folder), "%s/tests/fuzz/seeds/%s", source ? source : ".", name ? name + 6 : "");
	srand(1);
	run(NULL, 0);
	dir = opendir(folder);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			files += run_file(folder, entry->d_name);
	if (dir)
		closedir(dir);
	printf("%d seeds of %s\n", files, folder);
	return files ? 0 : 1;
}
