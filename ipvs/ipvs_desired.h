/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the configuration and the decisions about its servers to the image that the kernel shall hold. */
#ifndef POISE_IPVS_DESIRED_H
#define POISE_IPVS_DESIRED_H

#include "conf.h"
#include "ipvs_image.h"
#include "ipvs_weight.h"
#include "mono.h"
#include "status.h"

/* More services of the kernel than this from one entry of a group are refused. */
#define IPVS_RANGE_MAX 65536u

/* A server that has left the configuration and is given time to lose its connections. */
struct ipvs_leftover {
	struct ipvs_key service;
	struct ipvs_dest dest; /* as it stood in the kernel, weight 0 */
	struct mono until;
};

/* Calls fn for each service of the kernel that a configured one stands for: one, or every member of its group. Stops
 * when fn returns non-zero; returns that, or 0. */
typedef int ipvs_key_fn(void *arg, const struct ipvs_key *key);
int ipvs_desired_each_key(const struct conf *conf, conf_index_t service, ipvs_key_fn *fn, void *arg);
/* The same for one member of the group of a service that is not folded. */
int ipvs_desired_each_member_key(
	const struct conf_service *service, const struct conf_group_entry *entry, ipvs_key_fn *fn, void *arg);

/* How the kernel knows a configured server. */
struct ipvs_dest_key ipvs_desired_dest_key(const struct conf *conf, conf_index_t server);

/* The sorry server of a service stands outside its range: number i of all its servers (i < count), for loops. */
uint32_t ipvs_desired_n_servers(const struct conf *conf, conf_index_t service);
conf_index_t ipvs_desired_server(const struct conf *conf, conf_index_t service, uint32_t i);

/* NULL when the configuration can be programmed, else why not (a constant sentence), with the service concerned. */
const char *ipvs_desired_check(const struct conf *conf, conf_index_t *service);

/* Does a service that stands only on the master (or the backup) of an instance stand here now? state is the instance's,
 * enum vrrp_state; neither master nor backup: a service of masters does not, one of backups does. */
bool ipvs_desired_is_placed(const struct conf_service *service, uint32_t state);

/* Builds the sorted image. weights has an element for each of conf->servers; services with absent[i] set are left out
 * (NULL = none is). Leftovers whose service is gone or which
 * are listed anyway are left out. Returns 0 or -ENOMEM (the image is then empty). */
int ipvs_desired_build(const struct conf *conf, const struct ipvs_weight *weights, const bool *absent,
	const struct ipvs_leftover *leftovers, size_t n_leftovers, struct ipvs_image *out);

#endif
