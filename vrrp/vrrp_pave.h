/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes and rules in the kernel: those of masters and the static ones, kept there by comparison, like the addresses
 * (vrrp_address.h), over the same courier. What is ours is what the ledger of paths says; the protocol number of a
 * route is a hint that lets the kernel find it among a million others. */
#ifndef POISE_VRRP_PAVE_H
#define POISE_VRRP_PAVE_H

#include "mono.h"
#include "vrrp_courier.h"
#include "vrrp_plan.h"
#include "vrrp_route.h"

struct netlink_batch;

/* A route, a rule or an interface that is made, which may have to be there: in the order of conf->routes, conf->rules,
 * conf->links. */
struct vrrp_way {
	bool is_wanted; /* its instance is master, or it has none */
	bool is_ready;  /* path is valid: every interface exists */
	bool is_set;    /* seen in the kernel, or acknowledged */
	bool is_let_go; /* no_track, and somebody removed it: not again before the next time it is wanted */
	bool no_track;
	int last_error; /* errno of the last attempt */
	struct vrrp_path path;
	struct vrrp_setbacks setbacks;
};

static inline uint32_t vrrp_pave_count(const struct conf *conf)
{
	return conf->n_routes + conf->n_rules + conf->n_links;
}

struct vrrp_pave_look;
struct vrrp_pave_job;

struct vrrp_pave {
	struct vrrp_courier *courier;
	struct netlink_batch *batch; /* the courier's */
	const struct links *links;
	int ledger_fd; /* -1 = none */
	struct vrrp_path *leases;
	uint32_t n_leases;
	struct vrrp_pave_look *look; /* what is looked for, and was found */
	struct vrrp_pave_job *jobs;
	uint32_t n_jobs;
	uint32_t room;     /* of leases and jobs */
	bool must_look;    /* something may have changed */
	uint32_t remover;  /* rtnetlink port of who took a route or rule away since the last look; 0 = not known */
	bool is_outdated;  /* what is under way belongs to a generation that is gone */
	struct mono audit; /* look again then; not set = never */
	struct mono not_before;
};

/* courier, batch and links stay the caller's. */
void vrrp_pave_init(
	struct vrrp_pave *pave, struct vrrp_courier *courier, struct netlink_batch *batch, const struct links *links);
void vrrp_pave_free(struct vrrp_pave *pave);
/* Takes the ledger over (descriptor included): what a predecessor left becomes ours. Returns 0 or -errno. */
int vrrp_pave_set_ledger(struct vrrp_pave *pave, int fd);
/* Makes room for n ways. Returns 0 or -ENOMEM. */
int vrrp_pave_reserve(struct vrrp_pave *pave, uint32_t n);

/* Told about each way that came, went (error 0) or was refused (errno and the kernel's words or NULL). */
typedef void vrrp_pave_report_fn(void *arg, uint32_t way, int error, const char *text);

/* Brings the kernel in line with the ways (vrrp_pave_count() of them). Returns when to come back, not set
 * = never, or when the courier is back. */
struct mono vrrp_pave_apply(struct vrrp_pave *pave, const struct conf *conf, struct vrrp_way *ways, struct mono now,
	vrrp_pave_report_fn *report, void *arg);
/* Whether the courier is out for this file. */
bool vrrp_pave_is_out(const struct vrrp_pave *pave);
/* The courier is back: takes what it brings. Returns false when it is not; apply again afterwards. */
bool vrrp_pave_back(
	struct vrrp_pave *pave, struct vrrp_way *ways, struct mono now, vrrp_pave_report_fn *report, void *arg);
/* Something may have changed; remover: the rtnetlink port that took something away, 0 = not known. */
void vrrp_pave_heard(struct vrrp_pave *pave, uint32_t remover);
/* Ways of another generation follow; what is under way is not theirs. */
void vrrp_pave_forget(struct vrrp_pave *pave);
/* Removes every lease from the kernel and empties the ledger. Returns how many there were, or -errno. */
int vrrp_pave_release(struct vrrp_pave *pave);

#endif
