/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what a configuration becomes: globals, VRRP instances, groups, scripts, field by field. */
#include "conf_fixture.h"
#include "mono.h"
#include <check.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const char *str(const struct conf *c, conf_string_t s)
{
	return conf_string(c, s);
}

static void check_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_TEXT];

	ck_assert_str_eq(addr_format(a, buf), text);
}

static void check_argv(const struct conf *c, const struct conf_command *command, const char *expected)
{
	const char *argv[32];
	char joined[512] = "";
	int n = conf_argv(c, command, argv, 32);

	for (int i = 0; i < n; i++)
		strcat(strcat(strcat(joined, "["), argv[i]), "]");
	ck_assert_str_eq(joined, expected);
}

START_TEST(test_empty_file_gives_defaults)
{
	struct conf *c = fixture_load("", 0);
	struct utsname uts;

	uname(&uts);
	ck_assert_str_eq(str(c, c->global->node), uts.nodename);
	ck_assert_int_eq(c->global->address_lifetime_us, 10 * US_PER_S);
	ck_assert_int_eq(c->global->audit_interval_us, 5 * US_PER_S);
	check_addr(&c->global->mcast_group4, "224.0.0.18");
	check_addr(&c->global->mcast_group6, "ff02::12");
	ck_assert_uint_eq(c->global->sync_instance, CONF_NONE);
	ck_assert_uint_eq(c->global->dialect, CONF_DIALECT_KEEPALIVED);
	ck_assert_str_eq(str(c, c->global->source_file), "f");
	conf_close(c);
}
END_TEST

START_TEST(test_global_values)
{
	struct conf *c = fixture_load("global_defs {\n"
				      " router_id lb1\n address_lifetime 0\n ipvs_audit_interval 2.5\n"
				      " notification_email {\n  a@example.org\n  b@example.org c@example.org\n }\n"
				      " notification_email_from lb@example.org\n smtp_server 192.0.2.1 2525\n"
				      " enable_script_security\n script_user checks daemons\n"
				      " enable_traps\n enable_snmp_vrrp\n enable_snmp_checker\n enable_snmp_rfc\n"
				      " snmp_socket unix:/x\n lvs_sync_daemon eth1 VI_1 id 7\n"
				      " lvs_timeouts tcp 900 udp 300\n lvs_flush\n lvs_flush_on_stop\n"
				      " vrrp_mcast_group4 224.0.0.19\n vrrp_rt_priority 20\n}\n"
				      "vrrp_instance VI_1 {\n interface eth0\n virtual_router_id 9\n"
				      " virtual_ipaddress { 10.0.0.1 }\n}\n",
		0);
	const struct conf_global *g = c->global;

	ck_assert_str_eq(str(c, g->node), "lb1");
	ck_assert_int_eq(g->address_lifetime_us, 0);
	ck_assert_int_eq(g->audit_interval_us, 2500000);
	ck_assert_str_eq(str(c, g->notification_emails), "a@example.org\nb@example.org\nc@example.org");
	ck_assert_str_eq(str(c, g->notification_email_from), "lb@example.org");
	ck_assert_str_eq(str(c, g->smtp_server), "192.0.2.1 2525");
	ck_assert_uint_eq(g->script_security, 1);
	ck_assert_str_eq(str(c, g->script_user), "checks");
	ck_assert_str_eq(str(c, g->script_group), "daemons");
	ck_assert(g->snmp_traps && g->snmp_vrrp && g->snmp_checker && g->snmp_rfcv2 && g->snmp_rfcv3);
	ck_assert_str_eq(str(c, g->snmp_socket), "unix:/x");
	ck_assert_str_eq(str(c, g->sync_interface), "eth1");
	ck_assert_uint_eq(g->sync_instance, 0);
	ck_assert_uint_eq(g->sync_id, 7);
	ck_assert_int_eq(g->lvs_timeout_tcp_us, 900 * US_PER_S);
	ck_assert_int_eq(g->lvs_timeout_tcpfin_us, 0);
	ck_assert_int_eq(g->lvs_timeout_udp_us, 300 * US_PER_S);
	ck_assert(g->lvs_flush && g->lvs_flush_on_stop);
	check_addr(&g->mcast_group4, "224.0.0.19");
	ck_assert_int_eq(g->vrrp_rt_priority, 20);
	conf_close(c);
}
END_TEST

