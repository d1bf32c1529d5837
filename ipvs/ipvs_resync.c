/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of connections as a whole: sent to the other node when that asks for it and in a slow sweep, counted so
 * that the nodes can compare. Runs in the ipvs process; the walk itself is a thread's (ipvs_scan.c), so that nothing
 * here waits for it. */
#include "ipvs_process.h"
#include "ipvs_resync_plan.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SWEEP_SHARE 10 /* a sweep is sent with this part of the bandwidth of a resync */
#define TROUBLE_LOG_US (60 * US_PER_S)

static void __attribute__((format(printf, 2, 3))) say(struct ipvs *v, const char *fmt, ...)
{
	struct status_sync *status = &v->resync.status;
	va_list args;

	memset(status->why, 0, sizeof(status->why));
	va_start(args, fmt);
	vsnprintf(status->why, sizeof(status->why), fmt, args);
	va_end(args);
}

static void publish(struct ipvs *v)
{
	role_store(v->p, IPVS_TABLE_SYNC, 0, &v->resync.status, sizeof(v->resync.status));
}

/* ---- facts ---- */

/* Is this node master of the instance (false while that is not known), since when at most, is it about to give it away,
 * and what does an operator wish? */
static bool look_at_instance(const struct ipvs *v, conf_index_t instance, struct ipvs_resync_facts *facts)
{
	const struct board *board = v->p->boards[ROLE_VRRP];
	struct status_instance status;

	if (!board || board_generation(board) != v->now->conf->generation ||
		board_load(board, VRRP_TABLE_INSTANCE, instance, &status, sizeof(status)) < 0)
		return false;
	facts->is_known = true;
	if (status.state != VRRP_MASTER)
		return false;
	facts->is_leaving |= status.is_leaving != 0;
	if (status.resync_wish > facts->own_wish)
		facts->own_wish = status.resync_wish;
	if (mono_before(facts->master_since, status.since))
		facts->master_since = status.since;
	return true;
}

static struct ipvs_resync_facts facts_of(const struct ipvs *v)
{
	const struct ipvs_resync *r = &v->resync;
	const struct board *pair = v->p->boards[ROLE_PAIR];
	struct status_pair wishes;
	struct ipvs_resync_facts facts = {.now = mono_now(),
		.answered = r->status.answered,
		.send_request = r->status.answered,
		.counted = r->status.counted,
		.count_request = r->status.counted,
		.last_end = r->last_end,
		.own_done = r->own_done,
		.has_recall = !r->scan.worker.is_out && r->scan.recall.n > 0,
		.recalled = r->recalled};

	if (pair && board_load(pair, PAIR_TABLE_PEER, 0, &wishes, sizeof(wishes)) == 0) {
		facts.send_request = wishes.send_request ? wishes.send_request : facts.answered;
		facts.count_request = wishes.count_request ? wishes.count_request : facts.counted;
	}
	for (uint32_t i = 0; i < v->now->conf->n_instances; i++) {
		bool master = look_at_instance(v, i, &facts);

		facts.is_master |= master;
		facts.is_standby |= !master;
	}
	return facts;
}

/* ---- the job ---- */

static int add_addresses(const struct ipvs *v, struct ipvs_scan_view *view)
{
	const struct conf *conf = v->now->conf;

	struct ipvs_resync_facts facts = {0};

	view->addresses = calloc(conf->n_addresses + 1, sizeof(*view->addresses));
	if (!view->addresses)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->n_addresses; i++)
		view->addresses[view->n_addresses++] = (struct ipvs_scan_address){
			conf->addresses[i].addr, look_at_instance(v, conf->addresses[i].instance, &facts)};
	for (uint32_t i = 0; i < conf->n_instances; i++)
		view->rest_is_ours |= look_at_instance(v, i, &facts);
	return 0;
}

static int add_services(const struct ipvs *v, struct ipvs_scan_view *view)
{
	const struct ipvs_image *image = &v->actual;
	uint32_t marks = 0;

	for (uint32_t s = 0; s < image->n_services; s++)
		marks += image->services[s].key.fwmark ? image->services[s].n_dests : 0;
	view->services = calloc(image->n_services + 1, sizeof(*view->services));
	view->marks = calloc(marks + 1, sizeof(*view->marks));
	if (!view->services || !view->marks)
		return -ENOMEM;
	for (uint32_t s = 0; s < image->n_services; s++) {
		const struct ipvs_service *service = &image->services[s];

		if (service->key.fwmark == 0)
			view->services[view->n_services++] = service->key;
		for (uint32_t d = 0; service->key.fwmark && d < service->n_dests; d++)
			view->marks[view->n_marks++] =
				(struct ipvs_scan_mark){service->dests[d].key, service->key.fwmark};
	}
	return 0;
}

