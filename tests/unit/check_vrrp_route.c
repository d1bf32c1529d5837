/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes and rules as messages, and whether a message of the kernel is one of them. */
#include "../../vrrp/vrrp_ear.h"
#include "../../vrrp/vrrp_route.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/ila.h>
#include <linux/lwtunnel.h>
#include <linux/mpls_iptunnel.h>
#include <linux/rtnetlink.h>
#include <linux/seg6_iptunnel.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Strings of the configuration. */
#define TEXT "\0eth0\0eth1\0cubic"
#define ETH0 1
#define ETH1 6
#define CUBIC 11

static struct conf_route route;
static struct conf_rule rule;
static struct conf_nexthop hops[2];
static struct conf_encap encaps[2];
static struct conf conf;
static struct link all_links[2];
static struct links links;
static struct vrrp_path path;

static struct addr address(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

static void setup(void)
{
	all_links[0] = (struct link){.ifindex = 2, .name = "eth0"};
	all_links[1] = (struct link){.ifindex = 3, .name = "eth1"};
	links = (struct links){.all = all_links, .count = 2, .room = 2};
	hops[0] =
		(struct conf_nexthop){.via = address("192.0.2.1"), .interface = ETH0, .weight = 1, .encap = CONF_NONE};
	hops[1] =
		(struct conf_nexthop){.via = address("192.0.2.2"), .interface = ETH1, .weight = 7, .encap = CONF_NONE};
	route = (struct conf_route){.to = address("10.0.0.0"),
		.to_prefix = 8,
		.from = {.family = AF_INET},
		.family = AF_INET,
		.type = RTN_UNICAST,
		.protocol = 18,
		.table = 254,
		.nexthops = {0, 1},
		.instance = CONF_NONE};
	rule = (struct conf_rule){.from = address("10.0.0.0"),
		.from_prefix = 8,
		.to = {.family = AF_INET},
		.family = AF_INET,
		.action = FR_ACT_TO_TBL,
		.protocol = 18,
		.priority = 100,
		.table = 1000,
		.suppress_prefix = -1,
		.suppress_group = -1,
		.instance = CONF_NONE};
	conf = (struct conf){.strings = TEXT,
		.n_strings = sizeof(TEXT),
		.routes = &route,
		.n_routes = 1,
		.nexthops = hops,
		.n_nexthops = 2,
		.encaps = encaps,
		.n_encaps = 2,
		.rules = &rule,
		.n_rules = 1};
}

/* The message with which the kernel would tell of the route as it is configured now. */
static struct nl_msg *told(bool is_route)
{
	struct vrrp_path now;
	struct nl_msg *msg;

	if (is_route)
		ck_assert_int_eq(vrrp_path_of_route(&conf, 0, &links, &now), 0);
	else
		ck_assert_int_eq(vrrp_path_of_rule(&conf, 0, &now), 0);
	msg = nlmsg_alloc_simple(vrrp_path_type(&now, true), 0);
	ck_assert_int_eq(vrrp_path_put(&now, msg), 0);
	return msg;
}

static bool is_route(void)
{
	struct nl_msg *msg = told(true);
	bool is = vrrp_path_is(&path, nlmsg_hdr(msg));

	nlmsg_free(msg);
	return is;
}

static bool is_rule(void)
{
	struct nl_msg *msg = told(false);
	bool is = vrrp_path_is(&path, nlmsg_hdr(msg));

	nlmsg_free(msg);
	return is;
}

static void want_route(void)
{
	ck_assert_int_eq(vrrp_path_of_route(&conf, 0, &links, &path), 0);
	ck_assert(is_route());
}

#define DIFFERS(member, value)                                                                                         \
	do {                                                                                                           \
		__typeof__(member) before = member;                                                                    \
		member = value;                                                                                        \
		ck_assert_msg(!is_route(), #member " makes no difference");                                            \
		member = before;                                                                                       \
	} while (0)

START_TEST(what_makes_another_route_is_a_difference)
{
	route.metric = 5;
	route.source = address("192.0.2.9");
	route.metrics_given = 1u << RTAX_MTU;
	route.metrics[RTAX_MTU] = 1400;
	want_route();
	DIFFERS(route.to, address("11.0.0.0"));
	DIFFERS(route.to_prefix, 9);
	DIFFERS(route.table, 1000);
	DIFFERS(route.type, RTN_BLACKHOLE);
	DIFFERS(route.protocol, RTPROT_STATIC);
	DIFFERS(route.scope, RT_SCOPE_LINK);
	DIFFERS(route.tos, 4);
	DIFFERS(route.metric, 6);
	DIFFERS(route.realms, 9);
	DIFFERS(route.source, address("192.0.2.8"));
	DIFFERS(route.metrics[RTAX_MTU], 1300);
	DIFFERS(route.nexthops.count, 2);
	DIFFERS(route.nexthops.count, 0);
	DIFFERS(hops[0].via, address("192.0.2.3"));
	DIFFERS(hops[0].via, (struct addr){0});
	DIFFERS(hops[0].interface, ETH1);
	/* ... and what the kernel adds is none. */
	route.metrics_given |= 1u << RTAX_ADVMSS;
	ck_assert(is_route());
	route.has_preference = 1;
	ck_assert(is_route());
}
END_TEST

START_TEST(what_was_not_asked_for_may_be_anything)
{
	hops[0].interface = 0;
	want_route();
	hops[0].interface = ETH1;
	ck_assert(is_route());
	hops[0].interface = 0;
	route.source = address("192.0.2.9");
	ck_assert(is_route());
}
END_TEST

START_TEST(next_hops_are_compared_one_by_one)
{
	route.nexthops.count = 2;
	want_route();
	DIFFERS(hops[1].via, address("192.0.2.3"));
	DIFFERS(hops[1].weight, 8);
	DIFFERS(hops[1].interface, ETH0);
	DIFFERS(route.nexthops.count, 1);
	hops[0].via = address("2001:db8::1");
	ck_assert(!is_route());
	/* An IPv4 route through an IPv6 neighbour. */
	want_route();
	DIFFERS(hops[0].via, address("2001:db8::2"));
}
END_TEST

START_TEST(an_ipv6_route_without_a_metric_gets_the_usual_one)
{
	route.family = AF_INET6;
	route.to = address("2001:db8::");
	route.to_prefix = 32;
	route.from.family = AF_INET6;
	hops[0].via = address("fe80::1");
	ck_assert_int_eq(vrrp_path_of_route(&conf, 0, &links, &path), 0);
	route.metric = 1024;
	ck_assert(is_route());
	route.metric = 1023;
	ck_assert(!is_route());
	/* IPv6 has no scopes. */
	route.metric = 1024;
	route.scope = RT_SCOPE_LINK;
	ck_assert(is_route());
}
END_TEST

START_TEST(a_wrapping_is_compared_word_by_word)
{
	encaps[0] = (struct conf_encap){.type = LWTUNNEL_ENCAP_IP, .id = 7, .to = address("192.0.2.77"), .ttl = 9};
	hops[0].encap = 0;
	want_route();
	DIFFERS(hops[0].encap, CONF_NONE);
	DIFFERS(encaps[0].id, 8);
	DIFFERS(encaps[0].to, address("192.0.2.78"));
	DIFFERS(encaps[0].from, address("192.0.2.78"));
	DIFFERS(encaps[0].tos, 4);
	DIFFERS(encaps[0].ttl, 10);
	DIFFERS(encaps[0].flags, 1);
	DIFFERS(encaps[0].type, LWTUNNEL_ENCAP_IP6);
	hops[0].encap = CONF_NONE;
	want_route();
	DIFFERS(hops[0].encap, 0);
	/* Of each next hop. */
	hops[1].encap = 1;
	encaps[1] = (struct conf_encap){.type = LWTUNNEL_ENCAP_MPLS, .labels = {16, 17}, .n_labels = 2};
	route.nexthops.count = 2;
	want_route();
	DIFFERS(hops[1].encap, CONF_NONE);
	DIFFERS(hops[0].encap, 0);
	DIFFERS(encaps[1].labels[1], 18);
	DIFFERS(encaps[1].n_labels, 1);
	encaps[1].ttl = 3;
	want_route();
	DIFFERS(encaps[1].ttl, 0);
}
END_TEST

/* The attribute inside the wrapping of the route as it is configured now. */
static struct nlattr *wrapped_in(uint16_t type, int attribute)
{
	static struct nl_msg *msg;
	struct nlattr *tb[RTA_MAX + 1], *inner[16];

	nlmsg_free(msg);
	msg = told(true);
	ck_assert_int_ge(nlmsg_parse(nlmsg_hdr(msg), sizeof(struct rtmsg), tb, RTA_MAX, NULL), 0);
	ck_assert_uint_eq(nla_get_u16(tb[RTA_ENCAP_TYPE]), type);
	ck_assert_int_ge(nla_parse_nested(inner, 15, tb[RTA_ENCAP], NULL), 0);
	ck_assert_ptr_nonnull(inner[attribute]);
	return inner[attribute];
}

START_TEST(wrappings_have_the_form_of_their_standards)
{
	/* RFC 3032, 2.1: twenty bits of label, the bottom of the stack is marked. */
	static const uint8_t stack[] = {0x00, 0x01, 0x00, 0x00, 0xff, 0xff, 0xf1, 0x00};
	/* RFC 8754, 2: routing type 4, the last segment first; in front of them the mode, and a place for the packet's
	 * own. */
	uint8_t header[12 + 48] = {0, 0, 0, 0, 0, 6, 4, 2, 2, 0, 0, 0};
	struct addr near = address("2001:db8::1"), far = address("2001:db8::2");
	struct nlattr *attr;

	hops[0].encap = 0;
	encaps[0] = (struct conf_encap){.type = LWTUNNEL_ENCAP_MPLS, .labels = {16, 0xfffff}, .n_labels = 2};
	attr = wrapped_in(LWTUNNEL_ENCAP_MPLS, MPLS_IPTUNNEL_DST);
	ck_assert_int_eq(nla_len(attr), sizeof(stack));
	ck_assert_mem_eq(nla_data(attr), stack, sizeof(stack));

	encaps[0] = (struct conf_encap){.type = LWTUNNEL_ENCAP_SEG6, .mode = SEG6_IPTUN_MODE_INLINE, .n_segments = 2};
	memcpy(encaps[0].segments[0], near.bytes, 16);
	memcpy(encaps[0].segments[1], far.bytes, 16);
	memcpy(header + 12 + 16, far.bytes, 16);
	memcpy(header + 12 + 32, near.bytes, 16);
	attr = wrapped_in(LWTUNNEL_ENCAP_SEG6, SEG6_IPTUNNEL_SRH);
	ck_assert_int_eq(nla_len(attr), sizeof(header));
	ck_assert_mem_eq(nla_data(attr), header, sizeof(header));
	encaps[0].mode = SEG6_IPTUN_MODE_ENCAP;
	attr = wrapped_in(LWTUNNEL_ENCAP_SEG6, SEG6_IPTUNNEL_SRH);
	ck_assert_int_eq(nla_len(attr), sizeof(header) - 16);
	ck_assert_mem_eq((uint8_t *)nla_data(attr) + 12, far.bytes, 16);

	encaps[0] = (struct conf_encap){.type = LWTUNNEL_ENCAP_ILA, .id = 5, .mode = CONF_ENCAP_CSUM_NONE};
	ck_assert_uint_eq(nla_get_u64(wrapped_in(LWTUNNEL_ENCAP_ILA, ILA_ATTR_LOCATOR)), 5);
	encaps[0].mode = ILA_CSUM_NO_ACTION;
	ck_assert_uint_eq(nla_get_u8(wrapped_in(LWTUNNEL_ENCAP_ILA, ILA_ATTR_CSUM_MODE)), ILA_CSUM_NO_ACTION);

	encaps[0] = (struct conf_encap){.type = LWTUNNEL_ENCAP_IP, .id = 1, .flags = 4};
	attr = wrapped_in(LWTUNNEL_ENCAP_IP, LWTUNNEL_IP_ID);
	ck_assert_mem_eq(nla_data(attr), ((const uint8_t[]){0, 0, 0, 0, 0, 0, 0, 1}), 8);
	ck_assert_mem_eq(nla_data(wrapped_in(LWTUNNEL_ENCAP_IP, LWTUNNEL_IP_FLAGS)), ((const uint8_t[]){0, 4}), 2);
}
END_TEST

START_TEST(an_interface_that_is_not_there_is_waited_for)
{
	links.count = 1;
	want_route();
	hops[0].interface = ETH1;
	ck_assert_int_eq(vrrp_path_of_route(&conf, 0, &links, &path), -ENODEV);
	route.nexthops.count = 2;
	ck_assert_int_eq(vrrp_path_of_route(&conf, 0, &links, &path), -ENODEV);
}
END_TEST

START_TEST(a_rule_is_what_it_selects_and_does)
{
	rule.has_mark = 1;
	rule.mark = 16;
	rule.mask = 255;
	rule.sport[0] = rule.sport[1] = 80;
	ck_assert_int_eq(vrrp_path_of_rule(&conf, 0, &path), 0);
	ck_assert(is_rule());
#define RULE_DIFFERS(member, value)                                                                                    \
	do {                                                                                                           \
		__typeof__(member) before = member;                                                                    \
		member = value;                                                                                        \
		ck_assert_msg(!is_rule(), #member " makes no difference");                                             \
		member = before;                                                                                       \
	} while (0)
	RULE_DIFFERS(rule.priority, 101);
	RULE_DIFFERS(rule.table, 1001);
	RULE_DIFFERS(rule.from, address("11.0.0.0"));
	RULE_DIFFERS(rule.from_prefix, 0);
	RULE_DIFFERS(rule.to_prefix, 8);
	RULE_DIFFERS(rule.iif, ETH0);
	RULE_DIFFERS(rule.oif, ETH0);
	RULE_DIFFERS(rule.mark, 17);
	RULE_DIFFERS(rule.mask, 15);
	RULE_DIFFERS(rule.has_mark, 0);
	RULE_DIFFERS(rule.tos, 4);
	RULE_DIFFERS(rule.is_inverted, 1);
	RULE_DIFFERS(rule.action, FR_ACT_BLACKHOLE);
	RULE_DIFFERS(rule.has_uids, 1);
	RULE_DIFFERS(rule.ip_protocol, 6);
	RULE_DIFFERS(rule.sport[1], 81);
	RULE_DIFFERS(rule.dport[0], 1);
	RULE_DIFFERS(rule.l3mdev, 1);
	RULE_DIFFERS(rule.tunnel, 1);
	RULE_DIFFERS(rule.protocol, 4);
	/* The kernel always says what is not suppressed. */
	rule.suppress_prefix = 3;
	ck_assert(is_rule());
}
END_TEST

START_TEST(where_to_look)
{
	struct vrrp_path_where where;

	route.table = 1000;
	want_route();
	where = vrrp_path_where(&path);
	ck_assert_uint_eq(where.kind, VRRP_PATH_ROUTE);
	ck_assert_uint_eq(where.family, AF_INET);
	ck_assert_uint_eq(where.protocol, 18);
	ck_assert_uint_eq(where.table, 1000);
	ck_assert_int_eq(vrrp_path_of_rule(&conf, 0, &path), 0);
	where = vrrp_path_where(&path);
	ck_assert_uint_eq(where.kind, VRRP_PATH_RULE);
	ck_assert_uint_eq(where.table, 0);
}
END_TEST

/* Messages for the ear without a kernel that sends them: loopback datagrams of a socket to itself. */
static int open_chatter(void)
{
	struct sockaddr_in self = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 1 << 20;
	socklen_t size = sizeof(self);

	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&self, sizeof(self)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&self, &size), 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&self, sizeof(self)), 0);
	return fd;
}

