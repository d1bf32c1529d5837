/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds the site of snmp_site.h with the real table builder and real boards. */
#include "snmp_site.h"
#include <check.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

static void *add(struct conf_builder *b, enum conf_table table)
{
	return conf_builder_at(b, table, conf_builder_add(b, table));
}

static void build_global(struct conf_builder *b)
{
	conf_string_t node = conf_builder_string(b, "LB-A");
	struct conf_global *g = conf_builder_count(b, CONF_TABLE_GLOBAL) ? conf_builder_at(b, CONF_TABLE_GLOBAL, 0)
									 : add(b, CONF_TABLE_GLOBAL);

	g->node = node;
	g->snmp_vrrp = g->snmp_checker = g->snmp_rfcv2 = g->snmp_rfcv3 = g->snmp_traps = g->snmp_keepalived = 1;
	g->mcast_group4 = address("224.0.0.18");
	g->mcast_group6 = address("ff02::12");
}

static void build_instance(struct conf_builder *b, const char *name, int version, int family, int vrid,
	const char *const addresses[2], int advertised)
{
	conf_string_t id = conf_builder_string(b, name), interface = conf_builder_string(b, "eth0");
	conf_index_t instance = conf_builder_add(b, CONF_TABLE_INSTANCE);
	struct conf_range range = {conf_builder_count(b, CONF_TABLE_ADDRESS), 0};
	struct conf_instance *ci;

	for (int i = 0; i < 2 && addresses[i]; i++, range.count++) {
		struct conf_address *ca = add(b, CONF_TABLE_ADDRESS);

		ca->addr = address(addresses[i]);
		ca->prefix = ca->addr.family == AF_INET ? 24 : 64;
		ca->excluded = i >= advertised;
		ca->instance = instance;
		ca->link = ca->track_group = CONF_NONE;
	}
	ci = conf_builder_at(b, CONF_TABLE_INSTANCE, instance);
	ci->name = id;
	ci->interface = interface;
	ci->version = (uint8_t)version;
	ci->family = (uint8_t)family;
	ci->group_address = address(family == AF_INET6 ? "ff02::12" : "224.0.0.18");
	ci->vrid = (uint8_t)vrid;
	ci->priority = 100;
	ci->preempt = ci->track_primary = 1;
	ci->auth = version == 2 ? CONF_AUTH_PASS : CONF_AUTH_NONE;
	ci->advert_us = vrid == 52 ? 500 * US_PER_MS : US_PER_S;
	ci->down_timer_adverts = 3;
	ci->garp_delay_us = 5 * US_PER_S;
	ci->secret = ci->group = ci->link = CONF_NONE;
	ci->addresses = range;
	ci->n_advertised = (uint32_t)advertised;
}

static void build_vrrp(struct conf_builder *b)
{
	conf_string_t name = conf_builder_string(b, "SG1");
	struct conf_group *group;

	build_instance(b, "VI_1", 2, AF_INET, 51, (const char *const[]){"10.77.0.51", "10.77.0.50"}, 2);
	build_instance(b, "VI_2", 3, AF_INET, 52, (const char *const[]){"10.77.0.52", NULL}, 1);
	build_instance(b, "VI_6", 3, AF_INET6, 61, (const char *const[]){"fe80::61", "fd77::61"}, 1);
	group = add(b, CONF_TABLE_GROUP);
	group->name = name;
	group->members = (struct conf_range){0, 2};
	for (conf_index_t i = VI_1; i <= VI_2; i++) {
		*(conf_index_t *)add(b, CONF_TABLE_GROUP_MEMBER) = i;
		((struct conf_instance *)conf_builder_at(b, CONF_TABLE_INSTANCE, i))->group = 0;
	}
}

static void build_server(struct conf_builder *b, const char *text, conf_index_t service, bool is_sorry)
{
	struct conf_server *server = add(b, CONF_TABLE_SERVER);

	server->addr = address(text);
	server->port = 80;
	server->weight = 3;
	server->is_sorry = is_sorry;
	server->service = service;
}

static struct conf_service *build_service(struct conf_builder *b, enum conf_service_kind kind, int protocol)
{
	conf_string_t scheduler = conf_builder_string(b, "wlc");
	struct conf_service *cs = add(b, CONF_TABLE_SERVICE);

	cs->kind = kind;
	cs->protocol = (uint16_t)protocol;
	cs->family = AF_INET;
	cs->scheduler = scheduler;
	cs->forward = CONF_FORWARD_DR;
	cs->group = cs->sorry = CONF_NONE;
	cs->quorum = 1;
	return cs;
}

