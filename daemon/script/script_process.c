/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The script process: runs the programs of the configuration, tracked scripts at their intervals and notifications when
 * something happened, and looks at what only root may see: tracked processes and files. It is root and confined by
 * nothing, because operators' scripts need that; it therefore parses nothing but the finished configuration table,
 * fixed-size messages, names of processes and the number in a file. */
#include "log.h"
#include "role.h"
#include "script_advice.h"
#include "script_check.h"
#include "script_files.h"
#include "script_misc.h"
#include "script_notify.h"
#include "script_processes.h"
#include "script_run.h"
#include "script_schedule.h"
#include "script_tell.h"
#include "script_unit.h"
#include "status.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* At the end, for notifications that are still to be started. */
#define STOP_PATIENCE_US (2 * US_PER_S)

struct script_role {
	struct script_checks *checks, *prepared;
	struct script_miscs *miscs, *prepared_miscs;
	struct script_notifies *notifies;
	struct script_teller *teller;
	struct script_processes *processes;
	struct script_files *files;
	struct script_schedule *schedule;
	bool has_begun;
};

static int script_open(struct role_process *p)
{
	struct script_role *role = p->ctx;

	role->notifies = script_notifies_new(p);
	role->teller = script_teller_new(p);
	return role->notifies && role->teller ? 0 : -ENOMEM;
}

static void script_abort(struct role_process *p)
{
	struct script_role *role = p->ctx;

	script_checks_free(role->prepared);
	role->prepared = NULL;
	script_miscs_free(role->prepared_miscs);
	role->prepared_miscs = NULL;
}

static int script_prepare(struct role_process *p, const struct conf *next, char *why)
{
	struct script_role *role = p->ctx;

	script_abort(p);
	role->prepared = script_checks_prepare(p, next);
	role->prepared_miscs = script_miscs_prepare(p, next, p->conf);
	if (role->prepared && role->prepared_miscs)
		return 0;
	script_abort(p);
	snprintf(why, 240, "script: out of memory for %u scripts and %u checks", next->n_scripts, next->n_checks);
	return -1;
}

static void script_commit(struct role_process *p, const struct conf *next)
{
	struct board_shape shape = {.record_size = {[SCRIPT_TABLE_SCRIPT] = sizeof(struct status_script),
					    [SCRIPT_TABLE_MISC] = sizeof(struct status_script),
					    [SCRIPT_TABLE_PROCESS] = sizeof(struct status_watch),
					    [SCRIPT_TABLE_FILE] = sizeof(struct status_watch),
					    [SCRIPT_TABLE_TOLD] = sizeof(struct status_told),
					    [SCRIPT_TABLE_SCHEDULE] = sizeof(struct status_schedule)},
		.count = {[SCRIPT_TABLE_SCRIPT] = next->n_scripts,
			[SCRIPT_TABLE_PROCESS] = next->n_processes,
			[SCRIPT_TABLE_FILE] = next->n_files,
			[SCRIPT_TABLE_TOLD] = 1,
			[SCRIPT_TABLE_SCHEDULE] = 1}};
	struct script_role *role = p->ctx;
	struct board *board;

	shape.count[SCRIPT_TABLE_MISC] = script_miscs_count(role->prepared_miscs);
	board = board_create(ROLE_SCRIPT, next->generation, &shape);
	script_notifies_switch(role->notifies, next);
	if (!board) {
		/* Without a board nobody could see a result; the parent starts this role anew. */
		log_error("script: no board for generation %llu: %s", (unsigned long long)next->generation,
			strerror(errno));
		role_exit(p, 1);
		return;
	}
	script_checks_switch(role->prepared, role->checks, p->conf, p->boards[ROLE_SCRIPT], board);
	role->checks = role->prepared;
	role->prepared = NULL;
	script_miscs_switch(role->prepared_miscs, role->miscs, board);
	role->miscs = role->prepared_miscs;
	role->prepared_miscs = NULL;
	script_processes_free(role->processes);
	role->processes = script_processes_begin(p, next, board);
	script_files_free(role->files);
	role->files = script_files_begin(p, next, board, !role->has_begun);
	role->has_begun = true;
	script_teller_switch(role->teller, next, board);
	role_publish_board(p, board);
	script_schedule_free(role->schedule);
	role->schedule = script_schedule_begin(p, next);
	/* What happened before this process had a configuration. */
	script_teller_events(role->teller, ROLE_VRRP);
	script_teller_events(role->teller, ROLE_IPVS);
	script_checks_begin(role->checks);
	script_advise(next);
	script_miscs_begin(role->miscs);
}

