/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From configuration tables to the image of the kernel: expansion of groups, settings, forwarding, leftovers, and the
 * list of what is ours with its way through the ledger. */
#include "conf.h"
#include "ipvs_desired.h"
#include "ipvs_owned.h"
#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct conf_builder *b;

static struct conf_service *service_at(conf_index_t i)
{
	return conf_builder_at(b, CONF_TABLE_SERVICE, i);
}

static conf_index_t add_server(conf_index_t service, const char *address, uint16_t port, bool is_sorry)
{
	conf_index_t i = conf_builder_add(b, CONF_TABLE_SERVER);
	struct conf_server *s = conf_builder_at(b, CONF_TABLE_SERVER, i);

	ck_assert_int_eq(addr_parse(address, &s->addr), 0);
	s->port = port;
	s->weight = 1;
	s->service = service;
	s->is_sorry = is_sorry;
	if (is_sorry) {
		service_at(service)->sorry = i;
	} else {
		if (service_at(service)->servers.count == 0)
			service_at(service)->servers.first = i;
		service_at(service)->servers.count++;
	}
	return i;
}

static conf_index_t add_service(uint32_t kind)
{
	conf_index_t i = conf_builder_add(b, CONF_TABLE_SERVICE);
	struct conf_service *s = service_at(i);

	s->kind = kind;
	s->protocol = IPPROTO_TCP;
	s->family = AF_INET;
	s->group = s->sorry = CONF_NONE;
	s->quorum = 1;
	return i;
}

static conf_index_t add_address_service(const char *address, uint16_t port)
{
	conf_index_t i = add_service(CONF_SERVICE_ADDRESS);
	struct conf_service *s = service_at(i);

	ck_assert_int_eq(addr_parse(address, &s->addr), 0);
	s->family = s->addr.family;
	s->port = port;
	return i;
}

static void add_entry(conf_index_t group, const char *first, const char *last, uint16_t port, uint32_t mark)
{
	conf_index_t i = conf_builder_add(b, CONF_TABLE_GROUP_ENTRY);
	struct conf_group_entry *e = conf_builder_at(b, CONF_TABLE_GROUP_ENTRY, i);
	struct conf_service_group *g = conf_builder_at(b, CONF_TABLE_SERVICE_GROUP, group);

	if (first)
		ck_assert_int_eq(addr_parse(first, &e->first), 0);
	if (last)
		ck_assert_int_eq(addr_parse(last, &e->last), 0);
	e->port = port;
	e->fwmark = mark;
	if (g->entries.count++ == 0)
		g->entries.first = i;
}

static void begin(void)
{
	struct conf_global *global;

	b = conf_builder_new();
	if (conf_builder_count(b, CONF_TABLE_GLOBAL) == 0)
		conf_builder_add(b, CONF_TABLE_GLOBAL);
	global = conf_builder_at(b, CONF_TABLE_GLOBAL, 0);
	global->sync_instance = CONF_NONE;
}

static struct conf *finish(void)
{
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct conf *conf;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(conf_builder_write(b, 1, fd), 0);
	fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
	conf_builder_free(b);
	return conf;
}

static struct ipvs_key key4(const char *address, uint16_t port)
{
	struct ipvs_key key = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = port};

	ck_assert_int_eq(addr_parse(address, &key.addr), 0);
	return key;
}

static struct ipvs_dest_key dest4(const char *address, uint16_t port)
{
	struct ipvs_dest_key key = {.port = port};

	ck_assert_int_eq(addr_parse(address, &key.addr), 0);
	return key;
}

