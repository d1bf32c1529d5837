/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that draft nftables transactions share. */
#ifndef POISE_IPVS_NFT_DRAFT_H
#define POISE_IPVS_NFT_DRAFT_H

#include <netinet/in.h> /* before the kernel's own */

#include "ipvs_nft.h"
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>

#define NFT_SET_DIGESTS "digests" /* one for each guard: tells a successor whether what it finds is what it wants */

struct nft_draft {
	struct mnl_nlmsg_batch *batch;
	char *buffer;
	uint32_t messages, sets;
	struct nlmsghdr *last;
	int error;
};

struct nlmsghdr *nft_begin(struct nft_draft *d, uint16_t type, uint16_t flags);
void nft_end(struct nft_draft *d);
/* Return buf, or a constant. */
const char *nft_map_name(char buf[32], const char *of, bool with_port, bool v6);
const char *nft_mark_map_name(bool v6);
const char *nft_set_name(char buf[128], const struct guard *g, const char *of, bool v6);

/* ---- ipvs_nft_rule.c ---- */
void nft_put_dispatch_rule(struct nft_draft *d, bool with_port, bool v6);
void nft_put_mark_dispatch_rule(struct nft_draft *d, bool v6);
void nft_put_mark_rule(struct nft_draft *d, const char *chain, bool with_port, bool v6);
void nft_put_service_rules(struct nft_draft *d, const struct guard *g);
void nft_put_rules_removal(struct nft_draft *d, const char *chain);

#endif
