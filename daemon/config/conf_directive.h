/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Directive tables: one line for each keyword says its name, kind, field, range, default, what a change of it means on
 * reload, and what it does in a sentence. Parsing, range messages, defaults, the canonical print and the manual page
 * come from that line. */
#ifndef POISE_CONF_DIRECTIVE_H
#define POISE_CONF_DIRECTIVE_H

#include "conf_tree.h"
#include <stddef.h>
#include <stdint.h>

struct conf_load;
struct conf_block;
struct conf_printer;

enum conf_kind {
	CONF_KIND_FLAG,     /* sets the field to 1; an optional yes or no may follow */
	CONF_KIND_UNFLAG,   /* sets the field to 0 */
	CONF_KIND_NUMBER,   /* integer from low to high */
	CONF_KIND_TIME,     /* seconds with decimals; field, low and high in microseconds */
	CONF_KIND_TEXT,     /* one word, into the string table */
	CONF_KIND_ADDRESS,  /* struct addr */
	CONF_KIND_CHOICE,   /* one of a list of words; the field gets its position */
	CONF_KIND_CALL,     /* a function reads it */
	CONF_KIND_BLOCK,    /* a block with a table of its own */
	CONF_KIND_LINES,    /* a block whose every statement a function reads */
	CONF_KIND_IGNORED,  /* accepted because it has no meaning here: a note; help says why */
	CONF_KIND_INACTIVE, /* accepted, but what it asks for is not done: a warning; help says what to do instead */
	CONF_KIND_REFUSED,  /* an error; help says what to do instead */
};

/* What a change of the value does to a running daemon. */
enum conf_reload {
	CONF_RELOAD_LIVE,   /* taken over while the object goes on */
	CONF_RELOAD_OBJECT, /* the object starts anew */
	CONF_RELOAD_START,  /* only when poised starts */
	CONF_RELOAD_NONE,   /* nothing */
};

/* Where the field lies. */
enum conf_home {
	CONF_HOME_NONE,
	CONF_HOME_RECORD,   /* the record of the block's table */
	CONF_HOME_EXTRA,    /* the struct conf_extra of that record: values that others inherit */
	CONF_HOME_DEFAULTS, /* struct conf_defaults: values from global_defs that instances inherit */
};

/* A reader of one statement. words[0] is the keyword. */
typedef void conf_apply_fn(struct conf_load *load, const struct conf_node *node);
/* Prints the statement(s) of this keyword for a record when its value is not the default. */
typedef void conf_print_fn(struct conf_printer *p, uint32_t record);

struct conf_directive {
	const char *name;
	enum conf_kind kind;
	enum conf_home home;
	uint16_t offset, size;
	int64_t low, high;
	int64_t fallback; /* default; of a TEXT 0 = none */
	enum conf_reload reload;
	const char *help;
	const char *const *choices;
	conf_apply_fn *apply;
	conf_print_fn *print;
	const struct conf_block *block;
};

/* A block: keywords in one or more tables, each ended by a line without a name. */
#define CONF_BLOCK_TABLES 5
struct conf_block {
	const char *name;
	int table; /* enum conf_table of its records, -1 = none */
	const struct conf_directive *directives[CONF_BLOCK_TABLES];
	/* begin() makes the record and returns true to have the block read, false to skip it; end() completes it. */
	bool (*begin)(struct conf_load *load, const struct conf_node *node);
	void (*end)(struct conf_load *load, const struct conf_node *node);
	conf_print_fn *print; /* the whole block of one record */
	bool body_optional;   /* may be written without { } */
	bool is_brief;        /* once it was read its words matter to findings alone */
};

#define CONF_RECORD(type, member) CONF_HOME_RECORD, offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define CONF_EXTRA(member)                                                                                             \
	CONF_HOME_EXTRA, offsetof(struct conf_extra, member), sizeof(((struct conf_extra *)0)->member)
#define CONF_DEFAULTS(member)                                                                                          \
	CONF_HOME_DEFAULTS, offsetof(struct conf_defaults, member), sizeof(((struct conf_defaults *)0)->member)

#define CONF_S 1000000LL
#define CONF_MS 1000LL
/* As a fallback: there is no default, a wrong value refuses the file. */
#define CONF_REQUIRED INT64_MIN

/* The lines of a table. */
#define FLAG(name, field, reload, help)                                                                                \
	{                                                                                                              \
		name, CONF_KIND_FLAG, field, 0, 1, 0, CONF_RELOAD_##reload, help, 0, 0, 0, 0                           \
	}
/* keepalived knows no value behind this one: whatever follows is ignored in its dialect. */
#define PLAIN(name, field, reload, help)                                                                               \
	{                                                                                                              \
		name, CONF_KIND_FLAG, field, 0, 0, 0, CONF_RELOAD_##reload, help, 0, 0, 0, 0                           \
	}
#define FLAG_ON(name, field, reload, help)                                                                             \
	{                                                                                                              \
		name, CONF_KIND_FLAG, field, 0, 1, 1, CONF_RELOAD_##reload, help, 0, 0, 0, 0                           \
	}
