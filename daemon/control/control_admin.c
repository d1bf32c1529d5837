/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that change something: drain, undrain, maint, ready, weight, reload; runs in the control process. It changes
 * nothing itself: the parent decides, and says so in an answer for every server. */
#include "control_job.h"
#include "control_match.h"
#include "log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_MAX 64
#define WINDOW 16 /* commands of one job under way at a time */
#define RESTARTS_MAX 8
#define RETRY_US (50 * US_PER_MS)
#define PATIENCE_US (10 * US_PER_S)
#define RELOAD_PATIENCE_US (60 * US_PER_S)

static enum msg_verb verb_of(enum request_command command)
{
	switch (command) {
	case REQUEST_DRAIN:
		return MSG_VERB_DRAIN;
	case REQUEST_UNDRAIN:
	case REQUEST_READY:
		return MSG_VERB_UNDRAIN;
	case REQUEST_MAINT:
		return MSG_VERB_MAINT;
	case REQUEST_WEIGHT:
		return MSG_VERB_WEIGHT;
	case REQUEST_RELOAD:
		return MSG_VERB_RELOAD;
	case REQUEST_PLAN:
		return MSG_VERB_PLAN;
	case REQUEST_APPLY:
		return MSG_VERB_APPLY;
	case REQUEST_CONFIRM:
		return MSG_VERB_CONFIRM;
	case REQUEST_SERVER_ADD:
		return MSG_VERB_SERVER_ADD;
	case REQUEST_SERVER_REMOVE:
		return MSG_VERB_SERVER_REMOVE;
	case REQUEST_HANDOVER:
		return MSG_VERB_HANDOVER;
	case REQUEST_STATUS:
	case REQUEST_SERVERS:
	case REQUEST_EVENTS:
	case REQUEST_VERSION:
	case REQUEST_SHOW:
	case REQUEST_COMMAND_COUNT:
		break;
	}
	return MSG_VERB_COUNT;
}

/* The sentence that status shows as the cause from now on. */
static void explain(struct admin_job *job)
{
	const struct access_peer *peer = &job->peer;
	const char *did = "changed";

	switch (job->verb) {
	case MSG_VERB_DRAIN:
		did = "drained";
		break;
	case MSG_VERB_UNDRAIN:
		did = "taken back";
		break;
	case MSG_VERB_MAINT:
		did = "taken out for maintenance";
		break;
	case MSG_VERB_WEIGHT:
		if (job->request.weight < 0)
			snprintf(job->why, sizeof(job->why), "weight as configured, by %s (pid %d)", peer->name,
				peer->pid);
		else
			snprintf(job->why, sizeof(job->why), "weight %d set by %s (pid %d)", job->request.weight,
				peer->name, peer->pid);
		return;
	case MSG_VERB_RELOAD:
		did = "reload asked for";
		break;
	case MSG_VERB_HANDOVER:
	case MSG_VERB_TAKE_BACK:
		did = "handover asked for";
		break;
	case MSG_VERB_STOP:
	case MSG_VERB_PLAN:
	case MSG_VERB_APPLY:
	case MSG_VERB_CONFIRM:
	case MSG_VERB_SERVER_ADD:
	case MSG_VERB_SERVER_REMOVE:
	case MSG_VERB_COUNT:
		break;
	}
	snprintf(job->why, sizeof(job->why), "%s by %s (pid %d)", did, peer->name, peer->pid);
}

/* These make a new generation: its coming is their success, not a reason to begin again. */
static bool makes_generation(const struct admin_job *job)
{
	return job->verb == MSG_VERB_RELOAD || job->verb == MSG_VERB_APPLY || job->verb == MSG_VERB_PLAN ||
	       job->verb == MSG_VERB_CONFIRM || job->verb == MSG_VERB_SERVER_ADD || job->verb == MSG_VERB_SERVER_REMOVE;
}

