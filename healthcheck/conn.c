/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets of probes. Runs in poise-healthcheck; it never waits, and never judges what the server says. */
#include "conn.h"
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* Kinds in which we say something as soon as the connection stands, and hang up on the answer. */
static bool is_question(const struct conf_check *check)
{
	return check->kind == CONF_CHECK_HTTP || check->kind == CONF_CHECK_SSL || check->kind == CONF_CHECK_TLS ||
	       check->kind == CONF_CHECK_GRPC;
}

int conn_connect(int fd, const struct conf *conf, const struct conf_check *check, struct probe_result *result)
{
	const char *interface = conf_string(conf, check->bind_interface);
	const int off = 0;
	struct sockaddr_storage ss;
	socklen_t length;

	/* What we acknowledge goes along with what we say: two packets less for a question and its answer. */
	if (is_question(check))
		setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
	length = addr_to_sockaddr(&check->target, check->port, *interface ? if_nametoindex(interface) : 0, &ss);
	if (connect(fd, (const struct sockaddr *)&ss, length) == 0 || errno == EINPROGRESS)
		return 0;
	result_set_errno(result, errno);
	return -1;
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

void conn_abort(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void conn_shutdown(int fd)
{
	shutdown(fd, SHUT_WR);
}

enum conn_drained conn_drain(int fd, size_t budget)
{
	bool is_silent = true;

	/* With MSG_TRUNC TCP throws the bytes away instead of copying them. */
	while (budget > 0) {
		ssize_t n = recv(fd, NULL, budget, MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? CONN_OPEN : CONN_CLOSED;
		if (n == 0)
			return is_silent ? CONN_SILENT : CONN_CLOSED;
		is_silent = false;
		budget -= (size_t)n;
	}
	return CONN_OVER_BUDGET;
}
