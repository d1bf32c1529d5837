/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the kernel's table what it shall be: desired image, plan against the last acknowledged one, one batch, refusals
 * as sentences. Start, reload, repair after a crash or an outsider, and stop all come through here, in the ipvs
 * process. The ledger is written before the kernel is asked. Nothing is flushed. */
#include "ipvs_error.h"
#include "ipvs_process.h"
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US (30 * US_PER_S)
#define RETRY_SOON_US US_PER_S
#define LEDGER_LINES_US (60 * US_PER_S)
#define SLICE ((size_t)256) /* commands between two signs of life; as many messages as a batch keeps */
#define TRIES 3             /* dump and plan again while somebody else changes the table under us */

void ipvs_reconcile_soon(struct ipvs *v)
{
	struct mono now = mono_now();

	if (v->now && (!v->reconcile.slot || mono_before(now, v->reconcile.at)))
		loop_timer_set(v->p->loop, &v->reconcile, now);
}

/* ---- is there an IPVS? ---- */

/* Without services, entries of ours and a sync daemon the kernel is not bothered: its module stays unloaded. */
static bool is_needed(const struct ipvs *v)
{
	return v->now->conf->n_services > 0 || !ipvs_owned_is_empty(&v->ledger) || v->now->conf->n_sysctls > 0 ||
	       v->now->conf->global->sync_interface != 0 || v->n_daemons > 0;
}

static void set_unusable(struct ipvs *v, int error)
{
	int64_t again_us = ipvs_error_is_lasting(error) ? RETRY_US : RETRY_SOON_US;
	char text[IPVS_ERROR_TEXT];

	ipvs_error_unusable(error, text);
	if (v->unusable != error)
		log_error("ipvs: %s (looking again every %lld s)", text, (long long)(again_us / US_PER_S));
	v->unusable = error;
	v->usable = v->image_valid = false;
	v->status.kernel_ok = 0;
	snprintf(v->status.why, sizeof(v->status.why), "%s", text);
	loop_timer_set(v->p->loop, &v->retry, mono_add(mono_now(), again_us));
}

bool ipvs_reconcile_usable(struct ipvs *v)
{
	int rc;

	if (v->usable)
		return true;
	if (!is_needed(v)) {
		v->status.kernel_ok = 1;
		snprintf(v->status.why, sizeof(v->status.why), "not needed: no virtual service is configured");
		return false;
	}
	rc = ipvs_kernel_resolve(v->kernel);
	if (rc < 0) {
		set_unusable(v, rc);
		return false;
	}
	if (v->unusable)
		log_info("ipvs: the kernel's IPVS is there now");
	v->usable = true;
	v->unusable = 0;
	ipvs_sysctl_step(v); /* the module has brought its settings */
	v->status.kernel_ok = 1;
	v->status.kernel_version = ipvs_kernel_version(v->kernel);
	snprintf(v->status.why, sizeof(v->status.why), "the kernel's IPVS is in use");
	return true;
}

/* ---- ledger ---- */

/* Everything configured, everything of ours that stands in the kernel, and what is on its way out. While the kernel's
 * table cannot be read, what was ours before is: it may stand there still. */
static int collect_owned(const struct ipvs *v, struct ipvs_owned *out)
{
	int rc;

	*out = ipvs_owned_borrow(&v->now->configured);
	rc = v->image_valid ? ipvs_owned_add_image(out, &v->actual) : ipvs_owned_add_entries(out, &v->ledger);
	for (uint32_t i = 0; i < SYSCTLS && rc == 0; i++)
		if (v->settings[i].is_ours)
			rc = ipvs_owned_add_setting(out, i, v->settings[i].before);
	if (rc == 0 && v->protect.has_table)
		rc = ipvs_owned_add_firewall(out);
	return rc < 0 ? rc : ipvs_owned_add_leftovers(out, v->leftovers, v->n_leftovers);
}

