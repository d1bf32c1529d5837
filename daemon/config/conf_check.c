/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about finished tables: each is a small function that looks at one record and reports what is wrong with it.
 * Runs in the config role; nothing here changes a record. */
#include "conf_finish.h"
#include "conf_link.h"
#include "sysctls.h"
#include <net/if.h>
#include <string.h>

static const char *text(struct conf_load *load, conf_string_t s)
{
	return conf_builder_text(load->builder, s);
}

static void *at(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	return conf_builder_at(load->builder, table, i);
}

static const struct conf_node *node_of(struct conf_load *load, enum conf_table table, conf_index_t i)
{
	return conf_object_node(load, table, i);
}

/* ---- VRRP ---- */

static void check_vrid(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	if (!conf_given(load, &conf_instance_block, i, "virtual_router_id"))
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s needs a virtual_router_id (1 to 255)", text(load, in->name));
}

static void check_interface(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);
	bool everywhere = in->unicast;

	if (in->interface && in->vrf)
		conf_warn(load, conf_statement(load, CONF_TABLE_INSTANCE, i, "vrf"), 0,
			"vrf is for unicast without an interface" CONF_MEANING
			"it is ignored: the VRF is that of the interface");
	if (in->interface)
		return;
	for (uint32_t k = 0; k < in->addresses.count; k++) {
		const struct conf_address *a = at(load, CONF_TABLE_ADDRESS, in->addresses.first + k);

		everywhere &= a->interface != 0;
	}
	if (!everywhere)
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s needs an interface (only unicast goes without, with `dev` behind each "
			"address)",
			text(load, in->name));
	else if (!addr_is_set(&in->source))
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s has no interface, so it needs unicast_src_ip", text(load, in->name));
}

static const char *present_interface(const void *list, unsigned i)
{
	return ((const struct if_nameindex *)list)[i].if_name;
}

/* eth1 is no misspelling of eth0. */
static bool differ_in_digits(const char *a, const char *b)
{
	for (; *a || *b; a += *a != 0, b += *b != 0) {
		a += strspn(a, "0123456789");
		b += strspn(b, "0123456789");
		if (*a != *b)
			return false;
	}
	return true;
}

/* An interface that is not here may come; a misspelt one never does. */
static void check_presence(
	struct conf_load *load, const struct conf_node *node, uint32_t word, const char *name, const char *then)
{
	const struct conf_global *g = at(load, CONF_TABLE_GLOBAL, 0);
	struct if_nameindex *list;
	const char *near;

	if (!load->check_files || g->net_namespace || !name[0] || if_nametoindex(name))
		return;
	list = if_nameindex();
	near = list ? conf_nearest(name, present_interface, list) : NULL;
	near = near && !differ_in_digits(name, near) ? near : NULL;
	conf_hint(load, node, word,
		"there is no interface %s on this machine now%s%s%s" CONF_MEANING "%s until it comes", name,
		near ? " (did you mean " : "", near ? near : "", near ? "?)" : "", then);
	if (list)
		if_freenameindex(list);
}

static void check_own_presence(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	check_presence(load, conf_statement(load, CONF_TABLE_INSTANCE, i, "interface"), 1, text(load, in->interface),
		"the instance waits");
}

static void check_tracked_presence(struct conf_load *load, conf_index_t i)
{
	const struct conf_track *t = at(load, CONF_TABLE_TRACK, i);

	if (t->kind == CONF_TRACK_INTERFACE)
		check_presence(load, node_of(load, CONF_TABLE_TRACK, i), 0, text(load, t->name), "it counts as down");
}

static void check_vmac(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	if (in->vmac_xmit_base && !in->use_vmac)
		conf_warn(load, conf_statement(load, CONF_TABLE_INSTANCE, i, "vmac_xmit_base"), 0,
			"vmac_xmit_base goes with use_vmac alone" CONF_MEANING "it is ignored");
}

