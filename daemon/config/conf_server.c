/* SPDX-License-Identifier: GPL-2.0-or-later */
/* real_server, and what services and servers have in common: addresses with a port, forwarding, the values that checks
 * inherit. Runs in the config role. */
#include "conf_probe.h"
#include "conf_service.h"
#include <stdio.h>
#include <string.h>

static struct conf_service *service(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_SERVICE);
}

static struct conf_server *server(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_SERVER);
}

/* ADDRESS:PORT is the way of other programs. */
static void report_no_address(struct conf_load *load, const struct conf_node *node, uint32_t first)
{
	const char *text = conf_word(node, first), *colon = strrchr(text, ':');
	char before[ADDR_TEXT];
	struct addr addr;

	snprintf(before, sizeof(before), "%.*s", colon ? (int)(colon - text) : 0, text);
	if (addr_parse(before, &addr) == 0)
		conf_error(load, node, first, "\"%s\" is no IP address; write address and port as two words: %s %s",
			text, before, colon + 1);
	else
		conf_error(load, node, first, "%s needs an IP address, not \"%s\"; names are not resolved",
			conf_word(node, 0), text);
}

uint32_t conf_endpoint(
	struct conf_load *load, const struct conf_node *node, uint32_t first, struct addr *addr, uint16_t *port)
{
	int64_t number;

	*port = 0;
	if (addr_parse(conf_word(node, first), addr) < 0) {
		report_no_address(load, node, first);
		return 0;
	}
	if (node->n_words <= first + 1)
		return 1;
	if (conf_parse_number(conf_word(node, first + 1), 0, 65535, &number) != CONF_VALUE_OK) {
		conf_error(load, node, first + 1,
			"a port is a number from 1 to 65535, not \"%s\"; names are not looked up",
			conf_word(node, first + 1));
		return 0;
	}
	*port = (uint16_t)number;
	return 2;
}

static void apply_server_forward(struct conf_load *load, const struct conf_node *node)
{
	server(load)->forward = (uint32_t)conf_forward_read(load, node, CONF_FORWARD_INHERIT, &server(load)->tunnel);
}

static bool is_less(const struct conf_server *s, const struct addr *addr, uint16_t port)
{
	int order = addr_compare(&s->addr, addr);

	return order < 0 || (order == 0 && s->port < port);
}

/* keepalived keeps the first of two servers with the same address and port. */
static bool is_repeated(struct conf_load *load, const struct addr *addr, uint16_t port)
{
	uint32_t first = service(load)->servers.first, n = conf_builder_count(load->builder, CONF_TABLE_SERVER) - first;
	const struct conf_server *s = n ? conf_builder_at(load->builder, CONF_TABLE_SERVER, first) : NULL;

	/* As long as they rise, each is a new one. */
	load->servers_rise = n == 0 || (load->servers_rise && is_less(&s[n - 1], addr, port));
	if (load->servers_rise)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (s[i].port == port && addr_equal(&s[i].addr, addr))
			return true;
	return false;
}

static bool begin_server(struct conf_load *load, const struct conf_node *node)
{
	struct conf_server *s;
	struct addr addr;
	uint16_t port;
	uint32_t used = conf_endpoint(load, node, 1, &addr, &port);

	if (!used)
		return false;
	conf_extra_words(load, node, 1 + used);
	if (conf_builder_count(load->builder, CONF_TABLE_SERVER) - service(load)->servers.first >= CONF_SERVERS_MAX) {
		conf_error(load, node, 0, "a virtual_server has at most %d servers", CONF_SERVERS_MAX);
		return false;
	}
	if (is_repeated(load, &addr, port)) {
		conf_warn(load, node, 1, "this server is already in the service" CONF_MEANING "this block is ignored");
		return false;
	}
	s = conf_object_begin(load, &conf_server_block, node);
	s->addr = addr;
	s->port = port;
	s->forward = CONF_FORWARD_INHERIT;
	s->service = load->current[CONF_TABLE_SERVICE];
	s->line = conf_node_place(node).line;
	s->checks.first = conf_builder_count(load->builder, CONF_TABLE_CHECK);
	return true;
}

static void end_server(struct conf_load *load, const struct conf_node *node)
{
	struct conf_server *s = server(load);

	(void)node;
	s->checks.count = conf_builder_count(load->builder, CONF_TABLE_CHECK) - s->checks.first;
	s->notifies = conf_notify_flush(load, CONF_OWNER_SERVER, load->current[CONF_TABLE_SERVER]);
}

static void apply_server_notify(struct conf_load *load, const struct conf_node *node)
{
	bool up = strcmp(conf_word(node, 0), "notify_up") == 0;

	conf_notify_add(load, CONF_OWNER_SERVER, up ? CONF_NOTIFY_UP : CONF_NOTIFY_DOWN, node);
}

static void apply_server_virtualhost(struct conf_load *load, const struct conf_node *node)
{
	conf_current_extra_write(load, CONF_TABLE_SERVER)->virtualhost = conf_text(load, conf_word(node, 1));
	conf_extra_words(load, node, 2);
}

/* ---- canonical print ---- */

static void print_server_notify(struct conf_printer *p, uint32_t record)
{
	const struct conf_server *s = conf_print_record(p, CONF_TABLE_SERVER, record);

	conf_print_notify(p, &s->notifies, CONF_NOTIFY_UP, "notify_up");
	conf_print_notify(p, &s->notifies, CONF_NOTIFY_DOWN, "notify_down");
}

static void print_server_forward(struct conf_printer *p, uint32_t record)
{
	const struct conf_server *s = conf_print_record(p, CONF_TABLE_SERVER, record);

	conf_forward_print(p, "lvs_method", s->forward, &s->tunnel);
}

