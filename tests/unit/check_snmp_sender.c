/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sender of direct notifications against a receiver in this process, a socket on the loopback: a trap arrives, an
 * inform is sent again until it is acknowledged or given up, and what changes in between leaves nothing behind. Those
 * of version 3 are tested in the lab, against a real snmptrapd. */
#include "../../snmp/sender.h"
#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#define PDU_INFORM 0xa6
#define PDU_TRAP2 0xa7
#define PDU_RESPONSE 0xa2

static struct {
	struct loop *loop;
	struct sender *sender;
	struct conf *conf;
	int receiver;
	uint16_t port;
	struct status_trap_target status;
} rig;

static void changed(void *arg, uint32_t target, const struct status_trap_target *status)
{
	(void)arg;
	ck_assert_uint_eq(target, 0);
	rig.status = *status;
}

static const struct sender_ops ops = {.changed = changed};

/* One receiver on the loopback. */
static struct conf *make_conf(bool inform, uint32_t retries, const char *community)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct conf_trap_target *t;
	struct conf_secret *secret;
	struct conf *conf;

	conf_builder_add(b, CONF_TABLE_TRAP_SECRET);
	secret = conf_builder_at(b, CONF_TABLE_TRAP_SECRET, 0);
	secret->length = (uint32_t)strlen(community);
	memcpy(secret->bytes, community, secret->length);
	conf_builder_add(b, CONF_TABLE_TRAP_TARGET);
	t = conf_builder_at(b, CONF_TABLE_TRAP_TARGET, 0);
	ck_assert_int_eq(addr_parse("127.0.0.1", &t->addr), 0);
	t->port = rig.port;
	t->inform = inform;
	t->community = 0;
	t->auth_secret = t->priv_secret = CONF_NONE;
	t->retries = retries;
	t->timeout_us = 100 * US_PER_MS;
	ck_assert_int_eq(conf_builder_write(b, 1, fd), 0);
	conf_builder_free(b);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
	return conf;
}

static void configure(bool inform, uint32_t retries, const char *community)
{
	struct conf *next = make_conf(inform, retries, community), *old = rig.conf;

	sender_configure(rig.sender, next, 1);
	rig.conf = next;
	conf_close(old);
}

static void setup(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(in);

	memset(&rig, 0, sizeof(rig));
	rig.receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(rig.receiver, (struct sockaddr *)&in, sizeof(in)), 0);
	getsockname(rig.receiver, (struct sockaddr *)&in, &length);
	rig.port = ntohs(in.sin_port);
	rig.loop = loop_new();
	ck_assert_ptr_nonnull(rig.loop);
	rig.sender = sender_new(rig.loop, &ops, NULL);
	ck_assert_ptr_nonnull(rig.sender);
}

static void teardown(void)
{
	sender_free(rig.sender);
	conf_close(rig.conf);
	loop_free(rig.loop);
	close(rig.receiver);
}

static void send_one(void)
{
	static const struct trap trap = {.oid = MIB_OID(MIB_POISE, 0, 8)};

	sender_send(rig.sender, &trap, 4711, "the test");
}

/* The next datagram: its PDU type, 0 when there is none for so long. answer: acknowledge it. */
static uint8_t receive(int wait_ms, bool answer, uint8_t *packet, ssize_t *size)
{
	struct pollfd ready = {.fd = rig.receiver, .events = POLLIN};
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t at;

	if (poll(&ready, 1, wait_ms) != 1)
		return 0;
	*size = recvfrom(rig.receiver, packet, 1500, 0, (struct sockaddr *)&from, &length);
	/* 30 len 02 01 01 04 n community PDU: short lengths, or 81 len, or 82 len len */
	at = packet[1] == 0x82 ? 4 : packet[1] == 0x81 ? 3 : 2;
	ck_assert_mem_eq(packet + at, "\x02\x01\x01\x04", 4);
	at += 5 + packet[at + 4];
	if (answer) {
		uint8_t type = packet[at];

		packet[at] = PDU_RESPONSE;
		sendto(rig.receiver, packet, (size_t)*size, 0, (struct sockaddr *)&from, length);
		packet[at] = type;
	}
	return packet[at];
}

