/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may do what: capabilities and forbidden system calls of every role in tables. Runs once in each child, before it
 * parses anything foreign. The filter is a list of what no role ever needs; roles without privileges lose more, and the
 * health checker may only do what is on a list of its own (see sandbox_strict.c). */
#include "sandbox.h"
#include "log.h"
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#define END (-1) /* of a list */

struct privileges {
	int capabilities[4];   /* ended by END */
	const int *refused[3]; /* lists of system calls, ended by NULL */
	bool is_strict;        /* instead: only what is on the list of sandbox_strict.c */
};

/* Nobody needs to load modules, mount, trace, change the clock or start programs. */
static const int refused_always[] = {SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(mount), SCMP_SYS(umount2),
	SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime), SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(add_key), SCMP_SYS(request_key),
	SCMP_SYS(keyctl), SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(setns), SCMP_SYS(unshare),
	SCMP_SYS(acct), SCMP_SYS(quotactl), SCMP_SYS(open_by_handle_at), SCMP_SYS(fanotify_init), END};

/* Who parses hostile bytes does not touch the file system's names nor change who it is. */
static const int refused_to_parsers[] = {SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setresuid), SCMP_SYS(setresgid),
	SCMP_SYS(setgroups), SCMP_SYS(capset), SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename),
	SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(link), SCMP_SYS(linkat), SCMP_SYS(symlink),
	SCMP_SYS(symlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(mknod), SCMP_SYS(mknodat),
	SCMP_SYS(chmod), SCMP_SYS(fchmodat), SCMP_SYS(chown), SCMP_SYS(lchown), SCMP_SYS(fchownat), SCMP_SYS(fork),
	SCMP_SYS(vfork), END};

static const struct privileges role_privileges[] = {
	[ROLE_PARENT] = {{END}, {NULL}, false},
	[ROLE_VRRP] = {{CAP_NET_ADMIN, CAP_NET_RAW, END}, {refused_always, refused_to_parsers, NULL}, false},
	[ROLE_IPVS] = {{CAP_NET_ADMIN, END}, {refused_always, refused_to_parsers, NULL}, false},
	[ROLE_HEALTHCHECK] = {{END}, {NULL}, true},
	[ROLE_CONTROL] = {{END}, {refused_always, refused_to_parsers, NULL}, false},
	[ROLE_PAIR] = {{END}, {refused_always, refused_to_parsers, NULL}, false},
	[ROLE_SNMP] = {{END}, {refused_always, NULL}, false},
	[ROLE_SCRIPT] = {{END}, {NULL}, false},
};

static const struct privileges config_privileges = {
	.capabilities = {CAP_DAC_READ_SEARCH, END}, .refused = {refused_always, refused_to_parsers, NULL}};

static int drop_user(const struct privileges *p, const char *user)
{
	unsigned uid, gid;
	int rc;

	if (sscanf(user, "%u:%u", &uid, &gid) != 2)
		return -EINVAL;
	capng_clear(CAPNG_SELECT_BOTH);
	for (const int *cap = p->capabilities; *cap != END; cap++)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, (unsigned)*cap);
	rc = capng_change_id((int)uid, (int)gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	return rc < 0 ? -EPERM : 0;
}

static int install_filter(const struct privileges *p)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int rc = 0;

	if (!filter)
		return -ENOMEM;
	for (const int *const *list = p->refused; *list && rc == 0; list++) {
		for (const int *call = *list; *call != END && rc == 0; call++) {
			rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), *call, 0);
			if (rc == -EDOM || rc == -EINVAL)
				rc = 0; /* not a call of this architecture */
		}
	}
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc;
}

static int enter(const struct privileges *p, const char *user)
{
	int rc = drop_user(p, user);

	if (rc < 0)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return -errno;
	rc = p->is_strict ? sandbox_install_strict() : install_filter(p);
	if (rc < 0)
		log_warning("sandbox: this kernel takes no system-call filter (%d): going on without", rc);
	return 0;
}

int sandbox_enter(enum role role, const char *user)
{
	if (geteuid() != 0 || role == ROLE_SCRIPT || role == ROLE_PARENT)
		return 0;
	return enter(&role_privileges[role_kind(role)], user);
}

int sandbox_enter_config(const char *user)
{
	if (geteuid() != 0)
		return 0;
	return enter(&config_privileges, user);
}
