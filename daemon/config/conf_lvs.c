/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keywords of global_defs about IPVS: connection synchronisation, timeouts, kernel settings, flushing, groups as
 * one mark. Runs in the config role. */
#include "conf_service.h"
#include "sysctls.h"
#include <string.h>

static struct conf_global *global(struct conf_load *load)
{
	return conf_builder_at(load->builder, CONF_TABLE_GLOBAL, 0);
}

/* ---- lvs_sync_daemon ---- */

/* A number behind a word of the line, within its range; what the line meant stays otherwise. */
static int64_t sync_number(
	struct conf_load *load, const struct conf_node *node, uint32_t i, int64_t low, int64_t high, int64_t otherwise)
{
	int64_t number;

	if (conf_parse_number(conf_word(node, i + 1), low, high, &number) == CONF_VALUE_OK)
		return number;
	conf_warn(load, node, i,
		"%s must be followed by a number from %lld to %lld" CONF_MEANING "the kernel's default is taken",
		conf_word(node, i), (long long)low, (long long)high);
	return otherwise;
}

static void sync_group(struct conf_load *load, const struct conf_node *node, uint32_t i)
{
	struct addr group;

	if (addr_parse(conf_word(node, i + 1), &group) == 0 && addr_is_multicast(&group))
		global(load)->sync_group = group;
	else
		conf_warn(load, node, i,
			"group must be followed by a multicast address" CONF_MEANING "the kernel's default is taken");
}

/* An option with its value; false when the word is none (then it names the instance). */
static bool sync_option(struct conf_load *load, const struct conf_node *node, uint32_t i)
{
	static const char *const options[] = {"id", "maxlen", "port", "ttl", "group", NULL};
	struct conf_global *g = global(load);

	switch (conf_parse_choice(conf_word(node, i), options)) {
	case 0:
		g->sync_id = (uint32_t)sync_number(load, node, i, 0, 255, 0);
		return true;
	case 1:
		g->sync_maxlen = (uint16_t)sync_number(load, node, i, 1, 65507, 0);
		return true;
	case 2:
		g->sync_port = (uint16_t)sync_number(load, node, i, 1, 65535, 0);
		return true;
	case 3:
		g->sync_ttl = (uint32_t)sync_number(load, node, i, 1, 255, 0);
		return true;
	case 4:
		sync_group(load, node, i);
		return true;
	}
	return false;
}

/* lvs_sync_daemon INTERFACE [[inst] INSTANCE] [id ID] [maxlen N] [port N] [ttl N] [group ADDRESS] */
static void apply_sync_daemon(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words < 2) {
		conf_warn(load, node, 0, "lvs_sync_daemon needs an interface" CONF_MEANING "it is ignored");
		return;
	}
	global(load)->sync_interface = conf_text(load, conf_word(node, 1));
	load->defaults.sync_daemon = node;
	for (uint32_t i = 2; i < node->n_words; i++) {
		if (sync_option(load, node, i)) {
			i++;
			continue;
		}
		if (strcmp(conf_word(node, i), "inst") == 0)
			i++;
		load->defaults.sync_instance = i < node->n_words ? &node->words[i] : NULL;
	}
}

static void print_sync_daemon(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);
	char options[256], group[ADDR_TEXT], instance[CONF_NAME_MAX + 16] = "";
	const struct conf_instance *i;
	int n;

	if (!g->sync_interface)
		return;
	if (g->sync_instance != CONF_NONE) {
		i = conf_print_record(p, CONF_TABLE_INSTANCE, g->sync_instance);
		snprintf(instance, sizeof(instance), " inst %s", conf_print_text(p, i->name));
	}
	n = snprintf(options, sizeof(options), " id %u", g->sync_id);
	if (g->sync_maxlen)
		n += snprintf(options + n, sizeof(options) - (size_t)n, " maxlen %u", g->sync_maxlen);
	if (g->sync_port)
		n += snprintf(options + n, sizeof(options) - (size_t)n, " port %u", g->sync_port);
	if (g->sync_ttl)
		n += snprintf(options + n, sizeof(options) - (size_t)n, " ttl %u", g->sync_ttl);
	if (addr_is_set(&g->sync_group))
		snprintf(options + n, sizeof(options) - (size_t)n, " group %s", addr_format(&g->sync_group, group));
	conf_print_line(p, "lvs_sync_daemon %s%s%s", conf_print_text(p, g->sync_interface), instance, options);
}

