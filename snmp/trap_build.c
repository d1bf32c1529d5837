/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which notifications an event causes, with which variables: those of KEEPALIVED-MIB, the standard VRRP MIBs and
 * POISE-MIB. Pure; used by the snmp role, which finds out the facts before and sends the result afterwards. */
#include "trap_build.h"
#include <netinet/in.h>
#include <string.h>

/* ---- finding the object ---- */
static bool server_has_name(const struct conf *conf, conf_index_t server, const char *name)
{
	char service[CONF_NAME_SIZE], text[CONF_NAME_SIZE];
	size_t length;

	conf_service_name(conf, conf->servers[server].service, service);
	length = strlen(service);
	if (strncmp(name, service, length) != 0 || name[length] != ' ')
		return false;
	return strcmp(name + length + 1, conf_server_name(conf, server, text)) == 0;
}

static bool object_has_name(const struct conf *conf, uint32_t kind, conf_index_t i, const char *name)
{
	char text[CONF_NAME_SIZE];

	switch (kind) {
	case EVENT_INSTANCE:
	case EVENT_PROTOCOL:
		return strcmp(conf_string(conf, conf->instances[i].name), name) == 0;
	case EVENT_GROUP:
		return strcmp(conf_string(conf, conf->groups[i].name), name) == 0;
	case EVENT_QUORUM:
	case EVENT_PROGRAM:
		return strcmp(conf_service_name(conf, i, text), name) == 0;
	}
	return server_has_name(conf, i, name);
}

static uint32_t object_count(const struct conf *conf, uint32_t kind)
{
	switch (kind) {
	case EVENT_INSTANCE:
	case EVENT_PROTOCOL:
		return conf->n_instances;
	case EVENT_GROUP:
		return conf->n_groups;
	case EVENT_SERVER:
	case EVENT_ADMIN:
	case EVENT_DRAINED:
		return conf->n_servers;
	case EVENT_QUORUM:
	case EVENT_PROGRAM:
		return conf->n_services;
	}
	return 0; /* roles and the configuration are no objects of it */
}

conf_index_t trap_find_object(const struct conf *conf, const struct event *ev)
{
	uint32_t n = object_count(conf, ev->kind);

	if (ev->generation == conf->generation)
		return ev->object < n ? ev->object : CONF_NONE;
	/* A name that fills its field may have been cut: better none than the wrong one. */
	if (strnlen(ev->name, sizeof(ev->name)) >= sizeof(ev->name) - 1)
		return CONF_NONE;
	for (uint32_t i = 0; i < n; i++) {
		if (object_has_name(conf, ev->kind, i, ev->name))
			return i;
	}
	return CONF_NONE;
}

/* ---- variables ---- */
static struct trap *trap_add(struct trap_list *list, const struct mib_oid *oid)
{
	struct trap *trap = &list->trap[list->n < TRAPS_PER_EVENT ? list->n++ : TRAPS_PER_EVENT - 1];

	trap->oid = *oid;
	trap->n = 0;
	return trap;
}

/* The next variable of the trap; the caller fills the value. */
static struct mib_value *bind_add(struct trap *trap, const struct mib_oid *name)
{
	struct trap_bind *bind = &trap->bind[trap->n < TRAP_BINDS_MAX ? trap->n++ : TRAP_BINDS_MAX - 1];

	bind->name = *name;
	return &bind->value;
}

#define TRAP(list, ...) trap_add(list, &(struct mib_oid)MIB_OID(__VA_ARGS__))
#define BIND(trap, ...) bind_add(trap, &(struct mib_oid)MIB_OID(__VA_ARGS__))

/* ---- KEEPALIVED-MIB: columns without a row index, as its receivers know them ---- */
#define KA_TRAP_GROUP MIB_KEEPALIVED, 2, 10, 0, 1
#define KA_TRAP_INSTANCE MIB_KEEPALIVED, 2, 10, 0, 2
#define KA_TRAP_SERVER MIB_KEEPALIVED, 3, 5, 0, 1
#define KA_TRAP_QUORUM MIB_KEEPALIVED, 3, 5, 0, 2
#define KA_GROUP MIB_KEEPALIVED, 2, 1, 1
#define KA_INSTANCE MIB_KEEPALIVED, 2, 3, 1
#define KA_SERVICE MIB_KEEPALIVED, 3, 3, 1
#define KA_SERVER MIB_KEEPALIVED, 3, 4, 1
#define KA_STATE_SHUTDOWN 5

/* An instance enters INIT only when its router goes away; KEEPALIVED-MIB calls that shutdown. */
static int32_t ka_state(uint32_t state)
{
	return state == VRRP_INIT ? KA_STATE_SHUTDOWN : (int32_t)state;
}

static void ka_router_id(struct trap *trap, const struct conf *conf)
{
	mib_text(BIND(trap, MIB_KEEPALIVED, 1, 2, 0), conf_string(conf, conf->global->node));
}

