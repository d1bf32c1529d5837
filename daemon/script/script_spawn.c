/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Forks and executes configured commands; runs in the script process. Between fork and exec only what is needed to
 * become somebody else; it never runs a shell and never lets a descriptor through. */
#include "script_spawn.h"

#include "script_path.h"
#include "script_user.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* More than a check should ever say. */
#define ERRORS_SIZE 65536

struct plan {
	char path[PATH_MAX];
	const char *argv[SPAWN_ARGS];
	struct script_user user;
	bool with_parent;
	mode_t mask;
	int input; /* -1 = /dev/null */
};

/* What the child says when it cannot become the program. */
struct report {
	int error;
	char step[32];
};

static int plan_command(struct plan *plan, const struct conf *conf, const struct conf_command *command,
	const char *const *further, char *why)
{
	int n = conf_argv(conf, command, plan->argv, SPAWN_ARGS);
	char reason[PATH_WHY_SIZE];

	if (n < 1) {
		snprintf(why, SPAWN_WHY_SIZE, "the command is empty or has more than %d words", SPAWN_ARGS - 1);
		return -1;
	}
	for (; further && *further; further++) {
		if (n >= SPAWN_ARGS - 1) {
			snprintf(why, SPAWN_WHY_SIZE, "the command has more than %d words", SPAWN_ARGS - 1);
			return -1;
		}
		plan->argv[n++] = *further;
	}
	plan->argv[n] = NULL;
	if (script_user_resolve(conf, command, &plan->user, why) < 0)
		return -1;
	if (script_path_find(plan->argv[0], plan->path, why) < 0)
		return -1;
	if (conf->global->script_security && plan->user.uid == 0 && script_path_check(plan->path, reason) < 0) {
		snprintf(why, SPAWN_WHY_SIZE, "refused as root (enable_script_security): %.110s", reason);
		return -1;
	}
	return 0;
}

static void __attribute__((noreturn)) child_fail(int fd, const char *step)
{
	struct report report = {.error = errno};

	strncpy(report.step, step, sizeof(report.step) - 1);
	if (write(fd, &report, sizeof(report)) < 0)
		_exit(126);
	_exit(127);
}

static void become_user(const struct script_user *user, int report)
{
	if (!user->is_switched)
		return;
	if (setgroups((size_t)user->n_groups, user->groups) < 0 || setresgid(user->gid, user->gid, user->gid) < 0 ||
		setresuid(user->uid, user->uid, user->uid) < 0)
		child_fail(report, "becoming the user");
}

/* Signals as a fresh program expects them: ours are blocked for the event loop, SIGPIPE and others are ignored. */
static void reset_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < NSIG; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The daemon is kept when memory is short. A command that takes too much of it is not, lest others die in its place.
 * Raising needs no privilege, but it must come before the change of user, after which the file is root's; where it does
 * not work, the command runs all the same. */
static void give_up_memory_protection(void)
{
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_RDWR);
	ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text), 0) : -1;

	/* A value above 0 is the wish of whoever started the daemon. */
	if (n > 0 && text[0] == '-')
		n = pwrite(fd, "0", 1, 0);
	if (fd >= 0)
		close(fd);
}

