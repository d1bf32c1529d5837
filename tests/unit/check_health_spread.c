/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several health checkers: who has which server, what a change moves, and that a server which moves keeps what is known
 * of it. */
#include "health_fixture.h"
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SERVERS 2000
#define SERVICES 20

/* ---- who has which server ---- */

struct shape {
	uint32_t processes;
	unsigned skipped;       /* every so many-th server is left out, 0 = none */
	unsigned panic_service; /* that service has a panic_threshold, 0 = none */
	bool is_twice;          /* the second half of the services has the servers of the first half */
	bool has_common_target; /* all checks of the first service go to one address */
};

static struct addr address(unsigned number)
{
	uint32_t net = htonl(0x0a000000 + number);

	return addr_from_bytes(AF_INET, &net);
}

static void add_server(struct conf_builder *b, const struct shape *shape, conf_index_t service, unsigned number)
{
	conf_index_t server = conf_builder_add(b, CONF_TABLE_SERVER), check = conf_builder_add(b, CONF_TABLE_CHECK);
	struct conf_server *s = conf_builder_at(b, CONF_TABLE_SERVER, server);
	struct conf_check *c = conf_builder_at(b, CONF_TABLE_CHECK, check);

	s->addr = address(number);
	s->port = 80;
	s->service = service;
	s->checks = (struct conf_range){check, 1};
	c->server = server;
	c->target = shape->has_common_target && service == 0 ? address(0xffff) : s->addr;
	c->port = 80;
	((struct conf_service *)conf_builder_at(b, CONF_TABLE_SERVICE, service))->servers.count++;
}

static struct conf *build(const struct shape *shape)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("spread", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct conf_global *g;
	struct conf *conf;

	g = conf_builder_at(b, CONF_TABLE_GLOBAL, 0);
	g->check_processes = shape->processes;
	for (unsigned i = 0; i < SERVICES; i++) {
		conf_index_t service = conf_builder_add(b, CONF_TABLE_SERVICE);
		struct conf_service *s = conf_builder_at(b, CONF_TABLE_SERVICE, service);

		s->group = s->sorry = CONF_NONE;
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		conf_index_t service = i / (SERVERS / SERVICES);
		struct conf_service *s = conf_builder_at(b, CONF_TABLE_SERVICE, service);

		if (i % (SERVERS / SERVICES) == 0)
			s->servers.first = conf_builder_count(b, CONF_TABLE_SERVER);
		s->panic_threshold = shape->panic_service && service == shape->panic_service ? 50 : 0;
		if (shape->skipped && i % shape->skipped == 0)
			continue;
		add_server(b, shape, service, shape->is_twice ? i % (SERVERS / 2) : i);
	}
	ck_assert_int_eq(conf_builder_write(b, 1, fd), 0);
	conf_builder_free(b);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
	ck_assert_int_eq(conf_spread(conf), 0);
	return conf;
}

static unsigned number_of(const struct conf *conf, conf_index_t server)
{
	return role_checker_number(conf_checker(conf, server));
}

static conf_index_t find(const struct conf *conf, const struct addr *addr)
{
	for (conf_index_t i = 0; i < conf->n_servers; i++)
		if (addr_equal(&conf->servers[i].addr, addr))
			return i;
	return CONF_NONE;
}

START_TEST(one_checker_has_all)
{
	for (uint32_t processes = 0; processes < 2; processes++) {
		struct conf *conf = build(&(struct shape){.processes = processes});

		ck_assert_uint_eq(conf_checkers(conf), 1);
		for (conf_index_t i = 0; i < conf->n_servers; i++)
			ck_assert_int_eq(conf_checker(conf, i), ROLE_HEALTHCHECK);
		conf_close(conf);
	}
}
END_TEST

START_TEST(each_has_about_its_share)
{
	for (uint32_t processes = 2; processes <= CHECKERS_MAX; processes++) {
		struct conf *conf = build(&(struct shape){.processes = processes});
		unsigned counts[CHECKERS_MAX] = {0};

		for (conf_index_t i = 0; i < conf->n_servers; i++)
			counts[number_of(conf, i)]++;
		for (unsigned p = 0; p < CHECKERS_MAX; p++) {
			unsigned share = SERVERS / processes;

			if (p >= processes)
				ck_assert_uint_eq(counts[p], 0);
			else
				ck_assert_msg(counts[p] > share * 3 / 4 && counts[p] < share * 5 / 4,
					"process %u of %u has %u", p, processes, counts[p]);
		}
		conf_close(conf);
	}
}
END_TEST

START_TEST(more_processes_than_there_can_be)
{
	struct conf *conf = build(&(struct shape){.processes = 4711});

	ck_assert_uint_eq(conf_checkers(conf), CHECKERS_MAX);
	conf_close(conf);
}
END_TEST

