/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loading a configuration: the config role reads it and writes a table, the roles that would fail with it may refuse,
 * then all switch. Runs in the parent; at any failure everything stays as it was, and it is said why. */
#include "parent.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define VOTE_TIME_US (2 * US_PER_S)
#define NAMESPACE_RETRY_US (500 * US_PER_MS)
/* These run in bounded time and must be heard; the others (control, snmp, script) switch whenever they can. */
#define VOTERS (ROLE_BIT(ROLE_VRRP) | ROLE_BIT(ROLE_IPVS) | ROLES_CHECKERS)

/* A command of a client, for the record of what happened. */
static void tell_command(struct parent *p, bool ok, const char *why)
{
	static const char *const names[] = {[RELOAD_FILE] = "reload",
		[RELOAD_APPLY] = "apply",
		[RELOAD_PLAN] = "plan",
		[RELOAD_POOL] = "server",
		[RELOAD_BACK] = "back"};
	const struct reload_order *order = &p->reload.order;
	struct event event = {.kind = EVENT_COMMAND, .to = ok};

	if (!order->who[0] || order->goal == RELOAD_PLAN)
		return;
	snprintf(event.name, sizeof(event.name), "%s %.48s", names[order->goal],
		order->goal == RELOAD_POOL ? order->change.server : order->file);
	snprintf(event.why, sizeof(event.why), "by %.60s: %.80s", order->who, why);
	parent_event(p, &event);
}

static void tell(struct parent *p, bool ok, const char *why)
{
	const struct reload_order *order = &p->reload.order;
	struct event event = {.kind = EVENT_CONFIG, .to = ok};

	p->daemon.last_reload_ok = ok;
	snprintf(p->daemon.why, sizeof(p->daemon.why), "%s", why);
	if (p->board)
		parent_store(p, PARENT_TABLE_DAEMON, 0, &p->daemon, sizeof(p->daemon));
	tell_command(p, ok, why);
	snprintf(event.name, sizeof(event.name), "%.63s", order->file[0] ? order->file : p->options.config_file);
	snprintf(event.why, sizeof(event.why), "%s", why);
	parent_event(p, &event);
	if (ok)
		log_info("configuration: %s", why);
	else
		log_error("configuration: refused: %s%s", why, p->conf ? ": everything goes on as it was" : "");
}

static void finish(struct parent *p, bool ok, const char *why)
{
	struct reload *r = &p->reload;
	uint64_t request = r->order.request;
	bool is_plan = r->order.goal == RELOAD_PLAN;

	loop_timer_cancel(p->loop, &r->deadline);
	r->phase = RELOAD_IDLE;
	free(r->stale);
	r->stale = NULL;
	if (!r->order.is_quiet && !(is_plan && ok))
		tell(p, ok, why);
	if (p->conf)
		sd_notifyf(
			0, "READY=1\nSTATUS=%s", ok ? why : "the configuration was refused; the former one is in use");
	/* A plan is answered with its table. */
	if (request && !(is_plan && ok))
		admin_answer(p, request, ok ? MSG_STATUS_OK : MSG_STATUS_REFUSED, "%s", why);
	if (!ok && !p->conf) {
		/* Another start would meet the same file (RestartPreventExitStatus in the unit), but not the same lack
		 * of memory or time. */
		p->exit_code = r->may_pass ? 1 : EX_CONFIG;
		stop_begin(p);
		return;
	}
	standby_prepare(p);
	if (r->again) {
		r->again = false;
		reload_begin(p, &(struct reload_order){.goal = RELOAD_FILE, .must_not_cut = true});
	}
}

/* What was read is not brought into use. */
static void drop_base(struct parent *p)
{
	struct reload *r = &p->reload;

	if (r->base != p->base && r->base != p->confirmation.before)
		conf_close(r->base);
	r->base = NULL;
}

/* ---- the switch ---- */

/* When the configuration file was written, as the config role saw it: who looks himself may wait for a file server. */
static int64_t mtime_of(const struct conf *base)
{
	return base->n_origins > 0 && base->origins[0].is_file ? base->origins[0].mtime_real_us : 0;
}

static const char *plural(uint32_t count)
{
	return count == 1 ? "" : "s";
}

/* What is in use now. */
static void sum_up(const struct conf *conf, int64_t took_us, char *buf, size_t size)
{
	snprintf(buf, size, "generation %llu: %u instance%s, %u service%s, %u real server%s, %u check%s, in %lld ms",
		(unsigned long long)conf->generation, conf->n_instances, plural(conf->n_instances), conf->n_services,
		plural(conf->n_services), conf->n_servers, plural(conf->n_servers), conf->n_checks,
		plural(conf->n_checks), (long long)(took_us / US_PER_MS));
}

