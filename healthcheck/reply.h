/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies of mail servers and agents, and the contents of state files: text by lines from somebody who may send
 * anything. Pure. */
#ifndef POISE_REPLY_H
#define POISE_REPLY_H

#include "reason.h"

#define REPLY_LINE_MAX 512
#define REPLY_BYTES_MAX 8192

/* ---- SMTP (RFC 5321, section 4.2) ---- */
struct smtp_reply {
	char line[REPLY_LINE_MAX]; /* the present one, then the last one, without its end */
	size_t length;
	size_t bytes; /* of the whole reply */
	unsigned code;
	bool is_done, is_broken; /* broken: not SMTP, or endless */
};

void smtp_reply_begin(struct smtp_reply *r);
/* Takes bytes in until the reply is done or broken; returns how many were used. */
size_t smtp_reply_feed(struct smtp_reply *r, const uint8_t *data, size_t length);

/* ---- agents ----
 * A line of words, separated by blanks or commas: up, ready; drain; maint, down, failed, fail, stopped [#text]; 75%.
 * Words that nobody knows are passed over; a line without a known word is an error. */
void agent_judge(const char *line, size_t length, struct probe_result *result);
/* ---- state files: the same words, or a bare number of percent; an empty file says nothing and passes. */
/* A track_file as keepalived reads it: a number (nothing = 0). With weight 0 another number than 0 is a failure; else
 * number x weight is added to the configured weight when is_dynamic, and a sum at the lower end of the numbers is a
 * failure. */
void track_file_judge(const char *text, size_t length, int32_t weight, bool is_dynamic, int32_t configured,
	struct probe_result *result);
void state_file_judge(const char *text, size_t length, struct probe_result *result);

#endif
