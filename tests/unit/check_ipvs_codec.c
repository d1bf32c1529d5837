/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of IPVS netlink messages: what is put is what is got, layouts as the kernel reads them, cut-off messages
 * refused, random damage survived. */
#include "ipvs_codec.h"
#include "ipvs_conn.h"
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct ipvs_service service4(void)
{
	struct ipvs_service s = {.key = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = 443},
		.scheduler = "wlc",
		.engine = "sip",
		.flags = IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_SCHED1,
		.timeout_s = 360,
		.netmask = htonl(0xffffff00)};

	ck_assert_int_eq(addr_parse("192.0.2.10", &s.key.addr), 0);
	return s;
}

static struct ipvs_dest dest6(void)
{
	struct ipvs_dest d = {.forward = IP_VS_CONN_F_TUNNEL,
		.weight = 7,
		.upper = 100,
		.lower = 50,
		.tunnel_type = IP_VS_CONN_F_TUNNEL_TYPE_GUE,
		.tunnel_port = 6080,
		.tunnel_flags = IP_VS_TUNNEL_ENCAP_FLAG_CSUM};

	ck_assert_int_eq(addr_parse("2001:db8::5", &d.key.addr), 0);
	d.key.port = 8080;
	return d;
}

START_TEST(test_service_round_trip)
{
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	struct ipvs_service in = service4(), out;
	struct ipvs_tally tally;

	ck_assert_int_eq(ipvs_codec_put_service(msg, IPVS_CMD_NEW_SERVICE, &in), 0);
	ck_assert_int_eq(ipvs_codec_get_service(nlmsg_hdr(msg), &out, &tally), 0);
	ck_assert_int_eq(ipvs_key_compare(&in.key, &out.key), 0);
	ck_assert(ipvs_service_equal(&in, &out));
	nlmsg_free(msg);
	/* A mark has neither protocol nor address. */
	in.key = (struct ipvs_key){.family = AF_INET6, .fwmark = 77};
	in.netmask = 64;
	in.engine[0] = '\0';
	msg = nlmsg_alloc_simple(25, 0);
	ck_assert_int_eq(ipvs_codec_put_service(msg, IPVS_CMD_SET_SERVICE, &in), 0);
	ck_assert_int_eq(ipvs_codec_get_service(nlmsg_hdr(msg), &out, &tally), 0);
	ck_assert_int_eq(ipvs_key_compare(&in.key, &out.key), 0);
	ck_assert(ipvs_service_equal(&in, &out));
	nlmsg_free(msg);
}
END_TEST

START_TEST(test_dest_round_trip)
{
	struct ipvs_service service = service4();
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	struct ipvs_dest in = dest6(), out;
	struct ipvs_tally tally;

	ck_assert_int_eq(ipvs_codec_put_dest(msg, IPVS_CMD_NEW_DEST, &service.key, &in), 0);
	ck_assert_int_eq(ipvs_codec_get_dest(nlmsg_hdr(msg), AF_INET, &out, &tally), 0);
	ck_assert_int_eq(ipvs_dest_key_compare(&in.key, &out.key), 0);
	ck_assert(ipvs_dest_equal(&in, &out));
	nlmsg_free(msg);
}
END_TEST

/* A deletion carries keys only: the kernel would take the rest for settings. */
START_TEST(test_deletions_carry_keys_only)
{
	struct ipvs_service service = service4();
	struct ipvs_dest dest = dest6(), got;
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	struct ipvs_tally tally;

	ck_assert_int_eq(ipvs_codec_put_service(msg, IPVS_CMD_DEL_SERVICE, &service), 0);
	/* genl 4, nest 4, AF 8, protocol 8, address 20, port 8 */
	ck_assert_uint_eq(nlmsg_hdr(msg)->nlmsg_len, NLMSG_HDRLEN + 52);
	nlmsg_free(msg);
	msg = nlmsg_alloc_simple(25, 0);
	ck_assert_int_eq(ipvs_codec_put_dest(msg, IPVS_CMD_DEL_DEST, &service.key, &dest), 0);
	ck_assert_uint_eq(nlmsg_hdr(msg)->nlmsg_len, NLMSG_HDRLEN + 52 + 4 + 8 + 20 + 8);
	ck_assert_int_eq(ipvs_codec_get_dest(nlmsg_hdr(msg), AF_INET, &got, &tally), -EPROTO);
	nlmsg_free(msg);
}
END_TEST

