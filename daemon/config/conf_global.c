/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keywords outside any object and those of global_defs. Runs in the config role. */
#include "conf_address.h"
#include "conf_fifo.h"
#include "conf_finish.h"
#include "conf_pair.h"
#include "conf_print.h"
#include "conf_route.h"
#include "conf_rule.h"
#include "conf_service.h"
#include "conf_snmp.h"
#include "conf_umask.h"
#include <stdlib.h>
#include <string.h>

static struct conf_global *global(struct conf_load *load)
{
	return conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
}

/* More mail addresses than this are a mistake. */
#define EMAILS_SIZE 65536

/* Adds a line to the text; false when it has become too long. */
static bool add_email(char *all, const char *address)
{
	size_t length = strlen(all);

	if (length + strlen(address) + 2 > EMAILS_SIZE)
		return false;
	sprintf(all + length, "%s%s", length ? "\n" : "", address);
	return true;
}

/* Addresses of people, one a line in the string; further blocks add to it. */
static void apply_emails(struct conf_load *load, const struct conf_node *node)
{
	char *all = conf_realloc(NULL, EMAILS_SIZE, 1);
	bool fits = true;

	strcpy(all, conf_builder_text(load->builder, global(load)->notification_emails));
	if (!node->block)
		conf_warn(load, node, 0,
			"notification_email needs a block { ... }" CONF_MEANING "the addresses on this line are taken");
	for (uint32_t i = 1; i < node->n_words && fits; i++)
		fits = add_email(all, conf_word(node, i));
	for (const struct conf_node *n = conf_node_child(node); n; n = conf_node_next(n))
		for (uint32_t i = 0; i < n->n_words && fits; i++)
			fits = add_email(all, conf_word(n, i));
	if (!fits)
		conf_error(
			load, node, 0, "notification_email names too many addresses (more than %d bytes)", EMAILS_SIZE);
	global(load)->notification_emails = conf_text(load, all);
	if (!global(load)->notification_emails)
		conf_warn(load, node, 0, "notification_email names nobody; no mail is sent");
	free(all);
}

/* smtp_server ADDRESS [PORT]; kept as written. */
static void apply_smtp_server(struct conf_load *load, const struct conf_node *node)
{
	char text[512];
	int64_t port = 25;

	if (node->n_words < 2) {
		conf_error(load, node, 0, "smtp_server needs an address");
		return;
	}
	if (node->n_words > 2 && conf_parse_number(conf_word(node, 2), 1, 65535, &port) != CONF_VALUE_OK) {
		conf_warn(load, node, 2,
			"the port must be a number from 1 to 65535, not \"%s\"" CONF_MEANING "the line is ignored",
			conf_word(node, 2));
		return;
	}
	conf_extra_words(load, node, 3);
	snprintf(text, sizeof(text), port == 25 ? "%s" : "%s %d", conf_word(node, 1), (int)port);
	global(load)->smtp_server = conf_text(load, text);
}

static void apply_script_user(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words < 2) {
		conf_warn(load, node, 0, "script_user needs the name of a user" CONF_MEANING "it is ignored");
		return;
	}
	global(load)->script_user = conf_text(load, conf_word(node, 1));
	global(load)->script_group = conf_text(load, conf_word(node, 2));
	load->user_missing = !conf_user_exists(load, node, 1,
				     load->dialect == CONF_DIALECT_KEEPALIVED
					     ? "nothing tracks scripts that name no user, as keepalived does"
					     : "scripts that name no user fail until this is mended") &&
			     load->dialect == CONF_DIALECT_KEEPALIVED;
	conf_extra_words(load, node, 3);
}

static void apply_hook(struct conf_load *load, const struct conf_node *node)
{
	struct conf_command command;
	struct conf_global *g;

	if (!conf_command(load, node, 1, false, &command))
		return;
	g = conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
	*(strcmp(conf_word(node, 0), "startup_script") == 0 ? &g->startup : &g->shutdown) = command;
}

static void print_hooks(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->startup.argc)
		conf_print_line(p, "startup_script %s", conf_print_command(p, &g->startup));
	if (g->shutdown.argc)
		conf_print_line(p, "shutdown_script %s", conf_print_command(p, &g->shutdown));
}

/* ---- files about reloads ---- */

