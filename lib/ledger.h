/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ledger: a small file of fixed-size records in the run directory that says which kernel objects are ours. It is
 * written before the kernel is programmed, so after total death "in the kernel and in the ledger" means ours.
 * Two slots in one sparse file, each with sequence number and checksum; a torn write leaves the older slot valid.
 * A record may only grow at its end, so that a new version knows what an old one left behind when it died; a field that
 * goes or moves wants another kind. */
#ifndef POISE_LEDGER_H
#define POISE_LEDGER_H

#include <stddef.h>
#include <stdint.h>

/* Reads the newest valid slot. *records is malloc'ed (caller frees), *count set. What records of an older version lack
 * is zero. A fresh file, one of another `kind` or with longer records gives count 0. Returns 0 or -errno. */
int ledger_load(int fd, uint32_t kind, size_t record_size, void **records, size_t *count);
/* Writes all records into the older slot. Returns 0 or -errno. */
int ledger_store(int fd, uint32_t kind, size_t record_size, const void *records, size_t count);

/* Likewise, of records that do not lie together in memory: next(arg, record) is asked for one after the other. */
typedef void ledger_next_fn(void *arg, void *record);
int ledger_store_each(int fd, uint32_t kind, size_t record_size, size_t count, ledger_next_fn *next, void *arg);

/* kinds */
#define LEDGER_ADDRESSES 1 /* vrrp */
#define LEDGER_SERVICES 2  /* ipvs */
#define LEDGER_HEALTH 3    /* healthcheck: what was known of servers; in the state directory */
#define LEDGER_PATHS 4     /* vrrp: routes and rules */

#endif
