/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has a service enough servers? With hysteresis, so that one server that comes and goes does not switch the sorry
 * server on and off. Pure. */
#ifndef POISE_IPVS_QUORUM_H
#define POISE_IPVS_QUORUM_H

#include <stdbool.h>
#include <stdint.h>

struct ipvs_quorum {
	bool known; /* false until the first step */
	bool met;
};

/* All in units of weight. */
struct ipvs_quorum_event {
	uint32_t quorum, hysteresis; /* configured */
	int64_t total;               /* configured weight of all servers */
	int64_t capacity;            /* of those that take part now */
};

enum ipvs_quorum_action { IPVS_QUORUM_NOTHING, IPVS_QUORUM_GAINED, IPVS_QUORUM_LOST };

/* Met is lost below quorum - hysteresis (but never while anything is left only because of a hysteresis that exceeds
 * the quorum: with no capacity it is lost); lost is met again from quorum + hysteresis on. The first step looks at the
 * quorum alone. A quorum or a hysteresis that even all servers together do not reach is taken as all of them. */
enum ipvs_quorum_action ipvs_quorum_step(struct ipvs_quorum *state, const struct ipvs_quorum_event *event);

#endif
