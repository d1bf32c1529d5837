/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration may program, in as little memory as it needs: there are tens of thousands of servers, and this
 * is kept as long as the configuration is. Used by the ipvs role. */
#include "ipvs_owned_table.h"
#include "ipvs_desired.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ipvs_owned_table_clear(struct ipvs_owned_table *table)
{
	free(table->services);
	free(table->dests);
	*table = (struct ipvs_owned_table){0};
}

static int allocate(struct ipvs_owned_table *table, size_t n_services, size_t n_dests)
{
	/* Never an allocation of 0. */
	table->services = calloc(n_services + 1, sizeof(*table->services));
	table->dests = calloc(n_dests + 1, sizeof(*table->dests));
	if (table->services && table->dests)
		return 0;
	ipvs_owned_table_clear(table);
	return -ENOMEM;
}

static int compare_services(const void *a, const void *b)
{
	const struct ipvs_owned_service *x = a, *y = b;

	return ipvs_key_compare(&x->key, &y->key);
}

static int compare_dests(const void *a, const void *b)
{
	return ipvs_dest_key_compare(a, b);
}

/* Most configurations are in order. */
static void sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	const char *at = array;
	bool sorted = true;

	for (size_t i = 1; i < n && sorted; i++)
		sorted = compare(at + (i - 1) * size, at + i * size) <= 0;
	if (!sorted)
		qsort(array, n, size, compare);
}

/* ---- of a configuration ---- */

struct filling {
	struct ipvs_owned_table *table;
	uint32_t first, n; /* the run of servers of the service that is under way */
	size_t n_services; /* counted before */
};

static int count_key(void *arg, const struct ipvs_key *key)
{
	struct filling *f = arg;

	(void)key;
	f->n_services++;
	return 0;
}

static int fill_key(void *arg, const struct ipvs_key *key)
{
	struct filling *f = arg;

	f->table->services[f->table->n_services++] =
		(struct ipvs_owned_service){.key = *key, .first = f->first, .n = f->n};
	return 0;
}

/* All keys that a configured service stands for have the same servers, which stand there once. */
static void fill_service(struct filling *f, const struct conf *conf, conf_index_t service)
{
	struct ipvs_owned_table *table = f->table;

	f->first = table->n_dests;
	f->n = ipvs_desired_n_servers(conf, service);
	for (uint32_t i = 0; i < f->n; i++)
		table->dests[table->n_dests++] = ipvs_desired_dest_key(conf, ipvs_desired_server(conf, service, i));
	sort(&table->dests[f->first], f->n, sizeof(*table->dests), compare_dests);
	ipvs_desired_each_key(conf, service, fill_key, f);
}

int ipvs_owned_table_from_conf(struct ipvs_owned_table *table, const struct conf *conf)
{
	struct filling f = {.table = table};
	size_t n_dests = 0;

	for (uint32_t i = 0; i < conf->n_services; i++) {
		ipvs_desired_each_key(conf, i, count_key, &f);
		n_dests += ipvs_desired_n_servers(conf, i);
	}
	if (allocate(table, f.n_services, n_dests) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < conf->n_services; i++)
		fill_service(&f, conf, i);
	sort(table->services, table->n_services, sizeof(*table->services), compare_services);
	return 0;
}

/* ---- of a ledger ---- */

static bool is_service(const struct ipvs_owned_record *record)
{
	return record->dest.addr.family == AF_UNSPEC;
}

int ipvs_owned_table_from_records(struct ipvs_owned_table *table, const struct ipvs_owned_record *records, size_t n)
{
	size_t n_services = 0;

	for (size_t i = 0; i < n; i++)
		n_services += is_service(&records[i]);
	if (allocate(table, n_services, n - n_services) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		if (is_service(&records[i])) {
			table->services[table->n_services++] =
				(struct ipvs_owned_service){.key = records[i].service, .first = table->n_dests};
		} else if (table->n_services > 0) {
			table->services[table->n_services - 1].n++;
			table->dests[table->n_dests++] = records[i].dest;
		}
	}
	return 0;
}

/* ---- looking into it ---- */

bool ipvs_owned_table_equal(const struct ipvs_owned_table *a, const struct ipvs_owned_table *b)
{
	if (a->n_services != b->n_services)
		return false;
	if (a->services == b->services)
		return true;
	for (uint32_t i = 0; i < a->n_services; i++) {
		const struct ipvs_owned_service *x = &a->services[i], *y = &b->services[i];

		if (ipvs_key_compare(&x->key, &y->key) != 0 || x->n != y->n)
			return false;
		if (x->n && memcmp(&a->dests[x->first], &b->dests[y->first], x->n * sizeof(*a->dests)) != 0)
			return false;
	}
	return true;
}

const struct ipvs_owned_service *ipvs_owned_table_find(
	const struct ipvs_owned_table *table, const struct ipvs_key *key, uint32_t *n)
{
	const struct ipvs_owned_service wanted = {.key = *key};
	const struct ipvs_owned_service *end = table->services + table->n_services, *first, *last;

	*n = 0;
	if (table->n_services == 0)
		return NULL;
	first = bsearch(&wanted, table->services, table->n_services, sizeof(wanted), compare_services);
	if (!first)
		return NULL;
	last = first + 1;
	while (first > table->services && compare_services(first - 1, &wanted) == 0)
		first--;
	while (last < end && compare_services(last, &wanted) == 0)
		last++;
	*n = (uint32_t)(last - first);
	return first;
}

bool ipvs_owned_table_has(const struct ipvs_owned_table *table, const struct ipvs_owned_service *services, uint32_t n,
	const struct ipvs_dest_key *dest)
{
	for (uint32_t i = 0; i < n; i++)
		if (services[i].n &&
			bsearch(dest, &table->dests[services[i].first], services[i].n, sizeof(*dest), compare_dests))
			return true;
	return false;
}
