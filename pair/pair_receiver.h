/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's receiver of connections has waiting and has dropped, from its line in /proc/net/udp or udp6. Pure.
 */
#ifndef POISE_PAIR_RECEIVER_H
#define POISE_PAIR_RECEIVER_H

#include "addr.h"
#include <stdbool.h>
#include <stdint.h>

struct pair_receiver {
	bool is_there;
	uint64_t waiting; /* bytes, with the kernel's own about them */
	uint64_t dropped; /* datagrams since it was opened */
};

/* A line; sockets at another address or port than the group's, and our own (by its inode), are passed over. Several are
 * taken for one: the longest queue, all drops. */
void pair_receiver_take_line(
	struct pair_receiver *r, const char *line, const struct addr *group, uint16_t port, uint64_t own_inode);

#endif
