/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything that a configuration may program into the kernel, as a sorted table of services and their servers that is
 * not changed once it is made. Plain containers. */
#ifndef POISE_IPVS_OWNED_TABLE_H
#define POISE_IPVS_OWNED_TABLE_H

#include "conf.h"
#include "ipvs_image.h"

/* One entry as the ledger has it; dest.addr is absent (AF_UNSPEC) for the service itself. */
struct ipvs_owned_record {
	struct ipvs_key service;
	struct ipvs_dest_key dest;
	int64_t until_us; /* of a leftover: its moment on the monotonic clock, else 0 */
};

/* A service with its servers: a sorted run of the table's dests, which several services may share. */
struct ipvs_owned_service {
	struct ipvs_key key;
	uint32_t first, n;
};

/* Sorted; a service that is configured twice stands there twice. */
struct ipvs_owned_table {
	struct ipvs_owned_service *services;
	struct ipvs_dest_key *dests;
	uint32_t n_services, n_dests;
};

void ipvs_owned_table_clear(struct ipvs_owned_table *table);
/* Fills an empty table. Returns 0 or -ENOMEM (it is empty then). */
int ipvs_owned_table_from_conf(struct ipvs_owned_table *table, const struct conf *conf);
/* Likewise, of sorted records: those of services, each followed by those of its servers. */
int ipvs_owned_table_from_records(struct ipvs_owned_table *table, const struct ipvs_owned_record *records, size_t n);
/* Do both have the same services and servers? */
bool ipvs_owned_table_equal(const struct ipvs_owned_table *a, const struct ipvs_owned_table *b);

/* The service and how many of the same key there are from there on; NULL for none. */
const struct ipvs_owned_service *ipvs_owned_table_find(
	const struct ipvs_owned_table *table, const struct ipvs_key *key, uint32_t *n);
/* Does one of n services from there on have the server? */
bool ipvs_owned_table_has(const struct ipvs_owned_table *table, const struct ipvs_owned_service *services, uint32_t n,
	const struct ipvs_dest_key *dest);

#endif
