/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the snmp role takes from a configuration, and from its predecessor. Runs in the snmp role only. */
#include "snmp_conf.h"
#include "agent.h"
#include "log.h"
#include <string.h>

#define DEFAULT_SOCKET "unix:/var/agentx/master"
#define BOOTS_EPOCH_S 1577836800 /* 2020 */
bool snmp_conf_wants(const struct conf *conf)
{
	const struct conf_global *g = conf->global;

	return g->snmp_vrrp || g->snmp_checker || g->snmp_rfcv2 || g->snmp_rfcv3 || g->snmp_poise;
}

const char *snmp_conf_socket(const struct conf *conf)
{
	const char *socket = conf_string(conf, conf->global->snmp_socket);

	return *socket ? socket : DEFAULT_SOCKET;
}

void snmp_conf_enable(const struct conf *conf)
{
	const struct conf_global *g = conf->global;
	const struct {
		const struct mib *mib;
		bool enable;
	} mibs[] = {
		{&mib_keepalived_global, g->snmp_keepalived && (g->snmp_vrrp || g->snmp_checker)},
		{&mib_keepalived_vrrp, g->snmp_keepalived && g->snmp_vrrp},
		{&mib_keepalived_check, g->snmp_keepalived && g->snmp_checker},
		{&mib_vrrp2, g->snmp_rfcv2},
		{&mib_vrrp3, g->snmp_rfcv3},
		{&mib_poise, snmp_conf_wants(conf)},
	};

	for (unsigned i = 0; i < sizeof(mibs) / sizeof(mibs[0]); i++) {
		int rc = agent_enable(mibs[i].mib, mibs[i].enable);

		if (rc < 0)
			log_error("snmp: %s cannot be registered: %s", mibs[i].mib->name, strerror(-rc));
	}
}

uint32_t snmp_conf_boots(const struct status_snmp *predecessor)
{
	int64_t boots = (real_now_us() / US_PER_S - BOOTS_EPOCH_S) / 2;

	if (boots < 1)
		boots = 1;
	return boots > predecessor->engine_boots ? (uint32_t)boots : predecessor->engine_boots + 1;
}
