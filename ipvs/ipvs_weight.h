/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a server's weight in the kernel's table is, and whether it stands there at all. Pure. */
#ifndef POISE_IPVS_WEIGHT_H
#define POISE_IPVS_WEIGHT_H

#include "status.h"
#include <stdbool.h>
#include <stdint.h>

/* Everything that is known about a server at one moment. */
struct ipvs_weight_facts {
	int32_t configured;
	int32_t override; /* set by an operator, -1 = none */
	int32_t dynamic;  /* set by a check instead of the configured one, -1 = none */
	int32_t percent;  /* from a dynamic check, 100 = as configured */
	bool up;          /* the verdict, unknown already decided (ipvs_weight_is_up) */
	bool inhibit;     /* inhibit_on_failure, sorry_server_inhibit */
	bool is_sorry;
	bool sorry_active; /* the service has lost its quorum and has a sorry server */
	bool persistent;   /* the service keeps clients at their server */
	bool standing;     /* is in the table now */
	bool zero_safe;    /* ipvs_weight_zero_is_safe() of the service's scheduler */
	enum admin admin;
	bool taken_out; /* the end of a drain: ipvs_drain_takes_out() */
};

struct ipvs_weight {
	bool listed;      /* stands in the kernel's table */
	int32_t weight;   /* there */
	int32_t capacity; /* what it counts towards the quorum */
};

/* Unknown counts as up, unless the service or the server starts in alpha mode. */
bool ipvs_weight_is_up(enum health health, bool alpha);

/* Does the scheduler leave a server of weight 0 out for new connections? sh without its fallback flag and dh do not:
 * there a client whose hash meets that server is refused. */
bool ipvs_weight_zero_is_safe(const char *scheduler, uint32_t flags);

/* A server that is down is taken out, or stands with weight 0 when it is inhibited. One that is drained or in
 * maintenance stands with weight 0 as long as that lasts, so that its connections go on; when it falls as well it stays
 * so, unless the service is persistent: known clients would be sent to it for ever. While the sorry server works,
 * servers that are up and stand in the table stay there with weight 0 where that is safe, for the sake of their
 * connections. */
struct ipvs_weight ipvs_weight_decide(const struct ipvs_weight_facts *facts);

#endif
