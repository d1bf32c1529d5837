/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document that an operator reads first: what is not as it should be, each with its cause; runs
 * in the control process. A server that is down or drained is no problem of its own, a lost quorum is. */
#include "control_status.h"
#include "sysctls.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct problems {
	struct writer *w;
	unsigned count;
};

static void __attribute__((format(printf, 3, 4))) add(struct problems *p, const char *object, const char *fmt, ...)
{
	char text[2 * WHY_SIZE];
	va_list ap;

	if (p->count++ >= STATUS_PROBLEMS)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	writer_object(p->w, NULL);
	writer_string(p->w, "object", object);
	writer_string(p->w, "text", text);
	writer_end(p->w);
}

static void find_in_daemon(struct problems *p, const struct status_source *source)
{
	struct status_daemon daemon;
	struct status_role role;

	if (!status_load(source, ROLE_PARENT, PARENT_TABLE_DAEMON, 0, &daemon, sizeof(daemon)))
		return;
	if (!daemon.last_reload_ok)
		add(p, "configuration", "the last reload was refused: %s", daemon.why);
	for (int i = ROLE_PARENT + 1; i < ROLE_COUNT; i++) {
		if (!status_load(source, ROLE_PARENT, PARENT_TABLE_ROLE, (uint32_t)i, &role, sizeof(role)))
			continue;
		if (role.state == ROLE_BACKOFF || role.state == ROLE_STARTING)
			add(p, role_name((enum role)i), "%s: %s", role_state_name((enum role_state)role.state),
				role.why);
		else if (role.state == ROLE_RUNNING && role.cpu_percent >= STATUS_BUSY_PERCENT)
			add(p, role_name((enum role)i), "used %u %% of a core in the last minute", role.cpu_percent);
	}
}

static void find_in_pair(struct problems *p, const struct status_source *source)
{
	struct status_pair pair;
	struct status_sync sync;

	if (status_load(source, ROLE_PAIR, PAIR_TABLE_PEER, 0, &pair, sizeof(pair))) {
		if (pair.state == PAIR_NO_KEY || pair.state == PAIR_SILENT)
			add(p, "pair", "%s", pair.why);
		if (pair.config_differs)
			add(p, "pair", "the configuration differs from that of %s in %u objects", pair.peer_node,
				pair.config_differs);
	}
	if (!status_load(source, ROLE_IPVS, IPVS_TABLE_SYNC, 0, &sync, sizeof(sync)) || !sync.is_full)
		return;
	if (!sync.is_ready)
		add(p, "connection_sync", "connections are not told to the other node: %s", sync.why);
	else if (sync.settings_error)
		add(p, "connection_sync", "a setting net.ipv4.vs.sync_* could not be made: see the log");
}

static void find_in_snmp(struct problems *p, const struct status_source *source)
{
	struct status_trap_target target;
	struct status_snmp snmp;
	char text[ADDR_TEXT];

	if (!status_load(source, ROLE_SNMP, SNMP_TABLE_AGENT, 0, &snmp, sizeof(snmp)))
		return;
	if (snmp.is_enabled && !snmp.is_connected)
		add(p, "snmp", "%s", snmp.why);
	for (uint32_t i = 0; i < source->conf->n_trap_targets; i++) {
		const struct conf_trap_target *t = &source->conf->trap_targets[i];

		if (status_load(source, ROLE_SNMP, SNMP_TABLE_TARGET, i, &target, sizeof(target)) &&
			target.state == TRAP_TARGET_SILENT)
			add(p, "snmp", "receiver %s: %s (%llu notifications given up)",
				addr_format_port(&t->addr, t->port, text), target.why,
				(unsigned long long)target.failed);
	}
}

/* One line for all addresses of an instance that the kernel refused. */
static void find_in_addresses(struct problems *p, const struct status_source *source, const struct conf_instance *i)
{
	struct status_address status;
	char text[ADDR_TEXT];

	for (uint32_t k = i->addresses.first; k < i->addresses.first + i->addresses.count; k++) {
		if (!status_load(source, ROLE_VRRP, VRRP_TABLE_ADDRESS, k, &status, sizeof(status)) ||
			!status.last_error)
			continue;
		add(p, conf_string(source->conf, i->name), "the kernel refused address %s: %s",
			addr_format(&source->conf->addresses[k].addr, text), strerror((int)status.last_error));
		return;
	}
}

/* One line for all routes, or rules, that the kernel refused. */
static void find_in_paths(struct problems *p, const struct status_source *source, unsigned table)
{
	const struct conf *conf = source->conf;
	uint32_t n = table == VRRP_TABLE_ROUTE ? conf->n_routes : conf->n_rules;
	struct status_address status;
	char name[CONF_NAME_SIZE];

	for (uint32_t i = 0; i < n; i++) {
		conf_index_t owner = table == VRRP_TABLE_ROUTE ? conf->routes[i].instance : conf->rules[i].instance;

		if (!status_load(source, ROLE_VRRP, table, i, &status, sizeof(status)) || !status.last_error)
			continue;
		add(p, owner == CONF_NONE ? "static" : conf_string(conf, conf->instances[owner].name),
			"the kernel refused %s: %s",
			table == VRRP_TABLE_ROUTE ? conf_route_name(conf, i, name) : conf_rule_name(conf, i, name),
			strerror((int)status.last_error));
		return;
	}
}

