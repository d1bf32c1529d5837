/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way to the AgentX master: when it is tried, addresses of it, and the probe against real sockets that answer,
 * keep silent, refuse, or talk nonsense. */
#include "../../snmp/agentx_link.h"
#include "../../snmp/agentx_probe.h"
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static struct mono at(int64_t ms)
{
	return (struct mono){1000 * US_PER_S + ms * US_PER_MS};
}

START_TEST(test_a_master_that_answers_is_opened)
{
	struct link link = {0};

	ck_assert_int_eq(link_step(&link, LINK_START, at(0)), LINK_DO_PROBE);
	ck_assert_int_eq(link_step(&link, LINK_START, at(1)), LINK_DO_NOTHING); /* a reload */
	ck_assert_int_eq(link_step(&link, LINK_PROBE_ANSWERED, at(2)), LINK_DO_OPEN);
	ck_assert_int_eq(link_step(&link, LINK_OPENED, at(3)), LINK_DO_NOTHING);
	ck_assert_int_eq(link.state, LINK_UP);
	ck_assert(!mono_is_set(link.deadline));
	ck_assert_int_eq(link_step(&link, LINK_TIMER, at(100000)), LINK_DO_NOTHING);
}
END_TEST

START_TEST(test_a_master_that_is_lost_is_tried_again_soon)
{
	struct link link = {.state = LINK_UP};

	link_step(&link, LINK_LOST, at(0));
	ck_assert_int_eq(link.state, LINK_WAITING);
	ck_assert_int_eq(link_step(&link, LINK_TIMER, at(499)), LINK_DO_NOTHING);
	ck_assert_int_eq(link_step(&link, LINK_TIMER, at(500)), LINK_DO_PROBE);
}
END_TEST

START_TEST(test_tries_become_rarer_but_never_end)
{
	static const int64_t pauses_ms[] = {500, 1000, 2000, 4000, 8000, 15000, 15000};
	struct link link = {0};
	int64_t now = 0;

	link_step(&link, LINK_START, at(0));
	for (unsigned i = 0; i < sizeof(pauses_ms) / sizeof(pauses_ms[0]); i++) {
		link_step(&link, i % 2 ? LINK_PROBE_FAILED : LINK_OPEN_FAILED, at(now));
		ck_assert_int_eq(mono_diff_us(link.deadline, at(now)), pauses_ms[i] * US_PER_MS);
		now += pauses_ms[i];
		ck_assert_int_eq(link_step(&link, LINK_TIMER, at(now)), LINK_DO_PROBE);
	}
	link_step(&link, LINK_PROBE_ANSWERED, at(now));
	link_step(&link, LINK_OPENED, at(now));
	link_step(&link, LINK_LOST, at(now));
	ck_assert_int_eq(mono_diff_us(link.deadline, at(now)), LINK_RETRY_MIN_US);
}
END_TEST

START_TEST(test_silence_ends_a_probe)
{
	struct link link = {0};

	link_step(&link, LINK_START, at(0));
	ck_assert_int_eq(link_step(&link, LINK_TIMER, at(999)), LINK_DO_NOTHING);
	ck_assert_int_eq(link_step(&link, LINK_TIMER, at(1000)), LINK_DO_CANCEL_PROBE);
	ck_assert_int_eq(link.state, LINK_WAITING);
	/* An answer that comes after that does not count. */
	ck_assert_int_eq(link_step(&link, LINK_PROBE_ANSWERED, at(1001)), LINK_DO_NOTHING);
	ck_assert_int_eq(link.state, LINK_WAITING);
}
END_TEST

START_TEST(test_addresses)
{
	struct agentx_address a;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&a.ss;
	char long_path[200] = "unix:/";

	ck_assert_int_eq(agentx_address_parse("unix:/run/x/master", &a), 0);
	ck_assert_str_eq(((const struct sockaddr_un *)&a.ss)->sun_path, "/run/x/master");
	ck_assert_str_eq(a.spec, "unix:/run/x/master");
	ck_assert_int_eq(agentx_address_parse("/run/x/master", &a), 0);
	ck_assert_str_eq(a.spec, "unix:/run/x/master");
	ck_assert_int_eq(agentx_address_parse("tcp:192.0.2.1:1705", &a), 0);
	ck_assert_int_eq(ntohs(in->sin_port), 1705);
	ck_assert_str_eq(a.spec, "tcp:192.0.2.1:1705");
	ck_assert_int_eq(agentx_address_parse("localhost:705", &a), 0);
	ck_assert_uint_eq(ntohl(in->sin_addr.s_addr), 0x7f000001);
	ck_assert_int_eq(agentx_address_parse("192.0.2.1", &a), 0);
	ck_assert_int_eq(ntohs(in->sin_port), 705);
	ck_assert_int_eq(agentx_address_parse("tcp:[2001:db8::1]:705", &a), 0);
	ck_assert_str_eq(a.spec, "tcp6:[2001:db8::1]:705");
	ck_assert_int_eq(agentx_address_parse("", &a), -1);
	ck_assert_int_eq(agentx_address_parse("unix:", &a), -1);
	ck_assert_int_eq(agentx_address_parse("udp:192.0.2.1:705", &a), -1);
	ck_assert_int_eq(agentx_address_parse("tcp:master.example:705", &a), -1);
	memset(long_path + 6, 'x', sizeof(long_path) - 7);
	ck_assert_int_eq(agentx_address_parse(long_path, &a), -1);
}
END_TEST

