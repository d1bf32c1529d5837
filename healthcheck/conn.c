/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of probes. Runs in poise-healthcheck; it never waits, and never judges what the server says. */
#include "conn.h"
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_source(int fd, const struct conf *conf, const struct conf_check *check, struct probe_result *result)
{
	const char *interface = conf_string(conf, check->bind_interface);
	const int one = 1;
	struct sockaddr_storage ss;
	struct addr source = check->bind;
	char text[ADDR_TEXT];
	socklen_t length;

	if (*interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) < 0) {
		result_set(result, REASON_BIND, "cannot use interface %s (bind_if): %s; the verdict stays", interface,
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
	result_set(result, REASON_BIND, "cannot send from %s (bindto): %s; the verdict stays",
		addr_format_port(&source, check->bind_port, text), strerror(errno));
	return -1;
}

static int connect_target(int fd, const struct conf *conf, const struct conf_check *check, struct probe_result *result)
{
	const char *interface = conf_string(conf, check->bind_interface);
	struct sockaddr_storage ss;
	socklen_t length;

	length = addr_to_sockaddr(&check->target, check->port, *interface ? if_nametoindex(interface) : 0, &ss);
	if (connect(fd, (const struct sockaddr *)&ss, length) == 0 || errno == EINPROGRESS)
		return 0;
	result_set_errno(result, errno);
	return -1;
}

static int open_socket(
	const struct conf *conf, const struct conf_check *check, int type, int protocol, struct probe_result *result)
{
	int fd;

	if (check->fwmark) {
		result_set(result, REASON_FWMARK,
			"not run: marked probes (fwmark) need a privilege that the checker does not hold");
		return -1;
	}
	fd = socket(check->target.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	if (fd < 0) {
		result_set(result, errno == ENOMEM ? REASON_MEMORY : REASON_NO_SOCKET,
			"our own trouble, not the server's: no socket: %s", strerror(errno));
		return -1;
	}
	if (bind_source(fd, conf, check, result) == 0 && connect_target(fd, conf, check, result) == 0)
		return fd;
	close(fd);
	return -1;
}

int conn_open(const struct conf *conf, const struct conf_check *check, struct probe_result *result)
{
	return open_socket(conf, check, SOCK_STREAM, IPPROTO_TCP, result);
}

int conn_open_udp(const struct conf *conf, const struct conf_check *check, struct probe_result *result)
{
	return open_socket(conf, check, SOCK_DGRAM, IPPROTO_UDP, result);
}

int conn_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return errno;
	return error;
}

ssize_t conn_read(int fd, void *buf, size_t size)
{
	ssize_t n;

	do
		n = recv(fd, buf, size, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t conn_write(int fd, const void *data, size_t size)
{
	ssize_t n;

	do
		n = send(fd, data, size, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

void conn_shutdown(int fd)
{
	shutdown(fd, SHUT_WR);
}

enum conn_drained conn_drain(int fd, size_t budget)
{
	/* With MSG_TRUNC TCP throws the bytes away instead of copying them. */
	while (budget > 0) {
		ssize_t n = recv(fd, NULL, budget, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? CONN_OPEN : CONN_CLOSED;
		if (n == 0)
			return CONN_CLOSED;
		budget -= (size_t)n;
	}
	return CONN_OVER_BUDGET;
}