void ipvs_reconcile_store_ledger(struct ipvs *v)
{
	struct ipvs_owned owned;
	uint32_t held_back;
	int rc;

	if (!v->ledger_stale)
		return;
	v->ledger_stale = false;
	rc = collect_owned(v, &owned);
	if (rc == 0 && ipvs_owned_equal(&owned, &v->ledger)) {
		ipvs_owned_clear(&owned);
		return;
	}
	if (rc == 0)
		rc = ipvs_owned_store(&owned, v->ledger_fd);
	if (rc < 0) {
		v->ledger_stale = true;
		if (log_limit_pass(&v->ledger_limit, LEDGER_LINES_US, &held_back))
			log_error("ipvs: the ledger in the run directory cannot be written: %s; after a crash our "
				  "services would not be recognised",
				strerror(-rc));
		ipvs_owned_clear(&owned);
		return;
	}
	ipvs_owned_clear(&v->ledger);
	v->ledger = owned;
}

/* ---- refusals ---- */

static int compare_failures(const void *a, const void *b)
{
	const struct ipvs_failure *x = a, *y = b;
	int order = ipvs_key_compare(&x->service, &y->service);

	return order ? order : ipvs_dest_key_compare(&x->dest, &y->dest);
}

static const struct ipvs_failure *find_failure(
	const struct ipvs_failure *list, size_t n, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	struct ipvs_failure wanted = {.service = *service};

	if (dest)
		wanted.dest = *dest;
	return n ? bsearch(&wanted, list, n, sizeof(wanted), compare_failures) : NULL;
}

struct refusals {
	struct ipvs *v;
	const struct ipvs_op *ops;
	size_t first; /* of the slice that is under way */
	bool *refused;
	struct ipvs_failure *list;
	size_t n, room;
	bool drift;
};

static void on_refused(void *arg, size_t number, int error)
{
	struct refusals *r = arg;
	const struct ipvs_op *op = &r->ops[r->first + number];
	const struct ipvs_service *service = ipvs_op_service(op, &r->v->desired, &r->v->actual);
	const struct ipvs_dest *dest = ipvs_op_dest(op, &r->v->desired, &r->v->actual);
	struct ipvs_failure failure = {.service = service->key, .kind = op->kind, .error = error};

	r->refused[r->first + number] = true;
	r->v->status.errors_total++;
	/* The servers of a refused service are refused too; one sentence is enough. */
	if (dest && error == ESRCH && r->n && r->list[r->n - 1].dest.addr.family == AF_UNSPEC &&
		ipvs_key_compare(&r->list[r->n - 1].service, &service->key) == 0)
		return;
	r->drift |= ipvs_error_is_drift(op->kind, error, dest);
	if (dest)
		failure.dest = dest->key;
	if (r->n == r->room) {
		size_t room = r->room * 2 + 16;
		struct ipvs_failure *list = reallocarray(r->list, room, sizeof(*list));

		if (!list)
			return;
		r->list = list;
		r->room = room;
	}
	r->list[r->n++] = failure;
}

static const char *failure_sentence(const struct ipvs *v, const struct ipvs_failure *f, char *buf)
{
	struct ipvs_service fallback = {.key = f->service};
	struct ipvs_dest gone = {.key = f->dest};
	const struct ipvs_service *service = ipvs_image_find(&v->desired, &f->service);
	const struct ipvs_dest *dest = NULL;

	if (!service)
		service = &fallback;
	if (f->dest.addr.family != AF_UNSPEC) {
		dest = ipvs_service_find(service, &f->dest);
		if (!dest)
			dest = &gone;
	}
	return ipvs_error_sentence(f->kind, f->error, service, dest, buf);
}

const char *ipvs_reconcile_failure(
	const struct ipvs *v, const struct ipvs_key *service, const struct ipvs_dest_key *dest, char *buf)
{
	const struct ipvs_failure *f = find_failure(v->failures, v->n_failures, service, dest);

	buf[0] = '\0';
	return f ? failure_sentence(v, f, buf) : buf;
}

