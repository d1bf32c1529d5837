/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of poisectl. Exit status: 0 done, 1 refused or not possible (with the reason), 2 wrong usage,
 * 3 interrupted or out of time while waiting, 4 connections were or would be cut, 5 (plan) something would
 * change and no connection be cut. */
#ifndef POISECTL_H
#define POISECTL_H

#include "client.h"
#include "text.h"
#include <getopt.h>
#include <stdio.h>

enum ctl_exit { CTL_DONE = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_INTERRUPTED = 3, CTL_CUT = 4, CTL_HARMLESS = 5 };

/* What was said on the command line, for every command. */
struct ctl_options {
	const char *service, *then;
	bool json, watch, follow, wait, all, back, keep_known, self, allow, dry_run;
	int64_t timeout_us; /* 0 = none */
	int64_t confirm_us; /* 0 = none */
	int64_t since_us;   /* how long ago; 0 = from the beginning */
	int argc;           /* words after the options */
	char **argv;
};

struct ctl_command {
	const char *name;
	const char *synopsis; /* after the name */
	const char *summary;  /* one sentence for the list */
	const char *details;  /* options and example */
	int min_args, max_args;
	const char *options; /* letters: see ctl_long_options */
	int (*run)(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
};

/* ended by a record without a name */
extern const struct ctl_command ctl_commands[];
extern const struct option ctl_long_options[];

const struct ctl_command *ctl_find_command(const char *name); /* NULL when there is none */
/* `poisectl __complete WORD...`: prints what the last of the words may become, one a line; "::file" and "::directory"
 * stand for names in the file system. Returns an exit status. */
int complete_line(int argc, char **argv, const char *rundir);

void usage_show_all(void);
void usage_show(const struct ctl_command *command);
/* How it is typed, from "first" on ("Usage: "); further lines are indented by as much. */
void usage_show_synopsis(const struct ctl_command *command, const char *first, FILE *out);
/* Complains and shows how it is typed. Returns CTL_USAGE. */
int ctl_wrong_usage(const struct ctl_command *command);

/* "poisectl: ..." on standard error. Returns status. */
int ctl_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Complains about what client_ask() said; returns the exit status for it. */
int ctl_fail_asked(const struct client *client, enum client_result rc);
int ctl_exit_of(enum client_result rc);
/* {"command": name}, with "server" and "service" when they are not NULL. */
struct json_object *ctl_request(const char *name, const char *server, const char *service);
/* A document on standard output: laid out on a terminal, in one line for a program (and when is_line). */
void ctl_print_json(struct json_object *document, bool is_line);
/* What came of a change, for a program: {"ok", "error"} and the members of the daemon's result. */
void ctl_print_answer(const struct client *client, enum client_result rc, struct json_object *result);
int64_t ctl_now_us(void); /* wall clock */
int64_t ctl_monotonic_us(void);

/* Gives mastership away (or with `back` takes it) for options->argv[0] or `all`, and says what came of it. */
int ctl_handover(struct client *client, const struct ctl_options *options);

#define CTL_PATIENCE_US 15000000LL
#define CTL_RELOAD_PATIENCE_US 90000000LL

int run_status(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_why(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_events(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_drain(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_change(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_weight(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_handover(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_convert(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_reload(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_show(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_plan(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_apply(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_confirm(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_server(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_save(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_top(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_metrics(const struct ctl_command *command, struct client *client, const struct ctl_options *options);
int run_version(const struct ctl_command *command, struct client *client, const struct ctl_options *options);

#endif
