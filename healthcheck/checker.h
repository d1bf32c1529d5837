/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the checks of a set: timers, probes, the queue for descriptors, verdicts. Knows nothing of boards and processes:
 * each result is handed to a reporter. */
#ifndef POISE_CHECKER_H
#define POISE_CHECKER_H

#include "check_memory.h"
#include "check_result.h"
#include "check_schedule.h"
#include "check_set.h"

struct checker;

/* Called after every run; check->status and check->verdict are up to date, nothing of set->servers is. step is NULL
 * when the run says nothing about the server (our own trouble). The checker must not be freed in it. */
typedef void checker_report_fn(
	void *arg, struct check *check, const struct verdict_step *step, const struct probe_result *result);

/* descriptors: the process's limit. seed: any number. NULL with errno. */
struct checker *checker_new(
	struct loop *loop, uint32_t descriptors, uint64_t seed, checker_report_fn *report, void *arg);
void checker_free(struct checker *k);

/* The set that runs, NULL before the first. */
struct check_set *checker_set(const struct checker *k);
struct prober *checker_prober(const struct checker *k);
/* Switches to a prepared set: takes over what goes on, adopts the verdicts of a predecessor's board and of other
 * checkers' (boards: by role, may be NULL), ends what is gone, starts what is new. Owns the set from now on. The
 * servers are not judged yet. Needs no memory but for timers beyond loop_timer_reserve(). */
void checker_commit(struct checker *k, struct check_set *set, struct board *const *boards);
/* What the first set may recall (see check_memory.h). */
struct check_memory *checker_memory(struct checker *k);
/* Ends all runs and starts no more. */
void checker_stop(struct checker *k);

/* A result that came from elsewhere (the program of a MISC_CHECK). */
void checker_take(struct check *check, const struct probe_result *result, struct mono started, struct mono ended,
	struct mono next_start);
/* A descriptor that the parent has lent for a check of the present set, or why it does not (see prober_set_lender()).
 */
void checker_lend(struct checker *k, conf_index_t check, int fd);
void checker_refuse(struct checker *k, conf_index_t check, enum reason reason, const char *why);
/* Runs a check as soon as possible: there is reason for doubt. */
void checker_run_now(struct check *check);
/* Looks which checks are overdue by three intervals (status.is_late) and how punctual starts are; to be called every
 * second or so. why of the record is left empty. Returns how many are late. */
uint32_t checker_watch(struct checker *k, struct mono now, struct status_checks *status);

#endif
