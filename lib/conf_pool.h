/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Servers added and removed at run time, worked into a finished configuration generation. Pure but for the memfd that
 * the result is written into. */
#ifndef POISE_CONF_POOL_H
#define POISE_CONF_POOL_H

#include "conf.h"

struct conf_pool_change {
	const char *service; /* as conf_service_name() says it */
	struct addr addr;
	uint16_t port;
	bool is_removed; /* else added */
	int32_t weight;  /* of an added one; -1 = that of its like */
};

/* A sealed copy of `conf` with another generation number and with the changes, in their order. An added server is the
 * first server of its service with another address, port and weight: it has the same checks (those that went to the
 * server's own address or port go to its own) and the same notifications. A change that changes nothing (its service is
 * gone, the server is there or gone already) is passed over; applied[i] says of each whether it did something (applied
 * may be NULL). Returns a descriptor or -errno. */
int conf_pool_apply(
	const struct conf *conf, uint64_t generation, const struct conf_pool_change *changes, size_t n, bool *applied);

#endif
