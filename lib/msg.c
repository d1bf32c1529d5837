/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sending, receiving and checking the messages of msg.def. Every process; never blocks, never queues. */
#include "msg.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* The kernel doubles it, and counts three quarters of a kilobyte for a message. Room that is not used costs nothing. */
#define BURST_SIZE (2 * 1024 * 1024)

struct message_header {
	uint32_t type;
	uint32_t size;
};

#define MSG(name, from, to, fds, ...) char name[sizeof(struct msg_##name)];
union message_payload {
	uint64_t align;
#include "msg.def"
};
#undef MSG

static const struct {
	const char *name;
	size_t size;
	uint32_t from, to;
	unsigned fds;
} message_table[MSG_COUNT] = {
#define MSG(name, from, to, fds, ...) {#name, sizeof(struct msg_##name), from, to, fds},
#include "msg.def"
#undef MSG
};

const char *msg_name(enum msg_type type)
{
	return (unsigned)type < MSG_COUNT ? message_table[type].name : "?";
}

int channel_pair(int fds[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -errno;
	return 0;
}

void channel_enlarge(int fd)
{
	int size = BURST_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int channel_send(struct channel *ch, enum msg_type type, const void *payload, size_t size, int fd)
{
	struct message_header header = {.type = type, .size = (uint32_t)size};
	struct iovec iov[2] = {{&header, sizeof(header)}, {(void *)(uintptr_t)payload, size}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (ch->fd < 0)
		return -EPIPE;
	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	if (sendmsg(ch->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		ch->lost++;
	if (errno == ECONNRESET)
		return -EPIPE;
	return -errno;
}

/* Takes the first descriptor; closes any further one. */
static int take_descriptor(struct msghdr *msg)
{
	int found = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (found < 0)
				found = fd;
			else
				close(fd);
		}
	}
	return found;
}

/* Is this message what the table allows from this peer? */
static bool message_allowed(const struct channel *ch, const struct message_header *header, size_t received, int fd)
{
	if (received < sizeof(*header) || header->type >= MSG_COUNT)
		return false;
	if (header->size != message_table[header->type].size || received != sizeof(*header) + header->size)
		return false;
	if (!(message_table[header->type].from & ROLE_BIT(ch->peer)) ||
		!(message_table[header->type].to & ROLE_BIT(ch->self)))
		return false;
	return (fd >= 0) == (message_table[header->type].fds > 0);
}

/* Calls the handler; false when there is none. */
static bool message_deliver(enum msg_type type, const union message_payload *payload, int fd,
	const struct msg_handlers *handlers, void *ctx)
{
	switch (type) {
#define MSG(name, from, to, fds, ...)                                                                                  \
	case MSG_##name:                                                                                               \
		if (!handlers->name)                                                                                   \
			return false;                                                                                  \
		handlers->name(ctx, (const struct msg_##name *)(const void *)payload, fd);                             \
		return true;
#include "msg.def"
#undef MSG
	case MSG_COUNT:
		break;
	}
	return false;
}

/* One message: 1 dispatched, 0 nothing there, else -errno. */
static int dispatch_one(struct channel *ch, const struct msg_handlers *handlers, void *ctx)
{
	struct message_header header = {0};
	union message_payload payload = {0};
	struct iovec iov[2] = {{&header, sizeof(header)}, {&payload, sizeof(payload)}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr msg = {
		.msg_iov = iov, .msg_iovlen = 2, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)};
	ssize_t n = recvmsg(ch->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (n < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
			return 0;
		return errno == ECONNRESET ? -EPIPE : -errno;
	}
	fd = take_descriptor(&msg);
	if (n == 0 && fd < 0)
		return -EPIPE;
	if ((msg.msg_flags & MSG_TRUNC) || !message_allowed(ch, &header, (size_t)n, fd) ||
		!message_deliver(header.type, &payload, fd, handlers, ctx)) {
		if (fd >= 0)
			close(fd);
		return -EPROTO;
	}
	return 1;
}

int channel_dispatch(struct channel *ch, const struct msg_handlers *handlers, void *ctx, int budget)
{
	int done = 0;

	while (done < budget && ch->fd >= 0) {
		int rc = dispatch_one(ch, handlers, ctx);

		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		done++;
	}
	return done;
}
