/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vrrp_instance. Runs in the config role; what depends on other keywords (family, version, inherited values) is
 * completed in conf_finish.c. */
#include "conf_address.h"
#include "conf_finish.h"
#include "conf_hmac.h"
#include "conf_link.h"
#include "conf_route.h"
#include "conf_rule.h"
#include "conf_track.h"
#include <stdio.h>
#include <string.h>

#define AUTH_PASS_LENGTH 8

static struct conf_instance *current(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_INSTANCE);
}

static void apply_state(struct conf_load *load, const struct conf_node *node)
{
	const char *state = conf_word(node, 1);

	if (conf_current_extra(load, CONF_TABLE_INSTANCE)->has_state) {
		conf_warn(load, node, 0, "state is given twice" CONF_MEANING "the first one counts");
		return;
	}
	if (strcmp(state, "MASTER") != 0 && strcmp(state, "BACKUP") != 0)
		conf_warn(load, node, 1, "state must be MASTER or BACKUP, not \"%s\"" CONF_MEANING "BACKUP is taken",
			state);
	conf_current_extra_write(load, CONF_TABLE_INSTANCE)->has_state = true;
	current(load)->initial = strcmp(state, "MASTER") == 0 ? CONF_INITIAL_MASTER : CONF_INITIAL_BACKUP;
	conf_extra_words(load, node, 2);
}

static void print_state(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);

	if (i->initial != CONF_INITIAL_MASTER)
		return;
	conf_print_line(p, "state MASTER");
	/* Without it, 255 would be the default. */
	if (i->priority == 100)
		conf_print_line(p, "priority 100");
}

static void apply_interface(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words < 2) {
		conf_error(load, node, 0, "interface needs a name");
		return;
	}
	if (strlen(conf_word(node, 1)) > 15)
		conf_error(load, node, 1, "an interface name has at most 15 bytes");
	conf_warn_interface(load, node, 1);
	current(load)->interface = conf_text(load, conf_word(node, 1));
	conf_extra_words(load, node, 2);
}

static void print_interface(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);

	if (i->interface)
		conf_print_line(p, "interface %s", conf_print_text(p, i->interface));
}

static void apply_preempt(struct conf_load *load, const struct conf_node *node)
{
	bool on = true, off = node->n_words > 1 && conf_parse_bool(conf_word(node, 1), &on) && !on;

	if (off && load->dialect == CONF_DIALECT_KEEPALIVED)
		conf_warn(load, node, 1,
			"preempt takes no value: the word alone is a yes" CONF_MEANING
			"\"%s\" is ignored, as keepalived does (write nopreempt if that is meant)",
			conf_word(node, 1));
	else if (node->n_words > 1 && !off)
		conf_extra_words(load, node, 1);
	current(load)->preempt = !off || load->dialect == CONF_DIALECT_KEEPALIVED;
}

static void apply_preempt_delay(struct conf_load *load, const struct conf_node *node)
{
	int64_t delay = 0;

	if (conf_parse_time(conf_word(node, 1), 0, 1000 * CONF_S, &delay) != CONF_VALUE_OK)
		conf_warn(load, node, 1,
			"preempt_delay must be a time from 0 to 1000 seconds" CONF_MEANING "none is taken");
	current(load)->preempt_delay_us = delay;
	conf_extra_words(load, node, 2);
}

static void print_preempt_delay(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);
	char text[32];

	if (i->preempt_delay_us)
		conf_print_line(p, "preempt_delay %s", conf_time_text(i->preempt_delay_us, text));
}

/* mcast_src_ip and unicast_src_ip */
static void apply_source(struct conf_load *load, const struct conf_node *node)
{
	struct addr a;
	uint8_t prefix;

	if (node->block) {
		conf_error(load, node, 0, "%s has no block; write %s ADDRESS", conf_word(node, 0), conf_word(node, 0));
		return;
	}
	if (addr_parse_prefix(conf_word(node, 1), &a, &prefix) < 0) {
		conf_warn(load, node, 1, "%s needs an IP address, not \"%s\"" CONF_MEANING "it is ignored",
			conf_word(node, 0), conf_word(node, 1));
		return;
	}
	current(load)->source = a;
	conf_extra_words(load, node, 2);
}

static void print_source(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);
	char text[ADDR_TEXT];

	if (addr_is_set(&i->source))
		conf_print_line(
			p, "%s %s", i->unicast ? "unicast_src_ip" : "mcast_src_ip", addr_format(&i->source, text));
}