static void tell_failure(struct ipvs *v, const struct ipvs_failure *f)
{
	const struct ipvs_service *service = ipvs_image_find(&v->desired, &f->service);
	char text[IPVS_ERROR_TEXT], key[IPVS_KEY_TEXT], dest[ADDR_TEXT + 16], why[sizeof(text) + sizeof(dest) + 16];

	failure_sentence(v, f, text);
	if (f->dest.addr.family != AF_UNSPEC)
		snprintf(why, sizeof(why), "server %s: %s", ipvs_dest_format(&f->dest, dest), text);
	else
		snprintf(why, sizeof(why), "%s", text);
	log_error("ipvs %s: %s", ipvs_key_format(&f->service, key), why);
	if (service && service->service < v->now->conf->n_services)
		ipvs_report_event(v, EVENT_PROGRAM, service->service, CONF_NONE, 0, (uint32_t)f->error, why);
}

/* What is refused again was told before. Takes over the list. */
static void take_failures(struct ipvs *v, struct ipvs_failure *list, size_t n)
{
	if (n)
		qsort(list, n, sizeof(*list), compare_failures);
	for (size_t i = 0; i < n; i++) {
		const struct ipvs_dest_key *dest = list[i].dest.addr.family != AF_UNSPEC ? &list[i].dest : NULL;
		const struct ipvs_failure *before = find_failure(v->failures, v->n_failures, &list[i].service, dest);

		if (!before || before->error != list[i].error)
			tell_failure(v, &list[i]);
	}
	free(v->failures);
	v->failures = list;
	v->n_failures = n;
}

/* ---- programming ---- */

static void debug_ops(const struct ipvs *v, const struct ipvs_op *ops, size_t n)
{
	static const char *const names[] = {
		"new service", "set service", "del service", "new server", "set server", "del server"};

	for (size_t i = 0; i < n && log_get_level() >= LOG_LEVEL_DEBUG; i++) {
		const struct ipvs_dest *dest = ipvs_op_dest(&ops[i], &v->desired, &v->actual);
		char key[IPVS_KEY_TEXT], text[ADDR_TEXT];

		ipvs_key_format(&ipvs_op_service(&ops[i], &v->desired, &v->actual)->key, key);
		if (dest)
			log_debug("ipvs %s: %s %s weight %d", key, names[ops[i].kind],
				ipvs_dest_format(&dest->key, text), dest->weight);
		else
			log_debug("ipvs %s: %s", key, names[ops[i].kind]);
	}
}

/* Sends a plan and makes the image follow. Returns 0, -EAGAIN when the table is not what we thought (the image is then
 * no longer valid), or another -errno (likewise). */
static int send_plan(struct ipvs *v, const struct ipvs_op *ops, size_t n)
{
	struct refusals r = {.v = v, .ops = ops, .refused = calloc(n, sizeof(bool))};
	int rc = 0;

	if (!r.refused)
		return -ENOMEM;
	debug_ops(v, ops, n);
	for (size_t i = 0; i < n; i++)
		v->ledger_stale |= ops[i].kind == IPVS_OP_DEL_SERVICE || ops[i].kind == IPVS_OP_DEL_DEST;
	for (; r.first < n && rc == 0; r.first += SLICE) {
		size_t slice = n - r.first < SLICE ? n - r.first : SLICE;

		rc = ipvs_kernel_apply(v->kernel, &v->desired, &v->actual, ops + r.first, slice, on_refused, &r);
		board_beat(v->p->board); /* forty thousand commands take a while */
	}
	v->status.operations_total += n;
	if (rc == 0)
		rc = ipvs_plan_apply(&v->desired, &v->actual, ops, n, r.refused);
	if (rc == 0 && r.drift)
		rc = -EAGAIN;
	v->image_valid = rc == 0;
	free(r.refused);
	if (rc == 0)
		take_failures(v, r.list, r.n);
	else
		free(r.list);
	return rc;
}