static void find_in_vrrp(struct problems *p, const struct status_source *source)
{
	const struct conf *conf = source->conf;
	struct status_instance status;
	char absence[WHY_SIZE], text[ADDR_TEXT];

	find_in_paths(p, source, VRRP_TABLE_ROUTE);
	find_in_paths(p, source, VRRP_TABLE_RULE);
	if (conf->n_instances == 0)
		return;
	if (!status_load(source, ROLE_VRRP, VRRP_TABLE_INSTANCE, 0, &status, sizeof(status))) {
		add(p, "vrrp", "%s", status_absence(source, ROLE_VRRP, absence));
		return;
	}
	for (conf_index_t i = 0; i < conf->n_instances; i++) {
		bool known = status_load(source, ROLE_VRRP, VRRP_TABLE_INSTANCE, i, &status, sizeof(status));

		if (known && status.state == VRRP_FAULT)
			add(p, conf_string(conf, conf->instances[i].name), "FAULT: %s", status.why);
		if (known && addr_is_set(&status.rival))
			add(p, conf_string(conf, conf->instances[i].name),
				"split brain suspected: %s goes on advertising as master although this node does%s%s",
				addr_format(&status.rival, text),
				status.rival_drop ? ", and does not count here: " : "",
				status.rival_drop ? vrrp_drop_name((enum vrrp_drop)status.rival_drop) : "");
		find_in_addresses(p, source, &conf->instances[i]);
	}
}

static void find_in_services(struct problems *p, const struct status_source *source)
{
	const struct conf *conf = source->conf;
	struct status_service status;
	struct status_ipvs ipvs;
	char absence[WHY_SIZE], name[CONF_NAME_SIZE];

	if (conf->n_services == 0)
		return;
	if (!status_load(source, ROLE_IPVS, IPVS_TABLE_ROLE, 0, &ipvs, sizeof(ipvs))) {
		add(p, "ipvs", "%s", status_absence(source, ROLE_IPVS, absence));
		return;
	}
	if (!ipvs.kernel_ok) {
		add(p, "ipvs", "%s", ipvs.why);
		return;
	}
	for (conf_index_t i = 0; i < conf->n_services; i++) {
		if (!status_load(source, ROLE_IPVS, IPVS_TABLE_SERVICE, i, &status, sizeof(status)))
			continue;
		if (status.is_absent)
			continue;
		if (!status.is_programmed)
			add(p, conf_service_name(conf, i, name), "not in the kernel: %s", status.why);
		else if (!status.quorum_met)
			add(p, conf_service_name(conf, i, name), "quorum lost: %s", status.why);
	}
}

/* A pool in panic and checks that do not run are loud, whatever else is well. */
static void find_in_checks(struct problems *p, const struct status_source *source)
{
	struct status_checks s;

	if (!status_find_checks(source, &s))
		return;
	if (s.late)
		add(p, "checks", "%s", s.why);
	if (s.pools_in_panic)
		add(p, "checks",
			"%u pool%s in panic: more servers are down than panic_threshold allows, so all of them serve",
			s.pools_in_panic, s.pools_in_panic == 1 ? " is" : "s are");
}

/* Settings of the kernel that contradict the configuration, and guard rails that do not stand. */
static void find_in_rails(struct problems *p, const struct status_source *source)
{
	struct status_sysctl s;
	struct status_guard g;
	char name[CONF_NAME_SIZE];

	for (uint32_t i = 0; i < SYSCTLS; i++)
		if (status_load(source, ROLE_IPVS, IPVS_TABLE_SYSCTL, i, &s, sizeof(s)) && s.why[0])
			add(p, sysctls_known[i].name, "%s", s.why);
	for (conf_index_t i = 0; i < source->conf->n_services; i++)
		if (status_load(source, ROLE_IPVS, IPVS_TABLE_GUARD, i, &g, sizeof(g)) && g.is_wanted && !g.is_applied)
			add(p, conf_service_name(source->conf, i, name), "guard rails are not in the kernel: %s",
				g.why);
}

static void find_in_bfd(struct problems *p, const struct status_source *source)
{
	struct status_bfd s;
	char object[CONF_NAME_SIZE];

	for (conf_index_t i = 0; i < source->conf->n_bfds; i++) {
		if (!status_load(source, ROLE_VRRP, VRRP_TABLE_BFD, i, &s, sizeof(s)) || s.session.state == BFD_UP)
			continue;
		snprintf(object, sizeof(object), "bfd %.150s", conf_string(source->conf, source->conf->bfds[i].name));
		add(p, object, "the session is %s: %s", bfd_state_name((enum bfd_state)s.session.state), s.why);
	}
}

void status_write_problems(struct writer *w, const struct status_source *source)
{
	struct problems problems = {.w = w};

	writer_array(w, "problems");
	find_in_daemon(&problems, source);
	find_in_vrrp(&problems, source);
	find_in_bfd(&problems, source);
	find_in_services(&problems, source);
	find_in_checks(&problems, source);
	find_in_pair(&problems, source);
	find_in_snmp(&problems, source);
	find_in_rails(&problems, source);
	writer_end(w);
	writer_count(w, "problems_total", problems.count);
}
