/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poised: options, then the parent process, or with -t the config role alone. */
#include "config.h"
#include "parent.h"
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTION_DUMP = 256, OPTION_CONVERT };

static void usage(FILE *out)
{
	fputs("usage: poised [-n] [-l] [-D] [-f FILE] [-r RUNDIR]     run\n"
	      "       poised -t|--dump|--convert [-v] [-f FILE]       check a configuration, exit 0 or 1\n"
	      "\n"
	      "  -f, --use-file FILE    configuration (default " SYSCONFDIR "/poise/poise.conf)\n"
	      "  -r, --run-dir DIR      control socket and state (default /run/poise)\n"
	      "  -n, --dont-fork        stay in the foreground\n"
	      "  -l, --log-console      log to the terminal instead of syslog\n"
	      "  -D, --log-detail       log in detail\n"
	      "  -t, --config-test      check the configuration and print every finding\n"
	      "      --dump             print the configuration as it was understood\n"
	      "      --convert          print it with today's spellings, the rest of its text as it is\n"
	      "  -v                     with -t: notes too; alone: the version\n"
	      "  -d, --dialect NAME     keepalived or poise (default: poise for a file named poise.conf)\n"
	      "  -i, --config-id NAME   take the lines of @NAME instead of the host's name\n"
	      "  --script-socket PATH   scripts are run by the unit that listens there (poise-script.socket)\n"
	      "\n"
	      "example: poised -t -f /etc/keepalived/keepalived.conf\n",
		out);
}

static int check_configuration(const struct options *o)
{
	const char *argv[12] = {NULL, o->what, "-f", o->config_file};
	char path[PATH_MAX];
	int n = 4;

	if (program_path("daemon/config", "poise-config", path) < 0)
		return 1;
	argv[0] = path;
	if (o->verbose_check)
		argv[n++] = "-v";
	if (o->dialect) {
		argv[n++] = "--dialect";
		argv[n++] = o->dialect;
	}
	if (o->config_id) {
		argv[n++] = "--config-id";
		argv[n++] = o->config_id;
	}
	execv(path, (char *const *)(uintptr_t)argv);
	fprintf(stderr, "poised: %s: cannot be run: %s\n", path, strerror(errno));
	return 1;
}

/* 0 = run, 1 = done (exit 0), -1 = wrong (exit 2). */
static int parse_options(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {{"use-file", required_argument, NULL, 'f'},
		{"run-dir", required_argument, NULL, 'r'}, {"dont-fork", no_argument, NULL, 'n'},
		{"log-console", no_argument, NULL, 'l'}, {"log-detail", no_argument, NULL, 'D'},
		{"config-test", no_argument, NULL, 't'}, {"dump", no_argument, NULL, OPTION_DUMP},
		{"convert", no_argument, NULL, OPTION_CONVERT}, {"dialect", required_argument, NULL, 'd'},
		{"config-id", required_argument, NULL, 'i'}, {"script-socket", required_argument, NULL, 'S'},
		{"version", no_argument, NULL, 'v'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int option;

	while ((option = getopt_long(argc, argv, "f:r:nlDtd:i:vh", longs, NULL)) >= 0) {
		if (option == 'f')
			o->config_file = optarg;
		else if (option == 'r')
			o->run_dir = optarg;
		else if (option == 'n')
			o->foreground = true;
		else if (option == 'l')
			o->log_console = true;
		else if (option == 'D')
			o->level = LOG_LEVEL_DEBUG;
		else if (option == 't')
			o->what = "-t";
		else if (option == OPTION_DUMP)
			o->what = "--dump";
		else if (option == OPTION_CONVERT)
			o->what = "--convert";
		else if (option == 'd')
			o->dialect = optarg;
		else if (option == 'i')
			o->config_id = optarg;
		else if (option == 'S')
			o->script_socket = optarg;
		else if (option == 'v')
			o->verbose_check = true;
		else if (option == 'h')
			return usage(stdout), 1;
		else
			return usage(stderr), -1;
	}
	if (optind < argc) {
		fprintf(stderr, "poised: %s: what is this? A configuration file is given with -f\n", argv[optind]);
		return -1;
	}
	if (o->verbose_check && !o->what) {
		printf("poised %s\n", PACKAGE_VERSION);
		return 1;
	}
	return 0;
}

static const struct passwd *choose_user(void)
{
	const struct passwd *user = getpwnam("poise");

	return user ? user : getpwnam("nobody");
}

int main(int argc, char **argv)
{
	struct options o = {
		.config_file = SYSCONFDIR "/poise/poise.conf", .run_dir = "/run/poise", .level = LOG_LEVEL_INFO};
	static char file[PATH_MAX], folder[PATH_MAX], run_dir[2 * PATH_MAX];
	const struct passwd *user;
	int rc = parse_options(&o, argc, argv);

	if (rc != 0)
		return rc < 0 ? 2 : 0;
	if (o.what)
		return check_configuration(&o);
	if (geteuid() != 0) {
		fputs("poised: root is needed to program the network; a configuration is checked by anybody with -t\n",
			stderr);
		return 1;
	}
	user = choose_user();
	if (!user) {
		fputs("poised: there is neither a user poise nor a user nobody that the roles could run as: "
		      "adduser --system poise makes one\n",
			stderr);
		return 1;
	}
	/* The daemon leaves the current folder. */
	if (realpath(o.config_file, file))
		o.config_file = file;
	if (o.run_dir[0] != '/' && getcwd(folder, sizeof(folder))) {
		snprintf(run_dir, sizeof(run_dir), "%s/%s", folder, o.run_dir);
		o.run_dir = run_dir;
	}
	/* What others may read is given to them by name. */
	umask(077);
	if (!o.foreground && daemon(0, o.log_console) < 0) {
		fprintf(stderr, "poised: cannot go to the background: %s\n", strerror(errno));
		return 1;
	}
	if (o.log_console)
		log_to_console("poised");
	else if (getenv("JOURNAL_STREAM"))
		log_to_journal("poised"); /* systemd runs us */
	else
		log_to_syslog("poised");
	log_set_level(o.level);
	return parent_run(&o, user);
}
