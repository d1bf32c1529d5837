/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of what a configuration becomes: services, groups, servers, checks, field by field. */
#include "conf_fixture.h"
#include "mono.h"
#include "sysctls.h"
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const char *str(const struct conf *c, conf_string_t s)
{
	return conf_string(c, s);
}

static void check_addr(const struct addr *a, const char *text)
{
	char buf[ADDR_TEXT];

	ck_assert_str_eq(addr_format(a, buf), text);
}

START_TEST(test_service_values)
{
	struct conf *c = fixture_load(
		"virtual_server 10.0.0.1 80 {\n protocol tcp\n lb_algo wrr\n lb_kind DR\n persistence_timeout 50\n"
		" persistence_granularity 255.255.255.0\n ha_suspend\n alpha\n omega\n quorum 3\n hysteresis 1\n "
		"smtp_alert\n"
		" inhibit_on_failure\n virtualhost www.example.org\n drain_timeout 7\n quorum_up \"/bin/up x\" nobody\n"
		" quorum_down /bin/down\n sorry_server 127.0.0.1 80\n sorry_server_lvs_method NAT\n "
		"sorry_server_inhibit\n"
		" real_server 10.1.0.1 80 {\n  weight 4\n  uthreshold 100\n  lthreshold 50\n  inhibit_on_failure off\n"
		"  smtp_alert off\n  notify_up /bin/u\n  notify_down /bin/d\n  snmp_name first\n }\n"
		" real_server 10.1.0.2 80 {\n  lvs_method TUN\n }\n}\n",
		0);
	const struct conf_service *s = &c->services[0];
	const struct conf_server *r = c->servers;

	ck_assert_uint_eq(s->kind, CONF_SERVICE_ADDRESS);
	check_addr(&s->addr, "10.0.0.1");
	ck_assert_uint_eq(s->port, 80);
	ck_assert_uint_eq(s->protocol, IPPROTO_TCP);
	ck_assert_uint_eq(s->family, AF_INET);
	ck_assert_str_eq(str(c, s->scheduler), "wrr");
	ck_assert_uint_eq(s->forward, CONF_FORWARD_DR);
	ck_assert_int_eq(s->persistence_us, 50 * US_PER_S);
	ck_assert_uint_eq(s->persistence_mask4, htonl(0xffffff00));
	ck_assert_uint_eq(s->persistence_prefix6, 128);
	ck_assert(s->ha_suspend && s->alpha && s->omega && s->smtp_alert && s->inhibit_on_failure && s->sorry_inhibit);
	ck_assert_uint_eq(s->quorum, 3);
	ck_assert_uint_eq(s->hysteresis, 1);
	ck_assert_str_eq(str(c, s->virtualhost), "www.example.org");
	ck_assert_int_eq(s->drain_timeout_us, 7 * US_PER_S);
	ck_assert_uint_eq(s->line, 1);
	ck_assert_uint_eq(s->servers.first, 0);
	ck_assert_uint_eq(s->servers.count, 2);
	ck_assert_uint_eq(s->notifies.count, 2);
	ck_assert_uint_eq(c->notifies[s->notifies.first].event, CONF_NOTIFY_QUORUM_UP);
	ck_assert_uint_eq(c->notifies[s->notifies.first].object, 0);
	ck_assert_uint_eq(c->notifies[s->notifies.first + 1].event, CONF_NOTIFY_QUORUM_DOWN);
	ck_assert_int_eq(r[0].weight, 4);
	ck_assert_uint_eq(r[0].forward, CONF_FORWARD_DR);
	ck_assert_uint_eq(r[0].upper_threshold, 100);
	ck_assert_uint_eq(r[0].lower_threshold, 50);
	ck_assert_uint_eq(r[0].inhibit_on_failure, 0);
	ck_assert_uint_eq(r[0].alpha, 1);
	ck_assert_uint_eq(r[0].smtp_alert, 0);
	ck_assert_str_eq(str(c, r[0].name), "first");
	ck_assert_uint_eq(r[0].notifies.count, 2);
	ck_assert_uint_eq(c->notifies[r[0].notifies.first].owner, CONF_OWNER_SERVER);
	ck_assert_int_eq(r[1].weight, 1);
	ck_assert_uint_eq(r[1].forward, CONF_FORWARD_TUN);
	ck_assert_uint_eq(r[1].inhibit_on_failure, 1);
	ck_assert_uint_eq(r[1].smtp_alert, 1);
	ck_assert_uint_eq(s->sorry, 2);
	ck_assert_uint_eq(r[2].is_sorry, 1);
	check_addr(&r[2].addr, "127.0.0.1");
	ck_assert_uint_eq(r[2].forward, CONF_FORWARD_NAT);
	ck_assert_uint_eq(r[2].inhibit_on_failure, 1);
	ck_assert_uint_eq(r[2].service, 0);
	conf_close(c);
}
END_TEST

