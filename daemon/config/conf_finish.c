/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Completes the records of VRRP when the whole file is read: names become indices, values that were not given are
 * inherited, and what the protocol version allows is settled. Runs in the config role. Services are completed in
 * conf_finish_service.c. */
#include "conf_finish.h"
#include "conf_hmac.h"
#include "conf_link.h"
#include "conf_track.h"
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

static struct conf_instance *instance(struct conf_load *load, conf_index_t i)
{
	return conf_builder_at(load->builder, CONF_TABLE_INSTANCE, i);
}

static void warn_at(struct conf_load *load, conf_index_t i, const char *keyword, const char *text)
{
	const struct conf_node *node = conf_statement(load, CONF_TABLE_INSTANCE, i, keyword);
	struct conf_instance *in = instance(load, i);

	conf_warn(load, node, 1, "vrrp_instance %s: %s", conf_builder_text(load->builder, in->name), text);
}

/* ---- global values ---- */

static void finish_global(struct conf_load *load)
{
	struct conf_global *g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	struct conf_defaults *d = &load->defaults;
	struct utsname uts;
	conf_string_t node;

	if (!g->node && uname(&uts) == 0) {
		node = conf_text(load, uts.nodename);
		g->node = node;
	}
	if (d->min_garp > 0) {
		d->garp_repeat = 1;
		d->garp_delay_us = 0;
		d->garp_refresh_repeat = 1;
	}
	if (!g->notification_email_from) {
		char from[300] = "root@localhost";

		if (uname(&uts) == 0)
			snprintf(from, sizeof(from), "root@%s", uts.nodename);
		node = conf_text(load, from);
		g->notification_email_from = node;
	}
	if (!addr_is_set(&g->mcast_group4))
		addr_parse("224.0.0.18", &g->mcast_group4);
	if (!addr_is_set(&g->mcast_group6))
		addr_parse("ff02::12", &g->mcast_group6);
}

static void finish_sync_daemon(struct conf_load *load)
{
	struct conf_global *g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	const struct conf_word *name = load->defaults.sync_instance;
	bool id_given = false;

	if (!load->defaults.sync_daemon && load->defaults.sync_by_instance) {
		g->sync_interface = conf_text(load, conf_word(load->defaults.sync_by_instance, 1));
		g->sync_instance = load->defaults.sync_owner;
		g->sync_id = instance(load, g->sync_instance)->vrid;
		return;
	}
	if (!load->defaults.sync_daemon)
		return;
	for (uint32_t i = 2; i < load->defaults.sync_daemon->n_words; i++)
		id_given |= strcmp(conf_word(load->defaults.sync_daemon, i), "id") == 0;
	if (!name)
		return;
	g->sync_instance = conf_name_find(load, CONF_TABLE_INSTANCE, name->text);
	if (g->sync_instance == CONF_NONE)
		conf_error(load, load->defaults.sync_daemon, (uint32_t)(name - load->defaults.sync_daemon->words),
			"lvs_sync_daemon follows vrrp_instance %s, which does not exist", name->text);
	else if (!id_given)
		g->sync_id = instance(load, g->sync_instance)->vrid;
}

/* ---- instances ---- */

/* The first virtual address decides the family of the advertisements, else the peers, else native_ipv6. */
static void finish_family(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);
	const struct conf_extra *extra = conf_extra(load, CONF_TABLE_INSTANCE, index);
	const struct conf_address *a;
	const struct conf_peer *peer;

	i->family = AF_INET;
	if (i->n_advertised) {
		a = conf_builder_at(load->builder, CONF_TABLE_ADDRESS, i->addresses.first);
		i->family = a->addr.family;
		if (i->family == AF_INET && extra->native_ipv6 > 0)
			warn_at(load, index, "native_ipv6",
				"the first virtual address is IPv4" CONF_MEANING "native_ipv6 is ignored");
	} else if (i->peers.count) {
		peer = conf_builder_at(load->builder, CONF_TABLE_PEER, i->peers.first);
		i->family = peer->addr.family;
	} else if (addr_is_set(&i->source)) {
		i->family = i->source.family;
	} else if (extra->native_ipv6 > 0) {
		i->family = AF_INET6;
	}
}

