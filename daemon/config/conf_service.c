/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtual_server. Runs in the config role; ports, families and inherited values are completed in
 * conf_finish_service.c. */
#include "conf_service.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Flags of a service that schedulers read; the kernel's numbers. */
enum { SCHED_FLAG_1 = 0x0008, SCHED_FLAG_2 = 0x0010, SCHED_FLAG_3 = 0x0020 };

#define PERSISTENCE_DEFAULT (360 * CONF_S)
#define PERSISTENCE_MAX (2678400 * CONF_S)

static struct conf_service *service(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_SERVICE);
}

static void apply_service_forward(struct conf_load *load, const struct conf_node *node)
{
	service(load)->forward = (uint32_t)conf_forward_read(load, node, CONF_FORWARD_NAT, &service(load)->tunnel);
}

/* keepalived knows these only behind the sorry_server that they are about. */
static bool behind_sorry(struct conf_load *load, const struct conf_node *node)
{
	if (load->dialect != CONF_DIALECT_KEEPALIVED || conf_current_extra(load, CONF_TABLE_SERVICE)->sorry)
		return true;
	conf_warn(load, node, 0, "%s stands before sorry_server" CONF_MEANING "it is ignored", conf_word(node, 0));
	return false;
}

static void apply_sorry_inhibit(struct conf_load *load, const struct conf_node *node)
{
	if (behind_sorry(load, node))
		service(load)->sorry_inhibit = 1;
	conf_extra_words(load, node, 1);
}

static void print_sorry_inhibit(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	if (s->sorry_inhibit)
		conf_print_line(p, "sorry_server_inhibit");
}

static void apply_sorry_forward(struct conf_load *load, const struct conf_node *node)
{
	struct conf_extra *extra = conf_current_extra_write(load, CONF_TABLE_SERVICE);

	if (behind_sorry(load, node))
		extra->sorry_forward = conf_forward_read(load, node, -1, &extra->sorry_tunnel);
}

/* ---- services ---- */

static void apply_scheduler(struct conf_load *load, const struct conf_node *node)
{
	static const char *const known[] = {
		"rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "mh", "sed", "nq", "fo", "ovf", "twos", NULL};
	const char *name = conf_word(node, 1);

	if (conf_parse_choice(name, known) < 0) {
		conf_warn(load, node, 1,
			"\"%s\" is no scheduler (rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf twos); "
			"wlc is taken",
			name);
		name = "wlc";
	}
	service(load)->scheduler = conf_text(load, name);
	conf_extra_words(load, node, 2);
}

static void apply_scheduler_flag(struct conf_load *load, const struct conf_node *node)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} flags[] = {
		{"flag-1", SCHED_FLAG_1},
		{"flag-2", SCHED_FLAG_2},
		{"flag-3", SCHED_FLAG_3},
		{"sh-fallback", SCHED_FLAG_1},
		{"sh-port", SCHED_FLAG_2},
		{"mh-fallback", SCHED_FLAG_1},
		{"mh-port", SCHED_FLAG_2},
	};

	const char *name = conf_word(node, 0);
	const char *scheduler = conf_builder_text(load->builder, service(load)->scheduler);

	conf_extra_words(load, node, 1);
	/* sh-port and its like are for one scheduler, which keepalived must know before. */
	if (name[2] == '-' && (strncmp(scheduler, name, 2) != 0 || scheduler[2])) {
		conf_warn(load, node, 0, "%s needs lvs_sched %.2s before it" CONF_MEANING "it is ignored", name, name);
		return;
	}
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (strcmp(flags[i].name, name) == 0)
			service(load)->scheduler_flags |= flags[i].flag;
}

static void apply_protocol(struct conf_load *load, const struct conf_node *node)
{
	const char *name = conf_word(node, 1);

	if (strcasecmp(name, "TCP") == 0)
		service(load)->protocol = IPPROTO_TCP;
	else if (strcasecmp(name, "UDP") == 0)
		service(load)->protocol = IPPROTO_UDP;
	else if (strcasecmp(name, "SCTP") == 0)
		service(load)->protocol = IPPROTO_SCTP;
	else
		conf_warn(load, node, 1,
			"protocol must be TCP, UDP or SCTP, not \"%s\"" CONF_MEANING
			"the line is ignored, and the default is UDP",
			name);
	conf_extra_words(load, node, 2);
}

