/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From what the kernel holds to what it shall hold, in the fewest commands. Pure. */
#ifndef POISE_IPVS_PLAN_H
#define POISE_IPVS_PLAN_H

#include "ipvs_image.h"

enum ipvs_op_kind {
	IPVS_OP_NEW_SERVICE,
	IPVS_OP_SET_SERVICE,
	IPVS_OP_DEL_SERVICE,
	IPVS_OP_NEW_DEST,
	IPVS_OP_SET_DEST,
	IPVS_OP_DEL_DEST,
};

#define IPVS_NO_INDEX UINT32_MAX

/* Numbers of services and of servers within them; IPVS_NO_INDEX where the object is not in that image. */
struct ipvs_op {
	enum ipvs_op_kind kind;
	uint32_t desired_service, actual_service;
	uint32_t desired_dest, actual_dest;
};

/* Both images sorted. Writes the first `room` operations and returns how many there are in all (each object needs at
 * most one, so n_services + n_dests of both images is always room enough).
 *  - Entries of `actual` that are not ours and not desired are left alone; a desired one is taken over as it is found.
 *  - A service that is no longer desired goes with everything in it, in one command.
 *  - Within a service: its settings, then new servers and rising weights, then falling weights, then removals, so
 *    that it never stands without servers in between. Services are removed last.
 *  - Scheduler, forwarding method, weight ... are changed in place: connections and counters stay. */
size_t ipvs_plan(const struct ipvs_image *desired, const struct ipvs_image *actual, struct ipvs_op *ops, size_t room);

/* The object of an operation: in the desired image, or for a removal in the actual one. */
const struct ipvs_service *ipvs_op_service(
	const struct ipvs_op *op, const struct ipvs_image *desired, const struct ipvs_image *actual);
const struct ipvs_dest *ipvs_op_dest(
	const struct ipvs_op *op, const struct ipvs_image *desired, const struct ipvs_image *actual);

/* What `actual` is after the operations, those with refused[i] set excepted (NULL = none was refused). Keeps what the
 * process knows of unchanged entries. Returns 0, or -ENOMEM: then the image is not to be trusted, dump again. */
int ipvs_plan_apply(const struct ipvs_image *desired, struct ipvs_image *actual, const struct ipvs_op *ops, size_t n,
	const bool *refused);

#endif
