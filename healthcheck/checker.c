/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of poise-healthcheck: starts probes when their time has come, turns results into verdicts and plans the
 * next start. It never writes a board, never logs a verdict (see health_report.c), and allocates nothing while it runs.
 */
#include "checker.h"
#include "check_share.h"
#include "lateness.h"
#include "log.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Waiting checks started in one go when descriptors become free. */
#define QUEUE_BUDGET 64
/* Trouble of our own is looked at again after this time. */
#define OWN_TROUBLE_US (1 * US_PER_S)

struct checker {
	struct loop *loop;
	struct prober *prober;
	struct check_set *set;
	struct check_memory memory;
	struct schedule_random random;
	checker_report_fn *report;
	void *arg;
	struct check *queue_first, *queue_last;
	struct timer queue_timer;
	struct log_limit queue_limit;
	struct lateness lateness;
	int64_t grid_us; /* of starts */
	uint32_t probes; /* checks that run for themselves or for others */
	uint64_t runs;
	bool is_stopped;
};

/* ---- planning ---- */

static void plan(struct check *c, struct mono at)
{
	at = schedule_align(at, check_spec_conf(&c->spec)->interval_us, c->checker->grid_us);
	c->planned = at;
	c->status.next_start = at;
	loop_timer_set(c->checker->loop, &c->timer, at);
}

static void enqueue(struct check *c)
{
	struct checker *k = c->checker;

	c->is_queued = true;
	c->queue_next = NULL;
	if (k->queue_last)
		k->queue_last->queue_next = c;
	else
		k->queue_first = c;
	k->queue_last = c;
}

/* ---- one result ---- */

static void plan_next(struct check *c, const struct verdict_step *step, bool passed, struct mono now)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);
	const struct verdict_pace pace = {
		conf->interval_us, conf->delay_before_retry_us, conf->fast_interval_us, conf->down_interval_us};
	struct verdict_wait wait = verdict_wait(&pace, step, passed);

	if (wait.from_end)
		plan(c, schedule_retry(&c->checker->random, now, wait.delay_us));
	else
		plan(c, schedule_next(&c->checker->random, c->planned, now, wait.delay_us));
}

static void plan_after_trouble(struct check *c, const struct probe_result *result, struct mono now)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);

	c->is_dead = result->reason == REASON_NOT_RUN;
	c->status.next_start = MONO_NEVER;
	if (!c->is_dead)
		plan(c, schedule_next(&c->checker->random, c->planned, now,
				conf->interval_us > OWN_TROUBLE_US ? conf->interval_us : OWN_TROUBLE_US));
}

/* Another check has run for this one. */
static void serve_user(
	struct check *user, const struct check *leader, const struct probe_result *result, struct mono now)
{
	struct checker *k = user->checker;
	struct verdict_step step;
	bool counts;

	user->planned = leader->planned;
	user->status.last_start = leader->status.last_start;
	user->status.next_start = leader->status.next_start;
	user->status.is_late = 0;
	user->is_dead = leader->is_dead;
	counts = check_result_take(user, result, now, &step);
	k->report(k->arg, user, counts ? &step : NULL, result);
}

static void on_done(void *arg, const struct probe_result *result)
{
	struct check *c = arg;
	struct checker *k = c->checker;
	struct mono now = prober_now(k->prober);
	struct verdict_step step;
	bool counts = check_result_take(c, result, now, &step);

	c->probe = NULL;
	k->runs++;
	/* A check that another one runs for since the last switch only finishes what it began. */
	if (c->leader != c)
		loop_timer_cancel(k->loop, &c->timer);
	else if (counts)
		plan_next(c, &step, result->reason == REASON_OK, now);
	else
		plan_after_trouble(c, result, now);
	k->report(k->arg, c, counts ? &step : NULL, result);
	for (struct check *user = c->users; user; user = user->next_user)
		serve_user(user, c, result, now);
}

void checker_take(struct check *c, const struct probe_result *result, struct mono started, struct mono ended,
	struct mono next_start)
{
	struct checker *k = c->checker;
	struct verdict_step step;
	bool counts;

	c->status.last_start = started;
	c->planned = next_start;
	c->status.next_start = next_start;
	counts = check_result_take(c, result, ended, &step);
	k->runs++;
	k->report(k->arg, c, counts ? &step : NULL, result);
}

/* ---- starting ---- */

