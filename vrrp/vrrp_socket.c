/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw and packet sockets of the vrrp process: options, multicast membership, ancillary data. It hands received bytes on
 * as they are, with where they came from; whether they are an advertisement is decided elsewhere. It never waits: to
 * join a group and to leave it the kernel takes its lock for all interfaces, which somebody else may hold for as long
 * as he likes, so that is done by a thread. */
#include "vrrp_socket.h"
#include "log.h"
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOS_INTERNETWORK_CONTROL 0xc0
#define PRIORITY_CONTROL 7
#define HOP_LIMIT 255
#define RECEIVE_BUFFER (1024 * 1024)
/* All interfaces are sent to by one socket. One that takes nothing for a while (a paused link, a card that hangs) keeps
 * what it was given, and with that the room of the socket: more room than the usual queues of several interfaces fill,
 * so that the heartbeats of the others go on. */
#define SEND_BUFFER (8 * 1024 * 1024)
#define RECEIVE_BUDGET 64
/* What 255 virtual routers on one interface send in a stall of two intervals. */
#define DRAIN_BUDGET 512
/* A group that could not be joined is tried again when it is needed still. */
#define REJOIN_US (500 * US_PER_MS)

struct vrrp_listener {
	struct vrrp_listener *next;     /* in sockets->listeners, or in sockets->leaving */
	struct vrrp_listener *next_out; /* in sockets->out */
	struct vrrp_sockets *owner;
	struct vrrp_listen_key key;
	struct loop_io *io; /* NULL: it does not hear yet */
	int fd;
	int error;  /* 0: it hears; -EINPROGRESS: it is to join; else why it could not when it tried last */
	int result; /* of the thread */
	bool is_needed, is_leaving;
	bool is_due; /* for the thread */
	bool is_out; /* the thread has it */
	struct mono retry;
};

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int raw_open(uint8_t family, int protocol)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	return fd < 0 ? -errno : fd;
}

/* Nothing is to be queued on a socket that only sends. */
static void refuse_all(int fd)
{
	struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {1, &refuse};

	setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static void prepare_sending(int fd)
{
	set_int(fd, SOL_SOCKET, SO_PRIORITY, PRIORITY_CONTROL);
	if (set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BUFFER) < 0)
		set_int(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER);
}

static int sender_open(uint8_t family, int protocol)
{
	int fd = raw_open(family, protocol);

	if (fd < 0)
		return fd;
	prepare_sending(fd);
	refuse_all(fd);
	if (family == AF_INET) {
		set_int(fd, IPPROTO_IP, IP_HDRINCL, 1);
		set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
		set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	} else {
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, HOP_LIMIT);
		set_int(fd, IPPROTO_IPV6, IPV6_TCLASS, TOS_INTERNETWORK_CONTROL);
		set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1);
	}
	return fd;
}

int vrrp_sockets_open(
	struct vrrp_sockets *sockets, struct loop *loop, vrrp_receive_fn *receive, vrrp_joined_fn *joined, void *arg)
{
	*sockets = (struct vrrp_sockets){
		.raw4 = -1, .raw6 = -1, .packet = -1, .loop = loop, .receive = receive, .joined = joined, .arg = arg};
	/* With the header included the protocol is in the packet. */
	sockets->raw4 = sender_open(AF_INET, IPPROTO_RAW);
	if (sockets->raw4 < 0)
		return sockets->raw4;
	sockets->packet = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sockets->packet < 0) {
		int error = -errno;

		vrrp_sockets_close(sockets);
		return error;
	}
	prepare_sending(sockets->packet);
	sockets->raw6 = sender_open(AF_INET6, VRRP_PROTOCOL);
	if (sockets->raw6 < 0)
		log_debug("vrrp: no raw IPv6 socket: %s", strerror(-sockets->raw6));
	return 0;
}

void vrrp_sockets_close(struct vrrp_sockets *sockets)
{
	const int fds[] = {sockets->raw4, sockets->raw6, sockets->packet};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	sockets->raw4 = sockets->raw6 = sockets->packet = -1;
}

/* ---- receiving ---- */

/* Takes interface, destination and hop limit out of the ancillary data. */
static void read_ancillary(struct msghdr *mh, struct vrrp_arrival *arrival)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			arrival->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			arrival->ifindex = info.ipi6_ifindex;
			arrival->packet.destination = addr_from_bytes(AF_INET6, &info.ipi6_addr);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT) {
			memcpy(&arrival->packet.hop_limit, CMSG_DATA(c), sizeof(int));
		}
	}
}

