/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the body of an answer must look like: an MD5 digest, a regular expression, both or nothing. */
#ifndef POISE_BODY_MATCH_H
#define POISE_BODY_MATCH_H

#include "reason.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BODY_DIGEST_SIZE 16
/* The expression sees at most this much of the body. */
#define BODY_KEPT_MAX (256 * 1024)

/* What is wanted; made once for each url of a generation. */
struct body_rule {
	bool has_digest;
	uint8_t digest[BODY_DIGEST_SIZE];
	struct pcre2_real_code_8 *regex; /* NULL = none */
	size_t min, max;                 /* a match must begin here or later, and before max (0 = anywhere) */
	bool is_unwanted;                /* the right body does not match */
};

/* Compiles; both texts may be "". Returns 0, or -1 with a sentence in why (WHY_SIZE bytes). */
int body_rule_compile(struct body_rule *rule, const char *digest, const char *regex, uint32_t regex_options, char *why);
void body_rule_free(struct body_rule *rule);
static inline bool body_rule_is_empty(const struct body_rule *rule)
{
	return !rule->has_digest && !rule->regex;
}

/* One body being read. Zero it before first use; it keeps its digest context from one use to the next. */
struct body_match {
	const struct body_rule *rule;
	struct evp_md_ctx_st *digest;
	uint8_t *kept; /* for the expression only */
	size_t kept_length, kept_size;
	bool is_out_of_memory;
};

/* The rule must outlive the match. */
void body_match_begin(struct body_match *m, const struct body_rule *rule);
void body_match_add(struct body_match *m, const uint8_t *data, size_t length);
/* Judges the complete body and gives back what was kept. Returns true when it is as wanted, else fills result. */
bool body_match_end(struct body_match *m, struct probe_result *result);
/* Gives back what a body that will not be finished has kept. */
void body_match_drop(struct body_match *m);
/* Gives back everything. */
void body_match_free(struct body_match *m);

#endif
