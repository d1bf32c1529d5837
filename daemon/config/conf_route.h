/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes in the words of `ip route add`: virtual_routes and static_routes. */
#ifndef POISE_CONF_ROUTE_H
#define POISE_CONF_ROUTE_H

#include "conf_print.h"

/* Readers of one line: of an instance, outside one. */
conf_apply_fn conf_route_virtual, conf_route_static;
/* Prints those of an instance (CONF_NONE: of none) as a block, when there are any; keyword: of the block. */
void conf_print_routes(struct conf_printer *p, conf_index_t instance, const char *keyword);

/* ADDRESS[/PREFIX], default or default6, with the bits behind the prefix cleared. family: AF_UNSPEC when not known yet,
 * else it has to be of that one. Returns false when the word is none. */
bool conf_route_prefix(const char *word, uint8_t family, struct addr *addr, uint8_t *prefix);
/* " from 10.0.0.0/8"; nothing for a prefix of 0. */
void conf_route_print_prefix(FILE *out, const char *word, const struct addr *addr, uint8_t prefix);

#endif
