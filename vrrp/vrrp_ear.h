/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hears when routes or rules like ours change. What changed is not read: the look afterwards (vrrp_pave.h) tells all.
 */
#ifndef POISE_VRRP_EAR_H
#define POISE_VRRP_EAR_H

#include "conf.h"

/* A socket that becomes readable when a rule, or a route of one of the protocols in conf, changes: the kernel filters,
 * since a router may have a million others. Returns a descriptor or -errno. */
int vrrp_ear_open(const struct conf *conf);
/* Reads what has come, and not without an end: what is left makes it readable again. Returns the rtnetlink port that removed something last, 0 = nobody or not known. */
uint32_t vrrp_ear_read(int fd);

#endif