/* Without a value: six minutes. */
static void apply_persistence(struct conf_load *load, const struct conf_node *node)
{
	int64_t value = PERSISTENCE_DEFAULT;

	if (node->n_words > 1 &&
		conf_parse_time(conf_word(node, 1), CONF_S, PERSISTENCE_MAX, &value) != CONF_VALUE_OK) {
		conf_warn(load, node, 1,
			"persistence_timeout must be a time from 1 to 2678400 seconds, not \"%s\"; "
			"the service is not persistent",
			conf_word(node, 1));
		value = 0;
	}
	service(load)->persistence_us = value;
	conf_extra_words(load, node, 2);
}

/* A netmask for IPv4 services, a prefix length for IPv6 ones. */
static void apply_granularity(struct conf_load *load, const struct conf_node *node)
{
	struct addr mask;
	int64_t prefix;

	if (addr_parse(conf_word(node, 1), &mask) == 0 && mask.family == AF_INET)
		memcpy(&service(load)->persistence_mask4, mask.bytes, 4);
	else if (conf_parse_number(conf_word(node, 1), 1, 128, &prefix) == CONF_VALUE_OK) {
		service(load)->persistence_prefix6 = (uint32_t)prefix;
		if (prefix <= 32)
			service(load)->persistence_mask4 = htonl((uint32_t)(0xffffffffull << (32 - prefix)));
	} else {
		conf_warn(load, node, 1,
			"persistence_granularity must be a netmask or a prefix length, not \"%s\"" CONF_MEANING
			"the line is ignored",
			conf_word(node, 1));
		return;
	}
	conf_current_extra_write(load, CONF_TABLE_SERVICE)->granularity = true;
	conf_extra_words(load, node, 2);
}

static void apply_family(struct conf_load *load, const struct conf_node *node)
{
	static const char *const families[] = {"inet", "inet6", NULL};
	int family = conf_parse_choice(conf_word(node, 1), families);

	if (family < 0)
		conf_warn(load, node, 1, "ip_family must be inet or inet6, not \"%s\"" CONF_MEANING "inet is taken",
			conf_word(node, 1));
	conf_current_extra_write(load, CONF_TABLE_SERVICE)->family = family == 1 ? AF_INET6 : AF_INET;
}

static void apply_sorry(struct conf_load *load, const struct conf_node *node)
{
	struct addr addr;
	uint16_t port;
	uint32_t used = conf_endpoint(load, node, 1, &addr, &port);

	if (!used)
		return;
	conf_extra_words(load, node, 1 + used);
	conf_current_extra_write(load, CONF_TABLE_SERVICE)->sorry = node;
}

static void apply_quorum_notify(struct conf_load *load, const struct conf_node *node)
{
	bool up = strcmp(conf_word(node, 0), "quorum_up") == 0;

	conf_notify_add(load, CONF_OWNER_SERVICE, up ? CONF_NOTIFY_QUORUM_UP : CONF_NOTIFY_QUORUM_DOWN, node);
}

static bool read_fwmark(struct conf_load *load, const struct conf_node *node, uint32_t i, uint32_t *mark)
{
	int64_t number;

	if (conf_parse_number(conf_word(node, i), 1, UINT32_MAX, &number) != CONF_VALUE_OK) {
		conf_error(load, node, i, "a firewall mark is a number from 1, not \"%s\"", conf_word(node, i));
		return false;
	}
	*mark = (uint32_t)number;
	return true;
}

/* ADDRESS [PORT] | fwmark MARK | group NAME */
static bool read_service(
	struct conf_load *load, const struct conf_node *node, struct conf_service *s, conf_string_t *group)
{
	uint32_t used = 2;

