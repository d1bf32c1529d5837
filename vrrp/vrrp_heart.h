/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The last heartbeat of every instance, in a file of the run directory that is mapped and shared: when every process
 * was killed at once, the next daemon learns from it whether it was master and whether a successor can have lost its
 * patience already. Writing is storing into memory. What another boot of the machine left there is worth nothing, since
 * the clock began anew. */
#ifndef POISE_VRRP_HEART_H
#define POISE_VRRP_HEART_H

#include "conf.h"
#include "vrrp_fsm.h"

#define VRRP_HEART_INSTANCES 1024 /* further ones are not remembered */

struct vrrp_heart {
	struct vrrp_heart_file *file; /* NULL: there is none, nothing is remembered */
	uint64_t written;             /* records so far, those of predecessors included */
};

/* Maps the file; takes fd over. Returns 0 or -errno. */
int vrrp_heart_open(struct vrrp_heart *heart, int fd);
/* What an instance is known by: its name, interface, family and VRID. */
uint64_t vrrp_heart_key(const struct conf *conf, uint32_t instance);
/* Stores the state of the instance with that number. */
void vrrp_heart_store(struct vrrp_heart *heart, uint32_t number, uint64_t key, const struct vrrp_past *now);
/* What was stored last for the key; false when there is nothing, or it was being written when its writer died. */
bool vrrp_heart_find(const struct vrrp_heart *heart, uint64_t key, struct vrrp_past *past);

#endif