/* "reload" or "drain 10.1.0.2:80 of 192.0.2.1:80/tcp" */
static const char *describe(const struct admin_job *job, char *text, size_t size)
{
	const struct request *r = &job->request;

	snprintf(text, size, "%s%s%s%s%s", request_name(r->command), r->server[0] ? " " : "", r->server,
		r->service[0] ? " of " : "", r->service);
	return text;
}

static void unlink_job(struct admin_job *job)
{
	struct admin_job **p = &job->admin->jobs;

	while (*p != job)
		p = &(*p)->next;
	*p = job->next;
	job->admin->n_jobs--;
	loop_timer_cancel(job->admin->process->loop, &job->timer);
}

static void write_target(struct writer *w, const struct admin_job *job, const struct target *target)
{
	const struct conf *conf = job->admin->conf;
	char name[CONF_NAME_SIZE];

	writer_object(w, NULL);
	if (target->server != CONF_NONE) {
		writer_string(w, "server", conf_server_name(conf, target->server, name));
		writer_string(w, "service", conf_service_name(conf, conf->servers[target->server].service, name));
	}
	writer_bool(w, "ok", target->state == TARGET_DONE);
	writer_string(w, "text", target->text ? target->text : "");
	writer_end(w);
}

static const struct target *first_refusal(const struct admin_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		if (job->targets[i].state == TARGET_REFUSED)
			return &job->targets[i];
	}
	return NULL;
}

static char *write_answer(const struct admin_job *job, const char *failure, size_t *length)
{
	const struct target *refusal = first_refusal(job);
	const char *error = failure ? failure : refusal && refusal->text ? refusal->text : "";
	struct writer w = {0};

	writer_object(&w, NULL);
	writer_bool(&w, "ok", !failure && !refusal);
	if (failure || refusal) {
		writer_string(&w, "reason", failure ? "failed" : "refused");
		writer_string(&w, "error", error[0] ? error : "the daemon refused without a reason");
	}
	writer_object(&w, "result");
	writer_array(&w, "servers");
	for (size_t i = 0; i < job->count; i++)
		write_target(&w, job, &job->targets[i]);
	writer_end(&w);
	if (job->has_plan)
		plan_write(&w, "plan", &job->plan);
	writer_end(&w);
	writer_end(&w);
	return writer_take(&w, length);
}

/* Ends a job: failure is NULL when every server was answered. The job is gone afterwards. */
static void finish(struct admin_job *job, const char *failure)
{
	struct administration *admin = job->admin;
	const struct target *refusal = first_refusal(job);
	char command[400];
	size_t length = 0;
	char *answer;

	describe(job, command, sizeof(command));
	if (failure)
		log_warning("control: %s by %s (pid %d) failed: %s", command, job->peer.name, job->peer.pid, failure);
	else if (refusal)
		log_warning("control: %s by %s (pid %d) refused: %s", command, job->peer.name, job->peer.pid,
			refusal->text ? refusal->text : "no reason given");
	else if (!job_is_about_servers(job))
		log_debug("control: %s by %s (pid %d): done", command, job->peer.name, job->peer.pid);
	else
		log_debug("control: %s by %s (pid %d): done in %zu service%s", command, job->peer.name, job->peer.pid,
			job->count, job->count == 1 ? "" : "s");
	answer = write_answer(job, failure, &length);
	unlink_job(job);
	admin->done(admin->ctx, job->client, answer, length);
	job_free_targets(job);
	plan_free(&job->plan);
	free(job);
}

