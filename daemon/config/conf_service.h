/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What services and servers have in common. */
#ifndef POISE_CONF_SERVICE_H
#define POISE_CONF_SERVICE_H

#include "conf_print.h"

/* Reads NAT, DR or TUN [type ipip] behind the keyword: an enum conf_forward; NAT (said) for another word. */
int conf_forward_read(struct conf_load *load, const struct conf_node *node);
const char *conf_forward_name(uint32_t forward);
/* Values that the checks of a service or a server inherit. */
extern const struct conf_directive conf_server_timing[];
/* Prints the real_server block of a record. */
conf_print_fn conf_server_print;

#endif
