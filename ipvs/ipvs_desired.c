/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image that the kernel's IPVS table shall have, from the configuration tables and the weights decided; used by the
 * ipvs role. It looks at no board and at no kernel. */
#include "ipvs_desired.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ip_vs.h>
#include <string.h>

#define DEFAULT_SCHEDULER "wlc"
#define SCHEDULER_FLAGS (IP_VS_SVC_F_SCHED1 | IP_VS_SVC_F_SCHED2 | IP_VS_SVC_F_SCHED3)

/* True when the range holds more than IPVS_RANGE_MAX addresses, or none. */
static bool range_is_bad(const struct conf_group_entry *entry)
{
	struct addr at = entry->first;
	size_t len = addr_len(&at);

	if (entry->fwmark)
		return false;
	if (len == 0 || entry->last.family != at.family || addr_compare(&entry->first, &entry->last) > 0)
		return true;
	/* All but the last two bytes are equal: at most 65536. */
	return memcmp(entry->first.bytes, entry->last.bytes, len - 2) != 0;
}

int ipvs_desired_each_member_key(
	const struct conf_service *service, const struct conf_group_entry *entry, ipvs_key_fn *fn, void *arg)
{
	struct ipvs_key key = {.protocol = service->protocol, .port = entry->port};
	int rc;

	if (entry->fwmark) {
		key = (struct ipvs_key){.family = (uint16_t)service->family, .fwmark = entry->fwmark};
		return fn(arg, &key);
	}
	if (range_is_bad(entry))
		return 0;
	key.family = entry->first.family;
	key.addr = entry->first;
	for (;;) {
		rc = fn(arg, &key);
		if (rc || addr_equal(&key.addr, &entry->last))
			return rc;
		addr_next(&key.addr);
	}
}

/* A group whose addresses nftables folds into a mark: one service for each family among them, and its own marks. */
static int each_folded_key(const struct conf *conf, const struct conf_service *s, ipvs_key_fn *fn, void *arg)
{
	const struct conf_service_group *group = &conf->service_groups[s->group];
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int rc = 0;

	for (unsigned f = 0; f < 2 && rc == 0; f++) {
		const struct ipvs_key key = {.family = families[f], .fwmark = s->fwmark};
		bool wanted = false;

		for (uint32_t i = 0; i < group->entries.count; i++) {
			const struct conf_group_entry *e = &conf->group_entries[group->entries.first + i];

			wanted |= !e->fwmark && e->first.family == families[f];
		}
		rc = wanted ? fn(arg, &key) : 0;
	}
	for (uint32_t i = 0; i < group->entries.count && rc == 0; i++)
		if (conf->group_entries[group->entries.first + i].fwmark)
			rc = ipvs_desired_each_member_key(s, &conf->group_entries[group->entries.first + i], fn, arg);
	return rc;
}

int ipvs_desired_each_key(const struct conf *conf, conf_index_t service, ipvs_key_fn *fn, void *arg)
{
	const struct conf_service *s = &conf->services[service];
	const struct conf_service_group *group;
	struct ipvs_key key = {0};
	int rc = 0;

	switch ((enum conf_service_kind)s->kind) {
	case CONF_SERVICE_ADDRESS:
		key.family = s->addr.family;
		key.protocol = s->protocol;
		key.port = s->port;
		key.addr = s->addr;
		return fn(arg, &key);
	case CONF_SERVICE_FWMARK:
		key.family = (uint16_t)s->family;
		key.fwmark = s->fwmark;
		return fn(arg, &key);
	case CONF_SERVICE_GROUP:
		if (s->group == CONF_NONE)
			return 0;
		if (s->fwmark)
			return each_folded_key(conf, s, fn, arg);
		group = &conf->service_groups[s->group];
		for (uint32_t i = 0; i < group->entries.count && rc == 0; i++)
			rc = ipvs_desired_each_member_key(s, &conf->group_entries[group->entries.first + i], fn, arg);
		return rc;
	}
	return 0;
}

bool ipvs_desired_is_placed(const struct conf_service *service, uint32_t state)
{
	switch ((enum conf_placement)service->placement) {
	case CONF_PLACE_BOTH:
		return true;
	case CONF_PLACE_MASTER:
		return state == VRRP_MASTER;
	case CONF_PLACE_BACKUP:
		return state != VRRP_MASTER;
	}
	return true;
}

struct ipvs_dest_key ipvs_desired_dest_key(const struct conf *conf, conf_index_t server)
{
	return (struct ipvs_dest_key){.addr = conf->servers[server].addr, .port = conf->servers[server].port};
}

uint32_t ipvs_desired_n_servers(const struct conf *conf, conf_index_t service)
{
	const struct conf_service *s = &conf->services[service];

	return s->servers.count + (s->sorry != CONF_NONE ? 1 : 0);
}

conf_index_t ipvs_desired_server(const struct conf *conf, conf_index_t service, uint32_t i)
{
	const struct conf_service *s = &conf->services[service];

	return i < s->servers.count ? s->servers.first + i : s->sorry;
}

const char *ipvs_desired_check(const struct conf *conf, conf_index_t *service)
{
	*service = 0;
	for (uint32_t i = 0; i < conf->n_servers; i++)
		if (conf->servers[i].service >= conf->n_services)
			return "a server belongs to no service";
	for (uint32_t i = 0; i < conf->n_services; i++) {
		const struct conf_service *s = &conf->services[i];
		const struct conf_service_group *group;

		*service = i;
		if (strlen(conf_string(conf, s->scheduler)) >= IPVS_NAME_SIZE)
			return "the scheduler's name is longer than the kernel's names can be";
		if (strlen(conf_string(conf, s->persistence_engine)) >= IPVS_NAME_SIZE)
			return "the persistence engine's name is longer than the kernel's names can be";
		if (s->kind != CONF_SERVICE_GROUP || s->group == CONF_NONE || s->fwmark)
			continue;
		group = &conf->service_groups[s->group];
		for (uint32_t e = 0; e < group->entries.count; e++)
			if (range_is_bad(&conf->group_entries[group->entries.first + e]))
				return "a range of its group is reversed or holds more than 65536 addresses";
	}
	return NULL;
}

