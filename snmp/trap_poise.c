/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The notifications of POISE-MIB, which carry the cause in words: one event alone, many of them in a list, and what was
 * held back. Pure; used by the snmp role. */
#include "trap_list.h"
#include "trap_parts.h"
#include <stdio.h>
#include <string.h>

enum poise_trap {
	POISE_INSTANCE_TRANSITION = 1,
	POISE_GROUP_TRANSITION,
	POISE_SERVER_TRANSITION,
	POISE_SERVER_ADMIN,
	POISE_SERVER_DRAINED,
	POISE_QUORUM_TRANSITION,
	POISE_ROLE_RESTART,
	POISE_CONFIG_REFUSED,
	POISE_PROTOCOL_ERROR,
	POISE_PROGRAM_ERROR,
	POISE_PANIC,
	POISE_CHECKS_LATE,
	POISE_SPLIT_BRAIN,
	POISE_COVERAGE,
	POISE_TRAPS_HELD,
	POISE_INSTANCES_TRANSITION,
	POISE_SERVERS_TRANSITION,
	POISE_SERVERS_ADMIN,
	POISE_SERVERS_DRAINED,
	POISE_QUORUMS_TRANSITION,
};

/* The objects that only notifications carry. */
enum poise_notify {
	POISE_NOTIFY_NAME = 1,
	POISE_NOTIFY_VRRP_FROM,
	POISE_NOTIFY_VRRP_TO,
	POISE_NOTIFY_HEALTH_FROM,
	POISE_NOTIFY_HEALTH_TO,
	POISE_NOTIFY_ADMIN_FROM,
	POISE_NOTIFY_ADMIN_TO,
	POISE_NOTIFY_QUORUM_MET,
	POISE_NOTIFY_SERVERS_UP,
	POISE_NOTIFY_SERVERS_TOTAL,
	POISE_NOTIFY_CAUSE,
	POISE_NOTIFY_TIME,
	POISE_NOTIFY_COUNT,
	POISE_NOTIFY_LIST, /* appended by whoever sends: struct trap has it apart */
	POISE_NOTIFY_ACTIVE,
	POISE_NOTIFY_LEFT_OUT,
};

static struct mib_value *poise_bind(struct trap *trap, enum poise_notify object)
{
	return BIND(trap, MIB_POISE, 1, 7, object, 0);
}

/* ---- one event ---- */
static struct trap *poise_trap(struct trap_list *list, enum poise_trap number, const struct event *ev)
{
	struct trap *trap = TRAP(list, MIB_POISE, 0, number);

	mib_octets(poise_bind(trap, POISE_NOTIFY_NAME), ev->name, strnlen(ev->name, sizeof(ev->name)));
	return trap;
}

/* Enumerations of the MIB begin at 1. */
static void poise_change(struct trap *trap, enum poise_notify from, const struct event *ev)
{
	mib_integer(poise_bind(trap, from), (int64_t)ev->from + 1);
	mib_integer(poise_bind(trap, from + 1), (int64_t)ev->to + 1);
}

static void poise_servers(
	struct trap *trap, const struct conf *conf, conf_index_t service, const struct trap_facts *facts)
{
	if (facts->object == CONF_NONE)
		return;
	mib_unsigned(poise_bind(trap, POISE_NOTIFY_SERVERS_UP), facts->servers_up);
	mib_unsigned(poise_bind(trap, POISE_NOTIFY_SERVERS_TOTAL), conf->services[service].servers.count);
}

static void poise_when_and_where(struct trap *trap, const struct conf *conf, int64_t real_us)
{
	struct mib_value time;

	if (mib_date(&time, real_us))
		*poise_bind(trap, POISE_NOTIFY_TIME) = time;
	mib_text(BIND(trap, MIB_POISE, 1, 1, 2, 0), conf_string(conf, conf->global->node));
}

static void poise_end(struct trap *trap, const struct conf *conf, const struct event *ev)
{
	mib_octets(poise_bind(trap, POISE_NOTIFY_CAUSE), ev->why, strnlen(ev->why, sizeof(ev->why)));
	poise_when_and_where(trap, conf, ev->real_us);
}

static void poise_simple(
	struct trap_list *list, enum poise_trap number, const struct conf *conf, const struct event *ev)
{
	poise_end(poise_trap(list, number, ev), conf, ev);
}

static void poise_transition(struct trap_list *list, enum poise_trap number, enum poise_notify from,
	const struct conf *conf, const struct event *ev)
{
	struct trap *trap = poise_trap(list, number, ev);

	poise_change(trap, from, ev);
	poise_end(trap, conf, ev);
}

/* What begins and ends. */
static void poise_trouble(
	struct trap_list *list, enum poise_trap number, const struct conf *conf, const struct event *ev, bool is_active)
{
	struct trap *trap = poise_trap(list, number, ev);