/* One probe serves all virtual servers that use a target. */
START_TEST(a_target_has_one_checker)
{
	struct conf *conf = build(&(struct shape){.processes = 4, .is_twice = true});

	for (conf_index_t i = 0; i < SERVERS / 2; i++)
		ck_assert_uint_eq(number_of(conf, i), number_of(conf, i + SERVERS / 2));
	conf_close(conf);
	conf = build(&(struct shape){.processes = 4, .has_common_target = true});
	for (conf_index_t i = 1; i < SERVERS / SERVICES; i++)
		ck_assert_uint_eq(number_of(conf, i), number_of(conf, 0));
	conf_close(conf);
}
END_TEST

/* Who judges a pool sees all of it; the others are spread as before. */
START_TEST(a_pool_that_is_judged_stays_together)
{
	struct conf *before = build(&(struct shape){.processes = 4});
	struct conf *conf = build(&(struct shape){.processes = 4, .panic_service = 3});
	const struct conf_range *pool = &conf->services[3].servers;

	for (conf_index_t i = 0; i < conf->n_servers; i++) {
		if (i - pool->first < pool->count)
			ck_assert_uint_eq(number_of(conf, i), number_of(conf, pool->first));
		else
			ck_assert_uint_eq(number_of(conf, i), number_of(before, i));
	}
	conf_close(before);
	conf_close(conf);
}
END_TEST

START_TEST(one_more_process_takes_only_what_is_its_own)
{
	for (uint32_t processes = 1; processes < CHECKERS_MAX; processes++) {
		struct conf *before = build(&(struct shape){.processes = processes});
		struct conf *after = build(&(struct shape){.processes = processes + 1});

		for (conf_index_t i = 0; i < before->n_servers; i++)
			ck_assert(number_of(after, i) == number_of(before, i) || number_of(after, i) == processes);
		conf_close(before);
		conf_close(after);
	}
}
END_TEST

START_TEST(servers_that_go_move_no_others)
{
	struct conf *before = build(&(struct shape){.processes = 3});
	struct conf *after = build(&(struct shape){.processes = 3, .skipped = 7});

	ck_assert_uint_lt(after->n_servers, before->n_servers);
	for (conf_index_t i = 0; i < after->n_servers; i++)
		ck_assert_uint_eq(number_of(after, i), number_of(before, find(before, &after->servers[i].addr)));
	conf_close(before);
	conf_close(after);
}
END_TEST

/* A pool that loses a server, the first of all, is still the same pool. */
START_TEST(a_pool_that_loses_a_server_stays)
{
	struct conf *before = build(&(struct shape){.processes = CHECKERS_MAX, .panic_service = 3});
	struct conf *after =
		build(&(struct shape){.processes = CHECKERS_MAX, .panic_service = 3, .skipped = SERVERS / SERVICES});
	const struct conf_range *pool = &after->services[3].servers;

	ck_assert_uint_eq(pool->count, SERVERS / SERVICES - 1);
	for (conf_index_t i = pool->first; i < pool->first + pool->count; i++)
		ck_assert_uint_eq(number_of(after, i), number_of(before, before->services[3].servers.first));
	conf_close(before);
	conf_close(after);
}
END_TEST

/* ---- a server moves ---- */

static const struct check_text two[] = {{.kind = CONF_CHECK_TCP, .port = 1, .interval_ms = 60000},
	{.kind = CONF_CHECK_TCP, .port = 2, .server = 1, .interval_ms = 60000, .initial = CONF_CHECK_INITIAL_UP}};

/* A generation in which the second server is that of another checker. */
static struct conf *generation(uint64_t number, unsigned of_second)
{
	struct conf *conf = fixture_conf(number, two, 2);

	conf->checkers = calloc(2, 1);
	conf->checkers[1] = (uint8_t)of_second;
	return conf;
}

static struct board *board_of(const struct check_set *set)
{
	struct board_shape shape = {{sizeof(struct status_check), sizeof(struct status_health)}, {2, 2}};
	struct board *board = board_create(set->checker, set->conf->generation, &shape);

	for (uint32_t i = 0; i < set->n_servers; i++)
		board_store(board, HEALTH_TABLE_SERVER, i, &set->servers[i], sizeof(set->servers[i]));
	return board;
}

/* All checks of the first checker, with the second server down. */
static struct check_set *first_set(const struct conf *conf)
{
	struct check_set *set = check_set_new(conf, ROLE_HEALTHCHECK, NULL, NULL);

	check_set_take_over(set, NULL, NULL);
	set->servers[1].health = set->checks[1]->verdict.health = HEALTH_DOWN;
	snprintf(set->servers[1].why, WHY_SIZE, "connection refused");
	return set;
}

