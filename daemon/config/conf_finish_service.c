/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completes services, servers and checks when the whole file is read: groups are looked up, ports and forwarding are
 * settled, and what a check does not say comes from its server, its service, or the default. Runs in the config role.
 */
#include "conf_finish.h"
#include "conf_probe.h"
#include <netinet/in.h>
#include <string.h>

/* Marks of folded groups lie within so many numbers. */
#define FOLD_MARKS 1000000u

#define PERSISTENCE_DEFAULT (360 * CONF_S)

static struct conf_service *service(struct conf_load *load, conf_index_t i)
{
	return conf_builder_at(load->builder, CONF_TABLE_SERVICE, i);
}

static struct conf_server *server(struct conf_load *load, conf_index_t i)
{
	return conf_builder_at(load->builder, CONF_TABLE_SERVER, i);
}

static const struct conf_node *service_node(struct conf_load *load, conf_index_t i)
{
	return conf_object_node(load, CONF_TABLE_SERVICE, i);
}

static uint32_t group_family(struct conf_load *load, const struct conf_service_group *g)
{
	for (uint32_t i = 0; i < g->entries.count; i++) {
		const struct conf_group_entry *e =
			conf_builder_at(load->builder, CONF_TABLE_GROUP_ENTRY, g->entries.first + i);

		if (e->first.family)
			return e->first.family;
	}
	return AF_UNSPEC;
}

/* The family of a mark or a group: what was said, else that of its addresses, else that of its servers. */
static void finish_family(struct conf_load *load, conf_index_t index, const struct conf_service_group *group)
{
	struct conf_service *s = service(load, index);
	const struct conf_extra *extra = conf_extra(load, CONF_TABLE_SERVICE, index);

	s->family = s->addr.family;
	if (s->kind != CONF_SERVICE_ADDRESS)
		s->family = extra->family ? (uint32_t)extra->family : AF_UNSPEC;
	if (!s->family && group)
		s->family = group_family(load, group);
	if (!s->family && s->servers.count)
		s->family = server(load, s->servers.first)->addr.family;
	if (!s->family)
		s->family = AF_INET;
}

static void finish_protocol(struct conf_load *load, conf_index_t index)
{
	struct conf_service *s = service(load, index);

	if (s->kind == CONF_SERVICE_FWMARK) {
		if (s->protocol)
			conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, index, "protocol"), 0,
				"a service by firewall mark has no protocol" CONF_MEANING "it is ignored");
		s->protocol = 0;
	} else if (!s->protocol) {
		/* One that is none was reported where it stands. */
		if (conf_statement(load, CONF_TABLE_SERVICE, index, "protocol") == service_node(load, index))
			conf_warn(load, service_node(load, index), 0,
				"no protocol given" CONF_MEANING
				"UDP is taken, as keepalived does (write protocol TCP if that is meant)");
		s->protocol = IPPROTO_UDP;
	}
}

static void finish_port(struct conf_load *load, conf_index_t index)
{
	struct conf_service *s = service(load, index);

	if (conf_extra(load, CONF_TABLE_SERVICE, index)->granularity && !s->persistence_us) {
		conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, index, "persistence_granularity"), 0,
			"persistence_granularity without persistence_timeout: 360 seconds are taken");
		s->persistence_us = PERSISTENCE_DEFAULT;
	}
	if (s->kind != CONF_SERVICE_ADDRESS || s->port || s->persistence_us)
		return;
	conf_warn(load, service_node(load, index), 0,
		"a service on all ports must be persistent" CONF_MEANING "persistence_timeout 360 is taken");
	s->persistence_us = PERSISTENCE_DEFAULT;
}

/* A quorum beyond all weights would never be reached. */
static void finish_quorum(struct conf_load *load, conf_index_t index)
{
	struct conf_service *s = service(load, index);
	uint64_t total = 0;

	for (uint32_t k = 0; k < s->servers.count; k++)
		total += (uint64_t)server(load, s->servers.first + k)->weight;
	if (s->quorum <= 1 || s->quorum <= total || s->servers.count == 0)
		return;
	if (total == 0)
		total = 1;
	conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, index, "quorum"), 1,
		"the weights of all servers are less than the quorum of %u" CONF_MEANING "%u is taken", s->quorum,
		(uint32_t)total);
	s->quorum = (uint32_t)total;
}

static void finish_limits(struct conf_load *load, conf_index_t index)
{
	struct conf_service *s = service(load, index);

	if (s->one_packet && s->protocol != IPPROTO_UDP) {
		conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, index, "ops"), 0,
			"ops is for UDP services" CONF_MEANING "it is ignored");
		s->one_packet = 0;
	}
	finish_quorum(load, index);
	if (s->hysteresis >= s->quorum && s->hysteresis) {
		conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, index, "hysteresis"), 1,
			"hysteresis must be less than quorum" CONF_MEANING "%u is taken", s->quorum - 1);
		s->hysteresis = s->quorum - 1;
	}
}

