/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the status document about virtual services and their servers; runs in the control process. A server's
 * state comes from three boards: the health checker's verdict, the operator's wish, and what ipvs made of both. */
#include "control_status.h"

#include "mono.h"
#include <netinet/in.h>
#include <stdio.h>

static const char *forward_name(enum conf_forward forward)
{
	switch (forward) {
	case CONF_FORWARD_NAT:
		return "nat";
	case CONF_FORWARD_DR:
		return "dr";
	case CONF_FORWARD_TUN:
		return "tun";
	case CONF_FORWARD_INHERIT:
		return "inherit";
	}
	return "unknown";
}

static void write_protocol(struct writer *w, const struct conf_service *service)
{
	if (service->protocol == IPPROTO_TCP)
		writer_string(w, "protocol", "tcp");
	else if (service->protocol == IPPROTO_UDP)
		writer_string(w, "protocol", "udp");
	else if (service->protocol == IPPROTO_SCTP)
		writer_string(w, "protocol", "sctp");
	else
		writer_null(w, "protocol");
}

static void write_group_entry(struct writer *w, const struct conf_group_entry *entry)
{
	char text[ADDR_TEXT];

	writer_object(w, NULL);
	if (entry->fwmark) {
		writer_count(w, "fwmark", entry->fwmark);
	} else {
		writer_string(w, "address", addr_format(&entry->first, text));
		if (!addr_equal(&entry->first, &entry->last))
			writer_string(w, "last_address", addr_format(&entry->last, text));
		writer_number(w, "port", entry->port);
	}
	writer_end(w);
}

/* What names the service: address and port, or a mark, or a group and its members. */
static void write_identity(struct writer *w, const struct conf *conf, const struct conf_service *service)
{
	const struct conf_service_group *group;
	char text[ADDR_TEXT];

	switch ((enum conf_service_kind)service->kind) {
	case CONF_SERVICE_ADDRESS:
		writer_string(w, "address", addr_format(&service->addr, text));
		writer_number(w, "port", service->port);
		return;
	case CONF_SERVICE_FWMARK:
		writer_count(w, "fwmark", service->fwmark);
		return;
	case CONF_SERVICE_GROUP:
		group = &conf->service_groups[service->group];
		writer_string(w, "group", conf_string(conf, group->name));
		writer_array(w, "members");
		for (uint32_t i = group->entries.first; i < group->entries.first + group->entries.count; i++)
			write_group_entry(w, &conf->group_entries[i]);
		writer_end(w);
		return;
	}
}

/* A second, as the kernel estimates them. */
static void write_rates(struct writer *w, const struct status_rates *rates)
{
	writer_count(w, "connections_per_second", rates->connections);
	writer_count(w, "packets_in_per_second", rates->packets_in);
	writer_count(w, "packets_out_per_second", rates->packets_out);
	writer_count(w, "bytes_in_per_second", rates->bytes_in);
	writer_count(w, "bytes_out_per_second", rates->bytes_out);
}

/* Everything the boards know about one server. */
struct server_view {
	struct status_health health;
	struct status_server ipvs;
	struct status_admin admin;
	bool has_health, has_ipvs;
	char absence[WHY_SIZE];
};

static void look_at_server(const struct status_source *source, conf_index_t index, struct server_view *v)
{
	enum role checker = conf_checker(source->conf, index);

	v->has_health = status_load(source, checker, HEALTH_TABLE_SERVER, index, &v->health, sizeof(v->health));
	if (!v->has_health && source->conf->servers[index].checks.count == 0) {
		v->has_health = true;
		v->health = status_unchecked();
	}
	v->has_ipvs = status_find_server(source, index, &v->ipvs);
	status_find_admin(source, index, &v->admin);
	/* Without a health checker the last verdict that ipvs acts on is the truth. */
	if (!v->has_health && v->has_ipvs)
		v->health.health = v->ipvs.health;
	v->absence[0] = '\0';
	if (!v->has_health)
		status_absence(source, checker, v->absence);
	else if (!v->has_ipvs)
		status_absence(source, ROLE_IPVS, v->absence);
}

/* The one cause that explains best why the server gets the traffic it gets. */
static const char *server_why(const struct server_view *v)
{
	if (v->admin.admin != ADMIN_NORMAL)
		return v->admin.why;
	if (v->has_health && v->health.health != HEALTH_UP)
		return v->health.why;
	if (v->absence[0])
		return v->absence;
	if (v->ipvs.why[0])
		return v->ipvs.why;
	return v->health.why;
}

static int64_t server_since(const struct server_view *v)
{
	if (v->admin.admin != ADMIN_NORMAL)
		return v->admin.since_real_us;
	return v->health.since_real_us ? v->health.since_real_us : v->ipvs.since_real_us;
}

/* How a drain ends; null while there is none. */
static void write_drain(struct writer *w, const struct server_view *v)
{
	if (v->admin.admin != ADMIN_DRAIN) {
		writer_null(w, "drain");
		return;
	}
	writer_object(w, "drain");
	writer_time(w, "until", v->admin.until_real_us);
	writer_string(w, "then", drain_end_name((enum drain_end)v->admin.drain_end));
	writer_bool(w, "keep_known", v->admin.keep_known != 0);
	/* The ipvs role may still tell of the drain before this one, which had another end. */
	writer_bool(w, "over",
		v->ipvs.drain_over != 0 && v->admin.until_real_us != 0 &&
			v->admin.until_real_us == v->ipvs.drain_until_real_us);
	writer_count(w, "cut", v->ipvs.drain_cut);
	writer_end(w);
}