static void run_for(int64_t us)
{
	struct mono end = mono_add(mono_now(), us);

	while (mono_before(mono_now(), end))
		sd_event_run(loop_sd_event(rig.loop), 10 * US_PER_MS);
}

START_TEST(test_a_trap_arrives)
{
	uint8_t packet[1500];
	ssize_t size;

	configure(false, 0, "sesame");
	send_one();
	ck_assert_uint_eq(receive(2000, false, packet, &size), PDU_TRAP2);
	ck_assert_ptr_nonnull(memmem(packet, (size_t)size, "\x04\x06sesame", 8));
	/* sysUpTime.0 = 4711, then snmpTrapOID.0 */
	ck_assert_ptr_nonnull(memmem(packet, (size_t)size, "\x2b\x06\x01\x02\x01\x01\x03\x00\x43\x02\x12\x67", 12));
	ck_assert_uint_eq(rig.status.state, TRAP_TARGET_SENDING);
	ck_assert_uint_eq(rig.status.sent, 1);
}
END_TEST

START_TEST(test_an_inform_is_acknowledged)
{
	uint8_t packet[1500];
	ssize_t size;

	configure(true, 3, "sesame");
	send_one();
	ck_assert_uint_eq(receive(2000, true, packet, &size), PDU_INFORM);
	for (int i = 0; i < 200 && rig.status.acknowledged == 0; i++)
		run_for(10 * US_PER_MS);
	ck_assert_uint_eq(rig.status.acknowledged, 1);
	ck_assert_uint_eq(rig.status.state, TRAP_TARGET_ANSWERING);
	ck_assert(!sender_is_waiting(rig.sender));
}
END_TEST

START_TEST(test_an_inform_is_sent_again_and_given_up)
{
	unsigned copies = 0;
	uint8_t packet[1500];
	ssize_t size;

	configure(true, 2, "sesame");
	send_one();
	ck_assert(sender_is_waiting(rig.sender));
	for (int i = 0; i < 500 && rig.status.failed == 0; i++)
		run_for(10 * US_PER_MS);
	while (receive(0, false, packet, &size) == PDU_INFORM)
		copies++;
	ck_assert_uint_eq(copies, 3);
	ck_assert_uint_eq(rig.status.failed, 1);
	ck_assert_uint_eq(rig.status.state, TRAP_TARGET_SILENT);
	ck_assert(strstr(rig.status.why, "no acknowledgement"));
	ck_assert(!sender_is_waiting(rig.sender));
	/* Back again. */
	send_one();
	ck_assert_uint_eq(receive(2000, true, packet, &size), PDU_INFORM);
	for (int i = 0; i < 200 && rig.status.acknowledged == 0; i++)
		run_for(10 * US_PER_MS);
	ck_assert_uint_eq(rig.status.state, TRAP_TARGET_ANSWERING);
}
END_TEST

START_TEST(test_a_reload_keeps_what_is_the_same)
{
	uint8_t packet[1500];
	ssize_t size;

	configure(true, 50, "sesame");
	send_one();
	configure(true, 50, "sesame");
	ck_assert(sender_is_waiting(rig.sender));
	ck_assert_uint_eq(receive(2000, true, packet, &size), PDU_INFORM);
	for (int i = 0; i < 200 && rig.status.acknowledged == 0; i++)
		run_for(10 * US_PER_MS);
	ck_assert_uint_eq(rig.status.acknowledged, 1);
	/* Another community is another receiver. */
	send_one();
	configure(true, 50, "another");
	ck_assert(!sender_is_waiting(rig.sender));
	send_one();
	while (receive(2000, false, packet, &size) == PDU_INFORM && !memmem(packet, (size_t)size, "another", 7))
		;
	ck_assert_ptr_nonnull(memmem(packet, (size_t)size, "another", 7));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp sender");
	TCase *tc = tcase_create("sender");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, test_a_trap_arrives);
	tcase_add_test(tc, test_an_inform_is_acknowledged);
	tcase_add_test(tc, test_an_inform_is_sent_again_and_given_up);
	tcase_add_test(tc, test_a_reload_keeps_what_is_the_same);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
