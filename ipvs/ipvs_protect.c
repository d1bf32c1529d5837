/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When our nftables table is brought in line with the configuration, and what is told of it. Part of the ipvs process;
 * what waits for the kernel is a thread's (ipvs_firewall.c). */
#include "ipvs_nft.h"
#include "ipvs_process.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long rails that are new or others have a lead over changes of services that stand there, which wait no longer. */
#define LEAD_US (300 * US_PER_MS)
/* So long a vote on a reload waits for the answer whether nftables is there. */
#define VOTE_US (300 * US_PER_MS)
#define BUSY_US US_PER_S           /* then the wait is told */
#define STOP_US (2500 * US_PER_MS) /* less than the parent gives a role for its end */

#define PENDING "nftables has not answered yet"
#define BUSY "nftables does not answer: another program's change holds the kernel's lock for all rules"

/* The kernel has no nftables, or not enough of it for a table of ours. */
static bool is_missing(int error)
{
	return error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ENOENT;
}

static const char *why(int error, char *buf)
{
	if (error == EPERM || error == EACCES)
		snprintf(buf, WHY_SIZE,
			"no permission for nftables: poised needs CAP_NET_ADMIN in this network namespace");
	else if (is_missing(error))
		snprintf(buf, WHY_SIZE,
			"the running kernel's nf_tables lacks something that is needed (tables of family inet, sets "
			"with ranges, limits): install its modules");
	else
		snprintf(buf, WHY_SIZE, "nftables: %s", strerror(error));
	return buf;
}

/* ---- the board ---- */

static void store(struct ipvs *v, conf_index_t service, const struct status_guard *record)
{
	role_store_quiet(v->p, IPVS_TABLE_GUARD, service, record, sizeof(*record));
}

static void report_waiting(struct ipvs *v, conf_index_t service, const char *text)
{
	struct status_guard s = {0};

	board_load(v->p->board, IPVS_TABLE_GUARD, service, &s, sizeof(s));
	s.is_wanted = 1;
	s.is_applied = 0;
	memset(s.why, 0, sizeof(s.why));
	snprintf(s.why, sizeof(s.why), "%s", text);
	store(v, service, &s);
}

/* What a job has left: the answer for every service. */
static void report(struct ipvs *v)
{
	const struct ipvs_firewall *firewall = &v->protect.firewall;
	const struct guard_table *table = ipvs_firewall_table(firewall);
	uint32_t n = v->now->conf->n_services;
	struct status_guard *records = calloc(n + 1, sizeof(*records));

	if (!records)
		return;
	for (uint32_t i = 0; i < table->n; i++) {
		struct status_guard *r = &records[table->guards[i].service];

		r->is_wanted = 1;
		r->is_applied = firewall->known;
		if (!firewall->known)
			why(v->protect.error, r->why);
		if (!firewall->known || !firewall->counts)
			continue;
		r->denied = firewall->counts[i].denied;
		r->not_allowed = firewall->counts[i].not_allowed;
		r->client_rate = firewall->counts[i].client_rate;
		r->service_rate = firewall->counts[i].service_rate;
		r->client_connections = firewall->counts[i].client_connections;
	}
	for (uint32_t i = 0; i < n; i++)
		store(v, i, &records[i]);
	free(records);
}

/* ---- sending ---- */

static void on_back(int fd, uint32_t events, void *arg);

/* Not before privileges were dropped: a thread keeps those it was born with. Returns 0 or -errno. */
static int start_thread(struct ipvs *v)
{
	struct ipvs_protect *protect = &v->protect;
	int rc = protect->firewall.worker.has_thread ? 0 : ipvs_firewall_start(&protect->firewall);

	if (rc < 0 || protect->io)
		return rc;
	protect->io = loop_io_add(v->p->loop, worker_fd(&protect->firewall.worker), EPOLLIN, on_back, v);
	return protect->io ? 0 : -ENOMEM;
}

static int send_job(struct ipvs *v, enum ipvs_firewall_job job, int64_t due_us)
{
	int rc = start_thread(v);

	if (rc < 0)
		return rc;
	ipvs_firewall_send(&v->protect.firewall, job);
	loop_timer_set(v->p->loop, &v->protect.due, mono_add(mono_now(), due_us));
	return 0;
}

