/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Digests of configured objects, to see in what the files of two nodes differ: instances, groups, services with their
 * servers and checks. What is a node's own (priority, state, interfaces, its addresses and name, peers, secrets,
 * scripts and notifications) is left out. Pure. */
#ifndef POISE_PAIR_CONF_H
#define POISE_PAIR_CONF_H

#include "conf.h"
#include "pair_message.h"

struct pair_conf {
	struct pair_object *objects; /* sorted by name */
	uint32_t n;
	uint64_t whole;
};

/* Returns 0 or -ENOMEM. */
int pair_conf_build(struct pair_conf *out, const struct conf *conf);
void pair_conf_free(struct pair_conf *pc);

/* Calls fn for each object that is not the same in both; returns how many there are. Both sorted by name. */
typedef void pair_difference_fn(void *arg, enum pair_difference kind, const char *name);
uint32_t pair_conf_compare(const struct pair_object *ours, uint32_t n_ours, const struct pair_object *theirs,
	uint32_t n_theirs, pair_difference_fn *fn, void *arg);

#endif
