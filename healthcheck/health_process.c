/* SPDX-License-Identifier: GPL-2.0-or-later */
/* poise-healthcheck: probes the real servers and tells who is up. It speaks with hostile peers and therefore holds no
 * privilege; it never touches the kernel's IPVS table (ipvs acts on its board). */
#include "health_bfd.h"
#include "health_misc.h"
#include "health_report.h"
#include "health_watch.h"
#include "log.h"
#include "role.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

/* No table for more descriptors than this, however high the limit is. */
#define DESCRIPTORS_MAX 131072

struct health_process {
	struct checker *checker;
	struct health_report report;
	struct health_watch watch;
	/* prepared, not yet decided */
	struct check_set *next;
	struct board *next_board;
};

static void on_report(
	void *arg, struct check *check, const struct verdict_step *step, const struct probe_result *result)
{
	struct health_process *h = arg;

	health_report_run(&h->report, checker_set(h->checker), check, step, result);
}

/* As many descriptors as the hard limit allows. */
static uint32_t raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS_MAX ? limit.rlim_max : DESCRIPTORS_MAX;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warning("checks: the limit of descriptors stays as it is: setrlimit failed");
	getrlimit(RLIMIT_NOFILE, &limit);
	return (uint32_t)(limit.rlim_cur < DESCRIPTORS_MAX ? limit.rlim_cur : DESCRIPTORS_MAX);
}

/* Ask the parent for the descriptor of a check. */
static int borrow(void *arg, const struct check_spec *spec)
{
	struct role_process *p = arg;
	struct msg_want_file m = {.generation = spec->conf->generation, .check = spec->index};

	return msg_send_want_file(&p->parent, &m, -1);
}

static void on_no_file(void *ctx, const struct msg_no_file *m, int fd)
{
	struct role_process *p = ctx;
	struct health_process *h = p->ctx;
	const struct check_set *set = checker_set(h->checker);
	char why[WHY_SIZE];

	(void)fd;
	if (!set || m->generation != set->conf->generation)
		return;
	snprintf(why, sizeof(why), "%.150s", m->why);
	checker_refuse(h->checker, m->check, (enum reason)m->reason, why);
}

static int health_open(struct role_process *p)
{
	struct health_process *h = p->ctx;
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		seed = (uint64_t)mono_now().us * (uint64_t)getpid();
	health_report_init(&h->report, p);
	h->checker = checker_new(p->loop, raise_descriptors(), seed, on_report, h);
	if (!h->checker)
		return -errno;
	prober_set_lender(checker_prober(h->checker), borrow, p);
	health_watch_init(&h->watch, p, h->checker, &h->report);
	return 0;
}

static void forget(struct health_process *h)
{
	check_set_free(h->next);
	h->next = NULL;
	board_close(h->next_board);
	h->next_board = NULL;
}

static int health_prepare(struct role_process *p, const struct conf *next, char *why)
{
	struct health_process *h = p->ctx;

	forget(h);
	for (uint32_t i = 0; i < next->n_checks; i++) {
		if (next->checks[i].server < next->n_servers)
			continue;
		snprintf(why, 240, "check %u of the table belongs to no server", i);
		return -1;
	}
	h->next = check_set_new(next, p->role, checker_set(h->checker), prober_tls(checker_prober(h->checker)));
	h->next_board = health_report_board(next, p->role);
	/* A start and a deadline for each check, connections that are being closed, and our own. */
	if (h->next && h->next_board && health_watch_reserve(&h->watch, next) == 0 &&
		loop_timer_reserve(p->loop, 3 * (size_t)next->n_checks + 64) == 0)
		return 0;
	snprintf(why, 240, "not enough memory for %u checks of %u servers", next->n_checks, next->n_servers);
	forget(h);
	return -1;
}

static void health_commit(struct role_process *p, const struct conf *next)
{
	struct health_process *h = p->ctx;
	struct check_set *set = h->next;
	struct board *board = h->next_board;

	(void)next;
	h->next = NULL;
	h->next_board = NULL;
	checker_commit(h->checker, set, p->boards);
	health_report_switch(&h->report, set, board);
	health_watch_begin(&h->watch);
}

static void health_changed(struct role_process *p, enum role role, uint32_t table, uint32_t record)
{
	struct health_process *h = p->ctx;

	if (role == ROLE_SCRIPT && (table == SCRIPT_TABLE_MISC || table == UINT32_MAX))
		health_misc_look(checker_set(h->checker), p->boards[ROLE_SCRIPT], record);
	if (role == ROLE_VRRP && (table == VRRP_TABLE_BFD || table == UINT32_MAX))
		health_bfd_look(checker_set(h->checker), p->boards[ROLE_VRRP]);
	/* Another checker has switched later than we have begun: servers that were its own until then are ours. */
	if (role_kind(role) == ROLE_HEALTHCHECK && table == UINT32_MAX)
		health_report_learn(&h->report, checker_set(h->checker));
}

static void health_abort(struct role_process *p)
{
	forget(p->ctx);
}

static void health_file(struct role_process *p, enum msg_purpose purpose, uint32_t index, int fd)
{
	struct health_process *h = p->ctx;

	/* Lent before a switch of generations, it comes before that, so its index is still right. */
	if (purpose == MSG_PURPOSE_PEER)
		health_report_set_peer(&h->report, fd);
	else if (purpose == MSG_PURPOSE_LEDGER)
		check_memory_set_file(checker_memory(h->checker), fd);
	else if (purpose == MSG_PURPOSE_CHECK)
		checker_lend(h->checker, index, fd);
	else
		close(fd);
}

static void health_stop(struct role_process *p, bool keep)
{
	struct health_process *h = p->ctx;

	(void)keep;
	if (checker_set(h->checker))
		check_memory_store(checker_memory(h->checker), checker_set(h->checker), p->boards);
	health_watch_stop(&h->watch);
	checker_stop(h->checker);
	role_exit(p, 0);
}

int main(int argc, char **argv)
{
	static const struct msg_handlers handlers = {.no_file = on_no_file};
	static const struct role_ops ops = {.role = ROLE_HEALTHCHECK,
		.handlers = &handlers,
		.open = health_open,
		.prepare = health_prepare,
		.commit = health_commit,
		.abort = health_abort,
		.changed = health_changed,
		.file = health_file,
		.stop = health_stop};
	struct health_process h = {0};

	return role_main(&ops, &h, argc, argv);
}
