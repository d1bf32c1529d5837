/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network addresses as plain records that can lie in shared tables. */
#ifndef POISE_ADDR_H
#define POISE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IPv4 or IPv6 address. family is AF_INET, AF_INET6 or AF_UNSPEC (absent).
 * IPv4 uses the first four bytes, the rest is zero; bytes are in network order.
 * All padding is explicit and zero, so records may be compared with memcmp(). */
struct addr {
	uint8_t family;
	uint8_t zero[3];
	uint8_t bytes[16];
};

/* Room for the longest text of addr_format() and of addr_format_port(), with the terminating zero. */
#define ADDR_TEXT 64

/* Length of the address in bytes: 4, 16 or 0 for AF_UNSPEC. */
size_t addr_len(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
/* Unsigned numeric order (RFC 9568, 6.4.3): <0, 0, >0. Families order as AF_INET < AF_INET6. */
int addr_compare(const struct addr *a, const struct addr *b);
/* The next one in that order; the first one follows the last one. */
void addr_next(struct addr *addr);
bool addr_is_set(const struct addr *a);
bool addr_is_multicast(const struct addr *a);
bool addr_is_link_local(const struct addr *a);

/* Parses a bare numeric address. Returns 0, or -1 when the text is not one. Never resolves names. */
int addr_parse(const char *text, struct addr *out);
/* Parses ADDRESS[/PREFIX]; *prefix is 32 or 128 when absent. Returns 0 or -1. */
int addr_parse_prefix(const char *text, struct addr *out, uint8_t *prefix);
/* Writes the address without prefix into buf (ADDR_TEXT bytes) and returns buf. */
const char *addr_format(const struct addr *a, char *buf);
/* ADDRESS:PORT or [ADDRESS]:PORT; the bare address when port is 0. Returns buf (ADDR_TEXT bytes). */
const char *addr_format_port(const struct addr *a, uint16_t port, char *buf);
/* Parses ADDRESS, ADDRESS:PORT, [ADDRESS6]:PORT. *port is 0 when absent. Returns 0 or -1. */
int addr_parse_port(const char *text, struct addr *out, uint16_t *port);

/* Fills a socket address (scope id from ifindex for IPv6 link-local); returns its length. */
socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, unsigned ifindex, struct sockaddr_storage *ss);
/* Takes address and port (host order) out of a socket address; returns 0, or -1 for another family. */
int addr_from_sockaddr(const struct sockaddr *sa, struct addr *out, uint16_t *port);
/* Builds an address from raw bytes in network order. */
struct addr addr_from_bytes(uint8_t family, const void *bytes);

#endif
