/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads single lines of the kernel's connection list; used by the ipvs role while a server is drained. Pure. */
#include "ipvs_conn.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 9      /* protocol, client, port, virtual, port, server, port, state, expires */
#define WORD_SIZE 64 /* the longest is an IPv6 address */

/* Splits at blanks; returns how many words there are (at most WORDS), -1 when one is too long. */
static int split(const char *line, char words[WORDS][WORD_SIZE])
{
	int n = 0;

	while (n < WORDS) {
		size_t length;

		line += strspn(line, " \t\n");
		length = strcspn(line, " \t\n");
		if (length == 0)
			break;
		if (length >= WORD_SIZE)
			return -1;
		memcpy(words[n], line, length);
		words[n++][length] = '\0';
		line += length;
	}
	return n;
}

/* A hexadecimal number of exactly `digits` digits. */
static int parse_hex(const char *word, size_t digits, uint32_t *out)
{
	if (strlen(word) != digits || strspn(word, "0123456789ABCDEFabcdef") != digits)
		return -1;
	*out = (uint32_t)strtoul(word, NULL, 16);
	return 0;
}

/* IPv6 in its long form, IPv4 as eight hexadecimal digits. */
static int parse_address(const char *word, struct addr *out)
{
	uint32_t value;

	if (strchr(word, ':'))
		return addr_parse(word, out);
	if (parse_hex(word, 8, &value) < 0)
		return -1;
	value = htonl(value);
	*out = addr_from_bytes(AF_INET, &value);
	return 0;
}

static int parse_port(const char *word, uint16_t *out)
{
	uint32_t value;

	if (parse_hex(word, 4, &value) < 0)
		return -1;
	*out = (uint16_t)value;
	return 0;
}

static int parse_protocol(const char *word, uint16_t *out)
{
	if (strcmp(word, "TCP") == 0)
		*out = IPPROTO_TCP;
	else if (strcmp(word, "UDP") == 0)
		*out = IPPROTO_UDP;
	else if (strcmp(word, "SCTP") == 0)
		*out = IPPROTO_SCTP;
	else
		return -1;
	return 0;
}

int ipvs_conn_parse(const char *line, struct ipvs_conn *out)
{
	char words[WORDS][WORD_SIZE];
	uint16_t client_port;

	memset(out, 0, sizeof(*out));
	if (split(line, words) < WORDS || parse_protocol(words[0], &out->protocol) < 0 ||
		parse_port(words[2], &client_port) < 0 || parse_address(words[3], &out->virtual) < 0 ||
		parse_port(words[4], &out->virtual_port) < 0 || parse_address(words[5], &out->dest) < 0 ||
		parse_port(words[6], &out->dest_port) < 0)
		return -1;
	out->is_template = client_port == 0 && (strcmp(words[7], "NONE") == 0 || strcmp(words[7], "ASSURED") == 0);
	/* TCP waits and has been reset or answered for the last time; SCTP says CLOSED. */
	out->is_over =
		strcmp(words[7], "TIME_WAIT") == 0 || strcmp(words[7], "CLOSE") == 0 || strcmp(words[7], "CLOSED") == 0;
	return 0;
}

bool ipvs_conn_belongs(const struct ipvs_conn *conn, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	if (!addr_equal(&conn->dest, &dest->addr) || (dest->port && conn->dest_port != dest->port))
		return false;
	if (service->fwmark)
		return true;
	return conn->protocol == service->protocol && addr_equal(&conn->virtual, &service->addr) &&
	       (service->port == 0 || conn->virtual_port == service->port);
}
