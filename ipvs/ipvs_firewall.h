/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our nftables table (guard rails, marks of folded groups) and the thread that brings it in line. */
#ifndef POISE_IPVS_FIREWALL_H
#define POISE_IPVS_FIREWALL_H

#include "ipvs_guard.h"
#include "status.h"
#include "worker.h"

struct nft;

enum ipvs_firewall_job {
	IPVS_FIREWALL_TRY,    /* could nftables do it? changes nothing */
	IPVS_FIREWALL_BRING,  /* makes the table what is wanted */
	IPVS_FIREWALL_LOOK,   /* has somebody else changed it? then as it stood before */
	IPVS_FIREWALL_REMOVE, /* takes the table away */
};

/* Packets that the rails of one guard dropped. */
struct ipvs_firewall_counts {
	uint64_t denied, not_allowed, client_rate, service_rate, client_connections;
};

/* The kernel has one lock for everybody's rules, and a large ruleset of another program holds it for seconds. Neither
 * IPVS nor the beat of the process waits for that: the rules have a thread of their own, which all but `worker`
 * belongs to while it is out. */
struct ipvs_firewall {
	struct worker worker;
	enum ipvs_firewall_job job;
	struct guard_table wanted;           /* what BRING shall make; after a failure: what does not stand */
	struct guard_table standing;         /* as the kernel has acknowledged it */
	struct ipvs_firewall_counts *counts; /* of standing.guards; NULL: not read */
	bool known;                          /* standing is what the kernel holds */
	bool is_repaired;                    /* by the last LOOK */
	int result;                          /* of the last job: 0 or -errno */
	struct nft *nft;                     /* NULL until it is needed */
	int64_t generation;                  /* of the ruleset after our last change */
};

void ipvs_firewall_init(struct ipvs_firewall *firewall);
/* Starts the thread; to be called when the process has given up its privileges. Returns 0 or -errno. */
int ipvs_firewall_start(struct ipvs_firewall *firewall);

/* All of these only when the thread is not out. */
/* Takes over the table. True when it differs from what stands in the kernel, or that is not known. */
bool ipvs_firewall_want(struct ipvs_firewall *firewall, struct guard_table *wanted);
void ipvs_firewall_send(struct ipvs_firewall *firewall, enum ipvs_firewall_job job);
/* What the result speaks of: what stands, or what should. */
const struct guard_table *ipvs_firewall_table(const struct ipvs_firewall *firewall);

/* Without a process and at once: removes the table when it is there. */
void ipvs_firewall_release(void);

#endif