START_TEST(test_service_defaults)
{
	struct conf *c = fixture_load("virtual_server 10.0.0.1 53 {\n real_server 10.1.0.1 53 {\n }\n}\n", 3);
	const struct conf_service *s = &c->services[0];

	ck_assert_uint_eq(s->protocol, IPPROTO_UDP);
	ck_assert_str_eq(str(c, s->scheduler), "wlc");
	ck_assert_uint_eq(s->forward, CONF_FORWARD_NAT);
	ck_assert_uint_eq(s->quorum, 1);
	ck_assert_uint_eq(s->sorry, CONF_NONE);
	ck_assert_int_eq(s->persistence_us, 0);
	ck_assert_int_eq(s->drain_timeout_us, 300 * US_PER_S);
	ck_assert_uint_eq(s->persistence_mask4, 0xffffffff);
	ck_assert_int_eq(c->servers[0].weight, 1);
	ck_assert_uint_eq(c->servers[0].forward, CONF_FORWARD_NAT);
	conf_close(c);
}
END_TEST

static struct conf *load_with(const char *head, const char *lines, const char *server, int warnings)
{
	char text[1024];

	snprintf(text, sizeof(text), "virtual_server %s {\n lb_algo rr\n %s\n real_server %s {\n }\n}\n", head, lines,
		server);
	return fixture_load(text, warnings);
}

START_TEST(test_ports)
{
	struct conf *c = load_with("10.0.0.1 80", "protocol TCP\n lb_kind NAT", "10.1.0.1", 0);

	ck_assert_uint_eq(c->servers[0].port, 80);
	conf_close(c);
	c = load_with("10.0.0.1 80", "protocol TCP\n lb_kind NAT", "10.1.0.1 8080", 0);
	ck_assert_uint_eq(c->servers[0].port, 8080);
	conf_close(c);
	c = load_with("10.0.0.1 80", "protocol TCP\n lb_kind DR", "10.1.0.1 8080", 1);
	ck_assert_uint_eq(c->servers[0].port, 80);
	conf_close(c);
	c = load_with("10.0.0.1 80", "protocol TCP\n lb_kind TUN", "10.1.0.1 8080", 1);
	ck_assert_uint_eq(c->servers[0].port, 80);
	conf_close(c);
	c = load_with("10.0.0.1", "protocol TCP\n lb_kind DR", "10.1.0.1", 1);
	ck_assert_uint_eq(c->services[0].port, 0);
	ck_assert_int_eq(c->services[0].persistence_us, 360 * US_PER_S);
	conf_close(c);
	c = load_with("10.0.0.1", "protocol TCP\n lb_kind DR\n persistence_timeout", "10.1.0.1", 0);
	ck_assert_int_eq(c->services[0].persistence_us, 360 * US_PER_S);
	conf_close(c);
	c = load_with("10.0.0.1 80", "protocol TCP\n lb_kind DR\n persistence_timeout 0", "10.1.0.1 80", 1);
	ck_assert_int_eq(c->services[0].persistence_us, 0);
	conf_close(c);
	c = load_with("fwmark 5", "lb_kind DR", "10.1.0.1 80", 1);
	ck_assert_uint_eq(c->servers[0].port, 0);
	ck_assert_uint_eq(c->services[0].fwmark, 5);
	ck_assert_uint_eq(c->services[0].protocol, 0);
	ck_assert_uint_eq(c->services[0].family, AF_INET);
	conf_close(c);
	c = load_with("fwmark 5", "lb_kind NAT\n protocol TCP", "2001:db8::1 80", 1);
	ck_assert_uint_eq(c->servers[0].port, 80);
	ck_assert_uint_eq(c->services[0].family, AF_INET6);
	conf_close(c);
}
END_TEST