void status_write_server(struct writer *w, const struct status_source *source, conf_index_t index, bool with_service)
{
	const struct conf *conf = source->conf;
	const struct conf_server *server = &conf->servers[index];
	char text[ADDR_TEXT], name[CONF_NAME_SIZE];
	struct server_view v;

	look_at_server(source, index, &v);
	writer_object(w, NULL);
	if (with_service)
		writer_string(w, "service", conf_service_name(conf, server->service, name));
	if (server->name)
		writer_string(w, "name", conf_string(conf, server->name));
	writer_string(w, "address", addr_format(&server->addr, text));
	writer_number(w, "port", server->port);
	writer_string(w, "forwarding", forward_name((enum conf_forward)server->forward));
	writer_number(w, "weight", server->weight);
	if (v.admin.weight >= 0)
		writer_number(w, "admin_weight", v.admin.weight);
	writer_number(w, "effective_weight", v.ipvs.effective_weight);
	writer_string(w, "health", health_name((enum health)v.health.health));
	writer_string(w, "health_why", v.has_health ? v.health.why : v.absence);
	writer_time(w, "health_since", v.health.since_real_us);
	writer_number(w, "health_weight_percent", v.has_health ? v.health.weight_percent : 100);
	writer_bool(w, "draining", v.health.is_draining != 0);
	writer_bool(w, "held_up", v.health.is_held != 0);
	writer_count(w, "response_us", v.health.response_us);
	writer_array(w, "checks");
	for (uint32_t i = server->checks.first; i < server->checks.first + server->checks.count; i++)
		status_write_check(w, source, i);
	writer_end(w);
	writer_string(w, "admin", admin_name((enum admin)v.admin.admin));
	writer_string(w, "admin_why", v.admin.why);
	writer_time(w, "admin_since", v.admin.since_real_us);
	write_drain(w, &v);
	writer_count(w, "active", v.ipvs.active);
	writer_count(w, "inactive", v.ipvs.inactive);
	writer_count(w, "persistent", v.ipvs.persistent);
	writer_count(w, "connections", v.ipvs.connections);
	writer_count(w, "packets_in", v.ipvs.packets_in);
	writer_count(w, "packets_out", v.ipvs.packets_out);
	writer_count(w, "bytes_in", v.ipvs.bytes_in);
	writer_count(w, "bytes_out", v.ipvs.bytes_out);
	write_rates(w, &v.ipvs.rates);
	writer_bool(w, "programmed", v.ipvs.is_programmed != 0);
	writer_bool(w, "drained", v.ipvs.is_drained != 0);
	writer_time(w, "since", server_since(&v));
	writer_string(w, "why", server_why(&v));
	writer_end(w);
}

static void write_service(struct writer *w, const struct status_source *source, conf_index_t index)
{
	const struct conf *conf = source->conf;
	const struct conf_service *service = &conf->services[index];
	struct status_service status;
	char name[CONF_NAME_SIZE], absence[WHY_SIZE];
	bool known = status_load(source, ROLE_IPVS, IPVS_TABLE_SERVICE, index, &status, sizeof(status));

	writer_object(w, NULL);
	writer_string(w, "name", conf_service_name(conf, index, name));
	write_identity(w, conf, service);
	write_protocol(w, service);
	writer_number(w, "line", service->line);
	writer_string(w, "scheduler", conf_string(conf, service->scheduler));
	writer_string(w, "forwarding", forward_name((enum conf_forward)service->forward));
	writer_number(w, "persistence", service->persistence_us / US_PER_S);
	writer_bool(w, "quorum", status.quorum_met != 0);
	writer_count(w, "quorum_needed", service->quorum);
	writer_count(w, "servers_up", status.servers_up);
	writer_count(w, "servers_total", service->servers.count);
	writer_bool(w, "programmed", status.is_programmed != 0);
	writer_bool(w, "absent", status.is_absent != 0);
	writer_count(w, "connections", status.connections);
	writer_count(w, "packets_in", status.packets_in);
	writer_count(w, "packets_out", status.packets_out);
	writer_count(w, "bytes_in", status.bytes_in);
	writer_count(w, "bytes_out", status.bytes_out);
	write_rates(w, &status.rates);
	writer_time(w, "since", status.since_real_us);
	writer_string(w, "why", known ? status.why : status_absence(source, ROLE_IPVS, absence));
	writer_array(w, "servers");
	for (uint32_t i = service->servers.first; i < service->servers.first + service->servers.count; i++)
		status_write_server(w, source, i, false);
	writer_end(w);
	writer_bool(w, "sorry_active", status.sorry_active != 0);
	writer_array(w, "sorry_servers");
	if (service->sorry != CONF_NONE)
		status_write_server(w, source, service->sorry, false);
	writer_end(w);
	writer_end(w);
}

void status_write_services(struct writer *w, const struct status_source *source)
{
	writer_array(w, "services");
	for (conf_index_t i = 0; i < source->conf->n_services; i++)
		write_service(w, source, i);
	writer_end(w);
}
