/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracked interfaces, scripts, processes, files and services, observed on images and boards. */
#include "../../vrrp/vrrp_firewall.h"
#include "../../vrrp/vrrp_track.h"
#include <check.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

/* Strings of both configurations. */
#define TEXT "\0eth1\0check\0web\0nginx\0load"
#define ETH1 1
#define CHECK 6
#define WEB 12
#define NGINX 16
#define LOAD 22

static struct conf_script scripts[1];
static struct conf_service services[1];
static struct conf_process processes[1];
static struct conf_file files[1];
static struct conf_track tracks_conf[5];
static struct conf conf;
static struct link eth1;
static struct links links;
static struct vrrp_tracks tracks;
static struct vrrp_sight sight;
static int reports;

static void setup(void)
{
	scripts[0] = (struct conf_script){.name = CHECK};
	memset(services, 0, sizeof(services));
	tracks_conf[0] = (struct conf_track){.kind = CONF_TRACK_INTERFACE, .name = ETH1, .weight = -20};
	tracks_conf[1] = (struct conf_track){.kind = CONF_TRACK_SCRIPT, .name = CHECK, .weight = 10};
	tracks_conf[2] = (struct conf_track){.kind = CONF_TRACK_SERVICE, .name = WEB};
	tracks_conf[3] = (struct conf_track){.kind = CONF_TRACK_PROCESS, .name = NGINX};
	tracks_conf[4] = (struct conf_track){.kind = CONF_TRACK_FILE, .name = LOAD, .weight = -2};
	processes[0].name = NGINX;
	files[0].name = LOAD;
	conf = (struct conf){.generation = 7,
		.processes = processes,
		.n_processes = 1,
		.files = files,
		.n_files = 1,
		.strings = TEXT,
		.n_strings = sizeof(TEXT),
		.scripts = scripts,
		.n_scripts = 1,
		.services = services,
		.n_services = 1,
		.tracks = tracks_conf,
		.n_tracks = 5};
	eth1 = (struct link){
		.ifindex = 4, .name = "eth1", .flags = IFF_UP | IFF_RUNNING, .counted = IFF_UP | IFF_RUNNING};
	links = (struct links){.all = &eth1, .count = 1, .room = 1};
	sight = (struct vrrp_sight){.conf = &conf, .links = &links, .real_now_us = 1000};
	reports = 0;
	ck_assert_int_eq(vrrp_tracks_init(&tracks, &conf), 0);
}

static void teardown(void)
{
	vrrp_tracks_free(&tracks);
}

static void report(void *arg, uint32_t index)
{
	(void)arg;
	(void)index;
	reports++;
}

static void look(void)
{
	vrrp_tracks_look(&tracks, &sight, report, NULL);
}

static struct board *script_board(uint64_t generation, enum script_result result)
{
	struct board_shape shape = {.record_size = {sizeof(struct status_script)}, .count = {1}};
	struct board *board = board_create(ROLE_SCRIPT, generation, &shape);
	struct status_script record = {.result = result, .why = "exit status 3"};

	ck_assert_ptr_nonnull(board);
	board_store(board, SCRIPT_TABLE_SCRIPT, 0, &record, sizeof(record));
	return board;
}

static struct board *watch_board(uint32_t processes_up, int32_t number)
{
	struct board_shape shape = {.record_size = {[SCRIPT_TABLE_PROCESS] = sizeof(struct status_watch),
					    [SCRIPT_TABLE_FILE] = sizeof(struct status_watch)},
		.count = {[SCRIPT_TABLE_PROCESS] = 1, [SCRIPT_TABLE_FILE] = 1}};
	struct board *board = board_create(ROLE_SCRIPT, 7, &shape);
	struct status_watch process = {.is_known = 1, .is_up = processes_up, .why = "0 nginx running"};
	struct status_watch file = {.is_known = 1, .is_up = 1, .value = number, .why = "/run/load holds it"};

	ck_assert_ptr_nonnull(board);
	board_store(board, SCRIPT_TABLE_PROCESS, 0, &process, sizeof(process));
	board_store(board, SCRIPT_TABLE_FILE, 0, &file, sizeof(file));
	return board;
}

START_TEST(processes_and_files_are_what_the_script_role_says)
{
	struct board *board = watch_board(0, 15);

	look();
	ck_assert(tracks.seen[3].is_up);
	ck_assert_str_eq(tracks.status[3].why, "not looked at yet, taken as good");
	ck_assert_int_eq(tracks.status[4].weight_now, 0);
	sight.script = board;
	look();
	ck_assert(!tracks.seen[3].is_up);
	ck_assert_str_eq(tracks.status[3].why, "0 nginx running");
	ck_assert_int_eq(tracks.status[4].weight_now, -30);
	ck_assert_uint_eq(tracks.status[4].is_up, 1);
	board_close(board);
	/* What is known stays until something else is. */
	sight.script = NULL;
	look();
	ck_assert(!tracks.seen[3].is_up);
	ck_assert_int_eq(tracks.seen[4].value, 15);
	board = watch_board(1, 127);
	sight.script = board;
	look();
	ck_assert(tracks.seen[3].is_up);
	ck_assert_int_eq(tracks.status[4].weight_now, -254);
	ck_assert_uint_eq(tracks.status[4].is_up, 0);
	board_close(board);
}
END_TEST