static bool is_out(const struct ipvs *v)
{
	return v->protect.firewall.worker.is_out;
}

/* ---- what came of it ---- */

/* The ledger says that there may be a table of ours, before there is one. */
static void note_table(struct ipvs *v, bool is_there)
{
	if (v->protect.has_table == is_there)
		return;
	v->protect.has_table = is_there;
	v->ledger_stale = true;
	ipvs_reconcile_store_ledger(v);
}

static void tell(struct ipvs *v, int error, bool is_removal)
{
	char text[WHY_SIZE];

	if (error && v->protect.error != error)
		log_error("ipvs: %s: %s",
			is_removal ? "our nftables table, which nothing needs any more, is not removed yet"
				   : "guard rails or marks of services are not in the kernel",
			why(error, text));
	else if (!error && v->protect.error && v->protect.has_table)
		log_info("ipvs: guard rails and marks of services are in the kernel now");
	v->protect.error = error;
}

static void finish(struct ipvs *v)
{
	struct ipvs_protect *protect = &v->protect;
	const struct ipvs_firewall *firewall = &protect->firewall;
	bool is_removal = ipvs_firewall_table(firewall)->n == 0;

	if (firewall->job == IPVS_FIREWALL_TRY)
		return;
	if (firewall->is_repaired)
		log_warning("ipvs: someone else changed our nftables table %s: repaired", NFT_TABLE);
	/* Without a wish of ours a kernel without nftables is none of our business. Any other failure leaves the table
	 * where it stands: it is not forgotten, and the audit tries again. */
	if (is_removal && (firewall->result == 0 || is_missing(-firewall->result)))
		note_table(v, false);
	tell(v, protect->has_table ? -firewall->result : 0, is_removal);
	/* Numbers of services are those of the generation that it was made for. */
	if (!protect->is_stale)
		report(v);
}

/* ---- when ---- */

static void note_waiting(void *arg, const struct guard *old, const struct guard *new)
{
	(void)old;
	if (new)
		report_waiting(arg, new->service, PENDING);
}

void ipvs_protect_step(struct ipvs *v)
{
	struct ipvs_protect *protect = &v->protect;
	struct guard_table wanted, nothing = {0};
	bool is_removal;
	int rc;

	if (guard_table_build(&wanted, v->now->conf) < 0) {
		tell(v, ENOMEM, false);
		return;
	}
	if (!protect->has_table && wanted.n == 0) {
		guard_table_clear(&wanted);
		return;
	}
	is_removal = wanted.n == 0;
	if (!is_removal)
		note_table(v, true);
	protect->is_stale = is_out(v);
	guard_table_compare(protect->is_stale ? &nothing : &protect->firewall.standing, &wanted, note_waiting, v);
	if (!protect->is_stale) {
		if (ipvs_firewall_want(&protect->firewall, &wanted))
			protect->lead_ends = mono_add(mono_now(), LEAD_US);
		rc = send_job(v, IPVS_FIREWALL_BRING, BUSY_US);
		if (rc < 0)
			tell(v, -rc, is_removal);
	}
	guard_table_clear(&wanted);
}

void ipvs_protect_audit(struct ipvs *v)
{
	const struct ipvs_firewall *firewall = &v->protect.firewall;

	if (!v->now || is_out(v))
		return;
	if (v->protect.error || (v->protect.has_table && !firewall->known))
		ipvs_protect_step(v);
	else if (firewall->known && firewall->standing.n > 0)
		send_job(v, IPVS_FIREWALL_LOOK, BUSY_US);
}

bool ipvs_protect_leads(const struct ipvs *v)
{
	return is_out(v) && mono_before(mono_now(), v->protect.lead_ends);
}

bool ipvs_protect_is_awaited(const struct ipvs *v, conf_index_t service, char *why)
{
	struct status_guard s;

	if (!v->protect.has_table || v->protect.error ||
		board_load(v->p->board, IPVS_TABLE_GUARD, service, &s, sizeof(s)) < 0 || !s.is_wanted || s.is_applied)
		return false;
	if (why)
		snprintf(why, WHY_SIZE, "%.*s", WHY_SIZE - 1, s.why);
	return true;
}

