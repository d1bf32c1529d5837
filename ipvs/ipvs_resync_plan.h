/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which walk through the table of connections is due: pure decision of the ipvs role. */
#ifndef POISE_IPVS_RESYNC_PLAN_H
#define POISE_IPVS_RESYNC_PLAN_H

#include "mono.h"
#include "status.h"

/* Reading the table may take this part of a CPU at most, 1/n; what the other node asks for is not bounded by it. */
#define IPVS_SWEEP_CPU_SHARE 50

struct ipvs_resync_facts {
	struct mono now;
	bool is_known;            /* what the instances are; not while a reload is under way */
	bool is_master;           /* of any instance: there is something to send */
	bool is_standby;          /* for any instance: there is something to count */
	bool is_leaving;          /* a successor takes over in a moment: it is told what the kernel still holds back */
	struct mono master_since; /* of the youngest mastership */
	struct mono last_end;     /* of the last walk that sent */
	uint64_t send_request, answered; /* of the other node; a number that was not answered yet is a wish */
	uint64_t count_request, counted; /* of the pair role */
	uint64_t own_wish, own_done;     /* of the vrrp role, before a handover; 0 = none */
	bool has_recall;                 /* the last walk as master is remembered */
	uint64_t recalled;               /* the last request of the other node that was sent that */
	struct mono next_sweep;          /* MONO_NEVER: none */
};

/* Between two walks while mastership is given away. */
#define IPVS_LEAVING_PAUSE_US (20 * US_PER_MS)

struct ipvs_resync_verdict {
	enum sync_scan scan;
	bool is_sweep;
	bool is_recall;         /* what is remembered, and no walk yet */
	struct mono look_again; /* MONO_NEVER: only when a fact changes */
};

/* Does anybody wait for the table to be sent? */
bool ipvs_resync_is_asked(const struct ipvs_resync_facts *facts);
/* The other node is sent what is remembered at once, and then what a walk finds. */
struct ipvs_resync_verdict ipvs_resync_decide(const struct ipvs_resync_facts *facts);

/* What was remembered has been sent: does it answer the request? held: 1/1000 of the table that the other node has now
 * at least; enough: that it waits for. When nothing is missing, yes; else only when a walk would take longer than the
 * other node waits, because a walk brings the rest. */
bool ipvs_resync_is_answered(uint32_t held, uint32_t enough, int64_t walk_us, int64_t patience_us);

/* When the next sweep may begin after one that has just ended: interval_us apart (0 = never), more where it costs CPU.
 */
struct mono ipvs_resync_next_sweep(struct mono now, int64_t interval_us, int64_t cpu_us);

#endif
