/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notification FIFOs of global_defs. */
#ifndef POISE_CONF_FIFO_H
#define POISE_CONF_FIFO_H

#include "conf_print.h"

/* notify_fifo, vrrp_notify_fifo, lvs_notify_fifo; and with _script. */
conf_apply_fn conf_fifo_apply;
/* All of them. */
conf_print_fn conf_fifo_print;

#endif