static void commit(struct parent *p)
{
	struct reload *r = &p->reload;
	struct conf *old = p->conf, *old_base = p->base;
	char why[WHY_SIZE];

	p->conf = r->next;
	p->base = r->base;
	r->next = r->base = NULL;
	pool_committed(p, &r->order, r->stale);
	p->daemon.file_mtime_real_us = mtime_of(p->base);
	apply_committed(p, &r->order, old_base == p->base ? NULL : old_base);
	p->patience_us = supervise_patience_us(p->conf);
	p->daemon.generation = p->conf->generation;
	p->daemon.loaded_real_us = real_now_us();
	if (old) {
		p->daemon.reloads++;
		namespace_compare(old, p->conf);
	}
	snprintf(p->daemon.node, sizeof(p->daemon.node), "%s", conf_string(p->conf, p->conf->global->node));
	parent_publish_board(p);
	if (!old)
		hook_hold(p);
	for (enum role role = ROLE_VRRP; role < ROLE_COUNT; role++) {
		struct child *c = &p->children[role];

		if (!c->pid) {
			child_start_if_needed(c);
			continue;
		}
		if (c->vote == VOTE_NOT_ASKED)
			child_send_generation(c, p->conf, true);
		else
			child_send_decide(c, p->conf->generation, true);
		c->vote = VOTE_NOT_ASKED;
	}
	if (!old)
		hook_startup(p);
	conf_close(old);
	share_forget(p, p->conf->generation);
	sum_up(p->conf, mono_diff_us(mono_now(), r->started), why, sizeof(why));
	finish(p, true, why);
}

/* The roles forget what they were asked about, and so does the parent. */
static void take_back(struct parent *p)
{
	struct reload *r = &p->reload;

	for (enum role role = ROLE_VRRP; role < ROLE_COUNT; role++) {
		struct child *c = &p->children[role];

		if (c->pid && c->vote != VOTE_NOT_ASKED)
			child_send_decide(c, r->next->generation, false);
		c->vote = VOTE_NOT_ASKED;
	}
	conf_close(r->next);
	r->next = NULL;
	drop_base(p);
	share_forget(p, p->conf ? p->conf->generation : 0);
}

static void refuse(struct parent *p, const char *why)
{
	take_back(p);
	finish(p, false, why);
}

static void commit_when_ready(struct parent *p)
{
	for (enum role role = ROLE_VRRP; role < ROLE_COUNT; role++)
		if ((VOTERS & ROLE_BIT(role)) && p->children[role].vote == VOTE_AWAITED)
			return;
	commit(p);
}

void reload_vote(struct child *c, const struct msg_vote *vote)
{
	struct parent *p = c->parent;
	char why[WHY_SIZE];

	if (p->reload.phase != RELOAD_VOTING || vote->generation != p->reload.next->generation) {
		if (!vote->accept)
			log_error("%s: refuses the configuration in use: %.200s", role_name(c->role), vote->why);
		return;
	}
	if (!vote->accept) {
		snprintf(why, sizeof(why), "%s: %.140s", role_name(c->role), vote->why);
		refuse(p, why);
		return;
	}
	c->vote = VOTE_READY;
	commit_when_ready(p);
}

static void weigh_nothing(struct parent *p);

void reload_absent(struct parent *p)
{
	if (p->reload.phase == RELOAD_VOTING)
		commit_when_ready(p);
	else if (p->reload.phase == RELOAD_WEIGHING && !p->children[ROLE_CONTROL].pid)
		weigh_nothing(p);
}

static void on_deadline(struct timer *timer, void *arg)
{
	struct parent *p = arg;
	char why[WHY_SIZE];

	(void)timer;
	for (enum role role = ROLE_VRRP; role < ROLE_COUNT; role++) {
		if (!(VOTERS & ROLE_BIT(role)) || p->children[role].vote != VOTE_AWAITED)
			continue;
		snprintf(why, sizeof(why), "%s: no answer within 2 s: look why it is busy, then reload again",
			role_name(role));
		p->reload.may_pass = true;
		refuse(p, why);
		return;
	}
}

static void on_namespace_due(struct timer *timer, void *arg);

/* Whoever makes the namespace may come later than we do. */
static void wait_for_namespace(struct parent *p, const char *why)
{
	struct reload *r = &p->reload;

	if (r->phase != RELOAD_WAITING) {
		log_error("configuration: %s: waiting for it", why);
		sd_notifyf(0, "STATUS=%s: waiting for it", why);
	}
	r->phase = RELOAD_WAITING;
	r->deadline.fire = on_namespace_due;
	r->deadline.arg = p;
	loop_timer_set(p->loop, &r->deadline, mono_add(mono_now(), NAMESPACE_RETRY_US));
}