START_TEST(test_groups_of_addresses)
{
	struct conf *c = fixture_load(
		"virtual_server group pool {\n protocol TCP\n lb_kind DR\n lb_algo rr\n real_server 10.1.0.1 80 {\n "
		"}\n}\n"
		"virtual_server_group pool {\n 10.0.0.1 80\n 10.0.0.5-9 443\n 10.0.1.250-10.0.2.3 80\n 10.0.3.4/30 80\n"
		" fwmark 9\n 10.0.0.20\n}\n"
		"virtual_server_group six {\n 2001:db8::10-1f 80\n fwmark 10 inet6\n}\n",
		0);
	const struct conf_group_entry *e = c->group_entries;

	ck_assert_uint_eq(c->services[0].kind, CONF_SERVICE_GROUP);
	ck_assert_uint_eq(c->services[0].group, 0);
	ck_assert_uint_eq(c->services[0].family, AF_INET);
	ck_assert_uint_eq(c->service_groups[0].entries.count, 6);
	check_addr(&e[0].first, "10.0.0.1");
	check_addr(&e[0].last, "10.0.0.1");
	ck_assert_uint_eq(e[0].port, 80);
	check_addr(&e[1].first, "10.0.0.5");
	check_addr(&e[1].last, "10.0.0.9");
	check_addr(&e[2].first, "10.0.1.250");
	check_addr(&e[2].last, "10.0.2.3");
	check_addr(&e[3].first, "10.0.3.4");
	check_addr(&e[3].last, "10.0.3.7");
	ck_assert_uint_eq(e[4].fwmark, 9);
	ck_assert(!addr_is_set(&e[4].first));
	ck_assert_uint_eq(e[5].port, 0);
	check_addr(&e[6].first, "2001:db8::10");
	check_addr(&e[6].last, "2001:db8::1f");
	ck_assert_uint_eq(e[7].first.family, AF_INET6);
	conf_close(c);
}
END_TEST

START_TEST(test_tunnels)
{
	struct conf *c = fixture_load(
		"virtual_server 10.0.0.1 80 {\n protocol TCP\n lb_kind TUN type gue port 5555 csum\n lb_algo rr\n"
		" sorry_server 10.1.0.9 80\n sorry_server_lvs_method TUN type gre\n"
		" real_server 10.1.0.1 80 {\n }\n real_server 10.1.0.2 80 {\n  lvs_method TUN\n }\n"
		" real_server 10.1.0.3 80 {\n  lvs_method TUN type gre csum\n }\n"
		" real_server 10.1.0.4 80 {\n  lvs_method DR\n }\n}\n",
		0);
	const struct conf_server *s = c->servers;

	ck_assert_uint_eq(s[0].tunnel.type, 1);
	ck_assert_uint_eq(s[0].tunnel.port, 5555);
	ck_assert_uint_eq(s[0].tunnel.flags, 1);
	ck_assert_uint_eq(s[1].tunnel.type, 0);
	ck_assert_uint_eq(s[1].tunnel.port, 0);
	ck_assert_uint_eq(s[2].tunnel.type, 2);
	ck_assert_uint_eq(s[2].tunnel.flags, 1);
	ck_assert_uint_eq(s[3].forward, CONF_FORWARD_DR);
	ck_assert_uint_eq(s[3].tunnel.type, 0);
	ck_assert_uint_eq(s[c->services[0].sorry].tunnel.type, 2);
	conf_close(c);
}
END_TEST

/* The mark of a folded group is the same whatever else the file has, and another one for UDP. */
START_TEST(test_groups_folded_into_marks)
{
	static const char two[] = "global_defs {\n nftables_ipvs\n}\n"
				  "virtual_server_group pool {\n 10.0.0.0/8 80\n}\n"
				  "virtual_server group pool {\n protocol TCP\n lb_kind DR\n lb_algo rr\n"
				  " real_server 10.1.0.1 80 {\n }\n}\n"
				  "virtual_server group pool {\n protocol UDP\n lb_kind DR\n lb_algo rr\n"
				  " real_server 10.1.0.1 80 {\n }\n}\n";
	static const char more[] = "virtual_server_group other {\n 10.9.0.1 81\n}\n"
				   "virtual_server group other {\n protocol TCP\n lb_kind DR\n lb_algo rr\n"
				   " real_server 10.1.0.1 80 {\n }\n}\n";
	char text[2048];
	struct conf *c = fixture_load(two, 0);
	uint32_t tcp = c->services[0].fwmark, udp = c->services[1].fwmark;

	ck_assert_uint_ge(tcp, 1000);
	ck_assert_uint_ge(udp, 1000);
	ck_assert_uint_ne(tcp, udp);
	ck_assert_uint_eq(c->servers[0].port, 0);
	conf_close(c);
	snprintf(text, sizeof(text), "%s%s", more, two);
	c = fixture_load(text, 0);
	ck_assert_uint_eq(c->services[1].fwmark, tcp);
	ck_assert_uint_eq(c->services[2].fwmark, udp);
	ck_assert_uint_ne(c->services[0].fwmark, tcp);
	conf_close(c);
}
END_TEST

