/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's IPVS over generic netlink. Every call waits for the kernel's answer, bounded by less than a second. */
#ifndef POISE_IPVS_NETLINK_H
#define POISE_IPVS_NETLINK_H

#include "ipvs_codec.h"
#include "ipvs_plan.h"

struct ipvs_kernel;

/* Opens the socket; NULL with errno. It needs no IPVS in the kernel yet. */
struct ipvs_kernel *ipvs_kernel_open(void);
/* Gives back the memory that a large exchange took and small ones do not need. */
void ipvs_kernel_trim(struct ipvs_kernel *kernel);
void ipvs_kernel_close(struct ipvs_kernel *kernel); /* NULL is allowed */

/* Finds the family (which loads the module where there is one) and whether we may use it. Returns 0, -ENOENT when the
 * kernel has no IPVS, -EPERM, or another -errno. */
int ipvs_kernel_resolve(struct ipvs_kernel *kernel);
/* As the kernel writes it, 0x010201 for 1.2.1; 0 before it is resolved. */
uint32_t ipvs_kernel_version(const struct ipvs_kernel *kernel);

/* Services without their servers, sorted; the image is replaced. Returns 0 or -errno (the image is then empty). */
int ipvs_kernel_dump_services(struct ipvs_kernel *kernel, struct ipvs_image *image);
/* Appends one service, known by its key, without its servers; sort when all are there. Returns 0, -ESRCH when the kernel
 * has none, or another -errno. */
int ipvs_kernel_add_service(struct ipvs_kernel *kernel, const struct ipvs_key *key, struct ipvs_image *image);
/* The servers of one service, sorted; they are replaced. A service that is gone has none. Returns 0 or -errno (the
 * servers are then unchanged). n_dests is taken as a hint of how many there are, even where dests is NULL. */
int ipvs_kernel_dump_dests(struct ipvs_kernel *kernel, struct ipvs_service *service);
/* Everything. */
int ipvs_kernel_dump(struct ipvs_kernel *kernel, struct ipvs_image *image);

/* Carries out a plan in as few sends as possible, going on after refusals. fn is called for each refused operation
 * with its number and errno. Returns 0 (also with refusals), or -errno when the outcome is not known: dump again. */
typedef void ipvs_refused_fn(void *arg, size_t op, int error);
int ipvs_kernel_apply(struct ipvs_kernel *kernel, const struct ipvs_image *desired, const struct ipvs_image *actual,
	const struct ipvs_op *ops, size_t n, ipvs_refused_fn *fn, void *arg);

/* The synchronisation daemons that run: fills out (at most 2), returns how many or -errno. */
int ipvs_kernel_dump_daemons(struct ipvs_kernel *kernel, struct ipvs_daemon out[2]);
/* Starts or stops one. Returns 0 or -errno. */
int ipvs_kernel_set_daemon(struct ipvs_kernel *kernel, const struct ipvs_daemon *daemon, bool run);

int ipvs_kernel_get_timeouts(struct ipvs_kernel *kernel, struct ipvs_timeouts *out);
int ipvs_kernel_set_timeouts(struct ipvs_kernel *kernel, const struct ipvs_timeouts *timeouts);

#endif
