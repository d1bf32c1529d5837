/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way of a fact from an event ring to a notification, with real boards, a simulated clock and a receiver that reads
 * what it is sent: every change of a server comes out by name, just once, in the right order; what a ring lost is made
 * good from the board; and no second has more notifications than the rate, however the process stumbles. */
#include "../../snmp/outlet.h"
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SERVICES 4
#define EACH 900
#define SERVERS (SERVICES * EACH)
#define RATE 20
#define TOLD_MAX 6

static struct conf *conf;
static struct board *boards[ROLE_COUNT];
static struct outlet outlet;
static struct mono now;
static unsigned seed;
static bool is_blocked, stumbles;

/* What a receiver knows. */
static struct {
	uint8_t told[SERVERS][TOLD_MAX]; /* the ways each server went, as enum health */
	uint8_t n_told[SERVERS];
	struct mono sent[20000];
	unsigned n, held_traps;
	char held_cause[200];
	uint32_t lost;
} seen;

/* What was so. */
static struct {
	uint8_t happened[SERVERS][TOLD_MAX], n[SERVERS];
} truth;

/* ---- the site: servers 10.1.S.N of services 10.0.0.S ---- */
static void build_service(struct conf_builder *b, conf_index_t s)
{
	conf_string_t scheduler = conf_builder_string(b, "wlc");
	conf_index_t i = conf_builder_add(b, CONF_TABLE_SERVICE);
	struct conf_service *cs = conf_builder_at(b, CONF_TABLE_SERVICE, i);
	char text[32];

	cs->kind = CONF_SERVICE_ADDRESS;
	cs->protocol = IPPROTO_TCP;
	cs->family = AF_INET;
	cs->port = 80;
	cs->scheduler = scheduler;
	cs->forward = CONF_FORWARD_DR;
	cs->group = cs->sorry = CONF_NONE;
	cs->quorum = 1;
	cs->servers = (struct conf_range){s * EACH, EACH};
	snprintf(text, sizeof(text), "10.0.0.%u", s + 1);
	ck_assert_int_eq(addr_parse(text, &cs->addr), 0);
}

static void build_server(struct conf_builder *b, conf_index_t i)
{
	struct conf_server *server = conf_builder_at(b, CONF_TABLE_SERVER, conf_builder_add(b, CONF_TABLE_SERVER));
	struct conf_check *check;
	char text[32];

	server->port = 80;
	server->weight = 1;
	server->service = i / EACH;
	server->checks = (struct conf_range){i, 1};
	snprintf(text, sizeof(text), "10.1.%u.%u", i / 250, i % 250 + 1);
	ck_assert_int_eq(addr_parse(text, &server->addr), 0);
	check = conf_builder_at(b, CONF_TABLE_CHECK, conf_builder_add(b, CONF_TABLE_CHECK));
	check->kind = CONF_CHECK_TCP;
	check->server = i;
	check->interval_us = US_PER_S;
}

static void build_conf(uint64_t generation)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct conf_global *g = conf_builder_at(b, CONF_TABLE_GLOBAL, 0);

	g->snmp_traps = 1;
	for (conf_index_t s = 0; s < SERVICES; s++)
		build_service(b, s);
	for (conf_index_t i = 0; i < SERVERS; i++)
		build_server(b, i);
	ck_assert_int_eq(conf_builder_write(b, generation, fd), 0);
	conf_builder_free(b);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
}

static void store(conf_index_t server, enum health health)
{
	struct status_health st = {
		.health = health, .weight_percent = 100, .since_real_us = real_now_us(), .why = "connection refused"};

	board_store(boards[ROLE_HEALTHCHECK], HEALTH_TABLE_SERVER, server, &st, sizeof(st));
}

/* As the health checker does it: the record, then the event. */
static void change(conf_index_t server, enum health to)
{
	struct event ev = {.kind = EVENT_SERVER,
		.generation = conf->generation,
		.object = server,
		.from = to == HEALTH_UP ? HEALTH_DOWN : HEALTH_UP,
		.to = to,
		.why = "connection refused"};
	char service[CONF_NAME_SIZE], name[CONF_NAME_SIZE];

	snprintf(ev.name, sizeof(ev.name), "%.30s %.30s", conf_service_name(conf, server / EACH, service),
		conf_server_name(conf, server, name));
	store(server, to);
	board_event(boards[ROLE_HEALTHCHECK], &ev);
	ck_assert_uint_lt(truth.n[server], TOLD_MAX);
	truth.happened[server][truth.n[server]++] = (uint8_t)to;
}