static bool mark_is_taken(struct conf_load *load, uint32_t mark)
{
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_SERVICE); i++)
		if (service(load, i)->fwmark == mark)
			return true;
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_GROUP_ENTRY); i++) {
		const struct conf_group_entry *e = conf_builder_at(load->builder, CONF_TABLE_GROUP_ENTRY, i);

		if (e->fwmark == mark)
			return true;
	}
	return false;
}

/* The mark of a folded group follows from its name and protocol alone: another group that comes or goes does not change
 * it, and both routers, who tell each other of connections by mark, have the same. */
static uint32_t choose_mark(struct conf_load *load, conf_index_t index, const char *name)
{
	const struct conf_global *g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	uint32_t hash = 2166136261u ^ service(load, index)->protocol, mark;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	mark = g->fold_first_mark + (hash >> 8) % FOLD_MARKS;
	while (mark_is_taken(load, mark))
		mark++;
	return mark;
}

static void finish_service(struct conf_load *load, conf_index_t index)
{
	struct conf_service *s = service(load, index);
	const struct conf_extra *extra = conf_extra(load, CONF_TABLE_SERVICE, index);
	const struct conf_service_group *group = NULL;
	const struct conf_global *global = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	conf_string_t wlc = conf_text(load, "wlc");

	if (s->kind == CONF_SERVICE_GROUP) {
		s->group =
			conf_name_find(load, CONF_TABLE_SERVICE_GROUP, conf_builder_text(load->builder, extra->group));
		if (s->group != CONF_NONE)
			group = conf_builder_at(load->builder, CONF_TABLE_SERVICE_GROUP, s->group);
		else
			conf_error(load, service_node(load, index), 2, "there is no virtual_server_group %s",
				conf_builder_text(load->builder, extra->group));
	}
	if (!s->scheduler) {
		conf_warn(
			load, service_node(load, index), 0, "no lvs_sched (lb_algo) given" CONF_MEANING "wlc is taken");
		s->scheduler = wlc;
	}
	if (s->forward == CONF_FORWARD_INHERIT) {
		conf_warn(load, service_node(load, index), 0,
			"no lvs_method (lb_kind) given" CONF_MEANING "NAT is taken");
		s->forward = CONF_FORWARD_NAT;
	}
	if (!conf_given(load, &conf_service_block, index, "smtp_alert"))
		s->smtp_alert = load->defaults.smtp_alert > 0 || load->defaults.smtp_alert_checker > 0;
	finish_family(load, index, group);
	finish_protocol(load, index);
	if (group && global->fold_groups)
		s->fwmark = choose_mark(load, index, conf_builder_text(load->builder, group->name));
	finish_port(load, index);
	finish_limits(load, index);
}

/* ---- servers ---- */

/* Direct routing and tunnels cannot change the port, and a mark has none. */
static void finish_server_port(struct conf_load *load, conf_index_t index)
{
	struct conf_server *s = server(load, index);
	const struct conf_service *v = service(load, s->service);

	if (v->kind == CONF_SERVICE_GROUP && !v->fwmark)
		return;
	if (v->fwmark) {
		if (s->port && s->forward != CONF_FORWARD_NAT) {
			if (v->kind == CONF_SERVICE_FWMARK)
				conf_warn(load, conf_object_node(load, CONF_TABLE_SERVER, index), 2,
					"without NAT a service by firewall mark keeps the port of each packet; port %u "
					"is only "
					"used by the checks",
					s->port);
			s->port = 0;
		}
		return;
	}
	if (s->forward == CONF_FORWARD_NAT) {
		if (!s->port)
			s->port = v->port;
		return;
	}
	if (s->port && s->port != v->port)
		conf_warn(load, conf_object_node(load, CONF_TABLE_SERVER, index), 2,
			"with %s the port cannot change: %u is taken instead of %u",
			s->forward == CONF_FORWARD_DR ? "DR" : "TUN", v->port, s->port);
	s->port = v->port;
}

/* Servers send alerts unless the global values say otherwise. */
static bool wants_alerts(struct conf_load *load)
{
	if (conf_given(load, &conf_global_block, 0, "smtp_alert_checker"))
		return load->defaults.smtp_alert_checker > 0;
	if (conf_given(load, &conf_global_block, 0, "smtp_alert"))
		return load->defaults.smtp_alert > 0;
	return true;
}

/* A value that is the inherited one anyway needs no question whether it was given: there are very many servers. */
static void finish_server(struct conf_load *load, conf_index_t index, bool alerts)
{
	struct conf_server *s = server(load, index);
	const struct conf_service *v = service(load, s->service);
	const struct conf_extra *extra = conf_extra(load, CONF_TABLE_SERVICE, s->service);
	uint16_t written = s->port;

	if (s->forward == CONF_FORWARD_INHERIT) {
		s->forward = v->forward;
		s->tunnel = v->tunnel;
	}
	finish_server_port(load, index);
	if (s->port != written)
		conf_extra_write(load, CONF_TABLE_SERVER, index)->written_port = written;
	if (s->is_sorry)
		return;
	if (s->inhibit_on_failure != v->inhibit_on_failure &&
		!conf_given(load, &conf_server_block, index, "inhibit_on_failure"))
		s->inhibit_on_failure = v->inhibit_on_failure;
	if (extra->weight >= 0 && !conf_given(load, &conf_server_block, index, "weight"))
		s->weight = (uint32_t)extra->weight;
	if (s->alpha != v->alpha && !conf_given(load, &conf_server_block, index, "alpha"))
		s->alpha = v->alpha;
	if (s->smtp_alert != alerts && !conf_given(load, &conf_server_block, index, "smtp_alert"))
		s->smtp_alert = alerts;
}