static void __attribute__((noreturn)) child_run(const struct plan *plan, const struct spawn *spawn, int report)
{
	char home[USER_HOME_SIZE + 8], user[USER_NAME_SIZE + 8], logname[USER_NAME_SIZE + 16];
	char *environment[] = {(char[]){"PATH=" SCRIPT_PATH}, home, user, logname, (char[]){"SHELL=/bin/sh"}, NULL};
	int null = open("/dev/null", O_RDWR);

	snprintf(home, sizeof(home), "HOME=%s", plan->user.home);
	snprintf(user, sizeof(user), "USER=%s", plan->user.name);
	snprintf(logname, sizeof(logname), "LOGNAME=%s", plan->user.name);
	setpgid(0, 0);
	give_up_memory_protection();
	/* The report is moved above the three that the program gets; it closes itself with exec. */
	if (null < 0 || dup2(plan->input < 0 ? null : plan->input, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
		dup2(spawn->errors, STDERR_FILENO) < 0 || dup3(report, 3, O_CLOEXEC) < 0)
		child_fail(report, "opening /dev/null");
	close_range(4, ~0U, 0);
	report = 3;
	umask(plan->mask);
	if (chdir("/") < 0)
		child_fail(report, "going to /");
	become_user(&plan->user, report);
	reset_signals();
	/* After the change of user, which would clear it. */
	if (plan->with_parent)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	execve(plan->path, (char *const *)(uintptr_t)plan->argv, environment);
	child_fail(report, "");
}

static void close_both(struct spawn *spawn)
{
	if (spawn->report >= 0)
		close(spawn->report);
	if (spawn->errors >= 0)
		close(spawn->errors);
	spawn->report = spawn->errors = -1;
}

/* A file that cannot grow beyond its size: writing more fails, which hurts nobody. */
static int open_errors(void)
{
	int fd = memfd_create("script-errors", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, ERRORS_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int start(struct spawn *spawn, const struct plan *plan, char *why)
{
	int fds[2];

	spawn->errors = open_errors();
	if (spawn->errors < 0 || pipe2(fds, O_CLOEXEC) < 0) {
		snprintf(why, SPAWN_WHY_SIZE, "no descriptors: %s", strerror(errno));
		close_both(spawn);
		return -1;
	}
	spawn->report = fds[0];
	spawn->pid = fork();
	if (spawn->pid == 0)
		child_run(plan, spawn, fds[1]);
	close(fds[1]);
	if (spawn->pid > 0) {
		/* In both processes, so that a signal to the group never comes too early. */
		setpgid(spawn->pid, spawn->pid);
		return 0;
	}
	snprintf(why, SPAWN_WHY_SIZE, "no process: %s", strerror(errno));
	spawn->pid = 0;
	close_both(spawn);
	return -1;
}

int spawn_start(struct spawn *spawn, const struct conf *conf, const struct conf_command *command,
	const char *const *further, bool with_parent, char *why)
{
	struct plan plan = {.with_parent = with_parent, .mask = conf->global->script_umask, .input = -1};

	*spawn = (struct spawn){.report = -1, .errors = -1};
	return plan_command(&plan, conf, command, further, why) < 0 ? -1 : start(spawn, &plan, why);
}

int spawn_own(struct spawn *spawn, const char *path, const char *const *argv, int input, char *why)
{
	struct plan plan = {.with_parent = true, .mask = 022, .input = input};
	int n = 0;

	*spawn = (struct spawn){.report = -1, .errors = -1};
	snprintf(plan.user.home, sizeof(plan.user.home), "/");
	snprintf(plan.path, sizeof(plan.path), "%s", path);
	for (; argv[n]; n++) {
		if (n == SPAWN_ARGS - 1) {
			snprintf(why, SPAWN_WHY_SIZE, "the command has more than %d words", SPAWN_ARGS - 1);
			return -1;
		}
		plan.argv[n] = argv[n];
	}
	return start(spawn, &plan, why);
}

/* The last line that was written to standard error, without control characters; "" when there is none. */
static void last_line(int fd, char *line, size_t size)
{
	off_t written = lseek(fd, 0, SEEK_CUR);
	char tail[512];
	ssize_t n = 0, begin;

	line[0] = '\0';
	if (written > 0)
		n = pread(fd, tail, sizeof(tail) - 1,
			written > (off_t)sizeof(tail) - 1 ? written - (off_t)sizeof(tail) + 1 : 0);
	while (n > 0 && ((unsigned char)tail[n - 1] <= ' '))
		n--;
	if (n <= 0)
		return;
	tail[n] = '\0';
	for (begin = n; begin > 0 && tail[begin - 1] != '\n'; begin--)
		if ((unsigned char)tail[begin - 1] < ' ')
			tail[begin - 1] = ' ';
	snprintf(line, size, "%.*s", (int)size - 1, tail + begin);
}

static int explain_not_run(const struct report *report, char *why)
{
	if (report->step[0])
		snprintf(why, SPAWN_WHY_SIZE, "could not run: %.31s: %s", report->step, strerror(report->error));
	else if (report->error == ENOEXEC)
		snprintf(why, SPAWN_WHY_SIZE, "could not run: its first line names no interpreter, like #!/bin/sh");
	else if (report->error == ENOENT)
		snprintf(why, SPAWN_WHY_SIZE, "could not run: the interpreter in its first line does not exist");
	else
		snprintf(why, SPAWN_WHY_SIZE, "could not run: %s", strerror(report->error));
	return SPAWN_EXIT_NOT_RUN;
}

int spawn_finish(struct spawn *spawn, const siginfo_t *info, char *why)
{
	struct report report;
	char line[100];
	int result;

	spawn->pid = 0;
	if (read(spawn->report, &report, sizeof(report)) == sizeof(report)) {
		report.step[sizeof(report.step) - 1] = '\0';
		close_both(spawn);
		return explain_not_run(&report, why);
	}
	last_line(spawn->errors, line, sizeof(line));
	close_both(spawn);
	result = info->si_code == CLD_EXITED ? info->si_status : -info->si_status;
	if (result < 0)
		snprintf(why, SPAWN_WHY_SIZE, "killed by signal %d (%s)", -result, sigdescr_np(-result));
	else if (result > 0 && line[0])
		snprintf(why, SPAWN_WHY_SIZE, "exit status %d: %s", result, line);
	else
		snprintf(why, SPAWN_WHY_SIZE, "exit status %d", result);
	return result;
}

void spawn_abandon(struct spawn *spawn)
{
	spawn_signal(spawn, SIGKILL);
	waitpid(spawn->pid, NULL, 0);
	spawn->pid = 0;
	close_both(spawn);
}

void spawn_signal(const struct spawn *spawn, int signo)
{
	if (spawn->pid > 0)
		kill(-spawn->pid, signo);
}
