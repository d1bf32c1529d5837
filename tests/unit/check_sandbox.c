/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strict list of system calls, in children that install it: what probes need works, anything else fails alone, and
 * is told once with its number. */
#include "log.h"
#include "sandbox.h"
#include "thread.h"
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[512];
static int lines;

static void keep_line(enum log_level level, const char *text)
{
	(void)level;
	snprintf(said, sizeof(said), "%s", text);
	lines++;
}

/* Check itself needs calls that the list refuses, so the work is done in a process of its own, which says by its exit
 * code in which line of this file something was not as expected. */
#define expect(condition)                                                                                              \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			_exit(__LINE__ & 0xff);                                                                        \
	} while (0)

static void run_confined(void (*work)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		log_to_writer("sandbox", keep_line);
		expect(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
		expect(sandbox_install_strict() == 0);
		work();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == 0, "line %d was not as expected", WEXITSTATUS(status));
}

static void probe(void)
{
	int fd;

	for (int family = AF_INET;; family = AF_INET6) {
		fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
		expect(fd >= 0 || errno == EAFNOSUPPORT);
		close(fd);
		if (family == AF_INET6)
			break;
	}
	expect(if_nametoindex("lo") > 0);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	expect(fd >= 0);
	close(fd);
	free(malloc(1 << 24));
	sandbox_tell_refused();
	expect(lines == 0);
}

static void *open_a_file(void *arg)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	*(int *)arg = fd;
	/* What is refused fails in a thread as anywhere else. */
	errno = 0;
	if (syscall(SYS_getppid) != -1 || errno != EPERM)
		*(int *)arg = -2;
	return NULL;
}

static void wait_for_a_file_system(void)
{
	pthread_t thread;
	int fd = -1;

	expect(thread_start(&thread, open_a_file, &fd) == 0);
	expect(pthread_join(thread, NULL) == 0);
	expect(fd >= 0);
	sandbox_tell_refused();
	expect(lines == 1);
	/* Threads, and no processes. */
	expect(fork() == -1);
	expect(errno == EPERM);
}

START_TEST(threads_wait_for_file_systems)
{
	run_confined(wait_for_a_file_system);
}
END_TEST

START_TEST(what_probes_need_works)
{
	run_confined(probe);
}
END_TEST

static void stray(void)
{
	char number[32];

	/* Twice refused, once told. */
	for (int i = 0; i < 2; i++) {
		errno = 0;
		expect(syscall(SYS_getppid) == -1);
		expect(errno == EPERM);
	}
	sandbox_tell_refused();
	snprintf(number, sizeof(number), "call %d (getppid)", (int)SYS_getppid);
	expect(lines == 1);
	expect(strstr(said, number));
	sandbox_tell_refused();
	expect(lines == 1);
	expect(execl("/bin/true", "true", (char *)NULL) == -1);
	expect(errno == EPERM);
	expect(unlink("/nowhere/at/all") == -1);
	expect(errno == EPERM);
	expect(fork() == -1);
	expect(errno == EPERM);
	sandbox_tell_refused();
	expect(lines >= 4);
}

START_TEST(anything_else_is_refused_and_told)
{
	run_confined(stray);
}
END_TEST

static void ask_for_more(void)
{
	expect(open("/tmp/nothing-of-ours", O_WRONLY | O_CREAT, 0600) == -1);
	expect(errno == EPERM);
	expect(socket(AF_UNIX, SOCK_STREAM, 0) == -1);
	expect(errno == EPERM);
	expect(socket(AF_NETLINK, SOCK_RAW, 0) == -1);
	expect(errno == EPERM);
	expect(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	expect(errno == EPERM);
}

START_TEST(only_the_needed_forms)
{
	run_confined(ask_for_more);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tc = tcase_create("strict");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, what_probes_need_works);
	tcase_add_test(tc, threads_wait_for_file_systems);
	tcase_add_test(tc, anything_else_is_refused_and_told);
	tcase_add_test(tc, only_the_needed_forms);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