static void say(int fd, uint16_t type, uint32_t port)
{
	struct nlmsghdr head = {.nlmsg_len = sizeof(head), .nlmsg_type = type, .nlmsg_pid = port};

	ck_assert_int_eq(send(fd, &head, sizeof(head), 0), sizeof(head));
}

/* Who changes routes without an end must not keep the heartbeat waiting. */
START_TEST(the_ear_reads_in_bounded_turns)
{
	int fd = open_chatter(), turns = 0, left;
	uint32_t remover = 0;

	say(fd, RTM_NEWROUTE, 4711);
	ck_assert_uint_eq(vrrp_ear_read(fd), 0);
	say(fd, RTM_DELROUTE, 4711);
	say(fd, RTM_NEWROUTE, 4712);
	ck_assert_uint_eq(vrrp_ear_read(fd), 4711);
	for (int i = 0; i < 300; i++)
		say(fd, RTM_DELRULE, 4713);
	for (left = 1; left > 0 && turns < 300; turns++) {
		remover = vrrp_ear_read(fd);
		ck_assert_int_eq(ioctl(fd, FIONREAD, &left), 0);
	}
	ck_assert_int_eq(turns, 2);
	ck_assert_uint_eq(remover, 4713);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_route");
	TCase *tc = tcase_create("paths");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, what_makes_another_route_is_a_difference);
	tcase_add_test(tc, what_was_not_asked_for_may_be_anything);
	tcase_add_test(tc, next_hops_are_compared_one_by_one);
	tcase_add_test(tc, an_ipv6_route_without_a_metric_gets_the_usual_one);
	tcase_add_test(tc, a_wrapping_is_compared_word_by_word);
	tcase_add_test(tc, wrappings_have_the_form_of_their_standards);
	tcase_add_test(tc, an_interface_that_is_not_there_is_waited_for);
	tcase_add_test(tc, a_rule_is_what_it_selects_and_does);
	tcase_add_test(tc, where_to_look);
	tcase_add_test(tc, the_ear_reads_in_bounded_turns);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
