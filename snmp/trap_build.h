/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an event to the notifications that tell of it. Pure: everything comes in, nothing is looked up. */
#ifndef POISE_SNMP_TRAP_BUILD_H
#define POISE_SNMP_TRAP_BUILD_H

#include "mib.h"

#define TRAP_BINDS_MAX 14
#define TRAP_LIST_MAX 1200 /* of poiseNotifyList: a notification fits into one packet with the rest */
#define TRAPS_PER_EVENT 4

struct trap_bind {
	struct mib_oid name;
	struct mib_value value;
};

/* sysUpTime.0 and snmpTrapOID.0 are left to the sender. */
struct trap {
	struct mib_oid oid;
	uint32_t n;
	struct trap_bind bind[TRAP_BINDS_MAX];
	uint32_t list_length; /* of poiseNotifyList, which is the last variable; 0 = none */
	char list[TRAP_LIST_MAX];
};

/* Which notifications of an event are wanted. */
enum trap_part {
	TRAP_PART_OLDER = 1, /* KEEPALIVED-MIB, VRRP-MIB, VRRPV3-MIB */
	TRAP_PART_POISE = 2,
};

struct trap_list {
	uint32_t n;
	struct trap trap[TRAPS_PER_EVENT];
};

/* What the boards say about the object of an event. */
struct trap_facts {
	conf_index_t object; /* in conf; CONF_NONE when the configuration no longer has it */
	uint32_t ifindex;    /* of an instance; its master and the reason (RFC 6527 vrrpv3StatisticsNewMasterReason) */
	struct addr master;
	struct addr error_source; /* who sent the last advertisement that was dropped */
	uint32_t new_master_reason;
	uint32_t servers_up; /* of the service */
};

/* The object of an event in this configuration: by number when it is of the same generation, else by name. CONF_NONE
 * when there is none (always for roles and the configuration itself). */
conf_index_t trap_find_object(const struct conf *conf, const struct event *ev);

/* Is the event of interest to anybody? */
bool trap_is_wanted(const struct conf *conf, const struct event *ev);
/* Do the older MIBs that are enabled have a notification for events like this? */
bool trap_has_older(const struct conf *conf, const struct event *ev);

/* Fills *list with the notifications of the event that belong to `parts` (enum trap_part), in the order in which they
 * are to be sent; none when the event is of no interest or its MIB is not enabled. */
void trap_build(const struct conf *conf, const struct event *ev, const struct trap_facts *facts, unsigned parts,
	struct trap_list *list);
#endif
