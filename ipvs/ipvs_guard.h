/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nftables has to do for the services: guard rails (lists of clients, limits) and groups folded into a mark, as
 * plain data made from a configuration, and how two of them differ. Pure. */
#ifndef POISE_IPVS_GUARD_H
#define POISE_IPVS_GUARD_H

#include "addr.h"
#include "conf.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses first..last inclusive. */
struct guard_range {
	struct addr first, last;
};

/* Sorted; ranges that overlap or touch are one. */
struct guard_list {
	struct guard_range *ranges;
	uint32_t n;
};

/* How packets of a service are known: a mark (then dest.first has nothing but a family, because the kernel keeps the
 * services of a mark apart by it), or destination, protocol and port (0 = every one). */
struct guard_key {
	struct guard_range dest;
	uint32_t mark;
	uint16_t port;
	uint8_t protocol;
	uint8_t zero;
};

#define GUARD_NAME 96
struct guard {
	char name[GUARD_NAME]; /* of its chain and sets: letters, digits, _ */
	conf_index_t service;
	bool has_rails, has_allow;
	uint8_t protocol; /* 0 with a mark: any */
	uint32_t client_rate, client_burst, service_rate, service_burst, client_connections;
	struct guard_key *keys; /* whose packets have to pass the rails */
	uint32_t n_keys;
	uint32_t mark;           /* that is set for packets of `folds`, 0 = none */
	struct guard_key *folds; /* never marks */
	uint32_t n_folds;
	struct guard_list allow, deny;
	uint64_t shape;  /* of everything but the contents of the lists */
	uint64_t digest; /* of everything */
};

struct guard_table {
	struct guard *guards; /* sorted by name */
	uint32_t n;
	int32_t fold_priority;
	bool has_rails, has_folds;
};

/* Only services that have rails or are folded. Returns 0 or -ENOMEM (the table is empty then). */
int guard_table_build(struct guard_table *table, const struct conf *conf);
void guard_table_clear(struct guard_table *table);
/* By name; NULL when there is none. */
const struct guard *guard_table_find(const struct guard_table *table, const char *name);
size_t guard_table_elements(const struct guard_table *table);

/* Sorts and joins in place. */
void guard_list_normalise(struct guard_list *list);

/* Calls fn for each guard that one of the two tables has: old or new is NULL when it is not there, and guards that are
 * the same in both are left out. */
typedef void guard_change_fn(void *arg, const struct guard *old, const struct guard *new);
void guard_table_compare(const struct guard_table *old, const struct guard_table *new, guard_change_fn *fn, void *arg);

/* Calls fn for each range that only `list` has and `other` has not. */
typedef void guard_range_fn(void *arg, const struct guard_range *range);
void guard_list_only(const struct guard_list *list, const struct guard_list *other, guard_range_fn *fn, void *arg);

#endif