/* Two checks of RS_A, one receiver of notifications, connection sync. */
static void build_rest(struct conf_builder *b)
{
	conf_string_t interface = conf_builder_string(b, "eth1");
	struct conf_trap_target *t = add(b, CONF_TABLE_TRAP_TARGET);
	struct conf_global *g = conf_builder_at(b, CONF_TABLE_GLOBAL, 0);

	t->addr = address("192.0.2.9");
	t->port = 162;
	t->inform = 1;
	t->community = t->auth_secret = t->priv_secret = CONF_NONE;
	g->sync_interface = interface;
	g->sync_id = 7;
	for (int i = 0; i < 2; i++) {
		struct conf_check *check = add(b, CONF_TABLE_CHECK);

		check->kind = i == 0 ? CONF_CHECK_TCP : CONF_CHECK_HTTP;
		check->server = RS_A;
		check->interval_us = 6 * US_PER_S;
	}
	((struct conf_server *)conf_builder_at(b, CONF_TABLE_SERVER, RS_A))->checks = (struct conf_range){0, 2};
}

static void build_services(struct conf_builder *b)
{
	conf_string_t name = conf_builder_string(b, "pool");
	struct conf_service *cs = build_service(b, CONF_SERVICE_ADDRESS, IPPROTO_TCP);
	struct conf_group_entry *entry;
	struct conf_service_group *group;

	cs->addr = address("10.77.0.51");
	cs->port = 80;
	cs->sorry = SORRY;
	cs->servers = (struct conf_range){RS_A, 2};
	cs = build_service(b, CONF_SERVICE_FWMARK, 0);
	cs->fwmark = 5;
	cs->servers = (struct conf_range){RS_MARK, 1};
	cs = build_service(b, CONF_SERVICE_GROUP, IPPROTO_UDP);
	cs->group = 0;
	cs->servers = (struct conf_range){RS_POOL, 1};
	build_server(b, "10.88.0.99", WEB, true);
	build_server(b, "10.88.0.11", WEB, false);
	build_server(b, "10.88.0.12", WEB, false);
	build_server(b, "10.88.0.13", MARK, false);
	build_server(b, "10.88.0.14", POOL, false);
	group = add(b, CONF_TABLE_SERVICE_GROUP);
	group->name = name;
	group->entries = (struct conf_range){0, 1};
	entry = add(b, CONF_TABLE_GROUP_ENTRY);
	entry->first = address("10.77.0.60");
	entry->last = address("10.77.0.63");
	entry->port = 53;
}

static struct board *make_board(enum role role, uint64_t generation, const struct board_shape *shape)
{
	struct board *board = board_create(role, generation, shape);

	ck_assert_ptr_nonnull(board);
	return board;
}

static void make_vrrp_board(struct site *site, uint64_t generation)
{
	const struct board_shape shape = {.record_size = {sizeof(struct status_instance), sizeof(struct status_group),
						  sizeof(struct status_address)},
		.count = {3, 1, 5}};
	struct board *board = site->boards[ROLE_VRRP] = make_board(ROLE_VRRP, generation, &shape);
	struct status_group group = {.state = VRRP_MASTER, .why = "all members are master"};

	for (unsigned i = 0; i < 3; i++) {
		struct status_instance st = {.state = VRRP_MASTER,
			.effective_priority = 100 + i,
			.ifindex = 10,
			.new_master_reason = 3,
			.became_master = 1,
			.adverts_received = 7 + i,
			.why = "nobody else"};

		st.source = st.master = address(i == VI_6 ? "fe80::308d:2eff:fe99:7d06" : "10.77.0.1");
		st.since = st.up_since = mono_add(site->view.now, -17 * US_PER_S);
		st.dropped[VRRP_DROP_CHECKSUM] = i + 1;
		board_store(board, VRRP_TABLE_INSTANCE, i, &st, sizeof(st));
	}
	board_store(board, VRRP_TABLE_GROUP, 0, &group, sizeof(group));
	for (unsigned i = 0; i < 5; i++) {
		struct status_address st = {.is_set = 1, .ifindex = 10};

		board_store(board, VRRP_TABLE_ADDRESS, i, &st, sizeof(st));
	}
}