START_TEST(test_settings)
{
	struct ipvs_weight weights[2] = {{.listed = true, .weight = 5}, {.listed = false}};
	struct ipvs_image image = {0};
	struct ipvs_key key = key4("192.0.2.1", 443);
	struct ipvs_service *service;
	struct conf_service *s;
	struct conf_server *server;
	struct conf *conf;

	begin();
	s = service_at(add_address_service("192.0.2.1", 443));
	s->scheduler = conf_builder_string(b, "sh");
	s = service_at(0);
	s->persistence_engine = conf_builder_string(b, "sip");
	s = service_at(0);
	s->scheduler_flags = IP_VS_SVC_F_SCHED_SH_PORT | IP_VS_SVC_F_HASHED;
	s->one_packet = 1;
	s->persistence_us = 50500000;
	s->persistence_mask4 = htonl(0xffffff00);
	server = conf_builder_at(b, CONF_TABLE_SERVER, add_server(0, "10.1.0.2", 80, false));
	server->forward = CONF_FORWARD_TUN;
	server->upper_threshold = 9;
	server->lower_threshold = 3;
	add_server(0, "10.1.0.3", 80, false);
	conf = finish();
	ck_assert_int_eq(ipvs_desired_build(conf, weights, NULL, NULL, 0, &image), 0);
	ck_assert_uint_eq(image.n_services, 1);
	service = ipvs_image_find(&image, &key);
	ck_assert_ptr_nonnull(service);
	ck_assert_str_eq(service->scheduler, "sh");
	ck_assert_str_eq(service->engine, "sip");
	ck_assert_uint_eq(service->flags, IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_ONEPACKET | IP_VS_SVC_F_SCHED_SH_PORT);
	ck_assert_uint_eq(service->timeout_s, 51); /* never shorter than asked for */
	ck_assert_uint_eq(service->netmask, htonl(0xffffff00));
	ck_assert_uint_eq(service->n_dests, 1); /* the other one is not listed */
	ck_assert_int_eq(service->dests[0].weight, 5);
	ck_assert_uint_eq(service->dests[0].forward, IP_VS_CONN_F_TUNNEL);
	ck_assert_uint_eq(service->dests[0].upper, 9);
	ck_assert_uint_eq(service->dests[0].lower, 3);
	ipvs_image_clear(&image);
	conf_close(conf);
}
END_TEST

START_TEST(test_defaults)
{
	struct ipvs_weight weights[1] = {{.listed = true, .weight = 1}};
	struct ipvs_image image = {0};
	struct conf *conf;

	begin();
	add_server(add_address_service("2001:db8::1", 80), "2001:db8::2", 80, false);
	add_address_service("192.0.2.1", 80);
	conf = finish();
	ck_assert_int_eq(ipvs_desired_build(conf, weights, NULL, NULL, 0, &image), 0);
	ck_assert_uint_eq(image.n_services, 2);
	for (uint32_t i = 0; i < 2; i++) {
		ck_assert_str_eq(image.services[i].scheduler, "wlc");
		ck_assert_uint_eq(image.services[i].flags, 0);
		ck_assert_uint_eq(
			image.services[i].netmask, image.services[i].key.family == AF_INET6 ? 128 : 0xffffffffu);
	}
	ipvs_image_clear(&image);
	conf_close(conf);
}
END_TEST

/* A range that crosses a byte, a mark, and another port: every member is a service with all servers. */
START_TEST(test_group)
{
	struct ipvs_weight weights[2] = {{.listed = true, .weight = 1}, {.listed = true, .weight = 0}};
	struct ipvs_image image = {0};
	struct ipvs_key key = key4("192.0.3.1", 80), mark = {.family = AF_INET, .fwmark = 9};
	conf_index_t group, service = 0;
	struct conf *conf;

	begin();
	group = conf_builder_add(b, CONF_TABLE_SERVICE_GROUP);
	add_entry(group, "192.0.2.254", "192.0.3.1", 80, 0);
	add_entry(group, "192.0.2.7", "192.0.2.7", 81, 0);
	add_entry(group, NULL, NULL, 0, 9);
	service_at(add_service(CONF_SERVICE_GROUP))->group = group;
	add_server(0, "10.1.0.2", 80, false);
	add_server(0, "10.1.0.9", 80, true);
	conf = finish();
	ck_assert_ptr_null(ipvs_desired_check(conf, &service));
	ck_assert_int_eq(ipvs_desired_build(conf, weights, NULL, NULL, 0, &image), 0);
	ck_assert_uint_eq(image.n_services, 6);
	for (uint32_t i = 0; i < 6; i++)
		ck_assert_uint_eq(image.services[i].n_dests, 2);
	ck_assert_ptr_nonnull(ipvs_image_find(&image, &key));
	ck_assert_ptr_nonnull(ipvs_image_find(&image, &mark));
	key = key4("192.0.3.2", 80);
	ck_assert_ptr_null(ipvs_image_find(&image, &key));
	ipvs_image_clear(&image);
	conf_close(conf);
}
END_TEST

