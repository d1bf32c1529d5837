/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel settings that contradict the configuration, each with its remedy; used by the ipvs role. Pure. */
#include "ipvs_contradict.h"
#include "sysctls.h"
#include <stdio.h>

/* Every new connection and every change of state is told at once, a living connection again when its time has moved by
 * the refresh period; one port, so that both nodes agree; room for a whole table in a burst. The kernel's daemons take
 * them over when they start. */
bool ipvs_setting_of_sync(uint32_t number, int64_t *value)
{
	static const struct {
		uint32_t number;
		int64_t value;
	} settings[] = {
		{SYSCTL_SYNC_THRESHOLD, 0},
		{SYSCTL_SYNC_REFRESH_PERIOD, 10},
		{SYSCTL_SYNC_RETRIES, 1},
		{SYSCTL_SYNC_PORTS, 1},
		{SYSCTL_SYNC_SOCK_SIZE, 4194304},
	};

	for (unsigned i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (settings[i].number != number)
			continue;
		*value = settings[i].value;
		return true;
	}
	return false;
}

bool ipvs_setting_wanted(const struct conf *conf, uint32_t number, int64_t *value)
{
	for (uint32_t i = 0; i < conf->n_sysctls; i++) {
		if (conf->sysctls[i].number != number)
			continue;
		*value = conf->sysctls[i].value;
		return true;
	}
	return conf->global->connection_sync == CONF_SYNC_FULL && ipvs_setting_of_sync(number, value);
}

static bool has_nat(const struct conf *conf, uint8_t family)
{
	for (uint32_t i = 0; i < conf->n_servers; i++)
		if (conf->servers[i].forward == CONF_FORWARD_NAT && conf->servers[i].addr.family == family)
			return true;
	return false;
}

static bool has_connection_limit(const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_services; i++)
		if (conf->services[i].client_connections)
			return true;
	return false;
}

static bool has_untracked_rate(const struct conf *conf)
{
	for (uint32_t i = 0; i < conf->n_services; i++) {
		const struct conf_service *s = &conf->services[i];

		if ((s->client_rate || s->service_rate) && s->protocol != 6)
			return true;
	}
	return false;
}

void ipvs_contradict(const struct conf *conf, uint32_t number, int64_t value, char *why)
{
	int64_t needed;

	why[0] = '\0';
	if (conf->global->connection_sync == CONF_SYNC_FULL && ipvs_setting_of_sync(number, &needed) && value != needed)
		snprintf(why, WHY_SIZE,
			"connection_sync full needs another value: some connections may be told late or not at all");
	else if (number == SYSCTL_IP_FORWARD && value == 0 && has_nat(conf, AF_INET))
		snprintf(why, WHY_SIZE, "it is off, so NAT servers get no packets: set lvs_sysctl { ip_forward 1 }");
	else if (number == SYSCTL_IP6_FORWARD && value == 0 && has_nat(conf, AF_INET6))
		snprintf(why, WHY_SIZE,
			"it is off, so IPv6 NAT servers get no packets: set lvs_sysctl { ip6_forward 1 }");
	else if (number == SYSCTL_CONNTRACK && value == 0 && has_connection_limit(conf))
		snprintf(why, WHY_SIZE,
			"it is off, so client_connection_limit counts nothing: set lvs_sysctl { conntrack 1 }");
	else if (number == SYSCTL_CONNTRACK && value == 0 && has_untracked_rate(conf))
		snprintf(why, WHY_SIZE,
			"it is off, so rate limits of services other than TCP count packets: set lvs_sysctl { "
			"conntrack "
			"1 }");
	else if (number == SYSCTL_RUN_ESTIMATION && value == 0)
		snprintf(why, WHY_SIZE, "it is off, so status shows no rates");
	else if (number == SYSCTL_SYNC_VERSION && value == 0 && conf->global->sync_interface)
		snprintf(why, WHY_SIZE,
			"the old format carries neither IPv6 nor timeouts: set lvs_sysctl { sync_version 1 }");
}
