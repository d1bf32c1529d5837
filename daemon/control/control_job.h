/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A change that a person asked for, on its way: who asked, for what, and what the parent has answered so far. Private to
 * control_admin.c, which drives jobs, and control_targets.c, which finds what they are about. */
#ifndef POISE_CONTROL_JOB_H
#define POISE_CONTROL_JOB_H

#include "control_admin.h"
#include "control_plan.h"

/* The request number of a message: the job's number and the position of the server in it. */
#define JOB_POSITION_BITS 20

enum target_state { TARGET_WAITING, TARGET_SENT, TARGET_DONE, TARGET_REFUSED };

struct target {
	conf_index_t server; /* CONF_NONE: the daemon as a whole */
	enum target_state state;
	char *text; /* the parent's words, malloc'ed */
};

struct admin_job {
	struct admin_job *next;
	struct administration *admin;
	uint64_t id, client;
	struct request request;
	enum msg_verb verb;
	conf_index_t instance; /* handover; CONF_NONE = all */
	conf_index_t service;  /* server-add, server-remove */
	char server_name[64];
	bool is_planning, has_plan; /* the plan is awaited; it is there */
	bool may_cut;               /* the file itself says that its reload may */
	bool empties;               /* nothing at all is left in it */
	struct plan plan;
	struct access_peer peer;
	char why[160];
	struct target *targets;
	size_t count, sent, answered; /* sent: under way, not yet answered */
	unsigned restarts;
	bool is_stale;
	struct timer timer;
	struct mono deadline;
};

/* Drain, maint, weight: one command for each server. Anything else is one for the daemon as a whole. */
bool job_is_about_servers(const struct admin_job *job);
/* Finds what the words of the request name in the present generation, all of it unanswered. Returns 0, or -1 and a
 * sentence in error (MATCH_ERROR_SIZE). */
int job_set_targets(struct admin_job *job, char *error);
void job_free_targets(struct admin_job *job);

#endif
