/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes datagrams of the kernel's connection synchronisation. Used by the thread of the ipvs role that reads the
 * connection table; touches nothing but its arguments. */
#include "ipvs_sync_message.h"
#include "sync_receipt.h"
#include <arpa/inet.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <string.h>

#define VERSION 1
#define TYPE_IPV6 1
/* Options. */
#define OPTION_ENGINE_DATA 2
#define OPTION_ENGINE_NAME 3
/* Ports, mark, timeout and what stands before them. */
#define FIXED_SIZE 24
/* Where flags and timeout stand in a connection. */
#define AT_FLAGS 4
#define AT_TIMEOUT 20

/* ---- writing ---- */

struct cursor {
	uint8_t *at;
};

static void put(struct cursor *c, const void *data, size_t size)
{
	memcpy(c->at, data, size);
	c->at += size;
}

static void put8(struct cursor *c, uint8_t value)
{
	put(c, &value, 1);
}

static void put16(struct cursor *c, uint16_t value)
{
	value = htons(value);
	put(c, &value, sizeof(value));
}

static void put32(struct cursor *c, uint32_t value)
{
	value = htonl(value);
	put(c, &value, sizeof(value));
}

/* ---- what the kernel wants to know ---- */

/* A connection that does not count as active for its server's load. Datagrams never do. */
static bool is_inactive(const struct ipvs_conn *conn)
{
	if (conn->protocol == IPPROTO_TCP)
		return conn->state != IPVS_TCP_ESTABLISHED && conn->state != IPVS_TCP_SYN_SENT &&
		       conn->state != IPVS_TCP_SYN_RECV && conn->state != IPVS_TCP_SYNACK;
	return conn->protocol != IPPROTO_SCTP || conn->state != IPVS_SCTP_ESTABLISHED;
}

/* The way of forwarding is not told: the receiver takes that of its own entry for the server. */
static uint32_t flags_of(const struct ipvs_conn *conn)
{
	if (conn->is_template)
		return IP_VS_CONN_F_TEMPLATE;
	return is_inactive(conn) ? IP_VS_CONN_F_INACTIVE : 0;
}

static size_t size_of(const struct ipvs_conn *conn)
{
	size_t size = FIXED_SIZE + 3 * addr_len(&conn->virtual);

	if (conn->engine_size > 0)
		size += 2 + (size_t)conn->engine_size + 2 + strlen(conn->engine);
	return size;
}

static void put_engine(struct cursor *c, const struct ipvs_conn *conn)
{
	size_t length = strlen(conn->engine);

	put8(c, OPTION_ENGINE_DATA);
	put8(c, conn->engine_size);
	put(c, conn->engine_data, conn->engine_size);
	put8(c, OPTION_ENGINE_NAME);
	put8(c, (uint8_t)length);
	put(c, conn->engine, length);
}

void ipvs_sync_message_begin(struct ipvs_sync_message *m, uint8_t sync_id, size_t limit)
{
	m->size = IPVS_SYNC_HEADER;
	m->limit = limit > 0 && limit < sizeof(m->bytes) ? limit : sizeof(m->bytes);
	m->sync_id = sync_id;
	m->n = 0;
	m->wants_receipt = false;
}

bool ipvs_sync_message_add(struct ipvs_sync_message *m, const struct ipvs_conn *conn, uint32_t fwmark)
{
	struct cursor c = {.at = m->bytes + m->size};
	size_t size = size_of(conn), padded = (size + 3) & ~(size_t)3;
	size_t length = addr_len(&conn->virtual);

	if (m->size + padded > m->limit || m->n == UINT8_MAX)
		return false;
	memset(c.at, 0, padded);
	put8(&c, conn->virtual.family == AF_INET6 ? TYPE_IPV6 : 0);
	put8(&c, (uint8_t)conn->protocol);
	put16(&c, (uint16_t)size);
	put32(&c, flags_of(conn) | (m->wants_receipt && m->n == 0 ? SYNC_WANTS_RECEIPT : 0));
	put16(&c, conn->state);
	put16(&c, conn->client_port);
	put16(&c, conn->virtual_port);
	put16(&c, conn->dest_port);
	put32(&c, fwmark);
	/* 0 would mean: as long as a fresh one of that state. */
	put32(&c, conn->expires_s > 0 ? conn->expires_s : 1);
	put(&c, conn->client.bytes, length);
	put(&c, conn->virtual.bytes, length);
	put(&c, conn->dest.bytes, length);
	if (conn->engine_size > 0)
		put_engine(&c, conn);
	m->size += padded;
	m->n++;
	return true;
}