START_TEST(test_sync_daemon_takes_the_vrid)
{
	struct conf *c = fixture_load("global_defs { lvs_sync_daemon eth1 inst A }\n"
				      "vrrp_instance A {\n interface e\n virtual_router_id 9\n"
				      " virtual_ipaddress { 10.0.0.1 }\n}\n",
		0);

	ck_assert_uint_eq(c->global->sync_id, 9);
	conf_close(c);
}
END_TEST

START_TEST(test_instance_defaults)
{
	struct conf *c = fixture_load("vrrp_instance web {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress "
				      "{\n  10.0.0.1/24\n }\n}\n",
		0);
	const struct conf_instance *i = &c->instances[0];

	ck_assert_str_eq(str(c, i->name), "web");
	ck_assert_str_eq(str(c, i->interface), "eth0");
	ck_assert_uint_eq(i->version, 2);
	ck_assert_uint_eq(i->family, AF_INET);
	ck_assert_uint_eq(i->vrid, 51);
	ck_assert_uint_eq(i->priority, 100);
	ck_assert_uint_eq(i->initial, CONF_INITIAL_BACKUP);
	ck_assert_uint_eq(i->auth, CONF_AUTH_NONE);
	ck_assert_uint_eq(i->secret, CONF_NONE);
	ck_assert_uint_eq(i->group, CONF_NONE);
	ck_assert_uint_eq(i->preempt, 1);
	ck_assert_uint_eq(i->track_primary, 1);
	ck_assert_uint_eq(i->no_accept, 0);
	ck_assert_uint_eq(i->unicast, 0);
	ck_assert_uint_eq(i->unicast_ttl, 255);
	ck_assert_int_eq(i->advert_us, US_PER_S);
	ck_assert_uint_eq(i->down_timer_adverts, 3);
	ck_assert_int_eq(i->garp_delay_us, 5 * US_PER_S);
	ck_assert_uint_eq(i->garp_repeat, 5);
	ck_assert_uint_eq(i->garp_refresh_repeat, 1);
	ck_assert_int_eq(i->garp_refresh_us, 0);
	ck_assert_int_eq(i->garp_lower_prio_delay_us, 5 * US_PER_S);
	ck_assert_uint_eq(i->garp_lower_prio_repeat, 5);
	ck_assert(!addr_is_set(&i->source));
	ck_assert_uint_eq(i->line, 1);
	ck_assert_uint_eq(i->n_advertised, 1);
	ck_assert_uint_eq(i->addresses.count, 1);
	check_addr(&c->addresses[0].addr, "10.0.0.1");
	ck_assert_uint_eq(c->addresses[0].prefix, 24);
	ck_assert_uint_eq(c->addresses[0].instance, 0);
	conf_close(c);
}
END_TEST

