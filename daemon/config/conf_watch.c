/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrrp_track_process and track_file: what can be watched beside scripts and interfaces. Runs in the config role. */
#include "conf_track.h"
#include <stdlib.h>
#include <string.h>

void conf_weight_read(struct conf_load *load, const struct conf_node *node, int64_t limit, int32_t usual,
	int32_t *weight, uint32_t *reverse)
{
	int64_t value = usual;

	if (conf_parse_number(conf_word(node, 1), -limit, limit, &value) != CONF_VALUE_OK)
		conf_warn(load, node, 1,
			"weight must be a number from -%lld to %lld, not \"%s\"" CONF_MEANING "%d is taken",
			(long long)limit, (long long)limit, conf_word(node, 1), (int)usual);
	*weight = (int32_t)value;
	*reverse = strcmp(conf_word(node, 2), "reverse") == 0;
	conf_extra_words(load, node, *reverse ? 3 : 2);
}

void conf_weight_print(struct conf_printer *p, int32_t weight, uint32_t reverse, int32_t usual)
{
	if (weight != usual || reverse)
		conf_print_line(p, "weight %d%s", weight, reverse ? " reverse" : "");
}

/* ---- vrrp_track_process ---- */

static struct conf_process *process(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_PROCESS);
}

/* The name and its arguments, each a word of the line; one unquoted by quotes is one word, blanks and all. */
static void apply_process(struct conf_load *load, const struct conf_node *node)
{
	const char **words;
	uint32_t n = node->n_words - 1;

	if (n == 0) {
		conf_error(load, node, 0, "process needs the name of a program");
		return;
	}
	words = conf_realloc(NULL, n, sizeof(*words));
	for (uint32_t i = 0; i < n; i++)
		words[i] = conf_word(node, i + 1);
	process(load)->command.argv = conf_builder_words(load->builder, words, n);
	process(load)->command.argc = n;
	free(words);
}

static void print_process(struct conf_printer *p, uint32_t record)
{
	const struct conf_process *c = conf_print_record(p, CONF_TABLE_PROCESS, record);
	const char *word = conf_print_string(p, c->command.argv);
	char line[4096] = "process";

	for (uint32_t i = 0; i < c->command.argc; i++) {
		const char *quoted = conf_print_word(p, word);

		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", quoted);
		word += strlen(word) + 1;
	}
	if (c->command.argc)
		conf_print_line(p, "%s", line);
}

static void apply_param_match(struct conf_load *load, const struct conf_node *node)
{
	const char *how = conf_word(node, 1);

	if (strcmp(how, "initial") == 0)
		process(load)->param_match = CONF_PARAM_INITIAL;
	else if (strcmp(how, "partial") == 0)
		process(load)->param_match = CONF_PARAM_PARTIAL;
	else if (node->n_words == 1 || strcmp(how, "exact") == 0)
		process(load)->param_match = CONF_PARAM_EXACT;
	else
		conf_warn(load, node, 1,
			"param_match is followed by initial, partial, or nothing, not \"%s\"" CONF_MEANING
			"the arguments must be equal",
			how);
	conf_extra_words(load, node, 2);
}

static void print_param_match(struct conf_printer *p, uint32_t record)
{
	static const char *const lines[] = {NULL, "param_match", "param_match initial", "param_match partial"};
	const struct conf_process *c = conf_print_record(p, CONF_TABLE_PROCESS, record);

	if (lines[c->param_match])
		conf_print_line(p, "%s", lines[c->param_match]);
}

static void apply_process_weight(struct conf_load *load, const struct conf_node *node)
{
	conf_weight_read(load, node, 254, 1, &process(load)->weight, &process(load)->weight_reverse);
}

static void print_process_weight(struct conf_printer *p, uint32_t record)
{
	const struct conf_process *c = conf_print_record(p, CONF_TABLE_PROCESS, record);

	conf_weight_print(p, c->weight, c->weight_reverse, 1);
}

static void apply_delay(struct conf_load *load, const struct conf_node *node)
{
	int64_t delay;

	if (conf_parse_time(conf_word(node, 1), 0, 3600 * CONF_S, &delay) != CONF_VALUE_OK) {
		conf_warn(load, node, 1, "delay must be a time from 0 to 3600 seconds" CONF_MEANING "it is left out");
		return;
	}
	process(load)->fork_delay_us = process(load)->terminate_delay_us = delay;
	conf_extra_words(load, node, 2);
}

#define P(member) CONF_RECORD(conf_process, member)

