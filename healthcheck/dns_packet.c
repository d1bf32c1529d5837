/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS messages as far as a check needs them: it asks one question and reads the header and the question of what comes
 * back. Runs in poise-healthcheck; pure: records are counted, never parsed. */
#include "dns_packet.h"
#include <string.h>

enum { HEADER = 12, FLAG_RESPONSE = 0x80, FLAG_RECURSION = 0x01, CLASS_IN = 1 };

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

size_t dns_build(uint16_t id, const char *name, uint32_t type, uint8_t *buf)
{
	size_t used = HEADER;

	memset(buf, 0, HEADER);
	put16(buf, id);
	buf[2] = FLAG_RECURSION;
	put16(buf + 4, 1);
	while (*name && strcmp(name, ".") != 0) {
		size_t n = strcspn(name, ".");

		if (n == 0 || n > 63 || used + n + 1 > HEADER + 254)
			return 0;
		buf[used++] = (uint8_t)n;
		memcpy(buf + used, name, n);
		used += n;
		name += n;
		if (*name == '.')
			name++;
	}
	buf[used++] = 0;
	put16(buf + used, type);
	put16(buf + used + 2, CLASS_IN);
	return used + 4;
}

/* Names compare without regard to case; lengths of labels are not letters. */
static bool same_question(const uint8_t *a, const uint8_t *b, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t x = a[i], y = b[i];

		if (x >= 'A' && x <= 'Z')
			x = (uint8_t)(x + 'a' - 'A');
		if (y >= 'A' && y <= 'Z')
			y = (uint8_t)(y + 'a' - 'A');
		if (x != y)
			return false;
	}
	return true;
}

bool dns_judge(
	const uint8_t *query, size_t query_length, const uint8_t *data, size_t length, struct probe_result *result)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};
	unsigned code, answers;

	if (length < HEADER || memcmp(query, data, 2) != 0 || !(data[2] & FLAG_RESPONSE))
		return false;
	code = data[3] & 0xf;
	answers = (unsigned)data[6] << 8 | data[7];
	/* An error may come without the question. */
	if (data[4] == 0 && data[5] == 0 && code == 0)
		return false;
	if ((data[4] || data[5]) &&
		(length < query_length || !same_question(query + HEADER, data + HEADER, query_length - HEADER)))
		return false;
	if (code == 0)
		result_set(result, REASON_OK, "NOERROR, %u record%s", answers, answers == 1 ? "" : "s");
	else if (code < sizeof(names) / sizeof(names[0]))
		result_set(result, REASON_DNS, "name server answers %s", names[code]);
	else
		result_set(result, REASON_DNS, "name server answers code %u", code);
	return true;
}