	s->group = CONF_NONE;
	if (strcmp(conf_word(node, 1), "fwmark") == 0) {
		s->kind = CONF_SERVICE_FWMARK;
		if (!read_fwmark(load, node, 2, &s->fwmark))
			return false;
	} else if (strcmp(conf_word(node, 1), "group") == 0) {
		s->kind = CONF_SERVICE_GROUP;
		if (node->n_words < 3) {
			conf_error(load, node, 1, "virtual_server group needs the name of a virtual_server_group");
			return false;
		}
		*group = conf_text(load, conf_word(node, 2));
	} else {
		s->kind = CONF_SERVICE_ADDRESS;
		used = conf_endpoint(load, node, 1, &s->addr, &s->port);
	}
	if (used)
		conf_extra_words(load, node, 1 + used);
	return used > 0;
}

static bool begin_service(struct conf_load *load, const struct conf_node *node)
{
	conf_string_t group = 0;
	struct conf_service read = {0}, *s;

	if (!read_service(load, node, &read, &group))
		return false;
	s = conf_object_begin(load, &conf_service_block, node);
	s->kind = read.kind;
	s->addr = read.addr;
	s->port = read.port;
	s->fwmark = read.fwmark;
	s->group = s->sorry = CONF_NONE;
	s->forward = CONF_FORWARD_INHERIT;
	s->persistence_mask4 = 0xffffffff;
	s->persistence_prefix6 = 128;
	s->line = conf_node_place(node).line;
	s->servers.first = conf_builder_count(load->builder, CONF_TABLE_SERVER);
	if (group)
		conf_current_extra_write(load, CONF_TABLE_SERVICE)->group = group;
	return true;
}

/* The sorry server comes behind the range of the others. */
static void add_sorry(struct conf_load *load, const struct conf_node *node)
{
	conf_index_t index = conf_builder_count(load->builder, CONF_TABLE_SERVER);
	const struct conf_extra *extra = conf_current_extra(load, CONF_TABLE_SERVICE);
	struct conf_server *s = conf_record_add(load, CONF_TABLE_SERVER, node);

	addr_parse(conf_word(node, 1), &s->addr);
	if (node->n_words > 2)
		s->port = (uint16_t)atoi(conf_word(node, 2));
	s->is_sorry = 1;
	s->weight = 1;
	s->forward = extra->sorry_forward >= 0 ? (uint32_t)extra->sorry_forward : CONF_FORWARD_INHERIT;
	s->tunnel = extra->sorry_tunnel;
	s->service = load->current[CONF_TABLE_SERVICE];
	s->line = conf_node_place(node).line;
	s->inhibit_on_failure = service(load)->sorry_inhibit;
	service(load)->sorry = index;
}

static void end_service(struct conf_load *load, const struct conf_node *node)
{
	conf_index_t index = load->current[CONF_TABLE_SERVICE];
	const struct conf_extra *extra = conf_current_extra(load, CONF_TABLE_SERVICE);
	struct conf_service *s = service(load);

	(void)node;
	s->servers.count = conf_builder_count(load->builder, CONF_TABLE_SERVER) - s->servers.first;
	s->notifies = conf_notify_flush(load, CONF_OWNER_SERVICE, index);
	if (extra->sorry) {
		add_sorry(load, extra->sorry);
		/* From here on the statement may be given back. */
		conf_current_extra_write(load, CONF_TABLE_SERVICE)->sorry = NULL;
	}
}

/* ---- canonical print ---- */

static void print_scheduler(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	conf_print_line(p, "lvs_sched %s", conf_print_text(p, s->scheduler));
}

static void print_scheduler_flags(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	for (unsigned i = 0; i < 3; i++)
		if (s->scheduler_flags & (SCHED_FLAG_1 << i))
			conf_print_line(p, "flag-%u", i + 1);
}

static void print_service_forward(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	conf_forward_print(p, "lvs_method", s->forward, &s->tunnel);
}

static void print_protocol(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	if (s->protocol)
		conf_print_line(p, "protocol %s",
			s->protocol == IPPROTO_TCP   ? "TCP"
			: s->protocol == IPPROTO_UDP ? "UDP"
						     : "SCTP");
}