START_TEST(test_bad_ranges_are_refused)
{
	static const char *const ranges[][2] = {
		{"192.0.2.9", "192.0.2.1"}, {"10.0.0.0", "10.1.0.0"}, {"2001:db8::", "2001:db8::1:0"}};

	for (int i = 0; i < 3; i++) {
		conf_index_t group, service = 7;
		struct conf *conf;

		begin();
		group = conf_builder_add(b, CONF_TABLE_SERVICE_GROUP);
		add_entry(group, ranges[i][0], ranges[i][1], 80, 0);
		service_at(add_service(CONF_SERVICE_GROUP))->group = group;
		conf = finish();
		ck_assert_ptr_nonnull(ipvs_desired_check(conf, &service));
		ck_assert_uint_eq(service, 0);
		conf_close(conf);
	}
}
END_TEST

/* They come in any order, from one service and the other in turn. */
START_TEST(test_many_leftovers)
{
	enum { LEFT = 200 };
	struct ipvs_weight weights[2] = {{.listed = true, .weight = 4}, {.listed = true, .weight = 0}};
	struct ipvs_leftover leftovers[LEFT + 1] = {0};
	struct ipvs_image image = {0};
	struct conf *conf;

	begin();
	add_server(add_address_service("192.0.2.1", 80), "10.1.0.2", 80, false);
	add_server(add_address_service("192.0.2.2", 80), "10.1.0.2", 80, false);
	conf = finish();
	for (uint16_t i = 0; i < LEFT; i++)
		leftovers[i] = (struct ipvs_leftover){.service = key4(i % 2 ? "192.0.2.2" : "192.0.2.1", 80),
			.dest = {.key = dest4("10.1.0.2", (uint16_t)(1000 - i)), .weight = 3}};
	/* configured again, and told weight 0 there */
	leftovers[LEFT] = (struct ipvs_leftover){
		.service = key4("192.0.2.2", 80), .dest = {.key = dest4("10.1.0.2", 80), .weight = 3}};
	ck_assert_int_eq(ipvs_desired_build(conf, weights, NULL, leftovers, LEFT + 1, &image), 0);
	ck_assert_uint_eq(image.n_services, 2);
	for (uint32_t s = 0; s < 2; s++) {
		const struct ipvs_service *service = &image.services[s];
		const struct ipvs_dest_key key = dest4("10.1.0.2", 80);

		ck_assert_uint_eq(service->n_dests, LEFT / 2 + 1);
		for (uint32_t i = 1; i < service->n_dests; i++)
			ck_assert(ipvs_dest_key_compare(&service->dests[i - 1].key, &service->dests[i].key) < 0);
		ck_assert_uint_eq(ipvs_service_find(service, &key)->server, s);
	}
	for (uint32_t i = 0; i < LEFT; i++) {
		const struct ipvs_service *service = ipvs_image_find(&image, &leftovers[i].service);
		const struct ipvs_dest *dest = ipvs_service_find(service, &leftovers[i].dest.key);

		ck_assert(dest && dest->weight == 0 && dest->server == UINT32_MAX);
	}
	ipvs_image_clear(&image);
	conf_close(conf);
}
END_TEST

START_TEST(test_leftovers)
{
	struct ipvs_weight weights[1] = {{.listed = true, .weight = 4}};
	struct ipvs_leftover leftovers[3] = {
		{.service = key4("192.0.2.1", 80), .dest = {.key = dest4("10.1.0.7", 80), .weight = 3}},
		{.service = key4("192.0.2.1", 80), .dest = {.key = dest4("10.1.0.2", 80), .weight = 3}},
		{.service = key4("192.0.2.99", 80), .dest = {.key = dest4("10.1.0.7", 80), .weight = 3}}};
	struct ipvs_image image = {0};
	const struct ipvs_dest *dest;
	struct conf *conf;

	begin();
	add_server(add_address_service("192.0.2.1", 80), "10.1.0.2", 80, false);
	conf = finish();
	ck_assert_int_eq(ipvs_desired_build(conf, weights, NULL, leftovers, 3, &image), 0);
	ck_assert_uint_eq(image.n_services, 1);
	ck_assert_uint_eq(image.services[0].n_dests, 2);
	dest = ipvs_service_find(&image.services[0], &leftovers[0].dest.key);
	ck_assert(dest && dest->weight == 0 && dest->server == UINT32_MAX);
	dest = ipvs_service_find(&image.services[0], &leftovers[1].dest.key); /* configured again */
	ck_assert(dest && dest->weight == 4 && dest->server == 0);
	ipvs_image_clear(&image);
	conf_close(conf);
}
END_TEST