/* Byte for byte what the kernel's header says: IPv4 address in the first four of sixteen bytes, port in network
 * order, host order elsewhere. */
START_TEST(test_bytes_of_a_key)
{
	struct ipvs_service service = service4();
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	const uint8_t expected[] = {
		IPVS_CMD_DEL_SERVICE,
		1,
		0,
		0, /* generic header */
		48,
		0,
		IPVS_CMD_ATTR_SERVICE,
		0x80,
		6,
		0,
		IPVS_SVC_ATTR_AF,
		0,
		AF_INET,
		0,
		0,
		0,
		6,
		0,
		IPVS_SVC_ATTR_PROTOCOL,
		0,
		IPPROTO_TCP,
		0,
		0,
		0,
		20,
		0,
		IPVS_SVC_ATTR_ADDR,
		0,
		192,
		0,
		2,
		10,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		0,
		6,
		0,
		IPVS_SVC_ATTR_PORT,
		0,
		443 >> 8,
		443 & 255,
		0,
		0,
	};

	if (htonl(1) == 1) /* the bytes above are those of a little-endian machine */
		return;
	ck_assert_int_eq(ipvs_codec_put_service(msg, IPVS_CMD_DEL_SERVICE, &service), 0);
	ck_assert_mem_eq(nlmsg_data(nlmsg_hdr(msg)), expected, sizeof(expected));
	nlmsg_free(msg);
}
END_TEST

/* Every counter and rate beyond 32 bits, each another one; beside them, as the kernel has it, the same cut to 32. */
static void put_counters(struct nl_msg *msg, int wide, int narrow)
{
	struct nlattr *nest = nla_nest_start(msg, narrow);

	for (int i = IPVS_STATS_ATTR_CONNS; i <= IPVS_STATS_ATTR_OUTBPS; i++)
		nla_put_u32(msg, i, 7);
	nla_nest_end(msg, nest);
	nest = nla_nest_start(msg, wide);
	for (int i = IPVS_STATS_ATTR_CONNS; i <= IPVS_STATS_ATTR_OUTBPS; i++)
		nla_put_u64(msg, i, ((uint64_t)i << 40) + (uint64_t)i);
	nla_nest_end(msg, nest);
}

static void assert_counters(const struct ipvs_counters *c)
{
	const uint64_t seen[] = {c->connections, c->packets_in, c->packets_out, c->bytes_in, c->bytes_out,
		c->connections_rate, c->packets_in_rate, c->packets_out_rate, c->bytes_in_rate, c->bytes_out_rate};

	for (uint64_t i = 0; i < 10; i++)
		ck_assert_msg(
			seen[i] == ((i + 1) << 40) + i + 1, "counter %d is %llu", (int)i, (unsigned long long)seen[i]);
}

START_TEST(test_counters_of_64_bits)
{
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	uint8_t address[16] = {10, 1, 0, 2};
	struct ipvs_service service;
	struct ipvs_tally tally;
	struct ipvs_dest dest;
	struct nlattr *nest;

	ck_assert_int_eq(ipvs_codec_put_command(msg, IPVS_CMD_NEW_DEST), 0);
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);
	nla_put(msg, IPVS_DEST_ATTR_ADDR, 16, address);
	nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(80));
	nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_MASQ);
	nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, 1);
	put_counters(msg, IPVS_DEST_ATTR_STATS64, IPVS_DEST_ATTR_STATS);
	nla_nest_end(msg, nest);
	ck_assert_int_eq(ipvs_codec_get_dest(nlmsg_hdr(msg), AF_INET, &dest, &tally), 0);
	assert_counters(&tally.counters);
	nlmsg_free(msg);
	msg = nlmsg_alloc_simple(25, 0);
	ck_assert_int_eq(ipvs_codec_put_command(msg, IPVS_CMD_NEW_SERVICE), 0);
	nest = nla_nest_start(msg, IPVS_CMD_ATTR_SERVICE);
	nla_put_u16(msg, IPVS_SVC_ATTR_AF, AF_INET);
	nla_put_u32(msg, IPVS_SVC_ATTR_FWMARK, 5);
	nla_put_string(msg, IPVS_SVC_ATTR_SCHED_NAME, "wlc");
	nla_put(msg, IPVS_SVC_ATTR_FLAGS, sizeof(struct ip_vs_flags), &(struct ip_vs_flags){0});
	put_counters(msg, IPVS_SVC_ATTR_STATS64, IPVS_SVC_ATTR_STATS);
	nla_nest_end(msg, nest);
	ck_assert_int_eq(ipvs_codec_get_service(nlmsg_hdr(msg), &service, &tally), 0);
	assert_counters(&tally.counters);
	nlmsg_free(msg);
}
END_TEST