/* Reads one packet and hands it on; returns false when there was none. */
static bool receive_one(struct vrrp_listener *listener, int fd)
{
	uint8_t data[VRRP_PACKET_MAX];
	char control[256] __attribute__((aligned(sizeof(size_t))));
	struct sockaddr_storage from;
	struct iovec iov = {data, sizeof(data)};
	struct msghdr mh = {.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct vrrp_arrival arrival = {.packet = {.family = listener->key.family,
					       .protocol = listener->key.protocol,
					       .data = data,
					       .hop_limit = -1},
		.by_unicast_socket = !addr_is_set(&listener->key.group)};
	uint16_t port;
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR;
	arrival.packet.size = (size_t)n;
	arrival.vrf = arrival.by_unicast_socket ? listener->key.ifindex : 0;
	addr_from_sockaddr((struct sockaddr *)&from, &arrival.packet.source, &port);
	read_ancillary(&mh, &arrival);
	listener->owner->receive(listener->owner->arg, &arrival);
	return true;
}

static void receive_all(struct vrrp_listener *listener, int fd, int budget)
{
	while (budget-- > 0 && receive_one(listener, fd))
		continue;
}

static void on_readable(int fd, uint32_t events, void *arg)
{
	(void)events;
	receive_all(arg, fd, RECEIVE_BUDGET);
}

void vrrp_sockets_drain(struct vrrp_sockets *sockets, uint32_t ifindex)
{
	for (struct vrrp_listener *l = sockets->listeners; l; l = l->next) {
		if (l->io && (l->key.ifindex == ifindex || l->key.ifindex == 0))
			receive_all(l, l->fd, DRAIN_BUDGET);
	}
}

static int listener_bind_device(int fd, uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	if (!if_indextoname(ifindex, name))
		return -errno;
	return setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ? -errno : 0;
}

/* Sets the options; without the group a unicast socket hears only what is addressed to this host. */
static int listener_configure(int fd, const struct vrrp_listen_key *key)
{
	int error;

	set_int(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (key->family == AF_INET) {
		error = set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	} else {
		error = set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		if (!error)
			error = set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	}
	return error || key->ifindex == 0 ? error : listener_bind_device(fd, key->ifindex);
}

static void listener_hear(struct vrrp_listener *listener)
{
	listener->io = loop_io_add(listener->owner->loop, listener->fd, EPOLLIN, on_readable, listener);
	listener->error = listener->io ? 0 : -errno;
}

/* ---- joining and leaving; in the thread, which has the listeners that are out until it is back ---- */

static int listener_join(int fd, const struct vrrp_listen_key *key)
{
	struct ip_mreqn mreq4 = {.imr_ifindex = (int)key->ifindex};
	struct ipv6_mreq mreq6 = {.ipv6mr_interface = key->ifindex};

	int rc;

	if (key->family == AF_INET) {
		memcpy(&mreq4.imr_multiaddr, key->group.bytes, sizeof(mreq4.imr_multiaddr));
		rc = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq4, sizeof(mreq4));
	} else {
		memcpy(&mreq6.ipv6mr_multiaddr, key->group.bytes, sizeof(mreq6.ipv6mr_multiaddr));
		rc = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &mreq6, sizeof(mreq6));
	}
	/* It may be a member from a try before, which failed behind that. */
	return rc < 0 && errno != EADDRINUSE ? -errno : 0;
}

static void run_joiner(void *arg)
{
	struct vrrp_sockets *sockets = arg;

	for (struct vrrp_listener *l = sockets->out; l; l = l->next_out) {
		if (l->is_leaving)
			close(l->fd);
		else
			l->result = listener_join(l->fd, &l->key);
	}
}

/* ---- the process's side of it ---- */

static void take_out(struct vrrp_sockets *sockets, struct vrrp_listener *list, bool is_one)
{
	for (struct vrrp_listener *l = list; l && !(is_one && sockets->out); l = l->next) {
		if (!l->is_due)
			continue;
		l->is_due = false;
		l->is_out = true;
		l->next_out = sockets->out;
		sockets->out = l;
	}
}

