/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Preloaded together with hold.c: while the file $LAB_HOLD is there, what the kernel's generic netlink answers the role
 * $LAB_HOLD_ROLE does not come as it should, as $LAB_HOLD_WHERE says: "lost", it never comes; "overrun", the receive
 * buffer was full; "interrupted", the table has changed under every dump; "large", counters are more by 2^40; "slow",
 * between the parts of a dump others get the processor. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/ip_vs.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PART_SIZE 4096 /* an answer of this size has probably more parts */
#define PART_MS 10

typedef ssize_t recvmsg_fn(int, struct msghdr *, int);

static int is_on(const char *where)
{
	const char *file = getenv("LAB_HOLD");

	return file && strcmp(program_invocation_short_name, getenv("LAB_HOLD_ROLE")) == 0 &&
	       strcmp(where, getenv("LAB_HOLD_WHERE")) == 0 && access(file, F_OK) == 0;
}

static int is_generic_netlink(int fd)
{
	int protocol = 0, domain = 0;
	socklen_t n = sizeof(int);

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n);
	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n);
	return domain == AF_NETLINK && protocol == NETLINK_GENERIC;
}

/* Adds 2^40 to every 64-bit counter within attributes of the first level (service, server), the second (its settings
 * and statistics) or the third (its counters). */
static void enlarge(char *data, size_t size, int level)
{
	while (size >= NLA_HDRLEN) {
		struct nlattr *attr = (struct nlattr *)data;
		size_t whole = NLA_ALIGN(attr->nla_len);
		uint64_t count;

		if (attr->nla_len < NLA_HDRLEN || attr->nla_len > size)
			return;
		if (level == 1 || (level == 2 && (attr->nla_type & NLA_TYPE_MASK) == IPVS_SVC_ATTR_STATS64)) {
			enlarge(data + NLA_HDRLEN, attr->nla_len - NLA_HDRLEN, level + 1);
		} else if (level == 3 && attr->nla_type <= IPVS_STATS_ATTR_OUTBYTES &&
			   attr->nla_len == NLA_HDRLEN + sizeof(count)) {
			memcpy(&count, data + NLA_HDRLEN, sizeof(count));
			count += 1ULL << 40;
			memcpy(data + NLA_HDRLEN, &count, sizeof(count));
		}
		data += whole < size ? whole : size;
		size -= whole < size ? whole : size;
	}
}

/* A service and a server have their statistics under the same number. */
_Static_assert((int)IPVS_SVC_ATTR_STATS64 == (int)IPVS_DEST_ATTR_STATS64, "statistics");

static void make_large(char *data, size_t size)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)data;

	for (; NLMSG_OK(nlh, size); nlh = NLMSG_NEXT(nlh, size))
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && nlh->nlmsg_len > NLMSG_HDRLEN + GENL_HDRLEN)
			enlarge((char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN, nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN,
				1);
}

static void mark_as_interrupted(char *data, size_t size)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)data;

	for (; NLMSG_OK(nlh, size); nlh = NLMSG_NEXT(nlh, size))
		if (nlh->nlmsg_flags & NLM_F_MULTI)
			nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
}

ssize_t recvmsg(int fd, struct msghdr *mh, int flags)
{
	recvmsg_fn *next = (recvmsg_fn *)dlsym(RTLD_NEXT, "recvmsg");
	int is_asked = is_generic_netlink(fd);
	ssize_t n = next(fd, mh, flags);

	if (!is_asked || n < 0)
		return n;
	if (n >= PART_SIZE && is_on("slow"))
		poll(NULL, 0, PART_MS);
	if (is_on("large"))
		make_large(mh->msg_iov->iov_base, (size_t)n);
	if (is_on("interrupted"))
		mark_as_interrupted(mh->msg_iov->iov_base, (size_t)n);
	if (is_on("overrun"))
		errno = ENOBUFS;
	else if (is_on("lost"))
		errno = EAGAIN;
	else
		return n;
	return -1;
}