/* ---- the probe against sockets ---- */
static int last_error;

static void done(void *arg, int error)
{
	last_error = error;
	loop_exit(arg, 0);
}

static void give_up(struct timer *timer, void *arg)
{
	(void)timer;
	last_error = -1; /* still waiting */
	loop_exit(arg, 0);
}

/* What a master does with a connection. */
struct master {
	const uint8_t *answer; /* NULL: none */
	size_t size;           /* 0: closes */
	uint8_t asked[64];
	ssize_t n_asked;
	int fd; /* listens */
};

static void *serve(void *arg)
{
	struct master *m = arg;
	int peer = accept(m->fd, NULL, NULL);
	uint8_t rest;

	m->n_asked = recv(peer, m->asked, sizeof(m->asked), 0);
	if (m->answer && m->size > 0)
		ck_assert_int_eq(send(peer, m->answer, m->size, 0), (ssize_t)m->size);
	if (!m->answer || m->size > 0)
		recv(peer, &rest, 1, 0); /* open until the other side has enough */
	close(peer);
	return NULL;
}

static int probe_with(struct master *m)
{
	struct agentx_address a = {.ss.ss_family = AF_UNIX, .length = sizeof(sa_family_t)};
	struct loop *loop = loop_new();
	struct timer limit = {.fire = give_up, .arg = loop};
	struct agentx_probe probe;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t length = sizeof(a.ss);
	pthread_t thread;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a.ss, a.length), 0); /* an abstract name of the kernel's choice */
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a.ss, &length), 0);
	a.length = length;
	if (m) {
		ck_assert_int_eq(listen(fd, 0), 0);
		m->fd = fd;
		ck_assert_int_eq(pthread_create(&thread, NULL, serve, m), 0);
	}
	last_error = -2;
	agentx_probe_init(&probe, loop, done, loop);
	loop_timer_set(loop, &limit, mono_add(mono_now(), m && !m->answer ? 100 * US_PER_MS : 30 * US_PER_S));
	agentx_probe_start(&probe, &a);
	if (last_error == -2)
		loop_run(loop);
	agentx_probe_cancel(&probe);
	if (m)
		pthread_join(thread, NULL);
	close(fd);
	loop_timer_cancel(loop, &limit);
	loop_free(loop);
	return last_error;
}

START_TEST(test_probe)
{
	uint8_t response[28] = {1, 18, 0x10};
	uint8_t other[28] = {1, 13, 0x10};
	struct master m = {response, sizeof(response), {0}, 0, -1};

	ck_assert_int_eq(probe_with(&m), 0);
	ck_assert_int_eq(m.n_asked, AGENTX_HEADER_SIZE);
	ck_assert_int_eq(m.asked[0], 1);
	ck_assert_int_eq(m.asked[1], 13);
	m.answer = other;
	ck_assert_int_eq(probe_with(&m), EPROTO);
	m = (struct master){(const uint8_t *)"HTTP/1.0 400 Bad Request\r\n", 26, {0}, 0, -1};
	ck_assert_int_eq(probe_with(&m), EPROTO);
	m = (struct master){response, 5, {0}, 0, -1};
	ck_assert_int_eq(probe_with(&m), EPROTO);
	m = (struct master){response, 0, {0}, 0, -1}; /* closes */
	ck_assert_int_eq(probe_with(&m), ECONNRESET);
	m = (struct master){NULL, 0, {0}, 0, -1};
	ck_assert_int_eq(probe_with(&m), -1);
	ck_assert_int_eq(probe_with(NULL), ECONNREFUSED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp link");
	TCase *tc = tcase_create("link");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, test_a_master_that_answers_is_opened);
	tcase_add_test(tc, test_a_master_that_is_lost_is_tried_again_soon);
	tcase_add_test(tc, test_tries_become_rarer_but_never_end);
	tcase_add_test(tc, test_silence_ends_a_probe);
	tcase_add_test(tc, test_addresses);
	tcase_add_test(tc, test_probe);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed > 0;
}