static void close_line(struct ipvs *v)
{
	if (v->resync.line.sock >= 0)
		close(v->resync.line.sock);
	v->resync.line.sock = -1;
}

/* Made anew for every walk: interface and group may be others by now, and it costs nothing beside a walk. */
static int open_line(struct ipvs *v)
{
	const struct conf_global *global = v->now->conf->global;
	const struct ipvs_sender_target target = {.interface = conf_string(v->now->conf, global->sync_interface),
		.group = global->sync_group,
		.port = global->sync_port,
		.ttl = global->sync_ttl};

	close_line(v);
	return ipvs_line_open(&v->resync.line, &target);
}

static void on_back(int fd, uint32_t events, void *arg);

/* Not before privileges were dropped: a thread keeps those it was born with. */
static int start_thread(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;
	int rc = r->scan.worker.has_thread ? 0 : ipvs_scan_start(&r->scan);

	if (rc < 0 || r->io)
		return rc;
	r->io = loop_io_add(v->p->loop, ipvs_scan_fd(&r->scan), EPOLLIN, on_back, v);
	return r->io ? 0 : -errno;
}

static int begin(struct ipvs *v, const struct ipvs_resync_verdict *verdict, const struct ipvs_resync_facts *facts)
{
	struct ipvs_resync *r = &v->resync;
	const struct conf_global *global = v->now->conf->global;
	struct ipvs_scan_job job = {.kind = verdict->scan,
		.sync_id = (uint8_t)global->sync_id,
		.maxlen = global->sync_maxlen,
		.is_recall = verdict->is_recall,
		.remembers = verdict->scan == SYNC_SCAN_SEND && !verdict->is_recall && !facts->is_leaving,
		.kbit_per_s = verdict->is_sweep ? global->sync_bandwidth / SWEEP_SHARE : global->sync_bandwidth};
	int rc = start_thread(v);

	if (rc == 0 && verdict->scan == SYNC_SCAN_SEND) {
		rc = open_line(v);
		job.line = v->resync.line;
		/* Who leaves has no time to wait, and tells what changed in the last moments. */
		job.mode = facts->is_leaving   ? IPVS_SENDER_BLIND
			   : verdict->is_sweep ? IPVS_SENDER_HEARS
					       : IPVS_SENDER_ASKED;
	}
	if (rc == 0)
		rc = add_addresses(v, &job.view);
	if (rc == 0)
		rc = add_services(v, &job.view);
	if (rc < 0) {
		ipvs_scan_view_free(&job.view);
		return rc;
	}
	ipvs_scan_view_sort(&job.view);
	r->request = verdict->scan == SYNC_SCAN_COUNT ? facts->count_request
		     : verdict->is_sweep              ? facts->answered
						      : facts->send_request;
	r->is_sweep = verdict->is_sweep;
	r->is_leaving = facts->is_leaving;
	r->own_wish = verdict->is_sweep || verdict->is_recall ? 0 : facts->own_wish;
	if (verdict->scan == SYNC_SCAN_SEND && !verdict->is_recall)
		ipvs_remember_begin(v, &job.view);
	r->status.running = verdict->scan;
	ipvs_scan_send(&r->scan, &job);
	return 0;
}

/* ---- the result ---- */

static void store_digest(struct ipvs *v, enum sync_scan kind, uint64_t number)
{
	const struct ipvs_scan_result *result = &v->resync.scan.result;
	uint32_t first = kind == SYNC_SCAN_COUNT ? DIGEST_RECORDS : 0;

	for (uint32_t i = 0; i < DIGEST_RECORDS; i++) {
		struct status_digest record = {.number = number};

		memcpy(record.buckets, result->buckets + (size_t)i * DIGEST_RECORD_BUCKETS, sizeof(record.buckets));
		role_store_quiet(v->p, IPVS_TABLE_DIGEST, first + i, &record, sizeof(record));
	}
}

static void tell_sending(struct ipvs *v, const struct ipvs_scan_result *result)
{
	char taken[64] = "";

	if (result->taken >= result->sent && result->sent > 0)
		snprintf(taken, sizeof(taken), "; the other node has taken all");
	else if (result->taken > 0)
		snprintf(taken, sizeof(taken), "; the other node has taken %u", result->taken);
	say(v, "%s: %u of %u connections sent in %lld ms (CPU %lld, reading %lld, waiting %lld)%s%s",
		v->resync.is_sweep ? "sweep" : "whole table", result->sent, result->seen,
		(long long)(result->duration_us / US_PER_MS), (long long)(result->cpu_us / US_PER_MS),
		(long long)(result->read_us / US_PER_MS), (long long)(result->waited_us / US_PER_MS), taken,
		result->send_errors ? ", some could not be sent" : "");
}

