/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is an AgentX master there and alive? Asks with one ping on a connection of its own (RFC 2741, 6.2.10) and never
 * blocks: a master that is stopped accepts connections until its backlog is full and then lets connect() hang, so
 * only an answer counts. */
#ifndef POISE_SNMP_AGENTX_PROBE_H
#define POISE_SNMP_AGENTX_PROBE_H

#include "loop.h"
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define AGENTX_HEADER_SIZE 20

/* Where the master listens. */
struct agentx_address {
	struct sockaddr_storage ss;
	socklen_t length;
	char spec[140]; /* the same for the SNMP library: "unix:/path" or "tcp:192.0.2.1:705" */
};

/* Parses "unix:PATH", "PATH", "tcp:ADDRESS[:PORT]", "ADDRESS:PORT"; ADDRESS may be localhost. Returns 0, or -1 for
 * anything else (names would have to be resolved, which blocks). */
int agentx_address_parse(const char *text, struct agentx_address *out);

/* The ping. */
void agentx_ping_encode(uint8_t packet[AGENTX_HEADER_SIZE]);
/* Is this the beginning of a response PDU of version 1, in either byte order? (That the session is unknown does not
 * matter.) */
bool agentx_is_response(const uint8_t *packet, size_t size);

/* One probe at a time. */
struct agentx_probe {
	struct loop *loop;
	/* Called once, unless cancelled before: error 0 = answered, else an errno. May be called by
	 * agentx_probe_start(). */
	void (*done)(void *arg, int error);
	void *arg;
	int fd;
	struct loop_io *io;
	bool is_sent;
};

void agentx_probe_init(struct agentx_probe *probe, struct loop *loop, void (*done)(void *arg, int error), void *arg);
void agentx_probe_start(struct agentx_probe *probe, const struct agentx_address *address);
void agentx_probe_cancel(struct agentx_probe *probe);

#endif
