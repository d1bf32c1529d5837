/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A conversation that a check has with a server: what to send, what must come. Compiled once for each check, matched
 * against bytes. */
#ifndef POISE_TALK_H
#define POISE_TALK_H

#include "conf.h"
#include "reason.h"
#include <sys/types.h>

/* At most so much that came is kept while something is expected in it. */
#define TALK_KEPT_MAX 16384

struct talk_step {
	enum conf_step_kind kind;
	uint8_t *bytes; /* to send, or to find; CONF_STEP_EXPECT_BEGIN: followed by as many bytes of mask */
	size_t length;
	struct pcre2_real_code_8 *regex; /* or this */
};

struct talk {
	uint32_t n;
	struct talk_step steps[];
};

/* NULL with a sentence in why (WHY_SIZE bytes). */
struct talk *talk_compile(const struct conf *conf, const struct conf_range *steps, char *why);
void talk_free(struct talk *talk); /* NULL is allowed */
static inline bool talk_step_sends(const struct talk_step *step)
{
	return step->kind == CONF_STEP_SEND || step->kind == CONF_STEP_SEND_HEX;
}
/* Looks for what a step expects. Returns the number of bytes up to the end of the match, or -1. */
ssize_t talk_find(const struct talk_step *step, const uint8_t *data, size_t length);
/* "\r\n" and the like to bytes; buf has at least strlen(text) bytes. Returns the length, or -1 for an unknown escape.
 */
ssize_t talk_unescape(const char *text, uint8_t *buf);
/* Bytes for people: what is not printable as dots, cut after some. Returns buf. */
#define TALK_QUOTE_SIZE 48
const char *talk_quote(const uint8_t *data, size_t length, char *buf);

#endif
