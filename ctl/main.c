/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poisectl, the operator's program: reads its command line and asks the daemon. It holds no state and needs no
 * privilege to look. */
#include "config.h"

#include "ctl.h"
#include "when.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNDIR_DEFAULT "/run/poise"

struct command_line {
	const char *rundir;
	bool help, version;
	char given[24]; /* letters of the options that belong to commands */
	struct ctl_options options;
};

static void note_option(struct command_line *line, int letter)
{
	size_t length = strlen(line->given);

	if (!strchr(line->given, letter) && length + 1 < sizeof(line->given))
		line->given[length] = (char)letter;
}

static int take_time(const char *option, int64_t *time_us)
{
	*time_us = when_duration(optarg);
	if (*time_us < 0)
		return ctl_fail(CTL_USAGE, "--%s %s: use a time like 30, 30s, 5m, 1h or 1h30m", option, optarg);
	return 0;
}

static int take_since(int64_t *since_us)
{
	*since_us = when_ago(optarg, ctl_now_us());
	if (*since_us < 0)
		return ctl_fail(CTL_USAGE,
			"--since %s: use how long ago (30s, 5m, 1h30m, 2d), a time of day (03:10), or a date "
			"(2026-11-29, '2026-11-29 03:10')",
			optarg);
	return 0;
}

static int take_then(struct ctl_options *o)
{
	o->then = optarg;
	if (strcmp(optarg, "keep") == 0 || strcmp(optarg, "reset") == 0 || strcmp(optarg, "remove") == 0)
		return 0;
	return ctl_fail(CTL_USAGE, "--then %s: use keep, reset or remove", optarg);
}

/* Options that are only there or not; NULL for others. */
static bool *find_flag(struct ctl_options *o, int letter)
{
	switch (letter) {
	case 'j':
		return &o->json;
	case 'w':
		return &o->watch;
	case 'f':
		return &o->follow;
	case 'a':
		return &o->all;
	case 'b':
		return &o->back;
	case 'W':
		return &o->wait;
	case 'k':
		return &o->keep_known;
	case 'S':
		return &o->self;
	case 'A':
		return &o->allow;
	case 'n':
		return &o->dry_run;
	}
	return NULL;
}

/* Returns 0, or an exit status. */
static int take_option(struct command_line *line, int letter)
{
	struct ctl_options *o = &line->options;

	bool *flag = find_flag(o, letter);

	note_option(line, letter);
	if (flag) {
		*flag = true;
		return 0;
	}
	switch (letter) {
	case 's':
		o->service = optarg;
		return 0;
	case 't':
		return take_then(o);
	case 'T':
		return take_time("timeout", &o->timeout_us);
	case 'c':
		return take_time("confirm", &o->confirm_us);
	case 'i':
		return take_since(&o->since_us);
	}
	return CTL_USAGE; /* there is no other letter */
}

/* Letters that must be changed, added or left out to make one word of the other (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[33], m = (unsigned)strlen(b);

	if (m > 32 || strlen(a) > 32)
		return 99;
	for (unsigned j = 0; j <= m; j++)
		row[j] = j;
	for (unsigned i = 0; a[i]; i++) {
		unsigned corner = row[0];

		row[0] = i + 1;
		for (unsigned j = 0; j < m; j++) {
			unsigned above = row[j + 1], best = corner + (a[i] != b[j]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			corner = above;
			row[j + 1] = best;
		}
	}
	return row[m];
}

static const char *option_name(char letter)
{
	for (const struct option *o = ctl_long_options; o->name; o++) {
		if (o->val == letter)
			return o->name;
	}
	return "?";
}

/* What getopt_long() complains about: its word, or "-x". */
static const char *bad_word(char *const argv[], char buf[3])
{
	bool is_known = optopt && strcmp(option_name((char)optopt), "?") != 0;

	if (optopt == 0 || (is_known && strncmp(argv[optind - 1], "--", 2) == 0))
		return argv[optind - 1];
	buf[0] = '-';
	buf[1] = (char)optopt;
	buf[2] = '\0';
	return buf;
}

