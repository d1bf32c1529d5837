/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of numbers, as ip(8) knows them: routing tables, protocols, scopes, realms, DS fields. */
#ifndef POISE_CONF_IPROUTE_H
#define POISE_CONF_IPROUTE_H

#include "conf_print.h"

enum conf_iproute { CONF_IPROUTE_TABLE, CONF_IPROUTE_PROTOCOL, CONF_IPROUTE_REALM, CONF_IPROUTE_DSFIELD };

/* The number that the word stands for: decimal, 0x..., a name of the usual ones, or one of the system's files in
 * /etc/iproute2 (not read where the load reads no files). Returns false when it is none, or beyond `high`. */
bool conf_iproute_number(
	struct conf_load *load, enum conf_iproute what, const char *word, uint32_t high, uint32_t *out);
/* A number in decimal or hexadecimal. */
bool conf_iproute_plain(const char *word, uint32_t high, uint32_t *out);

#endif
