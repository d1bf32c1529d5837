/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the kernel's connection table from end to end in a thread of its own, because that costs seconds when the table
 * is large: sends what this node is master for to the other node, or counts what it is not. One job at a time; a line
 * at a time, so that memory does not grow with the table. */
#ifndef POISE_IPVS_SCAN_H
#define POISE_IPVS_SCAN_H

#include "ipvs_recall.h"
#include "ipvs_sender.h"
#include "mono.h"
#include "status.h"
#include "worker.h"
#include <stdbool.h>
#include <stdint.h>

/* A virtual address and whether this node is its master. */
struct ipvs_scan_address {
	struct addr addr;
	bool is_ours;
};

/* A server of a service that goes by a mark. */
struct ipvs_scan_mark {
	struct ipvs_dest_key dest;
	uint32_t fwmark;
};

/* What the job needs to know of the rest of the process, copied. */
struct ipvs_scan_view {
	struct ipvs_scan_address *addresses; /* sorted */
	uint32_t n_addresses;
	bool rest_is_ours;         /* connections to any other address */
	struct ipvs_key *services; /* those that go by address, sorted */
	uint32_t n_services;
	struct ipvs_scan_mark *marks; /* sorted by server */
	uint32_t n_marks;
};

void ipvs_scan_view_sort(struct ipvs_scan_view *view);
void ipvs_scan_view_free(struct ipvs_scan_view *view);
/* Is this node master for connections to the virtual address? Pure. */
bool ipvs_scan_is_ours(const struct ipvs_scan_view *view, const struct addr *virtual);
/* The mark of the connection's service, 0 when that goes by its address. Pure. */
uint32_t ipvs_scan_fwmark(const struct ipvs_scan_view *view, const struct ipvs_conn *conn);

/* The kernel finds the place of the next page by counting entries: when some were added before it meanwhile, the page
 * begins with entries that were read already. (When some have ended, as many are passed over; the next sweep has them.)
 */
#define IPVS_SCAN_RECENT 4096

struct ipvs_scan_recent {
	uint64_t hashes[IPVS_SCAN_RECENT]; /* a ring */
	uint32_t n;                        /* read so far */
	/* Numbers in the ring, from 1, of equal remainders: the first one, and the next one behind each. */
	uint16_t first[IPVS_SCAN_RECENT], next[IPVS_SCAN_RECENT];
};

/* Is it among the last that were read? If not, it is now. Pure. */
bool ipvs_scan_was_read(struct ipvs_scan_recent *recent, uint64_t hash);

struct ipvs_scan_result {
	int error;           /* -errno: the table could not be read to its end */
	uint32_t seen;       /* lines of the table */
	uint32_t counted;    /* entries in the digest */
	uint32_t sent;       /* entries */
	uint32_t taken;      /* of these the other node's kernel has taken, as it says; 0 where it says nothing */
	uint32_t repeated;   /* datagrams that went out again, because the other node did not take them */
	uint32_t unsendable; /* entries that the kernel's format has no room for, handshakes not counted */
	uint64_t datagrams, bytes, send_errors;
	int64_t duration_us, cpu_us;
	int64_t read_us, waited_us; /* of the duration: the kernel's part, for bandwidth and receipts */
	struct status_bucket buckets[DIGEST_BUCKETS];
};

struct ipvs_scan_job {
	enum sync_scan kind;
	struct ipvs_scan_view view;
	uint8_t sync_id;
	uint32_t kbit_per_s;   /* pace of sending */
	uint32_t maxlen;       /* of a datagram, 0 = the usual */
	struct ipvs_line line; /* SYNC_SCAN_SEND */
	enum ipvs_sender_mode mode;
	bool is_recall; /* SYNC_SCAN_SEND: what is remembered, without reading the table */
	bool remembers; /* SYNC_SCAN_SEND: what is read is kept for a recall */
};

struct ipvs_scan {
	struct ipvs_scan_job job;
	struct ipvs_scan_result result;
	/* The thread's while it is out. */
	struct ipvs_sender sender;
	struct ipvs_scan_recent recent;
	struct ipvs_recall recall; /* of the last walk that remembers and came to its end */
	bool is_cancelled;         /* read by the thread at any time */
	struct worker worker;
};

/* Starts the thread, after privileges were dropped. Returns 0 or -errno. */
int ipvs_scan_start(struct ipvs_scan *scan);
/* Sends it off with the job, which it takes over; ipvs_scan_fd() is readable when it is back. Only when it is not out.
 */
void ipvs_scan_send(struct ipvs_scan *scan, struct ipvs_scan_job *job);
int ipvs_scan_fd(const struct ipvs_scan *scan);
/* True when the job is back: result and job.kind are valid until the next one. */
bool ipvs_scan_take(struct ipvs_scan *scan);
/* The job under way comes back soon, with the error -ECANCELED. */
void ipvs_scan_cancel(struct ipvs_scan *scan);
/* Forgets what is remembered; not while a job is out. */
void ipvs_scan_forget(struct ipvs_scan *scan);
/* Ends the thread, in the middle of a job too. */
void ipvs_scan_end(struct ipvs_scan *scan);

#endif
