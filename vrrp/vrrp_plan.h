/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which virtual addresses are to be added, refreshed and removed: desired minus actual. Pure.
 * "Ours" is what the list of leases says (it is kept in the ledger); an address that we did not put there is never
 * refreshed nor removed, even when it is configured as a virtual one. */
#ifndef POISE_VRRP_PLAN_H
#define POISE_VRRP_PLAN_H

#include "addr.h"
#include "conf.h"
#include "mono.h"
#include "vrrp_link.h"
#include <stdbool.h>
#include <stdint.h>

/* An address of ours in the kernel (or about to be): a record of the ledger. */
struct vrrp_lease {
	struct addr addr;
	uint8_t prefix;
	uint8_t zero[3];
	uint32_t ifindex;
	uint32_t form; /* vrrp_plan_form() of how it was added */
	char interface[LINK_NAME_SIZE];
};

/* Somebody removes it again and again, or the kernel refuses it. */
struct vrrp_setbacks {
	uint32_t count; /* in a row */
	struct mono last, not_before;
};

/* Notes one, and sets not_before: the first ones are answered at once, later ones after 100 ms, doubling up to 10 s; a
 * minute of peace forgets them. */
void vrrp_setback(struct vrrp_setbacks *setbacks, struct mono now);

/* One address that is to be held, and what is known of it. Indexed by conf->addresses. */
struct vrrp_wish {
	bool is_wanted;   /* its instance is master */
	bool is_set;      /* seen in the kernel */
	bool is_foreign;  /* ... and somebody else had put it there */
	bool is_reported; /* what vrrp_address.c last told about is_set */
	bool is_lost;     /* it was there, and somebody took it away: to be told, and a setback */
	uint8_t prefix;
	uint32_t form;
	uint32_t ifindex; /* 0 = the interface does not exist */
	uint8_t mac[6];   /* of that interface */
	struct addr addr;
	struct vrrp_setbacks setbacks;
};

enum vrrp_plan_kind { VRRP_PLAN_ADD, VRRP_PLAN_REMOVE };

struct vrrp_plan_item {
	uint32_t kind;   /* enum vrrp_plan_kind */
	uint32_t number; /* of the wish, or of the lease */
	int error;       /* the kernel's answer, errno; 0 = carried out */
};

/* Looks at the kernel's image and fills items (room for n_wishes + n_leases): removals first, so that an address can
 * move between interfaces or change its prefix. Updates is_set, is_foreign, is_lost and the setbacks of the wishes.
 * now: a refused or fought-over address waits for its not_before; *next is set to the earliest of those, or left alone.
 * Returns the number of items. */
uint32_t vrrp_plan(struct vrrp_wish *wishes, uint32_t n_wishes, const struct vrrp_lease *leases, uint32_t n_leases,
	const struct links *links, struct mono now, struct vrrp_plan_item *items, struct mono *next);

/* A number for what the kernel cannot change in an address that is there: scope, label, broadcast, peer. An address of
 * another form is removed and added. */
uint32_t vrrp_plan_form(const struct conf_address *address, const char *label);

/* A set of addresses that forgets who is in it: that somebody is not in it is certain, that he is may be wrong. Zeroed
 * = empty. Where all would be compared with all, few have to be then. */
struct vrrp_crowd {
	uint8_t bits[1 << 15];
};
/* Returns false when it was not in before, true when it may have been. */
bool vrrp_crowd_add(struct vrrp_crowd *crowd, const struct addr *addr, uint8_t prefix, uint32_t ifindex);

bool vrrp_lease_is(const struct vrrp_lease *lease, const struct addr *addr, uint8_t prefix, uint32_t ifindex);

#endif