static void on_joined(int fd, uint32_t events, void *arg);

/* Without a thread it is done at once. */
static void start_joiner(struct vrrp_sockets *sockets)
{
	worker_init(&sockets->joiner, run_joiner, sockets);
	if (worker_start(&sockets->joiner, 0) < 0)
		return;
	worker_set_priority(&sockets->joiner, sockets->priority);
	sockets->joiner_io = loop_io_add(sockets->loop, worker_fd(&sockets->joiner), EPOLLIN, on_joined, sockets);
	if (!sockets->joiner_io)
		worker_end(&sockets->joiner);
}

static void send_joiner(struct vrrp_sockets *sockets)
{
	if (sockets->joiner.is_out)
		return;
	/* One at a time: what a socket has heard must not grow old while another one is waited for. */
	take_out(sockets, sockets->listeners, true);
	if (!sockets->out)
		take_out(sockets, sockets->leaving, false);
	if (!sockets->out)
		return;
	if (!sockets->joiner_io)
		start_joiner(sockets);
	worker_send(&sockets->joiner);
	if (!sockets->joiner.has_thread)
		on_joined(-1, 0, sockets);
}

/* A listener that hears the same, but of the interface as it was before the image was read anew: it serves until the
 * new one does. */
static struct vrrp_listener *find_forerunner(const struct vrrp_sockets *sockets, const struct vrrp_listen_key *key)
{
	for (struct vrrp_listener *l = sockets->listeners; l; l = l->next) {
		struct vrrp_listen_key other = l->key;

		other.birth = key->birth;
		if (l->io && l->key.birth != key->birth && memcmp(&other, key, sizeof(other)) == 0)
			return l;
	}
	return NULL;
}

static void leave(struct vrrp_sockets *sockets, struct vrrp_listener *listener)
{
	if (listener->io)
		loop_io_remove(listener->io);
	listener->io = NULL;
	listener->is_leaving = listener->is_due = true;
	listener->next = sockets->leaving;
	sockets->leaving = listener;
}

/* What the thread has is looked at when it is back. */
static void drop_unneeded(struct vrrp_sockets *sockets)
{
	struct vrrp_listener **at = &sockets->listeners;

	while (*at) {
		struct vrrp_listener *listener = *at;

		if (listener->is_needed || listener->is_out) {
			at = &listener->next;
			continue;
		}
		*at = listener->next;
		leave(sockets, listener);
	}
}

static void forget(struct vrrp_sockets *sockets, struct vrrp_listener *listener)
{
	struct vrrp_listener **at = &sockets->leaving;

	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	free(listener);
}

