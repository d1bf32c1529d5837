/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SNMP keywords of global_defs. */
#ifndef POISE_CONF_SNMP_H
#define POISE_CONF_SNMP_H

#include "conf_directive.h"

extern const struct conf_directive conf_snmp_directives[];

#endif
