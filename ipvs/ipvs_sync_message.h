/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's connection synchronisation, version 1: connections into the datagrams that the backup daemon of the
 * other node takes (UDP, usually to 224.0.0.81 port 8848). Pure: bytes in a buffer, no socket. Header: 0 (1 byte), sync
 * id (1), size of the message (2), number of connections (1), version 1 (1), spare (2). Connection: type (1; bit 0 =
 * IPv6), protocol (1), version 0 and size (2), flags (4), state (2), client, virtual and server port (2 each), firewall
 * mark (4), timeout in seconds (4), the three addresses, options of type (1), length (1) and data; all in network
 * order, each connection padded to 4 bytes. */
#ifndef POISE_IPVS_SYNC_MESSAGE_H
#define POISE_IPVS_SYNC_MESSAGE_H

#include "ipvs_conn.h"

#define IPVS_SYNC_PORT 8848
#define IPVS_SYNC_GROUP 0xe0000051 /* 224.0.0.81, host order */
#define IPVS_SYNC_HEADER 8
/* The kernel's receiver takes what fits its interface; this fits every Ethernet with room for tunnels. */
#define IPVS_SYNC_SIZE 1400

struct ipvs_sync_message {
	uint8_t bytes[IPVS_SYNC_SIZE];
	size_t size, limit;
	uint8_t sync_id;
	uint8_t n;          /* connections */
	bool wants_receipt; /* see sync_receipt.h; set after the beginning */
};

/* Makes it an empty message of that sync id, of `limit` bytes at most (maxlen of the kernels' daemons; 0: the usual).
 */
void ipvs_sync_message_begin(struct ipvs_sync_message *m, uint8_t sync_id, size_t limit);
/* Appends a connection with the mark of its service (0 = the service goes by its address). Returns false, with nothing
 * changed, when it does not fit any more: send the message and begin a new one. */
bool ipvs_sync_message_add(struct ipvs_sync_message *m, const struct ipvs_conn *conn, uint32_t fwmark);
/* The same with a connection as it stood in a message before (`size` bytes with their padding), which expires in that
 * time by now. */
bool ipvs_sync_message_add_kept(struct ipvs_sync_message *m, const uint8_t *entry, size_t size, uint32_t expires_s);
/* Of a connection in a message. */
uint32_t ipvs_sync_entry_expires_s(const uint8_t *entry);
struct addr ipvs_sync_entry_virtual(const uint8_t *entry);
/* Completes the header; the message is m->bytes of m->size bytes. */
void ipvs_sync_message_end(struct ipvs_sync_message *m);

/* Can the connection be handed on at all? A handshake under way cannot (it is repeated by its client if need be), nor
 * one whose server has the other address family than the service (the kernel's format has no room for that). */
bool ipvs_sync_is_sendable(const struct ipvs_conn *conn);
/* Does it count when two tables are compared? What is closing comes and goes faster than tables are read. */
bool ipvs_sync_is_lasting(const struct ipvs_conn *conn);

/* A number for what the connection is (addresses, ports, protocol, server, template or not and by what), the same on both nodes and
 * evenly spread. */
uint64_t ipvs_sync_hash(const struct ipvs_conn *conn);

#endif