START_TEST(test_instance_values)
{
	struct conf *c = fixture_load(
		"vrrp_instance web {\n state BACKUP\n interface eth0\n virtual_router_id 1\n priority 200\n advert_int "
		"2\n"
		" nopreempt\n dont_track_primary\n mcast_src_ip 10.0.0.9\n no_accept\n"
		" smtp_alert\n garp_master_delay 1\n garp_master_repeat 2\n garp_master_refresh 60\n"
		" garp_master_refresh_repeat 3\n garp_lower_prio_delay 4\n garp_lower_prio_repeat 6\n"
		" down_timer_adverts 4\n lower_prio_no_advert on\n skip_check_adv_addr yes\n v3_checksum_as_v2\n"
		" authentication {\n  auth_type PASS\n  auth_pass s3cret\n }\n virtual_ipaddress { 10.0.0.1 }\n}\n",
		0);
	const struct conf_instance *i = &c->instances[0];

	ck_assert_uint_eq(i->priority, 200);
	ck_assert_int_eq(i->advert_us, 2 * US_PER_S);
	ck_assert_uint_eq(i->preempt, 0);
	ck_assert_int_eq(i->preempt_delay_us, 0);
	ck_assert_uint_eq(i->track_primary, 0);
	check_addr(&i->source, "10.0.0.9");
	ck_assert(i->no_accept && i->smtp_alert && i->lower_prio_no_advert && i->skip_check_adv_addr);
	ck_assert_uint_eq(i->checksum_message_only, 1);
	ck_assert_int_eq(i->garp_delay_us, US_PER_S);
	ck_assert_uint_eq(i->garp_repeat, 2);
	ck_assert_int_eq(i->garp_refresh_us, 60 * US_PER_S);
	ck_assert_uint_eq(i->garp_refresh_repeat, 3);
	ck_assert_int_eq(i->garp_lower_prio_delay_us, 4 * US_PER_S);
	ck_assert_uint_eq(i->garp_lower_prio_repeat, 6);
	ck_assert_uint_eq(i->down_timer_adverts, 4);
	ck_assert_uint_eq(i->auth, CONF_AUTH_PASS);
	ck_assert_uint_eq(c->secrets[i->secret].length, 6);
	ck_assert_mem_eq(c->secrets[i->secret].bytes, "s3cret\0\0", 8);
	conf_close(c);
}
END_TEST