START_TEST(test_guards_and_placement)
{
	struct conf *c = fixture_load(
		"global_defs {\n lvs_sysctl {\n  conntrack 1\n  sync_threshold 3 50\n }\n}\n"
		"vrrp_instance A {\n interface lo\n virtual_router_id 1\n priority 100\n"
		" virtual_ipaddress {\n  10.0.0.1\n }\n}\n"
		"virtual_server 10.0.0.1 80 {\n protocol TCP\n lb_kind NAT\n lb_algo rr\n master_only A\n"
		" deny_clients {\n  192.0.2.6-8 192.0.2.77\n }\n allow_clients {\n  192.0.2.0/24\n }\n deny_clients {\n  203.0.113.9\n }\n"
		" allow_clients {\n  2001:db8::/32\n }\n"
		" client_rate_limit 20 burst 40\n service_rate_limit 1000\n client_connection_limit 30\n"
		" real_server 10.1.0.1 80 {\n }\n}\n",
		0);
	const struct conf_service *s = c->services;

	ck_assert_uint_eq(s->placement, CONF_PLACE_MASTER);
	ck_assert_str_eq(conf_string(c, s->place_instance), "A");
	/* In several blocks, each list in one piece. */
	ck_assert_uint_eq(s->deny.count, 3);
	ck_assert_uint_eq(s->allow.count, 2);
	check_addr(&c->clients[s->deny.first + 2].first, "203.0.113.9");
	check_addr(&c->clients[s->allow.first + 1].first, "2001:db8::");
	check_addr(&c->clients[s->deny.first].last, "192.0.2.8");
	check_addr(&c->clients[s->allow.first].first, "192.0.2.0");
	check_addr(&c->clients[s->allow.first].last, "192.0.2.255");
	ck_assert_uint_eq(s->client_rate, 20);
	ck_assert_uint_eq(s->client_burst, 40);
	ck_assert_uint_eq(s->service_rate, 1000);
	ck_assert_uint_eq(s->service_burst, 1000);
	ck_assert_uint_eq(s->client_connections, 30);
	ck_assert_uint_eq(c->n_sysctls, 2);
	ck_assert_uint_eq(c->sysctls[0].number, SYSCTL_CONNTRACK);
	ck_assert_int_eq(c->sysctls[1].value, sysctls_pack(3, 50));
	conf_close(c);
}
END_TEST

START_TEST(test_check_defaults)
{
	struct conf *c = fixture_load("virtual_server 10.0.0.1 443 {\n protocol TCP\n lb_kind NAT\n lb_algo rr\n "
				      "real_server 10.1.0.1 8443 {\n"
				      "  TCP_CHECK {\n  }\n  SSL_GET {\n   url {\n    path /\n   }\n  }\n  MISC_CHECK "
				      "{\n   misc_path /bin/true\n  }\n"
				      " }\n}\n",
		0);
	const struct conf_check *k = c->checks;

	ck_assert_uint_eq(c->servers[0].checks.count, 3);
	ck_assert_uint_eq(k[0].kind, CONF_CHECK_TCP);
	check_addr(&k[0].target, "10.1.0.1");
	ck_assert_uint_eq(k[0].port, 8443);
	ck_assert_int_eq(k[0].connect_timeout_us, 5 * US_PER_S);
	ck_assert_int_eq(k[0].interval_us, 60 * US_PER_S);
	ck_assert_int_eq(k[0].warmup_us, 60 * US_PER_S);
	ck_assert_uint_eq(k[0].retry, 1);
	ck_assert_uint_eq(k[0].rise, 1);
	ck_assert_int_eq(k[0].delay_before_retry_us, US_PER_S);
	ck_assert_uint_eq(k[0].server, 0);
	ck_assert_uint_eq(k[1].kind, CONF_CHECK_SSL);
	ck_assert_uint_eq(k[1].retry, 1);
	ck_assert_int_eq(k[1].delay_before_retry_us, 3 * US_PER_S);
	ck_assert_uint_eq(k[1].http_version, CONF_HTTP_1_0);
	ck_assert_uint_eq(k[1].urls.count, 1);
	ck_assert_str_eq(str(c, c->urls[0].path), "/");
	ck_assert_uint_eq(c->urls[0].status.count, 0);
	ck_assert_uint_eq(k[2].kind, CONF_CHECK_MISC);
	ck_assert_uint_eq(k[2].retry, 0);
	ck_assert_uint_eq(k[2].command.argc, 1);
	conf_close(c);
}
END_TEST

