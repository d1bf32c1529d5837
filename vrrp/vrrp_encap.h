/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a route wraps its packets in, as the kernel's lightweight tunnels have it. Pure: a record in, attributes out. */
#ifndef POISE_VRRP_ENCAP_H
#define POISE_VRRP_ENCAP_H

#include "conf_routing.h"

struct nl_msg;

/* Puts RTA_ENCAP_TYPE and RTA_ENCAP into the message, behind the other attributes of the route or next hop. What the
 * kernel tells back in any case is given in any case, so that the two can be compared attribute by attribute. Returns 0
 * or -EMSGSIZE. */
int vrrp_encap_put(struct nl_msg *msg, const struct conf_encap *encap);

#endif
