/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual addresses and unicast peers of an instance. */
#ifndef POISE_CONF_ADDRESS_H
#define POISE_CONF_ADDRESS_H

#include "conf_print.h"

/* Readers of one line of the blocks. */
conf_apply_fn conf_address_virtual, conf_address_excluded, conf_address_static, conf_address_peer;
/* Puts the advertised addresses of the current instance before the excluded ones and sets its ranges. first: records of
 * the tables when its block began. */
void conf_address_end(struct conf_load *load, uint32_t first_address, uint32_t first_peer);
void conf_print_addresses(struct conf_printer *p, const struct conf_instance *i);
/* Those of no instance. */
void conf_print_static_addresses(struct conf_printer *p);
void conf_print_peers(struct conf_printer *p, const struct conf_instance *i);

#endif
