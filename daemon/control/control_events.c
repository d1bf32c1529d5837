/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened, from the event rings on the boards, oldest first; runs in the control process. It keeps nothing
 * between calls and never waits for a writer. */
#include "control_events.h"

const char *event_kind_name(enum event_kind kind)
{
	switch (kind) {
	case EVENT_INSTANCE:
		return "instance";
	case EVENT_GROUP:
		return "group";
	case EVENT_SERVER:
		return "server";
	case EVENT_QUORUM:
		return "quorum";
	case EVENT_ADMIN:
		return "admin";
	case EVENT_DRAINED:
		return "drained";
	case EVENT_ROLE:
		return "role";
	case EVENT_CONFIG:
		return "configuration";
	case EVENT_PROTOCOL:
		return "protocol";
	case EVENT_PROGRAM:
		return "kernel";
	case EVENT_PANIC:
		return "panic";
	case EVENT_CHECKS:
		return "checks";
	case EVENT_COMMAND:
		return "command";
	case EVENT_SPLIT:
		return "split";
	case EVENT_COVERAGE:
		return "coverage";
	case EVENT_PRIORITY:
		return "priority";
	case EVENT_LOWER:
		return "lower priority";
	case EVENT_BFD:
		return "bfd";
	case EVENT_ADVERT:
		return "advertisement";
	case EVENT_LINK:
		return "link";
	case EVENT_STALL:
		return "stall";
	case EVENT_KINDS:
		break;
	}
	return "unknown";
}

const char *event_value_name(enum event_kind kind, uint32_t value)
{
	switch (kind) {
	case EVENT_INSTANCE:
	case EVENT_GROUP:
	case EVENT_PRIORITY:
	case EVENT_LOWER:
	case EVENT_STALL:
		return vrrp_state_name((enum vrrp_state)value);
	case EVENT_BFD:
		return bfd_state_name((enum bfd_state)value);
	case EVENT_SERVER:
		return health_name((enum health)value);
	case EVENT_QUORUM:
		return value ? "met" : "lost";
	case EVENT_ADMIN:
		return admin_name((enum admin)value);
	case EVENT_ROLE:
		return role_state_name((enum role_state)value);
	case EVENT_CONFIG:
		return value ? "loaded" : "refused";
	case EVENT_PANIC:
		return value ? "panic" : "over";
	case EVENT_CHECKS:
		return value ? "late" : "on time";
	case EVENT_COMMAND:
		return value ? "done" : "refused";
	case EVENT_SPLIT:
		return value ? "suspected" : "over";
	case EVENT_LINK:
		return value ? "up" : "down";
	case EVENT_COVERAGE:
		return value ? "reached" : "lost";
	case EVENT_DRAINED:
	case EVENT_PROTOCOL:
	case EVENT_PROGRAM:
	case EVENT_ADVERT:
	case EVENT_KINDS:
		return NULL;
	}
	return NULL;
}

/* Kinds that only have a state afterwards. */
static bool has_from(enum event_kind kind)
{
	return kind == EVENT_INSTANCE || kind == EVENT_GROUP || kind == EVENT_SERVER || kind == EVENT_ADMIN ||
	       kind == EVENT_LINK;
}

/* The next event of one ring, not yet written. */
struct head {
	const struct board *board;
	enum role role;
	bool has_event;
	struct event event;
	uint64_t read;
};

static void write_event(struct writer *w, const struct head *head)
{
	const struct event *event = &head->event;
	enum event_kind kind = event->kind < EVENT_KINDS ? (enum event_kind)event->kind : EVENT_KINDS;
	const char *from = event_value_name(kind, event->from);
	const char *to = event_value_name(kind, event->to);

	writer_object(w, NULL);
	writer_time(w, "time", event->real_us);
	writer_string(w, "role", role_name(head->role));
	writer_count(w, "seq", event->seq);
	writer_string(w, "kind", event_kind_name(kind));
	writer_string(w, "object", event->name);
	if (from && has_from(kind))
		writer_string(w, "from", from);
	if (to)
		writer_string(w, "to", to);
	writer_string(w, "why", event->why);
	writer_end(w);
}

/* Looks at the ring's next event; overwritten ones are added to *lost. */
static void peek(struct head *head, uint64_t *lost)
{
	while (!head->has_event) {
		int rc = board_next_event(head->board, &head->read, &head->event);

		if (rc == 0)
			return;
		if (rc < 0)
			*lost += (uint64_t)-rc;
		else
			head->has_event = true;
	}
}

/* The ring whose next event is the oldest; NULL when there is none. */
static struct head *oldest(struct head *heads, unsigned count)
{
	struct head *best = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (heads[i].has_event && (!best || heads[i].event.real_us < best->event.real_us))
			best = &heads[i];
	}
	return best;
}

static void write_after(struct writer *w, const struct head *heads, unsigned count, uint64_t lost)
{
	bool more = false;

	writer_object(w, "after");
	for (unsigned i = 0; i < count; i++) {
		/* What was overwritten or unreadable before the next event is not asked for again. */
		uint64_t after = heads[i].has_event ? heads[i].event.seq - 1 : heads[i].read;

		writer_count(w, role_name(heads[i].role), after);
		more = more || heads[i].has_event;
	}
	writer_end(w);
	writer_count(w, "lost", lost);
	writer_bool(w, "more", more);
}

void events_write(
	struct writer *w, const char *key, const struct status_source *source, const uint64_t after[ROLE_COUNT])
{
	struct head heads[ROLE_COUNT], *head;
	struct status_daemon daemon = {0};
	uint64_t lost = 0;
	unsigned count = 0;

	for (int role = 0; role < ROLE_COUNT; role++) {
		const struct board *board = source->boards[role];

		if (!board)
			continue;
		heads[count] = (struct head){.board = board, .role = (enum role)role};
		heads[count].read = after[role] <= board_last_event(board) ? after[role] : 0;
		peek(&heads[count++], &lost);
	}
	writer_object(w, key);
	writer_array(w, "events");
	for (unsigned n = 0; n < EVENTS_MAX && (head = oldest(heads, count)); n++) {
		write_event(w, head);
		head->has_event = false;
		peek(head, &lost);
	}
	writer_end(w);
	write_after(w, heads, count, lost);
	/* Another daemon numbers its events anew. */
	if (source->conf)
		status_load(source, ROLE_PARENT, PARENT_TABLE_DAEMON, 0, &daemon, sizeof(daemon));
	writer_time(w, "started", daemon.started_real_us);
	status_write_heard(w, source);
	writer_end(w);
}