static void expect_down(const struct check_set *set)
{
	ck_assert_int_eq(set->servers[1].health, HEALTH_DOWN);
	ck_assert_int_eq(set->before[1], HEALTH_DOWN);
	ck_assert_int_eq(set->checks[1]->verdict.health, HEALTH_DOWN);
	ck_assert_str_eq(set->checks[1]->status.why, "not checked yet since the configuration changed: down as before");
}

START_TEST(a_process_that_is_new_learns_from_the_former_one)
{
	struct conf *before = generation(1, 0), *after = generation(2, 1);
	struct check_set *old = first_set(before);
	struct check_set *mine = check_set_new(after, ROLE_HEALTHCHECK, old, NULL);
	struct check_set *its = check_set_new(after, ROLE_HEALTHCHECK_2, NULL, NULL);
	struct board *boards[ROLE_COUNT] = {NULL};

	/* As long as the one that had it has not switched, it begins as nothing, whatever initial_state says. */
	boards[ROLE_HEALTHCHECK] = board_of(old);
	check_set_take_over(its, NULL, boards);
	ck_assert_ptr_null(its->checks[0]);
	ck_assert(!check_set_learn(its, 1, boards));
	ck_assert_int_eq(its->checks[1]->verdict.health, HEALTH_UNKNOWN);
	ck_assert_int_eq(its->servers[1].health, HEALTH_UNKNOWN);
	board_close(boards[ROLE_HEALTHCHECK]);
	check_set_take_over(mine, old, NULL);
	ck_assert_ptr_null(mine->checks[1]);
	ck_assert_ptr_nonnull(mine->checks[0]);
	boards[ROLE_HEALTHCHECK] = board_of(mine);
	ck_assert(!check_set_learn(its, 0, boards));
	ck_assert(check_set_learn(its, 1, boards));
	expect_down(its);
	ck_assert_str_eq(its->servers[1].why, "connection refused");
	/* What it has found out itself is newer. */
	its->servers[1].health = HEALTH_UP;
	ck_assert(!check_set_learn(its, 1, boards));
	ck_assert_int_eq(its->servers[1].health, HEALTH_UP);
	board_close(boards[ROLE_HEALTHCHECK]);
	check_set_free(old);
	check_set_free(mine);
	check_set_free(its);
	conf_close(before);
	conf_close(after);
}
END_TEST

START_TEST(a_process_that_ran_already_takes_over_at_once)
{
	struct conf *before = generation(1, 0), *after = generation(2, 1);
	struct check_set *first = first_set(before);
	struct check_set *old = check_set_new(before, ROLE_HEALTHCHECK_2, NULL, NULL), *set;
	struct board *boards[ROLE_COUNT] = {[ROLE_HEALTHCHECK] = board_of(first)};

	check_set_take_over(old, NULL, boards);
	ck_assert_uint_eq(old->n_own, 0);
	set = check_set_new(after, ROLE_HEALTHCHECK_2, old, NULL);
	check_set_take_over(set, old, boards);
	expect_down(set);
	ck_assert_int_eq(set->servers[0].health, HEALTH_UNKNOWN);
	check_set_free(set);
	/* A board of another generation counts its servers otherwise. */
	board_close(boards[ROLE_HEALTHCHECK]);
	first->conf = after;
	boards[ROLE_HEALTHCHECK] = board_of(first);
	old->servers[1].health = HEALTH_UNKNOWN;
	set = check_set_new(after, ROLE_HEALTHCHECK_2, old, NULL);
	check_set_take_over(set, old, boards);
	ck_assert_int_eq(set->checks[1]->verdict.health, HEALTH_UP);
	first->conf = before;
	board_close(boards[ROLE_HEALTHCHECK]);
	check_set_free(set);
	check_set_free(old);
	check_set_free(first);
	conf_close(before);
	conf_close(after);
}
END_TEST

/* Nobody had it before: it is a new server. */
START_TEST(a_server_that_nobody_knows_begins_by_its_rule)
{
	struct conf *conf = generation(1, 1);
	struct check_set *first = check_set_new(conf, ROLE_HEALTHCHECK, NULL, NULL);
	struct check_set *set = check_set_new(conf, ROLE_HEALTHCHECK_2, NULL, NULL);
	struct board *boards[ROLE_COUNT] = {NULL};

	check_set_take_over(first, NULL, NULL);
	boards[ROLE_HEALTHCHECK] = board_of(first);
	check_set_take_over(set, NULL, boards);
	ck_assert(check_set_learn(set, 1, boards));
	ck_assert_int_eq(set->checks[1]->verdict.health, HEALTH_UP);
	ck_assert_str_eq(set->checks[1]->status.why, "not checked yet: up by initial_state");
	board_close(boards[ROLE_HEALTHCHECK]);
	check_set_free(first);
	check_set_free(set);
	conf_close(conf);
}
END_TEST