/* ---- timeouts, flushing ---- */

static void apply_lvs_timeouts(struct conf_load *load, const struct conf_node *node)
{
	static const char *const names[] = {"tcp", "tcpfin", "udp", NULL};

	for (uint32_t i = 1; i < node->n_words; i += 2) {
		int which = conf_parse_choice(conf_word(node, i), names);
		int64_t value;

		if (which < 0 ||
			conf_parse_time(conf_word(node, i + 1), CONF_S, 2678400 * CONF_S, &value) != CONF_VALUE_OK) {
			conf_warn(load, node, i,
				"write lvs_timeouts [tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]" CONF_MEANING
				"the rest is ignored");
			return;
		}
		if (which == 0)
			global(load)->lvs_timeout_tcp_us = value;
		else if (which == 1)
			global(load)->lvs_timeout_tcpfin_us = value;
		else
			global(load)->lvs_timeout_udp_us = value;
	}
}

static void print_lvs_timeouts(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);
	char text[32];

	if (g->lvs_timeout_tcp_us)
		conf_print_line(p, "lvs_timeouts tcp %s", conf_time_text(g->lvs_timeout_tcp_us, text));
	if (g->lvs_timeout_tcpfin_us)
		conf_print_line(p, "lvs_timeouts tcpfin %s", conf_time_text(g->lvs_timeout_tcpfin_us, text));
	if (g->lvs_timeout_udp_us)
		conf_print_line(p, "lvs_timeouts udp %s", conf_time_text(g->lvs_timeout_udp_us, text));
}

/* With VS only the services of the configuration go, which is what always happens. */
static void apply_flush_on_stop(struct conf_load *load, const struct conf_node *node)
{
	bool only_ours = strcmp(conf_word(node, 1), "VS") == 0;

	if (!only_ours)
		conf_extra_words(load, node, 1);
	global(load)->lvs_flush_on_stop = !only_ours;
}

static void print_flush_on_stop(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->lvs_flush_on_stop)
		conf_print_line(p, "lvs_flush_on_stop");
}

/* ---- kernel settings ---- */

/* The last one of a name counts. */
static void set_sysctl(struct conf_load *load, const struct conf_node *node, uint32_t number, int64_t value)
{
	struct conf_sysctl *s = NULL;

	for (conf_index_t i = 0; i < conf_builder_count(load->builder, CONF_TABLE_SYSCTL) && !s; i++) {
		s = conf_builder_at(load->builder, CONF_TABLE_SYSCTL, i);
		s = s->number == number ? s : NULL;
	}
	if (!s)
		s = conf_record_add(load, CONF_TABLE_SYSCTL, node);
	*s = (struct conf_sysctl){.number = number, .line = conf_node_place(node).line, .value = value};
}

/* NAME VALUE [VALUE], one a line. */
static void apply_sysctl(struct conf_load *load, const struct conf_node *node)
{
	int number = sysctls_find(conf_word(node, 0));
	char text[64];
	int64_t value;

	if (number < 0) {
		conf_error(load, node, 0, "\"%s\" is no kernel setting that lvs_sysctl knows", conf_word(node, 0));
		return;
	}
	snprintf(text, sizeof(text), "%s %s", conf_word(node, 1), conf_word(node, 2));
	if (node->n_words > 3 || !sysctls_parse(number, text, &value)) {
		conf_error(load, node, 1, "%s takes %s from %d to %d", conf_word(node, 0),
			sysctls_known[number].is_pair ? "two numbers" : "a number", sysctls_known[number].low,
			sysctls_known[number].high);
		return;
	}
	set_sysctl(load, node, (uint32_t)number, value);
}

