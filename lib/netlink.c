/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Netlink exchanges for the roles that program the kernel (vrrp and ipvs): batches, dumps, and the look-up of a generic
 * family. It owns sequence numbers and waiting, and bounds every wait. It knows no message of any family, keeps no
 * image of the kernel, and logs nothing: what the kernel said goes to the caller. */
#include "netlink.h"
#include "mono.h"
#include <errno.h>
#include <limits.h>
#include <linux/genetlink.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE (8 * 1024 * 1024)
#define MESSAGE_SIZE 1024  /* room for one message of a batch */
#define MESSAGES_KEPT 256  /* messages a batch keeps for its next use, so that a steady exchange allocates nothing */
#define RECEIVE_SIZE 32768 /* the kernel fills answers to a dump up to this size */
#define CHUNK_SIZE (1024 * 1024)
#define ANSWER_TRUESIZE 1280 /* what one refusal takes from the receive buffer, with room to spare */
#define DUMP_TRIES 3
#define DRAIN_MAX 100000
#define FAMILY_TIMEOUT_US (800 * US_PER_MS) /* shorter than the parent waits for a sign of life */

struct netlink_batch {
	struct nl_msg **messages; /* count of them in use, ready of them allocated */
	size_t count, ready, room;
};

/* The growing answer to a dump. */
struct image {
	char *bytes;
	size_t size, room; /* behind size there is room for what comes next */
};

/* Larger buffers need CAP_NET_ADMIN for the forced form; without it the kernel's limits apply and chunks are smaller.
 */
static void enlarge_buffers(int fd)
{
	int size = BUFFER_SIZE;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

struct nl_sock *netlink_open(int protocol, const int *groups)
{
	struct nl_sock *sock = nl_socket_alloc();
	int one = 1, fd;

	if (!sock) {
		errno = ENOMEM;
		return NULL;
	}
	errno = 0;
	if (nl_connect(sock, protocol) < 0) {
		int error = errno ? errno : EIO;

		nl_socket_free(sock);
		errno = error;
		return NULL;
	}
	fd = nl_socket_get_fd(sock);
	nl_socket_set_nonblocking(sock);
	enlarge_buffers(fd);
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	for (; groups && *groups; groups++) {
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, groups, sizeof(*groups)) < 0) {
			int error = errno;

			nl_socket_free(sock);
			errno = error;
			return NULL;
		}
	}
	return sock;
}

struct netlink_batch *netlink_batch_new(void)
{
	return calloc(1, sizeof(struct netlink_batch));
}

void netlink_batch_free(struct netlink_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->ready; i++)
		nlmsg_free(batch->messages[i]);
	free(batch->messages);
	free(batch);
}

static int batch_grow(struct netlink_batch *batch)
{
	if (batch->ready == batch->room) {
		size_t room = batch->room ? 2 * batch->room : 32;
		struct nl_msg **messages = reallocarray(batch->messages, room, sizeof(*messages));

		if (!messages)
			return -ENOMEM;
		batch->messages = messages;
		batch->room = room;
	}
	batch->messages[batch->ready] = nlmsg_alloc_size(MESSAGE_SIZE);
	if (!batch->messages[batch->ready])
		return -ENOMEM;
	batch->ready++;
	return 0;
}

struct nl_msg *netlink_batch_add(struct netlink_batch *batch, int type, int flags)
{
	struct nl_msg *msg;

	if (batch->count == batch->ready && batch_grow(batch) < 0)
		return NULL;
	msg = batch->messages[batch->count++];
	/* A message of an earlier round starts again as an empty one. */
	nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN;
	nlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, type, 0, flags | NLM_F_REQUEST);
	return msg;
}

size_t netlink_batch_count(const struct netlink_batch *batch)
{
	return batch->count;
}

void netlink_batch_empty(struct netlink_batch *batch)
{
	batch->count = 0;
	while (batch->ready > MESSAGES_KEPT)
		nlmsg_free(batch->messages[--batch->ready]);
}

void netlink_batch_trim(struct netlink_batch *batch)
{
	while (batch->ready > batch->count)
		nlmsg_free(batch->messages[--batch->ready]);
}