static void ask(struct parent *p)
{
	struct reload *r = &p->reload;
	char why[WHY_SIZE];
	int error = p->conf ? 0 : namespace_enter(p, r->next, why);

	if (error == -ENOENT) {
		wait_for_namespace(p, why);
		return;
	}
	if (error) {
		refuse(p, why);
		return;
	}
	r->phase = RELOAD_VOTING;
	for (enum role role = ROLE_VRRP; role < ROLE_COUNT; role++) {
		struct child *c = &p->children[role];

		if (!c->pid || !p->conf)
			continue;
		c->vote = VOTE_AWAITED;
		child_send_generation(c, r->next, false);
	}
	r->deadline.fire = on_deadline;
	r->deadline.arg = p;
	loop_timer_set(p->loop, &r->deadline, mono_add(mono_now(), VOTE_TIME_US));
	commit_when_ready(p);
}

static void on_namespace_due(struct timer *timer, void *arg)
{
	(void)timer;
	ask(arg);
}

/* From the base to the vote. */
static void propose(struct parent *p, struct conf *base)
{
	struct reload *r = &p->reload;
	char why[WHY_SIZE];

	r->base = base;
	r->next = pool_build(p, base, p->generation, &r->order, &r->stale);
	if (!r->next) {
		snprintf(why, sizeof(why), "the table cannot be built: %s", strerror(errno));
		r->may_pass = true;
		drop_base(p);
		finish(p, false, why);
		return;
	}
	ask(p);
}

/* Hands the table that `base` would become to control. */
static bool send_candidate(struct parent *p, struct conf *base, struct msg_candidate *m)
{
	struct child *control = &p->children[ROLE_CONTROL];
	struct conf *table = pool_build(p, base, p->generation, &p->reload.order, &p->reload.stale);
	int cut = table ? conf_cut(table, p->generation, role_conf_tables(ROLE_CONTROL)) : -ENOMEM;
	bool sent;

	m->warnings = p->reload.n_warnings;
	snprintf(m->first_warning, sizeof(m->first_warning), "%s", p->reload.first_warning);
	sent = cut >= 0 && control->pid && msg_send_candidate(&control->channel, m, cut) >= 0;

	conf_close(table);
	if (cut >= 0)
		close(cut);
	return sent;
}

/* ---- would it cut? ---- */

/* Nobody can tell whether it cuts. A control role that crashes must not keep its own repair out. */
static void weigh_nothing(struct parent *p)
{
	if (p->stop_phase != STOP_NOT)
		return;
	log_warning("configuration: brought into use without knowing whether it cuts connections: the control role "
		    "did not say");
	propose(p, p->reload.base);
}

static void on_not_weighed(struct timer *timer, void *arg)
{
	(void)timer;
	weigh_nothing(arg);
}

static void refuse_empty(struct parent *p, struct conf *base)
{
	p->reload.base = base;
	drop_base(p);
	finish(p, false, CONF_EMPTIES ": 'poisectl reload --allow' if it is meant");
}

/* A signal asked for it: control, which sees all boards, is asked what it would do. */
static void weigh(struct parent *p, struct conf *base)
{
	struct reload *r = &p->reload;
	struct msg_candidate m = {.request = p->generation, .weigh = 1};

	if (p->conf && conf_empties(p->conf, base)) {
		refuse_empty(p, base);
		return;
	}
	/* Most changes can cut nothing, whatever is connected: nobody needs to be asked, or to be there. */
	if (p->conf && p->intents.n_pool == 0 && conf_cuts_nothing(p->conf, base)) {
		propose(p, base);
		return;
	}
	r->base = base;
	r->phase = RELOAD_WEIGHING;
	if (!send_candidate(p, base, &m)) {
		weigh_nothing(p);
		return;
	}
	r->deadline.fire = on_not_weighed;
	r->deadline.arg = p;
	loop_timer_set(p->loop, &r->deadline, mono_add(mono_now(), VOTE_TIME_US));
}

void reload_weighed(struct parent *p, const struct msg_weighed *m)
{
	struct reload *r = &p->reload;
	char why[WHY_SIZE];

	if (r->phase != RELOAD_WEIGHING || m->generation != p->generation)
		return;
	loop_timer_cancel(p->loop, &r->deadline);
	if (!m->cuts) {
		propose(p, r->base);
		return;
	}
	snprintf(why, sizeof(why), "'poisectl reload --allow' if it is meant: %.115s", m->text);
	drop_base(p);
	finish(p, false, why);
}

/* Gives the table of a plan to control and keeps it for the order that may follow. */
static void show_candidate(struct parent *p, struct conf *base)
{
	struct msg_candidate m = {.request = p->reload.order.request};

	if (!send_candidate(p, base, &m)) {
		conf_close(base);
		finish(p, false, "the plan cannot be handed to the control role");
		return;
	}
	apply_keep_candidate(p, base, &p->reload);
	finish(p, true, "planned");
}

