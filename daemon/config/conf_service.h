/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What services and servers have in common. */
#ifndef POISE_CONF_SERVICE_H
#define POISE_CONF_SERVICE_H

#include "conf_print.h"

/* Reads NAT, DR or TUN with the kind of tunnel behind the keyword: an enum conf_forward; `otherwise` for another word,
 * which is said. */
int conf_forward_read(struct conf_load *load, const struct conf_node *node, int otherwise, struct conf_tunnel *tunnel);
void conf_forward_print(
	struct conf_printer *p, const char *keyword, uint32_t forward, const struct conf_tunnel *tunnel);
/* The keywords of a service about where it stands and whom it serves (conf_guard.c). */
extern const struct conf_directive conf_guard_directives[];
/* Those of global_defs about IPVS (conf_lvs.c). */
extern const struct conf_directive conf_lvs_directives[];
/* Values that the checks of a service or a server inherit. */
extern const struct conf_directive conf_server_timing[];
/* Prints the real_server block of a record. */
conf_print_fn conf_server_print;

#endif
