/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling the others: the board, the doorbell to ipvs, events, and the log. */
#ifndef POISE_HEALTH_REPORT_H
#define POISE_HEALTH_REPORT_H

#include "checker.h"
#include "msg.h"
#include "role.h"

struct health_report {
	struct role_process *p;
	struct channel ipvs; /* fd -1 while there is none */
	bool is_owed;        /* ipvs was not told of a change: its queue was full */
	struct timer again;
};

void health_report_init(struct health_report *r, struct role_process *p);
/* The parent has given us our end of the pair. Takes fd over. */
void health_report_set_peer(struct health_report *r, int fd);
/* A board of the shape for a configuration. NULL with errno. */
struct board *health_report_board(const struct conf *conf, enum role checker);
/* A generation was switched: judges every server, publishes the board, and tells what the switch has changed. */
void health_report_switch(struct health_report *r, struct check_set *set, struct board *board);
/* Judges a server anew, stores what has changed, and tells those who act on it. */
void health_report_judge(struct health_report *r, struct check_set *set, conf_index_t server);
/* Another checker's board is new: servers of which nothing is known may have been its own (check_set_learn()). */
void health_report_learn(struct health_report *r, struct check_set *set);
/* After a run of a check of `set` (checker_report_fn without its first argument). */
void health_report_run(struct health_report *r, struct check_set *set, struct check *check,
	const struct verdict_step *step, const struct probe_result *result);

#endif
