/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keywords of virtual_server about where it stands and whom it serves: placement by the state of an instance, lists
 * of clients, limits. Runs in the config role. */
#include "conf_guard.h"
#include "conf_service.h"
#include <stdlib.h>
#include <string.h>

static struct conf_service *service(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_SERVICE);
}

/* ---- placement ---- */

static void apply_placement(struct conf_load *load, const struct conf_node *node)
{
	bool master = strcmp(conf_word(node, 0), "master_only") == 0;

	if (node->n_words < 2) {
		conf_error(load, node, 0, "%s needs the name of a vrrp_instance", conf_word(node, 0));
		return;
	}
	if (service(load)->placement)
		conf_error(load, node, 0, "only one of master_only and backup_only can be meant");
	conf_extra_words(load, node, 2);
	service(load)->placement = master ? CONF_PLACE_MASTER : CONF_PLACE_BACKUP;
	service(load)->place_instance = conf_text(load, conf_word(node, 1));
}

static void print_placement(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	if (s->placement)
		conf_print_line(p, "%s %s", s->placement == CONF_PLACE_MASTER ? "master_only" : "backup_only",
			conf_print_text(p, s->place_instance));
}

/* ---- lists of clients ---- */

/* Both lists lie in one table, each in one piece: one that is gone on with in a later block moves to the end. */
static void move_to_end(struct conf_load *load, const struct conf_node *node, struct conf_range *range)
{
	uint32_t at = conf_builder_count(load->builder, CONF_TABLE_CLIENTS);

	if (range->count > 0 && range->first + range->count == at)
		return;
	for (uint32_t i = 0; i < range->count; i++) {
		const struct conf_clients moved =
			*(struct conf_clients *)conf_builder_at(load->builder, CONF_TABLE_CLIENTS, range->first + i);

		*(struct conf_clients *)conf_record_add(load, CONF_TABLE_CLIENTS, node) = moved;
	}
	range->first = at;
}

static void add_clients(struct conf_load *load, const struct conf_node *node, struct conf_range *range)
{
	move_to_end(load, node, range);
	for (uint32_t i = 0; i < node->n_words; i++) {
		struct conf_clients read = {0}, *record;

		if (!conf_range_read(conf_word(node, i), &read.first, &read.last)) {
			conf_error(load, node, i, "\"%s\" is no address, range (10.0.0.1-9) or network",
				conf_word(node, i));
			continue;
		}
		record = conf_record_add(load, CONF_TABLE_CLIENTS, node);
		*record = read;
		range->count++;
	}
}

static void apply_allow(struct conf_load *load, const struct conf_node *node)
{
	add_clients(load, node, &service(load)->allow);
}

static void apply_deny(struct conf_load *load, const struct conf_node *node)
{
	add_clients(load, node, &service(load)->deny);
}

static void print_clients(struct conf_printer *p, const char *keyword, const struct conf_range *range)
{
	char first[ADDR_TEXT], last[ADDR_TEXT];

	if (!range->count)
		return;
	conf_print_open(p, "%s", keyword);
	for (uint32_t i = 0; i < range->count; i++) {
		const struct conf_clients *c = conf_print_record(p, CONF_TABLE_CLIENTS, range->first + i);

		if (addr_equal(&c->first, &c->last))
			conf_print_line(p, "%s", addr_format(&c->first, first));
		else
			conf_print_line(p, "%s-%s", addr_format(&c->first, first), addr_format(&c->last, last));
	}
	conf_print_close(p);
}

static void print_allow(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	print_clients(p, "allow_clients", &s->allow);
}

static void print_deny(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	print_clients(p, "deny_clients", &s->deny);
}

/* ---- rates: NUMBER [burst NUMBER] ---- */

#define RATE_MAX 10000000

static void apply_rate(struct conf_load *load, const struct conf_node *node)
{
	bool of_client = strcmp(conf_word(node, 0), "client_rate_limit") == 0;
	int64_t rate, burst;

	if (conf_parse_number(conf_word(node, 1), 1, RATE_MAX, &rate) != CONF_VALUE_OK) {
		conf_error(load, node, 1, "%s takes new connections a second, 1 to %d", conf_word(node, 0), RATE_MAX);
		return;
	}
	burst = rate;
	if (node->n_words > 2 && (strcmp(conf_word(node, 2), "burst") != 0 ||
					 conf_parse_number(conf_word(node, 3), 1, RATE_MAX, &burst) != CONF_VALUE_OK)) {
		conf_error(load, node, 2, "write %s NUMBER burst NUMBER", conf_word(node, 0));
		return;
	}
	conf_extra_words(load, node, 4);
	if (of_client) {
		service(load)->client_rate = (uint32_t)rate;
		service(load)->client_burst = (uint32_t)burst;
	} else {
		service(load)->service_rate = (uint32_t)rate;
		service(load)->service_burst = (uint32_t)burst;
	}
}

static void print_rates(struct conf_printer *p, uint32_t record)
{
	const struct conf_service *s = conf_print_record(p, CONF_TABLE_SERVICE, record);

	if (s->client_rate)
		conf_print_line(p, "client_rate_limit %u burst %u", s->client_rate, s->client_burst);
	if (s->service_rate)
		conf_print_line(p, "service_rate_limit %u burst %u", s->service_rate, s->service_burst);
}

/* ---- the table ---- */

#define V(member) CONF_RECORD(conf_service, member)

/* clang-format off */
const struct conf_directive conf_guard_directives[] = {
	CALL("master_only", apply_placement, print_placement, LIVE, "INSTANCE: the service stands in the kernel only while that vrrp_instance is master here; for routers that are real servers themselves"),
	CALL("backup_only", apply_placement, print_placement, LIVE, "INSTANCE: the opposite of master_only"),
	LINES("allow_clients", apply_allow, print_allow, LIVE, "addresses, networks and ranges that may use the service; nobody else then"),
	LINES("deny_clients", apply_deny, print_deny, LIVE, "addresses, networks and ranges that may not use the service"),
	CALL("client_rate_limit", apply_rate, print_rates, LIVE, "NUMBER [burst NUMBER]: new connections a second from one client address; more are dropped"),
	CALL("service_rate_limit", apply_rate, print_rates, LIVE, "NUMBER [burst NUMBER]: new connections a second from all clients; more are dropped"),
	NUMBER("client_connection_limit", V(client_connections), 0, 1000000, 0, LIVE, "connections of one client address at the same time; needs lvs_sysctl { conntrack 1 }; 0 = no limit"),
	END_OF_TABLE,
};
/* clang-format on */