static void mark_dead_addresses(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);
	uint32_t advertised = i->n_advertised;

	for (uint32_t k = 0; k < advertised; k++) {
		struct conf_address *a = conf_builder_at(load->builder, CONF_TABLE_ADDRESS, i->addresses.first + k);

		if (a->addr.family == i->family)
			continue;
		conf_warn(load, conf_object_node(load, CONF_TABLE_ADDRESS, i->addresses.first + k), 0,
			"an address of the other family is left out; put it into virtual_ipaddress_excluded");
		a->addr.family = AF_UNSPEC;
		i->n_advertised--;
	}
}

/* What speaks the other family than the advertisements cannot be used. */
static void drop_other_family(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);

	mark_dead_addresses(load, index);
	for (uint32_t k = 0; k < i->peers.count; k++) {
		struct conf_peer *peer = conf_builder_at(load->builder, CONF_TABLE_PEER, i->peers.first + k);

		if (peer->addr.family == i->family)
			continue;
		conf_warn(load, conf_object_node(load, CONF_TABLE_PEER, i->peers.first + k), 0,
			"a peer of the other family is left out");
		peer->addr.family = AF_UNSPEC;
	}
	if (addr_is_set(&i->source) && i->source.family != i->family) {
		warn_at(load, index, "mcast_src_ip",
			"the source address has the other family" CONF_MEANING "it is left out");
		memset(&i->source, 0, sizeof(i->source));
	}
}

/* Never multicast instead: what was meant for a few would go to everybody, and two nodes that disagree are two masters.
 */
static void refuse_no_peers(struct conf_load *load, conf_index_t index)
{
	const struct conf_instance *i = instance(load, index);
	uint32_t usable = 0;

	if (!conf_given(load, &conf_instance_block, index, "unicast_peer"))
		return;
	for (uint32_t k = 0; k < i->peers.count; k++) {
		const struct conf_peer *peer = conf_builder_at(load->builder, CONF_TABLE_PEER, i->peers.first + k);

		usable += peer->addr.family != AF_UNSPEC;
	}
	if (usable == 0)
		conf_error(load, conf_statement(load, CONF_TABLE_INSTANCE, index, "unicast_peer"), 0,
			"unicast_peer names no usable peer; write one, or leave the block out for multicast");
}

static void finish_version(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);
	int64_t second = CONF_S;

	if (!conf_given(load, &conf_instance_block, index, "version") || i->version > 3)
		i->version = (uint8_t)load->defaults.version;
	else if (i->family == AF_INET6 && i->version == 2)
		warn_at(load, index, "version", "IPv6 needs version 3, which is taken");
	if (i->family == AF_INET6)
		i->version = 3;
	if (i->version == 3 && i->advert_us > 40950 * CONF_MS) {
		warn_at(load, index, "advert_int", "version 3 can tell at most 40.95 seconds, which are taken");
		i->advert_us = 40950 * CONF_MS;
	}
	if (i->version == 3)
		second = CONF_S / 100;
	if (i->advert_us % second == 0)
		return;
	i->advert_us = (i->advert_us + second / 2) / second * second;
	if (i->advert_us == 0)
		i->advert_us = second;
	warn_at(load, index, "advert_int",
		i->version == 3 ? "version 3 counts advert_int in hundredths of a second" CONF_MEANING "it is rounded"
				: "version 2 counts advert_int in whole seconds" CONF_MEANING
				  "it is rounded (version 3 can do less)");
}

