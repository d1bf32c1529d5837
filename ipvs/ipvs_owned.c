/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of our entries in the kernel's table, and its way to and from the ledger; used by the ipvs role. IPVS has no
 * mark of an owner, so after a crash this list alone tells our entries from those of others. */
#include "ipvs_owned.h"
#include "ledger.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ipvs_owned_clear(struct ipvs_owned *owned)
{
	if (!owned->is_borrowed)
		free(owned->records);
	*owned = (struct ipvs_owned){0};
}

struct ipvs_owned ipvs_owned_borrow(const struct ipvs_owned *from)
{
	return (struct ipvs_owned){.records = from->records, .n = from->n, .is_borrowed = true};
}

void ipvs_owned_give_over(struct ipvs_owned *from, struct ipvs_owned *borrower)
{
	if (!borrower->is_borrowed || borrower->records != from->records)
		return;
	*borrower = *from;
	*from = (struct ipvs_owned){0};
}

/* Room for more records, in memory of its own. */
static int grow(struct ipvs_owned *owned)
{
	size_t room = owned->n + owned->n / 2 + 64;
	struct ipvs_owned_record *records =
		reallocarray(owned->is_borrowed ? NULL : owned->records, room, sizeof(*records));

	if (!records)
		return -ENOMEM;
	if (owned->is_borrowed && owned->n > 0)
		memcpy(records, owned->records, owned->n * sizeof(*records));
	owned->records = records;
	owned->room = room;
	owned->is_borrowed = false;
	return 0;
}

static int add(
	struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest, int64_t until_us)
{
	struct ipvs_owned_record record = {.service = *service, .until_us = until_us};

	if (owned->n >= owned->room && grow(owned) < 0)
		return -ENOMEM;
	if (dest)
		record.dest = *dest;
	owned->records[owned->n++] = record;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct ipvs_owned_record *x = a, *y = b;
	int order = ipvs_key_compare(&x->service, &y->service);

	return order ? order : ipvs_dest_key_compare(&x->dest, &y->dest);
}

/* Of equal entries the one with a time limit comes first, and stays. */
static int order_records(const void *a, const void *b)
{
	const struct ipvs_owned_record *x = a, *y = b;
	int order = compare_keys(a, b);

	return order ? order : (x->until_us < y->until_us) - (x->until_us > y->until_us);
}

static void sort(struct ipvs_owned *owned)
{
	bool sorted = true;
	size_t n = 0;

	for (size_t i = 1; i < owned->n && sorted; i++)
		sorted = compare_keys(&owned->records[i - 1], &owned->records[i]) < 0;
	if (sorted)
		return;
	if (owned->n)
		qsort(owned->records, owned->n, sizeof(*owned->records), order_records);
	for (size_t i = 0; i < owned->n; i++)
		if (n == 0 || compare_keys(&owned->records[n - 1], &owned->records[i]) != 0)
			owned->records[n++] = owned->records[i];
	owned->n = n;
}

/* Looks among the first n records, which are sorted. */
static const struct ipvs_owned_record *find_among(
	const struct ipvs_owned *owned, size_t n, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	struct ipvs_owned_record wanted = {.service = *service};

	if (dest)
		wanted.dest = *dest;
	return n ? bsearch(&wanted, owned->records, n, sizeof(wanted), compare_keys) : NULL;
}

struct adding {
	struct ipvs_owned *owned;
	const struct conf *conf;
	conf_index_t service;
};

static int add_key(void *arg, const struct ipvs_key *key)
{
	struct adding *a = arg;
	int rc = add(a->owned, key, NULL, 0);

	for (uint32_t i = 0; i < ipvs_desired_n_servers(a->conf, a->service) && rc == 0; i++) {
		struct ipvs_dest_key dest = ipvs_desired_dest_key(a->conf, ipvs_desired_server(a->conf, a->service, i));

		rc = add(a->owned, key, &dest, 0);
	}
	return rc;
}

