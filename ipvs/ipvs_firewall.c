/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps our nftables table as the configuration wants it: guard rails and marks of folded groups. A reload changes
 * elements; a service whose limits change is made anew; the whole table only when what stands there is not what a
 * successor wants, or when somebody else has changed it. Nothing of anybody else's is touched. Runs in the ipvs
 * process. */
#include "ipvs_guard.h"
#include "ipvs_nft.h"
#include "ipvs_process.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ipvs_firewall {
	struct nft *nft;
	struct guard_table standing; /* as the kernel has acknowledged it */
	bool known;                  /* standing is what the kernel holds */
	int64_t generation;          /* of the ruleset after our last change */
	int error;                   /* of the last attempt, told once */
};

static struct ipvs_firewall firewall;

/* ---- transactions ---- */

struct changing {
	struct nft_draft *draft;
	unsigned n;
};

/* Limits of a service that change begin anew; its lists go on. */
static void put_change(void *arg, const struct guard *old, const struct guard *new)
{
	struct changing *c = arg;

	c->n++;
	if (old && new && old->shape == new->shape && old->has_rails) {
		nft_put_lists(c->draft, old, new);
		return;
	}
	if (old)
		nft_put_guard_removal(c->draft, old);
	if (new)
		nft_put_guard(c->draft, new);
}

static struct nft_draft *draft_for(const struct guard_table *wanted)
{
	return nft_draft_new(2 * (guard_table_elements(wanted) + guard_table_elements(&firewall.standing)),
		wanted->n + firewall.standing.n);
}

/* Only what differs. Returns 0 or -errno. */
static int commit_changes(const struct guard_table *wanted)
{
	struct changing c = {.draft = draft_for(wanted)};

	if (!c.draft)
		return -ENOMEM;
	if (wanted->has_rails && !firewall.standing.has_rails)
		nft_put_rails(c.draft);
	if (wanted->has_folds && !firewall.standing.has_folds)
		nft_put_folds(c.draft, wanted->fold_priority);
	guard_table_compare(&firewall.standing, wanted, put_change, &c);
	if (c.n == 0) {
		nft_draft_free(c.draft);
		return 0;
	}
	return nft_commit(firewall.nft, c.draft);
}

/* The table as a whole, in one transaction: there is no moment without rails. */
static int commit_all(const struct guard_table *wanted)
{
	struct nft_draft *draft = draft_for(wanted);

	if (!draft)
		return -ENOMEM;
	nft_put_table_removal(draft);
	if (wanted->n)
		nft_put_table(draft);
	if (wanted->has_rails)
		nft_put_rails(draft);
	if (wanted->has_folds)
		nft_put_folds(draft, wanted->fold_priority);
	for (uint32_t i = 0; i < wanted->n; i++)
		nft_put_guard(draft, &wanted->guards[i]);
	return nft_commit(firewall.nft, draft);
}

/* ---- what stands there ---- */

static int compare_digests(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint32_t chains_of(const struct guard_table *table)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < table->n; i++)
		n += table->guards[i].has_rails;
	return n;
}

/* Does the kernel hold exactly this? Returns 1, 0 or -errno. */
static int stands(const struct guard_table *wanted)
{
	struct nft_found found;
	int rc = nft_look(firewall.nft, &found);
	bool same = rc == 0 && found.n == wanted->n && found.chains == chains_of(wanted) &&
		    found.has_rails >= wanted->has_rails && found.has_folds >= wanted->has_folds;

	if (same && found.n)
		qsort(found.digests, found.n, sizeof(*found.digests), compare_digests);
	for (uint32_t i = 0; i < wanted->n && same; i++)
		same = bsearch(&wanted->guards[i].digest, found.digests, found.n, sizeof(*found.digests),
			       compare_digests) != NULL;
	free(found.digests);
	return rc < 0 && rc != -ENOENT ? rc : same;
}

/* A successor takes over what it finds when it is what it wants. */
static int begin(const struct guard_table *wanted)
{
	int rc = wanted->n ? stands(wanted) : 0;

	if (rc == 1)
		return 0;
	return commit_all(wanted);
}

static int change(const struct guard_table *wanted)
{
	bool frames_differ = wanted->fold_priority != firewall.standing.fold_priority || wanted->n == 0;
	int rc = frames_differ ? -EAGAIN : commit_changes(wanted);

	/* Refused: something is not as we know it. */
	return rc < 0 ? commit_all(wanted) : 0;
}

/* ---- reporting ---- */

static const char *why(int error, char *buf)
{
	if (error == EPERM || error == EACCES)
		snprintf(buf, WHY_SIZE,
			"no permission for nftables: poised needs CAP_NET_ADMIN in this network namespace");
	else if (error == EOPNOTSUPP || error == EAFNOSUPPORT || error == EPROTONOSUPPORT || error == ENOENT)
		snprintf(buf, WHY_SIZE,
			"the running kernel's nf_tables lacks something that is needed (tables of family inet, sets "
			"with ranges, limits): install its modules");
	else
		snprintf(buf, WHY_SIZE, "nftables: %s", strerror(error));
	return buf;
}

static const struct guard *guard_of(const struct guard_table *table, conf_index_t service)
{
	for (uint32_t i = 0; i < table->n; i++)
		if (table->guards[i].service == service)
			return &table->guards[i];
	return NULL;
}

struct counts {
	const struct guard_table *table;
	struct status_guard *records; /* of services */
};