static void start(struct check *c)
{
	struct probe *p;

	c->status.last_start = mono_now();
	c->status.is_late = 0;
	lateness_take(&c->checker->lateness, mono_diff_us(c->status.last_start, c->planned));
	p = probe_start(c->checker->prober, &c->spec, c->status.last_start, on_done, c);
	/* Where the run has ended already, on_done() has planned the next one. */
	if (p)
		c->probe = p;
}

static void on_start(struct timer *timer, void *arg)
{
	struct check *c = arg;
	struct checker *k = c->checker;
	uint32_t held_back;

	(void)timer;
	if (k->queue_first || !prober_has_room(k->prober)) {
		enqueue(c);
		if (log_limit_pass(&k->queue_limit, 10 * US_PER_S, &held_back))
			log_warning("checks wait for descriptors: %u connections are open; raise LimitNOFILE or the "
				    "intervals",
				prober_open_count(k->prober));
		return;
	}
	start(c);
}

static void on_queue(struct timer *timer, void *arg)
{
	struct checker *k = arg;
	int budget = QUEUE_BUDGET;

	while (k->queue_first && prober_has_room(k->prober) && budget-- > 0) {
		struct check *c = k->queue_first;

		k->queue_first = c->queue_next;
		if (!k->queue_first)
			k->queue_last = NULL;
		c->is_queued = false;
		start(c);
	}
	if (k->queue_first && prober_has_room(k->prober))
		loop_timer_set(k->loop, timer, mono_now());
}

/* A descriptor was closed: from inside a probe's end, so nothing is started here. */
static void on_idle(void *arg)
{
	struct checker *k = arg;

	if (k->queue_first && !k->queue_timer.slot)
		loop_timer_set(k->loop, &k->queue_timer, mono_now());
}

/* ---- life ---- */

struct checker *checker_new(
	struct loop *loop, uint32_t descriptors, uint64_t seed, checker_report_fn *report, void *arg)
{
	struct checker *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->loop = loop;
	k->report = report;
	k->arg = arg;
	k->random.state = seed;
	check_memory_init(&k->memory);
	k->queue_timer.fire = on_queue;
	k->queue_timer.arg = k;
	k->prober = prober_new(loop, descriptors, on_idle, k);
	if (k->prober)
		return k;
	free(k);
	return NULL;
}

struct check_set *checker_set(const struct checker *k)
{
	return k->set;
}

struct prober *checker_prober(const struct checker *k)
{
	return k->prober;
}

/* Ends what a set still runs. */
static void put_to_rest(struct checker *k, struct check_set *set)
{
	for (uint32_t i = 0; i < set->n_checks; i++) {
		struct check *c = set->checks[i];

		if (!c)
			continue;
		loop_timer_cancel(k->loop, &c->timer);
		if (c->probe)
			probe_cancel(c->probe);
		c->probe = NULL;
	}
}

/* The queue keeps only checks of the present set, in their order. */
static void sift_queue(struct checker *k)
{
	struct check *c = k->queue_first, *next;

	k->queue_first = NULL;
	k->queue_last = NULL;
	for (; c; c = next) {
		next = c->queue_next;
		c->is_queued = false;
		if (c->spec.conf == k->set->conf && c->leader == c)
			enqueue(c);
	}
}

/* A check that joins one that has run already knows what that knows. */
static void learn_from_leader(struct check *c)
{
	const struct check *leader = c->leader;

	if (leader->status.runs == 0 || c->status.runs > 0)
		return;
	c->verdict = leader->verdict;
	c->flap = leader->flap;
	c->status = leader->status;
}

static bool needs_start(const struct check *c)
{
	return !c->is_dead && c->leader == c && !check_is_told(check_spec_conf(&c->spec));
}

static int64_t find_grid(const struct check_set *set)
{
	uint64_t starts = 0;

	for (uint32_t i = 0; i < set->n_checks; i++) {
		int64_t interval_us = set->conf->checks[i].interval_us;

		if (set->checks[i] && needs_start(set->checks[i]) && interval_us > 0)
			starts += 1000 * (uint64_t)US_PER_S / (uint64_t)interval_us;
	}
	return schedule_grid(starts);
}