static void make_check_boards(struct site *site, uint64_t generation)
{
	const struct board_shape health = {.record_size = {sizeof(struct status_check), sizeof(struct status_health),
						   sizeof(struct status_checks)},
		.count = {2, 5, 1}};
	const struct board_shape ipvs = {.record_size = {[IPVS_TABLE_SERVICE] = sizeof(struct status_service),
						 [IPVS_TABLE_SERVER] = STATUS_SERVER_SIZE,
						 [IPVS_TABLE_TRAFFIC] = STATUS_TRAFFIC_SIZE,
						 [IPVS_TABLE_CAUSE] = STATUS_CAUSE_SIZE,
						 [IPVS_TABLE_ROLE] = sizeof(struct status_ipvs),
						 [IPVS_TABLE_SYNC] = sizeof(struct status_sync)},
		.count = {[IPVS_TABLE_SERVICE] = 3,
			[IPVS_TABLE_SERVER] = 5,
			[IPVS_TABLE_TRAFFIC] = 5,
			[IPVS_TABLE_CAUSE] = 5,
			[IPVS_TABLE_ROLE] = 1,
			[IPVS_TABLE_SYNC] = 1}};

	site->boards[ROLE_HEALTHCHECK] = make_board(ROLE_HEALTHCHECK, generation, &health);
	site->boards[ROLE_IPVS] = make_board(ROLE_IPVS, generation, &ipvs);
	for (unsigned i = 0; i < 3; i++) {
		struct status_service st = {.is_programmed = 1,
			.quorum_met = 1,
			.connections = 5000000000ULL,
			.packets_in = 2,
			.packets_out = 3,
			.bytes_in = 4,
			.bytes_out = 6000000000ULL,
			.rates = {6000000007ULL, 1, 2, 3, 4}};

		board_store(site->boards[ROLE_IPVS], IPVS_TABLE_SERVICE, i, &st, sizeof(st));
	}
	for (unsigned i = 0; i < 5; i++) {
		struct status_server st = {.is_programmed = 1,
			.effective_weight = 2,
			.active = 10 + i,
			.inactive = 20,
			.connections = 7000000001ULL + i,
			.packets_in = 7000000002ULL,
			.packets_out = 7000000003ULL,
			.bytes_in = 7000000004ULL,
			.bytes_out = 7000000005ULL,
			.rates = {.packets_in = 9}};

		status_store_server(site->boards[ROLE_IPVS], i, &st);
		site_set_health(site, i, HEALTH_UP);
	}
}

/* RS_B is being drained. */
static void make_other_boards(struct site *site, uint64_t generation)
{
	const struct board_shape parent = {
		.record_size = {sizeof(struct status_role), sizeof(struct status_admin), sizeof(struct status_daemon)},
		.count = {ROLE_COUNT, 5, 1}};
	const struct board_shape snmp = {
		.record_size = {sizeof(struct status_snmp), sizeof(struct status_trap_target)}, .count = {1, 1}};
	const struct status_check check = {.health = HEALTH_UP, .runs = 9, .cert_days = 31, .why = "connected"};
	const struct status_admin admin = {.admin = ADMIN_DRAIN, .drain_end = DRAIN_RESET, .why = "drained by root"};
	const struct status_sync sync = {.is_ready = 1, .own = 40, .foreign = 2, .why = "sent 40"};
	const struct status_snmp traps = {.traps_held = 3, .traps_rolled = 1000};
	const struct status_trap_target target = {.state = TRAP_TARGET_ANSWERING, .sent = 5, .acknowledged = 4};

	site->boards[ROLE_PARENT] = make_board(ROLE_PARENT, generation, &parent);
	site->boards[ROLE_SNMP] = make_board(ROLE_SNMP, generation, &snmp);
	board_store(site->boards[ROLE_HEALTHCHECK], HEALTH_TABLE_CHECK, 1, &check, sizeof(check));
	board_store(site->boards[ROLE_PARENT], PARENT_TABLE_ADMIN, RS_B, &admin, sizeof(admin));
	board_store(site->boards[ROLE_IPVS], IPVS_TABLE_SYNC, 0, &sync, sizeof(sync));
	board_store(site->boards[ROLE_SNMP], SNMP_TABLE_AGENT, 0, &traps, sizeof(traps));
	board_store(site->boards[ROLE_SNMP], SNMP_TABLE_TARGET, 0, &target, sizeof(target));
}

void site_init(struct site *site, uint64_t generation)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	*site = (struct site){0};
	build_global(b);
	build_vrrp(b);
	build_services(b);
	build_rest(b);
	ck_assert_int_eq(conf_builder_write(b, generation, fd), 0);
	conf_builder_free(b);
	site->conf = conf_open(fd);
	ck_assert_ptr_nonnull(site->conf);
	site->view.conf = site->conf;
	site->view.now = (struct mono){1000 * US_PER_S};
	site->view.agent_uptime_cs = 100000;
	make_vrrp_board(site, generation);
	make_check_boards(site, generation);
	make_other_boards(site, generation);
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		site->view.boards[r] = site->boards[r];
}

void site_free(struct site *site)
{
	for (unsigned r = 0; r < ROLE_COUNT; r++)
		board_close(site->boards[r]);
	conf_close(site->conf);
}

struct status_instance site_instance(const struct site *site, unsigned i)
{
	struct status_instance st;

	ck_assert_int_eq(board_load(site->boards[ROLE_VRRP], VRRP_TABLE_INSTANCE, i, &st, sizeof(st)), 0);
	return st;
}

void site_set_instance(struct site *site, unsigned i, const struct status_instance *st)
{
	board_store(site->boards[ROLE_VRRP], VRRP_TABLE_INSTANCE, i, st, sizeof(*st));
}

void site_set_health(struct site *site, unsigned server, enum health health)
{
	struct status_health st = {.health = health, .weight_percent = 100, .why = "the test says so"};

	board_store(site->boards[ROLE_HEALTHCHECK], HEALTH_TABLE_SERVER, server, &st, sizeof(st));
}
