/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a backup of higher priority wait before it takes over from a living master, because it does not hold the
 * connections yet? Pure. */
#ifndef POISE_VRRP_HOLD_H
#define POISE_VRRP_HOLD_H

#include "conf.h"
#include "mono.h"
#include "status.h"
#include "vrrp_fsm.h"

/* An operator waits for a handover, so that is the longest. */
#define VRRP_HANDOVER_WAIT_US (60 * US_PER_S)

struct vrrp_hold {
	bool is_held;
	struct mono look_again;    /* not set: only when something changes */
	char text[VRRP_HOLD_SIZE]; /* while held: what is waited for; else what ended it, "" = nothing was waited for */
};

/* Is there anything to wait for: connection_sync full, and a channel to the other node? */
bool vrrp_hold_is_configured(const struct conf_global *global);

/* state and since: of the instance (enum vrrp_state); pair: the record of the pair role, NULL while there is none. In
 * any state but backup it is held, so that it is from the first moment as a backup on. */
struct vrrp_hold vrrp_hold_decide(const struct conf_global *global, uint32_t state, struct mono since,
	const struct status_pair *pair, struct mono now);

/* An operator wants mastership given away (back: taken back): what the successor holds, and whether that is waited for.
 * asked: when; syncs: our own side of connection_sync is in force. Where nothing can be known nothing is waited for. */
struct vrrp_hold vrrp_hold_handover(const struct conf_global *global, bool back, bool syncs, struct mono asked,
	const struct status_pair *pair, struct mono now);

#endif