START_TEST(test_instances_inherit_from_global)
{
	struct conf *c = fixture_load(
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n garp_master_repeat 7\n virtual_ipaddress { "
		"10.0.0.1 "
		"}\n}\n"
		/* Behind the instance: the order does not matter. */
		"global_defs {\n vrrp_version 3\n vrrp_garp_master_delay 2\n vrrp_garp_master_repeat 3\n"
		" vrrp_garp_master_refresh 30\n vrrp_garp_interval 0.001\n vrrp_gna_interval 0.002\n"
		" vrrp_down_timer_adverts 5\n vrrp_startup_delay 5.5\n vrrp_skip_check_adv_addr\n smtp_alert_vrrp\n"
		" vrrp_lower_prio_no_advert\n}\n",
		0);
	const struct conf_instance *i = &c->instances[0];

	ck_assert_uint_eq(i->version, 3);
	ck_assert_int_eq(i->garp_delay_us, 2 * US_PER_S);
	ck_assert_uint_eq(i->garp_repeat, 7);
	ck_assert_int_eq(i->garp_lower_prio_delay_us, 2 * US_PER_S);
	/* As in keepalived: what the instance says of the first burst does not count here. */
	ck_assert_uint_eq(i->garp_lower_prio_repeat, 3);
	ck_assert_int_eq(i->garp_refresh_us, 30 * US_PER_S);
	ck_assert_int_eq(i->garp_interval_us, 1000);
	ck_assert_int_eq(i->gna_interval_us, 2000);
	ck_assert_uint_eq(i->down_timer_adverts, 5);
	ck_assert_int_eq(i->startup_delay_us, 5500000);
	ck_assert(i->skip_check_adv_addr && i->smtp_alert && i->lower_prio_no_advert);
	conf_close(c);
}
END_TEST

START_TEST(test_addresses)
{
	struct conf *c = fixture_load(
		"vrrp_instance A {\n interface eth0\n virtual_router_id 1\n"
		" virtual_ipaddress_excluded {\n  10.3.0.1/24\n  2001:db8::1/64\n }\n"
		" virtual_ipaddress {\n  10.1.0.1/24 dev eth1 label eth1:1 brd 10.1.0.255 scope link no_track\n"
		"  10.2.0.1/24 brd + peer 10.9.0.1\n }\n}\n"
		"vrrp_instance B {\n interface eth0\n virtual_router_id 1\n"
		" virtual_ipaddress {\n  fe80::1/64\n  2001:db8::2/64\n }\n}\n",
		0);
	const struct conf_address *a = c->addresses;

	ck_assert_uint_eq(c->instances[0].n_advertised, 2);
	ck_assert_uint_eq(c->instances[0].addresses.count, 4);
	check_addr(&a[0].addr, "10.1.0.1");
	ck_assert_str_eq(str(c, a[0].interface), "eth1");
	ck_assert_str_eq(str(c, a[0].label), "eth1:1");
	check_addr(&a[0].broadcast, "10.1.0.255");
	ck_assert_uint_eq(a[0].scope, RT_SCOPE_LINK);
	ck_assert_uint_eq(a[0].no_track, 1);
	ck_assert_uint_eq(a[0].excluded, 0);
	check_addr(&a[1].broadcast, "10.2.0.255");
	check_addr(&a[1].peer, "10.9.0.1");
	ck_assert_uint_eq(a[1].scope, RT_SCOPE_UNIVERSE);
	check_addr(&a[2].addr, "10.3.0.1");
	ck_assert_uint_eq(a[2].excluded, 1);
	check_addr(&a[3].addr, "2001:db8::1");
	ck_assert_uint_eq(c->instances[1].family, AF_INET6);
	ck_assert_uint_eq(c->instances[1].version, 3);
	ck_assert_uint_eq(c->instances[1].addresses.first, 4);
	ck_assert_uint_eq(a[5].instance, 1);
	conf_close(c);
}
END_TEST

START_TEST(test_other_family_is_taken_out)
{
	struct conf *c = fixture_load(
		"vrrp_instance A {\n interface eth0\n virtual_router_id 1\n"
		" virtual_ipaddress {\n  10.1.0.1\n  2001:db8::1\n  10.1.0.2\n }\n"
		" virtual_ipaddress_excluded {\n  2001:db8::2\n }\n unicast_peer {\n  2001:db8::9\n  10.1.0.9 min_ttl "
		"3\n }\n}\n"
		"vrrp_instance B {\n interface eth0\n virtual_router_id 2\n virtual_ipaddress { 10.1.0.3 }\n}\n",
		2);

	ck_assert_uint_eq(c->n_addresses, 4);
	ck_assert_uint_eq(c->instances[0].n_advertised, 2);
	ck_assert_uint_eq(c->instances[0].addresses.count, 3);
	check_addr(&c->addresses[1].addr, "10.1.0.2");
	check_addr(&c->addresses[2].addr, "2001:db8::2");
	ck_assert_uint_eq(c->instances[1].addresses.first, 3);
	check_addr(&c->addresses[3].addr, "10.1.0.3");
	ck_assert_uint_eq(c->n_peers, 1);
	ck_assert_uint_eq(c->instances[0].unicast, 1);
	check_addr(&c->peers[0].addr, "10.1.0.9");
	ck_assert_uint_eq(c->peers[0].min_ttl, 3);
	ck_assert_uint_eq(c->peers[0].max_ttl, 255);
	conf_close(c);
}
END_TEST

static void check_advert(const char *lines, int version, int64_t expected, int warnings)
{
	struct conf *c;
	char text[512];

	snprintf(text, sizeof(text),
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n version %d\n "
		"%s\n}\n",
		version, lines);
	c = fixture_load(text, warnings);
	ck_assert_int_eq(c->instances[0].advert_us, expected);
	conf_close(c);
}

START_TEST(test_advertisement_intervals)
{
	check_advert("advert_int 3", 2, 3 * US_PER_S, 0);
	check_advert("advert_int 0.5", 2, US_PER_S, 1);
	check_advert("advert_int 0.2", 2, US_PER_S, 1);
	check_advert("advert_int 2.4", 2, 2 * US_PER_S, 1);
	check_advert("advert_int 2.6", 2, 3 * US_PER_S, 1);
	check_advert("advert_int 0.01", 3, 10000, 0);
	check_advert("advert_int 0.123", 3, 120000, 1);
	check_advert("advert_int 41", 3, 40950000, 1);
	check_advert("advert_int 40.95", 3, 40950000, 0);
	check_advert("advert_int 300", 2, US_PER_S, 1);
	check_advert("advert_int abc", 2, US_PER_S, 1);
}
END_TEST

START_TEST(test_passwords)
{
	struct conf *c = fixture_load(
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n"
		" authentication {\n auth_type AH\n auth_pass 123456789\n }\n}\n"
		"vrrp_instance B {\n interface e\n virtual_router_id 2\n version 3\n"
		" virtual_ipaddress { 10.0.0.2 }\n authentication {\n auth_type PASS\n auth_pass x\n }\n}\n"
		"vrrp_instance C {\n interface e\n virtual_router_id 3\n virtual_ipaddress { 10.0.0.3 }\n"
		" authentication { auth_type PASS auth_pass x }\n}\n",
		3);

	ck_assert_uint_eq(c->instances[0].auth, CONF_AUTH_AH);
	ck_assert_uint_eq(c->secrets[0].length, 8);
	ck_assert_mem_eq(c->secrets[0].bytes, "12345678", 9);
	ck_assert_uint_eq(c->instances[1].auth, CONF_AUTH_NONE);
	ck_assert_uint_eq(c->instances[1].secret, CONF_NONE);
	ck_assert_uint_eq(c->instances[2].auth, CONF_AUTH_NONE);
	conf_close(c);
}
END_TEST

/* A wrong auth_type is one mistake, and its password is neither shown nor kept; a missing one is another. */
START_TEST(test_auth_type_is_said_once)
{
	static const char *const types[] = {"auth_type PASSS\n", "auth_type\n", "\n"};
	static const char head[] =
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n";
	char text[256];

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct conf *c;

		snprintf(text, sizeof(text), "%s authentication {\n%s auth_pass x\n }\n}\n", head, types[i]);
		c = fixture_load(text, 1);
		ck_assert_uint_eq(c->instances[0].auth, CONF_AUTH_NONE);
		ck_assert_uint_eq(c->instances[0].secret, CONF_NONE);
		conf_close(c);
	}
}
END_TEST

