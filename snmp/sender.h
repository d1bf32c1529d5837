/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifications straight to their receivers, without an snmpd: version 2c and version 3 (USM), unacknowledged or as
 * informs that are sent again until they are acknowledged or given up. Nothing here blocks: the engine of a receiver is
 * discovered while its informs wait. Only this file and library.c beside agent.c know net-snmp. */
#ifndef POISE_SNMP_SENDER_H
#define POISE_SNMP_SENDER_H

#include "conf.h"
#include "loop.h"
#include "status.h"
#include "trap_build.h"

#define SENDER_WAITING_MAX 1000 /* informs on their way to one receiver; what is more is given up at once */
#define SENDER_ENGINE_ID_MAX 32

struct sender;

struct sender_ops {
	/* The state of a receiver (an index of conf->trap_targets) has changed. */
	void (*changed)(void *arg, uint32_t target, const struct status_trap_target *status);
};

/* NULL when memory is short. */
struct sender *sender_new(struct loop *loop, const struct sender_ops *ops, void *arg);
/* The receivers of this configuration from now on. What was on its way to one that is no more, or is another one now,
 * is given up (and logged). boots: snmpEngineBoots, which must grow with every start of the process. */
void sender_configure(struct sender *sender, const struct conf *conf, uint32_t boots);
uint32_t sender_targets(const struct sender *sender);
/* Sends to every receiver. uptime_cs: sysUpTime; about: the object, for the log if the inform is given up. */
void sender_send(struct sender *sender, const struct trap *trap, uint32_t uptime_cs, const char *about);
/* Is anything on its way that is not acknowledged? */
bool sender_is_waiting(const struct sender *sender);
/* Gives up what is on its way. */
void sender_free(struct sender *sender);

/* Our engine ID: as configured, else made from the node's name (RFC 3411: text, format 4). Returns its length. */
size_t sender_engine_id(const struct conf *conf, uint8_t id[SENDER_ENGINE_ID_MAX]);

#endif
