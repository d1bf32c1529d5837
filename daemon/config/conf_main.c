/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-config: reads a configuration once and ends. The parent runs it for every load and takes the table from a
 * descriptor, most often one that stands by, with everything done that needs no file; `poised -t` executes it for
 * people. It never changes anything on the machine. */
#include "conf_convert.h"
#include "conf_order.h"
#include "conf_print.h"
#include "conf_read.h"
#include "sandbox.h"
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* Less than systemd waits for a start. */
#define READ_PATIENCE_S 30

enum {
	OPTION_DIALECT = 256,
	OPTION_OUT_FD,
	OPTION_GENERATION,
	OPTION_BRIEF,
	OPTION_DUMP,
	OPTION_KEYWORDS,
	OPTION_CONVERT,
	OPTION_ID,
	OPTION_USER,
	OPTION_STAND_BY
};

struct arguments {
	const char *file, *user;
	int out_fd;
	uint64_t generation;
	bool test, brief, dump, keywords, convert, verbose, stand_by;
	struct conf_read_options read;
};

static const struct arguments no_arguments = {.out_fd = -1, .read = {.dialect = -1, .check_files = true}};

static void usage(FILE *out)
{
	fprintf(out, "usage: poise-config [-t] -f FILE [--dialect keepalived|poise] [--out-fd N] [--generation N]\n"
		     "                    [--brief] [--dump] [--convert] [--keywords] [-v] [--config-id NAME] [--user "
		     "UID:GID]\n"
		     "       poise-config --stand-by --user UID:GID\n");
}

static bool parse_dialect(const char *name, int *dialect)
{
	static const char *const names[] = {"keepalived", "poise", NULL};

	*dialect = conf_parse_choice(name, names);
	if (*dialect < 0)
		fprintf(stderr, "poise-config: --dialect is keepalived or poise, not %s\n", name);
	return *dialect >= 0;
}

static bool parse_count(const char *option, const char *text, int64_t high, int64_t *out)
{
	if (conf_parse_number(text, 0, high, out) == CONF_VALUE_OK)
		return true;
	fprintf(stderr, "poise-config: --%s needs a number, not %s\n", option, text);
	return false;
}

static bool parse_option(struct arguments *a, int option)
{
	int64_t number;

	switch (option) {
	case 'f':
		a->file = optarg;
		return true;
	case 't':
		a->test = true;
		return true;
	case 'v':
		a->verbose = true;
		return true;
	case OPTION_DIALECT:
		return parse_dialect(optarg, &a->read.dialect);
	case OPTION_OUT_FD:
		if (!parse_count("out-fd", optarg, INT32_MAX, &number))
			return false;
		a->out_fd = (int)number;
		return true;
	case OPTION_GENERATION:
		if (!parse_count("generation", optarg, INT64_MAX, &number))
			return false;
		a->generation = (uint64_t)number;
		return true;
	case OPTION_BRIEF:
		a->brief = true;
		return true;
	case OPTION_DUMP:
		a->dump = true;
		return true;
	case OPTION_KEYWORDS:
		a->keywords = true;
		return true;
	case OPTION_CONVERT:
		a->convert = true;
		return true;
	case OPTION_ID:
		a->read.config_id = optarg;
		return true;
	case OPTION_USER:
		a->user = optarg;
		return true;
	case OPTION_STAND_BY:
		a->stand_by = true;
		return true;
	}
	return false;
}

static bool parse_arguments(struct arguments *a, int argc, char **argv)
{
	static const struct option options[] = {
		{"dialect", required_argument, NULL, OPTION_DIALECT},
		{"out-fd", required_argument, NULL, OPTION_OUT_FD},
		{"generation", required_argument, NULL, OPTION_GENERATION},
		{"brief", no_argument, NULL, OPTION_BRIEF},
		{"dump", no_argument, NULL, OPTION_DUMP},
		{"keywords", no_argument, NULL, OPTION_KEYWORDS},
		{"convert", no_argument, NULL, OPTION_CONVERT},
		{"config-id", required_argument, NULL, OPTION_ID},
		{"user", required_argument, NULL, OPTION_USER},
		{"stand-by", no_argument, NULL, OPTION_STAND_BY},
		{NULL, 0, NULL, 0},
	};
	int option;

	optind = 0; /* an order comes behind the arguments of a reader that stands by */
	while ((option = getopt_long(argc, argv, "f:tv", options, NULL)) != -1)
		if (!parse_option(a, option))
			return false;
	return optind == argc && (a->file || a->keywords || a->stand_by);
}