START_TEST(test_master_without_priority_is_owner)
{
	struct conf *c =
		fixture_load("vrrp_instance A {\n interface e\n virtual_router_id 1\n state MASTER\n nopreempt\n"
			     " virtual_ipaddress { 10.0.0.1 }\n}\n"
			     "vrrp_instance B {\n interface e\n virtual_router_id 2\n state MASTER\n priority 100\n"
			     " virtual_ipaddress { 10.0.0.2 }\n}\n",
			2);

	ck_assert_uint_eq(c->instances[0].priority, 255);
	ck_assert_uint_eq(c->instances[0].initial, CONF_INITIAL_MASTER);
	ck_assert_uint_eq(c->instances[0].preempt, 1);
	ck_assert_uint_eq(c->instances[1].priority, 100);
	conf_close(c);
}
END_TEST

START_TEST(test_scripts_and_tracks)
{
	struct conf *c =
		fixture_load("vrrp_script web {\n script \"/usr/bin/check -p 'a b' \\\"c d\\\" e\"\n interval 2\n "
			     "timeout 5\n weight -20 "
			     "reverse\n"
			     " rise 3\n fall 4\n user checks staff\n init_fail\n}\n"
			     "vrrp_script bare {\n script 'killall -0 haproxy'\n}\n"
			     "vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n"
			     " track_interface {\n  eth1\n  eth2 weight -5\n }\n track_script {\n  web\n  bare weight "
			     "7\n  later\n }\n"
			     " track_script { web }\n}\n"
			     "vrrp_script later {\n script /bin/true\n}\n",
			2);
	const struct conf_script *s = &c->scripts[0];
	const struct conf_track *t = c->tracks;

	check_argv(c, &s->command, "[/usr/bin/check][-p][a b][c d][e]");
	ck_assert_str_eq(str(c, s->command.user), "checks");
	ck_assert_str_eq(str(c, s->command.group), "staff");
	ck_assert_int_eq(s->interval_us, 2 * US_PER_S);
	ck_assert_int_eq(s->timeout_us, 5 * US_PER_S);
	ck_assert_int_eq(s->weight, -20);
	ck_assert_uint_eq(s->weight_reverse, 1);
	ck_assert_uint_eq(s->rise, 3);
	ck_assert_uint_eq(s->fall, 4);
	ck_assert_uint_eq(s->init_fail, 1);
	check_argv(c, &c->scripts[1].command, "[killall][-0][haproxy]");
	ck_assert_int_eq(c->scripts[1].interval_us, US_PER_S);
	ck_assert_uint_eq(c->scripts[1].rise, 1);
	ck_assert_uint_eq(c->scripts[1].fall, 1);
	ck_assert_uint_eq(c->n_tracks, 4);
	ck_assert_uint_eq(c->instances[0].tracks.count, 4);
	ck_assert_uint_eq(t[0].kind, CONF_TRACK_INTERFACE);
	ck_assert_str_eq(str(c, t[0].name), "eth1");
	ck_assert_int_eq(t[0].weight, 0);
	ck_assert_uint_eq(t[0].script, CONF_NONE);
	ck_assert_int_eq(t[1].weight, -5);
	ck_assert_uint_eq(t[2].kind, CONF_TRACK_SCRIPT);
	ck_assert_uint_eq(t[2].script, 0);
	ck_assert_int_eq(t[2].weight, -20);
	ck_assert_uint_eq(t[2].reverse, 1);
	ck_assert_uint_eq(t[3].script, 1);
	ck_assert_int_eq(t[3].weight, 7);
	ck_assert_uint_eq(t[3].instance, 0);
	ck_assert_uint_eq(t[3].group, CONF_NONE);
	conf_close(c);
}
END_TEST