/* How long an exchange may wait. The clock is asked when something has to be waited for, which is rare: the kernel has
 * mostly answered before the send returns. */
struct patience {
	int64_t us;
	struct mono end; /* not set: nothing was waited for yet */
};

/* Waits for the socket. Returns 0, or -ETIMEDOUT when the patience is at its end. */
static int wait_for(int fd, short events, struct patience *patience)
{
	struct pollfd pfd = {fd, events, 0};
	struct mono now = mono_now();
	int64_t left_us;

	if (!mono_is_set(patience->end))
		patience->end = mono_add(now, patience->us);
	left_us = mono_diff_us(patience->end, now);
	if (left_us <= 0)
		return -ETIMEDOUT;
	poll(&pfd, 1, (int)(left_us / US_PER_MS) + 1);
	return 0;
}

/* After an overrun: what is still queued belongs to an exchange that has failed, and would leave no room for the answer
 * to the next one. */
static void drain(int fd)
{
	char byte;

	for (int i = 0; i < DRAIN_MAX; i++)
		if (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno != ENOBUFS && errno != EINTR)
			return;
}

/* Reads one datagram into buffer. Only the kernel (port 0) is listened to. */
static ssize_t receive(int fd, char *buffer, size_t size, struct patience *patience)
{
	int rc;

	for (;;) {
		struct sockaddr_nl from;
		struct iovec iov = {buffer, size};
		struct msghdr mh = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1};
		ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT);

		if (n >= 0 && (mh.msg_flags & MSG_TRUNC))
			return -EMSGSIZE;
		if (n >= 0 && from.nl_pid == 0)
			return n;
		if (n < 0 && errno == ENOBUFS) {
			drain(fd);
			return -ENOBUFS;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLIN, patience);
		if (rc < 0)
			return rc;
	}
}

static int send_bytes(int fd, struct iovec *iov, size_t n, struct patience *patience)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct msghdr mh = {.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = iov, .msg_iovlen = n};

	for (;;) {
		int rc;

		if (sendmsg(fd, &mh, MSG_DONTWAIT) >= 0)
			return 0;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		rc = wait_for(fd, POLLOUT, patience);
		if (rc < 0)
			return rc;
	}
}

/* The extended text of an error answer, or NULL. It is terminated by the kernel; that is checked all the same. */
static const char *error_text(struct nlmsghdr *nlh)
{
	struct nlmsgerr *err = nlmsg_data(nlh);
	size_t offset = sizeof(*err);
	struct nlattr *attr;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len >= NLMSG_HDRLEN)
		offset += NLMSG_ALIGN(err->msg.nlmsg_len - NLMSG_HDRLEN);
	if (nlh->nlmsg_len < NLMSG_HDRLEN + offset)
		return NULL;
	attr = nla_find((struct nlattr *)((char *)err + offset), (int)(nlh->nlmsg_len - NLMSG_HDRLEN - offset),
		NLMSGERR_ATTR_MSG);
	if (!attr || nla_len(attr) < 1 || memchr(nla_data(attr), 0, (size_t)nla_len(attr)) == NULL)
		return NULL;
	return nla_data(attr);
}

/* One run of batch messages that goes out in one send. */
struct chunk {
	size_t first, count; /* numbers in the batch */
	uint32_t seq;        /* of the first one */
	netlink_refused_fn *fn;
	void *arg;
};

/* Takes the answers out of one datagram; returns true when the chunk's last message was answered. */
static bool take_answers(const struct chunk *chunk, char *buffer, size_t size)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)buffer;
	bool done = false;
	int left = (int)size;

	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		uint32_t number = nlh->nlmsg_seq - chunk->seq;
		struct nlmsgerr *err = nlmsg_data(nlh);

		/* Anything else is a notification, or the late answer to an exchange that timed out. */
		if (nlh->nlmsg_type != NLMSG_ERROR || number >= chunk->count)
			continue;
		if (nlmsg_datalen(nlh) < (int)sizeof(*err))
			continue;
		if (err->error && chunk->fn)
			chunk->fn(chunk->arg, chunk->first + number, -err->error, error_text(nlh));
		if (number == chunk->count - 1)
			done = true;
	}
	return done;
}

