/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of what the health checker may ask of the kernel: it speaks with hostile peers, so nothing else is possible
 * to whoever takes it over. What is refused fails with EPERM instead of ending the process (the next libc may want
 * a call that is not here, and that must not cost anybody's checks), and is told in the log with its number. */
#include "log.h"
#include "sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>

#define END (-1) /* of a list */
/* Different calls that can be told between two looks. */
#define TOLD_MAX 16

/* Where a system call leaves its result; other architectures refuse without telling. */
#if defined(__x86_64__)
#define CALL_RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#define REFUSAL SCMP_ACT_TRAP
#elif defined(__aarch64__)
#define CALL_RESULT(context) ((context)->uc_mcontext.regs[0])
#define REFUSAL SCMP_ACT_TRAP
#else
#define CALL_RESULT(context) (*(int *)(context))
#define REFUSAL SCMP_ACT_ERRNO(EPERM)
#endif

static const int allowed[] = {
	/* the loop and the clock */
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(signalfd4),
	SCMP_SYS(eventfd2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(gettimeofday), SCMP_SYS(time),
	/* signals and the end */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(tgkill), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(futex), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(set_robust_list),
	SCMP_SYS(sched_getaffinity), /* the C library counts processors for a second thread that allocates */
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(memfd_create), SCMP_SYS(sysinfo),
	SCMP_SYS(getrandom),
	/* descriptors: boards, tables, track files, CA files */
	SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(pread64), SCMP_SYS(write), SCMP_SYS(writev),
	SCMP_SYS(pwrite64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(statx),
	SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64), SCMP_SYS(fcntl), SCMP_SYS(ftruncate), SCMP_SYS(fchmod), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
	/* sockets */
	SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(shutdown), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg), END};

static volatile sig_atomic_t refused[TOLD_MAX];
static volatile sig_atomic_t n_refused;

static void on_refused(int signo, siginfo_t *info, void *context)
{
	(void)signo;
	for (int i = 0; i < n_refused; i++)
		if (refused[i] == info->si_syscall) {
			CALL_RESULT((ucontext_t *)context) = -EPERM;
			return;
		}
	if (n_refused < TOLD_MAX) {
		refused[n_refused] = info->si_syscall;
		n_refused++;
	}
	CALL_RESULT((ucontext_t *)context) = -EPERM;
}

void sandbox_tell_refused(void)
{
	static int told;

	for (; told < n_refused; told++) {
		char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, refused[told]);

		log_error("sandbox: system call %d (%s) was refused: this program never needs it; report it, and look "
			  "who "
			  "talks to it",
			(int)refused[told], name ? name : "unknown");
		free(name);
	}
}

/* Calls of which only some forms are needed. */
static int allow_forms(scmp_filter_ctx filter)
{
	const uint64_t writes = O_ACCMODE | O_CREAT | O_TRUNC, socket_type = 0xf;
	int rc = 0;

	rc |= seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
	/* No memory is ever executable that was not at the start. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc |= seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0_64(SCMP_CMP_EQ, AF_INET));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0_64(SCMP_CMP_EQ, AF_INET6));
	/* if_nametoindex() asks through any socket; this kind reaches nobody's daemon. */
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX),
		SCMP_A1_64(SCMP_CMP_MASKED_EQ, socket_type, SOCK_DGRAM));
	/* Threads, which wait for file systems, and no processes. The newer call cannot be looked into: a library that
	 * is told that there is none takes this one. */
	rc |= seccomp_rule_add(
		filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0_64(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	rc |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	rc |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, SCMP_A1_64(SCMP_CMP_EQ, SIOCGIFINDEX));
	return rc;
}

int sandbox_install_strict(void)
{
	struct sigaction action = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO | SA_NODEFER};
	scmp_filter_ctx filter = seccomp_init(REFUSAL);
	int rc;

	if (!filter)
		return -ENOMEM;
	sigaction(SIGSYS, &action, NULL);
	/* A search instead of a long walk where the kernel has no table of constant answers. */
	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	rc = allow_forms(filter);
	for (const int *call = allowed; *call != END && rc == 0; call++) {
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, *call, 0);
		if (rc == -EDOM || rc == -EINVAL)
			rc = 0; /* not a call of this architecture */
	}
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}