	mib_truth(poise_bind(trap, POISE_NOTIFY_ACTIVE), is_active);
	poise_end(trap, conf, ev);
}

static void poise_active(
	struct trap_list *list, enum poise_trap number, const struct conf *conf, const struct event *ev)
{
	poise_trouble(list, number, conf, ev, ev->to);
}

/* The trouble is that something is no longer so. */
static void poise_lost(struct trap_list *list, enum poise_trap number, const struct conf *conf, const struct event *ev)
{
	poise_trouble(list, number, conf, ev, !ev->to);
}

static void poise_server(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap = poise_trap(list, POISE_SERVER_TRANSITION, ev);

	poise_change(trap, POISE_NOTIFY_HEALTH_FROM, ev);
	poise_servers(trap, conf, facts->object != CONF_NONE ? conf->servers[facts->object].service : CONF_NONE, facts);
	poise_end(trap, conf, ev);
}

static void poise_quorum(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap = poise_trap(list, POISE_QUORUM_TRANSITION, ev);

	mib_truth(poise_bind(trap, POISE_NOTIFY_QUORUM_MET), ev->to);
	poise_servers(trap, conf, facts->object, facts);
	poise_end(trap, conf, ev);
}

void trap_poise(const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	switch (ev->kind) {
	case EVENT_INSTANCE:
		poise_transition(list, POISE_INSTANCE_TRANSITION, POISE_NOTIFY_VRRP_FROM, conf, ev);
		return;
	case EVENT_GROUP:
		poise_transition(list, POISE_GROUP_TRANSITION, POISE_NOTIFY_VRRP_FROM, conf, ev);
		return;
	case EVENT_SERVER:
		poise_server(conf, ev, facts, list);
		return;
	case EVENT_QUORUM:
		poise_quorum(conf, ev, facts, list);
		return;
	case EVENT_ADMIN:
		poise_transition(list, POISE_SERVER_ADMIN, POISE_NOTIFY_ADMIN_FROM, conf, ev);
		return;
	case EVENT_DRAINED:
		poise_simple(list, POISE_SERVER_DRAINED, conf, ev);
		return;
	case EVENT_ROLE:
		poise_simple(list, POISE_ROLE_RESTART, conf, ev);
		return;
	case EVENT_CONFIG:
		poise_simple(list, POISE_CONFIG_REFUSED, conf, ev);
		return;
	case EVENT_PROTOCOL:
		poise_simple(list, POISE_PROTOCOL_ERROR, conf, ev);
		return;
	case EVENT_PROGRAM:
		poise_simple(list, POISE_PROGRAM_ERROR, conf, ev);
		return;
	case EVENT_PANIC:
		poise_active(list, POISE_PANIC, conf, ev);
		return;
	case EVENT_CHECKS:
		poise_active(list, POISE_CHECKS_LATE, conf, ev);
		return;
	case EVENT_SPLIT:
		poise_active(list, POISE_SPLIT_BRAIN, conf, ev);
		return;
	case EVENT_COVERAGE:
		poise_lost(list, POISE_COVERAGE, conf, ev);
		return;
	}
}

/* ---- many events ---- */
static const struct list_kind {
	uint32_t kind;
	enum poise_trap trap;
	enum poise_notify to; /* the variable that says which way they went; 0 = there is only one */
	const char *what;
} list_kinds[] = {
	{EVENT_INSTANCE, POISE_INSTANCES_TRANSITION, POISE_NOTIFY_VRRP_TO, "instances"},
	{EVENT_SERVER, POISE_SERVERS_TRANSITION, POISE_NOTIFY_HEALTH_TO, "servers"},
	{EVENT_ADMIN, POISE_SERVERS_ADMIN, POISE_NOTIFY_ADMIN_TO, "servers"},
	{EVENT_DRAINED, POISE_SERVERS_DRAINED, 0, "servers"},
	{EVENT_QUORUM, POISE_QUORUMS_TRANSITION, POISE_NOTIFY_QUORUM_MET, "services"},
};

static const struct list_kind *list_kind_of(uint32_t kind)
{
	for (unsigned i = 0; i < sizeof(list_kinds) / sizeof(list_kinds[0]); i++) {
		if (list_kinds[i].kind == kind)
			return &list_kinds[i];
	}
	return &list_kinds[0];
}

/* An object in two parts: a server as its service and itself, else nothing and its name. */
struct list_name {
	char place[CONF_NAME_SIZE], name[CONF_NAME_SIZE];
};