START_TEST(test_a_borrowed_table_is_left_alone)
{
	struct ipvs_owned from = {0}, borrower, other;
	struct ipvs_leftover leftover = {.service = key4("192.0.2.1", 80), .dest = {.key = dest4("10.1.0.9", 80)}};
	struct conf *conf;

	begin();
	add_server(add_address_service("192.0.2.1", 80), "10.1.0.2", 80, false);
	conf = finish();
	ck_assert_int_eq(ipvs_owned_from_conf(&from, conf), 0);
	borrower = ipvs_owned_borrow(&from);
	other = ipvs_owned_borrow(&from);
	ck_assert(ipvs_owned_equal(&from, &borrower));
	ck_assert_int_eq(ipvs_owned_add_leftovers(&borrower, &leftover, 1), 0);
	ck_assert(!ipvs_owned_equal(&from, &borrower));
	ck_assert(ipvs_owned_has(&borrower, &leftover.service, &leftover.dest.key));
	ck_assert(!ipvs_owned_has(&from, &leftover.service, &leftover.dest.key));
	ipvs_owned_give_over(&other, &borrower); /* it is not that one's to give */
	ck_assert(borrower.is_borrowed);
	ipvs_owned_give_over(&from, &borrower);
	ck_assert(ipvs_owned_is_empty(&from) && !ipvs_owned_is_empty(&borrower));
	ipvs_owned_give_over(&from, &other); /* too late */
	ck_assert(other.is_borrowed);
	ipvs_owned_clear(&other);
	ck_assert(ipvs_owned_has(&borrower, &leftover.service, NULL));
	ipvs_owned_clear(&borrower);
	ipvs_owned_clear(&from);
	conf_close(conf);
}
END_TEST

/* A service by a group of three entries, the last of them a mark, and one by address. */
static struct conf *two_services(const char *entry, int32_t weight, const char *server)
{
	conf_index_t group, service;

	begin();
	group = conf_builder_add(b, CONF_TABLE_SERVICE_GROUP);
	add_entry(group, "192.0.2.20", "192.0.2.22", 80, 0);
	add_entry(group, entry, entry, 81, 0);
	add_entry(group, NULL, NULL, 0, 9);
	service_at(add_service(CONF_SERVICE_GROUP))->group = group;
	add_server(0, "10.1.0.2", 80, false);
	service = add_address_service("192.0.2.1", 80);
	add_server(service, server, 80, false);
	((struct conf_server *)conf_builder_at(b, CONF_TABLE_SERVER, 1))->weight = weight;
	return finish();
}

START_TEST(test_what_has_the_same_keys)
{
	struct conf *a = two_services("192.0.2.7", 1, "10.1.0.3"), *heavier = two_services("192.0.2.7", 9, "10.1.0.3");
	struct conf *entry = two_services("192.0.2.8", 1, "10.1.0.3"),
		    *server = two_services("192.0.2.7", 1, "10.1.0.4");

	ck_assert(conf_same_services(a, heavier));
	ck_assert(!conf_same_services(a, entry));
	ck_assert(!conf_same_services(a, server));
	conf_close(a);
	conf_close(heavier);
	conf_close(entry);
	conf_close(server);
}
END_TEST