START_TEST(test_check_values)
{
	struct conf *c = fixture_load(
		"virtual_server 10.0.0.1 80 {\n protocol TCP\n lb_kind NAT\n lb_algo rr\n real_server 10.1.0.1 80 {\n"
		"  HTTP_GET {\n   connect_ip 10.1.0.9\n   connect_port 81\n   bindto 10.1.0.254\n   bind_port 2000\n"
		"   bind_if eth1\n   fwmark 3\n   connect_timeout 2.5\n   delay_loop 4\n   retry 6\n   "
		"delay_before_retry 7\n"
		"   warmup 0\n   alpha\n   http_protocol 1.1\n   enable_sni\n   virtualhost a.example\n"
		"   url {\n    path \"/a b\"\n    status_code 200 301-302\n    digest "
		"9B3A0C85A887A256D6939DA88AABD8CD\n"
		"    virtualhost b.example\n    regex \"^ok [0-9]{2}$\"\n   }\n   url {\n    path /c\n   }\n  }\n"
		"  MISC_CHECK {\n   misc_path \"/bin/x y\"\n   misc_timeout 3\n   misc_dynamic\n   user u g\n  }\n "
		"}\n}\n",
		0);
	const struct conf_check *k = c->checks;

	check_addr(&k[0].target, "10.1.0.9");
	ck_assert_uint_eq(k[0].port, 81);
	check_addr(&k[0].bind, "10.1.0.254");
	ck_assert_uint_eq(k[0].bind_port, 2000);
	ck_assert_str_eq(str(c, k[0].bind_interface), "eth1");
	ck_assert_uint_eq(k[0].fwmark, 3);
	ck_assert_int_eq(k[0].connect_timeout_us, 2500000);
	ck_assert_int_eq(k[0].interval_us, 4 * US_PER_S);
	ck_assert_uint_eq(k[0].retry, 6);
	ck_assert_int_eq(k[0].delay_before_retry_us, 7 * US_PER_S);
	ck_assert_int_eq(k[0].warmup_us, 0);
	ck_assert_uint_eq(k[0].alpha, 1);
	ck_assert_uint_eq(k[0].http_version, CONF_HTTP_1_1);
	ck_assert_uint_eq(k[0].enable_sni, 1);
	ck_assert_str_eq(str(c, k[0].virtualhost), "a.example");
	ck_assert_uint_eq(k[0].urls.count, 2);
	ck_assert_str_eq(str(c, c->urls[0].path), "/a b");
	ck_assert_str_eq(str(c, c->urls[0].digest), "9b3a0c85a887a256d6939da88aabd8cd");
	ck_assert_str_eq(str(c, c->urls[0].virtualhost), "b.example");
	ck_assert_str_eq(str(c, c->urls[0].regex), "^ok [0-9]{2}$");
	ck_assert_uint_eq(c->urls[0].status.count, 2);
	ck_assert_uint_eq(c->status_ranges[0].low, 200);
	ck_assert_uint_eq(c->status_ranges[0].high, 200);
	ck_assert_uint_eq(c->status_ranges[1].low, 301);
	ck_assert_uint_eq(c->status_ranges[1].high, 302);
	ck_assert_uint_eq(c->urls[1].status.count, 0);
	ck_assert_int_eq(k[1].misc_timeout_us, 3 * US_PER_S);
	ck_assert_uint_eq(k[1].misc_dynamic, 1);
	ck_assert_str_eq(str(c, k[1].command.user), "u");
	ck_assert_str_eq(str(c, k[1].command.group), "g");
	conf_close(c);
}
END_TEST

