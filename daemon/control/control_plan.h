/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bringing another table into use would do to the live system. Pure but for reading boards: two generations and
 * what the boards say of the first in, a list of steps out. */
#ifndef POISE_CONTROL_PLAN_H
#define POISE_CONTROL_PLAN_H

#include "control_status.h"

enum plan_kind { PLAN_ADD, PLAN_CHANGE, PLAN_REMOVE };
enum plan_verdict { PLAN_NOTHING, PLAN_HARMLESS, PLAN_CUTS };

struct plan_step {
	enum plan_kind kind;
	char object[160];     /* "service 192.0.2.1:80/tcp", "server 10.1.0.2:80 of 192.0.2.1:80/tcp" */
	char detail[200];     /* what happens to it */
	uint64_t operations;  /* on objects of the kernel */
	uint64_t connections; /* established ones that are concerned */
	bool cuts;            /* they are cut */
	bool changes_state;   /* an instance may become master, or may be it no more */
};

struct plan {
	struct plan_step *steps;
	size_t count, room;
	uint64_t operations, connections_cut;
	size_t state_changes;
	bool failed; /* out of memory: not to be trusted */
	/* What the reader of the file warned of; the maker's. */
	uint32_t warnings;
	char first_warning[160];
};

/* The steps from what is in use (`now`) to `to`. Free with plan_free() in any case. */
void plan_make(struct plan *plan, const struct status_source *now, const struct conf *to);
void plan_free(struct plan *plan);
enum plan_verdict plan_verdict(const struct plan *plan);
const char *plan_verdict_name(enum plan_verdict verdict); /* "nothing", "harmless", "cuts" */
/* Writes {"warnings", "first_warning", "verdict", "operations", "connections_cut", "state_changes", "steps": [...], "steps_total"}; at most
 * PLAN_STEPS_MAX steps, those that cut first. */
#define PLAN_STEPS_MAX 1000
void plan_write(struct writer *w, const char *key, const struct plan *plan);
/* One sentence about what is cut, for a refusal. Returns buf. */
const char *plan_summary(const struct plan *plan, char *buf, size_t size);

/* Established connections of a server. */
uint64_t plan_connections(const struct status_source *now, conf_index_t server);

#endif
