/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What signed advertisements leave behind and no crash may erase: the marks of their senders, the last own sequence,
 * and the clock that signatures go by. A file in the run directory, mapped: to remember costs a store, and the kernel
 * keeps it whatever becomes of the process. */
#ifndef POISE_VRRP_LEDGER_H
#define POISE_VRRP_LEDGER_H

#include "boot_id.h"
#include "conf.h"
#include "vrrp_hmac.h"

struct vrrp_ledger_file;

struct vrrp_ledger {
	struct vrrp_ledger_file *map; /* NULL before vrrp_ledger_open() */
	size_t size;
	int fd; /* -1: in memory only */
	struct vrrp_hmac_clock clock;
	bool is_apart; /* the wall clock was set and is not followed */
	char boot_id[BOOT_ID_SIZE];
};

/* Begins in memory; /proc must be readable. Returns 0 or -errno. */
int vrrp_ledger_init(struct vrrp_ledger *ledger);
/* Goes on with what the file says; takes fd over. Before any vrrp_ledger_find(). Returns 0, or -errno when it goes on
 * in memory. */
int vrrp_ledger_set_file(struct vrrp_ledger *ledger, int fd);
void vrrp_ledger_close(struct vrrp_ledger *ledger);
/* A stop that somebody wanted: the next start goes by the wall clock. */
void vrrp_ledger_end(struct vrrp_ledger *ledger);

/* The place of a virtual router, made when there is none; it stays the same while the process lives. Returns its number
 * or -ENOMEM. */
int vrrp_ledger_find(struct vrrp_ledger *ledger, const struct conf *conf, const struct conf_instance *instance);
/* Valid until the next vrrp_ledger_find(). */
struct vrrp_hmac_marks *vrrp_ledger_marks(struct vrrp_ledger *ledger, int number);

/* Now, by both clocks; says so when the wall clock was set. */
struct vrrp_hmac_time vrrp_ledger_time(struct vrrp_ledger *ledger);
/* A neighbour goes by the wall clock: so do we. */
void vrrp_ledger_adopt(struct vrrp_ledger *ledger, const struct vrrp_hmac_time *time, const char *who);

#endif