static int chunk_wait(int fd, const struct chunk *chunk, struct patience *patience)
{
	char buffer[RECEIVE_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool done = false;

	while (!done) {
		ssize_t n = receive(fd, buffer, sizeof(buffer), patience);

		if (n < 0)
			return (int)n;
		done = take_answers(chunk, buffer, (size_t)n);
	}
	return 0;
}

/* How many messages from `first` on go into one send: as many as fit both buffers and the iovec. */
static size_t chunk_count(int fd, const struct netlink_batch *batch, size_t first)
{
	int sndbuf = 0, rcvbuf = 0;
	socklen_t len = sizeof(int);
	size_t bytes = 0, limit, count, max;

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf, &len);
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, &len);
	limit = sndbuf > 2 * MESSAGE_SIZE ? (size_t)sndbuf - MESSAGE_SIZE : MESSAGE_SIZE;
	if (limit > CHUNK_SIZE)
		limit = CHUNK_SIZE;
	max = (size_t)rcvbuf / ANSWER_TRUESIZE;
	for (count = 0; first + count < batch->count; count++) {
		bytes += NLMSG_ALIGN(nlmsg_hdr(batch->messages[first + count])->nlmsg_len);
		if (count && (bytes > limit || count >= max || count >= IOV_MAX))
			break;
	}
	return count;
}

static int chunk_send(struct nl_sock *sock, struct netlink_batch *batch, struct chunk *chunk, struct patience *patience)
{
	struct iovec iov[IOV_MAX];
	int fd = nl_socket_get_fd(sock);
	int error;

	for (size_t i = 0; i < chunk->count; i++) {
		struct nlmsghdr *nlh = nlmsg_hdr(batch->messages[chunk->first + i]);

		nlh->nlmsg_seq = nl_socket_use_seq(sock);
		nlh->nlmsg_pid = nl_socket_get_local_port(sock);
		if (i == 0)
			chunk->seq = nlh->nlmsg_seq;
		if (i == chunk->count - 1)
			nlh->nlmsg_flags |= NLM_F_ACK;
		/* Messages have room for their padding, which nlmsg_reserve() has zeroed. */
		iov[i] = (struct iovec){nlh, NLMSG_ALIGN(nlh->nlmsg_len)};
	}
	error = send_bytes(fd, iov, chunk->count, patience);
	return error ? error : chunk_wait(fd, chunk, patience);
}

int netlink_batch_send(
	struct nl_sock *sock, struct netlink_batch *batch, int64_t timeout_us, netlink_refused_fn *fn, void *arg)
{
	struct patience patience = {.us = timeout_us, .end = MONO_NEVER};
	struct chunk chunk = {.fn = fn, .arg = arg};
	int error = 0;

	while (!error && chunk.first < batch->count) {
		chunk.count = chunk_count(nl_socket_get_fd(sock), batch, chunk.first);
		error = chunk_send(sock, batch, &chunk, &patience);
		chunk.first += chunk.count;
	}
	netlink_batch_empty(batch);
	return error;
}

/* Room for one more datagram of the largest size, and the padding of its last message. */
static int image_grow(struct image *image)
{
	size_t room = 2 * (image->room + RECEIVE_SIZE + NLMSG_ALIGNTO);
	char *bytes;

	if (image->room - image->size >= RECEIVE_SIZE + NLMSG_ALIGNTO)
		return 0;
	bytes = realloc(image->bytes, room);
	if (!bytes)
		return -ENOMEM;
	image->bytes = bytes;
	image->room = room;
	return 0;
}

/* Mostly it lies there already: between two messages of an answer there is nothing else. */
static void image_append(struct image *image, const struct nlmsghdr *nlh)
{
	size_t len = nlh->nlmsg_len;

	if ((const char *)nlh != image->bytes + image->size)
		memmove(image->bytes + image->size, nlh, len);
	memset(image->bytes + image->size + len, 0, NLMSG_ALIGN(len) - len);
	image->size += NLMSG_ALIGN(len);
}

/* Takes one datagram of an answer, which was received behind the image's end, into it. Returns 1 at the end of the
 * answer, 0 when more is to come, -errno, and -EINTR at the end of an answer that is not one consistent view. */
