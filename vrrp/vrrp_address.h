/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual addresses in the kernel: carries out plans (vrrp_plan.h) in batches, refreshes the lifetimes that make the
 * addresses of a dead daemon vanish, and keeps the ledger of what is ours. */
#ifndef POISE_VRRP_ADDRESS_H
#define POISE_VRRP_ADDRESS_H

#include "conf.h"
#include "vrrp_courier.h"
#include "vrrp_monitor.h"
#include "vrrp_plan.h"

/* IFA_PROTO of our addresses: the IP protocol number of VRRP. Only a hint for people, the ledger is what counts. */
#define VRRP_ADDRESS_PROTO 112

struct netlink_batch;

/* A message of the errand that is under way. */
struct vrrp_job {
	uint32_t kind; /* enum vrrp_plan_kind */
	uint32_t wish; /* UINT32_MAX: a removal, or a wish of a generation that is gone */
	bool is_refused;
	struct vrrp_lease lease;
};

struct vrrp_addresses {
	struct vrrp_monitor *monitor;
	struct netlink_batch *batch;
	struct vrrp_courier courier;
	struct vrrp_job *jobs;
	uint32_t n_jobs;
	struct mono sent_at;
	struct mono not_before;      /* after a failure */
	struct mono read_not_before; /* the next image, when notifications were lost while the last one was read */
	int ledger_fd;               /* -1 = none */
	struct vrrp_lease *leases;
	uint32_t n_leases, room;
	struct vrrp_plan_item *items; /* room for a plan */
	uint32_t items_room;
	int64_t lifetime_us; /* 0 = permanent; set it, and refresh_now when it changes */
	bool refresh_now;
	struct mono next_refresh; /* not set: nothing to refresh */
};

/* Prepares an empty set; monitor stays the caller's. Returns 0 or -ENOMEM. */
int vrrp_addresses_init(struct vrrp_addresses *addresses, struct vrrp_monitor *monitor);
void vrrp_addresses_free(struct vrrp_addresses *addresses);
/* Takes the ledger over (descriptor included): what a predecessor left becomes ours. Returns 0 or -errno. */
int vrrp_addresses_set_ledger(struct vrrp_addresses *addresses, int fd);
/* Makes room for n wishes, so that applying allocates nothing. Returns 0 or -ENOMEM. */
int vrrp_addresses_reserve(struct vrrp_addresses *addresses, uint32_t n);

/* Told about each address whose state changed (error 0) or that the kernel refused (errno, and its words or NULL). */
typedef void vrrp_address_report_fn(void *arg, uint32_t wish, int error, const char *text);

/* Brings the kernel in line with the wishes: wishes[i] belongs to conf->addresses[i]. Returns when to come back (a wish
 * that waits, or a refresh), not set = never, or when the courier is back. Takes notifications on the way: look at
 * monitor->changes afterwards. */
struct mono vrrp_addresses_apply(struct vrrp_addresses *addresses, const struct conf *conf, struct vrrp_wish *wishes,
	struct mono now, vrrp_address_report_fn *report, void *arg);
/* The courier is back: takes what it brings. Returns false when it is not; apply again afterwards. */
bool vrrp_addresses_back(struct vrrp_addresses *addresses, struct vrrp_wish *wishes, struct mono now,
	vrrp_address_report_fn *report, void *arg);
/* Wishes of another generation follow; what is under way is not theirs. */
void vrrp_addresses_forget_wishes(struct vrrp_addresses *addresses);
/* True while additions or removals are under way. */
bool vrrp_addresses_are_coming(const struct vrrp_addresses *addresses);
/* Sends the courier for a fresh image of interfaces; notifications wait until it is back. 0 or -ENOMEM. */
int vrrp_addresses_read_anew(struct vrrp_addresses *addresses);
/* Removes every lease from the kernel and empties the ledger. Returns how many were removed, or -errno. */
int vrrp_addresses_release(struct vrrp_addresses *addresses);

/* Fills an RTM_NEWADDR or RTM_DELADDR message. lifetime_us 0 = permanent. Duplicate address detection
 * is off, because the former master may still be answering. Returns 0 or -errno. */
struct nl_msg;
int vrrp_address_encode(struct nl_msg *msg, const struct conf_address *address, uint32_t ifindex, const char *label,
	int64_t lifetime_us);
int vrrp_address_encode_removal(struct nl_msg *msg, const struct vrrp_lease *lease);

#endif