static bool is_absolute(struct conf_load *load, const struct conf_node *node)
{
	if (conf_word(node, 1)[0] == '/') {
		conf_extra_words(load, node, 2);
		return true;
	}
	conf_warn(load, node, 1, "%s needs a path that begins with /" CONF_MEANING "it is ignored", conf_word(node, 0));
	return false;
}

static void apply_reload_time_file(struct conf_load *load, const struct conf_node *node)
{
	if (is_absolute(load, node))
		global(load)->reload_time_file = conf_text(load, conf_word(node, 1));
}

static void apply_reload_file(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words < 2)
		global(load)->reload_file = conf_text(load, "/run/keepalived.reload");
	else if (is_absolute(load, node))
		global(load)->reload_file = conf_text(load, conf_word(node, 1));
}

static void print_reload_files(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->reload_time_file)
		conf_print_line(p, "reload_time_file %s", conf_print_text(p, g->reload_time_file));
	if (g->reload_file)
		conf_print_line(p, "reload_file %s", conf_print_text(p, g->reload_file));
}

static void apply_default_interface(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words < 2)
		conf_warn(
			load, node, 0, "default_interface needs the name of an interface" CONF_MEANING "it is ignored");
	else
		load->defaults.interface = conf_text(load, conf_word(node, 1));
	conf_extra_words(load, node, 2);
}

static void apply_mcast_group(struct conf_load *load, const struct conf_node *node)
{
	bool v6 = strcmp(conf_word(node, 0), "vrrp_mcast_group6") == 0;
	struct addr a;

	if (addr_parse(conf_word(node, 1), &a) < 0 || a.family != (v6 ? AF_INET6 : AF_INET) || !addr_is_multicast(&a)) {
		conf_warn(load, node, 1, "%s needs an IPv%d multicast address, not \"%s\"" CONF_MEANING "%s is taken",
			conf_word(node, 0), v6 ? 6 : 4, conf_word(node, 1), v6 ? "ff02::12" : "224.0.0.18");
		return;
	}
	*(v6 ? &global(load)->mcast_group6 : &global(load)->mcast_group4) = a;
	conf_extra_words(load, node, 2);
}

/* The reader of files has obeyed it. */
static void apply_by_reader(struct conf_load *load, const struct conf_node *node)
{
	int64_t seed;

	if (strcmp(conf_word(node, 0), "random_seed") == 0 &&
		conf_parse_number(conf_word(node, 1), 0, UINT32_MAX, &seed) != CONF_VALUE_OK)
		conf_warn(load, node, 1, "random_seed must be a number from 0 to 4294967295");
}

/* A namespace is named in the file system. */
static void apply_namespace(struct conf_load *load, const struct conf_node *node)
{
	bool ipvs = strcmp(conf_word(node, 0), "net_namespace_ipvs") == 0;
	conf_string_t name = conf_text(load, conf_word(node, 1));

	if (!name && !ipvs) {
		conf_warn(load, node, 0, "net_namespace needs the name of a namespace" CONF_MEANING "it is ignored");
		return;
	}
	if (strchr(conf_word(node, 1), '/')) {
		conf_error(load, node, 1, "a namespace is named as for ip netns, not by a path");
		return;
	}
	*(ipvs ? &global(load)->net_namespace_ipvs : &global(load)->net_namespace) = name;
	global(load)->ipvs_namespace_given |= ipvs;
	conf_extra_words(load, node, 2);
}

/* ---- canonical print ---- */

static void print_emails(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);
	const char *at = conf_print_string(p, g->notification_emails);

	if (!*at)
		return;
	conf_print_open(p, "notification_email");
	while (*at) {
		size_t n = strcspn(at, "\n");
		char *one = conf_strndup(at, n);

		conf_print_line(p, "%s", conf_print_word(p, one));
		free(one);
		at += n + (at[n] != 0);
	}
	conf_print_close(p);
}

static void print_smtp_server(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	/* Address and port are two words and hold nothing that needs quotes. */
	if (g->smtp_server)
		conf_print_line(p, "smtp_server %s", conf_print_string(p, g->smtp_server));
}

static void print_script_user(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->script_user)
		conf_print_line(p, "script_user %s%s%s", conf_print_text(p, g->script_user), g->script_group ? " " : "",
			g->script_group ? conf_print_text(p, g->script_group) : "");
}

