/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what mail servers, agents and state files say. Runs in poise-healthcheck; pure: fixed buffers, no socket. */
#include "reply.h"
#include "talk.h"
#include <string.h>
#include <strings.h>

#define PERCENT_MAX 1000

/* ---- SMTP ---- */

void smtp_reply_begin(struct smtp_reply *r)
{
	r->length = 0;
	r->bytes = 0;
	r->code = 0;
	r->is_done = r->is_broken = false;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "250-text" goes on, "250 text" and "250" end it. */
static void take_line(struct smtp_reply *r)
{
	unsigned code;

	if (r->length > 0 && r->line[r->length - 1] == '\r')
		r->length--;
	if (r->length < 3 || !is_digit(r->line[0]) || !is_digit(r->line[1]) || !is_digit(r->line[2]) ||
		(r->length > 3 && r->line[3] != ' ' && r->line[3] != '-')) {
		r->is_broken = true;
		return;
	}
	code = (unsigned)(r->line[0] - '0') * 100 + (unsigned)(r->line[1] - '0') * 10 + (unsigned)(r->line[2] - '0');
	if (r->code && r->code != code) {
		r->is_broken = true;
		return;
	}
	r->code = code;
	if (r->length > 3 && r->line[3] == '-')
		r->length = 0;
	else
		r->is_done = true;
}

size_t smtp_reply_feed(struct smtp_reply *r, const uint8_t *data, size_t length)
{
	size_t used = 0;

	while (used < length && !r->is_done && !r->is_broken) {
		char c = (char)data[used++];

		if (++r->bytes > REPLY_BYTES_MAX)
			r->is_broken = true;
		else if (c == '\n')
			take_line(r);
		else if (r->length < sizeof(r->line))
			r->line[r->length++] = c;
		else
			r->is_broken = true;
	}
	return used;
}

/* ---- words ---- */

struct words {
	bool is_known, is_up, is_down, is_draining, has_percent;
	int32_t percent;
};

static bool word_is(const char *word, size_t length, const char *what)
{
	return length == strlen(what) && strncasecmp(word, what, length) == 0;
}

/* "75%", or "75" where a bare number will do. */
static bool take_percent(const char *word, size_t length, bool is_bare, int32_t *percent)
{
	size_t digits = 0;
	int32_t value = 0;

	while (digits < length && is_digit(word[digits]) && value <= PERCENT_MAX)
		value = value * 10 + (word[digits++] - '0');
	if (digits == 0 || value > PERCENT_MAX)
		return false;
	if (!(digits == length && is_bare) && !(digits + 1 == length && word[digits] == '%'))
		return false;
	*percent = value;
	return true;
}

static void take_word(struct words *w, const char *word, size_t length, bool is_bare)
{
	bool is_known = true;

	if (word_is(word, length, "up") || word_is(word, length, "ready"))
		w->is_up = true;
	else if (word_is(word, length, "drain"))
		w->is_draining = true;
	else if (word_is(word, length, "maint") || word_is(word, length, "down") || word_is(word, length, "failed") ||
		 word_is(word, length, "fail") || word_is(word, length, "stopped"))
		w->is_down = true;
	else if (take_percent(word, length, is_bare, &w->percent))
		w->has_percent = true;
	else
		is_known = false;
	w->is_known |= is_known;
}

/* Up to a line end or '#', which begins a text for people. */
static struct words read_words(const char *line, size_t length, bool is_bare)
{
	struct words w = {.percent = 100};
	size_t at = 0;

	while (at < length && line[at] != '\n' && line[at] != '\r' && line[at] != '#' && line[at]) {
		size_t begin = at;

		while (at < length && !strchr(" \t,\r\n#", line[at]) && line[at])
			at++;
		if (at > begin)
			take_word(&w, line + begin, at - begin, is_bare);
		else
			at++;
	}
	return w;
}

static void apply_words(const struct words *w, const char *who, enum reason reason, const char *line, size_t length,
	struct probe_result *result)
{
	char quote[TALK_QUOTE_SIZE];

	result->has_percent = true;
	result->percent = w->percent;
	talk_quote((const uint8_t *)line, length, quote);
	if (w->is_down) {
		result_set(result, reason, "%s says \"%s\"", who, quote);
		return;
	}
	result->is_draining = w->is_draining || (w->has_percent && w->percent == 0);
	if (result->is_draining)
		result_set(result, REASON_OK, "drains by its own word: %s says \"%s\"", who, quote);
	else
		result_set(result, REASON_OK, "%s says \"%s\"", who, quote);
}

void agent_judge(const char *line, size_t length, struct probe_result *result)
{
	struct words w = read_words(line, length, false);
	char quote[TALK_QUOTE_SIZE];

	if (!w.is_known)
		result_set(result, REASON_UNEXPECTED, "the agent says nothing that is known: \"%s\"",
			talk_quote((const uint8_t *)line, length, quote));
	else
		apply_words(&w, "agent", REASON_AGENT, line, length, result);
}

void state_file_judge(const char *text, size_t length, struct probe_result *result)
{
	struct words w = read_words(text, length, true);
	char quote[TALK_QUOTE_SIZE];
	size_t first = 0;

	while (first < length && strchr(" \t\r\n", text[first]) && text[first])
		first++;
	if (first == length) {
		result->has_percent = true;
		result->percent = 100;
		result_set(result, REASON_OK, "the file is empty");
	} else if (!w.is_known) {
		result_set(result, REASON_FILE, "the file says nothing that is known: \"%s\"",
			talk_quote((const uint8_t *)text, length, quote));
	} else {
		apply_words(&w, "file", REASON_FILE, text, length, result);
	}
}

/* A whole number with blanks around it, held within 32 bits. Returns false when it is none. */
static bool read_number(const char *text, size_t length, int64_t *value)
{
	size_t at = 0, begin;
	bool is_negative;

	*value = 0;
	while (at < length && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	if (at == length)
		return true;
	is_negative = text[at] == '-';
	at += text[at] == '-' || text[at] == '+';
	for (begin = at; at < length && is_digit(text[at]); at++)
		if (*value <= INT32_MAX)
			*value = *value * 10 + (text[at] - '0');
	if (*value > INT32_MAX + (int64_t)is_negative)
		*value = INT32_MAX + (int64_t)is_negative;
	if (is_negative)
		*value = -*value;
	return at > begin && (at == length || (strchr(" \t\r\n", text[at]) && text[at]));
}

void track_file_judge(const char *text, size_t length, int32_t weight, bool is_dynamic, int32_t configured,
	struct probe_result *result)
{
	char quote[TALK_QUOTE_SIZE];
	int64_t value, sum;

	if (!read_number(text, length, &value)) {
		result_set(result, REASON_FILE, "the file has no number: \"%s\"",
			talk_quote((const uint8_t *)text, length, quote));
		return;
	}
	sum = value * weight;
	if ((weight == 0 && value != 0) || sum <= INT32_MIN) {
		result_set(result, REASON_FILE, "the file says %lld%s", (long long)value, weight ? "" : ", wanted 0");
		return;
	}
	if (!is_dynamic || weight == 0) {
		result_set(result, REASON_OK, "the file says %lld", (long long)value);
		return;
	}
	sum += configured;
	result->has_weight = true;
	result->weight = sum < 0 ? 0 : sum > INT32_MAX ? INT32_MAX : (int32_t)sum;
	result_set(result, REASON_OK, "the file says %lld: the weight is %d", (long long)value, result->weight);
}