/* Its family is compared in conf_finish.c, when that of the instance is known. */
static void apply_group_address(struct conf_load *load, const struct conf_node *node)
{
	struct addr a;

	if (addr_parse(conf_word(node, 1), &a) < 0 || !addr_is_multicast(&a)) {
		conf_warn(load, node, 1,
			"mcast_dst_ip needs a multicast address, not \"%s\"" CONF_MEANING "the usual group is taken",
			conf_word(node, 1));
		return;
	}
	current(load)->group_address = a;
	conf_extra_words(load, node, 2);
}

static void print_group_address(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, 0);
	const struct addr *usual = i->family == AF_INET6 ? &g->mcast_group6 : &g->mcast_group4;
	char text[ADDR_TEXT];

	if (!addr_equal(&i->group_address, usual))
		conf_print_line(p, "mcast_dst_ip %s", addr_format(&i->group_address, text));
}

/* ---- authentication ---- */

static void apply_auth_type(struct conf_load *load, const struct conf_node *node)
{
	static const char *const types[] = {"PASS", "AH", NULL};
	int type = conf_parse_choice(conf_word(node, 1), types);

	conf_diag_hide(load->diag, conf_node_place(node));
	conf_current_extra_write(load, CONF_TABLE_INSTANCE)->no_auth_type = type < 0;
	if (type < 0)
		conf_warn(load, node, 1, "auth_type must be PASS or AH" CONF_MEANING "no authentication is used");
	if (strcmp(conf_word(node, 2), "auth_pass") == 0) {
		conf_warn(load, node, 2,
			"auth_pass stands on the line of auth_type, which makes it a part of that "
			"statement" CONF_MEANING "it is ignored, as keepalived does; write one statement a line");
		current(load)->auth = CONF_AUTH_NONE;
		return;
	}
	current(load)->auth = type == 0 ? CONF_AUTH_PASS : type == 1 ? CONF_AUTH_AH : CONF_AUTH_NONE;
	conf_extra_words(load, node, 2);
}

static void apply_auth_pass(struct conf_load *load, const struct conf_node *node)
{
	/* keepalived keeps the backslashes of a password. */
	const char *raw = node->n_words > 1 ? conf_word_raw(&node->words[1]) : NULL;
	const char *word = raw && !strchr(raw, '"') ? raw : conf_word(node, 1);
	size_t length = strlen(word);
	struct conf_secret *secret;

	conf_diag_hide(load->diag, conf_node_place(node));
	conf_current_extra_write(load, CONF_TABLE_INSTANCE)->no_password = length == 0;
	if (node->n_words > 1 && length == 0)
		conf_warn(load, node, 1, "auth_pass is empty" CONF_MEANING "no authentication is used");
	else if (length == 0)
		conf_error(load, node, 0, "auth_pass needs a password");
	if (length == 0)
		return;
	if (length > AUTH_PASS_LENGTH) {
		conf_warn(load, node, 1, "auth_pass has %zu bytes, more than %d" CONF_MEANING "the first %d are taken",
			length, AUTH_PASS_LENGTH, AUTH_PASS_LENGTH);
		length = AUTH_PASS_LENGTH;
	}
	if (current(load)->secret == CONF_NONE)
		current(load)->secret = conf_builder_add(load->builder, CONF_TABLE_SECRET);
	secret = conf_builder_at(load->builder, CONF_TABLE_SECRET, current(load)->secret);
	memset(secret, 0, sizeof(*secret));
	memcpy(secret->bytes, word, length);
	secret->length = (uint32_t)length;
	conf_extra_words(load, node, 2);
}

static void print_authentication(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);
	const struct conf_secret *secret;
	char text[sizeof(secret->bytes) + 1] = "";

	if (i->secret == CONF_NONE)
		return;
	secret = conf_print_record(p, CONF_TABLE_SECRET, i->secret);
	memcpy(text, secret->bytes, secret->length);
	conf_print_open(p, "authentication");
	conf_print_line(p, "auth_type %s", i->auth == CONF_AUTH_AH ? "AH" : "PASS");
	if (strchr(text, '\\') && !strchr(text, '"'))
		conf_print_line(p, "auth_pass \"%s\"", text);
	else
		conf_print_line(p, "auth_pass %s", conf_print_word(p, text));
	conf_print_close(p);
}