/* ---- the receiver ---- */
static const struct mib_value *variable(const struct trap *trap, uint32_t object)
{
	for (uint32_t i = 0; i < trap->n; i++) {
		if (trap->bind[i].name.n > 2 && trap->bind[i].name.id[trap->bind[i].name.n - 2] == object)
			return &trap->bind[i].value;
	}
	return NULL;
}

/* Every "10.1.A.B:80" of the text went the way that the notification says. */
static void read_names(const char *text, const struct trap *trap)
{
	const struct mib_value *to = variable(trap, 5); /* poiseNotifyHealthTo */
	unsigned a, b;

	ck_assert_ptr_nonnull(to);
	for (const char *at = text; (at = strstr(at, "10.1.")) != NULL; at++) {
		ck_assert_int_eq(sscanf(at, "10.1.%u.%u:80", &a, &b), 2);
		a = a * 250 + b - 1;
		ck_assert_uint_lt(a, SERVERS);
		ck_assert_uint_lt(seen.n_told[a], TOLD_MAX);
		seen.told[a][seen.n_told[a]++] = (uint8_t)(to->integer - 1);
	}
}

static bool can_send(void *arg)
{
	(void)arg;
	return !is_blocked;
}

static struct mono clock_now(void *arg)
{
	(void)arg;
	return now;
}

static void stumble(void)
{
	if (stumbles && rand_r(&seed) % 8 == 0)
		now = mono_add(now, rand_r(&seed) % (900 * US_PER_MS));
}

static bool receive(void *arg, const struct trap *trap, const char *about)
{
	char text[TRAP_LIST_MAX + 1];
	const struct mib_value *cause = variable(trap, 11), *left_out = variable(trap, 16);

	(void)arg;
	(void)about;
	stumble();
	if (stumbles && rand_r(&seed) % 10 == 0)
		return false; /* to be tried again */
	ck_assert_uint_lt(seen.n, sizeof(seen.sent) / sizeof(seen.sent[0]));
	seen.sent[seen.n++] = now;
	stumble();
	if (trap->list_length > 0) {
		snprintf(text, sizeof(text), "%.*s", (int)trap->list_length, trap->list);
		read_names(text, trap);
	} else if (left_out) {
		seen.held_traps++;
		seen.lost += (uint32_t)left_out->number;
		snprintf(seen.held_cause, sizeof(seen.held_cause), "%.*s", (int)cause->length, cause->octets);
	} else {
		const struct mib_value *name = variable(trap, 1);

		snprintf(text, sizeof(text), "%.*s", (int)name->length, name->octets);
		read_names(text, trap);
	}
	return true;
}

static const struct outlet_ops ops = {.can_send = can_send, .send = receive, .now = clock_now};

/* ---- running ---- */
static struct mono pump(void)
{
	struct mib_view view = {.conf = conf, .now = now};
	struct mono next;
	bool blocked;

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		view.boards[r] = boards[r];
	stumble(); /* between the look at the clock and the work */
	next = outlet_pump(&outlet, &view, boards, &blocked);
	return blocked ? mono_add(now, 20 * US_PER_MS) : next;
}

static void run(void)
{
	unsigned rounds = 0;

	for (struct mono next = pump(); mono_is_set(next); next = pump()) {
		if (mono_before(now, next))
			now = next;
		ck_assert_uint_lt(rounds++, 100000);
	}
}

static void setup(void)
{
	const struct board_shape shape = {.record_size = {sizeof(struct status_check), sizeof(struct status_health),
						  sizeof(struct status_checks)},
		.count = {SERVERS, SERVERS, 1}};

	memset(&seen, 0, sizeof(seen));
	memset(&truth, 0, sizeof(truth));
	is_blocked = stumbles = false;
	seed = 7;
	now = (struct mono){1000 * US_PER_S};
	build_conf(5);
	boards[ROLE_HEALTHCHECK] = board_create(ROLE_HEALTHCHECK, 5, &shape);
	ck_assert_ptr_nonnull(boards[ROLE_HEALTHCHECK]);
	for (conf_index_t i = 0; i < SERVERS; i++)
		store(i, HEALTH_UP);
	outlet_init(&outlet, &ops, NULL);
	trap_roll_init(&outlet.roll, RATE);
	trap_feed_init(&outlet.feed, real_now_us(), NULL);
	pump();
}

static void teardown(void)
{
	outlet_free(&outlet);
	board_close(boards[ROLE_HEALTHCHECK]);
	boards[ROLE_HEALTHCHECK] = NULL;
	conf_close(conf);
}

/* Each change was told just once; of one server, the last word is the right one (what went before may be told in the
 * order of the lists). */
