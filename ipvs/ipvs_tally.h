/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel has counted for services and servers. It stands beside their settings, not in them: a table that is
 * wanted has nothing to count, and neither has a server that nobody has come to. Plain containers. */
#ifndef POISE_IPVS_TALLY_H
#define POISE_IPVS_TALLY_H

#include <stdint.h>

struct ipvs_counters {
	uint64_t connections, packets_in, packets_out, bytes_in, bytes_out;
	/* a second, the kernel's mean of the last moments */
	uint64_t connections_rate, packets_in_rate, packets_out_rate, bytes_in_rate, bytes_out_rate;
};

struct ipvs_tally {
	uint32_t active, inactive, persistent; /* of a server: connections and templates that are listed now */
	uint32_t zero;                         /* no padding: memcmp() works */
	struct ipvs_counters counters;
};

/* Tallies of many, by number. Who has nothing but zeros has number 0 and takes no room. */
struct ipvs_tallies {
	struct ipvs_tally *list;
	uint32_t n, room;
};

void ipvs_tallies_clear(struct ipvs_tallies *tallies);
/* Makes room for so many in all. Best effort. */
void ipvs_tallies_reserve(struct ipvs_tallies *tallies, uint32_t n);
/* Keeps a copy and sets *number. Returns 0 or -ENOMEM. */
int ipvs_tallies_add(struct ipvs_tallies *tallies, const struct ipvs_tally *tally, uint32_t *number);
/* Never NULL; valid until the next add. */
const struct ipvs_tally *ipvs_tallies_get(const struct ipvs_tallies *tallies, uint32_t number);

/* Connections that the kernel lists for a server, templates of persistence too. */
uint64_t ipvs_tally_connections(const struct ipvs_tally *tally);

#endif