static void finish_authentication(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);
	const struct conf_extra *extra = conf_extra(load, CONF_TABLE_INSTANCE, index);
	const char *why = NULL;

	if (i->auth == CONF_AUTH_NONE && i->secret != CONF_NONE)
		why = "auth_pass without auth_type PASS or AH: no authentication is used";
	else if (i->auth != CONF_AUTH_NONE && extra->no_password)
		i->auth = CONF_AUTH_NONE;
	else if (i->auth != CONF_AUTH_NONE && i->secret == CONF_NONE)
		why = "authentication without auth_pass: no authentication is used";
	else if (i->auth != CONF_AUTH_NONE && i->version == 3)
		why = "version 3 has no authentication: it is ignored";
	else if (i->auth != CONF_AUTH_NONE && i->strict)
		why = "strict mode allows no authentication: it is ignored";
	if (!why)
		return;
	if (i->auth != CONF_AUTH_NONE || !extra->no_auth_type)
		warn_at(load, index, "authentication", why);
	i->auth = CONF_AUTH_NONE;
	if (i->secret != CONF_NONE) {
		struct conf_secret *secret = conf_builder_at(load->builder, CONF_TABLE_SECRET, i->secret);

		explicit_bzero(secret, sizeof(*secret));
	}
	i->secret = CONF_NONE;
}

#define INHERIT(keyword, field, value)                                                                                 \
	do {                                                                                                           \
		if (!conf_given(load, &conf_instance_block, index, keyword))                                           \
			i->field = value;                                                                              \
	} while (0)

static void inherit(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);
	const struct conf_defaults *d = &load->defaults;

	INHERIT("strict_mode", strict, d->strict > 0);
	INHERIT("garp_master_delay", garp_delay_us, d->garp_delay_us);
	INHERIT("garp_master_repeat", garp_repeat, (uint32_t)d->garp_repeat);
	INHERIT("garp_master_refresh", garp_refresh_us, d->garp_refresh_us);
	INHERIT("garp_master_refresh_repeat", garp_refresh_repeat, (uint32_t)d->garp_refresh_repeat);
	INHERIT("garp_interval", garp_interval_us, d->garp_interval_us);
	INHERIT("gna_interval", gna_interval_us, d->gna_interval_us);
	conf_finish_garp(load, i, conf_given(load, &conf_instance_block, index, "garp_interval"),
		conf_given(load, &conf_instance_block, index, "gna_interval"));
	INHERIT("down_timer_adverts", down_timer_adverts, (uint32_t)d->down_timer_adverts);
	INHERIT("startup_delay", startup_delay_us, d->startup_delay_us);
	INHERIT("lower_prio_no_advert", lower_prio_no_advert, d->lower_prio_no_advert > 0);
	INHERIT("higher_prio_send_advert", higher_prio_send_advert, d->higher_prio_send_advert > 0);
	INHERIT("skip_check_adv_addr", skip_check_adv_addr, d->skip_check_adv_addr > 0);
	INHERIT("notify_priority_changes", notify_priority, d->notify_priority > 0);
	INHERIT("smtp_alert", smtp_alert, d->smtp_alert > 0 || d->smtp_alert_vrrp > 0);
	if (i->garp_lower_prio_delay_us < 0)
		i->garp_lower_prio_delay_us = d->garp_lower_delay_us >= 0 ? d->garp_lower_delay_us : d->garp_delay_us;
	if (i->garp_lower_prio_repeat == UINT32_MAX)
		i->garp_lower_prio_repeat =
			d->garp_lower_repeat >= 0 ? (uint32_t)d->garp_lower_repeat : (uint32_t)d->garp_repeat;
}

/* What it joins and sends to. */
static void finish_group_address(struct conf_load *load, conf_index_t index)
{
	const struct conf_global *g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	struct conf_instance *i = instance(load, index);

	if (addr_is_set(&i->group_address) && i->group_address.family != i->family) {
		warn_at(load, index, "mcast_dst_ip",
			"mcast_dst_ip is not of the instance's family" CONF_MEANING "the usual group is taken");
		i->group_address = (struct addr){0};
	}
	if (!addr_is_set(&i->group_address))
		i->group_address = i->family == AF_INET6 ? g->mcast_group6 : g->mcast_group4;
}