static void print_persistence(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);
	struct addr mask = addr_from_bytes(AF_INET, &s->persistence_mask4);
	char text[ADDR_TEXT];

	if (s->persistence_us)
		conf_print_line(p, "persistence_timeout %s", conf_time_text(s->persistence_us, text));
	if (s->persistence_prefix6 != 128)
		conf_print_line(p, "persistence_granularity %u", s->persistence_prefix6);
	if (s->persistence_mask4 != 0xffffffff)
		conf_print_line(p, "persistence_granularity %s", addr_format(&mask, text));
}

static void print_family(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	if (s->kind == CONF_SERVICE_FWMARK)
		conf_print_line(p, "ip_family %s", s->family == AF_INET6 ? "inet6" : "inet");
}

static void print_endpoint(struct conf_printer *p, const char *keyword, const struct conf_server *s)
{
	char text[ADDR_TEXT];

	conf_print_line(p, "%s %s %u", keyword, addr_format(&s->addr, text), s->port);
}

static void print_sorry(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);
	const struct conf_server *sorry;

	if (s->sorry == CONF_NONE)
		return;
	sorry = conf_print_record(p, CONF_TABLE_SERVER, s->sorry);
	print_endpoint(p, "sorry_server", sorry);
	conf_forward_print(p, "sorry_server_lvs_method", sorry->forward, &sorry->tunnel);
}

static void print_quorum_notify(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	conf_print_notify(p, &s->notifies, CONF_NOTIFY_QUORUM_UP, "quorum_up");
	conf_print_notify(p, &s->notifies, CONF_NOTIFY_QUORUM_DOWN, "quorum_down");
}

static void print_service(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);
	const struct conf_service_group *g;
	char text[ADDR_TEXT];

	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		conf_print_open(p, "virtual_server %s %u", addr_format(&s->addr, text), s->port);
		break;
	case CONF_SERVICE_FWMARK:
		conf_print_open(p, "virtual_server fwmark %u", s->fwmark);
		break;
	case CONF_SERVICE_GROUP:
		g = conf_print_record(p, CONF_TABLE_SERVICE_GROUP, s->group);
		conf_print_open(p, "virtual_server group %s", conf_print_text(p, g->name));
		break;
	}
	conf_print_directives(p, &conf_service_block, record);
	for (uint32_t i = 0; i < s->servers.count; i++)
		conf_server_print(p, s->servers.first + i);
	conf_print_close(p);
}

/* ---- the tables ---- */

#define V(member) CONF_RECORD(conf_service, member)
#define DAY (86400 * CONF_S)
#define OLD_LVS "it was never passed on to the kernel"
#define OTHER_FORK "a keyword of another program; the kernel's IPVS does not know it"