/* Addresses that were refused are mistake enough. */
static bool has_refused_addresses(struct conf_load *load, conf_index_t i)
{
	return conf_given(load, &conf_instance_block, i, "virtual_ipaddress") && conf_diag_errors(load->diag) > 0 &&
	       conf_node_child(conf_statement(load, CONF_TABLE_INSTANCE, i, "virtual_ipaddress")) != NULL;
}

static void check_addresses(struct conf_load *load, conf_index_t i)
{
	const struct conf_instance *in = at(load, CONF_TABLE_INSTANCE, i);

	if (in->n_advertised == 0 && !has_refused_addresses(load, i))
		conf_warn(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s has no virtual_ipaddress" CONF_MEANING "its elections move nothing",
			text(load, in->name));
	if (in->n_advertised > 255)
		conf_error(load, node_of(load, CONF_TABLE_INSTANCE, i), 1,
			"vrrp_instance %s has %u addresses; an advertisement can name 255: move some to "
			"virtual_ipaddress_excluded",
			text(load, in->name), in->n_advertised);
}

static void check_address(struct conf_load *load, conf_index_t i)
{
	const struct conf_address *a = at(load, CONF_TABLE_ADDRESS, i);
	const struct conf_node *node = node_of(load, CONF_TABLE_ADDRESS, i);

	if (strlen(text(load, a->interface)) > 15)
		conf_error(load, node, 0, "the interface name behind dev has more than 15 bytes");
	if (strlen(text(load, a->label)) > 15)
		conf_error(load, node, 0, "a label has at most 15 bytes");
	if (a->instance == CONF_NONE && !a->interface)
		conf_error(load, node, 0, "a static address needs its interface: write dev NAME behind it");
	if (addr_is_multicast(&a->addr))
		conf_error(load, node, 0, "a multicast address cannot be held by an interface");
}

/* The priority of an owner of addresses never changes. */
static void check_track(struct conf_load *load, conf_index_t i)
{
	const struct conf_track *t = at(load, CONF_TABLE_TRACK, i);
	const struct conf_instance *in;

	if (t->instance == CONF_NONE || t->weight == 0)
		return;
	in = at(load, CONF_TABLE_INSTANCE, t->instance);
	if (in->priority == 255)
		conf_warn(load, node_of(load, CONF_TABLE_TRACK, i), 0,
			"the weight of %s cannot change priority 255 of vrrp_instance %s" CONF_MEANING "it is ignored",
			text(load, t->name), text(load, in->name));
	else if (t->kind == CONF_TRACK_INTERFACE && t->name == in->interface && in->track_primary)
		conf_warn(load, node_of(load, CONF_TABLE_TRACK, i), 0,
			"%s is the instance's own interface" CONF_MEANING
			"its fall is a fault, as in keepalived, and the weight has no effect (with dont_track_primary "
			"it has)",
			text(load, t->name));
}

static void check_group(struct conf_load *load, conf_index_t i)
{
	const struct conf_group *g = at(load, CONF_TABLE_GROUP, i);

	if (g->members.count < 2)
		conf_warn(load, node_of(load, CONF_TABLE_GROUP, i), 1, "vrrp_sync_group %s has %s", text(load, g->name),
			g->members.count ? "only one member" CONF_MEANING "it has no effect"
					 : "no members" CONF_MEANING "it has no effect");
}

/* ---- services ---- */

static void check_servers(struct conf_load *load, conf_index_t i)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, i);

	/* One that was refused was said. */
	if (s->servers.count == 0 &&
		conf_statement(load, CONF_TABLE_SERVICE, i, "real_server") == node_of(load, CONF_TABLE_SERVICE, i))
		conf_warn(load, node_of(load, CONF_TABLE_SERVICE, i), 1, "this virtual_server has no real_server");
}

/* The instance that decides where a service stands must be there. */
static void check_placement(struct conf_load *load, conf_index_t i)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, i);

	if (s->placement && conf_name_find(load, CONF_TABLE_INSTANCE, text(load, s->place_instance)) == CONF_NONE)
		conf_error(load,
			conf_statement(load, CONF_TABLE_SERVICE, i,
				s->placement == CONF_PLACE_MASTER ? "master_only" : "backup_only"),
			1, "there is no vrrp_instance %s", text(load, s->place_instance));
}