static void all_is_told(void)
{
	for (conf_index_t i = 0; i < SERVERS; i++) {
		unsigned ups = 0, told_ups = 0;

		ck_assert_msg(
			seen.n_told[i] == truth.n[i], "server %u: %u changes, %u told", i, truth.n[i], seen.n_told[i]);
		for (unsigned k = 0; k < truth.n[i]; k++) {
			ups += truth.happened[i][k] == HEALTH_UP;
			told_ups += seen.told[i][k] == HEALTH_UP;
		}
		ck_assert_uint_eq(ups, told_ups);
		if (truth.n[i] > 0)
			ck_assert_uint_eq(seen.told[i][truth.n[i] - 1], truth.happened[i][truth.n[i] - 1]);
	}
}

static void rate_was_kept(void)
{
	for (unsigned i = RATE; i < seen.n; i++)
		ck_assert_msg(mono_diff_us(seen.sent[i], seen.sent[i - RATE]) >= US_PER_S, "%u to %u: %lld us",
			i - RATE, i, (long long)mono_diff_us(seen.sent[i], seen.sent[i - RATE]));
}

START_TEST(test_a_thousand_are_told_by_name)
{
	for (conf_index_t i = 0; i < 1000; i++)
		change(i * 7 % SERVERS, HEALTH_DOWN);
	run();
	all_is_told();
	rate_was_kept();
	ck_assert_uint_le(seen.n, 40);
}
END_TEST

/* Any bursts, any flapping, a process that stands still at any moment and a way out that refuses now and then. */
START_TEST(test_no_stumbling_loses_a_fact_or_breaks_the_rate)
{
	stumbles = true;
	seed = 100 + (unsigned)_i;
	for (int round = 0; round < 12; round++) {
		unsigned n = rand_r(&seed) % 3 == 0 ? (unsigned)rand_r(&seed) % 1000 : (unsigned)rand_r(&seed) % 5;

		for (; n > 0; n--) {
			conf_index_t i = (unsigned)rand_r(&seed) % (round % 2 ? SERVERS : 40);

			if (truth.n[i] < TOLD_MAX)
				change(i, truth.n[i] % 2 ? HEALTH_UP : HEALTH_DOWN);
		}
		for (int k = rand_r(&seed) % 20; k > 0; k--) {
			pump();
			now = mono_add(now, rand_r(&seed) % (100 * US_PER_MS));
		}
	}
	run();
	all_is_told();
	rate_was_kept();
}
END_TEST

/* A ring holds 1,024. */
START_TEST(test_what_a_ring_lost_is_made_good)
{
	is_blocked = true;
	change(3, HEALTH_DOWN);
	pump();
	for (conf_index_t i = 0; i < SERVERS; i++) {
		if (i != 3)
			change(i, HEALTH_DOWN);
	}
	is_blocked = false;
	run();
	all_is_told();
	rate_was_kept();
	ck_assert_uint_eq(outlet.feed.dropped, 0);
	ck_assert_uint_eq(seen.lost, 0);
}
END_TEST

/* The record is written before the event: what was told from the record is not told by the event again, and what comes
 * then is. */
START_TEST(test_made_good_is_not_told_twice)
{
	is_blocked = true;
	for (conf_index_t i = 0; i < BOARD_EVENTS + 500; i++)
		change(i, HEALTH_DOWN);
	store(2000, HEALTH_DOWN);
	is_blocked = false;
	run();
	ck_assert_uint_eq(seen.n_told[2000], 1);
	change(2000, HEALTH_DOWN);
	run();
	all_is_told();
	change(2000, HEALTH_UP);
	run();
	change(2000, HEALTH_DOWN);
	run();
	all_is_told();
}
END_TEST

/* Down and up again while nobody looked: the board has nothing of it, so the number is told. */
START_TEST(test_what_cannot_be_made_good_is_counted)
{
	is_blocked = true;
	for (unsigned k = 0; k < 2; k++) {
		for (conf_index_t i = 0; i < BOARD_EVENTS; i++)
			change(i, k ? HEALTH_UP : HEALTH_DOWN);
	}
	is_blocked = false;
	run();
	ck_assert_uint_eq(outlet.feed.dropped, BOARD_EVENTS);
	ck_assert_uint_eq(seen.held_traps, 1);
	ck_assert_uint_eq(seen.lost, BOARD_EVENTS);
	ck_assert_ptr_nonnull(strstr(seen.held_cause, "1024 changes were overwritten"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("snmp outlet");
	TCase *tc = tcase_create("outlet");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_a_thousand_are_told_by_name);
	tcase_add_loop_test(tc, test_no_stumbling_loses_a_fact_or_breaks_the_rate, 0, 40);
	tcase_add_test(tc, test_what_a_ring_lost_is_made_good);
	tcase_add_test(tc, test_made_good_is_not_told_twice);
	tcase_add_test(tc, test_what_cannot_be_made_good_is_counted);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