/* Sends what fits; returns false when the channel is full or broken and a later try is needed. */
static bool send_some(struct admin_job *job)
{
	struct administration *admin = job->admin;

	for (size_t i = 0; i < job->count && job->sent < WINDOW; i++) {
		struct target *target = &job->targets[i];
		struct msg_command m = {.request = job->id << JOB_POSITION_BITS | i,
			.generation = admin->conf->generation,
			.verb = job->is_planning ? MSG_VERB_PLAN : job->verb,
			.service = job->service,
			.server = target->server,
			.value = job->request.weight,
			.instance = job->instance,
			.time_us = job->verb == MSG_VERB_APPLY ? job->request.confirm_us : job->request.time_us,
			.allow = job->request.allow,
			.drain_end = job->request.drain_end,
			.keep_known = job->request.keep_known,
			.uid = job->peer.uid,
			.pid = job->peer.pid};

		if (target->state != TARGET_WAITING)
			continue;
		if (target->server != CONF_NONE)
			m.service = admin->conf->servers[target->server].service;
		if (job->is_planning)
			m.value = job->verb == MSG_VERB_PLAN || job->request.dry_run;
		snprintf(m.text, sizeof(m.text), "%s", job->why);
		snprintf(m.file, sizeof(m.file), "%s", job->request.file);
		snprintf(m.server_name, sizeof(m.server_name), "%s", job->server_name);
		if (msg_send_command(&admin->process->parent, &m, -1) < 0)
			return false;
		target->state = TARGET_SENT;
		job->sent++;
	}
	return true;
}

static void go_on(struct admin_job *job)
{
	struct loop *loop = job->admin->process->loop;
	struct mono now = mono_now();

	/* Retry soon while something waits that could not be sent, else wake up at the end of our patience. */
	if (job->is_stale || send_some(job))
		loop_timer_set(loop, &job->timer, job->deadline);
	else
		loop_timer_set(loop, &job->timer, mono_add(now, RETRY_US));
}

static void be_patient(struct admin_job *job)
{
	int64_t patience_us = job_is_about_servers(job) ? PATIENCE_US : RELOAD_PATIENCE_US;

	job->deadline = mono_add(mono_now(), patience_us);
}

static void on_timer(struct timer *timer, void *arg)
{
	struct admin_job *job = arg;

	(void)timer;
	if (!mono_before(mono_now(), job->deadline))
		finish(job, "the daemon's parent process did not answer in time: see its log, then try again");
	else
		go_on(job);
}

int admin_start(struct administration *admin, const struct request *request, const struct access_peer *peer,
	uint64_t client, char *error)
{
	struct admin_job *job;

	if (admin->n_jobs >= JOBS_MAX) {
		snprintf(error, MATCH_ERROR_SIZE, "%d other changes are under way: try again", JOBS_MAX);
		return -1;
	}
	job = calloc(1, sizeof(*job));
	if (!job) {
		snprintf(error, MATCH_ERROR_SIZE, "out of memory");
		return -1;
	}
	job->admin = admin;
	job->id = ++admin->last_id;
	job->client = client;
	job->request = *request;
	job->peer = *peer;
	job->verb = verb_of(request->command);
	if (job->verb == MSG_VERB_HANDOVER && request->back)
		job->verb = MSG_VERB_TAKE_BACK;
	job->service = CONF_NONE;
	/* Without leave to cut, what it would do is looked at first. */
	job->is_planning = job->verb == MSG_VERB_PLAN || (job->verb == MSG_VERB_RELOAD && !request->allow) ||
			   (job->verb == MSG_VERB_APPLY && (!request->allow || request->dry_run));
	explain(job);
	if (job_set_targets(job, error) < 0) {
		free(job);
		return -1;
	}
	job->timer.fire = on_timer;
	job->timer.arg = job;
	job->next = admin->jobs;
	admin->jobs = job;
	admin->n_jobs++;
	be_patient(job);
	go_on(job);
	return 0;
}

/* Begins again with the servers of the present generation. */
static void restart(struct admin_job *job)
{
	char error[MATCH_ERROR_SIZE];

	job->is_stale = false;
	/* Answers to the old numbers must not be taken for answers to the new ones. */
	job->id = ++job->admin->last_id;
	if (job->restarts++ >= RESTARTS_MAX)
		finish(job, "the configuration was reloaded again and again meanwhile: try again");
	else if (job_set_targets(job, error) < 0)
		finish(job, error);
	else
		go_on(job);
}

void admin_switch(struct administration *admin, const struct conf *next)
{
	struct admin_job *job = admin->jobs, *following;

	admin->conf = next;
	for (; job; job = following) {
		following = job->next;
		/* Numbers of servers and services have changed. One that was told so (stale) looks them up anew. */
		if (!makes_generation(job) || job->is_stale)
			restart(job);
	}
}

