/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers the master's Get and GetNext requests where they arrive. The library would hand each to an agent of its own
 * inside this process, through two pipes and back, and snmpd asks for every cell of a walk by itself: that way was the
 * half of a walk's time. Everything else stays with the library. Only agent.c includes this. */
#ifndef POISE_SNMP_AGENT_ANSWER_H
#define POISE_SNMP_AGENT_ANSWER_H

#include "library.h"

/* AgentX (RFC 2741, section 6.1). The library has these numbers in a header that it does not install. */
enum agentx_type {
	AGENTX_GET = 5,
	AGENTX_GET_NEXT = 6,
	AGENTX_RESPONSE = 18,
};

/* The answer to a Get or GetNext in the default context: what a master is to be sent, or NULL when memory is short or
 * when it is no such request. `snapshots` are fresh, NULL where nothing is registered; view NULL: nothing is there. */
netsnmp_pdu *agent_answer(
	const netsnmp_pdu *request, struct mib_snapshot *const *snapshots, unsigned n, const struct mib_view *view);
/* Is that a request for agent_answer()? */
bool agent_can_answer(const netsnmp_pdu *request);

#endif