int ipvs_owned_from_conf(struct ipvs_owned *owned, const struct conf *conf)
{
	struct adding a = {.owned = owned, .conf = conf};
	int rc = 0;

	owned->n = 0;
	for (uint32_t i = 0; i < conf->n_services && rc == 0; i++) {
		a.service = i;
		rc = ipvs_desired_each_key(conf, i, add_key, &a);
	}
	sort(owned);
	return rc;
}

int ipvs_owned_add_image(struct ipvs_owned *owned, const struct ipvs_image *image)
{
	const size_t before = owned->n; /* sorted; nearly all that is ours is among them */
	int rc = 0;

	for (uint32_t i = 0; i < image->n_services && rc == 0; i++) {
		const struct ipvs_service *service = &image->services[i];

		if (service->ours && !find_among(owned, before, &service->key, NULL))
			rc = add(owned, &service->key, NULL, 0);
		for (uint32_t j = 0; j < service->n_dests && rc == 0; j++)
			if (service->dests[j].ours && !find_among(owned, before, &service->key, &service->dests[j].key))
				rc = add(owned, &service->key, &service->dests[j].key, 0);
	}
	sort(owned);
	return rc;
}

int ipvs_owned_add_leftovers(struct ipvs_owned *owned, const struct ipvs_leftover *leftovers, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		rc = add(owned, &leftovers[i].service, &leftovers[i].dest.key, leftovers[i].until.us);
	sort(owned);
	return rc;
}

int ipvs_owned_add_setting(struct ipvs_owned *owned, uint32_t number, int64_t before)
{
	const struct ipvs_key key = {.fwmark = number + 1};
	int rc = add(owned, &key, NULL, before);

	sort(owned);
	return rc;
}

bool ipvs_owned_find_setting(const struct ipvs_owned *owned, uint32_t number, int64_t *before)
{
	const struct ipvs_key key = {.fwmark = number + 1};
	const struct ipvs_owned_record *record = ipvs_owned_find(owned, &key, NULL);

	if (record)
		*before = record->until_us;
	return record;
}

/* No setting has this number. */
static const struct ipvs_key firewall_key = {.fwmark = UINT32_MAX};

int ipvs_owned_add_firewall(struct ipvs_owned *owned)
{
	int rc = add(owned, &firewall_key, NULL, 0);

	sort(owned);
	return rc;
}

bool ipvs_owned_find_firewall(const struct ipvs_owned *owned)
{
	return ipvs_owned_find(owned, &firewall_key, NULL) != NULL;
}

bool ipvs_owned_equal(const struct ipvs_owned *a, const struct ipvs_owned *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->records, b->records, a->n * sizeof(*a->records)) == 0);
}

const struct ipvs_owned_record *ipvs_owned_find(
	const struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	return find_among(owned, owned->n, service, dest);
}

void ipvs_owned_mark(const struct ipvs_owned *owned, struct ipvs_service *service)
{
	service->ours = ipvs_owned_find(owned, &service->key, NULL);
	for (uint32_t i = 0; i < service->n_dests; i++)
		service->dests[i].ours = ipvs_owned_find(owned, &service->key, &service->dests[i].key);
}

int ipvs_owned_load(struct ipvs_owned *owned, int fd)
{
	void *records = NULL;
	size_t n = 0;
	int rc;

	ipvs_owned_clear(owned);
	if (fd < 0)
		return 0;
	rc = ledger_load(fd, LEDGER_SERVICES, sizeof(*owned->records), &records, &n);
	if (rc < 0)
		return rc;
	owned->records = records;
	owned->n = owned->room = n;
	sort(owned);
	return 0;
}

int ipvs_owned_store(const struct ipvs_owned *owned, int fd)
{
	if (fd < 0)
		return 0;
	return ledger_store(fd, LEDGER_SERVICES, sizeof(*owned->records), owned->records, owned->n);
}
