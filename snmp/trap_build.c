/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which notifications an event causes, with which variables: those of KEEPALIVED-MIB and the standard VRRP MIBs; those
 * of POISE-MIB are in trap_poise.c. Pure; used by the snmp role, which finds out the facts before and sends the result
 * afterwards. */
#include "trap_parts.h"
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
	case EVENT_SPLIT:
		return strcmp(conf_string(conf, conf->instances[i].name), name) == 0;
	case EVENT_GROUP:
		return strcmp(conf_string(conf, conf->groups[i].name), name) == 0;
	case EVENT_QUORUM:
	case EVENT_PROGRAM:
	case EVENT_PANIC:
		return strcmp(conf_service_name(conf, i, text), name) == 0;
	}
	return server_has_name(conf, i, name);
}

static uint32_t object_count(const struct conf *conf, uint32_t kind)
{
	switch (kind) {
	case EVENT_INSTANCE:
	case EVENT_PROTOCOL:
	case EVENT_SPLIT:
		return conf->n_instances;
	case EVENT_GROUP:
		return conf->n_groups;
	case EVENT_SERVER:
	case EVENT_ADMIN:
	case EVENT_DRAINED:
		return conf->n_servers;
	case EVENT_QUORUM:
	case EVENT_PROGRAM:
	case EVENT_PANIC:
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
struct trap *trap_add(struct trap_list *list, const struct mib_oid *oid)
{
	struct trap *trap = &list->trap[list->n < TRAPS_PER_EVENT ? list->n++ : TRAPS_PER_EVENT - 1];

	trap->oid = *oid;
	trap->n = trap->list_length = 0;
	return trap;
}

struct mib_value *trap_bind_add(struct trap *trap, const struct mib_oid *name)
{
	struct trap_bind *bind = &trap->bind[trap->n < TRAP_BINDS_MAX ? trap->n++ : TRAP_BINDS_MAX - 1];

	bind->name = *name;
	return &bind->value;
}

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

/* vrrpTrapAuthErrorType; 0 = no notification for this one. */
static int32_t v2_auth_error(uint32_t drop)
{
	switch (drop) {
	case VRRP_DROP_AUTH_TYPE:
		return 1;
	case VRRP_DROP_AUTH_MISMATCH:
		return 2;
	case VRRP_DROP_AUTH_FAILURE:
		return 3;
	}
	return 0;
}

/* The two variables are scalars: .0, although keepalived appends the index of the row. */
static void v2_auth(const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap = TRAP(list, MIB_VRRP2, 0, 2);

	mib_ip_address(BIND(trap, MIB_VRRP2, 1, 5, 0), &facts->error_source);
	mib_integer(BIND(trap, MIB_VRRP2, 1, 6, 0), v2_auth_error(ev->to));
}

static void v3_protocol(
	const struct conf_instance *ci, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	struct trap *trap = TRAP(list, MIB_VRRP3, 0, 2);

	mib_integer(BIND(trap, MIB_VRRP3, 1, 2, 5, 1, 6, facts->ifindex, ci->vrid, v3_family(ci)),
		v3_protocol_error(ev->to));
}

/* ---- events ---- */
static bool is_vrrp2(const struct conf_instance *ci)
{
	return ci->version == 2 && ci->family == AF_INET;
}

static void older_instance(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	const struct conf_instance *ci = &conf->instances[facts->object];
	const struct conf_global *g = conf->global;

	if (g->snmp_vrrp && g->snmp_keepalived)
		ka_instance(conf, ev, facts->object, list);
	if (g->snmp_rfcv2 && ev->to == VRRP_MASTER && is_vrrp2(ci))
		v2_new_master(ci, facts, list);
	if (g->snmp_rfcv3 && ev->to == VRRP_MASTER)
		v3_new_master(ci, facts, list);
}

static void older_protocol(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	const struct conf_instance *ci = &conf->instances[facts->object];

	if (conf->global->snmp_rfcv2 && is_vrrp2(ci) && v2_auth_error(ev->to))
		v2_auth(ev, facts, list);
	if (conf->global->snmp_rfcv3 && v3_protocol_error(ev->to))
		v3_protocol(ci, ev, facts, list);
}

static void build_older(
	const struct conf *conf, const struct event *ev, const struct trap_facts *facts, struct trap_list *list)
{
	const struct conf_global *g = conf->global;

	switch (ev->kind) {
	case EVENT_INSTANCE:
		older_instance(conf, ev, facts, list);
		return;
	case EVENT_GROUP:
		if (g->snmp_vrrp && g->snmp_keepalived)
			ka_group(conf, ev, facts->object, list);
		return;
	case EVENT_SERVER:
		if (g->snmp_checker && g->snmp_keepalived)
			ka_server(conf, ev, facts, list);
		return;
	case EVENT_QUORUM:
		if (g->snmp_checker && g->snmp_keepalived)
			ka_quorum(conf, ev, facts, list);
		return;
	case EVENT_PROTOCOL:
		older_protocol(conf, ev, facts, list);
		return;
	}
}

bool trap_has_older(const struct conf *conf, const struct event *ev)
{
	const struct conf_global *g = conf->global;

	switch (ev->kind) {
	case EVENT_INSTANCE:
		return (g->snmp_vrrp && g->snmp_keepalived) ||
		       (ev->to == VRRP_MASTER && (g->snmp_rfcv2 || g->snmp_rfcv3));
	case EVENT_GROUP:
		return g->snmp_vrrp && g->snmp_keepalived;
	case EVENT_SERVER:
	case EVENT_QUORUM:
		return g->snmp_checker && g->snmp_keepalived;
	case EVENT_PROTOCOL:
		return (g->snmp_rfcv2 && v2_auth_error(ev->to)) || (g->snmp_rfcv3 && v3_protocol_error(ev->to));
	}
	return false;
}

/* The first success of a server that was taken for up all along is no news: thousands of them at every start. */
static bool server_is_news(const struct conf *conf, const struct event *ev)
{
	conf_index_t object = trap_find_object(conf, ev);

	if (ev->to == HEALTH_UNKNOWN)
		return false;
	return ev->from != HEALTH_UNKNOWN || ev->to != HEALTH_UP ||
	       (object != CONF_NONE && conf->servers[object].alpha);
}

bool trap_is_wanted(const struct conf *conf, const struct event *ev)
{
	switch (ev->kind) {
	case EVENT_SERVER:
		return server_is_news(conf, ev);
	case EVENT_ADMIN: /* another weight is no news */
		return ev->from != ev->to;
	case EVENT_ROLE: /* a role that died or was killed waits before it is started again */
		return ev->to == ROLE_BACKOFF;
	case EVENT_CONFIG:
		return !ev->to;
	case EVENT_COMMAND: /* what came of it is an event of its own */
		return false;
	}
	return true;
}

void trap_build(const struct conf *conf, const struct event *ev, const struct trap_facts *facts, unsigned parts,
	struct trap_list *list)
{
	list->n = 0;
	if (!trap_is_wanted(conf, ev))
		return;
	if ((parts & TRAP_PART_OLDER) && facts->object != CONF_NONE)
		build_older(conf, ev, facts, list);
	if (parts & TRAP_PART_POISE)
		trap_poise(conf, ev, facts, list);
}
