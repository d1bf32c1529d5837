/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of our entries in the kernel's table; used by the ipvs role. IPVS has no mark of an owner, so after a crash
 * this list alone tells our entries from those of others. */
#include "ipvs_owned.h"
#include "ledger.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ipvs_owned_clear(struct ipvs_owned *owned)
{
	if (!owned->is_borrowed)
		ipvs_owned_table_clear(&owned->table);
	free(owned->records);
	*owned = (struct ipvs_owned){0};
}

bool ipvs_owned_is_empty(const struct ipvs_owned *owned)
{
	return owned->table.n_services == 0 && owned->n == 0;
}

struct ipvs_owned ipvs_owned_borrow(const struct ipvs_owned *from)
{
	return (struct ipvs_owned){.table = from->table, .is_borrowed = true};
}

void ipvs_owned_give_over(struct ipvs_owned *from, struct ipvs_owned *borrower)
{
	if (!borrower->is_borrowed || from->is_borrowed || borrower->table.services != from->table.services)
		return;
	borrower->is_borrowed = false;
	from->table = (struct ipvs_owned_table){0};
	ipvs_owned_clear(from);
}

/* ---- beside the table ---- */

static int add(
	struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest, int64_t until_us)
{
	struct ipvs_owned_record record = {.service = *service, .until_us = until_us};
	size_t room = owned->n + owned->n / 2 + 16;

	if (owned->n >= owned->room) {
		struct ipvs_owned_record *records = reallocarray(owned->records, room, sizeof(*records));

		if (!records)
			return -ENOMEM;
		owned->records = records;
		owned->room = room;
	}
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
	qsort(owned->records, owned->n, sizeof(*owned->records), order_records);
	for (size_t i = 0; i < owned->n; i++)
		if (n == 0 || compare_keys(&owned->records[n - 1], &owned->records[i]) != 0)
			owned->records[n++] = owned->records[i];
	owned->n = n;
}

/* Looks among the first n records, which are sorted. */
static const struct ipvs_owned_record *find_record(
	const struct ipvs_owned *owned, size_t n, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	struct ipvs_owned_record wanted = {.service = *service};

	if (dest)
		wanted.dest = *dest;
	return n ? bsearch(&wanted, owned->records, n, sizeof(wanted), compare_keys) : NULL;
}

int ipvs_owned_from_conf(struct ipvs_owned *owned, const struct conf *conf)
{
	return ipvs_owned_table_from_conf(&owned->table, conf);
}

/* One service of the image; what is known of it by now: a run of the table and the first n_records records. */
static int add_service(struct ipvs_owned *owned, size_t n_records, const struct ipvs_service *service)
{
	uint32_t n;
	const struct ipvs_owned_service *known = ipvs_owned_table_find(&owned->table, &service->key, &n);
	int rc = 0;

	if (service->ours && !known && !find_record(owned, n_records, &service->key, NULL))
		rc = add(owned, &service->key, NULL, 0);
	for (uint32_t i = 0; i < service->n_dests && rc == 0; i++) {
		const struct ipvs_dest *dest = &service->dests[i];

		if (dest->ours && !ipvs_owned_table_has(&owned->table, known, n, &dest->key) &&
			!find_record(owned, n_records, &service->key, &dest->key))
			rc = add(owned, &service->key, &dest->key, 0);
	}
	return rc;
}

int ipvs_owned_add_image(struct ipvs_owned *owned, const struct ipvs_image *image)
{
	const size_t n_records = owned->n; /* sorted */
	int rc = 0;

	for (uint32_t i = 0; i < image->n_services && rc == 0; i++)
		rc = add_service(owned, n_records, &image->services[i]);
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
	const struct ipvs_owned_record *record = find_record(owned, owned->n, &key, NULL);

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
	return find_record(owned, owned->n, &firewall_key, NULL);
}

/* ---- the whole list ---- */

bool ipvs_owned_equal(const struct ipvs_owned *a, const struct ipvs_owned *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->records, b->records, a->n * sizeof(*a->records)) == 0) &&
	       ipvs_owned_table_equal(&a->table, &b->table);
}

/* Looks into the table and among the first n_records records, which are sorted. */
static bool has_among(const struct ipvs_owned *owned, size_t n_records, const struct ipvs_key *service,
	const struct ipvs_dest_key *dest)
{
	uint32_t n;
	const struct ipvs_owned_service *known = ipvs_owned_table_find(&owned->table, service, &n);

	if (known && (!dest || ipvs_owned_table_has(&owned->table, known, n, dest)))
		return true;
	return find_record(owned, n_records, service, dest);
}