static void print_mcast_groups(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);
	char text[ADDR_TEXT];

	conf_print_line(p, "vrrp_mcast_group4 %s", addr_format(&g->mcast_group4, text));
	conf_print_line(p, "vrrp_mcast_group6 %s", addr_format(&g->mcast_group6, text));
}

static void print_namespaces(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->net_namespace)
		conf_print_line(p, "net_namespace %s", conf_print_text(p, g->net_namespace));
	if (g->net_namespace_ipvs)
		conf_print_line(p, "net_namespace_ipvs %s", conf_print_text(p, g->net_namespace_ipvs));
	else if (g->ipvs_namespace_given)
		conf_print_line(p, "net_namespace_ipvs");
}

static void apply_link_delay(struct conf_load *load, const struct conf_node *node)
{
	struct conf_link_delay delay = {0};
	uint32_t words = node->n_words > 2 ? 3 : 2;

	if (conf_parse_time(conf_word(node, 1), 0, 255 * CONF_S, &delay.down_us) != CONF_VALUE_OK ||
		conf_parse_time(conf_word(node, words - 1), 0, 255 * CONF_S, &delay.up_us) != CONF_VALUE_OK) {
		conf_warn(load, node, 1,
			"an interface is followed by one or two times from 0 to 255 seconds" CONF_MEANING
			"its changes count at once");
		return;
	}
	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_LINK_DELAY); i++) {
		const struct conf_link_delay *other = conf_builder_at(load->builder, CONF_TABLE_LINK_DELAY, i);

		if (strcmp(conf_builder_text(load->builder, other->interface), conf_word(node, 0)) == 0) {
			conf_warn(load, node, 0, "%s has its delays already" CONF_MEANING "the first ones count",
				conf_word(node, 0));
			return;
		}
	}
	conf_extra_words(load, node, words);
	delay.interface = conf_text(load, conf_word(node, 0));
	*(struct conf_link_delay *)conf_record_add(load, CONF_TABLE_LINK_DELAY, node) = delay;
}

static void print_link_delays(struct conf_printer *p, uint32_t record)
{
	uint32_t count = conf_builder_count(p->builder, CONF_TABLE_LINK_DELAY);
	char down[32], up[32];

	(void)record;
	if (count)
		conf_print_open(p, "interface_up_down_delays");
	for (uint32_t i = 0; i < count; i++) {
		const struct conf_link_delay *d = conf_print_record(p, CONF_TABLE_LINK_DELAY, i);

		conf_print_line(p, "%s %s %s", conf_print_text(p, d->interface), conf_time_text(d->down_us, down),
			conf_time_text(d->up_us, up));
	}
	if (count)
		conf_print_close(p);
}

/* ---- the tables ---- */

#define G(member) CONF_RECORD(conf_global, member)
#define DAY (86400 * CONF_S)
#define URGENT "VRRP runs in real time (vrrp_rt_priority), the other processes are never urgent"
#define LOCKED "VRRP always locks its memory, the other processes are never urgent"
#define AFFINITY "CPUAffinity= of systemd binds all processes of a unit to processors"
#define RTTIME "a process whose heartbeat stands still is ended and started anew"
#define CHILDREN "the end of a process is awaited for as long as it needs"
#define NAMES "Poise's processes have fixed names"
#define BUFFERS "Poise sizes its buffers itself"

