/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads doubt from the counters of IPVS. Runs in poise-healthcheck; pure: it never decides a verdict, a probe does. */
#include "check_passive.h"

bool passive_look(struct passive *p, uint64_t connections, uint64_t packets_in, uint64_t packets_out)
{
	struct passive was = *p;

	*p = (struct passive){connections, packets_in, packets_out, 0, true};
	if (!was.is_known || connections < was.connections || packets_in < was.packets_in ||
		packets_out < was.packets_out)
		return false;
	if (packets_out > was.packets_out)
		return false;
	p->silent = was.silent + (packets_in - was.packets_in);
	return connections > was.connections && p->silent >= PASSIVE_PACKETS;
}
