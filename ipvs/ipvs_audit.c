/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares the kernel's IPVS table with the image that it acknowledged, because IPVS tells nobody when someone else
 * changes it; brings counters on the way. Runs in the ipvs process, a few services at a time. It
 * changes nothing in the kernel: what it finds different goes to ipvs_reconcile(). */
#include "ipvs_process.h"
#include <errno.h>
#include <string.h>

#define TICKS 100 /* at most so many steps in one round */
#define MIN_INTERVAL_US (50 * US_PER_MS)
#define FOREIGN_LINES 5 /* of foreign entries that one look mentions by name */

static int64_t interval_us(const struct ipvs *v)
{
	int64_t interval = v->now->conf->global->audit_interval_us;

	return interval > MIN_INTERVAL_US ? interval : MIN_INTERVAL_US;
}

/* A whole round takes less than the interval, so that a change is repaired within one. */
static int64_t round_us(const struct ipvs *v)
{
	return interval_us(v) * 4 / 5;
}

static void tell_foreign(const struct ipvs_service *service, const struct ipvs_dest *dest, unsigned *n)
{
	char key[IPVS_KEY_TEXT], text[ADDR_TEXT];

	if (++*n > FOREIGN_LINES)
		return;
	ipvs_key_format(&service->key, key);
	if (dest)
		log_warning("ipvs %s: server %s was entered by someone else: it is left alone and gets its share", key,
			ipvs_dest_format(&dest->key, text));
	else
		log_warning("ipvs %s: this service was entered by someone else: it is left alone", key);
}

/* Entries that are neither ours nor wanted are mentioned once. */
static void look_for_foreign(struct ipvs *v, uint32_t first, uint32_t last)
{
	unsigned n = 0;

	for (uint32_t i = first; i < last && i < v->actual.n_services; i++) {
		struct ipvs_service *have = &v->actual.services[i];
		const struct ipvs_service *want = ipvs_image_find(&v->desired, &have->key);

		if (!have->ours && !want && !have->reported) {
			have->reported = true;
			tell_foreign(have, NULL, &n);
		}
		for (uint32_t d = 0; want && d < have->n_dests; d++) {
			struct ipvs_dest *dest = &have->dests[d];

			if (dest->ours || dest->reported || ipvs_service_find(want, &dest->key))
				continue;
			dest->reported = true;
			tell_foreign(have, dest, &n);
		}
	}
	if (n > FOREIGN_LINES)
		log_warning("ipvs: %u more entries of someone else are left alone", n - FOREIGN_LINES);
}

/* A service dumped for the first time, or again: ours by the ledger. */
static int dump_dests(struct ipvs *v, struct ipvs_service *service)
{
	int rc = ipvs_kernel_dump_dests(v->kernel, service);

	if (rc == 0)
		ipvs_owned_mark(&v->ledger, service);
	return rc;
}

int ipvs_audit_dump(struct ipvs *v)
{
	int rc = ipvs_kernel_dump_services(v->kernel, &v->actual);

	for (uint32_t i = 0; i < v->actual.n_services && rc == 0; i++) {
		rc = dump_dests(v, &v->actual.services[i]);
		board_beat(v->p->board); /* a thousand services take a while, but each is a sign of life */
	}
	v->image_valid = rc == 0;
	v->ledger_stale = true;
	if (rc < 0) {
		ipvs_image_clear(&v->actual);
		return rc;
	}
	if (v->flush_at_first) {
		v->flush_at_first = false;
		for (uint32_t i = 0; i < v->actual.n_services; i++)
			v->actual.services[i].ours = true;
	}
	look_for_foreign(v, 0, v->actual.n_services);
	return 0;
}

/* ---- one service ---- */

/* Keeps what this process knows of servers that were there before. Returns the number of differences from the image
 * that concern us. */
static uint32_t compare_dests(const struct ipvs_service *before, struct ipvs_service *after)
{
	uint32_t drift = 0, found = 0;

	for (uint32_t i = 0; i < after->n_dests; i++) {
		struct ipvs_dest *dest = &after->dests[i];
		const struct ipvs_dest *old = ipvs_service_find(before, &dest->key);

		if (old) {
			found += old->ours;
			dest->reported = old->reported;
			dest->ours |= old->ours;
		}
		if (dest->ours && (!old || !ipvs_dest_equal(old, dest)))
			drift++;
	}
	for (uint32_t i = 0; i < before->n_dests; i++)
		drift += before->dests[i].ours;
	return drift - found;
}

int ipvs_audit_refresh(struct ipvs *v, uint32_t i)
{
	struct ipvs_service *service = &v->actual.services[i];
	struct ipvs_service before = *service;
	bool ours = service->ours;
	uint32_t drift;
	int rc;

	/* Their number stays as a hint: it is likely to be the same. */
	service->dests = NULL;
	service->room = 0;
	service->tallies.list = NULL;
	service->tallies.room = 0;
	rc = dump_dests(v, service);
	service->ours |= ours;
	if (rc < 0) {
		*service = before;
		return rc;
	}
	drift = compare_dests(&before, service);
	ipvs_service_clear(&before);
	return (int)drift;
}

/* ---- all services ---- */

/* A dump in parts is not one view of the table, and the kernel does not say so: it counts entries, those of other
 * network namespaces too, and skips some of ours when others go meanwhile. Who is missing is asked for by name. Returns
 * 0 or -errno. */