/* The memory of an image is used again, whatever was in it: more, less, other services in another order. */
START_TEST(test_an_image_is_built_again_and_again)
{
	static const struct ipvs_weight weights[8] = {{.listed = true, .weight = 1}, {.listed = true, .weight = 1},
		{.listed = true, .weight = 1}, {.listed = true, .weight = 1}, {.listed = true, .weight = 1},
		{.listed = true, .weight = 1}, {.listed = true, .weight = 1}, {.listed = true, .weight = 1}};
	struct ipvs_image image = {0}, fresh;

	srand(2);
	for (int round = 0; round < 300; round++) {
		int n = rand() % 9, n_absent = rand() % 3;
		bool absent[8] = {false};
		struct conf *conf;

		begin();
		for (int i = 0; i < n; i++) {
			char address[ADDR_TEXT];

			/* Some are there twice: the first one stays. */
			snprintf(address, sizeof(address), "192.0.2.%d", 1 + rand() % 6);
			add_server(add_address_service(address, 80), "10.1.0.2", 80, false);
		}
		conf = finish();
		for (int i = 0; i < n_absent; i++)
			absent[rand() % 8] = true;
		fresh = (struct ipvs_image){0};
		ck_assert_int_eq(ipvs_desired_build(conf, weights, absent, NULL, 0, &image), 0);
		ck_assert_int_eq(ipvs_desired_build(conf, weights, absent, NULL, 0, &fresh), 0);
		ck_assert_uint_eq(image.n_services, fresh.n_services);
		for (uint32_t i = 0; i < image.n_services; i++) {
			ck_assert_uint_eq(image.services[i].service, fresh.services[i].service);
			ck_assert_uint_eq(image.services[i].n_dests, 1);
			ck_assert_uint_eq(image.services[i].dests[0].server, fresh.services[i].dests[0].server);
		}
		ipvs_image_clear(&fresh);
		conf_close(conf);
	}
	ipvs_image_clear(&image);
}
END_TEST

/* ---- what is ours ---- */

START_TEST(test_owned_through_ledger)
{
	struct ipvs_owned owned = {0}, loaded = {0};
	struct ipvs_leftover leftover = {
		.service = key4("192.0.2.1", 80), .dest = {.key = dest4("10.1.0.7", 80)}, .until = {12345}};
	struct ipvs_key service = key4("192.0.2.1", 80), other = key4("192.0.2.2", 80);
	struct ipvs_dest_key dest = dest4("10.1.0.2", 80);
	struct ipvs_service found = {.key = service};
	struct ipvs_dest dests[3] = {{.key = dest}, {.key = leftover.dest.key}, {.key = dest4("10.9.9.9", 1)}};
	int fd = memfd_create("ledger", MFD_CLOEXEC);
	struct conf *conf;

	begin();
	add_server(add_address_service("192.0.2.1", 80), "10.1.0.2", 80, false);
	conf = finish();
	ck_assert(ipvs_owned_is_empty(&owned));
	ck_assert_int_eq(ipvs_owned_from_conf(&owned, conf), 0);
	ck_assert_int_eq(ipvs_owned_add_leftovers(&owned, &leftover, 1), 0);
	ck_assert_int_eq(ipvs_owned_store(&owned, fd), 0);
	ck_assert_int_eq(ipvs_owned_load(&loaded, fd), 0);
	ck_assert(ipvs_owned_equal(&owned, &loaded));
	ck_assert(ipvs_owned_has(&loaded, &service, NULL));
	ck_assert(ipvs_owned_has(&loaded, &service, &dest));
	ck_assert(!ipvs_owned_has(&loaded, &other, NULL));
	ck_assert(!ipvs_owned_has(&loaded, &other, &dest));
	ck_assert_int_eq(ipvs_owned_until_us(&loaded, &service, &leftover.dest.key), 12345);
	ck_assert_int_eq(ipvs_owned_until_us(&loaded, &service, &dest), 0);
	found.dests = dests;
	found.n_dests = 3;
	ipvs_owned_mark(&loaded, &found);
	ck_assert(found.ours && dests[0].ours && dests[1].ours && !dests[2].ours);
	/* What stands in the kernel does not take the time limit of a leftover away. */
	struct ipvs_image image = {.services = &found, .n_services = 1};
	ck_assert_int_eq(ipvs_owned_add_image(&loaded, &image), 0);
	ck_assert(ipvs_owned_equal(&owned, &loaded));
	ck_assert_int_eq(ipvs_owned_load(&loaded, -1), 0);
	ck_assert(ipvs_owned_is_empty(&loaded));
	ipvs_owned_clear(&owned);
	ipvs_owned_clear(&loaded);
	conf_close(conf);
	close(fd);
}
END_TEST

