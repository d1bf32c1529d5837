/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files of a configuration, held in memory while it is read. */
#ifndef POISE_CONF_SOURCE_H
#define POISE_CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Limits that keep a damaged or hostile file from taking the machine's memory. */
#define CONF_FILE_SIZE_MAX (512u << 20)
#define CONF_FILES_MAX 10000u

struct conf_source {
	char *name; /* as the operator wrote it, made of the including file's folder and the pattern */
	char *data;
	size_t size;
	uint64_t device, inode; /* 0, 0 for text that is no file */
	int64_t mtime_real_us;  /* 0 for text that is no file */
};

struct conf_folder {
	char *name;
	int64_t mtime_real_us;
};

struct conf_sources {
	struct conf_source *files;
	uint32_t count, room;
	struct conf_folder *folders; /* that were looked through */
	uint32_t n_folders, folders_room;
	uint64_t total;
};

/* Reads a regular file. *number receives its number. Returns 0 or -errno (-EFBIG: too large, -EISDIR and -ENXIO: not a
 * regular file, -ENFILE: too many files). */
int conf_source_read(struct conf_sources *s, const char *name, uint32_t *number);
/* Adds a copy of text as if it were a file. */
uint32_t conf_source_add_text(struct conf_sources *s, const char *name, const char *text, size_t size);
/* Remembers when a folder was last changed: a file more in it may be one that an include matches. */
void conf_source_add_folder(struct conf_sources *s, const char *name);
void conf_sources_free(struct conf_sources *s);

/* The folder of a file without the last slash, "." when the name has none. The caller frees it. */
char *conf_source_folder(const char *name);

/* The text of a line (from 1), without its end; *length receives its length. *hint is a place to start searching from,
 * zeroed before the first call: lines asked for in rising order are found in linear time. */
struct conf_line_hint {
	uint32_t file, line;
	size_t offset;
};
const char *conf_source_line(
	const struct conf_sources *s, uint32_t file, uint32_t line, struct conf_line_hint *hint, size_t *length);

#endif