static void ka_instance(const struct conf *conf, const struct event *ev, conf_index_t i, struct trap_list *list)
{
	const struct conf_instance *ci = &conf->instances[i];
	struct trap *trap = TRAP(list, KA_TRAP_INSTANCE);

	mib_text(BIND(trap, KA_INSTANCE, 2), conf_string(conf, ci->name));
	mib_integer(BIND(trap, KA_INSTANCE, 4), ka_state(ev->to));
	mib_integer(BIND(trap, KA_INSTANCE, 5), ci->initial == CONF_INITIAL_MASTER ? VRRP_MASTER : VRRP_BACKUP);
	ka_router_id(trap, conf);
}

static void ka_group(const struct conf *conf, const struct event *ev, conf_index_t i, struct trap_list *list)
{
	struct trap *trap = TRAP(list, KA_TRAP_GROUP);

	mib_text(BIND(trap, KA_GROUP, 2), conf_string(conf, conf->groups[i].name));
	mib_integer(BIND(trap, KA_GROUP, 3), ka_state(ev->to));
	ka_router_id(trap, conf);
}

/* Type and identity; protocol is 1 for TCP and 2 for everything else in notifications. */
static void ka_service(struct trap *trap, const struct conf *conf, const struct conf_service *cs)
{
	switch ((enum conf_service_kind)cs->kind) {
	case CONF_SERVICE_FWMARK:
		mib_integer(BIND(trap, KA_SERVICE, 2), 1);
		mib_unsigned(BIND(trap, KA_SERVICE, 4), cs->fwmark);
		break;
	case CONF_SERVICE_ADDRESS:
		mib_integer(BIND(trap, KA_SERVICE, 2), 2);
		mib_inet_type(BIND(trap, KA_SERVICE, 5), cs->addr.family);
		mib_inet_address(BIND(trap, KA_SERVICE, 6), &cs->addr);
		mib_unsigned(BIND(trap, KA_SERVICE, 7), cs->port);
		break;
	case CONF_SERVICE_GROUP:
		mib_integer(BIND(trap, KA_SERVICE, 2), 3);
		mib_text(BIND(trap, KA_SERVICE, 3),
			cs->group != CONF_NONE ? conf_string(conf, conf->service_groups[cs->group].name) : "");
		break;
	}
	mib_integer(BIND(trap, KA_SERVICE, 8), cs->protocol == IPPROTO_TCP ? 1 : 2);
}

static void ka_server(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	const struct conf_server *server = &conf->servers[facts->object];
	const struct conf_service *service = &conf->services[server->service];
	struct trap *trap = TRAP(list, KA_TRAP_SERVER);

	mib_inet_type(BIND(trap, KA_SERVER, 3), server->addr.family);
	mib_inet_address(BIND(trap, KA_SERVER, 4), &server->addr);
	mib_unsigned(BIND(trap, KA_SERVER, 5), server->port);
	mib_truth(BIND(trap, KA_SERVER, 6), ev->to == HEALTH_UP);
	ka_service(trap, conf, service);
	mib_unsigned(BIND(trap, KA_SERVICE, 21), facts->servers_up);
	mib_unsigned(BIND(trap, KA_SERVICE, 20), service->servers.count);
	ka_router_id(trap, conf);
}

static void ka_quorum(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	const struct conf_service *service = &conf->services[facts->object];
	struct trap *trap = TRAP(list, KA_TRAP_QUORUM);

	ka_service(trap, conf, service);
	mib_truth(BIND(trap, KA_SERVICE, 23), ev->to);
	mib_unsigned(BIND(trap, KA_SERVICE, 22), service->quorum);
	mib_unsigned(BIND(trap, KA_SERVICE, 21), facts->servers_up);
	mib_unsigned(BIND(trap, KA_SERVICE, 20), service->servers.count);
	ka_router_id(trap, conf);
}

/* ---- the standard VRRP MIBs: columns with their row index ---- */
static void v2_new_master(const struct conf_instance *ci, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap = TRAP(list, MIB_VRRP2, 0, 1);

	mib_ip_address(BIND(trap, MIB_VRRP2, 1, 3, 1, 7, facts->ifindex, ci->vrid), &facts->master);
}

static uint32_t v3_family(const struct conf_instance *ci)
{
	return ci->family == AF_INET6 ? 2 : 1;
}

static void v3_new_master(const struct conf_instance *ci, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap = TRAP(list, MIB_VRRP3, 0, 1);

	if (!mib_inet_address(
		    BIND(trap, MIB_VRRP3, 1, 1, 1, 1, 3, facts->ifindex, ci->vrid, v3_family(ci)), &facts->master))
		trap->n = 0; /* no address to tell: leave the variable out */
	mib_integer(BIND(trap, MIB_VRRP3, 1, 2, 5, 1, 2, facts->ifindex, ci->vrid, v3_family(ci)),
		(int32_t)facts->new_master_reason);
}

/* vrrpv3StatisticsProtoErrReason; 0 = no notification for this one. */
static int32_t v3_protocol_error(uint32_t drop)
{
	switch (drop) {
	case VRRP_DROP_TTL:
		return 1;
	case VRRP_DROP_VERSION:
		return 2;
	case VRRP_DROP_CHECKSUM:
		return 3;
	case VRRP_DROP_VRID:
		return 4;
	}
	return 0;
}

