/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The SNMP library, hidden: the only file beside this one that knows net-snmp is agent.c. One agent a process, because
 * the library is full of globals. Everything that may block (connecting, registering) happens inside agent_open(),
 * agent_enable() and agent_close(), each exchange for AGENT_TIMEOUT_US at most. */
#ifndef POISE_SNMP_AGENT_H
#define POISE_SNMP_AGENT_H

#include "mib.h"
#include "trap_build.h"
#include <sys/select.h>

#define AGENT_TIMEOUT_US 333000
#define AGENT_SNAPSHOT_US US_PER_S /* how long a listing of rows is used */

struct agent_ops {
	/* What answers are computed from, now. NULL: there is no configuration. */
	const struct mib_view *(*view)(void *arg);
	/* The session with the master has ended. Called from within agent_read() and agent_housekeep(). */
	void (*lost)(void *arg);
};

/* Prepares the library for the master at `socket`, without connecting. Returns 0 or -errno. */
int agent_init(const char *socket, const struct agent_ops *ops, void *arg);
/* Connects, and registers what is enabled. Returns 0, or -1 when there is no session now. */
int agent_open(void);
bool agent_is_open(void);
/* Ends the session. */
void agent_close(void);

/* Registers or takes back a MIB; it is registered again with every new session. Returns 0 or -errno. */
int agent_enable(const struct mib *mib, bool enable);

/* The library's descriptors (valid until the next call of anything here). Returns how many were put into fds. */
int agent_descriptors(int *fds, int max);
/* Answers what is waiting on the library's descriptors. True: there was nothing but requests for cells, so the
 * descriptors are the same as before. */
bool agent_read(void);
/* Gives up on exchanges that were not answered in time. */
void agent_housekeep(void);

/* Is there room for a notification? A stopped master reads nothing, and sending into a full socket blocks. */
bool agent_can_send(void);
/* Returns 0 or -1. */
int agent_send(const struct trap *trap);
/* sysUpTime of the master in centiseconds. */
uint32_t agent_uptime_cs(void);

#endif