/* What strict mode does not allow is not done, as in keepalived. */
static void finish_strict(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);

	if (!i->strict)
		return;
	if (i->initial == CONF_INITIAL_MASTER && i->priority != 255) {
		warn_at(load, index, "state",
			"strict mode allows state MASTER only with priority 255" CONF_MEANING "BACKUP is taken");
		i->initial = CONF_INITIAL_BACKUP;
	}
	if (i->unicast)
		warn_at(load, index, "unicast_peer",
			"strict mode has no unicast" CONF_MEANING "the peers are used all the same");
	if (i->preempt_delay_us) {
		warn_at(load, index, "preempt_delay", "strict mode has no preempt_delay" CONF_MEANING "it is ignored");
		i->preempt_delay_us = 0;
	}
	if (!conf_given(load, &conf_instance_block, index, "accept") &&
		!conf_given(load, &conf_instance_block, index, "no_accept"))
		i->no_accept = i->priority != 255;
	i->lower_prio_no_advert = 1;
	i->garp_lower_prio_delay_us = 0;
	i->garp_lower_prio_repeat = 0;
}

static void finish_preempt(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);

	if (i->initial == CONF_INITIAL_MASTER && !i->preempt)
		warn_at(load, index, "nopreempt",
			"nopreempt does not go with state MASTER" CONF_MEANING "it is ignored");
	if (i->initial == CONF_INITIAL_MASTER && i->preempt_delay_us)
		warn_at(load, index, "preempt_delay",
			"preempt_delay does not go with state MASTER" CONF_MEANING "it is ignored");
	if (i->initial != CONF_INITIAL_MASTER && !i->preempt && i->preempt_delay_us) {
		warn_at(load, index, "preempt_delay",
			"preempt_delay does not go with nopreempt" CONF_MEANING "it is ignored");
		i->preempt_delay_us = 0;
	}
	if (i->initial == CONF_INITIAL_MASTER) {
		i->preempt = 1;
		i->preempt_delay_us = 0;
	}
}

static void finish_priority(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = instance(load, index);

	if (i->initial == CONF_INITIAL_MASTER && !conf_given(load, &conf_instance_block, index, "priority")) {
		warn_at(load, index, "state", "state MASTER without a priority makes it the owner: 255 is taken");
		i->priority = 255;
	}
	if (i->garp_repeat == 0) {
		warn_at(load, index, "garp_master_repeat",
			"a burst has at least one announcement" CONF_MEANING "1 is taken");
		i->garp_repeat = 1;
	}
	if (i->garp_refresh_repeat == 0)
		i->garp_refresh_repeat = 1;
}

static void warn_no_peers(struct conf_load *load, conf_index_t index)
{
	static const char *const words[] = {"unicast_src_ip", "unicast_ttl", "check_unicast_src"};

	/* An empty block is refused. */
	if (instance(load, index)->peers.count || conf_given(load, &conf_instance_block, index, "unicast_peer"))
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!conf_given(load, &conf_instance_block, index, words[i]))
			continue;
		warn_at(load, index, words[i],
			"unicast without a peer in unicast_peer" CONF_MEANING "multicast is used, as keepalived does");
		return;
	}
}

static void finish_instance(struct conf_load *load, conf_index_t index)
{
	warn_no_peers(load, index);
	inherit(load, index);
	finish_family(load, index);
	drop_other_family(load, index);
	refuse_no_peers(load, index);
	finish_version(load, index);
	conf_finish_links(load, index);
	conf_hmac_finish(load, index);
	if (instance(load, index)->auth != CONF_AUTH_HMAC)
		finish_authentication(load, index);
	finish_priority(load, index);
	conf_finish_garp_extra(load, index);
	finish_group_address(load, index);
	finish_strict(load, index);
	finish_preempt(load, index);
}

/* ---- names ---- */

/* Different priorities within a group would lead to endless elections: as in keepalived, an interface loses its weight,
 * scripts and files with one are not tracked. */
static void drop_weighted(struct conf_load *load, conf_index_t index)
{
	struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, index);
	const struct conf_group *g;

	if (t->kind == CONF_TRACK_DEAD || t->kind == CONF_TRACK_PROCESS || t->weight == 0 || t->instance == CONF_NONE ||
		instance(load, t->instance)->group == CONF_NONE)
		return;
	g = conf_builder_at(load->builder, CONF_TABLE_GROUP, instance(load, t->instance)->group);
	if (g->track_weights)
		return;
	if (t->kind == CONF_TRACK_INTERFACE) {
		conf_warn(load, conf_object_node(load, CONF_TABLE_TRACK, index), 0,
			"vrrp_instance %s is in group %s, where no interface has a weight" CONF_MEANING
			"its fall is a fault (track it in the group to give it a weight)",
			conf_builder_text(load->builder, instance(load, t->instance)->name),
			conf_builder_text(load->builder, g->name));
		t->weight = 0;
		return;
	}
	conf_warn(load, conf_object_node(load, CONF_TABLE_TRACK, index), 0,
		"vrrp_instance %s is in group %s, where nothing with a weight is tracked: this line is ignored "
		"(track it in the group, or without a weight)",
		conf_builder_text(load->builder, instance(load, t->instance)->name),
		conf_builder_text(load->builder, g->name));
	t->kind = CONF_TRACK_DEAD;
}

