/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads single lines of the kernel's connection list; used by the ipvs role while a server is drained and while the
 * table is sent to the other node. Pure. */
#include "ipvs_conn.h"
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 9      /* protocol, client, port, virtual, port, server, port, state, expires */
#define WORD_SIZE 64 /* the longest is an IPv6 address */

/* Splits at blanks; returns how many words there are (at most WORDS), -1 when one is too long. *rest is what follows.
 */
static int split(const char *line, char words[WORDS][WORD_SIZE], const char **rest)
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
	*rest = line;
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
	else if (strcmp(word, "IP") == 0)
		*out = IPPROTO_IP;
	else
		return -1;
	return 0;
}

/* The kernel's names in the order of its numbers. */
static const char *const tcp_states[] = {"NONE", "ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT", "TIME_WAIT",
	"CLOSE", "CLOSE_WAIT", "LAST_ACK", "LISTEN", "SYNACK", NULL};
static const char *const udp_states[] = {"UDP", NULL};
static const char *const sctp_states[] = {"NONE", "INIT1", "INIT", "COOKIE_SENT", "COOKIE_REPLIED", "COOKIE_WAIT",
	"COOKIE", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "SHUTDOWN_ACK_SENT", "REJECTED",
	"CLOSED", NULL};
static const char *const template_states[] = {"NONE", "ASSURED", NULL};

/* -1 for a name that is not in the list. */
static int find_state(const char *const *names, const char *word)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], word) == 0)
			return i;
	return -1;
}

static int parse_state(const char *word, struct ipvs_conn *conn)
{
	const char *const *names = conn->protocol == IPPROTO_TCP    ? tcp_states
				   : conn->protocol == IPPROTO_SCTP ? sctp_states
								    : udp_states;
	int state = find_state(conn->is_template ? template_states : names, word);

	if (state < 0)
		return -1;
	conn->state = (uint16_t)state;
	return 0;
}

static int parse_seconds(const char *word, uint32_t *out)
{
	if (strspn(word, "0123456789") != strlen(word) || strlen(word) > 9)
		return -1;
	*out = (uint32_t)strtoul(word, NULL, 10);
	return 0;
}

/* " NAME DATA" behind the rest, where a persistence engine is at work. What does not fit is left out. */
static void parse_engine(const char *rest, struct ipvs_conn *conn)
{
	size_t name, data;

	rest += strspn(rest, " \t");
	name = strcspn(rest, " \t\n");
	if (name == 0 || name >= sizeof(conn->engine) || rest[name] != ' ')
		return;
	data = strcspn(rest + name + 1, "\n");
	if (data == 0 || data > sizeof(conn->engine_data))
		return;
	memcpy(conn->engine, rest, name);
	memcpy(conn->engine_data, rest + name + 1, data);
	conn->engine_size = (uint8_t)data;
}

int ipvs_conn_parse(const char *line, struct ipvs_conn *out)
{
	char words[WORDS][WORD_SIZE];
	const char *rest;

	memset(out, 0, sizeof(*out));
	if (split(line, words, &rest) < WORDS || parse_protocol(words[0], &out->protocol) < 0 ||
		parse_address(words[1], &out->client) < 0 || parse_port(words[2], &out->client_port) < 0 ||
		parse_address(words[3], &out->virtual) < 0 || parse_port(words[4], &out->virtual_port) < 0 ||
		parse_address(words[5], &out->dest) < 0 || parse_port(words[6], &out->dest_port) < 0 ||
		parse_seconds(words[8], &out->expires_s) < 0)
		return -1;
	out->is_template =
		out->client_port == 0 && (out->protocol == IPPROTO_IP || find_state(template_states, words[7]) >= 0);
	if (parse_state(words[7], out) < 0)
		return -1;
	/* TCP waits and has been reset or answered for the last time; SCTP says CLOSED. */
	out->is_over =
		strcmp(words[7], "TIME_WAIT") == 0 || strcmp(words[7], "CLOSE") == 0 || strcmp(words[7], "CLOSED") == 0;
	parse_engine(rest, out);
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
