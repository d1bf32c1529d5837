/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our nftables table (inet poise_ipvs) as messages: a transaction is drafted object by object, sent and answered as a
 * whole. What is to be changed is decided elsewhere. */
#ifndef POISE_IPVS_NFT_H
#define POISE_IPVS_NFT_H

#include "ipvs_guard.h"
#include <stddef.h>
#include <stdint.h>

#define NFT_TABLE "poise_ipvs"
#define NFT_CHAIN_GUARD "guard"  /* sends packets of guarded services to the chain of their service */
#define NFT_CHAIN_MARK "marking" /* marks packets of folded groups */

/* A transaction under construction; room for so many set elements and services. NULL when out of memory. */
struct nft_draft;
struct nft_draft *nft_draft_new(size_t elements, size_t guards);
void nft_draft_free(struct nft_draft *draft);

void nft_put_table(struct nft_draft *draft);
void nft_put_table_removal(struct nft_draft *draft);
/* A table of another name that is made and removed in one: nobody ever sees it. */
void nft_put_trial(struct nft_draft *draft);
/* What all rails share, and what all folded groups share. */
void nft_put_rails(struct nft_draft *draft);
void nft_put_folds(struct nft_draft *draft, int32_t priority);
void nft_put_guard(struct nft_draft *draft, const struct guard *guard);
void nft_put_guard_removal(struct nft_draft *draft, const struct guard *guard);
/* Only elements of its lists: everything else of the service goes on as it is. */
void nft_put_lists(struct nft_draft *draft, const struct guard *old, const struct guard *new);

/* ---- the socket ---- */
struct nft;
/* NULL with errno. */
struct nft *nft_open(void);
void nft_close(struct nft *nft);
/* Everything or nothing. Returns 0 or -errno (of the first message refused, or of the way there). Frees the draft. */
int nft_commit(struct nft *nft, struct nft_draft *draft);
/* Number of the last change to anybody's ruleset; negative: -errno. */
int64_t nft_generation(struct nft *nft);

/* What stands there: the chains of our table, and the digests of the guards. Returns 0 or -errno (-ENOENT: no table).
 */
struct nft_found {
	bool has_rails, has_folds;
	uint32_t chains;   /* of services */
	uint64_t *digests; /* malloc'ed */
	uint32_t n, room;
};
int nft_look(struct nft *nft, struct nft_found *found);

/* Packets that the rules of rails dropped, one call for each rule: the chain's name and the keyword that is meant. */
typedef void nft_count_fn(void *arg, const char *chain, const char *keyword, uint64_t packets);
int nft_count(struct nft *nft, nft_count_fn *fn, void *arg);

#endif
