/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ears of the vrrp process on rtnetlink. It feeds the image with what the kernel tells, and says when the kernel
 * could not tell everything. It changes nothing in the kernel and decides nothing. */
#include "vrrp_monitor.h"
#include "log.h"
#include "mono.h"
#include "netlink.h"
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define DUMP_TIMEOUT_US (2 * US_PER_S)
#define READ_BUDGET 64
#define READ_SIZE 32768

struct filling {
	struct links *links;
	int error;
};

int vrrp_monitor_open(struct vrrp_monitor *monitor)
{
	const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, 0};

	*monitor = (struct vrrp_monitor){0};
	monitor->notify = netlink_open(NETLINK_ROUTE, groups);
	if (!monitor->notify)
		return -errno;
	monitor->request = netlink_open(NETLINK_ROUTE, NULL);
	if (!monitor->request) {
		int error = -errno;

		vrrp_monitor_close(monitor);
		return error;
	}
	return 0;
}

void vrrp_monitor_close(struct vrrp_monitor *monitor)
{
	nl_socket_free(monitor->notify);
	nl_socket_free(monitor->request);
	links_clear(&monitor->links);
	*monitor = (struct vrrp_monitor){0};
}

int vrrp_monitor_fd(const struct vrrp_monitor *monitor)
{
	return nl_socket_get_fd(monitor->notify);
}

static void fill(void *arg, struct nlmsghdr *nlh)
{
	struct filling *filling = arg;
	int change = links_take(filling->links, nlh);

	if (change < 0)
		filling->error = change;
}

static int dump(struct nl_sock *sock, int type, const void *header, size_t size, struct filling *filling)
{
	struct nl_msg *request = nlmsg_alloc_simple(type, 0);
	int error;

	if (!request)
		return -ENOMEM;
	error = nlmsg_append(request, (void *)header, size, NLMSG_ALIGNTO) < 0 ? -ENOMEM : 0;
	if (!error)
		error = netlink_dump(sock, request, DUMP_TIMEOUT_US, fill, filling);
	nlmsg_free(request);
	return error ? error : filling->error;
}

int vrrp_monitor_fetch(struct nl_sock *request, struct links *fresh)
{
	const struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	const struct ifaddrmsg ifa = {.ifa_family = AF_UNSPEC};
	struct filling filling = {.links = fresh};
	int error;

	error = dump(request, RTM_GETLINK, &ifi, sizeof(ifi), &filling);
	if (!error)
		error = dump(request, RTM_GETADDR, &ifa, sizeof(ifa), &filling);
	if (error)
		links_clear(fresh);
	return error;
}

void vrrp_monitor_hold(struct vrrp_monitor *monitor)
{
	monitor->is_held = true;
	monitor->is_stale_again = false;
}

void vrrp_monitor_go_on(struct vrrp_monitor *monitor)
{
	monitor->is_held = false;
}

void vrrp_monitor_adopt(struct vrrp_monitor *monitor, struct links *fresh)
{
	links_go_on(fresh, &monitor->links);
	links_clear(&monitor->links);
	monitor->links = *fresh;
	*fresh = (struct links){0};
	monitor->is_stale = monitor->is_stale_again;
	monitor->is_stale_again = false;
	vrrp_monitor_go_on(monitor);
	monitor->changes |= LINK_STATE | LINK_ADDRESS_SET | LINK_ADDRESS_GONE;
}

int vrrp_monitor_resync(struct vrrp_monitor *monitor)
{
	struct links fresh = {.births = monitor->links.births};
	int error = vrrp_monitor_fetch(monitor->request, &fresh);

	if (!error)
		vrrp_monitor_adopt(monitor, &fresh);
	return error;
}

static int take_datagram(struct links *links, char *buffer, size_t size)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
	int left = (int)size, changes = 0;

	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		int change = links_take(links, nlh);

		if (change < 0)
			return change;
		changes |= change;
	}
	return changes;
}

/* Notifications were lost: everything may have changed. What is known stays in force until it is read anew. */
static int note_loss(struct vrrp_monitor *monitor, int cause)
{
	log_info("vrrp: notifications about interfaces were lost (%s): reading them all again", strerror(-cause));
	monitor->is_stale = true;
	return cause;
}

/* The image on its way may be from before what was lost, or from after it. */
static void note_loss_while_held(struct vrrp_monitor *monitor)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(vrrp_monitor_fd(monitor), SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
		monitor->is_stale_again = true;
}

int vrrp_monitor_read(struct vrrp_monitor *monitor)
{
	char buffer[READ_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));

	if (monitor->is_held) {
		note_loss_while_held(monitor);
		return 0;
	}
	for (int i = 0; i < READ_BUDGET; i++) {
		struct sockaddr_nl from;
		struct iovec iov = {buffer, sizeof(buffer)};
		struct msghdr mh = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(vrrp_monitor_fd(monitor), &mh, MSG_DONTWAIT);
		int change;

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (mh.msg_flags & MSG_TRUNC))
			return note_loss(monitor, n < 0 ? -errno : -EMSGSIZE);
		if (from.nl_pid != 0)
			continue;
		change = take_datagram(&monitor->links, buffer, (size_t)n);
		if (change < 0)
			return note_loss(monitor, change);
		monitor->changes |= change;
	}
	return 0;
}