static uint8_t kernel_forward(uint32_t forward)
{
	switch ((enum conf_forward)forward) {
	case CONF_FORWARD_NAT:
	case CONF_FORWARD_INHERIT:
		return IP_VS_CONN_F_MASQ;
	case CONF_FORWARD_DR:
		return IP_VS_CONN_F_DROUTE;
	case CONF_FORWARD_TUN:
		return IP_VS_CONN_F_TUNNEL;
	}
	return IP_VS_CONN_F_MASQ;
}

static void fill_service(const struct conf *conf, conf_index_t index, struct ipvs_service *out)
{
	const struct conf_service *s = &conf->services[index];
	const char *scheduler = conf_string(conf, s->scheduler);

	*out = (struct ipvs_service){.service = index, .flags = s->scheduler_flags & SCHEDULER_FLAGS};
	strncpy(out->scheduler, scheduler[0] ? scheduler : DEFAULT_SCHEDULER, sizeof(out->scheduler) - 1);
	strncpy(out->engine, conf_string(conf, s->persistence_engine), sizeof(out->engine) - 1);
	if (s->one_packet)
		out->flags |= IP_VS_SVC_F_ONEPACKET;
	if (s->persistence_us > 0) {
		out->flags |= IP_VS_SVC_F_PERSISTENT;
		out->timeout_s = (uint32_t)((s->persistence_us + US_PER_S - 1) / US_PER_S);
	}
}

/* IPv4 masks are in network order, IPv6 ones are a prefix length; a service without persistence has the full mask. */
static void fill_netmask(const struct conf_service *s, struct ipvs_service *out)
{
	if (out->key.family == AF_INET6)
		out->netmask = s->persistence_us > 0 && s->persistence_prefix6 ? s->persistence_prefix6 : 128;
	else
		out->netmask =
			s->persistence_us > 0 && s->persistence_mask4 ? s->persistence_mask4 : htonl(INADDR_NONE);
}

static void fill_dest(const struct conf *conf, conf_index_t index, int32_t weight, struct ipvs_dest *out)
{
	const struct conf_server *s = &conf->servers[index];

	*out = (struct ipvs_dest){.key = ipvs_desired_dest_key(conf, index),
		.forward = kernel_forward(s->forward),
		.weight = weight,
		.upper = s->upper_threshold,
		.lower = s->lower_threshold,
		.server = index};
	if (out->forward != IP_VS_CONN_F_TUNNEL)
		return;
	out->tunnel_type = s->tunnel.type;
	out->tunnel_port = s->tunnel.port;
	out->tunnel_flags = s->tunnel.flags;
}

struct building {
	const struct conf *conf;
	const struct ipvs_weight *weights;
	conf_index_t service;
	struct ipvs_service settings;
	struct ipvs_image *out;
};

static int build_key(void *arg, const struct ipvs_key *key)
{
	struct building *b = arg;
	struct ipvs_service *service;

	b->settings.key = *key;
	fill_netmask(&b->conf->services[b->service], &b->settings);
	service = ipvs_image_add(b->out, &b->settings);
	if (!service)
		return -ENOMEM;
	ipvs_service_reserve(service, ipvs_desired_n_servers(b->conf, b->service));
	for (uint32_t i = 0; i < ipvs_desired_n_servers(b->conf, b->service); i++) {
		conf_index_t server = ipvs_desired_server(b->conf, b->service, i);
		struct ipvs_dest dest;

		if (!b->weights[server].listed)
			continue;
		fill_dest(b->conf, server, b->weights[server].weight, &dest);
		if (!ipvs_service_add(service, &dest))
			return -ENOMEM;
	}
	return 0;
}

static int add_leftovers(const struct ipvs_leftover *leftovers, size_t n, struct ipvs_image *out)
{
	for (size_t i = 0; i < n; i++) {
		struct ipvs_service *service = ipvs_image_find(out, &leftovers[i].service);
		struct ipvs_dest dest = leftovers[i].dest;

		if (!service)
			continue;
		dest.weight = 0;
		dest.server = UINT32_MAX; /* sorts behind the configured one with the same key, which then stays */
		if (!ipvs_service_add(service, &dest))
			return -ENOMEM;
	}
	/* Once: a service of a thousand servers may have lost hundreds. */
	if (n > 0)
		ipvs_image_sort(out);
	return 0;
}

int ipvs_desired_build(const struct conf *conf, const struct ipvs_weight *weights, const bool *absent,
	const struct ipvs_leftover *leftovers, size_t n_leftovers, struct ipvs_image *out)
{
	struct building b = {.conf = conf, .weights = weights, .out = out};
	int rc = 0;

	ipvs_image_empty(out);
	ipvs_image_reserve(out, conf->n_services);
	for (uint32_t i = 0; i < conf->n_services && rc == 0; i++) {
		if (absent && absent[i])
			continue;
		b.service = i;
		fill_service(conf, i, &b.settings);
		rc = ipvs_desired_each_key(conf, i, build_key, &b);
	}
	ipvs_image_sort(out);
	ipvs_image_trim(out);
	if (rc == 0)
		rc = add_leftovers(leftovers, n_leftovers, out);
	if (rc < 0)
		ipvs_image_clear(out);
	return rc;
}