static void print_checks(struct conf_printer *p, uint32_t record)
{
	const struct conf_server *s = conf_print_record(p, CONF_TABLE_SERVER, record);

	for (uint32_t i = 0; i < s->checks.count; i++) {
		const struct conf_check *c = conf_print_record(p, CONF_TABLE_CHECK, s->checks.first + i);

		conf_print_open(p, "%s", conf_check_block(c->kind)->name);
		conf_print_directives(p, conf_check_block(c->kind), s->checks.first + i);
		conf_print_close(p);
	}
}

void conf_server_print(struct conf_printer *p, uint32_t record)
{
	const struct conf_server *s = conf_print_record(p, CONF_TABLE_SERVER, record);
	char text[ADDR_TEXT];

	conf_print_open(p, "real_server %s %u", addr_format(&s->addr, text), s->port);
	conf_print_directives(p, &conf_server_block, record);
	print_checks(p, record);
	conf_print_close(p);
}

/* ---- the tables ---- */

#define R(member) CONF_RECORD(conf_server, member)
#define DAY (86400 * CONF_S)

/* clang-format off */
const struct conf_directive conf_server_timing[] = {
	TIME("delay_loop", CONF_EXTRA(delay_loop_us), CONF_MS, DAY, -1, LIVE, "interval of the checks; default 60"),
	TIME("connect_timeout", CONF_EXTRA(connect_timeout_us), CONF_MS, DAY, -1, LIVE, "time a probe may take; default 5"),
	NUMBER("retry", CONF_EXTRA(retry), 1, INT32_MAX, -1, LIVE, "further failures before a server is down; default 1 (MISC_CHECK 0)"),
	INACTIVE("nb_get_retry", "only HTTP_GET and SSL_GET know it; write retry"),
	TIME("delay_before_retry", CONF_EXTRA(delay_before_retry_us), 0, DAY, -1, LIVE, "time between these; default 1, HTTP_GET and SSL_GET 3"),
	TIME("warmup", CONF_EXTRA(warmup_us), 0, DAY, -1, LIVE, "longest random wait before the first check; default delay_loop"),
	END_OF_TABLE,
};

static const struct conf_directive server_directives[] = {
	NUMBER("weight", R(weight), 0, INT32_MAX, 1, LIVE, "share of the connections"),
	CALL("lvs_method", apply_server_forward, print_server_forward, LIVE, "NAT, DR or TUN, as of the service; default as the service"),
	INACTIVE("lb_kind", "keepalived knows it in virtual_server alone; write lvs_method"),
	NUMBER("uthreshold", R(upper_threshold), 0, UINT32_MAX, 0, LIVE, "most connections; 0 = no limit"),
	NUMBER("max_connections", R(upper_threshold), 0, UINT32_MAX, 0, LIVE, "the same as uthreshold"),
	NUMBER("lthreshold", R(lower_threshold), 0, UINT32_MAX, 0, LIVE, "after the limit was reached, new connections again below this"),
	NUMBER("resume_connections", R(lower_threshold), 0, UINT32_MAX, 0, LIVE, "the same as lthreshold"),
	FLAG("inhibit_on_failure", R(inhibit_on_failure), LIVE, "stays in the table with weight 0 while it is down"),
	FLAG("alpha", R(alpha), LIVE, "counts as down until its first check succeeds"),
	FLAG("smtp_alert", R(smtp_alert), LIVE, "mail an alert when it goes down or up"),
	CALL("notify_up", apply_server_notify, print_server_notify, LIVE, "program that runs when it comes up: COMMAND [USER [GROUP]]"),
	CALL("notify_down", apply_server_notify, print_server_notify, LIVE, "program that runs when it goes down"),
	CALL("virtualhost", apply_server_virtualhost, NULL, LIVE, "Host header of HTTP checks"),
	TEXT("snmp_name", R(name), LIVE, "a name for people"),
	BLOCK("TCP_CHECK", &conf_tcp_block, LIVE, "up while a TCP connection can be opened"),
	BLOCK("HTTP_GET", &conf_http_block, LIVE, "up while HTTP requests get the right answers"),
	BLOCK("SSL_GET", &conf_ssl_block, LIVE, "HTTP_GET over TLS"),
	BLOCK("MISC_CHECK", &conf_misc_block, LIVE, "up while a program ends with status 0"),
	BLOCK("TLS_CHECK", &conf_tls_block, LIVE, "up while a TLS handshake succeeds"),
	BLOCK("SMTP_CHECK", &conf_smtp_block, LIVE, "up while a mail server greets and takes HELO"),
	BLOCK("DNS_CHECK", &conf_dns_block, LIVE, "up while a name server answers a question without an error"),
	BLOCK("UDP_CHECK", &conf_udp_block, LIVE, "up while a packet is not refused, or gets the right reply"),
	BLOCK("PING_CHECK", &conf_ping_block, LIVE, "up while it answers echo requests"),
	BLOCK("FILE_CHECK", &conf_file_block, LIVE, "up as a file says"),
	BLOCK("AGENT_CHECK", &conf_agent_block, LIVE, "as an agent on the server says: up, down, drain, maint, a percentage"),
	BLOCK("GRPC_CHECK", &conf_grpc_block, LIVE, "up while the gRPC health service says SERVING"),
	BLOCK("BFD_CHECK", &conf_bfd_check_block, LIVE, "up while a BFD session (bfd_instance) is up"),
	END_OF_TABLE,
};
/* clang-format on */

const struct conf_block conf_server_block = {
	.name = "real_server",
	.table = CONF_TABLE_SERVER,
	.directives = {server_directives, conf_server_timing},
	.begin = begin_server,
	.end = end_server,
};
