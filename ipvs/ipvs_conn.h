/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/net/ip_vs_conn, the kernel's list of connections. Needed because the counters of a server do not tell
 * a connection that is over (and stands in the table for two more minutes) from one that still carries data. Pure. */
#ifndef POISE_IPVS_CONN_H
#define POISE_IPVS_CONN_H

#include "ipvs_image.h"

struct ipvs_conn {
	uint16_t protocol;
	uint16_t virtual_port, dest_port; /* host order */
	struct addr virtual, dest;
	bool is_template; /* of persistence, not a connection */
	bool is_over;     /* closed by both sides; the kernel only remembers it */
};

/* Returns 0, or -1 for the heading and for what is not understood. */
int ipvs_conn_parse(const char *line, struct ipvs_conn *out);

/* Does it go through the service to the server? With a mark any virtual address may be meant: then it is counted. */
bool ipvs_conn_belongs(const struct ipvs_conn *conn, const struct ipvs_key *service, const struct ipvs_dest_key *dest);

#endif