static int image_take(struct image *image, uint32_t seq, size_t size, bool *interrupted)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)(image->bytes + image->size), *next;
	int left = (int)size, error;

	for (; nlmsg_ok(nlh, left); nlh = next) {
		next = nlmsg_next(nlh, &left); /* before the message may be moved */
		if (nlh->nlmsg_seq != seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
			/* Both begin with a negative errno; an old kernel's NLMSG_DONE may be empty. */
			error = nlmsg_datalen(nlh) >= (int)sizeof(int) ? *(int *)nlmsg_data(nlh) : 0;
			return error ? error : *interrupted ? -EINTR : 1;
		}
		image_append(image, nlh);
	}
	return 0;
}

/* Sends the request under a new number and collects its answer until the end. */
static int image_read(struct nl_sock *sock, struct nl_msg *request, struct patience *patience, struct image *image)
{
	struct nlmsghdr *nlh = nlmsg_hdr(request);
	struct iovec iov = {nlh, nlh->nlmsg_len};
	int fd = nl_socket_get_fd(sock);
	bool interrupted = false;
	int result;

	image->size = 0;
	nlh->nlmsg_seq = nl_socket_use_seq(sock);
	nlh->nlmsg_pid = nl_socket_get_local_port(sock);
	result = send_bytes(fd, &iov, 1, patience);
	while (result == 0) {
		ssize_t n = image_grow(image);

		if (n == 0)
			n = receive(fd, image->bytes + image->size, RECEIVE_SIZE, patience);
		result = n < 0 ? (int)n : image_take(image, nlh->nlmsg_seq, (size_t)n, &interrupted);
	}
	return result < 0 ? result : 0;
}

static void image_deliver(const struct image *image, netlink_dump_fn *fn, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)image->bytes;
	int left = (int)image->size;

	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left))
		fn(arg, nlh);
}

int netlink_dump(struct nl_sock *sock, struct nl_msg *request, int64_t timeout_us, netlink_dump_fn *fn, void *arg)
{
	struct patience patience = {.us = timeout_us, .end = MONO_NEVER};
	struct image image = {0};
	int error = -EINTR;

	nlmsg_hdr(request)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
	for (int i = 0; i < DUMP_TRIES && error == -EINTR; i++)
		error = image_read(sock, request, &patience, &image);
	if (!error && image.size)
		image_deliver(&image, fn, arg);
	free(image.bytes);
	return error;
}

int netlink_get(struct nl_sock *sock, struct nl_msg *request, int64_t timeout_us, netlink_dump_fn *fn, void *arg)
{
	struct patience patience = {.us = timeout_us, .end = MONO_NEVER};
	struct image image = {0};
	int error;

	nlmsg_hdr(request)->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	error = image_read(sock, request, &patience, &image);
	if (!error && image.size)
		image_deliver(&image, fn, arg);
	free(image.bytes);
	return error;
}

static void take_family(void *arg, struct nlmsghdr *nlh)
{
	struct nlattr *attr = nlmsg_find_attr(nlh, GENL_HDRLEN, CTRL_ATTR_FAMILY_ID);
	int *family = arg;

	if (nlh->nlmsg_type == GENL_ID_CTRL && attr && nla_len(attr) >= (int)sizeof(uint16_t))
		*family = nla_get_u16(attr);
}

int netlink_family(struct nl_sock *sock, const char *name)
{
	struct genlmsghdr genl = {.cmd = CTRL_CMD_GETFAMILY, .version = 1};
	struct nl_msg *request = nlmsg_alloc_simple(GENL_ID_CTRL, 0);
	int family = -ENOENT, error;

	if (!request)
		return -ENOMEM;
	if (nlmsg_append(request, &genl, sizeof(genl), NLMSG_ALIGNTO) < 0 ||
		nla_put_string(request, CTRL_ATTR_FAMILY_NAME, name) < 0) {
		nlmsg_free(request);
		return -EINVAL;
	}
	error = netlink_get(sock, request, FAMILY_TIMEOUT_US, take_family, &family);
	nlmsg_free(request);
	return error ? error : family;
}