/* ---- checks ---- */

/* The first of the values that was given (not negative). */
static int64_t first_of(int64_t own, int64_t of_server, int64_t of_service, int64_t otherwise)
{
	if (own >= 0)
		return own;
	if (of_server >= 0)
		return of_server;
	return of_service >= 0 ? of_service : otherwise;
}

static void finish_times(struct conf_load *load, struct conf_check *c)
{
	const struct conf_extra *r = conf_extra(load, CONF_TABLE_SERVER, c->server);
	const struct conf_extra *v = conf_extra(load, CONF_TABLE_SERVICE, server(load, c->server)->service);
	bool http = c->kind == CONF_CHECK_HTTP || c->kind == CONF_CHECK_SSL;
	int64_t retry = c->retry == UINT32_MAX ? -1 : (int64_t)c->retry, delay;

	if (c->kind == CONF_CHECK_MISC)
		c->connect_timeout_us = -1;
	c->interval_us = first_of(c->interval_us, r->delay_loop_us, v->delay_loop_us, 60 * CONF_S);
	c->connect_timeout_us =
		first_of(c->connect_timeout_us, r->connect_timeout_us, v->connect_timeout_us, 5 * CONF_S);
	delay = c->kind == CONF_CHECK_DNS ? c->interval_us : (http ? 3 : 1) * CONF_S;
	c->delay_before_retry_us =
		first_of(c->delay_before_retry_us, r->delay_before_retry_us, v->delay_before_retry_us, delay);
	c->retry = (uint32_t)first_of(retry, r->retry, v->retry,
		c->kind == CONF_CHECK_MISC || c->kind == CONF_CHECK_BFD ? 0
		: c->kind == CONF_CHECK_DNS                             ? 3
									: 1);
	if (c->fall)
		c->retry = c->fall - 1;
	c->warmup_us = first_of(c->warmup_us, r->warmup_us, v->warmup_us, c->interval_us);
}

/* For a server that says no port; 0 where there is no usual one. */
static uint16_t default_port(uint32_t kind)
{
	switch ((enum conf_check_kind)kind) {
	case CONF_CHECK_HTTP:
		return 80;
	case CONF_CHECK_SSL:
	case CONF_CHECK_TLS:
		return 443;
	case CONF_CHECK_SMTP:
		return 25;
	case CONF_CHECK_DNS:
		return 53;
	case CONF_CHECK_TCP:
	case CONF_CHECK_MISC:
	case CONF_CHECK_UDP:
	case CONF_CHECK_PING:
	case CONF_CHECK_FILE:
	case CONF_CHECK_AGENT:
	case CONF_CHECK_GRPC:
	case CONF_CHECK_BFD:
	case CONF_CHECK_KINDS:
		return 0;
	}
	return 0;
}

static void finish_check(struct conf_load *load, conf_index_t index)
{
	struct conf_check *c = conf_builder_at(load->builder, CONF_TABLE_CHECK, index);
	const struct conf_server *s = server(load, c->server);
	const struct conf_service *v = service(load, s->service);
	const struct conf_extra *extra = conf_extra(load, CONF_TABLE_SERVER, c->server);

	finish_times(load, c);
	conf_ssl_finish(load, c);
	if (!conf_given(load, conf_check_block(c->kind), index, "alpha"))
		c->alpha = s->alpha;
	if (c->kind == CONF_CHECK_FILE)
		conf_file_check_finish(load, index);
	if (c->kind == CONF_CHECK_BFD)
		conf_bfd_check_finish(load, index);
	if (c->kind == CONF_CHECK_MISC || c->kind == CONF_CHECK_FILE || c->kind == CONF_CHECK_BFD)
		return;
	if (!addr_is_set(&c->target))
		c->target = s->addr;
	if (!c->port)
		c->port = extra->written_port > 0 ? (uint16_t)extra->written_port : s->port;
	if (!c->port && v->kind == CONF_SERVICE_ADDRESS)
		c->port = v->port;
	if (!c->port)
		c->port = default_port(c->kind);
	if (!c->port && c->kind != CONF_CHECK_PING)
		conf_warn(load, conf_object_node(load, CONF_TABLE_CHECK, index), 0,
			"this check has no port to connect to (add connect_port)" CONF_MEANING
			"it fails always, as in keepalived");
	if (!c->virtualhost)
		c->virtualhost = extra->virtualhost ? extra->virtualhost : v->virtualhost;
}

void conf_finish_services(struct conf_load *load)
{
	bool alerts = wants_alerts(load);

	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_SERVICE); i++)
		finish_service(load, i);
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_SERVER); i++)
		finish_server(load, i, alerts);
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_CHECK); i++)
		finish_check(load, i);
}
