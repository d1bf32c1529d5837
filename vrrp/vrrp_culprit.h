/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who took an address, a route or a rule away: for the operator, who has to tell that program not to. */
#ifndef POISE_VRRP_CULPRIT_H
#define POISE_VRRP_CULPRIT_H

#include <stddef.h>
#include <stdint.h>

/* Writes "somebody else", with the program's name and process where they can be told, and returns text. port is that of
 * the rtnetlink request (nlmsg_pid of the notification): 0 = the kernel did not say. By custom it is the number of the
 * process for its first socket; of further sockets nothing is known. size of 96 is enough. */
const char *vrrp_culprit(uint32_t port, char *text, size_t size);

#endif
