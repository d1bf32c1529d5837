/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting commands: what they find around them, and what is said about their end. Real processes, under our own user
 * (as root: under the user that the command names). */
#include "../../daemon/script/script_spawn.h"
#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64];
static struct conf *conf;
static struct conf_command command;

/* A command of these words, as `user` ("" = the default of the dialect, which is root as with keepalived). */
static void build(const char *const *words, uint32_t n, const char *user)
{
	struct conf_builder *b = conf_builder_new();
	int fd = memfd_create("conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	((struct conf_global *)conf_builder_at(b, CONF_TABLE_GLOBAL, 0))->script_umask = 0027;
	command = (struct conf_command){
		.argv = conf_builder_words(b, words, n), .argc = n, .user = conf_builder_string(b, user)};
	ck_assert_int_eq(conf_builder_write(b, 1, fd), 0);
	conf_builder_free(b);
	conf_close(conf);
	conf = conf_open(fd);
	ck_assert_ptr_nonnull(conf);
}

#define COMMAND(user, ...)                                                                                             \
	do {                                                                                                           \
		static const char *const words_[] = {__VA_ARGS__};                                                     \
		build(words_, sizeof(words_) / sizeof(words_[0]), user);                                               \
	} while (0)

static int run(const char *const *further, char *why)
{
	struct spawn spawn;
	siginfo_t info;

	ck_assert_msg(spawn_start(&spawn, conf, &command, further, true, why) == 0, "%s", why);
	ck_assert_int_eq(waitid(P_PID, (id_t)spawn.pid, &info, WEXITED), 0);
	return spawn_finish(&spawn, &info, why);
}

static void setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check-spawn-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0755), 0);
}

static void teardown(void)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/x", dir);
	unlink(path);
	rmdir(dir);
	conf_close(conf);
	conf = NULL;
}

START_TEST(test_ends)
{
	char why[SPAWN_WHY_SIZE];

	COMMAND("", "true");
	ck_assert_int_eq(run(NULL, why), 0);
	ck_assert_str_eq(why, "exit status 0");
	COMMAND("", "/bin/sh", "-c", "exit 3");
	ck_assert_int_eq(run(NULL, why), 3);
	ck_assert_str_eq(why, "exit status 3");
	COMMAND("", "/bin/sh", "-c", "echo first >&2; printf 'connect:\\trefused\\n\\n' >&2; exit 1");
	ck_assert_int_eq(run(NULL, why), 1);
	ck_assert_str_eq(why, "exit status 1: connect: refused");
	COMMAND("", "/bin/sh", "-c", "kill -9 $$");
	ck_assert_int_eq(run(NULL, why), -9);
	ck_assert_str_eq(why, "killed by signal 9 (Killed)");
}
END_TEST

START_TEST(test_no_shell_and_arguments_as_they_are)
{
	const char *const further[] = {"INSTANCE", "web site", "MASTER", "100", NULL};
	char why[SPAWN_WHY_SIZE];

	COMMAND("", "/bin/sh", "-c",
		"test \"$#:$1:$2:$3:$6\" = '6:$HOME:a | b:INSTANCE:100' || { echo \"$#:$*\" >&2; exit 1; }", "sh",
		"$HOME", "a | b");
	ck_assert_msg(run(further, why) == 0, "%s", why);
}
END_TEST

START_TEST(test_surroundings)
{
	char why[SPAWN_WHY_SIZE];
	sigset_t set;

	/* What an event loop does to a process must not be inherited. */
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_ge(open("/dev/null", O_RDONLY), 0);
	ck_assert_int_eq(setenv("LEAKED", "secret", 1), 0);
	COMMAND("", "/bin/sh", "-c",
		"set -e\n"
		"test -z \"$LEAKED\"\n"
		"test \"$PWD\" = /\n"
		"test \"$(umask)\" = 0027\n"
		"i=3; while test $i -lt 64; do test ! -L /proc/$$/fd/$i; i=$((i + 1)); done\n"
		"test \"$(readlink /proc/$$/fd/0)\" = /dev/null\n"
		/* 32 and 33 are the C library's own and may have been ignored by whoever started us. */
		"grep -Eq '^SigIgn:\t0*(180000000)?$' /proc/self/status\n"
		"test \"$(cut -d ' ' -f 5 /proc/$$/stat)\" = $$\n");
	ck_assert_msg(run(NULL, why) == 0, "%s", why);
	/* A shell would unblock its signals itself. */
	COMMAND("", "grep", "-q", "^SigBlk:\t0*$", "/proc/self/status");
	ck_assert_msg(run(NULL, why) == 0, "%s", why);
}
END_TEST

