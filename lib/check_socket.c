/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the sockets of health checks. Runs in poise-healthcheck and in the parent; it never connects and never waits.
 */
#include "check_socket.h"
#include "status.h"
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool check_socket_needs_lender(const struct conf_check *check)
{
	return check->fwmark != 0 || (check->bind_port > 0 && check->bind_port < IPPORT_RESERVED);
}

static int bind_source(int fd, const struct conf *conf, const struct conf_check *check, char *why)
{
	const char *interface = conf_string(conf, check->bind_interface);
	const int one = 1;
	struct sockaddr_storage ss;
	struct addr source = check->bind;
	char text[ADDR_TEXT];
	socklen_t length;

	if (*interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0) {
		snprintf(why, WHY_SIZE, "cannot use interface %s (bind_if): %s; the verdict stays", interface,
			strerror(errno));
		return -1;
	}
	if (!addr_is_set(&source) && !check->bind_port)
		return 0;
	if (!addr_is_set(&source))
		source.family = check->target.family;
	/* Without a port of its own the kernel chooses one at connect(), from the whole range for each target. */
	if (!check->bind_port)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	else
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	length = addr_to_sockaddr(&source, check->bind_port, *interface ? if_nametoindex(interface) : 0, &ss);
	if (bind(fd, (const struct sockaddr *)&ss, length) == 0)
		return 0;
	snprintf(why, WHY_SIZE, "cannot send from %s (bindto): %s; the verdict stays",
		addr_format_port(&source, check->bind_port, text), strerror(errno));
	return -1;
}

static int open_socket(const struct conf_check *check)
{
	int family = check->target.family, type = SOCK_STREAM, protocol = IPPROTO_TCP;

	if (check->kind == CONF_CHECK_DNS || check->kind == CONF_CHECK_UDP) {
		type = SOCK_DGRAM;
		protocol = IPPROTO_UDP;
	} else if (check->kind == CONF_CHECK_PING) {
		type = SOCK_RAW;
		protocol = family == AF_INET6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP;
	}
	return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

int check_socket_open(const struct conf *conf, const struct conf_check *check, enum reason *reason, char *why)
{
	int fd = open_socket(check);

	if (fd < 0) {
		*reason = errno == ENOMEM ? REASON_MEMORY : REASON_NO_SOCKET;
		snprintf(why, WHY_SIZE, "our own trouble, not the server's: no socket: %s", strerror(errno));
		return -1;
	}
	if (check->fwmark && setsockopt(fd, SOL_SOCKET, SO_MARK, &check->fwmark, sizeof(check->fwmark)) < 0) {
		*reason = REASON_FWMARK;
		snprintf(why, WHY_SIZE, "our own trouble, not the server's: packets cannot be marked (fwmark): %s",
			strerror(errno));
		close(fd);
		return -1;
	}
	/* Echo requests share a socket and carry their source themselves. */
	if (check->kind == CONF_CHECK_PING || bind_source(fd, conf, check, why) == 0)
		return fd;
	*reason = REASON_BIND;
	close(fd);
	return -1;
}