/* What both have heard is taken from the old one, so that it counts once. */
static void take_place(struct vrrp_sockets *sockets, struct vrrp_listener *listener)
{
	struct vrrp_listener *forerunner = find_forerunner(sockets, &listener->key);
	char byte;

	if (!forerunner)
		return;
	for (int i = 0; i < DRAIN_BUDGET && recv(listener->fd, &byte, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0; i++)
		;
	forerunner->is_needed = false;
	receive_all(forerunner, forerunner->fd, DRAIN_BUDGET);
}

static void on_joined(int fd, uint32_t events, void *arg)
{
	struct vrrp_sockets *sockets = arg;
	bool has_joined = false;

	(void)fd;
	(void)events;
	if (!worker_take(&sockets->joiner))
		return;
	while (sockets->out) {
		struct vrrp_listener *listener = sockets->out;

		sockets->out = listener->next_out;
		listener->is_out = false;
		if (listener->is_leaving) {
			forget(sockets, listener);
			continue;
		}
		has_joined = true;
		listener->error = listener->result;
		if (listener->error == 0) {
			take_place(sockets, listener);
			listener_hear(listener);
		}
		listener->retry = mono_add(mono_now(), REJOIN_US);
	}
	drop_unneeded(sockets);
	send_joiner(sockets);
	if (has_joined)
		sockets->joined(sockets->arg);
}

/* ---- which are needed ---- */

static int listener_add(struct vrrp_sockets *sockets, const struct vrrp_listen_key *key)
{
	struct vrrp_listener *listener = calloc(1, sizeof(*listener));
	int error;

	if (!listener)
		return -ENOMEM;
	*listener = (struct vrrp_listener){.owner = sockets, .key = *key, .is_needed = true, .error = -EINPROGRESS};
	listener->fd = raw_open(key->family, key->protocol);
	error = listener->fd < 0 ? listener->fd : listener_configure(listener->fd, key);
	listener->is_due = addr_is_set(&key->group);
	if (!error && !listener->is_due) {
		listener_hear(listener);
		error = listener->error;
	}
	if (error) {
		if (listener->fd >= 0)
			close(listener->fd);
		free(listener);
		return error;
	}
	listener->next = sockets->listeners;
	sockets->listeners = listener;
	return listener->error;
}

void vrrp_listeners_begin(struct vrrp_sockets *sockets)
{
	for (struct vrrp_listener *l = sockets->listeners; l; l = l->next)
		l->is_needed = false;
}

int vrrp_listeners_need(struct vrrp_sockets *sockets, const struct vrrp_listen_key *key)
{
	struct vrrp_listener *listener = sockets->listeners, *forerunner;
	int error;

	while (listener && memcmp(&listener->key, key, sizeof(*key)) != 0)
		listener = listener->next;
	if (listener) {
		listener->is_needed = true;
		error = listener->error;
		if (error && error != -EINPROGRESS && !mono_before(mono_now(), listener->retry))
			listener->is_due = !listener->is_out;
	} else {
		error = listener_add(sockets, key);
	}
	forerunner = error == -EINPROGRESS ? find_forerunner(sockets, key) : NULL;
	if (!forerunner)
		return error;
	forerunner->is_needed = true;
	return 0;
}

void vrrp_listeners_end(struct vrrp_sockets *sockets)
{
	drop_unneeded(sockets);
	send_joiner(sockets);
}

void vrrp_sockets_set_priority(struct vrrp_sockets *sockets, int32_t priority)
{
	sockets->priority = priority;
	worker_set_priority(&sockets->joiner, priority);
}

/* ---- sending ---- */

static int send4(int fd, const struct vrrp_departure *d)
{
	char control[CMSG_SPACE(sizeof(struct in_pktinfo))] __attribute__((aligned(sizeof(size_t)))) = {0};
	struct in_pktinfo info = {.ipi_ifindex = (int)d->ifindex};
	struct sockaddr_storage to;
	struct iovec iov = {(void *)d->data, d->size};
	struct msghdr mh = {.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1};

	mh.msg_namelen = addr_to_sockaddr(&d->destination, 0, 0, &to);
	if (d->ifindex) {
		struct cmsghdr *c;

		mh.msg_control = control;
		mh.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
	return sendmsg(fd, &mh, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send6(int fd, const struct vrrp_departure *d)
{
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(sizeof(size_t)))) = {0};
	struct in6_pktinfo info = {.ipi6_ifindex = d->ifindex};
	struct sockaddr_storage to;
	struct iovec iov = {(void *)d->data, d->size};
	struct msghdr mh = {.msg_name = &to,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	int hops = d->ttl;

	mh.msg_namelen = addr_to_sockaddr(&d->destination, 0, d->ifindex, &to);
	memcpy(&info.ipi6_addr, d->source.bytes, sizeof(info.ipi6_addr));
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	c = CMSG_NXTHDR(&mh, c);
	c->cmsg_level = IPPROTO_IPV6;
	c->cmsg_type = IPV6_HOPLIMIT;
	c->cmsg_len = CMSG_LEN(sizeof(hops));
	memcpy(CMSG_DATA(c), &hops, sizeof(hops));
	return sendmsg(fd, &mh, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int vrrp_socket_send(struct vrrp_sockets *sockets, const struct vrrp_departure *departure)
{
	int error;

	if (departure->family == AF_INET)
		error = send4(sockets->raw4, departure);
	else if (sockets->raw6 >= 0)
		error = send6(sockets->raw6, departure);
	else
		error = -EAFNOSUPPORT;
	if (error)
		sockets->send_errors++;
	return error;
}

int vrrp_socket_send_frame(struct vrrp_sockets *sockets, uint32_t ifindex, const uint8_t *frame, size_t size)
{
	struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = (int)ifindex, .sll_halen = 6};

	memcpy(to.sll_addr, frame, 6);
	/* The frame's own type, for those who watch. */
	memcpy(&to.sll_protocol, frame + 12, sizeof(to.sll_protocol));
	return sendto(sockets->packet, frame, size, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}
