/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces that are made for an instance: use_vmac, use_vmac_addr, use_ipvlan, and use_vmac behind an address. */
#ifndef POISE_CONF_LINK_H
#define POISE_CONF_LINK_H

#include "conf_print.h"

conf_apply_fn conf_link_vmac, conf_link_ipvlan;
/* use_vmac or use_ipvlan, as it is read. */
void conf_print_link(struct conf_printer *p, uint32_t record);
/* Makes the records of an instance's interfaces, and says of each address which of them holds it. */
void conf_finish_links(struct conf_load *load, conf_index_t instance);
/* A rule about finished tables: what one record asks for, another may not. */
void conf_check_link(struct conf_load *load, conf_index_t link);

#endif
