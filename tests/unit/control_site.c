/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds the site that the tests of the control role look at. */
#include "control_site.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>

#define GENERATION 7

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

static void *add(struct conf_builder *b, enum conf_table table)
{
	conf_index_t i = conf_builder_add(b, table);

	return conf_builder_at(b, table, i);
}

static void add_instance(struct conf_builder *b, const char *name, uint8_t vrid, uint8_t family, uint32_t first,
	uint32_t count, uint32_t n_advertised)
{
	conf_string_t s = conf_builder_string(b, name), interface = conf_builder_string(b, "eth0");
	struct conf_instance *i = add(b, CONF_TABLE_INSTANCE);

	i->name = s;
	i->interface = interface;
	i->version = 3;
	i->family = family;
	i->vrid = vrid;
	i->priority = 150;
	i->secret = i->link = CONF_NONE;
	i->group = 0;
	i->addresses = (struct conf_range){first, count};
	i->n_advertised = n_advertised;
}

static void add_address(struct conf_builder *b, const char *text, conf_index_t instance)
{
	struct conf_address *a = add(b, CONF_TABLE_ADDRESS);

	a->link = a->track_group = CONF_NONE;
	a->addr = address(text);
	a->instance = instance;
}

static void add_vrrp(struct conf_builder *b)
{
	conf_string_t name = conf_builder_string(b, "both"), script = conf_builder_string(b, "chk");
	struct conf_group *group;
	struct conf_track *track;
	struct conf_script *s;

	add_address(b, "192.0.2.100", SITE_WEB);
	add_address(b, "192.0.2.101", SITE_WEB);
	add_address(b, "10.0.0.254", SITE_WEB);
	add_address(b, "2001:db8::100", SITE_WEB6);
	add_instance(b, "web", 51, AF_INET, 0, 3, 2);
	add_instance(b, "web6", 52, AF_INET6, 3, 1, 1);
	*(conf_index_t *)add(b, CONF_TABLE_GROUP_MEMBER) = SITE_WEB;
	*(conf_index_t *)add(b, CONF_TABLE_GROUP_MEMBER) = SITE_WEB6;
	group = add(b, CONF_TABLE_GROUP);
	group->name = name;
	group->members = (struct conf_range){0, 2};
	s = add(b, CONF_TABLE_SCRIPT);
	s->name = script;
	track = add(b, CONF_TABLE_TRACK);
	*track = (struct conf_track){.kind = CONF_TRACK_SCRIPT,
		.name = script,
		.script = 0,
		.process = CONF_NONE,
		.file = CONF_NONE,
		.service = CONF_NONE,
		.bfd = CONF_NONE,
		.track_group = CONF_NONE,
		.weight = -20,
		.instance = SITE_WEB,
		.group = CONF_NONE};
	((struct conf_instance *)conf_builder_at(b, CONF_TABLE_INSTANCE, SITE_WEB))->tracks = (struct conf_range){0, 1};
}

static void add_server(struct conf_builder *b, conf_index_t service, const char *text, uint16_t port, bool is_sorry)
{
	struct conf_server *s = add(b, CONF_TABLE_SERVER);

	s->addr = address(text);
	s->port = port;
	s->is_sorry = is_sorry;
	s->weight = 1;
	s->service = service;
	s->forward = CONF_FORWARD_NAT;
}

static struct conf_service *add_service(
	struct conf_builder *b, enum conf_service_kind kind, uint16_t protocol, uint32_t first, uint32_t count)
{
	conf_string_t wlc = conf_builder_string(b, "wlc");
	struct conf_service *s = add(b, CONF_TABLE_SERVICE);

	s->kind = kind;
	s->protocol = protocol;
	s->family = AF_INET;
	s->group = CONF_NONE;
	s->scheduler = wlc;
	s->forward = CONF_FORWARD_NAT;
	s->quorum = 1;
	s->sorry = CONF_NONE;
	s->servers = (struct conf_range){first, count};
	return s;
}

