/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which processes are the tracked ones and what a tracked file says. Pure; part of the script process. What it
 * looks at was written by others and is bounded by size alone. */
#include "script_match.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_NAME 15 /* longest name of a process */

bool script_match_needs_line(const struct conf_process *process)
{
	return process->full_command || process->command.argc > 1 || process->param_match != CONF_PARAM_NONE;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *next_word(const char *line, const char *end)
{
	return memchr(line, '\0', (size_t)(end - line)) ? line + strlen(line) + 1 : end;
}

/* The first argument may be a path where only a name is configured. */
static bool is_program(const char *configured, const char *seen)
{
	return strcmp(configured, seen) == 0 || (!strchr(configured, '/') && strcmp(configured, base_name(seen)) == 0);
}

static bool match_line(const char *word, const struct conf_process *process, const char *line, size_t size)
{
	const char *end = line + size;

	if (size == 0 || line[size - 1] != '\0' || !is_program(word, line))
		return false;
	for (uint32_t i = 1; i < process->command.argc; i++) {
		bool is_last = i + 1 == process->command.argc;

		word += strlen(word) + 1;
		line = next_word(line, end);
		if (line == end)
			return false;
		if (is_last && process->param_match == CONF_PARAM_INITIAL) {
			if (strncmp(word, line, strlen(word)) != 0)
				return false;
		} else if (strcmp(word, line) != 0) {
			return false;
		}
	}
	/* Only the name was asked for, or more may follow. */
	if (process->param_match == CONF_PARAM_PARTIAL ||
		(process->command.argc == 1 && process->param_match == CONF_PARAM_NONE))
		return true;
	return next_word(line, end) == end;
}

bool script_match_process(
	const struct conf *conf, const struct conf_process *process, const char *name, const char *line, size_t size)
{
	const char *word = conf_string(conf, process->command.argv);

	if (script_match_needs_line(process))
		return match_line(word, process, line, size);
	return strncmp(base_name(word), name, KERNEL_NAME) == 0;
}

bool script_quorum_step(struct script_quorum *quorum, const struct conf_process *process, uint32_t count,
	int64_t now_us, int64_t *next_us)
{
	bool is_good = count >= process->quorum && count <= process->quorum_max;
	int64_t delay_us = is_good ? process->fork_delay_us : process->terminate_delay_us;

	*next_us = 0;
	if (quorum->is_known && is_good == quorum->is_up) {
		quorum->contrary_since_us = 0;
		return false;
	}
	if (quorum->is_known && quorum->contrary_since_us == 0)
		quorum->contrary_since_us = now_us;
	if (quorum->is_known && now_us < quorum->contrary_since_us + delay_us) {
		*next_us = quorum->contrary_since_us + delay_us;
		return false;
	}
	*quorum = (struct script_quorum){.is_known = true, .is_up = is_good};
	return true;
}

bool script_match_number(const char *text, size_t size, int32_t *value)
{
	char digits[32];
	char *end;
	long number;

	*value = 0;
	while (size > 0 && isspace((unsigned char)text[0])) {
		text++;
		size--;
	}
	while (size > 0 && (isspace((unsigned char)text[size - 1]) || text[size - 1] == '\0'))
		size--;
	if (size == 0)
		return true;
	if (size >= sizeof(digits))
		return false;
	memcpy(digits, text, size);
	digits[size] = '\0';
	errno = 0;
	number = strtol(digits, &end, 10);
	if (*end != '\0' || end == digits)
		return false;
	if (number > INT32_MAX)
		number = INT32_MAX;
	if (number < INT32_MIN)
		number = INT32_MIN;
	*value = (int32_t)number;
	return true;
}