static void end(void *arg)
{
	role_exit(arg, 0);
}

static void script_stop(struct role_process *p, bool keep)
{
	struct script_role *role = p->ctx;

	(void)keep;
	script_abort(p);
	script_checks_free(role->checks);
	role->checks = NULL;
	script_miscs_free(role->miscs);
	role->miscs = NULL;
	script_processes_free(role->processes);
	role->processes = NULL;
	script_files_free(role->files);
	role->files = NULL;
	script_schedule_free(role->schedule);
	role->schedule = NULL;
	script_teller_end(role->teller);
	script_notifies_settle(role->notifies, STOP_PATIENCE_US, end, p);
}

static void on_notify(void *ctx, const struct msg_notify *m, int fd)
{
	struct role_process *p = ctx;
	struct script_role *role = p->ctx;

	(void)fd;
	script_notifies_ask(role->notifies, m);
}

/* ---- startup_script and shutdown_script ---- */

static void answer_hook(struct role_process *p, bool at_end, int result, const char *why)
{
	struct msg_hook_done m = {.at_end = at_end, .result = result};

	snprintf(m.why, sizeof(m.why), "%s", why);
	if (msg_send_hook_done(&p->parent, &m, -1) < 0)
		log_error("script: the parent does not hear how a script went: %s", why);
}

static void judge_startup(void *arg, int result, const char *why)
{
	answer_hook(arg, false, result, why);
}

static void judge_shutdown(void *arg, int result, const char *why)
{
	answer_hook(arg, true, result, why);
}

static void hook_ended(void *arg)
{
	(void)arg;
}

static void on_hook(void *ctx, const struct msg_hook *m, int fd)
{
	struct role_process *p = ctx;
	const struct conf_global *g = p->conf ? p->conf->global : NULL;
	const struct conf_command *command = g ? (m->at_end ? &g->shutdown : &g->startup) : NULL;
	struct run_owner owner = {.judge = m->at_end ? judge_shutdown : judge_startup, .ended = hook_ended, .arg = p};
	char why[SPAWN_WHY_SIZE] = "it is not in the configuration in use";

	(void)fd;
	if (!command || !command->argc || p->conf->generation != m->generation ||
		!run_start(p->loop, p->conf, command, m->at_end ? g->shutdown_timeout_us : g->startup_timeout_us,
			&owner, why))
		answer_hook(p, m->at_end, SPAWN_EXIT_NOT_RUN, why);
}

static void script_events(struct role_process *p, enum role other)
{
	struct script_role *role = p->ctx;

	script_teller_events(role->teller, other);
}

static const struct msg_handlers handlers = {.notify = on_notify, .hook = on_hook};

static const struct role_ops ops = {
	.role = ROLE_SCRIPT,
	.open = script_open,
	.prepare = script_prepare,
	.commit = script_commit,
	.abort = script_abort,
	.events = script_events,
	.handlers = &handlers,
	.stop = script_stop,
};

/* Started by systemd for a connection of the daemon (script_unit.h), which comes as its first descriptor. */
#define ACTIVATED_FD 3

static int run_in_unit(struct script_role *role)
{
	char *args[SCRIPT_UNIT_ARGS + 1];
	int n = script_unit_take(ACTIVATED_FD, args);
	int rc;

	if (n < 0)
		return 1;
	rc = role_main(&ops, role, n, args);
	if (rc == 0 && send(ACTIVATED_FD, "", 1, MSG_NOSIGNAL) < 0)
		log_debug("script: the relay did not wait for the end");
	return rc;
}

int main(int argc, char **argv)
{
	static struct script_role role;

	if (argc == 2 && strcmp(argv[1], "--unit") == 0)
		return run_in_unit(&role);
	if (argc > 2 && strcmp(argv[1], "--through") == 0)
		return script_unit_relay(argc, argv);
	return role_main(&ops, &role, argc, argv);
}