/* What another list says of services and servers, with time limits; what it says of settings and nftables is not taken. */
START_TEST(test_entries_of_another_list)
{
	struct ipvs_key one = key4("192.0.2.1", 80), two = key4("192.0.2.2", 80);
	struct ipvs_leftover leftover = {.service = one, .dest = {.key = dest4("10.1.0.7", 80)}, .until = {12345}};
	struct ipvs_dest_key first = dest4("10.1.0.2", 80), second = dest4("10.1.0.3", 80);
	struct ipvs_owned configured = {0}, former = {0}, owned;
	struct conf *now, *then;
	int64_t before;

	begin();
	add_server(add_address_service("192.0.2.1", 80), "10.1.0.2", 80, false);
	now = finish();
	begin();
	add_server(add_address_service("192.0.2.1", 80), "10.1.0.3", 80, false);
	add_server(add_address_service("192.0.2.2", 80), "10.1.0.2", 80, false);
	then = finish();
	ck_assert_int_eq(ipvs_owned_from_conf(&configured, now), 0);
	ck_assert_int_eq(ipvs_owned_from_conf(&former, then), 0);
	ck_assert_int_eq(ipvs_owned_add_leftovers(&former, &leftover, 1), 0);
	ck_assert_int_eq(ipvs_owned_add_setting(&former, 3, 7), 0);
	ck_assert_int_eq(ipvs_owned_add_firewall(&former), 0);
	owned = ipvs_owned_borrow(&configured);
	for (int i = 0; i < 2; i++) { /* the second time brings nothing new */
		ck_assert_int_eq(ipvs_owned_add_entries(&owned, &former), 0);
		ck_assert_uint_eq(owned.n, 4);
	}
	ck_assert(ipvs_owned_has(&owned, &one, &first) && ipvs_owned_has(&owned, &one, &second));
	ck_assert(ipvs_owned_has(&owned, &two, NULL) && ipvs_owned_has(&owned, &two, &first));
	ck_assert(!ipvs_owned_has(&owned, &two, &second));
	ck_assert_int_eq(ipvs_owned_until_us(&owned, &one, &leftover.dest.key), 12345);
	ck_assert(!ipvs_owned_find_setting(&owned, 3, &before) && !ipvs_owned_find_firewall(&owned));
	ipvs_owned_clear(&owned);
	ipvs_owned_clear(&configured);
	ipvs_owned_clear(&former);
	conf_close(now);
	conf_close(then);
}
END_TEST

/* A small world, in which all that can be ours is asked for one by one. */
#define WORLD_SERVICES 6
#define WORLD_SERVERS 9

struct world {
	bool services[WORLD_SERVICES], servers[WORLD_SERVICES][WORLD_SERVERS];
};

static struct ipvs_key world_service(unsigned n)
{
	return key4("192.0.2.1", (uint16_t)(80 + n));
}

static struct ipvs_dest_key world_server(unsigned n)
{
	struct ipvs_dest_key key = dest4("10.1.0.2", (uint16_t)(80 + n));

	return key;
}

/* Services in any order, some twice, each with servers in any order, some twice. */
static struct conf *random_configuration(struct world *world)
{
	unsigned n_services = (unsigned)rand() % 8;

	begin();
	for (unsigned i = 0; i < n_services; i++) {
		unsigned s = (unsigned)rand() % WORLD_SERVICES, n_servers = (unsigned)rand() % 6;
		conf_index_t service = add_address_service("192.0.2.1", (uint16_t)(80 + s));

		world->services[s] = true;
		for (unsigned k = 0; k < n_servers; k++) {
			unsigned d = (unsigned)rand() % WORLD_SERVERS;

			add_server(service, "10.1.0.2", (uint16_t)(80 + d), k + 1 == n_servers && rand() % 2);
			world->servers[s][d] = true;
		}
	}
	return finish();
}

