/* SPDX-License-Identifier: GPL-2.0-or-later */
/* encap: what the packets of a route or of one of its next hops are wrapped in. */
#ifndef POISE_CONF_ENCAP_READ_H
#define POISE_CONF_ENCAP_READ_H

#include "conf_print.h"

/* Reads TYPE and its words from word *at on, which is left at the last one that was read. Returns false when
 * it is wrong, which was said then. */
bool conf_encap_read(struct conf_load *load, const struct conf_node *node, uint32_t *at, struct conf_encap *encap);
/* " encap mpls 16/17", as it is read. */
void conf_encap_print(FILE *out, const struct conf_encap *encap);
/* The bytes that it takes in a message to the kernel, at most. */
uint32_t conf_encap_size(const struct conf_encap *encap);

#endif
