/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into one daemon of the lab: while the file $LAB_HOLD is there, the role $LAB_HOLD_ROLE waits where
 * $LAB_HOLD_WHERE says: "rules", with all that it sends to nftables, as it does in the kernel while another program's
 * change holds the lock for all rules; "birth", before it does anything; "exec PROGRAM", a new process of the role
 * before it becomes that program, as when the disk does not give it; or "join", before each group of receivers that it
 * joins, as while somebody's large transaction holds the kernel's lock for interfaces. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef ssize_t sendto_fn(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

typedef int setsockopt_fn(int, int, int, const void *, socklen_t);

static void wait_at(const char *where)
{
	const char *file = getenv("LAB_HOLD");

	while (file && strcmp(program_invocation_short_name, getenv("LAB_HOLD_ROLE")) == 0 &&
		strcmp(where, getenv("LAB_HOLD_WHERE")) == 0 && access(file, F_OK) == 0)
		poll(NULL, 0, 10);
}

__attribute__((constructor)) static void begin(void)
{
	wait_at("birth");
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length)
{
	sendto_fn *next = (sendto_fn *)dlsym(RTLD_NEXT, "sendto");
	int protocol = 0, domain = 0;
	socklen_t n = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
	if (domain == AF_NETLINK && protocol == NETLINK_NETFILTER)
		wait_at("rules");
	return next(fd, data, size, flags, to, length);
}

int execv(const char *path, char *const argv[])
{
	const char *name = strrchr(path, '/');
	char where[64];

	snprintf(where, sizeof(where), "exec %s", name ? name + 1 : path);
	wait_at(where);
	return execve(path, argv, environ);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	setsockopt_fn *next = (setsockopt_fn *)dlsym(RTLD_NEXT, "setsockopt");

	if ((level == IPPROTO_IP && option == IP_ADD_MEMBERSHIP) ||
		(level == IPPROTO_IPV6 && option == IPV6_JOIN_GROUP))
		wait_at("join");
	return next(fd, level, option, value, size);
}