START_TEST(test_checks_inherit)
{
	struct conf *c = fixture_load("virtual_server 10.0.0.1 80 {\n protocol TCP\n lb_kind NAT\n lb_algo rr\n"
				      " real_server 10.1.0.1 80 {\n  TCP_CHECK {\n   retry 2\n  }\n  retry 8\n  "
				      "delay_loop 4\n  virtualhost r\n"
				      "  HTTP_GET {\n   url {\n    path /\n   }\n  }\n }\n"
				      " real_server 10.1.0.2 80 {\n  warmup 0\n  HTTP_GET {\n   retry 0\n   url {\n    "
				      "path /\n   }\n  }\n }\n"
				      /* Behind the servers: the order does not matter. */
				      " delay_loop 6\n retry 5\n delay_before_retry 9\n connect_timeout 3\n warmup 1\n "
				      "alpha\n virtualhost v\n}\n",
		0);
	const struct conf_check *k = c->checks;

	ck_assert_uint_eq(k[0].retry, 2);
	ck_assert_int_eq(k[0].interval_us, 4 * US_PER_S);
	ck_assert_int_eq(k[0].delay_before_retry_us, 9 * US_PER_S);
	ck_assert_int_eq(k[0].connect_timeout_us, 3 * US_PER_S);
	ck_assert_int_eq(k[0].warmup_us, US_PER_S);
	ck_assert_uint_eq(k[0].alpha, 1);
	ck_assert_uint_eq(k[1].retry, 8);
	ck_assert_str_eq(str(c, k[1].virtualhost), "r");
	ck_assert_uint_eq(k[2].retry, 0);
	ck_assert_int_eq(k[2].warmup_us, 0);
	ck_assert_int_eq(k[2].delay_before_retry_us, 9 * US_PER_S);
	ck_assert_int_eq(k[2].interval_us, 6 * US_PER_S);
	ck_assert_str_eq(str(c, k[2].virtualhost), "v");
	conf_close(c);
}
END_TEST

START_TEST(test_scheduler_flags)
{
	struct conf *c = load_with(
		"10.0.0.1 80", "protocol TCP\n lb_kind NAT\n lvs_sched sh\n sh-port\n sh-fallback", "10.1.0.1 80", 0);

	ck_assert_uint_eq(c->services[0].scheduler_flags, 0x18);
	conf_close(c);
}
END_TEST

#define WANTING(who, protocol)                                                                                         \
	"virtual_server " who " {\n protocol " protocol "\n lb_kind NAT\n lb_algo rr\n real_server 10.1.0.1 80 {\n }\n}\n"
#define WANTED_GROUP "virtual_server_group pool {\n 192.0.2.8-20 80\n 192.0.2.10 80\n 192.0.2.30 81\n fwmark 9\n}\n"

/* Of two services that want the same connections one is in vain; whose port or protocol differs is not. */
START_TEST(test_services_that_want_the_same)
{
	static const struct {
		const char *text, *finding; /* NULL: none */
	} cases[] = {
		{WANTED_GROUP WANTING("group pool", "TCP"), NULL},
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("192.0.2.19 80", "TCP"),
			"192.0.2.19:80 is also an address of the virtual_server of line 7"},
		{WANTED_GROUP WANTING("192.0.2.8 80", "TCP") WANTING("group pool", "TCP"),
			"192.0.2.8:80 is also an address of the virtual_server of line 7"},
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("192.0.2.21 80", "TCP"), NULL},
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("192.0.2.19 80", "UDP"), NULL},
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("192.0.2.19 81", "TCP"), NULL},
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("group pool", "UDP"),
			"mark 9 is also one of the virtual_server of line 7"},
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("fwmark 8", "TCP"), NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *findings = fixture_findings(cases[i].text, CONF_DIALECT_KEEPALIVED);
		const char *wanted = cases[i].finding ? cases[i].finding : " is also ";

		ck_assert_msg((strstr(findings, wanted) != NULL) == (cases[i].finding != NULL), "%s:\n%s", cases[i].text,
			findings);
		free(findings);
	}
}
END_TEST

