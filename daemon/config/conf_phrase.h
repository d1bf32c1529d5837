/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A statement whose words are a sentence of ip(8), such as a route or a rule: where its reader stands, and the values
 * that all of them know. */
#ifndef POISE_CONF_PHRASE_H
#define POISE_CONF_PHRASE_H

#include "conf_iproute.h"

struct conf_phrase {
	struct conf_load *load;
	const struct conf_node *node;
	uint32_t at;   /* the word that is being read */
	bool is_wrong; /* an error was said, one is enough */
};

/* The word that is being read; "" behind the last one. */
const char *phrase_word(const struct conf_phrase *p);
/* An error at this word: what should be there, and what is. Only the first one is said. */
void phrase_fail(struct conf_phrase *p, const char *what);

/* The value of this word; what: the error when it has none. */
uint32_t phrase_number(struct conf_phrase *p, uint32_t low, uint32_t high, const char *what);
uint32_t phrase_named(struct conf_phrase *p, enum conf_iproute kind, uint32_t high, const char *what);
uint32_t phrase_table(struct conf_phrase *p);
uint8_t phrase_tos(struct conf_phrase *p);
uint8_t phrase_protocol(struct conf_phrase *p);
/* [FROM/]TO, as the kernel has it: FROM in the upper half. */
uint32_t phrase_realms(struct conf_phrase *p);

/* A keyword with a value behind it. */
struct phrase_pair {
	const char *keyword;
	void (*read)(void *reader); /* called with the phrase at the value */
};

/* Reads a pair of the table (ended by one without a keyword) when this word is the keyword of one; false when it is
 * none. reader: what is handed to its function. */
bool phrase_read_pair(struct conf_phrase *p, const struct phrase_pair *pairs, void *reader);

#endif
