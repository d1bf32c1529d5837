/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses: comparing, reading and writing them. Pure; used by every process. Never resolves a name. */
#include "addr.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t addr_len(const struct addr *a)
{
	if (a->family == AF_INET)
		return 4;
	return a->family == AF_INET6 ? 16 : 0;
}

bool addr_is_set(const struct addr *a)
{
	return a->family != AF_UNSPEC;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, addr_len(a));
}

void addr_next(struct addr *addr)
{
	for (size_t i = addr_len(addr); i > 0; i--)
		if (++addr->bytes[i - 1] != 0)
			return;
}

bool addr_is_multicast(const struct addr *a)
{
	if (a->family == AF_INET)
		return (a->bytes[0] & 0xf0) == 0xe0;
	return a->family == AF_INET6 && a->bytes[0] == 0xff;
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->bytes[0] == 169 && a->bytes[1] == 254;
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

struct addr addr_from_bytes(uint8_t family, const void *bytes)
{
	struct addr a = {.family = family};

	memcpy(a.bytes, bytes, addr_len(&a));
	return a;
}

int addr_parse(const char *text, struct addr *out)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, a.bytes) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.bytes) == 1)
		a.family = AF_INET6;
	else
		return -1;
	*out = a;
	return 0;
}

/* Digits only, at most max; -1 otherwise. */
static int parse_number(const char *text, unsigned max)
{
	unsigned value = 0;

	if (*text == '\0')
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		value = value * 10 + (unsigned)(*text - '0');
		if (value > max)
			return -1;
	}
	return (int)value;
}

int addr_parse_prefix(const char *text, struct addr *out, uint8_t *prefix)
{
	char copy[ADDR_TEXT];
	char *slash;
	struct addr a;
	int bits;

	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (addr_parse(copy, &a) < 0)
		return -1;
	bits = (int)addr_len(&a) * 8;
	if (slash) {
		bits = parse_number(slash + 1, (unsigned)bits);
		if (bits < 0)
			return -1;
	}
	*out = a;
	*prefix = (uint8_t)bits;
	return 0;
}

const char *addr_format(const struct addr *a, char *buf)
{
	if (!addr_is_set(a) || !inet_ntop(a->family, a->bytes, buf, ADDR_TEXT))
		strcpy(buf, "-");
	return buf;
}

const char *addr_format_port(const struct addr *a, uint16_t port, char *buf)
{
	char text[ADDR_TEXT];

	addr_format(a, text);
	if (port == 0)
		return strcpy(buf, text);
	snprintf(buf, ADDR_TEXT, a->family == AF_INET6 ? "[%.46s]:%u" : "%.46s:%u", text, port);
	return buf;
}

int addr_parse_port(const char *text, struct addr *out, uint16_t *port)
{
	char copy[ADDR_TEXT];
	char *colon;
	char *host = copy;
	int number = 0;

	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	*port = 0;
	if (copy[0] != '[' && addr_parse(copy, out) == 0)
		return 0;
	if (copy[0] == '[') {
		colon = strchr(copy, ']');
		if (!colon)
			return -1;
		*colon++ = '\0';
		host = copy + 1;
		if (*colon == '\0')
			return addr_parse(host, out);
		if (*colon != ':')
			return -1;
	} else {
		colon = strrchr(copy, ':');
		if (!colon)
			return -1;
	}
	*colon = '\0';
	number = parse_number(colon + 1, 65535);
	if (number < 0 || addr_parse(host, out) < 0)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port, unsigned ifindex, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (a->family == AF_INET6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		memcpy(&in6->sin6_addr, a->bytes, 16);
		if (addr_is_link_local(a) || addr_is_multicast(a))
			in6->sin6_scope_id = ifindex;
		return sizeof(*in6);
	}
	in4->sin_family = AF_INET;
	in4->sin_port = htons(port);
	memcpy(&in4->sin_addr, a->bytes, 4);
	return sizeof(*in4);
}

int addr_from_sockaddr(const struct sockaddr *sa, struct addr *out, uint16_t *port)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

	if (sa->sa_family == AF_INET) {
		*out = addr_from_bytes(AF_INET, &in4->sin_addr);
		if (port)
			*port = ntohs(in4->sin_port);
		return 0;
	}
	if (sa->sa_family == AF_INET6) {
		*out = addr_from_bytes(AF_INET6, &in6->sin6_addr);
		if (port)
			*port = ntohs(in6->sin6_port);
		return 0;
	}
	return -1;
}