/* clang-format off */
static const struct conf_directive service_directives[] = {
	CALL("protocol", apply_protocol, print_protocol, OBJECT, "TCP, UDP or SCTP; default UDP"),
	CALL("lvs_sched", apply_scheduler, print_scheduler, LIVE, "scheduler: rr wrr lc wlc lblc lblcr dh sh mh sed nq fo ovf twos; default wlc"),
	CALL("lb_algo", apply_scheduler, print_scheduler, LIVE, "the same as lvs_sched"),
	CALL("lvs_method", apply_service_forward, print_service_forward, LIVE, "how packets reach the servers: NAT, DR, or TUN [type ipip|gre|gue] [port NUMBER] [nocsum|csum|remcsum]; default NAT"),
	CALL("lb_kind", apply_service_forward, print_service_forward, LIVE, "the same as lvs_method"),
	CALL("flag-1", apply_scheduler_flag, print_scheduler_flags, LIVE, "first flag of the scheduler"),
	CALL("flag-2", apply_scheduler_flag, print_scheduler_flags, LIVE, "second flag of the scheduler"),
	CALL("flag-3", apply_scheduler_flag, print_scheduler_flags, LIVE, "third flag of the scheduler"),
	CALL("sh-port", apply_scheduler_flag, print_scheduler_flags, LIVE, "sh: the source port counts too"),
	CALL("sh-fallback", apply_scheduler_flag, print_scheduler_flags, LIVE, "sh: another server when the chosen one is down"),
	CALL("mh-port", apply_scheduler_flag, print_scheduler_flags, LIVE, "mh: the source port counts too"),
	CALL("mh-fallback", apply_scheduler_flag, print_scheduler_flags, LIVE, "mh: another server when the chosen one is down"),
	PLAIN("ops", V(one_packet), OBJECT, "each UDP packet is scheduled by itself"),
	CALL("persistence_timeout", apply_persistence, print_persistence, LIVE, "seconds a client stays with its server; 360 without a value"),
	CALL("persistence_granularity", apply_granularity, print_persistence, LIVE, "netmask (IPv6: prefix length) of clients that stay together"),
	TEXT("persistence_engine", V(persistence_engine), OBJECT, "persistence by content; the kernel knows sip"),
	CALL("ip_family", apply_family, print_family, OBJECT, "inet or inet6, for a mark whose servers are all tunnelled"),
	PLAIN("ha_suspend", V(ha_suspend), LIVE, "no checks while this node does not hold the address"),
	PLAIN("alpha", V(alpha), LIVE, "servers count as down until their first check succeeds"),
	PLAIN("omega", V(omega), LIVE, "notifications of servers and quorum also run when poised stops"),
	NUMBER("weight", CONF_EXTRA(weight), 0, INT32_MAX, -1, LIVE, "weight of servers that name none; default 1"),
	FLAG("smtp_alert", V(smtp_alert), LIVE, "mail an alert when the quorum changes"),
	NUMBER("quorum", V(quorum), 1, UINT32_MAX, 1, LIVE, "weight that must be alive"),
	NUMBER("hysteresis", V(hysteresis), 0, UINT32_MAX, 0, LIVE, "distance from the quorum before it counts as gained or lost"),
	CALL("quorum_up", apply_quorum_notify, print_quorum_notify, LIVE, "program that runs when the quorum is gained: COMMAND [USER [GROUP]]"),
	CALL("quorum_down", apply_quorum_notify, print_quorum_notify, LIVE, "program that runs when the quorum is lost"),
	PLAIN("inhibit_on_failure", V(inhibit_on_failure), LIVE, "servers that are down stay in the table with weight 0"),
	CALL("sorry_server", apply_sorry, print_sorry, LIVE, "ADDRESS [PORT] that serves while the quorum is lost"),
	CALL("sorry_server_inhibit", apply_sorry_inhibit, print_sorry_inhibit, LIVE, "the sorry server stays in the table with weight 0"),
	CALL("sorry_server_lvs_method", apply_sorry_forward, NULL, LIVE, "how packets reach the sorry server; default as the service"),
	TEXT("virtualhost", V(virtualhost), LIVE, "Host header of HTTP checks"),
	TIME("drain_timeout", V(drain_timeout_us), 0, DAY, 300 * CONF_S, LIVE, "longest time a server that is drained or removed keeps its connections"),
	TIME("slow_start", V(slow_start_us), 0, DAY, 0, LIVE, "the weight of a server that came back rises from a tenth over this time; 0 = at once"),
	NUMBER("panic_threshold", V(panic_threshold), 0, 99, 0, LIVE, "when more than so many percent of the servers are down, all go on serving; 0 = off"),
	NUMBER("adaptive_weight", V(adaptive_weight), 0, 90, 0, LIVE, "percent of its weight that a server may lose for answering slower than the others; 0 = off"),
	BLOCK("real_server", &conf_server_block, LIVE, "ADDRESS [PORT]: a server of this service"),
	IGNORED("snmp_name", "the MIB shows the address"),
	IGNORED("nat_mask", OLD_LVS),
	IGNORED("net_mask", OLD_LVS),
	IGNORED("hashed", OLD_LVS),
	INACTIVE("quorum_notify", "use quorum_up and quorum_down"),
	INACTIVE("syn_proxy", OTHER_FORK),
	INACTIVE("establish_timeout", OTHER_FORK),
	INACTIVE("laddr_group_name", OTHER_FORK),
	INACTIVE("daddr_group_name", OTHER_FORK),
	END_OF_TABLE,
};

/* clang-format on */

const struct conf_block conf_service_block = {
	.name = "virtual_server",
	.table = CONF_TABLE_SERVICE,
	.directives = {service_directives, conf_server_timing, conf_guard_directives},
	.is_brief = true,
	.begin = begin_service,
	.end = end_service,
	.print = print_service,
};
