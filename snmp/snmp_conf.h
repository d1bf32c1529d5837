/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the snmp role takes from a configuration, and from its predecessor. */
#ifndef POISE_SNMP_CONF_H
#define POISE_SNMP_CONF_H

#include "conf.h"
#include "status.h"

/* Is anything to be served through an AgentX master? */
bool snmp_conf_wants(const struct conf *conf);
/* Where the AgentX master listens: snmp_socket, or the usual place. */
const char *snmp_conf_socket(const struct conf *conf);
/* Registers the MIBs that are asked for and takes back the others. */
void snmp_conf_enable(const struct conf *conf);
/* snmpEngineBoots has to grow with every start, or receivers take our traps for replayed ones: half the seconds since
 * 2020 do, with the clock right and no file to keep; the predecessor's number helps when it is not. */
uint32_t snmp_conf_boots(const struct status_snmp *predecessor);

#endif
