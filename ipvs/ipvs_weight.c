/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The weight of a server from configuration, health and the operator's wish; used by the ipvs role. Pure. */
#include "ipvs_weight.h"
#include <linux/ip_vs.h>
#include <string.h>

bool ipvs_weight_is_up(enum health health, bool alpha)
{
	switch (health) {
	case HEALTH_UP:
		return true;
	case HEALTH_DOWN:
		return false;
	case HEALTH_UNKNOWN:
		break;
	}
	return !alpha;
}

bool ipvs_weight_zero_is_safe(const char *scheduler, uint32_t flags)
{
	if (strcmp(scheduler, "dh") == 0)
		return false;
	return strcmp(scheduler, "sh") != 0 || (flags & IP_VS_SVC_F_SCHED_SH_FALLBACK);
}

/* The weight of a server that takes part. A check that leaves something leaves at least 1. */
static int32_t full_weight(const struct ipvs_weight_facts *facts)
{
	int64_t dynamic = facts->dynamic >= 0 ? facts->dynamic : facts->configured;
	int64_t base = facts->override >= 0 ? facts->override : dynamic;
	int64_t weight = (base * facts->percent + 50) / 100;

	if (base <= 0 || facts->percent <= 0)
		return 0;
	if (weight < 1)
		return 1;
	return weight > INT32_MAX ? INT32_MAX : (int32_t)weight;
}

static struct ipvs_weight decide_sorry(const struct ipvs_weight_facts *facts)
{
	if (facts->sorry_active && facts->admin == ADMIN_NORMAL)
		return (struct ipvs_weight){.listed = true, .weight = full_weight(facts)};
	return (struct ipvs_weight){
		.listed = facts->inhibit || (facts->sorry_active && facts->standing && facts->zero_safe)};
}

struct ipvs_weight ipvs_weight_decide(const struct ipvs_weight_facts *facts)
{
	struct ipvs_weight result = {0};

	if (facts->is_sorry)
		return decide_sorry(facts);
	if (facts->admin != ADMIN_NORMAL) {
		result.listed =
			!facts->taken_out && (facts->up || facts->inhibit || (facts->standing && !facts->persistent));
		return result;
	}
	if (!facts->up) {
		result.listed = facts->inhibit;
		return result;
	}
	result.capacity = full_weight(facts);
	if (facts->sorry_active) {
		result.listed = facts->inhibit || (facts->standing && facts->zero_safe);
		return result;
	}
	result.listed = true;
	result.weight = result.capacity;
	return result;
}