START_TEST(test_counters)
{
	struct ipvs_service service = service4();
	struct ipvs_tally tally;
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	struct nlattr *dest_nest, *stats;
	struct ipvs_dest out;
	uint8_t address[16] = {10, 1, 0, 2};

	ck_assert_int_eq(ipvs_codec_put_command(msg, IPVS_CMD_NEW_DEST), 0);
	dest_nest = nla_nest_start(msg, IPVS_CMD_ATTR_DEST);
	nla_put(msg, IPVS_DEST_ATTR_ADDR, 16, address);
	nla_put_u16(msg, IPVS_DEST_ATTR_PORT, htons(80));
	nla_put_u32(msg, IPVS_DEST_ATTR_FWD_METHOD, IP_VS_CONN_F_DROUTE | IP_VS_CONN_F_NOOUTPUT);
	nla_put_u32(msg, IPVS_DEST_ATTR_WEIGHT, 3);
	nla_put_u32(msg, IPVS_DEST_ATTR_ACTIVE_CONNS, 11);
	nla_put_u32(msg, IPVS_DEST_ATTR_INACT_CONNS, 12);
	nla_put_u32(msg, IPVS_DEST_ATTR_PERSIST_CONNS, 13);
	stats = nla_nest_start(msg, IPVS_DEST_ATTR_STATS64);
	nla_put_u64(msg, IPVS_STATS_ATTR_CONNS, 1ULL << 40);
	nla_put_u64(msg, IPVS_STATS_ATTR_OUTBYTES, 5);
	nla_nest_end(msg, stats);
	nla_nest_end(msg, dest_nest);
	ck_assert_int_eq(ipvs_codec_get_dest(nlmsg_hdr(msg), service.key.family, &out, &tally), 0);
	ck_assert_uint_eq(out.forward, IP_VS_CONN_F_DROUTE);
	ck_assert_uint_eq(ipvs_tally_connections(&tally), 36);
	ck_assert(tally.active == 11 && tally.inactive == 12 && tally.persistent == 13);
	ck_assert(tally.counters.connections == 1ULL << 40 && tally.counters.bytes_out == 5);
	ck_assert_int_eq(out.key.addr.family, AF_INET); /* old kernels do not say it: the service's */
	nlmsg_free(msg);
}
END_TEST

START_TEST(test_daemon_and_timeouts)
{
	struct ipvs_daemon in = {.state = IP_VS_STATE_MASTER, .sync_id = 51, .interface = "eth0"}, out;
	struct ipvs_timeouts t_in = {900, 120, 300}, t_out;
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);

	ck_assert_int_eq(ipvs_codec_put_daemon(msg, IPVS_CMD_NEW_DAEMON, &in), 0);
	ck_assert_int_eq(ipvs_codec_get_daemon(nlmsg_hdr(msg), &out), 0);
	ck_assert_mem_eq(&in, &out, sizeof(in));
	nlmsg_free(msg);
	msg = nlmsg_alloc_simple(25, 0);
	ck_assert_int_eq(ipvs_codec_put_timeouts(msg, &t_in), 0);
	ck_assert_int_eq(ipvs_codec_get_timeouts(nlmsg_hdr(msg), &t_out), 0);
	ck_assert_mem_eq(&t_in, &t_out, sizeof(t_in));
	nlmsg_free(msg);
}
END_TEST

