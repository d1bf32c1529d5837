/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of poise-healthcheck: starts probes when their time has come, turns results into verdicts and plans the
 * next start. It never writes a board, never logs a verdict (see health_report.c), and allocates nothing while it runs.
 */
#include "checker.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Waiting checks started in one go when descriptors become free. */
#define QUEUE_BUDGET 64
/* Trouble of our own is looked at again after this time. */
#define OWN_TROUBLE_US (1 * US_PER_S)

struct checker {
	struct loop *loop;
	struct prober *prober;
	struct check_set *set;
	struct schedule_random random;
	checker_report_fn *report;
	void *arg;
	struct check *queue_first, *queue_last;
	struct timer queue_timer;
	struct log_limit queue_limit;
	bool is_stopped;
};

const char *checker_describe(const struct check *check, uint32_t step, char *buf)
{
	const struct check_spec *spec = &check->spec;
	const struct conf_check *c = check_spec_conf(spec);
	const struct conf_server *server = &spec->conf->servers[c->server];
	const struct probe_kind *kind = probe_kind_of(c->kind);
	char text[ADDR_TEXT];
	size_t used;

	if (!kind) {
		snprintf(buf, CHECK_TEXT_SIZE, "MISC_CHECK");
		return buf;
	}
	kind->describe(spec, step, buf, CHECK_TEXT_SIZE);
	if (addr_equal(&c->target, &server->addr) && c->port == server->port)
		return buf;
	for (used = 0; buf[used]; used++)
		;
	snprintf(buf + used, CHECK_TEXT_SIZE - used, " at %s", addr_format_port(&c->target, c->port, text));
	return buf;
}

/* ---- planning ---- */

static void plan(struct check *c, struct mono at)
{
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

static void tell_state(struct check *c, const struct verdict_step *step, const struct probe_result *result)
{
	char what[CHECK_TEXT_SIZE];

	checker_describe(c, result->step, what);
	if (step->is_doubt)
		snprintf(c->status.why, WHY_SIZE, "in doubt: %.80s (%.40s, %u of %u tries failed)", result->why, what,
			step->tries, step->tries_needed);
	else if (step->to == HEALTH_DOWN && result->reason == REASON_OK)
		snprintf(c->status.why, WHY_SIZE, "recovering: %.70s (%.40s, %u of %u tries passed)", result->why, what,
			step->tries, step->tries_needed);
	else
		snprintf(c->status.why, WHY_SIZE, "%.100s (%.50s)", result->why, what);
}

static void take_result(struct check *c, struct verdict_step *step, const struct probe_result *result)
{
	const struct conf_check *conf = check_spec_conf(&c->spec);
	const struct verdict_rule rule = {.retry = conf->retry, .rise = conf->rise};
	bool passed = result->reason == REASON_OK;
	/* A check that goes on passing keeps the sentence that says since when and how it came up. */
	bool is_quiet = passed && c->verdict.health == HEALTH_UP && c->verdict.failures == 0 && c->status.runs > 0;

	*step = verdict_take(&rule, &c->verdict, passed);
	c->status.runs++;
	c->status.failed_runs += !passed;
	c->status.health = c->verdict.health;
	c->status.failures = c->verdict.failures;
	c->status.successes = c->verdict.successes;
	c->status.last_reason = result->reason;
	if (step->is_changed)
		c->status.since_real_us = real_now_us();
	if (!is_quiet)
		tell_state(c, step, result);
}

/* Says nothing about the server: the verdict stays, the sentence tells. */
static void take_own_trouble(struct check *c, const struct probe_result *result)
{
	char what[CHECK_TEXT_SIZE];

	c->status.last_reason = result->reason;
	snprintf(c->status.why, WHY_SIZE, "%.110s (%.40s)", result->why, checker_describe(c, result->step, what));
}

static void on_done(void *arg, const struct probe_result *result)
{
	struct check *c = arg;
	struct checker *k = c->checker;
	const struct conf_check *conf = check_spec_conf(&c->spec);
	struct mono now = mono_now();
	struct verdict_step step;

	c->probe = NULL;
	c->status.last_duration_us = mono_diff_us(now, c->status.last_start);
	if (reason_is_own(result->reason)) {
		take_own_trouble(c, result);
		c->is_dead = result->reason == REASON_NOT_RUN || result->reason == REASON_FWMARK;
		c->status.next_start = MONO_NEVER;
		if (!c->is_dead)
			plan(c, schedule_next(&k->random, c->planned, now,
					conf->interval_us > OWN_TROUBLE_US ? conf->interval_us : OWN_TROUBLE_US));
		k->report(k->arg, c, NULL, result);
		return;
	}
	take_result(c, &step, result);
	if (step.is_doubt)
		plan(c, schedule_retry(&k->random, now, conf->delay_before_retry_us));
	else
		plan(c, schedule_next(&k->random, c->planned, now, conf->interval_us));
	k->report(k->arg, c, &step, result);
}

/* ---- starting ---- */

static void start(struct check *c)
{
	struct probe *p;

	c->status.last_start = mono_now();
	p = probe_start(c->checker->prober, &c->spec, on_done, c);
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
		if (c->spec.conf == k->set->conf)
			enqueue(c);
	}
}

/* Arms what neither runs, nor waits, nor has a time already. */
static void arm_new(struct checker *k)
{
	struct mono now = mono_now();
	uint32_t count = 0, number = 0;

	for (uint32_t i = 0; i < k->set->n_checks; i++)
		count += !k->set->checks[i]->checker;
	for (uint32_t i = 0; i < k->set->n_checks; i++) {
		struct check *c = k->set->checks[i];

		if (c->checker)
			continue;
		c->checker = k;
		c->timer.fire = on_start;
		c->timer.arg = c;
		if (c->is_dead)
			continue;
		if (!mono_is_set(c->planned))
			c->planned = schedule_first(&k->random, now, c->first_span_us, number, count);
		number++;
		plan(c, c->planned);
	}
}

void checker_commit(struct checker *k, struct check_set *set, const struct board *predecessor)
{
	struct check_set *old = k->set;
	uint32_t adopted;

	check_set_take_over(set, old);
	adopted = old ? 0 : check_set_adopt(set, predecessor);
	if (adopted)
		log_info("checks: %u of %u go on with the counts of the process before", adopted, set->n_checks);
	k->set = set;
	sift_queue(k);
	if (old)
		put_to_rest(k, old);
	check_set_free(old);
	if (!k->is_stopped)
		arm_new(k);
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
	check_set_free(k->set);
	prober_free(k->prober);
	free(k);
}