static void check_command(const char *written, const char *expected, int warnings)
{
	struct conf *c;
	char text[512];

	snprintf(text, sizeof(text), "vrrp_script s {\n script %s\n}\n", written);
	c = fixture_load(text, warnings);
	check_argv(c, &c->scripts[0].command, expected);
	conf_close(c);
}

START_TEST(test_commands)
{
	check_command("/bin/true", "[/bin/true]", 0);
	check_command("/bin/true a b", "[/bin/true]", 1);
	check_command("\"/bin/a  b   c\"", "[/bin/a][b][c]", 0);
	check_command("\"/bin/sh -c 'a b; c'\"", "[/bin/sh][-c][a b; c]", 0);
	check_command("\"/bin/sh -c \\\"a b\\\"\"", "[/bin/sh][-c][a b]", 0);
	check_command("'/bin/a b c'", "[/bin/a][b][c]", 0);
	/* As keepalived -d shows them: the backslashes are worked out twice. */
	check_command("\"/bin/a 'b\\x\\\\y' \\ c\"", "[/bin/a][bxy][c]", 0);
	check_command("\"/bin/sh -c 'awk {print \\$2}'\"", "[/bin/sh][-c][awk {print $2}]", 0);
	check_command("\"/bin/grep a\\\\.b a\\\\\\\\.b\"", "[/bin/grep][a.b][a\\.b]", 0);
	check_command("'/bin/sh -c \"echo a\\.b\"'", "[/bin/sh][-c][echo a.b]", 0);
	check_command("\"/bin/sh -c 'echo \\\"x y\\\" \\'z\\''\"", "[/bin/sh][-c][echo \"x y\" z]", 0);
	check_command("\"/bin/a 'b\\tc' d\\te '\\x41\\102\\cA'\"", "[/bin/a][b\tc][d][e][AB\001]", 0);
	check_command("\"/bin/a pre'fix ed'post ''\"", "[/bin/a][prefix edpost][]", 0);
	check_command("\"/bin/a | b\"", "[/bin/a][|][b]", 1);
}
END_TEST

