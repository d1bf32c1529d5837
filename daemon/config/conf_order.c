/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receives the order of a config role that stands by. Runs in the config role; what the words mean is not known here.
 */
#include "conf_order.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* The words lie one behind the other, each with its zero. */
static bool split(struct conf_order *order, size_t size)
{
	order->argc = 0;
	for (size_t at = 0; at < size; at += strlen(order->text + at) + 1) {
		if (order->argc == CONF_ORDER_WORDS)
			return false;
		order->argv[order->argc++] = order->text + at;
	}
	order->argv[order->argc] = NULL;
	return order->argc > 0;
}

bool conf_order_wait(int socket, struct conf_order *order)
{
	union {
		char data[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec part = {order->text, CONF_ORDER_SIZE};
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fds[2];
	ssize_t n;

	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!c || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || c->cmsg_level != SOL_SOCKET ||
		c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fds)))
		return false;
	memcpy(fds, CMSG_DATA(c), sizeof(fds));
	order->table = fds[0];
	order->findings = fds[1];
	order->text[n] = '\0';
	return split(order, (size_t)n);
}