static void count_sending(struct ipvs *v)
{
	const struct ipvs_scan_result *result = &v->resync.scan.result;
	struct status_sync *status = &v->resync.status;

	status->entries_sent += result->sent;
	status->datagrams_sent += result->datagrams;
	status->bytes_sent += result->bytes;
	status->send_errors += result->send_errors;
	status->repeated += result->repeated;
}

static void take_sending(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;
	const struct ipvs_scan_result *result = &r->scan.result;
	struct status_sync *status = &r->status;

	status->answered = r->request;
	if (r->own_wish != 0)
		r->own_done = r->own_wish;
	status->own = result->counted;
	count_sending(v);
	status->last_sent = result->sent;
	status->last_taken = result->taken;
	status->last_send_us = result->duration_us;
	status->last_cpu_us = result->cpu_us;
	status->last_send_real_us = real_now_us();
	status->last_send = mono_now();
	status->unsendable = result->unsendable;
	tell_sending(v, result);
	/* While mastership is given away it is walk after walk. */
	if (!r->is_sweep)
		log_write(r->is_leaving ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO, "ipvs sync: %s: %s",
			r->is_leaving ? "giving mastership away"
			: r->own_wish ? "before a handover"
				      : "asked by the other node",
			status->why);
	store_digest(v, SYNC_SCAN_SEND, status->sends + 1);
	status->sends++;
	r->owes_walk = false;
	if (r->scan.job.remembers) {
		ipvs_remember_keep(v);
		ipvs_remember_warn(v);
	}
}

/* The other node has by now what the last walk has read. What that lacks is found by a walk: the request's, or a sweep.
 */
static void take_recall(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;
	const struct conf_global *global = v->now->conf->global;
	const struct ipvs_scan_result *result = &r->scan.result;
	struct ipvs_resync_facts facts = facts_of(v);
	uint32_t held = ipvs_remember_held(v, facts.master_since);

	r->recalled = r->request;
	count_sending(v);
	say(v, "what the last walk has read: %u connections sent in %lld ms, at least %u.%u %% of the table",
		result->sent, (long long)(result->duration_us / US_PER_MS), held / 10, held % 10);
	log_info("ipvs sync: asked by the other node: %s", r->status.why);
	if (!ipvs_resync_is_answered(
		    held, global->preempt_coverage * 10, r->recall.took_us, global->preempt_coverage_timeout_us))
		return;
	r->status.answered = r->request;
	r->status.last_sent = result->sent;
	r->status.last_taken = (uint32_t)(((uint64_t)result->sent * held + 999) / 1000);
	r->owes_walk = true;
}

static void take_counting(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;

	r->status.counted = r->request;
	r->status.foreign = r->scan.result.counted;
	store_digest(v, SYNC_SCAN_COUNT, r->status.counts + 1);
	r->status.counts++;
}

static void on_back(int fd, uint32_t events, void *arg)
{
	struct ipvs *v = arg;
	struct ipvs_resync *r = &v->resync;
	bool failed;

	(void)fd;
	(void)events;
	if (!ipvs_scan_take(&r->scan))
		return;
	r->status.running = SYNC_SCAN_NONE;
	r->last_end = mono_now();
	if (r->scan.job.kind == SYNC_SCAN_SEND && !r->scan.job.is_recall)
		r->next_sweep =
			ipvs_resync_next_sweep(mono_now(), v->now->conf->global->sync_sweep_us, r->scan.result.cpu_us);
	if (r->scan.result.error == -ECANCELED)
		say(v, "a sweep gave way");
	else if (r->scan.result.error)
		say(v, "the kernel's table of connections could not be read: %s", strerror(-r->scan.result.error));
	else if (r->scan.job.is_recall)
		take_recall(v);
	else if (r->scan.job.kind == SYNC_SCAN_SEND)
		take_sending(v);
	else
		take_counting(v);
	publish(v);
	/* The next one in a round of its own: an error must not become a loop. */
	failed = r->scan.result.error != 0 && r->scan.result.error != -ECANCELED;
	loop_timer_set(v->p->loop, &r->due, mono_add(mono_now(), failed ? US_PER_S : 0));
}

/* ---- what is due ---- */