/* ---- the config role ---- */

/* From here on nobody can change it: what is found valid now stays so, and the roles need not look again. */
static struct conf *seal_and_check(int table)
{
	if (fcntl(table, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
		int error = errno;

		close(table);
		errno = error;
		return NULL;
	}
	return conf_open(table);
}

static void on_parsed(pid_t pid, const siginfo_t *info, void *arg)
{
	struct parent *p = arg;
	struct reload *r = &p->reload;
	bool exited = info->si_code == CLD_EXITED;
	struct conf *base;
	char why[WHY_SIZE];
	int error;

	(void)pid;
	reader_close(p);
	read_mark_clear(p, p->conf);
	if (p->stop_phase != STOP_NOT) {
		close(r->table_fd);
		return;
	}
	if (!exited || info->si_status != 0) {
		close(r->table_fd);
		r->may_pass = !exited || info->si_status != 1;
		if (!r->may_pass)
			snprintf(why, sizeof(why), "%.159s", r->first_error[0] ? r->first_error : "see above");
		else if (!exited && info->si_status == SIGALRM)
			snprintf(why, sizeof(why), "the files could not be read in time: on a file server?");
		else if (exited && info->si_status == 127)
			snprintf(why, sizeof(why), "the config role cannot be started: its program cannot be run");
		else
			snprintf(why, sizeof(why), "the config role ended with %s %d",
				exited ? "exit status" : "signal", info->si_status);
		finish(p, false, why);
		return;
	}
	base = seal_and_check(r->table_fd);
	error = errno;
	/* Its name was not known before. */
	if (!p->conf)
		read_mark_clear(p, base);
	if (!base && error == EPROTO)
		finish(p, false, "the config role wrote a table of another version: reinstall Poise");
	else if (!base)
		finish(p, false, strerror(error));
	else if (r->order.goal == RELOAD_PLAN)
		show_candidate(p, base);
	else if (r->order.must_not_cut && !base->global->reload_may_cut)
		weigh(p, base);
	else
		propose(p, base);
}

static void start(struct parent *p)
{
	struct reload *r = &p->reload;
	char why[WHY_SIZE];
	struct conf *base = NULL;
	int rc;

	if (r->order.goal == RELOAD_POOL)
		base = p->base;
	else if (r->order.goal == RELOAD_BACK)
		base = p->confirmation.before;
	else if (r->order.goal != RELOAD_PLAN)
		base = apply_take_candidate(p, &r->order);
	if (base) {
		/* The number that the plan was read with, unless another table has taken it meanwhile. */
		if (r->order.goal == RELOAD_POOL || r->order.goal == RELOAD_BACK ||
			p->conf->generation == p->generation)
			p->generation++;
		propose(p, base);
		return;
	}
	read_mark_set(p);
	rc = reader_start(p, on_parsed);
	if (rc < 0) {
		read_mark_clear(p, p->conf);
		snprintf(why, sizeof(why), "the config role cannot be started: %s", strerror(-rc));
		r->may_pass = true;
		finish(p, false, why);
	}
}

void reload_abandon(struct parent *p)
{
	struct reload *r = &p->reload;

	/* What is being read is dropped when it has been read. */
	if (r->phase == RELOAD_IDLE || r->phase == RELOAD_PARSING)
		return;
	if (r->phase == RELOAD_VOTING || r->phase == RELOAD_WAITING)
		take_back(p);
	else
		drop_base(p);
	loop_timer_cancel(p->loop, &r->deadline);
	r->phase = RELOAD_IDLE;
	log_info("configuration: not brought into use: poised is stopping");
	if (r->order.request)
		admin_answer(p, r->order.request, MSG_STATUS_REFUSED, "poised is stopping");
}

int reload_begin(struct parent *p, const struct reload_order *order)
{
	struct reload *r = &p->reload;

	/* The file may name another namespace by now. */
	if (r->phase == RELOAD_WAITING && p->stop_phase == STOP_NOT) {
		loop_timer_cancel(p->loop, &r->deadline);
		take_back(p);
		r->phase = RELOAD_IDLE;
	}
	if (r->phase != RELOAD_IDLE || p->stop_phase != STOP_NOT) {
		r->again |= order->goal == RELOAD_FILE && order->request == 0;
		return -EALREADY;
	}
	r->order = *order;
	r->phase = RELOAD_PARSING;
	r->may_pass = false;
	r->first_error[0] = r->first_warning[0] = '\0';
	r->n_warnings = 0;
	r->started = mono_now();
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)r->started.us);
	start(p);
	return 0;
}
