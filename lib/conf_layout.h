/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a configuration generation lies in its memfd, and where its records refer to each other. Only conf*.c in lib
 * and who digests whole records include this: everybody else sees mapped tables (conf.h). */
#ifndef POISE_CONF_LAYOUT_H
#define POISE_CONF_LAYOUT_H

#include "conf.h"

/* Most words a command may have; bounds the walk of conf_open() over a hostile table. */
#define CONF_ARGC_MAX 1024

struct conf_section {
	uint64_t offset; /* from the beginning of the file, a multiple of 8 */
	uint32_t count;
	uint32_t record_size;
};

struct conf_header {
	uint32_t magic;
	uint32_t layout;
	uint64_t generation;
	uint64_t size; /* of the whole file */
	uint32_t table_count;
	uint32_t zero;
	struct conf_section tables[CONF_TABLE_COUNT];
};

enum conf_field_kind {
	CONF_FIELD_STRING,  /* conf_string_t */
	CONF_FIELD_INDEX,   /* conf_index_t into table `limit`, CONF_NONE allowed */
	CONF_FIELD_RANGE,   /* struct conf_range of table `limit` */
	CONF_FIELD_COMMAND, /* struct conf_command */
	CONF_FIELD_ENUM8,   /* uint8_t below `limit` */
	CONF_FIELD_ENUM16,  /* uint16_t below `limit` */
	CONF_FIELD_ENUM32,  /* uint32_t below `limit` */
	CONF_FIELD_ADDR,    /* struct addr: a known family */
	CONF_FIELD_OBJECT,  /* conf_index_t whose table follows from the conf_owner just before it */
};

/* A member of a record that must be checked before anybody may use it as an index. */
struct conf_field {
	uint8_t table;
	uint8_t kind;
	uint16_t offset;
	uint32_t limit;
};

extern const struct conf_field conf_fields[];
extern const unsigned conf_field_count;

/* Size of a record of this table. */
size_t conf_record_size(enum conf_table table);
/* The table of the objects of this owner, or CONF_TABLE_COUNT for a number that is no owner. */
enum conf_table conf_owner_table(uint32_t owner);
/* Fills the header for these counts; offsets and size follow from them. */
void conf_header_fill(struct conf_header *h, uint64_t generation, const uint32_t counts[CONF_TABLE_COUNT]);
/* Writes header and tables into fd from its beginning. Returns 0 or -errno. */
int conf_header_write(int fd, const struct conf_header *h, const void *const tables[CONF_TABLE_COUNT]);

/* Writes a whole image (header.size bytes; the header in it need not be filled) into a new sealed memfd. Returns the
 * descriptor or -errno. */
int conf_write_sealed(const char *image, const struct conf_header *h);

#endif