#define OTHER_GROUP "virtual_server_group other {\n 192.0.2.9 80\n 192.0.2.11-12 80\n 192.0.2.30 81\n fwmark 9\n}\n"

/* The same group twice is an error, which says it all; what two groups share is said once. */
START_TEST(test_what_two_services_share_is_said_once)
{
	static const char *const cases[][2] = {
		{WANTED_GROUP WANTING("group pool", "TCP") WANTING("group pool", "TCP"),
			"14:16: error: this virtual_server is the one of line 7 again\n"},
		{WANTED_GROUP OTHER_GROUP WANTING("group pool", "TCP") WANTING("group other", "TCP")
				WANTING("192.0.2.9 80", "TCP"),
			"20:16: warning: 192.0.2.9:80 is also an address of the virtual_server of line 13; "
			"only one of them gets its connections\n"
			"27:16: warning: 192.0.2.9:80 is also an address of the virtual_server of line 13; "
			"only one of them gets its connections\n"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fixture_expect(cases[i][0], CONF_DIALECT_KEEPALIVED, cases[i][1]);
}
END_TEST

/* However much there is to say before it, an error is said: it is why the file is refused. */
START_TEST(test_many_warnings_hide_no_error)
{
	static const char *const lines[] = {"nat_mask 255.255.255.0\n", "no_keyword\n"};
	static const struct {
		const char *text, *finding;
	} cases[] = {
		{"virtual_server 10.0.0.2 eighty {\n}\n", ":6003:25: error: a port is a number"},
		{"vrrp_instanse A {\n}\n", ":6003:1: error: unknown block \"vrrp_instanse\""},
	};

	for (int i = 0; i < 4; i++) {
		char *text = NULL, *findings;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		fprintf(out, "virtual_server 10.0.0.1 80 {\n");
		for (int k = 0; k < 6000; k++)
			fputs(lines[i % 2], out);
		fprintf(out, "}\n%s", cases[i / 2].text);
		fclose(out);
		findings = fixture_findings(text, CONF_DIALECT_KEEPALIVED);
		ck_assert_msg(strstr(findings, cases[i / 2].finding) != NULL, "%s",
			findings + (strlen(findings) > 400 ? strlen(findings) - 400 : 0));
		ck_assert_int_eq(strstr(findings, "and 0 more errors, ") != NULL, i % 2);
		free(findings);
		free(text);
	}
}
END_TEST

START_TEST(test_many_servers_in_linear_time)
{
	struct mono start = mono_now();
	char *text = NULL;
	struct conf *c;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (int v = 0; v < 100; v++) {
		fprintf(out, "virtual_server 10.0.0.%d 80 {\n protocol TCP\n lb_kind NAT\n lb_algo rr\n", v + 1);
		for (int r = 0; r < 100; r++)
			fprintf(out,
				" real_server 10.1.%d.%d 80 {\n  weight 2\n  TCP_CHECK {\n   connect_timeout 3\n  }\n "
				"}\n",
				v, r + 1);
		fprintf(out, "}\n");
	}
	fclose(out);
	c = fixture_load(text, 0);
	ck_assert_uint_eq(c->n_servers, 10000);
	ck_assert_uint_eq(c->n_checks, 10000);
	ck_assert_int_lt(mono_diff_us(mono_now(), start), 10 * US_PER_S);
	conf_close(c);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("conf_service");
	TCase *t = tcase_create("fields");
	SRunner *runner;
	int failed;

	tcase_add_test(t, test_service_values);
	tcase_add_test(t, test_service_defaults);
	tcase_add_test(t, test_ports);
	tcase_add_test(t, test_groups_of_addresses);
	tcase_add_test(t, test_tunnels);
	tcase_add_test(t, test_groups_folded_into_marks);
	tcase_add_test(t, test_guards_and_placement);
	tcase_add_test(t, test_check_defaults);
	tcase_add_test(t, test_check_values);
	tcase_add_test(t, test_checks_inherit);
	tcase_add_test(t, test_scheduler_flags);
	tcase_add_test(t, test_services_that_want_the_same);
	tcase_add_test(t, test_what_two_services_share_is_said_once);
	tcase_add_test(t, test_many_warnings_hide_no_error);
	tcase_add_test(t, test_many_servers_in_linear_time);
	tcase_set_timeout(t, 60);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
