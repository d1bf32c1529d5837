/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of the kernel's table are ours: what a configuration may program, in a compact table, and a short list
 * of what is ours beside that. Kept in the ledger. */
#ifndef POISE_IPVS_OWNED_H
#define POISE_IPVS_OWNED_H

#include "conf.h"
#include "ipvs_desired.h"
#include "ipvs_image.h"
#include "ipvs_owned_table.h"

struct ipvs_owned {
	struct ipvs_owned_table table;
	bool is_borrowed;                  /* the table is another list's */
	struct ipvs_owned_record *records; /* sorted; what does not stand in the table, or has a time limit */
	size_t n, room;
};

void ipvs_owned_clear(struct ipvs_owned *owned);
bool ipvs_owned_is_empty(const struct ipvs_owned *owned);
/* A list with the same table and nothing beside it. `from` must outlive it, or be given over: */
struct ipvs_owned ipvs_owned_borrow(const struct ipvs_owned *from);
/* Makes a table that was borrowed from a list the borrower's own, and the list empty. Nothing happens when it was not.
 */
void ipvs_owned_give_over(struct ipvs_owned *from, struct ipvs_owned *borrower);
/* Everything that a configuration may ever program, into an empty list. Returns 0 or -ENOMEM. */
int ipvs_owned_from_conf(struct ipvs_owned *owned, const struct conf *conf);
/* Adds the services and servers of another list. Returns 0 or -ENOMEM. */
int ipvs_owned_add_entries(struct ipvs_owned *owned, const struct ipvs_owned *from);
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

/* dest = NULL: the service itself. */
bool ipvs_owned_has(const struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest);
/* Of a leftover, else 0. */
int64_t ipvs_owned_until_us(
	const struct ipvs_owned *owned, const struct ipvs_key *service, const struct ipvs_dest_key *dest);

/* Sets `ours` of a service and its servers by the list. */
void ipvs_owned_mark(const struct ipvs_owned *owned, struct ipvs_service *service);

/* The ledger (fd < 0: there is none; load gives an empty list, store does nothing). Returns 0 or -errno. */
int ipvs_owned_load(struct ipvs_owned *owned, int fd);
int ipvs_owned_store(const struct ipvs_owned *owned, int fd);

#endif