bool ipvs_sync_message_add_kept(struct ipvs_sync_message *m, const uint8_t *entry, size_t size, uint32_t expires_s)
{
	uint8_t *at = m->bytes + m->size;
	uint32_t flags, timeout = htonl(expires_s > 0 ? expires_s : 1);

	if (m->size + size > m->limit || m->n == UINT8_MAX)
		return false;
	memcpy(at, entry, size);
	memcpy(&flags, at + AT_FLAGS, sizeof(flags));
	flags = (ntohl(flags) & ~SYNC_WANTS_RECEIPT) | (m->wants_receipt && m->n == 0 ? SYNC_WANTS_RECEIPT : 0);
	flags = htonl(flags);
	memcpy(at + AT_FLAGS, &flags, sizeof(flags));
	memcpy(at + AT_TIMEOUT, &timeout, sizeof(timeout));
	m->size += size;
	m->n++;
	return true;
}

uint32_t ipvs_sync_entry_expires_s(const uint8_t *entry)
{
	uint32_t timeout;

	memcpy(&timeout, entry + AT_TIMEOUT, sizeof(timeout));
	return ntohl(timeout);
}

struct addr ipvs_sync_entry_virtual(const uint8_t *entry)
{
	uint16_t family = entry[0] & TYPE_IPV6 ? AF_INET6 : AF_INET;

	return addr_from_bytes(family, entry + FIXED_SIZE + (family == AF_INET6 ? 16 : 4));
}

void ipvs_sync_message_end(struct ipvs_sync_message *m)
{
	struct cursor c = {.at = m->bytes};

	put8(&c, 0);
	put8(&c, m->sync_id);
	put16(&c, (uint16_t)m->size);
	put8(&c, m->n);
	put8(&c, VERSION);
	put16(&c, 0);
}

/* ---- which ---- */

bool ipvs_sync_is_sendable(const struct ipvs_conn *conn)
{
	if (conn->virtual.family != conn->dest.family || conn->virtual.family != conn->client.family)
		return false;
	if (conn->is_template)
		return true;
	if (conn->protocol == IPPROTO_TCP)
		return conn->state == IPVS_TCP_ESTABLISHED ||
		       (conn->state >= IPVS_TCP_FIN_WAIT && conn->state <= IPVS_TCP_LAST_ACK);
	if (conn->protocol == IPPROTO_SCTP)
		return conn->state >= IPVS_SCTP_ESTABLISHED && conn->state < IPVS_SCTP_REJECTED;
	return conn->protocol == IPPROTO_UDP;
}

bool ipvs_sync_is_lasting(const struct ipvs_conn *conn)
{
	if (!ipvs_sync_is_sendable(conn))
		return false;
	return conn->is_template || conn->protocol == IPPROTO_UDP ||
	       conn->state == (conn->protocol == IPPROTO_SCTP ? IPVS_SCTP_ESTABLISHED : IPVS_TCP_ESTABLISHED);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_bytes(uint64_t h, const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size--)
		h = (h ^ *p++) * 1099511628211ull;
	return h;
}

uint64_t ipvs_sync_hash(const struct ipvs_conn *conn)
{
	const uint16_t numbers[] = {htons(conn->protocol), htons(conn->client_port), htons(conn->virtual_port),
		htons(conn->dest_port), htons(conn->is_template)};
	uint64_t h = hash_bytes(14695981039346656037ull, numbers, sizeof(numbers));

	h = hash_bytes(h, &conn->client, sizeof(conn->client));
	h = hash_bytes(h, &conn->virtual, sizeof(conn->virtual));
	h = hash_bytes(h, &conn->dest, sizeof(conn->dest));
	/* Calls of one client are told apart by this alone. */
	h = hash_bytes(h, conn->engine_data, conn->engine_size);
	/* FNV leaves the upper bits of similar keys alike. */
	h ^= h >> 30;
	h *= 0xbf58476d1ce4e5b9ull;
	h ^= h >> 27;
	h *= 0x94d049bb133111ebull;
	return h ^ (h >> 31);
}
