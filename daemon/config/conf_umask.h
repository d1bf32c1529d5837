/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyword umask. */
#ifndef POISE_CONF_UMASK_H
#define POISE_CONF_UMASK_H

#include "conf_print.h"

/* Without the keyword: that of keepalived 2.2.7, which its manual page does not tell, and in our dialect 022. */
uint32_t conf_umask_usual(enum conf_dialect dialect);
conf_apply_fn conf_umask_apply;
conf_print_fn conf_umask_print;

#endif
