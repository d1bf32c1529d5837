/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two settings of the kernel that a drain may need; used by the ipvs role. They are of the whole namespace, so they are
 * set only while a drain needs them, found values are put back, and a value that is already right is left alone:
 *   expire_nodest_conn         the next packet of a connection to a server that is not there ends it (a reset), where
 *                              it would otherwise be swallowed until the connection times out
 *   expire_quiescent_template  a client that persistence knows is not sent to a server of weight 0 */
#include "ipvs_process.h"

void ipvs_cut_step(struct ipvs *v)
{
	const struct conf *conf = v->now->conf;
	bool cuts = false, forgets = false, keeps = false;

	for (uint32_t i = 0; i < conf->n_servers; i++) {
		const struct ipvs_server_drain *drain = ipvs_generation_drain(v->now, i);

		if (v->now->servers[i].admin != ADMIN_DRAIN)
			continue;
		cuts |= drain->end != DRAIN_KEEP && drain->until.until_real_us > 0;
		if (conf->services[conf->servers[i].service].persistence_us > 0)
			*(drain->keep_known ? &keeps : &forgets) = true;
	}
	ipvs_sysctl_for_drain(v, SYSCTL_EXPIRE_NODEST_CONN, cuts);
	/* The kernel knows one answer for all: whoever asked to be kept is. */
	ipvs_sysctl_for_drain(v, SYSCTL_EXPIRE_QUIESCENT_TEMPLATE, forgets && !keeps);
}
