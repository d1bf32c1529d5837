/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/net/ip_vs_conn, the kernel's list of connections. Needed because the counters of a server do not tell
 * a connection that is over (and stands in the table for two more minutes) from one that still carries data. Pure. */
#ifndef POISE_IPVS_CONN_H
#define POISE_IPVS_CONN_H

#include "ipvs_image.h"

#define IPVS_CONN_ENGINE_DATA 255 /* the kernel's IP_VS_PEDATA_MAXLEN */

struct ipvs_conn {
	uint16_t protocol;                             /* IPPROTO_IP: a template of a service by mark */
	uint16_t client_port, virtual_port, dest_port; /* host order */
	uint16_t state;                                /* the kernel's number of the protocol's state */
	uint32_t expires_s;                            /* from now, unless a packet comes */
	struct addr client, virtual, dest; /* virtual of a template of a service by mark: the mark as an address */
	bool is_template;                  /* of persistence, not a connection */
	bool is_over;                      /* closed by both sides; the kernel only remembers it */
	char engine[IPVS_NAME_SIZE];       /* of persistence, "" = none */
	uint8_t engine_size;
	char engine_data[IPVS_CONN_ENGINE_DATA];
};

/* States by the kernel's numbers, as far as somebody asks for them. */
enum ipvs_tcp_state {
	IPVS_TCP_NONE,
	IPVS_TCP_ESTABLISHED,
	IPVS_TCP_SYN_SENT,
	IPVS_TCP_SYN_RECV,
	IPVS_TCP_FIN_WAIT,
	IPVS_TCP_TIME_WAIT,
	IPVS_TCP_CLOSE,
	IPVS_TCP_CLOSE_WAIT,
	IPVS_TCP_LAST_ACK,
	IPVS_TCP_LISTEN,
	IPVS_TCP_SYNACK
};
#define IPVS_SCTP_ESTABLISHED 8
#define IPVS_SCTP_REJECTED 12

/* Returns 0, or -1 for the heading and for what is not understood. */
int ipvs_conn_parse(const char *line, struct ipvs_conn *out);

/* Does it go through the service to the server? With a mark any virtual address may be meant: then it is counted. */
bool ipvs_conn_belongs(const struct ipvs_conn *conn, const struct ipvs_key *service, const struct ipvs_dest_key *dest);

#endif
