/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of the kernel's table are ours: a sorted list that is kept in the ledger. */
#ifndef POISE_IPVS_OWNED_H
#define POISE_IPVS_OWNED_H

#include "conf.h"
#include "ipvs_desired.h"
#include "ipvs_image.h"

/* One entry; dest.addr is absent (AF_UNSPEC) for the service itself. The layout is that of the ledger's records. */
struct ipvs_owned_record {
	struct ipvs_key service;
	struct ipvs_dest_key dest;
	int64_t until_us; /* of a leftover: its moment on the monotonic clock, else 0 */
};

struct ipvs_owned {
	struct ipvs_owned_record *records;
	size_t n, room;
	bool is_borrowed; /* the records are another list's, until one is added */
};

void ipvs_owned_clear(struct ipvs_owned *owned);
/* The same list without a copy, as long as nothing is added to it. `from` must outlive it, or be given over: */
struct ipvs_owned ipvs_owned_borrow(const struct ipvs_owned *from);
/* Makes what was borrowed from a list the borrower's own, and the list empty. Nothing happens when it was not. */
void ipvs_owned_give_over(struct ipvs_owned *from, struct ipvs_owned *borrower);
/* Everything that a configuration may ever program. Returns 0 or -ENOMEM. */
int ipvs_owned_from_conf(struct ipvs_owned *owned, const struct conf *conf);
/* Adds what is marked as ours in an image of the kernel, and the leftovers. Returns 0 or -ENOMEM. */
int ipvs_owned_add_image(struct ipvs_owned *owned, const struct ipvs_image *image);
int ipvs_owned_add_leftovers(struct ipvs_owned *owned, const struct ipvs_leftover *leftovers, size_t n);
/* A kernel setting of ours (number of sysctls.h) with the value that comes back; kept as a record without a family. */
int ipvs_owned_add_setting(struct ipvs_owned *owned, uint32_t number, int64_t before);
/* False when the setting is not ours. */
bool ipvs_owned_find_setting(const struct ipvs_owned *owned, uint32_t number, int64_t *before);
/* That there may be an nftables table of ours; likewise. */
int ipvs_owned_add_firewall(struct ipvs_owned *owned);
bool ipvs_owned_find_firewall(const struct ipvs_owned *owned);
bool ipvs_owned_equal(const struct ipvs_owned *a, const struct ipvs_owned *b);

/* NULL when it is not there. dest = NULL: the service itself. */
const struct ipvs_owned_record *ipvs_owned_find(
	const struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest);

/* Sets `ours` of a service and its servers by the list. */
void ipvs_owned_mark(const struct ipvs_owned *owned, struct ipvs_service *service);

/* The ledger (fd < 0: there is none; load gives an empty list, store does nothing). Returns 0 or -errno. */
int ipvs_owned_load(struct ipvs_owned *owned, int fd);
int ipvs_owned_store(const struct ipvs_owned *owned, int fd);

#endif