bool ipvs_owned_has(const struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	return has_among(owned, owned->n, service, dest);
}

int64_t ipvs_owned_until_us(
	const struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest)
{
	const struct ipvs_owned_record *record = find_record(owned, owned->n, service, dest);

	return record ? record->until_us : 0;
}

void ipvs_owned_mark(const struct ipvs_owned *owned, struct ipvs_service *service)
{
	uint32_t n;
	const struct ipvs_owned_service *known = ipvs_owned_table_find(&owned->table, &service->key, &n);

	service->ours = known || find_record(owned, owned->n, &service->key, NULL);
	for (uint32_t i = 0; i < service->n_dests; i++) {
		struct ipvs_dest *dest = &service->dests[i];

		dest->ours = ipvs_owned_table_has(&owned->table, known, n, &dest->key) ||
			     find_record(owned, owned->n, &service->key, &dest->key);
	}
}

/* ---- the ledger ---- */

/* The list as records of the ledger, one after the other: those beside the table, then those of the table. */
struct cursor {
	const struct ipvs_owned *owned;
	size_t record;
	uint32_t service, dest; /* dest: 0 is the service itself */
};

static void next_record(void *arg, void *out)
{
	struct cursor *c = arg;
	const struct ipvs_owned_table *table = &c->owned->table;
	struct ipvs_owned_record record = {0};

	if (c->record < c->owned->n) {
		record = c->owned->records[c->record++];
	} else {
		const struct ipvs_owned_service *service = &table->services[c->service];

		record.service = service->key;
		if (c->dest > 0)
			record.dest = table->dests[service->first + c->dest - 1];
		if (c->dest++ == service->n) {
			c->service++;
			c->dest = 0;
		}
	}
	memcpy(out, &record, sizeof(record));
}

static size_t count_records(const struct ipvs_owned *owned)
{
	size_t n = owned->n + owned->table.n_services;

	for (uint32_t i = 0; i < owned->table.n_services; i++)
		n += owned->table.services[i].n;
	return n;
}

int ipvs_owned_add_entries(struct ipvs_owned *owned, const struct ipvs_owned *from)
{
	const size_t n_records = owned->n; /* sorted */
	struct cursor c = {.owned = from};
	size_t n = count_records(from);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++) {
		struct ipvs_owned_record r;
		const struct ipvs_dest_key *dest;

		next_record(&c, &r);
		dest = r.dest.addr.family == AF_UNSPEC ? NULL : &r.dest;
		/* Records without a family are of settings and of the firewall. */
		if (r.service.family != AF_UNSPEC && (r.until_us || !has_among(owned, n_records, &r.service, dest)))
			rc = add(owned, &r.service, dest, r.until_us);
	}
	sort(owned);
	return rc;
}

/* Into the table goes what a configuration has programmed: services and, behind them, their servers. Beside it stay
 * settings, leftovers, and servers of ours in a service of somebody else. Returns 0 or -ENOMEM. */
static int divide(struct ipvs_owned *all, struct ipvs_owned *owned)
{
	const struct ipvs_owned_record *service = NULL;
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct ipvs_owned_record r = all->records[i];
		bool is_service = r.dest.addr.family == AF_UNSPEC;

		if (r.service.family != AF_UNSPEC && r.until_us == 0 &&
			(is_service || (service && ipvs_key_compare(&service->service, &r.service) == 0))) {
			all->records[n] = r;
			service = is_service ? &all->records[n] : service;
			n++;
		} else if (add(owned, &r.service, &r.dest, r.until_us) < 0) {
			return -ENOMEM;
		}
	}
	return ipvs_owned_table_from_records(&owned->table, all->records, n);
}

int ipvs_owned_load(struct ipvs_owned *owned, int fd)
{
	struct ipvs_owned all = {0};
	void *records = NULL;
	int rc;

	ipvs_owned_clear(owned);
	if (fd < 0)
		return 0;
	rc = ledger_load(fd, LEDGER_SERVICES, sizeof(*all.records), &records, &all.n);
	if (rc < 0)
		return rc;
	all.records = records;
	all.room = all.n;
	sort(&all);
	rc = divide(&all, owned);
	ipvs_owned_clear(&all);
	if (rc < 0)
		ipvs_owned_clear(owned);
	return rc;
}

int ipvs_owned_store(const struct ipvs_owned *owned, int fd)
{
	struct cursor c = {.owned = owned};

	if (fd < 0)
		return 0;
	return ledger_store_each(
		fd, LEDGER_SERVICES, sizeof(struct ipvs_owned_record), count_records(owned), next_record, &c);
}