static bool set_memory_protection(const char *value)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return ok;
}

START_TEST(test_the_protection_of_the_daemon_is_not_inherited)
{
	char why[SPAWN_WHY_SIZE];

	/* Lowering wants a privilege that we may not have. */
	if (set_memory_protection("-500")) {
		COMMAND("", "grep", "-qx", "0", "/proc/self/oom_score_adj");
		ck_assert_msg(run(NULL, why) == 0, "%s", why);
		if (getuid() == 0) {
			COMMAND("nobody", "grep", "-qx", "0", "/proc/self/oom_score_adj");
			ck_assert_msg(run(NULL, why) == 0, "%s", why);
		}
	}
	/* What an operator gives away stays so. */
	ck_assert(set_memory_protection("300"));
	COMMAND("", "grep", "-qx", "300", "/proc/self/oom_score_adj");
	ck_assert_msg(run(NULL, why) == 0, "%s", why);
}
END_TEST

START_TEST(test_cannot_run)
{
	char why[SPAWN_WHY_SIZE], path[80];
	const char *const words[] = {path};
	struct spawn spawn;
	FILE *f;

	COMMAND("", "/nonexistent/check");
	ck_assert_int_eq(spawn_start(&spawn, conf, &command, NULL, true, why), -1);
	ck_assert_str_eq(why, "/nonexistent/check: No such file or directory");
	snprintf(path, sizeof(path), "%s/x", dir);
	f = fopen(path, "w");
	fputs("exit 0\n", f);
	fclose(f);
	chmod(path, 0644);
	build(words, 1, "");
	ck_assert_int_eq(run(NULL, why), SPAWN_EXIT_NOT_RUN);
	ck_assert_str_eq(why, "could not run: Permission denied");
	chmod(path, 0755);
	ck_assert_int_eq(run(NULL, why), SPAWN_EXIT_NOT_RUN);
	ck_assert_str_eq(why, "could not run: its first line names no interpreter, like #!/bin/sh");
}
END_TEST

START_TEST(test_much_output_harms_nobody)
{
	char why[SPAWN_WHY_SIZE];

	COMMAND("", "/bin/sh", "-c", "head -c 1000000 /dev/zero; head -c 30000 /dev/zero | tr '\\0' x >&2; exit 4");
	ck_assert_int_eq(run(NULL, why), 4);
	ck_assert_uint_lt(strlen(why), SPAWN_WHY_SIZE);
	ck_assert_int_eq(strncmp(why, "exit status 4: xxx", 18), 0);
}
END_TEST

START_TEST(test_signal_reaches_the_group)
{
	char why[SPAWN_WHY_SIZE];
	struct spawn spawn;
	siginfo_t info;

	COMMAND("", "/bin/sh", "-c", "sleep 60 & wait");
	ck_assert_int_eq(spawn_start(&spawn, conf, &command, NULL, true, why), 0);
	/* At once, perhaps before exec: the group is there already. */
	spawn_signal(&spawn, SIGKILL);
	ck_assert_int_eq(waitid(P_PID, (id_t)spawn.pid, &info, WEXITED), 0);
	ck_assert_int_eq(spawn_finish(&spawn, &info, why), -SIGKILL);
}
END_TEST

START_TEST(test_user)
{
	char why[SPAWN_WHY_SIZE];
	struct spawn spawn;

	const gid_t ours[] = {0, 4711};

	if (geteuid() != 0)
		return; /* only root can become somebody else */
	ck_assert_int_eq(setgroups(2, ours), 0);
	COMMAND("nobody", "/bin/sh", "-c",
		"test \"$(id -un):$USER\" = nobody:nobody && test \"$(id -G)\" = \"$(id -G nobody)\"");
	ck_assert_msg(run(NULL, why) == 0, "%s", why);
	COMMAND("none-such-user", "/bin/true");
	ck_assert_int_eq(spawn_start(&spawn, conf, &command, NULL, true, why), -1);
	ck_assert_str_eq(why, "user none-such-user does not exist on this machine");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("script_spawn");
	TCase *tc = tcase_create("spawn");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_ends);
	tcase_add_test(tc, test_no_shell_and_arguments_as_they_are);
	tcase_add_test(tc, test_surroundings);
	tcase_add_test(tc, test_the_protection_of_the_daemon_is_not_inherited);
	tcase_add_test(tc, test_cannot_run);
	tcase_add_test(tc, test_much_output_harms_nobody);
	tcase_add_test(tc, test_signal_reaches_the_group);
	tcase_add_test(tc, test_user);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