/* What stands in the kernel: entries of ours that the configuration does not have, and those of others. */
static void add_random_image(struct ipvs_owned *owned, struct world *world)
{
	struct ipvs_image image = {0};

	for (unsigned s = 0; s < WORLD_SERVICES; s++) {
		const struct ipvs_service settings = {.key = world_service(s), .ours = rand() % 4 == 0};
		struct ipvs_service *service = rand() % 2 ? ipvs_image_add(&image, &settings) : NULL;

		if (!service)
			continue;
		world->services[s] |= service->ours;
		for (unsigned d = 0; d < WORLD_SERVERS; d++) {
			const struct ipvs_dest dest = {.key = world_server(d), .ours = rand() % 4 == 0};

			ck_assert_ptr_nonnull(ipvs_service_add(service, &dest));
			world->servers[s][d] |= dest.ours;
		}
	}
	ck_assert_int_eq(ipvs_owned_add_image(owned, &image), 0);
	ipvs_image_clear(&image);
}

static void assert_world(const struct ipvs_owned *owned, const struct world *world)
{
	for (unsigned s = 0; s < WORLD_SERVICES; s++) {
		struct ipvs_dest dests[WORLD_SERVERS] = {0};
		struct ipvs_service service = {.key = world_service(s), .dests = dests, .n_dests = WORLD_SERVERS};

		for (unsigned d = 0; d < WORLD_SERVERS; d++)
			dests[d].key = world_server(d);
		ipvs_owned_mark(owned, &service);
		ck_assert_int_eq(service.ours, world->services[s]);
		ck_assert_int_eq(ipvs_owned_has(owned, &service.key, NULL), world->services[s]);
		for (unsigned d = 0; d < WORLD_SERVERS; d++) {
			ck_assert_int_eq(dests[d].ours, world->servers[s][d]);
			ck_assert_int_eq(ipvs_owned_has(owned, &service.key, &dests[d].key), world->servers[s][d]);
		}
	}
}

/* Whatever is configured and stands there: each entry is found, no other one is, and a successor finds the same. */
START_TEST(test_owned_is_what_was_added)
{
	int fd = memfd_create("ledger", MFD_CLOEXEC);

	for (unsigned round = 0; round < 300; round++) {
		struct ipvs_owned configured = {0}, owned, loaded = {0}, again = {0};
		struct world world = {0};
		struct conf *conf;
		int64_t before = 0;

		srand(round);
		conf = random_configuration(&world);
		ck_assert_int_eq(ipvs_owned_from_conf(&configured, conf), 0);
		assert_world(&configured, &world);
		owned = ipvs_owned_borrow(&configured);
		add_random_image(&owned, &world);
		if (round % 2)
			ck_assert_int_eq(ipvs_owned_add_setting(&owned, 3, round), 0);
		if (round % 3)
			ck_assert_int_eq(ipvs_owned_add_firewall(&owned), 0);
		assert_world(&owned, &world);
		ck_assert_int_eq(ipvs_owned_store(&owned, fd), 0);
		ck_assert_int_eq(ipvs_owned_load(&loaded, fd), 0);
		assert_world(&loaded, &world);
		ck_assert_int_eq(ipvs_owned_find_setting(&loaded, 3, &before), round % 2);
		ck_assert_int_eq(before, round % 2 ? round : 0);
		ck_assert_int_eq(ipvs_owned_find_firewall(&loaded), round % 3 != 0);
		ck_assert_int_eq(ipvs_owned_store(&loaded, fd), 0);
		ck_assert_int_eq(ipvs_owned_load(&again, fd), 0);
		ck_assert(ipvs_owned_equal(&loaded, &again));
		ipvs_owned_clear(&again);
		ipvs_owned_clear(&loaded);
		ipvs_owned_clear(&owned);
		ipvs_owned_clear(&configured);
		conf_close(conf);
	}
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_desired");
	TCase *tc = tcase_create("desired");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_settings);
	tcase_add_test(tc, test_defaults);
	tcase_add_test(tc, test_group);
	tcase_add_test(tc, test_bad_ranges_are_refused);
	tcase_add_test(tc, test_leftovers);
	tcase_add_test(tc, test_many_leftovers);
	tcase_add_test(tc, test_owned_through_ledger);
	tcase_add_test(tc, test_entries_of_another_list);
	tcase_add_test(tc, test_owned_is_what_was_added);
	tcase_add_test(tc, test_a_borrowed_table_is_left_alone);
	tcase_add_test(tc, test_what_has_the_same_keys);
	tcase_add_test(tc, test_an_image_is_built_again_and_again);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