static void apply_no_igmp(struct conf_load *load, const struct conf_node *node)
{
	conf_extra_words(load, node, 1);
	set_sysctl(load, node, SYSCTL_LOCAL_IGMP, 0);
}

static void print_sysctls(struct conf_printer *p, uint32_t record)
{
	uint32_t n = conf_builder_count(p->builder, CONF_TABLE_SYSCTL);
	char text[SYSCTLS_TEXT];

	(void)record;
	if (!n)
		return;
	conf_print_open(p, "lvs_sysctl");
	for (uint32_t i = 0; i < n; i++) {
		const struct conf_sysctl *s = conf_print_record(p, CONF_TABLE_SYSCTL, i);

		conf_print_line(
			p, "%s %s", sysctls_known[s->number].name, sysctls_format((int)s->number, s->value, text));
	}
	conf_print_close(p);
}

/* ---- groups as one mark ---- */

static void apply_fold(struct conf_load *load, const struct conf_node *node)
{
	if (node->n_words > 1)
		conf_warn(load, node, 1, "Poise's table has a name of its own" CONF_MEANING "it is poise_ipvs");
	global(load)->fold_groups = 1;
}

static void print_fold(struct conf_printer *p, uint32_t record)
{
	const struct conf_global *g = conf_print_record(p, CONF_TABLE_GLOBAL, record);

	if (g->fold_groups)
		conf_print_line(p, "nftables_ipvs");
}

/* ---- the table ---- */

#define G(member) CONF_RECORD(conf_global, member)

/* clang-format off */
const struct conf_directive conf_lvs_directives[] = {
	CALL("lvs_sync_daemon", apply_sync_daemon, print_sync_daemon, OBJECT, "INTERFACE [inst INSTANCE] [id ID] [maxlen BYTES] [port PORT] [ttl TTL] [group ADDRESS]: replicate connections between the nodes"),
	CALL("lvs_timeouts", apply_lvs_timeouts, print_lvs_timeouts, LIVE, "[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]: how long the kernel keeps idle connections"),
	PLAIN("lvs_flush", G(lvs_flush), START, "remove services of other programs from IPVS when poised starts"),
	CALL("lvs_flush_on_stop", apply_flush_on_stop, print_flush_on_stop, LIVE, "[VS]: remove every service when poised stops, those of others too; with VS only ours, as without it"),
	LINES("lvs_sysctl", apply_sysctl, print_sysctls, LIVE, "kernel settings, NAME VALUE a line: those of net.ipv4.vs by their names, ip_forward, ip6_forward, igmp_link_local_mcast_reports; what was there before comes back when poised stops"),
	CALL("disable_local_igmp", apply_no_igmp, NULL, LIVE, "no IGMP reports about groups in 224.0.0.0/24: lvs_sysctl { igmp_link_local_mcast_reports 0 }"),
	TIME("ipvs_audit_interval", G(audit_interval_us), CONF_S, 3600 * CONF_S, 5 * CONF_S, LIVE, "how often the kernel's IPVS table is compared with the configuration"),
	CALL("nftables_ipvs", apply_fold, print_fold, OBJECT, "the addresses of each virtual_server_group become one firewall mark, set by a map of nftables, and so one service in the kernel"),
	NUMBER("nftables_ipvs_priority", G(fold_priority), -400, 400, -151, LIVE, "priority of the chain that sets these marks"),
	NUMBER("nftables_ipvs_start_fwmark", G(fold_first_mark), 1, 0x70000000, 1000, OBJECT, "the marks are chosen from this one on, by the group's name: the same on both routers"),
	END_OF_TABLE,
};
/* clang-format on */
