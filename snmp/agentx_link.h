/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When to try the AgentX master, and when to let the SNMP library talk to it. Pure.
 * The library blocks in connect() and in every exchange with a master that hangs, so it may connect only right after a
 * probe of our own, which never blocks, was answered. */
#ifndef POISE_SNMP_AGENTX_LINK_H
#define POISE_SNMP_AGENTX_LINK_H

#include "mono.h"

#define LINK_PROBE_US (1 * US_PER_S) /* how long an answer may take */
#define LINK_RETRY_MIN_US (500 * US_PER_MS)
#define LINK_RETRY_MAX_US (15 * US_PER_S)

enum link_state {
	LINK_OFF,     /* not wanted */
	LINK_WAITING, /* until the next try */
	LINK_PROBING, /* asked, not answered yet */
	LINK_UP,      /* the library has a session */
};

enum link_event {
	LINK_START,
	LINK_TIMER, /* the deadline has passed */
	LINK_PROBE_ANSWERED,
	LINK_PROBE_FAILED,
	LINK_OPENED, /* the library connected when it was let */
	LINK_OPEN_FAILED,
	LINK_LOST,
};

enum link_action {
	LINK_DO_NOTHING,
	LINK_DO_PROBE,        /* start one; report its end */
	LINK_DO_CANCEL_PROBE, /* it took too long */
	LINK_DO_OPEN,         /* let the library connect now; report how it went */
};

struct link {
	enum link_state state;
	struct mono deadline; /* of the next LINK_TIMER; not set = none */
	int64_t retry_us;     /* the last pause */
};

enum link_action link_step(struct link *link, enum link_event event, struct mono now);

#endif
