/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket of a health check, made as the configuration says: by the checker itself, or, where that needs a
 * privilege, by the parent, who lends it. */
#ifndef POISE_CHECK_SOCKET_H
#define POISE_CHECK_SOCKET_H

#include "check_reason.h"
#include "conf.h"

/* True when only a privileged process can make it: a mark, or a source port below 1024. */
bool check_socket_needs_lender(const struct conf_check *check);
/* Opens a non-blocking socket of the right type with bindto, bind_if, bind_port and fwmark. Returns the descriptor, or
 * -1 with the cause in *reason and a sentence in why (WHY_SIZE bytes). */
int check_socket_open(const struct conf *conf, const struct conf_check *check, enum reason *reason, char *why);

#endif
