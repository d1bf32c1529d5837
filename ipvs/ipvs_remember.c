/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process knows of the walk that is remembered (ipvs_recall.c has its connections): the kernel's counters at
 * its beginning, and by them what a node that was sent it holds. Runs in the ipvs process. */
#include "ipvs_process.h"
#include <string.h>

/* Beside the walk another node may have told of connections: the one that was master before, in its last moments. */
#define SETTLED_US (5 * US_PER_S)
#define SLOW_LOG_US (3600 * US_PER_S)

static struct ipvs_recall_count count_services(const struct ipvs_image *image, const struct ipvs_scan_view *view)
{
	struct ipvs_recall_count count = {0};

	for (uint32_t i = 0; i < image->n_services; i++) {
		const struct ipvs_service *service = &image->services[i];

		if (service->key.fwmark ? view->rest_is_ours : ipvs_scan_is_ours(view, &service->key.addr))
			ipvs_recall_count_service(&count, image, service);
	}
	return count;
}

/* As the last audit has read it: that the counters may be older than the walk makes more of what came since. */
void ipvs_remember_begin(struct ipvs *v, const struct ipvs_scan_view *view)
{
	v->resync.counted = count_services(&v->actual, view);
	v->resync.begun = mono_now();
}

void ipvs_remember_keep(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;

	r->recall.counted = r->counted;
	r->recall.begun = r->begun;
	r->recall.lasting = r->scan.result.counted;
	r->recall.took_us = r->scan.result.duration_us - r->scan.result.waited_us;
	r->status.remembered = r->scan.recall.n;
}

void ipvs_remember_warn(struct ipvs *v)
{
	struct ipvs_resync *r = &v->resync;
	int64_t patience_us = v->now->conf->global->preempt_coverage_timeout_us;
	uint32_t held_back;

	if (r->recall.took_us < patience_us || patience_us == 0 || !log_limit_pass(&r->slow, SLOW_LOG_US, &held_back))
		return;
	log_warning("ipvs sync: a walk through the table of connections (%u) takes %lld s, longer than "
		    "preempt_coverage_timeout (%lld s): a node that comes back takes over before it holds all of them; "
		    "make "
		    "that time longer",
		r->scan.result.seen, (long long)(r->recall.took_us / US_PER_S), (long long)(patience_us / US_PER_S));
}

/* Servers first, then what was accepted, so that what comes in between is counted as missing. */
static int count_now(struct ipvs *v, struct ipvs_recall_count *out)
{
	const struct ipvs_scan_view *view = &v->resync.scan.job.view;
	struct ipvs_image image = {0};
	struct ipvs_recall_count later;
	int rc = ipvs_kernel_dump(v->kernel, &image);

	*out = count_services(&image, view);
	ipvs_image_clear(&image);
	if (rc == 0)
		rc = ipvs_kernel_dump_services(v->kernel, &image);
	later = count_services(&image, view);
	ipvs_image_clear(&image);
	out->connections = later.connections;
	out->services = later.services == out->services ? out->services : 0;
	return rc;
}

uint32_t ipvs_remember_held(struct ipvs *v, struct mono master_since)
{
	const struct ipvs_resync *r = &v->resync;
	const struct ipvs_scan_result *result = &r->scan.result;
	struct ipvs_recall_count now;

	if (r->scan.recall.is_truncated || result->sent == 0 || result->send_errors > 0 ||
		mono_before(r->recall.begun, mono_add(master_since, SETTLED_US)) || count_now(v, &now) < 0)
		return 0;
	return (uint32_t)((uint64_t)ipvs_recall_covers(&r->recall.counted, &now, r->recall.lasting) * result->taken /
			  result->sent);
}

void ipvs_remember_forget(struct ipvs *v)
{
	ipvs_scan_forget(&v->resync.scan);
	memset(&v->resync.recall, 0, sizeof(v->resync.recall));
	v->resync.status.remembered = 0;
	v->resync.recalled = 0;
}