/* clang-format off */
static const struct conf_directive global_directives[] = {
	TEXT("router_id", G(node), LIVE, "name of this machine in status and traps; default: the host's name"),
	TIME("address_lifetime", G(address_lifetime_us), 0, DAY, 10 * CONF_S, LIVE, "virtual addresses vanish this long after every process of Poise has died; 0 = they stay"),
	CALL("notification_email", apply_emails, print_emails, LIVE, "mail addresses that get alerts, as a block"),
	TEXT("notification_email_from", G(notification_email_from), LIVE, "sender of alerts"),
	CALL("smtp_server", apply_smtp_server, print_smtp_server, LIVE, "mail server for alerts: ADDRESS [PORT]"),
	TIME("smtp_connect_timeout", G(smtp_timeout_us), CONF_S, 1000 * CONF_S, 30 * CONF_S, LIVE, "how long the mail server may take to answer; nothing waits for it"),
	TEXT("smtp_helo_name", G(smtp_helo_name), LIVE, "name by which this machine greets the mail server; default: the host's name"),
	FLAG("smtp_alert", CONF_DEFAULTS(smtp_alert), LIVE, "mail alerts for every object that does not say otherwise"),
	FLAG("smtp_alert_vrrp", CONF_DEFAULTS(smtp_alert_vrrp), LIVE, "mail alerts for VRRP instances and groups that do not say otherwise"),
	FLAG("smtp_alert_checker", CONF_DEFAULTS(smtp_alert_checker), LIVE, "mail alerts for services and servers that do not say otherwise"),
	FLAG("no_email_faults", G(no_email_faults), LIVE, "no mail when an instance or a group enters fault"),
	IGNORED("no_checker_emails", "alerts are sent once for each change of a server"),
	IGNORED("checker_log_all_failures", "every change of a verdict is logged with its cause"),
	PLAIN("enable_script_security", G(script_security), LIVE, "scripts that others than root may change are not run as root"),
	PLAIN("script_security", G(script_security), LIVE, "the same as enable_script_security"),
	CALL("script_user", apply_script_user, print_script_user, LIVE, "USER [GROUP] that scripts run as; default keepalived_script if it exists, else root in keepalived's dialect and nobody in ours"),
	CALL("vrrp_mcast_group4", apply_mcast_group, print_mcast_groups, OBJECT, "multicast group of IPv4 advertisements; default 224.0.0.18"),
	CALL("vrrp_mcast_group6", apply_mcast_group, print_mcast_groups, OBJECT, "multicast group of IPv6 advertisements; default ff02::12"),
	NUMBER("vrrp_version", CONF_DEFAULTS(version), 2, 3, 2, OBJECT, "VRRP version of instances that name none; IPv6 is always 3"),
	PLAIN("vrrp_strict", CONF_DEFAULTS(strict), OBJECT, "instances keep to the letter of the RFC"),
	PLAIN("vrrp_skip_check_adv_addr", CONF_DEFAULTS(skip_check_adv_addr), LIVE, "do not compare the addresses in advertisements of the same master again"),
	PLAIN("vrrp_check_unicast_src", CONF_DEFAULTS(check_unicast_src), LIVE, "unicast advertisements must come from a configured peer"),
	FLAG("vrrp_lower_prio_no_advert", CONF_DEFAULTS(lower_prio_no_advert), LIVE, "a master does not answer a lower-priority advertisement"),
	FLAG("vrrp_higher_prio_send_advert", CONF_DEFAULTS(higher_prio_send_advert), LIVE, "a master that yields to a higher priority advertises once more"),
	NUMBER("vrrp_down_timer_adverts", CONF_DEFAULTS(down_timer_adverts), 1, 100, 3, LIVE, "missed advertisements before a master counts as dead"),
	TIME("vrrp_startup_delay", CONF_DEFAULTS(startup_delay_us), 0, DAY, 0, LIVE, "wait before instances start"),
	SECONDS("vrrp_garp_master_delay", CONF_DEFAULTS(garp_delay_us), 0, DAY, 5 * CONF_S, LIVE, "time to the second burst of announcements after becoming master; 0 = none"),
	NUMBER("vrrp_garp_master_repeat", CONF_DEFAULTS(garp_repeat), 0, 255, 5, LIVE, "announcements in a burst"),
	SECONDS("vrrp_garp_master_refresh", CONF_DEFAULTS(garp_refresh_us), 0, DAY, 0, LIVE, "announce again this often while master; 0 = never"),
	NUMBER("vrrp_garp_master_refresh_repeat", CONF_DEFAULTS(garp_refresh_repeat), 0, 255, 1, LIVE, "announcements in each refresh"),
	SECONDS("vrrp_garp_lower_prio_delay", CONF_DEFAULTS(garp_lower_delay_us), 0, DAY, -1, LIVE, "time to the second burst after a lower-priority advertisement; default as vrrp_garp_master_delay"),
	NUMBER("vrrp_garp_lower_prio_repeat", CONF_DEFAULTS(garp_lower_repeat), 0, 255, -1, LIVE, "announcements after a lower-priority advertisement; default as vrrp_garp_master_repeat"),
	TIME("vrrp_garp_interval", CONF_DEFAULTS(garp_interval_us), 0, 1000 * CONF_S, 0, LIVE, "gap between gratuitous ARP packets on an interface"),
	TIME("vrrp_gna_interval", CONF_DEFAULTS(gna_interval_us), 0, 1000 * CONF_S, 0, LIVE, "gap between unsolicited neighbour advertisements on an interface"),
	FLAG("vrrp_min_garp", CONF_DEFAULTS(min_garp), LIVE, "one announcement instead of bursts"),
	INACTIVE("garp_master_delay", "keepalived does not know it here; write vrrp_garp_master_delay if that is meant"),
	NUMBER("vrrp_rt_priority", G(vrrp_rt_priority), 0, 99, 50, START, "real-time priority of the VRRP process; 0 = none"),
	CALL("vrrp_garp_extra_if", conf_garp_extra_global, NULL, LIVE, "[all] SECONDS: announce again this often the addresses behind a virtual MAC address; with all, also those on other interfaces than the instance's"),
	IGNORED("vrrp_iptables", "no_accept uses nftables sets of its own"),
	IGNORED("vrrp_ipsets", "no_accept uses nftables sets of its own"),
	IGNORED("nftables", "Poise names its nftables table itself"),
	IGNORED("nftables_priority", "Poise chooses the priority of its chains itself"),
	IGNORED("nftables_counters", "Poise's rules carry counters where they are shown"),
	IGNORED("nftables_ifindex", "Poise's rules name interfaces"),
	IGNORED("vrrp_priority", URGENT),
	IGNORED("checker_priority", URGENT),
	IGNORED("bfd_priority", URGENT),
	IGNORED("max_auto_priority", URGENT),
	IGNORED("min_auto_priority_delay", URGENT),
	IGNORED("vrrp_no_swap", LOCKED),
	IGNORED("checker_no_swap", LOCKED),
	IGNORED("bfd_no_swap", LOCKED),
	IGNORED("vrrp_cpu_affinity", AFFINITY),
	IGNORED("checker_cpu_affinity", AFFINITY),
	IGNORED("bfd_cpu_affinity", AFFINITY),
	IGNORED("checker_rt_priority", URGENT),
	IGNORED("bfd_rt_priority", URGENT),
	IGNORED("vrrp_rlimit_rttime", RTTIME),
	IGNORED("vrrp_rlimit_rtime", RTTIME),
	IGNORED("checker_rlimit_rttime", RTTIME),
	IGNORED("checker_rlimit_rtime", RTTIME),
	IGNORED("bfd_rlimit_rttime", RTTIME),
	IGNORED("process_names", NAMES),
	IGNORED("process_name", NAMES),
	IGNORED("vrrp_process_name", NAMES),
	IGNORED("checker_process_name", NAMES),
	IGNORED("bfd_process_name", NAMES),
	IGNORED("vrrp_netlink_cmd_rcv_bufs", BUFFERS),
	IGNORED("vrrp_netlink_cmd_rcv_bufs_force", BUFFERS),
	IGNORED("vrrp_netlink_monitor_rcv_bufs", BUFFERS),
	IGNORED("vrrp_netlink_monitor_rcv_bufs_force", BUFFERS),
	IGNORED("lvs_netlink_cmd_rcv_bufs", BUFFERS),
	IGNORED("lvs_netlink_cmd_rcv_bufs_force", BUFFERS),
	IGNORED("lvs_netlink_monitor_rcv_bufs", BUFFERS),
	IGNORED("lvs_netlink_monitor_rcv_bufs_force", BUFFERS),
	IGNORED("process_monitor_rcv_bufs", BUFFERS),
	IGNORED("process_monitor_rcv_bufs_force", BUFFERS),
	IGNORED("vrrp_rx_bufs_policy", BUFFERS),
	IGNORED("vrrp_rx_bufs_multiplier", BUFFERS),
	IGNORED("dynamic_interfaces", "interfaces may always come and go"),
	CALL("default_interface", apply_default_interface, NULL, LIVE, "the interface of static addresses that name none; default eth0 in keepalived's dialect"),
	IGNORED("log_unknown_vrids", "unknown VRIDs are counted in the status"),
	INACTIVE("enable_dbus", "Poise has no D-Bus interface; use poisectl"),
	INACTIVE("dbus_service_name", "Poise has no D-Bus interface; use poisectl"),
	IGNORED("lvs_id", "it has had no meaning for a long time; use router_id"),
	CALL("notify_fifo", conf_fifo_apply, conf_fifo_print, LIVE, "PATH [USER [GROUP]]: every change of state is written to this FIFO as a line, in order; it is made when it does not exist"),
	CALL("notify_fifo_script", conf_fifo_apply, conf_fifo_print, LIVE, "COMMAND [USER [GROUP]]: program that reads it; its path is the last argument"),
	CALL("vrrp_notify_fifo", conf_fifo_apply, conf_fifo_print, LIVE, "PATH [USER [GROUP]]: a FIFO for VRRP alone"),
	CALL("vrrp_notify_fifo_script", conf_fifo_apply, conf_fifo_print, LIVE, "COMMAND [USER [GROUP]]: program that reads it; its path is the last argument"),
	CALL("lvs_notify_fifo", conf_fifo_apply, conf_fifo_print, LIVE, "PATH [USER [GROUP]]: a FIFO for virtual and real servers alone"),
	CALL("lvs_notify_fifo_script", conf_fifo_apply, conf_fifo_print, LIVE, "COMMAND [USER [GROUP]]: program that reads it; its path is the last argument"),
	FLAG("fifo_write_vrrp_states_on_reload", G(fifo_states_on_reload), LIVE, "write the states of all instances and groups to the FIFOs after a reload"),
	FLAG("vrrp_notify_priority_changes", CONF_DEFAULTS(notify_priority), LIVE, "changes of the effective priority are written to the FIFOs, too"),
	FLAG("rs_init_notifies", G(rs_init_notifies), LIVE, "notify_up of a server runs, too, when the server is up at the start"),
	CALL("startup_script", apply_hook, print_hooks, START, "COMMAND [USER [GROUP]]: runs before the first advertisement, the first address and the first service, not again when a crash left addresses behind; its failure is logged"),
	TIME("startup_script_timeout", G(startup_timeout_us), CONF_S, 1000 * CONF_S, 10 * CONF_S, START, "nothing waits longer for startup_script; it is ended then"),
	CALL("shutdown_script", apply_hook, NULL, LIVE, "COMMAND [USER [GROUP]]: runs at the end, when virtual addresses and services are gone"),
	TIME("shutdown_script_timeout", G(shutdown_timeout_us), CONF_S, 1000 * CONF_S, 10 * CONF_S, LIVE, "the end waits no longer for shutdown_script; it is ended then"),
	IGNORED("tmp_config_directory", "the configuration is read once into memory"),
	IGNORED("config_save_dir", "use --dump to keep the configuration that was understood"),
	IGNORED("data_use_instance", "use poisectl to look at a running daemon"),
	FLAG("reload_may_cut", G(reload_may_cut), LIVE, "a reload may cut connections, as keepalived's does; without it one that would is refused until `poisectl reload --allow`"),
	NUMBER("check_processes", G(check_processes), 1, CHECKERS_MAX, 1, LIVE, "processes that share the checks, where one core is not enough; checks of one target, and pools with panic_threshold or adaptive_weight, stay together"),
	IGNORED("reload_check_config", "a reload always checks first"),
	CALL("reload_time_file", apply_reload_time_file, print_reload_files, LIVE, "PATH: the configuration is read again, as by SIGHUP, at the time in the first line of this file: HH:MM:SS, YY-MM-DD HH:MM:SS or YYYY-MM-DD HH:MM:SS, with Z behind it for UTC; the file may come, change and go at any time, and is removed then"),
	FLAG("reload_repeat", G(reload_repeat), LIVE, "the file of reload_time_file is not removed; a time without a date counts again the day after"),
	CALL("reload_file", apply_reload_file, NULL, LIVE, "[PATH]: this file is made before the configuration is read again and removed afterwards; who writes configurations makes it, asks for a reload, and waits until it is gone; default /run/keepalived.reload"),
	CALL("include_check", apply_by_reader, NULL, NONE, "[[+|-]readable|match|wildcard_match|brace_match ...]: what must be true of the includes that follow in this file; alone: all of it"),
	CALL("umask", conf_umask_apply, conf_umask_print, LIVE, "NUMBER or bits such as IWGRP|IWOTH: the umask of scripts; files of Poise have the rights that they need; default 0177 in keepalived's dialect, 022 in ours"),
	CALL("random_seed", apply_by_reader, NULL, NONE, "NUMBER: makes ${_RANDOM} give the same numbers each time"),
	TEXT("vmac_prefix", G(vmac_prefix), OBJECT, "how names of interfaces that are made for use_vmac and use_ipvlan begin; default vrrp"),
	TEXT("vmac_addr_prefix", G(vmac_addr_prefix), OBJECT, "the same of those for addresses elsewhere; default vmac_prefix"),
	IGNORED("linkbeat_use_polling", "the kernel's link state is used"),
	IGNORED("child_wait_time", CHILDREN),
	END_OF_TABLE,
};