static void add_member(
	struct conf_load *load, conf_index_t group, conf_index_t index, const struct conf_node *node, uint32_t word)
{
	struct conf_group *g = conf_builder_at(load->builder, CONF_TABLE_GROUP, group);
	const struct conf_group *other;
	conf_index_t at;

	if (instance(load, index)->group != CONF_NONE) {
		other = conf_builder_at(load->builder, CONF_TABLE_GROUP, instance(load, index)->group);
		conf_warn(load, node, word, "vrrp_instance %s is already in group %s" CONF_MEANING "it stays there",
			conf_word(node, word), conf_builder_text(load->builder, other->name));
		return;
	}
	instance(load, index)->group = group;
	at = conf_builder_add(load->builder, CONF_TABLE_GROUP_MEMBER);
	*(conf_index_t *)conf_builder_at(load->builder, CONF_TABLE_GROUP_MEMBER, at) = index;
	g->members.count++;
}

static void finish_group(struct conf_load *load, conf_index_t index)
{
	struct conf_group *g = conf_builder_at(load->builder, CONF_TABLE_GROUP, index);

	g->members.first = conf_builder_count(load->builder, CONF_TABLE_GROUP_MEMBER);
	conf_each_member(load, CONF_TABLE_GROUP, index, add_member);
	if (!conf_given(load, &conf_group_block, index, "smtp_alert"))
		g->smtp_alert = load->defaults.smtp_alert > 0 || load->defaults.smtp_alert_vrrp > 0;
}

/* A static address that names no interface stands on the default one. */
static void finish_static(struct conf_load *load, conf_index_t index)
{
	struct conf_address *a = conf_builder_at(load->builder, CONF_TABLE_ADDRESS, index);
	conf_string_t interface = load->defaults.interface;

	if (a->instance != CONF_NONE || a->interface)
		return;
	if (!interface && load->dialect == CONF_DIALECT_KEEPALIVED) {
		interface = conf_text(load, "eth0");
		conf_warn(load, conf_object_node(load, CONF_TABLE_ADDRESS, index), 0,
			"this static address names no interface" CONF_MEANING
			"eth0 is taken, as keepalived does (write dev NAME, or default_interface)");
	}
	a->interface = interface;
}

void conf_finish(struct conf_load *load)
{
	struct conf_builder *b = load->builder;

	finish_global(load);
	conf_finish_snmp(load);
	for (conf_index_t i = 0; i < conf_builder_count(b, CONF_TABLE_INSTANCE); i++)
		finish_instance(load, i);
	for (conf_index_t i = 0; i < conf_builder_count(b, CONF_TABLE_GROUP); i++)
		finish_group(load, i);
	conf_finish_services(load);
	for (conf_index_t i = 0; i < conf_builder_count(b, CONF_TABLE_ADDRESS); i++)
		finish_static(load, i);
	for (conf_index_t i = 0; i < conf_builder_count(b, CONF_TABLE_TRACK); i++) {
		conf_track_finish(load, i);
		drop_weighted(load, i);
	}
	conf_finish_track_groups(load);
	/* What must not count is gone now: whatever weight is left, counts (such as those of the groups themselves). */
	for (conf_index_t i = 0; i < conf_builder_count(b, CONF_TABLE_GROUP); i++)
		((struct conf_group *)conf_builder_at(b, CONF_TABLE_GROUP, i))->track_weights = 1;
	finish_sync_daemon(load);
	conf_finish_pair(load);
	conf_compact(load);
}
