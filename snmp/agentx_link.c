/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of the connection to the AgentX master: probe, connect, back off. Pure; the snmp role acts on it. */
#include "agentx_link.h"

static enum link_action link_probe(struct link *link, struct mono now)
{
	link->state = LINK_PROBING;
	link->deadline = mono_add(now, LINK_PROBE_US);
	return LINK_DO_PROBE;
}

/* Twice the last pause: a master that is absent for a week costs four tries a minute. */
static void link_wait(struct link *link, struct mono now)
{
	link->retry_us = link->retry_us == 0 ? LINK_RETRY_MIN_US : link->retry_us * 2;
	if (link->retry_us > LINK_RETRY_MAX_US)
		link->retry_us = LINK_RETRY_MAX_US;
	link->state = LINK_WAITING;
	link->deadline = mono_add(now, link->retry_us);
}

static enum link_action link_timer(struct link *link, struct mono now)
{
	if (!mono_is_set(link->deadline) || mono_before(now, link->deadline))
		return LINK_DO_NOTHING;
	switch (link->state) {
	case LINK_OFF:
	case LINK_UP:
		break;
	case LINK_WAITING:
		return link_probe(link, now);
	case LINK_PROBING:
		link_wait(link, now);
		return LINK_DO_CANCEL_PROBE;
	}
	return LINK_DO_NOTHING;
}

enum link_action link_step(struct link *link, enum link_event event, struct mono now)
{
	switch (event) {
	case LINK_START:
		return link->state == LINK_OFF ? link_probe(link, now) : LINK_DO_NOTHING;
	case LINK_TIMER:
		return link_timer(link, now);
	case LINK_PROBE_ANSWERED:
		if (link->state != LINK_PROBING)
			return LINK_DO_NOTHING;
		link->deadline = MONO_NEVER;
		return LINK_DO_OPEN;
	case LINK_PROBE_FAILED:
	case LINK_OPEN_FAILED:
		if (link->state == LINK_PROBING)
			link_wait(link, now);
		return LINK_DO_NOTHING;
	case LINK_OPENED:
		link->state = LINK_UP;
		link->retry_us = 0;
		link->deadline = MONO_NEVER;
		return LINK_DO_NOTHING;
	case LINK_LOST:
		if (link->state == LINK_UP)
			link_wait(link, now);
		return LINK_DO_NOTHING;
	}
	return LINK_DO_NOTHING;
}
