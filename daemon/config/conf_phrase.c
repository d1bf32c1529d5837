/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks through the words of a statement. Runs in the config role. */
#include "conf_phrase.h"
#include <string.h>

const char *phrase_word(const struct conf_phrase *p)
{
	return conf_word(p->node, p->at);
}

void phrase_fail(struct conf_phrase *p, const char *what)
{
	if (!p->is_wrong)
		conf_error(p->load, p->node, p->at, "%s, not \"%s\"", what, phrase_word(p));
	p->is_wrong = true;
}

uint32_t phrase_number(struct conf_phrase *p, uint32_t low, uint32_t high, const char *what)
{
	uint32_t value = 0;

	if (!conf_iproute_plain(phrase_word(p), high, &value) || value < low)
		phrase_fail(p, what);
	return value;
}

uint32_t phrase_named(struct conf_phrase *p, enum conf_iproute kind, uint32_t high, const char *what)
{
	uint32_t value = 0;

	if (!conf_iproute_number(p->load, kind, phrase_word(p), high, &value))
		phrase_fail(p, what);
	return value;
}

uint32_t phrase_table(struct conf_phrase *p)
{
	return phrase_named(
		p, CONF_IPROUTE_TABLE, UINT32_MAX, "table must be a number, or a name of /etc/iproute2/rt_tables");
}

uint8_t phrase_tos(struct conf_phrase *p)
{
	return (uint8_t)phrase_named(
		p, CONF_IPROUTE_DSFIELD, 255, "tos must be a number up to 255, or a name of /etc/iproute2/rt_dsfield");
}

uint8_t phrase_protocol(struct conf_phrase *p)
{
	return (uint8_t)phrase_named(p, CONF_IPROUTE_PROTOCOL, 255,
		"protocol must be a number up to 255, or a name of /etc/iproute2/rt_protos");
}

uint32_t phrase_realms(struct conf_phrase *p)
{
	char text[64];
	char *slash;
	uint32_t from = 0, to = 0;

	snprintf(text, sizeof(text), "%s", phrase_word(p));
	slash = strchr(text, '/');
	if (slash)
		*slash = '\0';
	if ((slash && !conf_iproute_number(p->load, CONF_IPROUTE_REALM, text, 65535, &from)) ||
		!conf_iproute_number(p->load, CONF_IPROUTE_REALM, slash ? slash + 1 : text, 65535, &to))
		phrase_fail(p, "realms must be followed by [FROM/]TO, names or numbers up to 65535");
	return from << 16 | to;
}

bool phrase_read_pair(struct conf_phrase *p, const struct phrase_pair *pairs, void *reader)
{
	const struct phrase_pair *pair = pairs;

	while (pair->keyword && strcmp(pair->keyword, phrase_word(p)) != 0)
		pair++;
	if (!pair->keyword)
		return false;
	p->at++;
	if (*phrase_word(p)) {
		pair->read(reader);
	} else {
		p->at--;
		phrase_fail(p, "this word needs a value behind it");
	}
	return true;
}
