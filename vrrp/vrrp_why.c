/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Causes and names of the state machine in words, for log lines, the status board and notifications. Pure. */
#include "vrrp_fsm.h"
#include <stdio.h>
#include <string.h>

const char *vrrp_fault_text(enum vrrp_fault fault, const char *object, char *buf, size_t size)
{
	const char *form = "%s";

	switch (fault) {
	case VRRP_FAULT_NO_INTERFACE:
		form = "interface %s does not exist";
		break;
	case VRRP_FAULT_LINK_DOWN:
		form = "interface %s is down";
		break;
	case VRRP_FAULT_NO_CARRIER:
		form = "interface %s has no carrier";
		break;
	case VRRP_FAULT_NO_SOURCE:
		/* An address when one is configured, else the interface. */
		form = addr_parse(object, &(struct addr){0}) == 0
			       ? "%s, the source of advertisements, is on no interface"
			       : "interface %s has no address to send from";
		break;
	case VRRP_FAULT_SOCKET:
		form = "no socket on %s";
		break;
	case VRRP_FAULT_NO_PEER:
		form = "unicast without any peer%s";
		object = "";
		break;
	case VRRP_FAULT_NO_KEY:
		form = "auth_hmac without a key to sign with%s";
		object = "";
		break;
	case VRRP_FAULT_TRACK:
		form = "tracked %s has failed";
		break;
	case VRRP_FAULT_GROUP:
		form = "sync group: %s";
		break;
	case VRRP_FAULT_COUNT:
		break;
	}
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(buf, size, form, object);
#pragma GCC diagnostic pop
	return buf;
}

static const char *who_text(const struct addr *who, char text[ADDR_TEXT])
{
	return addr_is_set(who) ? addr_format(who, text) : "any router";
}

static void election_text(const struct vrrp_cause *cause, char *buf, size_t size)
{
	char text[ADDR_TEXT];
	const char *who = who_text(&cause->who, text);
	size_t n;

	if (cause->kind == VRRP_CAUSE_NO_ADVERT)
		snprintf(buf, size, "no advertisement from %s for %lld ms", who,
			(long long)(cause->span_us / US_PER_MS));
	else if (cause->kind == VRRP_CAUSE_HANDED_OVER)
		snprintf(buf, size, "%s handed over (priority 0)", who);
	else if (cause->kind == VRRP_CAUSE_PREEMPTED)
		snprintf(buf, size, "our priority %u is over the %u of %s", cause->own_priority, cause->priority, who);
	else if (cause->kind == VRRP_CAUSE_HIGHER_PRIORITY)
		snprintf(buf, size, "%s has priority %u over our %u", who, cause->priority, cause->own_priority);
	else
		snprintf(buf, size, "%s has our priority %u and the higher address", who, cause->own_priority);
	n = strlen(buf);
	if (cause->kind == VRRP_CAUSE_PREEMPTED && cause->hold[0])
		snprintf(buf + n, size - n, ", %s", cause->hold);
	n = strlen(buf);
	if (cause->text[0])
		snprintf(buf + n, size - n, " (with sync group %s)", cause->text);
}

/* Changes that somebody wanted. */
static void planned_text(const struct vrrp_cause *cause, char *buf, size_t size)
{
	long long span_ms = cause->span_us / US_PER_MS;
	char who[ADDR_TEXT];

	addr_format(&cause->who, who);
	if (cause->kind == VRRP_CAUSE_TAKEN_BACK)
		snprintf(buf, size, "taken back on request from %s, whose priority is %u", who, cause->priority);
	else if (cause->kind == VRRP_CAUSE_GAVE_AWAY)
		snprintf(buf, size, "handed over on request to %s, which took over after %lld ms", who, span_ms);
	else if (addr_is_set(&cause->who))
		snprintf(buf, size, "stopped, %s took over after %lld ms", who, span_ms);
	else if (span_ms > 0)
		snprintf(buf, size, "stopped, nobody took over within %lld ms", span_ms);
	else
		snprintf(buf, size, "stopped");
}

static void fault_text(const struct vrrp_cause *cause, const char *form, char *buf, size_t size)
{
	char what[VRRP_TEXT_SIZE + 48];
	int n;

	vrrp_fault_text(cause->fault, cause->text, what, sizeof(what));
	n = snprintf(buf, size, "%s%s", form, what);
	if (cause->kind == VRRP_CAUSE_RECOVERED && n > 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, " (for %lld ms)", (long long)(cause->span_us / US_PER_MS));
}

