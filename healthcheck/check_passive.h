/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passive detection: with NAT the answers of a server come back through the kernel's counters, so one that is sent
 * packets of new connections and returns none is in doubt before its next check. Pure. */
#ifndef POISE_CHECK_PASSIVE_H
#define POISE_CHECK_PASSIVE_H

#include <stdbool.h>
#include <stdint.h>

/* Fewer unanswered packets may just be under way. */
#define PASSIVE_PACKETS 3

/* What the kernel has counted for a server so far. */
struct passive {
	uint64_t connections, packets_in, packets_out;
	uint64_t silent; /* packets since it last answered */
	bool is_known;
};

/* Takes the counters of a later moment. Returns true when there is reason for doubt: new connections have gone to the
 * server since the last look, and of PASSIVE_PACKETS or more packets none was answered. Counters that have gone back
 * (the server was added anew) begin again. */
bool passive_look(struct passive *p, uint64_t connections, uint64_t packets_in, uint64_t packets_out);

#endif