/* The role ends with the answer. */
static void go_on_ending(struct ipvs *v)
{
	struct ipvs_protect *protect = &v->protect;
	bool was_asked = protect->firewall.job == IPVS_FIREWALL_REMOVE;

	if (!was_asked && start_thread(v) == 0) {
		ipvs_firewall_send(&protect->firewall, IPVS_FIREWALL_REMOVE);
		return;
	}
	if (was_asked && protect->firewall.result == 0) {
		protect->has_table = false;
		ipvs_reconcile_store_rest(v);
	}
	role_exit(v->p, 0);
}

static void on_back(int fd, uint32_t events, void *arg)
{
	struct ipvs *v = arg;
	struct ipvs_protect *protect = &v->protect;

	(void)fd;
	(void)events;
	if (!worker_take(&protect->firewall.worker))
		return;
	if (protect->is_ending) {
		go_on_ending(v); /* `due` stays: it bounds the whole end, of which the removal may still be to come */
		return;
	}
	loop_timer_cancel(v->p->loop, &protect->due);
	if (protect->is_busy)
		log_info("ipvs: nftables answers again");
	protect->is_busy = false;
	finish(v);
	if (protect->is_stale)
		ipvs_protect_step(v);
	if (v->unread || ipvs_place_step(v))
		ipvs_reconcile_soon(v);
}

/* It takes long. */
static void on_due(struct timer *timer, void *arg)
{
	struct ipvs *v = arg;
	struct status_guard s;

	(void)timer;
	if (v->protect.is_ending) {
		log_warning("ipvs: our nftables table is not removed yet: %s", BUSY);
		role_exit(v->p, 0);
		return;
	}
	v->protect.is_busy = true;
	log_warning("ipvs: guard rails and marks wait, and new services that have them; all others do not: %s", BUSY);
	for (conf_index_t i = 0; i < v->now->conf->n_services; i++)
		if (board_load(v->p->board, IPVS_TABLE_GUARD, i, &s, sizeof(s)) == 0 && s.is_wanted && !s.is_applied)
			report_waiting(v, i, BUSY);
}

/* ---- the vote ---- */

const char *ipvs_protect_check(struct ipvs *v, const struct conf *next, char *buf)
{
	struct ipvs_firewall *firewall = &v->protect.firewall;
	struct guard_table wanted;
	bool wants;
	int rc;

	if (guard_table_build(&wanted, next) < 0)
		return NULL;
	wants = wanted.n > 0;
	guard_table_clear(&wanted);
	if (!wants || is_out(v) || (firewall->known && firewall->standing.n > 0))
		return NULL;
	rc = send_job(v, IPVS_FIREWALL_TRY, BUSY_US);
	if (rc < 0)
		return why(-rc, buf);
	/* Nobody knows how long somebody else keeps the kernel busy: that is no reason to refuse. */
	if (!worker_wait_for(&firewall->worker, VOTE_US))
		return NULL;
	worker_take(&firewall->worker);
	loop_timer_cancel(v->p->loop, &v->protect.due);
	return firewall->result < 0 ? why(-firewall->result, buf) : NULL;
}

/* ---- begin and end ---- */

void ipvs_protect_init(struct ipvs *v)
{
	ipvs_firewall_init(&v->protect.firewall);
	v->protect.due = (struct timer){.fire = on_due, .arg = v};
}

void ipvs_protect_load(struct ipvs *v)
{
	v->protect.has_table = ipvs_owned_find_firewall(&v->ledger);
}

void ipvs_protect_stop(struct ipvs *v, bool keep)
{
	struct ipvs_protect *protect = &v->protect;

	protect->is_ending = true;
	/* Before the first generation nothing of a former run was touched, services and settings neither: they keep
	 * their rails, and the ledger says so already. */
	if (keep || !v->now || !protect->has_table) {
		role_exit(v->p, 0);
		return;
	}
	loop_timer_set(v->p->loop, &protect->due, mono_add(mono_now(), STOP_US));
	if (!is_out(v))
		go_on_ending(v);
}