const char *vrrp_why(const struct vrrp_cause *cause, char *buf, size_t size)
{
	long long span_ms = cause->span_us / US_PER_MS;
	char who[ADDR_TEXT];

	switch ((enum vrrp_cause_kind)cause->kind) {
	case VRRP_CAUSE_NONE:
	case VRRP_CAUSE_COUNT:
		snprintf(buf, size, "not started");
		break;
	case VRRP_CAUSE_STARTED:
		snprintf(buf, size, "started, listening first");
		break;
	case VRRP_CAUSE_OWNER:
		snprintf(buf, size, "owner of the addresses (priority 255)");
		break;
	case VRRP_CAUSE_NO_ADVERT:
	case VRRP_CAUSE_HANDED_OVER:
	case VRRP_CAUSE_PREEMPTED:
	case VRRP_CAUSE_HIGHER_PRIORITY:
	case VRRP_CAUSE_HIGHER_ADDRESS:
		election_text(cause, buf, size);
		break;
	case VRRP_CAUSE_FAULT:
		fault_text(cause, "", buf, size);
		break;
	case VRRP_CAUSE_RECOVERED:
		fault_text(cause, "recovered from: ", buf, size);
		break;
	case VRRP_CAUSE_GROUP_MASTER:
		snprintf(buf, size, "every member of sync group %s can be master", cause->text);
		break;
	case VRRP_CAUSE_GROUP_BACKUP:
		snprintf(buf, size, "sync group: %s", cause->text);
		break;
	case VRRP_CAUSE_RESUMED:
		snprintf(buf, size, "restarted %lld ms after the last advertisement, in time to go on", span_ms);
		break;
	case VRRP_CAUSE_TOO_LATE:
		snprintf(buf, size,
			"restarted %lld ms after the last advertisement, too late to go on: listening first", span_ms);
		break;
	case VRRP_CAUSE_STALLED:
		snprintf(buf, size, "this process was held up for %lld ms, %s is master meanwhile: listening first",
			span_ms, addr_format(&cause->who, who));
		break;
	case VRRP_CAUSE_STOPPED:
	case VRRP_CAUSE_GAVE_AWAY:
	case VRRP_CAUSE_TAKEN_BACK:
		planned_text(cause, buf, size);
		break;
	}
	return buf;
}

const char *vrrp_event_name(enum vrrp_event_kind kind)
{
	static const char *const names[VRRP_EVENT_KINDS] = {
		[VRRP_EVENT_START] = "start",
		[VRRP_EVENT_RESUME] = "resume",
		[VRRP_EVENT_TIMER] = "timer",
		[VRRP_EVENT_ADVERT] = "advert",
		[VRRP_EVENT_FAULTS] = "faults",
		[VRRP_EVENT_PRIORITY] = "priority",
		[VRRP_EVENT_SOURCE] = "source",
		[VRRP_EVENT_RELOAD] = "reload",
		[VRRP_EVENT_GROUP_MASTER] = "group-master",
		[VRRP_EVENT_GROUP_BACKUP] = "group-backup",
		[VRRP_EVENT_GROUP_FAULT] = "group-fault",
		[VRRP_EVENT_STOP] = "stop",
		[VRRP_EVENT_LEAVE] = "leave",
		[VRRP_EVENT_HANDOVER] = "handover",
		[VRRP_EVENT_TAKE_BACK] = "take-back",
		[VRRP_EVENT_DEAF] = "deaf",
		[VRRP_EVENT_HEARD] = "heard",
		[VRRP_EVENT_HOLD] = "hold",
	};

	return kind < VRRP_EVENT_KINDS ? names[kind] : "?";
}

const char *vrrp_action_name(enum vrrp_action_kind kind)
{
	switch (kind) {
	case VRRP_ACTION_SEND:
		return "send";
	case VRRP_ACTION_ACQUIRE:
		return "acquire";
	case VRRP_ACTION_RELEASE:
		return "release";
	case VRRP_ACTION_ANNOUNCE:
		return "announce";
	case VRRP_ACTION_STATE:
		return "state";
	case VRRP_ACTION_ASK_GROUP:
		return "ask-group";
	}
	return "?";
}
