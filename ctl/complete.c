/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What may come next on a command line, for the completion of shells: commands and options from the one table of
 * commands, words from a command's synopsis, names from the running daemon. */
#include "ctl.h"
#include "view.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_US 2000000

/* A candidate, when it begins as the word does. */
static void offer(const char *word, const char *candidate)
{
	if (*candidate && strncmp(candidate, word, strlen(word)) == 0)
		puts(candidate);
}

/* ---- names of the running daemon ---- */

enum names { NAMES_SERVERS = 1, NAMES_SERVICES = 2, NAMES_ROUTERS = 4, NAMES_OTHERS = 8 };

/* "fwmark 5" and "group web" are one word with a colon. */
static void offer_service_name(const char *word, struct json_object *service)
{
	char name[128], *space;

	snprintf(name, sizeof(name), "%s", json_text(service, "name"));
	space = strchr(name, ' ');
	if (space)
		*space = ':';
	offer(word, name);
}

static void offer_service(const char *word, struct json_object *service, unsigned names)
{
	char name[128];

	if (names & NAMES_SERVICES)
		offer_service_name(word, service);
	for (size_t i = 0; (names & NAMES_SERVERS) && i < json_count(service, "servers"); i++) {
		struct json_object *server = json_element(service, "servers", i);

		offer(word, view_server_name(server, name, sizeof(name)));
		offer(word, json_text(server, "name"));
	}
}

static void offer_names(const char *rundir, const char *word, unsigned names)
{
	struct json_object *request = ctl_request("status", NULL, NULL), *status = NULL;
	struct client client;

	if (client_init(&client, rundir) && client_ask(&client, request, PATIENCE_US, &status) == CLIENT_OK) {
		for (size_t i = 0; (names & NAMES_ROUTERS) && i < json_count(status, "vrrp"); i++)
			offer(word, json_text(json_element(status, "vrrp", i), "name"));
		for (size_t i = 0; (names & NAMES_OTHERS) && i < json_count(status, "groups"); i++)
			offer(word, json_text(json_element(status, "groups", i), "name"));
		if (names & NAMES_OTHERS)
			offer(word, "node");
		for (size_t i = 0; i < json_count(status, "services"); i++)
			offer_service(word, json_element(status, "services", i), names);
	}
	client_close(&client);
	json_object_put(status);
	json_object_put(request);
}

/* ---- words of a synopsis ---- */

/* Offers what a word of a synopsis stands for: names for an upper-case one, itself for a lower-case one; both may be
 * alternatives (add|remove). */
static void offer_kind(const char *rundir, const char *word, const char *kind)
{
	char copy[80], *rest = copy, *one;

	snprintf(copy, sizeof(copy), "%s", kind);
	while ((one = strtok_r(rest, "|", &rest))) {
		if (strcmp(one, "FILE") == 0)
			puts("::file");
		else if (strcmp(one, "SERVER") == 0 || strcmp(one, "ADDRESS:PORT") == 0)
			offer_names(rundir, word, NAMES_SERVERS);
		else if (strcmp(one, "SERVICE") == 0)
			offer_names(rundir, word, NAMES_SERVICES);
		else if (strcmp(one, "INSTANCE") == 0)
			offer_names(rundir, word, NAMES_ROUTERS);
		else if (strcmp(one, "NAME") == 0)
			offer_names(rundir, word, NAMES_SERVERS | NAMES_SERVICES | NAMES_ROUTERS | NAMES_OTHERS);
		else if (islower((unsigned char)*one))
			offer(word, one);
	}
}

/* The positional words of a synopsis, up to its first option; what is in brackets counts too. In "add A B | remove C"
 * each alternative has its own words, and the first of them is what is typed first. */
static void offer_position(
	const char *rundir, const struct ctl_command *command, char *const typed[], int position, const char *word)
{
	char copy[300], *rest = copy, *alternative;

	snprintf(copy, sizeof(copy), "%s", command->synopsis);
	while (*rest) {
		char *bar = strstr(rest, " | "), *one;
		int at = 0;

		alternative = rest;
		if (bar)
			*bar = '\0';
		rest = bar ? bar + 3 : rest + strlen(rest);
		while ((one = strtok_r(alternative, " []", &alternative)) && strncmp(one, "--", 2) != 0) {
			if (at == position)
				offer_kind(rundir, word, one);
			else if (at < position && islower((unsigned char)*one) && !strstr(one, typed[at]))
				break;
			at++;
		}
	}
}

/* ---- the line ---- */

static void offer_options(const char *word, const struct ctl_command *command)
{
	char name[40];

	for (const struct option *o = ctl_long_options; o->name; o++) {
		bool is_general = strchr("rhV", o->val) != NULL;

		if (command ? (o->val != 'h' && !strchr(command->options, o->val)) : !is_general)
			continue;
		snprintf(name, sizeof(name), "--%s", o->name);
		offer(word, name);
	}
}

/* The value of an option. Returns false when `option` takes none. */
static bool offer_value(const char *rundir, const char *option, const char *word)
{
	static const char *const times[] = {"30s", "5m", "1h"}, *const ends[] = {"keep", "reset", "remove"};

	if (strcmp(option, "-r") == 0 || strcmp(option, "--rundir") == 0)
		puts("::directory");
	else if (strcmp(option, "--service") == 0)
		offer_names(rundir, word, NAMES_SERVICES);
	else if (strcmp(option, "--then") == 0)
		for (int i = 0; i < 3; i++)
			offer(word, ends[i]);
	else if (strcmp(option, "--timeout") == 0 || strcmp(option, "--confirm") == 0 || strcmp(option, "--since") == 0)
		for (int i = 0; i < 3; i++)
			offer(word, times[i]);
	else
		return false;
	return true;
}

static bool takes_value(const char *option)
{
	for (const struct option *o = ctl_long_options; o->name; o++)
		if (strncmp(option, "--", 2) == 0 && strcmp(option + 2, o->name) == 0)
			return o->has_arg == required_argument;
	return strcmp(option, "-r") == 0;
}

int complete_line(int argc, char **argv, const char *rundir)
{
	const struct ctl_command *command = NULL;
	const char *word = argc > 0 ? argv[argc - 1] : "";
	char *typed[16];
	int position = 0;

	for (int i = 0; i < argc - 1; i++) {
		if (takes_value(argv[i])) {
			if (i + 1 == argc - 1) {
				offer_value(rundir, argv[i], word);
				return CTL_DONE;
			}
			if (strcmp(argv[i], "-r") == 0 || strcmp(argv[i], "--rundir") == 0)
				rundir = argv[i + 1];
			i++;
		} else if (!command && strcmp(argv[i], "help") == 0) {
			continue;
		} else if (argv[i][0] != '-' && !command) {
			command = ctl_find_command(argv[i]);
			if (!command)
				return CTL_DONE;
		} else if (argv[i][0] != '-' && position < 15) {
			typed[position++] = argv[i];
		}
	}
	if (*word == '-')
		offer_options(word, command);
	else if (command)
		offer_position(rundir, command, typed, position, word);
	for (const struct ctl_command *c = ctl_commands; !command && *word != '-' && c->name; c++)
		offer(word, c->name);
	return CTL_DONE;
}
