/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of hostile mail servers and agents, states in files, and conversations. The first byte chooses whose. */
#include "reply.h"
#include "talk.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whole or byte by byte, the reply is the same. */
static void try_smtp(const uint8_t *data, size_t size)
{
	struct smtp_reply whole, bytes;
	size_t used, at = 0;

	smtp_reply_begin(&whole);
	smtp_reply_begin(&bytes);
	used = smtp_reply_feed(&whole, data, size);
	if (used > size)
		abort();
	while (at < size && !bytes.is_done && !bytes.is_broken)
		at += smtp_reply_feed(&bytes, data + at, 1);
	if (used != at || whole.is_done != bytes.is_done || whole.is_broken != bytes.is_broken ||
		whole.code != bytes.code || whole.length != bytes.length || whole.length > sizeof(whole.line))
		abort();
	if (whole.is_done && whole.code > 999)
		abort();
}

static void try_words(const uint8_t *data, size_t size, void (*judge)(const char *, size_t, struct probe_result *))
{
	struct probe_result result = {.reason = REASON_OK};

	judge((const char *)data, size, &result);
	if (!result.why[0] || result.percent < 0 || result.percent > 10000)
		abort();
	if (result.is_draining && result.reason != REASON_OK)
		abort();
}

static void try_number(const uint8_t *data, size_t size)
{
	struct probe_result result = {.reason = REASON_OK};

	track_file_judge((const char *)data, size, size & 1 ? INT32_MAX : -3, true, INT32_MAX, &result);
	if (!result.why[0] || result.weight < 0)
		abort();
}

/* What is looked for and where, separated by a zero byte. */
static void try_talk(enum conf_step_kind kind, const uint8_t *data, size_t size)
{
	struct conf_step step = {.kind = kind, .text = 1};
	struct conf_range steps = {0, 1};
	const uint8_t *end = memchr(data, 0, size);
	size_t length = end ? (size_t)(end - data) : size;
	struct conf conf = {.steps = &step};
	char why[WHY_SIZE], *strings, quote[TALK_QUOTE_SIZE];
	struct talk *talk;
	ssize_t used;

	if (length > 200)
		return;
	strings = calloc(1, length + 2);
	if (!strings)
		return;
	memcpy(strings + 1, data, length);
	conf.strings = strings;
	conf.n_strings = (uint32_t)length + 2;
	talk = talk_compile(&conf, &steps, why);
	if (talk && end) {
		used = talk_find(&talk->steps[0], end + 1, size - length - 1);
		if (used > (ssize_t)(size - length - 1))
			abort();
		talk_quote(end + 1, size - length - 1, quote);
	}
	talk_free(talk);
	free(strings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	switch (data[0] & 7) {
	case 0:
	case 1:
		try_smtp(data + 1, size - 1);
		break;
	case 2:
		try_words(data + 1, size - 1, agent_judge);
		break;
	case 3:
		try_number(data + 1, size - 1);
		try_words(data + 1, size - 1, state_file_judge);
		break;
	case 4:
		try_talk(CONF_STEP_EXPECT, data + 1, size - 1);
		break;
	case 5:
		try_talk(CONF_STEP_EXPECT_HEX, data + 1, size - 1);
		break;
	case 6:
		try_talk(CONF_STEP_EXPECT_BEGIN, data + 1, size - 1);
		break;
	default:
		try_talk(CONF_STEP_EXPECT_REGEX, data + 1, size - 1);
	}
	return 0;
}
