/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded into one daemon of the lab: while the file $LAB_BUSY is there, what the role $LAB_BUSY_ROLE sends to
 * nftables waits, as it does in the kernel while another program's change holds the lock for all rules. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef ssize_t sendto_fn(int, const void *, size_t, int, const struct sockaddr *, socklen_t);

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length)
{
	sendto_fn *next = (sendto_fn *)dlsym(RTLD_NEXT, "sendto");
	int protocol = 0, domain = 0;
	socklen_t n = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
	while (domain == AF_NETLINK && protocol == NETLINK_NETFILTER && access(getenv("LAB_BUSY"), F_OK) == 0 &&
		strcmp(program_invocation_short_name, getenv("LAB_BUSY_ROLE")) == 0)
		usleep(10000);
	return next(fd, data, size, flags, to, length);
}
