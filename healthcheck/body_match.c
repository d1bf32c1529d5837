/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges the body of an answer by digest and expression while it streams past. Runs in poise-healthcheck; it never
 * keeps more of a body than BODY_KEPT_MAX, and never lets an expression run without a limit. */
#include "body_match.h"
#include "regex.h"
#include "talk.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_FIRST 4096

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool parse_digest(const char *text, uint8_t *digest)
{
	if (strlen(text) != 2 * BODY_DIGEST_SIZE)
		return false;
	for (int i = 0; i < BODY_DIGEST_SIZE; i++) {
		int high = digit_value(text[2 * i]), low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		digest[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int body_rule_compile(struct body_rule *rule, const char *digest, const char *regex, uint32_t regex_options, char *why)
{
	memset(rule, 0, sizeof(*rule));
	if (*digest) {
		if (!parse_digest(digest, rule->digest)) {
			snprintf(why, WHY_SIZE, "digest is not 32 hexadecimal digits");
			return -1;
		}
		rule->has_digest = true;
	}
	if (!*regex)
		return 0;
	rule->regex = regex_compile(regex, regex_options, why);
	return rule->regex ? 0 : -1;
}

void body_rule_free(struct body_rule *rule)
{
	regex_free(rule->regex);
	rule->regex = NULL;
}

void body_match_begin(struct body_match *m, const struct body_rule *rule)
{
	body_match_drop(m);
	m->rule = rule;
	m->is_out_of_memory = false;
	if (!rule->has_digest)
		return;
	if (!m->digest)
		m->digest = EVP_MD_CTX_new();
	if (!m->digest || EVP_DigestInit_ex(m->digest, EVP_md5(), NULL) != 1)
		m->is_out_of_memory = true;
}

static bool keep(struct body_match *m, const uint8_t *data, size_t length)
{
	size_t size = m->kept_size ? m->kept_size : KEPT_FIRST;
	uint8_t *bigger;

	if (length > BODY_KEPT_MAX - m->kept_length)
		length = BODY_KEPT_MAX - m->kept_length;
	if (length == 0)
		return true;
	while (size < m->kept_length + length)
		size *= 2;
	if (size > m->kept_size) {
		bigger = realloc(m->kept, size);
		if (!bigger)
			return false;
		m->kept = bigger;
		m->kept_size = size;
	}
	memcpy(m->kept + m->kept_length, data, length);
	m->kept_length += length;
	return true;
}

void body_match_add(struct body_match *m, const uint8_t *data, size_t length)
{
	if (m->is_out_of_memory || length == 0)
		return;
	if (m->rule->has_digest && EVP_DigestUpdate(m->digest, data, length) != 1)
		m->is_out_of_memory = true;
	if (m->rule->regex && !keep(m, data, length))
		m->is_out_of_memory = true;
}

static bool judge_digest(struct body_match *m, struct probe_result *result)
{
	uint8_t got[EVP_MAX_MD_SIZE];
	char text[2 * BODY_DIGEST_SIZE + 1];

	if (EVP_DigestFinal_ex(m->digest, got, NULL) != 1) {
		result_set(result, REASON_MEMORY, "the digest could not be computed (is MD5 switched off in OpenSSL?)");
		return false;
	}
	if (memcmp(got, m->rule->digest, BODY_DIGEST_SIZE) == 0)
		return true;
	for (int i = 0; i < BODY_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", got[i]);
	result_set(result, REASON_DIGEST, "body does not match the digest: it has %s", text);
	return false;
}

/* What came instead is what an operator wants to see. */
static void explain_missing(const struct body_match *m, struct probe_result *result)
{
	char quote[TALK_QUOTE_SIZE];

	if (m->kept_length == 0)
		result_set(result, REASON_REGEX, "body does not match the expression: it is empty");
	else
		result_set(result, REASON_REGEX, "body does not match the expression: %zu bytes, \"%s\"",
			m->kept_length, talk_quote(m->kept, m->kept_length, quote));
}

static bool judge_regex(struct body_match *m, struct probe_result *result)
{
	const struct body_rule *rule = m->rule;
	size_t begin = 0;
	enum regex_found found = regex_find(rule->regex, m->kept, m->kept_length, rule->min, &begin, NULL);

	if (found == REGEX_FOUND && rule->max && begin >= rule->max)
		found = REGEX_NOT_FOUND;
	switch (found) {
	case REGEX_FOUND:
		if (!rule->is_unwanted)
			return true;
		result_set(result, REASON_REGEX, "body matches the expression that it must not match");
		return false;
	case REGEX_NOT_FOUND:
		if (rule->is_unwanted)
			return true;
		explain_missing(m, result);
		return false;
	case REGEX_TOO_LONG:
		result_set(result, REASON_REGEX, "the expression took too long on this body");
		return false;
	case REGEX_NO_MEMORY:
		result_set(result, REASON_MEMORY, "our own trouble: no memory to search the body");
		return false;
	}
	return false;
}

bool body_match_end(struct body_match *m, struct probe_result *result)
{
	bool is_good = true;

	if (m->is_out_of_memory) {
		result_set(result, REASON_MEMORY, "our own trouble: no memory or no MD5 to judge the body");
		is_good = false;
	}
	if (is_good && m->rule->has_digest)
		is_good = judge_digest(m, result);
	if (is_good && m->rule->regex)
		is_good = judge_regex(m, result);
	body_match_drop(m);
	return is_good;
}

void body_match_drop(struct body_match *m)
{
	free(m->kept);
	m->kept = NULL;
	m->kept_length = 0;
	m->kept_size = 0;
	m->rule = NULL;
}

void body_match_free(struct body_match *m)
{
	body_match_drop(m);
	EVP_MD_CTX_free(m->digest);
	m->digest = NULL;
}
