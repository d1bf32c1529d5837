/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keywords of global_defs about the other node and its connections. */
#ifndef POISE_CONF_PAIR_H
#define POISE_CONF_PAIR_H

#include "conf_directive.h"

extern const struct conf_directive conf_pair_directives[];

#endif