static const struct conf_directive root_directives[] = {
	CALL("net_namespace", apply_namespace, print_namespaces, START, "NAME: run in this network namespace; several poised also need a run directory each (-r)"),
	CALL("net_namespace_ipvs", apply_namespace, NULL, START, "[NAME]: program the IPVS of this network namespace; without NAME of the one that poised was started in"),
	BLOCK("global_defs", &conf_global_block, LIVE, "values for the whole daemon"),
	BLOCK("vrrp_script", &conf_script_block, OBJECT, "NAME: a program that instances track"),
	BLOCK("vrrp_track_process", &conf_process_block, OBJECT, "NAME: processes that instances track"),
	BLOCK("track_file", &conf_track_file_block, OBJECT, "NAME: a file with a number that instances track"),
	BLOCK("vrrp_track_file", &conf_track_file_block, OBJECT, "the same as track_file"),
	BLOCK("bfd_instance", &conf_bfd_block, OBJECT, "NAME: a BFD session (RFC 5880, asynchronous mode) that instances track and servers are checked by"),
	BLOCK("vrrp_instance", &conf_instance_block, LIVE, "NAME: a virtual router"),
	BLOCK("vrrp_sync_group", &conf_group_block, LIVE, "NAME: instances that change state together"),
	BLOCK("virtual_server_group", &conf_service_group_block, LIVE, "NAME: addresses and marks that share servers"),
	BLOCK("virtual_server", &conf_service_block, LIVE, "ADDRESS [PORT] | fwmark MARK | group NAME: a service and its servers"),
	BLOCK("SSL", &conf_ssl_global_block, LIVE, "the client certificate of all SSL_GET checks"),
	CALL("garp_group", conf_garp_group, NULL, LIVE, "gaps between announcements for some interfaces: a block of garp_interval SECONDS, gna_interval SECONDS, interface NAME or interfaces { NAME ... }"),
	IGNORED("linkbeat_interfaces", "the kernel's link state is used"),
	IGNORED("linkbeat_use_polling", "the kernel's link state is used"),
	LINES("interface_up_down_delays", apply_link_delay, print_link_delays, LIVE, "NAME DOWN [UP]: seconds that an interface has to be down, or up again, before it counts; less than two advert_int; default UP as DOWN"),
	LINES("static_ipaddress", conf_address_static, NULL, LIVE, "addresses that are held whoever is master: ADDRESS[/PREFIX] dev NAME [track_group NAME] and the other words of virtual_ipaddress"),
	LINES("static_routes", conf_route_static, NULL, LIVE, "routes that are there whoever is master, in the words of virtual_routes, and track_group NAME"),
	LINES("static_rules", conf_rule_static, NULL, LIVE, "rules that are there whoever is master, in the words of virtual_rules, and track_group NAME"),
	BLOCK("track_group", &conf_track_group_block, LIVE, "NAME: instances that are in fault while a static address, route or rule with `track_group NAME` behind it cannot be had"),
	IGNORED("instance", "use -r RUNDIR to run several instances"),
	IGNORED("use_pid_dir", "use -r RUNDIR to run several instances"),
	IGNORED("child_wait_time", CHILDREN),
	IGNORED("namespace_with_ipsets", "no_accept uses nftables sets of its own"),
	END_OF_TABLE,
};
/* clang-format on */

static bool begin_global(struct conf_load *load, const struct conf_node *node)
{
	conf_extra_words(load, node, 1);
	load->current[CONF_TABLE_GLOBAL] = 0;
	return true;
}

const struct conf_block conf_global_block = {
	.name = "global_defs",
	.table = CONF_TABLE_GLOBAL,
	.directives = {global_directives, conf_snmp_directives, conf_pair_directives, conf_lvs_directives},
	.begin = begin_global,
};

const struct conf_block conf_root_block = {
	.name = "",
	.table = -1,
	.directives = {root_directives},
};