static bool look_ready(struct ipvs *v)
{
	struct status_sync *status = &v->resync.status;
	struct status_sync before = *status;

	status->is_full = v->now->conf->global->connection_sync == CONF_SYNC_FULL;
	status->is_ready = status->is_full && v->usable && v->settled && v->n_daemons == 2 && v->daemon_error == 0;
	if (mono_before(status->receiving_since, v->receiving_since))
		status->receiving_since = v->receiving_since;
	if (!status->is_full)
		say(v, "connection_sync is not full");
	else if (!status->is_ready)
		say(v, "%s", !v->usable ? "the kernel has no IPVS" : "the kernel's sync daemons do not run yet");
	else if (!before.is_ready)
		say(v, "ready");
	if (memcmp(&before, status, sizeof(before)) != 0)
		publish(v);
	return status->is_ready;
}

/* A slow sweep does not keep a node waiting that has come back, nor a successor. */
static void give_way(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;
	struct ipvs_resync_facts facts = facts_of(v);

	if (r->is_sweep && facts.is_master && (facts.is_leaving || ipvs_resync_is_asked(&facts)))
		ipvs_scan_cancel(&r->scan);
}

/* A node that has become master sweeps after a while, not in the hurry of the change; and a reload may have made the
 * interval a shorter one, or none. */
static void keep_interval(struct ipvs_resync *r, bool is_master, int64_t interval_us)
{
	struct mono latest =
		ipvs_resync_next_sweep(mono_now(), interval_us, mono_is_set(r->next_sweep) ? r->status.last_cpu_us : 0);

	if (!is_master)
		r->next_sweep = MONO_NEVER;
	else if (!mono_is_set(latest) || !mono_is_set(r->next_sweep) || mono_before(latest, r->next_sweep))
		r->next_sweep = latest;
}

void ipvs_resync_step(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;
	struct ipvs_resync_facts facts;
	struct ipvs_resync_verdict verdict;
	uint32_t held_back;
	int rc;

	if (!v->now || !look_ready(v))
		return;
	if (r->scan.worker.is_out) {
		give_way(v);
		return;
	}
	facts = facts_of(v);
	if (facts.is_known)
		keep_interval(r, facts.is_master, v->now->conf->global->sync_sweep_us);
	facts.next_sweep = r->owes_walk ? facts.now : r->next_sweep;
	if (facts.is_known && !facts.is_master && facts.has_recall)
		ipvs_remember_forget(v);
	verdict = ipvs_resync_decide(&facts);
	if (verdict.scan == SYNC_SCAN_NONE) {
		if (mono_is_set(verdict.look_again))
			loop_timer_set(v->p->loop, &r->due, verdict.look_again);
		return;
	}
	rc = begin(v, &verdict, &facts);
	if (rc == 0) {
		publish(v);
		return;
	}
	say(v, "the table of connections cannot be sent on %s: %s",
		conf_string(v->now->conf, v->now->conf->global->sync_interface), strerror(-rc));
	if (log_limit_pass(&r->trouble, TROUBLE_LOG_US, &held_back))
		log_error("ipvs sync: %s", r->status.why);
	publish(v);
	loop_timer_set(v->p->loop, &r->due, mono_add(mono_now(), US_PER_S));
}

static void on_due(struct timer *timer, void *arg)
{
	(void)timer;
	ipvs_resync_step(arg);
}

/* ---- begin and end ---- */

void ipvs_resync_init(struct ipvs *v)
{
	v->resync.line.sock = -1;
	v->resync.due = (struct timer){.fire = on_due, .arg = v};
}

void ipvs_resync_carry(struct ipvs *v, struct board *board, const struct board *old)
{
	struct status_digest digest;
	struct status_sync status;

	if (!v->now && old && board_load(old, IPVS_TABLE_SYNC, 0, &status, sizeof(status)) == 0) {
		v->resync.status = status;
		v->resync.status.running = SYNC_SCAN_NONE;
		v->resync.status.is_ready = 0;
		v->resync.status.remembered = 0;
	}
	board_store(board, IPVS_TABLE_SYNC, 0, &v->resync.status, sizeof(status));
	for (uint32_t i = 0; old && i < 2 * DIGEST_RECORDS; i++)
		if (board_load(old, IPVS_TABLE_DIGEST, i, &digest, sizeof(digest)) == 0)
			board_store(board, IPVS_TABLE_DIGEST, i, &digest, sizeof(digest));
}

void ipvs_resync_stop(struct ipvs *v)
{
	loop_timer_cancel(v->p->loop, &v->resync.due);
	if (v->resync.io)
		loop_io_remove(v->resync.io);
	v->resync.io = NULL;
	ipvs_scan_end(&v->resync.scan);
	close_line(v);
}
