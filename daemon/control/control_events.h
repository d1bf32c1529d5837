/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The events of all roles' rings, merged by time. A function of its arguments: the caller says how far it has seen. */
#ifndef POISE_CONTROL_EVENTS_H
#define POISE_CONTROL_EVENTS_H

#include "control_status.h"

/* Events in one answer; a client asks again for the rest. */
#define EVENTS_MAX 512

/* Writes {"events": [...], "after": {"vrrp": N, ...}, "lost": N, "more": false, "heard": [...]}. after[role] is the
 * last number the client has seen of a role's ring; a number beyond the ring's end (the daemon was started anew) begins
 * it again. Each event has "time", "role", "seq", "kind", "object", "text", "why" and where it applies "from" and "to".
 * "heard" are the streams of advertisements that each instance heard last, with their count. */
void events_write(
	struct writer *w, const char *key, const struct status_source *source, const uint64_t after[ROLE_COUNT]);

/* "instance", "server", ... */
const char *event_kind_name(enum event_kind kind);
/* The word for the value of `from` or `to` of such an event; NULL when it has no words. */
const char *event_value_name(enum event_kind kind, uint32_t value);

#endif
