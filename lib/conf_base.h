/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the records of a configuration generation are made of: references, texts, lists, commands, secrets. */
#ifndef POISE_CONF_BASE_H
#define POISE_CONF_BASE_H

#include "addr.h"
#include <stdint.h>

#define CONF_NONE UINT32_MAX

typedef uint32_t conf_string_t; /* offset into the string table, 0 = absent */
typedef uint32_t conf_index_t;  /* record number, CONF_NONE = absent */

struct conf_range {
	uint32_t first, count;
};

/* A command: words in the string table, each terminated by \0, argc of them, from `argv` on. */
struct conf_command {
	conf_string_t argv;
	uint32_t argc;
	conf_string_t user, group; /* 0: see script_user_choose() of the script role */
};

struct conf_secret {
	uint8_t bytes[64];
	uint32_t length;
};

#endif