/* clang-format off */
static const struct conf_directive process_directives[] = {
	CALL("process", apply_process, print_process, OBJECT, "NAME [ARGUMENT...]: the name of the program as ps -e shows it; with arguments, the command line is compared"),
	CALL("param_match", apply_param_match, print_param_match, OBJECT, "initial: the last argument may go on; partial: more arguments may follow; nothing: no arguments but these"),
	PLAIN("full_command", P(full_command), OBJECT, "compare the command line instead of the kernel's name of the process"),
	CALL("weight", apply_process_weight, print_process_weight, LIVE, "added to the priority while the quorum is there (positive) or not (negative); 0 = its loss is a fault; default 1"),
	NUMBER("quorum", P(quorum), 0, 65535, 1, LIVE, "how many have to run"),
	NUMBER("quorum_max", P(quorum_max), 0, UINT32_MAX, UINT32_MAX, LIVE, "how many may run"),
	TIME("fork_delay", P(fork_delay_us), 0, 3600 * CONF_S, 0, LIVE, "the quorum counts when it has been there this long"),
	TIME("terminate_delay", P(terminate_delay_us), 0, 3600 * CONF_S, 0, LIVE, "the quorum is lost when it has been gone this long"),
	CALL("delay", apply_delay, NULL, LIVE, "both fork_delay and terminate_delay"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_process(struct conf_load *load, const struct conf_node *node)
{
	struct conf_process *p;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_PROCESS, node, &name))
		return false;
	p = conf_object_begin(load, &conf_process_block, node);
	p->name = name;
	p->weight = 1;
	return true;
}

static void end_process(struct conf_load *load, const struct conf_node *node)
{
	if (process(load)->command.argc == 0)
		conf_error(load, node, 1, "vrrp_track_process %s needs a process", conf_word(node, 1));
	if (process(load)->quorum > process(load)->quorum_max)
		conf_error(
			load, node, 1, "vrrp_track_process %s: quorum is larger than quorum_max", conf_word(node, 1));
}

static void print_process_block(struct conf_printer *p, uint32_t record)
{
	const struct conf_process *c = conf_print_record(p, CONF_TABLE_PROCESS, record);

	conf_print_open(p, "vrrp_track_process %s", conf_print_text(p, c->name));
	conf_print_directives(p, &conf_process_block, record);
	conf_print_close(p);
}

const struct conf_block conf_process_block = {
	.name = "vrrp_track_process",
	.table = CONF_TABLE_PROCESS,
	.directives = {process_directives},
	.begin = begin_process,
	.end = end_process,
	.print = print_process_block,
};

/* ---- track_file ---- */

static struct conf_file *file(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_FILE);
}

static void apply_file_weight(struct conf_load *load, const struct conf_node *node)
{
	conf_weight_read(load, node, INT32_MAX, 1, &file(load)->weight, &file(load)->weight_reverse);
}

static void print_file_weight(struct conf_printer *p, uint32_t record)
{
	const struct conf_file *f = conf_print_record(p, CONF_TABLE_FILE, record);

	conf_weight_print(p, f->weight, f->weight_reverse, 1);
}

/* init_file [VALUE] [overwrite] */
static void apply_init(struct conf_load *load, const struct conf_node *node)
{
	uint32_t i = 1;
	int64_t value = 0;

	if (i < node->n_words && conf_parse_number(conf_word(node, i), INT32_MIN, INT32_MAX, &value) == CONF_VALUE_OK)
		i++;
	file(load)->init = CONF_FILE_CREATE;
	file(load)->init_value = (int32_t)value;
	if (strcmp(conf_word(node, i), "overwrite") == 0) {
		file(load)->init = CONF_FILE_OVERWRITE;
		i++;
	}
	conf_extra_words(load, node, i);
}

static void print_init(struct conf_printer *p, uint32_t record)
{
	const struct conf_file *f = conf_print_record(p, CONF_TABLE_FILE, record);

	if (f->init != CONF_FILE_LEAVE)
		conf_print_line(p, "init_file %d%s", f->init_value, f->init == CONF_FILE_OVERWRITE ? " overwrite" : "");
}

/* clang-format off */
static const struct conf_directive file_directives[] = {
	TEXT("file", CONF_RECORD(conf_file, path), OBJECT, "its path; it is read whenever it was written"),
	CALL("weight", apply_file_weight, print_file_weight, LIVE, "its number times this is added to the priority; 0 = it is a fault when the number is not 0; default 1"),
	CALL("init_file", apply_init, print_init, START, "[VALUE] [overwrite]: create the file (or overwrite it) with this number at the start; default 0"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_file(struct conf_load *load, const struct conf_node *node)
{
	struct conf_file *f;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_FILE, node, &name))
		return false;
	f = conf_object_begin(load, &conf_track_file_block, node);
	f->name = name;
	f->weight = 1;
	return true;
}

static void end_file(struct conf_load *load, const struct conf_node *node)
{
	const char *path = conf_builder_text(load->builder, file(load)->path);

	if (path[0] != '/')
		conf_error(load, node, 1, "track_file %s needs a file with an absolute path", conf_word(node, 1));
}

static void print_file_block(struct conf_printer *p, uint32_t record)
{
	const struct conf_file *f = conf_print_record(p, CONF_TABLE_FILE, record);

	conf_print_open(p, "track_file %s", conf_print_text(p, f->name));
	conf_print_directives(p, &conf_track_file_block, record);
	conf_print_close(p);
}

const struct conf_block conf_track_file_block = {
	.name = "track_file",
	.table = CONF_TABLE_FILE,
	.directives = {file_directives},
	.begin = begin_file,
	.end = end_file,
	.print = print_file_block,
};
