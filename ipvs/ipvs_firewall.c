/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes our nftables table what is wanted: guard rails and marks of folded groups. A reload changes elements; a service
 * whose limits change is made anew; the whole table only when what stands there is not what a successor wants, or when
 * somebody else has changed it. Nothing of anybody else's is touched. It runs in a thread of the ipvs process, which
 * may wait for the kernel here, and logs nothing. */
#include "ipvs_firewall.h"
#include "ipvs_nft.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static struct nft_draft *draft_for(const struct ipvs_firewall *firewall, const struct guard_table *wanted)
{
	return nft_draft_new(2 * (guard_table_elements(wanted) + guard_table_elements(&firewall->standing)),
		wanted->n + firewall->standing.n);
}

/* Only what differs. Returns 0 or -errno. */
static int commit_changes(struct ipvs_firewall *firewall, const struct guard_table *wanted)
{
	struct changing c = {.draft = draft_for(firewall, wanted)};

	if (!c.draft)
		return -ENOMEM;
	if (wanted->has_rails && !firewall->standing.has_rails)
		nft_put_rails(c.draft);
	if (wanted->has_folds && !firewall->standing.has_folds)
		nft_put_folds(c.draft, wanted->fold_priority);
	guard_table_compare(&firewall->standing, wanted, put_change, &c);
	if (c.n == 0) {
		nft_draft_free(c.draft);
		return 0;
	}
	return nft_commit(firewall->nft, c.draft);
}