START_TEST(an_interface_is_what_the_kernel_says)
{
	look();
	ck_assert(tracks.seen[0].is_up);
	ck_assert_int_eq(tracks.status[0].weight_now, 0);
	ck_assert_int_eq(reports, 5);
	look();
	ck_assert_int_eq(reports, 5);
	eth1.flags = eth1.counted = IFF_UP;
	sight.real_now_us = 2000;
	look();
	ck_assert(!tracks.seen[0].is_up);
	ck_assert_int_eq(reports, 6);
	ck_assert_int_eq(tracks.status[0].weight_now, -20);
	ck_assert_int_eq(tracks.status[0].since_real_us, 2000);
	ck_assert_int_eq(tracks.status[1].since_real_us, 1000);
	ck_assert_str_eq(tracks.status[0].why, "interface eth1 has no carrier");
	links.count = 0;
	look();
	ck_assert_str_eq(tracks.status[0].why, "interface eth1 does not exist");
	ck_assert_int_eq(tracks.status[0].since_real_us, 2000);
}
END_TEST

START_TEST(a_script_counts_from_its_first_result)
{
	struct board *board;

	look();
	ck_assert(tracks.seen[1].is_up);
	board = script_board(7, SCRIPT_BAD);
	sight.script = board;
	look();
	ck_assert(!tracks.seen[1].is_up);
	ck_assert_str_eq(tracks.status[1].why, "exit status 3");
	board_close(board);
	/* Without the script role the last result stands. */
	sight.script = NULL;
	look();
	ck_assert(!tracks.seen[1].is_up);
}
END_TEST

START_TEST(a_script_may_begin_as_failed)
{
	scripts[0].init_fail = 1;
	look();
	ck_assert(!tracks.seen[1].is_up);
}
END_TEST

START_TEST(a_board_of_another_generation_says_nothing)
{
	struct board *board = script_board(6, SCRIPT_BAD);

	sight.script = board;
	look();
	ck_assert(tracks.seen[1].is_up);
	board_close(board);
}
END_TEST

START_TEST(what_is_known_goes_on_over_a_reload)
{
	struct board *board = script_board(7, SCRIPT_BAD);
	struct vrrp_tracks before;

	sight.script = board;
	look();
	before = tracks;
	ck_assert_int_eq(vrrp_tracks_init(&tracks, &conf), 0);
	vrrp_tracks_take_over(&tracks, &conf, &before, &conf);
	sight.script = NULL;
	sight.real_now_us = 5000;
	reports = 0;
	look();
	ck_assert(!tracks.seen[1].is_up);
	ck_assert_int_eq(tracks.status[1].since_real_us, 1000);
	ck_assert_int_eq(reports, 0);
	vrrp_tracks_free(&before);
	board_close(board);
}
END_TEST

START_TEST(a_service_is_up_while_its_quorum_is_met)
{
	struct board_shape shape = {.record_size = {sizeof(struct status_service)}, .count = {1}};
	struct board *board = board_create(ROLE_IPVS, 7, &shape);
	struct status_service record = {.quorum_met = 0, .why = "0 of 2 servers"};

	look();
	ck_assert(tracks.seen[2].is_up);
	board_store(board, IPVS_TABLE_SERVICE, 0, &record, sizeof(record));
	sight.ipvs = board;
	look();
	ck_assert(!tracks.seen[2].is_up);
	ck_assert_str_eq(tracks.status[2].why, "0 of 2 servers");
	board_close(board);
}
END_TEST

START_TEST(names_say_what_it_is)
{
	char buf[64];

	ck_assert_str_eq(vrrp_track_name(&conf, 0, buf, sizeof(buf)), "interface eth1");
	ck_assert_str_eq(vrrp_track_name(&conf, 1, buf, sizeof(buf)), "script check");
	ck_assert_str_eq(vrrp_track_name(&conf, 2, buf, sizeof(buf)), "service web");
}
END_TEST

/* no_accept is a property of the instance; the same address is protected once. */
START_TEST(protected_addresses_are_those_of_no_accept)
{
	struct conf_instance instances[2] = {{.no_accept = 1}, {.no_accept = 0}};
	struct conf_address addresses[3] = {{.instance = 0}, {.instance = 1}, {.instance = 0}};
	struct addr wanted[3];

	addr_parse("192.0.2.1", &addresses[0].addr);
	addr_parse("192.0.2.2", &addresses[1].addr);
	addr_parse("192.0.2.1", &addresses[2].addr);
	conf.instances = instances;
	conf.n_instances = 2;
	conf.addresses = addresses;
	conf.n_addresses = 3;
	ck_assert_uint_eq(vrrp_firewall_wanted(&conf, wanted), 1);
	ck_assert(addr_equal(&wanted[0], &addresses[0].addr));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vrrp_track");
	TCase *tc = tcase_create("observing");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, processes_and_files_are_what_the_script_role_says);
	tcase_add_test(tc, an_interface_is_what_the_kernel_says);
	tcase_add_test(tc, a_script_counts_from_its_first_result);
	tcase_add_test(tc, a_script_may_begin_as_failed);
	tcase_add_test(tc, a_board_of_another_generation_says_nothing);
	tcase_add_test(tc, what_is_known_goes_on_over_a_reload);
	tcase_add_test(tc, a_service_is_up_while_its_quorum_is_met);
	tcase_add_test(tc, names_say_what_it_is);
	tcase_add_test(tc, protected_addresses_are_those_of_no_accept);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