/* The name in an event may be cut; the configuration has it whole. */
static void list_name_of(const struct conf *conf, const struct event *ev, struct list_name *out)
{
	conf_index_t object = trap_find_object(conf, ev);
	bool is_server = ev->kind == EVENT_SERVER || ev->kind == EVENT_ADMIN || ev->kind == EVENT_DRAINED;

	out->place[0] = '\0';
	if (object != CONF_NONE && is_server) {
		conf_service_name(conf, conf->servers[object].service, out->place);
		conf_server_name(conf, object, out->name);
	} else if (object != CONF_NONE && ev->kind == EVENT_QUORUM) {
		conf_service_name(conf, object, out->name);
	} else {
		snprintf(out->name, sizeof(out->name), "%.*s", (int)sizeof(ev->name), ev->name);
	}
}

/* Appends; false (and nothing changed) when there is no room. `kept` octets stay free behind it. */
static bool list_put(struct trap *trap, const char *text, size_t kept)
{
	size_t n = strlen(text);

	if (trap->list_length + n + kept > TRAP_LIST_MAX)
		return false;
	memcpy(trap->list + trap->list_length, text, n);
	trap->list_length += (uint32_t)n;
	return true;
}

/* "SERVICE: SERVER SERVER ...: CAUSE; " of those at the front that share both. Returns how many are in it; 0 = no
 * room. */
static uint32_t list_entry(const struct conf *conf, const struct roll_item *items, uint32_t n, struct trap *trap)
{
	char text[2 * CONF_NAME_SIZE + 8], end[sizeof(items->ev.why) + 4];
	struct list_name first, next;
	uint32_t used = 1;

	list_name_of(conf, &items[0].ev, &first);
	snprintf(end, sizeof(end), ": %.*s; ", (int)sizeof(items[0].ev.why), items[0].ev.why);
	snprintf(text, sizeof(text), "%s%s%s", first.place, first.place[0] ? ": " : "", first.name);
	if (!list_put(trap, text, strlen(end)))
		return 0;
	for (; used < n; used++) {
		if (strncmp(items[used].ev.why, items[0].ev.why, sizeof(items[0].ev.why)) != 0)
			break;
		list_name_of(conf, &items[used].ev, &next);
		snprintf(text, sizeof(text), " %s", next.name);
		if (strcmp(next.place, first.place) != 0 || !list_put(trap, text, strlen(end)))
			break;
	}
	list_put(trap, end, 0);
	return used;
}

static void list_end(const struct conf *conf, const struct list_kind *kind, const struct roll_item *items, uint32_t n,
	struct trap *trap)
{
	int64_t first_us = items[0].ev.real_us;
	char cause[80];

	for (uint32_t i = 1; i < n; i++)
		first_us = items[i].ev.real_us < first_us ? items[i].ev.real_us : first_us;
	mib_unsigned(poise_bind(trap, POISE_NOTIFY_COUNT), n);
	if (kind->to == POISE_NOTIFY_QUORUM_MET)
		mib_truth(poise_bind(trap, kind->to), items[0].ev.to);
	else if (kind->to)
		mib_integer(poise_bind(trap, kind->to), (int64_t)items[0].ev.to + 1);
	snprintf(cause, sizeof(cause), "%u %s at about the same time", n, kind->what);
	mib_text(poise_bind(trap, POISE_NOTIFY_CAUSE), cause);
	poise_when_and_where(trap, conf, first_us);
}

uint32_t trap_build_list(const struct conf *conf, const struct roll_item *items, uint32_t n, struct trap *trap)
{
	const struct list_kind *kind = list_kind_of(items[0].ev.kind);
	uint32_t used = 0, more;

	*trap = (struct trap){.oid = MIB_OID(MIB_POISE, 0, kind->trap)};
	do {
		more = list_entry(conf, items + used, n - used, trap);
		used += more;
	} while (more > 0 && used < n);
	trap->list_length -= 2; /* the last separator */
	list_end(conf, kind, items, used, trap);
	return used;
}

void trap_build_held(const struct conf *conf, const struct roll_work *work, int64_t real_us, struct trap *trap)
{
	char cause[160] = "more happened than may be told in the time (snmp_trap_rate); the lists have all of it";

	if (work->lost > 0)
		snprintf(cause, sizeof(cause),
			"%u changes were overwritten before they could be told, because the "
			"way out was blocked; the tables have what came of them",
			work->lost);
	*trap = (struct trap){.oid = MIB_OID(MIB_POISE, 0, POISE_TRAPS_HELD)};
	mib_unsigned(poise_bind(trap, POISE_NOTIFY_COUNT), work->held);
	mib_unsigned(poise_bind(trap, POISE_NOTIFY_LEFT_OUT), (uint64_t)work->left_out + work->lost);
	mib_text(poise_bind(trap, POISE_NOTIFY_CAUSE), cause);
	poise_when_and_where(trap, conf, real_us);
}