/* Arms what neither runs, nor waits, nor has a time already. */
static void arm_new(struct checker *k)
{
	struct mono now = mono_now();
	uint32_t count = 0, number = 0;

	for (uint32_t i = 0; i < k->set->n_checks; i++)
		count += k->set->checks[i] && !k->set->checks[i]->checker && needs_start(k->set->checks[i]);
	for (uint32_t i = 0; i < k->set->n_checks; i++) {
		struct check *c = k->set->checks[i];
		bool is_new = c && !c->checker;

		if (!c)
			continue;
		c->checker = k;
		c->timer.fire = on_start;
		c->timer.arg = c;
		c->status.is_shared = c->leader != c;
		if (c->leader != c) {
			loop_timer_cancel(k->loop, &c->timer);
			learn_from_leader(c);
		}
		if (!needs_start(c) || (!is_new && !c->was_user))
			continue;
		if (c->probe)
			continue;
		if (!mono_is_set(c->planned))
			c->planned = schedule_first(&k->random, now, c->first_span_us, number, count ? count : 1);
		number += is_new;
		plan(c, c->planned);
	}
}

void checker_commit(struct checker *k, struct check_set *set, struct board *const *boards)
{
	struct check_set *old = k->set;
	uint32_t adopted, recalled = 0;
	int rc;

	check_set_take_over(set, old, boards);
	adopted = old || !boards ? 0 : check_set_adopt(set, boards[set->checker]);
	if (adopted)
		log_info("checks: %u of %u go on with the counts of the process before", adopted, set->n_own);
	for (uint32_t i = 0; !old && i < set->n_servers; i++)
		check_set_learn(set, i, boards);
	if (check_memory_reserve(&k->memory, set->conf) < 0)
		log_warning("checks: no memory to remember verdicts: initial_state last_known will know nothing");
	if (!old && !adopted)
		recalled = check_memory_recall(&k->memory, set);
	if (recalled)
		log_info("checks: %u of %u begin as last known", recalled, set->n_own);
	k->set = set;
	rc = check_share(set);
	k->probes = rc < 0 ? set->n_own : (uint32_t)rc;
	k->grid_us = find_grid(set);
	sift_queue(k);
	if (old)
		put_to_rest(k, old);
	check_set_free(old);
	if (!k->is_stopped)
		arm_new(k);
}

struct check_memory *checker_memory(struct checker *k)
{
	return &k->memory;
}

void checker_stop(struct checker *k)
{
	k->is_stopped = true;
	loop_timer_cancel(k->loop, &k->queue_timer);
	if (k->set)
		put_to_rest(k, k->set);
}

void checker_free(struct checker *k)
{
	if (!k)
		return;
	checker_stop(k);
	check_memory_free(&k->memory);
	check_set_free(k->set);
	prober_free(k->prober);
	free(k);
}

/* ---- descriptors of the parent ---- */

static struct probe *borrower(struct checker *k, conf_index_t check)
{
	const struct check *c = k->set && check < k->set->n_checks ? k->set->checks[check] : NULL;
	struct probe *p = c ? c->probe : NULL;

	return p && probe_is_borrowing(p) ? p : NULL;
}

void checker_lend(struct checker *k, conf_index_t check, int fd)
{
	struct probe *p = borrower(k, check);

	if (p)
		probe_lend(p, fd);
	else
		close(fd);
}

void checker_refuse(struct checker *k, conf_index_t check, enum reason reason, const char *why)
{
	struct probe *p = borrower(k, check);

	if (p)
		probe_refuse(p, reason_is_own(reason) || reason == REASON_FILE ? reason : REASON_NO_SOCKET, why);
}

/* ---- watching ourselves ---- */

void checker_run_now(struct check *c)
{
	c = c->leader;
	if (c->is_dead || c->probe || c->is_queued || !c->timer.slot)
		return;
	plan(c, mono_now());
}

uint32_t checker_watch(struct checker *k, struct mono now, struct status_checks *status)
{
	lateness_turn(&k->lateness, now);
	*status = (struct status_checks){.checks = k->set ? k->set->n_own : 0,
		.probes = k->probes,
		.runs = k->runs,
		.lateness_p50_us = lateness_permille(&k->lateness, 500),
		.lateness_p99_us = lateness_permille(&k->lateness, 990),
		.lateness_max_us = lateness_most(&k->lateness)};
	for (uint32_t i = 0; k->set && i < k->set->n_checks; i++) {
		struct check *c = k->set->checks[i];
		const struct check *leader = c ? c->leader : NULL;
		bool is_late;

		if (!c)
			continue;
		is_late = !c->is_dead && !leader->probe &&
			  schedule_is_late(leader->planned, now, check_spec_conf(&c->spec)->interval_us);
		c->status.is_late = is_late;
		status->late += is_late;
	}
	return status->late;
}