static int look_for_missing(struct ipvs *v, struct ipvs_image *fresh)
{
	struct ipvs_image missing = {0};
	int rc = 0;

	for (uint32_t i = 0; i < v->actual.n_services && rc == 0; i++) {
		const struct ipvs_service service = {.key = v->actual.services[i].key};

		if (v->actual.services[i].ours && !ipvs_image_find(fresh, &service.key))
			rc = ipvs_image_add(&missing, &service) ? 0 : -ENOMEM;
	}
	for (uint32_t i = 0; i < missing.n_services && rc == 0; i++) {
		rc = ipvs_kernel_add_service(v->kernel, &missing.services[i].key, fresh);
		rc = rc == -ESRCH ? 0 : rc;
		board_beat(v->p->board);
	}
	ipvs_image_clear(&missing);
	ipvs_image_sort(fresh);
	return rc;
}

/* Takes a fresh list of services into the image; servers of new ones are read at once. Returns differences or -errno.
 */
static int refresh_services(struct ipvs *v)
{
	struct ipvs_image fresh = {0};
	int drift = 0, rc;

	ipvs_image_reserve(&fresh, v->actual.n_services); /* it is likely to be the same number */
	rc = ipvs_kernel_dump_services(v->kernel, &fresh);
	if (rc == 0)
		rc = look_for_missing(v, &fresh);
	for (uint32_t i = 0; i < fresh.n_services && rc == 0; i++) {
		struct ipvs_service *now = &fresh.services[i];
		struct ipvs_service *old = ipvs_image_find(&v->actual, &now->key);

		if (!old) {
			rc = dump_dests(v, now);
			drift += now->ours;
			continue;
		}
		now->ours = old->ours;
		now->reported = old->reported;
		drift += now->ours && !ipvs_service_equal(now, old);
		ipvs_service_take_dests(now, old);
		old->ours = false; /* seen again */
	}
	for (uint32_t i = 0; i < v->actual.n_services; i++)
		drift += v->actual.services[i].ours;
	ipvs_image_clear(&v->actual);
	v->actual = fresh;
	v->image_valid = rc == 0;
	return rc < 0 ? rc : drift;
}

/* ---- the round ---- */

static void schedule(struct ipvs *v)
{
	uint32_t steps = v->actual.n_services < TICKS ? v->actual.n_services + 1 : TICKS;

	loop_timer_set(v->p->loop, &v->audit, mono_add(mono_now(), round_us(v) / steps));
}

void ipvs_audit_put_off(struct ipvs *v)
{
	v->audit_at = UINT32_MAX;
	loop_timer_set(v->p->loop, &v->audit, mono_add(mono_now(), interval_us(v) - round_us(v)));
}

void ipvs_audit_start(struct ipvs *v)
{
	struct mono due = v->audit.at;

	if (!v->audit.slot) {
		ipvs_audit_put_off(v);
		return;
	}
	schedule(v);
	if (mono_before(due, v->audit.at))
		loop_timer_set(v->p->loop, &v->audit, due);
}

void ipvs_audit_on_drift(struct ipvs *v, int drift)
{
	if (drift > 0) {
		v->status.drift_total += (uint64_t)drift;
		log_warning("ipvs: someone else changed %d of our entries in the kernel's table: repaired", drift);
	} else {
		v->image_valid = false;
	}
	ipvs_reconcile(v);
}

/* The end of a round: everything was looked at once. Refused commands are tried again. */
static void end_round(struct ipvs *v)
{
	v->audit_at = UINT32_MAX;
	v->status.last_audit_real_us = real_now_us();
	ipvs_protect_audit(v);
	ipvs_sysctl_step(v);
	ipvs_sync_step(v);
	ipvs_resync_step(v);
	if (v->n_failures)
		ipvs_reconcile(v);
	ipvs_report(v, true);
}

static int step(struct ipvs *v)
{
	uint32_t n = v->actual.n_services / TICKS + 1;
	int drift = 0;

	if (v->audit_at == UINT32_MAX) {
		drift = refresh_services(v);
		v->audit_at = 0;
		return drift;
	}
	for (uint32_t i = 0; i < n && v->audit_at < v->actual.n_services; i++) {
		int rc = ipvs_audit_refresh(v, v->audit_at);

		if (rc < 0)
			return rc;
		drift += rc;
		v->audit_at++;
	}
	return drift;
}

void ipvs_audit_on_timer(struct timer *timer, void *arg)
{
	struct ipvs *v = arg;
	uint32_t first = v->audit_at;
	int drift;

	(void)timer;
	/* What is wanted goes before what may have changed: the parent waits for our vote and then the kernel for us.
	 */
	if (v->reconcile.slot)
		ipvs_reconcile(v);
	if (v->next) {
		schedule(v);
		return;
	}
	if (v->usable && v->image_valid) {
		drift = step(v);
		if (drift != 0)
			ipvs_audit_on_drift(v, drift);
		look_for_foreign(v, first == UINT32_MAX ? 0 : first, v->audit_at ? v->audit_at : v->actual.n_services);
		if (v->audit_at >= v->actual.n_services)
			end_round(v);
	} else if (v->usable) {
		ipvs_reconcile(v);
	} else {
		ipvs_protect_audit(v);
	}
	schedule(v);
}