/* One round: a valid image, a plan, its execution. *sent is increased. Returns as send_plan(). */
static int program_once(struct ipvs *v, size_t *sent)
{
	struct ipvs_op *ops;
	size_t room, n;
	int rc = v->image_valid ? 0 : ipvs_audit_dump(v);

	if (rc < 0)
		return rc;
	room = ipvs_plan(&v->desired, &v->actual, NULL, 0);
	if (room == 0) {
		take_failures(v, NULL, 0);
		return ipvs_plan_apply(&v->desired, &v->actual, NULL, 0, NULL);
	}
	ops = calloc(room, sizeof(*ops));
	if (!ops)
		return -ENOMEM;
	n = ipvs_plan(&v->desired, &v->actual, ops, room);
	rc = send_plan(v, ops, n < room ? n : room);
	*sent += n;
	free(ops);
	return rc;
}

/* Nothing is guessed: with the next try the table is read afresh. */
static void doubt(struct ipvs *v, int rc)
{
	v->image_valid = false;
	if (ipvs_error_is_lasting(rc)) {
		set_unusable(v, rc);
		return;
	}
	log_warning("ipvs: the kernel's answer is not known (%s): reading its table again", strerror(-rc));
	loop_timer_set(v->p->loop, &v->reconcile, mono_add(mono_now(), RETRY_SOON_US));
}

static void program(struct ipvs *v)
{
	size_t sent = 0;
	int rc = -EAGAIN;

	for (int i = 0; i < TRIES && rc == -EAGAIN; i++)
		rc = program_once(v, &sent);
	if (rc < 0) {
		doubt(v, rc);
		return;
	}
	if (!v->settled) {
		log_info("ipvs: %u services of the configuration stand in the kernel's table as %u, %zu commands were "
			 "needed",
			v->now->conf->n_services, v->desired.n_services, sent);
		v->settled = true;
		ipvs_audit_put_off(v);
		/* Connections told from now on find their servers. */
		ipvs_sync_step(v);
		ipvs_resync_step(v);
	}
	v->status.is_settled = 1;
	/* What a large table took on its way is not needed again. */
	if (sent > SLICE) {
		ipvs_kernel_trim(v->kernel);
		malloc_trim(0);
	}
}

/* ---- the whole way ---- */

static int build_desired(struct ipvs *v)
{
	ipvs_place_step(v);
	return ipvs_desired_build(
		v->now->conf, v->now->weights, v->now->absent, v->leftovers, v->n_leftovers, &v->desired);
}

static void tell_admin(struct ipvs *v)
{
	for (uint32_t i = 0; i < v->now->conf->n_servers; i++) {
		struct ipvs_server_state *state = &v->now->servers[i];
		char why[WHY_SIZE];

		if (!state->tell_admin)
			continue;
		state->tell_admin = false;
		snprintf(why, sizeof(why), "weight is now %d", v->now->weights[i].weight);
		ipvs_report_event(
			v, EVENT_ADMIN, v->now->conf->servers[i].service, i, state->old_admin, state->admin, why);
	}
}

/* Each stage goes through every server: ten thousand of them on a machine that is starved of its processor take longer
 * than a hung role is given. */
static void sign_of_life(struct ipvs *v)
{
	if (v->p->board)
		board_beat(v->p->board);
}

/* The kernel's table as it is desired; the ledger before it and after it. */
static void bring_about(struct ipvs *v)
{
	bool is_other = false;
	int rc = 0;

	if (!v->image_valid) {
		rc = ipvs_audit_dump(v);
		is_other = rc == 0 && ipvs_place_step(v);
	}
	ipvs_cut_step(v);
	if (rc == 0)
		rc = ipvs_leftover_update(v, &is_other);
	/* An image that could not be built is empty: what follows from it would be the end of every service. */
	if (is_other && build_desired(v) < 0)
		rc = -ENOMEM;
	sign_of_life(v);
	ipvs_reconcile_store_ledger(v);
	sign_of_life(v);
	if (rc == 0)
		program(v);
	else
		doubt(v, rc);
	sign_of_life(v);
	ipvs_reconcile_store_ledger(v);
}