/* The table as a whole, in one transaction: there is no moment without rails. */
static int commit_all(struct ipvs_firewall *firewall, const struct guard_table *wanted)
{
	struct nft_draft *draft = draft_for(firewall, wanted);

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
	return nft_commit(firewall->nft, draft);
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
static int stands(struct ipvs_firewall *firewall, const struct guard_table *wanted)
{
	struct nft_found found;
	int rc = nft_look(firewall->nft, &found);
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
static int begin(struct ipvs_firewall *firewall, const struct guard_table *wanted)
{
	int rc = wanted->n ? stands(firewall, wanted) : 0;

	if (rc == 1)
		return 0;
	return commit_all(firewall, wanted);
}

static int change(struct ipvs_firewall *firewall, const struct guard_table *wanted)
{
	bool frames_differ = wanted->fold_priority != firewall->standing.fold_priority || wanted->n == 0;
	int rc = frames_differ ? -EAGAIN : commit_changes(firewall, wanted);

	/* Refused: something is not as we know it. */
	return rc < 0 ? commit_all(firewall, wanted) : 0;
}

/* ---- the jobs ---- */

static int open_once(struct ipvs_firewall *firewall)
{
	if (firewall->nft)
		return 0;
	firewall->nft = nft_open();
	return firewall->nft ? 0 : -errno;
}

static int remove_table(struct nft *nft)
{
	struct nft_draft *draft = nft_draft_new(0, 0);

	if (!draft)
		return -ENOMEM;
	nft_put_table_removal(draft); /* makes it, too: it need not be there */
	return nft_commit(nft, draft);
}

/* Needs what our table needs, and leaves nothing behind. */
static int try_table(struct nft *nft)
{
	struct nft_draft *draft = nft_draft_new(0, 0);

	if (!draft)
		return -ENOMEM;
	nft_put_trial(draft);
	return nft_commit(nft, draft);
}

static void forget(struct ipvs_firewall *firewall)
{
	guard_table_clear(&firewall->standing);
	firewall->known = false;
}

/* Every ruleset has one number for all its changes. What cannot be seen is looked at again the next time. */
static bool is_untouched(struct ipvs_firewall *firewall)
{
	int64_t generation = nft_generation(firewall->nft);
	int rc;

	if (generation < 0 || generation == firewall->generation)
		return true;
	rc = stands(firewall, &firewall->standing);
	if (rc == 1)
		firewall->generation = generation;
	return rc != 0;
}

static int bring(struct ipvs_firewall *firewall)
{
	int rc;

	firewall->is_repaired = firewall->known && !is_untouched(firewall);
	if (firewall->known && !firewall->is_repaired)
		rc = change(firewall, &firewall->wanted);
	else
		rc = begin(firewall, &firewall->wanted);
	forget(firewall);
	if (rc < 0)
		return rc;
	firewall->standing = firewall->wanted;
	firewall->wanted = (struct guard_table){0};
	firewall->known = true;
	firewall->generation = nft_generation(firewall->nft);
	return 0;
}

static int look(struct ipvs_firewall *firewall)
{
	int rc;

	if (is_untouched(firewall))
		return 0;
	rc = commit_all(firewall, &firewall->standing);
	firewall->is_repaired = rc == 0;
	firewall->generation = nft_generation(firewall->nft);
	if (rc < 0) {
		guard_table_clear(&firewall->wanted);
		firewall->wanted = firewall->standing;
		firewall->standing = (struct guard_table){0};
		firewall->known = false;
	}
	return rc;
}

/* ---- counters ---- */

static void take_count(void *arg, const char *chain, const char *keyword, uint64_t packets)
{
	struct ipvs_firewall *firewall = arg;
	const struct guard *g = guard_table_find(&firewall->standing, chain);
	struct ipvs_firewall_counts *counts = g ? &firewall->counts[g - firewall->standing.guards] : NULL;

	if (!counts)
		return;
	if (strcmp(keyword, "deny_clients") == 0)
		counts->denied += packets;
	else if (strcmp(keyword, "allow_clients") == 0)
		counts->not_allowed += packets;
	else if (strcmp(keyword, "client_rate_limit") == 0)
		counts->client_rate += packets;
	else if (strcmp(keyword, "service_rate_limit") == 0)
		counts->service_rate += packets;
	else if (strcmp(keyword, "client_connection_limit") == 0)
		counts->client_connections += packets;
}

static void count(struct ipvs_firewall *firewall)
{
	free(firewall->counts);
	firewall->counts = NULL;
	if (!firewall->known || firewall->standing.n == 0)
		return;
	firewall->counts = calloc(firewall->standing.n, sizeof(*firewall->counts));
	if (firewall->counts && nft_count(firewall->nft, take_count, firewall) < 0) {
		free(firewall->counts);
		firewall->counts = NULL;
	}
}

/* In the thread. */
static void run(void *arg)
{
	struct ipvs_firewall *firewall = arg;
	int rc = open_once(firewall);

	firewall->is_repaired = false;
	switch (firewall->job) {
	case IPVS_FIREWALL_TRY:
		rc = rc < 0 ? rc : try_table(firewall->nft);
		break;
	case IPVS_FIREWALL_BRING:
		rc = rc < 0 ? rc : bring(firewall);
		break;
	case IPVS_FIREWALL_LOOK:
		rc = rc < 0 ? rc : look(firewall);
		break;
	case IPVS_FIREWALL_REMOVE:
		rc = rc < 0 ? rc : remove_table(firewall->nft);
		forget(firewall);
		break;
	}
	count(firewall);
	firewall->result = rc;
}

/* ---- the process's side ---- */

void ipvs_firewall_init(struct ipvs_firewall *firewall)
{
	*firewall = (struct ipvs_firewall){0};
	worker_init(&firewall->worker, run, firewall);
}

int ipvs_firewall_start(struct ipvs_firewall *firewall)
{
	return worker_start(&firewall->worker, 0);
}

static void note_difference(void *arg, const struct guard *old, const struct guard *new)
{
	(void)old;
	(void)new;
	*(bool *)arg = true;
}

bool ipvs_firewall_want(struct ipvs_firewall *firewall, struct guard_table *wanted)
{
	bool differs = !firewall->known || wanted->fold_priority != firewall->standing.fold_priority;

	guard_table_clear(&firewall->wanted);
	firewall->wanted = *wanted;
	*wanted = (struct guard_table){0};
	guard_table_compare(&firewall->standing, &firewall->wanted, note_difference, &differs);
	return differs;
}

void ipvs_firewall_send(struct ipvs_firewall *firewall, enum ipvs_firewall_job job)
{
	firewall->job = job;
	worker_send(&firewall->worker);
}

const struct guard_table *ipvs_firewall_table(const struct ipvs_firewall *firewall)
{
	return firewall->known ? &firewall->standing : &firewall->wanted;
}

void ipvs_firewall_release(void)
{
	struct nft *nft = nft_open();
	struct nft_found found = {0};

	if (nft && nft_look(nft, &found) == 0)
		remove_table(nft);
	free(found.digests);
	nft_close(nft);
}