/* An option that does not exist, or has no value, or one too many. */
static int bad_option(const char *word, int letter, int is_lacking)
{
	const struct option *nearest = NULL;
	unsigned least = 3;
	char name[40];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word, "="), word);
	if (is_lacking)
		return ctl_fail(CTL_USAGE, "%s needs a value: see 'poisectl help'", name);
	if (letter)
		return ctl_fail(CTL_USAGE, "%s takes no value", name);
	for (const struct option *o = ctl_long_options; o->name && strncmp(name, "--", 2) == 0; o++) {
		unsigned d = distance(name + 2, o->name);

		if (d < least) {
			least = d;
			nearest = o;
		}
	}
	if (nearest)
		return ctl_fail(CTL_USAGE, "%s: no such option: did you mean --%s?", name, nearest->name);
	return ctl_fail(CTL_USAGE, "%s: no such option: see 'poisectl help', or 'poisectl help COMMAND'", name);
}

static int read_command_line(struct command_line *line, int argc, char **argv)
{
	const char *word;
	int letter, rc;
	char buf[3];

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":r:hV", ctl_long_options, NULL)) >= 0) {
		if (letter == '?' || letter == ':') {
			word = bad_word(argv, buf);
			return bad_option(word, strchr(word, '=') ? optopt : 0, letter == ':');
		} else if (letter == 'r') {
			line->rundir = optarg;
		} else if (letter == 'h') {
			line->help = true;
		} else if (letter == 'V') {
			line->version = true;
		} else {
			rc = take_option(line, letter);
			if (rc)
				return rc;
		}
	}
	line->options.argc = argc - optind;
	line->options.argv = argv + optind;
	return 0;
}

/* Says what was perhaps meant. */
static int unknown_command(const char *name)
{
	const struct ctl_command *nearest = NULL;
	unsigned least = 3;

	for (const struct ctl_command *c = ctl_commands; c->name; c++) {
		unsigned d = distance(name, c->name);

		if (d < least) {
			least = d;
			nearest = c;
		}
	}
	if (nearest)
		return ctl_fail(CTL_USAGE, "%s: no such command: did you mean 'poisectl %s'?", name, nearest->name);
	return ctl_fail(CTL_USAGE, "%s: no such command: see 'poisectl --help'", name);
}

/* Are the words and options ones that this command takes? Returns 0 or an exit status. */
static int check_usage(const struct ctl_command *command, const struct command_line *line)
{
	for (const char *letter = line->given; *letter; letter++) {
		if (!strchr(command->options, *letter))
			return ctl_fail(CTL_USAGE, "%s has no --%s: see 'poisectl %s --help'", command->name,
				option_name(*letter), command->name);
	}
	if (line->options.argc < command->min_args || line->options.argc > command->max_args)
		return ctl_wrong_usage(command);
	return 0;
}

static int run(struct command_line *line)
{
	const struct ctl_command *command;
	struct client client;
	int rc;

	if (line->version && line->options.argc == 0) {
		printf("poisectl %s\n", PACKAGE_VERSION);
		return CTL_DONE;
	}
	/* "poisectl help drain" is what many programs understand. */
	if (line->options.argc > 0 && strcmp(line->options.argv[0], "help") == 0) {
		line->help = true;
		line->options.argc--;
		line->options.argv++;
	}
	if (line->options.argc == 0) {
		if (line->help)
			usage_show_all();
		else
			ctl_fail(CTL_USAGE, "what shall be done? For example 'poisectl status'; see 'poisectl --help'");
		return line->help ? CTL_DONE : CTL_USAGE;
	}
	command = ctl_find_command(line->options.argv[0]);
	if (!command)
		return unknown_command(line->options.argv[0]);
	line->options.argc--;
	line->options.argv++;
	if (line->help) {
		usage_show(command);
		return CTL_DONE;
	}
	rc = check_usage(command, line);
	if (rc)
		return rc;
	if (!client_init(&client, line->rundir))
		return ctl_fail(CTL_USAGE, "%s: the name is too long for a socket", line->rundir);
	rc = command->run(command, &client, &line->options);
	client_close(&client);
	return rc;
}

int main(int argc, char **argv)
{
	struct command_line line = {.rundir = RUNDIR_DEFAULT};
	int rc;

	/* Before options are looked at: they are words here. */
	if (argc > 1 && strcmp(argv[1], "__complete") == 0)
		return complete_line(argc - 2, argv + 2, RUNDIR_DEFAULT);
	rc = read_command_line(&line, argc, argv);
	return rc ? rc : run(&line);
}