START_TEST(test_parameters_of_the_daemon)
{
	struct ipvs_daemon in = {
		.state = IP_VS_STATE_BACKUP, .sync_id = 9, .interface = "eth1", .maxlen = 1400, .port = 8850, .ttl = 3};
	struct ipvs_daemon out, plain = {.state = IP_VS_STATE_BACKUP, .sync_id = 9, .interface = "eth1"};
	static const char *const groups[] = {"224.0.0.99", "ff02::8:1"};

	for (int i = 0; i < 2; i++) {
		struct nl_msg *msg = nlmsg_alloc_simple(25, 0);

		ck_assert_int_eq(addr_parse(groups[i], &in.group), 0);
		ck_assert_int_eq(ipvs_codec_put_daemon(msg, IPVS_CMD_NEW_DAEMON, &in), 0);
		ck_assert_int_eq(ipvs_codec_get_daemon(nlmsg_hdr(msg), &out), 0);
		ck_assert_mem_eq(&in, &out, sizeof(in));
		nlmsg_free(msg);
	}
	/* What is not wanted in particular is as it is. */
	ck_assert(ipvs_daemon_matches(&in, &out));
	ck_assert(ipvs_daemon_matches(&plain, &out));
	ck_assert(!ipvs_daemon_matches(&in, &plain));
	out.ttl = 4;
	ck_assert(!ipvs_daemon_matches(&in, &out));
	out = in;
	out.state = IP_VS_STATE_MASTER;
	ck_assert(!ipvs_daemon_matches(&plain, &out));
}
END_TEST

START_TEST(test_full_messages_are_refused)
{
	struct ipvs_service service = service4();
	struct ipvs_dest dest = dest6();
	uint32_t size = 0;

	for (size_t room = NLMSG_HDRLEN; room < 200; room++) {
		struct nl_msg *msg = nlmsg_alloc_size(room);
		int rc;

		nlmsg_put(msg, 0, 0, 25, 0, 0);
		rc = ipvs_codec_put_dest(msg, IPVS_CMD_NEW_DEST, &service.key, &dest);
		ck_assert(rc == 0 || rc == -EMSGSIZE);
		if (rc == 0)
			size = nlmsg_hdr(msg)->nlmsg_len;
		nlmsg_free(msg);
	}
	ck_assert_uint_gt(size, 100);
	ck_assert_uint_lt(size, 512);
}
END_TEST

/* Every prefix of a valid message, and many damaged ones: refused or understood, never read beyond the end (the
 * sanitizers watch). */
START_TEST(test_damage)
{
	struct ipvs_service service = service4(), s_out;
	struct ipvs_dest dest = dest6(), d_out;
	struct ipvs_daemon daemon;
	struct ipvs_timeouts timeouts;
	struct nl_msg *msg = nlmsg_alloc_simple(25, 0);
	uint32_t len, version;
	struct ipvs_tally tally;

	ck_assert_int_eq(ipvs_codec_put_dest(msg, IPVS_CMD_NEW_DEST, &service.key, &dest), 0);
	len = nlmsg_hdr(msg)->nlmsg_len;
	for (uint32_t cut = 0; cut < len; cut++) {
		struct nlmsghdr *copy = malloc(cut > sizeof(*copy) ? cut : sizeof(*copy));

		memcpy(copy, nlmsg_hdr(msg), cut > sizeof(*copy) ? cut : sizeof(*copy));
		copy->nlmsg_len = cut;
		ck_assert_int_eq(ipvs_codec_get_dest(copy, AF_INET, &d_out, &tally), -EPROTO);
		free(copy);
	}
	for (unsigned seed = 0; seed < 20000; seed++) {
		struct nlmsghdr *copy = malloc(len);

		srand(seed);
		memcpy(copy, nlmsg_hdr(msg), len);
		for (int i = 0; i < 3; i++)
			((uint8_t *)copy)[NLMSG_HDRLEN + (unsigned)rand() % (len - NLMSG_HDRLEN)] = (uint8_t)rand();
		ipvs_codec_get_dest(copy, AF_INET, &d_out, &tally);
		ipvs_codec_get_service(copy, &s_out, &tally);
		ipvs_codec_get_daemon(copy, &daemon);
		ipvs_codec_get_timeouts(copy, &timeouts);
		ipvs_codec_get_version(copy, &version);
		free(copy);
	}
	nlmsg_free(msg);
}
END_TEST

