/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the kernel's list of UDP sockets for one of them; used by the pair role. Touches nothing but its arguments. */
#include "pair_receiver.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* As the kernel writes it: each word of the address in the machine's own order. */
static void format_socket(const struct addr *group, uint16_t port, char out[48])
{
	size_t at = 0;

	for (size_t i = 0; i < addr_len(group); i += 4) {
		uint32_t word;

		memcpy(&word, group->bytes + i, sizeof(word));
		at += (size_t)snprintf(out + at, 48 - at, "%08" PRIX32, word);
	}
	snprintf(out + at, 48 - at, ":%04X", port);
}

void pair_receiver_take_line(
	struct pair_receiver *r, const char *line, const struct addr *group, uint16_t port, uint64_t own_inode)
{
	char wanted[48], local[48];
	unsigned long long waiting, inode, dropped;

	format_socket(group, port, wanted);
	/* number: local remote state out:in timer:when retries uid timeout inode references pointer drops */
	if (sscanf(line, " %*[0-9]: %47s %*s %*s %*[0-9A-F]:%llx %*s %*s %*s %*s %llu %*s %*s %llu", local, &waiting,
		    &inode, &dropped) != 4 ||
		strcmp(local, wanted) != 0 || inode == own_inode)
		return;
	r->is_there = true;
	if (waiting > r->waiting)
		r->waiting = waiting;
	r->dropped += dropped;
}