static void add_services(struct conf_builder *b)
{
	conf_string_t pool = conf_builder_string(b, "pool"), name = conf_builder_string(b, "resolver");
	struct conf_service_group *group;
	struct conf_group_entry *entry;
	struct conf_service *s;

	group = add(b, CONF_TABLE_SERVICE_GROUP);
	group->name = pool;
	group->entries = (struct conf_range){0, 3};
	entry = add(b, CONF_TABLE_GROUP_ENTRY);
	*entry = (struct conf_group_entry){address("192.0.2.53"), address("192.0.2.53"), 53, 0, 0};
	entry = add(b, CONF_TABLE_GROUP_ENTRY);
	*entry = (struct conf_group_entry){address("192.0.2.60"), address("192.0.2.69"), 53, 0, 0};
	entry = add(b, CONF_TABLE_GROUP_ENTRY);
	entry->fwmark = 9;

	s = add_service(b, CONF_SERVICE_ADDRESS, IPPROTO_TCP, SITE_S2, 2);
	s->addr = address("192.0.2.100");
	s->port = 80;
	s->sorry = SITE_SORRY;
	add_server(b, SITE_HTTP, "10.1.0.2", 80, false);
	add_server(b, SITE_HTTP, "10.1.0.3", 80, false);
	add_server(b, SITE_HTTP, "10.1.0.9", 80, true);
	s = add_service(b, CONF_SERVICE_FWMARK, 0, SITE_M2, 1);
	s->fwmark = 5;
	add_server(b, SITE_MARK, "10.1.0.2", 80, false);
	s = add_service(b, CONF_SERVICE_GROUP, IPPROTO_UDP, SITE_G2, 2);
	s->group = 0;
	add_server(b, SITE_GROUP, "10.1.0.2", 53, false);
	add_server(b, SITE_GROUP, "2001:db8:1::6", 53, false);
	((struct conf_server *)conf_builder_at(b, CONF_TABLE_SERVER, SITE_G6))->name = name;
}

static const struct board_shape *shape_of(enum role role, const struct conf *c, struct board_shape *shape)
{
#define TABLE(number, records, type)                                                                                   \
	do {                                                                                                           \
		shape->record_size[number] = sizeof(type);                                                             \
		shape->count[number] = records;                                                                        \
	} while (0)
	*shape = (struct board_shape){0};
	if (role == ROLE_PARENT) {
		TABLE(PARENT_TABLE_ROLE, ROLE_COUNT, struct status_role);
		TABLE(PARENT_TABLE_ADMIN, c->n_servers, struct status_admin);
		TABLE(PARENT_TABLE_DAEMON, 1, struct status_daemon);
	} else if (role == ROLE_VRRP) {
		TABLE(VRRP_TABLE_INSTANCE, c->n_instances, struct status_instance);
		TABLE(VRRP_TABLE_GROUP, c->n_groups, struct status_group);
		TABLE(VRRP_TABLE_ADDRESS, c->n_addresses, struct status_address);
		TABLE(VRRP_TABLE_TRACK, c->n_tracks, struct status_track);
		TABLE(VRRP_TABLE_BFD, c->n_bfds, struct status_bfd);
	} else if (role == ROLE_IPVS) {
		TABLE(IPVS_TABLE_SERVICE, c->n_services, struct status_service);
		TABLE(IPVS_TABLE_SERVER, c->n_servers, char[STATUS_SERVER_SIZE]);
		TABLE(IPVS_TABLE_TRAFFIC, c->n_servers, char[STATUS_TRAFFIC_SIZE]);
		TABLE(IPVS_TABLE_CAUSE, c->n_servers, char[STATUS_CAUSE_SIZE]);
		TABLE(IPVS_TABLE_ROLE, 1, struct status_ipvs);
		TABLE(IPVS_TABLE_SYNC, 1, struct status_sync);
		TABLE(IPVS_TABLE_MEMBER, c->n_group_entries, struct status_member);
	} else if (role == ROLE_PAIR) {
		TABLE(PAIR_TABLE_PEER, 1, struct status_pair);
		TABLE(PAIR_TABLE_DIFFERENCE, PAIR_DIFFERENCES, struct status_difference);
	} else if (role == ROLE_HEALTHCHECK) {
		TABLE(HEALTH_TABLE_SERVER, c->n_servers, struct status_health);
	} else if (role == ROLE_SCRIPT) {
		TABLE(SCRIPT_TABLE_SCRIPT, c->n_scripts, struct status_script);
	}
#undef TABLE
	return shape;
}

void control_site_renew(struct control_site *site, enum role role, uint64_t generation)
{
	struct board_shape shape;

	board_close(site->boards[role]);
	site->boards[role] = board_create(role, generation, shape_of(role, site->conf, &shape));
	ck_assert_ptr_nonnull(site->boards[role]);
}

struct control_site control_site_new(void)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct control_site site = {0};
	conf_string_t node;

	ck_assert_ptr_nonnull(b);
	node = conf_builder_string(b, "lb1");
	((struct conf_global *)conf_builder_at(b, CONF_TABLE_GLOBAL, 0))->node = node;
	add_vrrp(b);
	add_services(b);
	ck_assert_int_eq(conf_builder_write(b, GENERATION, fd), 0);
	conf_builder_free(b);
	site.conf = conf_open(fd);
	ck_assert_ptr_nonnull(site.conf);
	for (int role = 0; role < ROLE_COUNT; role++) {
		if (role != ROLE_CONTROL && role != ROLE_SNMP)
			control_site_renew(&site, (enum role)role, GENERATION);
	}
	return site;
}

void control_site_free(struct control_site *site)
{
	for (int role = 0; role < ROLE_COUNT; role++)
		board_close(site->boards[role]);
	conf_close(site->conf);
}