/* The one that writes knows how the servers of the others are. */
START_TEST(the_first_remembers_for_all)
{
	struct conf *conf = generation(1, 1);
	struct check_set *first = check_set_new(conf, ROLE_HEALTHCHECK, NULL, NULL);
	struct check_set *second = check_set_new(conf, ROLE_HEALTHCHECK_2, NULL, NULL);
	struct board *boards[ROLE_COUNT] = {NULL};
	struct known_server known[2] = {{.key = 1}, {.key = 2}}, stored[2] = {{0}};
	FILE *file = tmpfile();
	struct check_memory memory = {.fd = fileno(file), .known = known, .stored = stored, .n = 2};

	check_set_take_over(first, NULL, NULL);
	check_set_take_over(second, NULL, NULL);
	second->servers[1].health = HEALTH_DOWN;
	boards[ROLE_HEALTHCHECK_2] = board_of(second);
	check_memory_store(&memory, second, boards);
	ck_assert_uint_eq(stored[1].key, 0);
	first->servers[0].health = HEALTH_UP;
	check_memory_store(&memory, first, boards);
	ck_assert_uint_eq(stored[0].health, HEALTH_UP);
	ck_assert_uint_eq(stored[1].health, HEALTH_DOWN);
	board_close(boards[ROLE_HEALTHCHECK_2]);
	check_set_free(first);
	check_set_free(second);
	conf_close(conf);
	fclose(file);
}
END_TEST

/* Pairs of reloads as they come: whatever comes, goes, changes its place or its checker, what is there afterwards is
 * whole, and a check that is the same goes on as the same object. */
START_TEST(any_reload_leaves_a_whole_set)
{
	struct schedule_random random = {4711};

	fixture_setup();
	for (unsigned round = 1; round <= 400; round++) {
		struct check_text texts[12] = {{0}};
		unsigned n = 1 + (unsigned)schedule_random_below(&random, 12), servers = 0;
		struct conf *conf;
		struct check_set *set;

		for (unsigned i = 0; i < n; i++) {
			servers += i > 0 && schedule_random_below(&random, 3) > 0;
			texts[i] = (struct check_text){.kind = CONF_CHECK_TCP,
				.server = servers,
				.port = (uint16_t)(1 + schedule_random_below(&random, 8)),
				.interval_ms = 60000 + 1000 * (unsigned)schedule_random_below(&random, 2)};
		}
		conf = fixture_conf(round, texts, n);
		conf->checkers = calloc(conf->n_servers, 1);
		for (uint32_t i = 0; i < conf->n_servers; i++)
			conf->checkers[i] = schedule_random_below(&random, 4) == 0;
		fixture_commit(conf);
		set = checker_set(fixture_checker);
		for (uint32_t i = 0; i < set->n_checks; i++) {
			struct check *c = set->checks[i];

			ck_assert_int_eq(c != NULL, check_set_owns(set, conf->checks[i].server));
			if (!c)
				continue;
			ck_assert_ptr_eq(c->spec.conf, conf);
			ck_assert_uint_eq(c->spec.index, i);
			ck_assert_ptr_eq(c->leader->leader, c->leader);
			ck_assert_ptr_eq(c->leader->spec.conf, conf);
			ck_assert(c->leader != c || c->timer.slot > 0 || c->probe);
			ck_assert(c->leader == c || !c->timer.slot);
		}
	}
	fixture_teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health_spread");
	TCase *spread = tcase_create("spread"), *move = tcase_create("move");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(spread, 30);
	tcase_add_test(spread, one_checker_has_all);
	tcase_add_test(spread, each_has_about_its_share);
	tcase_add_test(spread, more_processes_than_there_can_be);
	tcase_add_test(spread, a_target_has_one_checker);
	tcase_add_test(spread, a_pool_that_is_judged_stays_together);
	tcase_add_test(spread, one_more_process_takes_only_what_is_its_own);
	tcase_add_test(spread, servers_that_go_move_no_others);
	tcase_add_test(spread, a_pool_that_loses_a_server_stays);
	suite_add_tcase(suite, spread);
	tcase_add_test(move, a_process_that_is_new_learns_from_the_former_one);
	tcase_add_test(move, a_process_that_ran_already_takes_over_at_once);
	tcase_add_test(move, a_server_that_nobody_knows_begins_by_its_rule);
	tcase_set_timeout(move, 60);
	tcase_add_test(move, any_reload_leaves_a_whole_set);
	tcase_add_test(move, the_first_remembers_for_all);
	suite_add_tcase(suite, move);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