START_TEST(test_connection_lines)
{
	static const char line4[] = "TCP C0000232 D73E C000020A 0050 C633640B 1F90 FIN_WAIT        119\n";
	static const char line6[] = "UDP 2001:0db8:0000:0000:0000:0000:0000:0001 D73E "
				    "2001:0db8:0000:0000:0000:0000:0000:0001 0035 "
				    "2001:0db8:0000:0000:0000:0000:0000:0002 0035 UDP           9 sip 12345\n";
	struct ipvs_key service = {.family = AF_INET, .protocol = IPPROTO_TCP, .port = 80};
	struct ipvs_key mark = {.family = AF_INET, .fwmark = 3};
	struct ipvs_dest_key dest = {.port = 8080};
	struct ipvs_conn conn;
	char text[ADDR_TEXT];

	ck_assert_int_eq(addr_parse("192.0.2.10", &service.addr), 0);
	ck_assert_int_eq(addr_parse("198.51.100.11", &dest.addr), 0);
	ck_assert_int_eq(ipvs_conn_parse(line4, &conn), 0);
	ck_assert(!conn.is_over && !conn.is_template);
	ck_assert(ipvs_conn_belongs(&conn, &service, &dest));
	ck_assert(ipvs_conn_belongs(&conn, &mark, &dest));
	service.port = 81;
	ck_assert(!ipvs_conn_belongs(&conn, &service, &dest));
	service.port = 0; /* all ports */
	ck_assert(ipvs_conn_belongs(&conn, &service, &dest));
	service.protocol = IPPROTO_UDP;
	ck_assert(!ipvs_conn_belongs(&conn, &service, &dest));
	dest.port = 80;
	ck_assert(!ipvs_conn_belongs(&conn, &mark, &dest));
	ck_assert_int_eq(ipvs_conn_parse(line6, &conn), 0);
	ck_assert_str_eq(addr_format(&conn.dest, text), "2001:db8::2");
	ck_assert_uint_eq(conn.dest_port, 53);
	ck_assert_int_eq(ipvs_conn_parse("TCP C0000232 D73E C000020A 0050 C633640B 1F90 TIME_WAIT 9", &conn), 0);
	ck_assert(conn.is_over);
	ck_assert_int_eq(ipvs_conn_parse("TCP C0000232 0000 C000020A 0050 C633640B 1F90 NONE 49", &conn), 0);
	ck_assert(conn.is_template && !conn.is_over);
	ck_assert_int_eq(
		ipvs_conn_parse("Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires", &conn), -1);
	ck_assert_int_eq(ipvs_conn_parse("TCP C0000232 D73E C000020A 0050 C633640B 1F90 CLOSE", &conn), -1);
	ck_assert_int_eq(ipvs_conn_parse("TCP C0000232 D73E C000020 0050 C633640B 1F90 CLOSE 9", &conn), -1);
	ck_assert_int_eq(ipvs_conn_parse("", &conn), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ipvs_codec");
	TCase *tc = tcase_create("codec");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_service_round_trip);
	tcase_add_test(tc, test_dest_round_trip);
	tcase_add_test(tc, test_deletions_carry_keys_only);
	tcase_add_test(tc, test_bytes_of_a_key);
	tcase_add_test(tc, test_counters_of_64_bits);
	tcase_add_test(tc, test_counters);
	tcase_add_test(tc, test_daemon_and_timeouts);
	tcase_add_test(tc, test_parameters_of_the_daemon);
	tcase_add_test(tc, test_full_messages_are_refused);
	tcase_add_test(tc, test_damage);
	tcase_add_test(tc, test_connection_lines);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