static void print_counts(struct conf_builder *b)
{
	printf("%u instances, %u addresses, %u sync groups, %u scripts, %u services, %u servers, %u checks\n",
		conf_builder_count(b, CONF_TABLE_INSTANCE), conf_builder_count(b, CONF_TABLE_ADDRESS),
		conf_builder_count(b, CONF_TABLE_GROUP), conf_builder_count(b, CONF_TABLE_SCRIPT),
		conf_builder_count(b, CONF_TABLE_SERVICE), conf_builder_count(b, CONF_TABLE_SERVER),
		conf_builder_count(b, CONF_TABLE_CHECK));
}

static void print_summary(const struct arguments *a, struct conf_result *r)
{
	unsigned errors = conf_diag_errors(r->diag), warnings = conf_diag_warnings(r->diag);
	unsigned notes = conf_diag_notes(r->diag);
	const char *slash = strrchr(a->file, '/');

	if (a->verbose)
		print_counts(r->builder);
	printf("%s: %u error%s, %u warning%s", slash ? slash + 1 : a->file, errors, errors == 1 ? "" : "s", warnings,
		warnings == 1 ? "" : "s");
	if (notes)
		printf(", %u note%s%s", notes, notes == 1 ? "" : "s", a->verbose ? "" : " (-v shows)");
	printf(": %s\n", errors ? "refused" : "loads");
}

static void print_converted(const struct arguments *a, struct conf_edits *edits, const struct conf_result *r)
{
	conf_convert_print(edits, &r->sources, stdout);
	fprintf(stderr, "%s: %u places changed; the result means the same\n", a->file, edits->count);
	if (edits->elsewhere)
		fprintf(stderr, "%s: %u places in included files are left: convert these files by themselves\n",
			a->file, edits->elsewhere);
}

static int load(const struct arguments *a)
{
	struct conf_read_options read = a->read;
	struct conf_edits edits = {0};
	struct conf_result result;
	int status, r;

	if (a->convert)
		read.edits = &edits;
	conf_read_file(&result, a->file, &read);
	if (a->verbose)
		conf_diag_show_notes(result.diag);
	status = conf_diag_errors(result.diag) ? 1 : 0;
	if (!a->convert || status)
		conf_diag_print(result.diag, &result.sources, a->brief, stderr);
	if (a->dump && status == 0)
		conf_print(result.builder, stdout);
	if (a->convert && status == 0)
		print_converted(a, &edits, &result);
	conf_edits_free(&edits);
	if (a->test)
		print_summary(a, &result);
	if (a->out_fd >= 0 && status == 0) {
		r = conf_builder_write(result.builder, a->generation, a->out_fd);
		if (r < 0) {
			fprintf(stderr, "poise-config: cannot write the table: %s\n", strerror(-r));
			status = EX_OSERR;
		}
	}
	conf_result_free(&result);
	return status;
}

static int run(const struct arguments *a)
{
	int status = 0;

	/* A file server that does not answer must not keep every later reload out. */
	if (a->out_fd >= 0)
		alarm(READ_PATIENCE_S);
	if (a->keywords)
		conf_print_keywords(stdout);
	if (a->file)
		status = load(a);
	if (fflush(stdout) != 0 || ferror(stdout))
		return 1;
	return status;
}

static int drop_privileges(const struct arguments *a)
{
	int rc = a->user ? sandbox_enter_config(a->user) : 0;

	if (rc < 0)
		fprintf(stderr, "poise-config: cannot drop privileges to %s: %s\n", a->user, strerror(-rc));
	return rc;
}

/* What a run inherits comes with the order; from then on it is a run like any other. */
static int stand_by(void)
{
	static struct conf_order order;
	struct arguments a = no_arguments;

	alarm(0); /* of the parent, for the start */
	/* Nobody wants it any more: the parent ends, or has another one. */
	if (!conf_order_wait(STDIN_FILENO, &order))
		return 0;
	if (dup2(order.findings, STDOUT_FILENO) < 0 || dup2(order.findings, STDERR_FILENO) < 0 ||
		!parse_arguments(&a, order.argc, order.argv) || dup2(order.table, a.out_fd) < 0)
		return EX_OSERR;
	return run(&a);
}

int main(int argc, char **argv)
{
	struct arguments a = no_arguments;

	if (!parse_arguments(&a, argc, argv)) {
		usage(stderr);
		return 1;
	}
	if (drop_privileges(&a) < 0)
		return EX_OSERR;
	return a.stand_by ? stand_by() : run(&a);
}