/* Lines whose meaning surprises: what `keepalived -d` shows of them. */
START_TEST(test_as_keepalived_takes_it)
{
	struct conf *c = fixture_load(
		"vrrp_script S {\n script /bin/true\n interval 2.5\n timeout 3.5\n weight -300\n}\n"
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n preempt no\n"
		" preempt_delay 1.5\n garp_master_delay 1.5\n authentication {\n  auth_type PASS\n  auth_pass \"\"\n "
		"}\n"
		" track_interface {\n  e1 weight 254\n  e2 weight x\n  e3 weight\n }\n}\n"
		"vrrp_instance B {\n interface e\n virtual_router_id 2\n virtual_ipaddress {\n  10.0.0.2 peer "
		"10.0.0.3/28 nodad\n }\n"
		" nopreempt\n preempt_delay 3\n native_ipv6\n vmac_xmit_base\n"
		" authentication {\n  auth_type PASS\n  auth_pass \"a\\\\b\"\n }\n}\n"
		"static_ipaddress {\n 10.0.1.1/24\n}\n",
		15);
	const struct conf_instance *a = &c->instances[0], *b = &c->instances[1];
	const struct conf_address *held = &c->addresses[b->addresses.first];

	ck_assert_int_eq(c->scripts[0].interval_us, 2 * US_PER_S);
	ck_assert_int_eq(c->scripts[0].timeout_us, 3 * US_PER_S);
	ck_assert_int_eq(c->scripts[0].weight, -253);
	ck_assert_uint_eq(a->preempt, 1);
	ck_assert_int_eq(a->preempt_delay_us, 1500000);
	ck_assert_int_eq(a->garp_delay_us, US_PER_S);
	ck_assert_uint_eq(a->auth, CONF_AUTH_NONE);
	ck_assert_uint_eq(a->tracks.count, 2);
	ck_assert_int_eq(c->tracks[a->tracks.first].weight, 253);
	ck_assert_int_eq(c->tracks[a->tracks.first + 1].weight, 0);
	ck_assert_uint_eq(b->preempt, 0);
	ck_assert_int_eq(b->preempt_delay_us, 0);
	ck_assert_uint_eq(b->family, AF_INET);
	ck_assert(!addr_is_set(&held->peer));
	ck_assert_uint_ne(held->flags, 0);
	ck_assert_mem_eq(c->secrets[b->secret].bytes, "a\\\\b", 4);
	for (uint32_t i = 0; i < c->n_addresses; i++)
		if (c->addresses[i].instance == CONF_NONE)
			ck_assert_str_eq(str(c, c->addresses[i].interface), "eth0");
	conf_close(c);
}
END_TEST