static void take_count(void *arg, const char *chain, const char *keyword, uint64_t packets)
{
	struct counts *c = arg;
	const struct guard *g = guard_table_find(c->table, chain);

	if (!g)
		return;
	if (strcmp(keyword, "deny_clients") == 0)
		c->records[g->service].denied += packets;
	else if (strcmp(keyword, "allow_clients") == 0)
		c->records[g->service].not_allowed += packets;
	else if (strcmp(keyword, "client_rate_limit") == 0)
		c->records[g->service].client_rate += packets;
	else if (strcmp(keyword, "service_rate_limit") == 0)
		c->records[g->service].service_rate += packets;
	else if (strcmp(keyword, "client_connection_limit") == 0)
		c->records[g->service].client_connections += packets;
}

static void report(struct ipvs *v, const struct guard_table *wanted)
{
	uint32_t n = v->now->conf->n_services;
	struct counts c = {.table = wanted, .records = calloc(n + 1, sizeof(*c.records))};

	if (!c.records)
		return;
	if (firewall.nft && firewall.error == 0 && wanted->n)
		nft_count(firewall.nft, take_count, &c);
	for (uint32_t i = 0; i < n; i++) {
		c.records[i].is_wanted = guard_of(wanted, i) != NULL;
		c.records[i].is_applied = c.records[i].is_wanted && firewall.error == 0;
		if (c.records[i].is_wanted && firewall.error)
			why(firewall.error, c.records[i].why);
		role_store_quiet(v->p, IPVS_TABLE_GUARD, i, &c.records[i], sizeof(c.records[i]));
	}
	free(c.records);
}

/* ---- the steps ---- */

static int open_once(void)
{
	if (firewall.nft)
		return 0;
	firewall.nft = nft_open();
	return firewall.nft ? 0 : -errno;
}

static void take(struct guard_table *wanted, int rc)
{
	char text[WHY_SIZE];

	if (rc < 0 && firewall.error != -rc)
		log_error("ipvs: guard rails or marks of services are not in the kernel: %s", why(-rc, text));
	else if (rc == 0 && firewall.error)
		log_info("ipvs: guard rails and marks of services are in the kernel now");
	firewall.error = -rc;
	firewall.known = rc == 0;
	guard_table_clear(&firewall.standing);
	if (rc == 0) {
		firewall.standing = *wanted;
		*wanted = (struct guard_table){0};
		firewall.generation = nft_generation(firewall.nft);
	}
}

void ipvs_firewall_step(struct ipvs *v)
{
	struct guard_table wanted;
	int rc;

	if (guard_table_build(&wanted, v->now->conf) < 0)
		return;
	if (wanted.n == 0 && firewall.known && firewall.standing.n == 0) {
		guard_table_clear(&wanted);
		return;
	}
	rc = open_once();
	if (rc == 0)
		rc = firewall.known ? change(&wanted) : begin(&wanted);
	/* Without a wish of ours a kernel without nftables is none of our business. */
	if (rc < 0 && wanted.n == 0)
		rc = 0;
	take(&wanted, rc);
	report(v, rc == 0 ? &firewall.standing : &wanted);
	guard_table_clear(&wanted);
}

/* Counters, and whether somebody else has changed our table: every ruleset has one number for all its changes. */
void ipvs_firewall_audit(struct ipvs *v)
{
	struct guard_table wanted;
	int64_t generation;

	if (firewall.error) {
		ipvs_firewall_step(v);
		return;
	}
	if (!firewall.known || firewall.standing.n == 0)
		return;
	generation = nft_generation(firewall.nft);
	if (generation != firewall.generation && stands(&firewall.standing) != 1) {
		log_warning("ipvs: someone else changed our nftables table %s: repaired", NFT_TABLE);
		if (guard_table_build(&wanted, v->now->conf) < 0)
			return;
		take(&wanted, commit_all(&wanted));
		guard_table_clear(&wanted);
	}
	firewall.generation = generation < 0 ? firewall.generation : nft_generation(firewall.nft);
	report(v, &firewall.standing);
}

const char *ipvs_firewall_check(const struct conf *conf, char *buf)
{
	struct guard_table wanted;
	struct nft_draft *draft;
	int rc;

	if (guard_table_build(&wanted, conf) < 0)
		return NULL;
	rc = wanted.n ? open_once() : 0;
	if (rc == 0 && wanted.n && firewall.standing.n == 0) {
		draft = nft_draft_new(0, 0);
		if (draft) {
			nft_put_table_removal(draft); /* makes it, too: nothing stays */
			rc = nft_commit(firewall.nft, draft);
		}
	}
	guard_table_clear(&wanted);
	return rc < 0 ? why(-rc, buf) : NULL;
}

static void remove_table(void)
{
	struct nft_draft *draft = nft_draft_new(0, 0);

	if (!draft)
		return;
	nft_put_table_removal(draft);
	nft_commit(firewall.nft, draft);
}

void ipvs_firewall_stop(void)
{
	if (!firewall.nft || firewall.standing.n == 0)
		return;
	remove_table();
	guard_table_clear(&firewall.standing);
}

void ipvs_firewall_release(void)
{
	struct nft_found found = {0};

	firewall.nft = nft_open();
	if (firewall.nft && nft_look(firewall.nft, &found) == 0)
		remove_table();
	free(found.digests);
	nft_close(firewall.nft);
	firewall.nft = NULL;
}