static void v3_protocol(
	const struct conf_instance *ci, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	int32_t reason = v3_protocol_error(ev->to);
	struct trap *trap;

	if (reason == 0)
		return;
	trap = TRAP(list, MIB_VRRP3, 0, 2);
	mib_integer(BIND(trap, MIB_VRRP3, 1, 2, 5, 1, 6, facts->ifindex, ci->vrid, v3_family(ci)), reason);
}

/* ---- POISE-MIB ---- */
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
};

static struct mib_value *poise_bind(struct trap *trap, enum poise_notify object)
{
	return BIND(trap, MIB_POISE, 1, 7, object, 0);
}

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

static void poise_end(struct trap *trap, const struct conf *conf, const struct event *ev)
{
	struct mib_value time;

	mib_octets(poise_bind(trap, POISE_NOTIFY_CAUSE), ev->why, strnlen(ev->why, sizeof(ev->why)));
	if (mib_date(&time, ev->real_us))
		*poise_bind(trap, POISE_NOTIFY_TIME) = time;
	mib_text(BIND(trap, MIB_POISE, 1, 1, 2, 0), conf_string(conf, conf->global->node));
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

/* ---- events ---- */
static void build_instance(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	const struct conf_global *g = conf->global;

	if (facts->object != CONF_NONE) {
		const struct conf_instance *ci = &conf->instances[facts->object];

		if (g->snmp_vrrp)
			ka_instance(conf, ev, facts->object, list);
		if (g->snmp_rfcv2 && ev->to == VRRP_MASTER && ci->version == 2 && ci->family == AF_INET)
			v2_new_master(ci, facts, list);
		if (g->snmp_rfcv3 && ev->to == VRRP_MASTER)
			v3_new_master(ci, facts, list);
	}
	poise_transition(list, POISE_INSTANCE_TRANSITION, POISE_NOTIFY_VRRP_FROM, conf, ev);
}

static void build_group(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	if (conf->global->snmp_vrrp && facts->object != CONF_NONE)
		ka_group(conf, ev, facts->object, list);
	poise_transition(list, POISE_GROUP_TRANSITION, POISE_NOTIFY_VRRP_FROM, conf, ev);
}

static void build_server(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	bool is_known = facts->object != CONF_NONE;
	struct trap *trap;

	/* The first success of a server that was taken for up all along is no news: thousands of them at every start.
	 */
	if (ev->from == HEALTH_UNKNOWN && ev->to == HEALTH_UP && !(is_known && conf->servers[facts->object].alpha))
		return;
	if (ev->to == HEALTH_UNKNOWN)
		return;
	if (is_known && conf->global->snmp_checker)
		ka_server(conf, ev, facts, list);
	trap = poise_trap(list, POISE_SERVER_TRANSITION, ev);
	poise_change(trap, POISE_NOTIFY_HEALTH_FROM, ev);
	poise_servers(trap, conf, is_known ? conf->servers[facts->object].service : CONF_NONE, facts);
	poise_end(trap, conf, ev);
}

static void build_quorum(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap;

	if (facts->object != CONF_NONE && conf->global->snmp_checker)
		ka_quorum(conf, ev, facts, list);
	trap = poise_trap(list, POISE_QUORUM_TRANSITION, ev);
	mib_truth(poise_bind(trap, POISE_NOTIFY_QUORUM_MET), ev->to);
	poise_servers(trap, conf, facts->object, facts);
	poise_end(trap, conf, ev);
}

static void build_protocol(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	if (conf->global->snmp_rfcv3 && facts->object != CONF_NONE)
		v3_protocol(&conf->instances[facts->object], ev, facts, list);
	poise_simple(list, POISE_PROTOCOL_ERROR, conf, ev);
}

void trap_build(const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	list->n = 0;
	if (!conf->global->snmp_traps)
		return;
	switch (ev->kind) {
	case EVENT_INSTANCE:
		build_instance(conf, ev, facts, list);
		return;
	case EVENT_GROUP:
		build_group(conf, ev, facts, list);
		return;
	case EVENT_SERVER:
		build_server(conf, ev, facts, list);
		return;
	case EVENT_QUORUM:
		build_quorum(conf, ev, facts, list);
		return;
	case EVENT_ADMIN: /* another weight is none */
		if (ev->from != ev->to)
			poise_transition(list, POISE_SERVER_ADMIN, POISE_NOTIFY_ADMIN_FROM, conf, ev);
		return;
	case EVENT_DRAINED:
		poise_simple(list, POISE_SERVER_DRAINED, conf, ev);
		return;
	case EVENT_ROLE: /* a role that died or was killed waits before it is started again */
		if (ev->to == ROLE_BACKOFF)
			poise_simple(list, POISE_ROLE_RESTART, conf, ev);
		return;
	case EVENT_CONFIG:
		if (!ev->to)
			poise_simple(list, POISE_CONFIG_REFUSED, conf, ev);
		return;
	case EVENT_PROTOCOL:
		build_protocol(conf, ev, facts, list);
		return;
	case EVENT_PROGRAM:
		poise_simple(list, POISE_PROGRAM_ERROR, conf, ev);
		return;
	}
}