START_TEST(test_groups)
{
	struct conf *c = fixture_load(
		"vrrp_sync_group G {\n group {\n  B A\n  NOBODY\n }\n notify_master /bin/true\n"
		" track_interface {\n  eth9 weight 4\n }\n}\n"
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n virtual_ipaddress { 10.0.0.1 }\n"
		" notify_stop \"/bin/a b\" root\n notify_fault /bin/c\n notify_fault /bin/d\n"
		" track_interface {\n  eth8 weight 2\n  eth7\n }\n}\n"
		"vrrp_instance B {\n interface e\n virtual_router_id 2\n virtual_ipaddress { 10.0.0.2 }\n}\n",
		3);
	const struct conf_group *g = &c->groups[0];

	ck_assert_str_eq(str(c, g->name), "G");
	ck_assert_uint_eq(g->members.count, 2);
	ck_assert_uint_eq(c->group_members[g->members.first], 1);
	ck_assert_uint_eq(c->group_members[g->members.first + 1], 0);
	ck_assert_uint_eq(c->instances[0].group, 0);
	ck_assert_uint_eq(c->instances[1].group, 0);
	ck_assert_uint_eq(g->tracks.count, 1);
	ck_assert_int_eq(c->tracks[g->tracks.first].weight, 4);
	ck_assert_uint_eq(c->tracks[g->tracks.first].group, 0);
	/* Inside a group an interface loses its weight. */
	ck_assert_uint_eq(c->instances[0].tracks.count, 2);
	ck_assert_str_eq(str(c, c->tracks[c->instances[0].tracks.first].name), "eth8");
	ck_assert_int_eq(c->tracks[c->instances[0].tracks.first].weight, 0);
	ck_assert_uint_eq(g->notifies.count, 1);
	ck_assert_uint_eq(c->notifies[g->notifies.first].owner, CONF_OWNER_GROUP);
	ck_assert_uint_eq(c->notifies[g->notifies.first].event, CONF_NOTIFY_MASTER);
	ck_assert_uint_eq(c->instances[0].notifies.count, 2);
	check_argv(c, &c->notifies[c->instances[0].notifies.first].command, "[/bin/a][b]");
	ck_assert_str_eq(str(c, c->notifies[c->instances[0].notifies.first].command.user), "root");
	check_argv(c, &c->notifies[c->instances[0].notifies.first + 1].command, "[/bin/c]");
	conf_close(c);
}
END_TEST

START_TEST(test_strict_mode)
{
	struct conf *c = fixture_load(
		"global_defs { vrrp_strict }\n"
		"vrrp_instance A {\n interface e\n virtual_router_id 1\n state MASTER\n priority 150\n"
		" virtual_ipaddress { 10.0.0.1 }\n authentication {\n auth_type PASS\n auth_pass x\n }\n}\n"
		"vrrp_instance B {\n interface e\n virtual_router_id 2\n accept\n strict_mode on\n"
		" virtual_ipaddress { 10.0.0.2 }\n}\n"
		"vrrp_instance C {\n interface e\n virtual_router_id 3\n strict_mode off\n"
		" virtual_ipaddress { 10.0.0.3 }\n}\n",
		2);

	ck_assert_uint_eq(c->instances[0].initial, CONF_INITIAL_BACKUP);
	ck_assert_uint_eq(c->instances[0].auth, CONF_AUTH_NONE);
	ck_assert_uint_eq(c->instances[0].no_accept, 1);
	ck_assert_uint_eq(c->instances[0].lower_prio_no_advert, 1);
	ck_assert_uint_eq(c->instances[1].no_accept, 0);
	ck_assert_uint_eq(c->instances[2].no_accept, 0);
	ck_assert_uint_eq(c->instances[2].strict, 0);
	conf_close(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_vrrp");
	TCase *t = tcase_create("fields");
	SRunner *runner;
	int failed;

	tcase_add_test(t, test_empty_file_gives_defaults);
	tcase_add_test(t, test_global_values);
	tcase_add_test(t, test_sync_daemon_takes_the_vrid);
	tcase_add_test(t, test_instance_defaults);
	tcase_add_test(t, test_instance_values);
	tcase_add_test(t, test_instances_inherit_from_global);
	tcase_add_test(t, test_addresses);
	tcase_add_test(t, test_other_family_is_taken_out);
	tcase_add_test(t, test_advertisement_intervals);
	tcase_add_test(t, test_passwords);
	tcase_add_test(t, test_auth_type_is_said_once);
	tcase_add_test(t, test_master_without_priority_is_owner);
	tcase_add_test(t, test_scripts_and_tracks);
	tcase_add_test(t, test_commands);
	tcase_add_test(t, test_as_keepalived_takes_it);
	tcase_add_test(t, test_groups);
	tcase_add_test(t, test_strict_mode);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
