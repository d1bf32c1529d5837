/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members that leave the group of a service. */
#ifndef POISE_CONTROL_PLAN_MEMBERS_H
#define POISE_CONTROL_PLAN_MEMBERS_H

#include "control_status.h"

struct plan_members {
	uint32_t count;       /* of those that leave, or of which a part leaves */
	uint64_t connections; /* established ones to them, as a whole */
	bool is_rekeyed; /* another mark stands for the group, or none does any more, or one does now: all leaves */
};

/* From service i in use to service k of `to`, which is the same one. */
struct plan_members plan_members_lost(
	const struct status_source *now, conf_index_t i, const struct conf *to, conf_index_t k);

#endif
