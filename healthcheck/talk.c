/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiles and matches conversations. Runs in poise-healthcheck; pure but for the memory of what is compiled: it never
 * reads or writes a socket. */
#include "talk.h"
#include "regex.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Two digits; -1 when they are not. */
static int take_byte(const char *text)
{
	int high = digit_value(text[0]), low = high < 0 ? -1 : digit_value(text[1]);

	return low < 0 ? -1 : high << 4 | low;
}

ssize_t talk_unescape(const char *text, uint8_t *buf)
{
	size_t n = 0;

	while (*text) {
		int byte = (unsigned char)*text++;

		if (byte == '\\') {
			char c = *text++;

			byte = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c == '\\' ? '\\' : -1;
			if (c == 'x') {
				byte = take_byte(text);
				text += 2;
			}
			if (byte < 0)
				return -1;
		}
		buf[n++] = (uint8_t)byte;
	}
	return (ssize_t)n;
}

static ssize_t decode_hex(const char *text, uint8_t *buf)
{
	size_t n = 0;

	for (; *text; text += 2) {
		int byte = take_byte(text);

		if (byte < 0)
			return -1;
		buf[n++] = (uint8_t)byte;
	}
	return (ssize_t)n;
}

/* Digits and x for any: the bytes and which of their bits count, one after another. */
static ssize_t decode_masked(const char *text, uint8_t *buf)
{
	size_t n = strlen(text) / 2;

	for (size_t i = 0; i < 2 * n; i++) {
		bool is_any = text[i] == 'x' || text[i] == 'X';
		int value = is_any ? 0 : digit_value(text[i]);
		uint8_t *byte = &buf[i / 2], *mask = &buf[n + i / 2];

		if (value < 0)
			return -1;
		*byte = (uint8_t)((i % 2 ? *byte << 4 : 0) | value);
		*mask = (uint8_t)((i % 2 ? *mask << 4 : 0) | (is_any ? 0 : 15));
	}
	return text[2 * n] ? -1 : (ssize_t)n;
}

static int compile_step(struct talk_step *step, const char *text, char *why)
{
	ssize_t length;

	if (step->kind == CONF_STEP_EXPECT_REGEX) {
		step->regex = regex_compile(text, 0, why);
		return step->regex ? 0 : -1;
	}
	step->bytes = malloc(strlen(text) + 1);
	if (!step->bytes) {
		snprintf(why, WHY_SIZE, "out of memory");
		return -1;
	}
	if (step->kind == CONF_STEP_SEND || step->kind == CONF_STEP_EXPECT)
		length = talk_unescape(text, step->bytes);
	else if (step->kind == CONF_STEP_EXPECT_BEGIN)
		length = decode_masked(text, step->bytes);
	else
		length = decode_hex(text, step->bytes);
	step->length = length > 0 ? (size_t)length : 0;
	if (length > 0)
		return 0;
	snprintf(why, WHY_SIZE,
		"\"%.60s\" has an escape that is none of \\r \\n \\t \\\\ \\xHH, or no even hexadecimal", text);
	return -1;
}

struct talk *talk_compile(const struct conf *conf, const struct conf_range *steps, char *why)
{
	struct talk *talk = calloc(1, sizeof(*talk) + steps->count * sizeof(talk->steps[0]));

	if (!talk) {
		snprintf(why, WHY_SIZE, "out of memory");
		return NULL;
	}
	for (uint32_t i = 0; i < steps->count; i++) {
		const struct conf_step *step = &conf->steps[steps->first + i];

		talk->n++;
		talk->steps[i].kind = (enum conf_step_kind)step->kind;
		if (compile_step(&talk->steps[i], conf_string(conf, step->text), why) < 0) {
			talk_free(talk);
			return NULL;
		}
	}
	return talk;
}

void talk_free(struct talk *talk)
{
	if (!talk)
		return;
	for (uint32_t i = 0; i < talk->n; i++) {
		free(talk->steps[i].bytes);
		regex_free(talk->steps[i].regex);
	}
	free(talk);
}

/* As far as both go, as in keepalived. */
static ssize_t begins_as(const struct talk_step *step, const uint8_t *data, size_t length)
{
	size_t n = length < step->length ? length : step->length;

	for (size_t i = 0; i < n; i++)
		if ((data[i] ^ step->bytes[i]) & step->bytes[step->length + i])
			return -1;
	return (ssize_t)n;
}

ssize_t talk_find(const struct talk_step *step, const uint8_t *data, size_t length)
{
	const uint8_t *at;
	size_t end;

	if (step->regex)
		return regex_find(step->regex, data, length, 0, NULL, &end) == REGEX_FOUND ? (ssize_t)end : -1;
	if (length == 0)
		return -1;
	if (step->kind == CONF_STEP_EXPECT_BEGIN)
		return begins_as(step, data, length);
	at = memmem(data, length, step->bytes, step->length);
	return at ? (ssize_t)((size_t)(at - data) + step->length) : -1;
}

const char *talk_quote(const uint8_t *data, size_t length, char *buf)
{
	size_t n = 0;

	/* The end of the line before may be left. */
	while (length > 0 && (*data == '\r' || *data == '\n')) {
		data++;
		length--;
	}
	while (n < length && n + 1 < TALK_QUOTE_SIZE && data[n] != '\r' && data[n] != '\n') {
		buf[n] = data[n] >= ' ' && data[n] <= '~' ? (char)data[n] : '.';
		n++;
	}
	buf[n] = '\0';
	return buf;
}