/* clang-format off */
static const struct conf_directive authentication_directives[] = {
	CALL("auth_type", apply_auth_type, NULL, OBJECT, "PASS (plain text) or AH; only in version 2"),
	CALL("auth_pass", apply_auth_pass, NULL, OBJECT, "the password, at most 8 bytes, the same on all nodes"),
	END_OF_TABLE,
};
/* clang-format on */

static const struct conf_block authentication_block = {
	.name = "authentication",
	.table = -1,
	.directives = {authentication_directives},
	.print = print_authentication,
};

/* ---- notifications, tracks, addresses ---- */

static const struct {
	const char *keyword;
	enum conf_notify_event event;
} events[] = {
	{"notify_master", CONF_NOTIFY_MASTER},
	{"notify_backup", CONF_NOTIFY_BACKUP},
	{"notify_fault", CONF_NOTIFY_FAULT},
	{"notify_stop", CONF_NOTIFY_STOP},
	{"notify_deleted", CONF_NOTIFY_DELETED},
	{"notify_master_rx_lower_pri", CONF_NOTIFY_LOWER_PRI},
	{"notify", CONF_NOTIFY_ANY},
};

#define N_EVENTS (sizeof(events) / sizeof(events[0]))

static void apply_notify(struct conf_load *load, const struct conf_node *node)
{
	/* Without a program keepalived means the word in the FIFO, which is always written. */
	if (node->n_words == 1 && strcmp(conf_word(node, 0), "notify_deleted") == 0)
		return;
	for (unsigned i = 0; i < N_EVENTS; i++)
		if (strcmp(events[i].keyword, conf_word(node, 0)) == 0)
			conf_notify_add(load, CONF_OWNER_INSTANCE, events[i].event, node);
}

static void print_notifies(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *in = conf_print_record(p, CONF_TABLE_INSTANCE, record);

	for (unsigned i = 0; i < N_EVENTS; i++)
		conf_print_notify(p, &in->notifies, events[i].event, events[i].keyword);
}

static void print_addresses(struct conf_printer *p, uint32_t record)
{
	conf_print_addresses(p, conf_print_record(p, CONF_TABLE_INSTANCE, record));
}

static void print_routes(struct conf_printer *p, uint32_t record)
{
	conf_print_routes(p, record, "virtual_routes");
}

static void print_rules(struct conf_printer *p, uint32_t record)
{
	conf_print_rules(p, record, "virtual_rules");
}

static void print_peers(struct conf_printer *p, uint32_t record)
{
	conf_print_peers(p, conf_print_record(p, CONF_TABLE_INSTANCE, record));
}

static void print_tracks(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);

	conf_print_tracks(p, &i->tracks);
}

/* Before it became global, an instance named the interface of the sync daemon that follows it. */
static void apply_sync_interface(struct conf_load *load, const struct conf_node *node)
{
	struct conf_defaults *d = &load->defaults;

	if (node->n_words < 2) {
		conf_error(load, node, 0, "%s needs an interface", conf_word(node, 0));
		return;
	}
	conf_extra_words(load, node, 2);
	if (d->sync_daemon || d->sync_by_instance) {
		conf_warn(load, node, 0, "there is one sync daemon" CONF_MEANING "the first one counts, not this line");
		return;
	}
	conf_warn(load, node, 0,
		"this is an old spelling; write lvs_sync_daemon %s inst %s in global_defs" CONF_MEANING
		"it is taken for that",
		conf_word(node, 1), conf_builder_text(load->builder, current(load)->name));
	d->sync_by_instance = node;
	d->sync_owner = load->current[CONF_TABLE_INSTANCE];
}

static void apply_old_checksum(struct conf_load *load, const struct conf_node *node)
{
	conf_warn(load, node, 0,
		"old_unicast_checksum has no effect: both forms are accepted; "
		"v3_checksum_as_v2 chooses the form that is sent");
}

#define I(member) CONF_RECORD(conf_instance, member)
#define DAY (86400 * CONF_S)

