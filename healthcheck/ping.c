/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets of PING_CHECK. Runs in poise-healthcheck, opens them before privileges are dropped; it never answers
 * anybody, and hands on only what carries the cookie of a request that is still waiting. */
#include "ping.h"
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAITING_SIZE 1024 /* lists; a power of two */
#define READ_BUDGET 256
/* linux/icmp.h, which does not go together with netinet/ip_icmp.h */
#define RAW_ICMP_FILTER 1

struct ping_world {
	struct loop *loop;
	struct loop_io *io;
	int fd, family;
	uint16_t ident, sequence;
	struct ping *waiting[WAITING_SIZE]; /* by sequence number */
};

static void set_filter(int fd, int family)
{
	uint32_t others = ~(1u << ICMP_ECHOREPLY);
	struct icmp6_filter filter;

	if (family == AF_INET) {
		setsockopt(fd, SOL_RAW, RAW_ICMP_FILTER, &others, sizeof(others));
		return;
	}
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter));
}

static void take_packet(struct ping_world *w, const uint8_t *data, size_t length, const struct sockaddr_storage *from)
{
	struct addr source;
	uint16_t sequence, port;
	uint64_t cookie;

	if (!ping_parse(w->family, data, length, w->ident, &sequence, &cookie) ||
		addr_from_sockaddr((const struct sockaddr *)from, &source, &port) < 0)
		return;
	for (struct ping *p = w->waiting[sequence % WAITING_SIZE]; p; p = p->next) {
		if (p->sequence != sequence || p->cookie != cookie || !addr_equal(&p->target, &source))
			continue;
		ping_forget(p);
		p->answered(p);
		return;
	}
}

static void on_packets(int fd, uint32_t events, void *arg)
{
	struct ping_world *w = arg;
	struct sockaddr_storage from;
	uint8_t data[256];

	(void)events;
	for (int budget = READ_BUDGET; budget > 0; budget--) {
		socklen_t length = sizeof(from);
		ssize_t n = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length);

		if (n < 0)
			return;
		take_packet(w, data, (size_t)n, &from);
	}
}

struct ping_world *ping_world_take(struct loop *loop, int family, int fd)
{
	struct ping_world *w = calloc(1, sizeof(*w));

	if (!w) {
		close(fd);
		return NULL;
	}
	*w = (struct ping_world){.loop = loop, .fd = fd, .family = family};
	if (getrandom(&w->ident, sizeof(w->ident), 0) < 0)
		w->ident = (uint16_t)getpid();
	set_filter(fd, family);
	w->io = loop_io_add(loop, fd, EPOLLIN, on_packets, w);
	if (w->io)
		return w;
	ping_world_free(w);
	return NULL;
}

struct ping_world *ping_world_new(struct loop *loop, int family)
{
	int fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
		family == AF_INET6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);

	return fd < 0 ? NULL : ping_world_take(loop, family, fd);
}

void ping_world_free(struct ping_world *w)
{
	if (!w)
		return;
	if (w->io)
		loop_io_remove(w->io);
	close(w->fd);
	free(w);
}

/* The source address and interface of one packet of a socket that all probes share. */
static size_t add_source(struct msghdr *m, int family, const struct addr *source, unsigned ifindex)
{
	struct cmsghdr *c = m->msg_control;
	struct in6_pktinfo six = {.ipi6_ifindex = ifindex};
	struct in_pktinfo four = {.ipi_ifindex = (int)ifindex};

	memcpy(&six.ipi6_addr, source->bytes, sizeof(six.ipi6_addr));
	memcpy(&four.ipi_spec_dst, source->bytes, sizeof(four.ipi_spec_dst));
	c->cmsg_level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = family == AF_INET6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(family == AF_INET6 ? sizeof(six) : sizeof(four));
	if (family == AF_INET6)
		memcpy(CMSG_DATA(c), &six, sizeof(six));
	else
		memcpy(CMSG_DATA(c), &four, sizeof(four));
	return CMSG_SPACE(family == AF_INET6 ? sizeof(six) : sizeof(four));
}

int ping_send(struct ping_world *w, struct ping *ping, const struct addr *source, unsigned ifindex)
{
	uint8_t packet[PING_SIZE];
	union {
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = {{0}};
	struct sockaddr_storage to;
	struct iovec iov = {packet, sizeof(packet)};
	struct msghdr m = {.msg_name = &to, .msg_iov = &iov, .msg_iovlen = 1};

	ping->sequence = ++w->sequence;
	if (getrandom(&ping->cookie, sizeof(ping->cookie), 0) < 0)
		return -errno;
	ping_build(w->family, w->ident, ping->sequence, ping->cookie, packet);
	m.msg_namelen = addr_to_sockaddr(&ping->target, 0, ifindex, &to);
	if (addr_is_set(source) || ifindex) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control.bytes);
		m.msg_controllen = add_source(&m, w->family, source, ifindex);
	}
	if (sendmsg(w->fd, &m, 0) < 0)
		return -errno;
	ping->link = &w->waiting[ping->sequence % WAITING_SIZE];
	ping->next = *ping->link;
	if (ping->next)
		ping->next->link = &ping->next;
	*ping->link = ping;
	return 0;
}

void ping_forget(struct ping *ping)
{
	if (!ping->link)
		return;
	*ping->link = ping->next;
	if (ping->next)
		ping->next->link = ping->link;
	ping->link = NULL;
}
