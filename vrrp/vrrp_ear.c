/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket on which the vrrp process hears of routes and rules, and its filter in the kernel. It keeps no image and
 * changes nothing. */
#include "vrrp_ear.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROTOCOLS_MAX 16
/* Messages that are read in one turn: who changes routes without an end must not keep the heartbeat waiting. */
#define READ_BUDGET 256

/* Loads are in network order whatever the machine's is; a netlink header is in the machine's. */
#define TYPE_AT offsetof(struct nlmsghdr, nlmsg_type)
#define PROTOCOL_AT (NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol))

static int attach_filter(int fd, const uint8_t *protocols, uint8_t n)
{
	struct sock_filter code[PROTOCOLS_MAX + 8];
	struct sock_fprog program = {.filter = code};
	uint8_t at = 0;

	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TYPE_AT);
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWRULE), (uint8_t)(n + 3), 0);
	code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELRULE), (uint8_t)(n + 2), 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, PROTOCOL_AT);
	for (uint8_t i = 0; i < n; i++)
		code[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, protocols[i], (uint8_t)(n - i), 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	code[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
	program.len = at;
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

int vrrp_ear_open(const struct conf *conf)
{
	static const int groups[] = {RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
	const struct sockaddr_nl local = {.nl_family = AF_NETLINK};
	uint8_t protocols[PROTOCOLS_MAX], n = 0;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	int error;

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; i < conf->n_routes && n < PROTOCOLS_MAX; i++) {
		if (!memchr(protocols, conf->routes[i].protocol, n))
			protocols[n++] = conf->routes[i].protocol;
	}
	error = attach_filter(fd, protocols, n);
	if (!error && bind(fd, (const struct sockaddr *)&local, sizeof(local)) < 0)
		error = -errno;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups) && !error; i++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) < 0)
			error = -errno;
	}
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* What was lost is no loss, and what is left comes in the next turn. Headers are enough. */
uint32_t vrrp_ear_read(int fd)
{
	struct nlmsghdr heads[4];
	uint32_t remover = 0;

	for (int i = 0; i < READ_BUDGET; i++) {
		ssize_t n = recv(fd, heads, sizeof(heads), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return remover;
		if (n >= (ssize_t)sizeof(*heads) &&
			(heads->nlmsg_type == RTM_DELROUTE || heads->nlmsg_type == RTM_DELRULE))
			remover = heads->nlmsg_pid;
	}
	return remover;
}