/* What is counted by netfilter's connection tracking needs IPVS to take part in it. */
static void check_limits(struct conf_load *load, conf_index_t i)
{
	const struct conf_service *s = at(load, CONF_TABLE_SERVICE, i);

	if (!s->client_connections)
		return;
	for (conf_index_t k = 0; k < conf_builder_count(load->builder, CONF_TABLE_SYSCTL); k++) {
		const struct conf_sysctl *sysctl = at(load, CONF_TABLE_SYSCTL, k);

		if (sysctl->number == SYSCTL_CONNTRACK && sysctl->value == 1)
			return;
	}
	conf_warn(load, conf_statement(load, CONF_TABLE_SERVICE, i, "client_connection_limit"), 0,
		"connections are only counted with lvs_sysctl { conntrack 1 } in global_defs" CONF_MEANING
		"there is no limit unless the system sets it");
}

/* A service of its own for each address must not make more than anybody can mean: all but the last two bytes agree. */
static void check_group_range(struct conf_load *load, conf_index_t i)
{
	const struct conf_group_entry *e = at(load, CONF_TABLE_GROUP_ENTRY, i);
	const struct conf_global *g = at(load, CONF_TABLE_GLOBAL, 0);

	if (!e->fwmark && !g->fold_groups && memcmp(e->first.bytes, e->last.bytes, addr_len(&e->first) - 2) != 0)
		conf_error(load, node_of(load, CONF_TABLE_GROUP_ENTRY, i), 0,
			"a range may have at most 65536 addresses; use a firewall mark, or nftables_ipvs in "
			"global_defs");
}

static void check_server(struct conf_load *load, conf_index_t i)
{
	const struct conf_server *s = at(load, CONF_TABLE_SERVER, i);
	const struct conf_service *v = at(load, CONF_TABLE_SERVICE, s->service);

	if (s->addr.family != v->family && s->forward != CONF_FORWARD_TUN)
		conf_error(load, node_of(load, CONF_TABLE_SERVER, i), 1,
			"the address has the other family than the service; only TUN allows that");
	if (s->lower_threshold > s->upper_threshold)
		conf_warn(load, conf_statement(load, CONF_TABLE_SERVER, i, "lthreshold"), 1,
			"lthreshold is higher than uthreshold" CONF_MEANING "it has no effect");
}

/* ---- the table of rules ---- */

static const struct {
	enum conf_table table;
	void (*check)(struct conf_load *load, conf_index_t i);
} rules[] = {
	{CONF_TABLE_INSTANCE, check_vrid},
	{CONF_TABLE_INSTANCE, check_interface},
	{CONF_TABLE_INSTANCE, check_own_presence},
	{CONF_TABLE_INSTANCE, check_vmac},
	{CONF_TABLE_LINK, conf_check_link},
	{CONF_TABLE_INSTANCE, check_addresses},
	{CONF_TABLE_ADDRESS, check_address},
	{CONF_TABLE_TRACK, check_track},
	{CONF_TABLE_TRACK, check_tracked_presence},
	{CONF_TABLE_GROUP, check_group},
	{CONF_TABLE_GROUP_ENTRY, check_group_range},
	{CONF_TABLE_SERVICE, check_servers},
	{CONF_TABLE_SERVICE, check_placement},
	{CONF_TABLE_SERVICE, check_limits},
	{CONF_TABLE_SERVER, check_server},
};

void conf_check(struct conf_load *load)
{
	for (unsigned r = 0; r < sizeof(rules) / sizeof(rules[0]); r++)
		for (conf_index_t i = 0; i < conf_builder_count(load->builder, rules[r].table); i++)
			rules[r].check(load, i);
	conf_check_repeated(load);
	conf_check_shared(load);
}