static struct target *find_target(struct administration *admin, uint64_t request, struct admin_job **owner)
{
	size_t position = request & ((1u << JOB_POSITION_BITS) - 1);

	for (struct admin_job *job = admin->jobs; job; job = job->next) {
		if (job->id != request >> JOB_POSITION_BITS || position >= job->count)
			continue;
		*owner = job;
		return job->targets[position].state == TARGET_SENT ? &job->targets[position] : NULL;
	}
	return NULL;
}

void admin_answer(struct administration *admin, const struct msg_answer *answer)
{
	struct admin_job *job = NULL;
	struct target *target = find_target(admin, answer->request, &job);

	if (!target)
		return;
	job->sent--;
	target->state = TARGET_REFUSED;
	switch ((enum msg_status)answer->status) {
	case MSG_STATUS_OK:
		target->state = TARGET_DONE;
		break;
	case MSG_STATUS_REFUSED:
		break;
	case MSG_STATUS_BUSY:
		target->state = TARGET_WAITING;
		loop_timer_set(admin->process->loop, &job->timer, mono_add(mono_now(), RETRY_US));
		return;
	case MSG_STATUS_STALE:
		/* The parent is ahead of us: `decide` for the generation it means is on its way. */
		target->state = TARGET_WAITING;
		job->is_stale = true;
		loop_timer_set(admin->process->loop, &job->timer, job->deadline);
		return;
	}
	target->text = strndup(answer->text, sizeof(answer->text));
	be_patient(job);
	if (++job->answered == job->count)
		finish(job, NULL);
	else
		go_on(job);
}

/* Why the table is not brought into use without --allow; false when it is. */
static bool refuses(const struct admin_job *job, char *why, size_t size)
{
	if (job->request.allow)
		return false;
	if (plan_verdict(&job->plan) == PLAN_CUTS && !job->may_cut) {
		plan_summary(&job->plan, why, size);
		return true;
	}
	snprintf(why, size, CONF_EMPTIES);
	return job->empties;
}

/* What a plan means for the job that asked for it. */
static void judge_plan(struct admin_job *job, struct target *target)
{
	char why[440], text[500];

	job->is_planning = false;
	if (job->verb == MSG_VERB_PLAN || job->request.dry_run) {
		target->state = TARGET_DONE;
	} else if (refuses(job, why, sizeof(why))) {
		target->state = TARGET_REFUSED;
		snprintf(text, sizeof(text), "%s: use --allow if that is meant", why);
		target->text = strdup(text);
	} else {
		/* The parent has kept the table for this request. */
		target->state = TARGET_WAITING;
		be_patient(job);
		go_on(job);
		return;
	}
	job->answered = job->count;
	finish(job, NULL);
}

void admin_candidate(struct administration *admin, const struct msg_candidate *message, struct conf *to)
{
	struct admin_job *job = NULL;
	struct target *target = find_target(admin, message->request, &job);
	struct status_source now = {.conf = admin->conf, .boards = admin->process->boards};

	if (target && job->is_planning && to) {
		job->sent--;
		plan_free(&job->plan);
		plan_make(&job->plan, &now, to);
		job->plan.warnings = message->warnings;
		snprintf(job->plan.first_warning, sizeof(job->plan.first_warning), "%.*s",
			(int)sizeof(message->first_warning) - 1, message->first_warning);
		job->has_plan = true;
		job->empties = now.conf && conf_empties(now.conf, to);
		job->may_cut = job->verb == MSG_VERB_RELOAD && to->global->reload_may_cut;
		conf_close(to);
		judge_plan(job, target);
		return;
	}
	conf_close(to);
}

char *admin_error(const char *reason, const char *error, size_t *length)
{
	struct writer w = {0};

	writer_object(&w, NULL);
	writer_bool(&w, "ok", false);
	writer_string(&w, "reason", reason);
	writer_string(&w, "error", error);
	writer_end(&w);
	return writer_take(&w, length);
}