#define UNFLAG(name, field, reload, help)                                                                              \
	{                                                                                                              \
		name, CONF_KIND_UNFLAG, field, 0, 1, 1, CONF_RELOAD_##reload, help, 0, 0, 0, 0                         \
	}
#define NUMBER(name, field, low, high, fallback, reload, help)                                                         \
	{                                                                                                              \
		name, CONF_KIND_NUMBER, field, low, high, fallback, CONF_RELOAD_##reload, help, 0, 0, 0, 0             \
	}
#define TIME(name, field, low, high, fallback, reload, help)                                                           \
	{                                                                                                              \
		name, CONF_KIND_TIME, field, low, high, fallback, CONF_RELOAD_##reload, help, 0, 0, 0, 0               \
	}
/* keepalived counts this one in whole seconds. */
#define SECONDS(name, field, low, high, fallback, reload, help)                                                        \
	{                                                                                                              \
		name, CONF_KIND_TIME, field, low, high, fallback, CONF_RELOAD_##reload, help, conf_whole_seconds, 0,   \
			0, 0                                                                                           \
	}
#define TEXT(name, field, reload, help)                                                                                \
	{                                                                                                              \
		name, CONF_KIND_TEXT, field, 0, 0, 0, CONF_RELOAD_##reload, help, 0, 0, 0, 0                           \
	}
#define ADDRESS(name, field, reload, help)                                                                             \
	{                                                                                                              \
		name, CONF_KIND_ADDRESS, field, 0, 0, 0, CONF_RELOAD_##reload, help, 0, 0, 0, 0                        \
	}
#define CHOICE(name, field, choices, fallback, reload, help)                                                           \
	{                                                                                                              \
		name, CONF_KIND_CHOICE, field, 0, 0, fallback, CONF_RELOAD_##reload, help, choices, 0, 0, 0            \
	}
#define CALL(name, apply, print, reload, help)                                                                         \
	{                                                                                                              \
		name, CONF_KIND_CALL, CONF_HOME_NONE, 0, 0, 0, 0, 0, CONF_RELOAD_##reload, help, 0, apply, print, 0    \
	}
#define LINES(name, apply, print, reload, help)                                                                        \
	{                                                                                                              \
		name, CONF_KIND_LINES, CONF_HOME_NONE, 0, 0, 0, 0, 0, CONF_RELOAD_##reload, help, 0, apply, print, 0   \
	}
#define BLOCK(name, block, reload, help)                                                                               \
	{                                                                                                              \
		name, CONF_KIND_BLOCK, CONF_HOME_NONE, 0, 0, 0, 0, 0, CONF_RELOAD_##reload, help, 0, 0, 0, block       \
	}
#define IGNORED(name, help)                                                                                            \
	{                                                                                                              \
		name, CONF_KIND_IGNORED, CONF_HOME_NONE, 0, 0, 0, 0, 0, CONF_RELOAD_NONE, help, 0, 0, 0, 0             \
	}
#define INACTIVE(name, help)                                                                                           \
	{                                                                                                              \
		name, CONF_KIND_INACTIVE, CONF_HOME_NONE, 0, 0, 0, 0, 0, CONF_RELOAD_NONE, help, 0, 0, 0, 0            \
	}
#define REFUSED(name, help)                                                                                            \
	{                                                                                                              \
		name, CONF_KIND_REFUSED, CONF_HOME_NONE, 0, 0, 0, 0, 0, CONF_RELOAD_NONE, help, 0, 0, 0, 0             \
	}
#define END_OF_TABLE                                                                                                   \
	{                                                                                                              \
		0                                                                                                      \
	}

extern const char *const conf_whole_seconds[]; /* marks a TIME */
extern const struct conf_block conf_root_block;
extern const struct conf_block conf_global_block;
extern const struct conf_block conf_trap_target_block;
extern const struct conf_block conf_instance_block;
extern const struct conf_block conf_group_block;
extern const struct conf_block conf_script_block;
extern const struct conf_block conf_track_group_block;
extern const struct conf_block conf_process_block, conf_track_file_block, conf_bfd_block, conf_ssl_global_block;
extern const struct conf_block conf_service_group_block;
extern const struct conf_block conf_service_block;
extern const struct conf_block conf_server_block;
extern const struct conf_block conf_tcp_block, conf_http_block, conf_ssl_block, conf_misc_block, conf_tls_block;
extern const struct conf_block conf_smtp_block, conf_dns_block, conf_udp_block, conf_ping_block, conf_file_block;
extern const struct conf_block conf_agent_block, conf_grpc_block, conf_bfd_check_block;

/* The line of this keyword in the block, or NULL. *number receives its position over all tables of the block. */
const struct conf_directive *conf_directive_find(const struct conf_block *block, const char *name, unsigned *number);
/* The i-th line of the block over all tables, NULL behind the last. */
const struct conf_directive *conf_directive_at(const struct conf_block *block, unsigned i);

#endif
