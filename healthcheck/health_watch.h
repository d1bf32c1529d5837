/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is looked at every second: programs of MISC_CHECKs, shares of weight that move, and our own punctuality. */
#ifndef POISE_HEALTH_WATCH_H
#define POISE_HEALTH_WATCH_H

#include "health_report.h"
#include "log.h"

struct health_watch {
	struct role_process *p;
	struct checker *checker;
	struct health_report *report;
	struct timer timer;
	uint32_t rounds;
	struct log_limit doubt_limit;
	uint32_t late; /* checks that were late in the last round */
	int64_t *scratch;
	struct pool_member *members;
	uint32_t room;
};

void health_watch_init(
	struct health_watch *w, struct role_process *p, struct checker *checker, struct health_report *report);
/* Makes room for pools of this configuration. Returns 0 or -ENOMEM. */
int health_watch_reserve(struct health_watch *w, const struct conf *conf);
/* A generation was committed: begins, or goes on. */
void health_watch_begin(struct health_watch *w);
void health_watch_stop(struct health_watch *w);

#endif
