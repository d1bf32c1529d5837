/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interface_up_down_delays: a link that goes up or down counts as what it was until the delay is over. Pure. */
#ifndef POISE_VRRP_DAMP_H
#define POISE_VRRP_DAMP_H

#include "conf.h"
#include "mono.h"
#include "vrrp_link.h"

/* What is remembered of one delayed interface. Zeroed = nothing yet. */
struct vrrp_damp {
	uint32_t line;      /* of the interface it is about; another one begins anew */
	uint32_t counted;   /* flags that count */
	struct mono since;  /* when the kernel's began to differ in whether the link runs; not set = they do not */
	bool is_known, zero[3];
};

/* Sets the flags that count of every interface in the image. damps: conf->n_link_delays of them. Returns when
 * to look again; not set = when something changes. */
struct mono vrrp_damp_apply(const struct conf *conf, struct vrrp_damp *damps, struct links *links, struct mono now);

#endif