/* Of a new generation: rails go before what they guard, and no server that was down before a restart is shown to
 * clients while its health checker has not got as far as to say so. Neither is waited for when it takes long. */
static bool has_to_wait(struct ipvs *v, struct mono *until)
{
	struct mono now = mono_now();

	*until = v->protect.lead_ends;
	if (ipvs_protect_leads(v))
		return true;
	*until = v->memory_ends;
	return mono_before(now, v->memory_ends) && ipvs_state_awaits_memory(v);
}

void ipvs_reconcile(struct ipvs *v)
{
	bool is_new = v->unread;
	struct mono until;

	if (!v->now)
		return;
	if (v->unread && has_to_wait(v, &until)) {
		loop_timer_set(v->p->loop, &v->reconcile, until);
		return;
	}
	loop_timer_cancel(v->p->loop, &v->reconcile);
	if (is_new) {
		v->unread = false;
		ipvs_state_read_health(v, UINT32_MAX);
		ipvs_state_read_admin(v, UINT32_MAX);
	}
	ipvs_state_decide(v);
	if (build_desired(v) < 0) {
		log_error("ipvs: out of memory: trying again in a second");
		loop_timer_set(v->p->loop, &v->reconcile, mono_add(mono_now(), RETRY_SOON_US));
		return;
	}
	sign_of_life(v);
	if (ipvs_reconcile_usable(v))
		bring_about(v);
	sign_of_life(v);
	/* What does not carry connections comes behind what does. */
	if (is_new) {
		ipvs_sysctl_step(v);
		ipvs_sync_step(v);
	}
	tell_admin(v);
	ipvs_follow_drains(v);
	ipvs_report(v, false);
}

/* Takes away what is ours, or everything. Returns as send_plan(). */
static int remove_once(struct ipvs *v, bool all, size_t *sent)
{
	int rc = v->image_valid ? 0 : ipvs_audit_dump(v);

	for (uint32_t i = 0; i < v->actual.n_services && all; i++)
		v->actual.services[i].ours = true;
	return rc < 0 ? rc : program_once(v, sent);
}

void ipvs_reconcile_store_rest(struct ipvs *v)
{
	struct ipvs_owned rest = {0};

	if (ipvs_owned_add_entries(&rest, &v->ledger) < 0 ||
		(v->protect.has_table && ipvs_owned_add_firewall(&rest) < 0) ||
		ipvs_owned_store(&rest, v->ledger_fd) < 0)
		log_warning("ipvs: the ledger cannot be emptied");
	ipvs_owned_clear(&rest);
}

void ipvs_reconcile_remove(struct ipvs *v, bool all)
{
	size_t sent = 0;
	int rc;

	/* An end before the first look: a former run may have left something. */
	if (!v->usable && !v->unusable && !ipvs_owned_is_empty(&v->ledger)) {
		v->unusable = ipvs_kernel_resolve(v->kernel);
		v->usable = v->unusable == 0;
	}
	/* In a kernel without IPVS nothing stands. */
	rc = v->usable ? -EAGAIN : v->unusable == -ENOENT ? 0 : v->unusable;
	ipvs_image_clear(&v->desired);
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++)
		rc = remove_once(v, all, &sent);
	/* The kernel has answered all commands, and refused some of them: that much still stands. */
	if (rc == 0 && v->usable && v->n_failures > 0)
		rc = -v->failures[0].error;
	if (rc < 0)
		log_error("ipvs: our services may still stand in the kernel's table: %s; the next start knows them",
			strerror(-rc));
	else if (v->usable)
		log_info("ipvs: our services are removed from the kernel, %zu commands", sent);
	if (rc == 0)
		ipvs_owned_clear(&v->ledger);
	ipvs_reconcile_store_rest(v);
}