/* clang-format off */
static const struct conf_directive instance_directives[] = {
	CALL("interface", apply_interface, print_interface, OBJECT, "where advertisements are sent and addresses are held"),
	NUMBER("virtual_router_id", I(vrid), 1, 255, CONF_REQUIRED, OBJECT, "number of the virtual router, the same on all nodes"),
	CALL("state", apply_state, print_state, START, "MASTER or BACKUP: the state in which an instance of priority 255 begins; elections decide otherwise"),
	NUMBER("priority", I(priority), 1, 255, 100, LIVE, "rank in the election; 255 = owner of the addresses"),
	NUMBER("version", I(version), 2, 3, -1, OBJECT, "VRRP version; default vrrp_version, IPv6 is always 3"),
	TIME("advert_int", I(advert_us), 10 * CONF_MS, 255 * CONF_S, CONF_S, LIVE, "interval of advertisements; whole seconds in version 2, at most 40.95 in version 3"),
	PLAIN("native_ipv6", CONF_EXTRA(native_ipv6), OBJECT, "old way to ask for IPv6; the addresses decide"),
	LINES("virtual_ipaddress", conf_address_virtual, print_addresses, LIVE, "addresses the master holds: ADDRESS[/PREFIX] [dev NAME] [use_vmac] [label NAME] [scope NAME] [brd ADDRESS] [peer ADDRESS] [preferred_lft SECONDS] [home] [mngtmpaddr] [noprefixroute] [autojoin] [no_track]"),
	LINES("virtual_ipaddress_excluded", conf_address_excluded, print_addresses, LIVE, "further addresses, not named in advertisements; of either family"),
	BLOCK("authentication", &authentication_block, OBJECT, "auth_type and auth_pass"),
	BLOCK("auth_hmac", &conf_hmac_block, OBJECT, "advertisements are signed (HMAC-SHA-256), in both versions and families"),
	UNFLAG("nopreempt", I(preempt), LIVE, "a node of lower priority that is master stays it"),
	CALL("preempt", apply_preempt, NULL, LIVE, "a node of higher priority takes over (the default)"),
	CALL("preempt_delay", apply_preempt_delay, print_preempt_delay, LIVE, "seconds from 0 to 1000 before a node takes over from one of lower priority"),
	CALL("mcast_src_ip", apply_source, print_source, OBJECT, "source address of advertisements; default: the interface's first address"),
	CALL("unicast_src_ip", apply_source, print_source, OBJECT, "source address of unicast advertisements"),
	LINES("unicast_peer", conf_address_peer, print_peers, OBJECT, "peers that get advertisements by unicast: ADDRESS [min_ttl N] [max_ttl N]; a peer that is named by several of its addresses is reached on as many paths"),
	NUMBER("unicast_ttl", I(unicast_ttl), 1, 255, 255, OBJECT, "TTL or hop limit of unicast advertisements"),
	PLAIN("check_unicast_src", CONF_EXTRA(check_unicast_src), LIVE, "unicast advertisements must come from a configured peer"),
	IGNORED("unicast_fault_no_peer", "unicast without a peer is always reported"),
	UNFLAG("dont_track_primary", I(track_primary), LIVE, "a fall of the instance's own interface is no fault"),
	LINES("track_interface", conf_track_interface, print_tracks, LIVE, "interfaces whose fall is a fault: NAME [weight NUMBER] [reverse]"),
	LINES("track_script", conf_track_script, print_tracks, LIVE, "scripts whose failure is a fault, or changes the priority: NAME [weight NUMBER] [reverse]"),
	LINES("track_process", conf_track_process, print_tracks, LIVE, "processes (vrrp_track_process) whose absence is a fault, or changes the priority: NAME [weight NUMBER] [reverse]"),
	LINES("track_file", conf_track_file, print_tracks, LIVE, "files (track_file) whose number is added to the priority, or with weight 0 is a fault when it is not 0: NAME [weight NUMBER] [reverse]"),
	LINES("track_virtual_server", conf_track_service, print_tracks, LIVE, "services whose lost quorum is a fault, or changes the priority: ADDRESS PORT [PROTOCOL] | fwmark MARK | group NAME [weight NUMBER] [reverse]"),
	LINES("track_bfd", conf_track_bfd, print_tracks, LIVE, "sessions (bfd_instance) whose loss is a fault, or changes the priority: NAME [weight NUMBER] [reverse]"),
	PLAIN("track_src_ip", I(track_source), LIVE, "it is a fault when no interface has mcast_src_ip; of unicast_src_ip it always is"),
	CALL("notify_master", apply_notify, print_notifies, LIVE, "program that runs when the instance becomes master: COMMAND [USER [GROUP]]"),
	CALL("notify_backup", apply_notify, print_notifies, LIVE, "program that runs when the instance becomes backup"),
	CALL("notify_fault", apply_notify, print_notifies, LIVE, "program that runs when the instance enters fault"),
	CALL("notify_stop", apply_notify, print_notifies, LIVE, "program that runs when VRRP stops"),
	CALL("notify", apply_notify, print_notifies, LIVE, "program that runs at every change, with TYPE NAME STATE PRIORITY behind its arguments"),
	CALL("notify_deleted", apply_notify, print_notifies, LIVE, "[COMMAND [USER [GROUP]]]: program that runs, instead of notify_stop, when the instance is not in a new configuration"),
	CALL("notify_master_rx_lower_pri", apply_notify, print_notifies, LIVE, "program that runs when a master hears an advertisement of lower priority, at most once a second"),
	FLAG("notify_priority_changes", I(notify_priority), LIVE, "changes of the effective priority are written to the FIFOs"),
	FLAG("smtp_alert", I(smtp_alert), LIVE, "mail an alert at every change"),
	SECONDS("garp_master_delay", I(garp_delay_us), 0, DAY, 5 * CONF_S, LIVE, "time to the second burst of announcements after becoming master; 0 = none"),
	NUMBER("garp_master_repeat", I(garp_repeat), 0, 255, 5, LIVE, "announcements in a burst"),
	SECONDS("garp_master_refresh", I(garp_refresh_us), 0, DAY, 0, LIVE, "announce again this often while master; 0 = never"),
	NUMBER("garp_master_refresh_repeat", I(garp_refresh_repeat), 0, 255, 1, LIVE, "announcements in each refresh"),
	SECONDS("garp_lower_prio_delay", I(garp_lower_prio_delay_us), 0, DAY, -1, LIVE, "time to the second burst after a lower-priority advertisement"),
	NUMBER("garp_lower_prio_repeat", I(garp_lower_prio_repeat), 0, 255, -1, LIVE, "announcements after a lower-priority advertisement"),
	TIME("garp_interval", I(garp_interval_us), 0, 1000 * CONF_S, 0, LIVE, "gap between gratuitous ARP packets"),
	TIME("gna_interval", I(gna_interval_us), 0, 1000 * CONF_S, 0, LIVE, "gap between unsolicited neighbour advertisements"),
	CALL("garp_extra_if", conf_garp_extra, NULL, LIVE, "[all] SECONDS: announce again this often the addresses behind a virtual MAC address; with all, also those on other interfaces than the instance's"),
	NUMBER("down_timer_adverts", I(down_timer_adverts), 1, 100, 3, LIVE, "missed advertisements before the master counts as dead"),
	TIME("startup_delay", I(startup_delay_us), 0, DAY, 0, START, "wait before the instance starts"),
	FLAG("lower_prio_no_advert", I(lower_prio_no_advert), LIVE, "a master does not answer a lower-priority advertisement"),
	FLAG("higher_prio_send_advert", I(higher_prio_send_advert), LIVE, "a master that yields to a higher priority advertises once more, so that the other one announces its addresses again; not in strict mode"),
	FLAG("skip_check_adv_addr", I(skip_check_adv_addr), LIVE, "do not compare the addresses in advertisements of the same master again"),
	FLAG("strict_mode", I(strict), OBJECT, "keep to the letter of the RFC"),
	PLAIN("no_accept", I(no_accept), LIVE, "drop packets to the virtual addresses that are not for IPVS"),
	UNFLAG("accept", CONF_EXTRA(accept), LIVE, "take packets to the virtual addresses (the default)"),
	FLAG("v3_checksum_as_v2", I(checksum_message_only), OBJECT, "version 3 over IPv4: the checksum covers only the message (RFC 9568)"),
	CALL("old_unicast_checksum", apply_old_checksum, NULL, LIVE, "no effect"),
	CALL("use_vmac", conf_link_vmac, conf_print_link, OBJECT, "[NAME] [MAC]: hold the addresses on an interface (macvlan) with the virtual MAC address, and advertise from it; default NAME vrrp.VRID, vrrp6.VRID or vrrpN.VRID, the first that is free, default MAC that of RFC 9568"),
	PLAIN("use_vmac_addr", CONF_EXTRA(use_vmac_addr), LIVE, "addresses on other interfaces than the instance's, and those of the other family, are held on interfaces with the virtual MAC address, too; behind a single address: use_vmac"),
	FLAG("vmac_xmit_base", I(vmac_xmit_base), OBJECT, "with use_vmac: advertisements leave from the interface itself, with its own MAC address"),
	CALL("use_ipvlan", conf_link_ipvlan, NULL, LIVE, "[NAME] [ADDRESS[/PREFIX]] [bridge|private|vepa]: an interface (ipvlan) that shares the MAC address of the instance's and has ADDRESS, whoever is master, from which advertisements come; IPv4 needs one; default NAME as of use_vmac"),
	IGNORED("promote_secondaries", "Poise holds each address by itself"),
	IGNORED("debug", "use -D"),
	IGNORED("kernel_rx_buf_size", "Poise sizes its buffers itself"),
	IGNORED("linkbeat_use_polling", "the kernel's link state is used"),
	CALL("lvs_sync_daemon_interface", apply_sync_interface, NULL, OBJECT, "old way to write lvs_sync_daemon INTERFACE INSTANCE in global_defs"),
	CALL("lvs_sync_daemon_inteface", apply_sync_interface, NULL, OBJECT, "the same, as very old versions spelt it"),
	CALL("mcast_dst_ip", apply_group_address, print_group_address, OBJECT, "multicast group of advertisements; default vrrp_mcast_group4 or vrrp_mcast_group6"),
	TEXT("vrf", I(vrf), OBJECT, "NAME: unicast without an interface goes through this VRF; an interface belongs to its own anyway"),
	LINES("virtual_routes", conf_route_virtual, print_routes, LIVE, "routes the master has, as behind `ip route add`: DESTINATION [encap TYPE ...] via ADDRESS [dev NAME] [src ADDRESS] [table TABLE | vrf NAME] [metric N] ... [no_track]; TYPE is mpls, ip, ip6, ila or seg6"),
	LINES("virtual_rules", conf_rule_virtual, print_rules, LIVE, "rules the master has, as behind `ip rule add`: [not] [from PREFIX] [to PREFIX] ... table TABLE [preference N] [no_track]"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_instance(struct conf_load *load, const struct conf_node *node)
{
	struct conf_instance *i;
	conf_string_t name;

	if (!conf_name_take(load, CONF_TABLE_INSTANCE, node, &name))
		return false;
	i = conf_object_begin(load, &conf_instance_block, node);
	i->name = name;
	i->secret = i->group = i->link = CONF_NONE;
	i->line = conf_node_place(node).line;
	i->addresses.first = conf_builder_count(load->builder, CONF_TABLE_ADDRESS);
	i->routes.first = conf_builder_count(load->builder, CONF_TABLE_ROUTE);
	i->rules.first = conf_builder_count(load->builder, CONF_TABLE_RULE);
	i->peers.first = conf_builder_count(load->builder, CONF_TABLE_PEER);
	i->tracks.first = conf_builder_count(load->builder, CONF_TABLE_TRACK);
	return true;
}

static void end_instance(struct conf_load *load, const struct conf_node *node)
{
	conf_index_t index = load->current[CONF_TABLE_INSTANCE];
	struct conf_instance *i = current(load);

	(void)node;
	conf_address_end(load, i->addresses.first, i->peers.first);
	i->routes.count = conf_builder_count(load->builder, CONF_TABLE_ROUTE) - i->routes.first;
	i->rules.count = conf_builder_count(load->builder, CONF_TABLE_RULE) - i->rules.first;
	i->unicast = i->peers.count > 0;
	i->tracks.count = conf_builder_count(load->builder, CONF_TABLE_TRACK) - i->tracks.first;
	for (uint32_t k = 0; k < i->tracks.count; k++) {
		struct conf_track *t = conf_builder_at(load->builder, CONF_TABLE_TRACK, i->tracks.first + k);

		t->instance = index;
	}
	i->notifies = conf_notify_flush(load, CONF_OWNER_INSTANCE, index);
}

static void print_instance(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);

	conf_print_open(p, "vrrp_instance %s", conf_print_text(p, i->name));
	/* An IPv6 instance without an address has nothing else that tells its family. */
	if (i->family == AF_INET6 && !i->n_advertised && !i->peers.count)
		conf_print_line(p, "native_ipv6");
	conf_print_directives(p, &conf_instance_block, record);
	conf_print_close(p);
}

const struct conf_block conf_instance_block = {
	.name = "vrrp_instance",
	.table = CONF_TABLE_INSTANCE,
	.directives = {instance_directives},
	.begin = begin_instance,
	.end = end_instance,
	.print = print_instance,
};
